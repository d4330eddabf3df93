"""Conditions, and what a variable must be where they hold."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
import torch._awaits

from ingot.capture.script.annotations import read_annotation
from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.exceptions import exception_classes, is_one_of
from ingot.capture.script.expressions import expression
from ingot.capture.script.flow import Junction
from ingot.capture.script.items import type_of
from ingot.capture.script.language import (
    DEVICE,
    DTYPE,
    GENERATOR,
    SIZE,
    EnumType,
    ObjectType,
    SetType,
    is_subtype,
    lower,
    may_be_none,
    settle,
    without_none,
)
from ingot.capture.script.names import assigned_names
from ingot.capture.script.objects import object_key
from ingot.capture.script.truth import truth
from ingot.capture.script.values import (
    AwaitItem,
    CaughtItem,
    Constant,
    DictItem,
    Dynamic,
    Environment,
    ExceptionItem,
    Item,
    ListItem,
    Missing,
    ModuleItem,
    Narrowed,
    PythonItem,
    TupleItem,
)
from ingot.ir.types import (
    BOOL,
    COMPLEX,
    FLOAT,
    INT,
    NONE,
    STR,
    DictType,
    ListType,
    NamedTupleType,
    OptionalType,
    TensorType,
    TupleType,
    Type,
    UnionType,
)

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame

Bindings = dict[str, Item]


@dataclass(eq=False)
class Test:
    """A condition as a bool, and the variables that it narrows if it holds and if not."""

    item: Item
    if_true: Bindings = field(default_factory=dict)
    if_false: Bindings = field(default_factory=dict)

    @property
    def known(self) -> bool | None:
        """The outcome if it is known at compile time."""
        return bool(self.item.value) if isinstance(self.item, Constant) else None

    def bindings(self, outcome: bool) -> Bindings:
        return self.if_true if outcome else self.if_false


def test(frame: Frame, node: ast.expr) -> Test:
    """The condition of an if, while, assert, and, or, not or conditional expression."""
    match node:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = test(frame, operand)
            return Test(_negate(frame, inner.item), inner.if_false, inner.if_true)
        case ast.BoolOp(op=op, values=values):
            return _chain(frame, isinstance(op, ast.And), values, node)
        case ast.Compare(left=left, ops=[ast.Is() | ast.IsNot() | ast.Eq() | ast.NotEq() as op],
                         comparators=[ast.Constant(value=None)]):  # fmt: skip
            return _none_test(frame, left, isinstance(op, ast.Is | ast.Eq), node)
        case ast.Call(func=ast.Name(id="isinstance"), args=[subject, _], keywords=[]):
            return _isinstance_test(frame, subject, node)
        case ast.Call(func=ast.Name(id="isinstance")):
            raise CompileError("isinstance takes a value and a class", "", node)
        case ast.Call(args=[_, _], keywords=[]) if _is_jit_isinstance(frame, node.func):
            return jit_isinstance_test(frame, node)
        case ast.NamedExpr(target=ast.Name(id=name)):
            item = expression(frame, node)
            bindings = without_none_bindings(frame, name)
            return Test(truth(frame, item), bindings)
    item = expression(frame, node)
    found = Test(truth(frame, item))
    found.if_true = without_none_bindings(frame, variable_of(frame, node))
    return found


def _is_jit_isinstance(frame: Frame, function: ast.expr) -> bool:
    if not isinstance(function, ast.Attribute) or function.attr != "isinstance":
        return False
    return expression(frame, function) == PythonItem(torch.jit.isinstance)


def _negate(frame: Frame, item: Item) -> Item:
    if isinstance(item, Constant):
        return Constant(not item.value)
    return frame.dynamic(frame.builder.op("aten::__not__", frame.value(item)))  # type: ignore[arg-type]


def _chain(frame: Frame, conjunction: bool, values: list[ast.expr], node: ast.AST) -> Test:
    first = test(frame, values[0])
    if len(values) == 1:
        return first
    if first.known is not None:
        if first.known is not conjunction:
            return first
        frame.environment.names.update(first.bindings(conjunction))
        rest = _chain(frame, conjunction, values[1:], node)
        known = rest.bindings(conjunction)
        known.update({k: v for k, v in first.bindings(conjunction).items() if k not in known})
        return rest
    with frame.located(node):
        branch = frame.builder.if_(frame.value(first.item))
    writes = frame.compiler.writes
    before = frame.environment
    reached = before.copy()
    reached.names.update(first.bindings(conjunction))
    frame.environment = reached
    with frame.builder.at(branch.blocks[0 if conjunction else 1]):
        rest = _chain(frame, conjunction, values[1:], node)
        if rest.known is None:
            frame.value(rest.item)
    inside, outside = frame.environment, before
    junction = Junction(frame, branch, frame.source.line(node))

    def join(reached: Item | None, skipped: Item | None, name: str) -> Item:
        sides = (reached, skipped) if conjunction else (skipped, reached)
        return junction.join_items(*sides, name)

    found = Test(Constant(conjunction))
    frame.environment = outside.copy()
    with frame.located(node):
        found.item = join(rest.item, Constant(not conjunction), "condition")
        narrowed = found.bindings(conjunction)
        narrowed.update(first.bindings(conjunction))
        for name, item in rest.bindings(conjunction).items():
            # An attribute that was first read there has its value from that branch.
            narrowed[name] = join(item, None, name)
        for name in sorted(assigned_names(values[1:]) | (frame.shared & inside.names.keys())):
            reached_item = narrowed.get(name) or inside.names[name]
            narrowed[name] = join(reached_item, None, name)
            skipped = outside.names.get(name) or Missing(
                f"{name} is given a value in one part of the condition only"
            )
            frame.environment.names[name] = join(inside.names[name], skipped, name)
        junction.finish()
    if frame.compiler.writes != writes:
        frame.environment.forget_attributes()
        for bindings in (found.if_true, found.if_false):
            Environment(bindings).forget_attributes()
    return found


def _root(item: Item | None) -> Dynamic | None:
    """The variable's value before anything narrowed it."""
    if isinstance(item, Narrowed):
        return item.item
    if isinstance(item, Dynamic):
        return item.origin or item
    return None


