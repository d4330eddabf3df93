"""Iterators that are kept in variables: what was taken from one is gone when it is used again.

``map``, ``zip``, generator expressions and their like are lists or recipes while they are used
where they are made. In a variable that is read more than once one becomes an iterator with a
place.
"""

from __future__ import annotations

import ast
import types
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.expressions import expression
from ingot.capture.script.items import type_of
from ingot.capture.script.iteration import turns_of
from ingot.capture.script.itertools_functions import ITERTOOLS
from ingot.capture.script.sequence_builtins import iterator
from ingot.capture.script.values import (
    EnumerateItem,
    Item,
    ListItem,
    LocalFunction,
    PythonItem,
    ReversedItem,
    TupleItem,
    ZipItem,
)

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame

_NAMES = frozenset(each.__name__ for each in (map, filter, *ITERTOOLS))
_MAKERS = [PythonItem(each) for each in (map, filter, *ITERTOOLS)]


def as_variable(frame: Frame, node: ast.Assign, item: Item) -> Item:
    """The value of an assignment, as an iterator with a place if that can be seen."""
    return _bound(frame, node, node.targets, node.value, item)


def _bound(
    frame: Frame, node: ast.Assign, targets: list[ast.expr], value: ast.expr, item: Item
) -> Item:
    if isinstance(value, ast.Tuple) and isinstance(item, TupleItem) and len(targets) == 1:
        places = getattr(targets[0], "elts", ())
        if len(places) == len(value.elts) == len(item.items):
            parts = zip(places, value.elts, item.items, strict=True)
            return TupleItem(tuple(_bound(frame, node, [t], v, i) for t, v, i in parts))
    names = [target.id for target in targets if isinstance(target, ast.Name)]
    if not names or not _is_iterator(frame, value, item):
        return item
    if len(names) == 1 and not _is_read_again(frame.source.node, names[0], node):
        return item
    return _with_place(frame, item)


def as_argument(frame: Frame, callee: Item, node: ast.expr, item: Item) -> Item:
    """An argument of a function of the user's, which may use it twice."""
    function = callee.object if isinstance(callee, PythonItem) else None
    plain = isinstance(function, types.FunctionType) and not str(function.__module__).startswith(
        ("torch.", "ingot.")
    )
    if not (plain or isinstance(callee, LocalFunction)) or not _is_iterator(frame, node, item):
        return item
    return _with_place(frame, item)


def _with_place(frame: Frame, item: Item) -> Item:
    mark, before = frame.builder.mark(), frame.environment.copy()
    try:
        if type_of(item) is None and _holds_modules(frame, item):
            return item
        return iterator(frame, item)
    except CompileError:  # what only the compiler knows, as modules, is in no list
        frame.undo(mark, before)
        return item


def _is_iterator(frame: Frame, node: ast.expr, item: Item) -> bool:
    if isinstance(node, ast.GeneratorExp) or isinstance(item, ZipItem | EnumerateItem):
        return True
    if isinstance(item, ReversedItem):
        return True
    if not isinstance(node, ast.Call):
        return False
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    return name in _NAMES and expression(frame, node.func) in _MAKERS


def _holds_modules(frame: Frame, item: Item) -> bool:
    """Whether the elements exist only while compiling."""
    items = item.items if isinstance(item, ListItem) else turns_of(frame, item).items
    return any(type_of(each) is None for each in items or ())


def _is_read_again(function: ast.AST, name: str, made: ast.stmt) -> bool:
    """Whether the function reads the variable twice, or in a loop that it is not made in."""
    reads = [node for node in ast.walk(function) if _reads(node, name)]
    if len(reads) != 1:
        return True
    return any(
        reads[0] in nodes and made not in nodes for nodes in map(set, _repeated_parts(function))
    )


def _reads(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)


def _repeated_parts(function: ast.AST) -> Iterator[list[ast.AST]]:
    """The nodes inside each loop and comprehension that every turn meets."""
    for node in ast.walk(function):
        parts: list[ast.AST] = []
        match node:
            case ast.For(body=statements):
                parts = list(statements)
            case ast.While(test=condition, body=statements):
                parts = [condition, *statements]
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                first, *others = node.generators
                parts = [*others, *first.ifs]
                parts += [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
            case ast.FunctionDef() | ast.Lambda() if node is not function:
                parts = [node]
        if parts:
            yield [inner for part in parts for inner in ast.walk(part)]
