"""Containers without annotations that are read before anything says what they hold."""

from __future__ import annotations

import torch
from torch import nn

import ingot


def _seen(xs):
    return len(xs)


def filled_later(n: int) -> tuple[int, list[int], str, list[float]]:
    values, pairs, known, words = [], {}, set(), []
    total, before, text = 0, [0], ""
    early = len(values) + len(list(values)) + len(dict(pairs)) + (0 in pairs) + (0 in known)
    for i in range(n):
        total += len(values) + 10 * _seen(values) + 100 * len(pairs) + 1000 * (i - 1 in known)
        before = before + list(values) + values[:1]
        text = f"{words}" + ",".join(words)
        if values and pairs:
            total += values[-1] + pairs[i - 1]
        for value in values:
            total += value
        for _ in range(2):
            total += sum(values) + len(known) + len(sorted(pairs))
        values.append(i)
        pairs[i] = 2 * i
        known.add(i)
        words.append(str(i))
    floats = torch.zeros(0)
    kept = []
    for _ in range(n):
        floats = torch.tensor(kept)
        kept.append(0.5)
    return total + early, before, text, floats.tolist()


def until_long(n: int) -> int:
    values = []
    while len(values) < n:
        values.append(values[-1] * 2 if values else 1)
    return values[-1]


class KeepsWhatItSaw(nn.Module):
    def __init__(self):
        super().__init__()
        self.values, self.pairs = [], {}

    def forward(self, i: int) -> int:
        found = len(self.values) + 10 * sum(self.values) + 100 * (i in self.pairs)
        self.values.append(i)
        self.pairs[i] = i
        return found


def test_containers_that_are_read_before_a_loop_fills_them():
    for n in (0, 1, 4):
        assert ingot.script(filled_later)(n) == filled_later(n)
    assert ingot.script(until_long)(5) == until_long(5)
    module, plain = ingot.script(KeepsWhatItSaw()), KeepsWhatItSaw()
    for i in (1, 1, 2, 1):
        assert module(i) == plain(i)
