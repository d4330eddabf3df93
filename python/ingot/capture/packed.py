"""Packed sequences inside a trace, in ops whose sizes the exporter can follow.

PyTorch's own op for packing has sizes that only values tell, and its recurrent layers ask the
packed ``batch_sizes`` for the batch, which the exporter would take for a value. Here what packing
knew stays attached to the ``batch_sizes`` tensor, which the layers hand on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.fx.experimental.symbolic_shapes import statically_known_true


@dataclass
class _Packing:
    """What padding again needs: which (step, sequence) of the padded tensor were packed."""

    mask: Tensor
    lengths: Tensor


_NAME = "_ingot_packing"


def pack(input: Tensor, lengths: Tensor, batch_first: bool) -> tuple[Tensor, Tensor]:
    """Rows of all steps, the longest sequences first, and how many sequences each step has."""
    steps = input.transpose(0, 1) if batch_first else input
    falling = lengths[:-1] >= lengths[1:]
    torch._assert_async(
        falling.all() & (lengths[-1] > 0),
        "the lengths of packed sequences must be positive and fall, unless enforce_sorted=False",
    )
    mask = torch.arange(steps.shape[0]).unsqueeze(1) < lengths.unsqueeze(0)
    longest: Any = lengths[0].item()
    torch._check(longest >= 1)
    torch._check(longest <= steps.shape[0])
    batch_sizes = mask.sum(1).narrow(0, 0, longest)
    setattr(batch_sizes, _NAME, _Packing(mask, lengths))
    chosen = mask.reshape(-1).nonzero().squeeze(1)
    return steps.reshape(-1, *steps.shape[2:]).index_select(0, chosen), batch_sizes


def pad(
    data: Tensor, batch_sizes: Tensor, batch_first: bool, padding_value: float, total_length: int
) -> tuple[Tensor, Tensor]:
    """The padded sequences and their lengths; a ``total_length`` below 1 means the longest."""
    packing = _packing_of(batch_sizes)
    steps, batch = packing.mask.shape
    chosen = packing.mask.reshape(-1)
    rows = data.index_select(0, (chosen.cumsum(0) - 1).clamp(min=0))
    chosen = chosen.reshape([-1] + [1] * (rows.dim() - 1))
    rows = torch.where(chosen, rows, torch.full([], padding_value, dtype=data.dtype))
    padded = rows.reshape([steps, batch, *data.shape[1:]])
    longest = batch_sizes.shape[0]
    padded = padded.narrow(0, 0, longest)
    if total_length > 0 and not statically_known_true(total_length == longest):  # type: ignore[arg-type]
        extra = padded.new_full([total_length - longest, batch, *data.shape[1:]], padding_value)
        padded = torch.cat([padded, extra])
    return padded.transpose(0, 1) if batch_first else padded, packing.lengths


def item_of(tensor: Tensor, index: Any) -> Any:
    """``tensor[index]``, where the first of packed batch sizes is the batch, a size."""
    packing = getattr(tensor, _NAME, None)
    if packing is not None and type(index) is int and index == 0:
        return packing.mask.shape[1]
    return tensor[index]


def _packing_of(batch_sizes: Tensor) -> _Packing:
    packing: _Packing | None = getattr(batch_sizes, _NAME, None)
    if packing is None:
        mask = torch.arange(batch_sizes[0].item()) < batch_sizes.unsqueeze(1)  # type: ignore[arg-type]
        packing = _Packing(mask, mask.sum(0))
    return packing
