"""Python's builtin functions."""

from __future__ import annotations

import collections
import copy
import dataclasses
import enum
import functools
import itertools
from collections.abc import Callable, Sized
from types import NoneType
from typing import TYPE_CHECKING, Any, cast

import torch

from ingot.capture.script import library
from ingot.capture.script.complex_builtins import CMATH_BUILTINS
from ingot.capture.script.containers import store_element
from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.exceptions import exception_classes, is_one_of
from ingot.capture.script.expressions import join_elements, make_dict, make_list
from ingot.capture.script.hashing import hash_of
from ingot.capture.script.items import type_of
from ingot.capture.script.iteration import turns_of
from ingot.capture.script.itertools_functions import ITERTOOLS
from ingot.capture.script.language import (
    NUMBER,
    SIZE,
    DefaultDictType,
    Hole,
    SetType,
    lower,
    settle,
)
from ingot.capture.script.list_lengths import elements_of
from ingot.capture.script.number_builtins import NUMBER_BUILTINS
from ingot.capture.script.objects import (
    as_tuple,
    class_of,
    copy_object,
    object_members,
    replace,
    special,
)
from ingot.capture.script.operations import call_op
from ingot.capture.script.operators import binary
from ingot.capture.script.sequence_builtins import (
    all_any,
    as_list,
    extreme,
    filter_elements,
    iterator,
    map_elements,
    next_element,
    reduced,
    sorted_list,
    total,
)
from ingot.capture.script.sets import set_of
from ingot.capture.script.strings import as_repr, as_string, concatenate, format_one
from ingot.capture.script.subscripts import unroll_loops
from ingot.capture.script.truth import truth
from ingot.capture.script.unions import each_member
from ingot.capture.script.values import (
    EMPTY,
    FALSE,
    NOTHING,
    TRUE,
    ZERO,
    CaughtClassItem,
    CaughtItem,
    Constant,
    DictItem,
    EnumerateItem,
    ExceptionItem,
    InstanceItem,
    Item,
    ListItem,
    LocalFunction,
    MethodItem,
    ModuleItem,
    PartialItem,
    PythonItem,
    RangeItem,
    ReversedItem,
    ShapeItem,
    SliceItem,
    TupleItem,
    ZipItem,
)
from ingot.ir.types import (
    BOOL,
    COMPLEX,
    FLOAT,
    INT,
    NONE,
    STR,
    TENSOR,
    DictType,
    ListType,
    NamedTupleType,
    TensorType,
    TupleType,
)

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame


def _len(frame: Frame, item: Item) -> Item:
    item = frame.present(item)
    written = special(frame, item, "__len__")
    if written is not None:
        return written
    match item:
        case TupleItem(items) | ListItem(items):
            return Constant(len(items))
        case DictItem(items):
            return Constant(len(items))
        case PythonItem(object) if isinstance(object, enum.EnumMeta):
            return Constant(len(object))
        case ModuleItem(module) if hasattr(module, "__len__"):
            return Constant(len(cast(Sized, module)))
        case Constant(str(text)):
            return Constant(len(text))
        case ShapeItem(tensor):
            return call_op(frame, "aten::dim", [tensor])
        case RangeItem():
            count = turns_of(frame, item).count
            if isinstance(count, Constant):
                return Constant(max(count.value, 0))
            return call_op(frame, "prim::max", [count, ZERO])
    type = type_of(item)
    if isinstance(type, TupleType | NamedTupleType):
        return Constant(len(type.elements))
    if frame.assume_empty(type):
        return ZERO
    if isinstance(type, ListType | DictType | SetType | TensorType) or type in (STR, SIZE):
        return call_op(frame, "aten::len", [item])
    found = each_member(frame, item, lambda each: _len(frame, each))
    if found is not None:
        return found
    raise CompileError(f"{item.describe()} has no len()")


def as_int(frame: Frame, item: Item) -> Item:
    """The number of ``x.item()`` as an int, which is checked, or that of a tensor; other items as
    they are."""
    if isinstance(type_of(item), TensorType):
        return call_op(frame, "aten::Int", [item])
    return frame.dynamic(frame.value(item, INT)) if type_of(item) == NUMBER else item


