"""Computes at export what depends on constants only, through the runtime's own kernels.

Scalars, strings and lists become constants; tensors become state of kind CONSTANT if they are
small or no larger than what they are made of. Parameters and buffers are never folded: users
replace them in the file and train them. Branches and loops on constants are resolved.
"""

from __future__ import annotations

from typing import Any

from ingot.dtypes import DType
from ingot.errors import Error
from ingot.ir.alias import Aliases
from ingot.ir.effects import base, has_effect, mutates
from ingot.ir.graph import CONSTANT, Block, Literal, Method, Node, Program, State, TensorData, Value
from ingot.ir.prims import PRIMS, literal_fits
from ingot.ir.types import DictType, ListType, OptionalType, TensorType, TupleType, Type
from ingot.passes.context import Context

MAX_TENSOR_BYTES = 4096
"""A folded tensor may have so many bytes, or as many as its inputs."""

_UNDEFINED = frozenset("aten::" + n for n in ["empty", "empty_like", "empty_strided", "new_empty"])

Known = dict[Value, "Literal | TensorData"]


def constant_folding(program: Program, context: Context) -> None:
    for method in program.methods.values():
        _Folder(program, method, context).fold(method.body, {})


class _Folder:
    def __init__(self, program: Program, method: Method, context: Context) -> None:
        self.program = program
        self.body = method.body
        self.context = context
        self.aliases = Aliases(program, method, context.ops)

    def fold(self, block: Block, known: Known) -> None:
        mapping = self._fold_block(block, known)
        self.body.replace(mapping)

    def _fold_block(self, block: Block, known: Known) -> dict[Value, Value]:
        mapping: dict[Value, Value] = {}
        nodes: list[Node] = []
        waiting = list(reversed(block.nodes))
        while waiting:
            node = waiting.pop()
            node.inputs = [_final(v, mapping) for v in node.inputs]
            taken = self._taken_branch(node, known)
            if taken is not None:
                inner, values = taken
                mapping.update(zip(node.outputs, values, strict=True))
                waiting += reversed(inner)
                continue
            for inside in node.blocks:
                mapping.update(self._fold_block(inside, dict(known)))
            replacement = self._constants(node, known)
            for each in [node] if replacement is None else replacement:
                self._learn(each, known)
                nodes.append(each)
        block.nodes = nodes
        return mapping

    def _learn(self, node: Node, known: Known) -> None:
        if node.op == "prim::Constant":
            if not _has_pairs(node.output.type):
                known[node.output] = node.attributes["value"]
        elif node.op == "prim::GetState":
            state = self.program.state[str(node.attributes["name"])]
            fixed = state.kind == CONSTANT and not state.mutable
            if isinstance(state.value, TensorData) and fixed and not self._mutated(node):
                known[node.output] = state.value

    def _mutated(self, node: Node) -> bool:
        return any(map(self.aliases.is_mutated, [*node.inputs, *node.outputs]))

    def _taken_branch(self, node: Node, known: Known) -> tuple[list[Node], list[Value]] | None:
        """The nodes and values that stand for an If or Loop whose course is known."""
        if node.op == "prim::If" and node.inputs[0] in known and self.context.change():
            block = node.blocks[0 if known[node.inputs[0]] else 1]
            return block.nodes, block.outputs
        if node.op == "prim::Loop":
            turns, condition = (known.get(v, 1) for v in node.inputs[:2])
            assert not isinstance(turns, TensorData | complex | str | tuple)
            never = condition is False or (turns is not None and turns <= 0)
            if never and self.context.change():
                return [], node.inputs[2:]
        return None

    def _constants(self, node: Node, known: Known) -> list[Node] | None:
        """Constant nodes for a node's results, None if it must be run."""
        if (
            not all(v in known for v in node.inputs)
            or has_effect(node, self.context.ops)
            or not node.outputs
        ):
            return None
        if self._mutated(node) or any(
            map(self.aliases.is_told_apart, [*node.inputs, *node.outputs])
        ):
            return None
        arguments = [known[v] for v in node.inputs]
        if node.op == "prim::ListConstruct":
            if any(isinstance(a, TensorData) for a in arguments):
                return None
            results: list[Any] = [tuple(arguments)]
        elif node.op in PRIMS or mutates(node, self.context.ops) or base(node.op) in _UNDEFINED:
            return None
        else:
            called = self._call(node.op, arguments)
            if called is None or len(called) != len(node.outputs):
                return None
            results = called
        limit = sum(len(a.data) for a in arguments if isinstance(a, TensorData))
        literals = [_result(each) for each in results]
        for value, literal in zip(node.outputs, literals, strict=True):
            if isinstance(literal, TensorData):
                if len(literal.data) > max(limit, MAX_TENSOR_BYTES):
                    return None
                if not isinstance(value.type, TensorType):
                    return None
            elif not literal_fits(literal, value.type):
                return None
            if self.aliases.is_returned(value):
                return None
        if not self.context.change():
            return None
        pairs = zip(node.outputs, literals, strict=True)
        return [self._node(node, value, literal) for value, literal in pairs]

    def _call(self, op: str, arguments: list[Any]) -> list[Any] | None:
        try:
            given = [_argument(a) for a in arguments]
            return list(self.context.call_op(op, given))
        except (Error, TypeError, ValueError, OverflowError):
            return None  # an op that would raise still raises when it runs

    def _node(self, node: Node, value: Value, literal: Literal | TensorData) -> Node:
        if not isinstance(literal, TensorData):
            return Node("prim::Constant", [], [value], {"value": literal}, source=node.source)
        number = 0
        while (name := f"constant.{number}") in self.program.state:
            number += 1
        value.type = TensorType(literal.dtype, literal.shape)
        self.program.state[name] = State(name, value.type, literal, CONSTANT)
        return Node("prim::GetState", [], [value], {"name": name}, source=node.source)


