"""Errors about programs, with the user's Python lines."""

from __future__ import annotations

from typing import NoReturn

from ingot.errors import Error
from ingot.ir.graph import Source


def fail(
    message: str, *, source: Source | None = None, hint: str = "", code: str = "invalid_argument"
) -> NoReturn:
    """Raises Error with the sentence, the user's lines of ``source`` and what to do."""
    raise Error(message, code, stack(source), hint)


def stack(source: Source | None) -> str:
    """The user's lines as error reports show them, innermost first; "" for None."""
    lines = []
    while source is not None:
        place = f"  {source.file}:{source.line}"
        if source.function:
            place += f" in {source.function}"
        lines.append(f"{place}: {source.text}" if source.text else place)
        source = source.caller
    return "\n".join(lines)
