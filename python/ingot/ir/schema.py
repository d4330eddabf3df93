"""Op schemas as the native catalogue declares them, with the types of the IR.

PyTorch's notation is reduced to what programs carry: SymInt, ScalarType, Layout, Device and
MemoryFormat are ints, Generator is the Tensor of its state, Scalar the union of the number types.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ingot.ir.graph import Literal
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
    OptionalType,
    SimpleType,
    TupleType,
    Type,
    UnionType,
)

NUMBER = UnionType((INT, FLOAT, BOOL, COMPLEX))
"""PyTorch's Scalar."""

ANY = SimpleType("Any")
"""Schemas only: every value fits."""


@dataclass(frozen=True)
class VariableType(Type):
    """Schemas only: a type that each use binds, ``t`` of ``aten::append.t``."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Argument:
    """One argument or return.

    ``declared`` is the type as PyTorch writes it. ``alias`` is the ``a`` of ``Tensor(a!)``
    and ``mutated`` its ``!``. ``length`` is the 2 of ``int[2]``: a single int stands for two.
    """

    name: str
    type: Type
    declared: str
    has_default: bool = False
    default: Literal = None
    keyword_only: bool = False
    mutated: bool = False
    alias: str = ""
    length: int | None = None

    def __str__(self) -> str:
        declared = self.declared
        if self.alias and "(" not in declared:
            base = re.match(r"\w+", declared)
            split = base.end() if base else 0
            mark = f"({self.alias}{'!' if self.mutated else ''})"
            declared = declared[:split] + mark + declared[split:]
        text = f"{declared} {self.name}".rstrip()
        if not self.has_default:
            return text
        default = list(self.default) if isinstance(self.default, tuple) else self.default
        return f"{text}={default!r}"


@dataclass(frozen=True)
class Schema:
    """What one op of the catalogue takes and gives; ``name`` includes the overload."""

    name: str
    arguments: tuple[Argument, ...]
    returns: tuple[Argument, ...]
    variadic: bool = False
    """Any number of further arguments, of any type, may follow."""
    random: bool = False
    """The op draws random numbers: two calls are not one, and none may go or move."""

    @cached_property
    def base(self) -> str:
        """The name without the overload: ``"aten::add"``."""
        return self.name.partition(".")[0]

    @cached_property
    def mutates(self) -> bool:
        return any(a.mutated for a in self.arguments)

    @cached_property
    def mutated_arguments(self) -> tuple[int, ...]:
        """The numbers of the arguments that the op writes into."""
        return tuple(i for i, a in enumerate(self.arguments) if a.mutated)

    @cached_property
    def shared(self) -> tuple[tuple[int, ...], ...]:
        """Groups of arguments and returns that may share storage: their numbers, those of the
        returns after those of the arguments.

        ``a -> *`` is in the set of containers too, where all may meet.
        """
        everyone = (*self.arguments, *self.returns)
        sets: dict[str, list[int]] = {}
        for number, each in enumerate(everyone):
            for name in set(re.findall(r"[\w*]+", each.alias)):
                sets.setdefault(name, []).append(number)
        if self.is_generic or "*" in sets:
            return (tuple(range(len(everyone))),)
        return tuple(tuple(group) for group in sets.values() if len(group) > 1)

    @cached_property
    def is_generic(self) -> bool:
        """Whether any type is open, so that elements may move in or out of containers."""
        return any(_is_open(a.type) for a in (*self.arguments, *self.returns))

    @cached_property
    def positions(self) -> dict[str, int]:
        return {a.name: i for i, a in enumerate(self.arguments)}

    def __str__(self) -> str:
        parts: list[str] = []
        for i, argument in enumerate(self.arguments):
            if argument.keyword_only and (i == 0 or not self.arguments[i - 1].keyword_only):
                parts.append("*")
            parts.append(str(argument))
        if self.variadic:
            parts.append("...")
        returns = ", ".join(map(str, self.returns))
        if len(self.returns) != 1:
            returns = f"({returns})"
        return f"{self.name}({', '.join(parts)}) -> {returns}"


class Catalogue:
    """Schemas by name, each read when first asked for.

    ``rows`` are those of ``ingot._ingot.catalogue()``: (name, arguments, returns) with an
    argument as (name, declared type, has default, default, keyword only, mutated, alias), one
    named ``"..."`` where further ones may follow, and a return as (name, declared type, alias).
    ``random`` are the names of the ops that draw random numbers.
    """

    def __init__(self, rows: Iterable[tuple[Any, ...]], random: Iterable[str] = ()) -> None:
        self._rows = {row[0]: row for row in rows}
        self._random = frozenset(random)
        self._schemas: dict[str, Schema] = {}
        self._overloads: dict[str, list[str]] = {}
        for name in self._rows:
            self._overloads.setdefault(name.partition(".")[0], []).append(name)

    def __contains__(self, name: str) -> bool:
        return name in self._rows

    def names(self) -> list[str]:
        """Every op's name with its overload."""
        return list(self._rows)

    def find(self, name: str) -> Schema | None:
        """The schema of ``"aten::add.Tensor"``, or None."""
        schema = self._schemas.get(name)
        if schema is None and name in self._rows:
            schema = self._schemas[name] = _read_row(self._rows[name], name in self._random)
        return schema

    def overloads(self, base: str) -> list[Schema]:
        """Every overload of ``"aten::add"``, in the catalogue's order."""
        found = (self.find(name) for name in self._overloads.get(base, ()))
        return [schema for schema in found if schema is not None]


