"""Expressions: each gives an ``Item``."""

from __future__ import annotations

import ast
import builtins as python_builtins
import difflib
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from ingot.capture.script.diagnostics import CompileError, Conflict, Poisoned
from ingot.capture.script.flow import Junction, common_type
from ingot.capture.script.items import type_of
from ingot.capture.script.language import (
    SIZE,
    Hole,
    dict_value,
    join,
    lower,
    require_key,
    settle,
    union_of,
)
from ingot.capture.script.names import assigned_names
from ingot.capture.script.values import (
    Constant,
    DictItem,
    Dynamic,
    Environment,
    Item,
    ListItem,
    Missing,
    PoisonItem,
    PythonItem,
    SliceItem,
    TupleItem,
    is_constant_object,
)
from ingot.capture.script.wrapping import wrap
from ingot.ir.types import (
    BOOL,
    INT,
    STR,
    TENSOR,
    DictType,
    ListType,
    OptionalType,
    TensorType,
    TupleType,
    Type,
)

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame

_Kind = TypeVar("_Kind", bound=Type)


def expression(frame: Frame, node: ast.expr, expected: Type | None = None) -> Item:
    """The value of an expression; ``expected`` is the annotated type of what it is for."""
    with frame.located(node):
        match node:
            case ast.List():
                return _list(frame, node, expected)
            case ast.Dict():
                return _dict(frame, node, expected)
            case ast.Tuple():
                return _tuple(frame, node, expected)
            case ast.IfExp() if expected is not None:
                item = _conditional(frame, node, expected)
                if isinstance(item, PoisonItem):
                    raise Poisoned
                return frame.force(item)
            case ast.ListComp() | ast.DictComp() if expected is not None:
                return _comprehension(frame, node, expected)
            case ast.Call(func=ast.Attribute(attr="tolist")) if expected is not None:
                return _to_list(frame, node, expected)
        handler = _HANDLERS.get(type(node))
        if handler is None:
            name = type(node).__name__
            raise CompileError(f"{name} expressions cannot be compiled", _HINTS.get(type(node), ""))
        item = handler(frame, node)
    if isinstance(item, PoisonItem):
        raise Poisoned
    return frame.force(item)


def _constant(frame: Frame, node: ast.Constant) -> Item:
    if is_constant_object(node.value):
        return Constant(node.value)
    if node.value is Ellipsis:
        return PythonItem(Ellipsis)
    raise CompileError(f"a {type(node.value).__name__} cannot be compiled")


def _name(frame: Frame, node: ast.Name) -> Item:
    return resolve(frame, node.id)


def resolve(frame: Frame, name: str) -> Item:
    """A name as Python finds it: local, captured, global, builtin. Raises CompileError."""
    found = frame.read(name)
    if found is not None:
        return found
    for scope in (frame.closure, frame.scope, vars(python_builtins)):
        if name in scope:
            return wrap(frame, scope[name], name)
    known = [*frame.locals, *frame.closure, *frame.scope, *vars(python_builtins)]
    close = difflib.get_close_matches(name, known, 1)
    raise CompileError(
        f"the name {name} is not defined" + (f"; did you mean {close[0]}?" if close else "")
    )


def _attribute(frame: Frame, node: ast.Attribute) -> Item:
    from ingot.capture.script.attributes import attribute

    return attribute(frame, expression(frame, node.value), node.attr)


def _to_list(frame: Frame, node: ast.Call, expected: Type) -> Item:
    """``x.tolist()`` where an annotation says how deep the list is and what it holds."""
    from ingot.capture.script.tensors import nested_list

    assert isinstance(node.func, ast.Attribute)
    tensor = expression(frame, node.func.value)
    if isinstance(type_of(tensor), TensorType):
        return nested_list(frame, tensor, expected)
    return _call(frame, node)


def _call(frame: Frame, node: ast.Call) -> Item:
    from ingot.capture.script.calls import call_expression

    return call_expression(frame, node)


