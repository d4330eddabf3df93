"""Convolutions against PyTorch."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
import torch
from tests.ops.oracle import FLOATS, check, run, samples

import ingot

TRANSPOSED = {1: "aten::conv_transpose1d", 2: "aten::conv_transpose2d.input",
              3: "aten::conv_transpose3d.input"}  # fmt: skip
SIZES = {1: (17,), 2: (9, 12), 3: (5, 6, 7)}


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("groups", [1, 2, 4])
def test_geometry(rank: int, groups: int) -> None:
    x = torch.randn(2, 4, *SIZES[rank])
    cases = product([1, 2, 3], [1, 2, 3], [0, 1, 2], [1, 2], [True, False])
    for kernel, stride, padding, dilation, bias in cases:
        w = torch.randn(8, 4 // groups, *[kernel] * rank)
        b = torch.randn(8) if bias else None
        check(f"aten::conv{rank}d", x, w, b, [stride], [padding], [dilation], groups)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("groups", [1, 2])
def test_transposed_geometry(rank: int, groups: int) -> None:
    x = torch.randn(2, 4, *[size // 2 for size in SIZES[rank]])
    for kernel, stride, padding, dilation, extra in product([1, 3], [1, 2], [0, 1], [1, 2], [0, 1]):
        smallest = (SIZES[rank][0] // 2 - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1
        if extra >= max(stride, dilation) or smallest < 1:
            continue
        w = torch.randn(4, 6 // groups, *[kernel] * rank)
        check(TRANSPOSED[rank], x, w, torch.randn(6), [stride], [padding], [extra], groups,
              [dilation])  # fmt: skip


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_named_padding(rank: int, padding: str) -> None:
    x = torch.randn(2, 4, *SIZES[rank])
    for kernel, dilation, groups in product([1, 2, 3, 4], [1, 2], [1, 4]):
        w = torch.randn(8, 4 // groups, *[kernel] * rank)
        if padding == "valid" and dilation * (kernel - 1) >= min(SIZES[rank]):
            continue
        check(f"aten::conv{rank}d.padding", x, w, torch.randn(8), [1], padding, [dilation], groups)


@pytest.mark.parametrize("dtype", [*FLOATS, torch.complex64, torch.complex128, torch.int64])
def test_dtypes(dtype: torch.dtype) -> None:
    def make(*sizes: int) -> torch.Tensor:
        return torch.randint(-5, 5, sizes).to(dtype)

    for groups in (1, 4):
        args = make(2, 4, 9, 8), make(8, 4 // groups, 3, 3), make(8), [2, 1], [1, 0], [1, 2], groups
        check("aten::conv2d", *args)
    if dtype != torch.int64:
        check("aten::conv_transpose2d.input", make(2, 4, 5, 5), make(4, 3, 3, 3), make(3), [2, 2])


def test_batch_of_any_size_and_none() -> None:
    w = torch.randn(5, 3, 3, 3)
    for batch in (0, 1, 3, 17):
        check("aten::conv2d", torch.randn(batch, 3, 8, 9), w, None)
    check("aten::conv2d", torch.randn(3, 8, 9), w, torch.randn(5))
    check("aten::conv_transpose2d.input", torch.randn(5, 8, 9), w)


def test_large_enough_for_several_tiles_and_threads() -> None:
    check("aten::conv2d", torch.randn(2, 64, 57, 55), torch.randn(64, 64, 3, 3), None, [1], [1])
    check("aten::conv2d", torch.randn(1, 96, 40, 40), torch.randn(200, 96, 1, 1), torch.randn(200))
    check(
        "aten::conv2d",
        torch.randn(2, 96, 40, 40),
        torch.randn(96, 1, 5, 5),
        None,
        [2],
        [2],
        [1],
        96,
    )
    check("aten::conv_transpose2d.input", torch.randn(2, 64, 40, 40), torch.randn(64, 32, 4, 4),
          None, [2], [1])  # fmt: skip


def convolution_args(rank: int, sample: Any) -> tuple[str, list]:
    names = ["weight", "bias", "stride", "padding", "dilation", "groups"]
    given = dict(zip(names, sample.args, strict=False)) | sample.kwargs
    values = [sample.input, given["weight"], given.get("bias")]
    for name, default in (("stride", 1), ("padding", 0), ("dilation", 1)):
        value = given.get(name, default)
        values.append([value] * rank if isinstance(value, int) else
                      value if isinstance(value, str) else list(value))  # fmt: skip
    values.append(given.get("groups", 1))
    named = isinstance(values[4], str)
    return f"aten::conv{rank}d" + (".padding" if named else ""), values


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.complex64, torch.int64])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_torch_samples(rank: int, dtype: torch.dtype) -> None:
    for sample in samples(f"nn.functional.conv{rank}d", dtype):
        name, values = convolution_args(rank, sample)
        check(name, *values)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_torch_samples_transposed(rank: int, dtype: torch.dtype) -> None:
    names = ["weight", "bias", "stride", "padding", "output_padding", "groups", "dilation"]
    for sample in samples(f"nn.functional.conv_transpose{rank}d", dtype):
        given = dict(zip(names, sample.args, strict=False)) | sample.kwargs
        check(TRANSPOSED[rank], sample.input, **{
            key: list(value) if isinstance(value, tuple)
            else [value] if isinstance(value, int) and key != "groups" else value
            for key, value in given.items()
        })  # fmt: skip


def test_general_convolution() -> None:
    x, w = torch.randn(2, 4, 9, 8), torch.randn(4, 6, 3, 3)
    check("aten::convolution", x, w, None, [2, 2], [1, 1], [1, 1], True, [1, 1], 1)
    check("aten::convolution", x, torch.randn(6, 4, 3, 3), torch.randn(6), [2, 2], [1, 1], [1, 1],
          False, [0, 0], 1)  # fmt: skip


@pytest.mark.parametrize(
    ("input", "weight", "bias", "sentence"),
    [
        ((2, 3, 8, 8), (5, 4, 3, 3), None, "expected input .* to have 4 channels, but got 3"),
        ((2, 3, 2, 2), (5, 3, 3, 3), None, "covers 3 elements, more than the 2"),
        ((8, 8), (5, 3, 3, 3), None, r"3 \(unbatched\) or 4 \(batched\)"),
        ((2, 3, 8, 8), (5, 3, 3), None, "expected weight with 4 dimensions"),
        ((2, 3, 8, 8), (5, 3, 3, 3), (4,), r"expected bias of size \[5\]"),
    ],
)
def test_shapes_that_do_not_fit(input: tuple, weight: tuple, bias: Any, sentence: str) -> None:
    with pytest.raises(ingot.Error, match=sentence):
        run("aten::conv2d", torch.ones(input), torch.ones(weight), bias and torch.ones(bias))


def test_values_that_do_not_fit() -> None:
    x, w = torch.ones(1, 4, 8, 8), torch.ones(4, 4, 3, 3)
    with pytest.raises(ingot.Error, match="stride must be at least 1"):
        run("aten::conv2d", x, w, None, [0, 1])
    with pytest.raises(ingot.Error, match="groups"):
        run("aten::conv2d", x, w, None, [1], [0], [1], 3)
    with pytest.raises(ingot.Error, match='"same" needs stride 1'):
        run("aten::conv2d.padding", x, w, None, [2, 2], "same")
    with pytest.raises(ingot.Error, match="input is f32 but weight is f64"):
        run("aten::conv2d", x, w.double())
