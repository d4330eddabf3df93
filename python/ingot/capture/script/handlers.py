"""Calls of the compiler's own functions that stand for builtins and methods."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING

from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.values import Item

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame


def apply_handler(
    name: str,
    handler: Callable[..., Item],
    frame: Frame,
    receiver: list[Item],
    args: list[Item],
    kwargs: dict[str, Item],
) -> Item:
    """``handler(frame, *receiver, *args, **kwargs)``. Arguments that it does not take are the
    user's mistake: raises CompileError."""
    try:
        return handler(frame, *receiver, *args, **kwargs)
    except TypeError as error:
        trace = error.__traceback__
        if trace is None or trace.tb_next is not None:  # the handler itself had begun
            raise
    taken = list(inspect.signature(handler).parameters.values())[1 + len(receiver) :]
    given = [item.describe() for item in args]
    given += [f"{key}={item.describe()}" for key, item in kwargs.items()]
    shown = ", ".join(p.name if p.default is p.empty else f"{p.name}=..." for p in taken)
    raise CompileError(
        f"{name} cannot be called with ({', '.join(given)})",
        f"compiled programs take {name}({shown})",
    ) from None
