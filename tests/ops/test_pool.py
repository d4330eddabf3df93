"""Pooling against PyTorch."""

from __future__ import annotations

from itertools import islice, product

import pytest
import torch
from tests.ops.oracle import FLOATS, check, run, samples

import ingot

SIZES = {1: (17,), 2: (9, 12), 3: (5, 6, 7)}


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("ceil_mode", [False, True])
def test_max_pool_geometry(rank: int, ceil_mode: bool) -> None:
    x = torch.randn(2, 3, *SIZES[rank])
    for kernel, stride, padding, dilation in product([1, 2, 3], [None, 1, 2, 3], [0, 1], [1, 2]):
        if 2 * padding > kernel or dilation * (kernel - 1) >= SIZES[rank][0]:
            continue
        args = (x, [kernel], [stride] if stride else [], [padding], [dilation], ceil_mode)
        check(f"aten::max_pool{rank}d", *args)
        if rank > 1:
            check(f"aten::max_pool{rank}d_with_indices", *args)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("count_include_pad", [False, True])
def test_avg_pool_geometry(rank: int, ceil_mode: bool, count_include_pad: bool) -> None:
    x = torch.randn(2, 3, *SIZES[rank])
    for kernel, stride, padding, divisor in product([1, 2, 3], [None, 1, 3], [0, 1], [None, 5]):
        if 2 * padding > kernel:
            continue
        args = [x, [kernel], [stride] if stride else [], [padding], ceil_mode, count_include_pad]
        check(f"aten::avg_pool{rank}d", *(args if rank == 1 else [*args, divisor]))


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("out", [1, 2, 3, 5])
def test_adaptive_pools(rank: int, out: int) -> None:
    x = torch.randn(2, 3, *SIZES[rank])
    check(f"aten::adaptive_avg_pool{rank}d", x, [out] * rank)
    check(f"aten::adaptive_avg_pool{rank}d", x[0], [out] * rank)
    check(f"aten::adaptive_max_pool{rank}d", x, [out] * rank)
    check(f"aten::adaptive_avg_pool{rank}d", x[:0], [out] * rank)
    if rank > 1:
        check(f"aten::_adaptive_avg_pool{rank}d", x, [out] * rank)


@pytest.mark.parametrize("dtype", [*FLOATS, torch.int64, torch.int32, torch.uint8])
def test_dtypes(dtype: torch.dtype) -> None:
    x = torch.randint(0, 50, (2, 3, 9, 12)).to(dtype)
    check("aten::max_pool2d", x, [3, 2], [2, 1], [1, 0])
    if dtype not in (torch.int32, torch.uint8):
        check("aten::avg_pool2d", x, [3, 2], [2, 1], [1, 0])
    if dtype.is_floating_point:
        check("aten::adaptive_avg_pool2d", x, [4, 5])
        check("aten::adaptive_max_pool2d", x, [4, 5])


def test_not_a_number_is_greatest() -> None:
    x = torch.randn(1, 2, 8, 8)
    x[0, 0, 3, 3] = float("nan")
    x[0, 1] = -float("inf")
    check("aten::max_pool2d_with_indices", x, [3, 3], [2, 2], [1, 1])


def test_batch_of_any_size_and_none() -> None:
    for batch in (0, 1, 17):
        check("aten::max_pool2d", torch.randn(batch, 3, 8, 9), [2, 2])
        check("aten::avg_pool2d", torch.randn(batch, 3, 8, 9), [2, 2])
    check("aten::max_pool2d", torch.randn(3, 8, 9), [2, 2])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_torch_samples(rank: int, dtype: torch.dtype) -> None:
    def as_list(value: object) -> object:
        if value is None:
            return []
        return list(value) if isinstance(value, tuple) else [value]

    listed = ("kernel_size", "stride", "padding", "dilation", "output_size")
    for op in ("max_pool", "avg_pool", "adaptive_avg_pool", "adaptive_max_pool"):
        names = (["output_size"] if op.startswith("adaptive") else
                 ["kernel_size", "stride", "padding"])  # fmt: skip
        # There are thousands for max_pool; test_max_pool_geometry covers the same ground.
        for sample in islice(samples(f"nn.functional.{op}{rank}d", dtype), None, None, 11):
            given = dict(zip(names, sample.args, strict=False)) | sample.kwargs
            indices = given.pop("return_indices", False)
            if None in as_list(given.get("output_size", 1)):
                continue  # resolved before the ATen op
            kwargs = {k: as_list(v) if k in listed else v for k, v in given.items()}
            if op.startswith("adaptive") and len(kwargs["output_size"]) == 1:
                kwargs["output_size"] *= rank
            suffix = "_with_indices" if op == "max_pool" and indices and rank > 1 else ""
            check(f"aten::{op}{rank}d{suffix}", sample.input, **kwargs)


@pytest.mark.parametrize(
    ("name", "args", "sentence"),
    [
        ("aten::max_pool2d", ([2, 2], [0, 1]), "stride must be at least 1"),
        ("aten::max_pool2d", ([2, 2], [1, 1], [2, 2]), "padding must be at most half"),
        ("aten::max_pool2d", ([20, 2],), "smaller than the window"),
        ("aten::max_pool2d", ([2, 2, 2],), "kernel_size must have 1 or 2 values"),
        ("aten::avg_pool2d", ([2], [2], [0], False, True, 0), "divisor_override"),
        ("aten::adaptive_avg_pool2d", ([2, 2, 2],), "output_size must have 1 or 2 values"),
        ("aten::adaptive_avg_pool2d", ([-1, 2],), "output_size must be at least 0"),
    ],
)
def test_values_that_do_not_fit(name: str, args: tuple, sentence: str) -> None:
    with pytest.raises(ingot.Error, match=sentence):
        run(name, torch.ones(1, 3, 8, 8), *args)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("rank", [2, 3])
def test_fractional_max_pool(rank: int, dtype: torch.dtype) -> None:
    x = torch.randn(2, 3, *(9, 8, 7)[:rank], dtype=dtype)
    x[0, 0, 1, 2] = torch.nan
    op = f"aten::fractional_max_pool{rank}d"
    samples = torch.rand(2, 3, rank, dtype=dtype)
    for kernel, size in ((2, 4), (3, 1), (1, 6)):
        check(op, x, [kernel] * rank, [size] * rank, samples)
        check(op, x[0], [kernel] * rank, [size] * rank, samples[:1])
    with pytest.raises(ingot.Error, match="does not fit"):
        run(op, x, [3] * rank, [8] * rank, samples)
    with pytest.raises(ingot.Error, match=r"in \[0, 1\)"):
        run(op, x, [2] * rank, [4] * rank, samples * torch.nan)
