"""Rows of ``ingot-kernel-bench``: single kernels beside the machine's peaks."""

from __future__ import annotations

import json
import statistics
import subprocess
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.limits import Peaks, Work
from benchmarks.prepare import ROOT, environment
from benchmarks.qualities import ready

PROGRAM = ROOT / "build" / "ingot-kernel-bench"


@dataclass(frozen=True)
class Kernel:
    """One case; ``kind`` is gemm, pointwise, 3x3, conv or chain."""

    kind: str
    size: int
    """The least side of a product, the side of an image, the numbers of a chain."""
    share: float
    """Of the peak, of multiply-adds or memory; direct operations are counted."""
    system: float
    """Part of the time that is the system's: new pages."""
    work: Work


@dataclass(frozen=True)
class Kernels:
    """All cases of one run."""

    peaks: Peaks
    kernels: list[Kernel]
    commit: str
    when: str

    @classmethod
    def stored(cls, found: dict[str, Any]) -> Kernels:
        """From what ``asdict`` made of it."""
        kernels = [Kernel(**{**one, "work": Work(**one["work"])}) for one in found["kernels"]]
        return cls(Peaks(**found["peaks"]), kernels, found["commit"], found["when"])


def run(*arguments: object) -> dict[str, Any]:
    """The program's report."""
    command = [str(PROGRAM), *map(str, arguments)]
    found: dict[str, Any] = json.loads(
        subprocess.check_output(command, cwd=ROOT, env=environment(1))
    )
    return found


def median_peaks(found: Iterable[Peaks]) -> Peaks:
    columns = [asdict(peaks) for peaks in found]
    return Peaks(**{key: statistics.median(one[key] for one in columns) for key in columns[0]})


def machine_peaks() -> Peaks:
    """Measured now."""
    return Peaks(**run("--peaks")["peaks"])


def measured(commit: str, processes: int) -> Kernels:
    """Medians of several processes."""
    chain = ready("chain")
    reports = [run(*job) for _ in range(processes) for job in (("--json",), ("--chain", chain))]
    cases: dict[str, list[dict[str, Any]]] = {}
    for report in reports:
        for row in report["rows"]:
            cases.setdefault(row["text"], []).append(row)
    kernels = []
    for text, rows in cases.items():
        one = rows[0]
        us, share, system = (
            statistics.median(row[key] for row in rows) for key in ("us", "share", "system")
        )
        work = Work(text, us, one["flops"], one["bytes"])
        kernels.append(Kernel(one["kind"], one["size"], share, system, work))
    peaks = median_peaks(Peaks(**report["peaks"]) for report in reports)
    return Kernels(peaks, kernels, commit, time.strftime("%Y-%m-%d"))
