"""Functions of torch: natives are ops of the same name, some have a meaning of their own."""

from __future__ import annotations

import collections
import functools
import gc
import platform
import typing
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy
import torch
import torch.jit._await
import torch.jit._script
import torch.jit._trace
import torch.utils.checkpoint

from ingot.capture.script import library
from ingot.capture.script.annotations import read_annotation
from ingot.capture.script.autograd_functions import gradients
from ingot.capture.script.awaits import awaitable, awaitable_nowait, wait
from ingot.capture.script.decompositions import linear_algebra, neural, tensors, windows
from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.einsum import einsum
from ingot.capture.script.expressions import make_list
from ingot.capture.script.generators import make_generator
from ingot.capture.script.items import type_of
from ingot.capture.script.language import (
    DEVICE,
    DTYPE,
    NUMBER,
    SIZE,
    FutureType,
    Hole,
    is_subtype,
    lower,
    settle,
)
from ingot.capture.script.legacy import LEGACY, modern
from ingot.capture.script.operations import call_op
from ingot.capture.script.operators import as_number, is_number_union
from ingot.capture.script.strings import as_string
from ingot.capture.script.values import (
    EMPTY,
    FALSE,
    NOTHING,
    TRUE,
    ZERO,
    Constant,
    Dynamic,
    Item,
    LimitsItem,
    ListItem,
    PythonItem,
    TupleItem,
)
from ingot.capture.script.wrapping import wrap
from ingot.ir.schema import Schema
from ingot.ir.types import (
    BOOL,
    COMPLEX,
    FLOAT,
    INT,
    STR,
    ListType,
    NamedTupleType,
    TensorType,
    TupleType,
    Type,
)

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame

_RENAMED = {"input": "self", "axis": "dim", "keepdims": "keepdim", "x": "self", "a": "self"}
_DROPPED = ("out", "requires_grad", "device", "layout", "pin_memory", "memory_format")
"""Arguments without meaning here: programs own their memory and run on the CPU."""


def call_torch_function(
    frame: Frame, object: Any, args: list[Item], kwargs: dict[str, Item]
) -> Item:
    """A native function: ``torch.add``, ``torch._C._nn.gelu``, ``torch.ops.aten.add.Tensor``."""
    if isinstance(object, torch._ops.OpOverload):
        return _overload(frame, object, args, kwargs)
    if isinstance(object, torch._ops.OpOverloadPacket):
        return call_op(frame, object._qualified_op_name, args, kwargs)
    name = getattr(object, "__name__", None)
    module = str(getattr(object, "__module__", None) or "")
    owner = getattr(object, "__self__", None)
    native = module.startswith("torch") or "torch" in str(getattr(object, "__objclass__", owner))
    if name is None or not native:
        raise CompileError(
            f"{PythonItem(object).describe()} has no Python source and is no function of torch",
            _instead(object, name, module),
        )
    method = hasattr(object, "__objclass__")
    return call_named_op(frame, name, args, kwargs, method)


def _instead(object: Any, name: str | None, module: str) -> str:
    """What to write for a native function of another library."""
    library = "numpy" if isinstance(object, numpy.ufunc) else module.partition(".")[0]
    if library == "numpy" and name is not None and hasattr(torch, name):
        return f"use torch.{name}"
    if library in ("builtins", "_io", "io", "os", "posix", "nt", "sys", "time"):
        return "call it outside the compiled code and pass the result in"
    return "write it in Python, or mark the caller with @ingot.ignore"


def _overload(frame: Frame, object: Any, args: list[Item], kwargs: dict[str, Item]) -> Item:
    return call_op(frame, object.name().partition(".")[0], args, kwargs)


