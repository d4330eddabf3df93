"""``==``, ``<``, ``is``, ``in`` and their opposites."""

from __future__ import annotations

import ast
import enum
import operator
import types
from typing import TYPE_CHECKING, Any

import torch
from torch.torch_version import TorchVersion

from ingot.capture.script.classes import in_class
from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.flow import Junction
from ingot.capture.script.items import type_of
from ingot.capture.script.language import (
    DEVICE,
    DTYPE,
    LAYOUT,
    MEMORY_FORMAT,
    NUMBER,
    SIZE,
    EnumType,
    SetType,
    has_hole,
    holds,
    lower,
    may_be_none,
    settle,
    without_none,
)
from ingot.capture.script.objects import class_of, object_members, special
from ingot.capture.script.operations import call_op
from ingot.capture.script.operators import as_number, as_plain, binary
from ingot.capture.script.readonly import readable
from ingot.capture.script.unions import each_member
from ingot.capture.script.values import (
    FALSE,
    CaughtClassItem,
    Constant,
    DictItem,
    Dynamic,
    InstanceItem,
    Item,
    ListItem,
    ModuleItem,
    PythonItem,
    RangeItem,
    TupleItem,
    same,
)
from ingot.ir.types import (
    BOOL,
    COMPLEX,
    FLOAT,
    INT,
    NONE,
    STR,
    TENSOR,
    DictType,
    ListType,
    NamedTupleType,
    OptionalType,
    SimpleType,
    TensorType,
    TupleType,
    Type,
    UnionType,
)

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame

_ORDER: dict[type[ast.cmpop], tuple[str, Any, str]] = {
    ast.Lt: ("aten::lt", operator.lt, "aten::gt"),
    ast.LtE: ("aten::le", operator.le, "aten::ge"),
    ast.Gt: ("aten::gt", operator.gt, "aten::lt"),
    ast.GtE: ("aten::ge", operator.ge, "aten::le"),
}
_METHODS: dict[type[ast.cmpop], str] = {
    ast.Lt: "__lt__",
    ast.LtE: "__le__",
    ast.Gt: "__gt__",
    ast.GtE: "__ge__",
}
_REFLECTED: dict[type[ast.cmpop], str] = {
    ast.Lt: "__gt__",
    ast.LtE: "__ge__",
    ast.Gt: "__lt__",
    ast.GtE: "__le__",
}
_NUMBERS = (BOOL, INT, FLOAT, COMPLEX)
_TAGGED = (DTYPE, DEVICE, LAYOUT, MEMORY_FORMAT)


def compare(frame: Frame, op: ast.cmpop, a: Item, b: Item) -> Item:
    """One comparison. Raises CompileError if the types do not take it."""
    a, b = frame.force(a), frame.force(b)
    match op:
        case ast.Eq():
            return equal(frame, a, b)
        case ast.NotEq():
            written = special(frame, a, "__ne__", b)
            if written is not None:
                return written
            types = (type_of(a), type_of(b))
            if any(isinstance(t, TensorType) for t in types) and NONE not in types:
                return _tensors(frame, "aten::ne", "aten::ne", a, b)
            return negate(frame, equal(frame, a, b))
        case ast.Is():
            return _identical(frame, a, b)
        case ast.IsNot():
            return negate(frame, _identical(frame, a, b))
        case ast.In():
            return contains(frame, b, a)
        case ast.NotIn():
            return negate(frame, contains(frame, b, a))
    return _ordered(frame, op, a, b)


def negate(frame: Frame, item: Item) -> Item:
    """``not item`` of a bool."""
    if isinstance(item, Constant):
        return Constant(not item.value)
    return call_op(frame, "aten::__not__", [item])


def _tensors(frame: Frame, op: str, reflected: str, a: Item, b: Item) -> Item:
    if isinstance(type_of(a), TensorType):
        return call_op(frame, op, [a, b])
    return call_op(frame, reflected, [b, a])


