"""Reading ``x[...]``."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

from torch import nn

from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.enums import member_named
from ingot.capture.script.indexing import read_index
from ingot.capture.script.items import type_of
from ingot.capture.script.iteration import module_items, require_known_element
from ingot.capture.script.language import SIZE, join, lower
from ingot.capture.script.objects import special
from ingot.capture.script.operations import call_op
from ingot.capture.script.operators import as_plain
from ingot.capture.script.values import (
    Constant,
    DictItem,
    Dynamic,
    Item,
    ListItem,
    ModuleItem,
    PythonItem,
    ShapeItem,
    SliceItem,
    TupleItem,
)
from ingot.ir.types import (
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
    written = special(frame, base, "__getitem__", index)
    if written is not None:
        return written
    if not isinstance(base, DictItem) and not isinstance(type_of(base), DictType):
        index = as_plain(frame, index)
    match base:
        case TupleItem(items) | ListItem(items):
            return _static(frame, base, items, index)
        case DictItem(items):
            if isinstance(index, Constant):
                if index.value in items:
                    return items[index.value]
                raise CompileError(f"{base.describe()} has no key {index.value!r}")
            raise CompileError(f"{base.describe()} needs a key that is known while compiling")
        case ModuleItem():
            return _module(frame, base, index)
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
    if isinstance(type, DictType):
        return call_op(frame, "aten::__getitem__", [base, index], type=type.value)
    hint = "check it with `is not None` first" if "Optional" in base.describe() else ""
    raise CompileError(f"{base.describe()} cannot be indexed", hint)


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
            raise CompileError(
                f"a slice of {base.describe()} needs bounds that are known while compiling"
            )
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
        if type is None:
            raise CompileError(
                f"{base.describe()} needs an index that is known while compiling",
                "its elements have different types",
            )
    if together is None:
        raise CompileError("an empty tuple cannot be indexed")
    values = [frame.value(each, together) for each in items]
    whole = frame.builder.list_construct(values, lower(together))
    sequence = frame.dynamic(whole, ListType(together))
    return call_op(frame, "aten::__getitem__", [sequence, index], type=together)


def _ask_for_unrolling(frame: Frame, index: Item) -> None:
    from ingot.capture.script.loops import NeedsUnrolling

    if isinstance(index, Dynamic) and index.index_of in frame.unrollable:
        raise NeedsUnrolling(index.index_of)


def _module(frame: Frame, base: ModuleItem, index: Item) -> Item:
    module = base.module
    if isinstance(module, nn.ModuleDict):
        from ingot.capture.script.modules import child

        if isinstance(index, Constant) and index.value in module:
            return child(frame, base, index.value)
        raise CompileError(f"{base.describe()} has no key {index.describe()}")
    items = module_items(frame, base)
    if isinstance(index, SliceItem):
        bounds = constant_slice(index)
        if bounds is None:
            raise CompileError(
                f"a slice of {base.describe()} needs bounds that are known while compiling"
            )
        return ListItem(items[bounds])
    if isinstance(index, Constant) and isinstance(index.value, int):
        try:
            return items[index.value]
        except IndexError:
            raise CompileError(
                f"{base.describe()} has {len(items)} elements and no element {index.value}"
            ) from None
    _ask_for_unrolling(frame, index)
    raise CompileError(
        f"{base.describe()} needs an index that is known while compiling",
        "loop over the modules and compare the number",
    )


def _sequence(frame: Frame, base: Item, type: Type, index: Item) -> Item:
    sequence = frame.dynamic(frame.value(base), type)
    if isinstance(index, SliceItem):
        op = "aten::slice.str" if type == STR else "aten::slice.t"
        step = Constant(1) if index.step == Constant(None) else index.step
        bounds = [frame.value(index.start), frame.value(index.stop), frame.value(step)]
        value = frame.builder.op(op, sequence.value, *bounds)
        return frame.dynamic(value, type)  # type: ignore[arg-type]
    require_known_element(type)
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
