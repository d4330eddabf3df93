"""Functions of torch that torch.export cannot carry as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import ingot

x = torch.randn(4, 5, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.arange(3, 10, 2),
        lambda: (torch.ones(2, 3), torch.full([2], 7), torch.eye(3)),
        lambda: torch.linspace(0, 1, 5) + torch.zeros(5),
        lambda: torch.hann_window(7),
    ],
)
def test_no_inputs(make: Callable[[], Any]) -> None:
    found, expected = ingot.trace(make)(), make()
    pairs = (
        zip(found, expected, strict=True) if isinstance(expected, tuple) else [(found, expected)]
    )
    for one, other in pairs:
        torch.testing.assert_close(torch.as_tensor(one), other)


def test_memory_that_nobody_wrote() -> None:
    def model(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        part = torch.empty_like(x)
        part[1:] = x[1:]
        return part, x.new_empty(3)

    part, empty = ingot.trace(model, (x,))(x)
    torch.testing.assert_close(part[1:], x[1:])
    assert empty.shape == (3,)


@pytest.mark.parametrize(
    ("function", "inputs"),
    [
        (lambda x, y: F.cross_entropy(x, y), (x, torch.tensor([0, 4, 2, 2]))),
        (lambda x, y: F.cross_entropy(x, y, reduction="none"), (x, torch.tensor([0, 4, -100, 2]))),
        (lambda x, y: F.multilabel_margin_loss(x, y), (x, torch.tensor([[0, 3, -1, 1, -1]] * 4))),
        (lambda x: torch.cov(x), (x,)),
        (lambda x: torch.cov(x, correction=0), (x.long(),)),
        (lambda x, w: torch.cov(x, aweights=w), (x, torch.rand(5))),
        (lambda x: torch.corrcoef(x), (x,)),
        (lambda x, m: torch.masked_select(x, m), (x, x[0] > 0)),
        (lambda y: F.one_hot(y), (torch.tensor([0, 3, 1]),)),
        (lambda y: F.one_hot(y, 6), (torch.tensor([0, 3, 1]),)),
        (lambda x, i: torch.tensor_split(x, i), (x, torch.tensor([1, -1, 3]))),
        (lambda x, i: x.tensor_split(i, dim=1), (x, torch.tensor([2, 9]))),
        (lambda x: x.tensor_split(3), (x,)),
    ],
)
def test_values(function: Callable[..., Any], inputs: tuple) -> None:
    found, expected = ingot.trace(function, inputs)(*inputs), function(*inputs)
    for one, other in zip(
        found if isinstance(expected, tuple) else [found],
        expected if isinstance(expected, tuple) else [expected],
        strict=True,
    ):
        torch.testing.assert_close(one, other)


def test_values_are_read_anew() -> None:
    module = ingot.trace(lambda y: F.one_hot(y), (torch.tensor([0, 3, 1]),))
    assert module(torch.tensor([5, 2])).shape == (2, 6)
    module = ingot.trace(lambda x, i: torch.tensor_split(x, i), (x, torch.tensor([1, 3])))
    assert [len(part) for part in module(x, torch.tensor([0, 2]))] == [0, 2, 2]


@pytest.mark.parametrize(
    "model",
    [
        nn.LSTM(5, 3, num_layers=3, dropout=0.5, bidirectional=True),
        nn.GRU(5, 3, num_layers=2, dropout=0.3),
        nn.RNN(5, 3, num_layers=2, dropout=0.3),
        nn.TransformerEncoderLayer(4, 2, 8, dropout=0.4, batch_first=True),
        nn.InstanceNorm1d(3, track_running_stats=True, affine=True),
        nn.Dropout1d(0.5),
    ],
    ids=lambda m: type(m).__name__,
)
def test_training(model: nn.Module) -> None:
    model.train()
    size = {"TransformerEncoderLayer": 4}.get(type(model).__name__, 5)
    given = torch.randn(2, 3, size, generator=torch.Generator().manual_seed(1))
    module = ingot.trace(model, (given,))
    torch.manual_seed(9)
    ingot.manual_seed(9)
    for _ in range(2):
        with torch.no_grad():
            expected = model(given)
        found = module(given)
        if isinstance(expected, tuple):
            found, expected = found[0], expected[0]
        torch.testing.assert_close(found, expected)
