"""``torch.func``, gradients and autocast inside a trace: what they compute, in plain ops.

A transform runs under layers of its own that the exporter would record as calls. Here it is traced
by itself, below these layers, and the graph of that runs in its place.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from unittest import mock

import torch
import torch.utils._pytree as pytree
from torch._functorch import eager_transforms
from torch.fx.experimental.proxy_tensor import disable_proxy_modes_tracing, make_fx
from torch.fx.traceback import preserve_node_meta
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
                graph = make_fx(run, record_stack_traces=True)(*tensors)
        finally:
            _outer.open = False
        with preserve_node_meta():  # the user's lines
            results = torch.fx.Interpreter(graph).run(*tensors)
        return pytree.tree_unflatten(results, outputs[-1])

    return call


class Asked:
    """Whether something asked PyTorch for gradients, or for a Jacobian of ``torch.func`` or
    autocast (``rewrites``)."""

    gradients = False
    rewrites = False


@contextlib.contextmanager
def noticing() -> Iterator[Asked]:
    """Notices what is asked for inside."""
    asked = Asked()

    def noticed(function: Callable[..., Any], kind: str) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            setattr(asked, kind, True)
            return function(*args, **kwargs)

        return call

    enter = torch.autocast.__enter__

    def enter_autocast(self: torch.autocast) -> Any:
        asked.rewrites |= self._enabled and self.device == "cpu"
        return enter(self)

    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.object(torch.autocast, "__enter__", enter_autocast))
        for owner, name, kind in (
            (torch.autograd, "grad", "gradients"),
            (torch.autograd, "backward", "gradients"),
            (eager_transforms, "_vjp_with_argnums", "rewrites"),
            (eager_transforms, "_jvp_with_argnums", "rewrites"),
        ):
            hook = noticed(getattr(owner, name), kind)
            stack.enter_context(mock.patch.object(owner, name, hook))
        yield asked


@contextlib.contextmanager
def without_gradients(values: Iterable[Any]) -> Iterator[None]:
    """Tensors among the values have no gradients inside, and afterwards those that they had."""
    tensors = [v for v in values if isinstance(v, torch.Tensor) and v.is_leaf]
    before = [(tensor, tensor.requires_grad, tensor.grad) for tensor in tensors]
    for tensor in tensors:
        tensor.grad = None
    try:
        yield
    finally:
        for tensor, required, gradient in before:
            tensor.grad = gradient
            if tensor.is_leaf:
                tensor.requires_grad_(required)


@contextlib.contextmanager
def followed_gradients() -> Iterator[None]:
    """``backward`` inside as ``torch.autograd.grad``, whose results a trace can follow."""

    def backward(
        tensors: Any,
        grad_tensors: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        grad_variables: Any = None,
        inputs: Any = None,
    ) -> None:
        outputs = [tensors] if isinstance(tensors, torch.Tensor) else list(tensors)
        given = [inputs] if isinstance(inputs, torch.Tensor) else inputs
        leaves = list(given) if given is not None else list(_leaves(outputs))
        found = torch.autograd.grad(
            outputs, leaves, grad_tensors, retain_graph, create_graph, allow_unused=True
        )
        for leaf, gradient in zip(leaves, found, strict=True):
            if gradient is not None:
                filled.append(leaf)
                leaf.grad = gradient if leaf.grad is None else leaf.grad + gradient

    filled: list[torch.Tensor] = []
    with torch.enable_grad(), mock.patch.object(torch.autograd, "backward", backward):
        try:
            yield
        finally:
            for leaf in filled:
                leaf.grad = None


def _leaves(outputs: list[torch.Tensor]) -> list[torch.Tensor]:
    """The tensors that ``backward`` of the outputs gives gradients to, but parameters."""
    leaves = {id(t): t for t in outputs if t.is_leaf and t.requires_grad}
    seen: set[Any] = set()
    nodes = [t.grad_fn for t in outputs]
    while nodes:
        node = nodes.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable") and not isinstance(node.variable, torch.nn.Parameter):
            leaves[id(node.variable)] = node.variable
        nodes += [following for following, _ in node.next_functions]
    return list(leaves.values())


@contextlib.contextmanager
def _without_function_modes() -> Iterator[None]:
    """The kept calls have neither derivatives nor rules for batches."""
    with contextlib.ExitStack() as stack:
        for _ in _get_current_function_mode_stack():
            stack.enter_context(_pop_mode_temporarily())
        yield