def _ordered(frame: Frame, op: ast.cmpop, a: Item, b: Item) -> Item:
    a, b = frame.present(a), frame.present(b)
    name, apply, reflected = _ORDER[op.__class__]
    written = special(frame, a, _METHODS[op.__class__], b)
    if written is None:
        written = special(frame, b, _REFLECTED[op.__class__], a)
    if written is None and _is_completed(frame, a):
        written = _total_order(frame, op, a, b)
    if written is not None:
        return written
    if isinstance(a, TupleItem) and isinstance(b, TupleItem):
        return _ordered_items(frame, op, a.items, b.items)
    a, b = as_plain(frame, a), as_plain(frame, b)
    x, y = type_of(a), type_of(b)
    version = isinstance(a, PythonItem) and isinstance(a.object, TorchVersion)
    if version and isinstance(b, Constant | TupleItem):
        other = b.value if isinstance(b, Constant) else tuple(i.value for i in b.items)  # type: ignore[attr-defined]
        return Constant(apply(a.object, other))  # type: ignore[attr-defined]
    if isinstance(a, Constant) and isinstance(b, Constant):
        try:
            return Constant(apply(a.value, b.value))
        except TypeError:
            pass
    scalars = (BOOL, INT, FLOAT, NUMBER)
    if isinstance(x, TensorType) or isinstance(y, TensorType):
        if (
            (isinstance(x, TensorType) and isinstance(y, TensorType))
            or x in scalars
            or y in scalars
        ):
            return _tensors(frame, name, reflected, a, b)
    elif x in scalars and y in scalars:
        return call_op(frame, name, [_no_bool(frame, a), _no_bool(frame, b)])
    elif x == y == STR:
        return call_op(frame, name, [a, b])
    elif isinstance(x, SetType) and isinstance(y, SetType):
        from ingot.capture.script.sets import set_order

        return set_order(frame, _SIGNS[op.__class__], a, b)
    elif x is not None and y is not None and _have_order(x, y):
        return _by_less(frame, op, a, b)
    found = each_member(frame, a, lambda each: _ordered(frame, op, each, b))
    if found is None:
        found = each_member(frame, b, lambda each: _ordered(frame, op, a, each))
    if found is not None:
        return found
    hint = ""
    if any(t is not None and may_be_none(t) for t in (x, y)):
        hint = "check the Optional value with `is not None` first"
    raise CompileError(f"{a.describe()} and {b.describe()} have no order", hint)


_SIGNS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}


def _have_order(x: Type, y: Type) -> bool:
    """Whether the types are numbers, strings, or lists or tuples of what has an order."""
    if x in (BOOL, INT, FLOAT) and y in (BOOL, INT, FLOAT):
        return True
    if x == STR or y == STR:
        return x == y
    if isinstance(x, ListType) and isinstance(y, ListType):
        return _have_order(settle(x.element), settle(y.element)) or has_hole(x) or has_hole(y)
    tuples = TupleType | NamedTupleType
    if isinstance(x, tuples) and isinstance(y, tuples):
        return all(map(_have_order, map(settle, x.elements), map(settle, y.elements)))
    return x == y == SIZE


def _by_less(frame: Frame, op: ast.cmpop, a: Item, b: Item) -> Item:
    a, b = frame.dynamic(frame.value(a)), frame.dynamic(frame.value(b))
    if isinstance(op, ast.Gt | ast.LtE):
        a, b = b, a
    less = call_op(frame, "prim::less", [a, b])
    return negate(frame, less) if isinstance(op, ast.LtE | ast.GtE) else less


def _ordered_items(frame: Frame, op: ast.cmpop, a: tuple[Item, ...], b: tuple[Item, ...]) -> Item:
    """Tuples are ordered by the first place where they differ, else by length."""
    if not a or not b:
        return Constant(_ORDER[op.__class__][1](len(a), len(b)))
    same_first = alike(frame, a[0], b[0])
    if isinstance(same_first, Constant):
        if same_first.value:
            return _ordered_items(frame, op, a[1:], b[1:])
        return truth_of(frame, compare(frame, op, *_present(frame, a[0], b[0])))
    branch = frame.builder.if_(frame.value(same_first))
    with frame.builder.at(branch.blocks[0]):
        rest = _ordered_items(frame, op, a[1:], b[1:])
    with frame.builder.at(branch.blocks[1]):
        first = truth_of(frame, compare(frame, op, *_present(frame, a[0], b[0])))
    junction = Junction(frame, branch, 0)
    result = junction.join_items(rest, first, "condition")
    junction.finish()
    return result


