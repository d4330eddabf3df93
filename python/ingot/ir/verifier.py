"""Checks that a program is valid: what every pass may rely on and must leave behind."""

from __future__ import annotations

from typing import NoReturn

from ingot.errors import Error
from ingot.ir.diagnostics import stack
from ingot.ir.graph import MAX_DEPTH, Block, Class, Method, Node, Program, Value
from ingot.ir.match import SUBTYPE, Bindings, bind, fit_type
from ingot.ir.prims import PRIMS
from ingot.ir.printer import print_graph
from ingot.ir.schema import ANY, Catalogue, Schema, catalogue
from ingot.ir.types import (
    ClassType,
    DictType,
    ListType,
    NamedTupleType,
    OptionalType,
    TensorType,
    TupleType,
    Type,
    UnionType,
    is_subtype,
    parts_of,
)

_CONTEXT_LINES = 8


def verify(program: Program, ops: Catalogue | None = None) -> None:
    """Raises Error (internal) that shows the IR with the fault marked under its line.

    Checked: every value is defined once and before its uses, in scope; every node fits its
    op's schema or its prim's rule; symbols and state exist; a method gives one value.
    """
    known = catalogue() if ops is None else ops
    defined: set[Value] = set()
    for described in program.classes.values():
        for type in described.fields.values():
            _class_field_is_valid(program, described, type, 0)
    for method in program.methods.values():
        _Verifier(program, method, known, defined).method_is_valid()


def _class_field_is_valid(program: Program, described: Class, type: Type, depth: int) -> None:
    what = ""
    if depth > MAX_DEPTH:
        what = f"a field's type nests deeper than {MAX_DEPTH}"
    elif isinstance(type, ClassType) and type.name not in program.classes:
        what = f"there is no class {type.name}"
    if what:
        raise Error(f"invalid program: class {described.name}: {what}", "internal")
    for inner in parts_of(type):
        _class_field_is_valid(program, described, inner, depth + 1)


