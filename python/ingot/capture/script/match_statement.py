"""match: each case is a condition and the names that it binds, compiled as if and elif."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ingot.capture.script.comparison import compare, equal
from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.expressions import expression
from ingot.capture.script.flow import Flow, Junction, Way
from ingot.capture.script.items import type_of
from ingot.capture.script.language import SIZE, lower
from ingot.capture.script.operations import call_op
from ingot.capture.script.refinement import Test, members_of, tag_test, test
from ingot.capture.script.subscripts import subscript
from ingot.capture.script.truth import truth
from ingot.capture.script.values import (
    NOTHING,
    Constant,
    DictItem,
    Dynamic,
    Item,
    ListItem,
    Missing,
    ShapeItem,
    SliceItem,
    TupleItem,
)
from ingot.ir.types import DictType, ListType, NamedTupleType, TupleType, Type

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame

_SUBJECT = "match subject"
"""The variable that holds what is matched, so that class patterns narrow it."""


def match_statement(frame: Frame, node: ast.Match) -> Flow:
    name = f"{_SUBJECT} {node.lineno} {node.col_offset}"
    subject = expression(frame, node.subject)
    frame.environment.names[name] = subject
    if isinstance(node.subject, ast.Name) and isinstance(subject, Dynamic):
        name = node.subject.id
    return _cases(frame, node, name, node.cases)


def _cases(frame: Frame, node: ast.Match, name: str, cases: Sequence[ast.match_case]) -> Flow:
    from ingot.capture.script.statements import body

    if not cases:
        return Flow.only(Way.FALL, frame.environment)
    case = cases[0]
    writes = frame.compiler.writes
    before = frame.environment
    frame.environment = before.copy()
    with frame.located(case.pattern):
        condition = _case_test(frame, name, case)
    if frame.compiler.writes != writes:
        before.forget_attributes()
    if condition.known is False:
        frame.environment = before
        return _cases(frame, node, name, cases[1:])
    if condition.known is True:
        frame.environment.names.update(condition.if_true)
        return body(frame, case.body)
    tested = frame.environment
    with frame.located(case.pattern):
        branch = frame.builder.if_(frame.value(condition.item))
    flows = []
    for block, outcome in zip(branch.blocks, (True, False), strict=True):
        frame.environment = (tested if outcome else before).copy()
        frame.environment.names.update(condition.bindings(outcome))
        with frame.builder.at(block):
            if outcome:
                flows.append(body(frame, case.body))
            else:
                flows.append(_cases(frame, node, name, cases[1:]))
    with frame.located(node):
        return Junction(frame, branch, frame.source.line(node)).join_flows(*flows)


def _case_test(frame: Frame, name: str, case: ast.match_case) -> Test:
    """The pattern and the guard: a condition, with the names that it binds where it holds."""
    condition = _pattern(frame, case.pattern, frame.environment.names[name], name)
    if case.guard is None:
        return condition
    guard = case.guard
    return _and(frame, condition, lambda: test(frame, guard))


def _and(frame: Frame, first: Test, then: Any) -> Test:
    """``first and then()``: the second part is compiled where the first holds."""
    if first.known is False:
        return first
    if first.known is True:
        frame.environment.names.update(first.if_true)
        second: Test = then()
        second.if_true = {**first.if_true, **second.if_true}
        return second
    branch = frame.builder.if_(frame.value(first.item))
    before = frame.environment
    frame.environment = before.copy()
    frame.environment.names.update(first.if_true)
    with frame.forgetful(), frame.builder.at(branch.blocks[0]):
        second = then()
        known = {**first.if_true, **second.if_true}
        if second.known is None:
            frame.value(second.item)
        frame.environment = before
    junction = Junction(frame, branch, frame.source.line(frame.node))
    item = junction.join_items(second.item, Constant(False), "condition")
    bindings = {n: junction.join_items(i, None, n) for n, i in known.items()}
    junction.finish()
    if isinstance(item, Missing):
        raise CompileError(item.reason, item.hint)
    return Test(item, bindings)


def _all(frame: Frame, parts: Sequence[Any]) -> Test:
    """Every part in turn, each compiled where those before it hold."""
    result = Test(Constant(True))
    for part in parts:
        result = _and(frame, result, part)
    return result


def _pattern(frame: Frame, pattern: ast.pattern, item: Item, name: str = "") -> Test:
    match pattern:
        case ast.MatchValue(value):
            return Test(truth(frame, equal(frame, item, expression(frame, value))))
        case ast.MatchSingleton(value):
            if value is None and name:
                return test(frame, _compare_with_none(name))
            return Test(truth(frame, compare(frame, ast.Is(), item, Constant(value))))
        case ast.MatchAs(pattern=None, name=None):
            return Test(Constant(True))
        case ast.MatchAs(pattern=inner, name=bound):
            if inner is None:
                condition = Test(Constant(True))
            else:
                condition = _pattern(frame, inner, item, name)
            if bound is not None:
                narrowed = condition.if_true.get(name, item) if name else item
                condition.if_true = {**condition.if_true, bound: narrowed}
            return condition
        case ast.MatchOr(patterns):
            return _or(frame, patterns, item, name)
        case ast.MatchSequence(patterns):
            return _of_kind(frame, item, _SEQUENCES, lambda each: _sequence(frame, patterns, each))
        case ast.MatchClass():
            return _class(frame, pattern, item, name)
        case ast.MatchMapping():
            return _of_kind(frame, item, (DictType,), lambda each: _mapping(frame, pattern, each))
    raise CompileError("this pattern cannot be compiled", "write if and elif")


def _compare_with_none(name: str) -> ast.expr:
    return ast.Compare(ast.Name(name, ast.Load()), [ast.Is()], [ast.Constant(None)])


def _or(frame: Frame, patterns: Sequence[ast.pattern], item: Item, name: str) -> Test:
    first = _pattern(frame, patterns[0], item, name)
    if len(patterns) == 1:
        return first
    return _either(frame, first, lambda: _or(frame, patterns[1:], item, name))


def _either(frame: Frame, first: Test, otherwise: Callable[[], Test]) -> Test:
    """``first or otherwise()``: the second part is compiled where the first does not hold."""
    if first.known is True:
        return first
    if first.known is False:
        return otherwise()
    branch = frame.builder.if_(frame.value(first.item))
    before = frame.environment
    frame.environment = before.copy()
    with frame.forgetful(), frame.builder.at(branch.blocks[1]):
        frame.environment.names.update(first.if_false)
        rest = otherwise()
        if rest.known is None:
            frame.value(rest.item)
        frame.environment = before
    junction = Junction(frame, branch, frame.source.line(frame.node))
    result = junction.join_items(Constant(True), rest.item, "condition")
    bindings = {}
    never = rest.known is False
    for bound in first.if_true if never else first.if_true.keys() & rest.if_true.keys():
        joined = junction.join_items(first.if_true[bound], rest.if_true.get(bound), bound)
        if not isinstance(joined, Missing):
            bindings[bound] = joined
    excluded = {n: junction.join_items(None, i, n) for n, i in rest.if_false.items()}
    junction.finish()
    return Test(result, bindings, excluded)


_SEQUENCES = (ListType, TupleType, NamedTupleType)


def _of_kind(
    frame: Frame, item: Item, kinds: tuple[type, ...], then: Callable[[Item], Test]
) -> Test:
    """A pattern for values of some kinds: of a value that may have several types, each of such a
    kind is tried in turn."""
    type = type_of(item)
    members = [] if type is None else members_of(type)
    if len(members) < 2:
        return then(item)

    def attempt(left: list[Type]) -> Test:
        if not left:
            return Test(Constant(False))
        member = left[0]
        others = [each for each in members if each is not member]
        fits = Test(tag_test(frame, item, [member], others))

        def inside() -> Test:
            return then(frame.dynamic(frame.builder.cast(frame.value(item), lower(member)), member))

        return _either(frame, _and(frame, fits, inside), lambda: attempt(left[1:]))

    fitting = [each for each in members if isinstance(each, kinds)]
    return attempt(fitting)


def _sequence(frame: Frame, patterns: Sequence[ast.pattern], item: Item) -> Test:
    stars = [i for i, p in enumerate(patterns) if isinstance(p, ast.MatchStar)]
    after = len(patterns) - stars[0] - 1 if stars else 0
    type = type_of(item)
    if isinstance(type, TupleType | NamedTupleType) and isinstance(item, Dynamic):
        values = frame.builder.tuple_unpack(frame.value(item))
        pairs = zip(values, type.elements, strict=True)
        item = TupleItem(tuple(frame.dynamic(v, t) for v, t in pairs))
    if isinstance(item, TupleItem | ListItem):
        return _known_sequence(frame, patterns, stars, after, item)
    if not (isinstance(type, ListType) or type == SIZE or isinstance(item, ShapeItem)):
        return Test(Constant(False))
    sequence = frame.dynamic(frame.value(item), type)
    fixed = len(patterns) - len(stars)
    length = call_op(frame, "aten::len", [sequence])
    op = "aten::ge" if stars else "aten::eq"
    fits = Test(truth(frame, call_op(frame, op, [length, Constant(fixed)])))

    def element(place: int, pattern: ast.pattern) -> Test:
        if isinstance(pattern, ast.MatchStar):
            if pattern.name is None:
                return Test(Constant(True))
            bounds = SliceItem(Constant(place), Constant(-after if after else None), NOTHING)
            return Test(Constant(True), {pattern.name: subscript(frame, sequence, bounds)})
        index = place if not stars or place < stars[0] else place - len(patterns)
        return _pattern(frame, pattern, subscript(frame, sequence, Constant(index)))

    parts = [lambda k=k, p=p: element(k, p) for k, p in enumerate(patterns)]
    return _and(frame, fits, lambda: _all(frame, parts))


def _known_sequence(
    frame: Frame,
    patterns: Sequence[ast.pattern],
    stars: list[int],
    after: int,
    item: TupleItem | ListItem,
) -> Test:
    from ingot.capture.script.expressions import make_list

    items = list(item.items)
    fixed = len(patterns) - len(stars)
    if len(items) != fixed and not (stars and len(items) >= fixed):
        return Test(Constant(False))
    bindings: dict[str, Item] = {}
    patterns = list(patterns)
    if stars:
        star = patterns[stars[0]]
        assert isinstance(star, ast.MatchStar)
        middle = items[stars[0] : len(items) - after]
        if star.name is not None:
            bindings[star.name] = make_list(frame, middle)
        items = [*items[: stars[0]], *items[len(items) - after :]]
        del patterns[stars[0]]
    pairs = zip(patterns, items, strict=True)
    found = _all(frame, [lambda p=p, i=i: _pattern(frame, p, i) for p, i in pairs])
    found.if_true = {**bindings, **found.if_true}
    return found


def _class(frame: Frame, pattern: ast.MatchClass, item: Item, name: str) -> Test:
    """``int()``, ``str() as s``, ``Point(x=0)``: a class, then attributes."""
    temporary = name or f"{_SUBJECT} {pattern.lineno} {pattern.col_offset}"
    frame.environment.names[temporary] = item
    call = ast.Call(
        ast.Name("isinstance", ast.Load()), [ast.Name(temporary, ast.Load()), pattern.cls], []
    )
    ast.copy_location(call, pattern)
    ast.fix_missing_locations(call)
    condition = test(frame, call)
    inner = condition.if_true.get(temporary, item)
    places = _positional(frame, pattern)
    if not places and not pattern.kwd_attrs:
        return condition
    pairs = [*places, *zip(pattern.kwd_attrs, pattern.kwd_patterns, strict=True)]

    def part(attribute_name: str, each: ast.pattern) -> Test:
        from ingot.capture.script.attributes import attribute

        found = frame.force(frame.environment.names.get(temporary, inner))
        if attribute_name == "":
            return _pattern(frame, each, found)
        return _pattern(frame, each, attribute(frame, found, attribute_name))

    parts = [lambda n=n, p=p: part(n, p) for n, p in pairs]
    return _and(frame, condition, lambda: _all(frame, parts))


def _positional(frame: Frame, pattern: ast.MatchClass) -> list[tuple[str, ast.pattern]]:
    from ingot.capture.script.values import PythonItem

    if not pattern.patterns:
        return []
    cls = expression(frame, pattern.cls)
    names = getattr(cls.object, "__match_args__", None) if isinstance(cls, PythonItem) else None
    if not names:
        names = ("",)  # the builtin classes match themselves
    if len(pattern.patterns) > len(names):
        raise CompileError(f"{cls.describe()} takes {len(names)} patterns")
    return list(zip(names, pattern.patterns, strict=False))


def _mapping(frame: Frame, pattern: ast.MatchMapping, item: Item) -> Test:
    type = type_of(item)
    if isinstance(item, DictItem):
        raise CompileError(f"{item.describe()} cannot be matched", "make the dict in the function")
    if not isinstance(type, DictType):
        return Test(Constant(False))
    if pattern.rest is not None:
        raise CompileError("**rest in a pattern cannot be compiled", "copy the dict and pop keys")

    def part(key: ast.expr, each: ast.pattern) -> Test:
        place = expression(frame, key)
        there = Test(truth(frame, call_op(frame, "aten::__contains__", [item, place])))
        return _and(frame, there, lambda: _pattern(frame, each, subscript(frame, item, place)))

    pairs = zip(pattern.keys, pattern.patterns, strict=True)
    return _all(frame, [lambda k=k, p=p: part(k, p) for k, p in pairs])
