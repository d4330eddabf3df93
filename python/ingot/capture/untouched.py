"""Runs of a model that leave it as it was."""

from __future__ import annotations

import contextlib
import io
import time
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from ingot.capture.transforms import without_gradients

if TYPE_CHECKING:
    from ingot.capture.root import Root


@contextlib.contextmanager
def untouched(root: Root, first: bool = False) -> Iterator[None]:
    """Undoes what the block does to the module: tensors, attributes, registered entries,
    gradients; and to the default random generator. Gradients and warnings are off inside, and
    the model's prints, except in its ``first`` run.

    The first run finds out which parameters the model writes into; others are not saved later.
    """
    modules = list(root.modules())
    attributes = [_attributes(module) for module in modules]
    written = list(root.parameters()) if first else root.written()
    tensors = {id(t): t for t in (*root.buffers(), *written) if not nn.parameter.is_lazy(t)}
    kept = [_Kept(part) for tensor in tensors.values() for part in _strided(tensor)]
    try:
        with contextlib.ExitStack() as stack:
            stack.enter_context(torch.no_grad())
            stack.enter_context(torch.random.fork_rng(devices=[]))
            stack.enter_context(without_gradients(root.parameters()))
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")
            if not first:
                stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
            yield
    finally:
        for module, before in zip(modules, attributes, strict=True):
            _restore(module, before)
        changed = [one.tensor for one in kept if one.restore()]
        if first:
            root.written().extend(t for t in changed if isinstance(t, nn.Parameter))


def _strided(tensor: torch.Tensor) -> list[torch.Tensor]:
    """The tensor, or those that a sparse one is made of."""
    is_sparse = tensor.layout == torch.sparse_coo
    return [tensor._indices(), tensor._values()] if is_sparse else [tensor]


class _Kept:
    """A tensor with its memory and elements as they were."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor
        self.memory = tensor.detach()
        self.elements = self.memory.clone()

    def restore(self) -> bool:
        """Gives back memory and elements, and says whether they were others."""
        tensor = self.tensor
        with torch.no_grad():
            moved = tensor.data_ptr() != self.memory.data_ptr()
            if moved:
                tensor.data = self.memory
            changed = not torch.equal(tensor, self.elements)
            if changed:  # also where it is equal, but NaN
                tensor.copy_(self.elements)
        return moved or changed


class TooSlow(Exception):
    """A run took longer than it may."""


class Limited(TorchFunctionMode):
    """Ends a run after some seconds of its thread's time, at its next call of PyTorch: at sizes
    and values that nobody asked for a model may loop for ever."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.deadline = time.thread_time() + seconds

    def __torch_function__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        if time.thread_time() > self.deadline:
            raise TooSlow
        return func(*args, **(kwargs or {}))


_TABLES = ("_parameters", "_buffers", "_modules")


def _attributes(module: nn.Module) -> dict:
    copied = dict(module.__dict__)
    for name in _TABLES:
        copied[name] = dict(copied[name])
    return copied


def _restore(module: nn.Module, before: dict) -> None:
    for name in _TABLES:
        table = module.__dict__[name]
        if _differs(table, before[name]):
            table.clear()
            table.update(before[name])
    for name in [n for n in module.__dict__ if n not in before]:
        del module.__dict__[name]
    for name, value in before.items():
        if name not in _TABLES and module.__dict__.get(name, None) is not value:
            module.__dict__[name] = value


def _differs(table: dict, before: dict) -> bool:
    return table.keys() != before.keys() or any(table[n] is not before[n] for n in before)