class _Verifier:
    def __init__(
        self, program: Program, method: Method, ops: Catalogue, defined: set[Value]
    ) -> None:
        self.program = program
        self.method = method
        self.ops = ops
        self.defined = defined
        self.visible: set[Value] = set()
        self.read_from: dict[Value, object] = {}
        """The name of the state entry that a value was read from."""

    def method_is_valid(self) -> None:
        method = self.method
        self.nesting()
        if self.program.methods.get(method.name) is not method:
            self.fault(method, f"it is filed under another name than {method.name!r}")
        if len(method.inputs) != len(method.body.inputs):
            self.fault(method, f"{len(method.inputs)} inputs for {len(method.body.inputs)} values")
        if len(method.body.outputs) != 1:
            self.fault(method, f"it gives {len(method.body.outputs)} values, not one")
        self.block(method, method.body)

    def nesting(self) -> None:
        """Comes first, and without recursion, because everything else recurses into blocks."""
        level = [self.method.body]
        for _ in range(MAX_DEPTH):
            level = [inner for block in level for node in block.nodes for inner in node.blocks]
        if level:
            raise Error(
                f"method {self.method.name}: control flow nests deeper than {MAX_DEPTH}",
                hint="move inner parts, or the end of a long elif chain, into functions",
            )

    def fault(self, place: Node | Method, what: str) -> NoReturn:
        """Shows the lines around the fault, all names made up anew as the IR may be broken."""
        lines = print_graph(self.method, marks={place: what}).splitlines()
        marked = next((i for i, line in enumerate(lines) if line.endswith(f"^ {what}")), 0)
        shown = lines[max(0, marked - _CONTEXT_LINES) : marked + _CONTEXT_LINES]
        subject = place.op if isinstance(place, Node) else f"method {place.name}"
        raise Error(
            f"invalid program: {subject}: {what}\n" + "\n".join(shown),
            "internal",
            stack(place.source) if isinstance(place, Node) else "",
        )

    def block(self, owner: Node | Method, block: Block) -> None:
        here: list[Value] = []
        self.define(owner, block.inputs, here)
        for node in block.nodes:
            self.uses(node, node.inputs)
            for inner in node.blocks:
                self.block(node, inner)
            self.node(node)
            self.define(node, node.outputs, here)
        self.uses(owner, block.outputs)
        self.visible.difference_update(here)

    def define(self, place: Node | Method, values: list[Value], here: list[Value]) -> None:
        for value in values:
            if value in self.defined:
                self.fault(place, f"{value!r} is defined twice")
            self.type(place, value.type, 0)
            self.defined.add(value)
            self.visible.add(value)
            here.append(value)

    def uses(self, place: Node | Method, values: list[Value]) -> None:
        for value in values:
            if value not in self.visible:
                why = "out of scope" if value in self.defined else "not defined before"
                self.fault(place, f"{value!r} is {why}")

    def type(self, place: Node | Method, type: Type, depth: int) -> None:
        if depth > MAX_DEPTH:
            self.fault(place, f"a type nests deeper than {MAX_DEPTH}")
        match type:
            case TensorType(dims=dims):
                for dim in dims or ():
                    if isinstance(dim, str) and dim not in self.program.symbols:
                        self.fault(place, f"there is no symbol {dim!r}")
            case ClassType(name):
                if name not in self.program.classes:
                    self.fault(place, f"there is no class {name}")
            case ListType(element) | OptionalType(element):
                self.type(place, element, depth + 1)
            case DictType(key, value):
                self.type(place, key, depth + 1)
                self.type(place, value, depth + 1)
            case TupleType(elements) | UnionType(elements) | NamedTupleType(elements=elements):
                for element in elements:
                    self.type(place, element, depth + 1)

    def node(self, node: Node) -> None:
        if node.op in PRIMS:
            self.prim_node(node)
            return
        schema = self.ops.find(node.op)
        if schema is None:
            self.fault(node, "there is no such op")
        self.catalogue_node(node, schema)

    def prim_node(self, node: Node) -> None:
        prim = PRIMS[node.op]
        if sorted(node.attributes) != sorted(prim.attributes):
            wanted = ", ".join(prim.attributes) or "none"
            self.fault(node, f"its attributes must be: {wanted}")
        for what, wanted_count, items in (
            ("inputs", prim.inputs, node.inputs),
            ("outputs", prim.outputs, node.outputs),
            ("blocks", prim.blocks, node.blocks),
        ):
            if wanted_count is not None and len(items) != wanted_count:
                self.fault(node, f"it has {len(items)} {what}, not {wanted_count}")
        what_is_wrong = prim.rule(node, self.program)
        if what_is_wrong:
            self.fault(node, what_is_wrong)
        if node.op == "prim::GetState":
            self.read_from[node.output] = node.attributes["name"]

    def catalogue_node(self, node: Node, schema: Schema) -> None:
        if node.attributes or node.blocks:
            self.fault(node, "an op of the catalogue has neither attributes nor blocks")
        few = len(node.inputs) < len(schema.arguments)
        if few or (len(node.inputs) > len(schema.arguments) and not schema.variadic):
            self.fault(node, f"it has {len(node.inputs)} inputs, not {len(schema.arguments)}")
        if len(node.outputs) != len(schema.returns):
            self.fault(node, f"it has {len(node.outputs)} outputs, not {len(schema.returns)}")
        bindings: Bindings = {}
        for value, argument in zip(node.inputs, schema.arguments, strict=False):
            level = fit_type(value.type, argument.type, None, bindings)
            if argument.type != ANY and (level is None or level > SUBTYPE):
                self.fault(
                    node, f"argument {argument.name!r} is {argument.declared}, not {value.type}"
                )
            if argument.mutated:
                self.mutable(node, value)
        for value, result in zip(node.outputs, schema.returns, strict=True):
            type = bind(result.type, bindings)
            if type != ANY and not is_subtype(type, value.type):
                self.fault(node, f"it gives {type}, not {value.type}")

    def mutable(self, node: Node, value: Value) -> None:
        """State that is written in place must be marked so; the loader maps the rest read-only."""
        name = self.read_from.get(value)
        entry = self.program.state.get(name) if isinstance(name, str) else None
        if entry is not None and not entry.mutable:
            self.fault(node, f"state entry {name!r} is written in place but not mutable")
