"""AOTInductor with frozen weights: C++ code, compiled for the machine and the thread count."""

from __future__ import annotations

from pathlib import Path

import torch

from benchmarks.peers import Runner, tensors
from benchmarks.suite import Model

TITLE = "AOTInductor"
PACKAGES = ("torch",)
PER_THREADS = True


def prepare(model: Model, folder: Path, threads: int) -> None:
    torch.set_num_threads(threads)
    program = torch.export.export(model.make(), model.inputs())
    torch._inductor.aoti_compile_and_package(
        program,
        package_path=str(folder / "model.pt2"),
        inductor_configs={"freezing": True, "cpp.threads": threads},
    )


def load(model: Model, folder: Path, threads: int) -> Runner:
    torch.set_num_threads(threads)
    package = torch._inductor.aoti_load_package(str(folder / "model.pt2"))
    inputs = model.inputs()
    return Runner(lambda: package(*inputs), tensors)
