"""Functions of torch whose own implementation reads values where the exporter does not see it,
said again in functions that it can follow."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
import torch._functorch.config
from torch import Tensor

from ingot.capture.arrays import as_tensor, is_array
from ingot.capture.quantized import fake_quantize, fake_quantize_channels
from ingot.capture.spectral import istft, stft
from ingot.capture.training import instance_norm
from ingot.ir.diagnostics import fail


def _equal(input: Tensor, other: Tensor) -> bool:
    return input.shape == other.shape and bool((input == other).all())


def _allclose(
    input: Tensor,
    other: Tensor,
    rtol: float = 1e-05,
    atol: float = 1e-08,
    equal_nan: bool = False,
) -> bool:
    return bool(torch.isclose(input, other, rtol, atol, equal_nan).all())


def _masked_select(input: Tensor, mask: Tensor) -> Tensor:
    # The exporter bounds the result by the input's size, the mask's may be larger.
    return torch.masked_select(*torch.broadcast_tensors(input, mask))


def _combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    # One mask for all columns, whose sizes the exporter would take for different ones.
    if input.dim() != 1 or r < 1:
        return torch.combinations(input, r, with_replacement)
    grids = torch.meshgrid([torch.arange(input.shape[0])] * r, indexing="ij")
    places = torch.stack([grid.flatten() for grid in grids], 1)
    before, after = places[:, :-1], places[:, 1:]
    taken = (before <= after if with_replacement else before < after).all(1)
    return input[places[taken]]


def _tensor_split(
    input: Tensor, indices_or_sections: Any, dim: int = 0, **given: Any
) -> tuple[Tensor, ...]:
    at = given.get("tensor_indices_or_sections", indices_or_sections)
    if not isinstance(at, Tensor):
        return torch.tensor_split(input, at, dim)
    if at.dim() == 0:
        return torch.tensor_split(input, int(at.item()), dim)
    size = input.shape[dim]
    ends = [torch.where(end < 0, end + size, end).clamp(0, size) for end in at.unbind()]
    starts = [torch.zeros((), dtype=torch.int64), *ends]
    ends.append(torch.full((), size))
    places = torch.arange(size)
    return tuple(
        input.index_select(dim, places[(places >= start) & (places < end)])
        for start, end in zip(starts, ends, strict=True)
    )


def _narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    is_place = isinstance(start, Tensor) and start.dim() == 0 and start.dtype in _INTEGERS
    if not is_place:
        return torch.narrow(input, dim, start, length)
    # From the front: of a negative start the exporter cannot tell where the view begins.
    size, place = input.shape[dim], start.long()
    first: Any = torch.where(place < 0, place + size, place).item()
    torch._check(first >= 0)
    torch._check(first + length <= size)
    return torch.narrow(input, dim, first, length)


_INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


def _cov(
    input: Tensor,
    *,
    correction: int = 1,
    fweights: Tensor | None = None,
    aweights: Tensor | None = None,
) -> Tensor:
    """As numpy.cov: rows are variables, columns observations."""
    rows = input.reshape(1, -1) if input.dim() < 2 else input
    weights = (
        fweights if aweights is None else aweights if fweights is None else fweights * aweights
    )
    total: Any = rows.shape[1] if weights is None else weights.sum()
    weighted = rows if weights is None else rows * weights
    centred = rows - (weighted.sum(1) / total).unsqueeze(1)
    if weights is None or correction == 0:
        norm = total - correction if weights is None else total
    elif aweights is None:
        norm = total - correction
    else:
        norm = total - correction * (weights * aweights).sum() / total
    norm = norm.clamp(min=0) if isinstance(norm, Tensor) else torch.sym_max(norm, 0)
    other = centred if weights is None else centred * weights
    return (torch.mm(centred, other.t().conj()) / norm).squeeze()


def _corrcoef(input: Tensor) -> Tensor:
    covariance = _cov(input)
    if covariance.dim() == 0:
        return covariance / covariance
    deviation = covariance.diagonal().real.sqrt()
    scaled = covariance / deviation.unsqueeze(1) / deviation.unsqueeze(0)
    if scaled.is_complex():
        return torch.complex(scaled.real.clamp(-1, 1), scaled.imag.clamp(-1, 1))
    return scaled.clamp(-1, 1)


def _positions(mask: Tensor) -> tuple[Tensor, ...]:
    """Where a mask is true; as one op whose result has the size that only values tell: inside
    others the exporter loses that size when it reads values."""
    return mask.nonzero().unbind(1) if mask.dim() else (torch.nonzero(mask, as_tuple=True))


def with_bool_masks(index: Any) -> Any:
    """An index whose masks of bytes, which the exporter refuses, are masks of bools."""
    if isinstance(index, tuple):
        return tuple(map(with_bool_masks, index))
    is_bytes = isinstance(index, Tensor) and index.dtype == torch.uint8
    return index != 0 if is_bytes else index


def by_positions(index: Any) -> Any:
    """An index with positions for its masks, while the exporter reads values."""
    if not torch._functorch.config.fake_tensor_propagate_real_tensors:
        return index
    parts = index if isinstance(index, tuple) else (index,)
    found: list[Any] = []
    for part in parts:
        is_mask = isinstance(part, Tensor) and part.dtype == torch.bool and part.dim() > 0
        found += _positions(part) if is_mask else [part]
    return tuple(found) if len(found) != 1 else found[0]


def _where(condition: Tensor, *values: Any, **named: Any) -> Any:
    return torch.where(condition, *values, **named) if values or named else _positions(condition)


def _nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    return _positions(input) if as_tuple else torch.nonzero(input)


def _tensor(
    data: Any, *, dtype: torch.dtype | None = None, device: Any = None, **given: Any
) -> Tensor:
    data = as_tensor(data)
    if not _has_symbols(data):
        return torch.tensor(data, dtype=dtype, device=device, **given)
    return _of_elements(data, dtype or _common_dtype(data))


def _as_tensor(data: Any, dtype: torch.dtype | None = None, device: Any = None) -> Tensor:
    if is_array(data):
        data = as_tensor(data)
        if isinstance(data, Tensor):
            return data if dtype is None else data.to(dtype)
    if not _has_symbols(data):
        return torch.as_tensor(data, dtype=dtype, device=device)
    return _of_elements(data, dtype or _common_dtype(data))


def _new_tensor(
    self: Tensor, data: Any, *, dtype: torch.dtype | None = None, **given: Any
) -> Tensor:
    if not _has_symbols(data):
        return self.new_tensor(data, dtype=dtype, **given)
    return _of_elements(data, dtype or self.dtype)


def _has_symbols(data: Any) -> bool:
    """Whether a list, or a list of lists, holds what the exporter would take for constants."""
    if isinstance(data, list | tuple):
        return any(map(_has_symbols, data))
    return isinstance(data, Tensor | torch.SymInt | torch.SymFloat | torch.SymBool)


def _of_elements(data: Any, dtype: torch.dtype) -> Tensor:
    if isinstance(data, list | tuple) and data:
        return torch.stack([_of_elements(element, dtype) for element in data])
    if isinstance(data, Tensor):
        return data.detach().to(dtype, copy=True)
    if isinstance(data, torch.SymInt | torch.SymFloat | torch.SymBool):
        return torch.scalar_tensor(data, dtype=dtype)  # type: ignore[arg-type]
    return torch.tensor(data, dtype=dtype)


def _common_dtype(data: Any) -> torch.dtype:
    """What torch.tensor gives to these elements."""
    if isinstance(data, list | tuple) and data:
        return functools.reduce(torch.promote_types, map(_common_dtype, data))
    if isinstance(data, Tensor):
        return data.dtype
    if isinstance(data, torch.SymInt):
        return torch.int64
    if isinstance(data, torch.SymFloat):
        return torch.get_default_dtype()
    return torch.bool if isinstance(data, torch.SymBool) else torch.tensor(data).dtype


def _pad_sequence(
    sequences: Any,
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    longest: Any = functools.reduce(torch.sym_max, (s.shape[0] for s in sequences))
    padded = []
    for sequence in sequences:
        missing = [0, longest - sequence.shape[0]]
        sides = [0, 0] * (sequence.dim() - 1) + missing[:: 1 if padding_side == "right" else -1]
        padded.append(torch.nn.functional.pad(sequence, sides, value=padding_value))
    return torch.stack(padded, 0 if batch_first else 1)


def _data(tensor: Tensor) -> Tensor:
    return tensor.detach()


def _set_data(tensor: Tensor, value: Tensor) -> None:
    """Assigning ``.data`` gives a tensor other memory; here it gets the elements."""
    if tensor.shape != value.shape or tensor.dtype != value.dtype:
        fail(
            "the model gives .data a tensor of another shape or dtype",
            hint="assign the tensor to the attribute itself",
            code="unsupported",
        )
    with torch.no_grad():
        tensor.copy_(value)


REWRITTEN: dict[Any, Callable[..., Any]] = {
    torch.tensor: _tensor,
    torch.as_tensor: _as_tensor,
    Tensor.new_tensor: _new_tensor,
    torch._C._nn.pad_sequence: _pad_sequence,
    torch.fake_quantize_per_tensor_affine: fake_quantize,
    torch.fake_quantize_per_channel_affine: fake_quantize_channels,
    torch.stft: stft,
    Tensor.stft: stft,
    torch.istft: istft,
    Tensor.istft: istft,
    torch.where: _where,
    torch.nonzero: _nonzero,
    Tensor.nonzero: _nonzero,
    Tensor.data.__get__: _data,  # type: ignore[attr-defined]
    Tensor.data.__set__: _set_data,  # type: ignore[attr-defined]
    torch.nn.functional.instance_norm: instance_norm,
}
"""By the functions of the Python API that they stand for."""

for _name, _function in (
    ("equal", _equal),
    ("allclose", _allclose),
    ("masked_select", _masked_select),
    ("combinations", _combinations),
    ("tensor_split", _tensor_split),
    ("narrow", _narrow),
    ("cov", _cov),
    ("corrcoef", _corrcoef),
):
    REWRITTEN[getattr(torch, _name)] = _function
    if hasattr(Tensor, _name):
        REWRITTEN[getattr(Tensor, _name)] = _function
