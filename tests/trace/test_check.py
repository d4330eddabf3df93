"""What the comparison with eager says when a program is wrong."""

from __future__ import annotations

import pytest
import torch

import ingot
from ingot import _ingot
from ingot.capture import check, locate
from ingot.capture.compare import difference


def test_a_wrong_kernel_is_found_with_its_line(monkeypatch):
    call = _ingot.call_op

    def wrong(name, args):
        results = call(name, args)
        return tuple(r + 1 for r in results) if name == "aten::tanh" else results

    def function(x):
        y = x * 2
        return y.tanh() + 1

    module = ingot.trace(function, torch.ones(3))
    monkeypatch.setattr(_ingot, "call_op", wrong)
    clause, lines = locate.first_difference(module.program, [torch.ones(3)], {})
    assert "aten::tanh" in clause
    assert "y.tanh() + 1" in lines


def test_ops_without_tensors_are_compared_too():
    def function(x):
        steps = torch.arange(x.shape[0]) + torch.ones(x.shape[0], dtype=torch.bfloat16)
        return x * steps

    module = ingot.trace(function, torch.ones(3))
    assert locate.first_difference(module.program, [torch.ones(3)], {}) == ("", "")


def test_a_program_that_differs_is_refused(monkeypatch):
    monkeypatch.setattr(
        check,
        "difference",
        lambda found, expected, where="the output", slack=1.0: f"{where} differs",
    )
    with pytest.raises(ingot.Error, match="on the example inputs: the output differs"):
        ingot.trace(lambda x: x * 2, torch.ones(3))
    ingot.trace(lambda x: x * 2, torch.ones(3), check=False)


def test_equal_elements_may_be_sorted_in_any_order():
    def ranks(x):
        values, places = x.sort(-1, descending=True)
        return values, places, x.argsort(0), x.topk(3).indices

    module = ingot.trace(ranks, (torch.randint(0, 5, (40, 200)),))
    x = torch.randint(0, 5, (7, 33))
    values, places, order, top = module(x)
    assert torch.equal(x.gather(1, places), values)
    assert torch.equal(x.gather(0, order), x.sort(0).values)
    assert torch.equal(x.gather(1, top), x.topk(3).values)


def rounding(factor):
    """A function whose result is the rounding of a product, times a factor."""

    def function(x, y):
        return (x @ y - (x.double() @ y.double()).float()) * factor

    return function


def slightly_different():
    """Such a function and inputs for which programs and PyTorch differ by 3e-5."""
    inputs = torch.randn(64, 4096), torch.randn(4096, 64)
    module = ingot.trace(rounding(1.0), inputs, check=False, dynamic=False)
    most = (module(*inputs) - rounding(1.0)(*inputs)).abs().max().item()
    return rounding(3e-5 / most), inputs


def test_roundings_that_add_up_are_no_difference():
    function, inputs = slightly_different()
    module = ingot.trace(function, inputs, check=False, dynamic=False)
    assert difference(module(*inputs), function(*inputs)), "this is what the check forgives"
    ingot.trace(function, inputs, dynamic=False)


def test_roundings_are_not_excused_where_they_are_large():
    x, y = torch.randn(64, 4096), torch.randn(4096, 64)
    with pytest.raises(ingot.Error, match="differs from the model on the example inputs"):
        ingot.trace(rounding(1e3), (x, y))


def test_a_kernel_that_is_nearly_right_is_refused(monkeypatch):
    call = _ingot.call_op

    def wrong(name, args):
        results = call(name, args)
        return tuple(r * 1.001 for r in results) if name == "aten::matmul" else results

    function, inputs = slightly_different()
    monkeypatch.setattr(_ingot, "call_op", wrong)
    with pytest.raises(ingot.Error, match="begins where the result of aten::matmul"):
        ingot.trace(function, inputs, dynamic=False)


def test_writes_are_compared_where_the_order_of_elements_is_free():
    def ranks(x):
        order = x.argsort()
        x.add_(1)
        return order

    module = ingot.trace(ranks, (torch.zeros(8, dtype=torch.int64),))
    x = torch.zeros(8, dtype=torch.int64)
    module(x)
    assert torch.equal(x, torch.ones(8, dtype=torch.int64))
