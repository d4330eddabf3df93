"""The types of the language: those of the IR, and finer ones that lower to them.

A dtype is an int in the program but not in the language: ``x.to(torch.float16)`` and
``x.to(5)`` differ. A ``Hole`` is the unknown element type of ``[]`` until its first use.
"""

from __future__ import annotations

import enum
import itertools
from collections.abc import Callable
from dataclasses import dataclass

from ingot.capture.script.diagnostics import CompileError
from ingot.ir import types as ir
from ingot.ir.types import (
    BOOL,
    FLOAT,
    INT,
    NONE,
    STR,
    TENSOR,
    ClassType,
    DictType,
    ListType,
    NamedTupleType,
    OptionalType,
    SimpleType,
    TupleType,
    Type,
    UnionType,
)

DTYPE = SimpleType("torch.dtype")
DEVICE = SimpleType("torch.device")
LAYOUT = SimpleType("torch.layout")
MEMORY_FORMAT = SimpleType("torch.memory_format")
SIZE = SimpleType("torch.Size")
GENERATOR = SimpleType("torch.Generator")

NUMBER = UnionType((INT, FLOAT, BOOL, ir.COMPLEX))
"""PyTorch's Scalar: the result of ``x.item()``."""

ANY = UnionType((TENSOR, INT, FLOAT, BOOL, ir.COMPLEX, STR, NONE))
"""``typing.Any`` as an input: whatever is no container."""

_LOWERED: dict[Type, Type] = dict.fromkeys((DTYPE, DEVICE, LAYOUT, MEMORY_FORMAT), INT)
_LOWERED[SIZE] = ListType(INT)
_LOWERED[GENERATOR] = TENSOR


@dataclass(frozen=True)
class ObjectType(Type):
    """Instances of a user's class; ``name`` is the class's in the program."""

    cls: type
    name: str

    def __str__(self) -> str:
        return self.cls.__name__


@dataclass(frozen=True)
class EnumType(Type):
    """Members of a user's Enum."""

    cls: type[enum.Enum]

    @property
    def plain(self) -> Type:
        """What the program keeps: the members' values if all are of one plain type, else names."""
        kinds = {type(member.value) for member in self.cls}
        return _PLAIN.get(kinds.pop(), STR) if len(kinds) == 1 else STR

    def __str__(self) -> str:
        return self.cls.__name__


_PLAIN: dict[type, Type] = {int: INT, float: FLOAT, str: STR}


def plain_member(member: enum.Enum) -> int | float | str:
    """What stands for the member in a program."""
    kinds = {type(each.value) for each in type(member)}
    by_value = len(kinds) == 1 and kinds <= set(_PLAIN)
    return member.value if by_value else member.name


class Hole(Type):
    """An element type not known yet. Compares by identity; ``fill`` decides it once.

    ``default`` is what it is if nothing fills it: tensors, as in TorchScript.
    """

    _serial = itertools.count()

    def __init__(self, default: Type = TENSOR) -> None:
        self.filled: Type | None = None
        self.default = default
        self.serial = next(Hole._serial)
        """Greater than that of every hole made before."""

    @property
    def open(self) -> bool:
        """Whether nothing has filled it so far."""
        return isinstance(settle(self), Hole)

    def fill(self, type: Type) -> None:
        if type is not self:
            self.filled = type

    def __str__(self) -> str:
        return "?" if self.filled is None else str(self.filled)


@dataclass(frozen=True)
class SetType(Type):
    """A set: in the program a dict whose values are None, which nothing else is."""

    element: Type

    def __str__(self) -> str:
        return f"Set[{self.element}]"


@dataclass(frozen=True)
class FutureType(Type):
    """What ``torch.jit.fork`` gives: in the program the result itself, computed at once."""

    element: Type

    def __str__(self) -> str:
        return f"Future[{self.element}]"


@dataclass(frozen=True)
class DefaultDictType(DictType):
    """A ``collections.defaultdict``: a dict whose lookups call ``factory`` for a new key."""

    factory: object = None


def holds(type: Type, is_one: Callable[[Type], bool]) -> bool:
    """Whether a type without parameters that is one is inside ``type``, or is it."""
    found: list[Type] = []

    def leaf(each: Type) -> Type:
        if is_one(each):
            found.append(each)
        return each

    rewrite(settle(type), leaf)
    return bool(found)


