"""Modules with mistakes that Python meets only on some ways through them."""

from __future__ import annotations

import copy
import warnings

import numpy as np
import pytest
import torch
from agreement import agree, outcome
from torch import nn

import ingot

X = torch.linspace(-1, 1.5, 8).reshape(2, 4)


def same(module: nn.Module, *calls: tuple, warns: str = "where Python would raise") -> None:
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


class Totals(nn.Module):
    """Sums that begin as a number and stay one as long as no turn adds a tensor."""

    def forward(self, x, first: int = 1):
        total, count, signed = 0, 0.5, 1
        for i in range(x.size(1)):
            if i >= first:
                total += x[:, i].sum()
            if x[0, i] > 0:
                count = count + x[:, i].mean() * count
                signed = -signed * x[:, i]
            else:
                signed = signed + 2
        return total / x.size(1), count, abs(signed) if isinstance(signed, int) else signed.abs()


def test_a_number_that_some_turns_make_a_tensor():
    same(Totals(), (X,), (X, 4), (X[:, :1],), (X[:, :0],), (-X, 3))


def one_or_two(x):
    if x.sum() > 0:
        return x * 2, x
    return x


class OneOrTwo(nn.Module):
    def forward(self, x):
        return one_or_two(x)


def test_a_function_gives_one_result_or_two():
    same(OneOrTwo(), (X,), (-X,))


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


class MayBeNone(nn.Module):
    def forward(self, x, mask=None, other: torch.Tensor = None):
        if x.dim() == 2:
            if mask.ndim == 1:
                mask = mask[None]
            first, second = mask.unbind(0) if len(mask) == 2 else (mask[0], -mask[0])
            return x * mask + other, first > second, [row for row in mask], torch.stack([x, other])
        return x


def test_values_that_may_be_none_where_they_are_used():
    with pytest.warns(UserWarning, match="where Python would raise"):
        compiled = ingot.script(MayBeNone())
    for call in ((X, X, X), (X, X[0], X), (X[0],), (X[0], X)):
        assert agree(MayBeNone()(*call), compiled(*call))
    for call in ((X,), (X, X), (X, None, X)):  # Python has an AttributeError or TypeError
        with pytest.raises(ingot.Error, match="it is None"):
            compiled(*call)


class OddInputs(nn.Module):
    def forward(self, x: np.ndarray, sizes=(1, 2), found=[], names: "Missing" = None):  # noqa: B006, F821
        return x * sizes[1] + len(found) if names is None else x


def test_inputs_that_no_annotation_describes_have_their_default_only():
    same(OddInputs(), (X,))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compiled = ingot.script(OddInputs())
    with pytest.raises(ingot.Error, match="'sizes' must be None"):
        compiled(X, [3, 4])


class Wrapper(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, *args, **kwargs):
        return self.inner(*args, **kwargs)


def test_a_wrapper_that_names_no_inputs():
    same(Wrapper(nn.Linear(4, 3)), (X,), warns="takes one Tensor for ")
    same(Wrapper(nn.Bilinear(4, 4, 3)), (X, X), warns="takes 2 Tensors for ")


class StillEmpty(nn.Module):
    def less(self, x, found):
        for each in found:
            x = x - each
        return x

    def forward(self, x, count: int):
        found, nested, alias = [], [], []
        alias = found
        for i in range(count):
            for each in nested:
                x = x + sum(self.less(x, each))
            x = self.less(x, found) * i
            alias.append(x)
            nested.append([x, x + i])
        return x, len(found), [len(each) for each in nested]


def test_a_loop_over_a_list_that_is_filled_later():
    same(StillEmpty(), (X, 0), (X, 1), (X, 4))


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
