"""Reductions and running reductions against PyTorch."""

from __future__ import annotations

import math

import pytest
import torch
from tests.ops.opinfo import calls
from tests.ops.oracle import check, run

import ingot

FLOATS = [torch.float32, torch.float64, torch.float16, torch.bfloat16]
INTEGERS = [torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8]

# PyTorch's OpInfo and the aten name.
ANY_DTYPE = {
    "sum": "sum", "nansum": "nansum", "prod": "prod", "amax": "amax", "amin": "amin",
    "any": "any", "all": "all", "count_nonzero": "count_nonzero", "aminmax": "aminmax",
    "cumsum": "cumsum", "cumprod": "cumprod", "cummax": "cummax", "cummin": "cummin",
    "trace": "trace",
}  # fmt: skip
NO_BOOL = {"argmax": "argmax", "argmin": "argmin"}
FLOATING = {
    "mean": "mean", "nanmean": "nanmean", "var": "var", "std": "std", "var_mean": "var_mean",
    "std_mean": "std_mean", "logcumsumexp": "logcumsumexp",
    "linalg.vector_norm": "linalg_vector_norm",
}  # fmt: skip
CASES = [
    *[(f, p, d) for f, p in ANY_DTYPE.items() for d in [*FLOATS, *INTEGERS, torch.bool]
      if not (f == "trace" and d == torch.bool) and not (f.startswith("cum") and d == torch.bool)],
    *[(f, p, d) for f, p in NO_BOOL.items() for d in [*FLOATS, *INTEGERS]],
    *[(f, p, d) for f, p in FLOATING.items() for d in FLOATS],
    *[("logsumexp", "logsumexp", d) for d in [*FLOATS, *INTEGERS]],
]  # fmt: skip


@pytest.mark.parametrize("function,packet,dtype", CASES, ids=str)
def test_opinfo_samples(function: str, packet: str, dtype: torch.dtype) -> None:
    for name, args, kwargs in calls(function, packet, dtype):
        check(name, *args, **kwargs)


@pytest.mark.parametrize("function", ["max", "min"])
@pytest.mark.parametrize("variant", ["reduction_no_dim", "reduction_with_dim"])
@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS, torch.bool])
def test_extremes(function: str, variant: str, dtype: torch.dtype) -> None:
    for name, args, kwargs in calls(function, function, dtype, variant):
        check(name, *args, **kwargs)


@pytest.mark.parametrize(
    "sizes", [(0,), (1,), (3, 17), (300, 5), (5, 300), (3, 0, 2), (2, 3, 257, 4)]
)
@pytest.mark.parametrize("keepdim", [False, True])
def test_every_dimension_and_layout(sizes: tuple[int, ...], keepdim: bool) -> None:
    x = torch.randn(sizes)
    dims = [[d] for d in range(len(sizes))] + [[0, -1]] * (len(sizes) > 1) + [[]]
    for dim in dims:
        check("aten::sum.dim_IntList", x, dim, keepdim)
        check("aten::mean.dim", x, dim, keepdim)
        check("aten::any.dims", x > 1, dim or None, keepdim)
        check("aten::var.correction", x, dim or None, correction=0, keepdim=keepdim)
        if all(sizes):
            check("aten::amax", x, dim, keepdim)
            if dim:  # PyTorch fails for [], which means all
                check("aten::logsumexp", x, dim, keepdim)
    for dim in range(len(sizes)):
        check("aten::cumsum", x, dim)
        if sizes[dim]:
            check("aten::max.dim", x, dim, keepdim)
            check("aten::argmin", x, dim, keepdim)
    check("aten::sum.dim_IntList", x.expand(4, *sizes), [0], keepdim)


@pytest.mark.parametrize("op", ["sum", "mean", "prod", "max", "min", "any", "all", "var", "std"])
def test_zero_dimensions_and_special_values(op: str) -> None:
    check(f"aten::{op}", torch.tensor(3.0))
    for value in (torch.nan, torch.inf, -torch.inf):
        x = torch.randn(70)
        x[33] = value
        check(f"aten::{op}", x)


def test_nan_wins_and_its_first_place_counts() -> None:
    x = torch.tensor([1.0, torch.nan, 5, torch.nan])
    for op in ("max.dim", "min.dim", "cummax", "cummin"):
        check(f"aten::{op}", x, 0)
    assert run("aten::argmax", x, None, False)[0].item() == 1
    ties = torch.tensor([2, 7, 7, 1, 1])
    assert run("aten::max.dim", ties, 0, False)[1].item() == 1
    assert run("aten::min.dim", ties, 0, False)[1].item() == 3


@pytest.mark.parametrize("dtype", FLOATS)
def test_long_sums_stay_accurate(dtype: torch.dtype) -> None:
    x = torch.rand(200_003).to(dtype)
    exact = math.fsum(x.double().tolist())
    (total,) = run("aten::sum", x.float())
    assert abs(total.item() - exact) <= 1e-7 * exact
    check("aten::mean", x)
    shifted = torch.randn(10_001, dtype=torch.float64) + 1e6
    check("aten::var.correction", shifted)


def test_integers_wrap() -> None:
    largest = torch.tensor([torch.iinfo(torch.int64).max, 1])
    check("aten::sum", largest)
    check("aten::cumsum", largest, 0)
    check("aten::prod", torch.tensor([torch.iinfo(torch.int64).max, 2]))


@pytest.mark.parametrize(
    "name,args,sentence",
    [
        ("aten::sum.dim_IntList", (torch.zeros(2, 3), [2]), "out of range"),
        ("aten::sum.dim_IntList", (torch.zeros(2, 3), [0, 0]), "twice"),
        ("aten::amax", (torch.zeros(0, 3), [0]), "empty"),
        ("aten::max", (torch.zeros(0),), "empty"),
        ("aten::argmax", (torch.zeros(3, 0), 1), "empty"),
        ("aten::mean", (torch.zeros(3, dtype=torch.int64),), "floating dtype"),
        ("aten::var.correction", (torch.zeros(3, dtype=torch.int64),), "floating dtype"),
        ("aten::cumsum", (torch.zeros(3), 1), "out of range"),
        ("aten::trace", (torch.zeros(3),), "matrix"),
    ],
)
def test_wrong_arguments_are_refused(name: str, args: tuple, sentence: str) -> None:
    with pytest.raises(ingot.Error, match=sentence):
        run(name, *args)
