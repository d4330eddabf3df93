"""``itertools``: made at once, as lists, by functions of the scriptable language."""

from __future__ import annotations

import itertools
from collections.abc import Callable
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
    Item,
    ListItem,
    ModuleItem,
    TupleItem,
)
from ingot.ir.types import ListType

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame


# --- in the language -----------------------------------------------------------------------


def concatenated(parts):  # type: ignore[no-untyped-def]
    return [each for part in parts for each in part]


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


def _known(item: Item) -> bool:
    return isinstance(item, TupleItem | ListItem | DictItem | ModuleItem)


def _chain(frame: Frame, *iterables: Item) -> Item:
    if all(map(_known, iterables)):
        parts = [turns_of(frame, each).items or () for each in iterables]
        return ListItem(tuple(item for part in parts for item in part))
    lists = [sequence(frame, each) for each in iterables]
    types = {type_of(each) for each in lists}
    if len(types) != 1 or not isinstance(next(iter(types)), ListType):
        raise CompileError("chain takes iterables of one type of elements")
    return join_elements(frame, lists, list(range(len(lists))))


def _chain_all(frame: Frame, iterables: Item) -> Item:
    if _known(iterables):
        return _chain(frame, *(turns_of(frame, iterables).items or ()))
    return frame.call(concatenated, iterables)


def _product(frame: Frame, *iterables: Item, repeat: Item = _ONCE) -> Item:
    if not isinstance(repeat, Constant):
        raise CompileError("product needs a repeat that is known while compiling")
    every = [each for _ in range(repeat.value) for each in iterables]
    if all(map(_known, every)):
        parts = [turns_of(frame, each).items or () for each in every]
        return ListItem(tuple(map(TupleItem, itertools.product(*parts))))
    functions: dict[int, Callable[..., Any]] = {2: pairs_of, 3: triples_of}
    if len(every) not in functions:
        raise CompileError("product takes two or three iterables")
    return frame.call(functions[len(every)], *(sequence(frame, each) for each in every))


def _choices(
    name: str, python: Callable[..., Any], functions: dict[int, Callable[..., Any]]
) -> Callable[..., Item]:
    """``combinations`` or ``permutations`` of so many."""

    def apply(frame: Frame, values: Item, count: Item = NOTHING) -> Item:
        length = count.value if isinstance(count, Constant) else None
        if _known(values) and isinstance(count, Constant):
            items = turns_of(frame, values).items or ()
            return ListItem(tuple(map(TupleItem, python(items, length))))
        if length not in functions:
            raise CompileError(f"{name} takes a list and a known number, up to {max(functions)}")
        return frame.call(functions[length], sequence(frame, values))

    return apply


def _islice(frame: Frame, values: Item, *bounds: Item) -> Item:
    if not 1 <= len(bounds) <= 3:
        raise CompileError("islice takes a stop, or a start, a stop and a step")
    start, stop, step = (NOTHING, *bounds, NOTHING) if len(bounds) == 1 else (*bounds, NOTHING)[:3]
    start = ZERO if start == NOTHING else start
    stop = Constant(2**62) if stop == NOTHING else stop
    step = _ONCE if step == NOTHING else step
    if _known(values) and all(isinstance(each, Constant) for each in (start, stop, step)):
        items = turns_of(frame, values).items or ()
        bounds_ = (each.value for each in (start, stop, step))  # type: ignore[attr-defined]
        return ListItem(tuple(itertools.islice(items, *bounds_)))
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
    itertools.combinations: _choices(
        "combinations", itertools.combinations, {2: two_of, 3: three_of}
    ),
    itertools.permutations: _choices("permutations", itertools.permutations, {2: two_in_order}),
    itertools.pairwise: _of_list(neighbours),
    itertools.islice: _islice,
    itertools.accumulate: _accumulate,
    itertools.takewhile: _of_list(taken_while, first=False),
    itertools.dropwhile: _of_list(dropped_while, first=False),
    itertools.filterfalse: _of_list(left_out, first=False),
    itertools.compress: _of_list(compressed),
    itertools.starmap: _of_list(applied, first=False),
}
"""Function -> what it is in a program."""
