"""Computes equal things once: a node is replaced by an earlier, visible one of equal op,
attributes and inputs.

Left alone: ops with effects or random results, whatever reads or shares storage that something
writes into, state that a method replaces, two results that both reach the caller, who may
write into one of them, and results that the program asks whether they are one (``x is y``).
"""

from __future__ import annotations

from ingot.ir.alias import Aliases
from ingot.ir.effects import base, has_effect, mutates
from ingot.ir.graph import Block, Method, Node, Program, Value
from ingot.ir.prims import PRIMS
from ingot.ir.types import NONE
from ingot.passes.context import Context

_Key = tuple[object, ...]


def common_subexpressions(program: Program, context: Context) -> None:
    kept_apart: set[object] = {
        node.attributes["name"]
        for method in program.methods.values()
        for node in method.body.walk()
        if node.op == "prim::SetState"
    }
    for method in program.methods.values():
        aliases = Aliases(program, method, context.ops)
        mapping: dict[Value, Value] = {}
        _block(
            method.body, {}, mapping, aliases, kept_apart | _told_apart(method, aliases), context
        )
        method.body.replace(mapping)


def _told_apart(method: Method, aliases: Aliases) -> set[object]:
    """The classes of the values whose identity the method asks for."""
    return {
        aliases.of(value)
        for node in method.body.walk()
        if base(node.op) in ("aten::__is__", "aten::__isnot__")
        if NONE not in [v.type for v in node.inputs]
        for value in node.inputs
    }


def _block(
    block: Block,
    known: dict[_Key, Node],
    mapping: dict[Value, Value],
    aliases: Aliases,
    kept_apart: set[object],
    context: Context,
) -> None:
    kept = []
    for node in block.nodes:
        for inner in node.blocks:
            _block(inner, dict(known), mapping, aliases, kept_apart, context)
        if _is_pure(node, aliases, kept_apart, context):
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


def _is_pure(node: Node, aliases: Aliases, kept_apart: set[object], context: Context) -> bool:
    if node.blocks or has_effect(node, context.ops) or mutates(node, context.ops):
        return False
    if (
        node.op in ("prim::Uninitialized", "prim::CreateObject")
        or node.attributes.get("name") in kept_apart
        or any(aliases.of(value) in kept_apart for value in node.outputs)
    ):
        return False
    return not any(map(aliases.is_mutated, [*node.inputs, *node.outputs]))


def _may_share(earlier: Node, node: Node, aliases: Aliases) -> bool:
    return not any(
        aliases.is_returned(a) and aliases.is_returned(b)
        for a, b in zip(earlier.outputs, node.outputs, strict=True)
    )
