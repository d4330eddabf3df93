"""Elements of small tensors as Python numbers and back, without NumPy."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from ingot.dtypes import DType
from ingot.ir.graph import TensorData

_CODES = {
    DType.u8: "B",
    DType.i8: "b",
    DType.i16: "h",
    DType.i32: "i",
    DType.i64: "q",
    DType.f16: "e",
    DType.f32: "f",
    DType.f64: "d",
    DType.c64: "f",
    DType.c128: "d",
    DType.bool: "?",
    DType.bf16: "H",
}

Number = bool | int | float | complex


def unpack_elements(tensor: TensorData) -> list[Number]:
    """The elements in row-major order."""
    code = _CODES[tensor.dtype]
    size = struct.calcsize(f"<{code}")
    numbers = struct.unpack(f"<{len(tensor.data) // size}{code}", tensor.data)
    if tensor.dtype in (DType.c64, DType.c128):
        return [complex(re, im) for re, im in zip(numbers[::2], numbers[1::2], strict=True)]
    if tensor.dtype == DType.bf16:  # the upper half of a float
        return [struct.unpack("<f", struct.pack("<I", bits << 16))[0] for bits in numbers]
    return list(numbers)


def pack_elements(dtype: DType, shape: Sequence[int], numbers: Sequence[Number]) -> TensorData:
    """A tensor of these elements, which must be as many as ``shape`` says and fit ``dtype``.

    Raises ValueError if they do not.
    """
    count = 1
    for size in shape:
        count *= size
    if len(numbers) != count:
        raise ValueError(f"{len(numbers)} elements are not a tensor of sizes {list(shape)}")
    flat: list[Number] = list(numbers)
    if dtype in (DType.c64, DType.c128):
        flat = [part for n in map(complex, numbers) for part in (n.real, n.imag)]
    elif dtype == DType.bf16:
        bits = (struct.unpack("<I", struct.pack("<f", n))[0] for n in numbers)
        flat = [(b + 0x7FFF + (b >> 16 & 1)) >> 16 if b & 0x7FFFFFFF <= 0x7F800000 else b >> 16
                for b in bits]  # fmt: skip
    try:
        data = struct.pack(f"<{len(flat)}{_CODES[dtype]}", *flat)
    except (struct.error, OverflowError) as error:
        raise ValueError(f"an element does not fit {dtype}: {error}") from error
    return TensorData(dtype, tuple(shape), memoryview(data))
