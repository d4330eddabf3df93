"""``hash``: Python's own numbers for numbers and tuples of them.

Python gives strings other numbers in every process, so those of a program are only equal where
the strings are.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import torch

from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.items import type_of
from ingot.capture.script.language import DEVICE, DTYPE, EnumType, SetType, settle
from ingot.capture.script.objects import class_of, object_attribute, special
from ingot.capture.script.operators import as_number, as_plain
from ingot.capture.script.values import Constant, Dynamic, Item, TupleItem
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

_NONE_HASH = 0xFCA86420
"""Of None since Python 3.12; before, it was an address."""


def hash_of(frame: Frame, item: Item) -> Item:
    """``hash(item)``. Raises CompileError for what Python hashes by its address."""
    written = special(frame, item, "__hash__")
    if written is not None:
        return written
    parts = _fields_of(frame, item)
    if parts is not None:
        item = parts
    item = as_plain(frame, frame.force(item))
    if isinstance(type_of(item), EnumType):
        from ingot.capture.script.enums import member_attribute

        return hash_of(frame, member_attribute(frame, item, "_name_"))
    type = type_of(item)
    if isinstance(item, TupleItem):
        return _hash_of_tuple(frame, item.items)
    if isinstance(type, TupleType | NamedTupleType) and isinstance(item, Dynamic):
        values = frame.builder.tuple_unpack(item.value)
        pairs = zip(values, type.elements, strict=True)
        return _hash_of_tuple(frame, tuple(frame.dynamic(v, t) for v, t in pairs))
    plain = _hash_of_plain(frame, item, type)
    if plain is not None:
        return plain
    kind = _unhashable(type)
    if kind:
        frame.builder.raise_exception(f"unhashable type: '{kind}'", "TypeError")
        return frame.stand_in(INT)
    hint = "compare tensors with `is`" if isinstance(type, TensorType) else "write __hash__"
    raise CompileError(f"hash() of {item.describe()} depends on its address in memory", hint)


def _hash_of_plain(frame: Frame, item: Item, type: Type | None) -> Item | None:
    """Of a number, string, None, dtype or device; None if it is none of these."""
    if type == NONE:
        return Constant(_NONE_HASH)
    if type == DEVICE:
        return Constant(hash(torch.device("cpu")))  # all that a program knows
    functions: dict[Type, Any] = {FLOAT: hash_float, COMPLEX: hash_complex, STR: hash_text}
    if type in (BOOL, INT):
        return frame.call(hash_int, as_number(frame, item, INT))
    if type == DTYPE:
        return frame.call(hash_int, frame.dynamic(frame.value(item), INT))
    if type in functions:
        return frame.call(functions[type], item)
    return None


def _hash_of_tuple(frame: Frame, items: tuple[Item, ...]) -> Item:
    lanes = [frame.value(hash_of(frame, each), INT) for each in items]
    return frame.call(hash_lanes, frame.dynamic(frame.builder.list_construct(lanes, INT)))


def _fields_of(frame: Frame, item: Item) -> Item | None:
    """What the ``__hash__`` that ``dataclasses`` writes looks at."""
    cls: Any = class_of(frame, item)
    if not dataclasses.is_dataclass(cls) or getattr(cls, "__hash__", None) is None:
        return None
    fields = [f for f in dataclasses.fields(cls) if (f.compare if f.hash is None else f.hash)]
    if cls.__hash__ is object.__hash__:
        return None
    return TupleItem(tuple(object_attribute(frame, item, f.name) for f in fields))


def _unhashable(type: Type | None) -> str:
    """The name of a type without hash."""
    type = None if type is None else settle(type)
    for kind, name in ((ListType, "list"), (DictType, "dict"), (SetType, "set")):
        if isinstance(type, kind):
            return name
    return ""


# --- in the scriptable language: ints have 64 bits and must not overflow ---------------------


def hash_int(n: int) -> int:
    rest = n % 2305843009213693951  # 2**61 - 1
    if n < 0 and rest > 0:
        rest = rest - 2305843009213693951
    return -2 if rest == -1 else rest


def hash_float(x: float) -> int:
    if math.isnan(x):
        return 0
    if math.isinf(x):
        return 314159 if x > 0.0 else -314159
    m, e = math.frexp(abs(x))
    result = 0
    while m > 0.0:
        result = ((result & 8589934591) << 28) | (result >> 33)
        m *= 268435456.0  # 2**28
        e -= 28
        whole = int(m)
        m -= float(whole)
        result += whole
        if result >= 2305843009213693951:
            result -= 2305843009213693951
    e = e % 61
    result = ((result & ((1 << (61 - e)) - 1)) << e) | (result >> (61 - e))
    if x < 0.0:
        result = -result
    return -2 if result == -1 else result


def hash_complex(z: complex) -> int:
    high, low = times(hash_float(z.imag), 0, 1000003)
    result = join_halves(plus(high, low, hash_float(z.real)))
    return -2 if result == -1 else result


def hash_text(text: str) -> int:
    result = 0
    for character in text:
        result = (result * 131 + ord(character) + 1) % 4503599627370449
    return result


def hash_lanes(lanes: list[int]) -> int:
    """CPython's hash of a tuple, from those of its elements (xxHash)."""
    high, low = 668265263, 374761413  # 2870177450012600261
    for lane in lanes:
        add_high, add_low = times(lane, 3266489917, 668265295)  # 14029467366897019727
        low += add_low
        high = (high + add_high + (low >> 32)) & 4294967295
        low = low & 4294967295
        turned = ((high << 31) & 4294967295) | (low >> 1)
        low = ((low << 31) & 4294967295) | (high >> 1)
        high, low = times(join_halves((turned, low)), 2654435761, 2246822535)
    low += 374761413 ^ 3527539 ^ len(lanes)
    high = (high + 668265263 + (low >> 32)) & 4294967295
    result = join_halves((high, low & 4294967295))
    return 1546275796 if result == -1 else result


def halves(n: int) -> tuple[int, int]:
    """The upper and the lower 32 bits."""
    return (n >> 32) & 4294967295, n & 4294967295


def join_halves(parts: tuple[int, int]) -> int:
    high, low = parts
    if high >= 2147483648:
        high -= 4294967296
    return high * 4294967296 + low


def plus(high: int, low: int, n: int) -> tuple[int, int]:
    other_high, other_low = halves(n)
    low += other_low
    return (high + other_high + (low >> 32)) & 4294967295, low & 4294967295


def times(n: int, high: int, low: int) -> tuple[int, int]:
    """The lower 64 bits of a product, in halves."""
    a, b = halves(n)
    first = (b & 65535) * low
    second = (b >> 16) * low
    bottom = first + ((second & 65535) << 16)
    top = (bottom >> 32) + (second >> 16) + product_32(b, high) + product_32(a, low)
    return top & 4294967295, bottom & 4294967295


def product_32(a: int, b: int) -> int:
    """The lower 32 bits of a product."""
    return ((a & 65535) * b + ((((a >> 16) * b) & 65535) << 16)) & 4294967295
