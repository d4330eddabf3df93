"""``itertools``: what is known while compiling is gone through there; of other sequences
functions of the scriptable language make lists.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.expressions import join_elements, make_list
from ingot.capture.script.items import type_of
from ingot.capture.script.iteration import turns_of
from ingot.capture.script.sequence_builtins import sequence
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
from ingot.ir.types import ListType

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame


# --- in the language -----------------------------------------------------------------------


def concatenated(parts):  # type: ignore[no-untyped-def]
    return [each for part in parts for each in part]


def singles_of(xs):  # type: ignore[no-untyped-def]
    return [(x,) for x in xs]


def pairs_of(xs, ys):  # type: ignore[no-untyped-def]
    return [(x, y) for x in xs for y in ys]


def triples_of(xs, ys, zs):  # type: ignore[no-untyped-def]
    return [(x, y, z) for x in xs for y in ys for z in zs]


def two_of(values):  # type: ignore[no-untyped-def]
    n = len(values)
    return [(values[i], values[j]) for i in range(n) for j in range(i + 1, n)]


def three_of(values):  # type: ignore[no-untyped-def]
    n = len(values)
    return [
        (values[i], values[j], values[k])
        for i in range(n)
        for j in range(i + 1, n)
        for k in range(j + 1, n)
    ]


def two_in_order(values):  # type: ignore[no-untyped-def]
    n = len(values)
    return [(values[i], values[j]) for i in range(n) for j in range(n) if i != j]


def neighbours(values):  # type: ignore[no-untyped-def]
    return [(values[i], values[i + 1]) for i in range(len(values) - 1)]


def sums_of(values):  # type: ignore[no-untyped-def]
    sums = values[:1]
    for value in values[1:]:
        sums.append(sums[-1] + value)
    return sums


def accumulated(values, function):  # type: ignore[no-untyped-def]
    results = values[:1]
    for value in values[1:]:
        results.append(function(results[-1], value))
    return results


def taken_while(function, values):  # type: ignore[no-untyped-def]
    taken = values[:0]
    for value in values:
        if not function(value):
            break
        taken.append(value)
    return taken


def dropped_while(function, values):  # type: ignore[no-untyped-def]
    for i in range(len(values)):
        if not function(values[i]):
            return values[i:]
    return values[:0]


def left_out(function, values):  # type: ignore[no-untyped-def]
    return [value for value in values if not function(value)]


def compressed(values, selectors):  # type: ignore[no-untyped-def]
    return [value for value, selector in zip(values, selectors, strict=False) if selector]


def applied(function, rows):  # type: ignore[no-untyped-def]
    return [function(*row) for row in rows]


def part_of(values, start: int, stop: int, step: int):  # type: ignore[no-untyped-def]
    if start < 0 or stop < 0 or step < 1:
        raise ValueError("Indices for islice() must be None or an integer: 0 <= x <= sys.maxsize.")
    return values[start:stop:step]


# --- what the program calls ----------------------------------------------------------------


_ONCE = Constant(1)
_MAX_KNOWN = 100_000
"""Elements that are made while compiling."""


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
            turns = turns_of(frame, item).items
            return None if turns is None else tuple(turns)
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


def _chain(frame: Frame, *iterables: Item) -> Item:
    known = _all_known(frame, iterables)
    if known is not None:
        return ListItem(tuple(itertools.chain.from_iterable(known)))
    lists = [sequence(frame, each) for each in iterables]
    types = {type_of(each) for each in lists}
    if len(types) != 1 or not isinstance(next(iter(types)), ListType):
        raise CompileError("chain takes iterables of one type of elements")
    return join_elements(frame, lists, list(range(len(lists))))


def _chain_all(frame: Frame, iterables: Item) -> Item:
    known = _known(frame, iterables)
    if known is not None:
        return _chain(frame, *known)
    return frame.call(concatenated, iterables)


def _product(frame: Frame, *iterables: Item, repeat: Item = _ONCE) -> Item:
    iterables *= _whole(repeat)
    known = _all_known(frame, iterables)
    if known is not None:
        return _rows(itertools.product(*known))
    functions: dict[int, Callable[..., Any]] = {1: singles_of, 2: pairs_of, 3: triples_of}
    if len(iterables) not in functions:
        raise CompileError("product takes at most three sequences of which a run tells the length")
    return frame.call(functions[len(iterables)], *(sequence(frame, each) for each in iterables))


def _choices(
    python: Callable[..., Iterable[tuple[Item, ...]]], functions: dict[int, Callable[..., Any]]
) -> Callable[..., Item]:
    """``combinations`` or ``permutations``; ``functions``: of so many of other sequences."""

    def apply(frame: Frame, values: Item, count: Item = NOTHING) -> Item:
        known = _known(frame, values)
        if known is not None:
            if count == NOTHING and python is itertools.permutations:
                return _rows(python(known))
            return _rows(python(known, _whole(count)))
        if not isinstance(count, Constant) or count.value not in functions:
            raise CompileError(
                f"{python.__name__} takes what is known while compiling"
                + (f", or up to {max(functions)} of a list" if functions else ""),
                "write nested loops",
            )
        return frame.call(functions[count.value], sequence(frame, values))

    return apply


def _zip_longest(frame: Frame, *iterables: Item, fillvalue: Item = NOTHING) -> Item:
    known = _all_known(frame, iterables)
    if known is None:
        raise CompileError("zip_longest takes what is known while compiling")
    return _rows(itertools.zip_longest(*known, fillvalue=fillvalue))


def _pairwise(frame: Frame, values: Item) -> Item:
    known = _known(frame, values)
    if known is not None:
        return _rows(itertools.pairwise(known))
    return frame.call(neighbours, sequence(frame, values))


def _islice(frame: Frame, values: Item, *bounds: Item) -> Item:
    if not 1 <= len(bounds) <= 3:
        raise CompileError("islice takes a stop, or a start, a stop and a step")
    start, stop, step = (NOTHING, *bounds, NOTHING) if len(bounds) == 1 else (*bounds, NOTHING)[:3]
    start = ZERO if start == NOTHING else start
    stop = Constant(2**62) if stop == NOTHING else stop
    step = _ONCE if step == NOTHING else step
    known = _known(frame, values)
    constant = all(isinstance(each, Constant) for each in (start, stop, step))
    if known is not None and constant and step != ZERO:
        return ListItem(known[slice(*map(_whole, (start, stop, step)))])
    return frame.call(part_of, sequence(frame, values), start, stop, step)


def _accumulate(frame: Frame, values: Item, func: Item = NOTHING) -> Item:
    if func == NOTHING:
        return frame.call(sums_of, _listed(frame, values))
    return frame.call(accumulated, _listed(frame, values), func)


def _listed(frame: Frame, values: Item) -> Item:
    values = sequence(frame, values)
    return make_list(frame, list(values.items)) if isinstance(values, ListItem) else values


def _of_list(function: Callable[..., Any], first: bool = True) -> Callable[..., Item]:
    """``function`` of an iterable, which is the first or the second argument."""

    def apply(frame: Frame, *args: Item) -> Item:
        place = 0 if first else 1
        if len(args) <= place:
            raise CompileError("an iterable is missing")
        listed = [_listed(frame, each) if k == place else each for k, each in enumerate(args)]
        return frame.call(function, *listed)

    return apply


ITERTOOLS: dict[Any, Callable[..., Item]] = {
    itertools.chain: _chain,
    itertools.chain.from_iterable: _chain_all,
    itertools.product: _product,
    itertools.zip_longest: _zip_longest,
    itertools.combinations: _choices(itertools.combinations, {2: two_of, 3: three_of}),
    itertools.combinations_with_replacement: _choices(itertools.combinations_with_replacement, {}),
    itertools.permutations: _choices(itertools.permutations, {2: two_in_order}),
    itertools.pairwise: _pairwise,
    itertools.islice: _islice,
    itertools.accumulate: _accumulate,
    itertools.takewhile: _of_list(taken_while, first=False),
    itertools.dropwhile: _of_list(dropped_while, first=False),
    itertools.filterfalse: _of_list(left_out, first=False),
    itertools.compress: _of_list(compressed),
    itertools.starmap: _of_list(applied, first=False),
}
"""Function -> what it is in a program."""
