"""Sparse matrices of a trace. Programs have none: a matrix is the places and the elements that it
was made of, and its products are sums over these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import fx

from ingot.ir.diagnostics import fail
from ingot.ir.graph import Value

if TYPE_CHECKING:
    from ingot.capture.lower import Lowering

aten = torch.ops.aten


@dataclass(frozen=True, eq=False)
class Sparse:
    """``indices: i64[2, n]`` and ``values: [n]``; elements at one place add up."""

    indices: Value
    values: Value
    sizes: tuple[Any, Any]


def refuse(low: Lowering) -> None:
    """Raises Error: a sparse tensor goes where none can."""
    fail(
        "the model uses a sparse tensor in a way that Ingot cannot follow",
        source=low.b.source,
        hint="products of a sparse matrix and to_dense() can be captured; use a dense tensor or "
        "index_add elsewhere",
        code="unsupported",
    )


def _is_sparse(low: Lowering, argument: Any) -> bool:
    return isinstance(argument, fx.Node) and isinstance(low.at.get(argument), Sparse)


def _made(low: Lowering, node: fx.Node) -> Any:
    sparse_dim, dense_dim, sizes, indices, values, *_ = node.args
    if (sparse_dim, dense_dim) != (2, 0):
        refuse(low)
    return Sparse(low.operand(indices), low.operand(values), tuple(low.operand(sizes)))


def _of_dense(low: Lowering, node: fx.Node) -> Any:
    if _is_sparse(low, node.args[0]):
        return low.at[node.args[0]]  # type: ignore[index]
    if node.meta["val"].layout != torch.sparse_coo or node.meta["val"].dim() != 2:
        refuse(low)
    dense = low.operand(node.args[0])
    op: Any = low.b.op
    indices = op("aten::t", op("aten::nonzero", dense))
    places = [op("aten::select.int", indices, 0, k) for k in (0, 1)]
    values = op("aten::index.Tensor", dense, places)
    return Sparse(indices, values, tuple(op("aten::size.int", dense, k) for k in (0, 1)))


def _dense(low: Lowering, node: fx.Node) -> Any:
    if not _is_sparse(low, node.args[0]):
        return low.operand(node.args[0])
    matrix = low.at[node.args[0]]  # type: ignore[index]
    op: Any = low.b.op
    places = [op("aten::select.int", matrix.indices, 0, k) for k in (0, 1)]
    zeros = op("aten::new_zeros", matrix.values, list(matrix.sizes))
    return op("aten::index_put", zeros, places, matrix.values, True)


def _transposed(low: Lowering, node: fx.Node) -> Any:
    if not _is_sparse(low, node.args[0]):
        return low.call(_name(node), node)
    matrix = low.at[node.args[0]]  # type: ignore[index]
    if len(node.args) > 1 and {int(d) % 2 for d in node.args[1:]} != {0, 1}:  # type: ignore[arg-type]
        return matrix
    flipped: Any = low.b.op("aten::flip", matrix.indices, [0])
    return Sparse(flipped, matrix.values, matrix.sizes[::-1])


def _product(low: Lowering, first: Any, second: Any) -> Any:
    if not _is_sparse(low, first):
        return low.b.op("aten::mm", low.operand(first), low.operand(second))
    matrix, dense = low.at[first], low.operand(second)
    op: Any = low.b.op
    rows, columns = (op("aten::select.int", matrix.indices, 0, k) for k in (0, 1))
    taken = op("aten::index_select", dense, 0, columns)
    parts = op("aten::mul.Tensor", taken, op("aten::unsqueeze", matrix.values, 1))
    zeros = op("aten::new_zeros", parts, [matrix.sizes[0], op("aten::size.int", dense, 1)])
    return op("aten::index_add", zeros, 0, rows, parts)


def _mm(low: Lowering, node: fx.Node) -> Any:
    if not any(_is_sparse(low, each) for each in node.args):
        return low.call("aten::mm", node)
    return _product(low, *node.args)


def _matmul(low: Lowering, node: fx.Node) -> Any:
    first, second = node.args
    if not _is_sparse(low, first) or second.meta["val"].dim() != 2:  # type: ignore[union-attr]
        return low.call("aten::matmul", node)
    return _product(low, first, second)


def _addmm(low: Lowering, node: fx.Node) -> Any:
    added, first, second = node.args
    beta, alpha = node.kwargs.get("beta", 1), node.kwargs.get("alpha", 1)
    op: Any = low.b.op
    if not any(_is_sparse(low, each) for each in node.args):
        given = (low.operand(each) for each in node.args)
        return low.call(
            "aten::addmm", node, *given, beta=low.operand(beta), alpha=low.operand(alpha)
        )
    product = _product(low, first, second)
    if alpha != 1:
        product = op("aten::mul.Scalar", product, low.operand(alpha))
    if beta == 0:
        return product
    return op("aten::add.Tensor", product, low.operand(added), alpha=low.operand(beta))


def _merged(low: Lowering, node: fx.Node) -> Any:
    """``coalesce()``: what may be asked of the result does not tell it from its source."""
    return low.at[node.args[0]] if _is_sparse(low, node.args[0]) else low.operand(node.args[0])  # type: ignore[index]


def _unknown(low: Lowering, node: fx.Node) -> Any:
    return node.meta.get("val", False)


def _name(node: fx.Node) -> str:
    schema: Any = node.target._schema  # type: ignore[union-attr]
    return str(schema.name + (f".{schema.overload_name}" if schema.overload_name else ""))


SPARSE_RULES: dict[Any, Any] = {
    aten._sparse_coo_tensor_with_dims_and_tensors.default: _made,
    aten._to_sparse.default: _of_dense,
    aten._to_sparse.sparse_dim: _of_dense,
    aten._to_dense.default: _dense,
    aten.t.default: _transposed,
    aten.transpose.int: _transposed,
    aten.mm.default: _mm,
    aten.matmul.default: _matmul,
    aten.addmm.default: _addmm,
    aten._sparse_addmm.default: _addmm,
    aten.coalesce.default: _merged,
    aten._coalesce.default: _merged,
    aten.is_coalesced.default: _unknown,
}
