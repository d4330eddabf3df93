"""while and for: prim::Loop with carried variables, or turns written out one by one.

The type of a carried variable is the one it has before the loop. If a turn gives it another,
the loop is compiled again with the type that holds both.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ingot.capture.script.assignment import assign_target
from ingot.capture.script.changing import checked, list_that_changes
from ingot.capture.script.diagnostics import CompileError, Retry, Unwind
from ingot.capture.script.expressions import expression
from ingot.capture.script.flow import RESULT, Flow, Junction, Way, common_type, merge
from ingot.capture.script.items import type_of
from ingot.capture.script.iteration import Turns, own_iterator, turns_of
from ingot.capture.script.language import Hole, join, lower
from ingot.capture.script.names import assigned_names
from ingot.capture.script.operations import call_op
from ingot.capture.script.operators import binary
from ingot.capture.script.refinement import Test, test
from ingot.capture.script.values import (
    FALSE,
    KEPT,
    TRUE,
    ZERO,
    Constant,
    Dynamic,
    Environment,
    Item,
    IteratorItem,
    Missing,
    Narrowed,
    PoisonItem,
    PythonItem,
    TupleItem,
    same,
)
from ingot.ir.graph import Value
from ingot.ir.types import BOOL, INT, NONE, ListType, Type

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame

_MAX_ATTEMPTS = 8
_MAX_UNROLLED = 4096


@dataclass(eq=False)
class _Plan:
    """What an attempt assumes: the carried variables, and those that only the end needs."""

    carried: dict[str, Type] = field(default_factory=dict)
    late: dict[str, Type] = field(default_factory=dict)
    conflicts: dict[str, Missing] = field(default_factory=dict)
    returns: bool = False
    endless: bool = False
    marker: object = None
    """Of a loop that could be written out turn by turn."""
    result: Type | None = None


_MAX_SHORT = 32
"""Turns of a loop that is written out only to know more of its variables."""


class _Again(Unwind):
    """The plan has changed."""


def while_statement(frame: Frame, node: ast.While) -> Flow:
    def start() -> Test:
        return test(frame, node.test)

    def turn(number: Value) -> Flow:
        from ingot.capture.script.statements import body

        return body(frame, node.body)

    return _loop(frame, node, None, start, turn)


def for_statement(frame: Frame, node: ast.For) -> Flow:
    from ingot.capture.script.statements import body

    apart = frame.first_turns.get(node)
    node = checked(frame, node)
    iterable = expression(frame, node.iter)
    own = own_iterator(frame, iterable)
    if own is not None:
        return _over_object(frame, node, own)
    if isinstance(iterable, IteratorItem):
        return _over_iterator(frame, node, iterable)
    changing = list_that_changes(node, iterable)
    if changing is not None:
        place = frame.builder.list_construct([frame.value(ZERO)], INT)
        elements = IteratorItem(changing, frame.dynamic(place, ListType(INT)))
        return _over_iterator(frame, node, elements, getattr(iterable, "start", None))
    with frame.located(node.iter):
        turns = turns_of(frame, iterable, limited=not node.orelse)
    if turns.items is not None and turns.must_unroll:
        return _unrolled(frame, node, turns.items, turns.limits)
    marker = apart or object()

    def start() -> Test:
        return Test(TRUE)

    def turn(number: Value) -> Flow:
        index = Dynamic(number, INT, index_of=marker)
        assign_target(frame, node.target, turns.element(index))
        return body(frame, node.body)

    before = frame.environment.copy()
    mark = frame.builder.mark(), frame.compiler.diagnostics.mark()
    if turns.items is not None:
        frame.unrollable[marker] = len(turns.items) <= _MAX_SHORT
    elif apart is not None:
        frame.splittable.add(marker)
    try:
        return _loop(frame, node, turns, start, turn, marker)
    except Retry as needs:
        if needs.marker is not marker or turns.items is None:
            raise
        frame.builder.rewind(mark[0])
        frame.compiler.diagnostics.rewind(mark[1])
        frame.environment = before
        return _unrolled(frame, node, turns.items)
    finally:
        frame.unrollable.pop(marker, None)
        frame.splittable.discard(marker)


class FirstTurnApart(ast.stmt):
    """A for loop that makes at least one turn, which is written out before the others."""

    _fields = ("loop",)

    def __init__(self, loop: ast.For, turns: Turns) -> None:
        super().__init__()
        self.loop = loop
        self.turns = turns


def with_first_turn_apart(frame: Frame, node: ast.For) -> ast.If:
    """The loop under an If that asks whether it makes a turn."""
    turns = turns_of(frame, expression(frame, node.iter))
    any_turn = f"any turn {node.lineno} {node.col_offset}"  # no Python name equals it
    frame.environment.names[any_turn] = call_op(frame, "aten::gt", [turns.count, ZERO])
    loop = ast.copy_location(FirstTurnApart(node, turns), node)
    test = ast.copy_location(ast.Name(any_turn, ast.Load()), node)
    return ast.copy_location(ast.If(test, [loop], []), node)


def first_turn_apart(frame: Frame, node: FirstTurnApart) -> Flow:
    from ingot.capture.script.statements import body, then

    loop, turns = node.loop, node.turns
    line = frame.source.line(loop)
    assign_target(frame, loop.target, turns.element(ZERO))
    flow = merge(frame, body(frame, loop.body), Way.FALL, Way.CONTINUE, line)

    def others() -> Flow:
        count = binary(frame, "-", turns.count, Constant(1))
        later = Turns(count, lambda i: turns.element(binary(frame, "+", i, Constant(1))))

        def turn(number: Value) -> Flow:
            assign_target(frame, loop.target, later.element(Dynamic(number, INT)))
            return body(frame, loop.body)

        return _loop(frame, loop, later, lambda: Test(TRUE), turn)

    return merge(frame, then(frame, flow, others, loop), Way.FALL, Way.BREAK, line)


def _over_object(frame: Frame, node: ast.For, iterator: Item) -> Flow:
    """An iterator of the user's class, as a while loop that ends when ``__next__`` raises
    StopIteration. No Python name equals those made here."""
    from ingot.capture.script.statements import body

    source, element, done = (f"{what} {node.lineno} {node.col_offset}" for what in (
        "iterator", "element", "exhausted"))  # fmt: skip
    frame.environment.names[source] = iterator
    frame.environment.names[done] = FALSE

    def read(name: str) -> ast.expr:
        return ast.Name(name, ast.Load())

    def assign(target: ast.expr, value: ast.expr) -> ast.stmt:
        return ast.Assign([target], value)

    take = ast.Call(ast.Attribute(read(source), "__next__", ast.Load()), [], [])
    at_end = [assign(ast.Name(done, ast.Store()), ast.Constant(True)), ast.Break()]
    statements: list[ast.stmt] = [
        ast.While(
            ast.Constant(True),
            [
                ast.Try(
                    [assign(ast.Name(element, ast.Store()), take)],
                    [ast.ExceptHandler(ast.Name(_STOP, ast.Load()), None, at_end)],
                    [],
                    [],
                ),
                assign(node.target, read(element)),
                *node.body,
            ],
            [],
        )
    ]
    if node.orelse:
        statements.append(ast.If(read(done), node.orelse, []))
    frame.environment.names[_STOP] = PythonItem(StopIteration)
    for statement in statements:
        for inner in ast.walk(statement):
            if not hasattr(inner, "lineno"):
                ast.copy_location(inner, node.iter)
        ast.copy_location(statement, node)
    return body(frame, statements)


_STOP = "stop iteration"


def _over_iterator(
    frame: Frame, node: ast.For, iterable: IteratorItem, start: Item | None = None
) -> Flow:
    """The body may take elements itself, so each turn asks anew whether one is left. With a
    ``start`` the elements are numbered from there."""
    from ingot.capture.script.sequence_builtins import has_next, next_element
    from ingot.capture.script.statements import body

    def more() -> Test:
        return Test(has_next(frame, iterable))

    def turn(number: Value) -> Flow:
        item = next_element(frame, iterable)
        if start is not None:
            item = TupleItem((binary(frame, "+", start, Dynamic(number, INT)), item))
        assign_target(frame, node.target, item)
        return body(frame, node.body)

    return _loop(frame, node, None, more, turn)


def _loop(
    frame: Frame,
    node: ast.While | ast.For,
    turns: Turns | None,
    start: Callable[[], Test],
    turn: Callable[[Value], Flow],
    marker: object = None,
) -> Flow:
    condition = start()
    if condition.known is False:
        return _otherwise(frame, node, Flow.only(Way.FALL, frame.environment))
    plan = _initial_plan(frame, node)
    plan.marker = marker
    outermost = not frame.plans
    frame.plans[node] = plan
    try:
        return _attempts(frame, node, turns, condition, start, turn, plan)
    finally:
        if outermost:
            frame.plans.clear()


def _attempts(
    frame: Frame,
    node: ast.While | ast.For,
    turns: Turns | None,
    condition: Test,
    start: Callable[[], Test],
    turn: Callable[[Value], Flow],
    plan: _Plan,
) -> Flow:
    before = frame.environment
    mark = frame.builder.mark(), frame.compiler.diagnostics.mark()
    for _ in range(_MAX_ATTEMPTS):
        frame.environment = before.copy()
        assumed, made = len(frame.compiler.assumed), Hole().serial
        try:
            flow = _attempt(frame, node, turns, condition, start, turn, plan)
            if any(h.serial < made and not h.open for h in frame.compiler.assumed[assumed:]):
                raise _Again  # a list from outside that is filled after it was taken for empty
        except _Again:
            frame.builder.rewind(mark[0])
            frame.compiler.diagnostics.rewind(mark[1])
            continue
        return _otherwise(frame, node, flow)
    raise CompileError("the types of the variables in this loop cannot be found", "annotate them")


def _initial_plan(frame: Frame, node: ast.While | ast.For) -> _Plan:
    plan = _Plan()
    assigned = assigned_names(node.body)
    if isinstance(node, ast.For):
        assigned |= assigned_names([node.target])
    else:
        assigned |= assigned_names([node.test])
    for name in sorted(assigned | frame.shared):
        item = frame.environment.names.get(name)
        if item is None or isinstance(item, Missing | PoisonItem):
            continue
        type = type_of(item)
        if type is not None:
            declared = frame.declared.get(name)
            together = None if declared is None else common_type(type, declared, declared)
            plan.carried[name] = type if together is None else together
    known = frame.plans.get(node)
    if known is not None:  # an outer loop is compiled again: begin with what was learned
        plan.late, plan.returns = dict(known.late), known.returns
        for name, type in plan.carried.items():
            if name in known.carried and join(type, known.carried[name]) == known.carried[name]:
                plan.carried[name] = known.carried[name]
    return plan


def _attempt(
    frame: Frame,
    node: ast.While | ast.For,
    turns: Turns | None,
    condition: Test,
    start: Callable[[], Test],
    turn: Callable[[Value], Flow],
    plan: _Plan,
) -> Flow:
    builder = frame.builder
    line = frame.source.line(node)
    before = frame.environment
    initial: list[Value] = []
    slots = {**plan.carried, **plan.late}
    for name, type in plan.carried.items():
        initial.append(frame.value(before.names[name], type))
    for type in plan.late.values():
        initial.append(builder.uninitialized(lower(type)))
    if plan.returns:
        slots["not returned"] = BOOL
        initial.append(frame.value(TRUE))
    if node.orelse:
        slots["not broken"] = BOOL
        initial.append(frame.value(TRUE))
    maximum = None if turns is None else frame.value(turns.count)
    loop = builder.loop(maximum, frame.value(condition.item))
    inner = [
        builder.carry(loop, value, lower(type), name if name.isidentifier() else "")
        for value, (name, type) in zip(initial, slots.items(), strict=True)
    ]
    header = before.copy()
    for value, (name, type) in zip(inner, slots.items(), strict=True):
        frame.track(value, type)
        if name in plan.carried:
            header.names[name] = Dynamic(value, type)
    header.names.update(plan.conflicts)
    header.forget_attributes()
    body_block = loop.blocks[0]
    with builder.at(body_block):
        each = _at_start(frame, header, start)
        plan.endless = turns is None and each.known is True
        _narrow(header, condition, each, plan)
        header.forget_attributes()
        frame.environment = header.copy()
        flow = turn(body_block.inputs[0])
        for way, environment in flow.ends.items():
            if way is not Way.RETURN:
                environment.forget_attributes()
        _check(flow, header, plan, turns, condition, line, frame)
        outputs = _end_of_turn(frame, flow, plan, slots, header, start, line)
        results = builder.end_loop(loop, outputs[0], outputs[1:])
    after = _environment_after(frame, before, header, flow, plan, slots, results, line)
    if turns is None and Way.BREAK not in flow.ends:  # it ended because the condition failed
        for name, item in each.if_false.items():
            current = after.names.get(name)
            if name in plan.carried and isinstance(item, Narrowed) and isinstance(current, Dynamic):
                after.names[name] = Narrowed(current, item.type)
    return _flow_after(frame, flow, after, slots, results, plan)


def _at_start(frame: Frame, header: Environment, start: Callable[[], Test]) -> Test:
    """The condition over the variables as they are in every turn; nothing is compiled."""
    mark = frame.builder.mark()
    frame.environment = header.copy()
    found = start()
    frame.builder.rewind(mark)
    return found


def _narrow(header: Environment, first: Test, each: Test, plan: _Plan) -> None:
    """What the condition, before the first turn and each, says of the variables in a turn."""
    for name, item in first.if_true.items():
        if name not in plan.carried:
            header.names[name] = item
    for name, item in each.if_true.items():
        current = header.names.get(name)
        if name in plan.carried and isinstance(item, Narrowed) and isinstance(current, Dynamic):
            header.names[name] = Narrowed(current, item.type)


def _check(
    flow: Flow,
    header: Environment,
    plan: _Plan,
    turns: Turns | None,
    condition: Test,
    line: int,
    frame: Frame,
) -> None:
    """Raises _Again if a turn ends in a way that the plan does not hold."""
    changed = False
    if Way.RETURN in flow.ends and not plan.returns:
        plan.returns = changed = True
    if Way.RETURN in flow.ends:
        result = flow.ends[Way.RETURN].names[RESULT]
        if not isinstance(result, PoisonItem | Missing):
            type = type_of(result)
            if type is None:
                raise CompileError(f"{result.describe()} cannot be returned from inside a loop")
            known = plan.late.get(RESULT)
            if known is not None:
                type = common_type(known, type, frame.result_type) or type
            if known != type:
                plan.late[RESULT], changed = type, True
    for way in (Way.FALL, Way.CONTINUE, Way.BREAK):
        environment = flow.ends.get(way)
        if environment is None:
            continue
        for name, declared in list(plan.carried.items()):
            item = environment.names.get(name)
            if item is None or isinstance(item, PoisonItem):
                continue
            if isinstance(item, Missing):  # nor has it a value in the next turn
                del plan.carried[name]
                marked = () if plan.marker is None else (plan.marker,)
                plan.conflicts[name] = replace(item, retry=(*item.retry, *marked))
                changed = True
                continue
            type = type_of(item)
            together = None
            if type is not None:
                together = common_type(declared, type, frame.declared.get(name))
                if together is None:
                    together = frame.compiler.number_or_tensor(declared, type)
            if together is None:
                del plan.carried[name]
                plan.conflicts[name] = _conflict(name, str(declared), item, line, plan)
                changed = True
            elif together != declared:
                if declared == NONE and frame.unrollable.get(plan.marker):
                    raise Retry(plan.marker)  # written out, it is known not to be None
                plan.carried[name], changed = together, True
        for name, item in environment.names.items():
            before = header.names.get(name)
            if before is None or name in plan.carried or isinstance(before, Missing | PoisonItem):
                continue
            if isinstance(item, Missing | PoisonItem) or name.startswith(KEPT):
                continue
            if type_of(before) is None and not same(before, item):
                plan.conflicts[name] = _conflict(name, before.describe(), item, line, plan)
                changed = True
    if _survives(flow, turns, condition):
        changed |= _find_late(flow, header, plan)
    if changed:
        raise _Again


def _conflict(name: str, before: str, item: Item, line: int, plan: _Plan) -> Missing:
    """A variable that turns of the loop make something else than it was before."""
    return Missing(
        f"{name} is {before} before the loop at line {line} and "
        f"{item.describe()} after a turn of it",
        f"give {name} one type, or use another name inside the loop",
        () if plan.marker is None else (plan.marker,),
    )


def _survives(flow: Flow, turns: Turns | None, condition: Test) -> bool:
    """Whether the loop is left only after a turn, so that what turns assign has a value."""
    if turns is None:
        return condition.known is True
    return isinstance(turns.count, Constant) and turns.count.value > 0


def _find_late(flow: Flow, header: Environment, plan: _Plan) -> bool:
    ways = (Way.BREAK,) if plan.endless else (Way.FALL, Way.CONTINUE, Way.BREAK)
    ends = [flow.ends[w] for w in ways if w in flow.ends]
    if not ends:
        return False
    changed = False
    for name in set.intersection(*(set(e.names) for e in ends)):
        if name in plan.carried or name in plan.late or name == RESULT:
            continue
        items = [e.names[name] for e in ends]
        if name in header.names and not isinstance(header.names[name], Missing):
            continue
        if not all(isinstance(i, Dynamic) for i in items):
            continue
        types = {type_of(i) for i in items}
        if len(types) == 1:
            plan.late[name], changed = types.pop(), True  # type: ignore[assignment]
    return changed


def _end_of_turn(
    frame: Frame,
    flow: Flow,
    plan: _Plan,
    slots: dict[str, Type],
    header: Environment,
    start: Callable[[], Test],
    line: int,
) -> list[Value]:
    """Whether to go on, then what each slot becomes."""
    builder = frame.builder
    merged = merge(frame, flow, Way.FALL, Way.CONTINUE, line)
    stays = merged.below.get(Way.BREAK, FALSE)
    goes_on: Item = FALSE
    next_environment = merged.ends.get(Way.FALL)
    if next_environment is not None:
        goes_on = _next_condition(frame, merged, next_environment, stays, start, line)
    everything = merge(frame, merged, Way.FALL, Way.BREAK, line)
    values = [frame.value(goes_on)]
    loop_end = everything.ends.get(Way.FALL)
    if frame.final_depth:  # a finally reads the variables after a return too
        loop_end = merge(frame, everything, Way.FALL, Way.RETURN, line).ends.get(Way.FALL)
    returned = everything.ends.get(Way.RETURN)
    for name, type in slots.items():
        item: Item | None
        if name == "not returned":
            item = everything.below.get(Way.RETURN, TRUE)
        elif name == "not broken":
            item = stays
        elif name == RESULT:
            item = None if returned is None else returned.names[RESULT]
        else:
            item = None if loop_end is None else loop_end.names.get(name)
            if name in plan.late and Way.BREAK in flow.ends and not isinstance(item, Dynamic):
                item = flow.ends[Way.BREAK].names.get(name)
        if item is None or isinstance(item, Missing | PoisonItem):
            values.append(builder.uninitialized(lower(type)))
        else:
            values.append(frame.value(item, type))
    return values


def _next_condition(
    frame: Frame,
    flow: Flow,
    environment: Environment,
    stays: Item,
    start: Callable[[], Test],
    line: int,
) -> Item:
    if isinstance(stays, Constant):
        frame.environment = environment
        return start().item
    branch = frame.builder.if_(frame.value(stays))
    with frame.builder.at(branch.blocks[0]):
        frame.environment = environment.copy()
        again = start().item
    junction = Junction(frame, branch, line)
    item = stays if again == TRUE else junction.join_items(again, FALSE, "condition")
    junction.finish()
    return item


def _environment_after(
    frame: Frame,
    before: Environment,
    header: Environment,
    flow: Flow,
    plan: _Plan,
    slots: dict[str, Type],
    results: Sequence[Value],
    line: int,
) -> Environment:
    after = before.copy()
    after.names.update(plan.conflicts)
    after.forget_attributes()
    for environment in flow.ends.values():
        for name in environment.names:
            if name not in slots and name != RESULT and name not in after.names:
                after.names[name] = Missing(
                    f"{name} has no value if the loop at line {line} makes no turn",
                    f"assign {name} before the loop",
                    () if plan.marker is None else (plan.marker,),
                )
            elif name not in slots and name in after.names:
                item = environment.names[name]
                if isinstance(item, PoisonItem):
                    after.names[name] = item
                elif not isinstance(after.names[name], Missing) and not _unchanged(
                    header.names.get(name), item
                ):
                    after.names[name] = Missing(
                        f"{name} is {after.names[name].describe()} before the loop at line "
                        f"{line} and {item.describe()} after a turn of it",
                        f"use another name inside the loop than {name}",
                        () if plan.marker is None else (plan.marker,),
                    )
    for value, (name, type) in zip(results, slots.items(), strict=True):
        frame.track(value, type)
        if name in plan.carried or name in plan.late:
            after.names[name] = Dynamic(value, type)
    return after


def _unchanged(header: Item | None, item: Item) -> bool:
    if header is None or same(header, item):
        return True
    if isinstance(item, Dynamic) and item.origin is not None:
        return True
    if isinstance(item, Narrowed) and isinstance(header, Dynamic | Narrowed):
        before = header.item if isinstance(header, Narrowed) else header.origin or header
        return before.value is item.item.value
    return False


def _flow_after(
    frame: Frame,
    flow: Flow,
    after: Environment,
    slots: dict[str, Type],
    results: Sequence[Value],
    plan: _Plan,
) -> Flow:
    by_name = dict(zip(slots, results, strict=True))
    result = after.names.pop(RESULT, None)
    ends: dict[Way, Environment] = {}
    if not plan.endless or Way.BREAK in flow.ends:
        ends[Way.FALL] = after
    if Way.RETURN in flow.ends:
        kept = after.names if frame.final_depth else {}
        ends[Way.RETURN] = Environment({**kept, RESULT: result or PoisonItem()})
    if list(ends) == [Way.FALL]:
        found = Flow.only(Way.FALL, after)
    elif list(ends) == [Way.RETURN]:
        found = Flow.only(Way.RETURN, ends[Way.RETURN])
    elif not ends:
        found = Flow()
    else:
        live = Dynamic(by_name["not returned"], BOOL)
        found = Flow(ends, dict.fromkeys((Way.CONTINUE, Way.BREAK, Way.RETURN), live))
    if "not broken" in by_name:
        found.not_broken = Dynamic(by_name["not broken"], BOOL)
    return found


def _otherwise(frame: Frame, node: ast.While | ast.For, flow: Flow) -> Flow:
    """The else of a loop: where no break was taken."""
    from ingot.capture.script.statements import body, then

    if not node.orelse:
        return flow
    not_broken = flow.not_broken or TRUE
    if not_broken == TRUE:
        return then(frame, flow, lambda: body(frame, node.orelse), node)

    def ask() -> Flow:
        before = frame.environment
        branch = frame.builder.if_(frame.value(not_broken))
        with frame.builder.at(branch.blocks[0]):
            frame.environment = before.copy()
            taken = body(frame, node.orelse)
        junction = Junction(frame, branch, frame.source.line(node))
        return junction.join_flows(taken, Flow.only(Way.FALL, before))

    return then(frame, flow, ask, node)


def _unrolled(
    frame: Frame, node: ast.For, items: Sequence[Item], limits: Sequence[Item] = ()
) -> Flow:
    """The body once for each item, each with its own compile-time values; a turn whose number
    reaches a limit ends the loop."""
    from ingot.capture.script.statements import body, then

    if len(items) > _MAX_UNROLLED:
        raise CompileError(f"a loop over {len(items)} compile-time items is too long")
    line = frame.source.line(node)
    inside = set(ast.walk(node)) - {node}

    def turns_from(k: int, asked: bool = False) -> Flow:
        if limits and k < len(items) and not asked:
            return within_limits(k)
        for i in range(k, len(items) if not limits else min(k + 1, len(items))):
            for inner in [n for n in frame.plans if n in inside]:
                del frame.plans[inner]
            assign_target(frame, node.target, items[i])
            flow = merge(frame, body(frame, node.body), Way.FALL, Way.CONTINUE, line)
            if not flow.falls_only:
                return then(frame, flow, lambda i=i: turns_from(i + 1), node)  # type: ignore[misc]
            frame.environment = flow.ends[Way.FALL]
        return turns_from(k + 1) if limits and k < len(items) else body(frame, node.orelse)

    def within_limits(k: int) -> Flow:
        more = [call_op(frame, "aten::gt", [each, Constant(k)]) for each in limits]
        for each in more[1:]:
            more[0] = call_op(frame, "aten::__and__", [more[0], each])
        branch = frame.builder.if_(frame.value(more[0]))
        before = frame.environment
        with frame.builder.at(branch.blocks[0]):
            frame.environment = before.copy()
            made = turns_from(k, asked=True)
        return Junction(frame, branch, line).join_flows(made, Flow.only(Way.FALL, before))

    return merge(frame, turns_from(0), Way.FALL, Way.BREAK, line)
