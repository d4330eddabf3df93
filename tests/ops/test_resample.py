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


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.uint8])
@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize(
    "name", ["_upsample_bilinear2d_aa", "_upsample_bicubic2d_aa", "_upsample_lanczos2d_aa"]
)
def test_antialiased(name: str, align_corners: bool, dtype: torch.dtype) -> None:
    x = (torch.rand(2, 3, 13, 18) * 255).to(dtype)
    for size in ([5, 8], [13, 4], [20, 40], [2, 3], [6, 18]):
        check(f"aten::{name}", x, size, align_corners)
    check(f"aten::{name}", x, [6, 9], align_corners, 0.5, 0.5)


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("name", ["upsample_bilinear2d", "upsample_bicubic2d"])
def test_bytes(name: str, align_corners: bool) -> None:
    for channels in (1, 3, 5):
        x = (torch.rand(2, channels, 13, 18) * 256).to(torch.uint8)
        # PyTorch takes results of width 1 for channels-last ones and fills them wrongly.
        for size in ([5, 8], [13, 4], [20, 40], [1, 3], [6, 18], [33, 2]):
            check(f"aten::{name}", x, size, align_corners)
            check(f"aten::{name}", x[..., :1, :2], size, align_corners)
        check(f"aten::{name}", x, [6, 9], align_corners, 0.5, 0.5)
        for scale in (0.5, 1.5, 2.3):
            check(f"aten::{name}.vec", x, None, align_corners, [scale, scale])
    with pytest.raises(ingot.Error, match="floating-point input or one of u8"):
        run(f"aten::{name}", torch.ones(1, 3, 4, 4, dtype=torch.int16), [2, 2], align_corners)


@pytest.mark.parametrize("dtype", [torch.float32, torch.int64, torch.bool])
def test_resize(dtype: torch.dtype) -> None:
    x = torch.arange(24).view(2, 3, 4).to(dtype)
    for size in ([6], [], [2, 2, 2], [4, 6], [0, 3]):
        (got,) = run("aten::resize", x, size)
        assert torch.equal(got, x.clone().resize_(size))
        given = x.clone()
        run("aten::resize_", given, size)
    (got,) = run("aten::resize", x, [1, 2, 2, 3], memory_format=2)
    want = x.clone().resize_(1, 2, 2, 3, memory_format=torch.channels_last)
    assert torch.equal(got, want) and got.stride() == want.stride()
    assert run("aten::resize", x, [30])[0].tolist() == [*x.flatten().tolist(), *[0] * 6]
    assert torch.equal(run("aten::resize_as", x, x[0])[0], x[0])
    with pytest.raises(ingot.Error, match="negative"):
        run("aten::resize", x, [-1])
