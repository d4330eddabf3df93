"""Calls: of Python functions, modules, methods, ops and classes."""

from __future__ import annotations

import ast
import functools
import logging
import random
import types
import typing
from typing import TYPE_CHECKING, Any

import torch

from ingot.capture.script.annotations import annotation_of
from ingot.capture.script.attributes import attribute
from ingot.capture.script.autograd_functions import apply_function, is_apply
from ingot.capture.script.axis_patterns import PATTERN_FUNCTIONS, layer
from ingot.capture.script.builtins import BUILTINS, print_all
from ingot.capture.script.classes import is_user_class
from ingot.capture.script.containers import call_container_method
from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.dispatch import each_choice
from ingot.capture.script.enums import is_enum, member_of
from ingot.capture.script.expressions import element_of, expression, join_elements, spread_elements
from ingot.capture.script.generators import call_generator_method
from ingot.capture.script.handlers import apply_handler
from ingot.capture.script.hooks import call_module
from ingot.capture.script.items import type_of
from ingot.capture.script.language import GENERATOR, SIZE
from ingot.capture.script.list_lengths import elements_of
from ingot.capture.script.made_modules import make_module
from ingot.capture.script.markers import marker_of
from ingot.capture.script.module_methods import module_method
from ingot.capture.script.numpy_values import call_numpy, is_numpy
from ingot.capture.script.objects import (
    class_of,
    construct,
    dispatch,
    object_attribute,
    object_members,
    special,
)
from ingot.capture.script.operator_functions import OPERATOR_FUNCTIONS
from ingot.capture.script.own_exceptions import make_exception
from ingot.capture.script.refinement import jit_isinstance_test, test
from ingot.capture.script.script_modules import plain_function
from ingot.capture.script.special_methods import special_method
from ingot.capture.script.tensors import call_tensor_method
from ingot.capture.script.torch_functions import (
    TORCH_FUNCTIONS,
    annotate,
    call_torch_function,
    function_by_name,
)
from ingot.capture.script.unions import each_member, union_members
from ingot.capture.script.used_again import as_argument
from ingot.capture.script.values import (
    NOTHING,
    Constant,
    DictItem,
    InstanceItem,
    Item,
    LocalFunction,
    MethodItem,
    ModuleItem,
    PartialItem,
    PickItem,
    PythonItem,
    SuperItem,
    TupleItem,
    is_constant_object,
)
from ingot.capture.script.wrapping import wrap
from ingot.ir.types import NamedTupleType, TensorType

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame


def call_expression(frame: Frame, node: ast.Call) -> Item:
    """A call as it is written."""
    callee = expression(frame, node.func)
    if callee == PythonItem(isinstance):
        return test(frame, node).item
    if callee == PythonItem(torch.jit.isinstance):
        return jit_isinstance_test(frame, node).item
    if callee == PythonItem(super):
        return _super(frame, node)
    if callee == PythonItem(torch.jit.annotate) and len(node.args) == 2:
        return _annotated(frame, *node.args)
    if callee == PythonItem(print) and any(isinstance(each, ast.Starred) for each in node.args):
        items, lists = spread_elements(frame, node.args)
        named = {k.arg: expression(frame, k.value) for k in node.keywords if k.arg is not None}
        return print_all(frame, items, lists, named)
    args = _tensor_data(frame, callee, node.args) or _arguments(frame, callee, node.args)
    if len(args) == len(node.args):
        args = [as_argument(frame, callee, *pair) for pair in zip(node.args, args, strict=True)]
    kwargs: dict[str, Item] = {}
    for keyword in node.keywords:
        if keyword.arg is not None:
            kwargs[keyword.arg] = expression(frame, keyword.value)
            continue
        item = _keywords(frame, keyword.value)
        if isinstance(item, DictItem):
            kwargs.update(item.items)
        else:
            raise CompileError(
                f"** needs a dict whose keys are known while compiling, not {item.describe()}"
            )
    return call(frame, callee, args, kwargs)


