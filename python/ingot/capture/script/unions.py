"""Values of which only a run tells the type: what is done with each type that they may have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.flow import Junction, common_type
from ingot.capture.script.items import type_of
from ingot.capture.script.language import SIZE, lower, settle, union_of
from ingot.capture.script.values import Dynamic, Item, Missing, ShapeItem
from ingot.ir.graph import Value
from ingot.ir.types import NONE, Type, UnionType

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame

_MAX_MEMBERS = 6


def union_members(item: Item) -> tuple[Type, ...]:
    """The types that a value of a Union may have, of which none is None; else none."""
    type = type_of(item)
    type = None if type is None else settle(type)
    if not isinstance(type, UnionType) or NONE in type.elements:
        return ()
    return type.elements if len(type.elements) <= _MAX_MEMBERS else ()


def each_member(frame: Frame, item: Item, use: Callable[[Item], Item]) -> Item | None:
    """``use`` of the value, compiled for each type that it may have; what it gives may be of
    several types again. None, and nothing is compiled, if it is impossible for one of them; where
    variables are numbers or tensors, such a one raises an error in the program."""
    members = union_members(item)
    if not members:
        return None
    mark, before = frame.builder.mark(), frame.environment.copy()
    try:
        return _among(frame, frame.value(item), members, use)
    except CompileError:
        frame.undo(mark, before)
    if not frame.compiler.unions:
        return None
    possible = [each for each in members if _is_possible(frame, item, each, use)]
    if not possible:
        return None
    impossible = [each for each in members if each not in possible]
    return _among(frame, frame.value(item), [*possible, *impossible], use, len(possible))


def _is_possible(frame: Frame, item: Item, member: Type, use: Callable[[Item], Item]) -> bool:
    mark, before = frame.builder.mark(), frame.environment.copy()
    try:
        use(Dynamic(frame.builder.cast(frame.value(item), lower(member)), member))
    except CompileError:
        return False
    finally:
        frame.undo(mark, before)
    return True


def _among(
    frame: Frame,
    value: Value,
    members: Sequence[Type],
    use: Callable[[Item], Item],
    possible: int = _MAX_MEMBERS,
) -> Item:
    """``use`` of the value as the member that it is; the program raises for all but the first
    ``possible``."""
    first, rest = members[0], members[1:]
    builder = frame.builder
    if not rest:
        return use(Dynamic(builder.cast(value, lower(first)), first))
    branch = builder.if_(builder.is_instance(value, lower(first)))
    with builder.at(branch.blocks[0]):
        then = use(Dynamic(builder.cast(value, lower(first)), first))
        if isinstance(then, ShapeItem):
            then = frame.dynamic(frame.value(then), SIZE)
    other: Item | None = None
    with builder.at(branch.blocks[1]):
        if possible > 1:
            other = _among(frame, value, rest, use, possible - 1)
        else:
            builder.raise_exception("this has no meaning for a number here", "TypeError")
    junction = Junction(frame, branch, frame.source.line(frame.node))
    x, y = type_of(then), None if other is None else type_of(other)
    if x is not None and y is not None and common_type(x, y, None) is None:
        junction.expected = union_of(x, y)
    result = junction.join_items(then, other, "the value")
    junction.finish()
    if isinstance(result, Missing):
        raise CompileError(result.reason, result.hint)
    return result
