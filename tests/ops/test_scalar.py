"""Number ops against Python itself: the same value and type, or both raise."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import ingot
from ingot import _ingot

INTS = [0, 1, -1, 2, -2, 3, 7, -7, 10, 2**31, 2**53 + 1, -(2**53) - 1, 2**62, 2**63 - 1, -(2**63)]
FLOATS = [0.0, -0.0, 0.5, -0.5, 1.0, 2.5, 3.5, -7.25, 1e300, 1e-300, 2.0**53, 2.0**63, -1e18,
          math.inf, -math.inf, math.nan]  # fmt: skip
COMPLEXES = [0j, 1 + 0j, -2.5 + 1j, 1e10j]


def call(name: str, *args: Any) -> Any:
    results = _ingot.call_op(name, list(args))
    return results[0] if len(results) == 1 else results


def same(a: Any, b: Any) -> bool:
    if isinstance(a, tuple | list):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if type(a) is not type(b):
        return False
    if isinstance(a, complex):
        return same(a.real, b.real) and same(a.imag, b.imag)
    if isinstance(a, float):
        if math.isnan(a) or math.isnan(b):
            return math.isnan(a) and math.isnan(b)
        return a == b and math.copysign(1, a) == math.copysign(1, b)
    return bool(a == b)


def check(name: str, function: Callable, *args: Any) -> None:
    """Where Python's integer is beyond 64 bits or its result of another kind, raising is right."""
    try:
        want = function(*args)
    except (ArithmeticError, ValueError, TypeError):
        with pytest.raises(ingot.Error):
            call(name, *args)
        return
    if any(
        isinstance(v, int) and not -(2**63) <= v < 2**63
        for v in (want if isinstance(want, tuple) else [want])
    ):
        with pytest.raises(ingot.Error, match="OverflowError"):
            call(name, *args)
        return
    got = call(name, *args)
    assert same(got, want), f"{name}{args} is {got!r}, Python says {want!r}"


REAL: dict[str, Callable] = {
    "aten::add": operator.add, "aten::sub": operator.sub, "aten::mul": operator.mul,
    "aten::floordiv": operator.floordiv, "aten::remainder": operator.mod,
    "prim::min": min, "prim::max": max, "aten::eq": operator.eq, "aten::ne": operator.ne,
    "aten::lt": operator.lt, "aten::le": operator.le, "aten::gt": operator.gt,
    "aten::ge": operator.ge, "aten::fmod": math.fmod, "aten::mathremainder": math.remainder,
    "aten::atan2": math.atan2, "aten::copysign": math.copysign, "aten::divmod": divmod,
}  # fmt: skip
AS_FLOAT = {"prim::min", "prim::max"}  # of an int and a float: always a float


@pytest.mark.parametrize("name", REAL)
def test_binary(name: str) -> None:
    function = REAL[name]

    def mixed(a: Any, b: Any) -> Any:
        return float(function(a, b)) if name in AS_FLOAT else function(a, b)

    for overload, left, right in [
        ("int", INTS, INTS), ("float", FLOATS, FLOATS), ("int_float", INTS, FLOATS),
        ("float_int", FLOATS, INTS),
    ]:  # fmt: skip
        for a, b in itertools.product(left, right):
            check(f"{name}.{overload}", function if overload in ("int", "float") else mixed, a, b)


@pytest.mark.parametrize(
    "name", [n for n in REAL if n not in ("aten::divmod", "prim::min", "prim::max")]
)
def test_numbers_of_unknown_kind(name: str) -> None:
    overload = ".Scalar_Scalar" if name == "aten::atan2" else ""
    for a, b in itertools.product([*INTS, *FLOATS], repeat=2):
        check(f"{name}{overload}", REAL[name], a, b)


def test_true_division() -> None:
    for a, b in itertools.product(INTS, INTS):
        check("aten::div.int", operator.truediv, a, b)
        check("aten::div", operator.truediv, a, b)
    for a, b in itertools.product(FLOATS, FLOATS):
        check("aten::div.float", operator.truediv, a, b)
        check("aten::div", operator.truediv, a, float(b))


def test_power() -> None:
    for a, b in itertools.product(
        [0, 1, -1, 2, -3, 10, 2**32, 2**63 - 1], [0, 1, 2, 3, 18, 40, 62, 63, 64]
    ):
        check("aten::pow.int_to_int", operator.pow, a, b)
    with pytest.raises(ingot.Error, match="negative power"):
        call("aten::pow.int_to_int", 2, -1)

    def power(a: float, b: float) -> float:
        result = a**b
        if isinstance(result, complex):
            raise ValueError(result)
        return result

    for a, b in itertools.product(FLOATS, FLOATS):
        check("aten::pow.float", power, a, b)