def call_named_op(
    frame: Frame, name: str, args: list[Item], kwargs: dict[str, Item], method: bool
) -> Item:
    """The op of a function or method of torch, with the liberties of its Python binding."""
    base = f"aten::{name}"
    schemas = frame.builder.ops.overloads(base)
    known = {a.name for schema in schemas for a in schema.arguments}
    given = {}
    out = kwargs.get("out", NOTHING)
    if isinstance(type_of(out), TensorType):
        store = library.store_out_of_caller if _is_input(frame, out) else library.store_out
        others = {key: item for key, item in kwargs.items() if key != "out"}
        result = call_named_op(frame, name, args, others, method)
        return frame.call(store, out, result)
    if isinstance(out, TupleItem):
        others = {key: item for key, item in kwargs.items() if key != "out"}
        return _store_all(frame, out, call_named_op(frame, name, args, others, method))
    for key, item in kwargs.items():
        key = key if key in known or not known else _RENAMED.get(key, key)
        if key in _DROPPED and (key not in known or item == NOTHING or key != "memory_format"):
            if key == "out" and item != NOTHING:
                raise CompileError("out= cannot be compiled", "use the result")
            continue
        given[key] = item
    first = args[0] if args else None
    if not method and first is not None and _is_plain(first):
        _require_no_tensor(frame, name, first, [*args[1:], *given.values()])
    if method:
        before = max((_before_self(schema) for schema in schemas), default=[], key=len)
        if given.keys() & set(before):
            given["self"], args = args[0], args[1:]
        else:
            place = len(before)
            args = [*args[1 : place + 1], args[0], *args[place + 1 :]]
    args = modern(name, args, given)
    return call_op(frame, base, _packed(args, method), given)


def _store_all(frame: Frame, out: TupleItem, results: Item) -> Item:
    """What an op with several results gives with ``out=(a, b)``: the tensors it wrote into."""
    type = type_of(results)
    if not isinstance(type, TupleType | NamedTupleType) or len(type.elements) != len(out.items):
        raise CompileError(f"out= takes as many tensors as there are results, not {out.describe()}")
    stored = []
    for each, value in zip(
        out.items, frame.builder.tuple_unpack(frame.value(results)), strict=True
    ):
        store = library.store_out_of_caller if _is_input(frame, each) else library.store_out
        stored.append(frame.call(store, each, frame.dynamic(value)))
    if isinstance(type, NamedTupleType):
        return TupleItem(tuple(stored), _named_results(type.name, type.fields))
    return TupleItem(tuple(stored))


@functools.cache
def _named_results(name: str, fields: tuple[str, ...]) -> type:
    return collections.namedtuple(name, fields)


def _before_self(schema: Schema) -> list[str]:
    """Of ``where(condition, self, other)`` the tensor whose method it is comes second."""
    names = [each.name for each in schema.arguments]
    return names[: names.index("self")] if "self" in names else []


def _is_input(frame: Frame, item: Item) -> bool:
    """Whether a tensor comes from the program's caller, who would not see that it is resized."""
    exported = [m for m in frame.compiler.program.methods.values() if m.exported]
    return isinstance(item, Dynamic) and any(item.value in m.body.inputs for m in exported)


def _is_plain(item: Item) -> bool:
    """Whether it is a number or a list of numbers."""
    type = type_of(item)
    element = type.element if isinstance(type, ListType) else type
    return element in (BOOL, INT, FLOAT, COMPLEX, NUMBER)


def _require_no_tensor(frame: Frame, name: str, first: Item, others: list[Item]) -> None:
    """The catalogue has ops on numbers and lists of the names of functions of tensors. A number
    comes first only beside a tensor, ``torch.pow(2, x)``."""
    schemas = [s for s in frame.builder.ops.overloads(f"aten::{name}") if s.arguments]
    tensors = any(isinstance(s.arguments[0].type, TensorType) for s in schemas)
    makes = any(
        isinstance(s.returns[0].type, TensorType)
        and not any(isinstance(a.type, TensorType) for a in s.arguments)
        for s in schemas
        if s.returns
    )
    beside = any(isinstance(type_of(each), TensorType) for each in others)
    if tensors and not beside and not makes and type_of(first) != NUMBER:
        raise CompileError(
            f"torch.{name} takes a Tensor, not {first.describe()}", "make it a tensor first"
        )


def _packed(args: list[Item], method: bool) -> list[Item]:
    """``x.permute(0, 2, 1)`` and ``torch.zeros(2, 3)``: ints in place of one list."""
    start = 1 if method else 0
    rest = args[start:]
    if len(rest) > 1 and all(type_of(a) == INT for a in rest):
        return [*args[:start], *rest]
    return args


# --- functions with a meaning of their own -------------------------------------------------


def _constant(value: Any) -> Callable[..., Item]:
    def apply(frame: Frame, *args: Item, **kwargs: Item) -> Item:
        return Constant(value)

    return apply


def _is_scripting(frame: Frame) -> Item:
    """True, except where PyTorch asks in order to refuse parametrizations."""
    return Constant(frame.scope.get("__name__") != "torch.nn.utils.parametrize")


