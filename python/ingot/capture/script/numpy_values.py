"""NumPy in compiled code: what is known while compiling is computed then.

An array is a ``PythonItem`` until a function of torch makes a tensor of it; NumPy's functions
of a number that only the program knows are those of ``math``.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy
import torch

from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.items import type_of
from ingot.capture.script.language import SIZE
from ingot.capture.script.operations import call_op
from ingot.capture.script.values import (
    Constant,
    Dynamic,
    Item,
    ListItem,
    PythonItem,
    RangeItem,
    SliceItem,
    TupleItem,
    is_constant_object,
)
from ingot.capture.script.wrapping import wrap
from ingot.ir.types import BOOL, FLOAT, INT, ListType

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame

_MOST_ELEMENTS = 1 << 22
"""An array with more is no constant that a program should carry."""


def is_numpy(object: Any) -> bool:
    """Whether it is one of NumPy's functions or classes, or a method of an array."""
    if isinstance(object, numpy.ufunc):
        return True
    bound = isinstance(object, types.BuiltinMethodType | types.MethodWrapperType)
    if bound and isinstance(object.__self__, numpy.ndarray | numpy.generic):
        return True
    return str(getattr(object, "__module__", None) or "").partition(".")[0] == "numpy"


def call_numpy(frame: Frame, object: Any, args: list[Item], kwargs: dict[str, Item]) -> Item:
    """A call of one of NumPy's functions. Raises CompileError where tensors would be arrays."""
    name = getattr(object, "__name__", str(object))
    if str(getattr(object, "__module__", "")).startswith("numpy.random"):
        raise CompileError(f"numpy's {name} is random and cannot be compiled", "use torch's")
    try:
        values = [_known(frame, each) for each in args]
        named = {key: _known(frame, each) for key, each in kwargs.items()}
    except _NotKnown as unknown:
        plain = _OF_NUMBERS.get(object)
        if plain is not None and not kwargs and all(type_of(a) in _NUMBERS for a in args):
            from ingot.capture.script.calls import call_object

            result = call_object(frame, plain, args, {})
            if type_of(result) == INT:
                result = call_op(frame, "aten::Float", [result])
            if isinstance(result, Dynamic):
                result.of_numpy = True
            return result
        if object is numpy.arange and not kwargs and args and all(type_of(a) == INT for a in args):
            from ingot.capture.script.calls import call_object

            return call_object(frame, range, args, {})
        of_ints = not kwargs and len(args) == 1 and _has_ints(args[0])
        if of_ints and object in (numpy.array, numpy.asarray):
            return ArrayItem(args[0])
        args = [each.numbers if isinstance(each, ArrayItem) else each for each in args]
        of_list = _OF_INTS.get(object)
        if of_list is not None and not kwargs and len(args) == 1 and _has_ints(args[0]):
            from ingot.capture.script.calls import call_object

            result = call_object(frame, of_list, args, {})
            if isinstance(result, Dynamic):
                result.of_numpy = True
            return result
        hint = f"use torch.{name}" if hasattr(torch, name) else "use tensor operations"
        raise CompileError(
            f"numpy's {name} needs arguments that are known while compiling, not {unknown}", hint
        ) from None
    try:
        result = object(*values, **named)
    except Exception as error:
        raise CompileError(f"this raises {type(error).__name__}: {error}") from None
    return of_numpy(frame, result)


def of_numpy(frame: Frame, value: Any) -> Item:
    """What NumPy gave, as an item."""
    if isinstance(value, numpy.generic) and is_constant_object(value.item()):
        return NumpyConstant(value.item())
    if isinstance(value, tuple | list):
        parts = tuple(of_numpy(frame, each) for each in value)
        return TupleItem(parts) if isinstance(value, tuple) else ListItem(parts)
    if isinstance(value, numpy.ndarray):
        if value.size > _MOST_ELEMENTS or value.dtype.hasobject:
            raise CompileError("this array of numpy cannot be a constant of the program")
        frame.compiler.keep_alive(value)
        return PythonItem(value)
    return wrap(frame, value, "array")


@dataclass(frozen=True, eq=False)
class ArrayItem(Item):
    """An array of ints that the program computes, for NumPy's functions and ``torch.tensor``."""

    numbers: Item

    def describe(self) -> str:
        return "an array of numbers that are known only at run time"