def _tensor_data(frame: Frame, callee: Item, nodes: list[ast.expr]) -> list[Item] | None:
    """The arguments of ``torch.tensor([[1, x], [2.5, y]])``, whose lists never come to be."""
    if callee not in (PythonItem(torch.tensor), PythonItem(torch.as_tensor)) or not nodes:
        return None
    if not any(isinstance(n, ast.List | ast.Tuple) for n in getattr(nodes[0], "elts", ())):
        return None
    if any(isinstance(each, ast.Starred) for node in nodes for each in ast.walk(node)):
        return None
    return [_sequence(frame, nodes[0]), *(expression(frame, each) for each in nodes[1:])]


def _sequence(frame: Frame, node: ast.expr) -> Item:
    if isinstance(node, ast.List | ast.Tuple):
        return TupleItem(tuple(_sequence(frame, each) for each in node.elts))
    return expression(frame, node)


def _annotated(frame: Frame, annotation: ast.expr, value: ast.expr) -> Item:
    """``torch.jit.annotate(T, value)``: what is expected decides what ``[]`` holds."""
    return annotate(
        frame,
        expression(frame, annotation),
        expression(frame, value, annotation_of(frame, annotation)),
    )


def _keywords(frame: Frame, node: ast.expr) -> Item:
    if isinstance(node, ast.Dict) and all(isinstance(k, ast.Constant) for k in node.keys):
        pairs = zip(node.keys, node.values, strict=True)
        return DictItem({k.value: expression(frame, v) for k, v in pairs})  # type: ignore[union-attr]
    if isinstance(node, ast.Dict):
        return _merged(frame, node)
    return expression(frame, node)


def _merged(frame: Frame, node: ast.Dict) -> Item:
    """``{**kwargs, "key": value}`` with keys that are known while compiling."""
    merged: dict[Any, Item] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        item = expression(frame, value)
        if key is None and isinstance(item, DictItem):
            merged.update(item.items)
        elif isinstance(key, ast.Constant):
            merged[key.value] = item
        else:
            return expression(frame, node)
    return DictItem(merged)


def _arguments(frame: Frame, callee: Item, nodes: list[ast.expr]) -> list[Item]:
    """Positional arguments. A list of unknown length after ``*`` joins the numbers or tensors
    around it to one list, as in ``x.view(*sizes, -1)``. Raises CompileError where the callee does
    not take one list for several arguments."""
    args, spread = spread_elements(frame, nodes)
    if not spread:
        return args
    if not _takes_one_list(callee):
        known = _counted(frame, args, spread)
        if known is not None:
            return known
        raise CompileError(
            f"how many arguments {callee.describe()} gets from * is known only at run time",
            "pass a tuple, or the list itself",
            next(each for each in nodes if isinstance(each, ast.Starred)),
        )
    element = element_of(args[spread[0]])
    first = spread[0]
    while first > 0 and type_of(args[first - 1]) == element:
        first -= 1
    joined = join_elements(frame, args[first:], [k - first for k in spread])
    if isinstance(callee, MethodItem) and callee.name == "new":  # to it a list is data
        joined = frame.dynamic(frame.value(joined), SIZE)
    return [*args[:first], joined]


def _counted(frame: Frame, args: list[Item], spread: list[int]) -> list[Item] | None:
    """Arguments with the elements of the lists at ``spread`` one by one, None if the length of one
    is not known."""
    found: list[Item] = []
    for k, item in enumerate(args):
        if k not in spread:
            found.append(item)
            continue
        elements = elements_of(frame, item)
        if elements is None:
            return None
        found += elements
    return found


def _takes_one_list(callee: Item) -> bool:
    """Whether one list may stand for all arguments: of torch's own functions and methods, and of
    ``max`` and ``min``."""
    if isinstance(callee, MethodItem):
        return isinstance(type_of(callee.receiver), TensorType)
    if not isinstance(callee, PythonItem) or isinstance(callee.object, type):
        return False
    if callee.object in (torch.tensor, torch.as_tensor):  # what is in a list is their data
        return False
    try:
        own = callee.object in TORCH_FUNCTIONS or callee.object in (max, min)
    except TypeError:
        own = False
    if own or isinstance(callee.object, types.FunctionType):
        return own
    module = getattr(callee.object, "__module__", None) or ""
    owner = getattr(callee.object, "__objclass__", object)
    return module.startswith("torch") or (owner is not object and issubclass(torch.Tensor, owner))