def make_tensor(
    frame: Frame, data: Item, dtype: Item = NOTHING, device: Item = NOTHING, **kwargs: Item
) -> Item:
    """``torch.tensor(data)``."""
    from ingot.capture.script.numpy_values import tensor_of

    data = tensor_of(frame, data)
    type = type_of(data)
    if isinstance(type, TensorType):
        copied = call_op(frame, "aten::clone", [data])
        return copied if dtype == NOTHING else call_op(frame, "aten::to", [copied, dtype])
    given = {} if dtype == NOTHING else {"dtype": dtype}
    if type in (BOOL, INT, FLOAT, COMPLEX, NUMBER):
        return call_op(frame, "aten::scalar_tensor", [data], given or _dtype_of(type))
    if isinstance(data, TupleItem | ListItem):
        data = _nested(frame, data, dtype)
        type = type_of(data)
    if isinstance(type, TensorType):
        return data if dtype == NOTHING else call_op(frame, "aten::to", [data, dtype])
    if isinstance(type, ListType) and is_number_union(type.element):
        from ingot.capture.script.library import tensor_of_numbers

        made = frame.call(tensor_of_numbers, data)
        return made if dtype == NOTHING else call_op(frame, "aten::to", [made, dtype])
    if (isinstance(type, ListType) and _has_numbers(type)) or type == SIZE:
        return call_op(frame, "aten::tensor", [frame.dynamic(frame.value(data), type)], given)
    raise CompileError(
        f"torch.tensor does not take {data.describe()}", "give all numbers one type: 1.0, not 1"
    )


def _has_numbers(type: Type) -> bool:
    """Whether it is a list of numbers or of tensors, nested or not."""
    type = settle(type)
    if isinstance(type, ListType):
        return _has_numbers(type.element)
    return isinstance(type, TensorType | Hole) or type in (BOOL, INT, FLOAT, COMPLEX)


def _dtype_of(type: Any) -> dict[str, Item]:
    """PyTorch's default dtypes of numbers."""
    found = {BOOL: torch.bool, INT: torch.int64, FLOAT: torch.float32, COMPLEX: torch.complex64}
    return {"dtype": Constant(found[type])} if type in found else {}


def _nested(frame: Frame, data: TupleItem | ListItem, dtype: Item) -> Item:
    """Nested sequences that are known one by one: numbers as one tensor of these sizes, other
    things as stacked tensors."""
    together = type_of(ListItem(data.items))
    if isinstance(together, ListType) and together.element in (BOOL, INT, FLOAT):
        return frame.dynamic(frame.value(ListItem(data.items)), together)
    sizes, numbers = _rectangle(data)
    kinds = {type_of(each) for each in numbers}
    if kinds <= set(_NUMBERS):
        if sizes is None:
            raise CompileError(
                "the sequences that the tensor is made of have different lengths",
                "give all rows one length",
            )
        shape = TupleItem(tuple(map(Constant, sizes)))
        if not numbers:
            return call_op(frame, "aten::zeros", [shape], {"dtype": dtype})
        widest = max(kinds, key=_NUMBERS.index)
        same = tuple(as_number(frame, e, widest) if widest != BOOL else e for e in numbers)  # type: ignore[arg-type]
        whole = make_tensor(frame, frame.dynamic(frame.value(ListItem(same))), dtype)
        return call_op(frame, "aten::view", [whole, shape])
    parts = tuple(make_tensor(frame, each, dtype) for each in data.items)
    return call_op(frame, "aten::stack", [TupleItem(parts)])


_NUMBERS = (BOOL, INT, FLOAT, COMPLEX)


def _rectangle(item: Item) -> tuple[list[int] | None, list[Item]]:
    """The sizes of nested sequences, None if they are ragged, and what is in them."""
    if not isinstance(item, TupleItem | ListItem):
        return [], [item]
    inside = [_rectangle(each) for each in item.items]
    leaves = [leaf for _, some in inside for leaf in some]
    inner = inside[0][0] if inside else []
    if inner is None or any(sizes != inner for sizes, _ in inside):
        return None, leaves
    return [len(inside), *inner], leaves


def as_tensor(frame: Frame, data: Item, dtype: Item = NOTHING, device: Item = NOTHING) -> Item:
    """``torch.as_tensor(data)``."""
    from ingot.capture.script.numpy_values import tensor_of

    data = tensor_of(frame, data)
    if isinstance(type_of(data), TensorType):
        return data if dtype == NOTHING else call_op(frame, "aten::to", [data, dtype])
    return make_tensor(frame, data, dtype)


