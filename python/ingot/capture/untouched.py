"""Runs of a model that leave it as it was."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode


@contextlib.contextmanager
def untouched(root: nn.Module) -> Iterator[None]:
    """Undoes what the block does to the module: buffers, attributes, registered entries; and
    to the default random generator. Gradients and warnings are off inside."""
    modules = list(root.modules())
    attributes = [_attributes(module) for module in modules]
    buffers = {id(b): (b, b.detach().clone()) for b in root.buffers()}
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for module, before in zip(modules, attributes, strict=True):
            _restore(module, before)
        with torch.no_grad():
            for buffer, saved in buffers.values():
                if not torch.equal(buffer, saved) or buffer.isnan().any():
                    buffer.copy_(saved)


class TooSlow(Exception):
    """A run took longer than it may."""


class Limited(TorchFunctionMode):
    """Ends a run after some seconds, at its next call of PyTorch: at sizes and values that
    nobody asked for a model may loop for ever."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.deadline = time.monotonic() + seconds

    def __torch_function__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        if time.monotonic() > self.deadline:
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
