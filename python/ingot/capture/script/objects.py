"""Instances of the user's classes: made, read, assigned to, and their special methods."""

from __future__ import annotations

import ast
import dataclasses
import difflib
import functools
import inspect
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ingot.capture.script.annotations import annotation_of
from ingot.capture.script.classes import class_default, in_class, is_abstract
from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.flow import Junction
from ingot.capture.script.items import type_of
from ingot.capture.script.language import ObjectType, lower, settle
from ingot.capture.script.values import (
    KEPT,
    NOTHING,
    Constant,
    Dynamic,
    InstanceItem,
    Item,
    MethodItem,
    ModuleItem,
    PythonItem,
    TupleItem,
)
from ingot.capture.script.wrapping import wrap
from ingot.ir.graph import Value
from ingot.ir.types import NamedTupleType, Type, UnionType

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame

_WRITTEN_BY_DATACLASS = "<string>"
"""The file name of the code of methods that ``dataclasses`` generates."""


def object_members(type: Type | None) -> tuple[ObjectType, ...]:
    """The classes of a value that is an object whichever of its types it has; else none."""
    type = None if type is None else settle(type)
    if isinstance(type, ObjectType):
        return (type,)
    if isinstance(type, UnionType):
        members = tuple(e for e in type.elements if isinstance(e, ObjectType))
        return members if len(members) == len(type.elements) else ()
    return ()


def class_of(frame: Frame, item: Item) -> type | None:
    """The user's class of an object or NamedTuple, if it is one class."""
    if isinstance(item, InstanceItem):
        return item.type.cls
    if isinstance(item, TupleItem):
        return item.named
    if isinstance(item, Constant) and not isinstance(item.value, str | int | float):
        return type(item.value)
    found = type_of(item)
    if isinstance(found, ObjectType):
        return found.cls
    if isinstance(found, NamedTupleType):
        cls = frame.compiler.classes.named_tuples.get((found.name, found.fields))
        return cls if isinstance(cls, type) else None
    return None


# --- making ------------------------------------------------------------------------------


def construct(frame: Frame, cls: type, args: list[Item], kwargs: dict[str, Item]) -> Item:
    """``cls(*args, **kwargs)``."""
    known = frame.compiler.classes.type_of(frame, cls)
    if is_abstract(cls):
        missing = ", ".join(sorted(getattr(cls, "__abstractmethods__", ()))) or "its methods"
        raise CompileError(
            f"{cls.__name__} is abstract: it lacks {missing}", "make one of its subclasses"
        )
    object = frame.dynamic(frame.builder.create_object(lower(known)), known)  # type: ignore[arg-type]
    for name, field in list(frame.compiler.classes.fields(cls).items()):
        default = class_default(cls, name)
        if default is not inspect.Parameter.empty and field.type is not None:
            _store(frame, object, name, wrap(frame, default, name))
    initialise(frame, cls, object, args, kwargs)
    return object


def initialise(
    frame: Frame, cls: type, object: Item, args: list[Item], kwargs: dict[str, Item]
) -> None:
    """Calls ``__init__``."""
    init = cls.__init__  # type: ignore[misc]
    if isinstance(init, types.FunctionType) and init.__module__ != "typing":
        if is_generated(init):
            initialise_dataclass(frame, cls, object, args, kwargs)
        else:
            frame.compiler.call(frame, init, [object, *args], kwargs, frame.node)
    elif args or kwargs:
        raise CompileError(f"{cls.__name__} takes no arguments")


def is_generated(function: Any) -> bool:
    """Whether ``dataclasses`` wrote the method."""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    code = getattr(function, "__code__", None)
    return code is not None and code.co_filename == _WRITTEN_BY_DATACLASS


