"""ncnn through pnnx, in f32."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import Arrays, Runner, Unsupported
from benchmarks.suite import Model

TITLE = "ncnn"
PACKAGES = ("ncnn", "pnnx")
PER_THREADS = False


def prepare(model: Model, folder: Path, threads: int) -> None:
    import pnnx

    with contextlib.chdir(folder), contextlib.suppress(Exception):
        # The wrapper ends by importing the Python file it wrote; only the two files count.
        pnnx.export(model.make(), "model.pt", model.inputs(), fp16=False)
    for path in [folder / "model.pt", *folder.glob("model.pnnx.*")]:
        path.unlink(missing_ok=True)
    if not (folder / "model.ncnn.param").exists():
        raise Unsupported("pnnx writes no ncnn file")
    unknown = [
        line.split()[0]
        for line in (folder / "model.ncnn.param").read_text().splitlines()[2:]
        if "." in line.split()[0]
    ]
    if unknown:
        raise Unsupported(f"pnnx leaves ops that ncnn lacks: {', '.join(sorted(set(unknown)))}")


def load(model: Model, folder: Path, threads: int) -> Runner:
    import ncnn

    net = ncnn.Net()
    net.opt.num_threads = threads
    for name in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage"):
        setattr(net.opt, f"use_{name}", False)
    if net.load_param(os.fspath(folder / "model.ncnn.param")) or net.load_model(
        os.fspath(folder / "model.ncnn.bin")
    ):
        raise Unsupported("ncnn cannot load what pnnx writes")
    # pnnx tells only in the example it writes which dimension of a tensor ncnn takes as batch.
    example = (folder / "model_ncnn.py").read_text()
    input_batch = re.findall(r"ncnn\.Mat\(in\d+\..*?batch_index=(\d+)\)", example)
    output_batch = re.findall(r"out\d+\.numpy\(batch_index=(\d+)\)", example)
    mats = [
        # clone: a Mat made from an array does not keep its memory.
        ncnn.Mat(_array(x), batch_index=int(index)).clone()
        for x, index in zip(model.inputs(), input_batch, strict=True)
    ]
    names = list(net.input_names()), list(net.output_names())

    def call() -> Any:
        extractor = net.create_extractor()
        for name, mat in zip(names[0], mats, strict=True):
            extractor.input(name, mat)
        return [extractor.extract(name) for name in names[1]]

    def outputs(result: Any) -> Arrays:
        for status, _ in result:
            if status:
                raise Unsupported(f"ncnn's extract gives the error {status}")
        pairs = zip(result, output_batch, strict=True)
        return [mat.numpy(batch_index=int(index)) for (_, mat), index in pairs]

    return Runner(call, outputs)


def _array(x: Any) -> np.ndarray[Any, Any]:
    array: np.ndarray[Any, Any] = x.numpy()
    return array.astype(np.int32) if array.dtype == np.int64 else array
