"""Names and numbers of the file format that writer and reader share (docs/format.md)."""

from __future__ import annotations

from ingot.dtypes import DType
from ingot.ir.graph import Program, TensorData

FORMAT = 1
"""The format written, and the newest that is read."""

PRODUCER = "ingot 0.1.0"
"""What wrote the file, for people."""

PROGRAM = "__ingot__.program"
EXTRA = "__ingot__.extra."
RESERVED = "__ingot__."
METADATA = "__metadata__"

ALIGNMENT = 64
"""Of the first data byte and of every tensor whose size is a multiple of it."""

MAX_HEADER = 100_000_000
"""Bytes of the header; the safetensors library refuses more."""

DTYPE_NAMES = {
    DType.u8: "U8",
    DType.i8: "I8",
    DType.i16: "I16",
    DType.i32: "I32",
    DType.i64: "I64",
    DType.f16: "F16",
    DType.f32: "F32",
    DType.f64: "F64",
    DType.c64: "C64",
    DType.bool: "BOOL",
    DType.bf16: "BF16",
}
"""safetensors' names. It has none for c128, which is stored as F64 with a last dimension of 2."""


def stored_form(dtype: DType, shape: tuple[int, ...]) -> tuple[str, tuple[int, ...]]:
    """The safetensors dtype and shape under which a tensor is stored."""
    if dtype == DType.c128:
        return "F64", (*shape, 2)
    return DTYPE_NAMES[dtype], shape


def tensor_names(program: Program) -> dict[str, str]:
    """State name -> name of the stored tensor: the first entry that holds the same one."""
    first: dict[int, str] = {}
    return {
        s.name: first.setdefault(id(s.value), s.name)
        for s in program.state.values()
        if isinstance(s.value, TensorData)
    }
