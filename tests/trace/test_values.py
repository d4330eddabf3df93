"""Python that reads values of tensors and plain inputs."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import ingot


def branch(x):
    if x.sum() > 0:
        return x * 2
    return x - 1


def test_a_branch_on_a_tensor_is_a_guard_with_its_line():
    module = ingot.trace(branch, torch.ones(3))
    assert module(torch.ones(5)).tolist() == [2.0] * 5
    with pytest.raises(ingot.GuardError, match="branch") as caught:
        module(-torch.ones(3))
    assert "if x.sum() > 0:" in caught.value.location
    other = ingot.trace(branch, -torch.ones(3))
    assert other(-torch.ones(2)).tolist() == [-2.0] * 2
    with pytest.raises(ingot.GuardError):
        other(torch.ones(3))


def test_every_turn_of_a_loop_on_values_is_guarded():
    def double(x):
        while x.sum() < 30:
            x = x * 2
        return x

    module = ingot.trace(double, torch.ones(7))
    assert module(torch.ones(7)).sum() == 56
    for x in (torch.ones(3), torch.ones(7) * 100):
        with pytest.raises(ingot.GuardError):
            module(x)


def test_an_item_flows_as_a_number():
    module = ingot.trace(lambda x: x * x.sum().item(), torch.ones(1, 4))
    assert module(torch.ones(2, 3)).tolist() == [[6.0] * 3] * 2


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x * int(x.argmax().item()),
        lambda x: x * float(x.max()),
        lambda x: x[: int(x.argmax()) + 1],
        lambda x: x * math.sqrt(x.max()),
        lambda x: x * round(float(x.max())),
        lambda x: x * round(x.max().item() / 7, 2),
        lambda x: x + np.sqrt(x.max().item()),
    ],
)
def test_a_converted_number_flows_on(function):
    module = ingot.trace(function, torch.tensor([1.0, 3.0, 2.0, 0.0]))
    for x in (torch.tensor([1.0, 3.0, 2.0, 0.0]), torch.tensor([9.0, 0.0, 0.5])):
        torch.testing.assert_close(module(x), function(x))


def test_a_number_that_python_needs_is_guarded():
    def function(x):
        return x * [1, 2, 3, 4][int(x.argmax())]

    example = torch.tensor([1.0, 3.0, 2.0, 0.0])
    module = ingot.trace(function, example)
    torch.testing.assert_close(module(example), function(example))
    with pytest.raises(ingot.GuardError, match="number"):
        module(torch.tensor([9.0, 0.0, 0.0, 0.0]))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: torch.tensor([v.mean() for v in x[:2]]),
        lambda x: torch.tensor([[x.mean().item(), 1.0], [2, x.shape[0]]]),
        lambda x: torch.tensor([x.shape[0], x.shape[1]]),
        lambda x: x.new_tensor([x.sum(), x.shape[1]]),
        lambda x: torch.as_tensor([x.shape[0], 0.5], dtype=torch.float64),
    ],
)
def test_a_tensor_of_numbers_of_the_input(function):
    module = ingot.trace(function, torch.rand(3, 4))
    for sizes in ((3, 4), (5, 2)):
        x = torch.rand(sizes)
        torch.testing.assert_close(module(x), function(x))


@pytest.mark.parametrize("function", [torch.equal, torch.allclose])
def test_comparing_whole_tensors_is_a_branch(function):
    module = ingot.trace(lambda x, y: x * 2 if function(x, y) else y, (torch.ones(3),) * 2)
    assert module(torch.ones(2), torch.ones(2)).tolist() == [2.0] * 2
    with pytest.raises(ingot.GuardError):
        module(torch.ones(2), torch.zeros(2))


def test_results_whose_size_depends_on_values():
    module = ingot.trace(lambda x: x[x > 0] * 2, torch.tensor([1.0, -1.0, 2.0]))
    assert module(torch.tensor([-1.0, 3.0])).tolist() == [6.0]
    assert module(-torch.ones(4)).tolist() == []


def test_ints_and_floats_are_inputs():
    module = ingot.trace(lambda x, n, f: x * n + f, (torch.ones(3), 4, 0.5))
    assert [p.type for p in module.inputs()] == ["f32[s0]", "int", "float"]
    assert module(torch.ones(2), -3, 1.25).tolist() == [-1.75] * 2


def test_an_int_as_a_size():
    module = ingot.trace(lambda x, n: x[:n], (torch.arange(5.0), 3))
    assert module(torch.arange(5.0), 2).tolist() == [0.0, 1.0]
    assert module(torch.arange(2.0), 4).tolist() == [0.0, 1.0]


def test_a_branch_on_a_float_is_a_guard():
    module = ingot.trace(lambda x, f: x * f if f > 3 else x, (torch.ones(2), 4.5))
    assert module(torch.ones(2), 3.5).tolist() == [3.5] * 2
    with pytest.raises(ingot.GuardError):
        module(torch.ones(2), 2.0)


@pytest.mark.parametrize(("value", "other"), [(True, False), ("a", "b"), (1 + 2j, 2 + 2j)])
def test_other_plain_inputs_are_guarded(value, other):
    module = ingot.trace(lambda x, v: x * 2 if v == value else x, (torch.ones(2), value))
    assert module(torch.ones(2), value).tolist() == [2.0] * 2
    with pytest.raises(ingot.GuardError, match="input v must be"):
        module(torch.ones(2), other)


def test_none_is_a_type():
    module = ingot.trace(lambda x, y: x * 2 if y is None else x + y, (torch.ones(2), None))
    assert module(torch.ones(2), None).tolist() == [2.0] * 2
    with pytest.raises(ingot.Error):
        module(torch.ones(2), torch.ones(2))


def test_a_dtype_is_a_guard():
    module = ingot.trace(lambda x: x * 2 if x.dtype == torch.float32 else x, torch.ones(2))
    with pytest.raises(ingot.Error, match="f64"):
        module(torch.ones(2, dtype=torch.float64))


def test_an_assert_of_the_model_is_kept():
    def positive(x):
        assert x.sum() > 0
        return x * 2

    module = ingot.trace(positive, torch.ones(3))
    assert module(torch.ones(2)).tolist() == [2.0] * 2
    with pytest.raises(ingot.Error):
        module(-torch.ones(2))


class Window(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.window = torch.ones(3)

    def forward(self, x):
        if self.window.data.type() != x.data.type():
            self.window = self.window.type_as(x)
        return x * self.window


def test_a_constant_that_only_its_type_is_asked_of():
    module = ingot.trace(Window(), torch.rand(2, 3))
    x = torch.rand(5, 3)
    torch.testing.assert_close(module(x), x)