def _present(frame: Frame, *items: Item) -> list[Item]:
    """The items, of which a None has no order: it raises."""
    found: list[Item] = []
    for item in items:
        type = type_of(item)
        if type is None or type == NONE or not may_be_none(type):
            found.append(item)
            continue
        there = call_op(frame, "aten::__isnot__", [item, Constant(None)])
        branch = frame.builder.if_(frame.value(there))
        with frame.builder.at(branch.blocks[1]):
            frame.builder.raise_exception("'<' not supported between these types", "TypeError")
        inner = without_none(type)
        value = frame.builder.cast(frame.value(item), lower(inner))
        found.append(frame.dynamic(value, inner))
    return found


def _no_bool(frame: Frame, item: Item) -> Item:
    return as_number(frame, item, INT) if type_of(item) == BOOL else item


def _identical(frame: Frame, a: Item, b: Item) -> Item:
    x, y = type_of(a), type_of(b)
    if x == NONE or y == NONE:
        other, type = (b, y) if x == NONE else (a, x)
        if type is None or not may_be_none(type):
            return FALSE
        if type == NONE:
            return Constant(True)
        return call_op(frame, "aten::__is__", [other, Constant(None)])
    if isinstance(a, Dynamic) and isinstance(b, Dynamic) and a.value is b.value:
        return Constant(True)
    if isinstance(a, CaughtClassItem) or isinstance(b, CaughtClassItem):
        return _equal_classes(frame, a, b)
    if isinstance(x, EnumType) or isinstance(y, EnumType):
        return _equal_members(frame, a, b)
    if _is_object(x) or _is_object(y):
        if isinstance(a, InstanceItem) and isinstance(b, InstanceItem):
            return Constant(same(a, b))
        return call_op(frame, "aten::__is__", [a, b])
    if isinstance(a, Dynamic) or isinstance(b, Dynamic):
        if x == y and x in (BOOL, *_TAGGED):
            return equal(frame, a, b)
        if isinstance(b, Constant) and x is not None and without_none(x) == y == BOOL:
            return equal(frame, a, b)
        if isinstance(x, TensorType) and isinstance(y, TensorType):
            return call_op(frame, "aten::__is__", [a, b])
        if x != y and not any(t is None or may_be_none(t) for t in (x, y)):
            return FALSE
        raise _not_known(a, b)
    if isinstance(a, Constant) and isinstance(b, Constant):
        return Constant(a == b)
    if a is not b and isinstance(a, ListItem | DictItem) and a.__class__ is b.__class__:
        raise _not_known(a, b)  # equal ones may be two
    return Constant(same(a, b))


def _not_known(a: Item, b: Item) -> CompileError:
    return CompileError(f"whether {a.describe()} is {b.describe()} is not known", "compare with ==")


