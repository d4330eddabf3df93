"""Counts in bins against PyTorch."""

from __future__ import annotations

import pytest
import torch
from tests.ops.opinfo import calls
from tests.ops.oracle import check, overload, run

import ingot

WIDE = [torch.float32, torch.float64]


@pytest.mark.parametrize("dtype", [*WIDE, torch.bfloat16], ids=str)
def test_histc(dtype: torch.dtype) -> None:
    for name, args, kwargs in calls("histc", "histc", dtype):
        check(name, *args, **kwargs)
    x = (torch.arange(40) % 7 / 2).to(dtype)
    check("aten::histc", x, 3)
    check("aten::histc", x, 6, 0, 3)
    check("aten::histc", x, 5, 1, 1)
    check("aten::histc", x[:1], 2)
    check("aten::histc", x[:0], 4)


@pytest.mark.parametrize("dtype", WIDE, ids=str)
def test_histogram(dtype: torch.dtype) -> None:
    for name, args, kwargs in calls("histogram", "histogram", dtype):
        check(name, *args, **kwargs)
    x = (torch.arange(60) % 11 / 3).to(dtype).view(3, 20)
    for density in (False, True):
        check("aten::histogram.bin_ct", x, 7, range=[0.0, 3.5], density=density)
        check("aten::histogram.bin_ct", x[:0], 7)
        check("aten::histogram.bin_ct", x, 4, weight=x.flip(0), density=density)
        edges = torch.tensor([0, 0.5, 0.5, 2, 3], dtype=dtype)
        check("aten::histogram.bins_tensor", x, edges[[0, 1, 3, 4]], density=density)
        check("aten::histogram.bins_tensor", x, edges, weight=x)


@pytest.mark.parametrize("dtype", WIDE, ids=str)
@pytest.mark.parametrize("density", [False, True])
def test_histogramdd(dtype: torch.dtype, density: bool) -> None:
    x = torch.randn(4, 50, 2, dtype=dtype)
    weight = torch.rand(4, 50, dtype=dtype)
    for options in ({}, {"range": [-1.0, 1, -2, 3]}, {"weight": weight}):
        bins = [3, 5]
        check("aten::_histogramdd_from_bin_cts", x, bins, infer=False, density=density, **options)
        got = run("aten::_histogramdd_bin_edges", x, bins, density=density, **options)[0]
        want = overload("aten::_histogramdd_bin_edges")(x, bins, density=density, **options)
        for a, b in zip(got, want, strict=True):
            torch.testing.assert_close(a, b)
    edges = [torch.linspace(-1, 1, 4, dtype=dtype), torch.linspace(-2, 0, 3, dtype=dtype)]
    check("aten::_histogramdd_from_bin_tensors", x, edges, infer=False, density=density)


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8], ids=str)
def test_bincount(dtype: torch.dtype) -> None:
    x = torch.tensor([1, 4, 4, 0, 9, 1]).to(dtype)
    for given in (x, x[:0]):
        check("aten::bincount", given, infer=False)
        check("aten::bincount", given, None, 12, infer=False)
        for weight in (torch.float32, torch.float64, torch.int64):
            check("aten::bincount", given, torch.arange(len(given)).to(weight), infer=False)


@pytest.mark.parametrize(
    ("name", "args", "sentence"),
    [
        ("aten::histc", (torch.zeros(3), 0), "number of bins"),
        ("aten::histc", (torch.tensor([torch.nan]),), "not finite"),
        ("aten::histc", (torch.zeros(3), 3, 2, 1), "before it starts"),
        ("aten::histogram.bins_tensor", (torch.zeros(3), torch.zeros(1)), "two or more"),
        ("aten::bincount", (torch.tensor([-1]),), "index -1 is out of range"),
        ("aten::bincount", (torch.zeros(2),), "integers in one dimension"),
        ("aten::_histogramdd_from_bin_cts", (torch.zeros(3, 2), [3]), "points of 2"),
    ],
)
def test_bad_input(name: str, args: tuple, sentence: str) -> None:
    with pytest.raises(ingot.Error, match=sentence):
        run(name, *args)
