"""Python's builtin functions."""

from __future__ import annotations

import copy
import dataclasses
import enum
import itertools
import math
from collections import OrderedDict
from collections.abc import Callable, Sized
from typing import TYPE_CHECKING, Any, cast

import torch

from ingot.capture.script.comparison import compare
from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.expressions import make_dict, make_list
from ingot.capture.script.items import type_of
from ingot.capture.script.iteration import turns_of
from ingot.capture.script.language import NUMBER, SIZE, settle
from ingot.capture.script.objects import (
    as_tuple,
    class_of,
    copy_object,
    object_members,
    replace,
    special,
)
from ingot.capture.script.operations import call_op
from ingot.capture.script.operators import as_number, as_plain, binary
from ingot.capture.script.strings import as_repr, as_string, concatenate
from ingot.capture.script.subscripts import unroll_loops
from ingot.capture.script.truth import truth
from ingot.capture.script.values import (
    EMPTY,
    FALSE,
    NOTHING,
    ZERO,
    Constant,
    DictItem,
    Dynamic,
    EnumerateItem,
    InstanceItem,
    Item,
    ListItem,
    LocalFunction,
    MethodItem,
    ModuleItem,
    PythonItem,
    RangeItem,
    ReversedItem,
    ShapeItem,
    TupleItem,
    ZipItem,
    is_constant_object,
)
from ingot.ir.types import (
    BOOL,
    COMPLEX,
    FLOAT,
    INT,
    STR,
    TENSOR,
    DictType,
    ListType,
    TensorType,
    Type,
)

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame

_NUMBERS = (BOOL, INT, FLOAT)


def _len(frame: Frame, item: Item) -> Item:
    written = special(frame, item, "__len__")
    if written is not None:
        return written
    match item:
        case TupleItem(items) | ListItem(items):
            return Constant(len(items))
        case DictItem(items):
            return Constant(len(items))
        case PythonItem(object) if isinstance(object, enum.EnumMeta):
            return Constant(len(object))
        case ModuleItem(module) if hasattr(module, "__len__"):
            return Constant(len(cast(Sized, module)))
        case Constant(str(text)):
            return Constant(len(text))
        case ShapeItem(tensor):
            return call_op(frame, "aten::dim", [tensor])
        case RangeItem() | ZipItem() | EnumerateItem():
            return turns_of(frame, item).count
    type = type_of(item)
    if isinstance(type, ListType | DictType | TensorType) or type in (STR, SIZE):
        return call_op(frame, "aten::len", [item])
    raise CompileError(f"{item.describe()} has no len()")


def as_int(frame: Frame, item: Item) -> Item:
    """The number of ``x.item()`` as an int, which is checked; other items as they are."""
    return frame.dynamic(frame.value(item, INT)) if type_of(item) == NUMBER else item


def _range(frame: Frame, *args: Item) -> Item:
    args = tuple(as_int(frame, each) for each in args)
    for each in args:
        if type_of(each) not in (INT, BOOL):
            raise CompileError(f"range takes ints, not {each.describe()}", "convert with int(...)")
    match args:
        case (stop,):
            return RangeItem(Constant(0), stop, Constant(1))
        case (start, stop):
            return RangeItem(start, stop, Constant(1))
        case (start, stop, step):
            return RangeItem(start, stop, step)
    raise CompileError("range takes one to three ints")


def _enumerate(frame: Frame, item: Item, start: Item = ZERO) -> Item:
    return EnumerateItem(item, start)


def _zip(frame: Frame, *items: Item, strict: Item = FALSE) -> Item:
    return ZipItem(items)


def _repeat(frame: Frame, item: Item, times: Item) -> Item:
    """``itertools.repeat(x, n)``."""
    if isinstance(times, Constant):
        return TupleItem((item,) * times.value)
    raise CompileError("repeat needs a number that is known while compiling")


def _reversed(frame: Frame, item: Item) -> Item:
    return ReversedItem(item)


def _int(frame: Frame, item: Item = ZERO) -> Item:
    return _number(frame, item, INT, int, "aten::Int")


def _float(frame: Frame, item: Item = ZERO) -> Item:
    return _number(frame, item, FLOAT, float, "aten::Float")


def _number(frame: Frame, item: Item, type: Type, convert: Callable[[Any], Any], op: str) -> Item:
    written = special(frame, item, f"__{convert.__name__}__")
    if written is not None:
        return written
    item = as_plain(frame, item)
    actual = type_of(item)
    if isinstance(item, Constant) and item.value is not None:
        try:
            return Constant(convert(item.value))
        except (ValueError, OverflowError, TypeError):
            pass
    if actual == type:
        return item
    if actual in (*_NUMBERS, NUMBER, STR) or isinstance(actual, TensorType):
        return call_op(frame, op, [item], type=type)
    raise CompileError(f"{item.describe()} cannot be converted to {type}")


