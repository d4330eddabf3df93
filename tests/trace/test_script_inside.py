"""Functions marked with @ingot.script inside a traced model."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import ingot


@ingot.script
def branch(x: torch.Tensor) -> torch.Tensor:
    y = x
    if x.sum() > 0:  # noqa: SIM108
        y = x * 2
    else:
        y = y - 1
    return y


@ingot.script
def newton(x: torch.Tensor, steps: int) -> tuple[torch.Tensor, int]:
    i = 0
    while bool((x * x - 2).abs().max() > 1e-4) and i < steps:
        x = x - (x * x - 2) / (2 * x)
        i += 1
    return x, i


@ingot.script
def cut(x: torch.Tensor, n: int) -> torch.Tensor:
    if x.sum() > 0:
        return x[:, :n]
    return x


@ingot.script
def scale(x: torch.Tensor, by: float) -> torch.Tensor:
    return x * by


@ingot.script
def grow(x: torch.Tensor) -> torch.Tensor:
    x.add_(1)
    return x


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x):
        return self.layer(branch(self.layer(x)))


def test_both_branches_answer():
    model = Model()
    module = ingot.trace(model, torch.randn(1, 4))
    for batch in (1, 3, 17):
        for sign in (-5, 5):
            x = sign * torch.rand(batch, 4)
            torch.testing.assert_close(module(x), model(x).detach())


def test_a_loop_and_its_number_of_turns():
    module = ingot.trace(lambda x: newton(x, 20), torch.ones(4))
    for start in (1.0, 1.3, 5.0):
        root, turns = newton.python_function(torch.full((3,), start), 20)
        found, count = module(torch.full((3,), start))
        torch.testing.assert_close(found, root)
        assert count == turns


def test_a_size_that_a_branch_decides():
    module = ingot.trace(lambda x: cut(x, 2) + 1, torch.ones(2, 4))
    assert module(torch.ones(3, 4)).shape == (3, 2)
    assert module(-torch.ones(3, 4)).shape == (3, 4)


def test_numbers_go_in():
    module = ingot.trace(lambda x, f: scale(x, f * 2), (torch.ones(4), 2.5))
    assert module(torch.ones(3), 3.0).tolist() == [6.0] * 3


def test_a_python_branch_on_its_result_is_a_guard():
    def function(x):
        y, turns = newton(x, 20)
        return y * turns if turns > 2 else y

    module = ingot.trace(function, torch.full((2,), 5.0))
    torch.testing.assert_close(module(torch.full((3,), 4.0)), function(torch.full((3,), 4.0)))
    with pytest.raises(ingot.GuardError):
        module(torch.full((3,), 2.0**0.5))


def test_writing_into_an_argument_is_refused():
    with pytest.raises(ingot.Error, match="writes into an argument"):
        ingot.trace(lambda x: grow(x * 2), torch.ones(2))