INT_OPS: dict[str, Callable] = {
    "aten::__and__.int": operator.and_, "aten::__or__.int": operator.or_,
    "aten::__xor__.int": operator.xor, "aten::gcd.int": math.gcd,
}  # fmt: skip


def test_integers() -> None:
    for a, b in itertools.product(INTS, INTS):
        for name, function in INT_OPS.items():
            check(name, function, a, b)
        if abs(b) < 200:
            check("aten::__lshift__.int", operator.lshift, a, b)
            check("aten::__rshift__.int", operator.rshift, a, b)
    for a in INTS:
        check("aten::neg.int", operator.neg, a)
        check("prim::abs.int", abs, a)
        check("aten::hex", hex, a)
        check("aten::oct", oct, a)
        check("aten::bin", bin, a)
        if a < 100:
            check("aten::factorial.int", math.factorial, a)
    assert call("aten::__rshift__.int", -5, 2**40) == -1
    with pytest.raises(ingot.Error, match="OverflowError"):
        call("aten::__lshift__.int", 1, 2**40)


MATH: dict[str, Callable] = {
    "sqrt": math.sqrt, "exp": math.exp, "log": math.log, "log10": math.log10, "sin": math.sin,
    "cos": math.cos, "tan": math.tan, "asin": math.asin, "acos": math.acos, "atan": math.atan,
    "sinh": math.sinh, "cosh": math.cosh, "tanh": math.tanh, "asinh": math.asinh,
    "acosh": math.acosh, "atanh": math.atanh, "log1p": math.log1p, "expm1": math.expm1,
    "erf": math.erf, "erfc": math.erfc, "gamma": math.gamma, "lgamma": math.lgamma,
    "fabs": math.fabs, "degrees": math.degrees, "radians": math.radians,
}  # fmt: skip


@pytest.mark.parametrize("name", MATH)
def test_math(name: str) -> None:
    for overload, values in (("int", INTS), ("float", FLOATS), ("Scalar", [*INTS, *FLOATS])):
        for x in values:
            try:
                want = MATH[name](x)
            except (ValueError, OverflowError):
                with pytest.raises(ingot.Error, match="ValueError|OverflowError"):
                    call(f"aten::{name}.{overload}", x)
                continue
            got = call(f"aten::{name}.{overload}", x)
            assert isinstance(got, float)
            # Python and the C library may round the last digit differently.
            assert same(got, want) or math.isclose(got, want, rel_tol=4e-15), (name, x, got, want)


def test_rounding() -> None:
    for x in FLOATS:
        check("aten::floor.float", math.floor, x)
        check("aten::ceil.float", math.ceil, x)
        check("aten::Int.float", int, x)
        if math.isfinite(x):
            assert call("aten::round.float", x) == round(x)
        check("aten::frexp", math.frexp, x)
        check("aten::modf", math.modf, x)
        for f in ("isnan", "isinf", "isfinite"):
            check(f"aten::{f}.float", getattr(math, f), x)
        check("aten::ldexp", math.ldexp, x, 3)


def test_conversions() -> None:
    for x in [*INTS, *FLOATS, True, False]:
        check("aten::Float.Scalar", float, x)
        check("aten::Int.Scalar", int, x)
    for text in [
        "12",
        " -7 ",
        "+3",
        "1_000",
        "0x10",
        "",
        "1.5",
        "_1",
        "1__0",
        "9" * 25,
        "٣",
        "+-1",
    ]:
        if text != "٣":  # other scripts' digits are not read
            check("aten::Int.str", int, text)
    for text in ["1.5", " -2e3\n", "inf", "-Infinity", "NaN", "1_0.5", "1e400", "1e-400", "", "abc",
                 "nan(1)", "0x1p3", ".5", "5.", "1e"]:  # fmt: skip
        check("aten::Float.str", float, text)
    for x, dtype in itertools.product(
        [0, 1, -3, 2.75, True], [torch.float32, torch.int64, torch.float16, torch.bool]
    ):
        t = torch.tensor(x).to(dtype)
        assert same(call("aten::Int.Tensor", t), int(t))
        assert same(call("aten::Float.Tensor", t), float(t))
        assert same(call("aten::Bool.Tensor", t), bool(t))
        assert same(call("aten::item", t), t.item())
    with pytest.raises(ingot.Error, match="one element"):
        call("aten::item", torch.zeros(2))
    with pytest.raises(ingot.Error, match="ambiguous"):
        call("aten::Bool.Tensor", torch.zeros(0))
    with pytest.raises(ingot.Error, match="infinity"):
        call("aten::Int.Tensor", torch.tensor(math.inf))


