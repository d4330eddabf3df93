"""Reading ``x.name``."""

from __future__ import annotations

import difflib
import enum
import inspect
import types
from typing import TYPE_CHECKING, Any

import numpy
import torch

from ingot.capture.script.autograd_functions import Context, read_context
from ingot.capture.script.diagnostics import Absent, CompileError
from ingot.capture.script.dispatch import each_choice
from ingot.capture.script.enums import member_attribute
from ingot.capture.script.items import type_of
from ingot.capture.script.language import DEVICE, DTYPE, GENERATOR, EnumType, may_be_none
from ingot.capture.script.modules import module_attribute
from ingot.capture.script.numpy_values import NumpyConstant, number_method, of_numpy, read_only
from ingot.capture.script.objects import (
    class_member,
    class_of,
    object_attribute,
    object_members,
    read_property,
)
from ingot.capture.script.operations import call_op
from ingot.capture.script.operators import as_number
from ingot.capture.script.own_exceptions import BaseInit
from ingot.capture.script.unions import each_member, union_members
from ingot.capture.script.values import (
    FALSE,
    NOTHING,
    AwaitItem,
    CaughtClassItem,
    CaughtItem,
    Constant,
    DictItem,
    Dynamic,
    ExceptionItem,
    InstanceItem,
    Item,
    LimitsItem,
    ListItem,
    MethodItem,
    ModuleItem,
    PickItem,
    PythonItem,
    ShapeItem,
    SuperItem,
    TupleItem,
)
from ingot.capture.script.wrapping import wrap
from ingot.ir.types import (
    BOOL,
    COMPLEX,
    FLOAT,
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


def attribute(frame: Frame, item: Item, name: str) -> Item:
    """``item.name``. Raises CompileError if there is no such attribute."""
    if isinstance(item, NumpyConstant) or (isinstance(item, Dynamic) and item.of_numpy):
        method = number_method(frame, item, name)
        if method is not None:
            return method
    match item:
        case ModuleItem():
            return module_attribute(frame, item, name)
        case PickItem():
            return _picked_attribute(frame, item, name)
        case SuperItem():
            return _super_attribute(frame, item, name)
        case PythonItem(Context()):
            return read_context(frame, name)
        case PythonItem(object):
            method = inspect.getattr_static(object, name, None)
            if isinstance(method, classmethod) and inspect.isclass(object):
                function = method.__func__
                if isinstance(function, types.FunctionType):
                    return MethodItem(item, name, function)
            return _python_attribute(frame, item, object, name)
        case InstanceItem():
            return object_attribute(frame, item, name)
        case Constant(value) if not isinstance(value, enum.Enum):
            return _constant_attribute(item, value, name)
        case TupleItem(items, named) if named is not None and name in named._fields:  # type: ignore[attr-defined]
            return items[named._fields.index(name)]  # type: ignore[attr-defined]
        case TupleItem(_, named) if named is not None:
            found = _named_member(frame, item, named, name)
            if found is None and not hasattr(named, name):
                fields = ", ".join(named._fields)  # type: ignore[attr-defined]
                raise CompileError(
                    f"the NamedTuple {named.__name__} has no field {name}; its fields are {fields}"
                )
            return found or MethodItem(item, name)
        case TupleItem() | ListItem() | DictItem() | ShapeItem():
            return MethodItem(item, name)
        case CaughtItem() | ExceptionItem():
            from ingot.capture.script.exceptions import caught_attribute

            return caught_attribute(frame, item, name)
        case LimitsItem():
            from ingot.capture.script.torch_functions import limit

            return limit(frame, item, name)
        case AwaitItem():
            from ingot.capture.script.awaits import await_attribute

            return await_attribute(frame, item, name)
        case CaughtClassItem(caught) if name in ("__name__", "__qualname__"):
            return caught.kind
    type = type_of(item)
    if isinstance(type, TensorType):
        return tensor_attribute(frame, item, name)
    if type in (INT, BOOL) and name in ("numerator", "denominator"):
        return Constant(1) if name == "denominator" else _number_part(frame, item, type, "real")
    if type in (INT, BOOL, FLOAT, COMPLEX) and name in ("real", "imag"):
        return _number_part(frame, item, type, name)
    if frame.compiler.unions and union_members(item):
        if callable(getattr(torch.Tensor, name, None)):
            return MethodItem(item, name)
        found = each_member(frame, item, lambda each: attribute(frame, each, name))
        if found is not None:
            return found
    if isinstance(type, NamedTupleType) and name in type.fields:
        index = type.fields.index(name)
        value = frame.builder.tuple_index(frame.value(item), index)
        return frame.dynamic(value, type.elements[index])
    if isinstance(type, NamedTupleType):
        cls = class_of(frame, item)
        found = None if cls is None else _named_member(frame, item, cls, name)
        if found is not None:
            return found
    if object_members(type):
        return object_attribute(frame, item, name)
    if isinstance(type, EnumType):
        return member_attribute(frame, item, name)
    if type == DEVICE and name in ("type", "index"):
        return Constant("cpu" if name == "type" else None)
    if type == GENERATOR and name == "device":
        return Constant(torch.device("cpu"))
    if type == DTYPE and name == "is_floating_point":
        from ingot.capture.script.library import is_floating_dtype

        number = frame.dynamic(frame.value(item))
        return frame.call(is_floating_dtype, number)
    if type is None:
        raise CompileError(f"{item.describe()} has no attribute {name}")
    if may_be_none(type):
        there = frame.present(item)
        if there is not item:
            return attribute(frame, there, name)
        raise CompileError(
            f"{item.describe()} may be None, which has no {name}",
            "check it with `is not None` first",
        )
    python = _PYTHON_CLASSES.get(type) or _PYTHON_CLASSES.get(type.__class__)
    if python is not None and not hasattr(python, name):
        raise Absent(
            f"{item.describe()} has no attribute {name}{_similar(python, name)}",
            "",
            "AttributeError",
            f"{python.__name__!r} object has no attribute {name!r}",
        )
    return MethodItem(item, name)


_PYTHON_CLASSES: dict[Any, type] = {
    INT: int,
    FLOAT: float,
    BOOL: bool,
    STR: str,
    ListType: list,
    DictType: dict,
    TupleType: tuple,
}


def _named_member(frame: Frame, item: Item, cls: type, name: str) -> Item | None:
    """A property or method that a NamedTuple class defines."""
    found = inspect.getattr_static(cls, name, None)
    if isinstance(found, property):
        return read_property(frame, item, name, found)
    if name.startswith("_") and name in ("_replace", "_asdict", "_make"):
        return None
    return class_member(frame, item, cls, name)


def _picked_attribute(frame: Frame, item: PickItem, name: str) -> Item:
    """An attribute of whichever module was picked; of methods, one of them."""
    mark, before = frame.builder.mark(), frame.environment.copy()
    found = tuple(attribute(frame, one, name) for one in item.items)
    if any(type_of(each) is None for each in found):
        return PickItem(item.index, found, item.keys)
    frame.undo(mark, before)
    return each_choice(frame, item, lambda one: attribute(frame, one, name))


def _number_part(frame: Frame, item: Item, type: Type | None, name: str) -> Item:
    if type == COMPLEX:
        return call_op(frame, f"prim::{name}", [item])
    if name == "real":
        return as_number(frame, item, INT) if type == BOOL else item
    return Constant(0.0) if type == FLOAT else Constant(0)


def _python_attribute(frame: Frame, item: PythonItem, object: Any, name: str) -> Item:
    try:
        value = getattr(read_only(object), name)
    except AttributeError:
        similar = _similar(object, name)
        raise CompileError(f"{item.describe()} has no attribute {name}{similar}") from None
    if isinstance(value, numpy.generic):
        return of_numpy(frame, value)
    return wrap(frame, value, name)


def _similar(object: Any, name: str) -> str:
    close = difflib.get_close_matches(name, dir(object), 1)
    return f"; did you mean {close[0]}?" if close else ""


def _constant_attribute(item: Constant, value: Any, name: str) -> Item:
    try:
        found = getattr(value, name)
    except AttributeError as error:
        message = f"{item.describe()} has no attribute {name}"
        raise Absent(message, "", "AttributeError", str(error)) from None
    if callable(found):
        return MethodItem(item, name)
    return Constant(found)


def _no_init() -> None:
    """``object.__init__``."""


def _super_attribute(frame: Frame, item: SuperItem, name: str) -> Item:
    mro = item.cls.__mro__
    for cls in mro[mro.index(item.after) + 1 :]:
        if name in vars(cls):
            function = vars(cls)[name]
            if isinstance(function, types.FunctionType):
                return MethodItem(item.receiver, name, function)
            if isinstance(function, property):
                return read_property(frame, item.receiver, name, function)
            if isinstance(function, classmethod):
                return MethodItem(PythonItem(item.cls), name, function.__func__)
            if isinstance(function, staticmethod):
                return PythonItem(function.__func__)
            if name == "__init__" and cls is object:
                return PythonItem(_no_init)
            if name == "__init__" and issubclass(cls, BaseException):
                return PythonItem(BaseInit(item.receiver, item.cls))
            break
    raise CompileError(f"super() has no method {name} that can be compiled")


_TENSOR_CONSTANTS: dict[str, Any] = {
    "device": torch.device("cpu"),
    "layout": torch.strided,
    "is_cpu": True,
    **dict.fromkeys(
        (
            "is_cuda",
            "is_sparse",
            "is_sparse_csr",
            "is_quantized",
            "is_meta",
            "is_mps",
            "is_mkldnn",
            "is_nested",
            "is_xla",
            "is_xpu",
            "is_ipu",
            "is_maia",
            "is_mtia",
            "is_vulkan",
            "requires_grad",
        ),
        False,
    ),
    "is_leaf": True,
    "retains_grad": False,
    "output_nr": 0,
    "grad": None,
    "grad_fn": None,
    "name": None,
}

_TENSOR_OPS = {
    "ndim": "aten::dim",
    "T": "aten::numpy_T",
    "mT": "aten::mT",
    "H": "aten::matrix_H",
    "mH": "aten::mH",
    "real": "aten::real",
    "imag": "aten::imag",
}


def tensor_attribute(frame: Frame, item: Item, name: str) -> Item:
    """An attribute of a tensor. Programs run on the CPU and without gradients."""
    item = frame.force(item)
    if name == "shape":
        assert isinstance(item, Dynamic)
        return ShapeItem(item)
    if name == "dtype":
        return call_op(frame, "prim::dtype", [item], type=DTYPE)
    if name == "data":
        return item
    if name in _TENSOR_CONSTANTS:
        value = _TENSOR_CONSTANTS[name]
        return FALSE if value is False else NOTHING if value is None else Constant(value)
    if name in ("itemsize", "nbytes"):
        size = call_op(frame, "aten::element_size", [item])
        if name == "itemsize":
            return size
        return call_op(frame, "aten::mul", [size, call_op(frame, "aten::numel", [item])])
    if name in _TENSOR_OPS:
        return call_op(frame, _TENSOR_OPS[name], [item])
    found = inspect.getattr_static(torch.Tensor, name, None)
    if found is None:
        raise CompileError(f"a Tensor has no attribute {name}{_similar(torch.Tensor, name)}")
    if isinstance(found, types.GetSetDescriptorType | property):
        raise CompileError(f"the attribute {name} of a Tensor cannot be compiled")
    return MethodItem(item, name, found if isinstance(found, types.FunctionType) else None)