def initialise_dataclass(
    frame: Frame, cls: Any, object: Item, args: list[Item], kwargs: dict[str, Item]
) -> None:
    """What the generated ``__init__`` does."""
    every = [f for f in cls.__dataclass_fields__.values() if f._field_type is not
             dataclasses._FIELD_CLASSVAR]  # type: ignore[attr-defined]  # fmt: skip
    positional = [f.name for f in every if f.init and not f.kw_only]
    if len(args) > len(positional):
        raise CompileError(
            f"{cls.__name__} takes {len(positional)} positional arguments, not {len(args)}"
        )
    given = dict(zip(positional, args, strict=False))
    names = {f.name for f in every if f.init}
    for name, item in kwargs.items():
        if name not in names:
            close = difflib.get_close_matches(name, names, 1)
            raise CompileError(
                f"{cls.__name__} has no field {name!r}"
                + (f"; did you mean {close[0]}?" if close else "")
            )
        if name in given:
            raise CompileError(f"{cls.__name__} is given the field {name!r} twice")
        given[name] = item
    missing = [f.name for f in every if f.init and f.name not in given and not has_default(f)]
    if missing:
        raise CompileError(f"{cls.__name__} lacks the field {', '.join(missing)}")
    later: list[Item] = []
    for f in every:
        if f.name in given:
            item = given[f.name]
        elif f.default_factory is not dataclasses.MISSING:
            from ingot.capture.script.calls import call

            item = call(frame, wrap(frame, f.default_factory, f.name), [], {})
        elif f.default is not dataclasses.MISSING:
            item = wrap(frame, f.default, f.name)
        else:
            continue
        if f._field_type is dataclasses._FIELD_INITVAR:  # type: ignore[attr-defined]
            later.append(item)
        else:
            _store(frame, object, f.name, item)
    after = getattr(cls, "__post_init__", None)
    if isinstance(after, types.FunctionType):
        frame.call(after, object, *later)


def has_default(field: Any) -> bool:
    return (
        field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
    )


def materialise(frame: Frame, item: InstanceItem) -> Value:
    """A captured object as a value of the program: a copy, which nothing may change."""
    classes = frame.compiler.classes
    cls = item.type.cls
    classes.copied.setdefault(cls, (frame, frame.node))
    made = frame.dynamic(frame.builder.create_object(lower(item.type)), item.type)  # type: ignore[arg-type]
    for name, value in attributes_of(item.object).items():
        _store(frame, made, name, wrap(frame, value, f"{item.path}.{name}"))
    return made.value


def attributes_of(object: Any) -> dict[str, Any]:
    """The attributes that an instance holds itself, in its dict or in slots."""
    found = dict(getattr(object, "__dict__", {}))
    for cls in type(object).__mro__:
        slots = vars(cls).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(object, name):
                found[name] = getattr(object, name)
    return found


# --- reading and assigning ---------------------------------------------------------------


def object_key(frame: Frame, owner: Item, name: str) -> str:
    """The name under which an environment has what was found out of an object's attribute; "" if
    nothing can be. Whatever may assign attributes of objects makes it another name."""
    if not isinstance(owner, Dynamic) or len(object_members(owner.type)) != 1:
        return ""
    (type,) = object_members(owner.type)
    if isinstance(in_class(type.cls, name), property):
        return ""
    root = owner.origin or owner
    frame.compiler.keep_alive(root.value)
    writes = frame.compiler.object_writes
    return f"{KEPT}.{id(root.value)}.{name}.{writes[name]}.{writes['']}"


def object_attribute(frame: Frame, item: Item, name: str) -> Item:
    """``item.name`` of an object. Raises CompileError if its class has none."""
    members = object_members(type_of(item))
    if len(members) > 1:
        found = [in_class(m.cls, name) for m in members]
        if all(isinstance(f, types.FunctionType) for f in found):
            return MethodItem(item, name)
        return dispatch(frame, item, lambda each: object_attribute(frame, each, name))
    (type,) = members
    cls = type.cls
    if name == "__class__":
        return PythonItem(cls)
    found = in_class(cls, name)
    if isinstance(found, property | functools.cached_property):
        return read_property(frame, item, name, found)
    key = object_key(frame, item, name)
    if key in frame.environment.names:
        known = frame.read(key)
        if known is not None:
            return known
    held = _instance_attribute(frame, item, cls, name)
    if held is not None:
        return held
    member = class_member(frame, item, cls, name)
    if member is not None:
        return member
    names = [*frame.compiler.classes.fields(cls), *(n for n in dir(cls) if not n.startswith("__"))]
    close = difflib.get_close_matches(name, names, 1)
    raise CompileError(
        f"an object of the class {cls.__name__} has no attribute {name}",
        f"did you mean {close[0]}?" if close else f"set self.{name} in __init__",
    )


def _instance_attribute(frame: Frame, item: Item, cls: type, name: str) -> Item | None:
    if isinstance(item, InstanceItem):
        from ingot.capture.script.modules import state_attribute

        known = state_attribute(frame, item, name)
        if known is not None:
            return known
        attributes = attributes_of(item.object)
        if name in attributes:
            return wrap(frame, attributes[name], f"{item.path}.{name}")
        return None
    field = frame.compiler.classes.field(frame, cls, name)
    if field is None:
        return None
    if field.item is not None:
        return field.item
    assert field.type is not None
    value = frame.builder.get_attribute(frame.value(item), name, lower(field.type))
    return frame.dynamic(value, settle(field.type))