def tensor_of(frame: Frame, item: Item) -> Item:
    """An array as a tensor; other items as they are."""
    if isinstance(item, ArrayItem):
        return call_op(
            frame, "aten::tensor", [frame.dynamic(frame.value(item.numbers, _INTS), _INTS)]
        )
    if not isinstance(item, PythonItem) or not isinstance(item.object, numpy.ndarray):
        return item
    try:
        tensor = torch.from_numpy(item.object.copy())
    except TypeError as error:
        raise CompileError(str(error)) from None
    return call_op(frame, "aten::clone", [wrap(frame, tensor, "array")])


def fold(frame: Frame, function: Callable[..., Any], *items: Item) -> Item | None:
    """``a + b``, ``-a``, ``a[i]`` of arrays that are known; None if no array is among them."""
    arrays = [i for i in items if isinstance(i, PythonItem) and isinstance(i.object, numpy.ndarray)]
    if not arrays:
        return None
    try:
        return of_numpy(frame, function(*(_known(frame, each) for each in items)))
    except _NotKnown:
        return None
    except Exception as error:
        raise CompileError(f"this raises {type(error).__name__}: {error}") from None


def read_only(value: Any) -> Any:
    """An array that compiling cannot change; other objects as they are."""
    if not isinstance(value, numpy.ndarray):
        return value
    view = value.view()
    view.flags.writeable = False
    return view


class _NotKnown(Exception):
    """The item is a value of the program."""


def _known(frame: Frame, item: Item) -> Any:
    """The Python object of an item that is known while compiling. Raises _NotKnown."""
    match item:
        case Constant(value):
            return value
        case PythonItem(value):
            return read_only(value)
        case TupleItem(items, None):
            return tuple(_known(frame, each) for each in items)
        case RangeItem(start, stop, step):
            return range(*(_known(frame, each) for each in (start, stop, step)))
        case ListItem(items):
            return [_known(frame, each) for each in items]
        case SliceItem(start, stop, step):
            return slice(*(_known(frame, each) for each in (start, stop, step)))
        case Dynamic(value):
            found = frame.builder.literal_list(value)
            if found is not None:
                return found
    raise _NotKnown(item.describe())


_INTS = ListType(INT)
_NUMBERS = (INT, FLOAT, BOOL)

_OF_NUMBERS: dict[Any, Callable[..., Any]] = {
    getattr(numpy, name): getattr(math, name)
    for name in ("sqrt", "exp", "log", "log2", "log10", "sin", "cos", "tan", "tanh", "floor",
                 "ceil", "fabs")
}  # fmt: skip
"""They give floats; where NumPy gives a NaN or an infinity, these raise."""


_OF_INTS: dict[Any, Callable[..., Any]] = {
    numpy.prod: math.prod, numpy.sum: sum, numpy.max: max, numpy.min: min,
}  # fmt: skip
"""What NumPy's functions of an array are for a size or a list of ints."""


def _has_ints(item: Item) -> bool:
    type = type_of(item)
    if isinstance(item, TupleItem):
        return bool(item.items) and all(type_of(each) == INT for each in item.items)
    return type in (SIZE, ListType(INT))


@dataclass(frozen=True, eq=False)
class NumpyConstant(Constant):
    """One of NumPy's numbers, which has methods that Python's have not."""


def number_method(frame: Frame, item: Item, name: str) -> Item | None:
    """A method of one of NumPy's numbers."""

    def convert(frame: Frame, dtype: Item) -> Item:
        wanted = dtype.object if isinstance(dtype, PythonItem) else getattr(dtype, "value", None)
        try:
            kind = numpy.dtype(wanted).kind
        except TypeError:
            raise CompileError(f"{dtype.describe()} is no dtype of numpy") from None
        if kind not in _KINDS:
            raise CompileError(f"{item.describe()} cannot become {dtype.describe()}")
        if isinstance(item, Constant):
            return NumpyConstant({"i": int, "f": float, "b": bool}[kind](item.value))
        number = call_op(frame, _KINDS[kind], [item])
        assert isinstance(number, Dynamic)
        number.of_numpy = True
        return number

    def itself(frame: Frame) -> Item:
        if isinstance(item, Dynamic):
            return frame.dynamic(item.value, item.type)
        return Constant(item.value) if isinstance(item, Constant) else item

    methods: dict[str, Callable[..., Item]] = {"astype": convert, "item": itself, "tolist": itself}
    apply = methods.get(name)
    return None if apply is None else PythonItem(Compiled(apply))


class Compiled:
    """Something that is called while compiling."""

    def __init__(self, apply: Callable[..., Item]) -> None:
        self.compile = apply


_KINDS = {"i": "aten::Int", "f": "aten::Float", "b": "aten::Bool"}
