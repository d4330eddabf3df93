"""What ops do besides giving results: schemas mark mutation and randomness, the lists here have
the rest."""

from __future__ import annotations

from ingot.ir.graph import Node
from ingot.ir.prims import PRIMS
from ingot.ir.schema import Catalogue
from ingot.ir.types import TensorType

OUTWARD = frozenset(
    (
        "prim::SetState",
        "prim::Guard",
        "prim::RaiseException",
        "prim::Reraise",
        "prim::Call",
        "prim::Print",
        "prim::Write",
        "aten::warn",
        "aten::_assert_async",
        "aten::_assert_scalar",
        "aten::_assert_tensor_metadata",
        "aten::_linalg_check_errors",
        "aten::sym_constrain_range",
        "aten::sym_constrain_range_for_size",
        "aten::_print",
    )
)
"""Ops whose effect is seen outside the graph."""

MAY_RETURN_INPUT = frozenset(
    "aten::" + name
    for name in [
        "dropout",
        "feature_dropout",
        "alpha_dropout",
        "feature_alpha_dropout",
        "meshgrid",
        "broadcast_tensors",
        "atleast_1d",
        "atleast_2d",
        "atleast_3d",
    ]
)
"""Ops whose result may share an input's storage though their schemas do not say so."""


_TOTAL = frozenset(
    "aten::" + name
    for name in ["__is__", "__isnot__", "__not__", "len", "append", "clear", "dim", "size", "str"]
)
_FAILS = frozenset(
    "aten::" + name
    for name in ["__getitem__", "floordiv", "remainder", "div", "Int", "Float", "index"]
)
"""Ops on numbers, text and containers that Python programs expect to raise."""
_NEVER_RAISES = frozenset(PRIMS) - {
    "prim::Call",
    "prim::Cast",
    "prim::Guard",
    "prim::ListUnpack",
    "prim::RaiseException",
    "prim::Reraise",
}


def base(op: str) -> str:
    """The op's name without its overload."""
    return op.partition(".")[0]


def has_effect(node: Node, ops: Catalogue) -> bool:
    """Whether a run may notice that the node is gone, its results and mutations aside."""
    schema = ops.find(node.op)
    return base(node.op) in OUTWARD or (schema is not None and schema.random)


def fails(node: Node) -> bool:
    """Whether the node is there for its exception too: a key that is missing, a division by 0."""
    return base(node.op) in _FAILS and not any(isinstance(v.type, TensorType) for v in node.inputs)


def may_raise(node: Node) -> bool:
    """Whether the node itself, blocks aside, may end in an exception that a Try catches."""
    return node.op not in _NEVER_RAISES and base(node.op) not in _TOTAL


def mutates(node: Node, ops: Catalogue) -> bool:
    """Whether the node writes into one of its inputs."""
    if node.op in ("prim::Call", "prim::SetAttr"):
        return True
    schema = ops.find(node.op)
    return node.op not in PRIMS and schema is not None and schema.mutates
