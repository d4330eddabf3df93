"""Small models planned, interpreted and in PyTorch: stages, instruction sets, threads."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
import torch
from tests.plan.agreement import (
    STAGES,
    bounds,
    check_same,
    fresh,
    interpreted,
    sharing,
    simd_level,
    tensors,
    threads,
    without,
)
from tests.plan.models import MODELS, Model, made

from ingot import _ingot
from ingot.module import Module


class Case:
    """A captured model, and what the interpreter gives for each of its inputs."""

    def __init__(self, make: Callable[[], Model]) -> None:
        model = made(make)
        self.module = model.capture()
        self.inputs = model.inputs
        self.exact = [tensors(model.exact(inputs)) for inputs in model.inputs]
        self.wanted = []
        self.shared = []
        for inputs, exact in zip(model.inputs, self.exact, strict=True):
            found = tensors(interpreted(self.module, *inputs))
            for t, e in zip(found, exact, strict=True):
                torch.testing.assert_close(t.double(), e, rtol=1e-4, atol=2e-5)
            self.wanted.append(found)
            self.shared.append(sharing(found))

    def check(self, module: Module) -> None:
        """All inputs, and those of before once more."""
        for k in [*range(len(self.inputs)), 0]:
            found = tensors(module(*self.inputs[k]))
            scales = [e.abs().max().item() for e in self.exact[k]]
            limits = bounds(self.wanted[k], self.exact[k], scales)
            check_same(found, self.wanted[k], self.exact[k], limits)
            assert sharing(found) == self.shared[k]


case = cache(Case)
models = pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)


@models
@pytest.mark.parametrize("stage", [None, *STAGES[1:]])
def test_stages(make: Callable[[], Model], stage: str | None) -> None:
    with without(stage):
        case(make).check(fresh(case(make).module))


@models
@pytest.mark.parametrize("level", range(len(_ingot.simd_levels())), ids=_ingot.simd_levels())
def test_instruction_sets(make: Callable[[], Model], level: int) -> None:
    with simd_level(level):
        case(make).check(fresh(case(make).module))


@models
@pytest.mark.parametrize("count", [1, 2])
def test_threads(make: Callable[[], Model], count: int) -> None:
    with threads(count):
        case(make).check(fresh(case(make).module))


@models
def test_results_are_the_same_every_time(make: Callable[[], Model]) -> None:
    for count in (1, 2):
        with threads(count):
            first, second = fresh(case(make).module), fresh(case(make).module)
            for inputs in case(make).inputs:
                wanted = tensors(first(*inputs))
                for module in (first, second):
                    check_same(tensors(module(*inputs)), wanted)
