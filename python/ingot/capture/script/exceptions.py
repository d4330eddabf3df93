"""try, except, else, finally and raise.

A Try runs its body and says whether that failed; the handlers are an If after it, so whatever
the body assigned is there for ``else`` and what follows. A variable that the body changes has,
where a handler begins, the value it had when the exception was raised: while the body is
compiled such a variable is also kept in a list of one element, its ``Cell``.
"""

from __future__ import annotations

import ast
import builtins as python_builtins
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ingot.capture.script.diagnostics import CompileError, Unwind
from ingot.capture.script.expressions import expression
from ingot.capture.script.flow import Flow, Junction, Way
from ingot.capture.script.items import type_of
from ingot.capture.script.language import join, lower
from ingot.capture.script.names import assigned_names
from ingot.capture.script.operations import call_op
from ingot.capture.script.own_exceptions import (
    caught_object,
    keep_raised,
    make_exception,
    raise_caught,
    raised_objects,
)
from ingot.capture.script.values import (
    FALSE,
    TRUE,
    ZERO,
    CaughtItem,
    Constant,
    Dynamic,
    Environment,
    ExceptionItem,
    Item,
    Missing,
    PoisonItem,
    PythonItem,
    TupleItem,
)
from ingot.ir.builder import Builder
from ingot.ir.graph import Node, Value
from ingot.ir.types import STR, ListType, Type

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame

_MAX_ATTEMPTS = 16


@dataclass(eq=False)
class Cell:
    """Where a variable's present value is kept for handlers: a list of one element."""

    store: Dynamic
    type: Type
    plan: _Plan


@dataclass(eq=False)
class _Plan:
    """The types of the cells of one Try, and the variables that no cell can hold."""

    types: dict[str, Type] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)


class _Again(Unwind):
    """The plan has changed."""

    def __init__(self, plan: _Plan) -> None:
        super().__init__()
        self.plan = plan


def keep_in_cells(frame: Frame, name: str, item: Item) -> None:
    """After ``name`` was given ``item``: handlers of the Trys around see it."""
    for cell in frame.cells.get(name, ()):
        type = type_of(item)
        together = None if type is None else join(cell.type, type)
        if together is None:
            cell.plan.lost.add(name)
            raise _Again(cell.plan)
        if together != cell.type:
            cell.plan.types[name] = together
            raise _Again(cell.plan)
        value = frame.dynamic(frame.value(item, cell.type), cell.type)
        call_op(frame, "aten::_set_item", [cell.store, ZERO, value])


@dataclass(eq=False)
class _Outcome:
    """After a Try: how the body ended if it did not fail, else the exception and variables."""

    flow: Flow
    failed: Item
    caught: CaughtItem
    environment: Environment
    cells: dict[str, Cell]

    def enter_handler(self, frame: Frame) -> None:
        """The variables as they were when the exception was raised."""
        frame.environment = self.environment.copy()
        for name, cell in self.cells.items():
            read = call_op(frame, "aten::__getitem__", [cell.store, ZERO], type=cell.type)
            frame.environment.names[name] = read


def try_statement(frame: Frame, node: ast.Try) -> Flow:
    if node.finalbody:
        return _with_final(frame, node)
    return _with_handlers(frame, node)


def _with_handlers(frame: Frame, node: ast.Try) -> Flow:
    from ingot.capture.script.statements import body, then

    if not node.handlers:
        return body(frame, node.body)
    outcome = protected(frame, node, node.body, lambda: body(frame, node.body))

    def go_on() -> Flow:
        return then(frame, outcome.flow, lambda: body(frame, node.orelse), node)

    def handle() -> Flow:
        outcome.enter_handler(frame)
        return _handlers(frame, node.handlers, outcome.caught)

    return either(frame, node, outcome.failed, handle, go_on)


