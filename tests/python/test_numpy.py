"""NumPy arrays and scalars as inputs and results."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from tests.python.programs import identity

from ingot import _ingot
from ingot.errors import Error
from ingot.ir.types import BOOL, COMPLEX, FLOAT, INT, TENSOR, TensorType

DTYPES = [
    np.bool_,
    np.uint8,
    np.int8,
    np.int16,
    np.int32,
    np.int64,
    np.longlong,
    np.float16,
    np.float32,
    np.float64,
    np.complex64,
    np.complex128,
    ml_dtypes.bfloat16,
]


def values(dtype: object, *shape: int) -> np.ndarray:
    count = int(np.prod(shape))
    return (
        (np.arange(count) % 2 if dtype is np.bool_ else np.arange(count))
        .astype(dtype)
        .reshape(shape)
    )


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: d.__name__)
@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (1,), (17,), (2, 3, 1)])
def test_every_dtype_passes_without_a_copy(dtype, shape):
    x = values(dtype, *shape)
    y = identity()(x)
    assert y.dtype == x.dtype or (dtype is np.longlong and y.dtype == np.int64)
    assert y.shape == x.shape
    np.testing.assert_array_equal(y, x)
    assert x.size == 0 or np.shares_memory(x, y)


@pytest.mark.parametrize(
    "view",
    [
        lambda x: x.T,
        lambda x: x[::2, 1::3],
        lambda x: x[1:, :0],
        lambda x: np.broadcast_to(x[:, None, :1], (4, 5, 6)),
        lambda x: np.lib.stride_tricks.sliding_window_view(x, (2, 2)),
        lambda x: np.asfortranarray(x),
    ],
)
def test_strides_are_kept_without_a_copy(view):
    x = view(np.arange(24, dtype=np.float32).reshape(4, 6))
    y = identity()(x)
    np.testing.assert_array_equal(y, x)
    assert x.size == 0 or np.shares_memory(x, y)


@pytest.mark.parametrize(
    "make",
    [
        lambda: np.arange(12, dtype=np.float32)[::-1],
        lambda: np.arange(12, dtype=np.float32).reshape(3, 4)[:, ::-2],
        lambda: np.arange(12, dtype=">f4"),
        lambda: np.frombuffer(b"\0" + np.arange(6, dtype=np.float32).tobytes(), np.uint8)[1:].view(
            np.float32
        ),
        lambda: np.zeros(5, dtype=[("a", "f4"), ("b", "i2")])["a"],
    ],
    ids=["negative", "negative column", "big endian", "unaligned", "field"],
)
def test_what_no_tensor_can_describe_is_copied_with_its_values(make):
    x = make()
    y = identity()(x)
    np.testing.assert_array_equal(y, x)
    assert not np.shares_memory(x, y)
    assert not y.flags.writeable, "an update of a copy would be lost silently"


def test_read_only_arrays_stay_read_only():
    x = np.arange(3.0)
    assert identity()(x).flags.writeable
    x.flags.writeable = False
    assert not identity()(x).flags.writeable
    with pytest.raises(Error, match="read-only|writ"):
        _ingot.call_op("aten::add_.Tensor", [x, 1.0, 1])


def test_results_outlive_inputs_and_module():
    x = np.arange(1000, dtype=np.float32)
    expected = x.copy()
    module = identity()
    y = module(x[3:])
    del x, module
    np.testing.assert_array_equal(y, expected[3:])


def test_memory_is_freed():
    import sys

    x = np.arange(4.0)
    module = identity()
    before = sys.getrefcount(x)
    results = [module(x) for _ in range(10)]
    assert sys.getrefcount(x) == before + 10
    del results
    assert sys.getrefcount(x) == before


@pytest.mark.parametrize(
    "array",
    [
        np.zeros(2, np.uint16),
        np.zeros(2, np.uint64),
        np.zeros(2, np.longdouble),
        np.array(["a"]),
        np.array([object()]),
        np.zeros(2, "M8[s]"),
        np.zeros(2, ml_dtypes.float8_e4m3fn),
    ],
    ids=lambda a: str(a.dtype),
)
def test_other_dtypes_are_refused_by_name(array):
    with pytest.raises(Error) as caught:
        identity()(array)
    assert str(array.dtype) in caught.value.message
    assert "'x'" in caught.value.message
    assert caught.value.code == "invalid_argument"


def test_too_many_dimensions():
    with pytest.raises(Error, match="17 dimensions"):
        identity()(np.zeros((1,) * 17))
    x = np.zeros((1,) * 16)
    assert identity()(x).shape == x.shape


@pytest.mark.parametrize(
    ("scalar", "type", "expected"),
    [
        (np.float32(0.5), FLOAT, 0.5),
        (np.float64(0.5), FLOAT, 0.5),
        (np.int16(-3), INT, -3),
        (np.int16(-3), FLOAT, -3.0),
        (np.bool_(True), BOOL, True),
        (np.complex64(1 + 2j), COMPLEX, 1 + 2j),
    ],
)
def test_scalars_are_numbers(scalar, type, expected):
    result = identity(type)(scalar)
    assert result == expected
    assert isinstance(result, builtin := expected.__class__), builtin


def test_scalars_are_tensors_where_tensors_are_expected():
    y = identity(TENSOR)(np.float32(2.5))
    assert y.shape == () and y.dtype == np.float32 and y == 2.5


def test_array_subclasses():
    x = np.arange(6.0).reshape(2, 3).view(np.matrix)
    y = identity(TensorType())(x)
    assert type(y) is np.ndarray
    np.testing.assert_array_equal(y, np.asarray(x))
