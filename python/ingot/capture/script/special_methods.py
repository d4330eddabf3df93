"""``x.__getitem__(0)`` and its like, written out as calls: the operators that they stand for."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from ingot.capture.script.assignment import store
from ingot.capture.script.builtins import BUILTINS
from ingot.capture.script.comparison import compare, contains
from ingot.capture.script.handlers import apply_handler
from ingot.capture.script.operators import binary, unary
from ingot.capture.script.subscripts import subscript
from ingot.capture.script.truth import truth
from ingot.capture.script.values import NOTHING, Item

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame


def _set_item(frame: Frame, base: Item, index: Item, item: Item) -> Item:
    store(frame, base, index, item)
    return NOTHING


def _binary(symbol: str) -> Callable[..., Item]:
    def apply(frame: Frame, a: Item, b: Item) -> Item:
        return binary(frame, symbol, a, b)

    return apply


def _reflected(symbol: str) -> Callable[..., Item]:
    def apply(frame: Frame, a: Item, b: Item) -> Item:
        return binary(frame, symbol, b, a)

    return apply


def _comparison(op: ast.cmpop) -> Callable[..., Item]:
    def apply(frame: Frame, a: Item, b: Item) -> Item:
        return compare(frame, op, a, b)

    return apply


def _unary(op: ast.unaryop) -> Callable[..., Item]:
    node = ast.UnaryOp(op, ast.Constant(0))

    def apply(frame: Frame, item: Item) -> Item:
        return unary(frame, node, item)

    return apply


_SYMBOLS = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "truediv": "/",
    "floordiv": "//",
    "mod": "%",
    "pow": "**",
    "matmul": "@",
    "and": "&",
    "or": "|",
    "xor": "^",
}
_COMPARISONS = {
    "eq": ast.Eq,
    "ne": ast.NotEq,
    "lt": ast.Lt,
    "le": ast.LtE,
    "gt": ast.Gt,
    "ge": ast.GtE,
}
_METHODS: dict[str, Callable[..., Item]] = {
    "__getitem__": subscript,
    "__setitem__": _set_item,
    "__contains__": contains,
    "__bool__": truth,
    "__neg__": _unary(ast.USub()),
    "__invert__": _unary(ast.Invert()),
    **{f"__{f.__name__}__": BUILTINS[f] for f in (len, abs, int, float, str, repr, hash)},
    **{f"__{name}__": _binary(symbol) for name, symbol in _SYMBOLS.items()},
    **{f"__r{name}__": _reflected(symbol) for name, symbol in _SYMBOLS.items()},
    **{f"__{name}__": _comparison(op()) for name, op in _COMPARISONS.items()},
}


def special_method(frame: Frame, receiver: Item, name: str, args: list[Item]) -> Item | None:
    """``receiver.name(*args)`` of a builtin type or a tensor; None if it is no operator."""
    handler = _METHODS.get(name)
    if handler is None:
        return None
    return apply_handler(name, handler, frame, [receiver], args, {})