def equal(frame: Frame, a: Item, b: Item) -> Item:
    """``a == b``: a bool, or a tensor of bools."""
    written = special(frame, a, "__eq__", b)
    if written is None:
        written = special(frame, b, "__eq__", a)
    if written is not None:
        return written
    if isinstance(a, Constant) and isinstance(b, Constant):
        return Constant(bool(a.value == b.value))
    a, b = as_plain(frame, a), as_plain(frame, b)
    if isinstance(a, CaughtClassItem) or isinstance(b, CaughtClassItem):
        return _equal_classes(frame, a, b)
    if isinstance(a, PythonItem | ModuleItem) or isinstance(b, PythonItem | ModuleItem):
        if isinstance(a, PythonItem) and isinstance(b, PythonItem):
            return Constant(bool(a.object == b.object))
        return Constant(same(a, b))
    if isinstance(a, TupleItem) and isinstance(b, TupleItem):
        return _equal_items(frame, a, b)
    x, y = type_of(a), type_of(b)
    if x is None or y is None:
        return Constant(same(a, b))
    if isinstance(x, EnumType) and isinstance(y, EnumType):
        return _equal_members(frame, a, b)
    if (_is_object(x) or _is_object(y)) and not (may_be_none(x) or may_be_none(y)):
        return _identical(frame, a, b)
    if isinstance(x, TensorType) or isinstance(y, TensorType):
        if NONE in (x, y):
            return FALSE
        return _tensors(frame, "aten::eq", "aten::eq", a, b)
    if x == y == BOOL:
        return call_op(frame, "aten::eq", [a, b])
    if x in (*_NUMBERS, NUMBER) and y in (*_NUMBERS, NUMBER):
        if not {x, y} <= {BOOL, INT}:
            return call_op(frame, "aten::eq", [_no_bool(frame, a), _no_bool(frame, b)])
        a, b = _no_bool(frame, a), _no_bool(frame, b)
        x = y = INT
    if x == y and x in (INT, *_TAGGED):
        return frame.dynamic(frame.builder.op("aten::eq.int", frame.value(a), frame.value(b)))  # type: ignore[arg-type]
    if may_be_none(x) or may_be_none(y):
        return _equal_optional(frame, a, b, x, y)
    return _equal_containers(frame, a, b, x, y)


def alike(frame: Frame, a: Item, b: Item) -> Item:
    """Whether elements of two containers are equal: tensors too are if one is the other."""
    optional = OptionalType(TENSOR)
    if any(type_of(each) not in (TENSOR, optional) for each in (a, b)):
        return truth_of(frame, equal(frame, a, b))
    from ingot.capture.script.library import alike_or_none

    sides: list[Item] = [frame.dynamic(frame.value(each, optional), optional) for each in (a, b)]
    return frame.compiler.call(frame, alike_or_none, sides, {}, frame.node)


def _equal_classes(frame: Frame, a: Item, b: Item) -> Item:
    """Whether the class of a caught exception is another class."""
    kinds = []
    for each in (a, b):
        if isinstance(each, CaughtClassItem):
            kinds.append(each.caught.kind)
        elif isinstance(each, PythonItem) and isinstance(each.object, type):
            kinds.append(Constant(frame.compiler.exceptions.name(each.object)))
        else:
            return FALSE
    return call_op(frame, "aten::eq", kinds)


def _is_object(type: Type | None) -> bool:
    return type is not None and bool(object_members(without_none(type)))


def _equal_members(frame: Frame, a: Item, b: Item) -> Item:
    """Whether two members of Enums are one."""
    x, y = type_of(a), type_of(b)
    assert x is not None
    assert y is not None
    if may_be_none(x) or may_be_none(y):
        return _equal_optional(frame, a, b, x, y)
    if x != y:
        return FALSE
    if isinstance(a, Constant) and isinstance(b, Constant):
        return Constant(a == b)
    from ingot.capture.script.enums import stored

    return equal(frame, stored(frame, a), stored(frame, b))


def _is_completed(frame: Frame, item: Item) -> bool:
    """Whether ``functools.total_ordering`` completed the class of an object."""
    cls = class_of(frame, item)
    return cls is not None and any(
        getattr(vars(cls).get(name), "__module__", "") == "functools" for name in _METHODS.values()
    )


def _total_order(frame: Frame, op: ast.cmpop, a: Item, b: Item) -> Item | None:
    """An order that follows from the one method that the user's class writes and ``==``."""
    less = special(frame, a, "__lt__", b)
    if less is not None:
        if isinstance(op, ast.GtE):
            return negate(frame, less)
        same_ = equal(frame, a, b)
        either = binary(frame, "|", less, same_)
        return either if isinstance(op, ast.LtE) else negate(frame, either)
    more = special(frame, a, "__gt__", b)
    if more is None:
        return None
    if isinstance(op, ast.LtE):
        return negate(frame, more)
    either = binary(frame, "|", more, equal(frame, a, b))
    return either if isinstance(op, ast.GtE) else negate(frame, either)


