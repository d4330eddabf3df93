"""Builtins that go over elements: sorted, min, max, sum, any, all, map, filter, iter, next."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ingot.capture.script import library
from ingot.capture.script.comparison import compare
from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.expressions import make_list
from ingot.capture.script.flow import Junction
from ingot.capture.script.items import type_of
from ingot.capture.script.iteration import module_items, own_iterator, special_name, turns_of
from ingot.capture.script.language import NUMBER, SIZE, settle
from ingot.capture.script.objects import object_members, special
from ingot.capture.script.operations import call_op
from ingot.capture.script.operators import as_number, binary
from ingot.capture.script.torch_functions import as_tensor
from ingot.capture.script.truth import truth
from ingot.capture.script.values import (
    FALSE,
    NOTHING,
    ZERO,
    Constant,
    DictItem,
    Dynamic,
    EnumerateItem,
    Item,
    IteratorItem,
    ListItem,
    Missing,
    ModuleItem,
    RangeItem,
    ReversedItem,
    ShapeItem,
    TupleItem,
    ZipItem,
)
from ingot.ir.types import (
    BOOL,
    COMPLEX,
    FLOAT,
    INT,
    STR,
    DictType,
    ListType,
    OptionalType,
    TensorType,
    UnionType,
)

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame

_NUMBERS = (BOOL, INT, FLOAT)


def as_list(frame: Frame, item: Item | None = None) -> Item:
    """``list(item)``: a new list of its elements."""
    if item is None:
        return make_list(frame, [])
    type = type_of(item)
    if isinstance(item, TupleItem | ListItem | DictItem | ModuleItem):
        return make_list(frame, list(turns_of(frame, item).items or ()))
    if isinstance(item, EnumerateItem | ZipItem | ReversedItem):
        mark, before = frame.builder.mark(), frame.environment.copy()
        turns = turns_of(frame, item)
        if turns.items is not None and turns.must_unroll:
            return make_list(frame, list(turns.items))
        frame.undo(mark, before)
    if isinstance(type, ListType) or type == SIZE:
        if frame.assume_empty(type):
            return make_list(frame, [])
        element = type.element if isinstance(type, ListType) else INT
        sequence = frame.dynamic(frame.value(item), ListType(element))
        return call_op(frame, "aten::list", [sequence], type=ListType(element))
    if type == STR:
        return call_op(frame, "aten::list", [item])
    if isinstance(type, TensorType):
        return call_op(frame, "aten::unbind", [item])
    if isinstance(type, DictType):
        return call_op(frame, "aten::keys", [item], type=ListType(type.key))
    return frame.call(library.collect, item)


def sequence(frame: Frame, item: Item) -> Item:
    """The elements as a list, which may be the item itself: for reading."""
    type = type_of(item)
    if isinstance(type, ListType) and isinstance(item, Dynamic):
        return item
    return as_list(frame, item)


def sorted_list(frame: Frame, item: Item, key: Item = NOTHING, reverse: Item = FALSE) -> Item:
    if key != NOTHING:
        return frame.call(library.sorted_by, sequence(frame, item), key, truth(frame, reverse))
    copied = as_list(frame, item)
    if not _has_own_order(copied):
        call_op(frame, "aten::sort", [copied, truth(frame, reverse)])
        return copied
    return frame.call(library.ordered, copied, truth(frame, reverse))


def _has_own_order(values: Item) -> bool:
    """Whether the elements are compared by code: objects, tensors."""
    type = type_of(values)
    element = settle(type.element) if isinstance(type, ListType) else None
    kinds = isinstance(element, TensorType | UnionType | OptionalType)
    return kinds or bool(object_members(element))


def sort_in_place(
    frame: Frame, receiver: Dynamic, key: Item = NOTHING, reverse: Item = FALSE
) -> Item:
    """``receiver.sort(...)``."""
    if key == NOTHING and not _has_own_order(receiver):
        call_op(frame, "aten::sort", [receiver, truth(frame, reverse)])
    else:
        ordered = sorted_list(frame, receiver, key, reverse)
        call_op(frame, "prim::set_slice", [receiver, NOTHING, NOTHING, Constant(1), ordered])
    return NOTHING


def extreme(op: str, python: Callable[..., Any]) -> Callable[..., Item]:
    """``min`` or ``max``."""
    name = python.__name__
    best = library.least if name == "min" else library.greatest
    best_by = library.least_by if name == "min" else library.greatest_by

    def apply(frame: Frame, *args: Item, key: Item = NOTHING, default: Item | None = None) -> Item:
        if not args:
            raise CompileError(f"{name} expects at least one argument")
        if key != NOTHING:
            values = sequence(frame, args[0]) if len(args) == 1 else make_list(frame, list(args))
            return _or_default(frame, values, default, lambda: frame.call(best_by, values, key))
        if len(args) > 1:
            return _best_item(frame, op, python, args)
        (only,) = args
        if isinstance(only, TupleItem | ListItem) and only.items and not _has_lists(only):
            return _best_item(frame, op, python, only.items)
        type = type_of(only)
        if isinstance(type, TensorType):
            return call_op(frame, "aten::" + op.partition("::")[2], [only])
        values = sequence(frame, only)
        listed = type_of(values)
        element = listed.element if isinstance(listed, ListType) else None

        def find() -> Item:
            if element in _NUMBERS:
                return call_op(frame, op, [values], type=element)
            return frame.call(best, values)

        return _or_default(frame, values, default, find)

    return apply


def _has_lists(items: TupleItem | ListItem) -> bool:
    return any(isinstance(type_of(each), ListType) for each in items.items)


def _or_default(frame: Frame, values: Item, default: Item | None, find: Callable[[], Item]) -> Item:
    if default is None:
        return find()
    some = call_op(frame, "aten::gt", [call_op(frame, "aten::len", [values]), ZERO])
    return choose(frame, some, find, lambda: default)


def choose(
    frame: Frame, condition: Item, then: Callable[[], Item], other: Callable[[], Item]
) -> Item:
    """``then() if condition else other()``."""
    if isinstance(condition, Constant):
        return then() if condition.value else other()
    branch = frame.builder.if_(frame.value(condition))
    sides = []
    for block, side in zip(branch.blocks, (then, other), strict=True):
        with frame.builder.at(block):
            sides.append(side())
    junction = Junction(frame, branch, frame.source.line(frame.node))
    result = junction.join_items(sides[0], sides[1], "the value")
    junction.finish()
    if isinstance(result, Missing):
        raise CompileError(result.reason, result.hint)
    return result


def _best_item(frame: Frame, op: str, python: Callable[..., Any], items: tuple[Item, ...]) -> Item:
    if all(isinstance(a, Constant) for a in items):
        return Constant(python(a.value for a in items))  # type: ignore[attr-defined]
    numbers = all(type_of(a) in (*_NUMBERS, NUMBER) for a in items)
    best = items[0]
    for each in items[1:]:
        if numbers:
            pair = [as_number(frame, a, INT) if type_of(a) == BOOL else a for a in (best, each)]
            best = call_op(frame, op, pair)
        else:
            best = _pick(frame, op, best, each)
    return best


def _pick(frame: Frame, op: str, a: Item, b: Item) -> Item:
    """The first that no other one beats; a number beside a tensor becomes a tensor."""
    beats = compare(frame, ast.Lt() if op == "prim::min" else ast.Gt(), b, a)
    if isinstance(type_of(a), TensorType) or isinstance(type_of(b), TensorType):
        return choose(
            frame, truth(frame, beats), lambda: as_tensor(frame, b), lambda: as_tensor(frame, a)
        )
    return choose(frame, truth(frame, beats), lambda: b, lambda: a)


def total(frame: Frame, item: Item, start: Item = ZERO) -> Item:
    """``sum(item, start)``."""
    if isinstance(item, TupleItem | ListItem):
        result = start
        for each in item.items:
            result = binary(frame, "+", result, each)
        return result
    type = type_of(item)
    if isinstance(type, TensorType):
        whole = call_op(frame, "aten::sum", [item, Constant(0)])
        return whole if start == ZERO else binary(frame, "+", whole, start)
    values = sequence(frame, item)
    listed = type_of(values)
    element = listed.element if isinstance(listed, ListType) else None
    if element in (INT, FLOAT, BOOL, COMPLEX) and start == ZERO:
        return call_op(frame, "aten::sum", [values])
    if isinstance(element, TensorType) and start == ZERO:
        return frame.call(library.sum_tensors, values)
    if element == FLOAT and type_of(start) == INT:
        start = as_number(frame, start, FLOAT)
    return frame.call(library.total_of, values, start)


def all_any(name: str, symbol: str) -> Callable[..., Item]:
    """``all`` or ``any``."""
    general = library.all_true if name == "all" else library.any_true
    plain = (INT, FLOAT, BOOL) if name == "all" else (INT, FLOAT, BOOL, STR)

    def apply(frame: Frame, item: Item) -> Item:
        if isinstance(item, TupleItem | ListItem):
            result: Item = Constant(name == "all")
            for each in item.items:
                one = truth(frame, each)
                if isinstance(one, Constant):
                    if one.value is not (name == "all"):
                        return one
                elif isinstance(result, Constant):
                    result = one
                else:
                    result = binary(frame, symbol, result, one)
            return result
        type = type_of(item)
        if isinstance(type, TensorType):
            return truth(frame, call_op(frame, f"aten::{name}", [item]))
        values = sequence(frame, item)
        listed = type_of(values)
        if isinstance(listed, ListType) and frame.assume_empty(listed):
            return Constant(name == "all")
        if isinstance(listed, ListType) and listed.element in plain:
            return call_op(frame, f"aten::{name}", [values], type=BOOL)
        return frame.call(general, values)

    return apply


def map_elements(frame: Frame, function: Item, *iterables: Item) -> Item:
    """``map``: made at once, as a list."""
    from ingot.capture.script.calls import call

    if all(isinstance(i, TupleItem | ListItem) for i in iterables):
        rows = zip(*(i.items for i in iterables), strict=False)  # type: ignore[attr-defined]
        return ListItem(tuple(call(frame, function, list(row), {}) for row in rows))
    match iterables:
        case (values,):
            return frame.call(library.mapped, function, values)
        case (values, others):
            return frame.call(library.mapped_pairs, function, values, others)
    raise CompileError("map takes one or two iterables")


def reduced(frame: Frame, function: Item, values: Item, initial: Item | None = None) -> Item:
    """``functools.reduce``."""
    from ingot.capture.script.calls import call

    if isinstance(values, TupleItem | ListItem):
        items = [*([] if initial is None else [initial]), *values.items]
        if not items:
            raise CompileError("reduce() of empty iterable with no initial value")
        result = items[0]
        for each in items[1:]:
            result = call(frame, function, [result, each], {})
        return result
    if initial is None:
        return frame.call(library.reduced, function, values)
    return frame.call(library.reduced_from, function, values, initial)


def filter_elements(frame: Frame, function: Item, values: Item) -> Item:
    """``filter``: made at once, as a list."""
    if isinstance(values, TupleItem | ListItem):
        values = as_list(frame, values)
    if function == NOTHING:
        return frame.call(library.filtered_true, values)
    return frame.call(library.filtered, function, values)


def iterator(frame: Frame, item: Item) -> Item:
    """``iter(item)``: its elements and the place of the next one."""
    if isinstance(item, IteratorItem):
        return item
    own = own_iterator(frame, item)
    if own is not None:
        return own
    if isinstance(item, ModuleItem):
        item = ListItem(module_items(frame, item))
    if isinstance(item, ListItem) and type_of(item) is None and item.items:
        return item  # modules and their like: only next(iter(...)) can be asked
    place = frame.builder.list_construct([frame.value(ZERO)], INT)
    if isinstance(item, RangeItem | ShapeItem | DictItem):
        item = as_list(frame, item)
    return IteratorItem(sequence(frame, item), frame.dynamic(place, ListType(INT)))


def has_next(frame: Frame, item: IteratorItem) -> Item:
    """Whether an element is left."""
    at = call_op(frame, "aten::__getitem__", [item.place, ZERO], type=INT)
    return call_op(frame, "aten::lt", [at, call_op(frame, "aten::len", [item.values])])


def next_element(frame: Frame, item: Item, default: Item | None = None) -> Item:
    """``next(item)``. A generator expression is a list here, and ``next`` gives its first."""
    from ingot.capture.script.subscripts import subscript

    if special_name(frame, item, "__next__"):
        if default is not None:
            return frame.call(library.next_or, item, default)
        taken = special(frame, item, "__next__")
        assert taken is not None
        return taken
    if isinstance(item, ListItem):
        if item.items:
            return item.items[0]
        item = as_list(frame, item)
    if not isinstance(item, IteratorItem):
        if not isinstance(type_of(item), ListType):
            raise CompileError(f"{item.describe()} is no iterator", "write iter(...) around it")
        first = Constant(0)
        if default is None:
            return frame.call(library.first_of, item)
        some = call_op(frame, "aten::gt", [call_op(frame, "aten::len", [item]), ZERO])
        return choose(frame, some, lambda: subscript(frame, item, first), lambda: default)
    values, place = item.values, item.place
    at = subscript(frame, place, ZERO)
    more = call_op(frame, "aten::lt", [at, call_op(frame, "aten::len", [values])])

    def take() -> Item:
        after = binary(frame, "+", at, Constant(1))
        call_op(frame, "aten::_set_item", [place, ZERO, after])
        return subscript(frame, values, at)

    if default is not None:
        return choose(frame, more, take, lambda: default)
    branch = frame.builder.if_(frame.value(more))
    with frame.builder.at(branch.blocks[1]):
        frame.builder.raise_exception("", "StopIteration")
    return take()
