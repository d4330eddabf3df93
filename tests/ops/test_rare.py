"""Ops that PyTorch's OpInfo samples do not reach: older names, and what only scripts contain."""

from __future__ import annotations

import warnings

import pytest
import torch
from tests.ops.oracle import compare, positional, torch_results
from torch.utils._pytree import tree_map

import ingot
from ingot import _ingot

IMAGE = torch.linspace(-2, 2, 2 * 3 * 5 * 4).reshape(2, 3, 5, 4)
VOLUME = torch.linspace(-2, 2, 2 * 3 * 4 * 5 * 3).reshape(2, 3, 4, 5, 3)
LINE = torch.linspace(-1, 1, 2 * 3 * 7).reshape(2, 3, 7)
BITS = torch.tensor([[5, 3, -1], [0, 7, 12]])


def _cell(gates: int) -> tuple:
    """Weights of a recurrent cell of 3 inputs and 4 units."""
    torch.manual_seed(0)
    sizes = ((gates * 4, 3), (gates * 4, 4), (gates * 4,), (gates * 4,))
    return tuple(torch.randn(size) for size in sizes)


X, H = torch.linspace(-1, 1, 6).reshape(2, 3), torch.linspace(1, -1, 8).reshape(2, 4)

TENSORS = [
    *((f"aten::__{op}__.Scalar", (BITS, 6)) for op in ("iand", "ior", "ixor")),
    *((f"aten::__{op}__.Tensor", (BITS, BITS.flip(0))) for op in ("iand", "ior", "ixor")),
    ("aten::_adaptive_avg_pool2d", (IMAGE, [2, 3])),
    ("aten::_adaptive_avg_pool3d", (VOLUME, [2, 1, 3])),
    ("aten::_cast_Char", (IMAGE,)),
    ("aten::_cast_Double", (IMAGE,)),
    ("aten::_cast_Float", (IMAGE,)),
    ("aten::_cast_Half", (IMAGE,)),
    ("aten::_cast_Int", (IMAGE,)),
    ("aten::_cast_Byte", (IMAGE.abs(),)),
    ("aten::_cast_Long", (IMAGE,)),
    ("aten::_cast_Short", (IMAGE,)),
    ("aten::_index_put_impl_", (IMAGE, [torch.tensor([1, 0]), None], IMAGE[:2] * 2)),
    ("aten::_prelu_kernel", (IMAGE, torch.tensor([0.5, -1.0, 2.0]).reshape(1, 3, 1, 1))),
    ("aten::_reshape_alias", (IMAGE, [6, 20], [20, 1])),
    ("aten::_shape_as_tensor", (IMAGE,)),
    ("aten::_unsafe_index.Tensor", (IMAGE, [None, torch.tensor([2, 0, 2])])),
    ("aten::_unsafe_view", (IMAGE, [6, 20])),
    ("aten::_upsample_nearest_exact2d", (IMAGE, [7, 3])),
    ("aten::_upsample_nearest_exact2d.vec", (IMAGE, None, [1.5, 2.0])),
    ("aten::_linalg_eigvals", (torch.tensor([[2.0, 1.0], [-1.0, 2.0]]),)),
    ("aten::rrelu_with_noise_functional", (IMAGE, torch.zeros_like(IMAGE), 0.1, 0.3)),
    ("aten::frobenius_norm.dim", (IMAGE, [1, 3], True)),
    ("aten::gru_cell", (X, H, *_cell(3))),
    ("aten::lstm_cell", (X, [H, H.flip(0)], *_cell(4))),
    ("aten::rnn_relu_cell", (X, H, *_cell(1))),
    ("aten::rnn_tanh_cell", (X, H, *_cell(1))),
    ("aten::lift_fresh", (IMAGE,)),
    ("aten::lift_fresh_copy", (IMAGE,)),
    ("aten::reflection_pad2d", (IMAGE, [1, 2, 3, 0])),
    ("aten::reflection_pad3d", (VOLUME, [1, 2, 3, 0, 2, 1])),
    ("aten::replication_pad1d", (LINE, [2, 3])),
    ("aten::replication_pad2d", (IMAGE, [1, 2, 3, 0])),
    ("aten::replication_pad3d", (VOLUME, [1, 2, 3, 0, 2, 1])),
    ("aten::upsample_nearest3d", (VOLUME, [5, 3, 6])),
    ("aten::upsample_nearest3d.vec", (VOLUME, None, [1.5, 2.0, 0.5])),
]


