"""Removes nodes, branch results and carried values whose absence no caller can notice.

A node stays if it has an effect of its own, if something that stays uses it, or if it writes
into storage that something that stays may read (``ir.alias``).
"""

from __future__ import annotations

from ingot.ir.alias import Aliases, can_alias
from ingot.ir.effects import fails, has_effect, may_raise
from ingot.ir.graph import Block, Method, Node, Program, Value
from ingot.ir.schema import Catalogue
from ingot.passes.context import Context


def dead_code(program: Program, context: Context) -> None:
    for method in program.methods.values():
        live = _Liveness(method, Aliases(program, method, context.ops), context.ops)
        _sweep(method.body, live, context)


class _Liveness:
    """What must stay, grown from effects and results until nothing is added."""

    def __init__(self, method: Method, aliases: Aliases, ops: Catalogue) -> None:
        self.aliases = aliases
        self.values: set[Value] = set()
        self.nodes: set[Node] = set()
        self.classes: set[object] = set()
        self.work: list[Value] = list(method.body.outputs)
        self.made_by: dict[Value, tuple[Node, int]] = {}
        """Outputs, and the inputs of a Loop's block under the number of their output."""
        self.parent: dict[Node, Node | None] = {}
        self._index(method.body, None)
        for key in aliases.outside():
            self._reach(key)
        for node in self.parent:
            if has_effect(node, ops) or (fails(node) and not self._inside_try(node)):
                self._keep(node)
        while self.work:
            self._use(self.work.pop())

    def _index(self, block: Block, parent: Node | None) -> None:
        for node in block.nodes:
            self.parent[node] = parent
            for number, value in enumerate(node.outputs):
                self.made_by[value] = (node, number)
            for inner in node.blocks:
                for number, value in enumerate(inner.inputs):
                    self.made_by[value] = (node, number - 1 if node.op == "prim::Loop" else -1)
                self._index(inner, node)

    def _reach(self, key: object) -> None:
        """Something that stays may read this storage: whatever writes into it stays."""
        if key not in self.classes:
            self.classes.add(key)
            for writer in self.aliases.writers.get(key, ()):
                self._keep(writer)

    def _keep(self, node: Node | None) -> None:
        while node is not None and node not in self.nodes:
            self.nodes.add(node)
            if node.op == "prim::Loop":
                self.work += [*node.inputs[:2], node.blocks[0].outputs[0]]
            else:
                self.work += node.inputs
                if node.op == "prim::Try":
                    self._keep_failures(node.blocks[0])
            node = self.parent[node]

    def _inside_try(self, node: Node) -> bool:
        """A Try that stays keeps what fails in it."""
        around = self.parent[node]
        while around is not None and around.op != "prim::Try":
            around = self.parent[around]
        return around is not None

    def _keep_failures(self, body: Block) -> None:
        """What ends the body of a Try decides what follows."""
        for node in body.walk():
            if may_raise(node):
                self._keep(node)

    def _use(self, value: Value) -> None:
        if value in self.values:
            return
        self.values.add(value)
        if can_alias(value.type):
            self._reach(self.aliases.of(value))
        if value not in self.made_by:
            return
        node, number = self.made_by[value]
        self._keep(node)
        if node.op in ("prim::If", "prim::Try") and number >= 0:
            self.work += [block.outputs[number] for block in node.blocks]
        elif node.op == "prim::Loop" and number >= 0:
            body = node.blocks[0]
            self.work += [node.inputs[number + 2], body.outputs[number + 1]]
            self.work += [body.inputs[number + 1], node.outputs[number]]


def _sweep(block: Block, live: _Liveness, context: Context) -> None:
    """From the end, so that uses go before what they use."""
    kept = []
    for node in reversed(block.nodes):
        if node not in live.nodes and context.change():
            continue
        kept.append(node)
        if node.op in ("prim::If", "prim::Try"):
            _drop_results(node, live, context)
        elif node.op == "prim::Loop":
            _still_carries(node, live, context)
        for inner in node.blocks:
            _sweep(inner, live, context)
        if node.op == "prim::Loop":
            _drop_carries(node, live)
    block.nodes = kept[::-1]


def _drop_results(node: Node, live: _Liveness, context: Context) -> None:
    for number in reversed(range(len(node.outputs))):
        if node.outputs[number] not in live.values and context.change():
            del node.outputs[number]
            for block in node.blocks:
                del block.outputs[number]


def _still_carries(node: Node, live: _Liveness, context: Context) -> None:
    """Makes each turn hand on unused carried values as they are, so that their nodes can go."""
    body = node.blocks[0]
    for number, output in enumerate(node.outputs):
        if output not in live.values and context.change():
            body.outputs[number + 1] = body.inputs[number + 1]


def _drop_carries(node: Node, live: _Liveness) -> None:
    body = node.blocks[0]
    used = {value for inner in body.walk() for value in inner.inputs}
    used |= {v for inner in body.walk() for block in inner.blocks for v in block.outputs}
    for number in reversed(range(len(node.outputs))):
        inner = body.inputs[number + 1]
        others = [*body.outputs[: number + 1], *body.outputs[number + 2 :]]
        if node.outputs[number] in live.values or inner in used or inner in others:
            continue
        if body.outputs[number + 1] is inner:
            del node.outputs[number]
            del node.inputs[number + 2]
            del body.inputs[number + 1]
            del body.outputs[number + 1]
