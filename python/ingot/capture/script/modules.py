"""Modules: their attributes, state, submodules and calls."""

from __future__ import annotations

import inspect
import types
from typing import TYPE_CHECKING, Any

import torch

from ingot.capture.script.annotations import read_annotation
from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.items import type_of
from ingot.capture.script.language import has_hole, is_subtype, join, lower
from ingot.capture.script.values import (
    NOTHING,
    Constant,
    InstanceItem,
    Item,
    MethodItem,
    ModuleItem,
    PythonItem,
)
from ingot.capture.script.wrapping import wrap, wrap_module
from ingot.ir.types import TENSOR, Type

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame


def full_name(item: ModuleItem | InstanceItem, name: str) -> str:
    """The ``state_dict`` name of an entry of the module."""
    return f"{item.path}.{name}" if item.path else name


def child(frame: Frame, item: ModuleItem, name: str) -> Item:
    """A submodule; None stays None."""
    module = item.module._modules[name]
    if module is None:
        return NOTHING
    return wrap_module(frame, module, full_name(item, name))


def parameter(frame: Frame, item: ModuleItem, name: str) -> Item:
    """A parameter or buffer as a value; None stays None."""
    module = item.module
    tensor = module._parameters[name] if name in module._parameters else module._buffers[name]
    if tensor is None:
        return NOTHING
    return frame.dynamic(frame.builder.state(full_name(item, name)), TENSOR)


def module_attribute(frame: Frame, item: ModuleItem, name: str) -> Item:
    """``module.name``. Raises CompileError if there is none that can be compiled."""
    module = item.module
    assigned = state_attribute(frame, item, name)
    if assigned is not None:
        return assigned
    found = inspect.getattr_static(type(module), name, None)
    if isinstance(found, property):  # it comes before what the instance holds
        if found.fget is None:
            raise CompileError(f"the property {name} cannot be read")
        return frame.compiler.call(frame, found.fget, [item], {}, frame.node)
    if name in module._parameters or name in module._buffers:
        return parameter(frame, item, name)
    if name in module._modules:
        return child(frame, item, name)
    if name in module.__dict__:
        return _instance_value(frame, item, name, module.__dict__[name])
    match found:
        case types.FunctionType():
            return MethodItem(item, name, found)
        case staticmethod():
            return PythonItem(found.__func__)
        case classmethod():
            return MethodItem(PythonItem(type(module)), name, found.__func__)
        case None:
            try:
                value = getattr(module, name)
            except AttributeError:
                raise CompileError(
                    f"{item.describe()} has no attribute {name}", f"set self.{name} in __init__"
                ) from None
            return wrap(frame, value, full_name(item, name))
    return wrap(frame, getattr(module, name), full_name(item, name))


def _instance_value(frame: Frame, item: ModuleItem, name: str, value: Any) -> Item:
    if isinstance(value, torch.Tensor):
        entry = frame.compiler.state.add_constant(value, full_name(item, name))
        return frame.dynamic(frame.builder.state(entry), TENSOR)
    return wrap(frame, value, full_name(item, name))


def state_attribute(frame: Frame, item: ModuleItem | InstanceItem, name: str) -> Item | None:
    """An attribute that the program assigns, as it is now; None if it assigns none so named."""
    known = frame.compiler.knowledge.attributes.get((item.path, name))
    if known is None:
        return None
    _declare(frame, item, name, known)
    return frame.dynamic(frame.builder.state(full_name(item, name)), known)


def assign_state(frame: Frame, owner: ModuleItem | InstanceItem, name: str, item: Item) -> None:
    """Makes the attribute a state entry and writes it."""
    _learn(frame, owner, name, item)
    known = _known(frame, owner, name)
    _declare(frame, owner, name, known)
    frame.builder.set_state(full_name(owner, name), frame.value(item, known))


def set_attribute(frame: Frame, owner: Item, name: str, item: Item) -> None:
    """``owner.name = item``: an object's attribute, or a state entry that the program writes."""
    from ingot.capture.script.objects import object_members, set_object_attribute

    if object_members(type_of(owner)):
        set_object_attribute(frame, owner, name, item)
        return
    if not isinstance(owner, ModuleItem):
        raise CompileError(f"attributes of {owner.describe()} cannot be assigned")
    module = owner.module
    entry = full_name(owner, name)
    if name in module._parameters or name in module._buffers:
        if (module._parameters.get(name), module._buffers.get(name)) == (None, None):
            _learn(frame, owner, name, item)
            frame.builder.set_state(entry, frame.value(item, _known(frame, owner, name)))
            return
        frame.builder.set_state(entry, frame.value(item, TENSOR))
        frame.compiler.program.state[entry].type = TENSOR
        return
    if name in module._modules:
        raise CompileError(f"the submodule {name} cannot be replaced while the program runs")
    assign_state(frame, owner, name, item)


def _known(frame: Frame, owner: ModuleItem | InstanceItem, name: str) -> Type:
    return frame.compiler.knowledge.attributes[owner.path, name]


def _learn(frame: Frame, owner: ModuleItem | InstanceItem, name: str, item: Item) -> None:
    """Makes the attribute one that changes, of a type that holds the item."""
    actual = type_of(item)
    if actual is None:
        raise CompileError(f"{item.describe()} cannot be kept by a module")
    knowledge = frame.compiler.knowledge
    known = knowledge.attributes.get((owner.path, name))
    if known is None:
        initial = _initial_type(frame, owner, name)
        known = actual if initial is None else initial
    if not is_subtype(actual, known):
        together = join(known, actual)
        if together is None:
            raise CompileError(
                f"the attribute {name} is {known} and is given {item.describe()}",
                f"give self.{name} one type, or annotate it in the class",
            )
        known = together
    knowledge.learn(owner.path, name, known)


def _initial_type(frame: Frame, owner: ModuleItem | InstanceItem, name: str) -> Type | None:
    for cls in type(owner.module).__mro__:
        annotation = inspect.get_annotations(cls).get(name)
        if annotation is not None and cls is not torch.nn.Module:
            return read_annotation(annotation, frame)
    missing = object()
    value = getattr(owner.module, name, missing)
    if value is missing:
        raise CompileError(
            f"{owner.describe()} has no attribute {name} before forward runs",
            f"set self.{name} in __init__",
        )
    if isinstance(value, torch.Tensor):
        return TENSOR
    initial = type_of(wrap(frame, value, name))
    return None if initial is None or has_hole(initial) else initial


def _declare(frame: Frame, owner: ModuleItem | InstanceItem, name: str, type: Type) -> None:
    """The state entry of an attribute that methods assign."""
    value = getattr(owner.module, name, None)
    if not isinstance(value, torch.Tensor):
        value = _literal(frame, value)
    frame.compiler.state.add_attribute(full_name(owner, name), value, lower(type))


def _literal(frame: Frame, value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(_literal(frame, each) for each in value)
    item = wrap(frame, value, "attribute")
    if not isinstance(item, Constant):
        raise CompileError(f"{item.describe()} cannot be kept by a module")
    return frame.literal(item.value)


def call_module(frame: Frame, item: ModuleItem, args: list[Item], kwargs: dict[str, Item]) -> Item:
    """``module(...)``: its forward. Hooks would be lost, so they are refused."""
    module = item.module
    for hooks in ("_forward_hooks", "_forward_pre_hooks"):
        if getattr(module, hooks, None):
            raise CompileError(
                f"{item.describe()} has forward hooks, which are not compiled",
                "remove the hooks, or call the function in forward",
            )
    forward = module_attribute(frame, item, "forward")
    from ingot.capture.script.calls import call

    return call(frame, forward, args, kwargs)
