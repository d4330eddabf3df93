"""What is known of the user's classes: which can be compiled, and the attributes they have.

Attribute types come from annotations in the class, from what ``__init__`` and other methods
assign, and for a class that is never made, from a trial compilation of its ``__init__``.
"""

from __future__ import annotations

import abc
import enum
import inspect
import re
import types
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from ingot.capture.script import distributions
from ingot.capture.script.diagnostics import CompileError, Poisoned
from ingot.capture.script.language import ObjectType, is_subtype, join, lower, settle
from ingot.capture.script.state import Restart
from ingot.capture.script.values import Item, same
from ingot.ir.graph import Class
from ingot.ir.types import Type

if TYPE_CHECKING:
    from ingot.capture.script.compiler import Compiler
    from ingot.capture.script.frame import Frame

_PLAIN_BASES = (object, abc.ABC, typing.Generic, typing.Protocol)
_DESCRIPTORS = (
    types.FunctionType,
    types.MemberDescriptorType,
    types.GetSetDescriptorType,
    property,
    staticmethod,
    classmethod,
)
_NO_USER_CLASSES = ("torch", "builtins", "typing", "numpy", "enum", "ingot")
_METACLASSES = (type, abc.ABCMeta, type(typing.Protocol))
_FORBIDDEN = ("__getattr__", "__getattribute__", "__setattr__", "__delattr__", "__new__")


@dataclass(eq=False)
class Field:
    """An attribute of instances. ``item`` is set for what exists only while compiling."""

    type: Type | None
    declared: bool = False
    guessed: bool = False
    item: Item | None = None


def is_user_class(cls: Any) -> bool:
    """Whether instances of the class are objects of a program, as far as its kind says."""
    if not isinstance(cls, type) or issubclass(
        cls, torch.nn.Module | torch.Tensor | BaseException | tuple | enum.Enum | type
    ):
        return False
    if cls.__module__ == distributions.__name__:
        return True
    return cls.__module__.partition(".")[0] not in _NO_USER_CLASSES


def require_static(cls: type) -> None:
    """Raises CompileError for a class whose attributes are not plain."""
    name = cls.__name__
    if type(cls) not in _METACLASSES:
        raise CompileError(
            f"the class {name} has the metaclass {type(cls).__name__}, which cannot be compiled",
            "use a plain class",
        )
    for base in cls.__mro__:
        if base in _PLAIN_BASES or _is_builtin_exception(base):
            continue
        if not is_user_class(base) and not issubclass(base, BaseException):
            raise CompileError(
                f"the class {name} inherits from {base.__name__}, which cannot be compiled",
                f"keep a {base.__name__} in an attribute instead",
            )
        generated = _generated_by_dataclass(base)
        for special in _FORBIDDEN:
            if special in vars(base) and special not in generated:
                raise CompileError(
                    f"the class {name} defines {special}, which cannot be compiled",
                    "write plain attributes and methods",
                )


def _is_builtin_exception(cls: type) -> bool:
    return issubclass(cls, BaseException) and cls.__module__ == "builtins"


def _generated_by_dataclass(cls: type) -> tuple[str, ...]:
    parameters = vars(cls).get("__dataclass_params__")
    return ("__setattr__", "__delattr__") if parameters is not None and parameters.frozen else ()


def members_of(cls: type, scope: dict[str, Any]) -> list[type]:
    """The concrete classes that a variable annotated with ``cls`` may hold."""
    if "__torch_script_interface__" in vars(cls):
        wanted = {name for name, each in vars(cls).items() if inspect.isfunction(each)}
        known = [each for each in scope.values() if is_user_class(each) and each is not cls]
        return [each for each in known if wanted <= set(dir(each))] or [cls]
    found: dict[type, None] = {}
    work = [cls]
    modules = (cls.__module__, scope.get("__name__"))
    while work:
        each = work.pop(0)
        work += type.__subclasses__(each)
        local = each.__qualname__.rpartition("<locals>")[0]
        visible = each.__module__ in modules and local in ("", cls.__qualname__[: len(local)])
        if each is cls or visible:
            found[each] = None
    return [each for each in found if not is_abstract(each)] or [cls]


def is_abstract(cls: type) -> bool:
    return bool(getattr(cls, "__abstractmethods__", ())) or bool(
        vars(cls).get("_is_protocol", False)
    )


