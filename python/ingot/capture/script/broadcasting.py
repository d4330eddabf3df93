"""Inputs annotated ``BroadcastingList2[int]`` or ``_size_2_t``: one number stands for several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingot.capture.script.flow import Junction
from ingot.capture.script.items import type_of
from ingot.capture.script.language import lower, may_be_none
from ingot.capture.script.values import Item, TupleItem
from ingot.ir.types import FLOAT, INT, NONE, ListType, OptionalType, TupleType, Type

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame


def broadcast_types(element: Type, length: int) -> list[Type]:
    """What callers may give in place of a list of that length."""
    numbers = [element, INT] if element == FLOAT else [element]
    return [*numbers, *(TupleType((each,) * length) for each in numbers)]


def broadcast(frame: Frame, item: Item, element: Type, length: int) -> Item:
    """The input as a list, which may be one number for all elements, or a tuple."""
    value, whole = frame.value(item), ListType(element)
    rest = OptionalType(whole) if may_be_none(type_of(item) or NONE) else whole

    def among(alternatives: list[Type]) -> Item:
        if not alternatives:
            return frame.dynamic(frame.builder.cast(value, lower(rest)), rest)
        first = alternatives[0]
        branch = frame.builder.if_(frame.builder.is_instance(value, lower(first)))
        with frame.builder.at(branch.blocks[0]):
            given: Item = frame.dynamic(frame.builder.cast(value, lower(first)), first)
            if not isinstance(first, TupleType):
                given = TupleItem((given,) * length)
            given = frame.dynamic(frame.value(given, whole), whole)
        with frame.builder.at(branch.blocks[1]):
            other = among(alternatives[1:])
        junction = Junction(frame, branch, frame.source.line(frame.node))
        result = junction.join_items(given, other, "the input")
        junction.finish()
        return result

    return among(broadcast_types(element, length))
