"""Python's conversions of numbers, as the model's own code calls them, on symbolic numbers.

``int(size)``, ``float(x.mean())`` and ``math.sqrt(size)`` must return plain Python numbers, which
fixes what they are asked about. While a capture runs, the modules that the model's code comes from
see other objects under these names, which leave a symbolic number symbolic and are Python's own for
all else. Only these modules see them: PyTorch itself asks ``type(x) is int``.
"""

from __future__ import annotations

import contextlib
import math
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy
import torch
from torch._subclasses.fake_tensor import FakeTensor

from ingot.capture import arrays
from ingot.capture.scalars import OF_FLOAT

if TYPE_CHECKING:
    from ingot.capture.root import Root


@dataclass
class Usage:
    """Whether a conversion met a symbolic number."""

    symbolic: bool = False


_usage = Usage()


class _Meta(type):
    """Makes a class pass for the builtin type that it stands for."""

    plain: type

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, cls.plain)

    def __subclasscheck__(cls, other: type) -> bool:
        return issubclass(other, cls.plain)

    def __eq__(cls, other: object) -> bool:
        return other is cls or other is cls.plain

    def __hash__(cls) -> int:
        return hash(cls.plain)


class _Int(int, metaclass=_Meta):
    plain = int

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        value = _number(args)
        if value is not None:
            return torch.sym_int(value)
        return int(*args, **kwargs)


class _Float(float, metaclass=_Meta):
    plain = float

    def __new__(cls, *args: Any) -> Any:
        value = _number(args)
        if value is not None:
            return torch.sym_float(value)
        return float(*args)


def _number(args: tuple[Any, ...]) -> Any:
    """The only argument, or the number in it if it is a tensor of the capture; None if that is
    not symbolic."""
    value = arrays.as_tensor(args[0]) if len(args) == 1 else None
    if isinstance(value, FakeTensor) and not (value.is_complex() or value.dtype == torch.bool):
        value = value.item()
    if isinstance(value, torch.SymInt | torch.SymFloat):
        _usage.symbolic = True
        return value
    return None


def _of_float(plain: Callable[..., Any], symbolic: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        value = None if kwargs else _number(args)
        return plain(*args, **kwargs) if value is None else symbolic(torch.sym_float(value))

    return call


def _len(value: Any) -> Any:
    if isinstance(value, FakeTensor) and value.dim():
        _usage.symbolic = True
        return value.shape[0]
    return len(value)


def _round(number: Any, ndigits: Any = None) -> Any:
    if isinstance(number, torch.SymInt) and ndigits is not None:
        return number if ndigits >= 0 else round(int(number), ndigits)
    return round(number, ndigits)


def _divmod(one: Any, two: Any) -> Any:
    return (one // two, one % two) if _any_symbolic((one, two)) else divmod(one, two)


def _pow(base: Any, exponent: Any) -> Any:
    symbolic = _any_symbolic((base, exponent))
    return torch.sym_float(base) ** exponent if symbolic else math.pow(base, exponent)


def _any_symbolic(values: Any) -> bool:
    found = any(isinstance(v, torch.SymInt | torch.SymFloat) for v in values)
    _usage.symbolic |= found
    return found


class _NumpyFunction:
    """A function of numpy's on symbolic numbers: that of the table, else on their values, which
    fixes these alone."""

    def __init__(self, module: Any, name: str) -> None:
        self._module, self._name = module, name
        self._plain = getattr(module, name)
        self._symbolic = _OF_NUMPY.get(name) if module is numpy else None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._name in ("array", "asarray") and args and isinstance(args[0], FakeTensor):
            args = (args[0].numpy(), *args[1:])
        if any(map(arrays.is_array, [*args, *kwargs.values()])):
            _usage.symbolic = True
            return arrays.counterpart(self._module, self._name)(*args, **kwargs)
        if not _any_symbolic([*args, *kwargs.values()]):
            return self._plain(*args, **kwargs)
        if self._symbolic is not None and not kwargs:
            return self._symbolic(*args)
        return self._plain(*map(_value, args), **{k: _value(v) for k, v in kwargs.items()})

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plain, name)


def _value(number: Any) -> Any:
    if isinstance(number, torch.SymInt):
        return int(number)
    return float(number) if isinstance(number, torch.SymFloat) else number


class _Numpy:
    """NumPy, or a module of it, with these functions."""

    def __init__(self, module: Any = numpy) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._module, name)
        if value is numpy.linalg or value is numpy.fft:
            return _Numpy(value)
        is_function = callable(value) and not isinstance(value, type)
        return _NumpyFunction(self._module, name) if is_function else value


