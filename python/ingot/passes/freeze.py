"""Makes constants of other state than tensors that never changes, and drops what no method uses.

Parameters and buffers stay, used or not: they are the model's ``state_dict``.
"""

from __future__ import annotations

from ingot.ir.graph import BUFFER, PARAMETER, Program, TensorData
from ingot.passes.context import Context, all_blocks


def freeze(program: Program, context: Context) -> None:
    used: set[object] = set()
    for block in all_blocks(program):
        for node in block.nodes:
            if node.op not in ("prim::GetState", "prim::SetState"):
                continue
            name = node.attributes["name"]
            state = program.state[str(name)]
            used.add(name)
            if node.op == "prim::SetState" or state.mutable or isinstance(state.value, TensorData):
                continue
            if context.change():
                used.discard(name)
                node.op = "prim::Constant"
                node.attributes = {"value": state.value}
    for name, state in list(program.state.items()):
        listed = state.kind in (PARAMETER, BUFFER)
        if name not in used and not listed and context.change():
            del program.state[name]
