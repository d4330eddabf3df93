"""Python objects that compiled code meets, as items."""

from __future__ import annotations

import random
import types
from typing import TYPE_CHECKING, Any

import numpy
import torch

from ingot.capture.script import distributions
from ingot.capture.script.classes import is_user_class
from ingot.capture.script.language import GENERATOR
from ingot.capture.script.values import (
    Constant,
    DictItem,
    InstanceItem,
    Item,
    ListItem,
    MethodItem,
    ModuleItem,
    PythonItem,
    RangeItem,
    SliceItem,
    TupleItem,
    is_constant_object,
)
from ingot.ir.types import TENSOR

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame


def wrap(frame: Frame, value: Any, name: str) -> Item:
    """The item of a Python object; ``name`` is what the source calls it."""
    if isinstance(value, type | types.FunctionType):
        value = distributions.SUBSTITUTES.get(value, value)
    if is_constant_object(value):
        return Constant(value)
    if isinstance(value, numpy.generic) and is_constant_object(value.item()):
        return Constant(value.item())
    if isinstance(value, torch.nn.Module):
        return wrap_module(frame, value, name)
    if isinstance(value, torch.Tensor):
        state = frame.compiler.state
        entry = state.add_constant(value, name.rpartition(".")[2] or "constant")
        return frame.dynamic(frame.builder.state(entry), TENSOR)
    if isinstance(value, torch.Generator):
        state = frame.compiler.state
        entry = state.add_generator(value, name.rpartition(".")[2] or "generator")
        return frame.dynamic(frame.builder.state(entry), GENERATOR)
    if isinstance(value, torch.Size):
        return TupleItem(tuple(map(Constant, value)))
    if isinstance(value, tuple):
        named = type(value) if hasattr(value, "_fields") else None
        return TupleItem(tuple(wrap(frame, v, name) for v in value), named)
    if isinstance(value, range):
        return RangeItem(Constant(value.start), Constant(value.stop), Constant(value.step))
    if isinstance(value, slice) and all(
        is_constant_object(part) for part in (value.start, value.stop, value.step)
    ):
        return SliceItem(Constant(value.start), Constant(value.stop), Constant(value.step))
    if isinstance(value, list):
        return ListItem(tuple(wrap(frame, v, f"{name}_{i}") for i, v in enumerate(value)))
    if isinstance(value, dict):
        return DictItem({k: wrap(frame, v, f"{name}_{k}") for k, v in value.items()})
    if isinstance(value, set | frozenset) and all(map(is_constant_object, value)):
        from ingot.capture.script.sets import make_set

        return make_set(frame, [Constant(each) for each in sorted(value, key=repr)])
    if isinstance(getattr(value, "__self__", None), random.Random):
        return PythonItem(value)
    if isinstance(value, types.MethodType):
        receiver = value.__self__
        if isinstance(receiver, torch.nn.Module):
            item = wrap_module(frame, receiver, name)
            return MethodItem(item, value.__name__, value.__func__)
        if not isinstance(receiver, type) and is_user_class(type(receiver)):
            return MethodItem(wrap(frame, receiver, name), value.__name__, value.__func__)
    if is_user_class(type(value)) and not callable(getattr(type(value), "__get__", None)):
        return wrap_instance(frame, value, name)
    return PythonItem(value)


def wrap_instance(frame: Frame, value: Any, name: str) -> Item:
    """An object that exists while compiling; of a class that cannot be compiled: itself."""
    from ingot.capture.script.diagnostics import CompileError

    try:
        known = frame.compiler.classes.type_of(frame, type(value))
    except CompileError:
        return PythonItem(value)
    return InstanceItem(value, frame.compiler.state.path_of(value, name), known)


def wrap_module(frame: Frame, module: torch.nn.Module, name: str) -> ModuleItem:
    """A module under the root, or one that a function uses, under the name it has there."""
    state = frame.compiler.state
    if isinstance(module, torch.jit.ScriptModule):
        module = state.plain_of(module)
    if id(module) not in state.paths:
        state.add_module(module, name)
    return ModuleItem(module, state.paths[id(module)])
