"""An op that the catalogue lacks as a small graph of simpler ops."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import torch
import torch._library.custom_ops
import torch.fx.experimental._config as fx_config
import torch.utils._pytree as pytree
from torch import fx
from torch._decomp import core_aten_decompositions, decomposition_table
from torch.fx.experimental.proxy_tensor import make_fx

from ingot.capture.decompositions import OWN
from ingot.capture.size_rules import size_rules


@dataclass
class Parts:
    """The steps of an op; ``inputs`` are the arguments of the graph around for its inputs."""

    module: fx.GraphModule
    inputs: list[Any]

    @property
    def graph(self) -> fx.Graph:
        return self.module.graph


def decompose(node: fx.Node) -> Parts | None:
    """The node's op one step simpler, or None if PyTorch has no decomposition for it."""
    assert isinstance(node.target, torch._ops.OpOverload)
    function = _decomposition(node.target)
    if function is None:
        return None
    flat, tree = pytree.tree_flatten((node.args, dict(node.kwargs)))
    inputs = [leaf for leaf in flat if isinstance(leaf, fx.Node)]
    values = [leaf.meta["val"] for leaf in inputs]

    def call(*given: Any) -> Any:
        supply = iter(given)
        leaves = [next(supply) if isinstance(leaf, fx.Node) else leaf for leaf in flat]
        args, kwargs = pytree.tree_unflatten(leaves, tree)
        return function(*args, **kwargs)

    modes = [v.fake_mode for v in values if isinstance(v, torch._subclasses.FakeTensor)]
    try:
        with (
            size_rules(),
            # As when the graph was captured: a size that is 1 at times is no case of its own.
            cast(Any, fx_config).patch(backed_size_oblivious=True),
            modes[0] if modes else contextlib.nullcontext(),
        ):
            module = make_fx(call)(*values)
    except Exception:  # a decomposition that does not fit these arguments
        return None
    return Parts(module, inputs)


def _decomposition(op: torch._ops.OpOverload) -> Callable[..., Any] | None:
    functional = _functional(op)
    if functional is not None:
        return functional
    # PyTorch's own primitives, in which some of its decompositions end, know themselves in ATen.
    if op.namespace == "prims":
        return getattr(op, "impl_aten", None)
    for table in (OWN, _core(), decomposition_table):
        if op in table:
            return table[op]
    if op.namespace == "torch_nn":  # PyTorch's own custom ops, which are written in Python
        written: Callable[..., Any] = torch._library.custom_ops.OPDEFS[op._schema.name]._init_fn
        return written
    if op._can_decompose():
        return lambda *args, **kwargs: op.decompose(*args, **kwargs)
    return None


@cache
def _core() -> dict:
    return dict(core_aten_decompositions())


def _without_out(op: torch._ops.OpOverload) -> Callable[..., Any] | None:
    """``div.Tensor`` of ``div.out``: the overload that takes the other arguments."""
    packet = getattr(torch.ops.aten, op._opname)
    taken = [(each.name, str(each.type)) for each in op._schema.arguments[:-1]]
    for name in packet.overloads():
        plain: torch._ops.OpOverload = getattr(packet, name)
        if [(each.name, str(each.type)) for each in plain._schema.arguments] == taken:
            return plain
    return None


def _functional(op: torch._ops.OpOverload) -> Callable[..., Any] | None:
    """``relu_(x)`` as ``x.copy_(relu(x))``, and ``out=`` in the same way."""
    schema = op._schema
    if op._overloadname.endswith("out") and schema.arguments[-1].name == "out":
        plain = _without_out(op)
        if plain is None:
            return None
        return lambda *args, out, **kwargs: torch.ops.aten.copy_.default(
            out, plain(*args, **kwargs)
        )
    if not op._opname.endswith("_") or op._opname.startswith("__") or not schema.arguments:
        return None
    packet = getattr(torch.ops.aten, op._opname[:-1], None)
    overload = getattr(packet, op._overloadname, None) if packet is not None else None
    if overload is None:
        return None
    return lambda self, *args, **kwargs: torch.ops.aten.copy_.default(
        self, overload(self, *args, **kwargs)
    )
