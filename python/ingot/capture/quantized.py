"""Fake quantization in ops that leave sizes open; PyTorch's own is made for training only."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def fake_quantize(
    input: Tensor, scale: Any, zero_point: Any, quant_min: int, quant_max: int
) -> Tensor:
    """The values nearest to the input of those that integers of this range stand for."""
    if isinstance(scale, Tensor):
        scale, zero_point = scale.reshape([]), zero_point.reshape([])
    else:
        scale = torch.scalar_tensor(scale, dtype=torch.float32)
    return _nearest(input, scale, zero_point, quant_min, quant_max)


def fake_quantize_channels(
    input: Tensor, scale: Tensor, zero_point: Tensor, axis: int, quant_min: int, quant_max: int
) -> Tensor:
    """The same with a scale for each index of one dimension."""
    along = [-1 if dim == axis % input.dim() else 1 for dim in range(input.dim())]
    return _nearest(input, scale.reshape(along), zero_point.reshape(along), quant_min, quant_max)


def _nearest(
    input: Tensor, scale: Tensor, zero_point: Any, quant_min: int, quant_max: int
) -> Tensor:
    # PyTorch multiplies by the reciprocal too: a quotient may round to another step.
    steps = torch.round(input * (1.0 / scale)) + zero_point
    nearest: Tensor = (steps.clamp(quant_min, quant_max) - zero_point) * scale
    return nearest
