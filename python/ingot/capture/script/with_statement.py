"""``with``: the user's context managers; those that mean nothing in a program are left out."""

from __future__ import annotations

import ast
import contextlib
import types
from typing import TYPE_CHECKING, Any

import torch

from ingot.capture.script.assignment import assign_target
from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.expressions import expression
from ingot.capture.script.items import type_of
from ingot.capture.script.objects import object_members, special
from ingot.capture.script.values import NOTHING, Constant, Item, PythonItem

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame

_WITHOUT_EFFECT: tuple[Any, ...] = (
    torch.no_grad,
    torch.enable_grad,
    torch.inference_mode,
    torch.set_grad_enabled,
    torch.autograd.profiler.record_function,
    torch.autograd.profiler.profile,
    torch.profiler.profile,
    torch.autograd.set_detect_anomaly,
    torch.autograd.detect_anomaly,
    torch.autograd.graph.save_on_cpu,
    torch.nn.attention.sdpa_kernel,
    torch.backends.cuda.sdp_kernel,
    contextlib.nullcontext,
)


def enter_context(frame: Frame, item: ast.withitem) -> Item | None:
    """Enters a context; gives the object whose ``__exit__`` is to be called, if there is one.

    Contexts about gradients and profiling mean nothing in a program.
    """
    node = item.context_expr
    if item.optional_vars is None and _means_nothing(frame, node):
        return None
    context = expression(frame, node)
    entered = special(frame, context, "__enter__")
    if entered is None or not _has_exit(context):
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


def _means_nothing(frame: Frame, node: ast.expr) -> bool:
    item = expression(frame, node.func if isinstance(node, ast.Call) else node)
    if not isinstance(item, PythonItem):
        return False
    found = item.object
    if isinstance(node, ast.Call):
        if isinstance(found, type) and issubclass(found, torch.autocast):
            return _is_off(frame, found, node)
        if isinstance(found, types.MethodType) and found.__name__ in ("clone", "__class__"):
            found = found.__self__  # a context as a decorator: with self.clone()
    if any(found is each for each in _WITHOUT_EFFECT):
        return True
    if isinstance(found, torch.autocast):
        return found.device != "cpu" or not found._enabled
    classes = tuple(each for each in _WITHOUT_EFFECT if isinstance(each, type))
    return isinstance(found, classes)


def _is_off(frame: Frame, cls: Any, node: ast.Call) -> bool:
    """Whether ``torch.autocast(...)`` lowers no precision on the CPU."""
    if issubclass(cls, torch.cuda.amp.autocast):
        return True
    args = [expression(frame, each) for each in node.args]
    named = {each.arg: expression(frame, each.value) for each in node.keywords}
    device = args[0] if args else named.get("device_type", Constant("cpu"))
    if issubclass(cls, torch.cpu.amp.autocast_mode.autocast):
        device = Constant("cpu")
        args = [device, Constant(None), *args]
    enabled = args[2] if len(args) > 2 else named.get("enabled", Constant(True))
    on_cpu = not (isinstance(device, Constant) and device.value != "cpu")
    return not on_cpu or enabled == Constant(False)
