"""The exceptions of Ingot. Both are defined in the native module, which C++ throws them from."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from ingot._ingot import Error, GuardError

if TYPE_CHECKING:
    from ingot.ir.graph import Source

__all__ = ["Error", "GuardError", "fail", "stack"]


def fail(message: str, *, source: Source | None = None, hint: str = "") -> NoReturn:
    """Raises Error with the sentence, the user's lines of ``source`` and what to do."""
    error = Error(message)
    error.location = stack(source)
    error.hint = hint
    raise error


def stack(source: Source | None) -> str:
    """The user's lines as error reports show them, innermost first; "" for None."""
    lines = []
    while source is not None:
        place = f"{source.file}:{source.line}"
        if source.function:
            place += f" in {source.function}"
        lines.append(f"{place}: {source.text}" if source.text else place)
        source = source.caller
    return "\n".join(lines)
