"""Lists and dicts that are known while compiling, as values that are only read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.items import type_of
from ingot.capture.script.language import lower
from ingot.capture.script.values import Constant, DictItem, Dynamic, Item, ListItem, TupleItem

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame


def readable(frame: Frame, item: Item) -> Dynamic:
    """The container as a value for an op that only reads it: a constant where it can be one.

    Raises CompileError if its elements have no common type.
    """
    type = type_of(item)
    if type is None:
        raise CompileError(
            f"{item.describe()} cannot be read with what is known only at run time",
            "give its elements one type, or use it with constants",
        )
    literal = _literal(frame, item)
    if literal is _UNKNOWN:
        return frame.dynamic(frame.value(item), type)
    return frame.dynamic(frame.builder.constant(literal, lower(type)), type)


_UNKNOWN = object()


def _literal(frame: Frame, item: Item) -> Any:
    """What a program writes for the item; _UNKNOWN if a part is not constant."""
    match item:
        case Constant(value):
            return frame.literal(value)
        case ListItem(items) | TupleItem(items, None):
            parts = [_literal(frame, each) for each in items]
            if len({type_of(each) for each in items}) > 1 and isinstance(item, ListItem):
                return _UNKNOWN
            return _UNKNOWN if any(p is _UNKNOWN for p in parts) else tuple(parts)
        case DictItem(items):
            values = _literal(frame, ListItem(tuple(items.values())))
            if values is _UNKNOWN:
                return _UNKNOWN
            return tuple(zip((frame.literal(key) for key in items), values, strict=True))
    return _UNKNOWN