def call(frame: Frame, callee: Item, args: list[Item], kwargs: dict[str, Item]) -> Item:
    """``callee(*args, **kwargs)``. Raises CompileError if it cannot be called."""
    match callee:
        case ModuleItem():
            arranged = layer(frame, callee, args) if not kwargs else None
            if arranged is not None:
                return arranged
            return call_module(frame, callee, args, kwargs)
        case PickItem():
            return each_choice(frame, callee, lambda one: call(frame, one, args, kwargs))
        case LocalFunction():
            return frame.compiler.call_local(frame, callee, args, kwargs, frame.node)
        case MethodItem():
            return _method(frame, callee, args, kwargs)
        case PartialItem(call=(function, *given), names=names):
            count = len(given) - len(names)
            named = dict(zip(names, given[count:], strict=True))
            return call(frame, function, [*given[:count], *args], {**named, **kwargs})
        case PythonItem(object):
            return call_object(frame, object, args, kwargs)
    result = special(frame, callee, "__call__", *args, **kwargs)
    if result is not None:
        return result
    raise CompileError(f"{callee.describe()} cannot be called")


def call_object(frame: Frame, object: Any, args: list[Item], kwargs: dict[str, Item]) -> Item:
    """A call of a Python function, class or builtin."""
    if is_apply(object):
        return apply_function(frame, object.__self__, args, kwargs)
    if _only_logs(object):
        return NOTHING
    if isinstance(getattr(object, "__self__", None), random.Random):
        raise CompileError(
            f"random.{object.__name__} draws from Python's random numbers, which programs lack",
            "use torch.rand, torch.randint or torch.randperm",
        )
    if is_numpy(object):
        return call_numpy(frame, object, args, kwargs)
    inner = getattr(object, "__wrapped__", None)
    if isinstance(inner, types.FunctionType) and inner in TORCH_FUNCTIONS:
        object = inner  # as torch._dynamo wraps torch.manual_seed when it is imported
    try:
        handler = BUILTINS.get(object) or TORCH_FUNCTIONS.get(object) or function_by_name(object)
        handler = handler or OPERATOR_FUNCTIONS.get(object)
        handler = handler or PATTERN_FUNCTIONS.get(
            (getattr(object, "__module__", None), getattr(object, "__name__", None))
        )
    except TypeError:
        handler = None
    if handler is not None:
        name = getattr(object, "__name__", str(object))
        return apply_handler(name, handler, frame, [], args, kwargs)
    if hasattr(object, "compile") and type(object).__module__.startswith("ingot.capture.script"):
        return object.compile(frame, *args, **kwargs)  # type: ignore[no-any-return]
    if isinstance(object, types.MethodDescriptorType) and args:
        owner = object.__objclass__
        if owner in (str, list, dict, tuple, int, float, bool, complex):
            return call(frame, attribute(frame, args[0], object.__name__), args[1:], kwargs)
    if isinstance(object, types.GenericAlias) or type(object).__module__ == "typing":
        origin = typing.get_origin(object)
        if isinstance(origin, type):
            return call_object(frame, origin, args, kwargs)
    if isinstance(object, functools.partial):
        given = [wrap(frame, v, f"argument{i}") for i, v in enumerate(object.args)]
        named = {k: wrap(frame, v, k) for k, v in object.keywords.items()}
        return call_object(frame, object.func, [*given, *args], {**named, **kwargs})
    if isinstance(object, functools._lru_cache_wrapper):
        object = object.__wrapped__
    if isinstance(object, torch.jit.ScriptFunction):
        object = plain_function(object)
    function = getattr(object, "python_function", object)
    if isinstance(function, types.FunctionType):
        return python_function(frame, function, args, kwargs)
    if isinstance(object, types.MethodType):
        receiver = wrap(frame, object.__self__, object.__name__)
        return python_function(frame, object.__func__, [receiver, *args], kwargs)  # type: ignore[arg-type]
    if isinstance(object, type):
        return _construct(frame, object, args, kwargs)
    called = getattr(type(object), "__call__", None)  # noqa: B004
    if isinstance(called, types.FunctionType) and type(object).__module__ != "torch._ops":
        return python_function(frame, called, [PythonItem(object), *args], kwargs)
    return call_torch_function(frame, object, args, kwargs)


