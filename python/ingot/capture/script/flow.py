"""Where control can be after some statements, and how two ways meet again.

The program has no jumps. ``break``, ``continue`` and ``return`` are recorded as ways out of a
statement list (``Flow``); what follows them is put under an If that asks which way was taken.
A variable has one value at a time whichever way is taken, so ways share outputs.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import TYPE_CHECKING

from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.items import leaves, type_of
from ingot.capture.script.language import (
    ANY,
    Hole,
    is_subtype,
    join,
    lower,
    settle,
    union_of,
    without_none,
)
from ingot.capture.script.values import (
    FALSE,
    KEPT,
    NOTHING,
    TRUE,
    Constant,
    Dynamic,
    Environment,
    Item,
    LocalFunction,
    MethodItem,
    Missing,
    ModuleItem,
    Narrowed,
    PickItem,
    PoisonItem,
    PythonItem,
    TupleItem,
    same,
)
from ingot.ir.graph import Node, Value
from ingot.ir.types import FLOAT, INT, Type

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame


class Way(IntEnum):
    """How a statement list ends; a higher one leaves more of the code around it."""

    FALL = 0
    CONTINUE = 1
    BREAK = 2
    RETURN = 3


RESULT = "return"
"""The variable that holds the function's result on ``Way.RETURN``; no Python name equals it."""


@dataclass(eq=False)
class Flow:
    """The ways that control can take, the variables on each, and which one it was.

    ``below[w]`` is a bool: the way taken is lower than ``w``. No ways at all: it raised.
    """

    ends: dict[Way, Environment] = field(default_factory=dict)
    below: dict[Way, Item] = field(default_factory=dict)
    not_broken: Item | None = None
    """After a loop with an else: whether no break was taken."""

    @staticmethod
    def only(way: Way, environment: Environment) -> Flow:
        return Flow({way: environment}, {w: TRUE if way < w else FALSE for w in Way if w})

    @property
    def falls_only(self) -> bool:
        return list(self.ends) == [Way.FALL]


@dataclass(eq=False)
class _Column:
    """One output of an If: what each branch gives (None: a branch that cannot matter)."""

    name: str
    type: Type
    sides: list[Value | None]
    output: Value