def _binary(frame: Frame, node: ast.BinOp) -> Item:
    from ingot.capture.script.operators import SYMBOLS, binary, written_int

    number = written_int(node)
    if number is not None and -(2**63) <= number < 2**63:
        return Constant(number)
    left = expression(frame, node.left)
    return binary(frame, SYMBOLS[type(node.op)], left, expression(frame, node.right))


def _unary(frame: Frame, node: ast.UnaryOp) -> Item:
    from ingot.capture.script.operators import unary, written_int
    from ingot.capture.script.refinement import test

    if isinstance(node.op, ast.Not):
        return test(frame, node).item
    number = written_int(node)
    if number is not None and -(2**63) <= number < 2**63:
        return Constant(number)
    return unary(frame, node, expression(frame, node.operand))


def _bool_op(frame: Frame, node: ast.BoolOp) -> Item:
    return _either(frame, isinstance(node.op, ast.And), node.values, node)


def _either(frame: Frame, conjunction: bool, values: list[ast.expr], node: ast.AST) -> Item:
    """``a and b`` or ``a or b`` as a value: one of the operands."""
    from ingot.capture.script.refinement import Test, test, variable_of, without_none_bindings
    from ingot.capture.script.truth import truth

    if len(values) == 1:
        return expression(frame, values[0])
    if _is_condition(values[0]):
        condition = test(frame, values[0])
        first = condition.item
    else:
        first = expression(frame, values[0])
        condition = Test(truth(frame, first))
        condition.if_true = without_none_bindings(frame, variable_of(frame, values[0]))
    if condition.known is not None:
        if condition.known is not conjunction:
            return first
        frame.environment.names.update(condition.bindings(conjunction))
        return _either(frame, conjunction, values[1:], node)
    bindings = condition.bindings(conjunction)
    branch = frame.builder.if_(frame.value(condition.item))
    with frame.forgetful():
        before = frame.environment
        frame.environment = before.copy()
        frame.environment.names.update(bindings)
        with frame.builder.at(branch.blocks[0 if conjunction else 1]):
            second = _either(frame, conjunction, values[1:], node)
        after, frame.environment = frame.environment, before
    if not conjunction and isinstance(values[0], ast.Name):
        first = condition.if_true.get(values[0].id, first)
    junction = Junction(frame, branch, frame.source.line(node))
    sides = (second, first) if conjunction else (first, second)
    ends = (after, before) if conjunction else (before, after)
    _join_assigned(frame, junction, values[1:], ends)
    types = [type_of(side) for side in sides]
    if {TENSOR, BOOL} == set(types):
        junction.expected = union_of(TENSOR, BOOL)
    return _joined(frame, junction, sides, "the value")


def _join_assigned(
    frame: Frame,
    junction: Junction,
    inside: list[ast.expr],
    ends: tuple[Environment, Environment],
) -> None:
    """What ``:=`` and nested functions assigned in one of two operands."""
    for name in assigned_names(inside) | frame.shared:
        items = [end.names.get(name) for end in ends]
        if items[0] is items[1]:
            continue
        absent = Missing(f"{name} is given a value in one part of the expression only")
        joined = junction.join_items(items[0] or absent, items[1] or absent, name)
        frame.environment.names[name] = joined


def _is_condition(node: ast.expr) -> bool:
    """Whether the operand is a bool by its form."""
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.Not)
    if isinstance(node, ast.Compare):
        return (
            isinstance(node.comparators[0], ast.Constant)
            and len(node.ops) == 1
            and node.comparators[0].value is None
            and isinstance(node.ops[0], ast.Is | ast.IsNot | ast.Eq | ast.NotEq)
        )
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "isinstance"


def _joined(frame: Frame, junction: Junction, sides: tuple[Item, Item], what: str) -> Item:
    result = junction.join_items(*sides, what)
    junction.finish()
    if isinstance(result, Missing):
        raise Conflict(result.reason, result.hint)
    return result