def _only_logs(object: Any) -> bool:
    """Whether it is a function of ``logging`` or a method of a logger: programs have no logs."""
    if isinstance(object, types.MethodType):
        return isinstance(object.__self__, logging.Logger | logging.LoggerAdapter)
    module = getattr(object, "__module__", None)
    return module == "logging" and isinstance(object, types.FunctionType)


def python_function(
    frame: Frame, function: types.FunctionType, args: list[Item], kwargs: dict[str, Item]
) -> Item:
    """A call of a function with source; its marker may forbid it."""
    marker = marker_of(function)
    if marker == "unused":
        name = function.__qualname__
        frame.builder.raise_exception(f"{name} is marked as unused and was called", "RuntimeError")
        return frame.dynamic(frame.builder.uninitialized(_TENSOR))
    if marker == "ignore":
        raise CompileError(
            f"{function.__qualname__} is marked to be left out of the program",
            "guard the call with `if not torch.jit.is_scripting()`, or remove the mark",
        )
    return frame.compiler.call(frame, function, args, kwargs, frame.node)


_TENSOR = TensorType()


def _method(frame: Frame, callee: MethodItem, args: list[Item], kwargs: dict[str, Item]) -> Item:
    receiver, name = callee.receiver, callee.name
    if isinstance(receiver, InstanceItem) and _only_logs(getattr(receiver.object, name, None)):
        return NOTHING
    if callee.function is None and object_members(type_of(receiver)):

        def each(narrow: Item) -> Item:
            return call(frame, object_attribute(frame, narrow, name), args, kwargs)

        return dispatch(frame, receiver, each)
    if frame.compiler.unions and union_members(receiver):
        found = each_member(
            frame, receiver, lambda one: call(frame, attribute(frame, one, name), args, kwargs)
        )
        if found is not None:
            return found
    if isinstance(receiver, PythonItem) and is_apply(getattr(receiver.object, name, None)):
        return apply_function(frame, receiver.object, args, kwargs)
    if name.startswith("__") and _is_builtin(receiver):
        written = special_method(frame, receiver, name, args)
        if written is not None:
            return written
    if isinstance(receiver, TupleItem) and receiver.named is not None and name == "_replace":
        return _named_tuple(frame, receiver.named, list(receiver.items), {}, kwargs)
    if isinstance(receiver, TupleItem) and receiver.named is not None and name == "_asdict":
        return DictItem(dict(zip(receiver.named._fields, receiver.items, strict=True)))  # type: ignore[attr-defined]
    if name == "_replace" and isinstance(type_of(receiver), NamedTupleType):
        return _method(frame, MethodItem(_unpacked(frame, receiver), name), args, kwargs)
    if isinstance(receiver, PickItem):
        return each_choice(
            frame, receiver, lambda one: call(frame, attribute(frame, one, name), args, kwargs)
        )
    if isinstance(receiver, ModuleItem):
        known = module_method(receiver, name)
        if known is not None:
            return known(frame, receiver, *args, **kwargs)
    if isinstance(callee.function, types.FunctionType):
        if isinstance(type_of(receiver), TensorType):
            return call_tensor_method(frame, receiver, name, args, kwargs, callee.function)
        return python_function(frame, callee.function, [receiver, *args], kwargs)
    if isinstance(receiver, ModuleItem):
        raise CompileError(f"{callee.describe()} cannot be compiled")
    if isinstance(type_of(receiver), TensorType):
        return call_tensor_method(frame, receiver, name, args, kwargs, None)
    if type_of(receiver) == GENERATOR:
        return call_generator_method(frame, receiver, name, args, kwargs)
    return call_container_method(frame, receiver, name, args, kwargs)


def _is_builtin(receiver: Item) -> bool:
    """Whether it is a tensor, number, string or container of Python's own."""
    if isinstance(receiver, TupleItem) and receiver.named is not None:
        return False
    type = type_of(receiver)
    return type is not None and not object_members(type) and not isinstance(type, NamedTupleType)


