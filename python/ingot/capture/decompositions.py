"""Decompositions that PyTorch lacks or has wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

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


def _bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """The sum over i and j of input1[i] weight[o, i, j] input2[j]."""
    outputs, left, right = weight.shape
    turned = weight.permute(1, 0, 2).reshape(left, outputs * right)
    partial = (input1 @ turned).reshape(*input1.shape[:-1], outputs, right)
    result = (partial * input2.unsqueeze(-2)).sum(-1)
    return result if bias is None else result + bias


OWN: dict[Any, Callable[..., Any]] = {
    aten.bilinear.default: _bilinear,
    aten.multilabel_margin_loss_forward.default: _multilabel_margin_loss,
}
