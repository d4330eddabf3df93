"""List and dict comprehensions and generator expressions, as the loops that they are."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ingot.capture.script.expressions import expression, make_dict, make_list
from ingot.capture.script.iteration import own_iterator, turns_of
from ingot.capture.script.names import assigned_names
from ingot.capture.script.sets import make_set
from ingot.capture.script.values import (
    Environment,
    Item,
    ListItem,
    LocalFunction,
    Missing,
    TupleItem,
)
from ingot.ir.types import DictType, ListType

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame

_MAX_WRITTEN_OUT = 64
"""Elements of a constant range that are written one by one, so that each knows its number."""


@dataclass(frozen=True)
class Scope:
    """A comprehension that is being compiled: its names as they are outside, and its nodes."""

    outside: dict[str, Item | None]
    nodes: set[ast.AST]


def visible_from(frame: Frame, name: str, function: ast.AST) -> Item | None:
    """The variable that a function of the frame means, wherever it is called."""
    item = frame.environment.names.get(name)
    for scope in reversed(frame.comprehensions):
        if name in scope.outside and function not in scope.nodes:
            item = scope.outside[name]
    return item


Comprehension = ast.ListComp | ast.GeneratorExp | ast.DictComp | ast.SetComp


def comprehension(
    frame: Frame, node: Comprehension, expected: ListType | DictType | None = None
) -> Item:
    """A list or dict, of the annotated type if one is given.

    A generator is made at once, so it may be used once, as in Python.
    """
    hidden = assigned_names([g.target for g in node.generators])
    before = {name: frame.environment.names.get(name) for name in hidden}
    cells = {name: frame.cells.pop(name) for name in hidden if name in frame.cells}
    frame.comprehensions.append(Scope(before, set(ast.walk(node))))
    try:
        item = _written_out(frame, node, expected)
        return _looped(frame, node, expected) if item is None else item
    finally:
        frame.comprehensions.pop()
        frame.cells.update(cells)
        for name, old in before.items():
            if old is None:
                frame.environment.names.pop(name, None)
            else:
                frame.environment.names[name] = old


def _written_out(
    frame: Frame, node: Comprehension, expected: ListType | DictType | None
) -> Item | None:
    """The elements one by one, if the source is known while compiling and nothing is left out."""
    from ingot.capture.script.assignment import assign_target

    if isinstance(node, ast.DictComp | ast.SetComp):
        return None
    if len(node.generators) != 1 or node.generators[0].ifs:
        return None
    generator = node.generators[0]
    mark, before = frame.builder.mark(), frame.environment.copy()
    source = expression(frame, generator.iter)
    if own_iterator(frame, source) is not None:
        frame.undo(mark, before)
        return None
    turns = turns_of(frame, source, limited=True)
    if (
        turns.items is None
        or turns.limits
        or not (turns.must_unroll or len(turns.items) <= _MAX_WRITTEN_OUT)
    ):
        frame.undo(mark, before)
        return None
    items = []
    element = expected.element if isinstance(expected, ListType) else None
    names = assigned_names([generator.target])
    made_here = set(ast.walk(node.elt))
    for each in turns.items or ():
        assign_target(frame, generator.target, each)
        item = expression(frame, node.elt, element)
        items.append(_with_values(item, made_here, {n: frame.environment.names[n] for n in names}))
    if isinstance(node, ast.GeneratorExp):
        return ListItem(tuple(items))
    last = {name: frame.environment.names[name] for name in names if items}
    return make_list(frame, [_with_values(item, made_here, last) for item in items], element)


def _with_values(item: Item, made_here: set[ast.AST], values: dict[str, Item]) -> Item:
    """Functions made by the comprehension with its variables. Those of a list all see the values
    of the last turn."""
    if isinstance(item, TupleItem):
        return replace(item, items=tuple(_with_values(e, made_here, values) for e in item.items))
    if not isinstance(item, LocalFunction) or item.node not in made_here:
        return item
    seen = {name: values.get(name, old) for name, old in item.environment.names.items()}
    fixed = item.fixed | values.keys()
    return replace(item, environment=Environment(seen), fixed=frozenset(fixed))


def _looped(frame: Frame, node: Comprehension, expected: ListType | DictType | None) -> Item:
    from ingot.capture.script.statements import body

    name = f"comprehension {node.lineno} {node.col_offset}"
    container = ast.Name(id=name, ctx=ast.Load())
    statement: ast.stmt
    if isinstance(node, ast.DictComp):
        types = (expected.key, expected.value) if isinstance(expected, DictType) else ()
        frame.environment.names[name] = make_dict(frame, [], *types)
        place = ast.Subscript(value=container, slice=node.key, ctx=ast.Store())
        statement = ast.Assign(targets=[place], value=node.value)
    else:
        kind = isinstance(node, ast.SetComp)
        element = expected.element if isinstance(expected, ListType) else None
        empty = make_set(frame, []) if kind else make_list(frame, [], element)
        frame.environment.names[name] = empty
        method = "add" if kind else "append"
        append = ast.Attribute(value=container, attr=method, ctx=ast.Load())
        statement = ast.Expr(value=ast.Call(func=append, args=[node.elt], keywords=[]))
    ast.copy_location(statement, node)
    for generator in reversed(node.generators):
        for condition in reversed(generator.ifs):
            statement = ast.If(test=condition, body=[statement], orelse=[])
            ast.copy_location(statement, condition)
        statement = ast.For(
            target=generator.target, iter=generator.iter, body=[statement], orelse=[]
        )
        ast.copy_location(statement, node)
    ast.fix_missing_locations(statement)
    flow = body(frame, [statement])
    for environment in flow.ends.values():
        frame.environment = environment
    item = frame.environment.names.pop(name)
    if isinstance(item, Missing):
        item = frame.read(name) or item
    return item
