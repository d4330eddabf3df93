"""One runtime with one model in its own process: ``python -m benchmarks.one_process KIND ...``.

Prints JSON. Each kind imports only what it needs, so that start times and memory are its own.
"""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figures import peak_kb

Call = Callable[[], Any]


def eager(model: str, file: Path, inputs: list[np.ndarray[Any, Any]]) -> Call:
    import torch

    torch.set_grad_enabled(False)
    module = importlib.import_module(f"examples.models.{model}").make()
    tensors = [torch.from_numpy(array) for array in inputs]
    return lambda: module(*tensors)


def torchscript(model: str, file: Path, inputs: list[np.ndarray[Any, Any]]) -> Call:
    import torch

    torch.set_grad_enabled(False)
    scripted = file.with_suffix(".pt")
    if not scripted.exists():
        module = importlib.import_module(f"examples.models.{model}").make()
        tensors = [torch.from_numpy(array) for array in inputs]
        torch.jit.freeze(torch.jit.trace(module, tensors)).save(scripted)
    loaded = torch.jit.load(scripted)
    tensors = [torch.from_numpy(array) for array in inputs]
    return lambda: loaded(*tensors)


def onnxruntime(model: str, file: Path, inputs: list[np.ndarray[Any, Any]]) -> Call:
    import onnxruntime as ort

    exported = file.with_suffix(".onnx")
    if not exported.exists():
        import torch

        module = importlib.import_module(f"examples.models.{model}").make()
        tensors = tuple(torch.from_numpy(array) for array in inputs)
        torch.onnx.export(module, tensors, exported, dynamo=False, verbose=False)
    session = ort.InferenceSession(exported)
    feed = {port.name: array for port, array in zip(session.get_inputs(), inputs, strict=True)}
    return lambda: session.run(None, feed)


def ingot(model: str, file: Path, inputs: list[np.ndarray[Any, Any]]) -> Call:
    import ingot as library

    loaded = library.load(file)
    return lambda: loaded(*inputs)


KINDS = {"eager": eager, "torchscript": torchscript, "onnxruntime": onnxruntime, "ingot": ingot}


def call_us(call: Call, repeat: int) -> float:
    """Median microseconds of a call; calls too short for the clock are timed by the batch."""
    start = time.perf_counter()
    call()
    batch = max(1, min(100, int(2e-4 / (time.perf_counter() - start))))
    times = []
    for _ in range(max(1, repeat // batch)):
        start = time.perf_counter()
        for _ in range(batch):
            call()
        times.append((time.perf_counter() - start) / batch)
    return statistics.median(times) * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("model", help="name of a module of examples.models")
    parser.add_argument("file", type=Path, help="the .ingot file; other formats lie beside it")
    parser.add_argument("--input", action="append", type=Path, default=[])
    parser.add_argument("--output", type=Path)
    parser.add_argument("--repeat", type=int, default=100)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--spawned", type=float, help="time.time() when the process was started")
    options = parser.parse_args()
    inputs = [np.load(path) for path in options.input]

    ready = time.time()
    call = KINDS[options.kind](options.model, options.file, inputs)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(options.threads)
    result = call()
    now = time.time()
    first_peak = peak_kb()
    if options.output:
        np.save(options.output, result.numpy())
    report = {
        "first_ms": (now - (options.spawned or ready)) * 1e3,
        "ready_to_first_ms": (now - ready) * 1e3,
        "call_us": call_us(call, options.repeat),
        "peak_kb": first_peak,
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
