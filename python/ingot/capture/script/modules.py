"""Modules: their attributes, state, submodules and calls."""

from __future__ import annotations

import ast
import builtins
import difflib
import inspect
import types
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from ingot.capture.script.annotations import read_annotation
from ingot.capture.script.autograd_functions import Context, set_context
from ingot.capture.script.classes import in_class
from ingot.capture.script.diagnostics import Absent, CompileError
from ingot.capture.script.items import leaves, rebuild, type_of
from ingot.capture.script.language import (
    SIZE,
    has_hole,
    is_subtype,
    join,
    lower,
    may_be_none,
    without_none,
)
from ingot.capture.script.operations import call_op
from ingot.capture.script.sources import NoSource, source_of
from ingot.capture.script.values import (
    KEPT,
    NOTHING,
    CaughtItem,
    Constant,
    DictItem,
    Dynamic,
    InstanceItem,
    Item,
    ListItem,
    MethodItem,
    ModuleItem,
    Narrowed,
    PythonItem,
    is_constant_object,
)
from ingot.capture.script.wrapping import wrap, wrap_module
from ingot.ir.types import BOOL, INT, TENSOR, OptionalType, TensorType, TupleType, Type

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
    frame.compiler.read.add((item.path, name))
    tensor = module._parameters[name] if name in module._parameters else module._buffers[name]
    if tensor is None:
        return NOTHING
    return frame.dynamic(frame.builder.state(full_name(item, name)), TENSOR)


def module_attribute(frame: Frame, item: ModuleItem, name: str) -> Item:
    """``module.name``. Raises CompileError if there is none that can be compiled."""
    module = item.module
    frame.compiler.read.add((item.path, name))
    known = frame.compiler.knowledge.attributes.get((item.path, name))
    if known is not None:
        _declare(frame, item, name, known)
        key = attribute_key(item, name)
        now = frame.environment.names.get(key)
        if now is None:
            now = _read_state(frame, item, name, known)
        frame.environment.names[key] = now = frame.force(now)
        return now
    found = in_class(type(module), name)
    if isinstance(found, property):  # it comes before what the instance holds
        if found.fget is None:
            raise CompileError(f"the property {name} cannot be read")
        return frame.call(found.fget, item)
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
                raise Absent(
                    f"{item.describe()} has no attribute {name}{_similar(module, name)}",
                    f"set self.{name} in __init__",
                    "AttributeError",
                    f"{type(module).__name__!r} object has no attribute {name!r}",
                ) from None
            return wrap(frame, value, full_name(item, name))
    return wrap(frame, getattr(module, name), full_name(item, name))


def _similar(module: torch.nn.Module, name: str) -> str:
    close = difflib.get_close_matches(name, dir(module), 1)
    return f"; did you mean {close[0]}?" if close else ""


def _instance_value(frame: Frame, item: ModuleItem, name: str, value: Any) -> Item:
    if isinstance(value, torch.Tensor):
        entry = frame.compiler.state.add_constant(value, full_name(item, name))
        return frame.dynamic(frame.builder.state(entry), TENSOR)
    found = wrap(frame, value, full_name(item, name))
    if isinstance(found, ListItem | DictItem):
        return replace(found, kept=(item, name))
    return found


def attribute_key(item: ModuleItem, name: str) -> str:
    """The name under which an environment has what is known of an attribute."""
    return KEPT + full_name(item, name)


def _may_be_unset(frame: Frame, owner: ModuleItem | InstanceItem, name: str) -> bool:
    """Whether the state entry is None until something assigns it."""
    knowledge = frame.compiler.knowledge
    return (owner.path, name) in knowledge.beginnings or (owner.path, name) in knowledge.late


def part_of_sequential(frame: Frame, item: ModuleItem, bounds: slice) -> ModuleItem:
    """``sequential[1:3]``: a Sequential of the same modules."""
    compiler = frame.compiler
    key = (id(item.module), bounds.start, bounds.stop, bounds.step)
    part = compiler.parts.get(key)
    if part is None:
        part = compiler.parts[key] = item.module[bounds]  # type: ignore[index]
        part.training = item.module.training
        compiler.state.paths[id(part)] = full_name(item, f"part{len(compiler.parts)}")
    return ModuleItem(part, compiler.state.paths[id(part)])


def _read_state(frame: Frame, item: ModuleItem, name: str, known: Type) -> Item:
    value = frame.builder.state(full_name(item, name))
    if _may_be_unset(frame, item, name):
        value = frame.builder.cast(value, lower(known))
    return frame.dynamic(value, known)


def changeable(frame: Frame, item: Item, empty: Type | None = None) -> Item:
    """The list or dict as one that the program can change. ``empty`` is the type of one that is
    empty and not annotated.

    One that a module keeps becomes state; the compilation then begins again.
    Raises CompileError for a list or dict that exists only while compiling.
    """
    if not isinstance(item, ListItem | DictItem):
        return item
    if item.kept is None:
        raise CompileError(
            f"{item.describe()} is known while compiling and cannot be changed",
            "make it inside the function, or keep it as an attribute of a module",
        )
    owner, name = item.kept
    learn_container(frame, owner, name, empty)
    return module_attribute(frame, owner, name)


