"""What cannot be captured, in a sentence with the user's line."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import ingot


def test_a_model_that_fails_on_its_examples():
    with pytest.raises(ingot.Error, match="fails on the example inputs") as caught:
        ingot.trace(nn.Linear(3, 4), torch.ones(1, 5))
    assert "mat1 and mat2" in caught.value.message


def test_the_line_of_a_failure():
    def function(x):
        raise ValueError("no such thing")

    with pytest.raises(ingot.Error, match="no such thing") as caught:
        ingot.trace(function, torch.ones(1))
    assert 'raise ValueError("no such thing")' in caught.value.location


def test_all_missing_ops_are_listed():
    def function(x):
        return torch.poisson(x) + torch.binomial(x, x)

    with pytest.raises(ingot.Error, match="2 ops that Ingot does not have") as caught:
        ingot.trace(function, torch.ones(2, 2))
    assert "aten::poisson" in caught.value.message
    assert "aten::binomial" in caught.value.message
    assert caught.value.code == "unsupported"


def test_own_generator():
    generator = torch.Generator().manual_seed(0)
    with pytest.raises(ingot.Error, match="a torch.Generator of its own"):
        ingot.trace(lambda x: x + torch.rand(3, generator=generator), (torch.ones(3),))


@pytest.mark.parametrize("inputs", [{"x": 1}, 3, "text"])
def test_example_inputs_of_another_kind(inputs):
    with pytest.raises(ingot.Error, match="example_inputs"):
        ingot.trace(lambda x: x, inputs)


def test_a_target_that_is_not_callable():
    with pytest.raises(ingot.Error, match="nn.Module or a function"):
        ingot.trace(3, torch.ones(1))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_module_of_torch_jit():
    scripted = torch.jit.script(torch.nn.Linear(3, 3))
    for model in (scripted, torch.nn.Sequential(torch.nn.ReLU(), scripted)):
        with pytest.raises(ingot.Error, match=r"module of torch\.jit"):
            ingot.trace(model, torch.rand(2, 3))
