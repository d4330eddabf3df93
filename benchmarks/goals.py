"""The goals of speed beside what was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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


@dataclass(frozen=True)
class KernelGoal:
    """The least share of the peak, of multiply-adds or memory, of a kind from a size on."""

    text: str
    least: float
    size: int = 0
    show: Callable[[float], str] = percent


KERNEL_GOALS = {
    "gemm": KernelGoal("f32 GEMM from 256³ up ≥ 90 % of peak", 0.9, 256),
    "pointwise": KernelGoal("pointwise convolutions ≥ 85 % of peak", 0.85),
    "3x3": KernelGoal("3×3 stride 1 from 28² up ≥ 2.3× direct peak", 2.3, 28, times),
    "chain": KernelGoal("elementwise chain ≥ 85 % of memory bandwidth", 0.85),
}


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
    for kind, goal in KERNEL_GOALS.items():
        found = [one for one in kernels.kernels if one.kind == kind and kernel_goal(one)]
        if found:
            kept = sum(one.share >= goal.least for one in found)
            worst = min(found, key=lambda one: one.share)
            measured = goal.show(worst.share)
            if len(found) > 1:
                measured = f"{kept} of {len(found)}; least: {worst.work.text}, {measured}"
            yield Goal(goal.text, measured, kept == len(found))


def kernel_goal(kernel: Kernel) -> KernelGoal | None:
    """The goal that the kernel is judged by."""
    goal = KERNEL_GOALS.get(kernel.kind)
    return goal if goal and kernel.size >= goal.size else None


def of_all(text: str, found: dict[str, tuple[float, float]]) -> Goal:
    """A goal for every model: what it has and what it should have at least."""
    behind = sorted((has / least, title) for title, (has, least) in found.items() if has < least)
    measured = f"{len(found) - len(behind)} of {len(found)}"
    if behind:
        title = behind[0][1]
        measured += f"; furthest behind: {title}, {found[title][0]:.2f}×"
    return Goal(text, measured, not behind)
