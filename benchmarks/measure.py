"""One model under all peers in one process: ``python -m benchmarks.measure MODEL ...`` prints JSON.

The peers take turns, in a new random order each round, so that whatever slows the machine slows
all of them. A turn is a pause in which spinning threads of the others go to sleep, a call
that does not count, and calls that do.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from benchmarks import peers
from benchmarks.peers import Arrays, Runner, Unsupported
from benchmarks.prepare import folder
from benchmarks.suite import SUITE, Model

TURN = 0.02
"""Seconds of counted calls in a turn; at least one call."""
PAUSE = 0.01
"""Seconds before a turn at more than one thread: libgomp's and ORT's threads spin for less."""
LONG = 0.05
"""Seconds of a call from which on the call that does not count is left out."""
TOO_LONG = 20
"""Seconds of a call from which on a runtime takes no turns."""
MEASURING = "measuring"
"""Said on stderr once all runtimes are loaded; before, each one's name."""
ROUNDS = 5, 400
"""Least and most rounds, whatever the time limit."""


@dataclass
class Timed:
    """A runner and its samples, in seconds per call."""

    runner: Runner
    estimate: float = 0.0
    samples: list[float] = field(default_factory=list)
    wall: float = 0.0
    cpu: float = 0.0

    def warm_up(self) -> Any:
        """The result of a call; profiling executors are themselves from the third call on."""
        start = time.perf_counter()
        self.runner.call()
        if (seconds := time.perf_counter() - start) > TOO_LONG:
            raise Unsupported(f"takes {seconds:.0f} s for one call")
        result = self.runner.call()
        start = time.perf_counter()
        calls = 0
        while calls < 1 or (calls < 1000 and time.perf_counter() - start < 0.05):
            self.runner.call()
            calls += 1
        self.estimate = (time.perf_counter() - start) / calls
        return result

    def turn(self) -> None:
        call = self.runner.call
        if self.estimate < LONG:
            call()
        count = max(1, min(2000, int(TURN / self.estimate)))
        # A clock read costs 0.1 µs and a preempted call should spoil few others.
        batch = max(1, min(count, int(1e-4 / self.estimate)))
        cpu, wall = time.process_time(), time.perf_counter()
        for _ in range(count // batch):
            start = time.perf_counter()
            for _ in range(batch):
                call()
            self.samples.append((time.perf_counter() - start) / batch)
        self.wall += time.perf_counter() - wall
        self.cpu += time.process_time() - cpu

    def report(self) -> dict[str, float]:
        return {
            "median_ms": statistics.median(self.samples) * 1e3,
            "min_ms": min(self.samples) * 1e3,
            "samples": len(self.samples),
            "cores": self.cpu / self.wall,
        }


def difference(found: Arrays, expected: Arrays) -> tuple[float, float]:
    """Largest absolute difference, and the largest magnitude of what is expected."""
    if len(found) != len(expected):
        raise Unsupported(f"gives {len(found)} outputs, eager gives {len(expected)}")
    worst, scale = 0.0, 0.0
    for a, b in zip(found, expected, strict=True):
        if a.size != b.size:
            raise Unsupported(f"gives an output of shape {a.shape}, eager gives {b.shape}")
        a, b = a.reshape(b.shape).astype(np.float64), b.astype(np.float64)
        worst = float(np.maximum(worst, np.abs(a - b).max(initial=0)))  # keeps a NaN
        scale = float(np.maximum(scale, np.abs(b).max(initial=0)))
    return worst, scale


def interleaved(timed: list[Timed], seconds: float, threads: int) -> None:
    """Rounds of turns until the time is over."""
    order = random.Random(0)
    end = time.perf_counter() + seconds
    rounds = 0
    while rounds < ROUNDS[0] or (rounds < ROUNDS[1] and time.perf_counter() < end):
        for item in order.sample(timed, len(timed)):
            if threads > 1:
                time.sleep(PAUSE)
            item.turn()
        rounds += 1


def measure(model: Model, names: list[str], threads: int, seconds: float) -> dict[str, Any]:
    """A report or a reason for each peer."""
    reports: dict[str, Any] = {}
    timed: dict[str, Timed] = {}
    eager = peers.peer("eager").load(model, folder(model, "eager", threads), threads)
    expected = eager.outputs(eager.call())
    for name in names:
        print(name, file=sys.stderr, flush=True)
        try:
            runner = eager
            if name != "eager":
                runner = peers.peer(name).load(model, folder(model, name, threads), threads)
            item = Timed(runner)
            worst, scale = difference(runner.outputs(item.warm_up()), expected)
        except Exception as error:
            kind = "" if isinstance(error, Unsupported) else f"{type(error).__name__}: "
            line = (str(error).strip().splitlines() or [""])[0]
            reports[name] = {"reason": f"{kind}{line}"[:160]}
            continue
        timed[name] = item
        reports[name] = {"difference": worst, "scale": scale}
    print(MEASURING, file=sys.stderr, flush=True)
    interleaved(list(timed.values()), seconds, threads)
    for name, item in timed.items():
        reports[name].update(item.report())
    return reports


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=SUITE)
    parser.add_argument("--peers", nargs="+", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    options = parser.parse_args()
    torch.set_grad_enabled(False)
    report = measure(SUITE[options.model], options.peers, options.threads, options.seconds)
    print(json.dumps(report))


if __name__ == "__main__":
    main()