def _with_final(frame: Frame, node: ast.Try) -> Flow:
    from ingot.capture.script.statements import body

    frame.final_depth += 1
    try:
        outcome = protected(
            frame, node, [*node.body, *node.handlers, *node.orelse],
            lambda: _with_handlers(frame, node),
        )  # fmt: skip
    finally:
        frame.final_depth -= 1

    def handle() -> Flow:
        outcome.enter_handler(frame)
        flow = body(frame, node.finalbody)
        if not flow.falls_only:
            return _leaving(flow)
        raise_caught(frame, outcome.caught)
        return Flow()

    def after(ways: Sequence[Way]) -> Flow:
        if len(ways) > 1:
            below = outcome.flow.below[ways[1]]
            return either(frame, node, below, lambda: after(ways[:1]), lambda: after(ways[1:]))
        frame.environment = outcome.flow.ends[ways[0]].copy()
        flow = body(frame, node.finalbody)
        if not flow.falls_only:
            return _leaving(flow)
        return Flow.only(ways[0], flow.ends[Way.FALL])

    ways = sorted(outcome.flow.ends)
    return either(frame, node, outcome.failed, handle, lambda: after(ways) if ways else Flow())


def _leaving(flow: Flow) -> Flow:
    if Way.FALL in flow.ends:
        raise CompileError(
            "whether this finally leaves is not known while compiling",
            "return, break and continue after it instead",
        )
    return flow


def either(
    frame: Frame,
    node: ast.AST,
    condition: Item,
    then: Callable[[], Flow],
    other: Callable[[], Flow],
) -> Flow:
    """An If whose branches are compiled by two functions, each from the environment here."""
    with frame.located(node):
        branch = frame.builder.if_(frame.value(condition))
    before = frame.environment
    flows = []
    for block, compile in zip(branch.blocks, (then, other), strict=True):
        frame.environment = before.copy()
        with frame.builder.at(block):
            flows.append(compile())
    with frame.located(node):
        return Junction(frame, branch, frame.source.line(node)).join_flows(*flows)


def protected(
    frame: Frame, node: ast.AST, inside: Sequence[ast.AST], compile: Callable[[], Flow]
) -> _Outcome:
    """What ``compile`` makes, in a Try; ``inside`` is its source, for what it assigns."""
    before = frame.environment
    plan = _Plan()
    names = [
        name
        for name in sorted(_changed(inside) | frame.shared)
        if _has_value(before.names.get(name))
    ]
    mark = frame.builder.mark(), frame.compiler.diagnostics.mark()
    for _ in range(_MAX_ATTEMPTS):
        frame.environment = before.copy()
        try:
            return _attempt(frame, node, names, plan, compile)
        except _Again as again:
            if again.plan is not plan:
                raise
            frame.builder.rewind(mark[0])
            frame.compiler.diagnostics.rewind(mark[1])
    raise CompileError("the types of the variables in this try cannot be found", "annotate them")


def _changed(inside: Sequence[ast.AST]) -> set[str]:
    """Names that an exception may find changed. The last assignment comes after all that can
    raise, so it alone leaves a variable as it was."""
    *others, last = inside
    plain = isinstance(last, ast.Assign) and all(isinstance(t, ast.Name) for t in last.targets)
    names = assigned_names(inside)
    if plain and not any(isinstance(n, ast.NamedExpr) for n in ast.walk(last)):
        names = assigned_names(others)
    return names


def _has_value(item: Item | None) -> bool:
    return item is not None and not isinstance(item, Missing | PoisonItem)


