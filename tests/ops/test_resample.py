"""Interpolation and pixel rearrangement against PyTorch."""

from __future__ import annotations

import pytest
import torch
from tests.ops.oracle import FLOATS, check, run

import ingot

SIZES = {1: (7,), 2: (5, 8), 3: (3, 5, 4)}
SMOOTH = {1: "upsample_linear1d", 2: "upsample_bilinear2d", 3: "upsample_trilinear3d"}
OUTPUTS = [1, 3, 5, 8, 17]


@pytest.mark.parametrize("dtype", [*FLOATS, torch.uint8])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_nearest(rank: int, dtype: torch.dtype) -> None:
    x = (torch.rand(2, 3, *SIZES[rank]) * 100).to(dtype)
    for op in (f"aten::upsample_nearest{rank}d", f"aten::_upsample_nearest_exact{rank}d"):
        for size in OUTPUTS:
            check(op, x, [size] * rank)
        for scale in (0.5, 1.0, 1.5, 2.0):
            check(op + ".vec", x, None, [scale] * rank)
        check(op + ".vec", x, [6] * rank, None)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("align_corners", [False, True])
def test_linear(rank: int, align_corners: bool, dtype: torch.dtype) -> None:
    x = torch.randn(2, 3, *SIZES[rank], dtype=dtype)
    op = "aten::" + SMOOTH[rank]
    for size in OUTPUTS:
        check(op, x, [size] * rank, align_corners)
    for scale in (0.5, 1.0, 1.5, 2.3):
        check(op + ".vec", x, None, align_corners, [scale] * rank)
    check(op + ".vec", x, [6] * rank, align_corners, None)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("align_corners", [False, True])
def test_cubic(align_corners: bool, dtype: torch.dtype) -> None:
    x = torch.randn(2, 3, 5, 8, dtype=dtype)
    for size in OUTPUTS:
        check("aten::upsample_bicubic2d", x, [size, size + 1], align_corners)
    for scale in (0.5, 1.5, 2.3):
        check("aten::upsample_bicubic2d.vec", x, None, align_corners, [scale, scale])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int64, torch.bool,
                                   torch.complex64])  # fmt: skip
def test_pixel_shuffle(dtype: torch.dtype) -> None:
    x = torch.randint(0, 2, (2, 3, 12, 4, 6)).to(dtype)
    for factor in (1, 2):
        check("aten::pixel_shuffle", x, factor)
        check("aten::pixel_unshuffle", x, factor)
    check("aten::pixel_shuffle", x[:0], 2)
    check("aten::pixel_shuffle", x[0, 0], 2)
    for groups in (1, 3, 4):
        check("aten::channel_shuffle", x[0], groups)


@pytest.mark.parametrize(
    ("name", "args", "sentence"),
    [
        ("aten::upsample_nearest2d", ([0, 2],), "greater than 0"),
        ("aten::upsample_nearest2d", ([2],), "output_size must have 2 values"),
        ("aten::upsample_nearest2d.vec", (None, None), "exactly one"),
        ("aten::upsample_linear1d", ([3], False), "expected input with 3 dimensions"),
        ("aten::pixel_shuffle", (2,), "multiple of upscale_factor squared, 4"),
        ("aten::pixel_unshuffle", (0,), "downscale_factor must be at least 1"),
        ("aten::channel_shuffle", (2,), "groups must divide"),
    ],
)
def test_values_that_do_not_fit(name: str, args: tuple, sentence: str) -> None:
    with pytest.raises(ingot.Error, match=sentence):
        run(name, torch.ones(1, 3, 4, 4), *args)
