"""Exceptions made: builtin classes, and classes whose own ``__init__`` and ``__str__`` run.

A raised exception is its class's name and its text. Where a handler asks for more, the object
of the user's class goes along: what raises it leaves it in the program's state, a Try takes it
from there at once, and what raises it again puts it back.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.items import type_of
from ingot.capture.script.language import ObjectType, lower, without_none
from ingot.capture.script.state import Restart
from ingot.capture.script.values import (
    EMPTY,
    NOTHING,
    CaughtItem,
    ExceptionItem,
    InstanceItem,
    Item,
    TupleItem,
)
from ingot.ir.types import NONE, STR

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame

_PARTS = 4
"""The parts of a caught exception that are no objects."""

_TEXT = "__text__"
"""The attribute with what ``str()`` gives, unless the class writes its own ``__str__``."""


def make_exception(
    frame: Frame, cls: type, args: Sequence[Item], kwargs: dict[str, Item]
) -> ExceptionItem:
    """``cls(*args, **kwargs)``."""
    init, as_text = (_written(cls, name) for name in ("__init__", "__str__"))
    for name in ("__new__", "__getattr__", "__getattribute__"):
        if _written(cls, name) is not None:
            raise CompileError(
                f"the exception class {cls.__name__} defines {name}, which cannot be compiled",
                "write plain attributes and methods",
            )
    kind = frame.compiler.exceptions.name(cls)
    if init is None and kwargs:
        raise CompileError(f"{cls.__name__} takes no keyword arguments")
    kept = any(issubclass(cls, each) for each in frame.compiler.knowledge.read_exceptions)
    if init is None and as_text is None and not kept:
        if not _is_regular(cls, args) or _written(cls, "__repr__") is not None:
            frame.compiler.exceptions.note_irregular(cls)
        return ExceptionItem(kind, _text(frame, cls, args), cls)
    return _made(frame, cls, kind, list(args), kwargs, as_text)


def _made(
    frame: Frame,
    cls: type,
    kind: str,
    args: list[Item],
    kwargs: dict[str, Item],
    as_text: types.FunctionType | None,
) -> ExceptionItem:
    from ingot.capture.script.objects import initialise, object_attribute, set_object_attribute

    if as_text is not None or _written(cls, "__repr__") is not None:
        frame.compiler.exceptions.note_irregular(cls)
    type = frame.compiler.classes.type_of(frame, cls)
    made = frame.dynamic(frame.builder.create_object(lower(type)), type)  # type: ignore[arg-type]
    if as_text is None:
        set_object_attribute(frame, made, _TEXT, _text(frame, cls, args))
        if not _is_regular(cls, args):
            frame.compiler.exceptions.note_irregular(cls)
    if _written(cls, "__init__") is not None:
        initialise(frame, cls, made, args, kwargs)
    text = object_attribute(frame, made, _TEXT) if as_text is None else frame.call(as_text, made)
    if type_of(text) != STR:
        raise CompileError(f"{cls.__name__}.__str__ gives {text.describe()}, no str")
    return ExceptionItem(kind, text, cls, made)


class Raised:
    """Whose attributes are the objects raised last, by the classes that handlers ask for."""


def _slot(frame: Frame, cls: type) -> tuple[InstanceItem, str]:
    """Where the object goes of an exception that ``except cls`` would catch."""
    holder = frame.compiler.raised
    name = frame.compiler.exceptions.name(cls)
    setattr(holder, name, None)
    path = frame.compiler.state.path_of(holder, "raised")
    return InstanceItem(holder, path, ObjectType(Raised, "Raised")), name


def keep_raised(frame: Frame, item: ExceptionItem) -> None:
    """Before the exception is raised: its object is there for handlers that ask for it."""
    from ingot.capture.script.modules import assign_state

    for cls in frame.compiler.knowledge.read_exceptions:
        if issubclass(item.cls, cls):
            assign_state(frame, *_slot(frame, cls), item.made or NOTHING)
            frame.compiler.writes += 1


def raised_objects(frame: Frame) -> list[Item]:
    """After a Try: for each class that handlers ask for, the object that was raised last."""
    from ingot.capture.script.modules import state_attribute

    classes = frame.compiler.knowledge.read_exceptions
    return [state_attribute(frame, *_slot(frame, cls)) or NOTHING for cls in classes]


def raise_caught(frame: Frame, caught: CaughtItem) -> None:
    """Raises a caught exception again."""
    from ingot.capture.script.modules import assign_state

    parts, objects = caught.parts[:_PARTS], caught.parts[_PARTS:]
    for cls, made in zip(frame.compiler.knowledge.read_exceptions, objects, strict=True):
        if made != NOTHING:
            assign_state(frame, *_slot(frame, cls), made)
            frame.compiler.writes += 1
    frame.builder.reraise([frame.value(part) for part in parts])


def caught_object(frame: Frame, caught: CaughtItem, name: str) -> Item:
    """The object of a caught exception of a user's class, of which ``name`` is asked."""
    if not caught.classes or any(cls.__module__ == "builtins" for cls in caught.classes):
        raise CompileError(
            f"a caught exception has no attribute {name} in a program",
            "use str(e), or name the class that has it after except",
        )
    if len(caught.classes) > 1:
        raise CompileError(
            f"which class's {name} this is cannot be known", "write one except for each class"
        )
    (cls,) = caught.classes
    asked = frame.compiler.knowledge.read_exceptions
    if cls not in asked:
        asked[cls] = None
        raise Restart
    made = caught.parts[_PARTS + list(asked).index(cls)]
    type = type_of(made)
    if type is None or type == NONE:
        raise CompileError(f"nothing raises a {cls.__name__} whose {name} can be found")
    inner = without_none(type)
    return frame.dynamic(frame.builder.cast(frame.value(made), lower(inner)), inner)


def _written(cls: type, name: str) -> types.FunctionType | None:
    """The method, if a user's class writes it."""
    found = inspect.getattr_static(cls, name, None)
    found = found.__func__ if isinstance(found, staticmethod) else found
    return found if isinstance(found, types.FunctionType) else None


def _text(frame: Frame, cls: type, args: Sequence[Item]) -> Item:
    """What ``str()`` gives of an exception with these ``args``."""
    from ingot.capture.script.strings import as_repr, as_string

    if not args:
        return EMPTY
    if len(args) > 1:
        return as_repr(frame, TupleItem(tuple(args)))
    return (as_repr if issubclass(cls, KeyError) else as_string)(frame, args[0])


def _is_regular(cls: type, args: Sequence[Item]) -> bool:
    """Whether ``repr()`` follows from the text."""
    return len(args) == 1 and (issubclass(cls, KeyError) or type_of(args[0]) == STR)


class BaseInit:
    """``super().__init__`` of an exception: what it is given becomes the text."""

    def __init__(self, receiver: Item, cls: type) -> None:
        self.receiver = receiver
        self.cls = cls

    def compile(self, frame: Frame, *args: Item) -> Item:
        from ingot.capture.script.objects import set_object_attribute

        if _written(self.cls, "__str__") is None:
            set_object_attribute(frame, self.receiver, _TEXT, _text(frame, self.cls, args))
            if not _is_regular(self.cls, args):
                frame.compiler.exceptions.note_irregular(self.cls)
        return NOTHING