@pytest.mark.parametrize(
    "data",
    [3, 2.5, True, [1, 2, 3], [[1.5, 2.0]], [], [[], []], [True, False], [[[1]], [[2]]]],
    ids=str,
)
@pytest.mark.parametrize("dtype", [None, 6, 4, 5, 11, 0], ids=str)
def test_tensor(data: Any, dtype: int | None) -> None:
    name = "aten::tensor"
    if not isinstance(data, list):
        name += {int: ".int", float: ".float", bool: ".bool"}[type(data)]
    dtypes = {6: torch.float32, 4: torch.int64, 5: torch.float16, 11: torch.bool, 0: torch.uint8}
    want = torch.tensor(data, dtype=dtypes[dtype] if dtype is not None else None)
    got = torch.as_tensor(call(name, data, dtype))
    assert got.dtype == want.dtype and torch.equal(got, want)


def test_scalar_tensor() -> None:
    for number in (3, 2.5, True, -1):
        for dtype, code in ((None, None), (torch.int64, 4), (torch.float16, 5), (torch.bool, 11)):
            want = torch.scalar_tensor(number, dtype=dtype)
            got = torch.from_numpy(call("aten::scalar_tensor", number, code))
            assert got.dtype == want.dtype and torch.equal(got, want)


def test_tensor_refuses_ragged_lists() -> None:
    with pytest.raises(ingot.Error, match="rectangular"):
        call("aten::tensor", [[1, 2], [3]])


def test_sizes() -> None:
    x = torch.zeros(2, 0, 5).transpose(0, 2)
    for name, want in [
        ("aten::size", [5, 0, 2]), ("aten::dim", 3), ("aten::numel", 0),
        ("aten::stride", list(x.stride())),
        ("aten::is_contiguous", x.is_contiguous()), ("aten::is_floating_point", True),
        ("prim::dtype", 6), ("aten::len.Tensor", 5), ("aten::element_size", 4),
    ]:  # fmt: skip
        assert call(name, x) == want
    assert [call("aten::size.int", x, d) for d in range(-3, 3)] == [5, 0, 2, 5, 0, 2]
    with pytest.raises(ingot.Error, match="dimension 3 is out of range"):
        call("aten::sym_size.int", x, 3)


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1))
def test_any_two_integers(a: int, b: int) -> None:
    for name in ("add", "sub", "mul", "floordiv", "remainder", "lt", "eq"):
        check(f"aten::{name}.int", REAL[f"aten::{name}"], a, b)
    check("aten::div.int", operator.truediv, a, b)


@given(st.integers(-(2**63), 2**63 - 1), st.floats())
def test_an_integer_and_a_float(a: int, b: float) -> None:
    for name in ("eq", "ne", "lt", "le", "gt", "ge", "add", "mul", "floordiv", "remainder"):
        check(f"aten::{name}.int_float", REAL[f"aten::{name}"], a, b)


def test_identity_and_logic() -> None:
    for a, b in itertools.product([True, False], repeat=2):
        assert call("aten::__and__.bool", a, b) is (a and b)
        assert call("aten::__or__.bool", a, b) is (a or b)
        assert call("aten::__xor__.bool", a, b) is (a != b)
    assert call("aten::__not__", True) is False
    assert call("aten::__is__", None, None) is True
    assert call("aten::__isnot__", 1, None) is True


def test_complex_numbers() -> None:
    for a, b in itertools.product(COMPLEXES, COMPLEXES):
        for name, function in [("add", operator.add), ("sub", operator.sub), ("mul", operator.mul)]:
            assert call(f"aten::{name}.complex", a, b) == function(a, b)
        assert call("aten::eq.complex", a, b) is (a == b)
    assert call("prim::abs.complex", 3 + 4j) == 5.0
    assert call("aten::div.complex", 1 + 2j, 2 + 0j) == 0.5 + 1j
    assert call("aten::Complex.int_float", 1, 2.0) == 1 + 2j
