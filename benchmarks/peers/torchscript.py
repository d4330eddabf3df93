"""TorchScript, frozen and optimised for inference."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch

from benchmarks.peers import Runner, tensors
from benchmarks.suite import Model

TITLE = "TorchScript"
PACKAGES = ("torch",)
PER_THREADS = False
prepare = None  # a module optimised for inference cannot be saved


def load(model: Model, folder: Path, threads: int) -> Runner:
    torch.set_num_threads(threads)
    module, inputs = model.make(), model.inputs()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its deprecation, and of the tracer
        captured = torch.jit.script(module) if model.loops else torch.jit.trace(module, inputs)
        frozen = torch.jit.optimize_for_inference(torch.jit.freeze(captured))
    return Runner(lambda: frozen(*inputs), tensors)