def _conditional(frame: Frame, node: ast.IfExp, expected: Type | None = None) -> Item:
    from ingot.capture.script.refinement import test

    condition = test(frame, node.test)
    if condition.known is not None:
        frame.environment.names.update(condition.bindings(condition.known))
        return expression(frame, node.body if condition.known else node.orelse, expected)
    branch = frame.builder.if_(frame.value(condition.item))
    with frame.forgetful():
        before = frame.environment
        sides, ends = [], []
        for block, value, outcome in zip(
            branch.blocks, (node.body, node.orelse), (True, False), strict=True
        ):
            frame.environment = before.copy()
            frame.environment.names.update(condition.bindings(outcome))
            with frame.builder.at(block):
                sides.append(expression(frame, value, expected))
            ends.append(frame.environment)
        frame.environment = before
    junction = Junction(frame, branch, frame.source.line(node))
    _join_assigned(frame, junction, [node.body, node.orelse], (ends[0], ends[1]))
    junction.expected = expected
    return _joined(frame, junction, (sides[0], sides[1]), "the value")


def _compare(frame: Frame, node: ast.Compare) -> Item:
    from ingot.capture.script.comparison import compare
    from ingot.capture.script.refinement import test

    if _is_condition(node):
        return test(frame, node).item
    left = expression(frame, node.left)
    return _comparisons(frame, left, node.ops, node.comparators, node, compare)


def _comparisons(
    frame: Frame,
    left: Item,
    ops: list[ast.cmpop],
    comparators: list[ast.expr],
    node: ast.AST,
    compare: Callable[..., Item],
) -> Item:
    from ingot.capture.script.truth import truth
    from ingot.capture.script.values import FALSE

    right = expression(frame, comparators[0])
    first = compare(frame, ops[0], left, right)
    if len(ops) == 1:
        return first
    first = truth(frame, first)
    if isinstance(first, Constant):
        if not first.value:
            return FALSE
        return _comparisons(frame, right, ops[1:], comparators[1:], node, compare)
    branch = frame.builder.if_(frame.value(first))
    with frame.forgetful(), frame.builder.at(branch.blocks[0]):
        before = frame.environment
        frame.environment = before.copy()
        rest = _comparisons(frame, right, ops[1:], comparators[1:], node, compare)
        rest = truth(frame, rest)
        after, frame.environment = frame.environment, before
    junction = Junction(frame, branch, frame.source.line(node))
    _join_assigned(frame, junction, list(comparators[1:]), (after, before))
    return _joined(frame, junction, (rest, FALSE), "condition")


def _subscript(frame: Frame, node: ast.Subscript) -> Item:
    from ingot.capture.script.subscripts import subscript

    return subscript(frame, expression(frame, node.value), expression(frame, node.slice))


def _slice(frame: Frame, node: ast.Slice) -> Item:
    parts = [Constant(None) if p is None else expression(frame, p)
             for p in (node.lower, node.upper, node.step)]  # fmt: skip
    return SliceItem(*parts)


def spread_elements(
    frame: Frame, nodes: list[ast.expr], expected: Type | None = None
) -> tuple[list[Item], list[int]]:
    """The items of a sequence display or call, with ``*x`` spread out, and the places of
    lists after ``*`` whose length is not known while compiling."""
    from ingot.capture.script.iteration import turns_of

    found: list[Item] = []
    places: list[int] = []
    for each in nodes:
        if not isinstance(each, ast.Starred):
            found.append(expression(frame, each, expected))
            continue
        inner = expression(frame, each.value)
        type = type_of(inner)
        if type == SIZE or (isinstance(type, ListType) and isinstance(inner, Dynamic)):
            places.append(len(found))
            found.append(frame.dynamic(frame.value(inner), type))
            continue
        turns = turns_of(frame, inner)
        if turns.items is None:
            from ingot.capture.script.sequence_builtins import as_list

            places.append(len(found))
            found.append(as_list(frame, inner))
            continue
        found.extend(turns.items)
    return found, places


def element_of(sequence: Item) -> Type:
    """The element type of a list or size."""
    type = type_of(sequence)
    return type.element if isinstance(type, ListType) else INT