def read_property(frame: Frame, item: Item, name: str, found: Any) -> Item:
    function = found.fget if isinstance(found, property) else found.func
    if function is None:
        raise CompileError(f"the property {name} cannot be read")
    return frame.call(function, item)


def class_member(frame: Frame, item: Item, cls: type, name: str) -> Item | None:
    """A method or constant that instances find in their class."""
    found = in_class(cls, name)
    match found:
        case None:
            return None
        case types.FunctionType():
            return MethodItem(item, name, found)
        case staticmethod():
            return wrap(frame, found.__func__, name)
        case classmethod():
            return MethodItem(PythonItem(cls), name, found.__func__)
        case types.MemberDescriptorType() | types.GetSetDescriptorType():
            return None
        case types.WrapperDescriptorType() | types.MethodDescriptorType():
            return None
    return wrap(frame, getattr(cls, name), f"{cls.__name__}.{name}")


def set_property(frame: Frame, cls: type, owner: Item, name: str, item: Item) -> bool:
    """``owner.name = item`` by the setter of its class; False if ``name`` is no property."""
    found = in_class(cls, name)
    if not isinstance(found, property):
        return False
    if found.fset is None:
        raise CompileError(
            f"the property {name} of {cls.__name__} cannot be assigned",
            f"write a setter with @{name}.setter",
        )
    frame.call(found.fset, owner, item)
    return True


def set_object_attribute(frame: Frame, owner: Item, name: str, item: Item) -> None:
    """``owner.name = item``."""
    members = object_members(type_of(owner))
    if len(members) > 1:

        def each(narrow: Item) -> Item:
            set_object_attribute(frame, narrow, name, item)
            return NOTHING

        dispatch(frame, owner, each)
        return
    (type,) = members
    cls: Any = type.cls
    if set_property(frame, cls, owner, name, item):
        return
    parameters = getattr(cls, "__dataclass_params__", None)
    if parameters is not None and parameters.frozen:
        raise CompileError(
            f"{cls.__name__} is frozen: its attribute {name} cannot be assigned",
            "make a new object with dataclasses.replace",
        )
    if isinstance(owner, InstanceItem):
        from ingot.capture.script.modules import assign_state

        assign_state(frame, owner, name, item)
        return
    if frame.source.name not in ("__init__", "__post_init__"):
        frame.compiler.classes.changing.add(cls)
    _store(frame, owner, name, item)


def _store(frame: Frame, owner: Item, name: str, item: Item) -> None:
    type = type_of(owner)
    assert isinstance(type, ObjectType)
    frame.compiler.object_writes[name] += 1
    field = frame.compiler.classes.learn(frame, type.cls, name, item, type_of(item))
    if field.type is None:
        return
    try:
        value = frame.value(item, field.type)
    except CompileError:
        raise CompileError(
            f"the attribute {name} of {type} is {settle(field.type)} and is given "
            f"{item.describe()}",
            f"give {name} one type, or change its annotation",
        ) from None
    frame.builder.set_attribute(frame.value(owner), name, value)
    key = object_key(frame, owner, name)
    if key and isinstance(item, Dynamic) and item.value is value:
        frame.environment.names[key] = item  # what is read until the next assignment


def declare_attribute(frame: Frame, owner: Item, name: str, annotation: ast.expr) -> Type | None:
    """``self.name: annotation``: the field's type from now on."""
    from ingot.capture.script.classes import Field
    from ingot.capture.script.state import Restart

    declared = annotation_of(frame, annotation)
    type = type_of(owner)
    if declared is not None and isinstance(type, ObjectType):
        fields = frame.compiler.classes.fields(type.cls)
        known = fields.get(name)
        fields[name] = Field(declared, declared=True)
        if known is not None and known.type is not None and settle(known.type) != declared:
            raise Restart
    return declared


# --- calls -------------------------------------------------------------------------------


def dispatch(frame: Frame, item: Item, each: Callable[[Item], Item]) -> Item:
    """What ``each`` gives for the class that the object has when the program runs."""
    value = frame.value(item)
    return _dispatch(frame, value, list(object_members(type_of(item))), each)


def _dispatch(
    frame: Frame, value: Value, members: list[ObjectType], each: Callable[[Item], Item]
) -> Item:
    first, rest = members[0], members[1:]
    builder = frame.builder
    if not rest:
        return each(frame.dynamic(builder.cast(value, lower(first)), first))
    branch = builder.if_(builder.is_instance(value, lower(first)))
    with builder.at(branch.blocks[0]):
        then = each(frame.dynamic(builder.cast(value, lower(first)), first))
    with builder.at(branch.blocks[1]):
        other = _dispatch(frame, value, rest, each)
    junction = Junction(frame, branch, frame.source.line(frame.node))
    result = junction.join_items(then, other, "the value")
    junction.finish()
    return result


