"""Which layers a model's time goes to: ``python -m benchmarks.roofline MODEL`` prints JSON.

One thread; rounds of profiles, the machine's peaks measured before each.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.kernels import machine_peaks, median_peaks
from benchmarks.limits import Peaks, Work
from benchmarks.prepare import ROOT, environment
from benchmarks.qualities import ready
from benchmarks.suite import SUITE

ROUNDS = 5
SECONDS = 0.5
"""Of a round's profiles, three at least."""
SHARE, MOST = 0.8, 8
"""The heaviest layers: of so much of the time, and so many at most."""


@dataclass(frozen=True)
class Roofline:
    """A model's heaviest layers, equal ones together."""

    peaks: Peaks
    us: float
    """Of all layers."""
    layers: list[Work]
    commit: str
    when: str

    @classmethod
    def stored(cls, found: dict[str, Any]) -> Roofline:
        """From what ``asdict`` made of it."""
        layers = [Work(**layer) for layer in found["layers"]]
        return cls(Peaks(**found["peaks"]), found["us"], layers, found["commit"], found["when"])

    def share(self, layer: Work) -> float:
        return layer.us / self.us


def grouped(steps: Iterable[Work]) -> list[Work]:
    """Steps of one kernel, shape and work together, heaviest first.

    What is fused after them may differ; it is named where it does not.
    """
    groups: dict[tuple[str, float], list[Work]] = {}
    for step in steps:
        groups.setdefault((step.text.split(" +")[0], step.flops), []).append(step)
    works = [
        Work(
            (text if len({step.text for step in group}) > 1 else group[0].text).strip(),
            sum(step.us for step in group),
            sum(step.flops for step in group),
            sum(step.bytes for step in group),
            len(group),
        )
        for (text, _), group in groups.items()
    ]
    return sorted(works, key=lambda work: -work.us)


def heaviest(works: list[Work]) -> list[Work]:
    """As many as make SHARE of the time together, at most MOST."""
    total, chosen = sum(work.us for work in works), list[Work]()
    for work in works[:MOST]:
        if sum(one.us for one in chosen) >= SHARE * total:
            break
        chosen.append(work)
    return chosen


def profiled(name: str) -> dict[str, Any]:
    """All layers and the peaks, in this process."""
    import ingot

    ingot.set_num_threads(1)
    module = ingot.load(ready(name))
    inputs = [tensor.numpy() for tensor in SUITE[name].inputs()]
    module(*inputs)
    start = time.perf_counter()
    module(*inputs)
    runs = max(3, min(200, int(SECONDS / (time.perf_counter() - start))))
    peaks, rounds = [], []
    for _ in range(ROUNDS):
        peaks.append(machine_peaks())
        rounds.append(ingot.profile(module, *inputs, runs=runs))
    steps = [
        Work(step.text, statistics.median(x.duration for x in same) * 1e6, step.flops, step.bytes)
        for step, *same in zip(rounds[0], *rounds, strict=True)
    ]
    layers = grouped(steps)
    return {
        "peaks": asdict(median_peaks(peaks)),
        "us": sum(layer.us for layer in layers),
        "layers": [asdict(layer) for layer in heaviest(layers)],
    }


def measured(name: str, commit: str) -> Roofline:
    """From a process of its own."""
    command = [sys.executable, "-m", "benchmarks.roofline", name]
    output = subprocess.check_output(command, cwd=ROOT, env=environment(1), text=True)
    found = json.loads(output.splitlines()[-1])
    return Roofline.stored({**found, "commit": commit, "when": time.strftime("%Y-%m-%d")})


if __name__ == "__main__":
    print(json.dumps(profiled(sys.argv[1])))
