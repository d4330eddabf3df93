"""The goals of speed beside what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.qualities import MEASUREMENTS
from benchmarks.results import Results, geometric_mean
from benchmarks.suite import SUITE

MEANS = {"": ("the best peer", 1.15), "onnxruntime": ("ONNX Runtime", 1.5)}
MEANS["torchscript"] = ("TorchScript", 2.0)
SCALING = 1.9
SCALED = ("resnet", "mobilenet", "efficientnet", "convnext", "vgg", "vit", "bert", "gpt2", "unet")


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
            behind = sorted((ratio, title) for title, ratio in known.items() if ratio < 1)
            text = f"{len(known) - len(behind)} of {len(known)}"
            if behind:
                text += f"; furthest behind: {behind[0][1]}, {behind[0][0]:.2f}×"
            yield Goal(f"as fast as the best peer on every model, {word}", text, not behind)
        for name, (title, least) in MEANS.items():
            mean = geometric_mean(row.ratio(name or None) for row in rows.values())
            if mean is not None:
                yield Goal(
                    f"geometric mean ≥ {least}× {title}, {word}", f"{mean:.2f}×", mean >= least
                )
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
    for name in MEASUREMENTS:
        for found in results.qualities.get(name, []):
            measured, goal, unit = found["measured"], found["goal"], found["unit"]
            yield Goal(
                f"{found['what']} ≤ {goal:.3g} {unit}", f"{measured:.3g} {unit}", measured <= goal
            )
