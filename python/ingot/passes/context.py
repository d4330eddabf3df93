"""What a pass gets beside the program: the catalogue, the kernels, and its leave to change."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ingot.ir.graph import Block, Program
from ingot.ir.schema import Catalogue

CallOp = Callable[[str, Sequence[object]], Sequence[object]]
"""Runs one op on arguments in schema order: ``ingot._ingot.call_op``."""


class Context:
    """One run of one pass over one program."""

    def __init__(self, ops: Catalogue, call_op: CallOp, limit: int | None = None) -> None:
        self.ops = ops
        self.call_op = call_op
        self.changes = 0
        self._limit = limit

    def change(self) -> bool:
        """Asked before every change, which is made only if this is true: the bisection of a
        wrong pass stops after a number of changes."""
        if self._limit is not None and self.changes >= self._limit:
            return False
        self.changes += 1
        return True


def blocks(block: Block) -> list[Block]:
    """The block and all nested ones, outer before inner."""
    found = [block]
    for each in found:
        found += [inner for node in each.nodes for inner in node.blocks]
    return found


def all_blocks(program: Program) -> list[Block]:
    """Every block of every method."""
    return [b for method in program.methods.values() for b in blocks(method.body)]
