"""Reading at places that a grid names, against PyTorch."""

from __future__ import annotations

import itertools

import pytest
import torch
from tests.ops.oracle import FLOATS, check, run

import ingot


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("rank", [2, 3])
def test_modes(rank: int, align_corners: bool, dtype: torch.dtype) -> None:
    x = torch.randn(2, 3, *(5, 7, 4)[:rank], dtype=dtype)
    grid = (torch.rand(2, *(4, 3, 2)[:rank], rank) * 4 - 2).to(dtype)
    grid.view(-1)[:6] = torch.tensor([-1, 1, 0, 0.5, 1e4, -1e4]).to(dtype)
    for mode, padding in itertools.product(range(3 if rank == 2 else 2), range(3)):
        check(f"aten::grid_sampler_{rank}d", x, grid, mode, padding, align_corners)
        check(f"aten::grid_sampler_{rank}d", x[:, :0], grid, mode, padding, align_corners)


X = torch.zeros(1, 2, 3, 3)


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ((torch.zeros(1, 2, 2, 3), 0, 0, False), "2 coordinates"),
        ((torch.zeros(2, 2, 2, 2), 0, 0, False), "batch size 1"),
        ((torch.zeros(1, 2, 2, 2), 3, 0, False), "interpolation mode 3"),
        ((torch.zeros(1, 2, 2, 2), 0, 3, False), "padding mode 3"),
    ],
)
def test_bad_input(args: tuple, sentence: str) -> None:
    with pytest.raises(ingot.Error, match=sentence):
        run("aten::grid_sampler_2d", X, *args)


def test_no_number_is_outside() -> None:
    grid = torch.full((1, 1, 1, 2), torch.nan)
    for mode, padding in itertools.product(range(3), range(3)):
        run("aten::grid_sampler_2d", X + 1, grid, mode, padding, False)
