"""Python's operators, with Python's meaning for each pair of types."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ingot.capture.script import numpy_values
from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.items import type_of
from ingot.capture.script.language import NUMBER, SIZE, EnumType, SetType, join, settle
from ingot.capture.script.operations import call_op
from ingot.capture.script.unions import each_member
from ingot.capture.script.values import (
    Constant,
    Dynamic,
    Item,
    ListItem,
    TupleItem,
    is_constant_object,
)
from ingot.ir.types import (
    BOOL,
    COMPLEX,
    FLOAT,
    INT,
    STR,
    DictType,
    ListType,
    TensorType,
    TupleType,
    Type,
    UnionType,
)

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame

SYMBOLS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.MatMult: "@",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.LShift: "<<",
    ast.RShift: ">>",
}

_PYTHON: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "<<": operator.lshift,
    ">>": operator.rshift,
}

_TENSOR: dict[str, str] = {
    "+": "aten::add",
    "-": "aten::sub",
    "*": "aten::mul",
    "/": "aten::div",
    "//": "aten::floor_divide",
    "%": "aten::remainder",
    "**": "aten::pow",
    "@": "aten::matmul",
    "&": "aten::bitwise_and",
    "|": "aten::bitwise_or",
    "^": "aten::bitwise_xor",
    "<<": "aten::bitwise_left_shift",
    ">>": "aten::bitwise_right_shift",
}

_SCALAR: dict[str, str] = {
    "+": "aten::add",
    "-": "aten::sub",
    "*": "aten::mul",
    "/": "aten::div",
    "//": "aten::floordiv",
    "%": "aten::remainder",
    "&": "aten::__and__",
    "|": "aten::__or__",
    "^": "aten::__xor__",
    "<<": "aten::__lshift__",
    ">>": "aten::__rshift__",
}

_NUMBERS = (BOOL, INT, FLOAT, COMPLEX)


def binary(frame: Frame, symbol: str, a: Item, b: Item) -> Item:
    """``a symbol b``. Raises CompileError if the types do not take it."""
    a, b = frame.present(frame.force(a)), frame.present(frame.force(b))
    written = _special(frame, symbol, a, b)
    if written is not None:
        return written
    folded: Item | None = _fold(symbol, a, b)
    if folded is None and symbol in _PYTHON:
        folded = numpy_values.fold(frame, _PYTHON[symbol], a, b)
    if folded is not None:
        return folded
    a, b = as_plain(frame, a), as_plain(frame, b)
    x, y = type_of(a), type_of(b)
    if symbol == "%" and x == STR:
        from ingot.capture.script.strings import percent

        return percent(frame, a, b)
    if isinstance(a, TupleItem | ListItem) or isinstance(b, TupleItem | ListItem):
        joined = _sequences(symbol, a, b)
        if joined is not None:
            return joined
    if x is not None and y is not None:
        if isinstance(x, TensorType) or isinstance(y, TensorType):
            result = _tensors(frame, symbol, a, b, x, y)
        elif x in _NUMBERS and y in _NUMBERS:
            result = _numbers(frame, symbol, a, b, x, y)
        elif NUMBER in (x, y) and {x, y} <= {NUMBER, *_NUMBERS} and symbol in _SCALAR:
            result = call_op(frame, _SCALAR[symbol], [a, b])
        elif NUMBER in (x, y) and {x, y} <= {NUMBER, *_NUMBERS} and symbol == "**":
            result = _scalar_power(frame, a, b)
        else:
            result = _containers(frame, symbol, a, b, x, y)
        if result is not None:
            return _follow_index(result, a, b)
    found = each_member(frame, a, lambda each: binary(frame, symbol, each, b))
    if found is None:
        found = each_member(frame, b, lambda each: binary(frame, symbol, a, each))
    if found is not None:
        return found
    hint = ""
    if "Optional" in f"{x}{y}":
        hint = "check the Optional value with `is not None` first"
    raise CompileError(f"{a.describe()} {symbol} {b.describe()} has no meaning", hint)


def number_power(frame: Frame, a: Item, b: Item) -> Item:
    """``a ** b``, of which the kind of number may depend on the values."""
    if isinstance(b, Constant) or {type_of(a), type_of(b)} - {INT, BOOL}:
        return binary(frame, "**", a, b)
    return _scalar_power(frame, as_number(frame, a, INT), as_number(frame, b, INT))


def _scalar_power(frame: Frame, a: Item, b: Item) -> Item:
    from ingot.capture.script.library import power_of_numbers

    return frame.call(power_of_numbers, a, b)


_METHODS: dict[str, str] = {
    "+": "add",
    "-": "sub",
    "*": "mul",
    "/": "truediv",
    "//": "floordiv",
    "%": "mod",
    "**": "pow",
    "@": "matmul",
    "&": "and",
    "|": "or",
    "^": "xor",
    "<<": "lshift",
    ">>": "rshift",
}


def _special(frame: Frame, symbol: str, a: Item, b: Item) -> Item | None:
    """``a.__add__(b)`` or ``b.__radd__(a)`` of a user's class."""
    from ingot.capture.script.objects import special

    name = _METHODS[symbol]
    result = special(frame, a, f"__{name}__", b)
    return special(frame, b, f"__r{name}__", a) if result is None else result


