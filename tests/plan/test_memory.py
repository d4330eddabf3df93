"""Memory that plans take: as much as the cache may hold, however many sizes come."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from tests.plan.agreement import check_near, interpreted, outcome, scripted
from torch import Tensor, nn

from ingot.module import Module

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")

MB = 1 << 20
CACHE = 64 * MB  # of the plans of one region


def resident() -> int:
    """Bytes of memory that the process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def right(module: Module, *inputs: Tensor) -> None:
    check_near(outcome(module, inputs), outcome(lambda *args: interpreted(module, *args), inputs))


class Deep(nn.Module):
    """A plan of some 120 steps."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(60))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x).softmax(-1)
        return x


def test_plans_of_many_sizes() -> None:
    module = scripted(Deep().eval())
    inputs = torch.randn(1600, 4)
    right(module, inputs[:1])
    start = resident()
    for n in range(1, 1200):
        module(inputs[:n])
    full = resident()
    assert full - start < 3 * CACHE
    for n in range(1200, 1600):
        module(inputs[:n])
    assert resident() - full < CACHE / 4
    for n in (1, 1599, 700, 1, 0):
        right(module, inputs[:n])


def masked(x: Tensor) -> Tensor:
    """The mask depends on sizes alone: a plan has it computed."""
    mask = torch.ones(x.size(0), x.size(0)).tril()
    return (mask @ x).relu() + mask[:, :1]


class Computed(nn.Module):
    """A weight that is computed from a parameter: each plan has its own."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(1024, 1024))

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight / (self.weight.norm() + x.size(0))
        return nn.functional.linear(x, weight).relu()


@pytest.mark.parametrize("model", [masked, Computed()], ids=["factory", "weight"])
def test_what_plans_compute_counts(model) -> None:
    module = scripted(model)
    inputs = torch.randn(1060, 1024)
    right(module, inputs[:1000, :3] if model is masked else inputs[:3])
    start = resident()
    for n in range(60):
        module(inputs[: 1000 + n, :3] if model is masked else inputs[: 3 + n])
    assert resident() - start < 2.5 * CACHE
    right(module, inputs[:1000, :3] if model is masked else inputs[:3])


def test_weights_of_the_program_are_rearranged_once() -> None:
    module = scripted(nn.Sequential(nn.Linear(2048, 2048), nn.ReLU(), nn.Linear(2048, 2048)))
    inputs = torch.randn(20, 2048)
    right(module, inputs[:1])
    start = resident()
    for n in range(1, 20):
        module(inputs[:n])
    assert resident() - start < 16 * MB
