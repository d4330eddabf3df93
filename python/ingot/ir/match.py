"""Whether arguments fit an op's schema, and which overload they fit best.

The rules are TorchScript's: an exact type first, then a subtype, then lists from single
numbers and tuples, then conversions of numbers, and last a 0-d tensor read as a number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ingot.ir.diagnostics import fail
from ingot.ir.graph import Literal, Source, Value
from ingot.ir.schema import ANY, NUMBER, Schema, VariableType
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
    OptionalType,
    TensorType,
    TupleType,
    Type,
    erase_facts,
    is_subtype,
    unify,
    union,
)

Operand = Value | Literal | Sequence["Operand"]
"""An argument before it is part of the program: a value, a constant, or a sequence of these."""

Bindings = dict[str, Type]

EXACT, SUBTYPE, LIST, PROMOTE, IMPLICIT = range(5)
"""How far an argument is from its declared type; the overload with the nearest wins."""

_PROMOTIONS: dict[Type, tuple[Type, ...]] = {
    INT: (BOOL,),
    FLOAT: (INT, BOOL, NUMBER),
    COMPLEX: (FLOAT, INT, BOOL, NUMBER),
}


@dataclass
class Match:
    """Arguments in schema order: an operand for each, and what the type variables became."""

    schema: Schema
    operands: list[Operand]
    bindings: Bindings
    distance: tuple[int, int]


class Mismatch(Exception):
    """Why one schema does not take the arguments."""


def operand_type(operand: Operand) -> Type:
    """The type of a value or of the constant that a literal becomes."""
    if isinstance(operand, Value):
        return operand.type
    if operand is None:
        return NONE
    if isinstance(operand, bool):
        return BOOL
    if isinstance(operand, int):
        return INT
    if isinstance(operand, float):
        return FLOAT
    if isinstance(operand, complex):
        return COMPLEX
    if isinstance(operand, str):
        return STR
    if isinstance(operand, Sequence):
        return ListType(_element_type(operand))
    raise TypeError(f"{type(operand).__name__} can be no argument of an op")


def _element_type(operands: Sequence[Operand]) -> Type:
    """What a list of these holds: a Union if nothing narrower holds all, Tensor if empty."""
    found: Type | None = None
    kinds: dict[Type, None] = {}
    for operand in operands:
        type = erase_facts(operand_type(operand))
        kinds[type] = None
        found = type if len(kinds) == 1 else found and unify(found, type)
    return found or (union(kinds) if kinds else TENSOR)


def match(schema: Schema, args: Sequence[Operand], kwargs: Mapping[str, Operand]) -> Match:
    """Puts the arguments in schema order. Raises Mismatch with the reason if they do not fit."""
    bindings: Bindings = {}
    operands: list[Operand] = []
    worst = total = used = 0
    for i, argument in enumerate(schema.arguments):
        operand: Operand
        if i < len(args) and not argument.keyword_only:
            if argument.name in kwargs:
                raise Mismatch(f"argument {argument.name!r} is given twice")
            operand = args[i]
            used += 1
            if _takes_the_rest(schema, i, operand):
                operand = list(args[i:])
                used = len(args)
        elif argument.name in kwargs:
            operand = kwargs[argument.name]
        elif argument.has_default:
            operands.append(argument.default)
            continue
        else:
            raise Mismatch(f"argument {argument.name!r} is missing")
        level = fit(operand, argument.type, argument.length, bindings)
        if level is None:
            raise Mismatch(
                f"argument {argument.name!r} takes {argument.declared}, not {describe(operand)}"
            )
        worst = max(worst, level)
        total += level
        operands.append(operand)
    if schema.variadic:
        operands += args[used:]
    elif used < len(args):
        raise Mismatch(f"it takes {used} positional arguments, not {len(args)}")
    for name in kwargs:
        if name not in schema.positions:
            raise Mismatch(f"it has no argument {name!r}")
    return Match(schema, operands, bindings, (worst, total))


def resolve(
    base: str,
    schemas: Sequence[Schema],
    args: Sequence[Operand],
    kwargs: Mapping[str, Operand],
    source: Source | None = None,
) -> Match:
    """The best match among overloads. Raises Error with every candidate if there is none."""
    if not schemas:
        fail(f"Ingot has no op {base}", source=source)
    best: Match | None = None
    reasons: list[tuple[bool, str]] = []
    for schema in schemas:
        try:
            found = match(schema, args, kwargs)
        except Mismatch as mismatch:
            first = schema.arguments[0].name if schema.arguments else ""
            at_once = f"argument {first!r} takes" in str(mismatch)
            reasons.append((at_once, f"  {schema}\n      {mismatch}"))
            continue
        if best is None or found.distance < best.distance:
            best = found
    if best is None:
        given = [describe(a) for a in args] + [f"{k}: {describe(v)}" for k, v in kwargs.items()]
        what = base if len(schemas) == 1 else f"no overload of {base}"
        verb = "does not take" if len(schemas) == 1 else "takes"
        # Overloads for other kinds of receivers would only hide those that nearly fit.
        near = [reason for at_once, reason in reasons if not at_once]
        shown = near or [reason for _, reason in reasons]
        fail(
            f"{what} {verb} ({', '.join(given)}); the candidates are\n" + "\n".join(shown),
            source=source,
        )
    return best


def describe(operand: Operand) -> str:
    """The type of an operand for error sentences; constants show their value."""
    if isinstance(operand, Value):
        return str(operand.type)
    if isinstance(operand, Sequence) and not isinstance(operand, str):
        return f"[{', '.join(map(describe, operand))}]"
    return "None" if operand is None else f"{operand_type(operand)} {operand!r}"


def bind(type: Type, bindings: Bindings) -> Type:
    """``type`` with its variables replaced; one that nothing bound becomes Tensor."""
    match type:
        case VariableType(name):
            return bindings.get(name, TENSOR)
        case ListType(element):
            return ListType(bind(element, bindings))
        case OptionalType(element):
            inner = bind(element, bindings)
            return inner if isinstance(inner, OptionalType) else OptionalType(inner)
        case DictType(key, value):
            return DictType(bind(key, bindings), bind(value, bindings))
        case TupleType(elements):
            return TupleType(tuple(bind(e, bindings) for e in elements))
    return type


def _takes_the_rest(schema: Schema, index: int, operand: Operand) -> bool:
    """Whether ``view(2, 3)`` means ``view([2, 3])``: the last positional list, not ``int[2]``."""
    argument = schema.arguments[index]
    last = index + 1 == len(schema.arguments) or schema.arguments[index + 1].keyword_only
    if not last or argument.length is not None or not isinstance(argument.type, ListType):
        return False
    if argument.type.element not in (INT, TENSOR):
        return False
    return fit(operand, argument.type.element, None, {}) is not None and not isinstance(
        operand_type(operand), ListType | TupleType | NamedTupleType
    )


def fit(operand: Operand, formal: Type, length: int | None, bindings: Bindings) -> int | None:
    """The distance of an operand from a declared type, None if it does not fit.

    Type variables met for the first time are added to ``bindings``.
    """
    if not isinstance(operand, Value | str) and isinstance(operand, Sequence):
        return _fit_sequence(operand, formal, bindings)
    return fit_type(operand_type(operand), formal, length, bindings)


def _fit_sequence(operands: Sequence[Operand], formal: Type, bindings: Bindings) -> int | None:
    if isinstance(formal, OptionalType):
        return _fit_sequence(operands, formal.element, bindings)
    if formal == ANY:
        return LIST
    if isinstance(formal, VariableType):
        return fit_type(operand_type(operands), formal, None, bindings)
    if not isinstance(formal, ListType):
        return None
    element = formal.element
    if isinstance(element, VariableType) and element.name not in bindings:
        if not operands:
            return EXACT
        bindings[element.name] = _element_type(operands)
    worst = EXACT
    for operand in operands:
        level = fit(operand, element, None, bindings)
        if level is None:
            return None
        worst = max(worst, level)
    return worst


def fit_type(actual: Type, formal: Type, length: int | None, bindings: Bindings) -> int | None:
    """As ``fit``, of a value's type."""
    match formal:
        case TensorType() if isinstance(actual, TensorType):
            return EXACT
        case VariableType(name):
            actual = erase_facts(actual)
            bound = bindings.setdefault(name, actual)
            return SUBTYPE if is_subtype(actual, bound) else None
        case OptionalType(element):
            if actual == NONE:
                return EXACT
            if isinstance(actual, OptionalType):
                return fit_type(actual.element, element, None, bindings)
            level = fit_type(actual, element, length, bindings)
            return None if level is None else max(level, SUBTYPE)
    if formal == ANY:
        return LIST
    level = _fit_container(actual, formal, bindings)
    if level is not None:
        return level
    if is_subtype(actual, formal):
        return EXACT if erase_facts(actual) == formal else SUBTYPE
    if isinstance(formal, ListType):
        return _fit_as_list(actual, formal, length, bindings)
    if actual in _PROMOTIONS.get(formal, ()):
        return PROMOTE
    if isinstance(actual, TensorType) and formal in (INT, FLOAT, COMPLEX, NUMBER):
        return IMPLICIT
    if actual == NUMBER and formal == INT:
        return IMPLICIT
    return None


