"""Small programs for the tests, made without torch."""

from __future__ import annotations

from typing import Any

import numpy as np

from ingot.dtypes import DType
from ingot.ir.builder import Builder
from ingot.ir.graph import BUFFER, PARAMETER, Program, State, Symbol, TensorData
from ingot.ir.types import TENSOR, TensorType, Type
from ingot.module import Module

_DTYPES = {"float32": DType.f32, "float64": DType.f64, "int64": DType.i64, "bfloat16": DType.bf16}


def identity(type: Type = TENSOR) -> Module:
    """``forward(x) -> x``."""
    program = Program()
    b = Builder.method(program, "forward", [("x", type)])
    b.returns(b.inputs[0])
    return Module.from_program(program)


def tensor_state(
    name: str, array: np.ndarray[Any, Any], kind: int = PARAMETER, mutable: bool = False
) -> State:
    """A state entry over the array's memory."""
    dtype = _DTYPES[array.dtype.name]
    data = memoryview(np.ascontiguousarray(array).view(np.uint8).reshape(-1)).cast("B")
    return State(
        name,
        TensorType(dtype, array.shape),
        TensorData(dtype, array.shape, data),
        kind=kind,
        mutable=mutable,
    )


def linear_program(weight: np.ndarray[Any, Any], bias: np.ndarray[Any, Any]) -> Program:
    """``forward(x: f32[B, n]) -> linear(x, weight, bias)`` with free B."""
    program = Program(symbols={"B": Symbol("B")})
    program.state["weight"] = tensor_state("weight", weight)
    program.state["bias"] = tensor_state("bias", bias)
    b = Builder.method(program, "forward", [("x", TensorType(DType.f32, ("B", weight.shape[1])))])
    b.returns(b.op("aten::linear", b.inputs[0], b.state("weight"), b.state("bias")))
    return program


def counter() -> Module:
    """``forward(x)`` adds x to the buffer ``total`` and returns the new total."""
    program = Program()
    total = tensor_state("total", np.zeros(2, np.float32), kind=BUFFER, mutable=True)
    program.state["total"] = total
    b = Builder.method(program, "forward", [("x", TensorType(DType.f32, (2,)))])
    new = b.op("aten::add.Tensor", b.state("total"), b.inputs[0])
    b.set_state("total", new)
    b.returns(new)
    return Module.from_program(program)
