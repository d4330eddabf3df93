"""Members of the user's Enum classes.

A member that is known while compiling is a ``Constant``. One that is not is a value of its
members' kind: the member's value where all are ints, floats or strings, else its name.
"""

from __future__ import annotations

import enum
import inspect
import types
from typing import TYPE_CHECKING, Any

from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.items import type_of
from ingot.capture.script.language import EnumType, plain_member, settle
from ingot.capture.script.operations import call_op
from ingot.capture.script.values import Constant, Dynamic, Item, ListItem, MethodItem
from ingot.capture.script.wrapping import wrap
from ingot.ir.types import ListType

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame


def enum_of(item: Item) -> Any:
    """The Enum class of a member, or None."""
    type = type_of(item)
    return settle(type).cls if isinstance(type, EnumType) else None  # type: ignore[attr-defined]


def as_plain(frame: Frame, item: Item) -> Item:
    """A member of an IntEnum or the like as the number or string that it also is."""
    cls = enum_of(item)
    if cls is None or not issubclass(cls, int | str | float):
        return item
    return member_attribute(frame, item, "value")


def stored(frame: Frame, item: Item) -> Item:
    """A member as the plain value that the program keeps."""
    cls = enum_of(item)
    if isinstance(item, Constant):
        return Constant(plain_member(item.value))
    return frame.dynamic(frame.value(item), EnumType(cls).plain)


def member_attribute(frame: Frame, item: Item, name: str) -> Item:
    """``member.name``."""
    cls = enum_of(item)
    found = inspect.getattr_static(cls, name, None)
    if isinstance(item, Constant):
        if isinstance(found, types.FunctionType) and found.__module__ != "enum":
            return MethodItem(item, name, found)
        if isinstance(found, property) and _has_source(found):
            return frame.call(found.fget, item)  # type: ignore[arg-type]
        if name not in dir(item.value) and name not in vars(item.value):
            raise CompileError(f"a member of {cls.__name__} has no attribute {name}")
        value = getattr(item.value, name)
        if callable(value) and not isinstance(value, type):
            return MethodItem(Constant(item.value.value), name)
        return wrap(frame, value, name)
    if name in ("value", "_value_"):
        if all(plain_member(m) == m.value for m in cls):
            return stored(frame, item)
        return table(frame, item, [m.value for m in cls])
    if name in ("name", "_name_"):
        return table(frame, item, [m.name for m in cls])
    if isinstance(found, types.FunctionType):
        return MethodItem(item, name, found)
    if isinstance(found, property) and _has_source(found):
        return frame.call(found.fget, item)  # type: ignore[arg-type]
    if all(name in vars(m) for m in cls):
        return table(frame, item, [vars(m)[name] for m in cls])
    raise CompileError(f"a member of {cls.__name__} has no attribute {name}")


def _has_source(found: property) -> bool:
    return isinstance(found, property) and getattr(found.fget, "__module__", "enum") != "enum"


def table(frame: Frame, item: Item, values: list[Any]) -> Item:
    """For each member its entry of ``values``."""
    cls = enum_of(item)
    keys = ListItem(tuple(Constant(plain_member(m)) for m in cls))
    entries = ListItem(tuple(wrap(frame, v, cls.__name__) for v in values))
    type = type_of(entries)
    if not isinstance(type, ListType):
        raise CompileError(
            f"the members of {cls.__name__} have values of different types here",
            "compare the member itself",
        )
    sequence = frame.dynamic(frame.value(keys), type_of(keys))
    place = call_op(frame, "aten::index", [sequence, stored(frame, item)])
    found = frame.dynamic(frame.value(entries), type)
    return call_op(frame, "aten::__getitem__", [found, place], type=type.element)


def member_of(frame: Frame, cls: Any, value: Item) -> Item:
    """``cls(value)``: the member with that value."""
    if isinstance(value, Constant):
        try:
            return Constant(cls(value.value))
        except ValueError as error:
            raise CompileError(f"this raises ValueError: {error}") from None
    if enum_of(value) is cls:
        return value
    value = as_plain(frame, value)
    return _chosen(frame, cls, value, [m.value for m in cls], f" is not a valid {cls.__qualname__}")


def member_named(frame: Frame, cls: Any, name: Item) -> Item:
    """``cls[name]``."""
    if isinstance(name, Constant):
        try:
            return Constant(cls[name.value])
        except KeyError:
            raise CompileError(f"{cls.__name__} has no member {name.value!r}") from None
    return _chosen(frame, cls, name, [m.name for m in cls], "", "KeyError")


def _chosen(
    frame: Frame, cls: Any, key: Item, keys: list[Any], otherwise: str, kind: str = "ValueError"
) -> Item:
    from ingot.capture.script.strings import as_repr, concatenate

    listed = ListItem(tuple(wrap(frame, k, cls.__name__) for k in keys))
    type = type_of(listed)
    if not isinstance(type, ListType) or type_of(key) != type.element:
        raise CompileError(f"{cls.__name__} has no member for {key.describe()}")
    sequence = frame.dynamic(frame.value(listed), type)
    known = call_op(frame, "aten::__contains__", [sequence, key])
    branch = frame.builder.if_(frame.value(known))
    with frame.builder.at(branch.blocks[1]):
        message = concatenate(frame, [as_repr(frame, key), Constant(otherwise)])
        frame.builder.raise_exception(frame.value(message), kind)
    place = call_op(frame, "aten::index", [sequence, key])
    members = ListItem(tuple(Constant(plain_member(m)) for m in cls))
    plain = EnumType(cls).plain
    values = frame.dynamic(frame.value(members), ListType(plain))
    found = call_op(frame, "aten::__getitem__", [values, place], type=plain)
    return frame.dynamic(frame.value(found), EnumType(cls))


def members(cls: Any) -> tuple[Item, ...]:
    """What iterating over the class gives."""
    return tuple(Constant(m) for m in cls)


def require_member(frame: Frame, item: Dynamic, cls: Any, name: str) -> None:
    """Refuses an input of the program that is no member."""
    keys = ListItem(tuple(Constant(plain_member(m)) for m in cls))
    sequence = frame.dynamic(frame.value(keys), type_of(keys))
    known = call_op(frame, "aten::__contains__", [sequence, stored(frame, item)])
    branch = frame.builder.if_(frame.value(known))
    with frame.builder.at(branch.blocks[1]):
        frame.builder.raise_exception(f"{name} is not a valid {cls.__qualname__}", "ValueError")


def is_enum(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, enum.Enum)
