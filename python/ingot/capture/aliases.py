"""Which values of an exported graph share memory with one that is written in place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import fx

_MAYBE_SELF = {"dropout", "dropout_", "feature_dropout", "alpha_dropout", "getitem"}
"""Ops that may give their input back although their schema does not say so."""

_NOT_WRITES = {"detach_", "lift_fresh", "requires_grad_"}


class Aliases:
    """Groups of nodes that may share memory."""

    def __init__(self, graph: fx.Graph) -> None:
        self._graph = graph
        self._parent: dict[fx.Node, fx.Node] = {}
        self._written: set[fx.Node] = set()
        self._inputs: set[fx.Node] = set()
        writes: list[fx.Node] = []
        for node in graph.nodes:
            if node.op == "call_function":
                for source in _shared(node):
                    self._join(source, node)
                writes += _written_arguments(node)
        self._written = {self._find(node) for node in writes}
        self._inputs = {self._find(n) for n in graph.nodes if n.op == "placeholder"}

    def written(self, node: fx.Node) -> bool:
        """Whether some op writes into memory that ``node`` may share."""
        return self._find(node) in self._written

    def of_input(self, node: fx.Node) -> bool:
        """Whether ``node`` may be an input or state, or a view of one."""
        return self._find(node) in self._inputs

    def copy_differs(self, view: fx.Node) -> bool:
        """Whether the program may see that ``view`` is a copy of what it was made of: a later node
        writes into one side, and the other side is read after that or belongs to the caller."""
        group = self._find(view)
        nodes = list(self._graph.nodes)
        after = nodes[nodes.index(view) + 1 :]
        derived = {view}
        for node in after:
            if node.op == "call_function" and derived & {*_shared(node)}:
                derived.add(node)
        for i, node in enumerate(after):
            for target in _written_arguments(node) if node.op == "call_function" else ():
                if self._find(target) is not group:
                    continue
                if target in derived and group in self._inputs:
                    return True
                for later in after[i + 1 :]:
                    for used in later.all_input_nodes:
                        if self._find(used) is group and (used in derived) != (target in derived):
                            return True
        return False

    def _find(self, node: fx.Node) -> fx.Node:
        while node in self._parent:
            node = self._parent[node]
        return node

    def _join(self, one: fx.Node, two: fx.Node) -> None:
        one, two = self._find(one), self._find(two)
        if one is not two:
            self._parent[two] = one


def _schema_arguments(node: fx.Node) -> Iterator[tuple[Any, Any]]:
    schema = node.target._schema  # type: ignore[union-attr]
    for i, argument in enumerate(schema.arguments):
        value = node.args[i] if i < len(node.args) else node.kwargs.get(argument.name)
        yield argument, value


def _nodes(value: Any) -> list[fx.Node]:
    if isinstance(value, fx.Node):
        return [value]
    if isinstance(value, list | tuple):
        return [n for v in value for n in _nodes(v)]
    return []


def _shared(node: fx.Node) -> list[fx.Node]:
    name = getattr(node.target, "_opname", getattr(node.target, "__name__", ""))
    if name in _MAYBE_SELF:
        return _nodes(node.args[0])
    if name in ("resolve_conj", "resolve_neg") and not _share(node.args[0], node):
        return []
    if not isinstance(node.target, torch._ops.OpOverload):
        return node.all_input_nodes if hasattr(node.target, "namespace") else []
    returned = {
        name
        for r in node.target._schema.returns
        if r.alias_info is not None
        for name in r.alias_info.before_set | r.alias_info.after_set
    }
    return [
        n
        for argument, value in _schema_arguments(node)
        if argument.alias_info is not None
        and (argument.alias_info.before_set | argument.alias_info.after_set) & returned
        for n in _nodes(value)
    ]


def _share(one: Any, two: fx.Node) -> bool:
    storages = [node.meta["val"].untyped_storage()._cdata for node in (one, two)]
    return bool(storages[0] == storages[1])


def _written_arguments(node: fx.Node) -> list[fx.Node]:
    if not isinstance(node.target, torch._ops.OpOverload):
        return []
    if node.target._opname in _NOT_WRITES:
        return []
    if node.target._opname == "dropout_" and not node.args[2]:
        return []
    if node.target._opname == "batch_norm" and node.args[5]:
        return _nodes(node.args[3:5])  # the running statistics
    return [
        n
        for argument, value in _schema_arguments(node)
        if argument.alias_info is not None and argument.alias_info.is_write
        for n in _nodes(value)
    ]
