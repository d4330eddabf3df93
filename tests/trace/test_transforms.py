"""Transforms of functions inside a model."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import ingot

torch.manual_seed(0)
LAYER = nn.Linear(4, 3)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: torch.vmap(LAYER)(x),
        lambda x: torch.vmap(lambda row: (row * 2).sum() - row.mean())(x),
        lambda x: torch.func.grad(lambda y: LAYER(y).pow(2).sum())(x),
        lambda x: torch.func.grad_and_value(lambda y: LAYER(y).sin().sum())(x),
        lambda x: torch.vmap(torch.func.grad(lambda row: LAYER(row).sin().sum()))(x),
        lambda x: torch.vmap(torch.func.jacrev(lambda row: LAYER(row).sin()))(x),
    ],
)
def test_transforms_are_traced_in_plain_ops(function):
    module = ingot.trace(function, torch.rand(2, 4))
    for rows in (2, 5):
        x = torch.rand(rows, 4)
        torch.testing.assert_close(module(x), function(x))
