"""Programs whose ops may choose between right answers: the order of equal elements, the signs of
singular vectors."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from ingot import _ingot
from ingot.capture.compare import difference
from ingot.ir.graph import Node, Program
from ingot.ir.interpret_torch import ProgramModule, Step, StepCompiler

_DETERMINED = {
    "sort": 0,
    "topk": 0,
    "kthvalue": 0,
    "mode": 0,
    "median": 0,
    "nanmedian": 0,
    "_linalg_svd": 1,
    "_linalg_eigh": 0,
}
"""Ops of several results, and the one that leaves no choice."""


def result(program: Program, args: Sequence[Any], kwargs: Mapping[str, Any], *, own: bool) -> Any:
    """What PyTorch's ops make of the program; if ``own``, choices are made as Ingot makes them,
    wherever what leaves no choice agrees."""
    module = ProgramModule(program)
    compiler = _Choosing(module) if own else StepCompiler(module)
    module._compiled = {
        name: compiler.steps(method.body) for name, method in program.methods.items()
    }
    with torch.no_grad():
        return module(*args, **kwargs)


def has_choices(program: Program) -> bool:
    """True if any of its nodes has a choice."""
    return any(
        _is_choice(node) for method in program.methods.values() for node in method.body.walk()
    )


def _packet(node: Node) -> str:
    return node.op.partition("::")[2].partition(".")[0]


def _is_choice(node: Node) -> bool:
    packet = _packet(node)
    return packet == "argsort" or (packet in _DETERMINED and len(node.outputs) > 1)


class _Choosing(StepCompiler):
    def simple(self, node: Node, function: Callable[..., Any]) -> Step:
        if not _is_choice(node):
            return super().simple(node, function)

        def chosen(*args: Any) -> Any:
            given = copy.deepcopy(args)
            expected = function(*args)
            native = _ingot.call_op(node.op, list(given))
            if len(node.outputs) == 1:
                return native[0] if _same_order(args, native[0], expected) else expected
            determined = _DETERMINED[_packet(node)]
            agrees = difference(native[determined], expected[determined]) is None
            return native if agrees else expected

        return super().simple(node, chosen)


def _same_order(args: tuple[Any, ...], native: torch.Tensor, expected: torch.Tensor) -> bool:
    """Two results of argsort that put equal elements in one order."""
    values = args[0]
    dims = [arg for arg in args[1:] if isinstance(arg, int) and not isinstance(arg, bool)]
    if native.shape != expected.shape:
        return False
    if values.dim() == 0:
        return True
    dim = dims[0] if dims else -1
    return torch.equal(values.gather(dim, native), values.gather(dim, expected))
