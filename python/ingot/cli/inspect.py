"""``ingot inspect``: what a file holds, as tables or JSON. Needs neither torch nor the runtime."""

from __future__ import annotations

import json as json_module
from collections import Counter
from pathlib import Path
from typing import Any

from ingot.file.reader import read
from ingot.ir.graph import NO_DEFAULT, Input, Literal, Method, Program, Source, State, TensorData
from ingot.ir.types import OptionalType, TensorType, Type

_KINDS = ("parameter", "buffer", "constant", "attribute")


def run(file: Path, *, graph: bool, code: bool, json: bool) -> None:
    """Prints the parts asked for; a summary if none is."""
    program, extra_files = read(file)
    if graph:
        from ingot.ir.printer import print_program

        print(print_program(program))
    if code:
        from ingot.ir.code import print_code

        print(print_code(program))
    if json:
        print(json_module.dumps(describe(file, program, extra_files), indent=2))
    if not (graph or code or json):
        from ingot.cli.inspect_tables import show

        show(describe(file, program, extra_files))


def describe(file: Path, program: Program, extra_files: dict[str, bytes]) -> dict[str, Any]:
    """Everything that inspect knows, as JSON has it."""
    stored = {id(s.value): s.value for s in program.state.values() if _is_tensor(s)}
    parameters = {
        id(s.value): s.value for s in program.state.values() if _is_tensor(s) and s.kind == 0
    }
    return {
        "file": str(file),
        "bytes": file.stat().st_size,
        "metadata": _metadata(file),
        "methods": [
            _method(program, method) for method in program.methods.values() if method.exported
        ],
        "state": [_state(entry) for entry in program.state.values()],
        "parameters": sum(_count(value) for value in parameters.values()),
        "weight_bytes": sum(_bytes(value) for value in stored.values()),
        "ops": dict(_ops(program).most_common()),
        "extra_files": {name: len(content) for name, content in extra_files.items()},
    }


def _is_tensor(entry: State) -> bool:
    return isinstance(entry.value, TensorData)


def _count(value: TensorData | Literal) -> int:
    assert isinstance(value, TensorData)
    count = 1
    for size in value.shape:
        count *= size
    return count


def _bytes(value: TensorData | Literal) -> int:
    assert isinstance(value, TensorData)
    return _count(value) * value.dtype.itemsize


def _metadata(file: Path) -> dict[str, str]:
    with open(file, "rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        return dict(json_module.loads(stream.read(length)).get("__metadata__", {}))


def _ops(program: Program) -> Counter[str]:
    return Counter(
        node.op
        for method in program.methods.values()
        for node in method.body.walk()
        if not node.op.startswith("prim::Constant")
    )


def _state(entry: State) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": entry.name,
        "kind": _KINDS[entry.kind],
        "type": str(entry.type),
        "updated": entry.mutable,
    }
    if isinstance(entry.value, TensorData):
        row["dtype"] = str(entry.value.dtype)
        row["shape"] = list(entry.value.shape)
        row["bytes"] = _bytes(entry.value)
    return row


def _method(program: Program, method: Method) -> dict[str, Any]:
    return {
        "name": method.name,
        "inputs": [
            _input(program, method, number, input) for number, input in enumerate(method.inputs)
        ],
        "output": str(method.body.outputs[0].type),
        "guards": _guards(method),
    }


def _input(program: Program, method: Method, number: int, input: Input) -> dict[str, Any]:
    type = method.body.inputs[number].type
    row: dict[str, Any] = {
        "name": input.name,
        "type": str(type),
        "required": input.default is NO_DEFAULT,
    }
    if input.default is not NO_DEFAULT:
        row["default"] = _plain(input.default)
    tensor = _tensor_of(type)
    if tensor is not None:
        row["dtype"] = None if tensor.dtype is None else str(tensor.dtype)
        if tensor.dims is not None:
            row["dimensions"] = [
                _dimension(program, dim, method.dim_sources.get((number, "", d)))
                for d, dim in enumerate(tensor.dims)
            ]
    return row


def _tensor_of(type: Type) -> TensorType | None:
    inner = type.element if isinstance(type, OptionalType) else type
    return inner if isinstance(inner, TensorType) else None


def _plain(value: Any) -> Any:
    if isinstance(value, complex):
        return str(value)
    return [_plain(v) for v in value] if isinstance(value, tuple) else value


def _dimension(program: Program, dim: int | str | None, source: Source | None) -> dict[str, Any]:
    if isinstance(dim, int):
        row: dict[str, Any] = {"size": dim}
    elif dim is None:
        row = {"min": 0, "max": None}
    else:
        symbol = program.symbols[dim]
        source = source or symbol.source
        row = {"symbol": dim, "min": symbol.min, "max": symbol.max}
    if source is not None:
        row["source"] = _source(source)
    return row


def _guards(method: Method) -> list[dict[str, Any]]:
    guards = []
    for node in method.body.walk():
        if node.op == "prim::Guard":
            guard: dict[str, Any] = {"message": node.attributes["message"]}
            if node.source is not None:
                guard["source"] = _source(node.source)
            guards.append(guard)
    return guards


def _source(source: Source) -> dict[str, Any]:
    row: dict[str, Any] = {"file": source.file, "line": source.line, "text": source.text}
    if source.function:
        row["function"] = source.function
    return row
