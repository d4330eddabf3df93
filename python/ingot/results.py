"""Named tuples and objects that programs return."""

from __future__ import annotations

from collections import namedtuple
from functools import cache
from reprlib import recursive_repr
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


class Object:
    """An instance of a class of the program, with its attributes; a copy of what it was.

    Its class is named by ``class_name``: the Python class itself may not exist here.
    """

    def __init__(self, class_name: str, **attributes: Any) -> None:
        object.__setattr__(self, "_class_name", class_name)
        self.__dict__.update(attributes)

    __slots__ = ("__dict__", "__weakref__", "_class_name")

    @property
    def class_name(self) -> str:
        """The qualified name of the class."""
        return str(self._class_name)

    @recursive_repr("...")
    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={value!r}" for name, value in self.__dict__.items())
        return f"{self.class_name.rpartition('.')[2]}({inside})"

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"this {self.class_name} has no attribute {name!r}, or it is not set")

    def __reduce__(self) -> tuple[Any, ...]:
        return Object, (self.class_name,), self.__dict__
