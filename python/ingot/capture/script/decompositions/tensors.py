"""Functions of tensors that PyTorch makes of others itself, written once more.

Definitions are those of PyTorch's page of each function.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch


def addr(self, vec1, vec2, beta=1, alpha=1):
    product = torch.outer(vec1, vec2) * alpha
    if beta == 0:
        return torch.zeros(self.shape, dtype=self.dtype) + product
    return self * beta + product


def block_diag(tensors):
    blocks = [torch.atleast_2d(each) for each in tensors]
    rows, columns = 0, 0
    for each in blocks:
        rows, columns = rows + each.size(0), columns + each.size(1)
    parts = []
    before = 0
    for each in blocks:
        after = columns - before - each.size(1)
        parts.append(torch.nn.functional.pad(each, [before, after]))
        before = before + each.size(1)
    return torch.cat(parts, 0)


def cartesian_prod(tensors):
    if len(tensors) == 1:
        return tensors[0]
    grids = torch.meshgrid(tensors, indexing="ij")
    return torch.stack([each.reshape([-1]) for each in grids], 1)


def combinations(self, r=2, with_replacement=False):
    count = self.size(0)
    if r == 0:
        return torch.empty([0], dtype=self.dtype)
    numbers = torch.arange(count)
    grids = torch.meshgrid([numbers for _ in range(r)], indexing="ij")
    kept = torch.ones([count] * r, dtype=torch.bool)
    for i in range(r - 1):
        if with_replacement:
            kept = torch.logical_and(kept, grids[i] <= grids[i + 1])
        else:
            kept = torch.logical_and(kept, grids[i] < grids[i + 1])
    picked = [self.index_select(0, torch.masked_select(each, kept)) for each in grids]
    return torch.stack(picked, 1)


def sum_to_size(self, *sizes):
    size = sizes[0] if len(sizes) == 1 and not isinstance(sizes[0], int) else list(sizes)
    extra = self.dim() - len(size)
    result = self.sum(list(range(extra))) if extra > 0 else self
    for i in range(len(size)):
        if size[i] == 1 and result.size(i) != 1:
            result = result.sum(i, True)
    return result


def cov(self, correction=1, fweights=None, aweights=None):
    x = self.reshape([1, -1]) if self.dim() < 2 else self
    count = x.size(1)
    if fweights is None and aweights is None:
        centred = x - x.mean(1, True)
        divisor = torch.full([], float(count - correction), dtype=x.dtype)
        found = torch.matmul(centred, torch.conj(centred).t()) / torch.clamp(divisor, min=0)
    else:
        weights = torch.ones([count], dtype=x.dtype)
        if fweights is not None:
            weights = weights * fweights
        if aweights is not None:
            weights = weights * aweights
        total = weights.sum()
        centred = x - (x * weights).sum(1, True) / total
        if aweights is None or correction == 0:
            divisor = total - correction
        else:
            divisor = total - correction * (weights * aweights).sum() / total
        centred_weighted = torch.conj(centred * weights).t()
        found = torch.matmul(centred, centred_weighted) / torch.clamp(divisor, min=0)
    return found.squeeze()


def corrcoef(self):
    found = torch.cov(self)
    if found.dim() == 0:
        return found / found
    deviation = torch.sqrt(torch.diagonal(found))
    return found / deviation.unsqueeze(1) / deviation.unsqueeze(0)


def tensor_split_at(
    self: torch.Tensor, tensor_indices_or_sections: torch.Tensor, dim: int = 0
) -> list[torch.Tensor]:
    places = tensor_indices_or_sections
    if places.dim() == 0:
        return list(torch.tensor_split(self, int(places), dim))
    indices: list[int] = places.tolist()
    return list(torch.tensor_split(self, indices, dim))


def vander(x, N=None, increasing=False):
    columns = x.size(0) if N is None else N
    powers = torch.arange(columns)
    if not increasing:
        powers = powers.flip(0)
    kind = torch.int64 if x.dtype == torch.bool else x.dtype
    return torch.pow(x.unsqueeze(-1).to(kind), powers.to(kind))


def hsplit(self, indices):
    return torch.tensor_split(self, indices, 0 if self.dim() == 1 else 1)


def vsplit(self, indices):
    return torch.tensor_split(self, indices, 0)


def dsplit(self, indices):
    return torch.tensor_split(self, indices, 2)


def kron(self, other):
    rank = max(self.dim(), other.dim())
    a = self.reshape([1] * (rank - self.dim()) + list(self.shape))
    b = other.reshape([1] * (rank - other.dim()) + list(other.shape))
    left: list[int] = []
    right: list[int] = []
    whole: list[int] = []
    for i in range(rank):
        left = [*left, a.size(i), 1]
        right = [*right, 1, b.size(i)]
        whole.append(a.size(i) * b.size(i))
    return (a.reshape(left) * b.reshape(right)).reshape(whole)


def tensordot(self, other, dims_self, dims_other):
    mine = [d % self.dim() for d in dims_self]
    theirs = [d % other.dim() for d in dims_other]
    for i in range(len(mine)):  # a size of 1 is repeated
        if self.size(mine[i]) == 1 and other.size(theirs[i]) != 1:
            other = other.sum(theirs[i], True)
        elif other.size(theirs[i]) == 1 and self.size(mine[i]) != 1:
            self = self.sum(mine[i], True)
    left = [d for d in range(self.dim()) if d not in mine]
    right = [d for d in range(other.dim()) if d not in theirs]
    summed = 1
    for d in mine:
        summed = summed * self.size(d)
    a = self.permute(left + mine).reshape([-1, summed])
    b = other.permute(theirs + right).reshape([summed, -1])
    shape = [self.size(d) for d in left] + [other.size(d) for d in right]
    return torch.matmul(a, b).reshape(shape)


def _spacing(x, dim):
    if x.dim() == 1:
        return x[1:] - x[:-1], True
    return x.narrow(dim, 1, x.size(dim) - 1) - x.narrow(dim, 0, x.size(dim) - 1), False


def _areas(y, x, dx, dim):
    count = max(y.size(dim) - 1, 0)
    halves = (y.narrow(dim, 1, count) + y.narrow(dim, 0, count)) / 2.0
    if x is None:
        return halves * dx
    width, flat = _spacing(x, dim)
    if flat:
        shape = [1] * y.dim()
        shape[dim] = count
        width = width.reshape(shape)
    return halves * width


def trapezoid(y, x=None, dx=1, dim=-1):
    return _areas(y, x, dx, dim).sum(dim)


def cumulative_trapezoid(y, x=None, dx=1, dim=-1):
    return _areas(y, x, dx, dim).cumsum(dim)


def renorm(self, p, dim, maxnorm):
    dims = [d for d in range(self.dim()) if d != dim % self.dim()]
    norms = torch.linalg.vector_norm(self, p, dims, True)
    ones = torch.ones_like(norms)
    return self * torch.where(norms > maxnorm, maxnorm / (norms + 1e-7), ones)


def mvlgamma(self, p):
    places = torch.arange(p) / 2
    terms = torch.lgamma(self.unsqueeze(-1) - places)
    return terms.sum(-1) + p * (p - 1) / 4 * math.log(math.pi)


def matrix_H(self):
    if self.dim() == 0:
        return self
    return torch.adjoint(self)


def pdist(self, p=2.0):
    return torch.ops.aten._pdist_forward(self, p)


def grid_sampler(input, grid, interpolation_mode, padding_mode, align_corners):
    if input.dim() == 5:
        return torch.grid_sampler_3d(input, grid, interpolation_mode, padding_mode, align_corners)
    return torch.grid_sampler_2d(input, grid, interpolation_mode, padding_mode, align_corners)


def embedding_bag(
    weight,
    indices,
    offsets,
    scale_grad_by_freq=False,
    mode=0,
    sparse=False,
    per_sample_weights=None,
    include_last_offset=False,
    padding_idx=None,
):
    return torch._embedding_bag_forward_only(
        weight,
        indices,
        offsets,
        scale_grad_by_freq,
        mode,
        sparse,
        per_sample_weights,
        include_last_offset,
        -1 if padding_idx is None else padding_idx,
    )


def _between(ordered, place, interpolation):
    """The value at a place between elements of the last dimension."""
    low = torch.floor(place)
    high = torch.ceil(place)
    if interpolation == "nearest":
        return ordered.index_select(-1, torch.round(place).to(torch.int64))
    below = ordered.index_select(-1, low.to(torch.int64))
    above = ordered.index_select(-1, high.to(torch.int64))
    if interpolation == "lower":
        return below
    if interpolation == "higher":
        return above
    if interpolation == "midpoint":
        return torch.lerp(below, above, 0.5)
    return torch.lerp(below, above, (place - low).to(below.dtype).expand(below.shape))


def quantile(self, q, dim=None, keepdim=False, interpolation="linear"):
    levels = q if isinstance(q, torch.Tensor) else torch.full([], q, dtype=self.dtype)
    flat = dim is None or self.dim() == 0
    x = self.reshape([-1]) if flat else torch.movedim(self, 0 if dim is None else dim, -1)
    ordered = torch.sort(x, -1)[0]
    place = levels.reshape([-1]) * (x.size(-1) - 1)
    found = _between(ordered, place, interpolation)
    undefined = torch.isnan(x).any(-1, True).expand(found.shape)
    found = torch.where(undefined, torch.full_like(found, float("nan")), found)
    return _quantiles(self, found, levels, dim, keepdim)


def _quantiles(self, found, levels, dim, keepdim):
    """The levels come first; one level alone has no dimension."""
    found = torch.movedim(found, -1, 0)
    if keepdim:
        if dim is None or self.dim() == 0:
            found = found.reshape([found.size(0)] + [1] * self.dim())
        else:
            found = found.unsqueeze(dim % self.dim() + 1)
    return found.squeeze(0) if levels.dim() == 0 else found


def nanquantile(self, q, dim=None, keepdim=False, interpolation="linear"):
    levels = q if isinstance(q, torch.Tensor) else torch.full([], q, dtype=self.dtype)
    flat = dim is None or self.dim() == 0
    x = self.reshape([-1]) if flat else torch.movedim(self, 0 if dim is None else dim, -1)
    ordered = torch.sort(x, -1)[0]
    count = torch.logical_not(torch.isnan(x)).sum(-1, True)
    place = torch.clamp((count - 1), min=0).to(x.dtype) * levels.reshape([-1])
    low = torch.floor(place)
    if interpolation == "nearest":
        found = torch.gather(ordered, -1, torch.round(place).to(torch.int64))
    else:
        below = torch.gather(ordered, -1, low.to(torch.int64))
        above = torch.gather(ordered, -1, torch.ceil(place).to(torch.int64))
        if interpolation == "lower":
            found = below
        elif interpolation == "higher":
            found = above
        elif interpolation == "midpoint":
            found = torch.lerp(below, above, 0.5)
        else:
            found = torch.lerp(below, above, place - low)
    return _quantiles(self, found, levels, dim, keepdim)


def _tail(x, dim, start, count):
    return x.narrow(dim, start, count)


def gradient_along(x, dim, spacing, edge_order):
    """Central differences at equal distances, one-sided ones of the order at the ends."""
    count = x.size(dim)
    inner = (_tail(x, dim, 2, count - 2) - _tail(x, dim, 0, count - 2)) / (2 * spacing)
    if edge_order == 1:
        first = (_tail(x, dim, 1, 1) - _tail(x, dim, 0, 1)) / spacing
        last = (_tail(x, dim, count - 1, 1) - _tail(x, dim, count - 2, 1)) / spacing
    else:
        first = (
            -1.5 * _tail(x, dim, 0, 1) + 2 * _tail(x, dim, 1, 1) - 0.5 * _tail(x, dim, 2, 1)
        ) / spacing
        last = (
            1.5 * _tail(x, dim, count - 1, 1)
            - 2 * _tail(x, dim, count - 2, 1)
            + 0.5 * _tail(x, dim, count - 3, 1)
        ) / spacing
    return torch.cat([first, inner, last], dim)


def gradient(self, spacing=None, dim=None, edge_order=1):
    if dim is None:
        dims = list(range(self.dim()))
    elif isinstance(dim, int):
        dims = [dim]
    else:
        dims = list(dim)
    found = []
    for i in range(len(dims)):
        if spacing is None:
            step = 1.0
        elif isinstance(spacing, (int, float)):
            step = float(spacing)
        else:
            step = float(spacing[i])
        found.append(gradient_along(self, dims[i], step, edge_order))
    return found


def _centres(steps, align_corners):
    """Places from -1 to 1 along one dimension of a grid: of the ends, or of elements' centres."""
    if steps <= 1:
        return torch.zeros([steps])
    places = torch.linspace(-1.0, 1.0, steps)
    return places if align_corners else places * (steps - 1) / steps


