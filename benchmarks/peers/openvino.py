"""OpenVINO's CPU plugin in f32, for latency."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.peers import Arrays, Runner, onnxruntime
from benchmarks.suite import Model

TITLE = "OpenVINO"
PACKAGES = ("openvino",)
PER_THREADS = False


def prepare(model: Model, folder: Path, threads: int) -> None:
    """With static shapes, through its own PyTorch front end; where that fails, through ONNX."""
    import openvino as ov
    import torch

    module, inputs = model.make(), model.inputs()
    captured: Any = torch.jit.script(module) if model.loops else module
    try:
        with torch.no_grad():
            converted = ov.convert_model(
                captured,
                example_input=None if model.loops else inputs,
                input=[(list(x.shape), _type(x)) for x in inputs],
            )
    except Exception:
        onnxruntime.export_onnx(model, folder / "model.onnx")
        converted = ov.convert_model(folder / "model.onnx")
    ov.save_model(converted, folder / "model.xml", compress_to_fp16=False)


def _type(x: Any) -> Any:
    import openvino as ov

    return ov.Type(x.numpy().dtype)


def load(model: Model, folder: Path, threads: int) -> Runner:
    import openvino as ov

    core = ov.Core()
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": "f32",
    }
    compiled = core.compile_model(folder / "model.xml", "CPU", settings)
    request = compiled.create_infer_request()
    inputs = [tensor.numpy() for tensor in model.inputs()]

    def outputs(result: Any) -> Arrays:
        return [result[i] for i in range(len(compiled.outputs))]

    return Runner(lambda: request.infer(inputs, share_inputs=True, share_outputs=True), outputs)