def special(frame: Frame, item: Item, name: str, *args: Item, **kwargs: Item) -> Item | None:
    """``item.__name__(*args)``, None if the item's class does not write that method itself."""
    if isinstance(item, ModuleItem):
        written = inspect.getattr_static(type(item.module), name, None)
        if not isinstance(written, types.FunctionType) or is_of_torch(written):
            return None
        return frame.compiler.call(frame, written, [item, *args], kwargs, frame.node)
    members = object_members(type_of(item))
    if len(members) > 1:
        if all(isinstance(getattr(m.cls, name, None), types.FunctionType) for m in members):
            return dispatch(frame, item, lambda each: _required(frame, each, name, *args, **kwargs))
        return None
    cls = class_of(frame, item)
    if cls is None:
        return None
    found = in_class(cls, name)
    if isinstance(found, staticmethod):
        found = found.__func__
    if not isinstance(found, types.FunctionType):
        return None
    if is_generated(found):
        return _generated(frame, cls, item, name, args)
    if found.__module__ in _LIBRARIES:
        return None
    return frame.compiler.call(frame, found, [item, *args], kwargs, frame.node)


def is_of_torch(function: types.FunctionType) -> bool:
    return function.__module__.partition(".")[0] == "torch"


def _required(frame: Frame, item: Item, name: str, *args: Item, **kwargs: Item) -> Item:
    result = special(frame, item, name, *args, **kwargs)
    assert result is not None
    return result


_LIBRARIES = ("typing", "enum", "collections", "functools")
_ORDER = {"__lt__": ast.Lt, "__le__": ast.LtE, "__gt__": ast.Gt, "__ge__": ast.GtE}


def _generated(
    frame: Frame, cls: Any, item: Item, name: str, args: tuple[Item, ...]
) -> Item | None:
    """A method that ``dataclasses`` writes: comparison of the fields, or their repr."""
    from ingot.capture.script.comparison import compare, equal

    if name == "__repr__":
        return _dataclass_repr(frame, cls, item)
    other: Any = class_of(frame, args[0]) if args else None
    if other is not cls:
        return None
    fields = [f.name for f in dataclasses.fields(cls) if f.compare]
    sides = [
        TupleItem(tuple(object_attribute(frame, each, f) for f in fields))
        for each in (item, args[0])
    ]
    if name == "__eq__":
        return equal(frame, *sides)
    return compare(frame, _ORDER[name](), *sides) if name in _ORDER else None


def _dataclass_repr(frame: Frame, cls: Any, item: Item) -> Item:
    from ingot.capture.script.strings import as_repr, concatenate

    parts: list[Item] = [Constant(f"{cls.__qualname__}(")]
    shown = [f.name for f in dataclasses.fields(cls) if f.repr]
    for number, name in enumerate(shown):
        parts.append(Constant(f"{', ' if number else ''}{name}="))
        parts.append(as_repr(frame, object_attribute(frame, item, name)))
    return concatenate(frame, [*parts, Constant(")")])


def replace(frame: Frame, item: Item, **changes: Item) -> Item:
    """``dataclasses.replace``."""
    cls: Any = class_of(frame, item)
    if cls is None or not dataclasses.is_dataclass(cls):
        raise CompileError(f"{item.describe()} is no dataclass object")
    for field in dataclasses.fields(cls):
        if field.init and field.name not in changes:
            changes[field.name] = object_attribute(frame, item, field.name)
    return construct(frame, cls, [], changes)  # type: ignore[arg-type]


def copy_object(frame: Frame, item: Item) -> Item:
    """Another object with the same attributes."""
    (type,) = object_members(type_of(item))
    made = frame.dynamic(frame.builder.create_object(lower(type)), type)  # type: ignore[arg-type]
    for name, field in list(frame.compiler.classes.fields(type.cls).items()):
        if field.type is not None:
            value = frame.builder.get_attribute(frame.value(item), name, lower(field.type))
            frame.track(value, field.type)
            frame.builder.set_attribute(made.value, name, value)
    return made


def as_tuple(frame: Frame, item: Item) -> Item:
    """``dataclasses.astuple`` of an object without objects inside."""
    cls: Any = class_of(frame, item)
    if cls is None or not dataclasses.is_dataclass(cls):
        raise CompileError(f"{item.describe()} is no dataclass object")
    items = tuple(object_attribute(frame, item, f.name) for f in dataclasses.fields(cls))
    if any(object_members(type_of(each)) for each in items):
        raise CompileError("astuple of objects inside objects cannot be compiled")
    return TupleItem(items)
