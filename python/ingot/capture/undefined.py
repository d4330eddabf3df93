"""Elements that are anybody's guess, because the model reads memory that it did not write."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import torch
from torch import fx
from torch.utils._python_dispatch import TorchDispatchMode

_UNWRITTEN = {
    "empty",
    "empty_like",
    "empty_permuted",
    "empty_strided",
    "new_empty",
    "new_empty_strided",
}


def reads_undefined(graph: fx.Graph) -> bool:
    """Whether a graph makes tensors without writing them, so that its results may depend on
    what memory held before."""
    return any(getattr(node.target, "_opname", "") in _UNWRITTEN for node in graph.nodes)


class _Filled(TorchDispatchMode):
    """Fills new memory with one number."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func._opname in _UNWRITTEN:
            result.fill_(self.number)
        return result


def defined_part(
    run: Callable[[], list[Any]], undefined: bool
) -> tuple[list[Any], Callable[[list[Any]], list[Any]]]:
    """The flat results of ``run``, and a function that takes other results for the same inputs
    and gives them with these where they are undefined."""
    if not undefined:
        return run(), lambda found: found
    results = []
    for number in (0, 1):
        # Each run draws the same random numbers.
        drawn = torch.random.fork_rng(devices=[]) if number == 0 else contextlib.nullcontext()
        with drawn, _Filled(number):
            results.append(run())
    first, second = results

    def settle(found: list[Any]) -> list[Any]:
        if len(found) != len(first):
            return found
        return [_settled(*each) for each in zip(found, first, second, strict=True)]

    return first, settle


def _settled(found: Any, first: Any, second: Any) -> Any:
    if not all(isinstance(v, torch.Tensor) for v in (found, first, second)):
        return found
    if found.dtype != first.dtype or not found.shape == first.shape == second.shape:
        return found
    same = (first == second) | ((first != first) & (second != second))
    return torch.where(same, found, first)
