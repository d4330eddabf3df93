"""Giving values to names, attributes, elements and tuples of these."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ingot.capture.script.attributes import attribute
from ingot.capture.script.containers import extend, is_own, replace_own, store_element
from ingot.capture.script.diagnostics import CompileError, Poisoned
from ingot.capture.script.expressions import expression, make_list, resolve
from ingot.capture.script.indexing import is_view, write_index
from ingot.capture.script.items import type_of
from ingot.capture.script.iteration import turns_of
from ingot.capture.script.language import SIZE, SetType
from ingot.capture.script.modules import changeable, set_attribute
from ingot.capture.script.objects import special
from ingot.capture.script.operations import call_op
from ingot.capture.script.operators import SYMBOLS, binary, in_place
from ingot.capture.script.sets import set_method
from ingot.capture.script.subscripts import subscript
from ingot.capture.script.values import (
    Constant,
    DictItem,
    Dynamic,
    Item,
    ListItem,
    Missing,
    ModuleItem,
    PoisonItem,
    PythonItem,
    SliceItem,
    TupleItem,
)
from ingot.ir.types import (
    INT,
    DictType,
    ListType,
    NamedTupleType,
    TensorType,
    TupleType,
)

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame

_IN_PLACE: dict[str, str] = {
    "+": "aten::add_",
    "-": "aten::sub_",
    "*": "aten::mul_",
    "/": "aten::div_",
    "//": "aten::floor_divide_",
    "%": "aten::remainder_",
    "**": "aten::pow_",
    "&": "aten::bitwise_and_",
    "|": "aten::bitwise_or_",
    "^": "aten::bitwise_xor_",
    "<<": "aten::bitwise_left_shift_",
    ">>": "aten::bitwise_right_shift_",
}


def assign_target(frame: Frame, target: ast.expr, item: Item) -> None:
    """``target = item``."""
    with frame.located(target):
        match target:
            case ast.Name(id=name):
                frame.assign(name, item)
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                _unpack(frame, targets, item)
            case ast.Attribute(value=value, attr=name):
                set_attribute(frame, expression(frame, value), name, item)
            case ast.Subscript(value=value, slice=index):
                base = expression(frame, value)
                store(frame, base, expression(frame, index), item)
            case ast.Starred():
                raise CompileError("* can only stand inside a tuple of targets")
            case _:
                raise CompileError("this cannot be assigned to")


def _unpack(frame: Frame, targets: list[ast.expr], item: Item) -> None:
    if isinstance(item, PoisonItem):
        raise Poisoned
    item = frame.present(frame.force(item))
    stars = [i for i, t in enumerate(targets) if isinstance(t, ast.Starred)]
    if stars and type_of(item) == SIZE:
        item = frame.dynamic(frame.value(item), ListType(INT))
    if stars and isinstance(type_of(item), TensorType):
        item = call_op(frame, "aten::unbind", [item])
    if stars and isinstance(type_of(item), ListType) and isinstance(item, Dynamic):
        _unpack_list(frame, targets, stars[0], item)
        return
    parts = _parts(frame, item, len(targets), bool(stars))
    if not stars:
        if len(parts) != len(targets):
            raise CompileError(f"{len(parts)} values are unpacked into {len(targets)} names")
    else:
        (star,) = stars
        after = len(targets) - star - 1
        if len(parts) < len(targets) - 1:
            raise CompileError(f"{len(parts)} values are too few for {len(targets)} names")
        middle = parts[star : len(parts) - after]
        inner = targets[star]
        assert isinstance(inner, ast.Starred)
        parts = [*parts[:star], make_list(frame, middle), *parts[len(parts) - after :]]
        targets = [*targets[:star], inner.value, *targets[star + 1 :]]
    for target, part in zip(targets, parts, strict=True):
        assign_target(frame, target, part)


def _unpack_list(frame: Frame, targets: list[ast.expr], star: int, item: Dynamic) -> None:
    """``first, *rest, last = values`` for a list whose length is known when it runs."""
    after = len(targets) - star - 1
    enough = call_op(
        frame, "aten::ge", [call_op(frame, "aten::len", [item]), Constant(star + after)]
    )
    branch = frame.builder.if_(frame.value(enough))
    with frame.builder.at(branch.blocks[1]):
        frame.builder.raise_exception("not enough values to unpack", "ValueError")
    for place, target in enumerate(targets):
        if isinstance(target, ast.Starred):
            stop = Constant(-after if after else None)
            part = subscript(frame, item, SliceItem(Constant(star), stop, Constant(None)))
            assign_target(frame, target.value, part)
        else:
            index = place if place < star else place - len(targets)
            assign_target(frame, target, subscript(frame, item, Constant(index)))


def _parts(frame: Frame, item: Item, count: int, starred: bool) -> list[Item]:
    item = frame.force(item)
    if isinstance(item, TupleItem | ListItem | DictItem | ModuleItem | PythonItem):
        turns = turns_of(frame, item)
        return list(turns.items or ())
    type = type_of(item)
    if isinstance(type, TupleType | NamedTupleType):
        values = frame.builder.tuple_unpack(frame.value(item))
        return [frame.dynamic(v, t) for v, t in zip(values, type.elements, strict=True)]
    if starred:
        raise CompileError(
            f"{item.describe()} cannot be unpacked into a starred name",
            "index it instead",
        )
    if isinstance(type, ListType) or type == SIZE:
        values = frame.builder.list_unpack(frame.value(item), count)
        element = INT if type == SIZE else type.element  # type: ignore[union-attr]
        return [frame.dynamic(v, element) for v in values]
    if isinstance(type, TensorType):
        parts = call_op(frame, "aten::unbind", [item])
        values = frame.builder.list_unpack(frame.value(parts), count)
        return [frame.dynamic(v, type) for v in values]
    hint = "check it with `is not None` first" if "Optional" in item.describe() else ""
    raise CompileError(f"{item.describe()} cannot be unpacked", hint)


def store(frame: Frame, base: Item, index: Item, item: Item) -> None:
    """``base[index] = item``."""
    if special(frame, base, "__setitem__", index, item) is not None:
        return
    if isinstance(base, TupleItem):
        raise CompileError(f"{base.describe()} cannot be changed", "make a list in the function")
    if isinstance(base, DictItem) and isinstance(index, Constant) and is_own(frame, base):
        replace_own(frame, base, {**base.items, index.value: item})
        return
    key, value = type_of(index), type_of(item)
    whole = None if key is None or value is None else DictType(key, value)
    base = changeable(frame, base, whole if isinstance(base, DictItem) else None)
    type = type_of(base)
    if isinstance(type, TensorType):
        write_index(frame, base, index, item)
        return
    if isinstance(type, ListType) and isinstance(index, SliceItem):
        values = frame.dynamic(frame.value(_as_list(frame, item, type), type), type)
        call_op(frame, "prim::set_slice", [base, *_bounds(index), values])
        return
    if isinstance(type, ListType | DictType) and not isinstance(index, SliceItem):
        store_element(frame, base, type, index, item)
        return
    raise CompileError(f"an element of {base.describe()} cannot be assigned")


def _bounds(index: SliceItem) -> list[Item]:
    step = Constant(1) if index.step == Constant(None) else index.step
    return [index.start, index.stop, step]


def _as_list(frame: Frame, item: Item, type: ListType) -> Item:
    if isinstance(item, TupleItem | ListItem) or isinstance(type_of(item), ListType):
        return item
    from ingot.capture.script.sequence_builtins import as_list

    return as_list(frame, item)


def augmented_assignment(frame: Frame, node: ast.AugAssign) -> None:
    """``target op= value``: in place for tensors and lists, as in Python."""
    symbol = SYMBOLS[type(node.op)]
    match node.target:
        case ast.Name(id=name):
            item, _ = _combine(frame, symbol, resolve(frame, name), node.value)
            frame.assign(name, item)
        case ast.Attribute(value=value, attr=name):
            owner = expression(frame, value)
            item, in_place = _combine(frame, symbol, attribute(frame, owner, name), node.value)
            if not in_place:
                set_attribute(frame, owner, name, item)
        case ast.Subscript(value=value, slice=place):
            base, index = expression(frame, value), expression(frame, place)
            item, in_place = _combine(frame, symbol, subscript(frame, base, index), node.value)
            copied = isinstance(type_of(base), TensorType) and not is_view(index)
            if copied or not in_place:
                store(frame, base, index, item)


def _combine(frame: Frame, symbol: str, current: Item, value: ast.expr) -> tuple[Item, bool]:
    """The result of ``current op= value``, and whether it is ``current`` itself, changed."""
    if isinstance(current, PoisonItem):
        raise Poisoned
    item = expression(frame, value)
    if isinstance(current, ListItem) and current.kept is not None and symbol == "+":
        current = changeable(frame, current, type_of(item))
    type = type_of(current)
    written = in_place(frame, symbol, current, item)
    if written is not None:
        return written, False
    if isinstance(type, TensorType) and symbol in _IN_PLACE:
        if type_of(item) is None:
            raise CompileError(f"{item.describe()} cannot be combined with a Tensor")
        return call_op(frame, _IN_PLACE[symbol], [current, item]), True
    if isinstance(type, ListType) and symbol == "+" and isinstance(current, Dynamic):
        extend(frame, current, item)
        return current, True
    if isinstance(type, ListType) and symbol == "*" and isinstance(current, Dynamic):
        call_op(frame, "aten::mul_", [current, item])
        return current, True
    if isinstance(type, SetType) and symbol in _SET_UPDATES:
        set_method(frame, current, _SET_UPDATES[symbol], [item])
        return current, True
    if isinstance(type, DictType) and symbol == "|":
        call_op(frame, "aten::update", [current, item])
        return current, True
    return binary(frame, symbol, current, item), False


_SET_UPDATES = {
    "|": "update",
    "&": "intersection_update",
    "-": "difference_update",
    "^": "symmetric_difference_update",
}


def delete_target(frame: Frame, target: ast.expr) -> None:
    """``del target``."""
    match target:
        case ast.Name(id=name):
            resolve(frame, name)
            frame.environment.names[name] = Missing(f"{name} was deleted before this line")
        case ast.Subscript(value=value, slice=index):
            base, place = expression(frame, value), expression(frame, index)
            if special(frame, base, "__delitem__", place) is not None:
                return
            if isinstance(base, DictItem) and isinstance(place, Constant) and is_own(frame, base):
                if place.value not in base.items:
                    raise CompileError(f"{base.describe()} has no key {place.value!r}")
                left = {key: item for key, item in base.items.items() if key != place.value}
                replace_own(frame, base, left)
                return
            base = changeable(frame, base)
            if isinstance(place, SliceItem) and isinstance(type_of(base), ListType):
                call_op(frame, "prim::delete_slice", [base, *_bounds(place)])
            else:
                call_op(frame, "aten::Delete", [base, place])
        case ast.Tuple(elts=targets):
            for each in targets:
                delete_target(frame, each)
        case _:
            raise CompileError("this cannot be deleted")