def _equal_items(frame: Frame, a: TupleItem, b: TupleItem) -> Item:
    if len(a.items) != len(b.items):
        return FALSE
    result: Item = Constant(True)
    for p, q in zip(a.items, b.items, strict=True):
        one = alike(frame, p, q)
        if one == FALSE:
            return FALSE
        if result == Constant(True):
            result = one
        elif one != Constant(True):
            result = call_op(frame, "aten::__and__", [result, one], type=BOOL)
    return result


def _equal_optional(frame: Frame, a: Item, b: Item, x: Type, y: Type) -> Item:
    if x == NONE or y == NONE:
        return _identical(frame, a, b)
    if may_be_none(x) and may_be_none(y):
        if not _holds_tensor(x) and not _holds_tensor(y):
            return call_op(frame, "prim::equal", [a, b])
        raise CompileError(
            f"{a.describe()} == {b.describe()}: both may be None", "check one for None first"
        )
    if may_be_none(y):
        a, b, x = b, a, y
    value = frame.value(a)
    present = call_op(frame, "aten::__isnot__", [a, Constant(None)])
    branch = frame.builder.if_(frame.value(present))
    with frame.builder.at(branch.blocks[0]):
        inner = without_none(x)
        narrow = frame.dynamic(frame.builder.cast(value, lower(inner)), inner)
        found = equal(frame, narrow, b)
    junction = Junction(frame, branch, 0)
    result = junction.join_items(found, FALSE, "condition")
    junction.finish()
    return result


def _equal_containers(frame: Frame, a: Item, b: Item, x: Type, y: Type) -> Item:
    lists = (SIZE, ListType(INT))
    if SIZE in (x, y):
        other = y if x == SIZE else x
        if other in lists or isinstance(a, TupleItem) or isinstance(b, TupleItem):
            left = frame.dynamic(frame.value(a, ListType(INT)))
            right = frame.dynamic(frame.value(b, ListType(INT)))
            return call_op(frame, "aten::eq", [left, right])
    if x == y == STR:
        return call_op(frame, "aten::eq", [a, b])
    if not _holds_tensor(x) and not _holds_tensor(y):
        if not _may_be_equal(x, y):
            return FALSE
        if _has_own_equality(x) and _has_own_equality(y):
            return _equal_by_elements(frame, a, b, x, y)
        return call_op(frame, "prim::equal", [_by_value(frame, a), _by_value(frame, b)])
    if x == y and isinstance(x, ListType | DictType | TupleType | NamedTupleType):
        return _equal_by_elements(frame, a, b, x, y)
    if lower(x) != lower(y):
        return FALSE
    raise CompileError(f"{a.describe()} == {b.describe()} cannot be compiled")


def _has_own_equality(type: Type) -> bool:
    """Whether values of the type hold objects whose class says what is equal."""
    return holds(
        type,
        lambda each: any(
            isinstance(in_class(member.cls, "__eq__"), types.FunctionType)
            for member in object_members(each)
        ),
    )


def _equal_by_elements(frame: Frame, a: Item, b: Item, x: Type, y: Type) -> Item:
    tuples = TupleType | NamedTupleType
    if isinstance(x, tuples) and isinstance(y, tuples):
        return _equal_items(frame, *(_unpacked(frame, each) for each in (a, b)))
    from ingot.capture.script import library

    inside = settle(x.element if isinstance(x, ListType) else x.value)  # type: ignore[attr-defined]
    one = isinstance(inside, TensorType) or bool(object_members(inside))
    function = library.equal_lists if isinstance(x, ListType) else library.equal_dicts
    return frame.call(function, a, b, PythonItem(library.alike if one else library.equal))


def _unpacked(frame: Frame, item: Item) -> TupleItem:
    if isinstance(item, TupleItem):
        return item
    type = type_of(item)
    assert isinstance(type, TupleType | NamedTupleType)
    pairs = zip(frame.builder.tuple_unpack(frame.value(item)), type.elements, strict=True)
    return TupleItem(tuple(frame.dynamic(value, inner) for value, inner in pairs))


def _in_range(frame: Frame, container: RangeItem, item: Item) -> Item:
    from ingot.capture.script.library import is_in_range

    bounds = [container.start, container.stop, container.step]
    return frame.call(is_in_range, item, *bounds)