def _narrow(frame: Frame, name: str, type: Type) -> Bindings:
    root = _root(frame.environment.names.get(name))
    return {} if root is None else {name: Narrowed(root, type)}


def without_none_bindings(frame: Frame, name: str) -> Bindings:
    """The variable as something that is not None, where it was tested to be true."""
    item = frame.environment.names.get(name)
    type = None if item is None else type_of(item)
    if type is None or type == NONE or not may_be_none(type):
        return {}
    return _narrow(frame, name, without_none(type))


def variable_of(frame: Frame, node: ast.expr) -> str:
    """What an environment calls the variable or attribute that an expression reads."""
    if isinstance(node, ast.NamedExpr):
        node = node.target
    if isinstance(node, ast.Attribute) and _is_path(node):
        from ingot.capture.script.modules import attribute_key

        mark, before = frame.builder.mark(), frame.environment.copy()
        owner = expression(frame, node.value)
        frame.undo(mark, before)
        if isinstance(owner, ModuleItem):
            return attribute_key(owner, node.attr)
        return _object_variable(frame, node, owner)
    return node.id if isinstance(node, ast.Name) else ""


def _object_variable(frame: Frame, node: ast.Attribute, owner: Item) -> str:
    """The name for an attribute of an object, which is read once more to have a value."""
    key = object_key(frame, owner, node.attr)
    if not key or key in frame.environment.names:
        return key
    item = expression(frame, node)
    if not isinstance(item, Dynamic):
        return ""
    frame.environment.names[key] = item
    return key


