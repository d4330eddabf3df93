"""Methods of tensors."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import torch

from ingot.capture.script import library
from ingot.capture.script.autograd_functions import gradients
from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.handlers import apply_handler
from ingot.capture.script.items import type_of
from ingot.capture.script.language import DEVICE, DTYPE, NUMBER, SIZE, settle, without_none
from ingot.capture.script.legacy import new
from ingot.capture.script.operations import call_op
from ingot.capture.script.torch_functions import call_named_op, tensor_split
from ingot.capture.script.values import (
    NOTHING,
    Constant,
    Dynamic,
    Item,
    PythonItem,
    ShapeItem,
    TupleItem,
)
from ingot.ir.types import INT, STR, ListType, TensorType, Type

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame

_CASTS: dict[str, torch.dtype] = {
    "float": torch.float32,
    "double": torch.float64,
    "half": torch.float16,
    "bfloat16": torch.bfloat16,
    "int": torch.int32,
    "long": torch.int64,
    "short": torch.int16,
    "char": torch.int8,
    "byte": torch.uint8,
    "bool": torch.bool,
    "cfloat": torch.complex64,
    "cdouble": torch.complex128,
}

_SAME = (
    "cpu",
    "cuda",
    "to_dense",
    "requires_grad_",
    "pin_memory",
    "coalesce",
    "resolve_conj",
    "resolve_neg",
)
"""Methods that give the tensor itself in a program that runs on the CPU without gradients."""


def call_tensor_method(
    frame: Frame,
    tensor: Item,
    name: str,
    args: list[Item],
    kwargs: dict[str, Item],
    function: types.FunctionType | None,
) -> Item:
    """``tensor.name(...)``. Raises CompileError if it cannot be compiled."""
    handler = _METHODS.get(name)
    if handler is not None:
        return apply_handler(name, handler, frame, [tensor], args, kwargs)
    if name in _CASTS and not args:
        return call_op(frame, "aten::to", [tensor, Constant(_CASTS[name])])
    if name in _SAME:
        return tensor
    if function is not None:
        return frame.compiler.call(frame, function, [tensor, *args], kwargs, frame.node)
    if inspect.getattr_static(torch.Tensor, name, None) is None:
        raise CompileError(f"a Tensor has no method {name}")
    return call_named_op(frame, name, [tensor, *args], kwargs, method=True)


def _size(frame: Frame, tensor: Item, dim: Item = NOTHING) -> Item:
    if dim == NOTHING:
        assert isinstance(tensor, Dynamic)
        return ShapeItem(tensor)
    return call_op(frame, "aten::size", [tensor, dim])


def _stride(frame: Frame, tensor: Item, dim: Item = NOTHING) -> Item:
    return call_op(frame, "aten::stride", [tensor] if dim == NOTHING else [tensor, dim])


def _item(frame: Frame, tensor: Item) -> Item:
    return call_op(frame, "aten::item", [tensor], type=NUMBER)


def _to(frame: Frame, tensor: Item, *args: Item, **kwargs: Item) -> Item:
    """A device changes nothing; a dtype or another tensor's dtype converts."""
    dtype: Item = kwargs.pop("dtype", NOTHING)
    other = kwargs.pop("other", None)
    kwargs.pop("device", None)
    flags = list(args)
    if flags:
        first = flags[0]
        type = type_of(first)
        if isinstance(type, TensorType):
            other = first
        elif type == DTYPE:
            dtype = first
        elif type in (DEVICE, STR) or first == NOTHING:
            if type == STR and not isinstance(first, Constant):
                frame.call(library.device_named, first)
            if len(flags) > 1 and type_of(flags[1]) == DTYPE:
                dtype = flags.pop(1)
        else:
            raise CompileError(f"to() does not take {first.describe()}")
        flags.pop(0)
    copy = kwargs.get("copy", flags[1] if len(flags) > 1 else Constant(False))
    if other is not None:
        dtype = call_op(frame, "prim::dtype", [other], type=DTYPE)
    if dtype != NOTHING:
        return call_op(frame, "aten::to", [tensor, dtype], {"copy": copy})
    if copy == Constant(True):
        return call_op(frame, "aten::clone", [tensor])
    return tensor


def _type(frame: Frame, tensor: Item, dtype: Item = NOTHING) -> Item:
    if dtype == NOTHING:
        return frame.call(library.tensor_type_name, _dtype_number(frame, tensor))
    if isinstance(dtype, PythonItem) and type(dtype.object).__name__ == "tensortype":
        dtype = Constant(dtype.object.dtype)
    if isinstance(dtype, Constant) and isinstance(dtype.value, str):
        named = getattr(torch, dtype.value.removeprefix("torch."), None)
        dtype = Constant(getattr(named, "dtype", None))
    if type_of(dtype) == STR:
        number = frame.call(library.dtype_of_tensor_type, dtype)
        dtype = frame.dynamic(frame.value(number), DTYPE)
    if type_of(dtype) != DTYPE:
        raise CompileError("type() takes a dtype here", "write x.to(torch.float32)")
    return call_op(frame, "aten::to", [tensor, dtype])


def _dtype_number(frame: Frame, tensor: Item) -> Item:
    return frame.dynamic(frame.value(call_op(frame, "prim::dtype", [tensor])), INT)


def _type_as(frame: Frame, tensor: Item, other: Item) -> Item:
    return _to(frame, tensor, other)


def _detach(frame: Frame, tensor: Item) -> Item:
    return call_op(frame, "aten::alias", [tensor])


def _contiguous(frame: Frame, tensor: Item, memory_format: Item = NOTHING) -> Item:
    """Every layout of memory gives the same values; programs keep rows contiguous."""
    return call_op(frame, "aten::contiguous", [tensor])


