"""Ingot: PyTorch models as one portable file, run by a small native library."""

from __future__ import annotations

from ingot.errors import Error, GuardError

__all__ = ["Error", "GuardError"]
