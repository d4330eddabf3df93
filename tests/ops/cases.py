"""Calls of the catalogue's ops on PyTorch's OpInfo samples as methods of one file, which
tests/cpp/replay runs under sanitizers: ``python -m tests.ops.cases FILE.ingot``.

For each case N: ``inputs_N`` gives the tensors, in memory of their own, where a byte beyond the
end is found; ``case_N`` calls the op on them, ``refused_N`` on what PyTorch and Ingot refuse.
"""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import torch
from tests.ops.dispatched import _Recorder
from tests.ops.oracle import _plain, overload
from tests.ops.test_error_inputs import GPU_ONLY, INFOS, calls, error_inputs
from torch.testing._internal.common_methods_invocations import op_db
from torch.utils._pytree import tree_flatten, tree_unflatten

import ingot
from ingot import _ingot
from ingot.capture.state import DTYPES, StateWriter
from ingot.file.writer import save
from ingot.ir.builder import Builder
from ingot.ir.graph import CONSTANT, Program, Value
from ingot.ir.types import TensorType

SAMPLES = 3
"""Of each function and dtype."""
PER_OP = 12
"""Calls of one op, each with other dtypes or sizes."""
TAKEN = (torch.float32, torch.int64, torch.bool, torch.complex64, torch.float16)

LARGEST = 10000
"""Elements of a tensor."""

CATALOGUE = {name for name, _, _ in _ingot.catalogue()}

Layout = Callable[[torch.Tensor], tuple[torch.Tensor, list[tuple[str, tuple[int, ...]]]]]
"""What is stored of a tensor, and the ops that make the tensor of it."""


def _dense(tensor: torch.Tensor) -> Any:
    return tensor.contiguous(), []


def _spread(tensor: torch.Tensor) -> Any:
    if tensor.dim() == 0:
        return _dense(tensor)
    return torch.stack([tensor, tensor], -1).contiguous(), [("aten::select.int", (-1, 0))]


def _transposed(tensor: torch.Tensor) -> Any:
    if tensor.dim() < 2:
        return _dense(tensor)
    return tensor.mT.contiguous(), [("aten::transpose.int", (-2, -1))]


LAYOUTS: list[Layout] = [_dense, _spread, _transposed]


def recorded() -> Iterator[tuple[str, list[Any]]]:
    """The calls that samples become, all arguments in schema order."""
    for info in op_db:
        for dtype in TAKEN:
            if not info.supports_dtype(dtype, "cpu"):
                continue
            torch.manual_seed(0)
            for sample in islice(info.sample_inputs_func(info, "cpu", dtype, False), SAMPLES):
                with _Recorder() as recorder, torch.no_grad():
                    try:
                        info.op(sample.input, *sample.args, **sample.kwargs)
                    except Exception:  # a sample for GPUs
                        continue
                yield from ((c.name, c.values) for c in recorder.calls if c.name in CATALOGUE)


def refused() -> Iterator[tuple[str, list[Any]]]:
    for name in sorted(set(INFOS) - GPU_ONLY):
        for error in error_inputs(INFOS[name]):
            yield from ((call.name, call.values) for call in calls(INFOS[name], error))


class Cases:
    """The methods so far."""

    def __init__(self) -> None:
        self.program = Program()
        self.state = StateWriter(self.program)
        self.count: Counter[str] = Counter()
        self._seen: set[str] = set()
        self._number = 0

    def add(self, kind: str, op: str, values: list[Any]) -> None:
        """The call in one of the layouts, unless it is like one that is there."""
        leaves, tree = tree_flatten(values)
        if any(isinstance(v, torch.dtype) and v not in DTYPES for v in leaves):
            return
        leaves = [_plain(v) for v in leaves]
        tensors = [v for v in leaves if isinstance(v, torch.Tensor)]
        if not all(_fits(tensor) for tensor in tensors):
            return
        like = f"{op} {[f'{v.dtype}{list(v.shape)}' for v in tensors]}"
        if kind == "case" and (like in self._seen or self.count[op] >= PER_OP):
            return
        plain = [tensor.detach().resolve_conj().resolve_neg() for tensor in tensors]
        for layout in (LAYOUTS[self._number % len(LAYOUTS)], _dense):
            stored = [layout(tensor) for tensor in plain]
            made = (_made(*each) for each in stored)
            given = [next(made) if isinstance(v, torch.Tensor) else v for v in leaves]
            if _raises(op, tree_unflatten(given, tree)) == (kind == "refused"):
                break
        else:
            return
        if not self._methods(kind, op, leaves, tree, stored):
            return
        self._seen.add(like)
        self.count[op] += 1
        self._number += 1

    def _methods(self, kind: str, op: str, leaves: list[Any], tree: Any, stored: list[Any]) -> bool:
        number = self._number
        made = Builder.method(self.program, f"inputs_{number}")
        results = []
        for tensor, steps in stored:
            name = self.state.add(f"t{number}", tensor, CONSTANT)
            value = made.op("aten::clone", made.state(name))
            for step, args in steps:
                value = made.op(step, value, *args)
            results.append(value)
        made.returns(made.tuple_construct(results))
        types = [
            TensorType(DTYPES[tensor.dtype], (None,) * (tensor.dim() - ("select" in str(steps))))
            for tensor, steps in stored
        ]
        called = Builder.method(
            self.program, f"{kind}_{number}", [(f"x{i}", t) for i, t in enumerate(types)]
        )
        supply = iter(called.inputs)
        arguments = tree_unflatten(
            [next(supply) if isinstance(v, torch.Tensor) else v for v in leaves], tree
        )
        try:
            result = called.op(op, *arguments)
        except ingot.Error:  # arguments that no program can have
            del self.program.methods[f"inputs_{number}"], self.program.methods[f"{kind}_{number}"]
            return False
        one = isinstance(result, Value)
        called.returns(result if one else called.tuple_construct(result or []))
        return True


def _fits(tensor: torch.Tensor) -> bool:
    plain = tensor.layout == torch.strided and tensor.dtype in DTYPES
    return plain and tensor.numel() <= LARGEST and tensor.dim() < 16


def _made(stored: torch.Tensor, steps: list[tuple[str, tuple[int, ...]]]) -> torch.Tensor:
    made = stored.clone()
    for step, args in steps:
        made = overload(step)(made, *args)
    return made


def _raises(op: str, values: list[Any]) -> bool:
    try:
        _ingot.call_op(op, values)
    except ingot.Error:
        return True
    return False


def main() -> None:
    warnings.simplefilter("ignore")
    cases = Cases()
    for op, values in recorded():
        cases.add("case", op, values)
    for op, values in refused():
        cases.add("refused", op, values)
    save(cases.program, sys.argv[1])
    print(f"{sum(cases.count.values())} calls of {len(cases.count)} ops")


if __name__ == "__main__":
    main()
