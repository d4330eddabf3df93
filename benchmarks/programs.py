"""Programs made without torch, for what is measured of the executor alone."""

from __future__ import annotations

from pathlib import Path

from ingot.dtypes import DType
from ingot.ir.builder import Builder
from ingot.ir.graph import Program
from ingot.ir.types import TensorType
from ingot.module import Module


def write_chain(nodes: int, path: Path) -> None:
    """``x: f32[4]`` through a chain of negations and absolute values.

    Their work is nothing, so that the time of a node is what the executor adds to it.
    """
    program = Program()
    b = Builder.method(program, "forward", [("x", TensorType(DType.f32, (4,)))])
    value = b.inputs[0]
    for i in range(nodes):
        value = b.op("aten::neg" if i % 2 else "aten::abs", value)
    b.returns(value)
    Module.from_program(program).save(path)
