"""What limits a piece of work: the machine's multiply-adds, its memory, or neither."""

from __future__ import annotations

from dataclasses import dataclass

REACHED = 0.6
"""The share of a limit from which on it is what limits."""
SAVED = {"winograd_2": 2.25, "winograd_4": 4.0}
"""Multiplications of a direct convolution in one that a method leaves."""


@dataclass(frozen=True)
class Peaks:
    """What one core reaches at most."""

    gflops: float
    memory_gbps: float
    cache_gbps: float
    """Of arrays of 3 MB in all."""


@dataclass(frozen=True)
class Work:
    """Time, direct operations and least bytes of one or several equal pieces."""

    text: str
    us: float
    flops: float
    bytes: float
    count: int = 1

    @property
    def gflops(self) -> float:
        return self.flops / self.us * 1e-3

    @property
    def gbps(self) -> float:
        return self.bytes / self.us * 1e-3

    def of_compute(self, peaks: Peaks) -> float:
        """Share of the peak, of the operations that the method leaves."""
        saved = next((part for name, part in SAVED.items() if name in self.text.split()), 1.0)
        return self.gflops / saved / peaks.gflops

    def of_memory(self, peaks: Peaks) -> float:
        return self.gbps / peaks.memory_gbps

    def limit(self, peaks: Peaks) -> tuple[str, float]:
        """``compute``, ``memory``, ``cache`` or ``overhead``, and the larger share reached.

        Faster than memory means that the data came from caches, whose share then counts.
        """
        compute, memory = self.of_compute(peaks), self.of_memory(peaks)
        where = "memory" if memory <= 1 else "cache"
        moved = memory if memory <= 1 else self.gbps / peaks.cache_gbps
        share, name = max((compute, "compute"), (moved, where))
        return (name if share >= REACHED else "overhead"), share
