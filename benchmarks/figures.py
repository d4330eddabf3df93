"""Start time, call time and memory of one model, each measured in a process of its own."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
INGOT_RUN = ROOT / "build" / "ingot-run"


@dataclass(frozen=True)
class Figures:
    """What one runtime needs for one model."""

    first_ms: float
    """From the start of the process to the end of the first call."""
    call_us: float
    """Median of later calls."""
    peak_kb: int
    """Largest resident memory after the first call."""
    ready_to_first_ms: float | None = None
    """From the ready interpreter to the end of the first call: import, load, call."""


def peak_kb() -> int:
    """Largest resident memory of this process so far.

    getrusage would also count the parent: the kernel keeps its peak across exec.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise RuntimeError("/proc/self/status has no VmHWM")


PROCESSES = 5
"""Processes whose median is the figure of one call from C++."""


def in_cpp(file: Path, inputs: Sequence[Path], *, repeat: int, starts: int) -> Figures:
    """The file in ``ingot-run``: started ``starts`` times, calls timed in ``PROCESSES``."""
    arguments = [str(INGOT_RUN), str(file), "--threads", "1"]
    for path in inputs:
        arguments += ["--input", str(path)]
    silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    times = []
    for _ in range(starts):
        start = time.perf_counter()
        process = os.posix_spawn(INGOT_RUN, arguments, os.environ, file_actions=silent)
        _, status = os.waitpid(process, 0)
        times.append(time.perf_counter() - start)
        if status:
            raise RuntimeError(f"{' '.join(arguments)} failed")
    # One process in a few runs at half speed for all its life, so several are asked.
    reports = [_json(*arguments, "--repeat", str(repeat), "--json") for _ in range(PROCESSES)]
    return Figures(
        statistics.median(times) * 1e3,
        statistics.median(report["median_us"] for report in reports),
        statistics.median(report["peak_rss_kb"] for report in reports),
    )


def in_python(
    kind: str,
    model: str,
    file: Path,
    inputs: Sequence[Path],
    *,
    repeat: int,
    starts: int = 1,
    output: Path | None = None,
) -> Figures | None:
    """The model under a kind of benchmarks.one_process; None if that runtime is not installed."""
    arguments = ["-m", "benchmarks.one_process", kind, model, str(file), "--repeat", str(repeat)]
    for path in inputs:
        arguments += ["--input", str(path)]
    if output:
        arguments += ["--output", str(output)]
    try:
        reports = [
            _json(sys.executable, *arguments, "--spawned", str(time.time())) for _ in range(starts)
        ]
    except ModuleNotFoundError:
        return None
    return Figures(**{key: statistics.median(r[key] for r in reports) for key in reports[0]})


def _json(*command: str) -> dict[str, Any]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'python'}:{ROOT}", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        if "ModuleNotFoundError" in done.stderr:
            raise ModuleNotFoundError(done.stderr.splitlines()[-1])
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report
