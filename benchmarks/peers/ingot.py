"""Ingot, called from Python with NumPy arrays."""

from __future__ import annotations

from pathlib import Path

from benchmarks.peers import Runner, arrays
from benchmarks.suite import Model

TITLE = "Ingot"
PACKAGES = ()
PER_THREADS = False


def prepare(model: Model, folder: Path, threads: int) -> None:
    import ingot

    module = model.make()
    if model.loops:
        captured = ingot.script(module)
    else:  # the outputs are compared with eager where they are measured
        captured = ingot.trace(module, model.inputs(), check=False)
    captured.save(folder / "model.ingot")


def load(model: Model, folder: Path, threads: int) -> Runner:
    import ingot

    ingot.set_num_threads(threads)
    module = ingot.load(folder / "model.ingot")
    inputs = [tensor.numpy() for tensor in model.inputs()]
    return Runner(lambda: module(*inputs), arrays)
