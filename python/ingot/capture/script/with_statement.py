"""``with``: the user's context managers; those that mean nothing in a program are left out."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

import torch

from ingot.capture.script.assignment import assign_target
from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.expressions import expression
from ingot.capture.script.items import type_of
from ingot.capture.script.objects import object_members, special
from ingot.capture.script.values import NOTHING, Item, PythonItem

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame

_WITHOUT_EFFECT: tuple[Any, ...] = (
    torch.no_grad,
    torch.enable_grad,
    torch.inference_mode,
    torch.set_grad_enabled,
    torch.autograd.profiler.record_function,
    torch.profiler.record_function,
)


def enter_context(frame: Frame, item: ast.withitem) -> Item | None:
    """Enters a context; gives the object whose ``__exit__`` is to be called, if there is one.

    Contexts about gradients and profiling mean nothing in a program.
    """
    node = item.context_expr
    callee = expression(frame, node.func) if isinstance(node, ast.Call) else None
    known = isinstance(callee, PythonItem) and any(callee.object is c for c in _WITHOUT_EFFECT)
    if known and item.optional_vars is None:
        return None
    context = None if known else expression(frame, node)
    entered = None if context is None else special(frame, context, "__enter__")
    if context is None or entered is None or not _has_exit(context):
        raise CompileError(
            f"with {ast.unparse(node)} cannot be compiled",
            "use a class with __enter__ and __exit__, or a context about gradients",
            node,
        )
    if item.optional_vars is not None:
        assign_target(frame, item.optional_vars, entered)
    return context


def leave_context(frame: Frame, context: Item) -> None:
    """Calls ``__exit__`` as at the end of a block that raised nothing."""
    special(frame, context, "__exit__", NOTHING, NOTHING, NOTHING)


def _has_exit(context: Item) -> bool:
    return all(hasattr(m.cls, "__exit__") for m in object_members(type_of(context)))
