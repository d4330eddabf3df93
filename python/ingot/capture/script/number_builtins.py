"""Builtins and functions of ``math`` on numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ingot.capture.script import library
from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.items import type_of
from ingot.capture.script.language import NUMBER
from ingot.capture.script.objects import special
from ingot.capture.script.operations import call_op
from ingot.capture.script.operators import as_number, as_plain, binary
from ingot.capture.script.sequence_builtins import sequence
from ingot.capture.script.unions import each_member
from ingot.capture.script.values import (
    NOTHING,
    ZERO,
    Constant,
    Item,
    TupleItem,
    is_constant_object,
)
from ingot.ir.types import BOOL, COMPLEX, FLOAT, INT, STR, TENSOR, TensorType, Type

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame

_NUMBERS = (BOOL, INT, FLOAT)


def to_int(frame: Frame, item: Item = ZERO, base: Item = NOTHING) -> Item:
    if base == NOTHING:
        return _number(frame, item, INT, int, "aten::Int")
    if isinstance(item, Constant) and isinstance(base, Constant):
        try:
            return Constant(int(item.value, base.value))
        except (ValueError, TypeError):
            pass
    if type_of(item) != STR:
        raise CompileError("int() can't convert non-string with explicit base")
    return call_op(frame, "prim::int_base", [item, base])


def to_float(frame: Frame, item: Item = ZERO) -> Item:
    return _number(frame, item, FLOAT, float, "aten::Float")


def _number(frame: Frame, item: Item, type: Type, convert: Callable[[Any], Any], op: str) -> Item:
    for name in (f"__{convert.__name__}__", "__index__"):
        written = special(frame, item, name)
        if written is not None:
            return written
    item = as_plain(frame, item)
    actual = type_of(item)
    if isinstance(item, Constant) and item.value is not None:
        try:
            return Constant(convert(item.value))
        except (ValueError, OverflowError, TypeError):
            pass
    if actual == type:
        return item
    if actual in (*_NUMBERS, NUMBER, STR) or isinstance(actual, TensorType):
        return call_op(frame, op, [item], type=type)
    found = each_member(frame, item, lambda each: _number(frame, each, type, convert, op))
    if found is not None:
        return found
    raise CompileError(f"{item.describe()} cannot be converted to {type}")


def to_complex(frame: Frame, real: Item = ZERO, imag: Item = ZERO) -> Item:
    written = special(frame, real, "__complex__")
    if written is not None:
        return written
    if isinstance(real, Constant) and isinstance(imag, Constant):
        given = (real.value,) if imag == ZERO else (real.value, imag.value)
        return Constant(complex(*given))
    real, imag = as_plain(frame, real), as_plain(frame, imag)
    if isinstance(type_of(real), TensorType) and imag == ZERO:
        real = call_op(frame, "aten::item", [real], type=NUMBER)
    if type_of(real) == COMPLEX and imag == ZERO:
        return real
    if imag == ZERO and type_of(real) == NUMBER:
        return call_op(frame, "aten::Complex", [real])
    return call_op(frame, "aten::Complex", [real, imag])


def absolute(frame: Frame, item: Item) -> Item:
    written = special(frame, item, "__abs__")
    if written is not None:
        return written
    item = as_plain(frame, item)
    type = type_of(item)
    if isinstance(item, Constant) and type in (*_NUMBERS, COMPLEX):
        return Constant(abs(item.value))
    if isinstance(type, TensorType):
        return call_op(frame, "aten::abs", [item])
    if type in (*_NUMBERS, NUMBER, COMPLEX):
        item = as_number(frame, item, INT) if type == BOOL else item
        return call_op(frame, "prim::abs", [item])
    raise CompileError(f"abs does not take {item.describe()}")


def rounded(frame: Frame, number: Item, ndigits: Item = NOTHING) -> Item:
    written = special(frame, number, "__round__", *([] if ndigits == NOTHING else [ndigits]))
    if written is not None:
        return written
    number = as_plain(frame, number)
    type = type_of(number)
    if type == NUMBER:
        number, type = to_float(frame, number), FLOAT
    if isinstance(number, Constant) and isinstance(ndigits, Constant):
        return Constant(round(number.value, ndigits.value))
    if isinstance(type, TensorType):
        given = {} if ndigits == NOTHING else {"decimals": ndigits}
        return call_op(frame, "aten::round", [number], given)
    if type in (INT, BOOL):
        number = as_number(frame, number, INT)
        return number if ndigits == NOTHING else frame.call(library.round_int, number, ndigits)
    if type == FLOAT:
        if ndigits != NOTHING:
            return call_op(frame, "prim::round_digits", [number, ndigits])
        return call_op(frame, "aten::Int", [call_op(frame, "aten::round", [number])])
    raise CompileError(f"round does not take {number.describe()}")


def quotient_and_rest(frame: Frame, a: Item, b: Item) -> Item:
    return TupleItem((binary(frame, "//", a, b), binary(frame, "%", a, b)))


def power(frame: Frame, a: Item, b: Item, modulus: Item = NOTHING) -> Item:
    if modulus == NOTHING:
        return binary(frame, "**", a, b)
    if any(type_of(each) not in (INT, BOOL) for each in (a, b, modulus)):
        raise CompileError("pow with three arguments takes ints")
    return frame.call(library.power_modulo, a, b, modulus)


def character(op: str, python: Callable[..., Any]) -> Callable[..., Item]:
    """``ord``, ``chr``, ``hex``, ``bin`` or ``oct``."""

    def apply(frame: Frame, item: Item) -> Item:
        if isinstance(item, Constant):
            return Constant(python(item.value))
        item = as_number(frame, item, INT) if type_of(item) == BOOL else item
        return call_op(frame, op, [item])

    return apply


_OF_FLOATS = (math.pow, math.isnan, math.isinf, math.isfinite, math.frexp, math.modf)
"""Functions that take an int as the float that it is."""


def _math(function: Callable[..., Any]) -> Callable[..., Item]:
    """A function of Python's math module, folded or an op of the same name."""

    def apply(frame: Frame, *args: Item) -> Item:
        if all(isinstance(a, Constant) for a in args):
            try:
                value = function(*(a.value for a in args))  # type: ignore[attr-defined]
            except (ValueError, OverflowError, TypeError):
                value = ...
            if is_constant_object(value):
                return Constant(value)
        numbers = _plain_numbers(frame, args)
        if function in _OF_FLOATS:
            numbers = [as_number(frame, a, FLOAT) for a in numbers]
        name = "mathremainder" if function is math.remainder else function.__name__
        return call_op(frame, f"aten::{name}", numbers)

    return apply


