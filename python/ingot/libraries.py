"""Shared libraries with further ops."""

from __future__ import annotations

import os

from ingot import _ingot
from ingot.ir import schema


def load_library(path: str | os.PathLike[str]) -> None:
    """Loads a shared library whose ops models may use from now on.

    It stays loaded until the process ends; loading it again does nothing. It runs code of its
    own: load only what you trust. A file never names libraries. ``path`` without a slash is
    searched as the system searches libraries.

    Raises Error: the file is missing or no library, or it registers an op that there is.
    """
    _ingot.load_library(os.fspath(path))
    schema.forget()