def _attempt(
    frame: Frame, node: ast.AST, names: list[str], plan: _Plan, compile: Callable[[], Flow]
) -> _Outcome:
    builder = frame.builder
    writes = frame.compiler.writes
    cells: dict[str, Cell] = {}
    for name in names:
        item = frame.environment.names[name]
        type = plan.types.get(name) or type_of(item)
        if type is None or name in plan.lost:
            continue
        plan.types[name] = type
        made = builder.list_construct([frame.value(item, type)], lower(type))
        cells[name] = Cell(frame.dynamic(made, ListType(type)), type, plan)
    with frame.located(node):
        attempt = builder.try_()
    for name, cell in cells.items():
        frame.cells.setdefault(name, []).append(cell)
    before = frame.environment
    frame.environment = before.copy()
    frame.tries += 1
    try:
        with builder.at(attempt.blocks[0]):
            flow = compile()
    finally:
        frame.tries -= 1
        for name, cell in cells.items():
            frame.cells[name].remove(cell)
    junction = Junction(frame, attempt, frame.source.line(node))
    parts = tuple(frame.dynamic(value, STR) for value in attempt.blocks[1].inputs)
    with frame.located(node):
        caught = [junction.join_items(None, part, "caught") for part in parts]
        failed = junction.join_items(FALSE, TRUE, "failed")
        flow = junction.join_flows(flow, Flow())
        if frame.compiler.writes != writes:
            before.forget_attributes()
        caught += raised_objects(frame)
        environment = before.copy()
        for name in names:
            if name not in cells:
                environment.names[name] = Missing(
                    f"which value {name} has when an exception is raised cannot be kept",
                    f"use another name in the try at line {frame.source.line(node)}",
                )
    frame.environment = before
    return _Outcome(flow, failed, CaughtItem(tuple(caught)), environment, cells)


def _handlers(frame: Frame, handlers: Sequence[ast.ExceptHandler], caught: CaughtItem) -> Flow:
    from ingot.capture.script.statements import body

    if not handlers:
        raise_caught(frame, caught)
        return Flow()
    first = handlers[0]

    def handle() -> Flow:
        if first.name is not None:
            frame.assign(first.name, replace(caught, classes=classes or ()))
        frame.handling.append(caught)
        try:
            flow = body(frame, first.body)
        finally:
            frame.handling.pop()
        if first.name is not None:
            for end in flow.ends.values():
                end.names[first.name] = Missing(f"{first.name} is gone after its except")
        return flow

    with frame.located(first):
        classes = _classes(frame, first.type)
    if classes is None:
        return handle()
    with frame.located(first):
        condition = is_one_of(frame, caught, classes)
    return either(frame, first, condition, handle, lambda: _handlers(frame, handlers[1:], caught))


def _classes(frame: Frame, node: ast.expr | None) -> tuple[type, ...] | None:
    """The classes after ``except``; None if they are those of all exceptions."""
    if node is None:
        return None
    found = exception_classes(expression(frame, node))
    return None if {Exception, BaseException} & set(found) else found


def exception_classes(item: Item) -> tuple[type, ...]:
    """Raises CompileError if the item is no exception class and no tuple of them."""
    if isinstance(item, TupleItem):
        return tuple(each for inner in item.items for each in exception_classes(inner))
    if (
        isinstance(item, PythonItem)
        and isinstance(item.object, type)
        and issubclass(item.object, BaseException)
    ):
        return (item.object,)
    raise CompileError(f"{item.describe()} is no exception class")


def is_one_of(frame: Frame, caught: CaughtItem, classes: tuple[type, ...]) -> Item:
    """Whether the exception is an instance of one of the classes."""
    if {Exception, BaseException} & set(classes):
        return TRUE
    names = frame.compiler.exceptions.subclasses(frame.builder, classes)
    return call_op(frame, "aten::__contains__", [frame.dynamic(names), caught.kind])


