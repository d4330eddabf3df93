"""Planned calls from several threads at once, at sizes of their own."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch
from tests.plan.agreement import (
    check_near,
    fresh,
    interpreted,
    scripted,
    tensors,
    threads,
)
from torch import Tensor, nn

import ingot
from ingot.module import Module

WORKERS = 4


class Network(nn.Module):
    """Convolutions, products, a mask computed from sizes and a loop around planned code."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(3, 5, 3, padding=1), nn.BatchNorm2d(5), nn.ReLU())
        self.embed = nn.Linear(5, 8)
        self.mix = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        y = self.embed(self.conv(x).flatten(2).transpose(1, 2))
        mask = torch.ones(y.size(1), y.size(1)).tril() > 0
        steps: list[Tensor] = []
        for _ in range(2):
            weights = (y @ y.transpose(1, 2)).masked_fill(~mask, -10.0).softmax(-1)
            y = self.mix(weights @ y).relu() + y
            steps.append(y[:, -1])
        return y, steps


INPUTS = [torch.randn(n, 3, h, w) for n, h, w in ((1, 4, 4), (2, 5, 3), (0, 4, 4), (3, 1, 7))]


def wanted_of(module: Module) -> list[list[Tensor]]:
    return [tensors(interpreted(module, x)) for x in INPUTS]


def at_once(work: Callable[[int], None]) -> None:
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(work, range(WORKERS)))


def test_threads_at_different_sizes() -> None:
    module = fresh(scripted(Network().eval()))
    wanted = wanted_of(module)

    def work(seed: int) -> None:
        held = []
        choose = random.Random(seed)
        for _ in range(60):
            k = choose.randrange(len(INPUTS))
            held.append((k, tensors(module(INPUTS[k]))))
        for k, found in held:
            check_near(found, wanted[k])

    for count in (1, 2):
        with threads(count):
            at_once(work)


def test_the_number_of_threads_changes_between_calls_and_during_them() -> None:
    module = fresh(scripted(Network().eval()))
    wanted = wanted_of(module)

    def work(seed: int) -> None:
        choose = random.Random(seed)
        for _ in range(60):
            if seed == 0:
                ingot.set_num_threads(choose.choice([1, 2, 3]))
            k = choose.randrange(len(INPUTS))
            check_near(tensors(module(INPUTS[k])), wanted[k])

    with threads(1):
        work(0)
        at_once(work)


class Counting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("total", torch.zeros(3))
        self.layer = nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = self.layer(x).relu()
        self.total += y.sum(0)
        return y * 2 + self.total


def test_copies_have_state_of_their_own_while_others_run() -> None:
    network = Counting().eval()
    module = scripted(network)
    before = copy.deepcopy(module)
    inputs = [torch.randn(n, 3) for n in (1, 4, 2, 0)]

    def work(seed: int) -> None:
        for _ in range(20):
            if seed == 0:
                for x in inputs:
                    module(x)
                continue
            mine, model = copy.deepcopy(module), copy.deepcopy(network)
            model.load_state_dict(mine.state_dict("torch"))
            for x in inputs:
                with torch.no_grad():
                    check_near([mine(x)], [model(x)])

    at_once(work)
    assert before.state_dict()["total"].tolist() == [0, 0, 0]


def test_threads_that_fill_the_cache_together() -> None:
    """Plans come and go while others run them."""

    def chain(x: Tensor) -> Tensor:
        mask = torch.ones(x.size(0), 400000)
        return (x * 2 + mask[:, :1]).relu() + mask.sum(1, keepdim=True)

    module = scripted(chain)
    inputs = [torch.randn(n, 2) for n in range(1, 9)]
    wanted = [[(x * 2 + 1).relu() + 400000] for x in inputs]

    def work(seed: int) -> None:
        choose = random.Random(seed)
        for _ in range(30):
            k = choose.randrange(len(inputs))
            check_near([module(inputs[k])], wanted[k])

    at_once(work)