def _super(frame: Frame, node: ast.Call) -> Item:
    first = next(iter(frame.environment.names.values()), None)
    if node.args:
        cls, first = (expression(frame, each) for each in node.args)
        owner = cls.object if isinstance(cls, PythonItem) else None
    else:
        owner = frame.owner
    if first is None or owner is None:
        raise CompileError("super() works in methods")
    return SuperItem(first, owner, _class_of_receiver(frame, first))


def _class_of_receiver(frame: Frame, item: Item) -> type:
    if isinstance(item, ModuleItem):
        return type(item.module)
    if isinstance(item, PythonItem) and isinstance(item.object, type):
        return item.object
    cls = class_of(frame, item)
    if cls is None:
        raise CompileError(f"super() of {item.describe()} cannot be compiled")
    return cls


def _construct(frame: Frame, cls: type, args: list[Item], kwargs: dict[str, Item]) -> Item:
    """``cls(...)`` for the classes that exist at run time or while compiling."""
    if issubclass(cls, BaseException):
        return make_exception(frame, cls, args, kwargs)
    if issubclass(cls, tuple) and hasattr(cls, "_fields"):
        return _named_tuple(frame, cls, args, kwargs)
    if is_enum(cls) and len(args) == 1:
        return member_of(frame, cls, args[0])
    items = [*args, *kwargs.values()]
    if cls.__module__.partition(".")[0] in ("torch", "builtins", "collections") and all(
        isinstance(i, Constant) for i in items
    ):
        try:
            value = cls(*(a.value for a in args), **{k: v.value for k, v in kwargs.items()})  # type: ignore[attr-defined]
        except Exception as error:
            raise CompileError(f"this raises {type(error).__name__}: {error}") from None
        if is_constant_object(value):
            return Constant(value)
        if isinstance(value, torch.finfo | torch.iinfo):
            return PythonItem(value)
    if issubclass(cls, torch.nn.Module):
        return make_module(frame, cls, args, kwargs)
    if issubclass(cls, torch.autograd.Function) and not items:
        return PythonItem(cls)  # such an object has nothing of its own
    if is_user_class(cls):
        return construct(frame, cls, args, kwargs)
    raise CompileError(f"objects of the class {cls.__name__} cannot be compiled")


def _unpacked(frame: Frame, item: Item) -> Item:
    """A named tuple with its elements known one by one."""
    type = type_of(item)
    assert isinstance(type, NamedTupleType)
    cls = frame.compiler.classes.named_tuples.get((type.name, type.fields))
    values = frame.builder.tuple_unpack(frame.value(item))
    pairs = zip(values, type.elements, strict=True)
    return TupleItem(tuple(frame.dynamic(v, t) for v, t in pairs), cls)


def _named_tuple(
    frame: Frame,
    cls: Any,
    args: list[Item],
    kwargs: dict[str, Item],
    changes: dict[str, Item] | None = None,
) -> Item:
    """A new one; ``changes`` replaces what ``args`` give."""
    if changes:
        unknown = [name for name in changes if name not in cls._fields]
        if unknown:
            raise CompileError(f"{cls.__name__} has no field {unknown[0]}")
        pairs = zip(cls._fields, args, strict=True)
        args = [changes.get(name, item) for name, item in pairs]
    frame.compiler.classes.named_tuples[cls.__name__, tuple(cls._fields)] = cls
    found = dict(zip(cls._fields, args, strict=False))
    if len(args) > len(cls._fields):
        raise CompileError(f"{cls.__name__} has {len(cls._fields)} fields, not {len(args)}")
    for name, item in kwargs.items():
        if name not in cls._fields or name in found:
            raise CompileError(f"{cls.__name__} cannot take the field {name} here")
        found[name] = item
    for name, value in cls._field_defaults.items():
        if name not in found:
            found[name] = wrap(frame, value, name)
    missing = [name for name in cls._fields if name not in found]
    if missing:
        raise CompileError(f"{cls.__name__} lacks the field {', '.join(missing)}")
    return TupleItem(tuple(found[name] for name in cls._fields), cls)
