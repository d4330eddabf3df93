"""What Python's ``if x`` means for each type."""

from __future__ import annotations

from collections.abc import Sized
from typing import TYPE_CHECKING, cast

from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.flow import Junction
from ingot.capture.script.items import type_of
from ingot.capture.script.language import (
    NUMBER,
    SIZE,
    EnumType,
    SetType,
    lower,
    may_be_none,
    without_none,
)
from ingot.capture.script.objects import dispatch, object_members, special
from ingot.capture.script.operators import as_plain, is_number_union
from ingot.capture.script.unions import each_member
from ingot.capture.script.values import (
    FALSE,
    TRUE,
    CaughtClassItem,
    CaughtItem,
    Constant,
    DictItem,
    Dynamic,
    ExceptionItem,
    Item,
    ListItem,
    LocalFunction,
    MethodItem,
    ModuleItem,
    PythonItem,
    TupleItem,
)
from ingot.ir.types import BOOL, COMPLEX, FLOAT, INT, STR, DictType, ListType, TensorType

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame

_CONVERSIONS = {INT: "aten::Bool.int", FLOAT: "aten::Bool.float"}


def _object_truth(frame: Frame, item: Item) -> Item:
    """``__bool__``, or else ``__len__`` is not 0, or else always."""
    if len(object_members(type_of(item))) > 1:
        return dispatch(frame, item, lambda each: truth(frame, each))
    for name in ("__bool__", "__len__"):
        result = special(frame, item, name)
        if result is not None:
            wanted = BOOL if name == "__bool__" else INT
            if type_of(result) not in (wanted, NUMBER):
                raise CompileError(
                    f"{name} of {item.describe()} gives {result.describe()}, not {wanted}",
                    f"return {wanted}({'...' if wanted == BOOL else 'len'})",
                )
            return truth(frame, result)
    return TRUE


def truth(frame: Frame, item: Item) -> Item:
    """The item as a bool. Raises CompileError if it has no truth value."""
    item = frame.force(item)
    match item:
        case Constant(value):
            return Constant(bool(value))
        case TupleItem(items) | ListItem(items):
            return Constant(bool(items))
        case DictItem(items):
            return Constant(bool(items))
        case ModuleItem(module):
            return Constant(bool(len(cast(Sized, module))) if hasattr(module, "__len__") else True)
        case PythonItem(object):
            return Constant(bool(object))
        case MethodItem() | CaughtItem() | CaughtClassItem() | ExceptionItem():
            return TRUE
        case LocalFunction():
            return Constant(True)
    type = type_of(item)
    if object_members(type):
        return _object_truth(frame, item)
    if isinstance(type, EnumType):
        plain = as_plain(frame, item)
        return TRUE if plain is item else truth(frame, plain)
    if type is None:
        raise CompileError(f"{item.describe()} cannot be used as a condition")
    if type == BOOL:
        return item
    if frame.assume_empty(type):
        return FALSE
    value = frame.value(item)
    builder = frame.builder
    if type in _CONVERSIONS:
        return frame.dynamic(builder.op(_CONVERSIONS[type], value))  # type: ignore[arg-type]
    if isinstance(type, TensorType):
        return frame.dynamic(builder.op("aten::Bool.Tensor", value))  # type: ignore[arg-type]
    if type == COMPLEX:
        return frame.dynamic(builder.op("aten::ne.complex", value, 0j))  # type: ignore[arg-type]
    if isinstance(type, ListType | DictType | SetType) or type in (STR, SIZE):
        length = builder.call("aten::len", [value])
        return frame.dynamic(builder.op("aten::gt.int", length, 0))  # type: ignore[arg-type]
    if is_number_union(type):
        return frame.dynamic(builder.op("aten::ne", value, 0))  # type: ignore[arg-type]
    if may_be_none(type):
        inner = without_none(type)
        present = builder.op("aten::__isnot__", value, None)
        branch = builder.if_(present)
        with builder.at(branch.blocks[0]):
            narrow = Dynamic(builder.cast(value, lower(inner)), inner)
            known = truth(frame, narrow)
        junction = Junction(frame, branch, 0)
        result = junction.join_items(known, FALSE, "condition")
        junction.finish()
        return result
    found = each_member(frame, item, lambda each: truth(frame, each))
    if found is not None:
        return found
    raise CompileError(
        f"{item.describe()} cannot be used as a condition", "compare it with something"
    )
