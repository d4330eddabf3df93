"""The ops of signal_ops.cpp for PyTorch, and a model that uses them.

PyTorch's side says what eager computes and, for the trace, what sizes come out. Ingot's side is
the compiled library; ``ingot.load_library`` adds its ops to the catalogue.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


@torch.library.custom_op("signal::peak_to_rms", mutates_args=())
def peak_to_rms(signal: Tensor) -> Tensor:
    return signal.abs().amax(-1) / signal.square().mean(-1).sqrt()


@peak_to_rms.register_fake
def _(signal: Tensor) -> Tensor:
    return signal.new_empty(signal.shape[:-1])


@torch.library.custom_op("signal::onsets", mutates_args=())
def onsets(signal: Tensor, threshold: float = 0.5) -> Tensor:
    above = signal > threshold
    before = torch.cat([above.new_zeros(1), above[:-1]])
    return (above & ~before).nonzero()[:, 0]


@onsets.register_fake
def _(signal: Tensor, threshold: float = 0.5) -> Tensor:
    return signal.new_empty(torch.library.get_ctx().new_dynamic_size(), dtype=torch.int64)


class Detector(nn.Module):
    """Smoothed signals -> their crest factors, and where the first one begins to be loud."""

    def __init__(self) -> None:
        super().__init__()
        self.smooth = nn.Conv1d(1, 1, 5, padding=2)

    def forward(self, signals: Tensor) -> tuple[Tensor, Tensor]:
        """``signals`` f32[batch, time] -> f32[batch], i64[N]."""
        smooth = self.smooth(signals[:, None])[:, 0]
        return peak_to_rms(smooth), onsets(smooth[0], 0.25)
