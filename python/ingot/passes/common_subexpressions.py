"""Computes equal things once: a node is replaced by an earlier, visible one of equal op,
attributes and inputs.

Left alone: ops with effects or random results, whatever reads or shares storage that something
writes into, state that a method replaces, two results that both reach the caller, who may
write into one of them, and results that the program asks whether they are one (``x is y``).
"""

from __future__ import annotations

from ingot.ir.alias import Aliases
from ingot.ir.effects import has_effect, mutates
from ingot.ir.graph import Block, Node, Program, Value
from ingot.ir.prims import PRIMS
from ingot.passes.context import Context

_Key = tuple[object, ...]


def common_subexpressions(program: Program, context: Context) -> None:
    replaced: set[object] = {
        node.attributes["name"]
        for method in program.methods.values()
        for node in method.body.walk()
        if node.op == "prim::SetState"
    }
    for method in program.methods.values():
        aliases = Aliases(program, method, context.ops)
        mapping: dict[Value, Value] = {}
        _block(method.body, {}, mapping, aliases, replaced, context)
        method.body.replace(mapping)


def _block(
    block: Block,
    known: dict[_Key, Node],
    mapping: dict[Value, Value],
    aliases: Aliases,
    replaced: set[object],
    context: Context,
) -> None:
    kept = []
    for node in block.nodes:
        for inner in node.blocks:
            _block(inner, dict(known), mapping, aliases, replaced, context)
        if _is_pure(node, aliases, replaced, context):
            key = _key(node, mapping)
            earlier = known.setdefault(key, node)
            if earlier is not node and _may_share(earlier, node, aliases) and context.change():
                mapping.update(zip(node.outputs, earlier.outputs, strict=True))
                continue
        kept.append(node)
    block.nodes = kept


def _key(node: Node, mapping: dict[Value, Value]) -> _Key:
    if node.inputs and node.op not in PRIMS:
        inputs = tuple(mapping.get(v, v) for v in node.inputs)
        return (node.op, inputs, *map(repr, node.attributes.items()), len(node.outputs))
    types = tuple(v.type for v in node.outputs)
    inputs = tuple(mapping.get(v, v) for v in node.inputs)
    return (node.op, inputs, types, *map(repr, node.attributes.items()))


def _is_pure(node: Node, aliases: Aliases, replaced: set[object], context: Context) -> bool:
    if node.blocks or has_effect(node, context.ops) or mutates(node, context.ops):
        return False
    if (
        node.op in ("prim::Uninitialized", "prim::CreateObject")
        or node.attributes.get("name") in replaced
        or any(map(aliases.is_told_apart, node.outputs))
    ):
        return False
    return not any(map(aliases.is_mutated, [*node.inputs, *node.outputs]))


def _may_share(earlier: Node, node: Node, aliases: Aliases) -> bool:
    return not any(
        aliases.is_returned(a) and aliases.is_returned(b)
        for a, b in zip(earlier.outputs, node.outputs, strict=True)
    )