def annotate(frame: Frame, annotation: Item, item: Item) -> Item:
    """``torch.jit.annotate(T, x)`` and ``typing.cast(T, x)``."""
    if isinstance(annotation, PythonItem | Constant):
        value = annotation.object if isinstance(annotation, PythonItem) else annotation.value
        try:
            type = read_annotation(value, frame)
        except Exception:
            return item
        actual = type_of(item)
        if actual is not None and is_subtype(actual, type) and isinstance(item, Dynamic):
            return frame.dynamic(frame.value(item, type), type)
    return item


def _cast(frame: Frame, annotation: Item, item: Item) -> Item:
    return item


def _fork(frame: Frame, function: Item, *args: Item, **kwargs: Item) -> Item:
    """``torch.jit.fork``: the call itself, at once."""
    from ingot.capture.script.calls import call

    result = call(frame, function, list(args), kwargs)
    value = frame.value(result)
    type = type_of(result)
    return frame.dynamic(value, FutureType(value.type if type is None else type))


def _wait(frame: Frame, future: Item) -> Item:
    type = type_of(future)
    if not isinstance(type, FutureType):
        raise CompileError(f"{future.describe()} is no Future", "pass what torch.jit.fork gave")
    return frame.dynamic(frame.value(future), type.element)


def _is_tensor(frame: Frame, item: Item) -> Item:
    return Constant(isinstance(type_of(item), TensorType))


def _assert(frame: Frame, condition: Item, message: Item = EMPTY) -> Item:
    from ingot.capture.script.truth import truth

    holds = truth(frame, condition)
    if holds == TRUE:
        return NOTHING
    text = message if isinstance(message, Constant) else as_string(frame, message)
    branch = frame.builder.if_(frame.value(holds))
    with frame.builder.at(branch.blocks[1]):
        frame.builder.raise_exception(frame.value(as_string(frame, text)), "AssertionError")
    return NOTHING


def _assert_async(frame: Frame, condition: Item, message: Item = EMPTY) -> Item:
    """As an ``assert``, but a RuntimeError."""
    from ingot.capture.script.truth import truth

    holds = truth(frame, condition)
    if holds != TRUE:
        branch = frame.builder.if_(frame.value(holds))
        with frame.builder.at(branch.blocks[1]):
            text = frame.value(as_string(frame, message))
            frame.builder.raise_exception(text, "RuntimeError")
    return NOTHING


def _device(frame: Frame, type: Item, index: Item = NOTHING) -> Item:
    """``torch.device(name)``."""
    if isinstance(type, Constant) and isinstance(index, Constant):
        given = (type.value,) if index == NOTHING else (type.value, index.value)
        return Constant(torch.device(*given))
    if type_of(type) == DEVICE:
        return type
    if type_of(type) != STR:
        raise CompileError(f"torch.device does not take {type.describe()}", "give it a str")
    from ingot.capture.script.library import device_named

    return frame.dynamic(frame.value(frame.call(device_named, type)), DEVICE)


def _check(frame: Frame, cond: Item, message: Item = NOTHING) -> Item:
    """``torch._check``: the message is a function, which is called where the check fails."""
    from ingot.capture.script.calls import call
    from ingot.capture.script.truth import truth

    if type_of(cond) != BOOL:
        raise CompileError(
            f"torch._check takes a bool, not {cond.describe()}",
            "for a tensor write torch._check(bool(x.all()))",
        )
    branch = frame.builder.if_(frame.value(truth(frame, cond)))
    with frame.builder.at(branch.blocks[1]):
        kind, text = "RuntimeError", Constant("Expected cond to be True, but got False.")
        if message != NOTHING and type_of(message) is not None:
            kind, text = "TypeError", Constant("message must be a callable")
        elif message != NOTHING:
            text = as_string(frame, call(frame, message, [], {}))  # type: ignore[assignment]
        frame.builder.raise_exception(frame.value(text), kind)
    return NOTHING


def _warn(frame: Frame, message: Item, *args: Item, **kwargs: Item) -> Item:
    from ingot.capture.script.values import ExceptionItem

    text = message.message if isinstance(message, ExceptionItem) else as_string(frame, message)
    call_op(frame, "aten::warn", [text])
    return NOTHING


def _nothing(frame: Frame, *args: Item, **kwargs: Item) -> Item:
    return NOTHING