def _range(frame: Frame, *args: Item) -> Item:
    args = tuple(as_int(frame, each) for each in args)
    for each in args:
        if type_of(each) not in (INT, BOOL):
            raise CompileError(f"range takes ints, not {each.describe()}", "convert with int(...)")
    match args:
        case (stop,):
            return RangeItem(Constant(0), stop, Constant(1))
        case (start, stop):
            return RangeItem(start, stop, Constant(1))
        case (start, stop, step):
            return RangeItem(start, stop, step)
    raise CompileError("range takes one to three ints")


def _enumerate(frame: Frame, item: Item, start: Item = ZERO) -> Item:
    return EnumerateItem(item, start)


def _zip(frame: Frame, *items: Item, strict: Item = FALSE) -> Item:
    if strict == TRUE:
        counts = [_len(frame, each) for each in items]
        for each in counts[1:]:
            _assert_same_length(frame, counts[0], each)
    return ZipItem(items)


def _assert_same_length(frame: Frame, a: Item, b: Item) -> None:
    same = binary(frame, "-", a, b)
    branch = frame.builder.if_(frame.value(truth(frame, same)))
    with frame.builder.at(branch.blocks[0]):
        frame.builder.raise_exception("zip() arguments have different lengths", "ValueError")


def _repeat(frame: Frame, item: Item, times: Item) -> Item:
    """``itertools.repeat(x, n)``."""
    if isinstance(times, Constant):
        return TupleItem((item,) * times.value)
    raise CompileError("repeat needs a number that is known while compiling")


def _reversed(frame: Frame, item: Item) -> Item:
    if isinstance(type_of(item), TensorType):
        return call_op(frame, "aten::flip", [item, TupleItem((ZERO,))])
    return ReversedItem(item)


def _bool(frame: Frame, item: Item = FALSE) -> Item:
    return truth(frame, item)


def _slice(frame: Frame, *bounds: Item) -> Item:
    if len(bounds) == 1:
        return SliceItem(NOTHING, bounds[0], NOTHING)
    if len(bounds) in (2, 3):
        return SliceItem(bounds[0], bounds[1], bounds[2] if len(bounds) == 3 else NOTHING)
    raise CompileError("slice takes one to three arguments")


def _str(frame: Frame, item: Item = EMPTY) -> Item:
    return as_string(frame, item)


def _repr(frame: Frame, item: Item) -> Item:
    return as_repr(frame, item)


def _copied(frame: Frame, item: Item) -> Item:
    """``copy.copy``."""
    members = object_members(type_of(item))
    type = type_of(item)
    if isinstance(type, TensorType):
        return item
    if isinstance(type, ListType):
        return as_list(frame, item)
    if isinstance(type, DictType | SetType):
        return call_op(frame, "aten::copy", [item], type=type)
    if len(members) != 1 or isinstance(item, InstanceItem):
        raise CompileError(f"copy of {item.describe()} cannot be compiled")
    return copy_object(frame, item)


def _copied_deeply(frame: Frame, item: Item) -> Item:
    """``copy.deepcopy`` of what has no parts that could be one object."""
    type = type_of(item)
    if isinstance(type, TensorType):
        return call_op(frame, "aten::clone", [item])
    if isinstance(item, Constant) or type in _PLAIN:
        return item
    if isinstance(type, ListType) and type.element in _PLAIN:
        return as_list(frame, item)
    raise CompileError(f"deepcopy of {item.describe()} cannot be compiled")


_PLAIN = (BOOL, INT, FLOAT, COMPLEX, STR)


_SPACE, _NEW_LINE = Constant(" "), Constant("\n")


def print_all(frame: Frame, items: list[Item], lists: list[int], kwargs: dict[str, Item]) -> Item:
    """``print(a, *b)``: the items, of which those at ``lists`` are spread out by the program."""
    texts = [
        frame.call(library.texts_of, each)
        if place in lists
        else make_list(frame, [as_string(frame, each)])
        for place, each in enumerate(items)
    ]
    joined = join_elements(frame, texts, list(range(len(texts))))
    separator = kwargs.get("sep", NOTHING)
    separator = _SPACE if separator == NOTHING else separator
    line = call_op(frame, "aten::join", [separator, joined])
    return _print(frame, line, **{name: each for name, each in kwargs.items() if name != "sep"})


