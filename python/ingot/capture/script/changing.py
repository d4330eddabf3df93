"""Loops over a list, a dict or a set that they also make longer or shorter."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ingot.capture.script.expressions import expression
from ingot.capture.script.items import type_of
from ingot.capture.script.language import SetType
from ingot.capture.script.operations import call_op
from ingot.capture.script.values import Dynamic, EnumerateItem, Item, PythonItem
from ingot.ir.types import DictType, ListType

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame

_RESIZING = {
    "append", "extend", "insert", "pop", "remove", "clear",
    "popitem", "update", "setdefault", "add", "discard",
    "difference_update", "intersection_update", "symmetric_difference_update",
}  # fmt: skip
_VIEWS = ("keys", "values", "items")


def list_that_changes(node: ast.For, iterable: Item) -> Item | None:
    """The list that a loop goes over, or enumerates, if the loop also makes it longer or shorter:
    Python asks for its length before every turn."""
    if isinstance(iterable, EnumerateItem):
        iterable = iterable.inner
    if not isinstance(type_of(iterable), ListType) or not isinstance(iterable, Dynamic):
        return None
    return iterable if _changes(node, _gone_over(node), ast.Slice) else None


def checked(frame: Frame, node: ast.For) -> ast.For:
    """The loop, with Python's question before every turn and at the end if it goes over a dict or
    a set that it may also make longer or shorter. No Python name equals those made here."""
    source = _gone_over(node)
    match source:
        case ast.Call(ast.Attribute(base, name), []) if name in _VIEWS:
            source = base
    if not isinstance(source, ast.Name | ast.Attribute) or not _changes(node, source, ast.expr):
        return node
    item = expression(frame, source)
    if isinstance(type_of(item), DictType):
        sentence = "dictionary changed size during iteration"
    elif isinstance(type_of(item), SetType):
        sentence = "Set changed size during iteration"
    else:
        return node
    place = f"{node.lineno} {node.col_offset}"
    frame.environment.names |= {
        f"gone over {place}": item,
        f"length before {place}": call_op(frame, "aten::len", [item]),
        "length of": PythonItem(len),
        "changed size": PythonItem(RuntimeError),
    }

    def read(name: str) -> ast.expr:
        return ast.Name(name, ast.Load())

    length = ast.Call(read("length of"), [read(f"gone over {place}")], [])
    error = ast.Call(read("changed size"), [ast.Constant(sentence)], [])
    differs = ast.Compare(length, [ast.NotEq()], [read(f"length before {place}")])
    check = ast.If(differs, [ast.Raise(error)], [])
    for inner in ast.walk(check):
        ast.copy_location(inner, node.iter)
    loop = ast.For(node.target, node.iter, [check, *node.body], [check, *node.orelse])
    return ast.copy_location(loop, node)


def _gone_over(node: ast.For) -> ast.expr:
    match node.iter:
        case ast.Call(ast.Name("enumerate"), [source, *_]):
            return source
    return node.iter


def _changes(node: ast.For, source: ast.expr, subscript: type[ast.expr]) -> bool:
    """Whether the loop's body may make what the expression names longer or shorter; assignments
    to subscripts of that kind may."""
    text = ast.unparse(source)
    return any(ast.unparse(each) == text for each in _resized(node, subscript))


def _resized(node: ast.For, subscript: type[ast.expr]) -> Iterator[ast.expr]:
    for inner in (each for statement in node.body for each in ast.walk(statement)):
        match inner:
            case ast.Call(ast.Attribute(base, name)) if name in _RESIZING:
                yield base
            case ast.AugAssign(target):
                yield target
            case ast.Delete(targets):
                yield from (each.value for each in targets if isinstance(each, ast.Subscript))
            case ast.Assign(targets):
                parts = [each for each in targets if isinstance(each, ast.Subscript)]
                yield from (each.value for each in parts if isinstance(each.slice, subscript))
