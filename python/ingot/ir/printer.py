"""Programs as text; ``parser`` reads it back and ``docs/ir.md`` has the grammar."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from ingot.dtypes import DType
from ingot.ir.elements import unpack_elements
from ingot.ir.graph import (
    ATTRIBUTE,
    BUFFER,
    CONSTANT,
    NO_DEFAULT,
    PARAMETER,
    Block,
    Class,
    Literal,
    Method,
    Node,
    Program,
    Source,
    State,
    Symbol,
    TensorData,
    Value,
)

STATE_KINDS = {
    PARAMETER: "parameter",
    BUFFER: "buffer",
    CONSTANT: "constant",
    ATTRIBUTE: "attribute",
}

MAX_PRINTED_ELEMENTS = 16
"""Larger tensors are printed as ``[...]``."""

_NAME = re.compile(r"[A-Za-z_][\w.]*")


def print_program(program: Program, stacks: bool = False) -> str:
    """The whole program: symbols, classes, state, methods.

    ``stacks``: with the callers of every source line.
    """
    parts = [_symbol_text(s, stacks) for s in program.symbols.values()]
    tied: dict[int, str] = {}
    parts += [_class_text(c) for c in program.classes.values()]
    parts += [_state_text(s, tied) for s in program.state.values()]
    if parts:
        parts.append("")
    for method in program.methods.values():
        parts += _MethodPrinter(method, stacks).lines(_method_head(method))
        parts.append("")
    return "\n".join(parts)


def print_graph(
    method: Method, stacks: bool = False, marks: Mapping[Node | Method, str] | None = None
) -> str:
    """One method as ``graph(...)``; each of ``marks`` is printed under its node's line."""
    return "\n".join(_MethodPrinter(method, stacks, marks or {}).lines("graph")) + "\n"


def literal_text(literal: Literal) -> str:
    """A constant: Python's notation, strings as JSON's, complex as ``complex(re, im)``."""
    match literal:
        case str():
            return json.dumps(literal, ensure_ascii=False)
        case tuple():
            return f"[{', '.join(map(literal_text, literal))}]"
        case complex():
            return f"complex({literal.real!r}, {literal.imag!r})"
    return repr(literal)


def source_text(source: Source | None, stacks: bool = False) -> str:
    """`` # model.py:12:8``, with ``stacks`` the functions and callers too; "" if unknown."""
    if source is None:
        return ""
    if not stacks:
        return f" # {source}"
    frames = []
    frame: Source | None = source
    while frame is not None:
        frames.append(f"{frame} in {frame.function}" if frame.function else str(frame))
        frame = frame.caller
    return " # " + " <- ".join(frames)


def tensor_text(tensor: TensorData) -> str:
    """dtype, sizes, and the elements in row-major order if they are few."""
    head = f"{tensor.dtype}[{', '.join(map(str, tensor.shape))}]"
    count = len(tensor.data) // DType(tensor.dtype).itemsize
    if count > MAX_PRINTED_ELEMENTS:
        return f"{head} [...]"
    return f"{head} {literal_text(tuple(unpack_elements(tensor)))}"


def _symbol_text(symbol: Symbol, stacks: bool) -> str:
    maximum = "inf" if symbol.max is None else symbol.max
    location = source_text(symbol.source, stacks)
    return f"symbol {symbol.name} in [{symbol.min}, {maximum}]{location}"


def _class_text(described: Class) -> str:
    fields = ", ".join(f"{name}: {type}" for name, type in described.fields.items())
    return f"class {described.name}({fields})"


def _state_text(state: State, tied: dict[int, str]) -> str:
    if not isinstance(state.value, TensorData):
        value = literal_text(state.value)
    elif id(state.value) in tied:
        value = f"same as {json.dumps(tied[id(state.value)])}"
    else:
        tied[id(state.value)] = state.name
        value = tensor_text(state.value)
    mutable = " mutable" if state.mutable else ""
    name = json.dumps(state.name, ensure_ascii=False)
    return f"state {name} : {state.type} {STATE_KINDS[state.kind]}{mutable} = {value}"


def _method_head(method: Method) -> str:
    return f"{'' if method.exported else 'private '}method {method.name}"


class _MethodPrinter:
    def __init__(
        self, method: Method, stacks: bool, marks: Mapping[Node | Method, str] | None = None
    ) -> None:
        self.method = method
        self.stacks = stacks
        self.marks = marks or {}
        self.names = name_values(method)

    def lines(self, head: str) -> list[str]:
        method = self.method
        inputs = []
        for described, value in zip(method.inputs, method.body.inputs, strict=False):
            text = self.definition(value)
            if self.names.get(value) != described.name:
                text += f" as {json.dumps(described.name, ensure_ascii=False)}"
            if described.default is not NO_DEFAULT:
                text += f" = {literal_text(described.default)}"  # type: ignore[arg-type]
            inputs.append(text)
        inputs += [self.definition(v) for v in method.body.inputs[len(method.inputs) :]]
        lines = [f"{head}({', '.join(inputs)}):"]
        for (number, path, dim), source in method.dim_sources.items():
            place = f"{number}, {json.dumps(path, ensure_ascii=False)}, {dim}"
            lines.append(f"  fixed({place}){source_text(source, self.stacks)}")
        lines += self.block_lines(method.body, "  ")
        lines.append(f"  return ({self.uses(method.body.outputs)})")
        if method in self.marks:
            lines.append(f"  ^ {self.marks[method]}")
        return lines

    def block_lines(self, block: Block, indent: str) -> Iterator[str]:
        for node in block.nodes:
            yield indent + self.node_text(node)
            if node in self.marks:
                yield f"{indent}^ {self.marks[node]}"
            for number, inner in enumerate(node.blocks):
                inputs = ", ".join(map(self.definition, inner.inputs))
                yield f"{indent}  block{number}({inputs}):"
                yield from self.block_lines(inner, indent + "    ")
                yield f"{indent}    -> ({self.uses(inner.outputs)})"

    def node_text(self, node: Node) -> str:
        outputs = ", ".join(map(self.definition, node.outputs))
        attributes = ", ".join(f"{k}={literal_text(v)}" for k, v in node.attributes.items())
        return (
            f"{outputs}{' = ' if outputs else ''}{node.op}"
            f"{f'[{attributes}]' if attributes else ''}({self.uses(node.inputs)})"
            f"{source_text(node.source, self.stacks)}"
        )

    def definition(self, value: Value) -> str:
        return f"%{self.names.get(value, '?')} : {value.type}"

    def uses(self, values: list[Value]) -> str:
        return ", ".join(f"%{self.names.get(v, '?')}" for v in values)


def name_values(method: Method) -> dict[Value, str]:
    """A name of its own for every value: its own name where that is free, else a number."""
    names: dict[Value, str] = {}
    taken: set[str] = set()
    number = 0

    def give(value: Value) -> None:
        nonlocal number
        wanted = re.sub(r"[^\w.]", "_", value.name)
        if not _NAME.fullmatch(wanted):
            name = str(number)
            number += 1
        else:
            name, copy = wanted, 1
            while name in taken:
                name, copy = f"{wanted}.{copy}", copy + 1
        taken.add(name)
        names[value] = name

    def give_block(block: Block) -> None:
        for value in block.inputs:
            give(value)
        for node in block.nodes:
            for value in node.outputs:
                give(value)
            for inner in node.blocks:
                give_block(inner)

    give_block(method.body)
    return names
