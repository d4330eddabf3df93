"""Reading ``x[...]``."""

from __future__ import annotations

import enum
import operator
from typing import TYPE_CHECKING, Any

from torch import nn

from ingot.capture.script import numpy_values
from ingot.capture.script.diagnostics import CompileError, Retry
from ingot.capture.script.dispatch import each_choice, pick, pick_by_key
from ingot.capture.script.enums import member_named
from ingot.capture.script.indexing import read_index
from ingot.capture.script.items import type_of
from ingot.capture.script.iteration import module_items, require_known_element
from ingot.capture.script.language import NUMBER, SIZE, DefaultDictType, is_subtype, join
from ingot.capture.script.modules import part_of_sequential
from ingot.capture.script.objects import special
from ingot.capture.script.operations import call_op
from ingot.capture.script.operators import as_plain
from ingot.capture.script.readonly import readable
from ingot.capture.script.unions import each_member
from ingot.capture.script.values import (
    Constant,
    DictItem,
    Dynamic,
    Item,
    ListItem,
    ModuleItem,
    PickItem,
    PythonItem,
    RangeItem,
    ShapeItem,
    SliceItem,
    TupleItem,
)
from ingot.ir.types import (
    BOOL,
    INT,
    STR,
    DictType,
    ListType,
    NamedTupleType,
    TensorType,
    TupleType,
    Type,
)

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame


def subscript(frame: Frame, base: Item, index: Item) -> Item:
    """``base[index]``. Raises CompileError where Python or the types forbid it."""
    base = frame.present(base)
    written = special(frame, base, "__getitem__", index)
    if written is not None:
        return written
    if not isinstance(base, DictItem) and not isinstance(type_of(base), DictType):
        index = as_plain(frame, index)
    if isinstance(base, PythonItem):
        found = numpy_values.fold(frame, operator.getitem, base, index)
        if found is not None:
            return found
    match base:
        case TupleItem(items) | ListItem(items):
            return _static(frame, base, items, index)
        case DictItem(items):
            if isinstance(index, Constant):
                if index.value in items:
                    return items[index.value]
                raise CompileError(f"{base.describe()} has no key {index.value!r}")
            _ask_for_unrolling(frame, index)
            if type_of(base) is not None:
                return subscript(frame, readable(frame, base), index)
            if type_of(index) == STR and all(isinstance(key, str) for key in items):
                return pick_by_key(frame, base, items, index)
            raise CompileError(f"{base.describe()} needs a key that is known while compiling")
        case ModuleItem():
            return _module(frame, base, index)
        case PickItem():
            return _of_picked(frame, base, index)
        case RangeItem() if not isinstance(index, SliceItem):
            from ingot.capture.script.sequence_builtins import as_list

            return subscript(frame, as_list(frame, base), index)
        case ShapeItem(tensor) if type_of(index) == INT:
            return call_op(frame, "aten::size", [tensor, index])
        case PythonItem(object) if isinstance(object, enum.EnumMeta):
            return member_named(frame, object, index)
        case PythonItem(object):
            return _generic_alias(object, index)
    type = type_of(base)
    if isinstance(type, TensorType):
        return read_index(frame, base, index)
    if type in (SIZE, STR) or isinstance(type, ListType):
        assert type is not None
        return _sequence(frame, base, type, index)
    if isinstance(type, TupleType | NamedTupleType) and isinstance(base, Dynamic):
        parts = frame.builder.tuple_unpack(frame.value(base))
        items = tuple(frame.dynamic(v, t) for v, t in zip(parts, type.elements, strict=True))
        return _static(frame, base, items, index)
    if isinstance(type, DefaultDictType):
        _add_default(frame, base, type, index)
    if isinstance(type, DictType):
        key = type_of(index)
        if key is None or not is_subtype(key, type.key):
            raise CompileError(
                f"the keys of {base.describe()} are {type.key}, not {index.describe()}"
            )
        index = element(frame, type.key, index)
        require_known_element(frame, type)
        return call_op(frame, "aten::__getitem__", [base, index], type=type.value)
    found = each_member(frame, base, lambda each: subscript(frame, each, index))
    if found is not None:
        return found
    hint = "check it with `is not None` first" if "Optional" in base.describe() else ""
    raise CompileError(f"{base.describe()} cannot be indexed", hint)


def _of_picked(frame: Frame, base: PickItem, index: Item) -> Item:
    """An element of whichever list of modules was picked: one of their elements."""
    mark, before = frame.builder.mark(), frame.environment.copy()
    found = tuple(subscript(frame, one, index) for one in base.items)
    if all(type_of(each) is None for each in found):
        return PickItem(base.index, found, base.keys)
    frame.undo(mark, before)
    return each_choice(frame, base, lambda one: subscript(frame, one, index))


def _add_default(frame: Frame, base: Item, type: DefaultDictType, index: Item) -> None:
    """What a defaultdict does before a new key is read."""
    from ingot.capture.script.calls import call
    from ingot.capture.script.containers import store_element

    index = element(frame, type.key, index)
    missing = call_op(frame, "aten::__not__", [call_op(frame, "aten::__contains__", [base, index])])
    branch = frame.builder.if_(frame.value(missing))
    with frame.builder.at(branch.blocks[0]):
        assert isinstance(type.factory, Item)
        store_element(frame, base, type, index, call(frame, type.factory, [], {}))


def element(frame: Frame, type: Type, item: Item) -> Item:
    from ingot.capture.script.containers import element as as_element

    return as_element(frame, type, item)


def constant_slice(index: SliceItem) -> slice | None:
    """The slice if its bounds are known while compiling."""
    parts = (index.start, index.stop, index.step)
    if all(isinstance(p, Constant) for p in parts):
        return slice(*(p.value for p in parts))  # type: ignore[attr-defined]
    return None


