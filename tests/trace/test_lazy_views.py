"""Conjugates, which PyTorch keeps as views: the same answer, or an error, never another answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.utils._pytree import tree_flatten

import ingot

X = torch.tensor([[1 + 2j, 3 - 1j], [0.5j, -2 - 2j]])


def temporary_then_written(x: torch.Tensor) -> torch.Tensor:
    y = (x * 2).conj()
    y.add_(1 + 1j)
    return y


def written_before(x: torch.Tensor) -> torch.Tensor:
    z = x * 2
    z.add_(1j)
    return z.conj() + z


def written_when_read_no_more(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    z = x * 2
    product = z * z.conj()
    z.add_(1j)
    return z, product


def resolved_is_a_copy(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    z = x * 2
    y = z.conj().resolve_conj()
    y.add_(1j)
    return z, y


def parts_of_conjugates(x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    return x.conj().imag, x.conj().real, x.mH, x.H, x.adjoint(), x.conj().conj()


def negated_view(x: torch.Tensor) -> torch.Tensor:
    return torch._neg_view(x) * x


def of_real_numbers(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    z = x.real * 1
    y = z.conj()
    y.add_(1)
    return z, y


RIGHT = [
    temporary_then_written, written_before, written_when_read_no_more, resolved_is_a_copy,
    parts_of_conjugates, negated_view, of_real_numbers,
]  # fmt: skip


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("function", RIGHT)
def test_values_are_pytorchs(function: Callable[..., Any], check: bool) -> None:
    module = ingot.trace(function, (X.clone(),), check=check)
    given, expected_given = X.clone(), X.clone()
    found, expected = tree_flatten(module(given))[0], tree_flatten(function(expected_given))[0]
    assert torch.equal(given, expected_given)
    assert len(found) == len(expected)
    for got, want in zip(found, expected, strict=True):
        assert torch.equal(got, want.resolve_conj().resolve_neg())


def view_written(x: torch.Tensor) -> torch.Tensor:
    z = x * 2
    y = z.conj()
    y.add_(1 + 1j)
    return z


def source_written(x: torch.Tensor) -> torch.Tensor:
    z = x * 2
    y = z.conj()
    z.add_(1 + 1j)
    return y


def input_written(x: torch.Tensor) -> torch.Tensor:
    return x.conj().add_(1)


def row_of_view_written(x: torch.Tensor) -> torch.Tensor:
    z = x * 2
    z.conj()[0].mul_(1j)
    return z


def imaginary_part_written(x: torch.Tensor) -> torch.Tensor:
    z = x * 2
    z.conj().imag.add_(1)
    return z


def transposed_view_written(x: torch.Tensor) -> torch.Tensor:
    z = x * 2
    z.mH[0, 1] = 7j
    return z


def seen_through_second_view(x: torch.Tensor) -> torch.Tensor:
    z = x * 2
    y = z.conj()
    again = y.conj()
    again.add_(1j)
    return y


def negated_view_written(x: torch.Tensor) -> torch.Tensor:
    z = x * 2
    torch._neg_view(z).add_(1)
    return z


REFUSED = [
    view_written, source_written, input_written, row_of_view_written, imaginary_part_written,
    transposed_view_written, seen_through_second_view, negated_view_written,
]  # fmt: skip


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("function", REFUSED)
def test_writes_that_a_copy_would_not_show_are_refused(
    function: Callable[..., Any], check: bool
) -> None:
    with pytest.raises(
        ingot.Error, match="gives a view in PyTorch, and the model then writes"
    ) as e:
        ingot.trace(function, (X.clone(),), check=check)
    assert "test_lazy_views.py" in str(e.value)


def bytes_of(x):
    turned = torch.relu(x).transpose(0, 1).contiguous()
    return x.view(torch.int32), turned.view(torch.int16), torch.view_as_complex(turned)


def cleared_signs(x):
    y = x.clone()
    y.view(torch.int32).bitwise_and_(0x7FFFFFFF)
    return y


@pytest.mark.parametrize("function", [bytes_of, cleared_signs])
def test_views_of_bytes(function) -> None:
    traced = ingot.trace(function, (torch.randn(2, 5),))
    for n in (5, 3, 8):
        x = torch.randn(2, n)
        torch.testing.assert_close(traced(x), function(x), rtol=0, atol=0)