def in_place(frame: Frame, symbol: str, a: Item, b: Item) -> Item | None:
    """``a.__iadd__(b)`` of a user's class."""
    from ingot.capture.script.objects import special

    return special(frame, a, f"__i{_METHODS[symbol]}__", b)


def _follow_index(result: Item, a: Item, b: Item) -> Item:
    """What is computed from the number of a loop's turn is known once the loop is unrolled."""
    sides = [each for each in (a, b) if isinstance(each, Dynamic)]
    loops = {each.index_of for each in sides}
    if isinstance(result, Dynamic) and len(loops) == 1:
        result.index_of = loops.pop()
    return result


def _fold(symbol: str, a: Item, b: Item) -> Constant | None:
    """The result for two constants, unless computing it fails: then it fails at run time."""
    if not isinstance(a, Constant) or not isinstance(b, Constant) or symbol not in _PYTHON:
        return None
    if symbol in ("**", "<<") and not _small(a.value, b.value):
        return None
    try:
        value = _PYTHON[symbol](a.value, b.value)
    except (ArithmeticError, TypeError, ValueError):
        return None
    if not is_constant_object(value) or (isinstance(value, int) and abs(value) >= 2**63):
        return None
    return Constant(value)


def written_int(node: ast.expr) -> int | None:
    """What an expression of written ints gives, which may pass 64 bits on its way, as in
    ``2**63 - 1``; None for others."""
    match node:
        case ast.Constant(value=int() as value) if not isinstance(value, bool):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = written_int(operand)
            return None if inner is None else -inner
        case ast.BinOp(left=left, op=op, right=right) if SYMBOLS[type(op)] in _PYTHON:
            a, b = written_int(left), written_int(right)
            symbol = SYMBOLS[type(op)]
            if a is None or b is None or (symbol in ("**", "<<") and not _small(a, b)):
                return None
            try:
                found = _PYTHON[symbol](a, b)
            except (ArithmeticError, TypeError, ValueError):
                return None
            return found if type(found) is int else None
    return None


def _small(a: Any, b: Any) -> bool:
    return not isinstance(b, int) or not isinstance(a, int) or abs(b) <= 64


def _sequences(symbol: str, a: Item, b: Item) -> Item | None:
    if symbol == "+" and isinstance(a, TupleItem) and isinstance(b, TupleItem):
        return TupleItem(a.items + b.items)
    if symbol == "+" and isinstance(a, ListItem) and isinstance(b, ListItem):
        return ListItem(a.items + b.items)
    if symbol == "*":
        if isinstance(b, TupleItem | ListItem):
            a, b = b, a
        if isinstance(b, Constant) and isinstance(b.value, int) and not isinstance(a, Constant):
            if isinstance(a, TupleItem):
                return TupleItem(a.items * b.value)
            if isinstance(a, ListItem):
                return ListItem(a.items * b.value)
    return None


