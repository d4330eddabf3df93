"""``module(...)``: the hooks that run before forward, forward, and the hooks after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.flow import unless_none
from ingot.capture.script.items import type_of
from ingot.capture.script.language import may_be_none, without_none
from ingot.capture.script.modules import module_attribute
from ingot.capture.script.values import (
    NOTHING,
    Constant,
    DictItem,
    Item,
    ModuleItem,
    TupleItem,
)
from ingot.capture.script.wrapping import wrap
from ingot.ir.types import NONE, TupleType

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame


def has_hooks(item: ModuleItem) -> bool:
    return bool(item.module._forward_hooks or item.module._forward_pre_hooks)


def call_module(frame: Frame, item: ModuleItem, args: list[Item], kwargs: dict[str, Item]) -> Item:
    """A call of a module. Raises CompileError if a hook's result cannot be used."""
    from ingot.capture.script.calls import call

    module = item.module
    for number, hook in module._forward_pre_hooks.items():
        args, kwargs = _before(
            frame, item, hook, number in module._forward_pre_hooks_with_kwargs, args, kwargs
        )
    result = call(frame, module_attribute(frame, item, "forward"), args, kwargs)
    for number, hook in module._forward_hooks.items():
        given: list[Item] = [item, TupleItem(tuple(args))]
        if number in module._forward_hooks_with_kwargs:
            given.append(DictItem(dict(kwargs)))
        result = _unless_none(frame, _run(frame, hook, [*given, result]), result)
    return result


def _before(
    frame: Frame,
    item: ModuleItem,
    hook: Callable[..., Any],
    with_kwargs: bool,
    args: list[Item],
    kwargs: dict[str, Item],
) -> tuple[list[Item], dict[str, Item]]:
    given: list[Item] = [item, TupleItem(tuple(args))]
    if with_kwargs:
        given.append(DictItem(dict(kwargs)))
    result = _run(frame, hook, given)
    if result == NOTHING:
        return args, kwargs
    if not with_kwargs:
        alone = len(args) == 1 and not isinstance(without_none(type_of(result) or NONE), TupleType)
        result = _unless_none(frame, result, args[0] if alone else TupleItem(tuple(args)))
        return list(_elements(frame, result)), kwargs
    parts = _elements(frame, result)
    if len(parts) != 2 or not isinstance(parts[1], DictItem):
        raise CompileError(
            f"a hook with kwargs gives {result.describe()}",
            "return a tuple of the arguments and the keyword arguments",
        )
    return list(_elements(frame, parts[0])), dict(parts[1].items)


def _run(frame: Frame, hook: Callable[..., Any], given: list[Item]) -> Item:
    from ingot.capture.script.calls import call

    return call(frame, wrap(frame, hook, "hook"), given, {})


def _unless_none(frame: Frame, replaced: Item, before: Item) -> Item:
    """What a hook gives in place of ``before``, which stays where that is None."""
    type = type_of(replaced)
    if type is None or not may_be_none(type):
        return replaced
    return unless_none(frame, replaced, before, "the result of the hook")


def _elements(frame: Frame, result: Item) -> tuple[Item, ...]:
    """What a hook gives in place of the arguments: a tuple of them, or the only one."""
    if isinstance(result, TupleItem):
        return result.items
    type = type_of(result)
    if isinstance(type, TupleType) and not isinstance(result, Constant):
        values = frame.builder.tuple_unpack(frame.value(result))
        return tuple(frame.dynamic(v, t) for v, t in zip(values, type.elements, strict=True))
    return (result,)
