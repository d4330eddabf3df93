"""Makes constants of state that never changes, and drops state that no method uses.

Tensors stay state. A tensor tied to one that is used stays under all its names.
"""

from __future__ import annotations

from ingot.ir.graph import Program, TensorData
from ingot.passes.context import Context, all_blocks


def freeze(program: Program, context: Context) -> None:
    used: set[object] = set()
    for block in all_blocks(program):
        for node in block.nodes:
            if node.op not in ("prim::GetState", "prim::SetState"):
                continue
            name = node.attributes["name"]
            state = program.state[str(name)]
            fixed = not state.mutable and not isinstance(state.value, TensorData)
            if node.op == "prim::GetState" and fixed and context.change():
                node.op = "prim::Constant"
                node.attributes = {"value": state.value}
            else:
                used.add(name)
    tensors = {id(program.state[str(name)].value) for name in used}
    for name, state in list(program.state.items()):
        tied = isinstance(state.value, TensorData) and id(state.value) in tensors
        if name not in used and not tied and context.change():
            del program.state[name]
