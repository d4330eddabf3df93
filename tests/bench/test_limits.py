"""What the page says of goals that are missed, and of what limits."""

from __future__ import annotations

import json

import pytest
from benchmarks import page_limits, results
from benchmarks.goals import BARS, goals
from benchmarks.kernels import Kernel, Kernels, median_peaks
from benchmarks.limits import Peaks, Work
from benchmarks.results import Results, Row
from benchmarks.roofline import Roofline, grouped, heaviest
from benchmarks.suite import MAIN, SUITE

PEAKS = Peaks(gflops=100.0, memory_gbps=20.0, cache_gbps=50.0)


def work(text, *, us=1.0, gflops=0.0, gbps=0.0):
    return Work(text, us, gflops * us * 1e3, gbps * us * 1e3)


@pytest.mark.parametrize(
    ("found", "limit", "share"),
    [
        (work("linear", gflops=80, gbps=2), "compute", 0.8),
        (work("add", gbps=15), "memory", 0.75),
        (work("linear", gflops=20, gbps=45), "cache", 0.9),
        (work("linear", gflops=59, gbps=24), "overhead", 0.59),
        (work("conv 3x3 winograd_4 [1]", gflops=280, gbps=2), "compute", 0.7),
        (work("conv 3x3 winograd_4 [1]", gflops=200, gbps=2), "overhead", 0.5),
        (work("conv 3x3 winograd_2 [1]", gflops=180, gbps=2), "compute", 0.8),
    ],
)
def test_the_limit_is_the_one_that_is_reached(found, limit, share):
    assert found.limit(PEAKS) == (limit, pytest.approx(share))


def test_equal_layers_are_one():
    steps = [
        Work("conv [1, 8] -> 8 +add", 3, 10, 4),
        Work("conv [1, 8] -> 8 +relu", 4, 10, 6),
        Work("conv [1, 8] -> 8 +relu", 1, 20, 6),
        Work("linear +gelu", 5, 1, 1),
        Work("linear +gelu", 5, 1, 1),
    ]
    assert grouped(steps) == [
        Work("linear +gelu", 10, 2, 2, 2),
        Work("conv [1, 8] -> 8", 7, 20, 10, 2),
        Work("conv [1, 8] -> 8 +relu", 1, 20, 6),
    ]


def test_the_heaviest_make_most_of_the_time():
    steps = [Work(str(i), us, 0, 0) for i, us in enumerate([60, 19, 11, 10])]
    assert [layer.us for layer in heaviest(steps)] == [60, 19, 11]
    assert len(heaviest([Work(str(i), 1, 0, 0) for i in range(100)])) == 8


def test_peaks_are_medians():
    found = [Peaks(1, 30, 5), Peaks(3, 10, 7), Peaks(2, 20, 6)]
    assert median_peaks(found) == Peaks(2, 20, 6)


def test_every_model_of_the_bar_has_one():
    assert list(BARS) == [name for name, model in SUITE.items() if model.group == MAIN]
    assert BARS["resnet18"].lead == pytest.approx(22.9 / 20)


@pytest.fixture
def stored(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "STORE", tmp_path / "results.json")
    found = Results({"processor": "P"})
    for model, threads, own, best in (
        ("resnet18", 1, 10.0, 11.0),
        ("resnet18", 2, 6.0, 5.0),
        ("mlp", 1, 10.0, 12.0),
    ):
        times = {"ingot": own, "ncnn": best}
        peers = {
            name: {"median_ms": ms, "min_ms": ms, "difference": 0.0, "scale": 1.0}
            for name, ms in times.items()
        }
        found.store(model, threads, Row(peers, {}, "abc", "2026-01-01", 3, 0.5))
    layer = Work("conv 3x3 winograd_4 [1, 64, 56, 56] -> 64", 60.0, 2.8e7, 6e5, 4)
    found.rooflines["resnet18"] = Roofline(PEAKS, 100.0, [layer], "abc", "2026-01-01")
    kernels = [
        Kernel("gemm", 256, 0.95, 0.0, work("gemm 256", gflops=95)),
        Kernel("gemm", 64, 0.5, 0.0, work("gemm 64", gflops=50)),
        Kernel("3x3", 28, 2.2, 0.0, work("3x3 28^2 winograd_4", gflops=220)),
        Kernel("3x3", 56, 2.4, 0.0, work("3x3 56^2 winograd_4", gflops=240)),
        Kernel("3x3", 14, 1.7, 0.0, work("3x3 14^2 winograd_2", gflops=170)),
        Kernel("conv", 28, 0.3, 0.0, work("depthwise", gflops=30, gbps=19)),
        Kernel("chain", 10**7, 0.4, 0.5, work("chain", gbps=8)),
    ]
    found.kernels = Kernels(PEAKS, kernels, "abc", "2026-01-01")
    return found


def test_results_come_back(stored):
    stored.save()
    loaded = Results.load({"processor": "P"})
    assert (loaded.kernels, loaded.rooflines) == (stored.kernels, stored.rooflines)


def test_results_without_kernels_come_back(stored):
    stored.save()
    found = json.loads(results.STORE.read_text())
    del found["kernels"], found["rooflines"]
    results.STORE.write_text(json.dumps(found))
    loaded = Results.load({"processor": "P"})
    assert (loaded.kernels, loaded.rooflines) == (None, {})


def test_goals_of_kernels_and_bars(stored):
    found = {goal.text: (goal.measured, goal.kept) for goal in goals(stored)}
    assert found["f32 GEMM from 256³ up ≥ 90 % of peak"] == ("95 %", True)
    threes = ("1 of 2; least: 3x3 28^2 winograd_4, 2.20×", False)
    assert found["3×3 stride 1 from 28² up ≥ 2.3× direct peak"] == threes
    assert found["elementwise chain ≥ 85 % of memory bandwidth"] == ("40 %", False)
    bars = ("1 of 2; furthest behind: resnet18, 1.10×", False)
    assert found["the bar's lead over the best peer on every model of the bar"] == bars
    assert not any("pointwise" in text for text in found)


def test_the_page_names_what_limits(stored):
    text = "\n".join(page_limits.sections(stored))
    assert "| resnet18 | 10.0 | 11.0 (ncnn) | 1.10× | 1.15× | **missed** |" in text
    assert "| mlp 784-512-256-10 | 10.0 | 12.0 (ncnn) | 1.20× | 1.18× | kept |" in text
    assert "| vgg16 | – | – | – | 1.10× | not measured |" in text
    behind = "* **resnet18**: 1.10× the best peer, bar 1.15×; 0.83× the best peer at two threads. "
    cause = "`conv 3x3 winograd_4 [1, 64, 56, 56] -> 64` × 4 (compute, 117 % of peak)."
    assert f"{behind}60 % of the time in {cause}" in text
    assert "**mlp" not in text
    assert "7 kernels, 2 below their goal" in text
    assert "| 3x3 28^2 winograd_4 | 1.00 | 220 | 0.00 | 220 % | 230 % | **missed** |" in text
    assert "50 % of the time of the chain is the system's" in text


def test_a_page_without_kernels_says_no_more_than_it_knows(stored):
    stored.kernels, stored.rooflines = None, {}
    text = "\n".join(page_limits.sections(stored))
    assert "Its layers are not measured." in text
    assert "## Kernels" not in text and "Not a claim" not in text