class ClassTable:
    """The classes of one compilation; their fields live in its ``Knowledge``."""

    def __init__(self, compiler: Compiler) -> None:
        self.compiler = compiler
        self.types: dict[type, ObjectType] = {}
        self.named_tuples: dict[tuple[str, tuple[str, ...]], Any] = {}
        self.being_read: list[Any] = []
        """NamedTuple classes whose fields' types are being found."""
        self.changing: set[type] = set()
        """Classes whose instances are assigned to after they are made."""
        self.copied: dict[type, tuple[Frame, Any]] = {}
        """Classes of captured objects that became values, and where."""
        self._probed: set[type] = set()

    def type_of(self, frame: Frame, cls: type) -> ObjectType:
        """The language's type of instances. Raises CompileError if there can be none."""
        known = self.types.get(cls)
        if known is not None:
            return known
        require_static(cls)
        wanted = re.sub(r"[^\w.]", "", cls.__qualname__.replace("<locals>.", ""))
        name, number = wanted, 0
        taken = {each.name for each in self.types.values()}
        while name in taken:
            number += 1
            name = f"{wanted}_{number}"
        known = self.types[cls] = ObjectType(cls, name)
        self._declare(frame, cls)
        return known

    def _declare(self, frame: Frame, cls: type) -> None:
        """Fields with annotations in the class body; those of no known type are inferred."""
        from ingot.capture.script.annotations import read_class_annotation

        fields = self.fields(cls)
        for base in reversed(cls.__mro__):
            for name, annotation in inspect.get_annotations(base).items():
                if name in fields or base in _PLAIN_BASES or _is_builtin_exception(base):
                    continue
                declared = read_class_annotation(annotation, base, frame)
                if declared is not None:
                    fields[name] = Field(declared, declared=True)

    def fields(self, cls: type) -> dict[str, Field]:
        return self.compiler.knowledge.fields.setdefault(cls, {})

    def field(self, frame: Frame, cls: type, name: str) -> Field | None:
        """What is known of an attribute; tries ``__init__`` if nothing is."""
        fields = self.fields(cls)
        if name not in fields:
            self._probe(frame, cls)
        return fields.get(name)

    def learn(self, frame: Frame, cls: type, name: str, item: Item, actual: Type | None) -> Field:
        """The field after it is given ``item``. Raises Restart if it was another before."""
        fields = self.fields(cls)
        known = fields.get(name)
        guess = cls in self._probing
        if actual is None:
            if known is None or (known.item is not None and same(known.item, item)):
                fields[name] = Field(None, item=item)
                return fields[name]
            raise CompileError(
                f"the attribute {name} of {cls.__name__} is given {item.describe()}, which "
                "exists only while compiling, and something else elsewhere",
                "give all instances the same",
            )
        if known is None:
            fields[name] = known = Field(actual, guessed=guess)
            if class_default(cls, name) is not inspect.Parameter.empty:
                raise Restart
            return known
        if known.type is None:
            raise CompileError(
                f"the attribute {name} of {cls.__name__} is {known.item.describe()} elsewhere"  # type: ignore[union-attr]
            )
        if is_subtype(actual, known.type) or known.declared or guess:
            return known
        together = actual if known.guessed else join(known.type, actual)
        if together is None:
            raise CompileError(
                f"the attribute {name} of {cls.__name__} is {settle(known.type)} and is given "
                f"{item.describe()}",
                f"give {name} one type, or annotate it in the class",
            )
        fields[name] = Field(together)
        raise Restart

    @property
    def _probing(self) -> set[type]:
        return self.compiler.knowledge.probing

    def _probe(self, frame: Frame, cls: type) -> None:
        """Compiles ``__init__`` for its annotated arguments, to see what it assigns."""
        from ingot.capture.script.compiler import declared_parameters
        from ingot.capture.script.objects import initialise
        from ingot.capture.script.sources import NoSource, source_of

        init = cls.__init__  # type: ignore[misc]
        if cls in self._probed or not isinstance(init, types.FunctionType):
            return
        self._probed.add(cls)
        try:
            source = source_of(init)
        except NoSource:
            return
        diagnostics, mark = frame.compiler.diagnostics, frame.compiler.diagnostics.mark()
        place = frame.builder.mark()
        outer = set(self._probing)
        self._probing.add(cls)
        try:
            probe = self.compiler.frame_for(init)
            parameters = list(declared_parameters(init, source).items())[1:]
            probe.builder = frame.builder
            items = {name: probe.parameter_item(each) for name, each in parameters}
            object = frame.builder.create_object(lower(self.types[cls]))  # type: ignore[arg-type]
            initialise(frame, cls, frame.dynamic(object, self.types[cls]), [], items)
        except (CompileError, Poisoned):
            pass
        finally:
            frame.builder.rewind(place)
            diagnostics.rewind(mark)
            self._probing.clear()
            self._probing.update(outer)

    def close(self) -> None:
        """Writes the classes into the program; reports copies of objects that change."""
        for cls, (frame, node) in self.copied.items():
            if cls in self.changing:
                frame.report(
                    node,
                    f"an object of the class {cls.__name__} from outside is used as a value, and "
                    "objects of this class are assigned to: the change would be lost",
                    "make the object inside the function, or make its class frozen",
                )
        for cls, type in self.types.items():
            fields = {
                name: lower(field.type)
                for name, field in self.fields(cls).items()
                if field.type is not None
            }
            self.compiler.program.classes[type.name] = Class(type.name, fields)


def in_class(cls: type, name: str, default: Any = None) -> Any:
    """What an attribute of instances is in their class: what the class itself has from its
    metaclass, such as ``__name__``, they do not have."""
    for each in cls.__mro__:
        if name in vars(each):
            return vars(each)[name]
    return default


def class_default(cls: type, name: str) -> Any:
    """The value that instances take from their class; ``Parameter.empty`` without one."""
    found = in_class(cls, name, inspect.Parameter.empty)
    if isinstance(found, _DESCRIPTORS):
        return inspect.Parameter.empty
    return found
