"""What the comparison with eager says when a program is wrong."""

from __future__ import annotations

import pytest
import torch

import ingot
from ingot import _ingot
from ingot.capture import check, locate


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


def test_a_program_that_differs_is_refused(monkeypatch):
    monkeypatch.setattr(
        check, "difference", lambda found, expected, where="the output": f"{where} differs"
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