class Junction:
    """Joins the two branches of an If node; outputs are added as variables need them."""

    def __init__(self, frame: Frame, node: Node, line: int, marker: object = None) -> None:
        self.frame = frame
        self.node = node
        self.line = line
        self.retry = () if marker is None else (marker,)
        self.columns: list[_Column] = []
        self.expected: Type | None = None
        """The annotated type of what the If gives, if it is an expression."""
        self._inside = [
            {id(v) for v in (*block.inputs, *(v for n in block.nodes for v in n.outputs))}
            for block in node.blocks
        ]

    def join_flows(self, then: Flow, other: Flow) -> Flow:
        ends: dict[Way, Environment] = {}
        shared = self._shared(then, other)
        for way in sorted({*then.ends, *other.ends}):
            sides = (then.ends.get(way), other.ends.get(way))
            if way is Way.RETURN and not self.frame.final_depth:
                x, y = (None if e is None else e.names[RESULT] for e in sides)
                ends[way] = Environment({RESULT: self.join_items(x, y, RESULT)})
            else:
                ends[way] = self.join_environments(*sides, shared)
        below: dict[Way, Item] = {}
        for way in Way:
            if not way:
                continue
            if all(w < way for w in ends):
                below[way] = TRUE
            elif all(w >= way for w in ends):
                below[way] = FALSE
            else:
                below[way] = self.join_items(
                    then.below.get(way), other.below.get(way), f"below {way.name.lower()}"
                )
        self.finish()
        return Flow(ends, below)

    def _shared(self, then: Flow, other: Flow) -> dict[str, Item]:
        """Variables that each branch leaves with one value whichever way it ends."""
        sides = [
            [end for way, end in flow.ends.items() if not self._forgets(way)]
            for flow in (then, other)
        ]
        every = [*sides[0], *sides[1]]
        if sum(not self._forgets(way) for way in {*then.ends, *other.ends}) < 2:
            return {}
        found: dict[str, Item] = {}
        for name in every[0].names:
            values: list[Item | None] = []
            for side in sides:
                items = [end.names.get(name) for end in side]
                first = items[0] if items else None
                if any(i is None or first is None or not same(i, first) for i in items):
                    break
                values.append(first)
            else:
                item = self.join_items(values[0], values[1], name)
                if not isinstance(item, Missing):
                    found[name] = item
        return found

    def _forgets(self, way: Way) -> bool:
        """Only a finally reads variables after a return."""
        return way is Way.RETURN and not self.frame.final_depth

    def join_environments(
        self,
        a: Environment | None,
        b: Environment | None,
        shared: dict[str, Item] | None = None,
    ) -> Environment:
        joined = Environment(dict(shared or {}))
        names = dict.fromkeys([*(a.names if a else ()), *(b.names if b else ())])
        for name in names:
            if name in joined.names:
                continue
            if a is None or b is None:
                x = a.names[name] if a else None
                y = b.names[name] if b else None
            else:
                x = a.names.get(name) or self._absent(name)
                y = b.names.get(name) or self._absent(name)
            if name.startswith(KEPT) and (isinstance(x, Missing) or isinstance(y, Missing)):
                continue
            item = self.join_items(x, y, name)
            if not (name.startswith(KEPT) and isinstance(item, Missing)):
                joined.names[name] = item
        return joined

    def _absent(self, name: str) -> Missing:
        return Missing(
            f"{name} is given a value in one branch of line {self.line} only",
            f"assign {name} in the other branch as well, or before line {self.line}",
            self.retry,
        )

    def join_items(self, a: Item | None, b: Item | None, name: str) -> Item:
        """The item after the If. None: the branch does not get there with this variable."""
        a, b = _widened(a), _widened(b)
        for each in (a, b):
            if isinstance(each, Missing) and self.retry:
                return replace(each, retry=tuple(dict.fromkeys([*each.retry, *self.retry])))
            if isinstance(each, PoisonItem | Missing):
                return each
        if a is None or b is None:
            item = b if a is None else a
            assert item is not None
            if isinstance(item, TupleItem):
                sides: list[tuple[Item | None, Item | None]] = [
                    (None, e) if a is None else (e, None) for e in item.items
                ]
                return TupleItem(tuple(self.join_items(x, y, name) for x, y in sides), item.named)
            if isinstance(item, Narrowed):
                if a is None:
                    joined = self.join_items(None, item.item, name)
                else:
                    joined = self.join_items(item.item, None, name)
                return Narrowed(joined, item.type) if isinstance(joined, Dynamic) else joined
            if not isinstance(item, Dynamic):
                return item
            if id(item.value) not in self._inside[0 if b is None else 1]:
                return item
            return self._column(name, item.type, a, b)
        if same(a, b):
            return a
        if isinstance(a, Narrowed | Dynamic) and isinstance(b, Narrowed | Dynamic):
            x = a.item if isinstance(a, Narrowed) else a
            y = b.item if isinstance(b, Narrowed) else b
            together = join(a.type, b.type)
            if x.value is y.value and together is not None:
                return x if settle(x.type) == together else Narrowed(x, together)
        if (
            isinstance(a, TupleItem)
            and isinstance(b, TupleItem)
            and (len(a.items), a.named) == (len(b.items), b.named)
        ):
            pairs = zip(a.items, b.items, strict=True)
            return TupleItem(tuple(self.join_items(x, y, name) for x, y in pairs), a.named)
        if isinstance(a, Narrowed) or isinstance(b, Narrowed):
            return self._join_narrowed(a, b, name)
        return self._join_types(a, b, name)

    def _join_narrowed(self, a: Item, b: Item, name: str) -> Item:
        """The wide value of what was narrowed leaves the If: on another way out of the branch,
        such as a return, the value may not be of the narrower type."""
        x = a.item if isinstance(a, Narrowed) else a
        y = b.item if isinstance(b, Narrowed) else b
        wide = self._join_types(x, y, name)
        first, second = type_of(a), type_of(b)
        if not isinstance(wide, Dynamic) or first is None or second is None:
            return self._join_types(a, b, name)
        narrow = join(first, second)
        if narrow is None or narrow == settle(wide.type) or not is_subtype(narrow, wide.type):
            return wide
        return Narrowed(wide, narrow)

    def _join_types(self, a: Item, b: Item, name: str) -> Item:
        x, y = type_of(a), type_of(b)
        what = "the result" if name == RESULT else name
        if x is None or y is None:
            if not self.retry and self._can_pick(a, 0) and self._can_pick(b, 1):
                index = self._column(f"which {name}", INT, Constant(0), Constant(1))
                assert isinstance(index, Dynamic)
                return PickItem(index, (a, b), (0, 1))
            return Missing(
                f"{what} is {a.describe()} in one branch of line {self.line} and "
                f"{b.describe()} in the other; which one cannot be decided at run time",
                f"use {what} inside the branches instead of after them",
                self.retry,
            )
        declared = self.frame.declared.get(name)
        if name == RESULT:
            declared = self.frame.result_type
        if self.expected is not None:
            declared = self.expected
        together = common_type(x, y, declared)
        compiler = self.frame.compiler
        lenient = compiler.unions or (compiler.lenient and not self.frame.calls)
        if together is None:
            together = self.frame.compiler.number_or_tensor(x, y)
        if together is None and name == RESULT and lenient:
            together = union_of(x, y)  # callers of the program are told which one it is
        if together is None:
            return Missing(
                f"{what} is {x} in one branch of line {self.line} and {y} in the other",
                f"give {what} one type in both branches"
                + (", or annotate the function's result" if name == RESULT else ""),
                self.retry,
            )
        return self._column(name, together, a, b)

    def _can_pick(self, item: Item, side: int) -> bool:
        """Whether it is a function or module that can be called after the If."""
        if isinstance(item, PythonItem):
            return callable(item.object) and not inspect.isclass(item.object)
        kinds = LocalFunction | MethodItem | ModuleItem | PickItem
        outside = all(id(leaf.value) not in self._inside[side] for leaf in leaves(item))
        return isinstance(item, kinds) and outside

    def _column(self, name: str, type: Type, a: Item | None, b: Item | None) -> Item:
        sides: list[Value | None] = []
        for item, block in zip((a, b), self.node.blocks, strict=True):
            if item is None:
                sides.append(None)
                continue
            with self.frame.builder.at(block):
                sides.append(self.frame.value(item, type))
        for column in self.columns:
            pairs = list(zip(column.sides, sides, strict=True))
            mergeable = all(p is q or p is None or q is None for p, q in pairs)
            if (
                mergeable
                and column.type == type
                and (column.name == name or all(p is q for p, q in pairs))
            ):
                column.sides = [p or q for p, q in pairs]
                return Dynamic(column.output, type)
        output = Value(lower(type), name if name.isidentifier() else "")
        self.frame.track(output, type)
        self.columns.append(_Column(name, type, sides, output))
        return Dynamic(output, type)

    def finish(self) -> None:
        """Writes the outputs; an If that decides nothing and does nothing disappears."""
        blocks = self.node.blocks
        if not self.columns and not any(block.nodes for block in blocks):
            self.frame.builder.block.nodes.remove(self.node)
            return
        for column in self.columns:
            for side, block in zip(column.sides, blocks, strict=True):
                if side is None:
                    with self.frame.builder.at(block):
                        side = self.frame.builder.uninitialized(lower(column.type))
                        self.frame.track(side, column.type)
                block.outputs.append(side)
            self.node.outputs.append(column.output)


