"""The runtimes that are measured side by side: one module each, all of the same shape.

``prepare`` runs once in a process of its own and leaves files in a folder; ``load`` reads them
in the process that measures and returns a call. Both may raise Unsupported: the table then has
a dash and the reason stands below it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from benchmarks.suite import Model

Arrays = list[np.ndarray[Any, Any]]


class Unsupported(Exception):
    """The peer cannot take the model; the message is one line."""


@dataclass(frozen=True)
class Runner:
    """A loaded model with its inputs: what is timed, and how its result is read."""

    call: Callable[[], Any]
    outputs: Callable[[Any], Arrays]


class Peer(Protocol):
    """What a module of this package has."""

    TITLE: str
    PACKAGES: Sequence[str]
    """Distributions whose versions are the peer's."""
    PER_THREADS: bool
    """The prepared files depend on the number of threads."""

    prepare: Callable[[Model, Path, int], None] | None
    """``None`` where nothing can be kept."""

    def load(self, model: Model, folder: Path, threads: int) -> Runner: ...


NAMES = [
    "ingot",
    "eager",
    "torchscript",
    "aotinductor",
    "onnxruntime",
    "openvino",
    "executorch",
    "ncnn",
]
"""In the order of the tables' columns; Ingot, then its peers."""


def peer(name: str) -> Peer:
    module: Any = importlib.import_module(f"benchmarks.peers.{name}")
    return module


def tensors(result: Any) -> Arrays:
    """Arrays of a result of torch tensors, however it is nested."""
    if isinstance(result, dict):
        result = list(result.values())
    if isinstance(result, list | tuple):
        return [array for item in result for array in tensors(item)]
    return [result.numpy()]


def arrays(result: Any) -> Arrays:
    """Arrays of a result of one NumPy array or a sequence of them."""
    return list(result) if isinstance(result, list | tuple) else [result]