def _bool(frame: Frame, item: Item = FALSE) -> Item:
    return truth(frame, item)


def _complex(frame: Frame, real: Item, imag: Item = ZERO) -> Item:
    if isinstance(real, Constant) and isinstance(imag, Constant):
        return Constant(complex(real.value, imag.value))
    return call_op(frame, "aten::Complex", [real, imag])


def _str(frame: Frame, item: Item = EMPTY) -> Item:
    return as_string(frame, item)


def _repr(frame: Frame, item: Item) -> Item:
    return as_repr(frame, item)


def _iter(frame: Frame, item: Item) -> Item:
    """Only for what goes over it once; ``next`` is not compiled."""
    written = special(frame, item, "__iter__")
    return item if written is None else written


def _hash(frame: Frame, item: Item) -> Item:
    written = special(frame, item, "__hash__")
    if written is not None:
        return written
    raise CompileError(f"hash() of {item.describe()} cannot be compiled", "write __hash__")


def _copied(frame: Frame, item: Item) -> Item:
    """``copy.copy``."""
    members = object_members(type_of(item))
    type = type_of(item)
    if isinstance(type, TensorType):
        return item
    if isinstance(type, ListType):
        return _list(frame, item)
    if len(members) != 1 or isinstance(item, InstanceItem):
        raise CompileError(f"copy of {item.describe()} cannot be compiled")
    return copy_object(frame, item)


def _abs(frame: Frame, item: Item) -> Item:
    written = special(frame, item, "__abs__")
    if written is not None:
        return written
    type = type_of(item)
    if isinstance(item, Constant) and type in (*_NUMBERS, COMPLEX):
        return Constant(abs(item.value))
    if isinstance(type, TensorType):
        return call_op(frame, "aten::abs", [item])
    if type in (*_NUMBERS, NUMBER):
        item = as_number(frame, item, INT) if type == BOOL else item
        return call_op(frame, "prim::abs", [item])
    raise CompileError(f"abs does not take {item.describe()}")


def _extreme(op: str, python: Callable[..., Any]) -> Callable[..., Item]:
    def apply(frame: Frame, *args: Item) -> Item:
        if len(args) == 1:
            (only,) = args
            if isinstance(only, TupleItem | ListItem | ShapeItem | DictItem | RangeItem):
                turns = turns_of(frame, only)
                if turns.items is None:
                    sequence = frame.dynamic(frame.value(only), ListType(INT))
                    return call_op(frame, op, [sequence])
                args = tuple(turns.items)
            else:
                type = type_of(only)
                if isinstance(type, TensorType):
                    return call_op(frame, "aten::" + op.partition("::")[2], [only])
                element = type.element if isinstance(type, ListType) else None
                sequence = frame.dynamic(frame.value(only), type)
                return call_op(frame, op, [sequence], type=element)
        if not args:
            raise CompileError(f"{python.__name__} of nothing")
        if all(isinstance(a, Constant) for a in args):
            return Constant(python(a.value for a in args))  # type: ignore[attr-defined]
        if any(isinstance(type_of(a), TensorType) for a in args):
            args = tuple(_as_tensor(frame, a) for a in args)
            best = args[0]
            for each in args[1:]:
                best = _pick_tensor(frame, op, best, each)
            return best
        for each in args:
            if type_of(each) not in (*_NUMBERS, NUMBER):
                raise CompileError(f"{python.__name__} does not take {each.describe()}")
        best = args[0]
        for each in args[1:]:
            pair = [as_number(frame, a, INT) if type_of(a) == BOOL else a for a in (best, each)]
            best = call_op(frame, op, pair)
        return best

    return apply


def _as_tensor(frame: Frame, item: Item) -> Item:
    """A number beside tensors: which one is the largest is decided at run time."""
    if isinstance(type_of(item), TensorType):
        return item
    from ingot.capture.script.torch_functions import make_tensor

    return make_tensor(frame, item)


def _pick_tensor(frame: Frame, op: str, a: Item, b: Item) -> Item:
    """Python's min and max of one-element tensors: the first that no other one beats."""
    import ast

    from ingot.capture.script.flow import Junction

    beats = compare(frame, ast.Lt() if op == "prim::min" else ast.Gt(), b, a)
    branch = frame.builder.if_(frame.value(truth(frame, beats)))
    junction = Junction(frame, branch, 0)
    result = junction.join_items(b, a, "value")
    junction.finish()
    return result


