"""Strings made from values: str(), f-strings, format."""

from __future__ import annotations

import ast
import string
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.enums import enum_of, table
from ingot.capture.script.expressions import expression
from ingot.capture.script.items import type_of
from ingot.capture.script.objects import dispatch, object_members, special
from ingot.capture.script.operations import call_op
from ingot.capture.script.operators import binary
from ingot.capture.script.values import Constant, Item, ModuleItem, PythonItem, SliceItem
from ingot.ir.types import STR

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame


def as_string(frame: Frame, item: Item) -> Item:
    """``str(item)``."""
    item = frame.force(item)
    written = _written(frame, item, ("__str__", "__repr__"))
    if written is not None:
        return written
    if isinstance(item, Constant):
        return Constant(str(item.value))
    if isinstance(item, PythonItem | ModuleItem):
        return Constant(str(item.object if isinstance(item, PythonItem) else item.module))
    if type_of(item) == STR:
        return item
    return call_op(frame, "aten::str", [frame.dynamic(frame.value(item))], type=STR)


def as_repr(frame: Frame, item: Item) -> Item:
    """``repr(item)``: as str, strings in quotes."""
    item = frame.force(item)
    written = _written(frame, item, ("__repr__",))
    if written is not None:
        return written
    if isinstance(item, Constant):
        return Constant(repr(item.value))
    if type_of(item) != STR:
        return as_string(frame, item)
    listed = frame.builder.list_construct([frame.value(item)], STR)
    inside = call_op(frame, "aten::str", [frame.dynamic(listed)], type=STR)
    from ingot.capture.script.subscripts import subscript

    return subscript(frame, inside, SliceItem(Constant(1), Constant(-1), Constant(None)))


def _written(frame: Frame, item: Item, names: tuple[str, ...]) -> Item | None:
    """What a user's class says of itself; objects of classes that say nothing have no text."""
    if len(object_members(type_of(item))) > 1:
        return dispatch(frame, item, lambda each: as_string(frame, each))
    for name in names:
        written = special(frame, item, name)
        if written is not None:
            return written
    if object_members(type_of(item)):
        raise CompileError(
            f"{item.describe()} has no text: its class writes no {names[0]}", "write __str__"
        )
    cls = enum_of(item)
    if cls is None or isinstance(item, Constant):
        return None
    return table(frame, item, [str(m) if len(names) > 1 else repr(m) for m in cls])


def concatenate(frame: Frame, parts: list[Item]) -> Item:
    """The strings one after the other."""
    whole: Item = Constant("")
    for part in parts:
        whole = part if whole == Constant("") else binary(frame, "+", whole, part)
    return whole


def f_string(frame: Frame, node: ast.JoinedStr) -> Item:
    parts: list[Item] = []
    for each in node.values:
        if isinstance(each, ast.FormattedValue):
            item = expression(frame, each.value)
            parts.append(_formatted(frame, each, item))
        else:
            parts.append(expression(frame, each))
    return concatenate(frame, parts)


def _formatted(frame: Frame, node: ast.FormattedValue, item: Item) -> Item:
    spec = Constant("") if node.format_spec is None else expression(frame, node.format_spec)
    conversion = chr(node.conversion) if node.conversion > 0 else ""
    if isinstance(item, Constant) and isinstance(spec, Constant):
        convert: dict[str, Callable[[Any], Any]] = {"r": repr, "s": str, "a": ascii}
        value = convert.get(conversion, lambda v: v)(item.value)
        try:
            return Constant(format(value, spec.value))
        except (ValueError, TypeError) as error:
            raise CompileError(f"this raises {type(error).__name__}: {error}") from None
    if spec == Constant("") and conversion == "r":
        return as_repr(frame, item)
    if spec != Constant("") or conversion not in ("", "s"):
        raise CompileError(
            "a format after : or ! is supported for compile-time constants only",
            "leave it out",
            node,
        )
    return as_string(frame, item)


def format_string(frame: Frame, template: Item, args: list[Item], kwargs: dict[str, Item]) -> Item:
    """``template.format(...)`` with plain fields."""
    if not isinstance(template, Constant):
        raise CompileError("format needs a template that is known while compiling")
    parts: list[Item] = []
    number = 0
    for text, field, spec, conversion in string.Formatter().parse(template.value):
        parts.append(Constant(text))
        if field is None:
            continue
        if spec or conversion:
            raise CompileError("format supports plain fields only", "write {} or {name}")
        if field == "":
            field, number = str(number), number + 1
        if field.isdigit() and int(field) < len(args):
            parts.append(as_string(frame, args[int(field)]))
        elif field in kwargs:
            parts.append(as_string(frame, kwargs[field]))
        else:
            raise CompileError(f"format has no argument for the field {{{field}}}")
    return concatenate(frame, parts)
