"""What a for loop or a comprehension goes over."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from torch import nn

from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.items import type_of
from ingot.capture.script.language import SIZE, SetType, settle
from ingot.capture.script.objects import object_members, special
from ingot.capture.script.operations import call_op
from ingot.capture.script.readonly import readable
from ingot.capture.script.unions import each_member
from ingot.capture.script.values import (
    Constant,
    DictItem,
    Dynamic,
    EnumerateItem,
    Item,
    IteratorItem,
    ListItem,
    ModuleItem,
    PickItem,
    PythonItem,
    RangeItem,
    ReversedItem,
    TupleItem,
    ZipItem,
)
from ingot.ir.types import STR, DictType, ListType, NamedTupleType, TensorType, TupleType, Type

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame


_MAX_WRITTEN_OUT = 64
"""Turns over a known list that are written out although a loop would do."""


@dataclass(frozen=True, eq=False)
class Turns:
    """The turns of a loop: how many, and the element of turn number ``i``.

    ``items`` are the elements if they are known at compile time; ``must_unroll`` if they
    exist only there. ``limits`` are lengths that the program computes: turns whose number is none
    below all of them are not made.
    """

    count: Item
    element: Callable[[Item], Item]
    items: Sequence[Item] | None = None
    must_unroll: bool = False
    limits: tuple[Item, ...] = ()


def turns_of(frame: Frame, item: Item, limited: bool = False) -> Turns:
    """Raises CompileError if the item cannot be iterated over. ``limited``: whether the caller
    takes ``limits``; else the program requires that none ends the turns earlier."""
    item = frame.present(frame.force(item))
    match item:
        case RangeItem():
            return _range_turns(frame, item)
        case TupleItem(items):
            return _static(items)
        case ListItem(items):
            if len(items) > _MAX_WRITTEN_OUT and type_of(item) is not None:
                return replace(turns_of(frame, readable(frame, item)), items=items)
            return _static(items)
        case DictItem(items):
            return turns_of(frame, ListItem(tuple(map(Constant, items))))
        case PythonItem(object) if isinstance(object, enum.EnumMeta):
            return _static(tuple(map(Constant, object)))
        case ModuleItem():
            own = special(frame, item, "__iter__")
            return _static(module_items(frame, item)) if own is None else turns_of(frame, own)
        case PickItem(index, items, numbers):
            each_items = [turns_of(frame, each).items for each in items]
            known = [each for each in each_items if each is not None]
            if len(known) == len(items) and len(set(map(len, known))) == 1:
                return _static(tuple(PickItem(index, c, numbers) for c in zip(*known, strict=True)))
        case EnumerateItem(inner, start):
            return _enumerate_turns(frame, turns_of(frame, inner, limited), start)
        case ZipItem(inner):
            return _zip_turns(frame, [turns_of(frame, each) for each in inner], limited)
        case ReversedItem(inner):
            return _reversed_turns(frame, turns_of(frame, inner))
    type = type_of(item)
    if object_members(type):
        return _object_turns(frame, item)
    if frame.compiler.lenient and isinstance(type, ListType) and frame.assume_empty(type):
        return _static(())
    if type in (SIZE, STR) or isinstance(type, ListType):
        sequence = frame.dynamic(frame.value(item), type)
        return Turns(
            call_op(frame, "aten::len", [sequence]),
            lambda i: _element(frame, sequence, i),
        )
    if isinstance(type, TupleType | NamedTupleType):
        parts = frame.builder.tuple_unpack(frame.value(item))
        pairs = zip(parts, type.elements, strict=True)
        return _static(tuple(frame.dynamic(v, t) for v, t in pairs))
    if isinstance(type, TensorType):
        return Turns(
            call_op(frame, "aten::len", [item]),
            lambda i: call_op(frame, "aten::select", [item, Constant(0), i]),
        )
    if isinstance(item, IteratorItem):
        return _iterator_turns(frame, item)
    if isinstance(type, SetType):
        keys = call_op(frame, "aten::keys", [item], type=ListType(type.element))
        return turns_of(frame, keys)
    if isinstance(type, DictType):
        keys = frame.dynamic(frame.value(call_op(frame, "aten::keys", [item])), ListType(type.key))
        return turns_of(frame, keys)
    count = each_member(frame, item, lambda each: turns_of(frame, each).count)
    if count is not None:
        return Turns(count, lambda i: _element_of_union(frame, item, i))
    raise CompileError(
        f"{item.describe()} cannot be iterated over",
        "check it with `is not None` first" if "Optional" in item.describe() else "",
    )


def _element_of_union(frame: Frame, item: Item, i: Item) -> Item:
    def element(each: Item) -> Item:
        type = type_of(each)
        if isinstance(type, TupleType) and type.elements:
            whole = ListType(type.elements[0])
            each = frame.dynamic(frame.value(each, whole), whole)
        return turns_of(frame, each).element(i)

    found = each_member(frame, item, element)
    if found is None:
        raise CompileError(f"what iterating over {item.describe()} gives cannot be compiled")
    return found


def _iterator_turns(frame: Frame, item: IteratorItem) -> Turns:
    """What is left of an iterator; each turn takes one element from it."""
    from ingot.capture.script.sequence_builtins import next_element

    at = call_op(frame, "aten::__getitem__", [item.place, Constant(0)])
    count = call_op(frame, "aten::sub", [call_op(frame, "aten::len", [item.values]), at])
    return Turns(count, lambda i: next_element(frame, item))


def _object_turns(frame: Frame, item: Item) -> Turns:
    """An object whose ``__iter__`` gives something with a length, or one that is indexed."""
    inner = special(frame, item, "__iter__")
    if inner is not None:
        if special_name(frame, inner, "__next__"):
            raise CompileError(
                f"{inner.describe()} is an iterator with __next__, whose length is not known",
                "write a for loop over it",
            )
        return turns_of(frame, inner)
    length = special(frame, item, "__len__")
    if length is None or not special_name(frame, item, "__getitem__"):
        raise CompileError(
            f"{item.describe()} cannot be iterated over", "write __iter__ that gives iter(list)"
        )

    def element(i: Item) -> Item:
        found = special(frame, item, "__getitem__", i)
        assert found is not None
        return found

    return Turns(length, element)


def own_iterator(frame: Frame, item: Item) -> Item | None:
    """``iter(item)``, if that is an object whose class writes ``__next__``; else None."""
    if not special_name(frame, item, "__iter__"):
        return None
    mark, before = frame.builder.mark(), frame.environment.copy()
    inner = special(frame, item, "__iter__")
    if inner is not None and special_name(frame, inner, "__next__"):
        return inner
    frame.undo(mark, before)
    return None


def special_name(frame: Frame, item: Item, name: str) -> bool:
    """Whether every class that the object may have writes the method."""
    members = object_members(type_of(item))
    return bool(members) and all(hasattr(m.cls, name) for m in members)


def _element(frame: Frame, sequence: Dynamic, index: Item) -> Item:
    type = settle(sequence.type)
    require_known_element(frame, type)
    got = call_op(frame, "aten::__getitem__", [sequence, index])
    if isinstance(type, ListType) and isinstance(got, Dynamic):
        return frame.dynamic(got.value, type.element)
    return got


def require_known_element(frame: Frame, type: Type) -> None:
    """Raises CompileError if nothing has said yet what an empty list or dict is to hold."""
    if not frame.assume_empty(type):
        return
    if isinstance(type, DictType):
        raise CompileError(
            "the type of this empty dict's values is not known here",
            "annotate the dict where it is made, for example values: dict[str, int] = {}",
        )
    raise CompileError(
        "the type of this empty list's elements is not known here",
        "annotate the list where it is made, for example values: list[int] = []",
    )


def _static(items: Sequence[Item]) -> Turns:
    def element(i: Item) -> Item:
        assert isinstance(i, Constant)
        place: int = i.value
        return items[place]

    return Turns(Constant(len(items)), element, items, must_unroll=True)


def module_items(frame: Frame, item: ModuleItem) -> tuple[Item, ...]:
    """What iterating over a container module gives. Raises CompileError for other modules."""
    from ingot.capture.script.modules import child, parameter

    module = item.module
    if isinstance(module, nn.Sequential | nn.ModuleList):
        return tuple(child(frame, item, name) for name in module._modules)
    if isinstance(module, nn.ModuleDict):
        return tuple(map(Constant, module._modules))
    if isinstance(module, nn.ParameterDict):
        return tuple(map(Constant, module.keys()))
    if isinstance(module, nn.ParameterList):
        return tuple(parameter(frame, item, str(i)) for i in range(len(module)))
    raise CompileError(f"{item.describe()} cannot be iterated over")


def _range_turns(frame: Frame, item: RangeItem) -> Turns:
    start, stop, step = item.start, item.stop, item.step
    bounds = (start, stop, step)
    if all(isinstance(b, Constant) for b in bounds):
        numbers = range(*(b.value for b in bounds))  # type: ignore[attr-defined]
        items: Sequence[Item] | None = _ConstantRange(numbers)
        count: Item = Constant(len(numbers))
    elif step == Constant(1):
        items = None
        count = stop if start == Constant(0) else call_op(frame, "aten::sub", [stop, start])
    else:
        items = None
        count = call_op(frame, "aten::__range_length", list(bounds))

    def element(i: Item) -> Item:
        if isinstance(i, Constant) and items is not None:
            place: int = i.value
            return items[place]
        if start == Constant(0) and step == Constant(1):
            return i
        if step == Constant(1):
            number = call_op(frame, "aten::add", [start, i])
        else:
            number = call_op(frame, "aten::__derive_index", [i, start, step])
        if isinstance(i, Dynamic) and isinstance(number, Dynamic):
            number.index_of = i.index_of
        return number

    return Turns(count, element, items)


class _ConstantRange(Sequence[Item]):
    """The numbers of a range as constants, made when asked for."""

    def __init__(self, numbers: range) -> None:
        self.numbers = numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, i):  # type: ignore[no-untyped-def]
        return Constant(self.numbers[i])


class _MadeInTurn(Sequence[Item]):
    """The elements of turns that a limit may leave out, each made when its turn is written."""

    def __init__(self, count: int, element: Callable[[Item], Item]) -> None:
        self.length = count
        self.element = element

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, i):  # type: ignore[no-untyped-def]
        return self.element(Constant(i))


def _enumerate_turns(frame: Frame, inner: Turns, start: Item) -> Turns:
    def pair(i: Item) -> Item:
        number = i
        if start != Constant(0):
            number = _add(frame, start, i)
            if isinstance(i, Dynamic) and isinstance(number, Dynamic):
                number.index_of = i.index_of
        return TupleItem((number, inner.element(i)))

    if inner.limits:
        assert inner.items is not None
        made = _MadeInTurn(len(inner.items), pair)
        return Turns(inner.count, pair, made, inner.must_unroll, inner.limits)
    items = None
    if inner.items is not None and isinstance(start, Constant):
        items = [
            TupleItem((Constant(k + start.value), each)) for k, each in enumerate(inner.items)
        ] if inner.must_unroll else None  # fmt: skip
    return Turns(inner.count, pair, items, inner.must_unroll)


def _add(frame: Frame, a: Item, b: Item) -> Item:
    if isinstance(a, Constant) and isinstance(b, Constant):
        return Constant(a.value + b.value)
    return call_op(frame, "aten::add", [a, b])


def _zip_turns(frame: Frame, inner: list[Turns], limited: bool) -> Turns:
    if not inner:
        return _static(())

    def together(i: Item) -> Item:
        return TupleItem(tuple(turns.element(i) for turns in inner))

    known = [t.count.value for t in inner if isinstance(t.count, Constant)]
    if any(turns.must_unroll for turns in inner):
        count = min(known)
        limits = tuple(t.count for t in inner if not isinstance(t.count, Constant))
        if limited and limits:
            made = _MadeInTurn(count, together)
            return Turns(Constant(count), together, made, True, limits)
        for length in limits:
            _require_length(frame, length, count)
        items = [together(Constant(k)) for k in range(count)]
        return Turns(Constant(count), together, items, must_unroll=True)
    count_item: Item = inner[0].count
    for turns in inner[1:]:
        if isinstance(count_item, Constant) and isinstance(turns.count, Constant):
            count_item = Constant(min(count_item.value, turns.count.value))
        else:
            count_item = call_op(frame, "prim::min", [count_item, turns.count])
    return Turns(count_item, together)


def _require_length(frame: Frame, length: Item, count: int) -> None:
    """A zip whose turns are written out needs its lists as long as that."""
    enough = call_op(frame, "aten::ge", [length, Constant(count)])
    branch = frame.builder.if_(frame.value(enough))
    with frame.builder.at(branch.blocks[1]):
        frame.builder.raise_exception(
            f"the list has fewer than the {count} elements that it is zipped with", "ValueError"
        )


def _reversed_turns(frame: Frame, inner: Turns) -> Turns:
    items = None if inner.items is None else list(inner.items)[::-1]

    def element(i: Item) -> Item:
        if isinstance(i, Constant) and items is not None:
            place: int = i.value
            return items[place]
        last = call_op(frame, "aten::sub", [inner.count, Constant(1)])
        number = call_op(frame, "aten::sub", [last, i])
        if isinstance(i, Dynamic) and isinstance(number, Dynamic):
            number.index_of = i.index_of
        return inner.element(number)

    return Turns(inner.count, element, items, inner.must_unroll)