def _clone(frame: Frame, tensor: Item, memory_format: Item = NOTHING) -> Item:
    return call_op(frame, "aten::clone", [tensor])


def _numel(frame: Frame, tensor: Item) -> Item:
    return call_op(frame, "aten::numel", [tensor])


def _is_contiguous(frame: Frame, tensor: Item, memory_format: Item = NOTHING) -> Item:
    return call_op(frame, "aten::is_contiguous", [tensor])


def _view(frame: Frame, tensor: Item, *args: Item, **kwargs: Item) -> Item:
    given = [*args, *kwargs.values()]
    if len(given) == 1 and type_of(given[0]) == DTYPE:
        operands = [frame.value(each) for each in (tensor, *given)]
        return frame.dynamic(frame.builder.op("aten::view.dtype", *operands))  # type: ignore[arg-type]
    return call_named_op(frame, "view", [tensor, *args], kwargs, method=True)


def _view_as(frame: Frame, tensor: Item, other: Item) -> Item:
    shape = call_op(frame, "aten::size", [other], type=SIZE)
    return call_op(frame, "aten::view", [tensor, shape])


def _new(op: str) -> Callable[..., Item]:
    """``x.new_zeros(size)``: the dtype is that of ``x`` unless another is given."""

    def apply(frame: Frame, tensor: Item, *args: Item, **kwargs: Item) -> Item:
        size = list(args)
        if "size" in kwargs:
            size.insert(0, kwargs.pop("size"))
        if size and type_of(size[0]) == INT:
            size = [TupleItem(tuple(size))]
        kwargs.pop("device", None)
        kwargs.pop("requires_grad", None)
        kwargs.pop("layout", None)
        if kwargs.get("dtype", NOTHING) == NOTHING:
            kwargs["dtype"] = call_op(frame, "prim::dtype", [tensor], type=DTYPE)
        return call_op(frame, op, size, kwargs)

    return apply


def _new_tensor(frame: Frame, tensor: Item, data: Item, **kwargs: Item) -> Item:
    from ingot.capture.script.torch_functions import make_tensor

    if kwargs.get("dtype", NOTHING) == NOTHING:
        kwargs["dtype"] = call_op(frame, "prim::dtype", [tensor], type=DTYPE)
    return make_tensor(frame, data, **kwargs)


def _get_device(frame: Frame, tensor: Item) -> Item:
    return Constant(-1)


def _numpy(frame: Frame, tensor: Item, *args: Item, **kwargs: Item) -> Item:
    raise CompileError("numpy arrays do not exist in a program", "use tensor operations")


def _to_list(frame: Frame, tensor: Item) -> Item:
    """Without an annotation the list is one of numbers; a tensor of another rank raises."""
    return nested_list(frame, tensor, ListType(NUMBER))


def nested_list(frame: Frame, tensor: Item, expected: Type) -> Item:
    """``x.tolist()`` as the annotation has it: a number, or lists inside lists."""
    from ingot.capture.script.calls import call_object

    lister = _lister(without_none(expected))
    if lister is None:
        raise CompileError(
            f"tolist() does not give {expected}",
            "annotate it as a number, or as lists of int, float or bool",
        )
    return call_object(frame, lister, [tensor], {})


@cache
def _lister(expected: Type) -> Callable[..., Any] | None:
    """The function of the library that makes such lists."""

    if not isinstance(expected, ListType):
        return library.ELEMENTS.get(expected)
    if settle(expected.element) == NUMBER:
        return library.numbers_of
    inner = _lister(settle(expected.element))
    if inner is None:
        return None
    return functools.partial(library.list_parts, convert=inner)


def _plain(op: str) -> Callable[..., Item]:
    """A method that PyTorch wraps in Python for its own purposes."""

    def apply(frame: Frame, tensor: Item, *args: Item, **kwargs: Item) -> Item:
        return call_op(frame, op, [tensor, *args], kwargs)

    return apply


def _nonzero(frame: Frame, tensor: Item, **kwargs: Item) -> Item:
    from ingot.capture.script.torch_functions import TORCH_FUNCTIONS

    return TORCH_FUNCTIONS[torch.nonzero](frame, tensor, **kwargs)


def _reflected(symbol: str) -> Callable[..., Item]:
    """``x.__radd__(y)``, which is ``y + x``."""

    def apply(frame: Frame, tensor: Item, other: Item) -> Item:
        from ingot.capture.script.operators import binary

        return binary(frame, symbol, other, tensor)

    return apply


_METHODS: dict[str, Callable[..., Item]] = {
    "tensor_split": tensor_split,
    "size": _size,
    "stride": _stride,
    "item": _item,
    "unflatten": _plain("aten::unflatten"),
    "to": _to,
    "type": _type,
    "type_as": _type_as,
    "detach": _detach,
    "contiguous": _contiguous,
    "clone": _clone,
    "numel": _numel,
    "nelement": _numel,
    "is_contiguous": _is_contiguous,
    "view": _view,
    "view_as": _view_as,
    "new": new,
    "new_zeros": _new("aten::zeros"),
    "new_ones": _new("aten::ones"),
    "new_empty": _new("aten::empty"),
    "new_tensor": _new_tensor,
    "get_device": _get_device,
    "numpy": _numpy,
    "tolist": _to_list,
    "backward": gradients,
    "ndimension": _plain("aten::dim"),
    "nonzero": _nonzero,
    "__radd__": _reflected("+"),
    "__rmul__": _reflected("*"),
    "__rsub__": _reflected("-"),
    "__rdiv__": _reflected("/"),
    "__rtruediv__": _reflected("/"),
    "__rfloordiv__": _reflected("//"),
    "__rmod__": _reflected("%"),
    "__rpow__": _reflected("**"),
    "__rmatmul__": _reflected("@"),
}
