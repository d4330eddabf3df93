"""Functions of torch.nn.functional over ops of the catalogue.

Definitions are those of PyTorch's page of each function.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch


def _reduced(losses, reduction):
    if reduction == 0:
        return losses
    return losses.mean() if reduction == 1 else losses.sum()


def instance_norm_in_training(input, weight, bias, running_mean, running_var, momentum, eps):
    """Normalises by each instance's statistics and moves the running ones towards their mean."""
    dims = list(range(2, input.dim()))
    running_mean.mul_(1 - momentum).add_(input.mean(dims).mean(0) * momentum)
    running_var.mul_(1 - momentum).add_(input.var(dims).mean(0) * momentum)
    return torch.instance_norm(input, weight, bias, None, None, True, momentum, eps, False)


def dropping_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: torch.Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
):
    """Attention that drops weights where ``dropout_p`` is not 0, step by step."""
    if dropout_p == 0.0:
        return torch.ops.aten.scaled_dot_product_attention(
            query, key, value, attn_mask, 0.0, is_causal, scale=scale, enable_gqa=enable_gqa
        )
    if enable_gqa:
        groups = query.size(-3) // key.size(-3)
        key = key.repeat_interleave(groups, -3)
        value = value.repeat_interleave(groups, -3)
    factor = query.size(-1) ** -0.5 if scale is None else scale
    root = math.sqrt(factor)
    scores = torch.matmul(query * root, (key * root).transpose(-2, -1))
    if is_causal:
        attn_mask = torch.ones([scores.size(-2), scores.size(-1)], dtype=torch.bool).tril()
    if attn_mask is not None:
        if attn_mask.dtype == torch.bool:
            scores = scores.masked_fill(torch.logical_not(attn_mask), -math.inf)
        else:
            scores = scores + attn_mask
    return torch.matmul(torch.dropout(scores.softmax(-1), dropout_p, True), value)


def scaled_size(input: torch.Tensor, factors: list[float]) -> list[int]:
    """Of an image's height and width."""
    return [int(input.size(2) * factors[0]), int(input.size(3) * factors[1])]


def multi_margin_loss(self, target, p=1, margin=1.0, weight=None, reduction=1):
    x = self.reshape([1, -1]) if self.dim() < 2 else self
    y = target.reshape([-1, 1])
    distance = torch.clamp(margin - torch.gather(x, 1, y) + x, min=0)
    if p == 2:
        distance = distance * distance
    if weight is not None:
        distance = distance * weight[y]
    counted = torch.arange(x.size(1)).unsqueeze(0) != y
    losses = torch.where(counted, distance, torch.zeros_like(distance)).sum(1) / x.size(1)
    if self.dim() < 2:
        losses = losses.squeeze(0)
    return _reduced(losses, reduction)


def multilabel_margin_loss(self, target, reduction=1):
    x = self.reshape([1, -1]) if self.dim() < 2 else self
    y = target.reshape([1, -1]) if target.dim() < 2 else target
    given = (y < 0).to(torch.int64).cumsum(1) == 0
    picked = torch.where(given, y, torch.zeros_like(y))
    spare = torch.where(given, y, torch.full_like(y, x.size(1)))
    marks = torch.zeros([x.size(0), x.size(1) + 1], dtype=x.dtype)
    is_target = torch.scatter(marks, 1, spare, 1.0)[:, :-1]
    margins = 1 - torch.gather(x, 1, picked).unsqueeze(2) + x.unsqueeze(1)
    counted = torch.logical_and(given.unsqueeze(2), (is_target == 0).unsqueeze(1))
    kept = torch.where(counted, torch.clamp(margins, min=0), torch.zeros_like(margins))
    losses = kept.sum([1, 2]) / x.size(1)
    if self.dim() < 2:
        losses = losses.squeeze(0)
    return _reduced(losses, reduction)


def _unpooled(x, indices, size):
    front = list(x.shape[: x.dim() - len(size)])
    area = 1
    for each in size:
        area = area * each
    places = indices.reshape([*front, -1])
    spread = torch.zeros([*front, area], dtype=x.dtype)
    if bool(torch.logical_or(places < 0, places >= area).any()):
        raise RuntimeError("max_unpool found an index outside of the output")
    return torch.scatter(spread, -1, places, x.reshape([*front, -1])).reshape([*front, *size])


def max_unpool2d(self, indices, output_size):
    return _unpooled(self, indices, output_size)


def max_unpool3d(self, indices, output_size, stride, padding):
    return _unpooled(self, indices, output_size)


def _pair(value):
    return [value, value] if isinstance(value, int) else list(value)


def _places(size, kernel, dilation, padding, stride):
    """Where each place of the kernel reads at each step: [kernel, steps]."""
    steps = (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
    if steps < 1:
        raise RuntimeError("the sliding blocks do not fit into the input")
    first = torch.arange(steps) * stride
    return torch.arange(kernel).unsqueeze(1) * dilation + first.unsqueeze(0)


def _flat_places(height, width, kernel, dilation, padding, stride):
    """The places of every element of every block in the padded image: [kh, kw, oh, ow]."""
    rows = _places(height, kernel[0], dilation[0], padding[0], stride[0])
    columns = _places(width, kernel[1], dilation[1], padding[1], stride[1])
    across = width + 2 * padding[1]
    return rows.unsqueeze(1).unsqueeze(3) * across + columns.unsqueeze(0).unsqueeze(2)


def im2col(self, kernel_size, dilation, padding, stride):
    kernel, dilation, padding, stride = (
        _pair(kernel_size), _pair(dilation), _pair(padding), _pair(stride)
    )  # fmt: skip
    x = self.unsqueeze(0) if self.dim() == 3 else self
    places = _flat_places(x.size(2), x.size(3), kernel, dilation, padding, stride)
    padded = torch.nn.functional.pad(x, [padding[1], padding[1], padding[0], padding[0]])
    rows = padded.reshape([x.size(0), x.size(1), padded.size(2) * padded.size(3)])
    area = kernel[0] * kernel[1]
    blocks = rows.index_select(2, places.reshape([-1]))
    blocks = blocks.reshape([x.size(0), x.size(1) * area, places.numel() // area])
    return blocks.squeeze(0) if self.dim() == 3 else blocks


def col2im(self, output_size, kernel_size, dilation, padding, stride):
    size, kernel, dilation, padding, stride = (
        _pair(output_size), _pair(kernel_size), _pair(dilation), _pair(padding), _pair(stride)
    )  # fmt: skip
    x = self.unsqueeze(0) if self.dim() == 2 else self
    places = _flat_places(size[0], size[1], kernel, dilation, padding, stride).reshape([-1])
    channels = x.size(1) // (kernel[0] * kernel[1])
    height, width = size[0] + 2 * padding[0], size[1] + 2 * padding[1]
    image = torch.zeros([x.size(0), channels, height * width], dtype=x.dtype)
    image = image.index_add(2, places, x.reshape([x.size(0), channels, places.numel()]))
    image = image.reshape([x.size(0), channels, height, width])
    image = image.narrow(2, padding[0], size[0]).narrow(3, padding[1], size[1])
    return image.squeeze(0) if self.dim() == 2 else image


COMPOSITIONS: dict[str, Callable[..., Any]] = {
    f"aten::{function.__name__}": function
    for function in (
        col2im, im2col, max_unpool2d, max_unpool3d, multi_margin_loss, multilabel_margin_loss,
    )
}  # fmt: skip
