"""The goals of speed beside what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.kernels import Kernel, Kernels
from benchmarks.markdown import percent, times
from benchmarks.qualities import MEASUREMENTS
from benchmarks.results import Results, geometric_mean
from benchmarks.suite import SUITE

MEANS = {"": ("the best peer", 1.15), "onnxruntime": ("ONNX Runtime", 1.5)}
MEANS["torchscript"] = ("TorchScript", 2.0)
SCALING = 1.9
SCALED = ("resnet", "mobilenet", "efficientnet", "convnext", "vgg", "vit", "bert", "gpt2", "unet")

GEMM, POINTWISE, WINOGRAD, CHAIN = 0.9, 0.85, 2.3, 0.85
"""Least shares of the peak: of multiply-adds, the last of memory."""


@dataclass(frozen=True)
class Bar:
    """Milliseconds at one thread on the machine that the bars are made for."""

    ms: float
    best_peer: float

    @property
    def lead(self) -> float:
        """How many times faster than the best peer the bar is: this holds on other machines."""
        return self.best_peer / self.ms


BAR_GFLOPS = 112
"""Multiply-add peak of a core of that machine, a Zen 4 with AVX-512."""
BARS = {
    "resnet18": Bar(20, 22.9),
    "resnet50": Bar(60, 69.5),
    "mobilenet_v3_large": Bar(5.3, 6.06),
    "efficientnet_b0": Bar(10.4, 11.9),
    "convnext_tiny": Bar(88, 93.3),
    "vgg16": Bar(120, 132),
    "vit_b_16": Bar(335, 345),
    "bert_128": Bar(208, 217),
    "gpt2_64": Bar(150, 158),
    "lstm": Bar(2.7, 3.15),
    "mlp": Bar(0.028, 0.033),
}


@dataclass(frozen=True)
class Goal:
    text: str
    measured: str
    kept: bool

    @property
    def verdict(self) -> str:
        return "kept" if self.kept else "**missed**"


def goals(results: Results) -> Iterator[Goal]:
    """Those that the stored results can judge."""
    for threads, word in ((1, "one thread"), (2, "two threads")):
        rows = results.of(threads)
        ratios = {SUITE[model].title: row.ratio() for model, row in rows.items()}
        known = {title: ratio for title, ratio in ratios.items() if ratio is not None}
        if known:
            yield of_all(
                f"as fast as the best peer on every model, {word}",
                {title: (ratio, 1.0) for title, ratio in known.items()},
            )
        for name, (title, least) in MEANS.items():
            mean = geometric_mean(row.ratio(name or None) for row in rows.values())
            if mean is not None:
                yield Goal(
                    f"geometric mean ≥ {least}× {title}, {word}", f"{mean:.2f}×", mean >= least
                )
    leads = {SUITE[model].title: (lead, BARS[model].lead) for model, lead in bar_leads(results)}
    if leads:
        yield of_all("the bar's lead over the best peer on every model of the bar", leads)
    yield from scaling(results)
    if results.kernels:
        yield from of_kernels(results.kernels)
    for name in MEASUREMENTS:
        for found in results.qualities.get(name, []):
            measured, goal, unit = found["measured"], found["goal"], found["unit"]
            yield Goal(
                f"{found['what']} ≤ {goal:.3g} {unit}", f"{measured:.3g} {unit}", measured <= goal
            )


def bar_leads(results: Results) -> Iterator[tuple[str, float]]:
    """Models that have a bar, and how many times faster than the best peer Ingot is."""
    rows = results.of(1)
    for model in BARS:
        lead = rows[model].ratio() if model in rows else None
        if lead is not None:
            yield model, lead


def scaling(results: Results) -> Iterator[Goal]:
    gains = {}
    for model, counts in results.rows.items():
        if model.startswith(SCALED) and {1, 2} <= counts.keys():
            one, two = counts[1].time("ingot"), counts[2].time("ingot")
            if one is not None and two is not None:
                gains[SUITE[model].title] = one / two
    if gains:
        least_title = min(gains, key=lambda title: gains[title])
        text = f"least: {least_title}, {gains[least_title]:.2f}×"
        yield Goal(
            f"two threads ≥ {SCALING}× one, convolutional and transformer models",
            text,
            gains[least_title] >= SCALING,
        )


def of_kernels(kernels: Kernels) -> Iterator[Goal]:
    for text, least, found, shown in (
        (f"f32 GEMM from 256³ up ≥ {percent(GEMM)} of peak", GEMM, "gemm", percent),
        (f"pointwise convolutions ≥ {percent(POINTWISE)} of peak", POINTWISE, "pointwise", percent),
        (f"3×3 stride 1 from 28² up ≥ {WINOGRAD}× direct peak", WINOGRAD, "3x3", times),
        (f"elementwise chain ≥ {percent(CHAIN)} of memory bandwidth", CHAIN, "chain", percent),
    ):
        shares = {one.work.text: one.share for one in judged(kernels, found)}
        if shares:
            kept = sum(share >= least for share in shares.values())
            worst = min(shares, key=lambda name: shares[name])
            measured = f"{kept} of {len(shares)}; least: {worst}, {shown(shares[worst])}"
            if len(shares) == 1:
                measured = shown(shares[worst])
            yield Goal(text, measured, kept == len(shares))


def judged(kernels: Kernels, kind: str) -> list[Kernel]:
    """The cases of a kind that its goal speaks of."""
    return kernels.of(kind, {"gemm": 256, "3x3": 28}.get(kind, 0))


def of_all(text: str, found: dict[str, tuple[float, float]]) -> Goal:
    """A goal for every model: what it has and what it should have at least."""
    behind = sorted((has / least, title) for title, (has, least) in found.items() if has < least)
    measured = f"{len(found) - len(behind)} of {len(found)}"
    if behind:
        title = behind[0][1]
        measured += f"; furthest behind: {title}, {found[title][0]:.2f}×"
    return Goal(text, measured, not behind)
