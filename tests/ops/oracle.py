"""Runs one op of the catalogue beside PyTorch's and compares results, dtypes and shapes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.opinfo.core import OpInfo, SampleInput
from torch.utils._pytree import tree_map

from ingot import _ingot

FLOATS = [torch.float32, torch.float64, torch.float16, torch.bfloat16]


def overload(name: str) -> torch._ops.OpOverload:
    """The torch op of a catalogue name: "aten::conv2d.padding"."""
    namespace, rest = name.split("::")
    op, _, variant = rest.partition(".")
    return getattr(getattr(getattr(torch.ops, namespace), op), variant or "default")


def positional(name: str, args: tuple, kwargs: dict[str, Any]) -> list:
    """All arguments in schema order, defaults filled in."""
    arguments = overload(name)._schema.arguments
    values = list(args)
    for argument in arguments[len(args) :]:
        values.append(kwargs.pop(argument.name, argument.default_value))
    assert not kwargs, f"{name} has no arguments {list(kwargs)}"
    assert len(values) == len(arguments)
    return values


def spread(tensor: torch.Tensor) -> torch.Tensor:
    """The same values at every second place of larger memory."""
    if tensor.dim() == 0:
        return tensor
    return torch.stack([tensor, torch.zeros_like(tensor)], dim=-1)[..., 0]


def transposed_memory(tensor: torch.Tensor) -> torch.Tensor:
    """The same values in column-major memory."""
    if tensor.dim() < 2:
        return tensor
    return tensor.mT.contiguous().mT


_NUMBERS = {
    torch.uint8: 0, torch.int8: 1, torch.int16: 2, torch.int32: 3, torch.int64: 4,
    torch.float16: 5, torch.float32: 6, torch.float64: 7, torch.complex64: 9,
    torch.complex128: 10, torch.bool: 11, torch.bfloat16: 15,
}  # fmt: skip


def _plain(value: Any) -> Any:
    """dtypes become their ScalarType numbers, as programs carry them."""
    return _NUMBERS[value] if isinstance(value, torch.dtype) else value


def run(name: str, *args: Any, **kwargs: Any) -> tuple:
    """The results of the catalogue's op."""
    values = tree_map(_plain, positional(name, args, dict(kwargs)))
    return tuple(_ingot.call_op(name, values))


def check(name: str, *args: Any, infer: bool = True, **kwargs: Any) -> None:
    """Compares with PyTorch on the arguments as given and in two other memory layouts.

    A result passes if it is close to PyTorch's by the dtype's usual tolerance, or its error
    against the result in float64 is of the size of PyTorch's own: at most four times as large,
    which sums in another order need where a few ill-conditioned elements decide.
    """
    values = positional(name, args, dict(kwargs))
    expected = torch_results(name, values)
    plain = tree_map(_plain, values)
    for layout in (lambda t: t, spread, transposed_memory):
        given = tree_map(lambda v, f=layout: f(v) if isinstance(v, torch.Tensor) else v, plain)
        compare(name, values, _ingot.call_op(name, given), expected)
    if infer:
        infos = _ingot.infer(name, plain)
        assert [(d, tuple(s)) for d, s in infos] == [
            (_plain(want.dtype), tuple(want.shape)) for want in expected
        ]


def compare(name: str, values: list, actual: Sequence[Any], expected: tuple) -> None:
    """Holds an op's results for ``values`` against PyTorch's; see ``check``."""
    assert len(actual) == len(expected)
    for i, (got, want) in enumerate(zip(actual, expected, strict=True)):
        assert got.dtype == want.dtype and got.shape == want.shape, (
            f"{name}{_summary(values)}: result {i} is {got.dtype} {list(got.shape)}, "
            f"PyTorch's is {want.dtype} {list(want.shape)}"
        )
        if torch.equal(got, want):  # many times faster than a comparison that can explain
            continue
        try:
            torch.testing.assert_close(got, want, equal_nan=True, check_stride=False)
        except AssertionError as difference:
            if not _as_near(name, values, i, got, want):
                raise AssertionError(f"{name}{_summary(values)}: {difference}") from None


def torch_results(name: str, values: list) -> tuple:
    arguments = overload(name)._schema.arguments
    pairs = list(zip(arguments, values, strict=True))
    with torch.no_grad():
        results = overload(name)(
            *(v for a, v in pairs if not a.kwarg_only),
            **{a.name: v for a, v in pairs if a.kwarg_only},
        )
    return tuple(results) if isinstance(results, tuple | list) else (results,)


def _as_near(name: str, values: list, i: int, got: torch.Tensor, want: torch.Tensor) -> bool:
    def widen(value: Any) -> Any:
        if isinstance(value, torch.Tensor) and value.is_floating_point():
            return value.double()
        if isinstance(value, torch.Tensor) and value.is_complex():
            return value.to(torch.complex128)
        return torch.float64 if isinstance(value, torch.dtype) else value

    if not (want.is_floating_point() or want.is_complex()):
        return False
    exact = torch_results(name, tree_map(widen, values))[i]
    finite = exact.isfinite() & want.isfinite()
    if not torch.equal(got[~finite].isfinite(), want[~finite].isfinite()):
        return False
    error = (got.to(exact.dtype) - exact)[finite].abs().max()
    return bool(error <= 4 * (want.to(exact.dtype) - exact)[finite].abs().max())


def _summary(values: list) -> str:
    def shown(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return f"{str(value.dtype).removeprefix('torch.')}{list(value.shape)}"
        return value

    return str(tree_map(shown, tree_map(_plain, values)))


def samples_of(info: OpInfo, dtype: torch.dtype) -> Iterator[SampleInput]:
    """All samples, always the same. Not by info.sample_inputs, which looks through the stack at
    each for the test that asks."""
    torch.manual_seed(0)
    return iter(info.sample_inputs_func(info, "cpu", dtype, False))


def samples(name: str, dtype: torch.dtype, variant: str = "") -> Iterator[Any]:
    """PyTorch's own OpInfo samples for one of its functions; none if it lacks the dtype."""
    for info in op_db:
        if info.name == name and info.variant_test_name == variant:
            if not info.supports_dtype(dtype, "cpu"):
                return
            yield from samples_of(info, dtype)
            return
    raise LookupError(f"PyTorch has no OpInfo {name}")
