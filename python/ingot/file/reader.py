"""Reads .ingot files into programs; needs no torch and no native code.

Weights stay in the memory-mapped file until their bytes are used.
"""

from __future__ import annotations

import json
import mmap
import os
from typing import Any, NoReturn

from ingot.dtypes import DType
from ingot.file.layout import (
    DTYPE_NAMES,
    EXTRA,
    FORMAT,
    MAX_HEADER,
    METADATA,
    PROGRAM,
)
from ingot.ir.diagnostics import fail
from ingot.ir.graph import Program, TensorData

_DTYPES = {name: dtype for dtype, name in DTYPE_NAMES.items()}


def read(source: str | os.PathLike[str] | bytes | memoryview) -> tuple[Program, dict[str, bytes]]:
    """The program and the extra files of a path or of a file's bytes.

    Raises Error: io (missing, unreadable), corrupt_file, version.
    """
    view, name = _open(source)
    entries, metadata = _read_header(view, name)
    newer(metadata.get("ingot.format", "0"), name)
    if PROGRAM not in entries:
        _corrupt(name, "it is a safetensors file without a program")
    code = entries.pop(PROGRAM).data
    extra_files = {
        key.removeprefix(EXTRA): bytes(entries.pop(key).data)
        for key in [k for k in entries if k.startswith(EXTRA)]
    }
    from ingot.file.decode import decode_program

    return decode_program(code, entries, name), extra_files


def newer(number: str | int, name: str) -> None:
    """Raises Error (version) if a format number is beyond what this Ingot reads."""
    if isinstance(number, str):
        if not number.isdecimal():
            _corrupt(name, f"its format is {number!r}")
        number = int(number)
    if number > FORMAT:
        fail(
            f"{name} has format {number}, this Ingot reads up to {FORMAT}",
            hint="install a newer Ingot, or export the model again with this one",
            code="version",
        )


def _open(source: str | os.PathLike[str] | bytes | memoryview) -> tuple[memoryview, str]:
    if isinstance(source, bytes | bytearray | memoryview):
        return memoryview(source).cast("B").toreadonly(), "the file"
    path = os.fspath(source)
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                _corrupt(path, "it is empty")
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)), path
    except OSError as error:
        fail(f"cannot read {path!r}: {error.strerror or error}", code="io")


def _read_header(view: memoryview, name: str) -> tuple[dict[str, TensorData], dict[str, str]]:
    if bytes(view[:2]) == b"PK":
        fail(
            f"{name} is a zip archive (made by torch.save or TorchScript?), not an .ingot file",
            code="corrupt_file",
        )
    length = int.from_bytes(view[:8], "little")
    if view.nbytes < 9 or not 2 <= length <= MAX_HEADER or bytes(view[8:9]) != b"{":
        fail(f"{name} is no .ingot file: it does not begin with a header", code="corrupt_file")
    data = view[8 + length :]
    if length > view.nbytes - 8:
        _corrupt(name, f"its header should have {length} bytes; is it truncated?")
    try:
        table: Any = json.loads(bytes(view[8 : 8 + length]))
    except (ValueError, RecursionError):
        _corrupt(name, "its header is not valid JSON")
    metadata = table.pop(METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        _corrupt(name, "its metadata holds something other than text")
    return {key: _read_entry(key, row, data, name) for key, row in table.items()}, metadata


def _read_entry(key: str, row: Any, data: memoryview, name: str) -> TensorData:
    try:
        dtype, shape = row["dtype"], tuple(row["shape"])
        begin, end = row["data_offsets"]
        numbers = (*shape, begin, end)
        valid = all(type(n) is int and n >= 0 for n in numbers)
    except (TypeError, KeyError, ValueError):
        valid = False
    if not valid:
        _corrupt(name, f"the entry of tensor {key!r} lacks dtype, shape or data_offsets")
    if dtype not in _DTYPES:
        _corrupt(name, f"tensor {key!r} has the unknown dtype {dtype!r}")
    if not begin <= end <= data.nbytes:
        _corrupt(
            name,
            f"the bytes of tensor {key!r} end at {end}, past the file's {data.nbytes}; "
            "is it truncated?",
        )
    size = _DTYPES[dtype].itemsize
    for n in shape:
        size *= n
    if end - begin != size:
        _corrupt(name, f"tensor {key!r} has {end - begin} bytes, which does not fit its shape")
    return TensorData(_DTYPES[dtype], shape, data[begin:end])


def as_complex(tensor: TensorData) -> TensorData:
    """A c128 tensor from the F64 one, with a last dimension of 2, that stores it."""
    return TensorData(DType.c128, tensor.shape[:-1], tensor.data)


def _corrupt(name: str, what: str) -> NoReturn:
    fail(f"{name} is damaged: {what}", code="corrupt_file")