def learn_container(frame: Frame, owner: ModuleItem, name: str, empty: Type | None) -> None:
    """Makes a list or dict of the module state; ``empty`` as for ``changeable``."""
    type = _initial_type(frame, owner, name) or empty
    if type is None or has_hole(type):
        raise CompileError(
            f"what the attribute {name} is to hold is not known",
            f"annotate it in the class, for example {name}: list[int]",
        )
    _note_beginning(frame, owner, name)
    frame.compiler.knowledge.learn(owner.path, name, type)


def begin(frame: Frame, root: ModuleItem) -> None:
    """At the start of an exported method: attributes get the values they have in Python."""
    beginnings = frame.compiler.knowledge.beginnings
    if not beginnings:
        return
    builder = frame.builder
    frame.compiler.state.add_attribute(_BEGUN, False, BOOL)
    branch = builder.if_(builder.state(_BEGUN))
    with builder.at(branch.blocks[1]):
        builder.set_state(_BEGUN, builder.constant(True))
        for (path, name), (owner, value) in beginnings.items():
            type = frame.compiler.knowledge.attributes[path, name]
            _declare(frame, owner, name, type)
            item = wrap(frame, value, full_name(owner, name))
            fresh = (call_op(frame, "aten::clone", [leaf]) for leaf in leaves(item))
            builder.set_state(full_name(owner, name), frame.value(rebuild(item, fresh), type))  # type: ignore[arg-type]


_BEGUN = "attributes have begun"


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
    from ingot.capture.script.objects import (
        object_members,
        set_object_attribute,
        set_property,
    )
    from ingot.capture.script.own_exceptions import caught_object

    if object_members(type_of(owner)):
        set_object_attribute(frame, owner, name, item)
        return
    if isinstance(owner, CaughtItem):
        set_object_attribute(frame, caught_object(frame, owner, name), name, item)
        return
    if isinstance(owner, PythonItem) and isinstance(owner.object, Context):
        set_context(frame, name, item)
        return
    if isinstance(type_of(owner), TensorType):
        _set_tensor_attribute(frame, owner, name, item)
        return
    if not isinstance(owner, ModuleItem):
        raise CompileError(f"attributes of {owner.describe()} cannot be assigned")
    module = owner.module
    if set_property(frame, type(module), owner, name, item):
        return
    entry = full_name(owner, name)
    if name in module._parameters or name in module._buffers:
        if (module._parameters.get(name), module._buffers.get(name)) == (None, None):
            _learn(frame, owner, name, item)
            frame.builder.set_state(entry, frame.value(item, _known(frame, owner, name)))
            frame.compiler.writes += 1
            frame.environment.names.pop(attribute_key(owner, name), None)
            return
        frame.builder.set_state(entry, frame.value(item, TENSOR))
        frame.compiler.program.state[entry].type = TENSOR
        return
    if name in module._modules:
        raise CompileError(f"the submodule {name} cannot be replaced while the program runs")
    _learn(frame, owner, name, item)
    known = _known(frame, owner, name)
    _declare(frame, owner, name, known)
    value = frame.value(item, known)
    frame.builder.set_state(entry, value)
    frame.compiler.writes += 1
    key = attribute_key(owner, name)
    if item == NOTHING:
        frame.environment.names[key] = NOTHING
    elif isinstance(item, Dynamic) and item.value is value:
        frame.environment.names[key] = item
    else:
        frame.environment.names[key] = _unless_none(frame.dynamic(value, known), item)


def _set_tensor_attribute(frame: Frame, owner: Item, name: str, item: Item) -> None:
    """What ``x.requires_grad = False`` says means nothing in a program without gradients."""
    from ingot.capture.script.replaced_data import replace_data

    if name in ("requires_grad", "grad", "retains_grad"):
        return
    if name == "data":
        replace_data(frame, owner, item)
        return
    raise CompileError(f"the attribute {name} of a Tensor cannot be assigned")


def _unless_none(whole: Dynamic, item: Item) -> Item:
    """A value of an Optional type that an item gave which is not None."""
    type = type_of(item)
    if type is None or may_be_none(type) or not may_be_none(whole.type):
        return whole
    return Narrowed(whole, without_none(whole.type))


def _known(frame: Frame, owner: ModuleItem | InstanceItem, name: str) -> Type:
    return frame.compiler.knowledge.attributes[owner.path, name]


