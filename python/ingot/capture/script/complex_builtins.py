"""Functions of ``cmath``, and powers of complex numbers."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.items import type_of
from ingot.capture.script.language import NUMBER
from ingot.capture.script.number_builtins import to_complex
from ingot.capture.script.operations import call_op
from ingot.capture.script.operators import as_number
from ingot.capture.script.values import Constant, Item
from ingot.ir.types import BOOL, COMPLEX, FLOAT, INT, TensorType

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame


def _composed(composition: Callable[..., Any]) -> Callable[..., Item]:
    """A function of complex numbers that is written in the language."""

    def apply(frame: Frame, *args: Item) -> Item:
        return frame.call(composition, *(_as_complex(frame, each) for each in args))

    return apply


def _as_complex(frame: Frame, item: Item) -> Item:
    type = type_of(item)
    if type in (NUMBER, COMPLEX) or isinstance(type, TensorType):
        return to_complex(frame, item)
    if type in (BOOL, INT, FLOAT):
        return as_number(frame, item, COMPLEX)
    raise CompileError(f"{item.describe()} is no number")


def _of_tensor(name: str) -> Callable[..., Item]:
    """A function that PyTorch has too, of the same name."""

    def apply(frame: Frame, item: Item) -> Item:
        tensor = frame.call(_tensor_of, _as_complex(frame, item))
        return frame.call(_number_of, call_op(frame, f"aten::{name}", [tensor]))

    return apply


def _log(frame: Frame, item: Item, base: Item | None = None) -> Item:
    if base is None:
        return _composed(_natural_log)(frame, item)
    return _composed(_log_to_base)(frame, item, base)


def _rect(frame: Frame, r: Item, phi: Item) -> Item:
    return frame.call(_of_polar, as_number(frame, r, FLOAT), as_number(frame, phi, FLOAT))


# --- in the scriptable language --------------------------------------------------------------


def _tensor_of(z: complex) -> Tensor:
    return torch.tensor(z, dtype=torch.complex128)


def _number_of(tensor: Tensor) -> complex:
    return complex(tensor.item())


def _natural_log(z: complex) -> complex:
    if z == 0:
        raise ValueError("math domain error")
    return _number_of(_tensor_of(z).log())


def _log_to_base(z: complex, base: complex) -> complex:
    return _natural_log(z) / _natural_log(base)


def _log10(z: complex) -> complex:
    if z == 0:
        raise ValueError("math domain error")
    return _number_of(_tensor_of(z).log10())


def _phase(z: complex) -> float:
    return math.atan2(z.imag, z.real)


def _polar(z: complex) -> tuple[float, float]:
    return abs(z), math.atan2(z.imag, z.real)


def _of_polar(r: float, phi: float) -> complex:
    return complex(r * math.cos(phi), r * math.sin(phi))


def _isnan(z: complex) -> bool:
    return math.isnan(z.real) or math.isnan(z.imag)


def _isinf(z: complex) -> bool:
    return math.isinf(z.real) or math.isinf(z.imag)


def _isfinite(z: complex) -> bool:
    return math.isfinite(z.real) and math.isfinite(z.imag)


def power_of_complex(a: complex, b: complex) -> complex:
    """As Python: products where the exponent is a small whole number."""
    if b == 0:
        return complex(1.0, 0.0)
    if a == 0:
        if b.imag != 0.0 or b.real < 0.0:
            raise ZeroDivisionError("0.0 to a negative or complex power")
        return complex(0.0, 0.0)
    if b.imag != 0.0 or b.real != float(math.floor(b.real)) or abs(b.real) > 100.0:
        size = abs(a)
        angle = math.atan2(a.imag, a.real)
        length = size**b.real
        turn = angle * b.real
        if b.imag != 0.0:
            length *= math.exp(-angle * b.imag)
            turn += b.imag * math.log(size)
        return complex(length * math.cos(turn), length * math.sin(turn))
    n = int(b.real)
    left = abs(n)
    result = complex(1.0, 0.0)
    square = a
    while left > 0:
        if left & 1:
            result = result * square
        square = square * square
        left = left >> 1
    return result if n > 0 else complex(1.0, 0.0) / result


def _isclose(a: complex, b: complex, rel_tol: float, abs_tol: float) -> bool:
    if a == b:
        return True
    if _isinf(a) or _isinf(b):
        return False
    return abs(a - b) <= max(rel_tol * max(abs(a), abs(b)), abs_tol)


def _close(
    frame: Frame,
    a: Item,
    b: Item,
    *,
    rel_tol: Item = Constant(1e-09),  # noqa: B008
    abs_tol: Item = Constant(0.0),  # noqa: B008
) -> Item:
    return frame.call(_isclose, _as_complex(frame, a), _as_complex(frame, b), rel_tol, abs_tol)


CMATH_BUILTINS: dict[Any, Callable[..., Item]] = {
    **{
        getattr(cmath, name): _of_tensor(name)
        for name in ("exp", "sqrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh",
                     "tanh", "asinh", "acosh", "atanh")
    },
    cmath.log: _log,
    cmath.log10: _composed(_log10),
    cmath.phase: _composed(_phase),
    cmath.polar: _composed(_polar),
    cmath.rect: _rect,
    cmath.isnan: _composed(_isnan),
    cmath.isinf: _composed(_isinf),
    cmath.isfinite: _composed(_isfinite),
    cmath.isclose: _close,
}  # fmt: skip
