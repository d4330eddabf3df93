"""Python's ``operator`` module: operators as functions."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ingot.capture.script.comparison import compare
from ingot.capture.script.operators import SYMBOLS, binary, unary
from ingot.capture.script.subscripts import subscript
from ingot.capture.script.truth import truth
from ingot.capture.script.values import Constant, Item
from ingot.ir.graph import Value

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame

_NAMES = {
    "+": "add", "-": "sub", "*": "mul", "/": "truediv", "//": "floordiv", "%": "mod",
    "**": "pow", "@": "matmul", "&": "and_", "|": "or_", "^": "xor", "<<": "lshift",
    ">>": "rshift",
}  # fmt: skip
_COMPARISONS: dict[str, type[ast.cmpop]] = {
    "lt": ast.Lt, "le": ast.LtE, "eq": ast.Eq, "ne": ast.NotEq, "ge": ast.GtE, "gt": ast.Gt,
    "is_": ast.Is, "is_not": ast.IsNot,
}  # fmt: skip
_UNARY: dict[str, type[ast.unaryop]] = {
    "neg": ast.USub, "pos": ast.UAdd, "invert": ast.Invert, "inv": ast.Invert,
}  # fmt: skip


def _binary(symbol: str) -> Callable[..., Item]:
    return lambda frame, a, b: binary(frame, symbol, a, b)


def _comparison(op: type[ast.cmpop]) -> Callable[..., Item]:
    return lambda frame, a, b: compare(frame, op(), a, b)


def _unary(op: type[ast.unaryop]) -> Callable[..., Item]:
    return lambda frame, a: unary(frame, ast.UnaryOp(op(), ast.Constant(0)), a)


def _not(frame: Frame, a: Item) -> Item:
    value = truth(frame, a)
    if isinstance(value, Constant):
        return Constant(not value.value)
    result = frame.builder.op("aten::__not__", frame.value(value))
    assert isinstance(result, Value)
    return frame.dynamic(result)


def _contains(frame: Frame, whole: Item, part: Item) -> Item:
    return compare(frame, ast.In(), part, whole)


OPERATOR_FUNCTIONS: dict[Any, Callable[..., Item]] = {
    **{getattr(operator, _NAMES[symbol]): _binary(symbol) for symbol in SYMBOLS.values()},
    **{getattr(operator, name): _comparison(op) for name, op in _COMPARISONS.items()},
    **{getattr(operator, name): _unary(op) for name, op in _UNARY.items()},
    operator.not_: _not,
    operator.truth: truth,
    operator.contains: _contains,
    operator.getitem: subscript,
}