def _learn(frame: Frame, owner: ModuleItem | InstanceItem, name: str, item: Item) -> None:
    """Makes the attribute one that changes, of a type that holds the item."""
    actual = type_of(item)
    if actual is None:
        raise CompileError(f"{item.describe()} cannot be kept by a module")
    knowledge = frame.compiler.knowledge
    known = knowledge.attributes.get((owner.path, name))
    if known is None and _comes_late(frame, owner, name, actual):
        knowledge.late.add((owner.path, name))
        known = actual
    if known is None:
        initial = _initial_type(frame, owner, name)
        known = actual if initial is None else initial
    if not is_subtype(actual, known):
        together = join(known, actual)
        if together is None and all(map(_is_sizes, (known, actual))):
            together = SIZE
        if together is None:
            raise CompileError(
                f"the attribute {name} is {known} and is given {item.describe()}",
                f"give self.{name} one type, or annotate it in the class",
            )
        known = together
    if (owner.path, name) in knowledge.late and may_be_none(known):
        raise _not_there(owner, name)
    _note_beginning(frame, owner, name)
    unread = isinstance(owner, ModuleItem) and (owner.path, name) not in frame.compiler.read
    knowledge.learn(owner.path, name, known, unread)


def _comes_late(frame: Frame, owner: ModuleItem | InstanceItem, name: str, type: Type) -> bool:
    """Whether it is an attribute that the module gets when the program first assigns it, and that
    nothing compiled before has asked for."""
    if not isinstance(owner, ModuleItem) or (owner.path, name) in frame.compiler.read:
        return False
    missing = not hasattr(owner.module, name) and not may_be_none(type) and not has_hole(type)
    annotated = _annotated_type(frame, owner, name)
    return missing and (annotated is None or not may_be_none(annotated))


def _is_sizes(type: Type) -> bool:
    """Whether it is a torch.Size, or a tuple of ints, which one may take the place of."""
    return type == SIZE or (isinstance(type, TupleType) and set(type.elements) == {INT})


def _note_beginning(frame: Frame, owner: ModuleItem | InstanceItem, name: str) -> None:
    value = getattr(owner.module, name, None)
    if not isinstance(value, torch.Tensor) and not _is_literal(value):
        frame.compiler.knowledge.beginnings[owner.path, name] = (owner, value)


def _is_literal(value: Any) -> bool:
    """Whether a file holds the value as it is."""
    if isinstance(value, list | torch.Size) or value.__class__ is tuple:
        return all(map(_is_literal, value))
    if isinstance(value, dict):
        return all(_is_literal(part) for pair in value.items() for part in pair)
    return is_constant_object(value)


def _annotation_in_init(cls: type, name: str) -> Any:
    """What ``self.name: annotation = ...`` in ``__init__`` says; None without one."""
    init = vars(cls).get("__init__")
    if not isinstance(init, types.FunctionType):
        return None
    try:
        tree = source_of(init).node
    except NoSource:
        return None
    for node in ast.walk(tree):
        match node:
            case ast.AnnAssign(target=ast.Attribute(value=ast.Name(), attr=attr)) if attr == name:
                scope = {**vars(builtins), **init.__globals__}
                try:
                    return eval(ast.unparse(node.annotation), scope)
                except Exception:
                    return None
    return None


def _annotated_type(frame: Frame, owner: ModuleItem | InstanceItem, name: str) -> Type | None:
    for cls in type(owner.module).__mro__:
        if cls is torch.nn.Module:
            break
        annotation = inspect.get_annotations(cls).get(name)
        if annotation is None:
            annotation = _annotation_in_init(cls, name)
        if annotation is not None:
            return read_annotation(annotation, frame)
    return None


def _not_there(owner: ModuleItem | InstanceItem, name: str) -> CompileError:
    return CompileError(
        f"{owner.describe()} has no attribute {name} before forward runs",
        f"set self.{name} in __init__",
    )


def _initial_type(frame: Frame, owner: ModuleItem | InstanceItem, name: str) -> Type | None:
    annotated = _annotated_type(frame, owner, name)
    missing = object()
    value = getattr(owner.module, name, missing)
    if annotated is not None and (value is not missing or may_be_none(annotated)):
        return annotated
    if value is missing:
        raise _not_there(owner, name)
    if isinstance(value, torch.Tensor):
        return TENSOR
    initial = type_of(wrap(frame, value, name))
    return None if initial is None or has_hole(initial) else initial


def _declare(frame: Frame, owner: ModuleItem | InstanceItem, name: str, type: Type) -> None:
    """The state entry of an attribute that methods assign."""
    value = getattr(owner.module, name, None)
    lowered = lower(type)
    if _may_be_unset(frame, owner, name):
        value, lowered = None, OptionalType(lowered)
    elif not isinstance(value, torch.Tensor):
        value = _literal(frame, value)
    frame.compiler.state.add_attribute(full_name(owner, name), value, lowered)


def _literal(frame: Frame, value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(_literal(frame, each) for each in value)
    if isinstance(value, dict):
        return tuple((_literal(frame, k), _literal(frame, v)) for k, v in value.items())
    item = wrap(frame, value, "attribute")
    if not isinstance(item, Constant):
        raise CompileError(f"{item.describe()} cannot be kept by a module")
    return frame.literal(item.value)