def _widened(item: Item | None) -> Item | None:
    """A narrowed value as the variable it came from, which both branches can see."""
    if isinstance(item, Dynamic) and item.origin is not None:
        return Narrowed(item.origin, item.type)
    return item


def common_type(x: Type, y: Type, declared: Type | None) -> Type | None:
    """The type of a variable that is ``x`` on one way and ``y`` on another.

    What the user declared decides, except that it does not make a value of another kind.
    """
    if isinstance(x, Hole) or isinstance(y, Hole):
        return join(x, y)
    if declared == ANY:
        together = join(x, y)
        return union_of(x, y) if together is None else together
    if declared is not None:
        if is_subtype(x, declared) and is_subtype(y, declared):
            together = join(x, y)
            return declared if together is None else together
        if declared == FLOAT and {x, y} == {INT, FLOAT}:
            return FLOAT
    return join(x, y)


def merge(frame: Frame, flow: Flow, lower_way: Way, upper_way: Way, line: int) -> Flow:
    """The flow with ``upper_way`` turned into ``lower_way``: where both lead to one place."""
    ends = dict(flow.ends)
    upper = ends.pop(upper_way, None)
    if upper is None:
        return flow
    if lower_way in ends:
        node = frame.builder.if_(frame.value(flow.below[upper_way]))
        junction = Junction(frame, node, line)
        ends[lower_way] = junction.join_environments(ends[lower_way], upper)
        junction.finish()
    else:
        ends[lower_way] = upper
    below = dict(flow.below)
    stays = TRUE if not any(w > upper_way for w in ends) else flow.below[Way(upper_way + 1)]
    for way in Way:
        if lower_way < way <= upper_way:
            below[way] = stays
    return Flow(dict(sorted(ends.items())), below)


def unless_none(
    frame: Frame, item: Item, other: Item, what: str, expected: Type | None = None
) -> Item:
    """``item``, or ``other`` where it is None. Raises CompileError if their types differ."""
    type = type_of(item)
    if item == NOTHING or type is None:
        return other
    builder = frame.builder
    value = frame.value(item)
    branch = builder.if_(builder.op("aten::__isnot__", value, None))
    with builder.at(branch.blocks[0]):
        narrow = without_none(type)
        given = frame.dynamic(builder.cast(value, lower(narrow)), narrow)
    junction = Junction(frame, branch, frame.source.line(frame.node))
    junction.expected = expected
    result = junction.join_items(given, other, what)
    junction.finish()
    if isinstance(result, Missing):
        raise CompileError(result.reason, result.hint)
    return result
