"""Results of a program held against eager PyTorch's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ingot.cli.values import leaves

_TOLERANCES = {  # rtol, atol: the dtype's rounding over some thousand accumulated terms
    "float16": (1e-2, 1e-2),
    "bfloat16": (5e-2, 5e-2),
    "float32": (1e-4, 1e-5),
    "float64": (1e-9, 1e-10),
    "complex64": (1e-4, 1e-5),
    "complex128": (1e-9, 1e-10),
}


@dataclass(frozen=True)
class Comparison:
    """One tensor or value of one result."""

    inputs: str
    output: str
    difference: str
    allowed: str
    equal: bool


def _to_numpy(value: Any) -> Any:
    import torch

    if isinstance(value, torch.Tensor):
        value = value.detach()
        return value.float().numpy() if value.dtype == torch.bfloat16 else value.numpy()
    return value


def _dtype_name(value: Any) -> str:
    dtype = getattr(value, "dtype", None)
    if dtype is None:
        return type(value).__name__
    return getattr(dtype, "name", str(dtype).removeprefix("torch."))


def compare(
    name: str, actual: Any, expected: Any, rtol: float | None, atol: float | None
) -> Iterator[Comparison]:
    """Compares every tensor and value of two results; None: the dtype's tolerance."""
    # A named tuple stands for any class with fields, so places are compared by order alone.
    got, wanted = list(leaves(actual)), list(leaves(_as_plain(expected)))
    if len(got) != len(wanted):
        text = f"{len(got)} values, eager has {len(wanted)}"
        yield Comparison(name, "result", text, "", False)
        return
    for (place, a), (_, b) in zip(got, wanted, strict=True):
        yield _compare_one(name, f"result{place}", a, b, rtol, atol)


def _as_plain(value: Any) -> Any:
    """Dataclasses and mappings as the tuples and dicts that a program returns for them."""
    if isinstance(value, dict):
        return {k: _as_plain(v) for k, v in value.items() if v is not None}
    fields = getattr(type(value), "__dataclass_fields__", None)
    if fields is not None:
        return [_as_plain(getattr(value, name)) for name in fields]
    if isinstance(value, list | tuple):
        return [_as_plain(v) for v in value]
    return value


def _compare_one(
    name: str, place: str, a: Any, b: Any, rtol: float | None, atol: float | None
) -> Comparison:
    a_type, b_type = _dtype_name(a), _dtype_name(b)
    if a_type != b_type:
        return Comparison(name, place, f"{a_type}, eager has {b_type}", "", False)
    a, b = np.asarray(_to_numpy(a)), np.asarray(_to_numpy(b))
    if a.shape != b.shape:
        return Comparison(name, place, f"{list(a.shape)}, eager has {list(b.shape)}", "", False)
    if a.dtype.kind not in "fcV":
        equal = bool(np.array_equal(a, b))
        count = int(np.sum(a != b))
        return Comparison(name, place, f"{count} of {a.size} differ", "none", equal)
    wide = np.complex128 if a.dtype.kind == "c" else np.float64
    a, b = a.astype(wide), b.astype(wide)
    usual = _TOLERANCES.get(a_type, (0.0, 0.0))
    rtol = usual[0] if rtol is None else rtol
    atol = usual[1] if atol is None else atol
    equal = bool(np.allclose(a, b, rtol, atol, equal_nan=True))
    both = np.isfinite(a) & np.isfinite(b)
    worst = float(np.max(np.abs(a - b), where=both, initial=0.0))
    text = f"{worst:.2e}" if np.array_equal(np.isfinite(a), np.isfinite(b)) else "NaN or inf"
    return Comparison(name, place, text, f"{atol:.0e} + {rtol:.0e}·|x|", equal)
