"""The stored results of ``make bench`` and what is computed from them."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.kernels import Kernels
from benchmarks.roofline import Roofline

STORE = Path(__file__).with_name("results.json")
TOLERANCE = 1e-3
"""Largest difference from eager, as a part of its largest number, that is still the same."""


@dataclass(frozen=True)
class Row:
    """One model at one thread count, measured in one go."""

    peers: dict[str, dict[str, Any]]
    versions: dict[str, str]
    commit: str
    when: str
    processes: int
    load: float

    def reason(self, name: str) -> str | None:
        """Why there is no time."""
        found = self.peers.get(name)
        if found is None:
            return "not measured"
        if "reason" in found:
            reason: str = found["reason"]
            return reason
        if not found["difference"] <= TOLERANCE * max(found["scale"], 1e-6):
            return f"differs from eager by {found['difference']:.2g} (largest {found['scale']:.2g})"
        return None

    def time(self, name: str, kind: str = "median_ms") -> float | None:
        """Milliseconds of a call; None with a reason."""
        return None if self.reason(name) else self.peers[name][kind]

    def best(self, kind: str = "median_ms") -> tuple[str, float] | None:
        """The fastest peer of Ingot."""
        times = {name: self.time(name, kind) for name in self.peers if name != "ingot"}
        able = {name: value for name, value in times.items() if value is not None}
        return min(able.items(), key=lambda item: item[1]) if able else None

    def ratio(self, name: str | None = None) -> float | None:
        """How many times faster Ingot is than a peer, or than the best of them."""
        own = self.time("ingot")
        if name is None:
            best = self.best()
            other = best[1] if best else None
        else:
            other = self.time(name)
        return None if own is None or other is None else other / own


@dataclass
class Results:
    """All of one machine: ``rows[model][threads]``, and what the other modules measure."""

    machine: dict[str, str]
    rows: dict[str, dict[int, Row]] = field(default_factory=dict)
    qualities: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    kernels: Kernels | None = None
    rooflines: dict[str, Roofline] = field(default_factory=dict)

    @classmethod
    def load(cls, machine: dict[str, str]) -> Results:
        """What is stored, if it is of this machine."""
        if STORE.exists():
            stored = json.loads(STORE.read_text())
            if _identity(stored["machine"]) == _identity(machine):
                rows = {
                    model: {int(threads): Row(**row) for threads, row in counts.items()}
                    for model, counts in stored["rows"].items()
                }
                kernels = stored.get("kernels")
                rooflines = {
                    model: Roofline.stored(found)
                    for model, found in stored.get("rooflines", {}).items()
                }
                return cls(
                    machine,
                    rows,
                    stored["qualities"],
                    Kernels.stored(kernels) if kernels else None,
                    rooflines,
                )
        return cls(machine)

    def store(self, model: str, threads: int, row: Row) -> None:
        """Keeps the row, unless one with more peers is there: a row is measured in one go."""
        counts = self.rows.setdefault(model, {})
        if threads not in counts or len(row.peers) >= len(counts[threads].peers):
            counts[threads] = row

    def save(self) -> None:
        text = _rounded(asdict(self))
        STORE.write_text(json.dumps(text, indent=1, ensure_ascii=False) + "\n")

    def counts(self) -> list[int]:
        """Thread counts of which there are rows."""
        return sorted({threads for counts in self.rows.values() for threads in counts})

    def of(self, threads: int) -> dict[str, Row]:
        """The rows of one thread count."""
        return {m: counts[threads] for m, counts in self.rows.items() if threads in counts}


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def geometric_mean(ratios: Iterable[float | None]) -> float | None:
    """Of those that exist."""
    logs = [math.log(ratio) for ratio in ratios if ratio is not None]
    return math.exp(sum(logs) / len(logs)) if logs else None


def _identity(machine: dict[str, str]) -> dict[str, str]:
    """A new kernel or Python makes no new machine of it: times are compared within a row."""
    return {name: value for name, value in machine.items() if name != "system"}


def machine() -> dict[str, str]:
    """What identifies the machine."""
    info = dict(
        (part.strip() for part in line.split(":", 1))
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if ":" in line
    )
    flags = info.get("flags", "").split()
    widest = next((f for f in ("avx512f", "avx2", "sse2") if f in flags), "none")
    model = f"{info.get('model name', platform.machine())}, family {info.get('cpu family', '?')}"
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": f"{model}, model {info.get('model', '?')}",
        "vectors": widest + (" avx512_bf16" if "avx512_bf16" in flags else ""),
        "cores": str(os.cpu_count()),
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
    }