def _by_value(frame: Frame, item: Item) -> Item:
    return frame.dynamic(frame.value(item))


def _holds_tensor(type: Type) -> bool:
    return holds(type, lambda each: isinstance(each, TensorType))


def _may_be_equal(x: Type, y: Type) -> bool:
    """Whether values of the two types can be equal: a list is no tuple, a number no string."""
    numbers = (*_NUMBERS, NUMBER)
    if isinstance(x, UnionType | OptionalType) or isinstance(y, UnionType | OptionalType):
        return True
    if x in numbers and y in numbers:
        return True
    tuples = (TupleType, NamedTupleType)
    if isinstance(x, tuples) and isinstance(y, tuples):
        return len(x.elements) == len(y.elements)
    return (
        x == y
        or (type(x) is type(y) and not isinstance(x, SimpleType))
        or (isinstance(x, DictType) and isinstance(y, DictType))
    )


def truth_of(frame: Frame, item: Item) -> Item:
    from ingot.capture.script.truth import truth

    return truth(frame, item)


def contains(frame: Frame, container: Item, item: Item) -> Item:
    """``item in container``."""
    written = special(frame, container, "__contains__", item)
    if written is not None:
        return truth_of(frame, written)
    if isinstance(container, PythonItem) and isinstance(container.object, enum.EnumMeta):
        container = TupleItem(tuple(map(Constant, container.object)))
    if frame.assume_empty(type_of(container)):
        return FALSE
    if isinstance(container, DictItem) and isinstance(item, Constant):
        return Constant(item.value in container.items)
    if isinstance(container, ModuleItem) and isinstance(item, Constant):
        return Constant(item.value in container.module)  # type: ignore[operator]
    if isinstance(container, ModuleItem) and isinstance(container.module, torch.nn.ModuleDict):
        return contains(frame, ListItem(tuple(map(Constant, container.module))), item)
    if isinstance(container, TupleItem | ListItem):
        result: Item = FALSE
        for each in container.items:
            one = equal(frame, item, each)
            if isinstance(type_of(one), TensorType):
                one = call_op(frame, "aten::Bool", [one])
            if one == Constant(True):
                return one
            if result == FALSE:
                result = one
            elif one != FALSE:
                result = call_op(frame, "aten::__or__", [result, one], type=BOOL)
        return result
    if isinstance(container, DictItem):
        if not container.items:
            return FALSE
        return contains(frame, readable(frame, container), item)
    type = type_of(container)
    if type == STR and type_of(item) == STR:
        if isinstance(container, Constant) and isinstance(item, Constant):
            return Constant(item.value in container.value)
        place = call_op(frame, "aten::find", [container, item])
        return call_op(frame, "aten::ge", [place, Constant(0)])
    if isinstance(type, ListType) and (
        _is_object(type.element) or isinstance(settle(type.element), TensorType)
    ):
        from ingot.capture.script.library import contains_alike

        return frame.call(contains_alike, container, item)
    if isinstance(item, TupleItem) and type_of(item) is not None:
        item = frame.dynamic(frame.value(item), type_of(item))
    if isinstance(container, RangeItem):
        return _in_range(frame, container, item)
    if isinstance(type, SetType):
        return call_op(frame, "aten::__contains__", [container, item])
    if isinstance(type, ListType):
        element, actual = settle(type.element), type_of(item)
        if element != actual or _holds_tensor(type) or _has_own_equality(element):
            from ingot.capture.script.library import has_equal

            return frame.call(has_equal, container, item)
    if isinstance(type, ListType | DictType) or type == SIZE:
        sequence = frame.dynamic(frame.value(container), type)
        return call_op(frame, "aten::__contains__", [sequence, item])
    if isinstance(type, TensorType):
        found = call_op(frame, "aten::any", [equal(frame, container, item)])
        return call_op(frame, "aten::Bool", [found])
    if any(in_class(member.cls, "__iter__") for member in object_members(type)):
        from ingot.capture.script.library import has_equal

        return frame.call(has_equal, container, item)
    raise CompileError(f"`in` does not take {container.describe()}")
