"""``with``: context managers that mean nothing in a program are left out."""

from __future__ import annotations

import ast
import contextlib
import types
from typing import TYPE_CHECKING, Any

import torch

from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.expressions import expression
from ingot.capture.script.values import Constant, PythonItem

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


def enter_context(frame: Frame, item: ast.withitem) -> None:
    """Accepts contexts about gradients, profiling and the precision of other devices."""
    node = item.context_expr
    if item.optional_vars is None and _means_nothing(frame, node):
        return
    raise CompileError(
        f"with {ast.unparse(node)} cannot be compiled",
        "only contexts about gradients and profiling can be",
        node,
    )


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
