"""Files that Python writes, as the native loader reads them."""

from __future__ import annotations

import numpy as np
import pytest
from test_file import make_program, nested

import ingot
from ingot.dtypes import DType
from ingot.errors import Error
from ingot.file.reader import read
from ingot.file.writer import save, to_bytes
from ingot.ir.builder import Builder
from ingot.ir.graph import Program, State, TensorData
from ingot.ir.types import TensorType


def returning(data: TensorData) -> Program:
    program = Program()
    program.state["w"] = State("w", TensorType(data.dtype, data.shape), data)
    builder = Builder.method(program, "forward")
    builder.returns(builder.state("w"))
    return program


NAMES = {
    "uint8": DType.u8,
    "int8": DType.i8,
    "int16": DType.i16,
    "int32": DType.i32,
    "int64": DType.i64,
    "float16": DType.f16,
    "float32": DType.f32,
    "float64": DType.f64,
    "complex64": DType.c64,
    "complex128": DType.c128,
    "bool": DType.bool,
}


@pytest.mark.parametrize(("name", "dtype"), NAMES.items())
@pytest.mark.parametrize("shape", [(), (0,), (3,), (3, 17)])
def test_every_dtype_arrives(name, dtype, shape):
    array = (np.arange(np.prod(shape, dtype=int)).reshape(shape) % 7).astype(name)
    data = TensorData(dtype, shape, memoryview(array.tobytes()))
    result = ingot.load(to_bytes(returning(data)))()
    assert result.dtype == array.dtype and result.shape == shape
    np.testing.assert_array_equal(result, array)


def test_files_pass_through_the_native_module(tmp_path):
    data = TensorData(DType.f32, (2,), memoryview(np.ones(2, np.float32).tobytes()))
    program = returning(data)
    save(program, tmp_path / "m.ingot", {"notes": "n"})
    module = ingot.load(tmp_path / "m.ingot")
    assert module.extra_files == {"notes": b"n"}
    module.save(tmp_path / "again.ingot")
    assert (tmp_path / "again.ingot").read_bytes() == (tmp_path / "m.ingot").read_bytes()


def test_both_readers_agree_on_nesting():
    assert ingot.load(to_bytes(nested(99)))(True) is True
    with pytest.raises(Error, match="nests deeper"):
        to_bytes(nested(100))


def test_both_readers_refuse_the_same_truncations():
    whole = to_bytes(make_program())
    for length in range(0, len(whole) - 1, 97):
        for reader in (ingot.load, read):
            with pytest.raises(Error) as caught:
                reader(whole[:length])
            assert caught.value.code == "corrupt_file"
