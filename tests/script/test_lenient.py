"""Modules with mistakes that Python meets only on some ways through them."""

from __future__ import annotations

import copy
import warnings

import pytest
import torch
from agreement import agree, outcome
from torch import nn

import ingot

X = torch.linspace(-1, 1.5, 8).reshape(2, 4)


def same(
    module: nn.Module, *calls: tuple, warns: str = "raises an error where Python would"
) -> None:
    with pytest.warns(UserWarning, match=warns):
        compiled = ingot.script(module)
    with torch.no_grad():
        for call in calls:
            expected, found = outcome(copy.deepcopy(module), *call), outcome(compiled, *call)
            assert agree(expected, found), f"{expected!r} became {found!r}\n{compiled.graph}"


class Lacking(nn.Module):
    def forward(self, x, other=None):
        if other is not None:
            x = x + self.projection(other)
        if x.dim() > 2:
            raise ValueError(f"{self.__name__} takes matrices")
        return x * 2


def test_attributes_that_a_module_lacks():
    same(Lacking(), (X,), (X, X), (X[None],))


class SomeBranches(nn.Module):
    def forward(self, x):
        if x.dim() == 1:
            y = x * 2
        elif x.dim() == 2:
            y = x.sum(1)
        return y + 1


def test_a_variable_that_some_branches_assign():
    same(SomeBranches(), (X,), (X[0],), (X[None],))


class Results(nn.Module):
    def forward(self, x, mode: str = "one", both=False):
        if mode == "many":
            return {"x": x}
        if both:
            return x, [x]
        return x


def test_results_of_several_kinds():
    same(Results(), (X,), (X, "many"), (X, "one", True))


class FirstTurn(nn.Module):
    def forward(self, x, count: int):
        total = 0
        for i, part in enumerate(x.split(1, 1)):
            total += part.mean()
            if i == count:
                break
            if part.sum() < -100:
                return total
        for i in range(count):
            last = x[:, i] * i
        return total / 2, last.sum(), i, total.mean()


def test_turns_that_give_a_number_the_type_of_a_tensor():
    same(FirstTurn(), (X, 1), (X, 3), (X, 0), (X[:, :0], 0), (X - 200, 2))


def test_a_function_is_held_to_what_it_says():
    def results(x, both: bool):
        if both:
            return x, x
        return x

    with pytest.raises(ingot.Error, match="the result is"):
        ingot.script(results)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ingot.script(nn.Linear(2, 2))
