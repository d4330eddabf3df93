"""Where a program begins to answer differently: its nodes run one by one beside PyTorch."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy
import torch
from torch.utils._pytree import tree_map_only

from ingot import _ingot
from ingot.capture.compare import difference
from ingot.errors import Error
from ingot.ir.diagnostics import stack
from ingot.ir.graph import Node, Program
from ingot.ir.interpret_torch import ProgramModule, Step, StepCompiler


def first_difference(
    program: Program, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[str, str]:
    """A clause that names the first op whose native result is not PyTorch's on the same
    arguments, and its lines. Empty if every op agrees, so that the program itself is wrong.
    """
    module = ProgramModule(program)
    compiler = _Comparing(module)
    module._compiled = {
        name: compiler.steps(method.body) for name, method in program.methods.items()
    }
    try:
        with torch.no_grad():
            module(*args, **kwargs)
    except Error:  # a guard or an op that PyTorch refuses: what was found before that counts
        pass
    return compiler.found or ("", "")


class _Comparing(StepCompiler):
    found: tuple[str, str] | None = None

    def simple(self, node: Node, function: Callable[..., Any]) -> Step:
        if node.op.startswith("prim::") or not node.outputs:
            return super().simple(node, function)

        def compared(*args: Any) -> Any:
            given = None if self.found else copy.deepcopy(args)
            result = function(*args)
            if given is not None:
                self.compare(node, given, result)
            return result

        return super().simple(node, compared)

    def compare(self, node: Node, args: tuple, expected: Any) -> None:
        try:
            native = _ingot.call_op(node.op, list(args))
        except Error as error:
            self.found = (f"{node.op} fails: {error.message}", stack(node.source))
            return
        results = list(expected) if len(node.outputs) > 1 else [expected]
        # Of arguments without tensors, such as arange's, NumPy arrays are made.
        own = tree_map_only(numpy.ndarray, torch.from_numpy, list(native))
        clause = difference(own, results, f"the result of {node.op}")
        if clause:
            self.found = (clause, stack(node.source))
