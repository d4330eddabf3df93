"""Modules that torch.jit has compiled already: their classes are compiled with what they hold."""

from __future__ import annotations

import pytest
import torch
from agreement import agree
from torch import Tensor, nn

import ingot

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit")


class Base(torch.jit.ScriptModule):
    def __init__(self, k: int = 2) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2))
        self.k = torch.jit.Attribute(k, int)
        self.parts = nn.ModuleList([nn.Linear(2, 2), nn.ReLU()])

    @torch.jit.script_method
    def scaled(self, x):
        return x * self.weight + self.k

    @torch.jit.script_method
    def forward(self, x):
        for part in self.parts:
            x = part(x)
        return self.scaled(x)


class Derived(Base):
    __constants__ = ["times"]

    def __init__(self) -> None:
        super().__init__(5)
        self.times = 3
        self.inner = nn.Sequential(nn.Linear(2, 2), Base())

    @torch.jit.script_method
    def scaled(self, x):
        return self.inner(x) * self.times


class Mixed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.derived = Derived()
        self.norm = torch.jit.script(nn.BatchNorm1d(2)).eval()
        self.last = torch.jit.script(nn.Sequential(nn.Linear(2, 2), nn.Tanh()))

    def forward(self, x: Tensor):
        x = self.norm(self.derived(x.unsqueeze(0)))
        return self.last(x), self.derived.scaled(x), self.derived.k


@pytest.mark.parametrize("make", [Base, Derived, Mixed, lambda: torch.jit.script(nn.Linear(2, 3))])
def test_agrees_with_torch(make) -> None:
    module = make()
    program = ingot.script(module)
    with torch.no_grad():
        assert agree(module(torch.ones(2)), program(torch.ones(2)))
    assert dict(module.named_parameters()).keys() <= program.state_dict().keys()


class HoldsTraced(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = torch.jit.trace(nn.Linear(2, 2), torch.ones(2))

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x)


def test_traces_have_no_source() -> None:
    for module in (torch.jit.trace(nn.Linear(2, 2), torch.ones(2)), HoldsTraced()):
        with pytest.raises(ingot.Error, match="whose Python source is gone"):
            ingot.script(module)
        with pytest.raises(ingot.Error, match="whose Python source is gone"):
            ingot.script(torch.jit.script(module))


class Calls(nn.Module):
    def __init__(self, part: nn.Module) -> None:
        super().__init__()
        self.part = part

    def forward(self, x: Tensor) -> Tensor:
        return self.part(x)


class Source(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + 1


def test_a_class_changed_later_is_another() -> None:
    module = Calls(torch.jit.script(Source()))

    def forward(self, x: Tensor) -> Tensor:
        return x + 2

    kept, Source.forward = Source.forward, forward
    try:
        with pytest.raises(ingot.Error, match="whose Python source is gone"):
            ingot.script(module)
    finally:
        Source.forward = kept
    assert torch.equal(ingot.script(module)(torch.ones(2)), torch.full([2], 2.0))