def rewrite(type: Type, leaf: Callable[[Type], Type]) -> Type:
    """``type`` with ``leaf`` applied to every type without parameters inside it."""
    match type:
        case ListType(element):
            return ListType(rewrite(element, leaf))
        case OptionalType(element):
            inner = rewrite(element, leaf)
            return inner if isinstance(inner, OptionalType) else OptionalType(inner)
        case DefaultDictType(key, value, factory):
            return DefaultDictType(rewrite(key, leaf), rewrite(value, leaf), factory)
        case DictType(key, value):
            return DictType(rewrite(key, leaf), rewrite(value, leaf))
        case SetType(element):
            return SetType(rewrite(element, leaf))
        case FutureType(element):
            return FutureType(rewrite(element, leaf))
        case TupleType(elements):
            return TupleType(tuple(rewrite(e, leaf) for e in elements))
        case NamedTupleType(name, fields, elements):
            return NamedTupleType(name, fields, tuple(rewrite(e, leaf) for e in elements))
        case UnionType(elements):
            return UnionType(tuple(dict.fromkeys(rewrite(e, leaf) for e in elements)))
    return leaf(type)


def settle(type: Type) -> Type:
    """``type`` with its filled holes replaced by what fills them."""

    def leaf(each: Type) -> Type:
        while isinstance(each, Hole) and each.filled is not None:
            each = settle(each.filled)
        return each

    return rewrite(type, leaf)


def lower(type: Type) -> Type:
    """The IR's type; holes that nothing filled have their defaults."""

    def leaf(each: Type) -> Type:
        if isinstance(each, Hole):
            return each.default
        if isinstance(each, ObjectType):
            return ClassType(each.name)
        if isinstance(each, EnumType):
            return each.plain
        return _LOWERED.get(each, each)

    return ir.erase_facts(_plain(rewrite(settle(type), leaf)))


def _plain(type: Type) -> Type:
    """``type`` without the kinds of type that only the language has."""
    match type:
        case SetType(element):
            return DictType(_plain(element), NONE)
        case FutureType(element):
            return _plain(element)
        case DictType(key, value):
            return DictType(_plain(key), _plain(value))
        case ListType(element):
            return ListType(_plain(element))
        case OptionalType(element):
            return OptionalType(_plain(element))
        case TupleType(elements):
            return TupleType(tuple(map(_plain, elements)))
        case NamedTupleType(name, fields, elements):
            return NamedTupleType(name, fields, tuple(map(_plain, elements)))
        case UnionType(elements):
            return UnionType(tuple(dict.fromkeys(map(_plain, elements))))
    return type


def has_hole(type: Type) -> bool:
    """Whether a part of ``type`` is not known yet."""
    found: list[Type] = []

    def leaf(each: Type) -> Type:
        if isinstance(each, Hole):
            found.append(each)
        return each

    rewrite(settle(type), leaf)
    return bool(found)


def join(a: Type, b: Type) -> Type | None:
    """The type of a value that is an ``a`` or a ``b``; None if only a Union would hold both."""
    a, b = settle(a), settle(b)
    if a == b:
        return a
    match a, b:
        case Hole(), _:
            a.fill(b)
            return b
        case _, Hole():
            b.fill(a)
            return a
        case (OptionalType(x), OptionalType(y)) | (OptionalType(x), y) | (x, OptionalType(y)):
            inner = x if y == NONE else y if x == NONE else join(x, y)
            return None if inner is None else optional(inner)
        case ListType(x), ListType(y):
            inner = join(x, y) if has_hole(x) or has_hole(y) else None
            return None if inner is None else ListType(inner)
        case SetType(x), SetType(y):
            inner = join(x, y) if has_hole(x) or has_hole(y) else None
            return None if inner is None else SetType(inner)
        case DictType(k, x), DictType(m, y):
            if not (has_hole(a) or has_hole(b)):
                return DictType(k, x) if (k, x) == (m, y) else None
            key, value = join(k, m), join(x, y)
            if key is None or value is None:
                return None
            if isinstance(a, DefaultDictType):
                return DefaultDictType(key, value, a.factory)
            return DictType(key, value)
        case (ListType(x), TupleType(y)) | (TupleType(y), ListType(x)):
            same = all(settle(each) == settle(x) for each in y)
            return ListType(x) if same else None
        case TupleType(x), TupleType(y) if len(x) == len(y):
            return _join_tuple(x, y, TupleType)
        case NamedTupleType(n, f, x), NamedTupleType(m, g, y) if (n, f) == (m, g):
            return _join_tuple(x, y, lambda elements: NamedTupleType(n, f, elements))
        case (x, y) if {x, y} <= {SIZE, ListType(INT)}:
            return ListType(INT)
    if NONE in (a, b):
        return optional(b if a == NONE else a)
    objects = [*_objects(a), *_objects(b)]
    if objects and _objects(a) and _objects(b):
        return UnionType(tuple(dict.fromkeys(objects)))
    if isinstance(a, UnionType) and is_subtype(b, a):
        return a
    if isinstance(b, UnionType) and is_subtype(a, b):
        return b
    return None


