"""What the tests name with --module and --inputs."""

from __future__ import annotations

import torch


def make() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Linear(3, 2)


instance = make()


class Scaled(torch.nn.Linear):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) * 1.01


def make_scaled() -> torch.nn.Module:
    return Scaled(3, 2)


def make_other_shape() -> torch.nn.Module:
    return torch.nn.Linear(4, 2)


def make_larger() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Linear(3, 2))


def make_nothing() -> int:
    return 3


def broken() -> torch.nn.Module:
    raise ValueError("no data today")


def inputs() -> tuple[torch.Tensor]:
    return (torch.ones(4, 3),)


def wrong_inputs() -> torch.Tensor:
    return torch.ones(4, 4)
