"""What Python tells apart by identity: ``is``, and tensors and objects as keys."""

from __future__ import annotations

import pytest
import torch
from agreement import Programs
from torch import Tensor, nn

import ingot

programs = Programs()
case = programs.case

x = torch.arange(3.0)
y = torch.arange(3.0)


class Node:
    def __init__(self, weight: int) -> None:
        self.weight = weight


node = Node(1)


@case((x, x), (x, y))
def given_tensors(a: Tensor, b: Tensor) -> bool:
    return a is b


@case(([x, y, x], x))
def listed_tensors(tensors: list[Tensor], a: Tensor) -> list[bool]:
    return [t is a for t in tensors]


@case((node, node), (node, Node(1)))
def given_objects(a: Node, b: Node) -> list[int]:
    a.weight += 1
    return [b.weight, int(a is b)]


@case((x,))
def equal_tensors(a: Tensor) -> list[int]:
    p = a + 1
    q = a + 1
    d = {p: 1, q: 2}
    first, second = list(d.keys())
    return [d[p], d[q], len(d), int(a in d), d.get(a, 7), int(first is p), d.pop(second), len(d)]


@case((x,))
def equal_keys(a: Tensor) -> list[int]:
    p = a + 1
    q = a + 1
    both = {(p, 1): 1, (q, 1): 2}
    ones = {torch.ones(2), torch.ones(2)}
    return [len({p: 1, q: 2}), len({a * 2, a * 2}), both[(p, 1)], len(both), len(ones)]


@case(([x, y, x, x],))
def counted_tensors(tensors: list[Tensor]) -> list[int]:
    counts: dict[Tensor, int] = {}
    for t in tensors:
        counts[t] = counts.get(t, 0) + 1
    return list(counts.values())


@case(({x: 1, y: 2}, y, [x]), ({x: 1}, y, [y]))
def given_keys(d: dict[Tensor, int], a: Tensor, more: list[Tensor]) -> list[int]:
    found = [d[k] for k in d]
    if a in d:
        found.append(d[a])
    for each in more:
        d[each] = 5
    return found + list(d.values())


@case((x, y), (x, x))
def tensors_in_tuples(a: Tensor, b: Tensor) -> int:
    pairs = {(a, 1): 1, (a, 2): 2}
    pairs[(b, 1)] = 3
    return pairs[(a, 1)] * 10 + len(pairs)


@case((x, y), (x, x))
def sets_of_tensors(a: Tensor, b: Tensor) -> list[int]:
    seen = {a}
    seen.add(b)
    seen.discard(b)
    return [len(seen), int(a in seen)]


@case((x,))
def changed_in_place(a: Tensor) -> int:
    d = {a: 1}
    b = a.add_(1)
    return d[b]


@case((4,))
def objects(n: int) -> list[int]:
    nodes = [Node(i) for i in range(n)]
    order: dict[Node, int] = {}
    for each in reversed(nodes):
        order[each] = len(order)
    twice = set(nodes + nodes)
    return [order[each] for each in nodes] + [len(twice)]


@case((x,), (y,))
def missing(a: Tensor) -> int:
    return {a + 1: 1}[a]


@programs.parametrize
def test_program(function):
    programs.check(function)


class Kept(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = [1, 2]
        self.b = [1, 2]

    def forward(self, x: Tensor) -> bool:
        return self.a is self.b


def given_lists(a: list[int], b: list[int]) -> bool:
    return a is b


@pytest.mark.parametrize("subject", [Kept(), given_lists])
def test_lists_are_not_told_apart(subject) -> None:
    with pytest.raises(ingot.Error, match=r"whether .* is .* is not known"):
        ingot.script(subject)
