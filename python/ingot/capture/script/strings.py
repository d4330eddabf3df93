"""Strings made from values: str(), repr(), f-strings, format and %.

Whatever is known while compiling becomes text; the rest is one call of ``aten::format`` or
``aten::percentFormat``.
"""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.enums import enum_of, table
from ingot.capture.script.expressions import expression
from ingot.capture.script.items import type_of
from ingot.capture.script.language import DEVICE, DTYPE, NUMBER, SIZE, SetType
from ingot.capture.script.objects import dispatch, object_members, special
from ingot.capture.script.operations import call_op
from ingot.capture.script.operators import binary
from ingot.capture.script.values import (
    CaughtItem,
    Constant,
    DictItem,
    Dynamic,
    ExceptionItem,
    Item,
    LocalFunction,
    MethodItem,
    ModuleItem,
    PythonItem,
    TupleItem,
)
from ingot.ir.types import (
    BOOL,
    COMPLEX,
    FLOAT,
    INT,
    STR,
    DictType,
    ListType,
    TensorType,
    TupleType,
)

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame


def as_string(frame: Frame, item: Item) -> Item:
    """``str(item)``."""
    item = frame.force(item)
    written = _written(frame, item, ("__str__", "__repr__"))
    if written is not None:
        return written
    match item:
        case Constant(value):
            return Constant(str(value))
        case PythonItem(value):
            return Constant(str(value))
        case ModuleItem(module):
            return Constant(str(module))
        case LocalFunction() | MethodItem():  # Python's text has an address, which is any number
            return Constant(f"<{item.describe().removeprefix('the ')}>")
        case CaughtItem():
            return item.text
        case ExceptionItem(message=message):
            return message
    type = type_of(item)
    if type == STR:
        return item
    if type == SIZE:
        inside = as_string(frame, frame.dynamic(frame.value(item), ListType(INT)))
        return concatenate(frame, [Constant("torch.Size("), inside, Constant(")")])
    if type in (DTYPE, DEVICE) or isinstance(type, SetType):
        from ingot.capture.script import library

        if isinstance(type, SetType):
            plain: Item = frame.dynamic(frame.value(item), DictType(type.element, _NONE))
            return frame.call(library.set_text, plain)
        number = frame.dynamic(frame.value(item), INT)
        function = library.dtype_name if type == DTYPE else library.device_name
        return frame.call(function, number)
    return call_op(frame, "aten::str", [frame.dynamic(frame.value(item))], type=STR)


_NONE = Constant(None).type


def as_repr(frame: Frame, item: Item) -> Item:
    """``repr(item)``."""
    item = frame.force(item)
    written = _written(frame, item, ("__repr__",))
    if written is not None:
        return written
    if isinstance(item, Constant):
        return Constant(repr(item.value))
    if isinstance(item, CaughtItem | ExceptionItem):
        from ingot.capture.script.exceptions import repr_of

        return repr_of(frame, item)
    if type_of(item) == STR:
        return call_op(frame, "prim::repr", [item], type=STR)
    return as_string(frame, item)


def _written(frame: Frame, item: Item, names: tuple[str, ...]) -> Item | None:
    """What a user's class says of itself; objects of classes that say nothing have no text."""
    if len(object_members(type_of(item))) > 1:
        return dispatch(frame, item, lambda each: as_string(frame, each))
    for name in names:
        written = special(frame, item, name)
        if written is not None:
            return written
    if object_members(type_of(item)):
        raise CompileError(
            f"{item.describe()} has no text: its class writes no {names[0]}", "write __str__"
        )
    cls = enum_of(item)
    if cls is None or isinstance(item, Constant):
        return None
    return table(frame, item, [str(m) if len(names) > 1 else repr(m) for m in cls])


def concatenate(frame: Frame, parts: list[Item]) -> Item:
    """The strings one after the other."""
    whole: Item = Constant("")
    for part in parts:
        whole = part if whole == Constant("") else binary(frame, "+", whole, part)
    return whole


