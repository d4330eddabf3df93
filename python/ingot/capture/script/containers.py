"""Methods of lists, dicts and strings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ingot.capture.script import library
from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.expressions import make_dict, make_list
from ingot.capture.script.handlers import apply_handler
from ingot.capture.script.items import type_of
from ingot.capture.script.language import (
    SIZE,
    FutureType,
    Hole,
    SetType,
    dict_value,
    has_hole,
    holds,
    is_subtype,
    join,
    optional,
    require_key,
    settle,
    without_none,
)
from ingot.capture.script.modules import changeable
from ingot.capture.script.objects import object_members
from ingot.capture.script.operations import call_op
from ingot.capture.script.readonly import readable
from ingot.capture.script.sets import set_method
from ingot.capture.script.values import (
    NOTHING,
    TRUE,
    ZERO,
    Constant,
    DictItem,
    Dynamic,
    Item,
    ListItem,
    PythonItem,
    ShapeItem,
    TupleItem,
    is_constant_object,
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
    TensorType,
    TupleType,
    Type,
)

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame


def call_container_method(
    frame: Frame, receiver: Item, name: str, args: list[Item], kwargs: dict[str, Item]
) -> Item:
    """A method of a list, dict, str, tuple or size. Raises CompileError if there is none."""
    if isinstance(receiver, DictItem) and is_own(frame, receiver):
        changed = _own_change(frame, receiver, name, args, kwargs)
        if changed is not None:
            return changed
    if name in _CHANGES and isinstance(receiver, ListItem | DictItem):
        receiver = changeable(frame, receiver, _type_after(receiver, name, args))
    type = type_of(receiver)
    if isinstance(receiver, DictItem):
        return _dict_item(frame, receiver, name, args, kwargs)
    if isinstance(receiver, TupleItem | ListItem):
        return _static(frame, receiver, name, args)
    if type == STR:
        return _string(frame, receiver, name, args, kwargs)
    if isinstance(type, ListType):
        assert isinstance(receiver, Dynamic)
        handler = _LIST.get(name)
        if handler is not None:
            return apply_handler(name, handler, frame, [receiver], args, kwargs)
    if isinstance(type, DictType):
        assert isinstance(receiver, Dynamic)
        handler = _DICT.get(name)
        if handler is not None:
            return apply_handler(name, handler, frame, [receiver], args, kwargs)
    if isinstance(type, SetType):
        return set_method(frame, receiver, name, args)
    if isinstance(type, FutureType) and name in ("wait", "value", "done"):
        if name == "done":
            return TRUE
        return frame.dynamic(frame.value(receiver), type.element)
    if type in (INT, FLOAT, BOOL, COMPLEX):
        return _number_method(frame, receiver, name, args)
    if isinstance(type, NamedTupleType | TupleType) and isinstance(receiver, Dynamic):
        values = frame.builder.tuple_unpack(receiver.value)
        pairs = zip(values, type.elements, strict=True)
        parts = TupleItem(tuple(frame.dynamic(v, t) for v, t in pairs))
        return _static(frame, parts, name, args)
    if (isinstance(receiver, ShapeItem) or type == SIZE) and name == "numel":
        sizes = frame.dynamic(frame.value(receiver), ListType(INT))
        return product(frame, sizes)
    if type == SIZE and name in ("index", "count"):
        return call_op(frame, f"aten::{name}", [receiver, *args])
    raise CompileError(f"{receiver.describe()} has no method {name} that can be compiled")


def is_own(frame: Frame, item: DictItem) -> bool:
    """Whether it is the ``**kwargs`` of the function being compiled, which nothing else holds."""
    star = getattr(frame.source.node.args, "kwarg", None)
    return star is not None and not frame.tries and frame.environment.names.get(star.arg) is item


def replace_own(frame: Frame, item: DictItem, items: dict[Any, Item]) -> None:
    """Changes ``**kwargs``: every variable that is it becomes the dict with ``items``."""
    changed = DictItem(items)
    for name, held in list(frame.environment.names.items()):
        if held is item:
            frame.environment.names[name] = changed


def _own_change(
    frame: Frame, item: DictItem, name: str, args: list[Item], kwargs: dict[str, Item]
) -> Item | None:
    """``kwargs.pop(key)`` and its like; None for methods that change nothing, and keys that are
    not known while compiling."""
    items = dict(item.items)
    result: Item = NOTHING
    match name, args:
        case "pop", [Constant(key), *default] if key in items or default:
            result = items.pop(key, default[0] if default else NOTHING)
        case "pop", [Constant(key)]:
            raise CompileError(f"{item.describe()} has no key {key!r}")
        case "setdefault", [Constant(key), *default]:
            result = items.setdefault(key, default[0] if default else NOTHING)
        case "update", [] | [DictItem()]:
            items.update(args[0].items if args else {})  # type: ignore[attr-defined]
            items.update(kwargs)
        case "clear", []:
            items.clear()
        case _:
            return None
    replace_own(frame, item, items)
    return result


def _number_method(frame: Frame, receiver: Item, name: str, args: list[Item]) -> Item:
    """``x.is_integer()`` and ``c.conjugate()``."""
    if isinstance(receiver, Constant) and hasattr(receiver.value, name):
        return _fold(getattr(receiver.value, name), args, {})
    type = type_of(receiver)
    if name == "conjugate":
        return receiver if type != COMPLEX else call_op(frame, "prim::conj", [receiver])
    if name == "is_integer" and type == FLOAT:
        return frame.call(library.is_whole, receiver)
    if name == "bit_length" and type == INT:
        return frame.call(library.bit_length, receiver)
    if name == "item":
        raise CompileError(f"{receiver.describe()} has no method item", "it is a number already")
    raise CompileError(f"{receiver.describe()} has no method {name} that can be compiled")


def product(frame: Frame, numbers: Item) -> Item:
    """The product of a list of ints."""
    from ingot.capture.script.library import product as composition

    return frame.call(composition, numbers)


# --- lists -------------------------------------------------------------------------------


def fill(container: Type, item: Item) -> Type:
    """An element type, decided by the item if it is not known yet."""
    actual = type_of(item)
    if has_hole(container) and actual is not None:
        is_subtype(actual, container)
    return settle(container)


def element(frame: Frame, container: Type, item: Item) -> Item:
    """The item as an element of a list or dict whose elements are ``container``."""
    type = fill(container, item)
    try:
        return frame.dynamic(frame.value(item, type), type)
    except CompileError as error:
        raise CompileError(
            f"{item.describe()} is put into a container of {type}", error.hint
        ) from None


def _dict_element(frame: Frame, type: DictType, item: Item) -> Item:
    if type_of(item) == NONE and isinstance(settle(type.value), Hole):
        is_subtype(dict_value(NONE), type.value)
    return element(frame, type.value, item)


def _list_type(receiver: Dynamic) -> ListType:
    type = settle(receiver.type)
    assert isinstance(type, ListType)
    return type


def _append(frame: Frame, receiver: Dynamic, item: Item) -> Item:
    each = element(frame, _list_type(receiver).element, item)
    call_op(frame, "aten::append", [receiver, each], type=receiver.type)
    return NOTHING


def extend(frame: Frame, receiver: Dynamic, items: Item) -> Item:
    """``receiver.extend(items)``."""
    if isinstance(items, TupleItem | ListItem):
        for each in items.items:
            _append(frame, receiver, each)
        return NOTHING
    type = type_of(items)
    if not isinstance(type, ListType) and type != SIZE:
        from ingot.capture.script.sequence_builtins import as_list

        items = as_list(frame, items)
        type = type_of(items)
    other = ListType(INT) if type == SIZE else type
    if other is None or not is_subtype(other, receiver.type):
        raise CompileError(f"{receiver.describe()} cannot be extended by {items.describe()}")
    sequence = frame.dynamic(frame.value(items), settle(other))
    call_op(frame, "aten::extend", [receiver, sequence])
    return NOTHING


def _insert(frame: Frame, receiver: Dynamic, index: Item, item: Item) -> Item:
    each = element(frame, _list_type(receiver).element, item)
    call_op(frame, "aten::insert", [receiver, index, each], type=receiver.type)
    return NOTHING


_LAST = Constant(-1)


def _pop(frame: Frame, receiver: Dynamic, index: Item = _LAST) -> Item:
    return call_op(frame, "aten::pop", [receiver, index], type=_list_type(receiver).element)


def _plain(op: str, gives: Type | None = None) -> Callable[..., Item]:
    """A method that is an op on the list or dict; without ``gives`` it gives None."""

    def apply(frame: Frame, receiver: Dynamic, *args: Item, **kwargs: Item) -> Item:
        type = settle(receiver.type)
        assert isinstance(type, ListType | DictType)
        inner = type.element if isinstance(type, ListType) else type.key
        items = [element(frame, inner, a) if gives == INT else a for a in args]
        result = call_op(frame, op, [receiver, *items], kwargs)
        return NOTHING if gives is None else result

    return apply


def _copy(frame: Frame, receiver: Dynamic) -> Item:
    listed = isinstance(settle(receiver.type), ListType)
    if frame.assume_empty(receiver.type):
        return make_list(frame, []) if listed else make_dict(frame, [])
    op = "aten::list" if listed else "aten::copy"
    return call_op(frame, op, [receiver], type=receiver.type)


def _sort(frame: Frame, receiver: Dynamic, **kwargs: Item) -> Item:
    from ingot.capture.script.sequence_builtins import sort_in_place

    return sort_in_place(frame, receiver, **kwargs)


def _search(
    op: str, function: Callable[..., Any], gives: Type | None = None
) -> Callable[..., Item]:
    """index, count or remove: an op where the elements are compared by their values alone."""

    def apply(frame: Frame, receiver: Dynamic, item: Item, *bounds: Item) -> Item:
        inside, actual = settle(_list_type(receiver).element), type_of(item)
        one = isinstance(inside, TensorType) or bool(object_members(without_none(inside)))
        known = isinstance(inside, Hole) or inside == actual
        if known and not one and not bounds and not _holds_own(inside):
            return _plain(op, gives)(frame, receiver, item)
        same = PythonItem(library.alike if one else library.equal)
        if op == "aten::index" and not bounds:
            bounds = (ZERO,)
        return frame.call(function, receiver, item, same, *bounds)

    return apply


def _holds_own(type: Type) -> bool:
    """Whether values of the type hold objects or tensors, which have an equality of their own."""
    return holds(type, lambda each: isinstance(each, TensorType) or bool(object_members(each)))


_LIST: dict[str, Callable[..., Item]] = {
    "append": _append,
    "extend": extend,
    "insert": _insert,
    "pop": _pop,
    "clear": _plain("aten::clear"),
    "remove": _search("aten::remove", library.remove_first),
    "reverse": _plain("aten::reverse"),
    "sort": _sort,
    "index": _search("aten::index", library.index_between, INT),
    "count": _search("aten::count", library.count_of, INT),
    "copy": _copy,
}


def store_element(
    frame: Frame, base: Item, type: ListType | DictType, index: Item, item: Item
) -> None:
    """``base[index] = item`` for a list or dict."""
    if isinstance(type, DictType):
        key = element(frame, type.key, index)
        require_key(type.key)
        call_op(frame, "aten::_set_item", [base, key, _dict_element(frame, type, item)])
        return
    call_op(frame, "aten::_set_item", [base, index, element(frame, type.element, item)])


# --- dicts -------------------------------------------------------------------------------


def _dict_type(receiver: Dynamic) -> DictType:
    type = settle(receiver.type)
    assert isinstance(type, DictType)
    return type


def _get(frame: Frame, receiver: Dynamic, key: Item, default: Item = NOTHING) -> Item:
    type = _dict_type(receiver)
    key = element(frame, type.key, key)
    if default == NOTHING:
        return call_op(frame, "aten::get", [receiver, key], type=optional(type.value))
    together = join(type.value, type_of(default) or type.value)
    if together != settle(type.value) and together is not None:
        return _get_wider(frame, receiver, key, default)
    value = _dict_element(frame, type, default)
    return call_op(frame, "aten::get", [receiver, key, value], type=type.value)


def _get_wider(frame: Frame, receiver: Dynamic, key: Item, default: Item) -> Item:
    """``d.get(key, default)`` where the default is no value of the dict."""
    from ingot.capture.script.sequence_builtins import choose

    there = call_op(frame, "aten::__contains__", [receiver, key])
    value = _dict_type(receiver).value

    def found() -> Item:
        return call_op(frame, "aten::__getitem__", [receiver, key], type=value)

    return choose(frame, there, found, lambda: default)


def _keys(frame: Frame, receiver: Dynamic) -> Item:
    return call_op(frame, "aten::keys", [receiver], type=ListType(_dict_type(receiver).key))


def _values(frame: Frame, receiver: Dynamic) -> Item:
    return call_op(frame, "aten::values", [receiver], type=ListType(_dict_type(receiver).value))


def _items(frame: Frame, receiver: Dynamic) -> Item:
    type = _dict_type(receiver)
    pair = TupleType((type.key, type.value))
    return call_op(frame, "aten::items", [receiver], type=ListType(pair))


def _dict_pop(frame: Frame, receiver: Dynamic, key: Item, *default: Item) -> Item:
    type = _dict_type(receiver)
    rest = [element(frame, type.value, each) for each in default]
    return call_op(frame, "aten::pop", [receiver, key, *rest], type=type.value)


def _pop_item(frame: Frame, receiver: Dynamic) -> Item:
    type = _dict_type(receiver)
    return call_op(frame, "aten::popitem", [receiver], type=TupleType((type.key, type.value)))


def _set_default(frame: Frame, receiver: Dynamic, key: Item, default: Item = NOTHING) -> Item:
    type = _dict_type(receiver)
    value = _dict_element(frame, type, default)
    return call_op(frame, "aten::setdefault", [receiver, key, value], type=settle(type.value))


def _update(frame: Frame, receiver: Dynamic, other: Item | None = None, **kwargs: Item) -> Item:
    if isinstance(other, DictItem):
        for key, value in other.items.items():
            store_element(frame, receiver, _dict_type(receiver), Constant(key), value)
    elif other is not None:
        type = type_of(other)
        if not isinstance(type, DictType):
            other = frame.call(library.dict_of_pairs, other)
        elif has_hole(receiver.type):
            is_subtype(type, receiver.type)
        call_op(frame, "aten::update", [receiver, other])
    for name, item in kwargs.items():
        store_element(frame, receiver, _dict_type(receiver), Constant(name), item)
    return NOTHING


_DICT: dict[str, Callable[..., Item]] = {
    "get": _get,
    "keys": _keys,
    "values": _values,
    "items": _items,
    "pop": _dict_pop,
    "popitem": _pop_item,
    "setdefault": _set_default,
    "update": _update,
    "clear": _plain("aten::clear"),
    "copy": _copy,
}


_CHANGES = frozenset(
    {
        "append",
        "extend",
        "insert",
        "pop",
        "clear",
        "remove",
        "reverse",
        "sort",
        "setdefault",
        "update",
        "popitem",
    }
)


def _type_after(receiver: ListItem | DictItem, name: str, args: list[Item]) -> Type | None:
    """What an empty container holds once the method has put its arguments there."""
    types = [type_of(each) for each in args]
    if any(each is None for each in types):
        return None
    match name, *types:
        case "append", Type() as element:
            return ListType(element)
        case "insert", _, Type() as element:
            return ListType(element)
        case "extend", ListType() as other:
            return other
        case "setdefault", Type() as key, Type() as value:
            return DictType(key, dict_value(value))
        case "update", DictType() as other:
            return other
    return None


def _dict_item(
    frame: Frame, receiver: DictItem, name: str, args: list[Item], kwargs: dict[str, Item]
) -> Item:
    items = receiver.items
    match name:
        case "keys":
            return ListItem(tuple(map(Constant, items)))
        case "values":
            return ListItem(tuple(items.values()))
        case "items":
            return ListItem(tuple(TupleItem((Constant(k), v)) for k, v in items.items()))
        case "get" if len(args) in (1, 2) and isinstance(args[0], Constant):
            return items.get(args[0].value, args[1] if len(args) > 1 else NOTHING)
        case "copy":
            return receiver
    handler = _DICT.get(name)
    if handler is None:
        raise CompileError(f"{receiver.describe()} has no method {name} that can be compiled")
    return apply_handler(name, handler, frame, [readable(frame, receiver)], args, kwargs)


def _static(frame: Frame, receiver: TupleItem | ListItem, name: str, args: list[Item]) -> Item:
    from ingot.capture.script.values import same

    if name in ("index", "count") and len(args) == 1:
        places = [i for i, each in enumerate(receiver.items) if same(each, args[0])]
        known = all(isinstance(each, Constant) for each in (*receiver.items, args[0]))
        if known and (name == "count" or places):
            return Constant(len(places) if name == "count" else places[0])
        sequence = frame.dynamic(frame.value(receiver, _as_list(receiver)))
        return apply_handler(name, _LIST[name], frame, [sequence], args, {})
    if name == "copy":
        return make_list(frame, list(receiver.items))
    raise CompileError(f"{receiver.describe()} has no method {name} that can be compiled")


def _as_list(receiver: TupleItem | ListItem) -> Type:
    type = type_of(ListItem(receiver.items))
    if type is None:
        raise CompileError(f"{receiver.describe()} is no list of one type")
    return type


# --- strings -----------------------------------------------------------------------------


def _string(
    frame: Frame, receiver: Item, name: str, args: list[Item], kwargs: dict[str, Item]
) -> Item:
    known = [receiver, *args, *kwargs.values()]
    if all(isinstance(each, Constant) for each in known):
        function = getattr(receiver.value, name, None)  # type: ignore[attr-defined]
        if function is not None:
            return _fold(function, args, kwargs)
    if name == "join" and len(args) == 1 and isinstance(args[0], TupleItem | ListItem):
        strings = frame.dynamic(frame.value(args[0], ListType(STR)))
        return call_op(frame, "aten::join", [receiver, strings])
    if name in _SEARCHES and len(args) > 1:
        args = _bounded(frame, receiver, args)
    special = _TEXT_METHODS.get(name)
    if special is not None and args and isinstance(type_of(args[0]), TupleType | ListType):
        choices = frame.dynamic(frame.value(args[0], ListType(STR)), ListType(STR))
        bounds = [*args[1:], *_WHOLE_TEXT[len(args) - 1 :]]
        return frame.call(special, receiver, choices, *bounds)
    if name in _TEXT_COMPOSITIONS:
        function = _TEXT_COMPOSITIONS[name]
        return frame.call(function, receiver, *args)
    if name == "casefold":
        return frame.call(library.casefold, receiver, Constant(library.unlike_lower()), *args)
    if name in ("strip", "lstrip", "rstrip", "split", "rsplit"):
        args = args[1:] if args[:1] == [NOTHING] and len(args) == 1 else args
        if name == "rsplit" and args[:1] == [NOTHING] and len(args) == 2:
            return frame.call(library.split_from_right, receiver, args[1])
        if name.endswith("split"):
            kwargs = {
                {"sep": "separator", "maxsplit": "max"}.get(k, k): v for k, v in kwargs.items()
            }
    if name == "join" and args and not isinstance(type_of(args[0]), ListType):
        from ingot.capture.script.sequence_builtins import as_list

        args = [as_list(frame, args[0])]
    if name == "format":
        from ingot.capture.script.strings import format_string

        return format_string(frame, receiver, args, kwargs)
    if type_of(receiver) != STR or not hasattr(str, name):
        raise CompileError(f"{receiver.describe()} has no method {name}")
    return call_op(frame, f"aten::{name}", [receiver, *args], kwargs)


_SEARCHES = frozenset(("find", "rfind", "index", "rindex", "count", "startswith", "endswith"))
"""Methods that take a text and the bounds of where it is looked for."""

_WHOLE_TEXT = (ZERO, Constant(2**62))


def _bounded(frame: Frame, receiver: Item, args: list[Item]) -> list[Item]:
    """An end is counted from the beginning: to the ops, -1 is the end itself."""
    text, start, *ends = args
    if start == NOTHING:
        start = ZERO
    if ends == [NOTHING]:
        ends = []
    if ends and not (isinstance(ends[0], Constant) and ends[0].value >= 0):
        ends[0] = frame.call(library.from_the_left, receiver, ends[0])
    return [text, start, *ends]


_TEXT_METHODS: dict[str, Callable[..., Any]] = {
    "startswith": library.starts_with_any,
    "endswith": library.ends_with_any,
}
"""With a tuple of strings."""

_TEXT_COMPOSITIONS: dict[str, Callable[..., Any]] = {
    "removeprefix": library.remove_prefix,
    "removesuffix": library.remove_suffix,
    "isascii": library.is_ascii,
}


def _fold(function: Any, args: list[Item], kwargs: dict[str, Item]) -> Item:
    from ingot.capture.script.values import Constant as Known

    values = [a.value for a in args if isinstance(a, Known)]
    named = {k: a.value for k, a in kwargs.items() if isinstance(a, Known)}
    try:
        result = function(*values, **named)
    except Exception as error:
        raise CompileError(f"this raises {type(error).__name__}: {error}") from None
    if is_constant_object(result):
        return Constant(result)
    if isinstance(result, list | tuple) and all(map(is_constant_object, result)):
        return ListItem(tuple(map(Constant, result)))
    raise CompileError(f"a {type(result).__name__} cannot be compiled")
