"""PyTorch as it is: the oracle of all outputs."""

from __future__ import annotations

from pathlib import Path

import torch

from benchmarks.peers import Runner, tensors
from benchmarks.suite import Model

TITLE = "eager"
PACKAGES = ("torch",)
PER_THREADS = False
prepare = None


def load(model: Model, folder: Path, threads: int) -> Runner:
    torch.set_num_threads(threads)
    module, inputs = model.make(), model.inputs()
    return Runner(lambda: module(*inputs), tensors)
