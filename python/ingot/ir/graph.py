"""Programs in memory: Program -> Method -> Block -> Node -> Value, in static single assignment.

Every value is defined once, by a node's outputs or a block's inputs, and is visible in the
rest of its block and in the blocks nested there. ``docs/ir.md`` has the text form.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ingot.dtypes import DType
from ingot.ir.types import Type

Literal = None | bool | int | float | complex | str | tuple["Literal", ...]
"""What a constant or an attribute may hold. Lists and tuples are kept as tuples,
dicts as tuples of pairs."""


MAX_DEPTH = 100
"""Of blocks in blocks, types in types and lists in constants; loaders refuse more."""


@dataclass(frozen=True)
class Source:
    """A line of the user's Python and, through ``caller``, the stack above it.

    ``file`` is relative to the import path it was found on, so that equal programs on
    different machines are equal.
    """

    file: str
    line: int
    column: int = 0
    function: str = ""
    text: str = ""
    caller: Source | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Value:
    """One result: a name for people, a type, identity for the graph."""

    __slots__ = ("name", "type")

    def __init__(self, type: Type, name: str = "") -> None:
        self.type = type
        self.name = name

    def __repr__(self) -> str:
        return f"%{self.name or '?'} : {self.type}"


@dataclass(eq=False)
class Node:
    """One operation. ``op`` includes the overload: ``"aten::add.Tensor"``.

    Ops of the catalogue carry no attributes; their arguments are all inputs, in schema
    order. ``prim`` ops are listed in ``docs/ir.md``.
    """

    op: str
    inputs: list[Value] = field(default_factory=list)
    outputs: list[Value] = field(default_factory=list)
    attributes: dict[str, Literal] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    source: Source | None = None

    @property
    def output(self) -> Value:
        """The only output."""
        (value,) = self.outputs
        return value


@dataclass(eq=False)
class Block:
    """A straight list of nodes with inputs and outputs."""

    inputs: list[Value] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    outputs: list[Value] = field(default_factory=list)

    def walk(self) -> Iterator[Node]:
        """Every node, those of nested blocks included, in program order."""
        for node in self.nodes:
            yield node
            for block in node.blocks:
                yield from block.walk()

    def replace(self, mapping: dict[Value, Value]) -> None:
        """Puts ``mapping[v]`` wherever ``v`` is used; chains are followed."""
        if not mapping:
            return

        def final(value: Value) -> Value:
            while value in mapping:
                value = mapping[value]
            return value

        for node in self.walk():
            node.inputs = [final(v) for v in node.inputs]
            for block in node.blocks:
                block.outputs = [final(v) for v in block.outputs]
        self.outputs = [final(v) for v in self.outputs]


@dataclass(frozen=True)
class Symbol:
    """A free size. At entry it takes the first size seen; all others must be equal."""

    name: str
    min: int = 0
    max: int | None = None
    source: Source | None = None


NO_DEFAULT = object()


@dataclass
class Input:
    """What callers see of a method's input; its type is that of the body's input value."""

    name: str
    default: object = NO_DEFAULT


@dataclass(eq=False)
class Method:
    """A function of the program. ``body`` has one output.

    ``dim_sources`` names the Python line that fixed a dimension of an input: keys are
    (input number, path inside the input such as ``"['mask'][0]"``, dimension).
    """

    name: str
    body: Block
    inputs: list[Input]
    exported: bool = True
    dim_sources: dict[tuple[int, str, int], Source] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class TensorData:
    """Row-major little-endian bytes of a tensor kept in the program."""

    dtype: DType
    shape: tuple[int, ...]
    data: memoryview


PARAMETER, BUFFER, CONSTANT, ATTRIBUTE = range(4)


@dataclass(eq=False)
class State:
    """A value kept between calls, under its ``state_dict`` name.

    Tied tensors share one TensorData object. ``kind`` is PARAMETER, BUFFER, CONSTANT (made
    by the compiler) or ATTRIBUTE (any other value of a module).
    """

    name: str
    type: Type
    value: TensorData | Literal
    kind: int = PARAMETER
    mutable: bool = False


@dataclass(eq=False)
class Class:
    """The attributes that instances of a class have, in order. The class may be part of itself."""

    name: str
    fields: dict[str, Type] = field(default_factory=dict)


@dataclass(eq=False)
class Program:
    """Everything that an .ingot file holds except the user's extra files."""

    methods: dict[str, Method] = field(default_factory=dict)
    state: dict[str, State] = field(default_factory=dict)
    symbols: dict[str, Symbol] = field(default_factory=dict)
    classes: dict[str, Class] = field(default_factory=dict)