def _sum(frame: Frame, item: Item, start: Item = ZERO) -> Item:
    if isinstance(item, TupleItem | ListItem):
        total = start
        for each in item.items:
            total = binary(frame, "+", total, each)
        return total
    type = type_of(item)
    if isinstance(type, TensorType):
        return call_op(frame, "aten::sum", [item, Constant(0)])
    sequence = frame.dynamic(frame.value(item), type)
    element = INT if type == SIZE else type.element if isinstance(type, ListType) else None
    if element in (INT, FLOAT, BOOL):
        total = call_op(frame, "aten::sum", [sequence])
        return total if start == Constant(0) else binary(frame, "+", start, total)
    if isinstance(element, TensorType):
        from ingot.capture.script.library import sum_tensors

        total = frame.compiler.call(frame, sum_tensors, [sequence], {}, frame.node)
        return total if start == Constant(0) else binary(frame, "+", start, total)
    raise CompileError(f"sum does not take {item.describe()}")


def _all_any(name: str, python: Callable[..., bool], symbol: str) -> Callable[..., Item]:
    def apply(frame: Frame, item: Item) -> Item:
        if isinstance(item, TupleItem | ListItem):
            result: Item = Constant(name == "all")
            for each in item.items:
                one = truth(frame, each)
                if isinstance(one, Constant):
                    if one.value is not (name == "all"):
                        return one
                elif isinstance(result, Constant):
                    result = one
                else:
                    result = binary(frame, symbol, result, one)
            return result
        type = type_of(item)
        if isinstance(type, TensorType):
            return truth(frame, call_op(frame, f"aten::{name}", [item]))
        return call_op(frame, f"aten::{name}", [item], type=BOOL)

    return apply


def _round(frame: Frame, item: Item, digits: Item = NOTHING) -> Item:
    type = type_of(item)
    if isinstance(item, Constant) and isinstance(digits, Constant):
        return Constant(round(item.value, digits.value))
    if isinstance(type, TensorType):
        return call_op(frame, "aten::round", [item])
    if digits == NOTHING and type in (INT, BOOL):
        return as_number(frame, item, INT)
    if digits == NOTHING and type == FLOAT:
        return call_op(frame, "aten::Int", [call_op(frame, "aten::round", [item])])
    raise CompileError("round with digits is supported for compile-time constants only")


_SPACE, _NEW_LINE = Constant(" "), Constant("\n")


def _print(frame: Frame, *items: Item, sep: Item = _SPACE, end: Item = _NEW_LINE) -> Item:
    parts: list[Item] = []
    for i, each in enumerate(items):
        parts += [sep] * bool(i)
        parts.append(as_string(frame, each))
    call_op(frame, "prim::Print", [concatenate(frame, [*parts, end])])
    return NOTHING


def _list(frame: Frame, item: Item | None = None) -> Item:
    if item is None:
        return make_list(frame, [])
    type = type_of(item)
    if isinstance(item, TupleItem | ListItem | DictItem | ModuleItem):
        return make_list(frame, list(turns_of(frame, item).items or ()))
    if isinstance(type, ListType) or type == SIZE:
        element = type.element if isinstance(type, ListType) else INT
        sequence = frame.dynamic(frame.value(item), ListType(element))
        return call_op(frame, "aten::list", [sequence], type=ListType(element))
    if type == STR:
        return call_op(frame, "aten::list", [item])
    if isinstance(type, TensorType):
        return call_op(frame, "aten::unbind", [item])
    if isinstance(type, DictType):
        return call_op(frame, "aten::keys", [item], type=ListType(type.key))
    return _collect(frame, item)


def _collect(frame: Frame, item: Item) -> Item:
    """The elements of a range, zip, enumerate or reversed as a list."""
    from ingot.capture.script.library import collect

    return frame.compiler.call(frame, collect, [item], {}, frame.node)


_NO_ITEMS = TupleItem(())


def _tuple(frame: Frame, item: Item = _NO_ITEMS) -> Item:
    match item:
        case TupleItem(items) | ListItem(items):
            return TupleItem(items)
        case ModuleItem() | DictItem() | RangeItem() | ZipItem() | EnumerateItem() | ReversedItem():
            turns = turns_of(frame, item)
            if turns.items is not None:
                return TupleItem(tuple(turns.items))
        case ShapeItem():
            return item
    return item if type_of(item) == SIZE else _list(frame, item)


def _dict(frame: Frame, *args: Item, **kwargs: Item) -> Item:
    pairs: list[tuple[Item, Item]] = [(Constant(k), v) for k, v in kwargs.items()]
    if not args:
        return make_dict(frame, pairs)
    (item,) = args
    if isinstance(item, DictItem):
        return make_dict(frame, [(Constant(k), v) for k, v in item.items.items()] + pairs)
    type = type_of(item)
    if isinstance(type, DictType):
        return call_op(frame, "aten::copy", [item], type=type)
    return call_op(frame, "aten::dict", [item])


def _sorted(frame: Frame, item: Item, reverse: Item = FALSE) -> Item:
    copied = _list(frame, item)
    assert isinstance(copied, Dynamic)
    call_op(frame, "aten::sort", [copied, reverse])
    return copied


