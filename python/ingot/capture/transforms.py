"""``torch.vmap`` and ``torch.func.grad`` inside a trace: what they compute, in plain ops.

A transform runs under layers of its own that the exporter would record as calls. Here it is traced
by itself, below these layers, and the graph of that runs in its place.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.utils._pytree as pytree
from torch.fx.experimental.proxy_tensor import disable_proxy_modes_tracing, make_fx
from torch.overrides import _get_current_function_mode_stack, _pop_mode_temporarily


class _Outer:
    """Whether a transform is being traced, so that those inside are a part of it."""

    open = False


_outer = _Outer()


def in_plain_ops(transform: Callable[..., Any]) -> Callable[..., Any]:
    """A function such as PyTorch's ``vmap_impl``, outside other transforms traced by itself."""

    def call(*args: Any, **kwargs: Any) -> Any:
        if _outer.open:
            return transform(*args, **kwargs)
        flat, tree = pytree.tree_flatten((args, kwargs))
        places = [i for i, leaf in enumerate(flat) if isinstance(leaf, torch.Tensor)]
        outputs: list[pytree.TreeSpec] = []

        def run(*tensors: Any) -> list[Any]:
            leaves = list(flat)
            for place, tensor in zip(places, tensors, strict=True):
                leaves[place] = tensor
            given, named = pytree.tree_unflatten(leaves, tree)
            results, outline = pytree.tree_flatten(transform(*given, **named))
            outputs.append(outline)
            return results

        tensors = [flat[place] for place in places]
        _outer.open = True
        try:
            with disable_proxy_modes_tracing(), _without_function_modes():
                graph = make_fx(run)(*tensors)
        finally:
            _outer.open = False
        return pytree.tree_unflatten(graph(*tensors), outputs[-1])

    return call


@contextlib.contextmanager
def _without_function_modes() -> Iterator[None]:
    """The kept calls have neither derivatives nor rules for batches."""
    with contextlib.ExitStack() as stack:
        for _ in _get_current_function_mode_stack():
            stack.enter_context(_pop_mode_temporarily())
        yield
