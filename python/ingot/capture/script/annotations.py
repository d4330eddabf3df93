"""Python annotations as types of the language."""

from __future__ import annotations

import ast
import dataclasses
import enum
import inspect
import numbers
import re
import sys
import types
import typing
from collections import ChainMap
from typing import TYPE_CHECKING, Any

import torch

from ingot.capture.script.classes import is_user_class, members_of
from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.distributions import CLASSES
from ingot.capture.script.language import (
    ANY,
    DEVICE,
    DTYPE,
    GENERATOR,
    LAYOUT,
    MEMORY_FORMAT,
    NUMBER,
    SIZE,
    EnumType,
    FutureType,
    SetType,
    dict_value,
    require_key,
    union_of,
)
from ingot.ir.types import (
    BOOL,
    COMPLEX,
    FLOAT,
    INT,
    NONE,
    STR,
    TENSOR,
    DictType,
    ListType,
    NamedTupleType,
    TupleType,
    Type,
)

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame

_SIMPLE: dict[Any, Type] = {
    torch.Tensor: TENSOR,
    torch.nn.Parameter: TENSOR,
    int: INT,
    torch.SymInt: INT,
    float: FLOAT,
    bool: BOOL,
    complex: COMPLEX,
    str: STR,
    None: NONE,
    type(None): NONE,
    torch.dtype: DTYPE,
    torch.device: DEVICE,
    torch.layout: LAYOUT,
    torch.memory_format: MEMORY_FORMAT,
    torch.Size: SIZE,
    torch.Generator: GENERATOR,
    torch.types.Number: NUMBER,
}

_DEFAULT_NAMES: dict[str, Any] = {
    **{name: getattr(typing, name) for name in typing.__all__ if name[0].isupper()},
    "Tensor": torch.Tensor,
    "Future": torch.jit.Future,
}
"""Names that type comments may use without an import, as in TorchScript."""

_BROADCASTING = re.compile(r"(?:_size_|_ratio_|BroadcastingList)(\d)(?:_t)?")
_SIZES = [
    value
    for name, value in vars(torch.nn.common_types).items()
    if _BROADCASTING.fullmatch(name) and typing.get_args(value)
]
"""``torch.nn.common_types._size_2_t`` and its like."""

_SUPPORTED = "use Tensor, int, float, bool, str, None, Optional, List, Tuple, Dict or a class"


class _Unknown(Exception):
    """An annotation that names no type of the language."""


def read_type_comment(frame: Frame, text: str) -> Type:
    """The type after ``# type:`` behind an assignment. Raises CompileError."""
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        raise CompileError(f"the type comment {text} cannot be read", _SUPPORTED) from None
    found = annotation_of(frame, node)
    assert found is not None
    return found


def annotation_of(frame: Frame, node: ast.expr | None) -> Type | None:
    """The type that an annotation in the source says; None if there is none.

    Raises CompileError if it cannot be found or is no type of the language.
    """
    if node is None:
        return None
    text = ast.unparse(node)
    try:
        value = _evaluate(text, frame)
        if value in _SIZES and broadcast_length(node) is not None:
            return ListType(read_annotation(typing.get_args(value)[0], frame))
        if value is None and isinstance(node, ast.Subscript):  # BroadcastingList2[int]
            inner = annotation_of(frame, node.slice)
            return None if inner is None else ListType(inner)
        return None if value is typing.Final else read_annotation(value, frame)
    except CompileError:
        raise
    except _Unknown as unknown:
        raise CompileError(f"{unknown} is no type that can be compiled", _SUPPORTED, node) from None
    except Exception as error:
        raise CompileError(
            f"the annotation {text} cannot be read: {error}", _SUPPORTED, node
        ) from None


def broadcast_length(node: ast.expr | None) -> int | None:
    """How long a list is for which callers may give one number for all elements."""
    named = node.value if isinstance(node, ast.Subscript) else node
    found = None if named is None else _BROADCASTING.fullmatch(ast.unparse(named).split(".")[-1])
    return None if found is None else int(found[1])


_CONTAINERS: tuple[Type, ...] = (
    *(ListType(each) for each in (INT, FLOAT, BOOL, STR, TENSOR)),
    *(DictType(STR, each) for each in (INT, FLOAT, STR, TENSOR)),
)


def any_type(frame: Frame, name: str) -> Type:
    """``typing.Any`` of the input ``name``: no container, or what the function asks whether it
    is one of with isinstance, and then the common containers as well."""
    tested: list[Type] = []
    for node in ast.walk(frame.source.node):
        match node:
            case ast.Call(
                func=ast.Name(id="isinstance") | ast.Attribute(attr="isinstance"),
                args=[ast.Name(id=subject), kinds],
            ) if subject == name:
                tested += _tested_types(frame, kinds)
    if any(each not in ANY.elements and not isinstance(each, EnumType) for each in tested):
        tested += _CONTAINERS
    return union_of(ANY, *tested)


def _tested_types(frame: Frame, kinds: ast.expr) -> list[Type]:
    """The types of the second argument of isinstance; ``list`` and its like say the common."""
    parts = kinds.elts if isinstance(kinds, ast.Tuple) else [kinds]
    found: list[Type] = []
    for part in parts:
        if isinstance(part, ast.Name) and part.id in ("list", "dict"):
            found += _CONTAINERS
            continue
        try:
            type = annotation_of(frame, part)
        except CompileError:
            continue
        found += [] if type is None else [type]
    return found