class _Template:
    """Text with fields, as one call of ``aten::format``."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.text = ""
        self.values: list[Item] = []

    def add_text(self, text: str) -> None:
        self.text += text.replace("{", "{{").replace("}", "}}")

    def add(self, item: Item, conversion: str, spec: Item) -> None:
        """One field: ``conversion`` is "", "r", "s" or "a"."""
        frame = self.frame
        if isinstance(item, Constant) and isinstance(spec, Constant):
            self.add_text(_formatted(item.value, conversion, spec.value))
            return
        if conversion == "a":
            raise CompileError("!a is supported for compile-time constants only", "use !r")
        if conversion:
            item = as_repr(frame, item) if conversion == "r" else as_string(frame, item)
        elif type_of(item) not in (STR, INT, FLOAT, BOOL, NUMBER) and not _is_tensor(item):
            item = as_string(frame, item)
        if isinstance(item, Constant) and spec == Constant(""):
            self.add_text(str(item.value))
            return
        self.values.append(item)
        if isinstance(spec, Constant):
            self.text += f"{{:{spec.value}}}" if spec.value else "{}"
        else:
            self.text += "{:{}}"
            self.values.append(spec)

    def finish(self) -> Item:
        if not self.values:
            return Constant(self.text.replace("{{", "{").replace("}}", "}"))
        if self.text == "{}" and type_of(self.values[0]) == STR:
            return self.values[0]
        return call_op(self.frame, "aten::format", [Constant(self.text), *self.values], type=STR)


def _is_tensor(item: Item) -> bool:
    return isinstance(type_of(item), TensorType)


def _formatted(value: Any, conversion: str, spec: str) -> str:
    convert: dict[str, Callable[[Any], Any]] = {"r": repr, "s": str, "a": ascii}
    if conversion:
        value = convert[conversion](value)
    try:
        return format(value, spec)
    except (ValueError, TypeError) as error:
        raise CompileError(f"this raises {type(error).__name__}: {error}") from None


def f_string(frame: Frame, node: ast.JoinedStr) -> Item:
    template = _Template(frame)
    for each in node.values:
        if isinstance(each, ast.FormattedValue):
            item = expression(frame, each.value)
            spec = Constant("") if each.format_spec is None else expression(frame, each.format_spec)
            template.add(item, chr(each.conversion) if each.conversion > 0 else "", spec)
        else:
            assert isinstance(each, ast.Constant)
            template.add_text(str(each.value))
    return template.finish()


def format_one(frame: Frame, item: Item, spec: Item) -> Item:
    """``format(item, spec)``."""
    template = _Template(frame)
    template.add(item, "", spec)
    return template.finish()


def format_string(frame: Frame, receiver: Item, args: list[Item], kwargs: dict[str, Item]) -> Item:
    """``receiver.format(*args, **kwargs)``."""
    if not isinstance(receiver, Constant):
        if kwargs:
            raise CompileError(
                "format with names needs a template that is known while compiling",
                "use positions",
            )
        return call_op(frame, "aten::format", [receiver, *args], type=STR)
    return _format(frame, receiver.value, args, kwargs, count())


def _format(
    frame: Frame, text: str, args: list[Item], kwargs: dict[str, Item], numbers: Iterator[int]
) -> Item:
    template = _Template(frame)
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError as error:
        raise CompileError(f"this raises ValueError: {error}") from None
    for literal, field, spec, conversion in parsed:
        template.add_text(literal)
        if field is None:
            continue
        item = _field(frame, field, args, kwargs, numbers)
        described = _format(frame, spec or "", args, kwargs, numbers)
        template.add(item, conversion or "", described)
    return template.finish()


def _field(
    frame: Frame, field: str, args: list[Item], kwargs: dict[str, Item], numbers: Iterator[int]
) -> Item:
    """``0``, ``name``, ``name.attribute``, ``0[1]``."""
    from ingot.capture.script.attributes import attribute
    from ingot.capture.script.subscripts import subscript

    first = re.match(r"[^.\[]*", field)
    assert first is not None
    name = first[0] or str(next(numbers))
    if name.isdigit() and int(name) < len(args):
        item = args[int(name)]
    elif name in kwargs:
        item = kwargs[name]
    else:
        raise CompileError(f"format has no argument for the field {{{field}}}")
    for part in re.finditer(r"\.(\w+)|\[([^\]]*)\]", field[first.end() :]):
        if part[1] is not None:
            item = attribute(frame, item, part[1])
        else:
            index = int(part[2]) if part[2].isdigit() else part[2]
            item = subscript(frame, item, Constant(index))
    return item


_CONVERSION = re.compile(r"%(?:\((\w*)\))?([#0\- +]*)(\*|\d+)?(?:\.(\*|\d+))?[hlL]?([a-zA-Z%])")


def percent(frame: Frame, template: Item, right: Item) -> Item:
    """``template % right``."""
    type = type_of(right)
    if isinstance(type, TupleType) and isinstance(right, Dynamic):
        values = frame.builder.tuple_unpack(frame.value(right))
        pairs = zip(values, type.elements, strict=True)
        right = TupleItem(tuple(frame.dynamic(v, t) for v, t in pairs))
    items = list(right.items) if isinstance(right, TupleItem) else [right]
    if not isinstance(template, Constant):
        return call_op(frame, "aten::percentFormat", [template, *_plain(frame, items)], type=STR)
    text = template.value
    found = list(_CONVERSION.finditer(text))
    if any(each[1] is not None for each in found):
        items = [_named(frame, right, each[1]) for each in found if each[1] is not None]
        text = re.sub(r"%\(\w*\)", "%", text)
    stars = any("*" in (each[3], each[4]) for each in found)
    kinds = [each[5] for each in found if each[5] != "%"]
    if stars or len(kinds) != len(items):
        return call_op(
            frame, "aten::percentFormat", [Constant(text), *_plain(frame, items)], type=STR
        )
    return _percent(frame, text, kinds, items)


def _named(frame: Frame, mapping: Item, name: str) -> Item:
    from ingot.capture.script.subscripts import subscript

    if not isinstance(mapping, DictItem) and not isinstance(type_of(mapping), DictType):
        raise CompileError("format requires a mapping", "write a dict after %")
    return subscript(frame, mapping, Constant(name))


def _percent(frame: Frame, text: str, kinds: Sequence[str], items: Sequence[Item]) -> Item:
    """Each value as its conversion takes it."""
    values = []
    letters = iter(kinds)

    def letter(match: re.Match[str]) -> str:
        kind = match[5]
        if kind == "%":
            return match[0]
        return match[0][:-1] + ("s" if next(letters) in "ra" else kind)

    for kind, item in zip(kinds, items, strict=True):
        if kind in "ra":
            item = as_repr(frame, item)
        elif kind == "s":
            item = as_string(frame, item)
        elif _is_tensor(item):
            item = call_op(frame, "aten::Int" if kind in "diuxXoc" else "aten::Float", [item])
        values.append(item)
    text = _CONVERSION.sub(letter, text)
    return call_op(frame, "aten::percentFormat", [Constant(text), *values], type=STR)


def _plain(frame: Frame, items: Sequence[Item]) -> list[Item]:
    """Values that are no numbers or strings as their text."""
    simple = (STR, INT, FLOAT, BOOL, COMPLEX)
    return [i if type_of(i) in simple or _is_tensor(i) else as_string(frame, i) for i in items]