def _fit_container(actual: Type, formal: Type, bindings: Bindings) -> int | None:
    """Containers fit invariantly; an op's list of Scalars also takes lists of one number type."""
    match actual, formal:
        case ListType(x), ListType(y):
            level = fit_type(x, y, None, bindings)
            exact = bind(y, bindings) == erase_facts(x)
            if level is None or not (exact or (y == NUMBER and level <= SUBTYPE)):
                return None
            return level
        case DictType(a, x), DictType(b, y):
            keys, values = fit_type(a, b, None, bindings), fit_type(x, y, None, bindings)
            if keys is None or values is None:
                return None
            exact = bind(formal, bindings) == erase_facts(actual)
            return max(keys, values) if exact else None
        case TupleType(x), TupleType(y) if len(x) == len(y):
            levels = [fit_type(p, q, None, bindings) for p, q in zip(x, y, strict=True)]
            known = [level for level in levels if level is not None and level <= SUBTYPE]
            return max(known, default=EXACT) if len(known) == len(levels) else None
    return None


def _fit_as_list(
    actual: Type, formal: ListType, length: int | None, bindings: Bindings
) -> int | None:
    match actual:
        case TupleType(elements) | NamedTupleType(elements=elements):
            levels = [fit_type(e, formal.element, None, bindings) for e in elements]
            return None if None in levels else LIST
    if length is None:
        return None
    level = fit_type(actual, formal.element, None, bindings)
    return None if level is None else max(level, LIST)
