"""Factories, casts and copies against PyTorch."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
import torch
from tests.ops.opinfo import calls
from tests.ops.oracle import check, run

import ingot

DTYPES = [
    torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32,
    torch.int16, torch.int8, torch.uint8, torch.bool,
]  # fmt: skip
NUMBERS = {
    torch.uint8: 0, torch.int8: 1, torch.int16: 2, torch.int32: 3, torch.int64: 4,
    torch.float16: 5, torch.float32: 6, torch.float64: 7, torch.bool: 11, torch.bfloat16: 15,
}  # fmt: skip


def as_torch(array: np.ndarray) -> torch.Tensor:
    """Results of calls without a torch argument are NumPy's; bfloat16 is none of torch's."""
    array = np.array(array)
    if array.dtype.name == "bfloat16":
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def same(name: str, want: torch.Tensor, *args: object, **kwargs: object) -> None:
    (got,) = run(name, *args, **kwargs)
    got = got if isinstance(got, torch.Tensor) else as_torch(got)
    torch.testing.assert_close(got, want)


@pytest.mark.parametrize("dtype", DTYPES)
def test_filled(dtype: torch.dtype) -> None:
    for sizes in ([], [0], [3], [2, 0], [3, 17]):
        same("aten::zeros", torch.zeros(sizes, dtype=dtype), sizes, dtype=dtype)
        same("aten::ones", torch.ones(sizes, dtype=dtype), sizes, dtype=dtype)
        same("aten::full", torch.full(sizes, 3, dtype=dtype), sizes, 3, dtype=dtype)
        x = torch.ones(sizes).to(dtype)
        for name in ("zeros_like", "ones_like"):
            check(f"aten::{name}", x)
        check("aten::full_like", x, 2.0)
        check("aten::new_full", x, [2, 3], 1)
        check("aten::new_zeros", x, [2, 3], dtype=torch.int64)
        check("aten::fill.Scalar", x, 1)
        (empty,) = run("aten::empty_like", x)
        assert empty.dtype == dtype and list(empty.shape) == sizes
    same("aten::full", torch.full((2,), True), [2], True)
    same("aten::full", torch.full((2,), 7), [2], 7)


@pytest.mark.parametrize("dtype", [None, *DTYPES[:-1]], ids=str)
@pytest.mark.parametrize(
    "start,end,step",
    [(0, 5, 1), (5, 0, -2), (0, 0, 1), (0, 1, 0.3), (-1.5, 2, 0.5), (3, 100, 7), (0, 10, 2.5)],
)
def test_arange(dtype: torch.dtype | None, start: float, end: float, step: float) -> None:
    if (dtype == torch.uint8 and min(start, end, step) < 0) or (
        dtype == torch.int64 and int(step) == 0
    ):
        pytest.skip("PyTorch refuses or leaves it undefined")
    want = torch.arange(start, end, step, dtype=dtype)
    same("aten::arange.start_step", want, start, end, step, dtype=dtype)
    if start == 0 and step == 1:
        same("aten::arange", want, end, dtype=dtype)
        same("aten::arange.start", want, start, end, dtype=dtype)


@pytest.mark.parametrize("dtype", [None, *DTYPES[:-1]], ids=str)
@pytest.mark.parametrize("steps", [0, 1, 2, 17])
def test_spaced(dtype: torch.dtype | None, steps: int) -> None:
    for start, end in ((0, 10), (3.7, 1.2), (5, 5)):
        same("aten::linspace", torch.linspace(start, end, steps, dtype=dtype), start, end, steps,
             dtype=dtype)  # fmt: skip
    same("aten::logspace", torch.logspace(0, 2, steps, dtype=dtype), 0, 2, steps, dtype=dtype)


def test_matrices() -> None:
    for n, m in itertools.product([0, 1, 3], [0, 1, 5]):
        same("aten::eye.m", torch.eye(n, m), n, m)
        for offset in range(-4, 6):
            same("aten::tril_indices", torch.tril_indices(n, m, offset), n, m, offset)
            same("aten::triu_indices", torch.triu_indices(n, m, offset), n, m, offset)
    same("aten::eye", torch.eye(4, dtype=torch.int64), 4, dtype=torch.int64)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", ["tril", "triu"])
def test_triangles(function: str, dtype: torch.dtype) -> None:
    for name, args, kwargs in calls(function, function, dtype):
        check(name, *args, **kwargs)
    x = torch.randn(2, 4, 5).to(dtype).mT
    want = getattr(torch, function)(x.clone(), -1)
    run(f"aten::{function}_", x, -1)
    assert torch.equal(x, want)
    check(f"aten::{function}", x, 2**63 - 1)
    check(f"aten::{function}", x, -(2**63) + 8)


@pytest.mark.parametrize("source,target", [*itertools.product(DTYPES, DTYPES)])
def test_casts(source: torch.dtype, target: torch.dtype) -> None:
    values = [0, 1, -1, 2.5, -2.5, 127, 128, 255, 256, -129, 32768, 65504, 65520, 1e-7, 1e-8, 3e9]
    if not source.is_floating_point:
        values = [0, 1, 2, 100, *([-1, -128] if source != torch.uint8 else [255])]
    x = torch.tensor(values, dtype=torch.float64).to(source)
    if target == torch.uint8 and source.is_floating_point:
        x = x[:2]  # C++ leaves the rest undefined, and PyTorch depends on the vector length
    if not target.is_floating_point and source.is_floating_point:
        x = x[x.abs() < 127]
    check("aten::_to_copy", x, dtype=target)
    (got,) = run("aten::to.dtype", x, target)
    assert torch.equal(got, x.to(target))
    assert (got.data_ptr() == x.data_ptr()) == (source == target)


def test_halves_round_to_nearest_even() -> None:
    bits = torch.arange(0, 2**16).to(torch.int32).to(torch.int16)
    for dtype in (torch.float16, torch.bfloat16):
        halves = bits.view(dtype)
        (wide,) = run("aten::to.dtype", halves, torch.float32)
        torch.testing.assert_close(wide, halves.float(), rtol=0, atol=0, equal_nan=True)
        between = wide[:-1] + (wide[1:] - wide[:-1]) / 2  # ties, and neighbours of ties
        for x in (between, between.nextafter(wide[1:]), between.nextafter(wide[:-1])):
            (got,) = run("aten::to.dtype", x, dtype)
            torch.testing.assert_close(got, x.to(dtype), rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf, 1e30, -1e30])
def test_floats_beyond_the_integers_are_defined(value: float) -> None:
    x = torch.tensor([value])
    for target in (torch.int8, torch.int16, torch.int32, torch.int64, torch.uint8, torch.bool):
        first = run("aten::to.dtype", x, target)[0]
        assert torch.equal(first, run("aten::to.dtype", x, target)[0])
    assert run("aten::to.dtype", x, torch.int64)[0].item() == torch.iinfo(torch.int64).min


def test_copies() -> None:
    x = torch.zeros(3, 4)
    run("aten::copy_", x[:, ::2], torch.tensor([1.5, 2]))
    assert x.tolist() == [[1.5, 0, 2, 0]] * 3
    for side in (3, 40):  # one tensor or two, the memory is the same
        square = torch.arange(side * side).reshape(side, side)
        want = square.T.clone()
        run("aten::copy_", square, square.T)
        assert torch.equal(square, want)
    run("aten::fill_.Scalar", x[1], 7)
    assert x[1].tolist() == [7] * 4 and x[0, 0] == 1.5
    run("aten::zero_", x)
    assert not x.any()
    run("aten::fill_.Tensor", x[:1].expand(3, 4), torch.tensor(2.0))
    assert x[0].tolist() == [2] * 4 and not x[1:].any()


@pytest.mark.parametrize(
    "name,args,sentence",
    [
        ("aten::zeros", ([-1],), "negative"),
        ("aten::arange.start_step", (0, 1, 0), "step must not be 0"),
        ("aten::arange.start_step", (0, 1, -1), "leads nowhere"),
        ("aten::arange", (float("inf"),), "finite"),
        ("aten::linspace", (0, 1, -1), "steps"),
        ("aten::full", ([2], 1000, torch.int8), "does not fit in dtype i8"),
        ("aten::copy_", (torch.zeros(2), torch.zeros(3)), "broadcast"),
        ("aten::tril", (torch.zeros(3),), "matrix"),
        ("aten::empty_strided", ([2, 2], [1]), "differ in length"),
        ("aten::zeros", ([2**62, 4],), ""),
    ],
)
def test_wrong_arguments_are_refused(name: str, args: tuple, sentence: str) -> None:
    with pytest.raises(ingot.Error, match=re.escape(sentence)):
        run(name, *args)