def _manual_seed(frame: Frame, seed: Item) -> Item:
    call_op(frame, "aten::manual_seed", [seed])
    return NOTHING


def _einsum(frame: Frame, equation: Item, *operands: Item, **kwargs: Item) -> Item:
    if len(operands) == 1 and not isinstance(type_of(operands[0]), TensorType):
        return einsum(frame, equation, operands[0])
    return einsum(frame, equation, TupleItem(operands))


def _tensor_list(name: str) -> Callable[..., Item]:
    """Functions that take tensors one by one or as a list."""

    def apply(frame: Frame, *tensors: Item, **kwargs: Item) -> Item:
        if len(tensors) == 1 and not isinstance(type_of(tensors[0]), TensorType):
            return call_op(frame, name, [tensors[0]], kwargs)
        return call_op(frame, name, [TupleItem(tensors)], kwargs)

    return apply


def _promote_types(frame: Frame, a: Item, b: Item) -> Item:
    if isinstance(a, Constant) and isinstance(b, Constant):
        return Constant(torch.promote_types(a.value, b.value))
    return frame.call(tensors.promoted, a, b)


def _can_cast(frame: Frame, from_: Item, to: Item) -> Item:
    if isinstance(from_, Constant) and isinstance(to, Constant):
        return Constant(torch.can_cast(from_.value, to.value))
    return frame.call(tensors.castable, from_, to)


def _result_type(frame: Frame, tensor1: Item, tensor2: Item) -> Item:
    both: tuple[Item, ...] = (tensor1, tensor2)
    if not any(isinstance(type_of(each), TensorType) for each in both):
        both = tuple(as_tensor(frame, each) for each in both)
    return frame.call(tensors.type_of_result, *both)


_FLOAT32 = Constant(torch.float32)


def _type_limits(make: Callable[..., Any]) -> Callable[..., Item]:
    def apply(frame: Frame, dtype: Item = _FLOAT32) -> Item:
        if isinstance(dtype, Constant):
            return PythonItem(make(dtype.value))
        if type_of(dtype) == DTYPE:
            return LimitsItem(dtype, make)
        raise CompileError(f"{make.__name__} takes a dtype, not {dtype.describe()}")

    return apply


_FLOATS = (torch.float16, torch.float32, torch.float64, torch.bfloat16)
_INTS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


def limit(frame: Frame, item: LimitsItem, name: str) -> Item:
    """``torch.finfo(x.dtype).max``, looked up when the program runs."""
    dtypes = _FLOATS if item.make is torch.finfo else _INTS
    values = [getattr(item.make(each), name, None) for each in dtypes]
    if not all(isinstance(each, int | float) for each in values):
        raise CompileError(f"{item.describe()} has no {name} in a program")
    codes = make_list(frame, [Constant(frame.literal(each)) for each in dtypes])
    limits = make_list(frame, [Constant(each) for each in values])
    number = frame.dynamic(frame.value(item.dtype), INT)
    return frame.call(library.value_of_dtype, number, codes, limits)


def _dtype_predicate(name: str) -> Callable[..., Item]:
    def apply(frame: Frame, item: Item) -> Item:
        return call_op(frame, f"aten::{name}", [item])

    return apply


def _same(frame: Frame, item: Item, *args: Item, **kwargs: Item) -> Item:
    return item


def _library(function: Callable[..., Any]) -> Callable[..., Item]:
    """A function whose op takes other arguments than Python's."""

    def apply(frame: Frame, *args: Item, **kwargs: Item) -> Item:
        return frame.compiler.call(frame, function, list(args), kwargs, frame.node)

    return apply


def tensor_split(
    frame: Frame,
    tensor: Item,
    indices_or_sections: Item | None = None,
    dim: Item = ZERO,
    **kwargs: Item,
) -> Item:
    """``torch.tensor_split``; places that are a tensor are read as ints."""
    places = indices_or_sections
    for name in ("indices", "sections", "tensor_indices_or_sections"):
        places = kwargs.pop(name, places)
    if places is None or kwargs:
        raise CompileError("tensor_split takes a tensor, indices or sections, and dim")
    if isinstance(type_of(places), TensorType):
        return frame.call(tensors.tensor_split_at, tensor, places, dim)
    return call_op(frame, "aten::tensor_split", [tensor, places, dim])


