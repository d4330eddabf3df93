"""Statements: each gives the ``Flow`` after it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ingot.capture.script import loops
from ingot.capture.script.annotations import annotation_of, names_module, read_type_comment
from ingot.capture.script.assignment import assign_target, augmented_assignment, delete_target
from ingot.capture.script.diagnostics import (
    Absent,
    CompileError,
    Conflict,
    Poisoned,
    Retry,
    Unwind,
)
from ingot.capture.script.exceptions import raise_statement, try_statement
from ingot.capture.script.expressions import expression
from ingot.capture.script.flow import RESULT, Flow, Junction, Way
from ingot.capture.script.imports import import_statement
from ingot.capture.script.match_statement import match_statement
from ingot.capture.script.names import assigned_names, free_names
from ingot.capture.script.objects import declare_attribute
from ingot.capture.script.operators import number_power
from ingot.capture.script.recursion import returned
from ingot.capture.script.refinement import Test, test
from ingot.capture.script.used_again import as_variable
from ingot.capture.script.values import (
    EMPTY,
    FALSE,
    NOTHING,
    Constant,
    Environment,
    ExceptionItem,
    Item,
    LocalFunction,
    MethodItem,
    Missing,
    ModuleItem,
    PoisonItem,
    PythonItem,
    TupleItem,
)
from ingot.capture.script.with_statement import means_nothing, with_statement
from ingot.errors import Error
from ingot.ir.types import BOOL, INT

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame


def body(frame: Frame, statements: Sequence[ast.stmt]) -> Flow:
    """Compiles statements from ``frame.environment`` on.

    After a statement that may leave, the rest goes where control falls through.
    """
    for i, statement in enumerate(statements):
        rest = statements[i + 1 :]
        if isinstance(statement, ast.If):
            flow, finished = _if_and_rest(frame, statement, rest)
            if finished:
                return flow
        elif isinstance(statement, ast.For) and not statement.orelse:
            flow, finished = _for_and_rest(frame, statement, rest)
            if finished:
                return flow
        else:
            before = frame.environment.copy()
            mark = frame.builder.mark(), frame.compiler.diagnostics.mark()
            try:
                flow = _guarded(frame, statement)
            except Conflict:
                frame.builder.rewind(mark[0])
                frame.compiler.diagnostics.rewind(mark[1])
                frame.environment = before
                flow, finished = _if_and_rest(frame, _written_out(statement), rest)
                if finished:
                    return flow
        if not flow.falls_only:
            if not rest:
                return flow
            return then(frame, flow, lambda rest=rest: body(frame, rest), statement)  # type: ignore[misc]
        frame.environment = flow.ends[Way.FALL]
    return Flow.only(Way.FALL, frame.environment)


def then(frame: Frame, flow: Flow, rest: Callable[[], Flow], node: ast.AST) -> Flow:
    """``rest`` on the way that falls through; the other ways pass it by."""
    if Way.FALL not in flow.ends:
        return flow
    environment = flow.ends[Way.FALL]
    if flow.falls_only:
        frame.environment = environment
        return rest()
    with frame.located(node):
        branch = frame.builder.if_(frame.value(flow.below[Way.CONTINUE]))
    with frame.builder.at(branch.blocks[0]):
        frame.environment = environment.copy()
        following = rest()
    others: dict[Way, Environment] = {
        way: end for way, end in flow.ends.items() if way is not Way.FALL
    }
    below: dict[Way, Item] = {w: _known_below(others, w, flow.below[w]) for w in flow.below}
    junction = Junction(frame, branch, frame.source.line(node))
    return junction.join_flows(following, Flow(others, below))


def _known_below(ends: dict[Way, Environment], way: Way, below: Item) -> Item:
    if all(w < way for w in ends):
        return Constant(True)
    return FALSE if all(w >= way for w in ends) else below


def _choice(statement: ast.stmt) -> ast.IfExp | None:
    """``a if c else b`` of ``x = a if c else b``."""
    if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.IfExp):
        return statement.value
    return None


def _written_out(statement: ast.stmt) -> ast.If:
    """``x = a if c else b`` as an If with two assignments."""
    choice = _choice(statement)
    assert isinstance(statement, ast.Assign) and choice is not None
    sides = [
        ast.copy_location(ast.Assign(statement.targets, side, statement.type_comment), statement)
        for side in (choice.body, choice.orelse)
    ]
    return ast.copy_location(ast.If(choice.test, [sides[0]], [sides[1]]), statement)


def _guarded(frame: Frame, statement: ast.stmt) -> Flow:
    """One statement; its mistakes are reported and the names it assigns are poisoned."""
    before = frame.environment
    try:
        with frame.located(statement):
            return _HANDLERS.get(type(statement), _unsupported)(frame, statement)
    except Absent as error:
        split = frame.splits and frame.depth > frame.split_depth
        if split or (frame.compiler.lenient and frame.depth):
            frame.builder.raise_exception(error.sentence, error.kind)
            return Flow()
        frame.report(error.node or statement, error.message, error.hint)
    except CompileError as error:
        if isinstance(error, Conflict) and error.node is _choice(statement):
            raise
        frame.report(error.node or statement, error.message, error.hint)
    except Poisoned:
        pass
    except Unwind:
        raise
    except Error as error:
        frame.report(statement, error.message, error.hint)
    except Exception as error:
        frame.report(
            statement,
            f"Ingot's compiler failed here: {type(error).__name__}: {error}",
            "please report it with this function",
        )
        frame.compiler.failures.append(error)
    frame.environment = before
    if isinstance(statement, ast.Return):
        before.names[RESULT] = PoisonItem()
        return Flow.only(Way.RETURN, before)
    for name in assigned_names([statement]):
        before.names[name] = PoisonItem()
    return Flow.only(Way.FALL, before)


def _fall(frame: Frame) -> Flow:
    return Flow.only(Way.FALL, frame.environment)


_MAX_SPLITS = 6
"""How many Ifs in a row may each have the rest of the function in both branches."""


def _if_and_rest(frame: Frame, node: ast.If, rest: Sequence[ast.stmt]) -> tuple[Flow, bool]:
    """An If, with ``rest`` in both branches where it needs a variable that the branches leave
    with different types. The bool says whether ``rest`` is done."""
    before, splits = frame.environment.copy(), frame.splits
    mark = frame.builder.mark(), frame.compiler.diagnostics.mark()
    declared = dict(frame.declared)
    marker = object() if rest and splits < _MAX_SPLITS else None
    flow, finished = if_statement(frame, node, rest, marker)
    end = flow.ends.get(Way.FALL)
    if finished or marker is None or end is None:
        return flow, finished
    if not any(isinstance(i, Missing) and marker in i.retry for i in end.names.values()):
        return flow, False
    frame.splittable.add(marker)
    try:
        if flow.falls_only:
            frame.environment = end
            return body(frame, rest), True
        return then(frame, flow, lambda: body(frame, rest), node), True
    except Retry as needs:
        if needs.marker is not marker:
            raise
    finally:
        frame.splittable.discard(marker)
    frame.builder.rewind(mark[0])
    frame.compiler.diagnostics.rewind(mark[1])
    frame.declared = dict(declared)
    depth, frame.split_depth = frame.split_depth, frame.depth + (not frame.compiler.lenient)
    frame.splits += 1
    try:
        both = ast.If(node.test, [*node.body, *rest], [*node.orelse, *rest])
        frame.environment = before.copy()
        flow, _ = if_statement(frame, ast.copy_location(both, node), ())
    finally:
        frame.splits, frame.split_depth = splits, depth
    ends = flow.ends.get(Way.RETURN)
    undecided = ends is not None and isinstance(ends.names.get(RESULT), Missing)
    if frame.compiler.diagnostics.mark() == mark[1] and not undecided:
        return flow, True
    frame.builder.rewind(mark[0])  # the mistakes without the rest in both branches are plainer
    frame.compiler.diagnostics.rewind(mark[1])
    frame.environment, frame.declared = before, dict(declared)
    return if_statement(frame, node, rest)


def _for_and_rest(frame: Frame, node: ast.For, rest: Sequence[ast.stmt]) -> tuple[Flow, bool]:
    """A for loop. Where something needs a variable that turns give another type, or its only
    value, the first turn stands apart, under an If that asks whether there is one, with ``rest``
    in both branches. The bool says whether ``rest`` is done."""
    before, declared = frame.environment.copy(), dict(frame.declared)
    mark = frame.builder.mark(), frame.compiler.diagnostics.mark()
    marker = object() if frame.compiler.lenient and frame.splits < _MAX_SPLITS else None
    frame.first_turns[node] = marker
    try:
        flow = _guarded(frame, node)
        end = flow.ends.get(Way.FALL)
        waiting = end is not None and any(
            isinstance(item, Missing) and marker in item.retry for item in end.names.values()
        )
        if marker is None or not rest or not waiting:
            return flow, False
        assert end is not None
        frame.splittable.add(marker)
        if not flow.falls_only:
            return then(frame, flow, lambda: body(frame, rest), node), True
        frame.environment = end
        return body(frame, rest), True
    except Retry as needs:
        if needs.marker is not marker:
            raise
    finally:
        frame.first_turns.pop(node, None)
        frame.splittable.discard(marker)
    frame.builder.rewind(mark[0])
    frame.compiler.diagnostics.rewind(mark[1])
    frame.environment, frame.declared = before, declared
    with frame.located(node):
        apart = loops.with_first_turn_apart(frame, node)
    return _if_and_rest(frame, apart, rest)


def if_statement(
    frame: Frame, node: ast.If, rest: Sequence[ast.stmt], marker: object = None
) -> tuple[Flow, bool]:
    """An If and, where one branch always leaves, ``rest`` inside the other one.

    The bool says whether ``rest`` is done.
    """
    try:
        with frame.located(node.test):
            condition = test(frame, node.test)
            value = frame.value(condition.item) if condition.known is None else None
    except CompileError as error:
        frame.report(error.node or node.test, error.message, error.hint)
        condition, value = Test(PoisonItem()), None
    except Poisoned:
        condition, value = Test(PoisonItem()), None
    if condition.known is not None:
        frame.environment.names.update(condition.bindings(condition.known))
        return body(frame, node.body if condition.known else node.orelse), False
    with frame.located(node):
        if value is None:
            value = frame.builder.uninitialized(BOOL)
        branch = frame.builder.if_(value)
    before = frame.environment
    flows: list[Flow] = []
    for block, statements, outcome in zip(
        branch.blocks, (node.body, node.orelse), (True, False), strict=True
    ):
        frame.environment = before.copy()
        frame.environment.names.update(condition.bindings(outcome))
        frame.depth += 1
        try:
            with frame.builder.at(block):
                flows.append(body(frame, statements))
        finally:
            frame.depth -= 1
    finished = False
    falls = [Way.FALL in flow.ends for flow in flows]
    leaves = [bool(flow.ends) and not fall for flow, fall in zip(flows, falls, strict=True)]
    if rest and any(leaves) and any(falls):
        k = falls.index(True)
        with frame.builder.at(branch.blocks[k]):
            flows[k] = then(frame, flows[k], lambda: body(frame, rest), node)
        finished = True
    junction = Junction(frame, branch, frame.source.line(node), marker)
    with frame.located(node):
        flow = junction.join_flows(*flows)
    return flow, finished


def _pass(frame: Frame, node: ast.stmt) -> Flow:
    return _fall(frame)


def _expression(frame: Frame, node: ast.Expr) -> Flow:
    if not isinstance(node.value, ast.Constant):
        item = expression(frame, node.value)
        if isinstance(item, ExceptionItem):
            raise CompileError("an exception is made but not raised", "write raise before it")
    return _fall(frame)


def _assign(frame: Frame, node: ast.Assign) -> Flow:
    declared = None
    if node.type_comment is not None and len(node.targets) == 1:
        declared = read_type_comment(frame, node.type_comment)
    item = as_variable(frame, node, expression(frame, node.value, declared))
    for target in node.targets:
        if isinstance(target, ast.Name) and declared is not None:
            frame.check_declared(target.id, item, declared)
            frame.declared[target.id] = declared
        assign_target(frame, target, item)
    return _fall(frame)


def _annotated(frame: Frame, node: ast.AnnAssign) -> Flow:
    if isinstance(node.target, ast.Attribute):
        owner = expression(frame, node.target.value)
        declared = declare_attribute(frame, owner, node.target.attr, node.annotation)
    elif names_module(frame, node.annotation):
        declared = None
    else:
        declared = annotation_of(frame, node.annotation)
    if node.value is None:
        if isinstance(node.target, ast.Name) and declared is not None:
            frame.declared[node.target.id] = declared
        return _fall(frame)
    item = expression(frame, node.value, declared)
    if isinstance(node.target, ast.Name) and declared is not None:
        frame.declared[node.target.id] = declared
        item = frame.number_as(item, declared)
        frame.check_declared(node.target.id, item, declared)
    assign_target(frame, node.target, item)
    return _fall(frame)


def _augmented(frame: Frame, node: ast.AugAssign) -> Flow:
    augmented_assignment(frame, node)
    return _fall(frame)


def _delete(frame: Frame, node: ast.Delete) -> Flow:
    for target in node.targets:
        delete_target(frame, target)
    return _fall(frame)


def _return(frame: Frame, node: ast.Return) -> Flow:
    try:
        item = NOTHING if node.value is None else _result(frame, node.value)
    except Poisoned:
        returned(frame, node, None)
        raise
    if isinstance(item, PoisonItem):
        raise Poisoned
    returned(frame, node, item)
    if not frame.calls and isinstance(item, LocalFunction | PythonItem | ModuleItem | MethodItem):
        raise CompileError(
            f"{item.describe()} exists only while compiling and cannot be returned",
            "return tensors, numbers, strings, or lists, dicts and tuples of these",
        )
    frame.environment.names[RESULT] = item
    return Flow.only(Way.RETURN, frame.environment)


def _result(frame: Frame, node: ast.expr) -> Item:
    """What a function returns. Powers of ints that are results of the program may be ints or
    floats, as in Python; elsewhere in a program they are ints."""
    if frame.calls or frame.result_type == INT:
        return expression(frame, node, frame.result_type)
    match node:
        case ast.BinOp(left, ast.Pow(), right):
            sides = expression(frame, left), expression(frame, right)
            with frame.located(node):
                return number_power(frame, *sides)
        case ast.Tuple(elements) if (
            frame.result_type is None
            and any(map(_is_power, elements))
            and not any(isinstance(each, ast.Starred) for each in elements)
        ):
            return TupleItem(tuple(_result(frame, each) for each in elements))
    return expression(frame, node, frame.result_type)


def _is_power(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow)


def _break(frame: Frame, node: ast.Break) -> Flow:
    return Flow.only(Way.BREAK, frame.environment)


def _continue(frame: Frame, node: ast.Continue) -> Flow:
    return Flow.only(Way.CONTINUE, frame.environment)


def _assert(frame: Frame, node: ast.Assert) -> Flow:
    condition = test(frame, node.test)
    if condition.known is True:
        frame.environment.names.update(condition.bindings(True))
        return _fall(frame)

    def fails() -> Flow:
        from ingot.capture.script.strings import as_string

        if node.msg is None:
            frame.compiler.exceptions.note_irregular(AssertionError)
        item = EMPTY if node.msg is None else as_string(frame, expression(frame, node.msg))
        message = frame.value(item)
        frame.builder.raise_exception(message, "AssertionError")
        return Flow()

    if condition.known is False:
        return fails()
    branch = frame.builder.if_(frame.value(condition.item))
    before = frame.environment
    frame.environment = before.copy()
    with frame.builder.at(branch.blocks[1]):
        fails()
    frame.environment = before
    frame.environment.names.update(condition.bindings(True))
    return _fall(frame)


def _function(frame: Frame, node: ast.FunctionDef) -> Flow:
    from ingot.capture.script.calls import call

    made: Item = local_function(frame, node)
    for decorator in reversed(node.decorator_list):
        if not means_nothing(frame, decorator):
            made = call(frame, expression(frame, decorator), [made], {})
    frame.assign(node.name, made)
    return _fall(frame)


def local_function(frame: Frame, node: ast.FunctionDef | ast.Lambda) -> LocalFunction:
    """A lambda or nested function with the variables it reads, as they are now."""
    from ingot.capture.script.sources import FunctionSource

    captured: dict[str, Item] = {}
    for name in sorted(free_names(node)):
        item = frame.environment.names.get(name)
        if item is None and frame.outer is not None:
            item = frame.outer.names.get(name)
        if item is not None:
            captured[name] = frame.force(item)
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    optional = positional[len(positional) - len(arguments.defaults) :]
    defaults = list(zip(optional, arguments.defaults, strict=True))
    only_by_name = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    defaults += [(a, d) for a, d in only_by_name if d is not None]
    for argument, default in defaults:
        captured[f"default {argument.arg}"] = expression(frame, default)
    outer = frame.source
    source = FunctionSource(
        node, getattr(node, "name", "lambda"), outer.file, outer.path, outer.line_offset
    )
    return LocalFunction(node, source, Environment(captured), frame)


def _import(frame: Frame, node: ast.Import | ast.ImportFrom) -> Flow:
    import_statement(frame, node)
    return _fall(frame)


_HINTS: dict[type[ast.stmt], str] = {
    ast.ClassDef: "define the class outside the function",
    ast.AsyncFunctionDef: "write a plain function",
}


def _global(frame: Frame, node: ast.Global) -> Flow:
    for name in node.names:
        if name in frame.source.assigned:
            raise CompileError(f"the global {name} cannot be assigned", "return the value instead")
    return _fall(frame)


def _unsupported(frame: Frame, node: ast.stmt) -> Flow:
    name = type(node).__name__.lower().replace("async", "async ")
    name = {"classdef": "class", "async functiondef": "async def"}.get(name, name)
    raise CompileError(f"{name} cannot be compiled", _HINTS.get(type(node), ""))


_HANDLERS: dict[type[ast.stmt], Callable[..., Flow]] = {
    ast.Pass: _pass,
    ast.Expr: _expression,
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.Delete: _delete,
    ast.Return: _return,
    ast.Break: _break,
    ast.Continue: _continue,
    ast.Raise: raise_statement,
    ast.Try: try_statement,
    ast.Match: match_statement,
    ast.Assert: _assert,
    ast.FunctionDef: _function,
    ast.With: with_statement,
    ast.Global: _global,
    ast.Nonlocal: _pass,
    ast.Import: _import,
    ast.ImportFrom: _import,
    ast.While: loops.while_statement,
    ast.For: loops.for_statement,
    loops.FirstTurnApart: loops.first_turn_apart,
}