def join_elements(frame: Frame, items: list[Item], places: list[int]) -> Item:
    """One list of items and of the lists at ``places``. Raises CompileError if types differ."""
    from ingot.capture.script.operations import call_op

    element = element_of(items[places[0]])
    whole = ListType(element)
    joined: Item | None = None
    k = 0
    while k < len(items):
        end = k + 1
        if k in places:
            part = items[k]
        else:
            while end < len(items) and end not in places:
                end += 1
            part = make_list(frame, items[k:end], element)
        part = frame.dynamic(frame.value(part, whole), whole)
        joined = part if joined is None else call_op(frame, "aten::add", [joined, part], type=whole)
        k = end
    assert joined is not None
    return joined


def _tuple(frame: Frame, node: ast.Tuple, expected: Type | None) -> Item:
    types: tuple[Type, ...] = ()
    if isinstance(expected, TupleType) and len(expected.elements) == len(node.elts):
        types = expected.elements
    if types and not any(isinstance(e, ast.Starred) for e in node.elts):
        pairs = zip(node.elts, types, strict=True)
        return TupleItem(tuple(expression(frame, e, t) for e, t in pairs))
    items, places = spread_elements(frame, node.elts)
    if not places:
        return TupleItem(tuple(items))
    joined = join_elements(frame, items, places)
    sizes = all(type_of(items[k]) == SIZE for k in places)
    return frame.dynamic(frame.value(joined), SIZE) if sizes else joined


def _list(frame: Frame, node: ast.List, expected: Type | None) -> Item:
    from ingot.capture.script.operations import call_op

    element = _expected(expected, ListType)
    items, places = spread_elements(frame, node.elts, element.element if element else None)
    if places:
        whole = join_elements(frame, items, places)
        return call_op(frame, "aten::list", [whole], type=type_of(whole))
    return make_list(frame, items, element.element if element else None)


def _set(frame: Frame, node: ast.Set) -> Item:
    from ingot.capture.script.sets import make_set, set_of

    items, places = spread_elements(frame, node.elts)
    return set_of(frame, join_elements(frame, items, places)) if places else make_set(frame, items)


def _expected(expected: Type | None, kind: type[_Kind]) -> _Kind | None:
    if isinstance(expected, OptionalType):
        expected = expected.element
    return expected if isinstance(expected, kind) else None


def make_list(frame: Frame, items: list[Item], element: Type | None = None) -> Item:
    """A new list; of compile-time things, a ListItem."""
    types = [type_of(item) for item in items]
    if items and any(type is None for type in types):
        return ListItem(tuple(items))
    together: Type | None = element
    for type in types:
        assert type is not None
        joined = type if together is None else common_type(together, type, element)
        if joined is None and element is not None:
            raise CompileError(
                f"a list of {element} cannot hold both {together} and {type}",
                "use a tuple, or annotate the list with a Union",
            )
        together = union_of(together, type) if joined is None else joined  # type: ignore[arg-type]
    if together is None:
        together = Hole()
    value = frame.builder.list_construct(
        [frame.value(item, together) for item in items], lower(together)
    )
    return frame.dynamic(value, ListType(together))


def _dict(frame: Frame, node: ast.Dict, expected: Type | None) -> Item:
    wanted = _expected(expected, DictType)
    key_type = wanted.key if isinstance(wanted, DictType) else None
    value_type = wanted.value if isinstance(wanted, DictType) else None
    if any(key is None for key in node.keys):
        return _spread_dict(frame, node, key_type, value_type)
    pairs: list[tuple[Item, Item]] = []
    for key, value in zip(node.keys, node.values, strict=True):
        assert key is not None
        pairs.append((expression(frame, key, key_type), expression(frame, value, value_type)))
    return make_dict(frame, pairs, key_type, value_type)


