"""``with``: the user's context managers; those that mean nothing in a program are left out."""

from __future__ import annotations

import ast
import contextlib
import types
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from ingot.capture.script.assignment import assign_target
from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.exceptions import either, exception_classes, is_one_of, protected
from ingot.capture.script.expressions import expression
from ingot.capture.script.flow import Flow, Way
from ingot.capture.script.items import type_of
from ingot.capture.script.objects import object_members, special
from ingot.capture.script.own_exceptions import raise_caught
from ingot.capture.script.truth import truth
from ingot.capture.script.values import (
    FALSE,
    NOTHING,
    TRUE,
    CaughtClassItem,
    CaughtItem,
    Constant,
    Item,
    PythonItem,
)

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame

_WITHOUT_EFFECT: tuple[Any, ...] = (
    torch.no_grad,
    torch.enable_grad,
    torch.inference_mode,
    torch.set_grad_enabled,
    torch.autograd.profiler.record_function,
    torch.profiler.record_function,
    torch.autograd.profiler.profile,
    torch.profiler.profile,
    torch.autograd.set_detect_anomaly,
    torch.autograd.detect_anomaly,
    torch.autograd.graph.save_on_cpu,
    torch.nn.attention.sdpa_kernel,
    torch.backends.cuda.sdp_kernel,
    torch.jit._IgnoreContextManager,  # type: ignore[attr-defined]
    torch.cuda.device,
    torch.cuda.device_of,
    torch.cuda.stream,
    torch.cuda.StreamContext,
    contextlib.nullcontext,
    warnings.catch_warnings,
)


def with_statement(frame: Frame, node: ast.With) -> Flow:
    return _within(frame, node, node.items)


def _within(frame: Frame, node: ast.With, items: Sequence[ast.withitem]) -> Flow:
    """Enters the contexts one inside the other, and compiles the body."""
    from ingot.capture.script.statements import body

    if not items:
        return body(frame, node.body)
    context = _enter(frame, items[0])
    if context is None:
        return _within(frame, node, items[1:])
    frame.final_depth += 1
    try:
        outcome = protected(
            frame, node, [*items[1:], *node.body], lambda: _within(frame, node, items[1:])
        )
    finally:
        frame.final_depth -= 1

    def handle() -> Flow:
        outcome.enter_handler(frame)
        swallowed = _exit_after(frame, context, outcome.caught)
        if swallowed == FALSE:
            return _raise_again(frame, outcome.caught)
        if swallowed == TRUE:
            return Flow.only(Way.FALL, frame.environment)
        return either(
            frame,
            node,
            swallowed,
            lambda: Flow.only(Way.FALL, frame.environment),
            lambda: _raise_again(frame, outcome.caught),
        )

    def leave() -> Flow:
        writes = frame.compiler.writes
        if not isinstance(context, _Suppress):
            special(frame, context, "__exit__", NOTHING, NOTHING, NOTHING)
        if frame.compiler.writes != writes:
            for end in outcome.flow.ends.values():
                end.forget_attributes()
        return outcome.flow

    if not outcome.flow.ends:
        frame.environment = outcome.environment.copy()
        return handle()
    return either(frame, node, outcome.failed, handle, leave)


def _raise_again(frame: Frame, caught: CaughtItem) -> Flow:
    raise_caught(frame, caught)
    return Flow()


@dataclass(frozen=True, eq=False)
class _Suppress(Item):
    """``contextlib.suppress(*classes)``."""

    classes: tuple[type, ...]

    def describe(self) -> str:
        return "contextlib.suppress"


class _Traceback:
    """Stands for the third argument of ``__exit__``, which programs do not have."""


class _Nothing:
    """What a context about gradients or profiling gives to be named."""


def _enter(frame: Frame, item: ast.withitem) -> Item | None:
    """Enters a context; gives the object whose ``__exit__`` is to be called, if there is one.

    Contexts about gradients and profiling mean nothing in a program.
    """
    node = item.context_expr
    if means_nothing(frame, node):
        if item.optional_vars is not None:
            assign_target(frame, item.optional_vars, PythonItem(_Nothing()))
        return None
    suppressed = _suppressed(frame, node)
    if suppressed is not None:
        if item.optional_vars is not None:
            assign_target(frame, item.optional_vars, NOTHING)
        return suppressed
    try:
        context = expression(frame, node)
    except CompileError as error:
        raise CompileError(
            f"with {ast.unparse(node)} cannot be compiled: {error.message}",
            error.hint,
            error.node or node,
        ) from None
    entered = special(frame, context, "__enter__") if _has_exit(context) else None
    if entered is None:
        raise CompileError(
            f"with {ast.unparse(node)} cannot be compiled",
            "use a class with __enter__ and __exit__, or a context about gradients",
            node,
        )
    if item.optional_vars is not None:
        assign_target(frame, item.optional_vars, entered)
    return context


def _suppressed(frame: Frame, node: ast.expr) -> _Suppress | None:
    if not isinstance(node, ast.Call) or node.keywords:
        return None
    if expression(frame, node.func) != PythonItem(contextlib.suppress):
        return None
    classes = [exception_classes(expression(frame, each)) for each in node.args]
    return _Suppress(tuple(each for some in classes for each in some))


def _exit_after(frame: Frame, context: Item, caught: CaughtItem) -> Item:
    """Whether the context swallows the exception."""
    if isinstance(context, _Suppress):
        return is_one_of(frame, caught, context.classes) if context.classes else FALSE
    arguments = (CaughtClassItem(caught), caught, PythonItem(_Traceback()))
    answer = special(frame, context, "__exit__", *arguments)
    return FALSE if answer is None else truth(frame, answer)


def _has_exit(context: Item) -> bool:
    return all(hasattr(m.cls, "__exit__") for m in object_members(type_of(context)))


def means_nothing(frame: Frame, node: ast.expr) -> bool:
    """Whether a context, or a decorator that is one, means nothing in a program."""
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
