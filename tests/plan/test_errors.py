"""Errors inside planned code: the interpreter's, and the module goes on."""

from __future__ import annotations

from typing import Optional

import pytest
import torch
from tests.plan.agreement import check_calls, scripted
from torch import Tensor, nn


def index_beyond(x: Tensor, i: int) -> Tensor:
    y = x * 2 + 1
    return y[i] - y.sum(0)


def indices_beyond(x: Tensor, indices: Tensor) -> tuple[Tensor, Tensor]:
    y = (x * 2).relu()
    return y[indices] + 1, torch.nn.functional.embedding(indices, y)


def sizes_apart(x: Tensor, y: Tensor) -> Tensor:
    return (x.exp() + y) * x


def product_apart(x: Tensor, y: Tensor) -> Tensor:
    z = x.relu()
    z += 1
    return z @ y.t() - 1


def asserted(x: Tensor) -> Tensor:
    y = x * 2
    assert y.size(0) < 4, "too many rows"
    assert bool((y < 100).all()), "too large"
    return y.relu()


def unwrapped(x: Tensor, y: Optional[Tensor]) -> Tensor:  # noqa: UP045
    z = x + 1
    assert y is not None
    return z * y


def view_of_strides(x: Tensor) -> Tensor:
    return (x * 2).view(-1) + x.view(-1)


def written_then_wrong(x: Tensor, y: Tensor) -> Tensor:
    x.add_(1)
    z = x * 2
    return z + y


def unread(x: Tensor, indices: Tensor) -> Tensor:
    y = (x * 2).relu()
    z = y[1:] * 3
    y[indices] = 0
    chosen = x[indices] - 1
    return z + chosen.size(0)


def undivided(x: Tensor, y: Tensor) -> Tensor:
    z = (x * 2).relu()
    rest = (y + 1).remainder(y) * 2 - 1
    rest.neg_().add_(y)
    return z + rest.size(0)


def unpacked(x: Tensor) -> Tensor:
    a, b = (x + 1).unbind(0)
    return a * b


X, Y = torch.randn(3, 4), torch.randn(5, 4)
INSIDE, OUTSIDE = torch.tensor([2, 0, -3]), torch.tensor([0, 3])


@pytest.mark.parametrize(
    ("function", "calls"),
    [
        (index_beyond, [(X, 1), (X, 3), (X, -3), (X, -4), (Y, 3)]),
        (indices_beyond, [(X, INSIDE.clamp(0)), (X, OUTSIDE), (X, INSIDE), (Y, OUTSIDE)]),
        (sizes_apart, [(X, X), (X, Y), (X, X[0]), (X, X[:, :3]), (Y, Y)]),
        (product_apart, [(X, Y), (X, Y[:, 1:]), (Y, X), (X[0], Y), (X, Y[0])]),
        (asserted, [(X,), (Y,), (X * 1000,), (X[:1],), (X[0, 0],)]),
        (unwrapped, [(X, X), (X, None), (X, Y), (X, X[0])]),
        (view_of_strides, [(X,), (X.t(),), (X[:, 1:],), (Y,)]),
        (written_then_wrong, [(X, X), (X, Y), (X, X[0]), (X.expand(2, 3, 4), X)]),
        (unread, [(X, INSIDE), (X, OUTSIDE), (X, INSIDE), (Y, OUTSIDE)]),
        (undivided, [(X, INSIDE + 7), (X, INSIDE), (X, OUTSIDE - 1), (Y, OUTSIDE)]),
        (unpacked, [(X[:2],), (X,), (X[:0],), (Y[:2],), (X[0],)]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)  # fmt: skip
def test_errors_of_tensors(function, calls) -> None:
    check_calls(scripted(function), *calls, *calls)


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.norm = nn.BatchNorm2d(8)
        self.last = nn.Linear(8 * 4, 5)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.conv(x)).relu_()
        y = nn.functional.max_pool2d(y, 2)
        return self.last(y.flatten(1)).softmax(-1)


def test_errors_of_layers() -> None:
    fits, large, small, channels = (
        torch.randn(2, 3, 6, 6), torch.randn(2, 3, 8, 8), torch.randn(2, 3, 2, 2),
        torch.randn(2, 4, 6, 6),
    )  # fmt: skip
    calls = [(x,) for x in (fits, large, small, channels, fits[0], fits.double(), fits[:1], fits)]
    check_calls(scripted(Network().eval()), *calls, *calls)


def test_errors_after_a_loop_and_in_a_branch() -> None:
    def steps(x: Tensor, n: int) -> Tensor:
        for i in range(n):
            x = (x * 2).relu() + x[i]
        if n > 2:
            x = x.view(4, -1) * 2
        return x - 1

    calls = [(X, 1), (X, 4), (X, 3), (Y, 3), (Y, 9), (Y[:, :3].contiguous(), 3), (X, 1)]
    check_calls(scripted(steps), *calls)
