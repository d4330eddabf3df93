"""Marks on functions: what is compiled as a method, and what stays out of programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_ATTRIBUTE = "__ingot_marker__"


def export(function: F) -> F:
    """Marks a method of a module that callers of the program may run."""
    setattr(function, _ATTRIBUTE, "export")
    return function


def ignore(function: F) -> F:
    """Marks a function that stays in Python: compiled code may not call it."""
    setattr(function, _ATTRIBUTE, "ignore")
    return function


def unused(function: F) -> F:
    """Marks a function whose call in a program raises."""
    setattr(function, _ATTRIBUTE, "unused")
    return function


def marker_of(function: Any) -> str:
    """``"export"``, ``"ignore"``, ``"unused"`` or ``""``; those of ``torch.jit`` count too."""
    own = getattr(function, _ATTRIBUTE, None)
    if own is not None:
        return str(own)
    theirs = str(getattr(function, "_torchscript_modifier", "") or "")
    for name in ("unused", "ignore", "export"):
        if name in theirs.lower().partition(" ")[0]:
            return name
    return ""