def union_of(*types: Type) -> Type:
    """The type of a value that is of one of the types."""
    flat: dict[Type, None] = {}
    for type in map(settle, types):
        match type:
            case UnionType(elements):
                flat.update(dict.fromkeys(elements))
            case OptionalType(UnionType(elements)):
                flat.update(dict.fromkeys((*elements, NONE)))
            case OptionalType(element):
                flat.update({element: None, NONE: None})
            case _:
                flat[type] = None
    if ListType(INT) in flat:
        flat.pop(SIZE, None)
    left = [each for each in flat if each != NONE]
    if not left:
        return NONE
    inner = left[0] if len(left) == 1 else UnionType(tuple(left))
    return OptionalType(inner) if NONE in flat else inner


def _objects(type: Type) -> tuple[Type, ...]:
    """The classes of a value that is always an object."""
    members = type.elements if isinstance(type, UnionType) else (type,)
    return members if all(isinstance(each, ObjectType) for each in members) else ()


def _join_tuple(
    x: tuple[Type, ...], y: tuple[Type, ...], make: Callable[[tuple[Type, ...]], Type]
) -> Type | None:
    joined = [join(p, q) for p, q in zip(x, y, strict=True)]
    known = tuple(e for e in joined if e is not None)
    return make(known) if len(known) == len(joined) else None


def is_subtype(a: Type, b: Type) -> bool:
    """Whether an ``a`` can stand where a ``b`` is expected; holes in either are filled."""
    a, b = settle(a), settle(b)
    if a == b:
        return True
    match a, b:
        case Hole(), _:
            a.fill(b)
            return True
        case _, Hole():
            b.fill(a)
            return True
        case OptionalType(x), _:
            return is_subtype(x, b) and is_subtype(NONE, b)
        case UnionType(elements), _:
            return all(is_subtype(e, b) for e in elements)
        case _, OptionalType(y):
            return a == NONE or is_subtype(a, y)
        case _, UnionType(elements):
            return any(is_subtype(a, e) for e in elements)
        case ListType(x), ListType(y):
            return (has_hole(x) or has_hole(y)) and is_subtype(x, y)
        case SetType(x), SetType(y):
            return (has_hole(x) or has_hole(y)) and is_subtype(x, y)
        case DefaultDictType(k, x), DictType(m, y) if type(b) is DictType:
            return is_subtype(DictType(k, x), b)
        case DictType(k, x), DictType(m, y):
            return (has_hole(a) or has_hole(b)) and is_subtype(k, m) and is_subtype(x, y)
        case TupleType(x), TupleType(y):
            return len(x) == len(y) and all(map(is_subtype, x, y))
        case NamedTupleType(elements=x), TupleType(y):
            return len(x) == len(y) and all(map(is_subtype, x, y))
        case NamedTupleType(n, f, x), NamedTupleType(m, g, y):
            return (n, f) == (m, g) and all(map(is_subtype, x, y))
    return a == SIZE and b == ListType(INT)


def without_none(type: Type) -> Type:
    """What is left of ``type`` once None is excluded."""
    type = settle(type)
    if isinstance(type, OptionalType):
        return type.element
    if isinstance(type, UnionType):
        left = tuple(e for e in type.elements if e != NONE)
        return left[0] if len(left) == 1 else UnionType(left)
    return type


def may_be_none(type: Type) -> bool:
    type = settle(type)
    if isinstance(type, UnionType):
        return NONE in type.elements
    return type == NONE or isinstance(type, OptionalType)


def optional(type: Type) -> Type:
    """The type of a value that is a ``type`` or None."""
    return type if may_be_none(type) else OptionalType(type)


def dict_value(type: Type) -> Type:
    """The type of a dict's values that are ``type``. Nothing but None is what a set has in the
    program; a dict of Nones might hold tensors."""
    return OptionalType(TENSOR) if settle(type) == NONE else type


def require_key(type: Type) -> Type:
    """The type, which a dict's keys or a set's elements are to have. Raises CompileError.

    Tensors and objects are keys by identity, as in Python; classes with an ``__eq__`` or
    ``__hash__`` of their own are none.
    """
    inside = settle(type)
    if isinstance(inside, TupleType | NamedTupleType):
        for each in inside.elements:
            require_key(each)
    if isinstance(inside, ObjectType):
        classes = inside.cls.__mro__[:-1]  # without object
        if not any(vars(each).keys() & {"__eq__", "__hash__"} for each in classes):
            return type
        raise CompileError(
            f"a {inside}, whose class writes its own __eq__ or __hash__, cannot be a key of a dict "
            "or an element of a set in a program",
            "use what makes two of them equal: a number, a string or a tuple of these",
        )
    if isinstance(inside, ListType | DictType | SetType):
        raise CompileError(
            f"a {inside} cannot be a key of a dict or an element of a set",
            "use a number, a string or a tuple of these",
        )
    return type