def _spread_dict(
    frame: Frame, node: ast.Dict, key_type: Type | None, value_type: Type | None
) -> Item:
    """``{**a, key: value}``: of constants while compiling, else filled one after the other."""
    from ingot.capture.script.containers import store_element
    from ingot.capture.script.operations import call_op

    parts = [
        (None if key is None else expression(frame, key, key_type), expression(frame, value))
        for key, value in zip(node.keys, node.values, strict=True)
    ]
    if all(key is not None or isinstance(value, DictItem) for key, value in parts):
        pairs: list[tuple[Item, Item]] = []
        for key, value in parts:
            if key is None:
                assert isinstance(value, DictItem)
                pairs += [(Constant(k), v) for k, v in value.items.items()]
            else:
                pairs.append((key, value))
        return make_dict(frame, pairs, key_type, value_type)
    made: Item = make_dict(frame, [], key_type, value_type)
    for key, value in parts:
        type = type_of(made)
        assert isinstance(type, DictType)
        if key is not None:
            store_element(frame, made, type, key, value)
        elif isinstance(value, DictItem):
            for name, each in value.items.items():
                store_element(frame, made, type, Constant(name), each)
        else:
            other = type_of(value)
            if not isinstance(other, DictType) or join(type, other) is None:
                raise CompileError(f"** in a {type} does not take {value.describe()}")
            call_op(frame, "aten::update", [frame.dynamic(frame.value(made), type), value])
    return made


def make_dict(
    frame: Frame,
    pairs: list[tuple[Item, Item]],
    key_type: Type | None = None,
    value_type: Type | None = None,
) -> Item:
    """A new dict; of compile-time things, a DictItem."""
    static = any(type_of(value) is None for _, value in pairs)
    if static and all(isinstance(key, Constant) for key, _ in pairs):
        return DictItem({k.value: v for k, v in pairs})  # type: ignore[attr-defined]
    mixed = value_type is None
    for key, value in pairs:
        key_type = _widen(key_type, type_of(key), "keys")
        value_type = _widen(value_type, type_of(value), "values", mixed)
    key_type = Hole(STR) if key_type is None else key_type
    value_type = Hole() if value_type is None else dict_value(value_type)
    require_key(key_type)
    items = [(frame.value(k, key_type), frame.value(v, value_type)) for k, v in pairs]
    made = frame.builder.dict_construct(items, lower(key_type), lower(value_type))
    return frame.dynamic(made, DictType(key_type, value_type))


def _widen(known: Type | None, type: Type | None, what: str, mixed: bool = False) -> Type:
    joined = type if known is None or type is None else join(known, type)
    if joined is None and mixed and known is not None and type is not None:
        joined = union_of(known, type)
    if joined is None:
        raise CompileError(f"the {what} of a dict cannot be both {known} and {type}")
    return settle(joined)


def _lambda(frame: Frame, node: ast.Lambda) -> Item:
    from ingot.capture.script.statements import local_function

    return local_function(frame, node)


def _walrus(frame: Frame, node: ast.NamedExpr) -> Item:
    item = expression(frame, node.value)
    frame.assign(node.target.id, item)
    return item


def _f_string(frame: Frame, node: ast.JoinedStr) -> Item:
    from ingot.capture.script.strings import f_string

    return f_string(frame, node)


def _comprehension(
    frame: Frame,
    node: ast.ListComp | ast.GeneratorExp | ast.DictComp | ast.SetComp,
    expected: Type | None = None,
) -> Item:
    from ingot.capture.script.comprehensions import comprehension

    if isinstance(node, ast.DictComp):
        return comprehension(frame, node, _expected(expected, DictType))
    return comprehension(frame, node, _expected(expected, ListType))


_HINTS: dict[type[ast.expr], str] = {
    ast.Await: "write plain code",
    ast.Yield: "append to a list and return it",
    ast.YieldFrom: "append to a list and return it",
}

_HANDLERS: dict[type[ast.expr], Callable[..., Item]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Call: _call,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: _bool_op,
    ast.IfExp: _conditional,
    ast.Compare: _compare,
    ast.Subscript: _subscript,
    ast.Slice: _slice,
    ast.Lambda: _lambda,
    ast.NamedExpr: _walrus,
    ast.JoinedStr: _f_string,
    ast.ListComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.DictComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.Set: _set,
}
