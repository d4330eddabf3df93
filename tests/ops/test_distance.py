"""Distances, bags of embeddings and sums of products against PyTorch."""

from __future__ import annotations

import itertools

import pytest
import torch
from tests.ops.oracle import FLOATS, check, run

import ingot

WIDE = [torch.float32, torch.float64]
NORMS = [0.0, 0.5, 1.0, 2.0, 3.0, torch.inf]


@pytest.mark.parametrize("dtype", WIDE)
@pytest.mark.parametrize("p", NORMS)
def test_distances(p: float, dtype: torch.dtype) -> None:
    a, b = torch.randn(2, 1, 5, 4, dtype=dtype), torch.randn(3, 7, 4, dtype=dtype)
    for mode in (None, 1, 2):
        check("aten::_cdist_forward", a, b, p, mode)
    check("aten::_cdist_forward", a[..., :0], b[..., :0], p, None)
    check("aten::_cdist_forward", a, b[:, :0], p, None)
    check("aten::_pdist_forward", b[0], p)
    check("aten::_pdist_forward", b[0, :1], p)
    x = torch.tensor([[1, torch.nan], [0, 1]], dtype=dtype)
    if p != torch.inf:  # PyTorch's own largest distance keeps a NaN or loses it by the kernel
        check("aten::_cdist_forward", x, x, p, 2)
    check("aten::_pdist_forward", x, p)


def test_euclidean_distance() -> None:
    check("aten::_euclidean_dist", torch.randn(40, 3), torch.randn(30, 3))


@pytest.mark.parametrize("dtype", FLOATS)
def test_embedding_bags(dtype: torch.dtype) -> None:
    weight = torch.randn(10, 4, dtype=dtype)
    indices = torch.tensor([1, 2, 4, 5, 4, 3, 2, 9])
    offsets = torch.tensor([0, 3, 3, 5, 8])
    share = torch.rand(8, dtype=dtype)
    for op, padding in itertools.product(
        ("_embedding_bag", "_embedding_bag_forward_only"), (-1, 2)
    ):
        for mode, last, index in itertools.product(
            range(3), (False, True), (torch.int64, torch.int32)
        ):
            check(f"aten::{op}", weight, indices.to(index), offsets.to(index), False, mode, False,
                  None, last, padding)  # fmt: skip
        check(f"aten::{op}", weight, indices, offsets, False, 0, False, share, False, padding)
    for norm in (1.0, 2.0, torch.inf):
        check("aten::embedding_renorm", weight, indices, 0.7, norm, infer=False)


@pytest.mark.parametrize("dtype", [*WIDE, torch.int64])
def test_trilinear(dtype: torch.dtype) -> None:
    a, b = (torch.randint(-4, 4, (3, n)).to(dtype) for n in (5, 6))
    weight = torch.randint(-4, 4, (2, 5, 6)).to(dtype)
    check("aten::_trilinear", a, weight, b, [1, 3], [0], [1, 2], [2, 3], infer=True)
    check("aten::_trilinear", a, weight, b, [1, 3], [0], [1, 2], [2], 3)
    check("aten::_trilinear", a[:0], weight, b[:0], [1, 3], [0], [1, 2], [2, 3])


@pytest.mark.parametrize("reduce", ["sum", "mean", "max", "min", "prod"])
@pytest.mark.parametrize("dtype", FLOATS)
def test_segment_reduce(dtype: torch.dtype, reduce: str) -> None:
    x = torch.randn(2, 6, 3, dtype=dtype)
    x[0, 1, 0] = torch.nan
    for initial in (None, 1.0):
        lengths = torch.tensor([[2, 0, 4], [1, 5, 0]])
        check("aten::segment_reduce", x, reduce, lengths=lengths, axis=1, initial=initial)
        offsets = torch.tensor([[0, 2, 2, 6], [0, 1, 6, 6]])
        check("aten::segment_reduce", x, reduce, offsets=offsets, axis=1, initial=initial)
        check("aten::segment_reduce", x[1], reduce, lengths=lengths[0], initial=initial)


@pytest.mark.parametrize(
    ("name", "args", "sentence"),
    [
        ("_cdist_forward", (torch.zeros(2, 3), torch.zeros(2, 4), 2.0, None), "differ in length"),
        ("_cdist_forward", (torch.zeros(2, 3), torch.zeros(2, 3), -1.0, None), "not be negative"),
        ("_pdist_forward", (torch.zeros(2, 2, 3), 2.0), "one matrix"),
        ("_embedding_bag", (torch.zeros(3, 2), torch.tensor([3]), torch.tensor([0])), "index 3"),
        ("_embedding_bag", (torch.zeros(3, 2), torch.tensor([1]), torch.tensor([1])), "begin with"),
        ("_embedding_bag", (torch.zeros(3, 2), torch.tensor([1]), torch.tensor([0, 5])), "index 5"),
        ("embedding_renorm", (torch.zeros(3, 2), torch.tensor([3]), 1.0, 2.0), "index 3"),
        ("segment_reduce", (torch.zeros(3), "sum", torch.tensor([2])), "add up to 2"),
        ("segment_reduce", (torch.zeros(3), "sum", torch.tensor([-2])), "index -2"),
        ("segment_reduce", (torch.zeros(3), "all", torch.tensor([3])), "unknown"),
        (
            "_trilinear",
            (torch.zeros(2), torch.zeros(3), torch.zeros(2), [], [], [], []),
            "broadcast",
        ),
    ],
)
def test_bad_input(name: str, args: tuple, sentence: str) -> None:
    with pytest.raises(ingot.Error, match=sentence):
        run(f"aten::{name}", *args)
