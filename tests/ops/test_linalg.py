"""Linear algebra against PyTorch. Where several answers are right, as with the signs of singular
vectors, results must satisfy the identities that define them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from tests.ops.dispatched import Call, calls
from tests.ops.oracle import check, compare, positional, run, torch_results

import ingot
from ingot import _ingot

DTYPES = [torch.float32, torch.float64, torch.complex64, torch.complex128]
OPS = {
    name
    for name, _, _ in _ingot.catalogue()
    if name.removeprefix("aten::").startswith(
        ("_linalg_", "linalg_", "cholesky", "geqrf", "lu_unpack", "ormqr", "triangular_solve")
    )
} - {"aten::linalg_vector_norm", "aten::_linalg_check_errors"}
FUNCTIONS = [
    "cholesky", "cholesky_inverse", "cholesky_solve", "geqrf", "linalg.cholesky",
    "linalg.cholesky_ex", "linalg.cond", "linalg.det", "linalg.eig", "linalg.eigh",
    "linalg.eigvals", "linalg.eigvalsh", "linalg.householder_product", "linalg.inv",
    "linalg.inv_ex", "linalg.ldl_factor", "linalg.ldl_factor_ex", "linalg.ldl_solve",
    "linalg.lstsq", "linalg.lu", "linalg.lu_factor", "linalg.lu_factor_ex", "linalg.lu_solve",
    "linalg.matrix_norm", "linalg.matrix_power", "linalg.matrix_rank", "linalg.pinv", "linalg.qr",
    "linalg.slogdet", "linalg.solve", "linalg.solve_ex", "linalg.solve_triangular", "linalg.svd",
    "linalg.svdvals", "linalg.tensorinv", "linalg.tensorsolve", "logdet", "lu", "lu_solve",
    "lu_unpack", "matrix_exp", "ormqr", "pinverse", "qr", "svd", "triangular_solve",
]  # fmt: skip


def near(got: torch.Tensor, want: torch.Tensor, size: float = 1) -> None:
    """To the precision of the dtype, relative to the largest element or ``size``."""
    epsilon = torch.finfo(want.dtype).eps
    size = max(float(want.abs().max()), size) if want.numel() else size
    torch.testing.assert_close(got, want, rtol=0, atol=100 * epsilon * size, check_stride=False)


def near_identity(matrix: torch.Tensor) -> None:
    near(matrix, torch.eye(matrix.shape[-1], dtype=matrix.dtype).expand_as(matrix))


def check_svd(values: list, got: Sequence[torch.Tensor], want: Sequence[torch.Tensor]) -> None:
    a, _, compute_uv, _ = values
    u, s, vh = got
    near(s, want[1])
    if compute_uv:
        k = s.shape[-1]
        near((u[..., :k] * s.unsqueeze(-2).to(a.dtype)) @ vh[..., :k, :], a)
        near_identity(u.mH @ u)
        near_identity(vh @ vh.mH)


def check_eigh(values: list, got: Sequence[torch.Tensor], want: Sequence[torch.Tensor]) -> None:
    a, triangle, compute_v = values
    near(got[0], want[0])
    if compute_v:
        half = a.tril(-1) if triangle in "Ll" else a.triu(1)
        diagonal = torch.diag_embed(a.diagonal(dim1=-2, dim2=-1).real).to(a.dtype)
        near((got[1] * got[0].unsqueeze(-2).to(a.dtype)) @ got[1].mH, half + half.mH + diagonal)
        near_identity(got[1].mH @ got[1])


def check_eig(values: list, got: Sequence[torch.Tensor], want: Sequence[torch.Tensor]) -> None:
    (a,) = values
    w, v = got
    near(a.to(v.dtype) @ v, v * w.unsqueeze(-2))
    near(torch.linalg.vector_norm(v, dim=-2), torch.ones(v.shape[:-1], dtype=v.real.dtype))
    # Eigenvalues may come in any order.
    far = (w.unsqueeze(-1) - want[0].unsqueeze(-2)).abs()
    if w.numel():
        size = float(w.abs().max()) * w.shape[-1]
        near(far.amin(-1), torch.zeros_like(far.amin(-1)), size)
        near(far.amin(-2), torch.zeros_like(far.amin(-2)), size)


IDENTITIES = {
    "aten::_linalg_svd": check_svd,
    "aten::_linalg_eigh": check_eigh,
    "aten::linalg_eig": check_eig,
}
FACTORS_BESIDE = {"aten::_linalg_det": 1, "aten::_linalg_slogdet": 2}
"""Results that count; those after them are factors, of the matrix or of its transpose."""


def check_call(call: Call) -> None:
    values = [v.resolve_conj() if isinstance(v, torch.Tensor) else v for v in call.values]
    got = _ingot.call_op(call.name, values)
    shapes = [(t.dtype, t.shape) for t in call.results]
    assert [(t.dtype, t.shape) for t in got] == shapes, call.name
    if call.name in IDENTITIES:
        IDENTITIES[call.name](values, got, call.results)
        return
    count = FACTORS_BESIDE.get(call.name, len(got))
    want = call.results[:count]
    if call.name == "aten::linalg_ldl_factor_ex":  # LAPACK leaves the upper triangle as it was
        want = (want[0].tril(), *want[1:])
    compare(call.name, values, got[:count], want)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_torch_samples(function: str, dtype: torch.dtype) -> None:
    for call in calls(function, dtype, OPS):
        check_call(call)


def matrices(dtype: torch.dtype, *sizes: int) -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(sizes, dtype=dtype)


def call_of(name: str, *values: Any) -> Call:
    given = positional(name, values, {})
    return Call(name, given, torch_results(name, given))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("size", [1, 2, 3, 4, 8])
def test_eigenvalues_come_in_the_order_of_lapack(dtype: torch.dtype, size: int) -> None:
    full = matrices(dtype, 40, size, size)
    few = full * (matrices(torch.float64, 40, size, size) > 0.5)
    for a in (full, full.tril(), full.triu(), full @ full.mH, few, torch.zeros_like(full)):
        values, vectors = run("aten::linalg_eig", a)
        want = torch.linalg.eigvals(a)
        # Where rounding decides, and for defective matrices, it may be another one.
        close = torch.isclose(values, want, rtol=1e-2, atol=1e-2).all(-1)
        assert close.sum() >= 38
        near(a.to(vectors.dtype) @ vectors, vectors * values.unsqueeze(-2))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("rows", [1, 3, 17, 40, 70])
@pytest.mark.parametrize("columns", [1, 5, 17, 64])
def test_decompositions_of_odd_sizes(dtype: torch.dtype, rows: int, columns: int) -> None:
    a = matrices(dtype, 2, rows, columns)
    for full in (False, True):
        check_call(call_of("aten::_linalg_svd", a, full, True))
    check_call(call_of("aten::_linalg_svd", a.mT, False, False))
    for name in ("linalg_qr", "geqrf", "linalg_lu", "linalg_lu_factor_ex"):
        check_call(call_of("aten::" + name, a))
    check_call(call_of("aten::linalg_qr", a, "complete"))
    check_call(call_of("aten::linalg_qr", a, "r"))
    if columns == 1:
        square = matrices(dtype, 2, rows, rows)
        for triangle in "LU":
            check_call(call_of("aten::_linalg_eigh", square, triangle))
            check_call(call_of("aten::_linalg_eigh", square, triangle, False))
        check_call(call_of("aten::linalg_eig", square))
        positive = square @ square.mH + torch.eye(rows, dtype=dtype)
        for upper in (False, True):
            check_call(call_of("aten::linalg_cholesky_ex", positive, upper))
            check_call(call_of("aten::cholesky_inverse", torch.linalg.cholesky(positive), upper))
        symmetric = square + square.mT
        for given, hermitian in ((symmetric, False), (square + square.mH, True)):
            call = call_of("aten::linalg_ldl_factor_ex", given, hermitian)
            check_call(call)
            b = matrices(dtype, 2, rows, 3)
            (x,) = run("aten::linalg_ldl_solve", *call.results[:2], b, hermitian=hermitian)
            near(given @ x, b, float(x.abs().max()) * rows)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("size", [(0, 0), (3, 0, 0), (0, 4, 4), (2, 0, 3), (2, 3, 0)], ids=str)
def test_empty(dtype: torch.dtype, size: tuple[int, ...]) -> None:
    a = matrices(dtype, *size)
    names = ["linalg_qr", "geqrf", "linalg_lu", "linalg_lu_factor_ex", "_linalg_svd",
             "linalg_pinv.atol_rtol_tensor"]  # fmt: skip
    if size[-1] == size[-2]:
        names += ["_linalg_det", "_linalg_slogdet", "linalg_inv_ex", "_linalg_eigh", "linalg_eig",
                  "linalg_cholesky_ex", "linalg_matrix_exp", "cholesky"]  # fmt: skip
    for name in names:
        check_call(call_of("aten::" + name, a))


def test_driver_and_rank_of_least_squares() -> None:
    a, b = matrices(torch.float64, 3, 7, 4), matrices(torch.float64, 3, 7, 2)
    deficient = a.clone()
    deficient[..., 3] = deficient[..., 0]
    for driver in ("gelsy", "gelsd", "gelss"):
        for given in (a, a.mT.contiguous(), deficient):
            side = b if given.shape[-2] == 7 else b[:, :4]
            check("aten::linalg_lstsq", given, side, None, driver=driver, infer=False)
    check("aten::linalg_lstsq", a, b, driver="gels", infer=False)


def test_singular_matrices_are_reported() -> None:
    zeros = torch.zeros(2, 2)
    assert int(run("aten::linalg_inv_ex", zeros)[1]) == 1
    assert int(run("aten::linalg_inv_ex", torch.tensor([[1.0, 2], [2, 4]]))[1]) == 2
    assert int(run("aten::linalg_cholesky_ex", torch.tensor([[1.0, 2], [2, 1]]))[1]) == 2
    assert float(run("aten::_linalg_slogdet", zeros)[1]) == -float("inf")
    for name, sentence in {
        "linalg.inv": r"linalg.inv: .* is singular \(diagonal element 2",
        "torch.linalg.solve": "torch.linalg.solve: .* singular",
        "linalg.cholesky": "linalg.cholesky: .* not positive-definite .* order 2",
        "torch.linalg.lu_factor": r"torch.linalg.lu_factor: U\[2,2\] is zero",
    }.items():
        info = torch.tensor(2, dtype=torch.int32)
        with pytest.raises(ingot.Error, match=sentence):
            run("aten::_linalg_check_errors", info, name, is_matrix=True)
    run("aten::_linalg_check_errors", torch.zeros(3, dtype=torch.int32), "x", is_matrix=False)
    with pytest.raises(ingot.Error, match=r"linalg.inv \(batch element 1\)"):
        run("aten::_linalg_check_errors", torch.tensor([0, 1]).int(), "linalg.inv", is_matrix=False)
    with pytest.raises(ingot.Error, match="cholesky: .* not positive-definite"):
        run("aten::cholesky", zeros)
    with pytest.raises(ingot.Error, match="linalg.svd: .* not finite"):
        run("aten::_linalg_svd", torch.full((2, 2), float("nan")))


def test_a_traced_model_raises_for_a_singular_matrix() -> None:
    m = ingot.trace(torch.linalg.inv, (torch.eye(3) * 2,))
    torch.testing.assert_close(m(torch.eye(3) * 4), torch.eye(3) / 4)
    with pytest.raises(ingot.Error, match="linalg.inv: .* singular"):
        m(torch.zeros(3, 3))


def test_least_squares_are_traced() -> None:
    def fit(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        found = torch.linalg.lstsq(a, b)
        return found.solution + torch.linalg.lstsq(a, b, driver="gels").residuals.sum()

    m = ingot.trace(fit, (torch.randn(5, 3), torch.randn(5, 2)))
    for rows in (4, 9):
        a, b = torch.randn(rows, 3), torch.randn(rows, 2)
        torch.testing.assert_close(m(a, b), fit(a, b), rtol=1e-4, atol=1e-4)
    with pytest.raises(ingot.Error, match="depend on data"):
        ingot.trace(lambda a, b: torch.linalg.lstsq(a, b, driver="gelsd")[0], (a, b))


@pytest.mark.parametrize(
    ("name", "args", "sentence"),
    [
        ("aten::linalg_inv_ex", (torch.ones(2, 3),), "must be square"),
        ("aten::linalg_inv_ex", (torch.ones(3),), "at least 2 dimensions"),
        ("aten::linalg_inv_ex", (torch.ones(2, 2).half(),), "must be f32, f64, c64 or c128"),
        ("aten::_linalg_solve_ex", (torch.ones(2, 2), torch.ones(3, 1)), "as many rows"),
        ("aten::_linalg_solve_ex", (torch.ones(2, 2, 2), torch.ones(3, 2, 1)), "broadcast"),
        ("aten::_linalg_solve_ex", (torch.ones(2, 2), torch.ones(2, 1).double()), "same dtype"),
        ("aten::linalg_qr", (torch.ones(2, 2), "x"), "mode must be"),
        ("aten::_linalg_eigh", (torch.ones(2, 2), "x"), "UPLO must be"),
        ("aten::linalg_householder_product", (torch.ones(2, 3), torch.ones(2)), "as many rows"),
        ("aten::linalg_lu_solve", (torch.ones(2, 2), torch.tensor([1, 5]).int(), torch.ones(2, 1)),
         "numbers of rows, from 1 to 2"),
    ],
)  # fmt: skip
def test_values_that_do_not_fit(name: str, args: tuple, sentence: str) -> None:
    with pytest.raises(ingot.Error, match=sentence):
        run(name, *args)
