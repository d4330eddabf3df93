"""Conjugates, which are views in PyTorch: the same answer, or an error, never another answer."""

import pytest
import torch
from agreement import check
from torch import Tensor

import ingot

X = torch.tensor([[1 + 2j, 3 - 1j], [0.5j, -2 - 2j]])


def transposed(x: Tensor) -> list[Tensor]:
    return [x.conj() * 1, x.mH * 1, x.H * 1, x.adjoint() * 1, x.mT, torch.conj_physical(x)]


def collected(x: Tensor) -> Tensor:
    found: list[Tensor] = []
    for row in x:
        found.append(row.conj())
    return torch.stack(found)


def written_before(x: Tensor) -> Tensor:
    y = x * 2
    y[0] = 1
    return y.conj() + y


def test_values():
    check(transposed, (X,), (X.real.contiguous(),))
    check(collected, (X,), (X.real.contiguous(),))
    check(written_before, (X,), (X.real.contiguous(),))


def view_written(x: Tensor) -> Tensor:
    z = x * 2
    y = z.conj()
    y.add_(1)
    return z


def source_written(x: Tensor) -> Tensor:
    z = x * 2
    y = z.mH
    z[0] = 1
    return y


def written_in_the_next_round(x: Tensor, n: int) -> Tensor:
    z = x * 2
    y = z
    for _ in range(n):
        z += 1
        y = z.conj()
    return y


@pytest.mark.parametrize("function", [view_written, source_written, written_in_the_next_round])
def test_writes_that_a_copy_would_not_show_are_refused(function):
    with pytest.raises(ingot.Error, match="conj gives a view in PyTorch") as caught:
        ingot.script(function)
    assert "test_conjugates.py" in str(caught.value)
