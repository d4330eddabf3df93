"""Values of the command line: read from files and text, made from a signature, compared."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ingot.dtypes import DType
from ingot.errors import Error
from ingot.ir.graph import NO_DEFAULT, Method, Program
from ingot.ir.types import (
    BOOL,
    COMPLEX,
    FLOAT,
    INT,
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
from ingot.module import Port

_NUMPY = {
    DType.u8: np.uint8,
    DType.i8: np.int8,
    DType.i16: np.int16,
    DType.i32: np.int32,
    DType.i64: np.int64,
    DType.f16: np.float16,
    DType.f32: np.float32,
    DType.f64: np.float64,
    DType.c64: np.complex64,
    DType.c128: np.complex128,
    DType.bool: np.bool_,
}


def numpy_dtype(dtype: DType) -> np.dtype[Any]:
    """NumPy's dtype; bf16 is that of the package ml_dtypes."""
    if dtype == DType.bf16:
        import ml_dtypes

        found: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
        return found
    return np.dtype(_NUMPY[dtype])


def read_inputs(texts: Sequence[str], ports: Sequence[Port]) -> tuple[list[Any], dict[str, Any]]:
    """Positional and named values of ``--input`` options; see ``ingot run --help``."""
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    types = {port.name: port.type for port in ports}
    for text in texts:
        name, equals, rest = text.partition("=")
        if equals and name in types:
            kwargs[name] = _read_value(rest, types[name])
        else:
            port = ports[len(args)].type if len(args) < len(ports) else ""
            args.append(_read_value(text, port))
    return args, kwargs


def _read_value(text: str, type: str) -> Any:
    if text.endswith(".npy"):
        return _read_array(text, type)
    try:
        return json.loads(text)
    except ValueError:
        pass
    if os.path.exists(text):
        raise Error(f"{text!r} is no .npy file", hint="save arrays with numpy.save")
    raise Error(
        f"--input {text!r} is neither a .npy file nor a JSON value",
        hint="write strings in quotes: '\"text\"'",
    )


def _read_array(path: str, type: str) -> np.ndarray[Any, Any]:
    try:
        array: np.ndarray[Any, Any] = np.load(path, allow_pickle=False)
    except OSError as error:
        raise Error(f"cannot read {path!r}: {error.strerror or error}", "io") from error
    except ValueError as error:
        raise Error(f"{path!r} is no valid .npy file: {error}", "corrupt_file") from error
    if array.dtype == np.dtype("V2") and type.startswith("bf16"):
        array = array.view(numpy_dtype(DType.bf16))  # numpy.save does not keep this dtype's name
    return array


def write_array(path: str | os.PathLike[str], array: np.ndarray[Any, Any]) -> None:
    """Saves a .npy file; bf16, which the format lacks, is written as float32, exactly."""
    if array.dtype.name == "bfloat16":
        array = array.astype(np.float32)
    try:
        with open(path, "wb") as file:
            np.save(file, array)
    except OSError as error:
        raise Error(f"cannot write {os.fspath(path)!r}: {error.strerror or error}", "io") from error


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every tensor and plain value inside a result, with its place: ``"[0]['mask']"``."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f"{path}[{key!r}]")
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        for name, item in zip(value._fields, value, strict=True):
            yield from leaves(item, f"{path}.{name}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}[{index}]")
    else:
        yield path, value


def symbols_of(method: Method) -> list[str]:
    """Names of the free sizes in a method's inputs, in order of appearance."""
    found: dict[str, None] = {}

    def visit(type: Type) -> None:
        match type:
            case TensorType(dims=dims):
                for dim in dims or ():
                    if isinstance(dim, str):
                        found[dim] = None
            case ListType(element) | OptionalType(element):
                visit(element)
            case DictType(_, value):
                visit(value)
            case TupleType(elements) | NamedTupleType(elements=elements) | UnionType(elements):
                for element in elements:
                    visit(element)

    for value in method.body.inputs:
        visit(value.type)
    return list(found)


def choose_sizes(program: Program, method: Method, size: int) -> dict[str, int]:
    """A size for every symbol: ``size``, ``size + 1``, …, each moved into its range."""
    sizes = {}
    for offset, name in enumerate(symbols_of(method)):
        symbol = program.symbols[name]
        wanted = max(size + offset, symbol.min)
        sizes[name] = wanted if symbol.max is None else min(wanted, symbol.max)
    return sizes


def make_inputs(
    method: Method, sizes: Mapping[str, int], random: np.random.Generator
) -> dict[str, Any]:
    """Random inputs that fit a method's signature; inputs with defaults are left out.

    Floats are normal, integers 0 to 7. Raises Error for an input whose type does not say
    enough.
    """
    inputs = {}
    for input, value in zip(method.inputs, method.body.inputs, strict=True):
        if input.default is not NO_DEFAULT:
            continue
        try:
            inputs[input.name] = _make(value.type, sizes, random)
        except _Unknown:
            raise Error(
                f"no value can be made up for the input '{input.name}: {value.type}'",
                hint="give the inputs with --input or --inputs",
            ) from None
    return inputs


class _Unknown(Exception):
    pass


def _make(type: Type, sizes: Mapping[str, int], random: np.random.Generator) -> Any:
    match type:
        case TensorType(dtype, dims):
            return _make_array(dtype, dims, sizes, random)
        case ListType(element):
            return [_make(element, sizes, random) for _ in range(2)]
        case OptionalType(element):
            return _make(element, sizes, random)
        case DictType():
            raise _Unknown
        case TupleType(elements) | NamedTupleType(elements=elements):
            return tuple(_make(e, sizes, random) for e in elements)
        case UnionType(elements):
            return _make(elements[0], sizes, random)
    plain: dict[Type, Any] = {INT: 2, FLOAT: 0.5, BOOL: True, COMPLEX: 0.5 + 0.5j, STR: "text"}
    return plain.get(type)


def _make_array(
    dtype: DType | None,
    dims: tuple[int | str | None, ...] | None,
    sizes: Mapping[str, int],
    random: np.random.Generator,
) -> np.ndarray[Any, Any]:
    if dtype is None or dims is None:
        raise _Unknown
    shape = [sizes[d] if isinstance(d, str) else 2 if d is None else d for d in dims]
    if dtype == DType.bool:
        return random.random(shape) < 0.5
    if dtype in (DType.c64, DType.c128):
        values = random.standard_normal(shape) + 1j * random.standard_normal(shape)
    elif dtype in (DType.f16, DType.f32, DType.f64, DType.bf16):
        values = random.standard_normal(shape)
    else:
        values = random.integers(0, 8, shape)
    return np.asarray(values).astype(numpy_dtype(dtype))