def _static(frame: Frame, base: Item, items: tuple[Item, ...], index: Item) -> Item:
    if isinstance(index, SliceItem):
        bounds = constant_slice(index)
        if bounds is None:
            return _dynamic_slice(frame, base, items, index)
        return ListItem(items[bounds]) if isinstance(base, ListItem) else TupleItem(items[bounds])
    if isinstance(index, Constant) and isinstance(index.value, int):
        try:
            return items[index.value]
        except IndexError:
            raise CompileError(
                f"index {index.value} is out of range: there are {len(items)} elements"
            ) from None
    if type_of(index) != INT:
        raise CompileError(f"{base.describe()} cannot be indexed with {index.describe()}")
    _ask_for_unrolling(frame, index)
    together: Type | None = None
    for each in items:
        type = type_of(each)
        if type is not None:
            type = type if together is None else join(together, type)
        together = type
        if type is None and all(type_of(each) is None for each in items):
            return pick(frame, base, items, index)
        if type is None:
            raise CompileError(
                f"{base.describe()} needs an index that is known while compiling",
                "its elements have different types",
            )
    if together is None:
        raise CompileError("an empty tuple cannot be indexed")
    whole = ListItem(items)
    return call_op(frame, "aten::__getitem__", [readable(frame, whole), index], type=together)


def _dynamic_slice(frame: Frame, base: Item, items: tuple[Item, ...], index: SliceItem) -> Item:
    """A slice of a known list or tuple whose bounds are not known: a list."""
    for bound in (index.start, index.stop, index.step):
        _ask_for_unrolling(frame, bound)
    whole = ListItem(items)
    if type_of(whole) is None:
        raise CompileError(
            f"a slice of {base.describe()} needs bounds that are known while compiling"
        )
    return subscript(frame, readable(frame, whole), index)


def unroll_loops(frame: Frame) -> None:
    """Where something must be known while compiling: writes out a loop around, if one can be."""
    for loop in frame.unrollable:
        raise Retry(loop)


def _ask_for_unrolling(frame: Frame, index: Item) -> None:
    if isinstance(index, Dynamic) and index.index_of in frame.unrollable:
        raise Retry(index.index_of)


def _module(frame: Frame, base: ModuleItem, index: Item) -> Item:
    module = base.module
    if isinstance(module, nn.ModuleDict | nn.ParameterDict):
        return _keyed(frame, base, index)
    items = module_items(frame, base)
    if isinstance(index, SliceItem):
        bounds = constant_slice(index)
        if bounds is None:
            raise CompileError(
                f"a slice of {base.describe()} needs bounds that are known while compiling"
            )
        if isinstance(module, nn.Sequential):
            return part_of_sequential(frame, base, bounds)
        return ListItem(items[bounds])
    if isinstance(index, Constant) and isinstance(index.value, int):
        try:
            return items[index.value]
        except IndexError:
            raise CompileError(
                f"{base.describe()} has {len(items)} elements and no element {index.value}"
            ) from None
    if isinstance(type_of(index), TensorType):
        index = call_op(frame, "aten::Int", [index])
    if type_of(index) != INT:
        raise CompileError(f"{base.describe()} cannot be indexed with {index.describe()}")
    return _chosen(frame, base, items, index)


def _chosen(frame: Frame, base: Item, items: tuple[Item, ...], index: Item) -> Item:
    """An element by a number of the program: a loop over a known range is written out instead."""
    _ask_for_unrolling(frame, index)
    if items and all(type_of(each) is not None for each in items):
        return _static(frame, ListItem(items), items, index)
    return pick(frame, base, items, index)


def _keyed(frame: Frame, base: ModuleItem, index: Item) -> Item:
    from ingot.capture.script.module_methods import entries

    found = entries(frame, base)
    if isinstance(index, Constant):
        if index.value in found:
            return found[index.value]
        raise CompileError(f"{base.describe()} has no key {index.describe()}")
    if type_of(index) != STR:
        raise CompileError(f"{base.describe()} has no key {index.describe()}")
    return pick_by_key(frame, base, found, index)


def _sequence(frame: Frame, base: Item, type: Type, index: Item) -> Item:
    sequence = frame.dynamic(frame.value(base), type)
    if isinstance(index, SliceItem):
        op = "aten::slice.str" if type == STR else "aten::slice.t"
        step = Constant(1) if index.step == Constant(None) else index.step
        bounds = [frame.value(index.start), frame.value(index.stop), frame.value(step)]
        value = frame.builder.op(op, sequence.value, *bounds)
        return frame.dynamic(value, type)  # type: ignore[arg-type]
    require_known_element(frame, type)
    if type_of(index) not in (INT, BOOL, NUMBER) and not isinstance(type_of(index), TensorType):
        raise CompileError(
            f"the index of {base.describe()} must be an int, not {index.describe()}",
            "check it with `is not None` first" if "Optional" in index.describe() else "",
        )
    element = type.element if isinstance(type, ListType) else STR if type == STR else INT
    return call_op(frame, "aten::__getitem__", [sequence, index], type=element)


def _generic_alias(object: Any, index: Item) -> Item:
    """``List[int]`` written inside an expression."""

    def plain(item: Item) -> Any:
        match item:
            case PythonItem(inner):
                return inner
            case Constant(value):
                return value
            case TupleItem(items):
                return tuple(map(plain, items))
        raise CompileError(f"{item.describe()} is no type")

    try:
        return PythonItem(object[plain(index)])
    except (TypeError, KeyError):
        raise CompileError(f"{PythonItem(object).describe()} cannot be indexed") from None
