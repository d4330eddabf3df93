"""``with``: context managers that mean nothing in a program are left out."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

import torch

from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.expressions import expression
from ingot.capture.script.values import PythonItem

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


def enter_context(frame: Frame, item: ast.withitem) -> None:
    """Accepts contexts about gradients and profiling; programs have neither."""
    node = item.context_expr
    callee = expression(frame, node.func) if isinstance(node, ast.Call) else None
    known = isinstance(callee, PythonItem) and any(callee.object is c for c in _WITHOUT_EFFECT)
    if not known or item.optional_vars is not None:
        raise CompileError(
            f"with {ast.unparse(node)} cannot be compiled",
            "only contexts about gradients and profiling can be",
            node,
        )
