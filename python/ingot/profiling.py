"""What the steps of a call take: the fused plan that runs, with times and source lines."""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ingot.errors import Error
from ingot.module import Module


@dataclass(frozen=True)
class Step:
    """One step: of a plan, or an op that the interpreter ran.

    ``location`` has the user's lines, innermost first; ``start`` and ``duration`` are seconds;
    ``flops`` and ``bytes`` (read and written at least) are 0 where unknown.
    """

    text: str
    location: str
    planned: bool
    start: float
    duration: float
    flops: float
    bytes: float

    @property
    def line(self) -> str:
        """The innermost of the user's lines, ``""`` if there is none."""
        return self.location.strip().partition("\n")[0]


def profile(
    module: Module, *args: Any, method: str = "forward", runs: int = 20, **kwargs: Any
) -> list[Step]:
    """The steps of ``module.method(*args, **kwargs)``, each with its median time over ``runs``.

    One call goes before to warm up. Raises Error as the call does, and if calls on the same
    inputs take different steps.
    """
    if runs < 1:
        raise Error(f"runs must be at least 1, got {runs}")
    target = module.method(method)
    target(*args, **kwargs)
    calls = [[Step(*row) for row in target.profile(*args, **kwargs)] for _ in range(runs)]
    if any(len(call) != len(calls[0]) for call in calls):
        raise Error("calls on the same inputs took different steps, so they have no common profile")
    steps = []
    start = 0.0
    for number, step in enumerate(calls[0]):
        duration = statistics.median(call[number].duration for call in calls)
        steps.append(replace(step, start=start, duration=duration))
        start += duration
    return steps


def write_trace(steps: Sequence[Step], path: str | os.PathLike[str]) -> None:
    """Writes the steps for chrome://tracing and Perfetto."""
    events = [
        {
            "name": step.text,
            "ph": "X",
            "pid": 0,
            "tid": 0,
            "ts": step.start * 1e6,
            "dur": step.duration * 1e6,
            "args": {"source": step.location, "flops": step.flops, "bytes": step.bytes},
        }
        for step in steps
    ]
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"traceEvents": events}, file)
