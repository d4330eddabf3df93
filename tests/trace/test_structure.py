"""Nested inputs and outputs."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass

import pytest
import torch

import ingot

Pair = namedtuple("Pair", "first second")


@dataclass
class Batch:
    tokens: torch.Tensor
    scale: int = 2


def test_dicts():
    module = ingot.trace(
        lambda d: {"sum": d["a"] + d["b"], "a": d["a"]}, ({"a": torch.ones(2), "b": torch.ones(2)},)
    )
    result = module({"b": torch.ones(3), "a": torch.zeros(3)})
    assert list(result) == ["sum", "a"]
    assert result["sum"].tolist() == [1.0] * 3
    for wrong in ({"a": torch.ones(2)}, {k: torch.ones(2) for k in "abc"}):
        with pytest.raises(ingot.Error):
            module(wrong)
    with pytest.raises(ingot.GuardError, match=r"d\['b'\]"):
        module({"a": torch.ones(2), "b": torch.ones(2, dtype=torch.float64)})


def test_lists_have_their_length():
    module = ingot.trace(lambda xs: [x * 2 for x in xs], ([torch.ones(2), torch.ones(3)],))
    assert [v.tolist() for v in module([torch.ones(1), torch.ones(2)])] == [[2.0], [2.0, 2.0]]
    with pytest.raises(ingot.GuardError, match="length of input xs must be 2"):
        module([torch.ones(1)])


def test_mixed_containers():
    def function(xs):
        return [xs[0] * xs[1], xs[1], "text", None, 2.5, (True, {"k": xs[0]})]

    module = ingot.trace(function, ([torch.ones(2), 3],))
    result = module([torch.ones(3), 5])
    assert result[0].tolist() == [5.0] * 3
    assert result[1:5] == [5, "text", None, 2.5]
    assert result[5][0] is True
    assert result[5][1]["k"].tolist() == [1.0] * 3


def test_named_tuples_and_dataclasses():
    module = ingot.trace(
        lambda p, b: Pair(p.first + p.second, b.tokens * b.scale),
        (Pair(torch.ones(2), torch.ones(2)), Batch(torch.ones(3))),
    )
    result = module(Pair(torch.ones(4), torch.ones(4)), Pair(torch.ones(2), 5))
    assert type(result).__name__ == "Pair"
    assert result.first.tolist() == [2.0] * 4
    assert result.second.tolist() == [5.0] * 2


def test_sizes_and_numbers_come_back():
    module = ingot.trace(
        lambda x: (x.shape[0], tuple(x.shape), x.numel(), x.shape[0] > 2, x.sum().item()),
        torch.ones(3, 2),
    )
    assert module(torch.ones(4, 5)) == (4, (4, 5), 20, True, 20.0)


def test_results_of_torch_keep_their_fields():
    result = ingot.trace(lambda x: x.max(0), torch.ones(3, 2))(torch.tensor([[1.0], [5.0]]))
    assert result.values.tolist() == [5.0]
    assert result.indices.tolist() == [1]


def test_keyword_inputs():
    module = ingot.trace(
        lambda x, *, scale, shift=1: x * scale + shift, torch.ones(2), {"scale": 3.0}
    )
    assert module(torch.ones(2), scale=4.0).tolist() == [5.0] * 2


def test_empty_containers():
    result = ingot.trace(lambda x: ((), [], {}, x), torch.ones(2))(torch.ones(3))
    assert result[:3] == ((), [], {})


def test_an_object_that_no_program_holds_is_named():
    class Box:
        pass

    with pytest.raises(ingot.Error, match="Box"):
        ingot.trace(lambda x: Box(), torch.ones(2))
    with pytest.raises(ingot.Error, match="the input x is a .*Box"):
        ingot.trace(lambda x: x, (Box(),))
