"""Element types, numbered as PyTorch's ScalarType because programs carry dtypes as ints."""

from __future__ import annotations

from enum import IntEnum


class DType(IntEnum):
    """One element type; ``str(DType.f32)`` is its name in program text, ``"f32"``."""

    u8 = 0
    i8 = 1
    i16 = 2
    i32 = 3
    i64 = 4
    f16 = 5
    f32 = 6
    f64 = 7
    c64 = 9
    c128 = 10
    bool = 11
    bf16 = 15

    def __str__(self) -> str:
        return self.name

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return _ITEMSIZE[self]


_ITEMSIZE = {
    DType.u8: 1,
    DType.i8: 1,
    DType.bool: 1,
    DType.i16: 2,
    DType.f16: 2,
    DType.bf16: 2,
    DType.i32: 4,
    DType.f32: 4,
    DType.i64: 8,
    DType.f64: 8,
    DType.c64: 8,
    DType.c128: 16,
}
