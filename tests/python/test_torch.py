"""PyTorch tensors as inputs and results."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.python.programs import identity

from ingot import _ingot
from ingot.errors import Error
from ingot.ir.types import INT, TENSOR, ListType, TupleType

DTYPES = [
    torch.bool,
    torch.uint8,
    torch.int8,
    torch.int16,
    torch.int32,
    torch.int64,
    torch.float16,
    torch.bfloat16,
    torch.float32,
    torch.float64,
    torch.complex64,
    torch.complex128,
]


def same_memory(a: torch.Tensor, b: torch.Tensor) -> bool:
    return a.numel() == 0 or a.data_ptr() == b.data_ptr()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (1,), (17,), (2, 3, 1)])
def test_every_dtype_passes_without_a_copy(dtype, shape):
    x = torch.arange(torch.Size(shape).numel()).to(dtype).reshape(shape)
    y = identity()(x)
    assert type(y) is torch.Tensor
    assert y.dtype == dtype and y.shape == x.shape
    assert torch.equal(x, y)
    assert same_memory(x, y)


@pytest.mark.parametrize(
    "view",
    [
        lambda x: x.t(),
        lambda x: x[::2, 1::3],
        lambda x: x[:, None, :1].expand(4, 5, 6),
        lambda x: x.unfold(0, 2, 1),
        lambda x: x[2:, 3:],
    ],
)
def test_strides_are_kept_without_a_copy(view):
    x = view(torch.arange(24.0).reshape(4, 6))
    y = identity()(x)
    assert torch.equal(x, y)
    assert same_memory(x, y)


def test_gradients_are_left_behind():
    x = torch.ones(3, requires_grad=True)
    y = identity()(x * 2)
    assert not y.requires_grad and torch.equal(y, torch.full((3,), 2.0))
    assert torch.equal(identity()(torch.nn.Parameter(torch.ones(2))), torch.ones(2))


@pytest.mark.parametrize(
    "make",
    [
        lambda z: z.conj(),
        lambda z: z.conj().imag,
        lambda z: z.conj()[:1].imag,
        lambda z: torch._neg_view(z.real.contiguous()),
        lambda z: torch._neg_view(z),
        lambda z: torch._neg_view(z.conj()),
    ],
    ids=["conj", "conj imag", "one element", "neg", "neg complex", "neg conj"],
)
def test_lazy_conjugates_and_negatives_keep_their_values(make):
    x = make(torch.tensor([1 + 2j, 3 - 4j]))
    assert torch.equal(identity()(x), x)


def test_torch_in_torch_out_numpy_in_numpy_out():
    x, a = torch.arange(3.0), np.arange(3.0, dtype=np.float32)
    pair = identity(TupleType((TENSOR, TENSOR)))
    assert [type(v) for v in pair((a, a))] == [np.ndarray, np.ndarray]
    assert [type(v) for v in pair((a, x))] == [torch.Tensor, torch.Tensor]
    assert [type(v) for v in pair((x, x))] == [torch.Tensor, torch.Tensor]


def test_read_only_memory_is_copied():
    a = np.arange(3.0)
    a.flags.writeable = False
    _, y = identity(TupleType((TENSOR, TENSOR)))((torch.zeros(1), a))
    y += 1
    assert a.tolist() == [0, 1, 2] and y.tolist() == [1, 2, 3]


def test_storage_outlives_a_replaced_input():
    x = torch.arange(1000.0)
    y = identity()(x)
    x.data = torch.zeros(5)
    assert torch.equal(y, torch.arange(1000.0))


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.empty(2, 3, device="meta"),
        lambda: torch.eye(3).to_sparse(),
        lambda: torch.zeros(2, dtype=torch.uint16),
        lambda: torch.zeros(2, dtype=torch.float8_e4m3fn),
        lambda: torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
    ],
    ids=["meta", "sparse", "uint16", "float8", "nested"],
)
def test_other_tensors_are_refused_with_a_sentence(make):
    with pytest.raises(Error) as caught:
        identity()(make())
    assert "'x'" in caught.value.message
    assert "\n" not in caught.value.message


def test_fake_tensors_are_refused():
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        x = torch.ones(3)
    with pytest.raises(Error, match="'x'"):
        identity()(x)


@pytest.mark.parametrize(
    ("constant", "number"),
    [
        (torch.float32, 6),
        (torch.bool, 11),
        (torch.bfloat16, 15),
        (torch.device("cpu"), 0),
        (torch.strided, 0),
        (torch.contiguous_format, 0),
        (torch.preserve_format, 1),
    ],
)
def test_constants_are_numbers(constant, number):
    assert identity(INT)(constant) == number


@pytest.mark.parametrize(
    "constant", [torch.uint16, torch.device("cuda:0"), torch.sparse_coo, torch.channels_last]
)
def test_constants_without_a_number_are_refused(constant):
    with pytest.raises(Error, match="not supported"):
        identity(INT)(constant)


def test_sizes_are_lists_of_ints():
    assert identity(ListType(INT))(torch.ones(2, 3).shape) == [2, 3]


def test_ops_compute_in_place_on_the_caller_s_memory():
    x = torch.ones(3)
    (y,) = _ingot.call_op("aten::add_.Tensor", [x, torch.ones(3), 1])
    assert x.tolist() == [2, 2, 2] and same_memory(x, y)
