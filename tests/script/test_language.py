"""Small programs over the corners of the language: iterators, division by zero, equality."""

from __future__ import annotations

import copy
from typing import Optional, Union

import pytest
import torch
from agreement import Programs, agree
from torch import Tensor, nn

import ingot
from ingot.module import Module

programs = Programs()
case = programs.case


class Counter:
    def __init__(self, n: int):
        self.n = n
        self.i = 0

    def __iter__(self):
        return self

    def __next__(self) -> int:
        if self.i >= self.n:
            raise StopIteration
        self.i += 1
        return self.i


@case((3,), (0,))
def own_iterator(n: int) -> int:
    s = 0
    for i in Counter(n):
        if i == 2:
            continue
        s += i
    return s


@case((3,), (9,))
def own_iterator_with_break(n: int) -> list[int]:
    out: list[int] = []
    c = Counter(5)
    for i in c:
        if i == n:
            break
        out.append(i)
    else:
        out.append(100)
    out.append(c.i)
    return out


@case((2,), (1,))
def next_of_own(n: int) -> int:
    c = iter(Counter(n))
    return next(c) + next(c)


@case((1.0, 0.0), (7.5, -2.0))
def divisions(a: float, b: float) -> tuple[float, float, float, tuple[float, float]]:
    return a / b, a // b, a % b, divmod(a, b)


@case((0.0, -1.0), (2.0, 3.0))
def power(a: float, b: float) -> float:
    return a**b


@case((1, 0), (7, 2))
def true_division(a: int, b: int) -> float:
    return a / b


@case((0.0,), (2.0,))
def caught_division(a: float) -> str:
    try:
        return str(1.0 / a)
    except ZeroDivisionError:
        return "zero"


@case(({"a": 1}, {"a": 1}), ({"a": 1}, {"a": 2}), ({"a": 1, "b": 2}, {"b": 2, "a": 1}), ({}, {}))
def equal_dicts(a: dict[str, int], b: dict[str, int]) -> tuple[bool, bool, bool]:
    return a == b, a != b, a in [{"a": 1}]


@case((1,), (None,), (torch.tensor([1]),))
def union(x: Union[int, Tensor, None]) -> int:
    if x is None:
        return 0
    if torch.jit.isinstance(x, int):
        return x
    return int(x.item()) + 5


@case((None,), (3,), (1,))
def optional(x: Optional[int]) -> int:
    y = x or 5
    if x is not None and x > 2:
        return x
    assert x is None
    return y


@programs.parametrize
def test_program(function):
    programs.check(function)


class FirstOfModules(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("b", torch.ones(2))
        self.layer = nn.Linear(2, 2)

    def forward(self, x: Tensor, key: str) -> Tensor:
        p = next(self.parameters())
        x = x.to(p.device).to(next(self.layer.parameters()).dtype) + p.sum()
        x = x + next(self.buffers()) + next(iter(self.children()))(x)
        return x + len(list(self.parameters()))


class KeyOfModuleDict(nn.Module):
    def __init__(self):
        super().__init__()
        self.heads = nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.ReLU()})

    def forward(self, x: Tensor, key: str) -> Tensor:
        if key in self.heads:
            return self.heads[key](x)
        return x + 1


@pytest.mark.parametrize("cls", [FirstOfModules, KeyOfModuleDict])
def test_module(cls):
    module = cls().eval()
    program = ingot.script(module)
    x = torch.randn(2, 2)
    for key in ("a", "b", "c"):
        with torch.no_grad():
            expected = module(x, key)
        for each in (copy.deepcopy(program), Module.from_program(program.program)):
            assert agree(expected, each(x, key))


class Valued:
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Valued)

    def __hash__(self) -> int:
        return 1


def constant_maximum(n: int) -> int:
    return max(1, "a")  # type: ignore[type-var]


def constant_rounding(n: int) -> int:
    return round("a")  # type: ignore[call-overload]


def object_as_key(n: int) -> int:
    d = {Valued(): n}
    return len(d)


def object_in_set(n: int) -> int:
    return len({Valued()})


def list_as_key(d: dict[list[int], int]) -> int:
    return len(d)


def default_of_another_type(n: int = 1.5) -> int:  # type: ignore[assignment]
    return n


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (default_of_another_type, "n is declared as int and its default is 1.5"),
        (constant_maximum, "this raises TypeError: '>' not supported"),
        (constant_rounding, "this raises TypeError: type str doesn't define __round__"),
        (object_as_key, "a Valued, whose class writes its own __eq__ or __hash__, cannot be a key"),
        (object_in_set, "a Valued, whose class writes its own __eq__ or __hash__, cannot be a key"),
        (list_as_key, r"a List\[int\] cannot be a key of a dict or an element of a set"),
    ],
)
def test_mistakes(function, message):
    with pytest.raises(ingot.Error, match=message) as caught:
        ingot.script(function)
    assert "compiler failed" not in str(caught.value)