def _antialiased(name: str) -> Callable[..., Item]:
    """Interpolation to the sizes that factors give, if there are any."""

    def apply(frame: Frame, *args: Item) -> Item:
        if len(args) != 4 or args[3] == NOTHING:
            return call_op(frame, f"aten::{name}", args[:3])
        from ingot.capture.script.subscripts import subscript

        input, _, align_corners, factors = args
        size = frame.call(neural.scaled_size, input, factors)
        scales = [subscript(frame, factors, Constant(k)) for k in (0, 1)]
        return call_op(frame, f"aten::{name}", [input, size, align_corners, *scales])

    return apply


def _attention(frame: Frame, *args: Item, **kwargs: Item) -> Item:
    """The op drops no weights: where that may be wanted, others do it."""
    dropout = args[4] if len(args) > 4 else kwargs.get("dropout_p", Constant(0.0))
    if isinstance(dropout, Constant) and dropout.value == 0:
        return call_op(frame, "aten::scaled_dot_product_attention", args, kwargs)
    return _library(neural.dropping_attention)(frame, *args, **kwargs)


def _instance_norm(frame: Frame, *args: Item) -> Item:
    """The op writes no statistics: where they are to move, others do it."""
    x, weight, bias, mean, variance, own_statistics, momentum, eps, _ = args
    if mean == NOTHING or own_statistics != TRUE:
        return call_op(frame, "aten::instance_norm", args)
    moved = [x, weight, bias, mean, variance, momentum, eps]
    return frame.compiler.call(frame, neural.instance_norm_in_training, moved, {}, frame.node)


def _nonzero(frame: Frame, tensor: Item, as_tuple: Item = FALSE) -> Item:
    if as_tuple == TRUE:
        return call_op(frame, "aten::nonzero_numpy", [tensor])
    return call_op(frame, "aten::nonzero", [tensor])


def _checkpoint(frame: Frame, function: Item, *args: Item, **kwargs: Item) -> Item:
    """``torch.utils.checkpoint``: without gradients nothing is kept or computed again."""
    from ingot.capture.script.calls import call

    own = ("use_reentrant", "context_fn", "determinism_check", "debug", "early_stop",
           "preserve_rng_state")  # fmt: skip
    return call(frame, function, list(args), {k: v for k, v in kwargs.items() if k not in own})


def _checkpoint_sequential(
    frame: Frame, functions: Item, segments: Item, data: Item, **kwargs: Item
) -> Item:
    from ingot.capture.script.calls import call
    from ingot.capture.script.iteration import turns_of

    for each in turns_of(frame, functions).items or ():
        data = call(frame, each, [data], {})
    return data


def _evaluated(function: Callable[..., Any]) -> Callable[..., Item]:
    """A function that makes a tensor of numbers: of numbers that are known, a constant."""
    computed = windows.MADE[function]

    def apply(frame: Frame, *args: Item, **kwargs: Item) -> Item:
        named = {name: item for name, item in kwargs.items() if name not in _DROPPED}
        if not all(isinstance(each, Constant) for each in (*args, *named.values())):
            return frame.compiler.call(frame, computed, list(args), named, frame.node)
        values = [each.value for each in args if isinstance(each, Constant)]
        options = {k: each.value for k, each in named.items() if isinstance(each, Constant)}
        try:
            made = function(*values, **options)
        except Exception as error:
            raise CompileError(f"this raises {type(error).__name__}: {error}") from None
        return call_op(frame, "aten::clone", [wrap(frame, made, function.__name__)])

    return apply


