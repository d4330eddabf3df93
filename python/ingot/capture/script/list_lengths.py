"""How many elements a list has, where the code around it tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingot.ir.effects import base

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame
    from ingot.ir.graph import Block, Value

_READS = frozenset(
    ("prim::ListUnpack", *("aten::" + name for name in ("len", "cat", "stack", "__getitem__")))
)


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
