"""Straight-line tensor programs as data: built for Ingot, and run by PyTorch in float64."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch

from ingot.dtypes import DType
from ingot.ir.builder import Builder
from ingot.ir.graph import PARAMETER, Program, State, TensorData
from ingot.ir.types import TENSOR, TensorType

NUMBERS = {
    torch.uint8: 0, torch.int8: 1, torch.int16: 2, torch.int32: 3, torch.int64: 4,
    torch.float16: 5, torch.float32: 6, torch.float64: 7, torch.bool: 11, torch.bfloat16: 15,
}  # fmt: skip
INPUTS = "xyzuvw"


@dataclass(frozen=True)
class Ref:
    """A value of the program: inputs first, then the results of the steps in order."""

    index: int


@dataclass
class Step:
    """One op, or a weight if ``op`` is empty; a list that an op gives becomes several values."""

    op: str
    args: tuple = ()
    weight: torch.Tensor | None = None
    results: int = 1
    unpacks: bool = False


@dataclass
class Recipe:
    """What the generator draws."""

    inputs: int = 1
    steps: list[Step] = field(default_factory=list)
    outputs: list[Ref] = field(default_factory=list)

    def program(self) -> Program:
        """The program of ``forward(x, y, ...) -> (outputs...)``."""
        program = Program()
        b = Builder.method(program, "forward", [(n, TENSOR) for n in INPUTS[: self.inputs]])
        values: list[Any] = list(b.inputs)

        def operand(value: Any) -> Any:
            if isinstance(value, Ref):
                return values[value.index]
            if isinstance(value, list):
                return [operand(v) for v in value]
            return NUMBERS[value] if isinstance(value, torch.dtype) else value

        for step in self.steps:
            if step.weight is not None:
                name = f"w{len(program.state)}"
                program.state[name] = parameter(name, step.weight)
                values.append(b.state(name))
                continue
            args = [operand(a) for a in step.args]
            name = f"aten::{step.op}"
            result: Any = b.op(name, *args) if "." in step.op else b.call(name, args)
            if step.unpacks:
                result = b.list_unpack(result, step.results)
            values.extend(result if isinstance(result, tuple) else (result,))
        b.returns(b.tuple_construct([operand(ref) for ref in self.outputs]))
        return program

    def evaluate(self, inputs: list[torch.Tensor]) -> list[Any]:
        """All values by PyTorch, floats as float64; None where a step fails. Inputs may change."""
        values: list[Any] = [widened(t) for t in inputs]
        for step in self.steps:
            try:
                with default_dtype(torch.float64):
                    results = apply(step, values, True)
            except (RuntimeError, IndexError, TypeError):
                results = []
            fit = len(results) == step.results
            values.extend(results if fit else [None] * step.results)
        return values

    def sources(self, ref: Ref) -> set[int]:
        """The values that one is computed from, itself included."""
        first = self.inputs
        made_by = {}
        for step in self.steps:
            for k in range(step.results):
                made_by[first + k] = step
            first += step.results
        found: set[int] = set()

        def visit(value: Any) -> None:
            if isinstance(value, list | tuple):
                for v in value:
                    visit(v)
            elif isinstance(value, Ref) and value.index not in found:
                found.add(value.index)
                if value.index in made_by:
                    visit(made_by[value.index].args)

        visit(ref)
        return found


def parameter(name: str, tensor: torch.Tensor) -> State:
    """A weight of the program."""
    dtype, sizes = DType(NUMBERS[tensor.dtype]), tuple(tensor.shape)
    data = memoryview(
        bytearray(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    )
    return State(name, TensorType(dtype, sizes), TensorData(dtype, sizes, data), PARAMETER)


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def widened(value: Any) -> Any:
    """Floating tensors and dtypes as float64."""
    if isinstance(value, torch.Tensor):
        return value.double() if value.is_floating_point() else value
    return torch.float64 if isinstance(value, torch.dtype) and value.is_floating_point else value


def apply(step: Step, values: list[Any], wide: bool) -> list[Any]:
    """The values that a step adds. Raises what PyTorch raises."""

    def operand(value: Any) -> Any:
        if isinstance(value, Ref):
            if values[value.index] is None:
                raise TypeError("a step before failed")
            return values[value.index]
        if isinstance(value, list):
            return [operand(v) for v in value]
        return widened(value) if wide else value

    if step.weight is not None:
        return [widened(step.weight) if wide else step.weight]
    with torch.no_grad():
        result = torch_op(step.op)(*(operand(a) for a in step.args))
    return list(result) if isinstance(result, list | tuple) else [result]


def torch_op(name: str) -> Any:
    """The op that ``aten::name`` stands for."""
    packet, _, overload = name.partition(".")
    op = getattr(torch.ops.aten, packet)
    return getattr(op, overload) if overload else op
