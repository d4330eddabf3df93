"""Generated programs mean the same planned and interpreted: results, errors, memory."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from tests.plan.agreement import (
    STAGES,
    bounds,
    check_same,
    copies,
    fresh,
    interpreted,
    outcome,
    sharing,
    without,
)
from tests.plan.generate import programs
from tests.plan.recipe import Recipe

from ingot.ir.printer import print_program
from ingot.module import Module
from ingot.passes.dead_code import dead_code
from ingot.passes.manager import run

Inputs = list[torch.Tensor]


class Case:
    """One program on one set of inputs: what the interpreter gives, and how exact that is."""

    def __init__(self, recipe: Recipe, module: Module, inputs: Inputs) -> None:
        self.inputs = inputs
        given = copies(inputs)
        self.wanted = outcome(lambda *args: interpreted(module, *args), given)
        self.written = copies(given)
        self.exact: Any = None
        self.limits: Any = None
        if isinstance(self.wanted, str):
            return
        self.shared = sharing([*self.wanted, *given])
        self.wanted = copies(self.wanted)
        values = recipe.evaluate(copies(inputs))
        self.exact = [values[ref.index].double() for ref in recipe.outputs]
        scales = [
            max((magnitude(values[i]) for i in recipe.sources(ref)), default=0.0)
            for ref in recipe.outputs
        ]
        self.limits = bounds(self.wanted, self.exact, scales)

    def check(self, module: Module) -> None:
        """Runs it planned, spoils the results, and runs it again."""
        for _ in range(2):
            given = copies(self.inputs)
            found = outcome(module, given)
            check_same(found, self.wanted, self.exact, self.limits)
            check_same(given, self.written, self.written, [1e-3] * len(given))
            if isinstance(found, str):
                continue
            assert sharing([*found, *given]) == self.shared, "results share other memory"
            for t in found:
                if all(t.stride()):
                    t.fill_(1)


def magnitude(value: Any) -> float:
    if not isinstance(value, torch.Tensor) or not value.is_floating_point():
        return 0.0
    finite = value[value.isfinite()]
    return finite.abs().max().item() if finite.numel() else 0.0


def check(case: tuple[Recipe, Inputs, Inputs], stage: str | None) -> None:
    recipe, first, second = case
    program = recipe.program()
    run([dead_code], program)  # a plan need not meet the faults of what nobody asks for
    try:
        module = Module.from_program(program)
        small, large = (Case(recipe, module, inputs) for inputs in (first, second))
        with without(stage):
            planned = fresh(module)
            small.check(planned)
            large.check(planned)
            small.check(planned)
    except Exception as error:
        sizes = [[f"{t.dtype} {list(t.shape)} {t.stride()}" for t in i] for i in (first, second)]
        error.add_note(f"inputs: {sizes[0]}\nthen: {sizes[1]}\n{print_program(program)}")
        raise


@pytest.mark.parametrize("stage", [None, *STAGES[1:]])
def test_planned_as_interpreted(stage: str | None) -> None:
    @settings(
        max_examples=150 if stage is None else 40,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(programs())
    def agree(case: tuple[Recipe, Inputs, Inputs]) -> None:
        check(case, stage)

    agree()
