"""From what the compiler wrote to a program that can be run and saved."""

from __future__ import annotations

from ingot.dtypes import DType
from ingot.ir.alias import Aliases, written_values
from ingot.ir.diagnostics import fail
from ingot.ir.graph import Node, Program
from ingot.ir.schema import Catalogue
from ingot.ir.types import TensorType
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
    refuse_writes_beside_conjugates(program, ops)
    optimize(program, ops=ops)
    return program


def mark_written_state(program: Program, ops: Catalogue) -> None:
    """Marks as mutable every state entry that some method may write in place."""
    for method in program.methods.values():
        aliases = Aliases(program, method, ops)
        for node in method.body.walk():
            if node.op == "prim::GetState" and aliases.is_mutated(node.output):
                program.state[str(node.attributes["name"])].mutable = True


def refuse_writes_beside_conjugates(program: Program, ops: Catalogue) -> None:
    """Raises Error where a write may reach memory that a conjugate shares in PyTorch, in which
    conjugates are views: here they are copies."""
    for method in program.methods.values():
        nodes = list(method.body.walk())
        conjugates = [i for i, node in enumerate(nodes) if node.op in ("aten::conj", "aten::_conj")]
        if not conjugates:
            continue
        aliases = Aliases(program, method, ops)
        loops = [{*map(id, n.blocks[0].walk())} for n in nodes if n.op == "prim::Loop"]
        for at in conjugates:
            made, here = nodes[at].output, id(nodes[at])
            if isinstance(made.type, TensorType) and made.type.dtype not in _MAY_BE_COMPLEX:
                continue
            later = {id(node) for node in nodes[at:]}.union(
                *(loop for loop in loops if here in loop)
            )
            writers = aliases.writers.get(aliases.of(made), [])
            if any(id(node) in later and _writes_elements(node, ops) for node in writers):
                fail(
                    "conj gives a view in PyTorch, and this code then writes into memory that the "
                    "view and its source may share, which Ingot can only copy",
                    source=nodes[at].source,
                    hint="use torch.conj_physical(x), which makes a copy in PyTorch, too",
                    code="unsupported",
                )


_MAY_BE_COMPLEX = (None, DType.c64, DType.c128)


def _writes_elements(node: Node, ops: Catalogue) -> bool:
    return any(isinstance(value.type, TensorType) for value in written_values(node, ops))
