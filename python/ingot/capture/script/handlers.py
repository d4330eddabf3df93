"""Calls of the compiler's own functions that stand for builtins and methods."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING

from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.values import Constant, Item, ListItem, TupleItem

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame


def _is_known(item: Item) -> bool:
    """Whether the item is a constant, or a tuple or list of constants: Python computed with it."""
    if isinstance(item, TupleItem | ListItem):
        return all(map(_is_known, item.items))
    return isinstance(item, Constant)


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
    except (TypeError, ValueError, ArithmeticError, LookupError) as error:
        trace = error.__traceback__
        if trace is None or trace.tb_next is not None:  # the handler itself had begun
            if all(map(_is_known, (*receiver, *args, *kwargs.values()))):
                raise CompileError(f"this raises {type(error).__name__}: {error}") from None
            raise
        if not isinstance(error, TypeError):
            raise
    taken = list(inspect.signature(handler).parameters.values())[1 + len(receiver) :]
    given = [item.describe() for item in args]
    given += [f"{key}={item.describe()}" for key, item in kwargs.items()]
    shown = ", ".join(p.name if p.default is p.empty else f"{p.name}=..." for p in taken)
    raise CompileError(
        f"{name} cannot be called with ({', '.join(given)})",
        f"compiled programs take {name}({shown})",
    ) from None
