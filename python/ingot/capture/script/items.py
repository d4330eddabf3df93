"""Taking items apart into the program's values and putting them together again.

A function is compiled once for each ``signature`` of its arguments: what is known at compile
time is part of it, and the ``leaves`` become the inputs of a method. Results travel back the
same way, so a tuple of a tensor and a constant stays one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ingot.capture.script.language import SIZE, dict_value, join, settle
from ingot.capture.script.values import (
    AwaitItem,
    CaughtClassItem,
    CaughtItem,
    Constant,
    DictItem,
    Dynamic,
    EnumerateItem,
    Environment,
    ExceptionItem,
    InstanceItem,
    Item,
    IteratorItem,
    LimitsItem,
    ListItem,
    LocalFunction,
    MethodItem,
    ModuleItem,
    Narrowed,
    PartialItem,
    PickItem,
    PythonItem,
    RangeItem,
    ReversedItem,
    ShapeItem,
    SliceItem,
    SuperItem,
    TupleItem,
    ZipItem,
    is_constant_object,
)
from ingot.ir.types import DictType, ListType, NamedTupleType, TupleType, Type


def children(item: Item) -> tuple[Item, ...]:
    """The items directly inside an item."""
    match item:
        case TupleItem(items) | ListItem(items) | ZipItem(items) | CaughtItem(items):
            return items
        case PartialItem(call=call):
            return call
        case LimitsItem(dtype=dtype):
            return (dtype,)
        case ExceptionItem(message=message):
            return (message,)
        case DictItem(items):
            return tuple(items.values())
        case RangeItem(start, stop, step) | SliceItem(start, stop, step):
            return (start, stop, step)
        case EnumerateItem(inner, start) | IteratorItem(inner, start):
            return (inner, start)
        case CaughtClassItem(inner):
            return (inner,)
        case AwaitItem(call, result):
            return (result, *call)
        case ReversedItem(inner):
            return (inner,)
        case PickItem(index, items):
            return (index, *items)
        case MethodItem(receiver) | SuperItem(receiver):
            return (receiver,)
        case ShapeItem(tensor):
            return (tensor,)
        case LocalFunction(environment=environment):
            return tuple(environment.names.values())
    return ()


def with_children(item: Item, inner: tuple[Item, ...]) -> Item:
    """The same item around other children."""
    match item:
        case TupleItem(named=named):
            return TupleItem(inner, named)
        case ListItem(kept=kept):
            return ListItem(inner, kept)
        case LimitsItem(make=make):
            return LimitsItem(inner[0], make)
        case PartialItem(names=given):
            return PartialItem(inner, given)
        case CaughtItem(classes=classes):
            return CaughtItem(inner, classes)
        case ExceptionItem(kind, _, cls):
            return ExceptionItem(kind, inner[0], cls)
        case ZipItem():
            return ZipItem(inner)
        case DictItem(items, kept):
            return DictItem(dict(zip(items, inner, strict=True)), kept)
        case RangeItem():
            return RangeItem(*inner)
        case SliceItem():
            return SliceItem(*inner)
        case EnumerateItem():
            return EnumerateItem(*inner)
        case IteratorItem():
            return IteratorItem(*inner)
        case CaughtClassItem():
            return CaughtClassItem(inner[0])  # type: ignore[arg-type]
        case ReversedItem():
            return ReversedItem(*inner)
        case AwaitItem(names=keywords):
            return AwaitItem(inner[1:], inner[0], keywords)
        case PickItem(keys=keys):
            return PickItem(inner[0], inner[1:], keys)  # type: ignore[arg-type]
        case MethodItem(_, name, function):
            return MethodItem(inner[0], name, function)
        case SuperItem(_, after, cls):
            return SuperItem(inner[0], after, cls)
        case ShapeItem():
            return ShapeItem(inner[0])  # type: ignore[arg-type]
        case LocalFunction(environment=environment):
            names = dict(zip(environment.names, inner, strict=True))
            return replace(item, environment=Environment(names))
    return item


def leaves(item: Item) -> Iterator[Dynamic]:
    """The values of the program inside an item, in order."""
    if isinstance(item, Dynamic):
        yield item
    for child in children(item):
        yield from leaves(child)


def rebuild(item: Item, values: Iterator[Dynamic]) -> Item:
    """The same item around other values, taken in the order of ``leaves``."""
    if isinstance(item, Dynamic):
        return next(values)
    inner = children(item)
    return with_children(item, tuple(rebuild(c, values) for c in inner)) if inner else item


def signature(item: Item) -> tuple:
    """Equal for items that a function can be compiled for once."""
    match item:
        case Dynamic():
            return ("value", settle(item.type))
        case Constant():
            return ("constant", item)
        case ModuleItem(module, path):
            return ("module", id(module), path)
        case InstanceItem(object, path):
            return ("instance", id(object), path)
        case PythonItem(object):
            return ("python", id(object))
        case SuperItem(receiver, after, cls):
            return ("super", signature(receiver), after, cls)
        case TupleItem(items, named):
            return ("tuple", named, *map(signature, items))
        case DictItem(items):
            return ("dict", tuple(items), *map(signature, items.values()))
        case ExceptionItem(_, message, cls):
            return ("exception", cls, signature(message))
        case LimitsItem(dtype, make):
            return ("limits", make, signature(dtype))
        case PartialItem(call, names):
            return ("partial", names, *map(signature, call))
        case CaughtItem(parts, classes):
            return ("caught", classes, *map(signature, parts))
        case PickItem(index, items, keys):
            return ("pick", keys, *map(signature, (index, *items)))
        case AwaitItem(call, result, names):
            return ("await", names, *map(signature, (result, *call)))
        case MethodItem(receiver, name, function):
            return ("method", name, id(function), signature(receiver))
        case LocalFunction(node, _, environment):
            captured = ((n, signature(i)) for n, i in environment.names.items())
            return ("local", id(node), *captured)
    inner = children(item)
    if inner:
        return (type(item), *map(signature, inner))
    return (type(item), id(item))


def type_of(item: Item) -> Type | None:
    """The type that the item has as a value of the program; None if it cannot be one."""
    match item:
        case Dynamic() | Narrowed():
            return settle(item.type)
        case Constant() | InstanceItem():
            return item.type
        case ShapeItem():
            return SIZE
        case TupleItem(items, named):
            types = tuple(map(type_of, items))
            known = tuple(t for t in types if t is not None)
            if len(known) != len(types):
                return None
            if named is None:
                return TupleType(known)
            return NamedTupleType(named.__name__, tuple(named._fields), known)  # type: ignore[attr-defined]
        case ListItem(items) if items:
            element = _joined(items)
            return None if element is None else ListType(element)
        case DictItem(items) if items and all(is_constant_object(k) for k in items):
            key, value = _joined(map(Constant, items)), _joined(items.values())
            return None if key is None or value is None else DictType(key, dict_value(value))
    return None


def _joined(items: Iterable[Item]) -> Type | None:
    """The type that holds all of the items, of which there is at least one."""
    together: Type | None = None
    for each in items:
        type = type_of(each)
        if type is not None:
            type = type if together is None else join(together, type)
        if type is None:
            return None
        together = type
    return together
