"""``x.data = y`` of a parameter or buffer: its elements are written over.

In Python the tensor gets the memory of ``y``, and what shares its old memory keeps the old
elements. Writing over them means the same where nothing that code can still read shares either
memory; elsewhere the statement is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingot.capture.script import library
from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.items import leaves
from ingot.capture.script.values import Dynamic, Item
from ingot.ir.effects import MAY_RETURN_INPUT, has_effect, mutates
from ingot.ir.graph import Block, Node, Value
from ingot.ir.schema import Catalogue
from ingot.ir.types import TensorType

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame


def replace_data(frame: Frame, tensor: Item, item: Item) -> None:
    """Raises CompileError where something else might share the memory of one of the two."""
    held = [each.value for i in frame.environment.names.values() for each in leaves(i)]
    target = tensor.value if isinstance(tensor, Dynamic) else None
    source = item.value if isinstance(item, Dynamic) else None
    fits = (
        isinstance(source, Value)
        and isinstance(source.type, TensorType)
        and source not in held
        and _is_new(frame, frame.builder.body, source)
        and target is not None
        and held.count(target) <= 1
        and _is_alone(frame, target, held)
    )
    if not fits:
        raise CompileError(
            "the attribute data of a Tensor cannot be assigned", "write into the tensor, x.copy_(y)"
        )
    frame.call(library.write_over, tensor, item)


def _is_new(frame: Frame, body: Block, value: Value) -> bool:
    """Whether an op made the value, and no other value shares its memory."""
    node = next((n for n in body.walk() if value in n.outputs), None)
    if node is None:
        return False
    if node.op == "prim::Call":
        return _gives_new(frame, node)
    return bool(node.inputs) and not _shares(node, node.inputs, frame.builder.ops)


def _is_pure(frame: Frame, body: Block) -> bool:
    ops = frame.builder.ops
    for node in body.walk():
        if node.op == "prim::Call":
            if not _is_pure(frame, _called(frame, node)):
                return False
        elif has_effect(node, ops) or mutates(node, ops) or node.op == "prim::SetState":
            return False
    return True


def _called(frame: Frame, node: Node) -> Block:
    return frame.compiler.program.methods[str(node.attributes["method"])].body


def _gives_new(frame: Frame, call: Node) -> bool:
    """Whether a call changes nothing, and nothing shares the memory of what it gives."""
    body = _called(frame, call)
    return _is_pure(frame, body) and all(_is_new(frame, body, each) for each in body.outputs)


def _shares(node: Node, inputs: list[Value], ops: Catalogue) -> bool:
    """Whether results of an op may share the memory of one of ``inputs``."""
    schema = ops.find(node.op)
    if schema is None or schema.variadic or schema.base in MAY_RETURN_INPUT:
        return True
    values = (*node.inputs, *node.outputs)
    return any(
        any(values[k] in inputs for k in group) and any(values[k] in node.outputs for k in group)
        for group in schema.shared
    )


def _is_alone(frame: Frame, target: Value, held: list[Value]) -> bool:
    """Whether nothing that code can still read shares the memory of a module's tensor."""
    program, body = frame.compiler.program, frame.builder.body
    made = next((n for n in body.walk() if target in n.outputs), None)
    if made is None or made.op != "prim::GetState":
        return False
    entry = str(made.attributes["name"])
    data = program.state[entry].value
    if any(s.value is data for name, s in program.state.items() if name != entry):
        return False
    if any(_reads(method.body, entry) for method in frame.compiler.callers()):
        return False
    turns = [v for n in body.walk() if n.op == "prim::Loop" for v in n.blocks[0].inputs]
    if any(isinstance(each.type, TensorType) and each in turns for each in held):
        return False
    sharing = _reads(body, entry)
    for node in body.walk():
        if any(each in sharing for block in node.blocks for each in block.outputs):
            return False
        used = [each for each in node.inputs if each in sharing]
        if not used:
            continue
        if node.op == "prim::Call":
            if not _gives_new(frame, node):
                return False
        elif frame.builder.ops.find(node.op) is None:
            return False
        elif _shares(node, used, frame.builder.ops):
            sharing += node.outputs
    return not any(each in held for each in sharing if each is not target)


def _reads(body: Block, entry: str) -> list[Value]:
    """The values of a state entry."""
    nodes = (node for node in body.walk() if node.op == "prim::GetState")
    return [each for n in nodes if n.attributes["name"] == entry for each in n.outputs]
