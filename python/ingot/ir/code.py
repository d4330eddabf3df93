"""Programs as Python-like source: for reading, not for running.

Constants, state, scalar expressions and lists that are used once stand where they are used;
tensors get a line each, so that every line is one step of the program.
"""

from __future__ import annotations

import keyword
import re
from collections import Counter

from ingot.ir.effects import mutates
from ingot.ir.graph import NO_DEFAULT, Block, Literal, Method, Node, Program, Value
from ingot.ir.printer import name_values
from ingot.ir.schema import Catalogue, Schema, catalogue
from ingot.ir.types import (
    DictType,
    ListType,
    NamedTupleType,
    OptionalType,
    SimpleType,
    TupleType,
    Type,
)

_BINARY = {
    "aten::add": "+",
    "aten::sub": "-",
    "aten::mul": "*",
    "aten::div": "/",
    "aten::floordiv": "//",
    "aten::remainder": "%",
    "aten::pow": "**",
    "aten::matmul": "@",
    "aten::lt": "<",
    "aten::le": "<=",
    "aten::gt": ">",
    "aten::ge": ">=",
    "aten::eq": "==",
    "aten::ne": "!=",
    "aten::__and__": "&",
    "aten::__or__": "|",
    "aten::__xor__": "^",
    "aten::__is__": "is",
    "aten::__isnot__": "is not",
}
_UNARY = {"aten::neg": "-", "aten::__not__": "not "}
_BUILTINS = {
    "aten::Int": "int",
    "aten::Float": "float",
    "aten::Bool": "bool",
    "aten::Complex": "complex",
    "aten::str": "str",
    "aten::len": "len",
    "aten::IntImplicit": "int",
    "aten::FloatImplicit": "float",
    "prim::NumToTensor": "tensor",
    "prim::max": "max",
    "prim::min": "min",
    "prim::abs": "abs",
    "prim::Print": "print",
}
_METHODS = frozenset(
    [
        "size",
        "sym_size",
        "stride",
        "dim",
        "numel",
        "item",
        "append",
        "extend",
        "insert",
        "pop",
        "clear",
        "remove",
        "index",
        "reverse",
        "keys",
        "values",
        "items",
        "get",
        "setdefault",
        "update",
        "popitem",
        "copy",
        "count",
        "sort",
    ]
)
"""Printed as methods: ``x.size(0)``. In-place ops are, too."""

MAX_LINE = 100
UNLIMITED = 2**63 - 1


def print_code(program: Program, ops: Catalogue | None = None) -> str:
    """Every method, the exported ones first."""
    methods = sorted(program.methods.values(), key=lambda m: not m.exported)
    return "\n".join(method_code(method, ops) for method in methods)


def method_code(method: Method, ops: Catalogue | None = None) -> str:
    """One method as a Python function."""
    return "\n".join(_Writer(method, catalogue() if ops is None else ops).lines()) + "\n"


