"""Puts the bodies of called methods in the place of their calls.

A method that may call itself, directly or through others, is still called. Lines of an inlined
body keep their own stack, with the call's below it.
"""

from __future__ import annotations

from ingot.ir.graph import Block, Method, Node, Program, Source, Value
from ingot.passes.context import Context, blocks

MAX_NODES = 200_000
"""A method that has grown to this size takes in no more."""


def inline(program: Program, context: Context) -> None:
    order = _callees_first(program)
    for method in order:
        _inline_into(method, program, {m.name for m in order}, context)
    called = {
        node.attributes["method"]
        for method in program.methods.values()
        for node in method.body.walk()
        if node.op == "prim::Call"
    }
    for name, method in list(program.methods.items()):
        if not method.exported and name not in called and context.change():
            del program.methods[name]


def _callees_first(program: Program) -> list[Method]:
    """Methods that cannot reach themselves, and after those that they call."""
    calls: dict[str, list[object]] = {
        name: [n.attributes["method"] for n in method.body.walk() if n.op == "prim::Call"]
        for name, method in program.methods.items()
    }
    done: list[str] = []
    growing = True
    while growing:
        ready = [n for n, c in calls.items() if n not in done and all(x in done for x in c)]
        done += ready
        growing = bool(ready)
    rest = [name for name in calls if name not in done]
    return [program.methods[name] for name in (*done, *(r for r in rest if _free(r, calls)))]


def _free(name: str, calls: dict[str, list[object]]) -> bool:
    """Whether a method that calls recursive ones is not recursive itself."""
    seen: set[object] = set()
    work: list[object] = list(calls[name])
    while work:
        each = work.pop()
        if each == name:
            return False
        if each not in seen:
            seen.add(each)
            work += calls[str(each)]
    return True


def _inline_into(method: Method, program: Program, flat: set[str], context: Context) -> None:
    size = sum(1 for _ in method.body.walk())
    mapping: dict[Value, Value] = {}
    for block in blocks(method.body):
        nodes: list[Node] = []
        for node in block.nodes:
            if node.op != "prim::Call" or node.attributes["method"] not in flat:
                nodes.append(node)
                continue
            callee = program.methods[str(node.attributes["method"])]
            added = sum(1 for _ in callee.body.walk())
            if callee is method or size + added > MAX_NODES or not context.change():
                nodes.append(node)
                continue
            size += added
            copy = _Copy(node)
            copied = copy.block(
                callee.body, dict(zip(callee.body.inputs, node.inputs, strict=True))
            )
            nodes += copied.nodes
            mapping[node.output] = copied.outputs[0]
        block.nodes = nodes
    method.body.replace(mapping)


class _Copy:
    """Copies a body's nodes with the stack of one call below theirs."""

    def __init__(self, call: Node) -> None:
        self.call = call.source
        self.sources: dict[int, Source] = {}
        self.values: dict[Value, Value] = {}

    def block(self, block: Block, inputs: dict[Value, Value]) -> Block:
        self.values.update(inputs)
        copied = Block([self.value(v) for v in block.inputs if v not in inputs])
        for node in block.nodes:
            copied.nodes.append(
                Node(
                    node.op,
                    [self.value(v) for v in node.inputs],
                    [self.value(v) for v in node.outputs],
                    dict(node.attributes),
                    [self.block(inner, {}) for inner in node.blocks],
                    self.source(node.source),
                )
            )
        copied.outputs = [self.value(v) for v in block.outputs]
        return copied

    def value(self, value: Value) -> Value:
        if value not in self.values:
            self.values[value] = Value(value.type, value.name)
        return self.values[value]

    def source(self, source: Source | None) -> Source | None:
        if self.call is None or source is None:
            return source or self.call
        known = self.sources.get(id(source))
        if known is None:
            caller = self.source(source.caller)
            known = Source(
                source.file, source.line, source.column, source.function, source.text, caller
            )
            self.sources[id(source)] = known
        return known