def _tensors(frame: Frame, symbol: str, a: Item, b: Item, x: Type, y: Type) -> Item | None:
    op = _TENSOR.get(symbol)
    scalars = (*_NUMBERS, NUMBER)
    if op is None:
        return None
    if isinstance(x, TensorType):
        if not isinstance(y, TensorType) and (y not in scalars or symbol == "@"):
            return None
        return call_op(frame, op, [a, b])
    if x not in scalars or symbol == "@":
        return None
    match symbol:
        case "+" | "*" | "&" | "|" | "^":
            return call_op(frame, op, [b, a])
        case "-":
            return call_op(frame, "aten::rsub", [b, a])
        case "/":
            return call_op(frame, "aten::mul", [call_op(frame, "aten::reciprocal", [b]), a])
        case "//":
            from ingot.capture.script.library import floor_divided

            return frame.call(floor_divided, a, b)
    return call_op(frame, op, [a, b])


def _numbers(frame: Frame, symbol: str, a: Item, b: Item, x: Type, y: Type) -> Item | None:
    if symbol in ("&", "|", "^") and x == y == BOOL:
        return call_op(frame, _SCALAR[symbol], [a, b], type=BOOL)
    together = max(x, y, INT, key=_NUMBERS.index)
    a, b = as_number(frame, a, together), as_number(frame, b, together)
    if symbol == "**":
        return _power(frame, a, b, together)
    if symbol in ("&", "|", "^", "<<", ">>") and together != INT:
        return None
    if together == COMPLEX and symbol in ("//", "%"):
        return None
    op = _SCALAR.get(symbol)
    return None if op is None else call_op(frame, op, [a, b])


def is_number_union(type: Type | None) -> bool:
    """Whether values of the type are numbers, which kind only a run shows."""
    return isinstance(type, UnionType) and set(type.elements) <= set(_NUMBERS)


def as_plain(frame: Frame, item: Item) -> Item:
    """A member of an IntEnum or the like as a number or string, a number of one of several
    types as a Scalar; other items as they are."""
    type = type_of(item)
    if type != NUMBER and is_number_union(type):
        return frame.dynamic(frame.value(item, NUMBER), NUMBER)
    if not isinstance(type, EnumType):
        return item
    from ingot.capture.script.enums import as_plain

    return as_plain(frame, item)


def as_number(frame: Frame, item: Item, type: Type) -> Item:
    """A number as a wider number type."""
    actual = type_of(item)
    if actual == type:
        return item
    if isinstance(item, Constant):
        return Constant({INT: int, FLOAT: float, COMPLEX: complex}[type](item.value))  # type: ignore[index]
    name = {INT: "aten::Int", FLOAT: "aten::Float", COMPLEX: "aten::Complex"}[type]  # type: ignore[index]
    return call_op(frame, name, [item])


def _power(frame: Frame, a: Item, b: Item, type: Type) -> Item:
    """int ** int is an int as in Python; a negative exponent would make it a float."""
    if type == COMPLEX:
        from ingot.capture.script.complex_builtins import power_of_complex

        return frame.call(power_of_complex, a, b)
    if type != INT:
        return call_op(frame, "aten::pow", [a, b])
    if isinstance(b, Constant):
        if b.value < 0:
            return _power(frame, as_number(frame, a, FLOAT), as_number(frame, b, FLOAT), FLOAT)
    else:
        negative = call_op(frame, "aten::lt", [b, Constant(0)])
        branch = frame.builder.if_(frame.value(negative))
        with frame.builder.at(branch.blocks[0]):
            frame.builder.raise_exception(
                "int ** negative int is a float; write float(a) ** b", "ValueError"
            )
    value = frame.builder.op("aten::pow.int_to_int", frame.value(a), frame.value(b))
    return frame.dynamic(value)  # type: ignore[arg-type]


