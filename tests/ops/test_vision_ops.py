"""torchvision's ops against formulas written in plain torch: its extension is not needed here."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch.nn import functional as F

import ingot
from ingot import _ingot

FLOATS = [torch.float32, torch.float64]
ROIS = torch.tensor(
    [[0, 0.0, 0, 6, 6], [1, 1.3, 2.1, 7.9, 5.2], [0, -4, -4, 2, 3], [1, 5, 5, 30, 30],
     [0, 3, 3, 3, 3], [1, 40, 40, 60, 60]]
)  # fmt: skip


def call(name: str, *args: object) -> list:
    given = [a.mT.contiguous().mT if isinstance(a, torch.Tensor) and a.dim() > 1 else a
             for a in args]  # fmt: skip
    results = _ingot.call_op(f"torchvision::{name}", list(args))
    for a, b in zip(results, _ingot.call_op(f"torchvision::{name}", given), strict=True):
        assert torch.equal(a, b)
    return results


def bilinear(plane: torch.Tensor, y: float, x: float) -> torch.Tensor:
    """plane: [channels, height, width], as roi_align reads it."""
    height, width = plane.shape[-2:]
    if not (-1 <= y <= height and -1 <= x <= width):
        return plane.new_zeros(plane.shape[:-2])
    y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
    top, left = int(y), int(x)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    down, across = y - top, x - left
    return (1 - down) * (
        (1 - across) * plane[..., top, left] + across * plane[..., top, right]
    ) + down * ((1 - across) * plane[..., bottom, left] + across * plane[..., bottom, right])


def align(
    image: torch.Tensor, roi: list[float], size: tuple[int, int], ratio: int, aligned: bool
) -> torch.Tensor:
    """[channels, *size]"""
    x1, y1, x2, y2 = (v - 0.5 * aligned for v in roi)
    width, height = x2 - x1, y2 - y1
    if not aligned:
        width, height = max(width, 1), max(height, 1)
    out = image.new_zeros(image.shape[0], *size)
    step_y, step_x = height / size[0], width / size[1]
    rows = ratio if ratio > 0 else -int(-step_y // 1)
    columns = ratio if ratio > 0 else -int(-step_x // 1)
    for i, j in itertools.product(range(size[0]), range(size[1])):
        for a, b in itertools.product(range(rows), range(columns)):
            y = y1 + (i + (a + 0.5) / rows) * step_y
            x = x1 + (j + (b + 0.5) / columns) * step_x
            out[:, i, j] += bilinear(image, y, x)
        out[:, i, j] /= max(rows * columns, 1)
    return out


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("ratio", [-1, 2])
@pytest.mark.parametrize("aligned", [False, True])
def test_roi_align(dtype: torch.dtype, ratio: int, aligned: bool) -> None:
    x, rois = torch.randn(2, 3, 8, 9, dtype=dtype), ROIS.to(dtype)
    for scale in (1.0, 0.5):
        want = torch.stack(
            [align(x[int(r[0])].double(), (r[1:].double() * scale).tolist(), (2, 3), ratio,
                   aligned) for r in rois]
        )  # fmt: skip
        got = call("roi_align", x, rois, scale, 2, 3, ratio, aligned)[0]
        torch.testing.assert_close(got, want.to(dtype), atol=1e-5, rtol=1e-5)
    assert call("roi_align", x, rois[:0], 1.0, 2, 3, ratio, aligned)[0].shape == (0, 3, 2, 3)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_ps_roi_align(dtype: torch.dtype) -> None:
    x, rois = torch.randn(2, 12, 8, 9, dtype=dtype), ROIS.to(dtype)
    got, mapping = call("ps_roi_align", x, rois, 0.5, 2, 3, 2)
    assert mapping.dtype == torch.int32
    assert torch.equal(mapping, torch.arange(12).view(2, 2, 3).int().expand(len(rois), -1, -1, -1))
    for r, pooled in zip(rois, got, strict=True):
        whole = align(x[int(r[0])].double(), (r[1:].double() * 0.5).tolist(), (2, 3), 2, True)
        grid = whole.view(2, 2, 3, 2, 3)
        i, j = torch.meshgrid(torch.arange(2), torch.arange(3), indexing="ij")
        want = grid[:, i, j, i, j]
        torch.testing.assert_close(pooled, want.to(dtype), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("sensitive", [False, True])
def test_roi_pool(dtype: torch.dtype, sensitive: bool) -> None:
    x, rois = torch.randn(2, 12, 8, 9, dtype=dtype), ROIS.to(dtype)
    got, places = call("ps_roi_pool" if sensitive else "roi_pool", x, rois, 1.0, 2, 3)
    assert places.dtype == torch.int32
    limit = [7, 8] if sensitive else [8, 9]
    for n, r in enumerate(rois):
        # round() of C: halves away from zero.
        x1, y1, x2, y2 = (int(v + 0.5) if v >= 0 else -int(-v + 0.5) for v in r[1:].tolist())
        extra = 0 if sensitive else 1
        height, width = max(y2 - y1 + extra, 1), max(x2 - x1 + extra, 1)
        for i, j in itertools.product(range(2), range(3)):
            rows = [
                min(max(v + y1, 0), limit[0]) for v in (i * height // 2, -(-(i + 1) * height // 2))
            ]
            columns = [
                min(max(v + x1, 0), limit[1]) for v in (j * width // 3, -(-(j + 1) * width // 3))
            ]
            part = x[int(r[0])][:, rows[0] : rows[1], columns[0] : columns[1]]
            if sensitive:
                own = part.view(2, 6, *part.shape[1:])[:, i * 3 + j].flatten(1)
                want = own.mean(1) if own.numel() else own.new_zeros(2)
            else:
                want = part.flatten(1).amax(1) if part.numel() else part.new_zeros(12)
                at = places[n, :, i, j].long()
                assert bool((at >= 0).all() if part.numel() else (at == -1).all())
                if part.numel():
                    taken = x[int(r[0])].flatten(1).gather(1, at[:, None])[:, 0]
                    assert torch.equal(taken, want)
            torch.testing.assert_close(got[n, :, i, j], want)


def overlap(a: torch.Tensor, b: torch.Tensor) -> float:
    size = (torch.minimum(a[2:], b[2:]) - torch.maximum(a[:2], b[:2])).clamp(min=0)
    both = size.prod()
    return float(both / ((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - both))


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.9])
def test_nms(dtype: torch.dtype, threshold: float) -> None:
    corners = torch.rand(60, 2, dtype=dtype) * 10
    boxes = torch.cat([corners, corners + torch.rand(60, 2, dtype=dtype) * 5], 1)
    scores = torch.randint(0, 20, (60,)).to(dtype)
    want: list[int] = []
    for i in torch.sort(scores, stable=True, descending=True)[1].tolist():
        if all(overlap(boxes[i], boxes[k]) <= threshold for k in want):
            want.append(i)
    assert call("nms", boxes, scores, threshold)[0].tolist() == want
    assert call("nms", boxes[:0], scores[:0], threshold)[0].shape == (0,)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("use_mask", [False, True])
@pytest.mark.parametrize(
    ("groups", "offset_groups", "stride", "pad", "dilation"),
    [(1, 1, 1, 1, 1), (2, 1, 2, 0, 1), (1, 2, 1, 2, 2), (2, 4, 2, 1, 1)],
)
def test_deform_conv(
    groups: int, offset_groups: int, stride: int, pad: int, dilation: int, use_mask: bool,
    dtype: torch.dtype,
) -> None:  # fmt: skip
    x = torch.randn(2, 4, 7, 8, dtype=dtype)
    weight = torch.randn(6, 4 // groups, 3, 2, dtype=dtype)
    bias = torch.randn(6, dtype=dtype)
    shape = F.conv2d(x, weight, bias, stride, pad, dilation, groups).shape
    height, width = shape[2:]
    offset = torch.randn(2, 2 * offset_groups * 6, height, width, dtype=dtype) * 2
    mask = torch.rand(2, offset_groups * 6, height, width, dtype=dtype)
    # Each tap is one grid_sample; its weight is a 1x1 convolution.
    want = bias[None, :, None, None].expand(shape).clone()
    for tap in range(6):
        parts = []
        for g in range(offset_groups):
            at = (g * 6 + tap) * 2
            y = torch.arange(height)[:, None] * stride - pad + tap // 2 * dilation + offset[:, at]
            z = torch.arange(width) * stride - pad + tap % 2 * dilation + offset[:, at + 1]
            grid = torch.stack([2 * z / 7 - 1, 2 * y / 6 - 1], -1)
            own = x[:, g * 4 // offset_groups : (g + 1) * 4 // offset_groups]
            part = F.grid_sample(own, grid, align_corners=True)
            parts.append(part * mask[:, g * 6 + tap, None] if use_mask else part)
        taken = torch.cat(parts, 1)
        want += F.conv2d(taken, weight[:, :, tap // 2, tap % 2, None, None], groups=groups)
    got = call("deform_conv2d", x, weight, offset, mask, bias, stride, stride, pad, pad, dilation,
               dilation, groups, offset_groups, use_mask)[0]  # fmt: skip
    torch.testing.assert_close(got, want, atol=1e-4, rtol=1e-4)


X = torch.zeros(1, 4, 5, 5)


@pytest.mark.parametrize(
    ("name", "args", "sentence"),
    [
        ("roi_align", (X, ROIS, 1.0, 2, 2, 2, True), "names image 1"),
        ("roi_align", (X, ROIS[:, :4], 1.0, 2, 2, 2, True), "5 columns"),
        ("roi_pool", (X, ROIS[:1] * torch.nan, 1.0, 2, 2), "names image nan"),
        ("roi_pool", (X, ROIS[:1], 1.0, 0, 2), "must be positive"),
        ("ps_roi_align", (X, ROIS[:1], 1.0, 3, 2, 2), "multiple of 6"),
        ("nms", (torch.zeros(2, 4), torch.zeros(3), 0.5), "one element"),
        ("deform_conv2d", (X, torch.zeros(4, 4, 3, 3), torch.zeros(1, 9, 3, 3), X,
                           torch.zeros(4), 1, 1, 0, 0, 1, 1, 1, 1, False), "the offset"),
        ("deform_conv2d", (X, torch.zeros(4, 4, 6, 3), torch.zeros(1, 9, 3, 3), X,
                           torch.zeros(4), 1, 1, 0, 0, 1, 1, 1, 1, False), "larger than"),
    ],
)  # fmt: skip
def test_bad_input(name: str, args: tuple, sentence: str) -> None:
    with pytest.raises(ingot.Error, match=sentence):
        _ingot.call_op(f"torchvision::{name}", list(args))
