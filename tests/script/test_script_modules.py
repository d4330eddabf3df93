"""Modules that torch.jit has compiled already: their classes are compiled with what they hold."""

import enum
import io
from typing import NamedTuple

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


def loaded(module):
    buffer = io.BytesIO()
    torch.jit.save(module, buffer)
    buffer.seek(0)
    return torch.jit.load(buffer)


class Kind(enum.Enum):
    ODD = 1
    EVEN = 2


class Named(NamedTuple):
    number: int
    values: Tensor


class Counter:
    def __init__(self, start: int) -> None:
        self.now = start

    def count(self, by: int) -> int:
        self.now += by
        return self.now


def checked(x: Tensor, n: int) -> Tensor:
    if n > 3:
        raise ValueError(f"{n} is too many")
    return x * n


class Everything(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.part = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
        self.kind = Kind.EVEN
        self.times = 3
        self.names = {"a": 1}
        self.register_buffer("seen", torch.zeros(2))

    def forward(self, x: Tensor, n: int | None = None):
        self.seen += 1
        self.times += 1
        rows: list[Tensor] = []
        for i in range(x.size(0)):
            rows.append(self.part(x[i]) * i + torch.tensor([0.5, 1.0]))
        if n is not None:
            x = checked(x, n)
        while x.sum() < 9:
            x = x * 2
        counter = Counter(2)
        counter.count(len(rows))
        text = f"{self.names['a']} of {counter.now}" + " %d" % self.times
        even = self.kind == Kind.EVEN
        return (
            torch.stack(rows),
            Named(self.times, x),
            text,
            even,
            [r.sum() for r in rows],
            self.seen,
        )


def test_what_torch_jit_loaded_is_compiled_from_its_program() -> None:
    torch.manual_seed(0)
    for module in (torch.jit.script(Everything()), loaded(torch.jit.script(Everything()))):
        program = ingot.script(module)
        again = ingot.script(Calls(module))
        for n in (None, 2):
            x = torch.ones(3, 2)
            expected = module(x, n)
            assert agree(expected, program(x, n))
            if n is None:
                assert agree(expected[0], again(x)[0])
        with pytest.raises(ingot.Error, match="4 is too many"):
            program(torch.ones(3, 2), 4)
    derived = Derived()
    assert agree(derived(torch.ones(2)), ingot.script(loaded(derived))(torch.ones(2)))


def takes_a_branch(x: Tensor, y: Tensor) -> Tensor:
    return x + y if y.sum() > 0 else x - y


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_a_trace_is_what_was_recorded() -> None:
    recorded = torch.jit.trace(takes_a_branch, (torch.ones(2), torch.ones(2)))
    scripted = torch.jit.script(takes_a_branch)
    x, y = torch.ones(2), -torch.ones(2)
    assert torch.equal(ingot.script(recorded)(x, y), torch.zeros(2))
    assert torch.equal(ingot.script(scripted)(x, y), torch.full([2], 2.0))
    assert torch.equal(ingot.script(loaded(scripted))(x, y), torch.full([2], 2.0))

    def both(x: Tensor, y: Tensor) -> Tensor:
        return recorded(x, y) + scripted(x, y)

    assert torch.equal(ingot.script(both)(x, y), torch.full([2], 2.0))
    module = HoldsTraced()
    for each in (module, torch.jit.script(module), module.inner):
        assert agree(module(torch.ones(2)), ingot.script(each)(torch.ones(2)))


def test_texts_of_torch_jit() -> None:
    unit = torch.jit.CompilationUnit("""
    def twice(x):
        return other(x) + other(x)
    def other(x):
        return x + 1
    """)
    assert torch.equal(ingot.script(unit.twice)(torch.ones(2)), torch.full([2], 4.0))


class CallsPython(nn.Module):
    @torch.jit.ignore
    def outside(self, x: Tensor) -> Tensor:
        return x

    def forward(self, x: Tensor) -> Tensor:
        return self.outside(x)


def test_programs_that_call_python_are_refused() -> None:
    scripted = torch.jit.script(CallsPython())
    CallsPython.forward, kept = CallsPython.outside, CallsPython.forward
    try:
        with pytest.raises(ingot.Error, match="cannot be read"):
            ingot.script(scripted)
    finally:
        CallsPython.forward = kept


class Calls(nn.Module):
    def __init__(self, part: nn.Module) -> None:
        super().__init__()
        self.part = part

    def forward(self, x: Tensor):
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
        assert torch.equal(ingot.script(module)(torch.ones(2)), torch.full([2], 2.0))
    finally:
        Source.forward = kept
    assert torch.equal(ingot.script(module)(torch.ones(2)), torch.full([2], 2.0))
