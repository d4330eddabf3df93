"""Sets: in the program dicts whose values are None, in the order of insertion."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ingot.capture.script import library
from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.items import type_of
from ingot.capture.script.language import Hole, SetType, join, lower, require_key, settle
from ingot.capture.script.operations import call_op
from ingot.capture.script.values import FALSE, NOTHING, Dynamic, Item
from ingot.ir.types import NONE, DictType, Type

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame


def make_set(frame: Frame, items: list[Item], element: Type | None = None) -> Item:
    """``{a, b}``. Raises CompileError if the elements have no common type."""
    for item in items:
        type = type_of(item)
        together = type if element is None or type is None else join(element, type)
        if together is None:
            raise CompileError(f"a set cannot hold both {element} and {item.describe()}")
        element = settle(together)
    element = Hole() if element is None else element
    require_key(element)
    nothing = frame.builder.constant(None)
    pairs = [(frame.value(item, element), nothing) for item in items]
    made = frame.builder.dict_construct(pairs, lower(element), NONE)
    return frame.dynamic(made, SetType(element))


def set_of(frame: Frame, iterable: Item | None) -> Item:
    """``set(iterable)``."""
    if iterable is None:
        return make_set(frame, [])
    type = type_of(iterable)
    if isinstance(type, SetType):
        return call_op(frame, "aten::copy", [iterable], type=type)
    return frame.call(library.set_of, iterable)


def as_dict(frame: Frame, item: Item) -> Item:
    """The dict behind a set; what is no set is made one."""
    type = type_of(item)
    if not isinstance(type, SetType):
        item = set_of(frame, item)
        type = type_of(item)
    assert isinstance(type, SetType)
    assert isinstance(item, Dynamic)
    return Dynamic(item.value, DictType(type.element, NONE))


def _as_set(item: Item) -> Item:
    type = type_of(item)
    assert isinstance(type, DictType)
    assert isinstance(item, Dynamic)
    return Dynamic(item.value, SetType(type.key))


_MAKING: dict[str, Callable[..., Any]] = {
    "union": library.set_union,
    "intersection": library.set_intersection,
    "difference": library.set_difference,
    "symmetric_difference": library.set_symmetric_difference,
}
_UPDATING: dict[str, str] = {
    "intersection_update": "intersection",
    "difference_update": "difference",
    "symmetric_difference_update": "symmetric_difference",
}
_OPERATORS: dict[str, str] = {
    "|": "union",
    "&": "intersection",
    "-": "difference",
    "^": "symmetric_difference",
}


def set_method(frame: Frame, receiver: Item, name: str, args: list[Item]) -> Item:
    """A method of a set. Raises CompileError if there is none."""
    own = as_dict(frame, receiver)
    type = settle(type_of(receiver))  # type: ignore[arg-type]
    assert isinstance(type, SetType)
    if name in _MAKING:
        result = own if args else call_op(frame, "aten::copy", [own], type=type_of(own))
        for each in args:
            result = frame.call(_MAKING[name], result, as_dict(frame, each))
        return _as_set(result)
    if name in _UPDATING:
        made = set_method(frame, receiver, _UPDATING[name], args)
        frame.call(library.set_replace, own, as_dict(frame, made))
        return NOTHING
    match name, args:
        case "update", _:
            for each in args:
                frame.call(library.set_update, own, as_dict(frame, each))
            return NOTHING
        case "add", [item]:
            from ingot.capture.script.containers import store_element

            store_element(frame, own, type_of(own), item, NOTHING)  # type: ignore[arg-type]
            return NOTHING
        case "discard", [item]:
            frame.call(library.set_discard, own, item)
            return NOTHING
        case "remove", [item]:
            call_op(frame, "aten::Delete", [own, item])
            return NOTHING
        case "pop", []:
            return frame.call(library.set_pop, own)
        case "clear", []:
            call_op(frame, "aten::clear", [own])
            return NOTHING
        case "copy", []:
            return call_op(frame, "aten::copy", [own], type=type)
        case "issubset", [other]:
            return frame.call(library.is_subset, own, as_dict(frame, other))
        case "issuperset", [other]:
            return frame.call(library.is_subset, as_dict(frame, other), own)
        case "isdisjoint", [other]:
            return frame.call(library.is_disjoint, own, as_dict(frame, other))
    raise CompileError(f"{receiver.describe()} has no method {name} that can be compiled")


def set_operator(frame: Frame, symbol: str, a: Item, b: Item) -> Item | None:
    """``a | b`` and its like; None if they are not both sets."""
    if not isinstance(type_of(a), SetType) or not isinstance(type_of(b), SetType):
        return None
    name = _OPERATORS.get(symbol)
    return None if name is None else set_method(frame, a, name, [b])


def set_order(frame: Frame, symbol: str, a: Item, b: Item) -> Item:
    """``a <= b``: whether one holds all elements of the other."""
    if symbol in (">", ">="):
        return set_order(frame, symbol.replace(">", "<"), b, a)
    below = set_method(frame, a, "issubset", [b])
    if symbol == "<=":
        return below
    lengths = [call_op(frame, "aten::len", [each]) for each in (a, b)]
    shorter = call_op(frame, "aten::lt", lengths)
    return FALSE if below == FALSE else call_op(frame, "aten::__and__", [below, shorter])
