"""``torch.jit._awaitable``: a call that is made when its result is first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.items import type_of
from ingot.capture.script.language import FutureType, lower
from ingot.capture.script.operations import call_op
from ingot.capture.script.truth import truth
from ingot.capture.script.values import ZERO, AwaitItem, Item
from ingot.ir.types import ListType

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame


def awaitable(frame: Frame, function: Item, *args: Item, **kwargs: Item) -> Item:
    """The call, and an empty list that will hold its result."""
    from ingot.capture.script.calls import call

    mark, before = frame.builder.mark(), frame.environment.copy()
    type = type_of(call(frame, function, list(args), kwargs))
    frame.undo(mark, before)
    if type is None:
        raise CompileError(f"{function.describe()} gives no value that can be awaited")
    made = frame.builder.list_construct([], lower(type))
    names = tuple(kwargs)
    given = (function, *args, *kwargs.values())
    return AwaitItem(given, frame.dynamic(made, ListType(type)), names)


def awaitable_nowait(frame: Frame, item: Item) -> Item:
    """What is known already, as something to wait for."""
    type = type_of(item)
    if type is None:
        raise CompileError(f"{item.describe()} is no value that can be awaited")
    made = frame.builder.list_construct([frame.value(item)], lower(type))
    return AwaitItem((), frame.dynamic(made, ListType(type)))


def wait(frame: Frame, item: Item) -> Item:
    """The result; the call is made if this is the first to ask."""
    from ingot.capture.script.calls import call
    from ingot.capture.script.containers import call_container_method

    type = type_of(item)
    if isinstance(type, FutureType):
        return frame.dynamic(frame.value(item), type.element)
    if not isinstance(item, AwaitItem):
        raise CompileError(
            f"{item.describe()} is not awaitable", "pass what torch.jit._awaitable gave"
        )
    if item.call:
        function, *rest = item.call
        first = len(rest) - len(item.names)
        branch = frame.builder.if_(frame.value(truth(frame, item.result)))
        with frame.forgetful(), frame.builder.at(branch.blocks[1]):
            kwargs = dict(zip(item.names, rest[first:], strict=True))
            result = call(frame, function, rest[:first], kwargs)
            call_container_method(frame, item.result, "append", [result], {})
    kept = type_of(item.result)
    assert isinstance(kept, ListType)
    return call_op(frame, "aten::__getitem__", [item.result, ZERO], type=kept.element)


def await_attribute(frame: Frame, item: AwaitItem, name: str) -> Item:
    """``aw.name`` waits for the result and reads its attribute."""
    from ingot.capture.script.attributes import attribute

    if name == "is_nowait":
        raise CompileError("is_nowait cannot be compiled", "call torch.jit._awaitable_wait")
    return attribute(frame, wait(frame, item), name)
