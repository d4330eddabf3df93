"""Two linear layers, scripted."""

from __future__ import annotations

import torch
from torch import nn


class SimpleNet(nn.Module):
    """x: f32[B, 10] -> f32[B, 2]."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(10, 5)
        self.fc2 = nn.Linear(5, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.fc1(x))
        return self.fc2(x)


def make() -> nn.Module:
    torch.manual_seed(0)
    return SimpleNet().eval()


def example_inputs() -> tuple[torch.Tensor, ...]:
    return (torch.randn(1, 10, generator=torch.Generator().manual_seed(1)),)
