"""How two results of a model differ."""

from __future__ import annotations

import math
from typing import Any

import torch

_TOLERANCE = {
    torch.float64: (1e-6, 1e-9),
    torch.float32: (1e-4, 1e-5),
    torch.float16: (1e-2, 1e-3),
    torch.bfloat16: (3e-2, 1e-2),
    torch.complex64: (1e-4, 1e-5),
    torch.complex128: (1e-6, 1e-9),
}
"""Relative and absolute tolerance. The absolute one is scaled by the largest value."""


def difference(
    found: Any, expected: Any, where: str = "the output", *, slack: float = 1.0
) -> str | None:
    """A clause that says how ``found`` differs from what eager PyTorch gave; None: it does not.

    Values of containers are compared one by one; floating values within a tolerance that
    allows another order of summation, times ``slack``.
    """
    if isinstance(expected, torch.Tensor):
        return _tensor_difference(found, expected, where, slack)
    if isinstance(expected, dict):
        if not isinstance(found, dict) or list(found) != list(expected):
            return f"{where} is {_kind(found)}, eager gives a dict with the keys {list(expected)}"
        pairs = [(found[k], expected[k], f"{where}[{k!r}]") for k in expected]
    elif isinstance(expected, list | tuple):
        if not isinstance(found, list | tuple) or len(found) != len(expected):
            return f"{where} is {_kind(found)}, eager gives {_kind(expected)}"
        pairs = [
            (f, e, f"{where}[{i}]") for i, (f, e) in enumerate(zip(found, expected, strict=True))
        ]
    elif isinstance(expected, bool | str | None) or isinstance(found, bool | str | None):
        same = found == expected and type(found) is type(expected)
        return None if same else f"{where} is {found!r}, eager gives {expected!r}"
    elif isinstance(expected, int | float | complex):
        same = found == expected or (
            isinstance(expected, float)
            and (
                math.isclose(found, expected, rel_tol=slack * 1e-4, abs_tol=slack * 1e-5)
                or (math.isnan(expected) and math.isnan(found))
            )
        )
        if isinstance(expected, int) and not isinstance(found, int):
            same = False
        return None if same else f"{where} is {found!r}, eager gives {expected!r}"
    else:
        return f"{where} is {_kind(found)}, eager gives {_kind(expected)}"
    for one, two, place in pairs:
        clause = difference(one, two, place, slack=slack)
        if clause:
            return clause
    return None


def _tensor_difference(found: Any, expected: torch.Tensor, where: str, slack: float) -> str | None:
    if not isinstance(found, torch.Tensor):
        return f"{where} is {_kind(found)}, eager gives a tensor"
    if found.dtype != expected.dtype:
        return f"{where} is {found.dtype}, eager gives {expected.dtype}"
    if found.shape != expected.shape:
        return f"{where} has shape {list(found.shape)}, eager gives {list(expected.shape)}"
    if expected.dtype not in _TOLERANCE:
        wrong = int((found != expected).sum())
        return f"{where} differs in {wrong} of {expected.numel()} elements" if wrong else None
    wide = torch.complex128 if expected.is_complex() else torch.float64
    a, b = found.detach().to(wide), expected.detach().to(wide)
    relative, absolute = (slack * bound for bound in _TOLERANCE[expected.dtype])
    finite = b[torch.isfinite(b)].abs()
    scale = max(1.0, float(finite.max()) if finite.numel() else 1.0)
    close = torch.isclose(a, b, rtol=relative, atol=absolute * scale, equal_nan=True)
    if bool(close.all()):
        return None
    gaps = (a - b).abs()[~close]
    return (
        f"{where} differs from eager in {int((~close).sum())} of {b.numel()} elements, "
        f"by up to {float(gaps.max()):.3g}"
    )


def _kind(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return "a tensor"
    if isinstance(value, list | tuple):
        return f"a {type(value).__name__} of {len(value)}"
    return f"a {type(value).__name__}"