class _Writer:
    def __init__(self, method: Method, ops: Catalogue) -> None:
        self.method = method
        self.ops = ops
        self.names = {value: _identifier(name) for value, name in name_values(method).items()}
        self.expressions: dict[Value, str] = {}
        """What stands for a value where it is used, instead of its name."""
        self.constants: dict[Value, Literal] = {}
        self.uses: Counter[Value] = Counter(method.body.outputs)
        self.replaced: set[Literal] = set()
        self.written: set[Value] = set()
        self.flags = 0
        for node in method.body.walk():
            self.uses.update(node.inputs)
            for block in node.blocks:
                self.uses.update(block.outputs)
            if node.op == "prim::SetState":
                self.replaced.add(node.attributes["name"])
            if mutates(node, ops):
                self.written.update(node.inputs)

    def lines(self) -> list[str]:
        method = self.method
        inputs = ["self"]
        for described, value in zip(method.inputs, method.body.inputs, strict=True):
            text = f"{self.names[value]}: {value.type}"
            if described.default is not NO_DEFAULT:
                text += f" = {_literal(described.default)}"  # type: ignore[arg-type]
            inputs.append(text)
        result = method.body.outputs[0]
        head = f"def {_identifier(method.name)}({', '.join(inputs)}) -> {result.type}:"
        lines = [head] if len(head) <= MAX_LINE else _broken(head, inputs)
        body = self.block(method.body)
        return [*lines, *_indented(body), f"    return {self.text(result)}"]

    def block(self, block: Block) -> list[str]:
        lines: list[str] = []
        for node in block.nodes:
            lines += self.node(node)
        return lines

    def text(self, value: Value, nested: bool = False) -> str:
        """The value where it is used; ``nested`` puts parentheses around operators."""
        expression = self.expressions.get(value)
        if expression is None:
            return self.names.get(value, "?")
        return f"({expression})" if nested and _has_operator(expression) else expression

    def texts(self, values: list[Value]) -> str:
        return ", ".join(map(self.text, values))

    def node(self, node: Node) -> list[str]:
        match node.op:
            case "prim::If":
                return self.branch(node)
            case "prim::Loop":
                return self.loop(node)
            case "prim::Try":
                return self.attempt(node)
            case "prim::Reraise":
                return [f"raise caught({self.texts(node.inputs)})"]
            case "prim::SetState":
                return [f"{_place(node.attributes['name'])} = {self.text(node.inputs[0])}"]
            case "prim::SetAttr":
                target, item = node.inputs
                name = node.attributes["name"]
                return [f"{self.text(target, True)}.{name} = {self.text(item)}"]
            case "prim::Guard":
                message = _literal(node.attributes["message"])
                return [f"assert {self.text(node.inputs[0])}, {message}"]
            case "prim::RaiseException":
                return [f"raise {node.attributes['kind']}({self.text(node.inputs[0])})"]
        expression = self.expression(node)
        if len(node.outputs) == 1 and self.stands_alone(node):
            self.expressions[node.output] = expression
            return []
        if node.op == "prim::IsInstance":
            return [f"{self.names[node.outputs[0]]} = {expression}"]
        used = [v for v in node.outputs if self.uses[v]]
        if not used:
            return [expression]
        names = ", ".join(self.names[v] if self.uses[v] else "_" for v in node.outputs)
        if node.op == "prim::ListUnpack":
            names = f"[{names}]"
        return [f"{names} = {expression}"]

    def stands_alone(self, node: Node) -> bool:
        """Whether the expression may move to where its value is used."""
        value = node.output
        if node.op == "prim::Constant":
            self.constants[value] = node.attributes["value"]
            return True
        if node.op == "prim::GetState":
            return node.attributes["name"] not in self.replaced
        if self.uses[value] != 1 or value in self.written:
            return False
        if node.op in ("prim::ListConstruct", "prim::TupleConstruct", "prim::Uninitialized"):
            return True
        if node.op in ("prim::TupleIndex", "prim::Cast"):
            return True
        base = node.op.partition(".")[0]
        if base in ("aten::__is__", "aten::__isnot__"):
            return True
        scalar = isinstance(value.type, SimpleType)
        plain = all(isinstance(v.type, SimpleType) for v in node.inputs)
        return scalar and (plain or base in ("aten::size", "aten::sym_size", "aten::dim"))

    # --- expressions -----------------------------------------------------------------------

    def expression(self, node: Node) -> str:
        inputs = node.inputs
        match node.op:
            case "prim::Constant":
                return _literal(node.attributes["value"], node.output.type)
            case "prim::GetState":
                return _place(node.attributes["name"])
            case "prim::ListConstruct":
                return f"[{self.texts(inputs)}]"
            case "prim::TupleConstruct":
                return self.tuple(node)
            case "prim::DictConstruct":
                pairs = zip(inputs[::2], inputs[1::2], strict=True)
                return f"{{{', '.join(f'{self.text(k)}: {self.text(v)}' for k, v in pairs)}}}"
            case "prim::TupleIndex":
                return f"{self.text(inputs[0], True)}[{node.attributes['index']}]"
            case "prim::TupleUnpack" | "prim::ListUnpack":
                return self.text(inputs[0])
            case "prim::Call":
                return f"self.{node.attributes['method']}({self.texts(inputs)})"
            case "prim::Cast":
                return f"cast({node.output.type}, {self.text(inputs[0])})"
            case "prim::IsInstance":
                return f"isinstance({self.text(inputs[0])}, {node.outputs[1].type})"
            case "prim::CreateObject":
                return f"new({node.output.type})"
            case "prim::GetAttr":
                return f"{self.text(inputs[0], True)}.{node.attributes['name']}"
            case "prim::Uninitialized":
                return f"uninitialized({node.output.type})"
        return self.call(node)

    def tuple(self, node: Node) -> str:
        type = node.output.type
        if isinstance(type, NamedTupleType):
            pairs = zip(type.fields, node.inputs, strict=True)
            return f"{type.name}({', '.join(f'{f}={self.text(v)}' for f, v in pairs)})"
        return f"({self.texts(node.inputs)}{',' if len(node.inputs) == 1 else ''})"

    def call(self, node: Node) -> str:
        base = node.op.partition(".")[0]
        name = base.partition("::")[2]
        arguments = self.arguments(node)
        operands = [self.text(v, True) for v in node.inputs]
        if base in _BINARY and len(arguments) == 2:
            return f"{operands[0]} {_BINARY[base]} {operands[1]}"
        if base in _UNARY and len(arguments) == 1:
            return f"{_UNARY[base]}{operands[0]}"
        match base, arguments:
            case "aten::__getitem__", [_, _]:
                return f"{operands[0]}[{arguments[1]}]"
            case "aten::_set_item", [_, _, _]:
                return f"{operands[0]}[{arguments[1]}] = {arguments[2]}"
            case "aten::__contains__", [_, _]:
                return f"{operands[1]} in {operands[0]}"
            case (("prim::dtype" | "prim::device" | "prim::layout"), [_]):
                return f"{operands[0]}.{name}"
        if base in _BUILTINS:
            return f"{_BUILTINS[base]}({', '.join(arguments)})"
        in_place = name.endswith("_") and not name.endswith("__")
        if arguments and (in_place or name in _METHODS):
            return f"{operands[0]}.{name}({', '.join(arguments[1:])})"
        space = "torch" if base.startswith("aten::") else base.partition("::")[0]
        return f"{space}.{name}({', '.join(arguments)})"

    def arguments(self, node: Node) -> list[str]:
        """The arguments that are not their defaults, by position while that is unambiguous."""
        schema: Schema | None = self.ops.find(node.op)
        if schema is None:
            return [self.text(v) for v in node.inputs]
        written: list[str] = []
        skipped = False
        for value, argument in zip(node.inputs, schema.arguments, strict=False):
            known = value in self.constants
            if argument.has_default and known and self.constants[value] == argument.default:
                skipped = True
                continue
            by_name = skipped or argument.keyword_only
            written.append(f"{argument.name}={self.text(value)}" if by_name else self.text(value))
        return written + [self.text(v) for v in node.inputs[len(schema.arguments) :]]

    # --- control flow ----------------------------------------------------------------------

    def branch(self, node: Node) -> list[str]:
        for block in node.blocks:
            own = {value for inner in block.nodes for value in inner.outputs}
            for value, output in zip(block.outputs, node.outputs, strict=True):
                if value in own and self.uses[value] == 1 and self.uses[output]:
                    self.names[value] = self.names[output]
        bodies = [self.block(block) for block in node.blocks]
        results = [i for i, value in enumerate(node.outputs) if self.uses[value]]
        condition = self.text(node.inputs[0])
        if not any(bodies) and len(results) == 1:
            then, other = (self.text(b.outputs[results[0]], True) for b in node.blocks)
            name = self.names[node.outputs[results[0]]]
            return [f"{name} = {then} if {condition} else {other}"]
        for body, block in zip(bodies, node.blocks, strict=True):
            if not any(inner.op == "prim::RaiseException" for inner in block.nodes):
                targets = [self.names[node.outputs[i]] for i in results]
                body += _assign(targets, [self.text(block.outputs[i]) for i in results])
        then_lines, else_lines = bodies
        lines = [f"if {condition}:", *_indented(then_lines or ["pass"])]
        if len(else_lines) > 1 and else_lines[0].startswith("if ") and _is_one_if(else_lines):
            return [*lines, f"el{else_lines[0]}", *else_lines[1:]]
        return [*lines, "else:", *_indented(else_lines)] if else_lines else lines

    def attempt(self, node: Node) -> list[str]:
        results = [i for i, value in enumerate(node.outputs) if self.uses[value]]
        targets = [self.names[node.outputs[i]] for i in results]
        parts: list[list[str]] = []
        for block in node.blocks:
            lines = self.block(block)
            lines += _assign(targets, [self.text(block.outputs[i]) for i in results])
            parts.append(_indented(lines or ["pass"]))
        caught = ", ".join(self.names[v] for v in node.blocks[1].inputs)
        return ["try:", *parts[0], f"except Exception as ({caught}):", *parts[1]]

    def loop(self, node: Node) -> list[str]:
        body = node.blocks[0]
        carried = body.inputs[1:]
        for inner, output in zip(carried, node.outputs, strict=True):
            self.names[output] = self.names[inner]
        lines = _assign([self.names[v] for v in carried], [self.text(v) for v in node.inputs[2:]])
        counter = self.names[body.inputs[0]] if self.uses[body.inputs[0]] else "_"
        inside = self.block(body)
        targets = [self.names[v] for v in carried]
        following = [self.text(v) for v in body.outputs[1:]]
        endless = self.constants.get(node.inputs[0]) == UNLIMITED and counter == "_"
        start, again = (self.constants.get(v) for v in (node.inputs[1], body.outputs[0]))
        if start is True and again is True:
            head = "while True:" if endless else self.range(counter, node)
            return [*lines, head, *_indented(inside + _assign(targets, following) or ["pass"])]
        flag = f"going_{self.flags}" if self.flags else "going"
        self.flags += 1
        lines.append(f"{flag} = {self.text(node.inputs[1])}")
        inside += _assign([*targets, flag], [*following, self.text(body.outputs[0])])
        if endless:
            return [*lines, f"while {flag}:", *_indented(inside)]
        check = [f"if not {flag}:", "    break"]
        return [*lines, self.range(counter, node), *_indented(check + inside)]

    def range(self, counter: str, node: Node) -> str:
        return f"for {counter} in range({self.text(node.inputs[0])}):"