def _print(
    frame: Frame,
    *items: Item,
    sep: Item = _SPACE,
    end: Item = _NEW_LINE,
    flush: Item = FALSE,
) -> Item:
    sep, end = (_SPACE if sep == NOTHING else sep), (_NEW_LINE if end == NOTHING else end)
    parts: list[Item] = []
    for i, each in enumerate(items):
        parts += [sep] * bool(i)
        parts.append(as_string(frame, each))
    if end == _NEW_LINE:
        call_op(frame, "prim::Print", [concatenate(frame, parts)])
    else:
        call_op(frame, "prim::Write", [concatenate(frame, [*parts, end])])
    return NOTHING


def _set(frame: Frame, item: Item | None = None) -> Item:
    return set_of(frame, item)


_NO_ITEMS = TupleItem(())


def _tuple(frame: Frame, item: Item = _NO_ITEMS) -> Item:
    match item:
        case TupleItem(items) | ListItem(items):
            return TupleItem(items)
        case ModuleItem() | DictItem() | RangeItem() | ZipItem() | EnumerateItem() | ReversedItem():
            turns = turns_of(frame, item)
            if turns.items is not None:
                return TupleItem(tuple(turns.items))
        case ShapeItem():
            return item
    counted = elements_of(frame, item)
    if counted is not None:
        return TupleItem(tuple(counted))
    return item if type_of(item) == SIZE else as_list(frame, item)


def _dict(frame: Frame, *args: Item, **kwargs: Item) -> Item:
    pairs: list[tuple[Item, Item]] = [(Constant(k), v) for k, v in kwargs.items()]
    if not args:
        return make_dict(frame, pairs)
    (item,) = args
    if isinstance(item, DictItem):
        return make_dict(frame, [(Constant(k), v) for k, v in item.items.items()] + pairs)
    type = type_of(item)
    if isinstance(type, ListType | DictType) and frame.assume_empty(type):
        return make_dict(frame, pairs)
    if isinstance(type, DictType):
        made = call_op(frame, "aten::copy", [item], type=DictType(type.key, type.value))
    else:
        made = frame.call(library.dict_of_pairs, item)
    for key, value in pairs:
        store_element(frame, made, type_of(made), key, value)  # type: ignore[arg-type]
    return made


def _partial(frame: Frame, function: Item, *args: Item, **kwargs: Item) -> Item:
    return PartialItem((function, *args, *kwargs.values()), tuple(kwargs))


def _from_keys(frame: Frame, keys: Item, value: Item = NOTHING) -> Item:
    return frame.call(library.dict_of_keys, keys, value)


def _formatted(frame: Frame, item: Item, spec: Item = EMPTY) -> Item:
    return format_one(frame, item, spec)


def _default_dict(frame: Frame, factory: Item = NOTHING, *args: Item) -> Item:
    """``defaultdict(factory)``: what a new key gets decides the type of the values."""
    from ingot.capture.script.calls import call

    if factory == NOTHING:
        return _dict(frame, *args)
    mark = frame.builder.mark()
    value = type_of(call(frame, factory, [], {}))
    frame.builder.rewind(mark)
    if value is None:
        raise CompileError(f"{factory.describe()} gives no value that a dict can hold")
    if args:
        made = _dict(frame, *args)
        type = type_of(made)
        assert isinstance(type, DictType)
        return frame.dynamic(frame.value(made), DefaultDictType(type.key, type.value, factory))
    key = Hole()
    empty = frame.builder.dict_construct([], lower(key), lower(value))
    return frame.dynamic(empty, DefaultDictType(key, value, factory))