def _plain_numbers(frame: Frame, args: tuple[Item, ...]) -> list[Item]:
    numbers = [
        call_op(frame, "aten::Float", [a]) if type_of(a) in (NUMBER, TENSOR) else a for a in args
    ]
    return [as_number(frame, a, INT) if type_of(a) == BOOL else a for a in numbers]


def _composed(composition: Callable[..., Any], kind: Type) -> Callable[..., Item]:
    """A function of numbers of one kind that is written in the language."""

    def apply(frame: Frame, *args: Item) -> Item:
        numbers = [as_number(frame, a, kind) for a in _plain_numbers(frame, args)]
        return frame.call(composition, *numbers)

    return apply


def _fold_left(composition: Callable[..., Any], unit: int) -> Callable[..., Item]:
    """``gcd`` and ``lcm`` of any number of ints."""

    def apply(frame: Frame, *args: Item) -> Item:
        result: Item = Constant(unit)
        for each in args:
            result = frame.call(composition, result, as_number(frame, each, INT))
        return result

    return apply


def _trunc(frame: Frame, item: Item) -> Item:
    return to_int(frame, item)


def _fabs(frame: Frame, item: Item) -> Item:
    return absolute(frame, to_float(frame, item))


def _prod(frame: Frame, values: Item, start: Item = Constant(1)) -> Item:  # noqa: B008
    if isinstance(values, TupleItem):
        result = start
        for each in values.items:
            result = binary(frame, "*", result, each)
        return result
    values = sequence(frame, values)
    element = getattr(type_of(values), "element", None)
    if element == FLOAT and type_of(start) == INT:
        start = as_number(frame, start, FLOAT)
    return frame.call(library.product_of, values, start)


_RELATIVE = Constant(1e-9)
_NO_TOLERANCE = Constant(0.0)


def _isclose(
    frame: Frame, a: Item, b: Item, rel_tol: Item = _RELATIVE, abs_tol: Item = _NO_TOLERANCE
) -> Item:
    return _composed(library.is_close, FLOAT)(frame, a, b, rel_tol, abs_tol)


def _hypot(frame: Frame, *args: Item) -> Item:
    result: Item = Constant(0.0)
    for each in args:
        result = call_op(frame, "prim::hypot", [result, to_float(frame, each)])
    return result


def _of_float(name: str) -> Callable[..., Item]:
    """A function of a float that is an op of Ingot's own."""

    def apply(frame: Frame, item: Item) -> Item:
        return call_op(frame, f"prim::{name}", [to_float(frame, item)])

    return apply


def _listed(composition: Callable[..., Any]) -> Callable[..., Item]:
    """A function of lists of floats."""
    from ingot.ir.types import ListType

    def apply(frame: Frame, *args: Item) -> Item:
        lists = [frame.dynamic(frame.value(a, ListType(FLOAT)), ListType(FLOAT)) for a in args]
        return frame.call(composition, *lists)

    return apply


def _perm(frame: Frame, n: Item, k: Item = NOTHING) -> Item:
    return _composed(library.permutations, INT)(frame, n, n if k == NOTHING else k)


NUMBER_BUILTINS: dict[Any, Callable[..., Item]] = {
    int: to_int,
    float: to_float,
    complex: to_complex,
    abs: absolute,
    round: rounded,
    divmod: quotient_and_rest,
    pow: power,
    ord: character("aten::ord", ord),
    chr: character("aten::chr", chr),
    hex: character("aten::hex", hex),
    bin: character("aten::bin", bin),
    oct: character("aten::oct", oct),
    **{f: _math(f) for f in vars(math).values() if callable(f) and not isinstance(f, type)},
    math.log2: _of_float("log2"),
    math.trunc: _trunc,
    math.fabs: _fabs,
    math.prod: _prod,
    math.isclose: _isclose,
    math.hypot: _hypot,
    math.fsum: _listed(library.exact_sum),
    math.dist: _listed(library.distance),
    math.comb: _composed(library.combinations, INT),
    math.perm: _perm,
    math.isqrt: _composed(library.integer_root, INT),
    math.lcm: _fold_left(library.least_common_multiple, 1),
}
if hasattr(math, "cbrt"):  # Python 3.11 has them
    NUMBER_BUILTINS[math.cbrt] = _of_float("cbrt")
    NUMBER_BUILTINS[math.exp2] = _of_float("exp2")
