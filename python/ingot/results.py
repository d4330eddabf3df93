"""Named tuples that programs return."""

from __future__ import annotations

from collections import namedtuple
from functools import cache
from typing import Any


@cache
def named_tuple_class(name: str, fields: tuple[str, ...]) -> type[tuple[Any, ...]]:
    """A ``collections.namedtuple`` class whose instances can be pickled.

    Names that Python does not allow are replaced, as ``namedtuple(rename=True)`` does.
    """
    short = name.rpartition(".")[2]
    cls = namedtuple(short if short.isidentifier() else "Result", fields, rename=True)  # type: ignore[misc]

    def reduce(self: tuple[Any, ...]) -> tuple[Any, ...]:
        return _rebuild, (name, fields, tuple(self))

    cls.__reduce__ = reduce  # type: ignore[method-assign,assignment]
    return cls


def _rebuild(name: str, fields: tuple[str, ...], values: tuple[Any, ...]) -> tuple[Any, ...]:
    return named_tuple_class(name, fields)(*values)
