"""A call of one of several modules or functions, chosen by a number or key at run time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.flow import Junction
from ingot.capture.script.values import Constant, Item, Missing, PickItem
from ingot.ir.types import INT, STR, Type

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame

_MAX_CHOICES = 256


def pick(frame: Frame, base: Item, items: Sequence[Item], index: Item) -> PickItem:
    """``base[index]`` for an int that the program computes."""
    keys = range(len(items))
    return _pick(frame, base, dict(zip(keys, items, strict=True)), index, INT)


def pick_by_key(frame: Frame, base: Item, entries: dict[str, Item], key: Item) -> PickItem:
    """``base[key]`` for a string that the program computes."""
    return _pick(frame, base, dict(entries), key, STR)


def _pick(
    frame: Frame, base: Item, choices: dict[int, Item] | dict[str, Item], index: Item, type: Type
) -> PickItem:
    if not choices:
        raise CompileError(f"{base.describe()} is empty and cannot be indexed")
    if len(choices) > _MAX_CHOICES:
        raise CompileError(f"{base.describe()} has too many elements for a choice at run time")
    number = frame.dynamic(frame.value(index, type), type)
    return PickItem(number, tuple(choices.values()), tuple(choices))


def each_choice(frame: Frame, picked: PickItem, use: Callable[[Item], Item]) -> Item:
    """``use`` of the element that was picked: an If for each, results join."""
    return _from(frame, picked, 0, use)


def _from(frame: Frame, picked: PickItem, k: int, use: Callable[[Item], Item]) -> Item:
    builder = frame.builder
    if k == len(picked.items):
        kind, text = ("IndexError", "list index out of range")
        if isinstance(picked.keys[0], str):
            kind, text = ("KeyError", "there is no such key")
        builder.raise_exception(text, kind)
        return _Nowhere()
    branch = builder.if_(frame.value(_is_it(frame, picked, k)))
    writes = frame.compiler.writes
    before = frame.environment
    with builder.at(branch.blocks[0]):
        frame.environment = before.copy()
        first = use(picked.items[k])
    with builder.at(branch.blocks[1]):
        frame.environment = before.copy()
        rest = _from(frame, picked, k + 1, use)
    frame.environment = before
    if frame.compiler.writes != writes:
        before.forget_attributes()
    junction = Junction(frame, branch, frame.source.line(frame.node))
    other = None if isinstance(rest, _Nowhere) else rest
    result = junction.join_items(first, other, "the result")
    junction.finish()
    if isinstance(result, Missing):
        raise CompileError(
            f"the elements that can be picked give different results: {result.reason}",
            "make them give results of one type",
        )
    return result


class _Nowhere(Item):
    """No element: the program has raised."""

    def describe(self) -> str:
        return "nothing"


def _is_it(frame: Frame, picked: PickItem, k: int) -> Item:
    """Whether the index means element ``k``: as a number from the front or from the end."""
    from ingot.capture.script.operations import call_op

    key = picked.keys[k]
    hit = call_op(frame, "aten::eq", [picked.index, Constant(key)])
    if isinstance(key, str):
        return hit
    back = call_op(frame, "aten::eq", [picked.index, Constant(key - len(picked.keys))])
    return call_op(frame, "aten::__or__", [hit, back])