_NAMES: dict[str, Any] = {
    "int": _Int,
    "float": _Float,
    "len": _len,
    "round": _round,
    "divmod": _divmod,
}
_FUNCTIONS = {
    name: _of_float(getattr(math, name), getattr(torch, f"_sym_{name}")) for name in OF_FLOAT
} | {"pow": _pow}
_OF_NUMPY: dict[str, Callable[..., Any]] = {
    name: _FUNCTIONS[name] for name in ("sqrt", "cos", "cosh", "sin", "sinh", "tan", "tanh")
} | {
    "floor": lambda value: torch.sym_float(math.floor(value)),
    "ceil": lambda value: torch.sym_float(math.ceil(value)),
    "round": lambda value, digits=0: torch.sym_float(_round(value, digits or None)),
    "power": lambda base, exponent: base**exponent,
    "abs": abs,
}
_MATH = types.SimpleNamespace(**vars(math) | _FUNCTIONS)
_REPLACED: dict[int, Any] = {id(math): _MATH, id(numpy): _Numpy()} | {
    id(getattr(math, name)): function for name, function in _FUNCTIONS.items()
}

_FOREIGN = sys.stdlib_module_names - {"__main__"} | {
    "torch", "ingot", "numpy", "scipy", "sympy", "pandas", "matplotlib", "_pytest", "pytest",
}  # fmt: skip
"""Packages that keep Python's own conversions."""


@contextlib.contextmanager
def symbolic_conversions(root: Root) -> Iterator[Usage]:
    """Puts the conversions in the place of Python's own for the code that ``root`` reaches."""
    _usage.symbolic = False
    added: list[tuple[dict[str, Any], str]] = []
    replaced: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for space in _namespaces(root):
            for name, value in list(space.items()):
                if id(value) in _REPLACED:
                    replaced.append((space, name, value))
                    space[name] = _REPLACED[id(value)]
            for name, symbolic in _NAMES.items():
                if name not in space:
                    added.append((space, name))
                    space[name] = symbolic
        yield _usage
    finally:
        for space, name in added:
            del space[name]
        for space, name, value in replaced:
            space[name] = value


def _namespaces(root: Root) -> list[dict[str, Any]]:
    """The globals of the model's classes and functions, and of what these can name."""
    found: dict[int, dict[str, Any]] = {}
    callee = root.__dict__["callee"]
    open_: list[Any] = [callee, *(cls for m in root.modules() for cls in type(m).__mro__)]
    seen: set[int] = set()
    while open_:
        value = open_.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        function = getattr(value, "func", value)
        function = getattr(function, "__func__", function)
        if isinstance(function, types.FunctionType):
            space = function.__globals__
            open_ += _cells(function)
        elif isinstance(value, type):
            space = getattr(sys.modules.get(value.__module__), "__dict__", {})
        elif isinstance(value, types.ModuleType):
            space = value.__dict__
        else:
            continue
        name = str(space.get("__name__", ""))
        if name and id(space) not in found and name.partition(".")[0] not in _FOREIGN:
            found[id(space)] = space
            open_ += [v for v in space.values() if isinstance(v, _CODE)]
    return list(found.values())


_CODE = (types.FunctionType, type, types.ModuleType)


def _cells(function: types.FunctionType) -> list[Any]:
    """What a function takes from the one around it."""
    values = []
    for cell in function.__closure__ or ():
        with contextlib.suppress(ValueError):  # a cell that is not filled yet
            values.append(cell.cell_contents)
    return [v for v in values if isinstance(v, _CODE)]