def _is_path(node: ast.expr) -> bool:
    """Whether the expression is a name with attributes: self.cache, self.block.cache."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _none_test(frame: Frame, left: ast.expr, positive: bool, node: ast.AST) -> Test:
    item = expression(frame, left)
    type = type_of(item)
    if type is None or not may_be_none(type):
        return Test(Constant(not positive))
    if type == NONE:
        return Test(Constant(positive))
    name = variable_of(frame, left)
    with frame.located(node):
        op = "aten::__is__" if positive else "aten::__isnot__"
        result = frame.dynamic(frame.builder.op(op, frame.value(item), None))  # type: ignore[arg-type]
    absent, present = _narrow(frame, name, NONE), _narrow(frame, name, without_none(type))
    return Test(result, absent, present) if positive else Test(result, present, absent)


_PYTHON_TYPES: dict[Any, tuple[Type, ...]] = {
    bool: (BOOL,),
    int: (INT, BOOL),
    torch.SymInt: (),
    float: (FLOAT,),
    complex: (COMPLEX,),
    str: (STR,),
    type(None): (NONE,),
    torch.dtype: (DTYPE,),
    torch.device: (DEVICE,),
    torch.Size: (SIZE,),
    torch.Generator: (GENERATOR,),
}


def _is_instance(type: Type, cls: Any) -> bool:
    """Whether values of ``type``, no Optional or Union, are instances of ``cls``."""
    if cls is object:
        return True
    if type in _PYTHON_TYPES.get(cls, ()):
        return True
    if inspect.isclass(cls) and cls.__module__ == "collections.abc":
        return issubclass(_python_class(type), cls)
    match type:
        case TensorType():
            return cls is torch.Tensor
        case ListType():
            return cls is list
        case TupleType():
            return cls is tuple
        case ObjectType() | EnumType():
            return inspect.isclass(cls) and issubclass(type.cls, cls)
        case NamedTupleType(name):
            return cls is tuple or getattr(cls, "__name__", "") == name
        case SetType():
            return cls in (set, frozenset)
        case DictType():
            return cls is dict
    return type == SIZE and cls is tuple


def _python_class(type: Type) -> Any:
    """The class of the values of a type."""
    match type:
        case ObjectType() | EnumType():
            return type.cls
        case TensorType():
            return torch.Tensor
        case NamedTupleType():
            return tuple
    known = {ListType: list, TupleType: tuple, SetType: set, DictType: dict}
    for python, each in _PYTHON_TYPES.items():
        if type in each:
            return python
    return known.get(type.__class__, object)


def _classes(frame: Frame, item: Item) -> Iterator[Any]:
    if isinstance(item, TupleItem):
        for each in item.items:
            yield from _classes(frame, each)
    elif isinstance(item, PythonItem):
        if isinstance(item.object, types.UnionType) or (
            typing.get_origin(item.object) is typing.Union
        ):
            yield from typing.get_args(item.object)
        else:
            yield typing.get_origin(item.object) or item.object
    elif isinstance(item, Constant) and item.value is None:
        yield type(None)
    else:
        raise CompileError(f"isinstance takes classes, not {item.describe()}")


def _isinstance_test(frame: Frame, subject: ast.expr, node: ast.Call) -> Test:
    item = expression(frame, subject)
    if isinstance(item, CaughtItem | ExceptionItem):
        wanted = exception_classes(expression(frame, node.args[1]))
        if isinstance(item, ExceptionItem):
            return Test(Constant(issubclass(item.cls, wanted)))
        with frame.located(node):
            is_one = is_one_of(frame, item, wanted)
        if isinstance(subject, ast.Name):
            return Test(is_one, {subject.id: dataclasses.replace(item, classes=wanted)})
        return Test(is_one)
    classes = list(_classes(frame, expression(frame, node.args[1])))
    if isinstance(item, AwaitItem):
        return Test(Constant(any(issubclass(torch._awaits._Await, each) for each in classes)))
    if isinstance(item, ModuleItem):
        return Test(Constant(isinstance(item.module, tuple(classes))))
    if isinstance(item, PythonItem):
        return Test(Constant(isinstance(item.object, tuple(classes))))
    if isinstance(item, TupleItem) and item.named is not None:
        return Test(Constant(issubclass(item.named, tuple(classes))))
    type = type_of(item)
    if type is None:
        kind = {ListItem: list, DictItem: dict, TupleItem: tuple}.get(item.__class__, object)
        return Test(Constant(any(issubclass(kind, c) for c in classes if c is not object)))
    members = members_of(type)
    matching = [m for m in members if any(_is_instance(m, c) for c in classes)]
    return _members_test(frame, item, matching, members, subject, node)


def jit_isinstance_test(frame: Frame, node: ast.Call) -> Test:
    """``torch.jit.isinstance(x, List[int])``: by the types of the elements too."""
    subject = node.args[0]
    item = expression(frame, subject)
    wanted = expression(frame, node.args[1])
    parts = wanted.items if isinstance(wanted, TupleItem) else (wanted,)
    types = []
    for part in parts:
        value = part.object if isinstance(part, PythonItem) else getattr(part, "value", None)
        types.append(read_annotation(value, frame))
    type = type_of(item)
    if type is None:
        raise CompileError(f"isinstance does not take {item.describe()}")
    members = members_of(type)
    matching = [m for m in members if any(is_subtype(m, t) for t in types)]
    return _members_test(frame, item, matching, members, subject, node)


def _members_test(
    frame: Frame,
    item: Item,
    matching: list[Type],
    members: list[Type],
    subject: ast.expr,
    node: ast.Call,
) -> Test:
    other = [m for m in members if m not in matching]
    if not matching or not other:
        return Test(Constant(bool(matching)))
    with frame.located(node):
        result = tag_test(frame, item, matching, other)
    name = variable_of(frame, subject)
    return Test(
        result, _narrow(frame, name, _united(matching)), _narrow(frame, name, _united(other))
    )


def members_of(type: Type) -> list[Type]:
    """The types that a value may have when the program runs; None is one of them."""
    type = settle(type)
    if isinstance(type, OptionalType):
        return [*members_of(type.element), NONE]
    if isinstance(type, UnionType):
        return [m for e in type.elements for m in members_of(e)]
    return [type]


def _united(members: list[Type]) -> Type:
    left = [m for m in members if m != NONE]
    if not left:
        return NONE
    inner = left[0] if len(left) == 1 else UnionType(tuple(left))
    return OptionalType(inner) if NONE in members else inner


def tag_test(frame: Frame, item: Item, matching: list[Type], other: list[Type]) -> Item:
    """Whether the value is of one of the first types, when the program runs."""
    if matching == [NONE] or other == [NONE]:
        op = "aten::__is__" if matching == [NONE] else "aten::__isnot__"
        return frame.dynamic(frame.builder.op(op, frame.value(item), None))  # type: ignore[arg-type]
    if {lower(m) for m in matching} & {lower(m) for m in other}:
        raise CompileError(
            f"which type a {type_of(item)} has cannot be seen when the program runs",
            "give the value one type",
        )
    fits = frame.builder.is_instance(frame.value(item), lower(_united(matching)))
    return frame.dynamic(fits)
