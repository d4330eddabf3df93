"""Two linear layers, traced."""

from __future__ import annotations

import torch
from torch import nn


class SimpleModel(nn.Module):
    """x: f32[B, 10] -> f32[B, 5]."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(10, 20)
        self.relu = nn.ReLU()
        self.fc2 = nn.Linear(20, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc2(self.relu(self.fc1(x)))


def make() -> nn.Module:
    torch.manual_seed(0)
    return SimpleModel().eval()


def example_inputs() -> tuple[torch.Tensor, ...]:
    return (torch.randn(1, 10, generator=torch.Generator().manual_seed(1)),)