def _is_open(type: Type) -> bool:
    match type:
        case VariableType() | DictType():
            return True
        case ListType(element) | OptionalType(element):
            return _is_open(element)
        case TupleType(elements):
            return any(map(_is_open, elements))
    return type == ANY


_default: Catalogue | None = None


def catalogue() -> Catalogue:
    """The native library's own catalogue."""
    global _default
    if _default is None:
        from ingot import _ingot

        _default = Catalogue(_ingot.catalogue(), _ingot.random_ops())
    return _default


def forget() -> None:
    """The catalogue has grown: it is read again when it is asked for."""
    global _default
    _default = None


def _read_row(row: tuple[Any, ...], random: bool) -> Schema:
    name, arguments, returns = row
    return Schema(
        name,
        tuple(
            _read_argument(arg, declared, has_default, default, keyword_only, mutated, alias)
            for arg, declared, has_default, default, keyword_only, mutated, alias in arguments
            if arg != "..."
        ),
        tuple(
            _read_argument(ret, declared, False, None, False, False, alias)
            for ret, declared, alias in returns
        ),
        any(argument[0] == "..." for argument in arguments),
        random,
    )


def _read_argument(
    name: str,
    declared: str,
    has_default: bool,
    default: Literal,
    keyword_only: bool,
    mutated: bool,
    alias: str,
) -> Argument:
    type = parse_declared(declared)
    length = re.search(r"\[(\d+)\]\??$", declared)
    if isinstance(default, list):
        default = tuple(default)
    inner = type.element if isinstance(type, OptionalType) else type
    if length and has_default and isinstance(default, int) and isinstance(inner, ListType):
        default = (default,) * int(length[1])
    return Argument(
        name,
        type,
        declared,
        has_default,
        default,
        keyword_only,
        mutated,
        alias,
        int(length[1]) if length else None,
    )


_BASE_TYPES: dict[str, Type] = {
    "Tensor": TENSOR,
    "Scalar": NUMBER,
    "number": NUMBER,
    "Any": ANY,
    "AnyEnumType": ANY,
    "AnyClassType": ANY,
    "str": STR,
    "float": FLOAT,
    "SymFloat": FLOAT,
    "bool": BOOL,
    "SymBool": BOOL,
    "complex": COMPLEX,
    "NoneType": NONE,
    "None": NONE,
    "Generator": TENSOR,
} | dict.fromkeys(
    ("int", "SymInt", "ScalarType", "Layout", "Device", "MemoryFormat", "QScheme"), INT
)

_TOKEN = re.compile(r"\s*([\w.]+|[\[\]()?!,|*]|->)")


def parse_declared(text: str) -> Type:
    """The IR type of a declared one: ``"SymInt[2]?"`` gives Optional[List[int]]."""
    tokens = _TOKEN.findall(text)
    type, end = _parse_type(tokens, 0)
    if end != len(tokens):
        raise ValueError(f"{text!r} is no schema type")
    return type


def _parse_type(tokens: list[str], at: int) -> tuple[Type, int]:
    word = tokens[at]
    at += 1
    type: Type
    if word == "(":
        elements, at = _parse_types(tokens, at)
        type = TupleType(tuple(elements))
    elif word == "Dict":
        (key, value), at = _parse_types(tokens, at + 1)
        type = DictType(key, value)
    elif word in _BASE_TYPES:
        type = _BASE_TYPES[word]
    elif re.fullmatch(r"t\d*|tVal|tKey", word):
        type = VariableType(word)
    else:
        type = SimpleType(word)
    while at < len(tokens):
        if tokens[at] == "(":  # an alias annotation, kept in Argument.alias
            at = tokens.index(")", at) + 1
        elif tokens[at] == "?":
            type, at = OptionalType(type), at + 1
        elif tokens[at] == "[":
            type, at = ListType(type), tokens.index("]", at) + 1
        else:
            break
    return type, at


def _parse_types(tokens: list[str], at: int) -> tuple[list[Type], int]:
    """Types up to the closing parenthesis, and the place after it."""
    types: list[Type] = []
    while tokens[at] != ")":
        type, at = _parse_type(tokens, at)
        types.append(type)
        if tokens[at] == ",":
            at += 1
    return types, at + 1