def _has_pairs(type: Type) -> bool:
    """Whether a constant of the type is written otherwise than ops take it."""
    match type:
        case DictType() | TupleType():
            return True
        case ListType(element) | OptionalType(element):
            return _has_pairs(element)
    return False


def _final(value: Value, mapping: dict[Value, Value]) -> Value:
    while value in mapping:
        value = mapping[value]
    return value


_NUMPY = {
    "uint8": DType.u8,
    "int8": DType.i8,
    "int16": DType.i16,
    "int32": DType.i32,
    "int64": DType.i64,
    "float16": DType.f16,
    "float32": DType.f32,
    "float64": DType.f64,
    "complex64": DType.c64,
    "complex128": DType.c128,
    "bool": DType.bool,
}
_NUMPY_NAMES = {dtype: name for name, dtype in _NUMPY.items()}


def _argument(value: Literal | TensorData) -> Any:
    """As ``call_op`` takes it. Raises ValueError for bfloat16, which NumPy lacks."""
    if isinstance(value, tuple):
        return [_argument(v) for v in value]
    if not isinstance(value, TensorData):
        return value
    import numpy

    if value.dtype not in _NUMPY_NAMES:
        raise ValueError(f"NumPy has no {value.dtype}")
    array = numpy.frombuffer(value.data, _NUMPY_NAMES[value.dtype])
    return array.reshape(value.shape).copy()


def _result(value: Any) -> Literal | TensorData:
    """What ``call_op`` gave; anything that no constant can hold stays and fits no type."""
    if isinstance(value, list | tuple):
        return tuple(_result(v) for v in value)  # type: ignore[misc]
    name = getattr(getattr(value, "dtype", None), "name", None)
    if name not in _NUMPY:
        return value  # type: ignore[no-any-return]
    return TensorData(_NUMPY[name], tuple(value.shape), memoryview(value.tobytes()))
