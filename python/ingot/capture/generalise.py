"""Finds for which sizes a captured graph is right, by running it beside eager PyTorch.

torch.export reasons about a size as about any number: in the layout of memory and in
broadcasting it takes a free size for neither 0 nor 1, and it may forbid these two where a
kernel asked. Here the graph runs at such sizes: where it answers as eager does the condition
is dropped, where it does not a condition is added.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import sympy
import torch
from torch import fx
from torch.export.graph_signature import InputKind

from ingot.capture.compare import difference
from ingot.capture.examples import resized
from ingot.capture.export import Captured, Condition
from ingot.capture.shapes import Shapes
from ingot.capture.structure import open_all
from ingot.capture.undefined import defined_part
from ingot.capture.untouched import Limited, untouched

SAME, DIFFERENT, EAGER_FAILS = "same", "different", "eager fails"
GUARDED, UNKNOWN = "guarded", "unknown"

_LEAST = 6
"""Trials that a capture may make however long they take."""

Values = Mapping[sympy.Symbol, int]


class Trials:
    """Runs the graph and the model on the same inputs."""

    def __init__(self, captured: Captured, shapes: Shapes, seconds: float) -> None:
        self.captured = captured
        self.shapes = shapes
        self.deadline = time.thread_time() + seconds
        # The user's own examples have all the time they need; see generalise() for others.
        self.longest = math.inf
        self._known: dict[tuple[frozenset, int], str] = {}
        self._on_examples: dict[frozenset, str] = {}

    def has_time(self) -> bool:
        """Whether to begin another trial. The first ones are not a matter of time, so that a slow
        machine leaves the sizes that matter most as free as a fast one; time is the thread's own,
        so that a busy one does, too."""
        return len(self._known) < _LEAST or time.thread_time() < self.deadline

    def knows(self, values: Values) -> bool:
        """Whether the outcome at these sizes takes no trial."""
        return frozenset(values.items()) in self._on_examples

    def at(self, values: Values, draws: int = 1) -> str:
        """The outcome at these sizes; SAME only if every draw of values gave it."""
        sizes = frozenset(values.items())
        if sizes in self._on_examples:
            return self._on_examples[sizes]
        key = (sizes, draws)
        if key not in self._known:
            outcome = SAME
            for seed in range(draws):
                leaves = resized(self.captured.leaves, self.shapes, values, seed)
                outcome = self.on(leaves)
                if outcome != SAME:
                    break
            self._known[key] = outcome
        return self._known[key]

    def right(self) -> Iterator[Values]:
        """The sizes of examples on which the graph answers as eager does."""
        for sizes, outcome in self._on_examples.items():
            values = dict(sizes)
            if outcome == SAME and values.keys() == self.shapes.symbols.keys():
                yield values

    def on_examples(self, leaves: list[Any]) -> str:
        """The outcome on example inputs, which is then the one at their sizes."""
        outcome = self.on(leaves)
        self._on_examples[frozenset(self.shapes.values_at(leaves).items())] = outcome
        return outcome

    def on(self, leaves: list[Any]) -> str:
        """The outcome on these flat inputs."""
        given, own_given = copied(leaves), copied(leaves)
        with untouched(self.captured.root), Limited(self.longest):
            try:
                expected, outline, settle = eager_run(self.captured, given)
            except Exception:  # whatever the model raises at sizes that nobody asked for
                return EAGER_FAILS
        try:
            found, own_outline = self._graph(own_given)
        except RuntimeError as error:
            return GUARDED if "Runtime assertion failed" in str(error) else DIFFERENT
        except Exception:
            return DIFFERENT
        lost = any(isinstance(value, torch._subclasses.FakeTensor) for value in found)
        if outline != own_outline or lost:
            return DIFFERENT
        found = settle([*found, *own_given])
        return DIFFERENT if difference(found, [*expected, *given]) else SAME

    def _graph(self, leaves: list[Any]) -> tuple[list, tuple]:
        exported = self.captured.exported
        written = {id(p) for p in self.captured.root.written()}
        inputs = iter(self.captured.as_tensors(leaves))
        arguments: list[Any] = []
        for spec in exported.graph_signature.input_specs:
            if spec.kind == InputKind.USER_INPUT:
                arguments.append(next(inputs))
            elif spec.kind == InputKind.CONSTANT_TENSOR:
                arguments.append(exported.constants[spec.target].clone())
            elif spec.target in exported.state_dict:
                value = exported.state_dict[spec.target]
                fixed = spec.kind == InputKind.PARAMETER and id(value) not in written
                arguments.append(value if fixed else value.detach().clone())
            else:
                arguments.append(exported.constants[spec.target].clone())
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            results = _Running(exported.graph_module).run(*arguments)
        return open_all(self.captured.tree.unflatten(results))


class _Running(fx.Interpreter):
    """Where PyTorch lays out a tensor otherwise than its exporter takes it to, a view is a copy,
    as it is in the program."""

    def call_function(self, target: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
        if target is torch.ops.aten.view.default:
            target = torch.ops.aten.reshape.default
        return super().call_function(target, args, kwargs)


def eager_run(
    captured: Captured, leaves: list[Any]
) -> tuple[list[Any], tuple, Callable[[list[Any]], list[Any]]]:
    """What the model gives for the leaves, which it may write into: its output and their outline;
    and what settles output and inputs of another run (see ``defined_part``)."""
    outlines: list[tuple] = []
    before = copied(leaves)

    def run() -> list[Any]:
        for leaf, value in zip(leaves, before, strict=True):
            if isinstance(leaf, torch.Tensor) and outlines:
                leaf.copy_(value)
        found, outline = captured.root.eager(leaves)
        outlines.append(outline)
        return [*found, *copied(leaves)]

    results, settle = defined_part(run, captured.undefined)
    return results[: len(results) - len(leaves)], outlines[0], settle


def copied(leaves: list[Any]) -> list[Any]:
    """The leaves with tensors that the model may write into."""
    return [leaf.clone() if isinstance(leaf, torch.Tensor) else leaf for leaf in leaves]


def generalise(captured: Captured, shapes: Shapes, original: list[Any], seconds: float) -> bool:
    """Settles ``shapes`` and gives whether the graph answers as eager on the ``original``
    example inputs and on larger ones."""
    trials = Trials(captured, shapes, seconds)
    started = time.thread_time()
    if trials.on_examples(original) != SAME:
        return False
    trials.longest = 1.0 + 20 * (time.thread_time() - started)
    if trials.on_examples(captured.leaves) == DIFFERENT:
        return False
    small = [c for c in shapes.conditions if _only_small(c, shapes)]
    hard = [c for c in shapes.conditions if not any(c is other for other in small)]
    base = dict(_ordinary(shapes, hard))
    if not base:
        shapes.settle()
        return shapes.accepts(original)
    shapes.conditions = hard
    shapes.settle()
    base = {s: v for s, v in base.items() if s in shapes.symbols}
    _settle_internal(trials, shapes, base)
    _settle_small_sizes(trials, shapes, base, small)
    for values in _larger(shapes, base):
        if trials.has_time() and trials.at(values) == DIFFERENT:
            return False
    _settle_assumptions(trials, shapes, base)
    shapes.settle()
    return shapes.accepts(original)


def _only_small(condition: Condition, shapes: Shapes) -> bool:
    """Whether a condition excludes only sizes of 0 and 1."""
    symbols = sorted(condition.expr.free_symbols, key=str)
    if not symbols or len(symbols) > 3:
        return False
    numbers = {int(n) + d for n in condition.expr.atoms(sympy.Integer) for d in (-1, 0, 1)}
    numbers = {n for n in numbers | {2, 3, 4, 5, 7} if 2 <= n < 2**40}
    example = {s: max(2, shapes.examples[s]) for s in symbols}
    values = [sorted(numbers | {v}) for v in example.values()]
    near = (dict(zip(symbols, sizes, strict=True)) for sizes in itertools.product(*values))
    # What holds for small sizes may not for large ones, such as a window that covers an image.
    large = [*range(2, 130), 255, 256, 257, 1000, 1001, 4096, 4099, 100_003]
    large += [v + d for v in example.values() for d in range(1, 40)]
    far = (
        {**example, **dict.fromkeys(changed, size)}
        for size in large
        for changed in [*([s] for s in symbols), symbols]
    )
    return all(shapes.holds(condition.expr, v) for v in itertools.chain(near, far))


def _ordinary(shapes: Shapes, hard: list[Condition]) -> Values:
    """Sizes of 2 and more near the example at which all conditions hold; {} if not found."""
    symbols = list(shapes.symbols)
    example = {s: max(2, shapes.examples[s]) for s in symbols}
    if allowed(shapes, example, hard):
        return example
    return shapes.examples if allowed(shapes, shapes.examples, hard) else {}


def allowed(shapes: Shapes, values: Values, conditions: list[Condition]) -> bool:
    """Whether sizes are in range and satisfy the conditions."""
    return shapes.in_range(values) and all(shapes.holds(c.expr, values) for c in conditions)


def _settle_small_sizes(
    trials: Trials, shapes: Shapes, base: dict[sympy.Symbol, int], small: list[Condition]
) -> None:
    allowed: dict[sympy.Symbol, list[int]] = {}
    for symbol in list(shapes.symbols):
        if symbol not in shapes.symbols:
            continue  # tied to one before it
        allowed[symbol] = []
        for size in (1, 0):
            span = shapes.ranges[symbol]
            if base[symbol] == size or (span.min > size and not _mentions(small, symbol)):
                continue
            lowest, span.min = span.min, min(span.min, size)
            outcome = _try_small(trials, shapes, base, symbol, size)
            if outcome in (DIFFERENT, EAGER_FAILS) and size == 1:
                outcome = _try_together(trials, shapes, base, symbol) or outcome
            if outcome in (SAME, GUARDED):
                allowed[symbol].append(size)
                continue
            span = shapes.ranges[symbol]
            span.min = max(lowest, size + 1)
            span.source = span.source or _reason(symbol, small)
            break
        if shapes.symbols[symbol][1] is None and shapes.ranges[symbol].min == 0:
            _settle_negative(trials, shapes, base, symbol)
    ones = {s: 1 if 1 in allowed[s] else base[s] for s in shapes.symbols}
    if len(ones) > 1 and _try(trials, shapes, ones) not in (SAME, GUARDED, EAGER_FAILS):
        shapes.conditions.extend(c for c in small if not shapes.holds(c.expr, ones))


def _try(trials: Trials, shapes: Shapes, values: Values) -> str:
    if not allowed(shapes, values, shapes.conditions):
        return UNKNOWN
    if not trials.knows(values) and not trials.has_time():
        return UNKNOWN
    return trials.at(values, draws=2 if all(values.values()) else 1)


def _try_small(
    trials: Trials, shapes: Shapes, base: Values, symbol: sympy.Symbol, size: int
) -> str:
    """The outcome of a size for one symbol, the others being as in ``base`` or, where the
    conditions do not allow that, as small."""
    others = [s for s in base if s != symbol]
    for smaller in ([], *([s] for s in others), others):
        values = {**base, **dict.fromkeys(smaller, size), symbol: size}
        if allowed(shapes, values, shapes.conditions):
            return _try(trials, shapes, values)
    return UNKNOWN


def _try_together(
    trials: Trials, shapes: Shapes, base: dict[sympy.Symbol, int], symbol: sympy.Symbol
) -> str | None:
    """The outcome of 1 for all symbols of the same example size, which are tied if it is
    right: eager PyTorch broadcasts where the graph takes them for equal."""
    others = [s for s in shapes.symbols if s != symbol and base[s] == base[symbol]]
    for other in others:
        together = {**base, symbol: 1, other: 1}
        if _try(trials, shapes, together) in (SAME, GUARDED):
            shapes.tie(symbol, other)
            del base[other]
            return SAME
    return None


def _mentions(conditions: list[Condition], symbol: sympy.Symbol) -> bool:
    return any(symbol in c.expr.free_symbols for c in conditions)


def _settle_negative(
    trials: Trials, shapes: Shapes, base: dict[sympy.Symbol, int], symbol: sympy.Symbol
) -> None:
    """The exporter takes numbers for sizes; finds out whether they may be negative."""
    span = shapes.ranges[symbol]
    before, span.min = span.min, -(2**63)
    outcomes = [_try(trials, shapes, {**base, symbol: value}) for value in (-1, -3)]
    if not all(outcome in (SAME, GUARDED) for outcome in outcomes):
        span.min = before


def _reason(symbol: sympy.Symbol, small: list[Condition]) -> Any:
    return next((c.source for c in small if symbol in c.expr.free_symbols), None)


def _larger(shapes: Shapes, base: Values) -> Iterator[Values]:
    symbols = list(shapes.symbols)
    for change in (lambda v: v + 1, lambda v: 2 * v, lambda v: v + 2):
        values = {s: change(base[s]) for s in symbols}
        if allowed(shapes, values, shapes.conditions):
            yield values
            return
    for symbol in symbols:
        for change in (lambda v: v + 1, lambda v: 2 * v, lambda v: v - 1):
            values = {**base, symbol: change(base[symbol])}
            if allowed(shapes, values, shapes.conditions):
                yield values
                break


def _settle_internal(trials: Trials, shapes: Shapes, base: Values) -> None:
    """Drops conditions that PyTorch asked for by itself (is this contiguous, may this reshape be
    a view) where the graph is right at sizes that break them."""
    asked = [c for c in shapes.conditions if c.internal]
    others = [c for c in shapes.conditions if not c.internal]
    harmless: list[Condition] = []
    harmful: list[Condition] = []
    for together, values in _around(shapes, base):
        if not allowed(shapes, values, [*others, *harmful]):
            continue
        broken = [c for c in asked if not shapes.holds(c.expr, values)]
        if all(c in harmless for c in broken) or not trials.has_time():
            continue
        outcome = trials.at(values)
        if outcome == SAME:
            harmless += broken
        elif outcome == DIFFERENT and not together:
            harmful += broken
    dropped = [c for c in harmless if c not in harmful]
    shapes.conditions = [c for c in shapes.conditions if c not in dropped]
    shapes.settle()


def _around(shapes: Shapes, base: Values) -> Iterator[tuple[bool, Values]]:
    """Sizes near the example's on either side, then well beyond, none of much more work: of all
    symbols together, which breaks the most conditions at once but does not tell which of them
    matters, then of one symbol."""
    changes: list[Callable[[int], int]] = [
        lambda v: v + 1, lambda v: v + 4, lambda v: 2 * v, lambda v: v + v // 2,
        lambda v: v - 4, lambda v: v - v // 8, lambda v: v - v // 4,
        lambda v: v + 16, lambda v: 3 * v, lambda v: 2 * v + 8, lambda v: v // 2,
    ]  # fmt: skip
    for change in changes:
        for changed in [list(shapes.symbols), *([s] for s in shapes.symbols)]:
            values = {**base, **{s: change(base[s]) for s in changed}}
            if math.prod(values.values()) <= 8 * math.prod(base.values()):
                yield len(changed) > 1, values


def _settle_assumptions(trials: Trials, shapes: Shapes, base: dict[sympy.Symbol, int]) -> None:
    """Tries sizes at which something fails that the exporter assumed without a guard."""
    open_ = [c for c in shapes.assumptions if not _only_small(c, shapes)]
    for values in trials.right():
        open_ = [c for c in open_ if shapes.holds(c.expr, values)]
    for values in _candidates(shapes, base):
        broken = [c for c in open_ if not shapes.holds(c.expr, values)]
        if not broken:
            continue
        outcome = trials.at(values) if trials.has_time() else DIFFERENT
        if outcome == EAGER_FAILS:
            continue
        open_ = [c for c in open_ if c not in broken]
        if outcome == DIFFERENT:
            shapes.conditions.extend(broken)


def _candidates(shapes: Shapes, base: dict[sympy.Symbol, int]) -> Iterator[Values]:
    tried = []
    symbols = list(shapes.symbols)
    numbers = sorted({int(n) for c in shapes.assumptions for n in c.expr.atoms(sympy.Integer)})
    near = [n + d for n in numbers if 1 < n < 4096 for d in (0, 1, -1)]
    for size in dict.fromkeys([2, 3, *(v // 2 for v in base.values()), *near]):
        for changed in [*([s] for s in symbols), symbols]:
            values = base | dict.fromkeys(changed, size)
            if values not in tried and allowed(shapes, values, shapes.conditions):
                tried.append(values)
                yield values
