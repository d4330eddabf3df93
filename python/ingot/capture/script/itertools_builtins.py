"""``itertools``: what is known while compiling is gone through there, other sequences by lists."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ingot.capture.script import library
from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.iteration import turns_of
from ingot.capture.script.values import (
    NOTHING,
    ZERO,
    Constant,
    DictItem,
    EnumerateItem,
    Item,
    ListItem,
    ModuleItem,
    PythonItem,
    RangeItem,
    ReversedItem,
    TupleItem,
    ZipItem,
)

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame

_MAX_KNOWN = 100_000
"""Elements that are made while compiling."""
_ONE = Constant(1)


def _known(frame: Frame, item: Item) -> tuple[Item, ...] | None:
    """The elements, if they are known while compiling."""
    item = frame.force(item)
    match item:
        case RangeItem(Constant(start), Constant(stop), Constant(step)):
            numbers = range(start, stop, step)
            return tuple(map(Constant, numbers)) if len(numbers) <= _MAX_KNOWN else None
        case TupleItem(items) | ListItem(items):
            return items
        case Constant(value) if isinstance(value, str):
            return tuple(map(Constant, value))
        case DictItem() | ModuleItem() | PythonItem() | EnumerateItem() | ZipItem():
            items = turns_of(frame, item).items  # type: ignore[assignment]
            return None if items is None else tuple(items)
        case ReversedItem(inner):
            known = _known(frame, inner)
            return None if known is None else known[::-1]
    return None


def _all_known(frame: Frame, items: Iterable[Item]) -> list[tuple[Item, ...]] | None:
    found = [_known(frame, each) for each in items]
    whole = [each for each in found if each is not None]
    return whole if len(whole) == len(found) else None


def _rows(rows: Iterable[Iterable[Item]]) -> Item:
    """Tuples of what is known, as a list."""
    made = tuple(TupleItem(tuple(row)) for row in itertools.islice(rows, _MAX_KNOWN + 1))
    if len(made) > _MAX_KNOWN:
        raise CompileError(f"this makes more than {_MAX_KNOWN} elements while compiling")
    return ListItem(made)


def _whole(item: Item) -> int:
    if isinstance(item, Constant) and isinstance(item.value, int) and item.value >= 0:
        return item.value
    raise CompileError("this needs a number from 0 on that is known while compiling")


def _product(frame: Frame, *items: Item, repeat: Item = _ONE) -> Item:
    items *= _whole(repeat)
    known = _all_known(frame, items)
    if known is not None:
        return _rows(itertools.product(*known))
    functions: dict[int, Callable[..., Any]] = {
        1: library.product_of_1,
        2: library.product_of_2,
        3: library.product_of_3,
    }
    if len(items) not in functions:
        raise CompileError("product takes at most three sequences of which a run tells the length")
    return frame.call(functions[len(items)], *items)


def _chain(frame: Frame, *items: Item) -> Item:
    known = _all_known(frame, items)
    if known is not None:
        return TupleItem(tuple(itertools.chain.from_iterable(known)))
    lists = [frame.call(library.listed, each) for each in items]
    return functools.reduce(lambda a, b: frame.call(library.joined_lists, a, b), lists)


def _chain_of(frame: Frame, item: Item) -> Item:
    known = _known(frame, item)
    if known is not None:
        return _chain(frame, *known)
    return frame.call(library.chained, item)


def _chosen(
    choose: Callable[..., Iterable[tuple[Item, ...]]], pairs: Callable[..., Any] | None
) -> Callable[..., Item]:
    """``combinations`` and its like; ``pairs`` makes those of two for other sequences."""

    def compiled(frame: Frame, item: Item, r: Item = NOTHING) -> Item:
        known = _known(frame, item)
        if known is not None:
            if r == NOTHING and choose is itertools.permutations:
                return _rows(choose(known))
            return _rows(choose(known, _whole(r)))
        if pairs is None or r != Constant(2):
            raise CompileError("this takes what is known while compiling", "write nested loops")
        return frame.call(pairs, item)

    return compiled


def _islice(frame: Frame, item: Item, *bounds: Item) -> Item:
    known = _known(frame, item)
    if len(bounds) == 1:
        bounds = (ZERO, *bounds)
    start, stop, step = (*bounds, _ONE)[:3]
    values = [None if each == NOTHING else each for each in (start, stop, step)]
    if known is not None and all(each is None or isinstance(each, Constant) for each in values):
        plain = [None if each is None else _whole(each) for each in values]
        return TupleItem(tuple(itertools.islice(known, *plain)))
    return frame.call(library.sliced, item, start, stop, step)


def _zip_longest(frame: Frame, *items: Item, fillvalue: Item = NOTHING) -> Item:
    known = _all_known(frame, items)
    if known is None:
        raise CompileError("zip_longest takes what is known while compiling")
    return _rows(itertools.zip_longest(*known, fillvalue=fillvalue))


def _accumulate(frame: Frame, item: Item, func: Item = NOTHING, *, initial: Item = NOTHING) -> Item:
    if func != NOTHING or initial != NOTHING:
        raise CompileError("accumulate takes a sequence only", "write a for loop")
    return frame.call(library.sums_so_far, item)


def _pairwise(frame: Frame, item: Item) -> Item:
    known = _known(frame, item)
    if known is not None:
        return _rows(itertools.pairwise(known))
    return frame.call(library.neighbours, item)


ITERTOOLS: dict[Any, Callable[..., Item]] = {
    itertools.product: _product,
    itertools.chain: _chain,
    itertools.chain.from_iterable: _chain_of,
    itertools.combinations: _chosen(itertools.combinations, library.pairs_of),
    itertools.combinations_with_replacement: _chosen(itertools.combinations_with_replacement, None),
    itertools.permutations: _chosen(itertools.permutations, None),
    itertools.islice: _islice,
    itertools.zip_longest: _zip_longest,
    itertools.accumulate: _accumulate,
    itertools.pairwise: _pairwise,
}
