"""Sorts whose elements are often equal: the order of equal ones is PyTorch's, too."""

from __future__ import annotations

import pytest
import torch
from tests.ops.oracle import check

DTYPES = [
    torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64,
    torch.float16, torch.bfloat16, torch.float32, torch.float64,
]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sizes", [(16,), (17,), (8000,), (40000,), (60, 70)], ids=str)
def test_equal_elements_stand_as_in_pytorch(sizes: tuple[int, ...], dtype: torch.dtype) -> None:
    x = torch.randint(0, 5, sizes).to(dtype)
    for descending in (False, True):
        for dim in range(len(sizes)):
            check("aten::sort", x, dim, descending)
            check("aten::argsort", x, dim, descending)
            for stable in (True, False, None):
                check("aten::sort.stable", x, stable=stable, dim=dim, descending=descending)
