"""What a capture assumed of its inputs' sizes: fixed sizes, free symbols, other conditions."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy
import torch
from torch.utils._sympy.numbers import int_oo
from torch.utils._sympy.printers import PythonPrinter
from torch.utils._sympy.value_ranges import ValueRanges, bound_sympy

from ingot.capture.export import Captured, Condition
from ingot.ir.graph import Source

Place = tuple[int, int | None]
"""A leaf's number and a dimension of it; None for the value of an int."""

_SIZE = re.compile(r"\['leaves'\]\[(\d+)\](?:\.size\(\)\[(\d+)\])?$")


@dataclass
class Range:
    """The values of a free symbol, and the line that bounds them."""

    min: int = 0
    max: int | None = None
    source: Source | None = None


@dataclass
class Shapes:
    """Sizes of the flat inputs.

    ``sizes`` has the expression of every place: a number, a symbol, or more. ``symbols`` are
    the free ones with a place that has exactly its value, in the inputs' order. The program
    is right where every symbol is in its range and all ``conditions`` hold. ``assumptions``
    are what the exporter took for granted without a guard.
    """

    sizes: dict[Place, sympy.Expr] = field(default_factory=dict)
    symbols: dict[sympy.Symbol, Place] = field(default_factory=dict)
    ranges: dict[sympy.Symbol, Range] = field(default_factory=dict)
    conditions: list[Condition] = field(default_factory=list)
    assumptions: list[Condition] = field(default_factory=list)
    sources: dict[Place, Source | None] = field(default_factory=dict)
    examples: dict[sympy.Symbol, int] = field(default_factory=dict)

    def names(self) -> dict[sympy.Symbol, str]:
        """The symbols' names in the program: ``s0``, ``s1``, ... in the inputs' order."""
        ordered = sorted(self.symbols, key=lambda s: (self.symbols[s][0], self.symbols[s][1] or 0))
        return {symbol: f"s{i}" for i, symbol in enumerate(ordered)}

    def holds(self, expr: sympy.Basic, values: Mapping[sympy.Symbol, int]) -> bool:
        """Whether a condition is true for these values of the symbols."""
        try:
            return bool(_function(expr)(values))
        except (KeyError, TypeError, NameError, ZeroDivisionError, AssertionError, ValueError):
            return False

    def value(self, expr: sympy.Basic, values: Mapping[sympy.Symbol, int]) -> int:
        """A size for these values of the symbols."""
        return int(_function(expr)(values))

    def values_at(self, leaves: list) -> dict[sympy.Symbol, int]:
        """The symbols' values for inputs with these sizes."""
        found = dict(_places(leaves))
        return {symbol: found[place] for symbol, place in self.symbols.items()}

    def accepts(self, leaves: list) -> bool:
        """Whether inputs with these sizes satisfy everything."""
        found = dict(_places(leaves))
        values = self.values_at(leaves)
        return (
            self.in_range(values)
            and all(self.value(expr, values) == found[p] for p, expr in self.sizes.items())
            and all(self.holds(c.expr, values) for c in self.conditions)
        )

    def in_range(self, values: Mapping[sympy.Symbol, int]) -> bool:
        return all(
            self.ranges[s].min <= v and (self.ranges[s].max is None or v <= self.ranges[s].max)  # type: ignore[operator]
            for s, v in values.items()
        )

    def tie(self, one: sympy.Symbol, other: sympy.Symbol) -> None:
        """Requires ``other`` to equal ``one`` and forgets it."""
        for place, expr in self.sizes.items():
            self.sizes[place] = expr.xreplace({other: one})
        for condition in [*self.conditions, *self.assumptions]:
            condition.expr = condition.expr.xreplace({other: one})
        dropped = self.ranges.pop(other)
        kept = self.ranges[one]
        kept.min = max(kept.min, dropped.min)
        if dropped.max is not None:
            kept.max = dropped.max if kept.max is None else min(kept.max, dropped.max)
        del self.symbols[other]

    def settle(self) -> None:
        """Turns conditions into ranges where they bound one symbol, and drops those that
        ranges imply. Repeats until nothing changes."""
        changed = True
        while changed:
            changed = False
            for condition in list(self.conditions):
                if self._bound(condition) or self.implied(condition.expr):
                    self.conditions = [c for c in self.conditions if c is not condition]
                    changed = True

    def _fix(self, equality: sympy.Eq, source: Source | None) -> bool:
        """Gives a symbol the number that it must be equal to."""
        for symbol, number in (equality.args, equality.args[::-1]):
            if isinstance(number, sympy.Integer) and symbol in self.symbols:
                for place, expr in self.sizes.items():
                    if symbol in expr.free_symbols:
                        self.sources.setdefault(place, source)
                    self.sizes[place] = expr.xreplace({symbol: number})
                for condition in [*self.conditions, *self.assumptions]:
                    condition.expr = condition.expr.xreplace({symbol: number})
                del self.symbols[symbol], self.ranges[symbol]
                return True
        return False

    def implied(self, expr: sympy.Basic) -> bool:
        if expr is sympy.true:
            return True
        if any(r.max is not None and r.max < r.min for r in self.ranges.values()):
            return False  # no size at all is right: the example is not accepted either
        ranges = {
            s: ValueRanges(r.min, int_oo if r.max is None else r.max)
            for s, r in self.ranges.items()
        }
        if not expr.free_symbols <= ranges.keys():
            return False
        try:
            known = bound_sympy(expr, ranges)
        except Exception:  # sympy has many ways to say that it does not know
            return False
        return known.is_singleton() and known.lower is sympy.true

    def _bound(self, condition: Condition) -> bool:
        expr = condition.expr
        if isinstance(expr, sympy.Eq) and self._fix(expr, condition.source):
            return True
        if isinstance(expr, sympy.Gt | sympy.Ge):
            expr = expr.reversed
        if not isinstance(expr, sympy.Lt | sympy.Le | sympy.Ne):
            return False
        strict = isinstance(expr, sympy.Lt)
        low, high = expr.args
        if isinstance(low, sympy.Symbol) and isinstance(high, sympy.Integer):
            span = self.ranges.get(low)
            if span is None:
                return False
            if isinstance(expr, sympy.Ne):
                if int(high) == span.min:
                    span.min, span.source = span.min + 1, condition.source
                    return True
                return False
            top = int(high) - strict
            if span.max is None or top < span.max:
                span.max, span.source = top, condition.source
            return True
        if isinstance(high, sympy.Symbol) and isinstance(low, sympy.Integer):
            span = self.ranges.get(high)
            if span is None:
                return False
            if isinstance(expr, sympy.Ne):
                return self._bound(Condition(sympy.Ne(high, low), condition.source, False))
            bottom = int(low) + strict
            if bottom > span.min:
                span.min, span.source = bottom, condition.source
            return True
        return False


