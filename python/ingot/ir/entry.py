"""Binding a call's arguments to a method's inputs and checking what the capture assumed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ingot.dtypes import DType
from ingot.errors import Error, GuardError
from ingot.ir.diagnostics import stack
from ingot.ir.graph import NO_DEFAULT, Method, Program, Source
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


def bind_inputs(
    program: Program, method: Method, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> list[Any]:
    """The values of the method's inputs, in order, numbers converted as Python does.

    Tensors are torch's. Raises Error (invalid_argument) if number, kind, dtype or rank do not
    fit, GuardError if a size is not what the capture assumed.
    """
    names = [each.name for each in method.inputs]
    if len(args) > len(names):
        raise Error(f"{method.name} takes {len(names)} inputs ({', '.join(names)}), "
                    f"not {len(args)}")  # fmt: skip
    given = dict(zip(names, args, strict=False))
    for name, value in kwargs.items():
        if name not in names:
            raise Error(f"{method.name} has no input {name!r}; it has: {', '.join(names)}")
        if name in given:
            raise Error(f"{method.name} got the input {name!r} twice")
        given[name] = value
    check = _Check(program, method)
    values = []
    for number, (described, formal) in enumerate(
        zip(method.inputs, method.body.inputs, strict=True)
    ):
        if described.name in given:
            value = given[described.name]
        elif described.default is not NO_DEFAULT:
            value = _lists(described.default)
        else:
            raise Error(f"{method.name} needs the input {described.name!r}")
        values.append(check.value(value, formal.type, number, ""))
    return values


class _Check:
    def __init__(self, program: Program, method: Method) -> None:
        self.program = program
        self.method = method
        self.sizes: dict[str, tuple[int, str]] = {}
        """Symbol -> the size it has in this call, and where that was seen."""

    def value(self, value: Any, type: Type, number: int, path: str) -> Any:
        name = self.method.inputs[number].name + path
        match type:
            case TensorType():
                self.tensor(value, type, number, path)
                return value
            case OptionalType(element):
                return None if value is None else self.value(value, element, number, path)
            case UnionType(elements):
                return self.union(value, elements, number, path)
            case ListType(element) if isinstance(value, list | tuple):
                return [self.value(v, element, number, f"{path}[{i}]") for i, v in enumerate(value)]
            case TupleType(elements) | NamedTupleType(elements=elements) if isinstance(
                value, list | tuple
            ) and len(value) == len(elements):
                return tuple(
                    self.value(v, t, number, f"{path}[{i}]")
                    for i, (v, t) in enumerate(zip(value, elements, strict=True))
                )
            case DictType(key, element) if isinstance(value, Mapping):
                return {
                    self.value(k, key, number, path): self.value(
                        v, element, number, f"{path}[{k!r}]"
                    )
                    for k, v in value.items()
                }
        if type == FLOAT and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if type == COMPLEX and isinstance(value, int | float) and not isinstance(value, bool):
            return complex(value)
        if not _is_plain(value, type):
            raise Error(f"input {name} must be {type}, not {_kind(value)}")
        return value

    def union(self, value: Any, elements: Sequence[Type], number: int, path: str) -> Any:
        for element in elements:
            if _is_plain(value, element):
                return value
        for element in elements:
            try:
                return self.value(value, element, number, path)
            except GuardError:
                raise
            except Error:
                continue
        name = self.method.inputs[number].name + path
        raise Error(f"input {name} must be {UnionType(tuple(elements))}, not {_kind(value)}")

    def tensor(self, value: Any, type: TensorType, number: int, path: str) -> None:
        name = self.method.inputs[number].name + path
        if not hasattr(value, "dtype") or not hasattr(value, "shape"):
            raise Error(f"input {name} must be a tensor, not {_kind(value)}")
        from ingot.ir.torch_ops import TORCH_DTYPES

        if type.dtype is not None and value.dtype != TORCH_DTYPES[DType(type.dtype)]:
            raise Error(f"input {name} must be {type.dtype}, not {value.dtype}")
        if type.dims is None:
            return
        if len(value.shape) != len(type.dims):
            raise Error(
                f"input {name} must have {len(type.dims)} dimensions, not {len(value.shape)}"
            )
        for dim, (size, wanted) in enumerate(zip(value.shape, type.dims, strict=True)):
            place = f"dimension {dim} of input {name}"
            source = self.method.dim_sources.get((number, path, dim))
            if isinstance(wanted, int) and size != wanted:
                raise _broken(f"{place} must be {wanted}, not {size}", source)
            if isinstance(wanted, str):
                self.symbol(wanted, int(size), place, source)

    def symbol(self, name: str, size: int, place: str, source: Source | None) -> None:
        symbol = self.program.symbols[name]
        source = source or symbol.source
        if size < symbol.min:
            raise _broken(f"{place} must be at least {symbol.min}, not {size}", source)
        if symbol.max is not None and size > symbol.max:
            raise _broken(f"{place} must be at most {symbol.max}, not {size}", source)
        seen, where = self.sizes.setdefault(name, (size, place))
        if seen != size:
            raise _broken(f"{place} must equal {where}, which is {seen}, not {size}", source)


def _broken(message: str, source: Source | None) -> GuardError:
    return GuardError(message, location=stack(source))


def _is_plain(value: Any, type: Type) -> bool:
    if type == BOOL:
        return isinstance(value, bool)
    if type == INT:
        return isinstance(value, int) and not isinstance(value, bool)
    classes = {FLOAT: float, COMPLEX: complex, STR: str}
    return value is None if type == NONE else type in classes and isinstance(value, classes[type])


def _kind(value: Any) -> str:
    return "None" if value is None else type(value).__name__


def _lists(literal: Any) -> Any:
    return [_lists(v) for v in literal] if isinstance(literal, tuple) else literal
