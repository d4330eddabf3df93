"""The aten ops that PyTorch's functions become, with their arguments and results."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from tests.ops.oracle import samples
from torch.testing._internal.common_methods_invocations import op_db
from torch.utils._python_dispatch import TorchDispatchMode


@dataclass
class Call:
    """One call; ``values`` are all arguments in schema order."""

    name: str
    values: list[Any]
    results: tuple[torch.Tensor, ...]


class _Recorder(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = kwargs or {}
        # Copies, which nothing that follows changes in place.
        values = [a.clone() if isinstance(a, torch.Tensor) else a for a in args]
        results = func(*args, **given)
        for argument in func._schema.arguments[len(args) :]:
            values.append(given.get(argument.name, argument.default_value))
        outputs = tuple(results) if isinstance(results, tuple | list) else (results,)
        copies = tuple(t.clone() if isinstance(t, torch.Tensor) else t for t in outputs)
        self.calls.append(Call(func.name(), values, copies))
        return results


def calls(function: str, dtype: torch.dtype, names: set[str], variant: str = "") -> Iterator[Call]:
    """The calls of ops in ``names`` that the OpInfo samples of a function make."""
    (info,) = (i for i in op_db if (i.name, i.variant_test_name) == (function, variant))
    for sample in samples(function, dtype, variant):
        with _Recorder() as recorder, torch.no_grad():
            info.op(sample.input, *sample.args, **sample.kwargs)
        yield from (call for call in recorder.calls if call.name in names)
