"""ONNX Runtime's CPU provider with all graph optimisations."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch

from benchmarks.peers import Runner, arrays
from benchmarks.suite import Model

TITLE = "ONNX Runtime"
PACKAGES = ("onnxruntime", "onnx")
PER_THREADS = False


def export_onnx(model: Model, path: Path) -> None:
    """Writes the model with static shapes.

    The TorchScript exporter keeps an LSTM whole and a script's loop a loop, which torch.export
    unrolls; for all else the exporter is today's.
    """
    whole = any(isinstance(part, torch.nn.LSTM) for part in model.make().modules())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module, inputs = model.make(), model.inputs()
        if whole or model.loops:
            captured = torch.jit.script(module) if model.loops else module
            torch.onnx.export(captured, inputs, path, dynamo=False, opset_version=20)
        else:
            torch.onnx.export(module, inputs, path, dynamo=True, optimize=True, verbose=False)


def prepare(model: Model, folder: Path, threads: int) -> None:
    export_onnx(model, folder / "model.onnx")


def load(model: Model, folder: Path, threads: int) -> Runner:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = ort.InferenceSession(
        folder / "model.onnx", options, providers=["CPUExecutionProvider"]
    )
    inputs = [tensor.numpy() for tensor in model.inputs()]
    feed = {port.name: x for port, x in zip(session.get_inputs(), inputs, strict=True)}
    return Runner(lambda: session.run(None, feed), arrays)