def _evaluate(text: str, frame: Frame) -> Any:
    known = frame.compiler.annotations
    key = (text, id(frame.scope))
    if key not in known or frame.closure:
        names = ChainMap(dict(frame.closure), frame.scope, _DEFAULT_NAMES)
        known[key] = eval(text, frame.scope, names)
    return known[key]


def names_module(frame: Frame, node: ast.expr) -> bool:
    """Whether an annotation is a class of modules, such as a module interface: of what exists
    only while compiling."""
    try:
        value = _evaluate(ast.unparse(node), frame)
    except Exception:
        return False
    return isinstance(value, type) and issubclass(value, torch.nn.Module)


def read_annotation(value: Any, frame: Frame) -> Type:
    """The type that an evaluated annotation means."""
    if isinstance(value, str):
        return read_annotation(_evaluate(value, frame), frame)
    if isinstance(value, typing.ForwardRef):
        return read_annotation(value.__forward_arg__, frame)
    try:
        if value in _SIMPLE:
            return _SIMPLE[value]
    except TypeError:
        pass
    if value is typing.Any:
        return ANY
    origin, inside = typing.get_origin(value), typing.get_args(value)
    if origin is None and isinstance(value, type):
        return _read_class(value, frame)
    if isinstance(value, typing.NewType):
        return read_annotation(value.__supertype__, frame)
    if isinstance(value, typing.TypeVar):
        if value.__bound__ is not None:
            return read_annotation(value.__bound__, frame)
        if value.__constraints__:
            return union_of(*(read_annotation(each, frame) for each in value.__constraints__))
        return TENSOR  # it says no more than no annotation
    if value is numbers.Number:
        return NUMBER
    if getattr(origin, "__name__", "") in ("Future", "_Await") and inside:
        return FutureType(read_annotation(inside[0], frame))
    if origin in (typing.Annotated, typing.Final, typing.ClassVar) and inside:
        return read_annotation(inside[0], frame)
    if origin is typing.Literal:
        return union_of(*(_SIMPLE[type(each)] for each in inside))
    if origin in (typing.Union, types.UnionType):
        return union_of(*(read_annotation(each, frame) for each in inside))
    if origin is tuple:
        if len(inside) == 2 and inside[1] is Ellipsis:
            return ListType(read_annotation(inside[0], frame))
        return TupleType(tuple(read_annotation(each, frame) for each in inside if each != ()))
    name = getattr(origin, "__name__", "")
    if name in ("list", "List", "Sequence", "Iterable", "Collection") and inside:
        return ListType(read_annotation(inside[0], frame))
    if name in ("set", "frozenset", "Set", "MutableSet", "AbstractSet") and inside:
        return SetType(require_key(read_annotation(inside[0], frame)))
    if name == "defaultdict" and len(inside) == 2:
        key = require_key(read_annotation(inside[0], frame))
        return DictType(key, dict_value(read_annotation(inside[1], frame)))
    if name in ("dict", "Dict", "Mapping", "OrderedDict", "MutableMapping") and len(inside) == 2:
        key = require_key(read_annotation(inside[0], frame))
        return DictType(key, dict_value(read_annotation(inside[1], frame)))
    raise _Unknown(str(getattr(value, "__name__", value)))


def _read_class(value: type, frame: Frame) -> Type:
    if issubclass(value, torch.Tensor) or type(value).__name__ == "tensortype":
        return TENSOR
    if issubclass(value, enum.Enum) and len(value):
        return EnumType(value)
    value = CLASSES.get(value, value)
    if is_user_class(value):
        classes = frame.compiler.classes
        return union_of(*(classes.type_of(frame, each) for each in members_of(value, frame.scope)))
    if value in (list, tuple, dict):
        raise _Unknown(f"{value.__name__} without element types")
    if issubclass(value, tuple) and hasattr(value, "_fields"):
        return named_tuple_type(value, frame)
    raise _Unknown(value.__name__)


def named_tuple_type(cls: Any, frame: Frame) -> NamedTupleType:
    """The type of a NamedTuple class; fields without annotation are tensors."""
    hints: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        hints |= inspect.get_annotations(base)
    known = [hints.get(f, torch.Tensor) for f in cls._fields]
    being_read = frame.compiler.classes.being_read
    if cls in being_read:
        raise CompileError(
            f"{cls.__name__}, a NamedTuple that holds others of its class, cannot be compiled",
            "write an ordinary class",
        )
    being_read.append(cls)
    try:
        elements = tuple(
            read_annotation(_evaluated(each, cls, frame) if isinstance(each, str) else each, frame)
            for each in known
        )
    finally:
        being_read.pop()
    frame.compiler.classes.named_tuples[cls.__name__, tuple(cls._fields)] = cls
    return NamedTupleType(cls.__name__, tuple(cls._fields), elements)


def read_class_annotation(value: Any, cls: type, frame: Frame) -> Type | None:
    """The type that an annotation in the body of ``cls`` declares; None if it says none."""
    try:
        if isinstance(value, str):
            value = _evaluated(value, cls, frame)
        if isinstance(value, dataclasses.InitVar):
            return None
        if typing.get_origin(value) is typing.ClassVar or value is typing.ClassVar:
            return None
        return read_annotation(value, frame)
    except Exception:
        return None  # inferred from what is assigned


def _evaluated(text: str, cls: type, frame: Frame) -> Any:
    """An annotation in a class body, read where the class was defined."""
    module = sys.modules.get(cls.__module__)
    scope = {**frame.scope, **vars(module)} if module is not None else frame.scope
    return eval(text, scope, {**frame.closure, cls.__name__: cls})