def affine_grid_generator(theta, size, align_corners):
    rank = len(size) - 2
    axes = []
    for i in range(rank):
        view = [1] * rank
        view[i] = size[2 + i]
        along = _centres(size[2 + i], align_corners).to(theta.dtype).reshape(view)
        axes.append(along.expand(size[2:]))
    axes.reverse()
    axes.append(torch.ones(size[2:], dtype=theta.dtype))
    points = torch.stack(axes, -1).reshape([1, -1, rank + 1]).expand([size[0], -1, -1])
    grid = torch.matmul(points, theta.transpose(1, 2))
    return grid.reshape([size[0], *size[2:], rank])


def promoted(a, b):
    """The dtype of a sum of tensors of the dtypes ``a`` and ``b``."""
    return (torch.zeros([1], dtype=a) + torch.zeros([1], dtype=b)).dtype


def castable(a, b):
    """Whether an ``a`` may be stored as a ``b``: kinds of numbers become wider only."""
    x, y = torch.zeros([1], dtype=a), torch.zeros([1], dtype=b)
    if x.is_complex():
        return y.is_complex()
    if x.is_floating_point():
        return y.is_complex() or y.is_floating_point()
    return x.dtype == torch.bool or y.dtype != torch.bool


def type_of_result(a, b):
    """The dtype of ``a + b``, whatever their sizes."""
    if isinstance(a, torch.Tensor) and a.dim() > 0:
        a = a.reshape(-1)[:0]
    if isinstance(b, torch.Tensor) and b.dim() > 0:
        b = b.reshape(-1)[:0]
    return (a * b).dtype


def norm_except_dim(v, pow=2, dim=0):
    if dim == -1:
        return torch.linalg.vector_norm(v, pow)
    if v.dim() == 1:
        return v.abs()
    return torch.linalg.vector_norm(v, pow, [d for d in range(v.dim()) if d != dim], True)


def fill_diagonal_(self, fill_value, wrap=False):
    if self.dim() != 2 or wrap:
        raise NotImplementedError("fill_diagonal_ is for matrices here, and does not wrap")
    self.diagonal().fill_(fill_value)
    return self


COMPOSITIONS: dict[str, Callable[..., Any]] = {
    "aten::trapz": trapezoid,
    **{
        f"aten::{function.__name__}": function
        for function in (
            addr, affine_grid_generator, block_diag, cartesian_prod, combinations,
            corrcoef, cov, cumulative_trapezoid, dsplit, embedding_bag, fill_diagonal_,
            gradient, grid_sampler, hsplit, kron, matrix_H, mvlgamma, nanquantile,
            norm_except_dim, pdist, quantile, renorm, sum_to_size, tensordot, trapezoid,
            vander, vsplit,
        )
    },
}  # fmt: skip
