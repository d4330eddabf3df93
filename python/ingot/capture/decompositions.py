"""Decompositions that PyTorch lacks or has wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ingot.capture.gradients import GRADIENTS
from ingot.capture.training import dropping_attention

aten = torch.ops.aten


def _reduced(losses: Tensor, reduction: int) -> Tensor:
    """0: none, 1: mean, 2: sum."""
    return losses.mean() if reduction == 1 else losses.sum() if reduction == 2 else losses


def _multilabel_margin_loss(self: Tensor, target: Tensor, reduction: int) -> tuple[Tensor, Tensor]:
    """Over the targets t before the first -1 and the classes j that are no target:
    the sum of max(0, 1 - (x[t] - x[j])) / classes. PyTorch's own is wrong for batches."""
    x, y = (t.reshape(1, -1) if t.dim() < 2 else t for t in (self, target))
    given = (y < 0).cumsum(1) == 0
    picked = torch.where(given, y, 0)
    # One more class takes what is not given.
    spare = torch.where(given, y, x.shape[1])
    is_target = x.new_zeros([x.shape[0], x.shape[1] + 1]).scatter(1, spare, 1.0)[:, :-1]
    margins = 1 - x.gather(1, picked).unsqueeze(2) + x.unsqueeze(1)
    counted = given.unsqueeze(2) & (is_target == 0).unsqueeze(1)
    losses = torch.where(counted, margins.clamp(min=0), 0).sum((1, 2)) / x.shape[1]
    if reduction == 0 and self.dim() < 2:
        losses = losses.reshape([])
    return _reduced(losses, reduction), is_target.reshape(target.shape)


def _soft_margin_loss(self: Tensor, target: Tensor, reduction: int = 1) -> Tensor:
    """Rounded after each step, as the eager op. PyTorch's own computes 16-bit floats wider, so
    that what overflows in eager does not."""
    return _reduced(torch.log1p(torch.exp(-target * self)), reduction)


def _col2im(
    self: Tensor,
    output_size: list[int],
    kernel_size: list[int],
    dilation: list[int],
    padding: list[int],
    stride: list[int],
) -> Tensor:
    """Sums of overlapping blocks. PyTorch's own takes the output's sizes for numbers."""
    columns = self if self.dim() == 3 else self.unsqueeze(0)
    height, width = (size + 2 * pad for size, pad in zip(output_size, padding, strict=True))
    along = []
    for size, kernel, gap, step in zip((height, width), kernel_size, dilation, stride, strict=True):
        count = (size - gap * (kernel - 1) - 1) // step + 1
        along.append((torch.arange(kernel) * gap).unsqueeze(1) + torch.arange(count) * step)
    rows, places = along[0][:, None, :, None], along[1][None, :, None, :]
    index = (rows * width + places).reshape(-1)
    batch, channels = columns.shape[0], columns.shape[1] // (kernel_size[0] * kernel_size[1])
    flat = columns.new_zeros([batch, channels, height * width])
    sums = flat.index_add(2, index, columns.reshape(batch, channels, index.shape[0]))
    whole = sums.reshape(batch, channels, height, width)
    (top, left), (tall, wide) = padding, output_size
    result = whole[:, :, top : top + tall, left : left + wide]
    return result if self.dim() == 3 else result.squeeze(0)


OWN: dict[Any, Callable[..., Any]] = {
    **GRADIENTS,
    aten.scaled_dot_product_attention.default: dropping_attention,
    aten.multilabel_margin_loss_forward.default: _multilabel_margin_loss,
    aten.col2im.default: _col2im,
    # Asked where a forward derivative is checked; its answer changes no value.
    aten._has_same_storage_numel.default: lambda self, other: True,
    aten._efficientzerotensor.default: aten.zeros.default,
    aten.soft_margin_loss.default: _soft_margin_loss,
    aten._is_all_true.default: aten.all.default,
    aten._is_any_true.default: aten.any.default,
}
