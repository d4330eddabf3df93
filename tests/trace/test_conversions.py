"""Python's conversions of sizes, which leave them free."""

from __future__ import annotations

import math
from math import sqrt

import numpy as np
import pytest
import torch

import ingot


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x / math.sqrt(x.shape[1]),
        lambda x: x / sqrt(x.shape[1]),
        lambda x: x / np.sqrt(x.shape[1]),
        lambda x: x * math.pow(x.shape[1], -0.5),
        lambda x: x * (1.0 / float(x.numel())),
        lambda x: x[:, : int(x.shape[1] * 0.5)],
        lambda x: x[:, : int(np.floor(x.shape[1] / 2))],
        lambda x: x[:, : round(x.shape[1] * 0.75)],
        lambda x: x.reshape(int(x.shape[0]), -1),
        lambda x: x.reshape(*map(int, x.shape)),
        lambda x: x.reshape(x.shape[0], int(np.prod(x.shape[1:]))),
        lambda x: x.reshape(len(x), -1) * len(x[0]),
        lambda x: x * divmod(x.shape[1], 4)[0],
    ],
)
def test_a_converted_size_stays_free(function):
    module = ingot.trace(function, torch.rand(4, 16))
    for sizes in ((4, 16), (3, 9), (1, 25)):
        x = torch.rand(sizes)
        torch.testing.assert_close(module(x), function(x))


def test_a_square_of_tokens():
    def grid(x):
        side = int(math.sqrt(x.shape[1]))
        return x.reshape(x.shape[0], side, side)

    module = ingot.trace(grid, torch.rand(2, 16))
    assert module(torch.rand(3, 25)).shape == (3, 5, 5)
    with pytest.raises(ingot.Error):
        module(torch.rand(3, 24))


def test_what_numpy_needs_is_fixed_alone():
    module = ingot.trace(lambda x: x + torch.from_numpy(np.arange(x.shape[1])), torch.rand(2, 4))
    assert [str(p.type) for p in module.inputs()] == ["f32[s0, 4]"]


def test_types_are_pythons_own_all_the_same():
    def function(x):
        same = isinstance(3, int) and isinstance(0.5, float) and not isinstance("3", int | float)
        named = {int: 2, float: 3}[type(len("abc"))]
        zeros = torch.zeros(x.shape, dtype=float) + x.to(int)
        same = same and type(len("abc")) == int  # noqa: E721
        return zeros * named * int("3") * float("1.5") if same else x

    module = ingot.trace(function, torch.rand(2, 4))
    x = torch.rand(3, 5) * 9
    torch.testing.assert_close(module(x), function(x))
    assert int(2.5) == 2 and "int" not in globals() and isinstance(math, type(np))


def test_a_question_for_the_type_itself():
    def function(x):
        return x * 2 if type(len("abc")) is int else x

    module = ingot.trace(function, torch.rand(2))
    assert module(torch.ones(2)).tolist() == [2.0, 2.0]


def test_a_failing_model_gives_the_names_back():
    def function(x):
        return x * int(x.shape[0]) * undefined  # noqa: F821

    with pytest.raises(ingot.Error):
        ingot.trace(function, torch.rand(2))
    assert "int" not in globals()
