"""``Function.apply`` of ``torch.autograd``: programs have no gradients, so it is ``forward``."""

from __future__ import annotations

import inspect
import types
from typing import TYPE_CHECKING, Any

import torch

from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.values import FALSE, NOTHING, Item, ListItem, PythonItem

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame


class Context:
    """``ctx``: what ``forward`` keeps for ``backward`` lives as long as its variables do."""


class _Ignored:
    """A method of ``ctx`` that says something to ``backward`` only."""

    def compile(self, frame: Frame, *args: Item, **kwargs: Item) -> Item:
        return NOTHING


_IGNORED = _Ignored()
_METHODS = ("save_for_backward", "save_for_forward", "mark_dirty", "mark_non_differentiable",
            "set_materialize_grads")  # fmt: skip


def is_apply(object: Any) -> bool:
    """Whether it is ``F.apply`` of a class ``F`` with its own gradient."""
    owner = getattr(object, "__self__", None)
    return (
        isinstance(owner, type)
        and issubclass(owner, torch.autograd.Function)
        and object.__name__ == "apply"
    )


def apply_function(frame: Frame, cls: type, args: list[Item], kwargs: dict[str, Item]) -> Item:
    """``cls.apply(*args)`` where no gradient is wanted."""
    forward = inspect.getattr_static(cls, "forward", None)
    function = getattr(forward, "__func__", forward)
    if not isinstance(function, types.FunctionType):
        raise CompileError(f"{cls.__name__} has no forward that can be compiled")
    own: Any = cls
    if own.setup_context is torch.autograd.Function.setup_context:
        context = Context()
        frame.compiler.keep_alive(context)
        args = [PythonItem(context), *args]
    return frame.compiler.call(frame, function, args, kwargs, frame.node)


def gradients(frame: Frame, *args: Item, **kwargs: Item) -> Item:
    """``torch.autograd.grad`` and ``backward``. Raises CompileError."""
    raise CompileError(
        "programs have no gradients",
        "ingot.trace follows models that ask for gradients",
    )


def set_context(frame: Frame, name: str, item: Item) -> None:
    """``ctx.name = item``."""
    frame.environment.names[_key(name)] = item


def read_context(frame: Frame, name: str) -> Item:
    """``ctx.name``. Raises CompileError if the function has not assigned it."""
    if name in _METHODS:
        return PythonItem(_IGNORED)
    if name == "needs_input_grad":
        return ListItem((FALSE,) * 64)
    found = frame.read(_key(name)) if _key(name) in frame.environment.names else None
    if found is None:
        raise CompileError(f"ctx has no attribute {name} here", f"assign ctx.{name} before")
    return found


def _key(name: str) -> str:
    return f"ctx {name}"