def _hasattr(frame: Frame, item: Item, name: Item) -> Item:
    from ingot.capture.script.attributes import attribute

    if not isinstance(name, Constant):
        unroll_loops(frame)
    if isinstance(item, ModuleItem) and (item.path, _text(name)) in frame.compiler.knowledge.late:
        raise CompileError(
            f"whether {item.describe()} has {_text(name)} depends on what ran before",
            f"set self.{_text(name)} = None in __init__ and compare with None",
        )
    mark, before = frame.builder.mark(), frame.environment.copy()
    try:
        attribute(frame, item, _text(name))
        return Constant(True)
    except CompileError:
        return Constant(False)
    finally:
        frame.undo(mark, before)


def _getattr(frame: Frame, item: Item, name: Item, default: Item | None = None) -> Item:
    from ingot.capture.script.attributes import attribute

    if not isinstance(name, Constant):
        unroll_loops(frame)
    if default is not None and _hasattr(frame, item, name) == Constant(False):
        return default
    return attribute(frame, item, _text(name))


def _setattr(frame: Frame, item: Item, name: Item, value: Item) -> Item:
    from ingot.capture.script.modules import set_attribute

    set_attribute(frame, item, _text(name), value)
    return NOTHING


def _text(item: Item) -> str:
    if isinstance(item, Constant) and isinstance(item.value, str):
        return item.value
    raise CompileError("the name of an attribute must be known while compiling")


def _callable(frame: Frame, item: Item) -> Item:
    if isinstance(item, PythonItem):
        return Constant(callable(item.object))
    return Constant(isinstance(item, ModuleItem | MethodItem | LocalFunction))


def _type(frame: Frame, item: Item) -> Item:
    if isinstance(item, ModuleItem):
        return PythonItem(item.module.__class__)
    cls = class_of(frame, item)
    if cls is not None:
        return PythonItem(cls)
    classes = {TENSOR: torch.Tensor, INT: int, FLOAT: float, BOOL: bool, STR: str,
               COMPLEX: complex, NONE: NoneType}  # fmt: skip
    if isinstance(item, CaughtItem):
        return CaughtClassItem(item)
    if isinstance(item, ExceptionItem):
        return PythonItem(item.cls)
    type = settle(type_of(item) or NUMBER)
    found = classes.get(type)
    if found is None:
        kinds = {ListType: list, DictType: dict, TupleType: tuple, SetType: set}
        found = kinds.get(type.__class__)
    if found is None:
        raise CompileError(f"type() of {item.describe()} is not known", "use isinstance")
    return PythonItem(found)


def _issubclass(frame: Frame, a: Item, b: Item) -> Item:
    if isinstance(a, CaughtClassItem):
        return is_one_of(frame, a.caught, exception_classes(b))
    if isinstance(a, PythonItem) and isinstance(b, PythonItem):
        return Constant(issubclass(a.object, b.object))
    raise CompileError("issubclass takes classes")


BUILTINS: dict[Any, Callable[..., Item]] = {
    **NUMBER_BUILTINS,
    **CMATH_BUILTINS,
    **ITERTOOLS,
    len: _len,
    range: _range,
    enumerate: _enumerate,
    zip: _zip,
    reversed: _reversed,
    slice: _slice,
    itertools.repeat: _repeat,
    bool: _bool,
    str: _str,
    repr: _repr,
    min: extreme("prim::min", min),
    max: extreme("prim::max", max),
    sum: total,
    all: all_any("all", "&"),
    any: all_any("any", "|"),
    map: map_elements,
    filter: filter_elements,
    functools.reduce: reduced,
    functools.partial: _partial,
    iter: iterator,
    next: next_element,
    sorted: sorted_list,
    hash: hash_of,
    copy.copy: _copied,
    format: _formatted,
    dict.fromkeys: _from_keys,
    copy.deepcopy: _copied_deeply,
    dataclasses.replace: replace,
    dataclasses.astuple: as_tuple,
    print: _print,
    list: as_list,
    tuple: _tuple,
    torch.Size: _tuple,
    dict: _dict,
    collections.OrderedDict: _dict,
    collections.defaultdict: _default_dict,
    set: _set,
    frozenset: _set,
    hasattr: _hasattr,
    getattr: _getattr,
    setattr: _setattr,
    callable: _callable,
    type: _type,
    issubclass: _issubclass,
}
