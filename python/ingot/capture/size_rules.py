"""Size rules of ops for which PyTorch's own take the exporter long, or take sizes for numbers."""

from __future__ import annotations

from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torch._subclasses import fake_impls

aten = torch.ops.aten


def _normed(mode: Any, op: Any, input: Tensor, *_: Any, **__: Any) -> tuple[Tensor, ...]:
    return torch.empty_like(input), input.new_empty(0), input.new_empty(0)


def _of_complex(mode: Any, op: Any, self: Tensor, *_: Any) -> Tensor:
    return self.new_empty(self.shape)


def _of_real(
    mode: Any, op: Any, self: Tensor, dim: list[int], normalization: int, onesided: bool
) -> Tensor:
    sizes = list(self.shape)
    if onesided:
        sizes[dim[-1]] = sizes[dim[-1]] // 2 + 1
    return self.new_empty(sizes, dtype=self.dtype.to_complex())


def _to_real(
    mode: Any, op: Any, self: Tensor, dim: list[int], normalization: int, last_dim_size: int
) -> Tensor:
    sizes = list(self.shape)
    sizes[dim[-1]] = last_dim_size
    return self.new_empty(sizes, dtype=self.dtype.to_real())


def _sliced(
    mode: Any,
    op: Any,
    self: Tensor,
    dim: int = 0,
    start: Any = None,
    end: Any = None,
    step: int = 1,
) -> Tensor:
    """PyTorch's rule makes a number of its own of a bound that may be negative or not, which then
    stands in the result's size and offset. Where the bound follows from sizes of the inputs, it
    is what it is on the examples, on a condition."""
    size = self.shape[dim] if self.dim() else 0
    bounds = [_from_front(bound, size) for bound in (start, end)]
    result: Tensor = _slice(mode, op, self, dim, *bounds, step)
    return result


def _from_front(bound: Any, size: Any) -> Any:
    """A bound whose sign PyTorch does not know as one from the front."""
    if not isinstance(bound, torch.SymInt) or not bound.node.has_hint():
        return bound
    if fake_impls._compute_slice_index(size, bound) is not None:
        return bound
    if bound < 0:  # here the condition is made
        return torch.sym_max(bound + size, 0)
    return torch.sym_min(bound, size)


_slice = fake_impls.op_implementations_dict[aten.slice.Tensor]

_RULES = {
    aten.slice.Tensor: _sliced,
    aten._native_batch_norm_legit_no_training.default: _normed,
    aten._fft_c2c.default: _of_complex,
    aten._fft_r2c.default: _of_real,
    aten._fft_c2r.default: _to_real,
}


def size_rules() -> Any:
    """A context in which PyTorch uses these rules."""
    return mock.patch.dict(fake_impls.op_implementations_dict, _RULES)
