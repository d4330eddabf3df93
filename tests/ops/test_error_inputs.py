"""PyTorch's OpInfo error inputs: what PyTorch refuses is an Error here, which names the op and
its arguments. Each goes to the op of the catalogue that it reaches, and through a trace."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from tests.ops.opinfo import CATALOGUE, lists_where_due, numbers_where_due, resolve
from tests.ops.oracle import _plain, positional
from tests.ops.table import SHORT
from tests.ops.walk import as_function, title
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.opinfo.core import ErrorInput, OpInfo
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

import ingot
from ingot import _ingot

INFOS = {title(info): info for info in op_db if info.error_inputs_func is not None}

GPU_ONLY = {name for name in INFOS if name.startswith("jiterator")}
"""Refused before any argument is looked at."""
RANK_LIMIT = "dimensions is too many"
"""Tensors of more dimensions than Ingot has reach no op."""


@dataclass
class Call:
    """A call of the catalogue's op that an error input becomes."""

    name: str
    values: list[Any]


class _Innermost(TorchDispatchMode):
    """Keeps the call of an op that raised."""

    def __init__(self) -> None:
        super().__init__()
        self.call: tuple[torch._ops.OpOverload, tuple, dict[str, Any]] | None = None

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        before, self.call = self.call, (func, args, kwargs or {})
        result = func(*args, **(kwargs or {}))
        self.call = before
        return result


def error_inputs(info: OpInfo) -> list[ErrorInput]:
    """Those that PyTorch refuses: its number operators take some of them."""
    return [e for e in info.error_inputs_func(info, "cpu") if refused(info, e) is not None]


def refused(info: OpInfo, error: ErrorInput) -> _Innermost | None:
    sample = error.sample_input
    with warnings.catch_warnings(), torch.no_grad(), _Innermost() as innermost:
        warnings.simplefilter("ignore")
        try:
            info.op(sample.input, *sample.args, **sample.kwargs)
        except Exception:
            return innermost
    return None


def calls(info: OpInfo, error: ErrorInput) -> Iterator[Call]:
    """The op of the function's name, and the op in which PyTorch raised: where the catalogue has
    them. Results that are given (``out=``) are no part of a program."""
    sample = error.sample_input
    packet = (info.aten_name or info.name).replace("special.", "special_")
    packet = packet.replace("linalg.", "linalg_").split(".")[-1]
    args, kwargs = (sample.input, *sample.args), dict(sample.kwargs)
    if "out" not in kwargs and any(isinstance(v, torch.Tensor) for v in tree_leaves(args)):
        try:
            name, args = resolve(packet, args, kwargs)
            if name in CATALOGUE:
                args, kwargs = lists_where_due(name, numbers_where_due(name, args), kwargs)
                yield Call(name, positional(name, args, kwargs))
        except (RuntimeError, AttributeError, AssertionError):  # no overload takes these
            pass
    innermost = refused(info, error)
    if innermost is not None and innermost.call is not None:
        op, args, kwargs = innermost.call
        if op.name() in CATALOGUE and "out" not in kwargs:
            yield Call(op.name(), positional(op.name(), args, dict(kwargs)))


def described(values: list[Any]) -> list[str]:
    """The tensors among an op's arguments as errors show them."""
    return [
        f"{SHORT[str(t.dtype).removeprefix('torch.')]}{list(t.shape)}"
        for t in tree_leaves(values)
        if isinstance(t, torch.Tensor)
    ]


@pytest.mark.parametrize("name", sorted(set(INFOS) - GPU_ONLY))
def test_what_pytorch_refuses_is_an_error(name: str) -> None:
    info = INFOS[name]
    for error in error_inputs(info):
        call, inputs = as_function(info, error.sample_input)
        with pytest.raises(ingot.Error):
            ingot.trace(call, tuple(inputs), check=False)
        for reached in calls(info, error):
            with pytest.raises(ingot.Error) as caught:
                _ingot.call_op(reached.name, tree_map(_plain, reached.values))
            text = str(caught.value)
            if RANK_LIMIT in text:
                continue
            assert text.startswith(reached.name)
            for tensor in described(reached.values):
                assert tensor in text, text
