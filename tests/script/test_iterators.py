"""map, zip, generator expressions and itertools: what was taken from an iterator is gone."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import torch
from agreement import Programs
from torch import Tensor, nn

import ingot

programs = Programs()
case = programs.case
LISTS = ([1, 2, 3, 4],), ([],)


@case(*LISTS)
def used_twice(values: list[int]):
    doubled, large = map(lambda v: v * 2, values), filter(lambda v: v > 1, values)
    squares = (v * v for v in values)
    pairs, joined = zip(values, values), itertools.chain(values, [9])
    first = sum(doubled), list(large), sum(squares), [a for a, _ in pairs], list(joined)
    return first, sum(doubled), list(large), sum(squares), [a for a, _ in pairs], list(joined)


@case(*LISTS)
def goes_on_after_a_break(values: list[int]):
    numbered = enumerate(values)
    for i, _ in numbered:
        if i == 1:
            break
    backwards = reversed(values)
    return [v for _, v in numbered], next(backwards, 7), list(backwards)


@case(*LISTS)
def read_in_a_loop(values: list[int]):
    squares = (v * v for v in values)
    return [sum(squares) for _ in range(2)], next((v for v in values), -1)


def sums(iterable: Any):
    return sum(iterable), sum(iterable)


@case(*LISTS)
def given_to_a_function(values: list[int]):
    return sums(v + 1 for v in values), sums(values)


@case(*LISTS)
def tools_of_chains(values: list[int]):
    parts = list(itertools.islice(values, 2)), list(itertools.islice(values, 1, 4, 2))
    some = (
        list(itertools.takewhile(lambda v: v < 3, values)),
        list(itertools.dropwhile(lambda v: v < 3, values)),
        list(itertools.filterfalse(lambda v: v < 3, values)),
        list(itertools.compress(values, [True, False, True, True])),
    )
    chained = [v + 1 for v in itertools.chain.from_iterable([values, [5]])]
    return parts, some, chained, [b - a for a, b in itertools.pairwise(values)]


@case(*LISTS)
def tools_of_choice(values: list[int]):
    pairs = [(a, b) for a, b in itertools.product(values, "xy")]
    chosen = list(itertools.combinations(values, 2)), list(itertools.combinations(values, 3))
    sums = list(itertools.accumulate(values)), list(itertools.accumulate(values, max))
    powers = list(itertools.starmap(pow, [(2, 3), (3, 2)]))
    cubes = len(list(itertools.product(values, repeat=3)))
    known = [a + b for a, b in itertools.product((0, 10), repeat=2)]
    return pairs, chosen, list(itertools.permutations(values, 2)), sums, powers, cubes, known


@case(({"a": 1, "b": 2},), ({},))
def spread(values: dict[str, int]):
    return [*values], [*values.items(), *zip("x", [3])], [*"ab", *values.keys()], len({*values})


@programs.parametrize
def test_program(function):
    programs.check(function)


class Chained(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.ModuleList([nn.Linear(2, 2), nn.ReLU()])
        self.last = nn.Sequential(nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        for layer in itertools.chain(self.first, self.last):
            x = layer(x)
        for i, layer in reversed(list(enumerate(self.first))):
            x = layer(x) * (i + 1)
        pairs = list(zip(self.first, [1, 2]))
        for layer, k in pairs[1:] + pairs:
            x = layer(x) + k
        return functools.reduce(lambda y, layer: layer(y), self.last, x)


def test_modules_in_iterators():
    model, x = Chained().eval(), torch.ones(1, 2)
    with torch.no_grad():
        assert torch.allclose(ingot.script(model)(x), model(x))


def test_prints_lists_spread_out(capfd):
    def prints(values: list[int]):
        print(*values)
        print("x", *values, 2.5, sep="-", end="|\n")

    compiled = ingot.script(prints)
    for values in [1, 2], []:
        capfd.readouterr()
        prints(values)
        expected = capfd.readouterr().out
        compiled(values)
        assert capfd.readouterr().out == expected
