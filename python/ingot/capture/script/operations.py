"""Ops of the catalogue, called with items."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from ingot.capture.script.compositions import COMPOSITIONS
from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.items import type_of
from ingot.capture.script.language import NUMBER, may_be_none, settle
from ingot.capture.script.values import (
    NOTHING,
    Constant,
    Dynamic,
    Item,
    ListItem,
    TupleItem,
)
from ingot.errors import Error
from ingot.ir.graph import Value
from ingot.ir.types import BOOL, FLOAT, INT, TENSOR, ListType, Type, UnionType

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame


def call_op(
    frame: Frame,
    base: str,
    args: Sequence[Item],
    kwargs: Mapping[str, Item] | None = None,
    type: Type | None = None,
) -> Item:
    """The overload of ``"aten::add"`` that fits; ``type`` is that of its result, if finer.

    Raises CompileError if none does.
    """
    kwargs = kwargs or {}
    builder = frame.builder
    if not builder.ops.overloads(base):
        return _missing_op(frame, base, args, kwargs)
    given = _stored if base in _STORING else operand
    try:
        result = builder.call(
            base,
            [given(frame, a) for a in args],
            {name: given(frame, a) for name, a in kwargs.items()},
        )
    except Error as error:
        given_all = [*args, *kwargs.values()]
        for element in (FLOAT, INT) if any(map(_is_mixed, given_all)) else ():
            numbers = [_as_numbers(frame, a, element) for a in given_all]
            named = dict(zip(kwargs, numbers[len(args) :], strict=True))
            with suppress(CompileError):
                return call_op(frame, base, numbers[: len(args)], named, type)
        converted = _with_elements(frame, base, args)
        if converted is not None:
            return call_op(frame, base, converted, kwargs, type)
        there = [_present(frame, each) for each in given_all]
        if any(a is not b for a, b in zip(there, given_all, strict=True)):
            named = dict(zip(kwargs, there[len(args) :], strict=True))
            return call_op(frame, base, there[: len(args)], named, type)
        if frame.compiler.unions:
            found = _of_each_member(frame, base, args, kwargs, type)
            if found is not None:
                return found
        hint = error.hint
        if not hint and any(map(_may_be_none, given_all)):
            hint = "check the Optional value with `is not None` first"
        raise CompileError(error.message, hint) from None
    if result is None:
        return NOTHING
    if isinstance(result, Value):
        return frame.dynamic(result, type)
    schema = builder.ops.find(builder.block.nodes[-1].op)
    items = tuple(frame.dynamic(each) for each in result)
    names = tuple(r.name for r in schema.returns) if schema is not None else ()
    if all(names):
        return TupleItem(items, _result_class(base.partition("::")[2], names))
    return TupleItem(items)


def _of_each_member(
    frame: Frame, base: str, args: Sequence[Item], kwargs: Mapping[str, Item], type: Type | None
) -> Item | None:
    """The op for each type that the first argument of several may have."""
    from ingot.capture.script.unions import each_member, union_members

    for k, item in enumerate(args):
        if union_members(item):
            before, after = args[:k], args[k + 1 :]
            return each_member(
                frame,
                item,
                lambda each: call_op(frame, base, [*before, each, *after], kwargs, type),  # noqa: B023
            )
    return None


_STORING = frozenset(("aten::append", "aten::insert", "aten::_set_item", "aten::setdefault"))
"""Ops that keep an argument: a list among them stays the list that it is."""


def _stored(frame: Frame, item: Item) -> Any:
    return frame.value(item) if isinstance(item, Dynamic) else operand(frame, item)


@cache
def _result_class(name: str, fields: tuple[str, ...]) -> Any:
    return namedtuple(name, fields)


def operand(frame: Frame, item: Item) -> Any:
    """An argument as the builder takes it: constants and sequences stay apart."""
    item = frame.force(item)
    if isinstance(item, Constant):
        return frame.literal(item.value)
    if isinstance(item, TupleItem | ListItem):
        return [operand(frame, each) for each in item.items]
    if isinstance(item, Dynamic) and frame.assume_empty(item.type):
        return [] if isinstance(item.type, ListType) else frame.value(item)
    return frame.value(item)


def _cloned(frame: Frame, item: Item) -> Item:
    """``view_copy`` and its like: tensors of their own in place of views."""
    from ingot.capture.script.library import clone_all

    if isinstance(type_of(item), ListType):
        return frame.call(clone_all, item)
    return call_op(frame, "aten::clone", [item])


def _present(frame: Frame, item: Item) -> Item:
    """``frame.present`` of an argument, and of the elements of a list."""
    from ingot.capture.script.library import all_present

    type = type_of(item)
    if frame.compiler.lenient and isinstance(type, ListType) and may_be_none(type.element):
        return frame.call(all_present, item)
    return frame.present(item)


def _element(item: Item) -> Type | None:
    """The type of the elements of a list."""
    type = type_of(item)
    return settle(type.element) if isinstance(type, ListType) else None


def _is_mixed(item: Item) -> bool:
    """Whether it is a list of numbers whose kinds only a run shows."""
    element = _element(item)
    return isinstance(element, UnionType) and set(element.elements) <= set(NUMBER.elements)


def _as_numbers(frame: Frame, item: Item, element: Type) -> Item:
    """A mixed list, as ``x.tolist()`` is one, as floats or as ints, of which each is checked;
    other items as they are."""
    from ingot.capture.script.library import floats_of, ints_of

    if not _is_mixed(item):
        return item
    function = floats_of if element == FLOAT else ints_of
    return frame.call(function, item)


def _with_elements(frame: Frame, base: str, args: Sequence[Item]) -> list[Item] | None:
    """The arguments with the elements of a list as every overload that has a list there wants
    them: ints as floats, tensors as ints, of tensors and numbers only tensors. None if there is
    no such list."""
    from ingot.capture.script.library import floats_of, tensors_of, whole_numbers_of

    schemas = frame.builder.ops.overloads(base)
    for place, item in enumerate(args):
        element = _element(item)
        parts = set(element.elements) if isinstance(element, UnionType) else {element}
        if not isinstance(item, Dynamic) or not parts <= {BOOL, INT, FLOAT, TENSOR}:
            continue
        wanted = {str(s.arguments[place].type) for s in schemas if place < len(s.arguments)}
        lists = [each for each in wanted if "List" in each]
        for kind, function, suits in (
            ("List[float]", floats_of, parts == {INT}),
            ("List[int]", whole_numbers_of, parts in ({TENSOR}, {INT, TENSOR})),
            ("List[Tensor]", tensors_of, TENSOR in parts and len(parts) > 1),
        ):
            if suits and lists and all(kind in each for each in lists):
                listed = frame.call(function, item)
                return [*args[:place], listed, *args[place + 1 :]]
    return None


def _may_be_none(item: Item) -> bool:
    type = type_of(item)
    return isinstance(item, Dynamic) and type is not None and may_be_none(type)


def _missing_op(frame: Frame, base: str, args: Sequence[Item], kwargs: Mapping[str, Item]) -> Item:
    """An op that the catalogue lacks: made of others, or in place by copying the result."""
    function = COMPOSITIONS.get(base)
    if function is not None:
        return frame.compiler.call(frame, function, list(args), dict(kwargs), frame.node)
    if base.endswith("_copy"):
        return _cloned(frame, call_op(frame, base.removesuffix("_copy"), args, kwargs))
    if base.startswith("aten::unsafe_"):
        return call_op(frame, base.replace("unsafe_", ""), args, kwargs)
    plain = base[:-1]
    schemas = frame.builder.ops.overloads(plain) if base.endswith("_") else ()
    if any(result.alias for schema in schemas for result in schema.returns):
        raise CompileError(
            f"Ingot has no op {base}, which makes a tensor a view of other elements",
            f"write y = x.{plain.removeprefix('aten::')}(...)",
        )
    if schemas or (base.endswith("_") and plain in COMPOSITIONS):
        result = call_op(frame, plain, args, kwargs)
        if result is not args[0]:
            call_op(frame, "aten::copy_", [args[0], result])
        return args[0]
    raise CompileError(f"Ingot has no op {base}", "write it with other operations")
