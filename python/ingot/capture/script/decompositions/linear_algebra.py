"""Functions of torch.linalg over the factorisations of the catalogue.

Definitions are those of PyTorch's pages of torch.linalg.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor


class Slogdet(NamedTuple):
    sign: Tensor
    logabsdet: Tensor


class Factor(NamedTuple):
    LU: Tensor
    pivots: Tensor


class LdlFactor(NamedTuple):
    LD: Tensor
    pivots: Tensor


class Solution(NamedTuple):
    result: Tensor
    info: Tensor


class Eigen(NamedTuple):
    eigenvalues: Tensor
    eigenvectors: Tensor


class Svd(NamedTuple):
    U: Tensor
    S: Tensor
    Vh: Tensor


class OldSvd(NamedTuple):
    U: Tensor
    S: Tensor
    V: Tensor


def linalg_inv(A):
    inverse, _ = torch.linalg.inv_ex(A, check_errors=True)
    return inverse


def linalg_det(A):
    return torch._linalg_det(A)[0]


def linalg_slogdet(A):
    found = torch._linalg_slogdet(A)
    return Slogdet(found[0], found[1])


def logdet(self):
    found = torch._linalg_slogdet(self)
    nan = torch.full_like(found[1], float("nan"))
    return torch.where(found[0] < 0, nan, found[1])


def linalg_solve(A, B, left=True):
    return torch._linalg_solve_ex(A, B, left=left, check_errors=True)[0]


def linalg_solve_ex(A, B, left=True, check_errors=False):
    found = torch._linalg_solve_ex(A, B, left=left, check_errors=check_errors)
    return Solution(found[0], found[3])


def linalg_cholesky(self, upper=False):
    factor, _ = torch.linalg.cholesky_ex(self, upper=upper, check_errors=True)
    return factor


def linalg_eigh(self, UPLO="L"):
    values, vectors = torch._linalg_eigh(self, UPLO, True)
    return Eigen(values, vectors)


def linalg_eigvalsh(self, UPLO="L"):
    return torch._linalg_eigh(self, UPLO, False)[0]


def linalg_eigvals(self):
    return torch.ops.aten._linalg_eigvals(self)


def linalg_svd(A, full_matrices=True, driver=None):
    u, s, vh = torch._linalg_svd(A, full_matrices, True)
    return Svd(u, s, vh)


def linalg_svdvals(A, driver=None):
    return torch._linalg_svd(A, False, False)[1]


def svd(self, some=True, compute_uv=True):
    u, s, vh = torch._linalg_svd(self, not some, True)
    if compute_uv:
        return OldSvd(u, s, vh.mH)
    return OldSvd(torch.zeros_like(u), s, torch.zeros_like(vh))


def pinverse(self, rcond=1e-15):
    u, s, vh = torch._linalg_svd(self, False, True)
    if s.size(-1) == 0:
        return torch.matmul(vh.mH, u.mH)
    kept = s > rcond * torch.amax(s, -1, True)
    inverse = torch.where(kept, torch.reciprocal(s), torch.zeros_like(s))
    return torch.matmul(vh.mH * inverse.unsqueeze(-2).to(vh.dtype), u.mH)


def linalg_lu_factor(A, pivot=True):
    lu, pivots, _ = torch.linalg.lu_factor_ex(A, pivot=pivot, check_errors=True)
    return Factor(lu, pivots)


def _lu_with_info(self, pivot=True, check_errors=True):
    lu, pivots, info = torch.linalg.lu_factor_ex(self, pivot=pivot, check_errors=check_errors)
    return lu, pivots, info


def linalg_pinv(A, rcond=None, hermitian=False, atol=None, rtol=None):
    relative = rtol if rcond is None else rcond
    if relative is None:
        relative = 0.0 if atol is not None else max(A.size(-2), A.size(-1)) * _epsilon(A)
    absolute = 0.0 if atol is None else atol
    return torch.ops.aten.linalg_pinv.atol_rtol_tensor(
        A,
        atol=absolute if isinstance(absolute, torch.Tensor) else torch.tensor(absolute),
        rtol=relative if isinstance(relative, torch.Tensor) else torch.tensor(relative),
        hermitian=hermitian,
    )


def linalg_ldl_factor(self, hermitian=False):
    ld, pivots, _ = torch.linalg.ldl_factor_ex(self, hermitian=hermitian, check_errors=True)
    return LdlFactor(ld, pivots)


def lu_solve(self, LU_data, LU_pivots):
    return torch.linalg.lu_solve(LU_data, LU_pivots, self)


def qr(self, some=True):
    return torch.linalg.qr(self, "reduced" if some else "complete")


def matrix_exp(self):
    return torch.linalg.matrix_exp(self)


def linalg_diagonal(A, offset=0, dim1=-2, dim2=-1):
    return torch.diagonal(A, offset, dim1, dim2)


def linalg_vecdot(x, y, dim=-1):
    return (torch.conj(x) * y).sum(dim)


def linalg_matrix_power(self, n):
    size = self.size(-1)
    result = torch.eye(size, dtype=self.dtype).expand(self.shape).clone()
    base = linalg_inv(self) if n < 0 else self
    left = abs(n)
    while left > 0:
        if left % 2 == 1:
            result = torch.matmul(result, base)
        base = torch.matmul(base, base)
        left = left // 2
    return result


def linalg_multi_dot(tensors):
    first, last = tensors[0], tensors[-1]
    product = first.unsqueeze(0) if first.dim() == 1 else first
    for each in tensors[1:]:
        product = torch.matmul(product, each.unsqueeze(1) if each.dim() == 1 else each)
    if last.dim() == 1:
        product = product.squeeze(-1)
    return product.squeeze(0) if first.dim() == 1 else product


def _moved(A, dim):
    return torch.movedim(A, [dim[0], dim[1]], [-2, -1])


def _kept(norm, dim, keepdim, rank):
    if not keepdim:
        return norm
    places = sorted([dim[0] % rank, dim[1] % rank])
    return norm.unsqueeze(places[0]).unsqueeze(places[1])


def linalg_matrix_norm(self, ord="fro", dim=(-2, -1), keepdim=False, dtype=None):
    A = self if dtype is None else self.to(dtype)
    if ord == "fro":
        return torch.linalg.vector_norm(A, 2, list(dim), keepdim)
    matrices = _moved(A, dim)
    if ord == "nuc":
        found = linalg_svdvals(matrices).sum(-1)
    elif ord == 2:
        found = torch.amax(linalg_svdvals(matrices), -1)
    elif ord == -2:
        found = torch.amin(linalg_svdvals(matrices), -1)
    elif ord == 1:
        found = torch.amax(torch.abs(matrices).sum(-2), -1)
    elif ord == -1:
        found = torch.amin(torch.abs(matrices).sum(-2), -1)
    elif ord == float("inf"):
        found = torch.amax(torch.abs(matrices).sum(-1), -1)
    elif ord == -float("inf"):
        found = torch.amin(torch.abs(matrices).sum(-1), -1)
    else:
        raise RuntimeError("linalg.matrix_norm: Order not supported")
    return _kept(found, dim, keepdim, A.dim())


def linalg_norm(self, ord=None, dim=None, keepdim=False, dtype=None):
    A = self if dtype is None else self.to(dtype)
    if ord is None:
        if dim is None:
            return torch.linalg.vector_norm(A, 2, None, keepdim)
        dims = [dim] if isinstance(dim, int) else list(dim)
        return torch.linalg.vector_norm(A, 2, dims, keepdim)
    if isinstance(ord, str):
        return linalg_matrix_norm(A, ord, (0, 1) if dim is None else dim, keepdim)
    if dim is None:
        if A.dim() == 2:
            return linalg_matrix_norm(A, ord, (0, 1), keepdim)
        return torch.linalg.vector_norm(A, ord, None, keepdim)
    if isinstance(dim, int):
        return torch.linalg.vector_norm(A, ord, [dim], keepdim)
    if len(dim) == 2:
        return linalg_matrix_norm(A, ord, dim, keepdim)
    return torch.linalg.vector_norm(A, ord, list(dim), keepdim)


def linalg_cond(self, p=None):
    if p is None or p == 2 or p == -2:
        values = linalg_svdvals(self)
        largest, smallest = torch.amax(values, -1), torch.amin(values, -1)
        return smallest / largest if p == -2 else largest / smallest
    return linalg_matrix_norm(self, p) * linalg_matrix_norm(linalg_inv(self), p)


def _epsilon(A):
    wide = A.dtype == torch.float64 or A.dtype == torch.complex128
    return 2.220446049250313e-16 if wide else 1.1920928955078125e-07


def linalg_matrix_rank(self, atol=None, rtol=None, hermitian=False, tol=None):
    values = torch.abs(linalg_eigvalsh(self)) if hermitian else linalg_svdvals(self)
    if values.size(-1) == 0:
        return torch.zeros(values.shape[:-1], dtype=torch.int64)
    largest = torch.amax(values, -1, True)
    if atol is None and tol is not None:
        limit = torch.zeros_like(largest) + tol
    else:
        relative = max(self.size(-2), self.size(-1)) * _epsilon(self)
        if rtol is None:
            bound = largest * (0.0 if atol is not None else relative)
        else:
            bound = largest * rtol
        limit = bound if atol is None else torch.maximum(bound, torch.zeros_like(bound) + atol)
    return (values > limit).sum(-1)


def linalg_vander(x, N=None):
    points = x.reshape([1]) if x.dim() == 0 else x
    count = points.size(-1) if N is None else N
    return torch.pow(points.unsqueeze(-1), torch.arange(count))


def linalg_tensorinv(self, ind=2):
    front, back = self.shape[:ind], self.shape[ind:]
    size = 1
    for each in back:
        size = size * each
    inverse = linalg_inv(self.reshape([-1, size]))
    return inverse.reshape(list(back) + list(front))


def linalg_tensorsolve(self, other, dims=None):
    A = self
    if dims is not None:
        moved = [d % self.dim() for d in dims]
        A = self.permute([d for d in range(self.dim()) if d not in moved] + moved)
    tail = list(A.shape[other.dim() :])
    size = 1
    for each in tail:
        size = size * each
    return linalg_solve(A.reshape([-1, size]), other.reshape([-1])).reshape(tail)


COMPOSITIONS: dict[str, Callable[..., Any]] = {
    "aten::det": linalg_det,
    "aten::inverse": linalg_inv,
    "aten::matrix_power": linalg_matrix_power,
    "aten::slogdet": linalg_slogdet,
    **{
    f"aten::{function.__name__}": function
    for function in (
        _lu_with_info, linalg_cholesky, linalg_cond, linalg_det, linalg_diagonal, linalg_eigh,
        linalg_eigvals,
        linalg_eigvalsh, linalg_inv, linalg_ldl_factor, linalg_lu_factor, linalg_matrix_norm,
        linalg_matrix_power, linalg_matrix_rank, linalg_multi_dot, linalg_norm, linalg_slogdet,
        linalg_solve, linalg_solve_ex, linalg_svd, linalg_svdvals, linalg_tensorinv,
        linalg_tensorsolve, linalg_vander, linalg_vecdot, logdet, lu_solve, matrix_exp, pinverse,
        qr, svd,
    )
    },
}  # fmt: skip