def _containers(frame: Frame, symbol: str, a: Item, b: Item, x: Type, y: Type) -> Item | None:
    if x == y == STR and symbol == "+":
        return call_op(frame, "aten::add", [a, b])
    if isinstance(x, SetType):
        from ingot.capture.script.sets import set_operator

        return set_operator(frame, symbol, a, b)
    if symbol == "|" and isinstance(x, DictType) and isinstance(y, DictType):
        made = call_op(frame, "aten::copy", [a], type=x)
        call_op(frame, "aten::update", [made, b])
        return made
    if symbol == "*" and {x, y} in ({STR, INT}, {STR, BOOL}):
        text, count = (a, b) if x == STR else (b, a)
        from ingot.capture.script.library import repeat_string

        return frame.call(repeat_string, text, count)
    if symbol == "+":
        together = _list_type(x, y)
        if together is not None:
            left = frame.dynamic(frame.value(a, together), together)
            right = frame.dynamic(frame.value(b, together), together)
            size = SIZE in (x, y) and ListType not in (type(x), type(y))
            return call_op(frame, "aten::add", [left, right], type=SIZE if size else together)
    if symbol == "*":
        if y in (SIZE,) or isinstance(y, ListType | TupleType):
            a, b, x, y = b, a, y, x
        if isinstance(x, TupleType) and y in (INT, BOOL):  # the length is known when it runs
            whole = _list_type(x, x)
            if whole is None:
                return None
            a, x = frame.dynamic(frame.value(a, whole), whole), whole
        if y == BOOL:
            b, y = as_number(frame, b, INT), INT
        if (x == SIZE or isinstance(x, ListType)) and y == INT:
            sequence = frame.dynamic(frame.value(a), x)
            return call_op(frame, "aten::mul", [sequence, b], type=x)
    return None


def _list_type(x: Type, y: Type) -> Type | None:
    """The list type of a sum of lists, sizes and tuples."""

    def as_list(type: Type) -> Type | None:
        if type == SIZE:
            return ListType(INT)
        if isinstance(type, TupleType):
            elements = dict.fromkeys(map(settle, type.elements))
            return ListType(next(iter(elements))) if len(elements) == 1 else None
        return type if isinstance(type, ListType) else None

    if isinstance(x, TupleType) and not x.elements:
        x = y
    if isinstance(y, TupleType) and not y.elements:
        y = x
    p, q = as_list(x), as_list(y)
    return None if p is None or q is None else join(p, q)


_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
}
_UNARY_METHODS: dict[type[ast.unaryop], str] = {
    ast.USub: "__neg__",
    ast.UAdd: "__pos__",
    ast.Invert: "__invert__",
}
_UNARY_SYMBOLS: dict[type[ast.unaryop], str] = {ast.USub: "-", ast.UAdd: "+", ast.Invert: "~"}


def unary(frame: Frame, node: ast.UnaryOp, item: Item) -> Item:
    """``-x``, ``+x``, ``~x``."""
    from ingot.capture.script.objects import special

    item = frame.present(frame.force(item))
    found = each_member(frame, item, lambda each: unary(frame, node, each))
    if found is not None:
        return found
    written = special(frame, item, _UNARY_METHODS[node.op.__class__])
    if written is not None:
        return written
    item = as_plain(frame, item)
    type = type_of(item)
    if isinstance(item, Constant) and type in _NUMBERS:
        try:
            return Constant(_UNARY[node.op.__class__](item.value))
        except TypeError:
            raise CompileError(f"{item.describe()} has no ~") from None
    if type in (*_NUMBERS, NUMBER) or isinstance(type, TensorType):
        if type == BOOL:
            item = as_number(frame, item, INT)
        match node.op:
            case ast.UAdd():
                return item
            case ast.USub():
                return call_op(frame, "aten::neg", [item])
            case ast.Invert() if isinstance(type, TensorType):
                return call_op(frame, "aten::bitwise_not", [item])
            case ast.Invert() if type in (BOOL, INT):
                negative = call_op(frame, "aten::neg", [item])
                return call_op(frame, "aten::sub", [negative, Constant(1)])
    symbol = _UNARY_SYMBOLS[node.op.__class__]
    raise CompileError(f"{symbol} of {item.describe()} has no meaning")
