"""From what the compiler wrote to a program that can be run and saved."""

from __future__ import annotations

from ingot.ir.alias import Aliases
from ingot.ir.graph import Program
from ingot.ir.schema import Catalogue
from ingot.passes.context import Context
from ingot.passes.inline import inline
from ingot.passes.manager import optimize


def finish(program: Program, ops: Catalogue) -> Program:
    """Inlines, finds out which state is written in place, and runs the passes."""
    from ingot._ingot import call_op

    for method in program.methods.values():
        for node in method.body.walk():
            if node.op == "prim::GetState":
                node.output.type = program.state[str(node.attributes["name"])].type
    inline(program, Context(ops, call_op, None))
    mark_written_state(program, ops)
    optimize(program, ops=ops)
    return program


def mark_written_state(program: Program, ops: Catalogue) -> None:
    """Marks as mutable every state entry that some method may write in place."""
    for method in program.methods.values():
        aliases = Aliases(program, method, ops)
        for node in method.body.walk():
            if node.op == "prim::GetState" and aliases.is_mutated(node.output):
                program.state[str(node.attributes["name"])].mutable = True