class ExceptionNames:
    """What exception classes are called in a program: by their names, made unique."""

    def __init__(self) -> None:
        self._names: dict[type, str] = {}
        self._lists: list[tuple[Node, tuple[type, ...]]] = []
        self._irregular: list[type] = []
        self._irregular_lists: list[tuple[Node, tuple[type, ...]]] = []

    def name(self, cls: type) -> str:
        """The name of a class that the program raises."""
        plain: str = cls.__name__
        if getattr(python_builtins, plain, None) is cls:
            return plain
        if cls not in self._names:
            taken = {*self._names.values(), *vars(python_builtins)}
            name, number = plain, 0
            while name in taken:
                number += 1
                name = f"{plain}_{number}"
            self._names[cls] = name
        return self._names[cls]

    def subclasses(self, builder: Builder, classes: tuple[type, ...]) -> Value:
        """A constant list of the names of all classes below these; ``close`` completes it."""
        node = builder.insert("prim::Constant", (), (ListType(STR),), {"value": ()})
        self._lists.append((node, classes))
        return node.output

    def note_irregular(self, cls: type) -> None:
        """Some exceptions of the class have arguments that their text does not tell."""
        self._irregular.append(cls)

    def irregular(self, builder: Builder, others: tuple[type, ...]) -> Value:
        """A constant list of the names of such classes, and those below ``others``."""
        node = builder.insert("prim::Constant", (), (ListType(STR),), {"value": ()})
        self._irregular_lists.append((node, others))
        return node.output

    def close(self) -> None:
        """Now that every class that the program raises is known."""
        known = [c for c in vars(python_builtins).values() if isinstance(c, type)]
        for node, classes in self._lists:
            below = [c for c in (*known, *self._names) if issubclass(c, classes)]
            node.attributes["value"] = tuple(sorted({self.name(c) for c in below}))
        for node, others in self._irregular_lists:
            below = [c for c in (*known, *self._names) if issubclass(c, others)]
            names = {self.name(c) for c in (*below, *self._irregular)}
            node.attributes["value"] = tuple(sorted(names))


def raise_statement(frame: Frame, node: ast.Raise) -> Flow:
    if node.exc is None:
        if not frame.handling:
            raise CompileError("there is no exception to raise again", "name one after raise")
        item: Item = frame.handling[-1]
    else:
        item = expression(frame, node.exc)
    if isinstance(item, PythonItem) and isinstance(item.object, type):
        item = make_exception(frame, exception_classes(item)[0], (), {})
    if isinstance(item, CaughtItem):
        raise_caught(frame, item)
    elif isinstance(item, ExceptionItem):
        keep_raised(frame, item)
        frame.builder.raise_exception(frame.value(item.message), item.kind)
    else:
        raise CompileError(f"{item.describe()} cannot be raised", 'write raise RuntimeError("...")')
    return Flow()


def caught_attribute(frame: Frame, item: CaughtItem | ExceptionItem, name: str) -> Item:
    """What can be asked of an exception: its ``args``, when they are its text, and what the
    object of a user's class holds."""
    if isinstance(item, ExceptionItem):
        from ingot.capture.script.objects import object_attribute

        if item.made is None:
            raise CompileError(f"{item.describe()} has no attribute {name} in a program")
        return object_attribute(frame, item.made, name)
    from ingot.capture.script.attributes import attribute

    if name == "args":
        _require_regular(frame, item, (KeyError,), "args")
        return TupleItem((item.text,))
    if name == "message":
        raise CompileError("an exception has no attribute message", "write str(e)")
    return attribute(frame, caught_object(frame, item, name), name)


def repr_of(frame: Frame, item: CaughtItem | ExceptionItem) -> Item:
    """``repr(e)``."""
    from ingot.capture.script.strings import as_repr, concatenate

    if isinstance(item, ExceptionItem):
        raise CompileError("repr() of an exception that is not caught cannot be compiled")
    _require_regular(frame, item, (), "repr()")
    with frame.forgetful():
        is_key = is_one_of(frame, item, (KeyError,))
        branch = frame.builder.if_(frame.value(is_key))
        with frame.builder.at(branch.blocks[1]):
            quoted = as_repr(frame, item.text)
        junction = Junction(frame, branch, frame.source.line(frame.node))
        inside = junction.join_items(item.text, quoted, "repr")
        junction.finish()
    return concatenate(frame, [item.kind, Constant("("), inside, Constant(")")])


def _require_regular(frame: Frame, item: CaughtItem, others: tuple[type, ...], what: str) -> None:
    """Raises, when the program runs, for an exception whose text does not tell its arguments."""
    names = frame.compiler.exceptions.irregular(frame.builder, others)
    hit = call_op(frame, "aten::__contains__", [frame.dynamic(names), item.kind])
    branch = frame.builder.if_(frame.value(hit))
    with frame.builder.at(branch.blocks[0]):
        frame.builder.raise_exception(
            f"{what} of this exception is not known in a program; use str(e)", "NotImplementedError"
        )
