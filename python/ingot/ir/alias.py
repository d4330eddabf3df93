"""Which values of a method may share storage: classes that only ever grow, so always sound.

Tensors, lists, dicts and tuples share; numbers, strings and None do not. A container is in one
class with all that it holds. All inputs of a method are in one class, because a caller may
pass one tensor twice.
"""

from __future__ import annotations

from collections.abc import Iterator

from ingot.ir.effects import MAY_RETURN_INPUT, base
from ingot.ir.graph import Block, Method, Node, Program, TensorData, Value
from ingot.ir.prims import PRIMS
from ingot.ir.schema import ANY, Catalogue
from ingot.ir.types import (
    NONE,
    DictType,
    NamedTupleType,
    OptionalType,
    SimpleType,
    TensorType,
    TupleType,
    Type,
    UnionType,
    parts_of,
)


class Aliases:
    """The classes of one method, as it is now: passes that change it make a new one."""

    def __init__(self, program: Program, method: Method, ops: Catalogue) -> None:
        self.program = program
        self.ops = ops
        self._parent: dict[object, object] = {}
        self._outside = object()
        """Stands for the inputs and whatever else the caller holds."""
        self.writers: dict[object, list[Node]] = {}
        """Class -> the nodes that write into it; filled when the classes are final."""
        self._join(self._outside, *method.body.inputs)
        self._block(method.body)
        for node in method.body.walk():
            for value in written_values(node, ops):
                self.writers.setdefault(self.of(value), []).append(node)
        self._outputs = {self.of(v) for v in method.body.outputs if can_alias(v.type)}
        self._told_apart = {
            self.of(value) for node in method.body.walk() for value in _told_apart(node)
        }

    def of(self, key: object) -> object:
        """The class of a value: equal for two values that may share storage."""
        parent = self._parent
        root = key
        while (above := parent.get(root, root)) is not root:
            root = above
        while (above := parent.get(key, root)) is not root:
            parent[key] = root
            key = above
        return root

    def is_mutated(self, value: Value) -> bool:
        """Whether some node of the method may write into the value."""
        return can_alias(value.type) and self.of(value) in self.writers

    def is_returned(self, value: Value) -> bool:
        """Whether the caller may get the value's storage."""
        return can_alias(value.type) and self.of(value) in self._outputs

    def is_told_apart(self, value: Value) -> bool:
        """Whether the method may ask if the value is another one: by ``x is y``, or because it is
        a key of a dict."""
        return can_alias(value.type) and self.of(value) in self._told_apart

    def outside(self) -> set[object]:
        """The classes that live longer than a call: inputs, state and results."""
        states = {self.of(self._state_key(name)) for name in self.program.state}
        return {self.of(self._outside), *states, *self._outputs}

    def _join(self, *keys: object) -> None:
        roots = [self.of(k) for k in keys if not isinstance(k, Value) or can_alias(k.type)]
        for root in roots[1:]:
            first, other = self.of(roots[0]), self.of(root)
            if first is not other:
                self._parent[other] = first

    def _state_key(self, name: object) -> object:
        state = self.program.state.get(name) if isinstance(name, str) else None
        if state is not None and isinstance(state.value, TensorData):
            return ("tensor", id(state.value))
        return ("state", name)

    def _block(self, block: Block) -> None:
        for node in block.nodes:
            for inner in node.blocks:
                self._block(inner)
            self._node(node)

    def _node(self, node: Node) -> None:
        match node.op:
            case "prim::GetState":
                self._join(self._state_key(node.attributes["name"]), *node.outputs)
            case "prim::SetState":
                self._join(self._state_key(node.attributes["name"]), *node.inputs)
            case "prim::If" | "prim::Try":
                for number, output in enumerate(node.outputs):
                    self._join(output, *(b.outputs[number] for b in node.blocks))
            case "prim::Loop":
                body = node.blocks[0]
                for number, output in enumerate(node.outputs):
                    carried = (body.inputs[number + 1], body.outputs[number + 1])
                    self._join(output, node.inputs[number + 2], *carried)
            case "prim::Call":
                states = [self._state_key(name) for name in self.program.state]
                self._join(self._outside, *node.inputs, *node.outputs, *states)
            case "prim::Constant" | "prim::Uninitialized" | "prim::CreateObject":
                pass
            case op if op in PRIMS:
                self._join(*node.inputs, *node.outputs)
            case _:
                self._catalogue_node(node)

    def _catalogue_node(self, node: Node) -> None:
        schema = self.ops.find(node.op)
        if schema is None or schema.variadic or schema.base in MAY_RETURN_INPUT:
            self._join(*node.inputs, *node.outputs)
            return
        for group in schema.shared:
            values = (*node.inputs, *node.outputs)
            self._join(*(values[number] for number in group))


def written_values(node: Node, ops: Catalogue) -> list[Value]:
    """The inputs that the node may write into."""
    if node.op == "prim::SetAttr":
        return node.inputs[:1]
    if node.op == "prim::Call":
        return [v for v in (*node.inputs, *node.outputs) if can_alias(v.type)]
    schema = None if node.op in PRIMS else ops.find(node.op)
    return [] if schema is None else [node.inputs[i] for i in schema.mutated_arguments]


def _told_apart(node: Node) -> Iterator[Value]:
    """The values that a node compares by identity, and the dicts whose keys are compared so."""
    compares = base(node.op) in ("aten::__is__", "aten::__isnot__")
    if compares and NONE not in [v.type for v in node.inputs]:
        yield from node.inputs
    yield from (v for v in (*node.inputs, *node.outputs) if _has_identity_keys(v.type))


def _has_identity_keys(type: Type) -> bool:
    if isinstance(type, DictType) and can_alias(type.key):
        return True
    return any(map(_has_identity_keys, parts_of(type)))


def can_alias(type: Type) -> bool:
    """Whether two values of the type can share storage."""
    match type:
        case TensorType():
            return True
        case OptionalType(element):
            return can_alias(element)
        case UnionType(elements):
            return any(map(can_alias, elements))
        case TupleType(elements) | NamedTupleType(elements=elements):
            return any(map(can_alias, elements))
        case SimpleType():
            return type == ANY
    return True