def _divmod(frame: Frame, a: Item, b: Item) -> Item:
    return TupleItem((binary(frame, "//", a, b), binary(frame, "%", a, b)))


def _pow(frame: Frame, a: Item, b: Item) -> Item:
    return binary(frame, "**", a, b)


def _hasattr(frame: Frame, item: Item, name: Item) -> Item:
    from ingot.capture.script.attributes import attribute

    if not isinstance(name, Constant):
        unroll_loops(frame)
    mark = frame.builder.mark()
    try:
        attribute(frame, item, _text(name))
        return Constant(True)
    except CompileError:
        return Constant(False)
    finally:
        frame.builder.rewind(mark)


def _getattr(frame: Frame, item: Item, name: Item, default: Item | None = None) -> Item:
    from ingot.capture.script.attributes import attribute

    if not isinstance(name, Constant):
        unroll_loops(frame)
    if default is not None and _hasattr(frame, item, name) == Constant(False):
        return default
    return attribute(frame, item, _text(name))


def _setattr(frame: Frame, item: Item, name: Item, value: Item) -> Item:
    from ingot.capture.script.modules import set_attribute

    set_attribute(frame, item, _text(name), value)
    return NOTHING


def _text(item: Item) -> str:
    if isinstance(item, Constant) and isinstance(item.value, str):
        return item.value
    raise CompileError("the name of an attribute must be known while compiling")


def _callable(frame: Frame, item: Item) -> Item:
    if isinstance(item, PythonItem):
        return Constant(callable(item.object))
    return Constant(isinstance(item, ModuleItem | MethodItem | LocalFunction))


def _type(frame: Frame, item: Item) -> Item:
    if isinstance(item, ModuleItem):
        return PythonItem(type(item.module))
    cls = class_of(frame, item)
    if cls is not None:
        return PythonItem(cls)
    classes = {TENSOR: torch.Tensor, INT: int, FLOAT: float, BOOL: bool, STR: str}
    found = classes.get(settle(type_of(item) or NUMBER))
    if found is None:
        raise CompileError(f"type() of {item.describe()} is not known", "use isinstance")
    return PythonItem(found)


def _issubclass(frame: Frame, a: Item, b: Item) -> Item:
    if isinstance(a, PythonItem) and isinstance(b, PythonItem):
        return Constant(issubclass(a.object, b.object))
    raise CompileError("issubclass takes classes")


def _character(op: str, python: Callable[..., Any]) -> Callable[..., Item]:
    def apply(frame: Frame, item: Item) -> Item:
        if isinstance(item, Constant):
            return Constant(python(item.value))
        return call_op(frame, op, [item])

    return apply


def _math(function: Callable[..., Any]) -> Callable[..., Item]:
    """A function of Python's math module, folded or an op of the same name."""

    def apply(frame: Frame, *args: Item) -> Item:
        if all(isinstance(a, Constant) for a in args):
            try:
                value = function(*(a.value for a in args))  # type: ignore[attr-defined]
            except (ValueError, OverflowError, TypeError):
                value = ...
            if is_constant_object(value):
                return Constant(value)
        numbers = [
            call_op(frame, "aten::Float", [a]) if type_of(a) in (NUMBER, TENSOR) else a
            for a in args
        ]
        numbers = [as_number(frame, a, INT) if type_of(a) == BOOL else a for a in numbers]
        return call_op(frame, f"aten::{function.__name__}", numbers)

    return apply


BUILTINS: dict[Any, Callable[..., Item]] = {
    len: _len,
    range: _range,
    enumerate: _enumerate,
    zip: _zip,
    reversed: _reversed,
    itertools.repeat: _repeat,
    int: _int,
    float: _float,
    bool: _bool,
    complex: _complex,
    str: _str,
    repr: _repr,
    iter: _iter,
    hash: _hash,
    copy.copy: _copied,
    dataclasses.replace: replace,
    dataclasses.astuple: as_tuple,
    abs: _abs,
    min: _extreme("prim::min", min),
    max: _extreme("prim::max", max),
    sum: _sum,
    all: _all_any("all", all, "&"),
    any: _all_any("any", any, "|"),
    round: _round,
    print: _print,
    list: _list,
    tuple: _tuple,
    torch.Size: _tuple,
    dict: _dict,
    OrderedDict: _dict,
    sorted: _sorted,
    divmod: _divmod,
    pow: _pow,
    hasattr: _hasattr,
    getattr: _getattr,
    setattr: _setattr,
    callable: _callable,
    type: _type,
    issubclass: _issubclass,
    ord: _character("aten::ord", ord),
    chr: _character("aten::chr", chr),
    **{f: _math(f) for f in vars(math).values() if callable(f) and not isinstance(f, type)},
}
