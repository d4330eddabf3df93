"""Static types of program values. Printed as program text: ``f32[B, 10]``, ``List[int]``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ingot.dtypes import DType

Dim = int | str | None
"""A size: a number, the name of one of the program's symbols, or unknown."""


class Type:
    """Immutable and hashable; compare with ``==``."""


@dataclass(frozen=True)
class TensorType(Type):
    """A tensor with what is known of it. Facts beside inputs and state are documentation."""

    dtype: DType | None = None
    dims: tuple[Dim, ...] | None = None

    def __str__(self) -> str:
        if self.dtype is None and self.dims is None:
            return "Tensor"
        name = "Tensor" if self.dtype is None else str(self.dtype)
        if self.dims is None:
            return f"{name}[...]"
        return f"{name}[{', '.join('?' if d is None else str(d) for d in self.dims)}]"


@dataclass(frozen=True)
class SimpleType(Type):
    """A type without parameters."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class ListType(Type):
    element: Type

    def __str__(self) -> str:
        return f"List[{self.element}]"


@dataclass(frozen=True)
class DictType(Type):
    key: Type
    value: Type

    def __str__(self) -> str:
        return f"Dict[{self.key}, {self.value}]"


@dataclass(frozen=True)
class OptionalType(Type):
    element: Type

    def __str__(self) -> str:
        return f"Optional[{self.element}]"


@dataclass(frozen=True)
class TupleType(Type):
    elements: tuple[Type, ...]

    def __str__(self) -> str:
        return f"Tuple[{', '.join(map(str, self.elements)) or '()'}]"


@dataclass(frozen=True)
class NamedTupleType(Type):
    """A tuple with a class name and field names: NamedTuples and dataclass-like outputs."""

    name: str
    fields: tuple[str, ...]
    elements: tuple[Type, ...]

    def __str__(self) -> str:
        inside = ", ".join(f"{f}: {t}" for f, t in zip(self.fields, self.elements, strict=True))
        return f"{self.name}({inside})"


@dataclass(frozen=True)
class ClassType(Type):
    """Instances of a class of the program, by its name: ``Program.classes`` has its fields."""

    name: str

    def __str__(self) -> str:
        return f"Object[{self.name}]"


@dataclass(frozen=True)
class UnionType(Type):
    """Values of any of ``elements`` (two or more, none of them Optional or Union)."""

    elements: tuple[Type, ...]

    def __str__(self) -> str:
        return f"Union[{', '.join(map(str, self.elements))}]"


TENSOR = TensorType()
INT = SimpleType("int")
FLOAT = SimpleType("float")
BOOL = SimpleType("bool")
COMPLEX = SimpleType("complex")
STR = SimpleType("str")
NONE = SimpleType("None")


def parts_of(type: Type) -> tuple[Type, ...]:
    """The types directly inside a type; the fields of a class are not inside it."""
    match type:
        case ListType(element) | OptionalType(element):
            return (element,)
        case DictType(key, value):
            return (key, value)
        case TupleType(elements) | UnionType(elements) | NamedTupleType(elements=elements):
            return elements
    return ()


def erase_facts(type: Type) -> Type:
    """The same type with every tensor fact forgotten."""
    match type:
        case TensorType():
            return TENSOR
        case ListType(element):
            return ListType(erase_facts(element))
        case OptionalType(element):
            return OptionalType(erase_facts(element))
        case DictType(key, value):
            return DictType(key, erase_facts(value))
        case TupleType(elements):
            return TupleType(tuple(map(erase_facts, elements)))
        case NamedTupleType(name, fields, elements):
            return NamedTupleType(name, fields, tuple(map(erase_facts, elements)))
        case UnionType(elements):
            return UnionType(tuple(dict.fromkeys(map(erase_facts, elements))))
    return type


def is_subtype(a: Type, b: Type) -> bool:
    """Whether every value of type ``a`` is one of type ``b``, tensor facts aside.

    Lists and dicts are invariant, tuples covariant, as the runtime's loader checks it.
    """
    return _is_subtype(erase_facts(a), erase_facts(b))


def _is_subtype(a: Type, b: Type) -> bool:
    if a == b:
        return True
    match a, b:
        case OptionalType(element), _:
            return _is_subtype(element, b) and _is_subtype(NONE, b)
        case UnionType(elements), _:
            return all(_is_subtype(e, b) for e in elements)
        case _, OptionalType(element):
            return a == NONE or _is_subtype(a, element)
        case _, UnionType(elements):
            return any(_is_subtype(a, e) for e in elements)
        case TupleType(x), TupleType(y):
            return len(x) == len(y) and all(map(_is_subtype, x, y))
        case NamedTupleType(elements=x), TupleType(y):
            return len(x) == len(y) and all(map(_is_subtype, x, y))
        case NamedTupleType(n, f, x), NamedTupleType(m, g, y):
            return n == m and f == g and all(map(_is_subtype, x, y))
    return False


def unify(a: Type, b: Type) -> Type | None:
    """The narrowest type that holds the values of both, or None if only a Union would.

    Tensor facts that differ are forgotten, as where two branches meet.
    """
    if a == b:
        return a
    match a, b:
        case TensorType(), TensorType():
            dims = None
            if a.dims is not None and b.dims is not None and len(a.dims) == len(b.dims):
                dims = tuple(x if x == y else None for x, y in zip(a.dims, b.dims, strict=True))
            return TensorType(a.dtype if a.dtype == b.dtype else None, dims)
        case (OptionalType(x), OptionalType(y)) | (OptionalType(x), y) | (x, OptionalType(y)):
            inner = x if y == NONE else y if x == NONE else unify(x, y)
            return inner and OptionalType(inner)
        case TupleType(x), TupleType(y) if len(x) == len(y):
            elements = [unify(p, q) for p, q in zip(x, y, strict=True)]
            known = tuple(e for e in elements if e is not None)
            if len(known) == len(elements):
                return TupleType(known)
        case NamedTupleType(n, f, x), NamedTupleType(m, g, y) if n == m and f == g:
            elements = [unify(p, q) for p, q in zip(x, y, strict=True)]
            known = tuple(e for e in elements if e is not None)
            if len(known) == len(elements):
                return NamedTupleType(n, f, known)
    if is_subtype(a, b):
        return b
    if is_subtype(b, a):
        return a
    if NONE in (a, b):
        return OptionalType(b if a == NONE else a)
    return None


def union(types: Iterable[Type]) -> Type:
    """The Union of these; of one type that type. Optional and Union elements are taken apart."""
    flat: dict[Type, None] = {}
    for type in types:
        match type:
            case OptionalType(element):
                flat |= dict.fromkeys((element, NONE))
            case UnionType(elements):
                flat |= dict.fromkeys(elements)
            case _:
                flat[type] = None
    if len(flat) == 2 and NONE in flat:
        return OptionalType(next(type for type in flat if type != NONE))
    return UnionType(tuple(flat)) if len(flat) > 1 else next(iter(flat))
