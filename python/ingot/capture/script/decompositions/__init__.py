"""Ops that are written with others, by family; each in the scriptable language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ingot.capture.script.decompositions import fourier, linear_algebra, neural, tensors

DECOMPOSITIONS: dict[str, Callable[..., Any]] = {
    **fourier.COMPOSITIONS,
    **linear_algebra.COMPOSITIONS,
    **neural.COMPOSITIONS,
    **tensors.COMPOSITIONS,
}
