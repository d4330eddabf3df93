"""Matrix products against PyTorch."""

from __future__ import annotations

import pytest
import torch
from tests.ops.oracle import FLOATS, check, run, samples

import ingot

ALL = [*FLOATS, torch.complex64, torch.complex128, torch.int64, torch.int32, torch.uint8]


def matrix(dtype: torch.dtype, *sizes: int) -> torch.Tensor:
    if dtype.is_floating_point or dtype.is_complex:
        return torch.randn(sizes, dtype=dtype)
    return torch.randint(0, 5, sizes, dtype=dtype)


@pytest.mark.parametrize("dtype", ALL, ids=str)
@pytest.mark.parametrize("m", [0, 1, 3, 17])
@pytest.mark.parametrize("k", [0, 1, 10, 33])
@pytest.mark.parametrize("n", [0, 1, 5, 40])
def test_products_of_odd_sizes(dtype: torch.dtype, m: int, k: int, n: int) -> None:
    a, b = matrix(dtype, m, k), matrix(dtype, k, n)
    check("aten::mm", a, b)
    check("aten::matmul", a, b)
    check("aten::mv", a, matrix(dtype, k))
    check("aten::linear", a, matrix(dtype, n, k), matrix(dtype, n))
    check("aten::addmm", matrix(dtype, n), a, b)
    check("aten::addmm", matrix(dtype, m, n), a, b, beta=2, alpha=3)
    if m * k * n:
        check("aten::addmm", matrix(dtype, m, n), a, b, beta=1.6, alpha=0.6)
    check("aten::bmm", matrix(dtype, 3, m, k), matrix(dtype, 3, k, n))
    check("aten::matmul", matrix(dtype, 2, 1, m, k), matrix(dtype, 3, k, n))
    check("aten::matmul", matrix(dtype, 2, 3, m, k), b)


OPS = ["mm", "bmm", "matmul", "mv", "dot", "addmm", "addmv", "baddbmm", "addbmm",
       "nn.functional.linear"]  # fmt: skip


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.complex64])
@pytest.mark.parametrize("op", OPS)
def test_torch_samples(op: str, dtype: torch.dtype) -> None:
    for sample in samples(op, dtype):
        check("aten::" + op.split(".")[-1], sample.input, *sample.args, **sample.kwargs)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_grouped_products(dtype: torch.dtype) -> None:
    """PyTorch's own asks for strides of 16 bytes: held against a product for each group."""
    ends = torch.tensor([2, 2, 5], dtype=torch.int32)
    groups = [slice(0, 2), slice(2, 2), slice(2, 5)]

    def same(a: torch.Tensor, b: torch.Tensor, expected: torch.Tensor) -> None:
        for one, two in ((a, b), (a.mT.contiguous().mT, b.mT.contiguous().mT)):
            (got,) = run("aten::_grouped_mm", one, two, ends)
            torch.testing.assert_close(got, expected)

    rows, columns = matrix(dtype, 5, 7), matrix(dtype, 3, 5)
    stack = matrix(dtype, 3, 7, 3)
    same(rows, stack, torch.cat([rows[g] @ m for g, m in zip(groups, stack, strict=True)]))
    same(
        stack,
        columns,
        torch.cat([m @ columns[:, g] for g, m in zip(groups, stack, strict=True)], 1),
    )
    same(rows.mT, rows, torch.stack([rows.mT[:, g] @ rows[g] for g in groups]))
    (got,) = run("aten::_grouped_mm", matrix(dtype, 7, 7), stack, ends)
    assert not got[5:].any()
    (got,) = run("aten::_grouped_mm", stack, stack.mT)
    torch.testing.assert_close(got, stack @ stack.mT)


def test_grouped_products_refuse_wrong_groups() -> None:
    a, b = torch.randn(5, 8), torch.randn(3, 8, 16)
    for ends, words in (([3, 2, 5], "must not decrease"), ([2, 5], "3 matrices for 2 groups")):
        with pytest.raises(ingot.Error, match=words):
            run("aten::_grouped_mm", a, b, torch.tensor(ends, dtype=torch.int32))


@pytest.mark.parametrize("dtype", FLOATS)
def test_large_products(dtype: torch.dtype) -> None:
    a, b = torch.randn(150, 700, dtype=dtype), torch.randn(700, 90, dtype=dtype)
    exact = a.double() @ b.double()
    for given in (b, b.mT.contiguous().mT):
        (got,) = run("aten::mm", a, given)
        eager = (a @ given).double()
        bound = 2 * (eager - exact).abs().max() + 1e-12
        assert (got.double() - exact).abs().max() <= bound


def test_beta_zero_ignores_self() -> None:
    nan = torch.full((2, 3), float("nan"))
    check("aten::addmm", nan, torch.ones(2, 4), torch.ones(4, 3), beta=0)


@pytest.mark.parametrize(
    ("name", "args", "sentence"),
    [
        ("aten::mm", ((2, 3), (4, 5)), "cannot be multiplied"),
        ("aten::mm", ((2, 3, 1), (3, 5)), "must be matrices"),
        ("aten::bmm", ((2, 3, 4), (3, 4, 5)), "as many matrices"),
        ("aten::linear", ((2, 3), (4, 5)), "last size of input"),
        ("aten::linear", ((2, 5), (4, 5), (3,)), "broadcast"),
        ("aten::matmul", ((2, 3), (4,)), "inner sizes 3 and 4"),
        ("aten::addmm", ((7,), (2, 3), (3, 5)), "broadcast"),
        ("aten::dot", ((2,), (3,)), "no dot product"),
    ],
)
def test_shapes_that_do_not_fit(name: str, args: tuple, sentence: str) -> None:
    with pytest.raises(ingot.Error, match=sentence):
        run(name, *(torch.ones(size) for size in args))


def test_dtypes_that_do_not_fit() -> None:
    with pytest.raises(ingot.Error, match="same dtype"):
        run("aten::mm", torch.ones(2, 2), torch.ones(2, 2).double())
    with pytest.raises(ingot.Error, match="bool"):
        run("aten::mm", torch.ones(2, 2).bool(), torch.ones(2, 2).bool())
