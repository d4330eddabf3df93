"""How many elements a list has, where the code around it tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingot.capture.script.items import type_of
from ingot.capture.script.values import Dynamic, Item
from ingot.ir.effects import base
from ingot.ir.types import ListType

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame
    from ingot.ir.graph import Block, Value

_READS = frozenset(
    (
        "prim::ListUnpack",
        *("aten::" + name for name in ("len", "cat", "stack", "list", "__getitem__")),
    )
)


def elements_of(frame: Frame, item: Item) -> list[Dynamic] | None:
    """The elements of a list one by one, None where it is none or its length is not known."""
    type = type_of(item)
    if not isinstance(type, ListType) or not isinstance(item, Dynamic):
        return None
    value = frame.value(item)
    length = known_length(frame, value)
    if length is None:
        return None
    values = frame.builder.list_unpack(value, length)
    return [frame.dynamic(each, type.element) for each in values]


def known_length(frame: Frame, value: Value) -> int | None:
    """The length here of a list that this block makes and nothing but ``append`` changes; None
    where other code may have it."""
    length: int | None = None
    for node in frame.builder.block.nodes:
        if value in node.outputs:
            length = len(node.inputs) if node.op == "prim::ListConstruct" else None
        elif any(_uses(block, value) for block in node.blocks):
            return None
        elif value not in node.inputs or base(node.op) in _READS:
            continue
        elif base(node.op) == "aten::append" and value is not node.inputs[1] and length is not None:
            length += 1
        else:
            return None
    return length


def _uses(block: Block, value: Value) -> bool:
    return value in block.outputs or any(
        value in node.inputs or any(_uses(inner, value) for inner in node.blocks)
        for node in block.nodes
    )
