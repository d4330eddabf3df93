"""ExecuTorch with the XNNPACK delegate."""

from __future__ import annotations

from pathlib import Path

from benchmarks.peers import Runner, tensors
from benchmarks.suite import Model

TITLE = "ExecuTorch"
PACKAGES = ("executorch",)
PER_THREADS = False


def prepare(model: Model, folder: Path, threads: int) -> None:
    import torch
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower

    program = torch.export.export(model.make(), model.inputs())
    lowered = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()])
    (folder / "model.pte").write_bytes(lowered.to_executorch().buffer)


def load(model: Model, folder: Path, threads: int) -> Runner:
    from executorch.extension.pybindings import portable_lib

    # Its pool is its own: torch.set_num_threads and OMP_NUM_THREADS do not reach it.
    portable_lib._unsafe_reset_threadpool(threads)
    module = portable_lib._load_for_executorch(str(folder / "model.pte"))
    inputs = model.inputs()
    return Runner(lambda: module.forward(inputs), tensors)