@functools.lru_cache(4096)
def _function(expr: sympy.Basic) -> Callable[[Mapping[sympy.Symbol, int]], Any]:
    """An expression as a Python function of the symbols' values, thousands of times faster than
    substitution in sympy."""
    symbols = sorted(expr.free_symbols, key=str)
    arguments = ", ".join(map(str, symbols))
    try:
        text = f"lambda {arguments}: {PythonPrinter().doprint(expr)}"
        call = eval(text, {"math": math, "torch": torch})
    except Exception:  # a function that has no Python text
        return lambda values: expr.xreplace({s: sympy.Integer(v) for s, v in values.items()})
    return lambda values: call(*(values[s] for s in symbols))


def read_shapes(captured: Captured) -> Shapes:
    """The facts that a capture left in its shape environment."""
    shapes = Shapes()
    env = captured.env
    leaves = captured.leaves
    raw = dict(_symbol_places(captured))
    for place, example in _places(leaves):
        symbol = raw.get(place)
        if symbol is None or env is None:
            shapes.sizes[place] = sympy.Integer(example)
            continue
        expr = env.replace(symbol)
        shapes.sizes[place] = expr
        if expr != symbol:
            shapes.sources[place] = captured.specialised.get(symbol)
        if expr in env.backed_var_to_val and expr not in shapes.symbols:
            shapes.symbols[expr] = place
            shapes.examples[expr] = example
    if env is None:
        return shapes
    for symbol in shapes.symbols:
        span = env.var_to_range.get(symbol)
        lower, upper = (0, None) if span is None else (_finite(span.lower), _finite(span.upper))
        if shapes.symbols[symbol][1] is not None:
            lower = max(lower or 0, 0)
        shapes.ranges[symbol] = Range(-(2**63) if lower is None else lower, upper)
    known = set(shapes.symbols)
    for guards, kept in (
        (captured.guards, shapes.conditions),
        (captured.record.assumptions.values(), shapes.assumptions),
    ):
        seen: set[sympy.Basic] = set()
        for guard in guards:
            expr = _simplify(env.replace(guard.expr))
            if expr in seen or expr is sympy.true or not expr.free_symbols <= known:
                continue
            seen.add(expr)
            kept.append(Condition(expr, guard.source, guard.internal))
    return shapes


def _simplify(expr: sympy.Basic) -> sympy.Basic:
    """``Eq(a, Min(a, b))`` as ``a <= b``, and the same for Max: what bounds can be read of."""
    if isinstance(expr, sympy.And | sympy.Or | sympy.Not):
        return expr.func(*(_simplify(arg) for arg in expr.args))
    if isinstance(expr, sympy.Eq | sympy.Ne):
        for one, two in (expr.args, expr.args[::-1]):
            name = type(two).__name__
            if name in ("Min", "Max") and one in two.args:
                others = [arg for arg in two.args if arg != one]
                relation = sympy.Le if name == "Min" else sympy.Ge
                found = sympy.And(*(relation(one, other) for other in others))
                return found if isinstance(expr, sympy.Eq) else sympy.Not(found)
    return expr


def _places(leaves: list) -> Iterator[tuple[Place, int]]:
    for i, leaf in enumerate(leaves):
        if isinstance(leaf, torch.Tensor):
            for dim, size in enumerate(leaf.shape):
                yield (i, dim), size
        elif isinstance(leaf, int) and not isinstance(leaf, bool):
            yield (i, None), leaf


def _symbol_places(captured: Captured) -> Iterator[tuple[Place, sympy.Symbol]]:
    if captured.env is None:
        return
    for symbol, sources in captured.env.var_to_sources.items():
        for source in sources:
            match = _SIZE.search(source.name)
            if match:
                yield (int(match[1]), None if match[2] is None else int(match[2])), symbol


def _finite(bound: sympy.Basic) -> int | None:
    return int(bound) if isinstance(bound, sympy.Integer) and abs(int(bound)) < 2**62 else None
