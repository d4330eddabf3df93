"""Sparse matrices inside a model: graph networks multiply by them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import ingot

PLACES = torch.tensor([[0, 2, 2, 1, 2], [1, 3, 0, 3, 3]])
WEIGHTS = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0])  # two of them at one place
X = torch.rand(4, 3)


def made(places, weights, rows=4):
    return torch.sparse_coo_tensor(places, weights, (rows, rows))


class SpecialProduct(torch.autograd.Function):
    @staticmethod
    def forward(ctx, places, weights, sizes, x):
        return torch.matmul(torch.sparse_coo_tensor(places, weights, sizes), x)


FUNCTIONS = [
    lambda i, v, x: torch.sparse.mm(made(i, v), x),
    lambda i, v, x: torch.spmm(torch.sparse.FloatTensor(i, v, torch.Size([4, 4])), x),
    lambda i, v, x: made(i, v, x.size(0)).t() @ x,
    lambda i, v, x: made(i, v).transpose(0, 1).coalesce() @ x,
    lambda i, v, x: made(i, v).to_dense() @ x,
    lambda i, v, x: torch.addmm(x, made(i, v), x, beta=0.5, alpha=2.0),
    lambda i, v, x: SpecialProduct.apply(i, v, torch.Size([4, 4]), x),
    lambda i, v, x: torch.sparse.mm(x.to_sparse(), x.t()) + (x @ x.t()).to_sparse().to_dense(),
]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_products_of_sparse_matrices(function):
    module = ingot.trace(function, (PLACES, WEIGHTS, X))
    infinite = X.clone()
    infinite[3, 1] = float("inf")  # only where a place asks for it
    for places, weights, x in (
        (PLACES, WEIGHTS, X),
        (PLACES % 3, -WEIGHTS, infinite),
        (PLACES * 0, WEIGHTS, X + 1),
    ):
        expected = function(places, weights, x)
        torch.testing.assert_close(module(places, weights, x), expected, equal_nan=True)


class Graph(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("kept", made(PLACES, WEIGHTS))
        self.plain = made(PLACES, WEIGHTS).coalesce()

    def forward(self, x):
        return torch.sparse.mm(self.kept, x) + self.plain.t() @ x


def test_sparse_matrices_that_a_model_holds(tmp_path):
    model = Graph()
    before = model.kept.to_dense()
    ingot.trace(model, X).save(tmp_path / "graph.ingot")
    module = ingot.load(tmp_path / "graph.ingot")
    torch.testing.assert_close(module(X + 1), model(X + 1))
    assert torch.equal(model.kept.to_dense(), before)


@pytest.mark.parametrize(
    "function",
    [
        lambda i, v, x: made(i, v),
        lambda i, v, x: (made(i, v) * 2).to_dense(),
        lambda i, v, x: made(i, v).coalesce().values(),
        lambda i, v, x: torch.sparse.softmax(made(i, v), 1).to_dense(),
    ],
)
def test_other_uses_are_refused(function):
    with pytest.raises(ingot.Error):
        ingot.trace(function, (PLACES, WEIGHTS, X))
