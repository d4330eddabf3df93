"""Decompositions that PyTorch lacks or has wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ingot.capture.gradients import GRADIENTS
from ingot.capture.script import compositions
from ingot.capture.script.decompositions import neural
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


OWN: dict[Any, Callable[..., Any]] = {
    **GRADIENTS,
    aten.scaled_dot_product_attention.default: dropping_attention,
    aten.multilabel_margin_loss_forward.default: _multilabel_margin_loss,
    # The scriptable ones: PyTorch's take the sizes of a folded image for numbers, and compute
    # 16-bit losses wider than the eager op, where they overflow.
    aten.col2im.default: neural.col2im,
    aten.soft_margin_loss.default: compositions.soft_margin_loss,
    # Asked where a forward derivative is checked; its answer changes no value.
    aten._has_same_storage_numel.default: lambda self, other: True,
    aten._efficientzerotensor.default: aten.zeros.default,
    aten._is_all_true.default: aten.all.default,
    aten._is_any_true.default: aten.any.default,
}