@pytest.mark.parametrize(("name", "args"), TENSORS, ids=[name for name, _ in TENSORS])
def test_tensors_answer_as_pytorch(name: str, args: tuple):
    values = positional(name, args, {})

    def copies() -> list:
        return tree_map(lambda v: v.clone() if isinstance(v, torch.Tensor) else v, values)

    compare(name, values, _ingot.call_op(name, copies()), torch_results(name, copies()))


@pytest.mark.parametrize("sorted_", [True, False])
def test_unique_has_the_inverse_beside_the_values(sorted_: bool):
    x = torch.tensor([[3, 1, 3], [2, 1, 1]])
    values, inverse = _ingot.call_op("aten::_unique", [x, sorted_, True])
    assert torch.equal(values.sort().values, torch.tensor([1, 2, 3]))
    assert torch.equal(values[inverse], x)


def test_coordinates_come_one_tensor_for_each_dimension():
    (found,) = _ingot.call_op("aten::nonzero_numpy", [BITS])
    for got, want in zip(found, BITS.nonzero(as_tuple=True), strict=True):
        assert torch.equal(got, want)


QUESTIONS = [
    ("aten::ComplexImplicit", (torch.tensor(2 - 1j),), 2 - 1j),
    ("aten::FloatImplicit", (torch.tensor(2.5),), 2.5),
    ("aten::IntImplicit", (torch.tensor(3),), 3),
    ("aten::ScalarImplicit", (torch.tensor(3),), 3),
    ("aten::_local_scalar_dense", (torch.tensor([[7]]),), 7),
    ("aten::__round_to_zero_floordiv.int", (-7, 2), -3),
    ("aten::_unwrap_optional", (5,), 5),
    ("aten::get_device", (IMAGE,), -1),
    ("aten::is_conj", (IMAGE,), False),
    ("aten::is_neg", (IMAGE,), False),
    ("aten::is_inference", (IMAGE,), False),
    ("aten::is_leaf", (IMAGE,), True),
    ("aten::is_nonzero", (torch.tensor([0.5]),), True),
    ("aten::is_same_size", (IMAGE, IMAGE + 1), True),
    ("aten::is_same_size", (IMAGE, VOLUME), False),
    ("aten::is_signed", (BITS,), True),
    ("aten::is_signed", (BITS.to(torch.uint8),), False),
    ("aten::promote_types", (6, 7), 7),
    ("aten::sym_numel", (IMAGE,), IMAGE.numel()),
    ("aten::sym_storage_offset", (IMAGE,), 0),
    ("aten::sym_stride", (IMAGE.transpose(1, 2),), [60, 4, 20, 1]),
    ("aten::sym_stride.int", (IMAGE, 1), 20),
]


@pytest.mark.parametrize(
    ("name", "args", "answer"), QUESTIONS, ids=[f"{q[0]}-{i}" for i, q in enumerate(QUESTIONS)]
)
def test_questions(name: str, args: tuple, answer: object):
    (got,) = _ingot.call_op(name, list(args))
    assert got == answer and type(got) is type(answer)


@pytest.mark.parametrize(
    ("kind", "entries"),
    [
        ("str", {"a": 1}),
        ("int", {3: 1}),
        ("float", {0.5: 1}),
        ("bool", {True: 1}),
    ],
)
def test_dicts_lose_what_is_taken(kind: str, entries: dict):
    (item,) = _ingot.call_op(f"aten::popitem.{kind}", [dict(entries)])
    assert tuple(item) == next(iter(entries.items()))
    with pytest.raises(_ingot.Error, match="empty"):
        _ingot.call_op(f"aten::popitem.{kind}", [{}])


def cleared(n: int) -> int:
    numbers = [n, n + 1]
    numbers.clear()
    names = {"a": n}
    names.clear()
    places = {n: "a"}
    places.clear()
    shares = {0.5: n}
    shares.clear()
    answers = {n > 0: n}
    answers.clear()
    return len(numbers) + len(names) + len(places) + len(shares) + len(answers)


def test_containers_are_emptied():
    assert ingot.script(cleared)(3) == 0


def warned(x: torch.Tensor) -> torch.Tensor:
    warnings.warn("the gain is high", stacklevel=2)
    return x * 2


def test_warnings_do_not_stop_a_run(capfd: pytest.CaptureFixture[str]):
    assert torch.equal(ingot.script(warned)(X), X * 2)
    assert "the gain is high" in capfd.readouterr().err
