"""Program text to programs: the inverse of ``printer``; ``docs/ir.md`` has the grammar."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import NoReturn

from ingot.dtypes import DType
from ingot.ir.diagnostics import fail
from ingot.ir.elements import Number, pack_elements
from ingot.ir.graph import (
    MAX_DEPTH,
    Block,
    Class,
    Input,
    Literal,
    Method,
    Node,
    Program,
    Source,
    State,
    Symbol,
    TensorData,
    Value,
)
from ingot.ir.printer import STATE_KINDS
from ingot.ir.types import (
    BOOL,
    COMPLEX,
    FLOAT,
    INT,
    NONE,
    STR,
    ClassType,
    DictType,
    Dim,
    ListType,
    NamedTupleType,
    OptionalType,
    TensorType,
    TupleType,
    Type,
    UnionType,
)

_TOKEN = re.compile(
    r"""[ \t\r]*(?:
      (?P<string>"(?:[^"\\\n]|\\.)*")
    | (?P<location>\#[^\n]*)
    | (?P<newline>\n)
    | (?P<value>%[\w.]+)
    | (?P<number>-?(?:inf|\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?![\w.]))
    | (?P<dots>\.\.\.)
    | (?P<name>[A-Za-z_]\w*(?:(?:::|\.)\w+)*)
    | (?P<sign>->|[()\[\],:=?])
    | (?P<wrong>[^ \t\r\n]))""",
    re.VERBOSE,
)
_FRAME = re.compile(r"(?P<file>.*):(?P<line>\d+):(?P<column>\d+)(?: in (?P<function>.*))?")

_SIMPLE = {str(t): t for t in (INT, FLOAT, BOOL, COMPLEX, STR, NONE)}
_DTYPES = {str(d): d for d in DType}
_KINDS = {name: kind for kind, name in STATE_KINDS.items()}


def parse(text: str, tensors: Mapping[str, TensorData] | None = None) -> Program:
    """A program from its text, or one with a single method ``forward`` from ``graph(...)``.

    ``tensors`` gives, by state name, the tensors that the text shows as ``[...]``. Raises
    Error with the line where the text is wrong.
    """
    return _Parser(text, tensors or {}).program()


def parse_type(text: str) -> Type:
    """A type from its text: ``"List[f32[B, 10]]"``."""
    parser = _Parser(text, {})
    type = parser.type()
    parser.expect("")
    return type


class _Parser:
    def __init__(self, text: str, tensors: Mapping[str, TensorData]) -> None:
        self.text = text
        self.tensors = tensors
        self.tokens: list[tuple[str, str, int]] = []
        line_start = True
        for found in _TOKEN.finditer(text):
            kind = found.lastgroup or ""
            if kind == "newline":
                line_start = True
                continue
            if not (kind == "location" and line_start):
                self.tokens.append((kind, found[kind], found.start(kind)))
            line_start = False
        self.tokens.append(("end", "", len(text)))
        self.at = 0
        self.values: dict[str, Value] = {}
        self.depth = 0

    # --- tokens ----------------------------------------------------------------------------

    def wrong(self, what: str) -> NoReturn:
        place = self.tokens[self.at][2]
        start = self.text.rfind("\n", 0, place) + 1
        end = self.text.find("\n", place)
        line = self.text[start : end if end >= 0 else len(self.text)]
        number = self.text.count("\n", 0, place) + 1
        fail(f"line {number} of the program text: {what}\n{line}\n{' ' * (place - start)}^")

    def peek(self, text: str) -> bool:
        kind, found, _ = self.tokens[self.at]
        return found == text and kind != "string"

    def accept(self, text: str) -> bool:
        if not self.peek(text):
            return False
        self.at += 1
        return True

    def expect(self, text: str) -> None:
        if not self.accept(text):
            self.wrong(f"expected {text!r}" if text else "expected the end")

    def take(self, kind: str, what: str) -> str:
        found, text, _ = self.tokens[self.at]
        if found != kind:
            self.wrong(f"expected {what}")
        self.at += 1
        return text

    def integer(self) -> int:
        text = self.take("number", "a number")
        if not re.fullmatch(r"-?\d+", text):
            self.at -= 1
            self.wrong("expected a whole number")
        return int(text)

    def string(self) -> str:
        text = self.take("string", "a text in quotes")
        try:
            return str(json.loads(text))
        except ValueError:
            self.at -= 1
            self.wrong("this is no text in JSON's notation")

    def sequence(self, open: str, item: Callable[[], None], close: str) -> None:
        self.expect(open)
        while not self.accept(close):
            item()
            if not self.peek(close):
                self.expect(",")

    def deeper(self, by: int) -> None:
        self.depth += by
        if self.depth > MAX_DEPTH:
            self.wrong(f"this nests deeper than {MAX_DEPTH}")

    # --- parts -----------------------------------------------------------------------------

    def literal(self) -> Literal:
        kind, text, _ = self.tokens[self.at]
        if kind == "string":
            return self.string()
        if kind == "number":
            self.at += 1
            return int(text) if re.fullmatch(r"-?\d+", text) else float(text)
        if self.peek("["):
            elements: list[Literal] = []
            self.deeper(1)
            self.sequence("[", lambda: elements.append(self.literal()), "]")
            self.deeper(-1)
            return tuple(elements)
        if self.accept("complex"):
            parts: list[Literal] = []
            self.sequence("(", lambda: parts.append(self.literal()), ")")
            if len(parts) != 2 or not all(isinstance(p, int | float) for p in parts):
                self.wrong("complex takes two numbers")
            return complex(*parts)  # type: ignore[arg-type]
        words: dict[str, Literal] = {
            "None": None,
            "True": True,
            "False": False,
            "inf": float("inf"),
            "nan": float("nan"),
        }
        if kind != "name" or text not in words:
            self.wrong("expected a constant")
        self.at += 1
        return words[text]

    def type(self) -> Type:
        self.deeper(1)
        type = self._type()
        self.deeper(-1)
        return type

    def _type(self) -> Type:
        name = self.take("name", "a type")
        if name in _SIMPLE and not self.peek("["):
            return _SIMPLE[name]
        if name == "Tensor" or name in _DTYPES:
            dtype = _DTYPES.get(name)
            return TensorType(dtype, self.dims()) if self.peek("[") else TensorType(dtype)
        if self.peek("("):
            return self.named_tuple(name)
        if name == "Tuple" and self.peek("[") and self.tokens[self.at + 1][1] == "(":
            for sign in "[()]":
                self.expect(sign)
            return TupleType(())
        if name == "Object" and self.accept("["):
            named = ClassType(self.take("name", "a class"))
            self.expect("]")
            return named
        makers: dict[str, tuple[int | None, Callable[..., Type]]] = {
            "List": (1, ListType),
            "Optional": (1, OptionalType),
            "Dict": (2, DictType),
            "Tuple": (None, lambda *e: TupleType(e)),
            "Union": (None, lambda *e: UnionType(e)),
        }
        if name not in makers:
            self.at -= 1
            self.wrong(f"there is no type {name!r}")
        count, make = makers[name]
        elements: list[Type] = []
        self.sequence("[", lambda: elements.append(self.type()), "]")
        if count is not None and len(elements) != count:
            self.wrong(f"{name} takes {count} types")
        return make(*elements)

    def dims(self) -> tuple[Dim, ...] | None:
        if self.tokens[self.at + 1][0] == "dots":
            self.at += 2
            self.expect("]")
            return None
        dims: list[Dim] = []

        def dim() -> None:
            if self.accept("?"):
                dims.append(None)
            elif self.tokens[self.at][0] == "name":
                dims.append(self.take("name", "a symbol"))
            else:
                dims.append(self.integer())

        self.sequence("[", dim, "]")
        return tuple(dims)

    def named_tuple(self, name: str) -> Type:
        fields: list[str] = []
        elements: list[Type] = []

        def field() -> None:
            fields.append(self.take("name", "a field"))
            self.expect(":")
            elements.append(self.type())

        self.sequence("(", field, ")")
        return NamedTupleType(name, tuple(fields), tuple(elements))

    def described_class(self) -> Class:
        described = Class(self.take("name", "a class"))

        def field() -> None:
            name = self.take("name", "a field")
            if name in described.fields:
                self.at -= 1
                self.wrong(f"the field {name} occurs twice")
            self.expect(":")
            described.fields[name] = self.type()

        self.sequence("(", field, ")")
        return described

    def location(self) -> Source | None:
        kind, text, _ = self.tokens[self.at]
        if kind != "location":
            return None
        source: Source | None = None
        for frame in reversed(text[1:].strip().split(" <- ")):
            found = _FRAME.fullmatch(frame)
            if found is None:
                self.wrong("expected '# file:line:column'")
            source = Source(
                found["file"],
                int(found["line"]),
                int(found["column"]),
                found["function"] or "",
                "",
                source,
            )
        self.at += 1
        return source

    def define(self) -> Value:
        name = self.take("value", "a value such as %x")[1:]
        if name in self.values:
            self.at -= 1
            self.wrong(f"%{name} is defined twice")
        self.expect(":")
        value = Value(self.type(), "" if name.isdecimal() else name)
        self.values[name] = value
        return value

    def use(self) -> Value:
        name = self.take("value", "a value such as %x")[1:]
        if name not in self.values:
            self.at -= 1
            self.wrong(f"%{name} is not defined above")
        return self.values[name]

    # --- statements ------------------------------------------------------------------------

    def node(self) -> Node:
        node = Node("")
        if self.tokens[self.at][0] == "value":
            while True:
                node.outputs.append(self.define())
                if not self.accept(","):
                    break
            self.expect("=")
        node.op = self.take("name", "an op such as aten::add.Tensor")
        if "::" not in node.op:
            self.at -= 1
            self.wrong("expected an op such as aten::add.Tensor")

        def attribute() -> None:
            name = self.take("name", "an attribute")
            self.expect("=")
            node.attributes[name] = self.literal()

        if self.peek("["):
            self.sequence("[", attribute, "]")
        self.sequence("(", lambda: node.inputs.append(self.use()), ")")
        node.source = self.location()
        while re.fullmatch(r"block\d+", self.tokens[self.at][1]):
            if self.tokens[self.at][1] != f"block{len(node.blocks)}":
                self.wrong(f"expected block{len(node.blocks)}")
            self.at += 1
            node.blocks.append(self.block())
        return node

    def block(self) -> Block:
        self.deeper(1)
        block = Block()
        self.sequence("(", lambda: block.inputs.append(self.define()), ")")
        self.expect(":")
        while not self.accept("->"):
            block.nodes.append(self.node())
        self.sequence("(", lambda: block.outputs.append(self.use()), ")")
        self.deeper(-1)
        return block

    def method(self, name: str, exported: bool) -> Method:
        self.values = {}
        method = Method(name, Block(), [], exported)

        def parameter() -> None:
            place = self.at
            value = self.define()
            described = Input(self.tokens[place][1][1:])
            if self.accept("as"):
                described.name = self.string()
            if self.accept("="):
                described.default = self.literal()
            method.inputs.append(described)
            method.body.inputs.append(value)

        self.sequence("(", parameter, ")")
        self.expect(":")
        while self.accept("fixed"):
            self.fixed(method)
        while not self.accept("return"):
            method.body.nodes.append(self.node())
        self.sequence("(", lambda: method.body.outputs.append(self.use()), ")")
        return method

    def fixed(self, method: Method) -> None:
        self.expect("(")
        number = self.integer()
        self.expect(",")
        path = self.string()
        self.expect(",")
        dim = self.integer()
        self.expect(")")
        source = self.location()
        if source is None:
            self.wrong("expected '# file:line:column'")
        method.dim_sources[number, path, dim] = source

    def symbol(self) -> Symbol:
        name = self.take("name", "a symbol")
        self.expect("in")
        self.expect("[")
        minimum = self.integer()
        self.expect(",")
        maximum = None if self.accept("inf") else self.integer()
        self.expect("]")
        return Symbol(name, minimum, maximum, self.location())

    def state(self, program: Program) -> State:
        name = self.string()
        self.expect(":")
        type = self.type()
        kind = self.take("name", "parameter, buffer, constant or attribute")
        if kind not in _KINDS:
            self.at -= 1
            self.wrong("expected parameter, buffer, constant or attribute")
        mutable = self.accept("mutable")
        self.expect("=")
        return State(name, type, self.state_value(name, program), _KINDS[kind], mutable)

    def state_value(self, name: str, program: Program) -> TensorData | Literal:
        if self.accept("same"):
            self.expect("as")
            other = self.string()
            if other not in program.state:
                self.wrong(f"there is no state entry {other!r} above")
            return program.state[other].value
        if self.tokens[self.at][1] not in _DTYPES or self.tokens[self.at][0] != "name":
            return self.literal()
        dtype = _DTYPES[self.take("name", "a dtype")]
        shape: list[int] = []
        self.sequence("[", lambda: shape.append(self.integer()), "]")
        if self.tokens[self.at + 1][0] == "dots":
            if name not in self.tensors:
                self.wrong("the text leaves out this tensor's elements: give it in tensors=")
            self.at += 2
            self.expect("]")
            return self.tensors[name]
        numbers = self.literal()
        try:
            return pack_elements(dtype, shape, _numbers(numbers))
        except ValueError as error:
            self.wrong(str(error))

    def program(self) -> Program:
        program = Program()
        while self.tokens[self.at][0] != "end":
            if self.accept("symbol"):
                symbol = self.symbol()
                program.symbols[symbol.name] = symbol
            elif self.accept("class"):
                described = self.described_class()
                program.classes[described.name] = described
            elif self.accept("state"):
                state = self.state(program)
                program.state[state.name] = state
            elif self.accept("graph"):
                program.methods["forward"] = self.method("forward", True)
            elif self.peek("method") or self.peek("private"):
                exported = not self.accept("private")
                self.expect("method")
                name = self.take("name", "a method's name")
                program.methods[name] = self.method(name, exported)
            else:
                self.wrong("expected symbol, class, state, method or graph")
        return program


def _numbers(literal: Literal) -> list[Number]:
    if not isinstance(literal, tuple):
        raise ValueError("expected the elements in brackets")
    numbers = [n for n in literal if isinstance(n, int | float | complex)]
    if len(numbers) != len(literal):
        raise ValueError("an element is no number")
    return numbers