def _is_one_if(lines: list[str]) -> bool:
    """Whether the lines are a single if statement, with its else parts."""
    return all(line.startswith((" ", "elif ", "else:")) for line in lines[1:])


def _assign(targets: list[str], values: list[str]) -> list[str]:
    pairs = [(t, v) for t, v in zip(targets, values, strict=True) if t != v]
    if not pairs:
        return []
    return [f"{', '.join(t for t, _ in pairs)} = {', '.join(v for _, v in pairs)}"]


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _broken(head: str, inputs: list[str]) -> list[str]:
    """A long signature with one input per line."""
    start, _, _ = head.partition("(")
    end = head[head.rindex(") ->") :]
    return [f"{start}(", *(f"    {text}," for text in inputs), end]


def _has_operator(expression: str) -> bool:
    return bool(re.search(r"[ ]|^-", expression)) and not re.fullmatch(
        r"[\w.]*[\[(][^\[\]()]*[\])]|\"[^\"]*\"", expression
    )


def _literal(literal: Literal, type: Type | None = None) -> str:
    if isinstance(literal, tuple):
        match type:
            case OptionalType(element):
                return _literal(literal, element)
            case DictType(key, value):
                pairs = [f"{_literal(k, key)}: {_literal(v, value)}" for k, v in literal]  # type: ignore[misc, str-unpack]
                return "{" + ", ".join(pairs) + "}"
            case TupleType(elements):
                comma = "," if len(literal) == 1 else ""
                return f"({', '.join(map(_literal, literal, elements))}{comma})"
        inner = type.element if isinstance(type, ListType) else None
        return f"[{', '.join(_literal(each, inner) for each in literal)}]"
    if literal == UNLIMITED and isinstance(literal, int):
        return "2**63 - 1"
    return f"float({str(literal)!r})" if repr(literal) in ("inf", "-inf", "nan") else repr(literal)


def _place(name: Literal) -> str:
    """``"layers.0.weight"`` as ``self.layers[0].weight``."""
    text = "self"
    for part in str(name).split("."):
        if part.isdecimal():
            text += f"[{part}]"
        else:
            text += f".{part}" if part.isidentifier() else f"[{part!r}]"
    return text


def _identifier(name: str) -> str:
    name = re.sub(r"\W", "_", name)
    if name[:1].isdecimal():
        name = f"_{name}"
    return f"{name}_" if keyword.iskeyword(name) or name in ("self", "torch") else name