def _functions() -> dict[Any, Callable[..., Item]]:
    overrides = torch.overrides
    found: dict[Any, Callable[..., Item]] = {
        torch._jit_internal.is_scripting: _is_scripting,
        torch.jit._trace.is_tracing: _constant(False),
        torch.onnx.is_in_onnx_export: _constant(False),
        torch.compiler.is_compiling: _constant(False),
        torch.compiler.is_dynamo_compiling: _constant(False),
        torch.is_grad_enabled: _constant(False),
        torch.is_inference_mode_enabled: _constant(False),
        torch.is_autocast_enabled: _constant(False),
        torch.get_default_dtype: _constant(torch.float32),
        torch.backends.mha.get_fastpath_enabled: _constant(False),
        torch._C._get_tracing_state: _constant(None),
        torch.jit.annotate: annotate,
        typing.cast: _cast,
        torch.jit.fork: _fork,
        torch.jit.wait: _wait,
        torch.jit._await._awaitable: awaitable,
        torch.jit._await._awaitable_nowait: awaitable_nowait,
        torch.jit._await._awaitable_wait: wait,
        torch.tensor: make_tensor,
        torch.utils.checkpoint.checkpoint: _checkpoint,
        torch.utils.checkpoint.checkpoint_sequential: _checkpoint_sequential,
        torch.as_tensor: as_tensor,
        torch.from_numpy: as_tensor,
        torch.device: _device,
        torch.is_tensor: _is_tensor,
        torch._assert: _assert,
        torch._assert_async: _assert_async,
        torch._C._are_functorch_transforms_active: _constant(False),
        torch._check: _check,
        warnings.warn: _warn,
        warnings.simplefilter: _nothing,
        warnings.filterwarnings: _nothing,
        warnings.resetwarnings: _nothing,
        gc.collect: _nothing,
        platform.system: _constant(platform.system()),
        platform.machine: _constant(platform.machine()),
        torch.cuda.nvtx.range_push: _nothing,
        torch.cuda.nvtx.range_pop: _nothing,
        torch.manual_seed: _manual_seed,
        torch.random.manual_seed: _manual_seed,
        torch.Generator: make_generator,
        torch.einsum: _einsum,
        torch.block_diag: _tensor_list("aten::block_diag"),
        torch.cartesian_prod: _tensor_list("aten::cartesian_prod"),
        torch.nonzero: _nonzero,
        torch.tensor_split: tensor_split,
        torch.instance_norm: _instance_norm,
        torch.nn.functional.scaled_dot_product_attention: _attention,
        **{
            getattr(torch._C._nn, name): _antialiased(name)
            for name in (f"_upsample_{kind}2d_aa" for kind in ("bilinear", "bicubic", "lanczos"))
        },
        torch.linalg.pinv: _library(linear_algebra.linalg_pinv),
        torch.broadcast_tensors: _tensor_list("aten::broadcast_tensors"),
        torch.meshgrid: _tensor_list("aten::meshgrid"),
        torch.promote_types: _promote_types,
        torch.can_cast: _can_cast,
        torch.result_type: _result_type,
        torch.finfo: _type_limits(torch.finfo),
        torch.iinfo: _type_limits(torch.iinfo),
        torch._C._log_api_usage_once: _nothing,
        torch._C._nn._parse_to: _same,
        torch.nn.functional._get_softmax_dim: _softmax_dim,  # type: ignore[attr-defined]
        torch.jit._script._unwrap_optional: _unwrap_optional,
        torch.cuda.is_available: _constant(False),
        torch.cuda.device_count: _constant(0),
        torch.cuda.synchronize: _nothing,
        torch.cuda.empty_cache: _nothing,
        torch.accelerator.is_available: _constant(False),
        torch.accelerator.current_accelerator: _constant(None),
        torch.backends.mps.is_available: _constant(False),
        torch.autograd.grad: gradients,
        torch.autograd.backward: gradients,
        **LEGACY,
        **{each: _evaluated(each) for each in windows.MADE},
    }
    for module in (overrides, torch._C, torch.nn.functional):
        for suffix in ("", "_unary", "_variadic"):
            for name in (f"has_torch_function{suffix}", f"_has_torch_function{suffix}"):
                if hasattr(module, name):
                    found[getattr(module, name)] = _constant(False)
    return found


def function_by_name(object: Any) -> Callable[..., Item] | None:
    """Functions of packages that need not be there: torchvision's ops are in the catalogue."""
    place = (getattr(object, "__module__", None), getattr(object, "__name__", None))
    return _BY_NAME.get(place)


_BY_NAME: dict[tuple[str | None, str | None], Callable[..., Item]] = {
    ("torchvision.extension", "_assert_has_ops"): _nothing,
    ("torchvision.extension", "_has_ops"): _constant(True),
}


def _softmax_dim(frame: Frame, name: Item, rank: Item, level: Item) -> Item:
    """The dimension that softmax takes when none is given: 0 for ranks 0, 1 and 3, else 1."""
    from ingot.capture.script.library import softmax_dim

    return frame.call(softmax_dim, rank)


def _unwrap_optional(frame: Frame, item: Item) -> Item:
    from ingot.capture.script.language import without_none

    type = type_of(item)
    if type is None or not isinstance(item, Dynamic):
        return item
    inner = without_none(type)
    return frame.dynamic(frame.builder.cast(item.value, lower(inner)), inner)


TORCH_FUNCTIONS = _functions()
