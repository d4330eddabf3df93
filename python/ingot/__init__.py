"""Ingot: PyTorch models as one portable file, run by a small native library.

``ingot.trace`` and ``ingot.script`` capture a model (they need torch); ``m.save`` writes it;
``ingot.load`` reads it and needs no torch. Nothing is imported before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ingot.errors import Error, GuardError

if TYPE_CHECKING:
    from ingot._ingot import get_num_threads, manual_seed, set_num_threads
    from ingot.capture.script import export, ignore, script, unused
    from ingot.capture.trace import trace
    from ingot.libraries import load_library
    from ingot.module import Module, load, save
    from ingot.profiling import profile
    from ingot.results import Object

    __version__: str

_HOMES = {
    "Module": "ingot.module",
    "Object": "ingot.results",
    "export": "ingot.capture.script",
    "get_num_threads": "ingot._ingot",
    "ignore": "ingot.capture.script",
    "load": "ingot.module",
    "load_library": "ingot.libraries",
    "manual_seed": "ingot._ingot",
    "profile": "ingot.profiling",
    "save": "ingot.module",
    "script": "ingot.capture.script",
    "set_num_threads": "ingot._ingot",
    "trace": "ingot.capture.trace",
    "unused": "ingot.capture.script",
}
"""Where each public name is defined."""

__all__ = [
    "Error",
    "GuardError",
    "Module",
    "Object",
    "export",
    "get_num_threads",
    "ignore",
    "load",
    "load_library",
    "manual_seed",
    "profile",
    "save",
    "script",
    "set_num_threads",
    "trace",
    "unused",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        value: Any = import_module("ingot._ingot").version()
    elif name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module 'ingot' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES, "__version__"])
