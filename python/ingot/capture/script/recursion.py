"""Functions that call themselves: how often they are written out, and what their results are.

A recursion over numbers that are known while compiling, as over the levels of an hourglass, ends
while compiling: each level is a function of its own. One that goes on for long, or that the data
end, is one function that takes the numbers. The type of what it gives is that of its other
returns, unless an annotation tells it; the program is then compiled again with it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ingot.capture.script.diagnostics import CompileError, Poisoned
from ingot.capture.script.expressions import expression
from ingot.capture.script.items import signature, type_of
from ingot.capture.script.language import has_hole, is_subtype, join
from ingot.capture.script.state import Restart
from ingot.capture.script.values import Constant, InstanceItem, Item, ModuleItem
from ingot.ir.types import BOOL, FLOAT, INT, STR, Type

if TYPE_CHECKING:
    from ingot.capture.script.compiler import Compiled, Compiler
    from ingot.capture.script.frame import Frame

_MAX_LEVELS = 16
_MAX_COPIES = 64
"""How many functions a recursion over known numbers may be written out as."""
_MAX_TYPES = 4
"""How many types are tried for the result of one function."""


def generalised(
    frame: Frame, compiler: Compiler, function: object, bound: dict[str, Item]
) -> dict[str, Item]:
    """The arguments of a call by a function of itself. Numbers and strings that each call has
    anew become inputs, if writing out every call would take too many."""
    varied = compiler.knowledge.varied
    bound = {
        name: frame.dynamic(frame.value(item), item.type)
        if (id(function), name) in varied and isinstance(item, Constant) and item.type is not None
        else item
        for name, item in bound.items()
    }
    place = _place(bound)
    around = [each for each in compiler.active(function) if _place(each.bound) == place]
    copies = [each for each in compiler.functions.values() if each.function is function]
    if len(around) < _MAX_LEVELS and len(copies) < _MAX_COPIES:
        return bound
    names = {
        name: function
        for name, item in bound.items()
        if _is_number(item)
        and any(signature(each.bound[name]) != signature(item) for each in around)
    }
    if names:
        varied.update({(id(function), name): function for name in names})
        raise Restart
    return bound


def _is_number(item: Item) -> bool:
    return isinstance(item, Constant) and item.type in (INT, FLOAT, BOOL, STR)


def _place(bound: dict[str, Item]) -> tuple:
    """The modules that a function is called for: other ones make it another function."""
    items = bound.values()
    return tuple(signature(item) for item in items if isinstance(item, ModuleItem | InstanceItem))


def returned(frame: Frame, node: ast.Return, item: Item | None) -> None:
    """Notes the type of what a return gives; None: it could not be compiled."""
    if item is not None:
        type = type_of(item)
        frame.returned += [] if type is None else [type]
    elif frame.compiler.unresolved and isinstance(node.value, ast.IfExp):
        for side in (node.value.body, node.value.orelse):
            try:
                returned(frame, node, expression(frame, side))
            except (CompileError, Poisoned):
                continue


def result_of(compiler: Compiler, known: Compiled, types: Iterable[Type | None]) -> Type | None:
    """The type of a function whose result an unknown one hides, from its other returns.

    Raises Restart for one that calls itself: it is compiled again with this type.
    """
    together: Type | None = None
    for each in types:
        if each is None:
            return None
        together = each if together is None else join(together, each)
        if together is None:
            return None
    if together is not None and known.unresolved:
        learn(compiler, known, together)
    return together


def learn(compiler: Compiler, known: Compiled, type: Type) -> None:
    """Compiles the program again with the type of a function's result, unless it is tried out."""
    tried = compiler.knowledge.tried
    place = known.name, id(known.function)
    tried[place] = tried.get(place, 0) + 1
    if tried[place] <= _MAX_TYPES and not has_hole(type):
        compiler.knowledge.results[known.key] = type
        raise Restart


def widen(compiler: Compiler, known: Compiled, type: Type | None) -> None:
    """Compiles the program again if a function gives more than was learned of its result."""
    learned = compiler.knowledge.results.get(known.key)
    if learned is None or type is None or is_subtype(type, learned):
        return
    together = join(type, learned)
    if together is not None and together != learned:
        learn(compiler, known, together)
