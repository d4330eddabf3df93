"""Layers that draw random numbers or move statistics while they train, step by step: torch.export
would lose that, or PyTorch's one op for all hides it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch


def dropping_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> torch.Tensor:
    """Attention that drops weights, as training does, step by step."""
    if enable_gqa:
        groups = query.shape[-3] // key.shape[-3]
        key, value = (t.repeat_interleave(groups, -3) for t in (key, value))
    root = math.sqrt(query.shape[-1] ** -0.5 if scale is None else scale)
    scores = (query * root) @ (key * root).transpose(-2, -1)
    if is_causal:
        attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        scores = scores.masked_fill(~attn_mask, -math.inf)
    elif attn_mask is not None:
        scores = scores + attn_mask
    weights = torch.dropout(scores.softmax(-1), dropout_p, True)
    return weights @ value


def attending(op: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        dropout = args[4] if len(args) > 4 else kwargs.get("dropout_p", 0.0)
        return (dropping_attention if dropout else op)(*args, **kwargs)

    return call


def layered(op: Callable[..., Any], args: tuple, place: int) -> Any:
    """A recurrent layer that drops values between its layers, as training does: one by one.
    Its parameters are argument ``place``, the state is the one before."""
    input, *sizes = args[: place - 1]
    hx, params, has_biases, layers, dropout, *rest = args[place - 1 :]
    bidirectional = rest[1]
    states = list(hx) if isinstance(hx, list | tuple) else [hx]
    directions = 2 if bidirectional else 1
    width = len(params) // layers
    results: list[list[torch.Tensor]] = [[] for _ in states]
    for layer in range(layers):
        own = [s[layer * directions : (layer + 1) * directions] for s in states]
        weights = params[layer * width : (layer + 1) * width]
        state: Any = own if isinstance(hx, list | tuple) else own[0]
        input, *after = op(input, *sizes, state, weights, has_biases, 1, 0.0, *rest)
        for kept, each in zip(results, after, strict=True):
            kept.append(each)
        if layer + 1 < layers:
            input = torch.dropout(input, dropout, True)
    return (input, *(torch.cat(kept) for kept in results))


def instance_norm(
    input: torch.Tensor,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-05,
) -> torch.Tensor:
    """Where it moves running statistics: a batch_norm of one image with N * C channels, whose
    statistics are then averaged over the images."""
    if running_mean is None or not use_input_stats:
        return torch.nn.functional.instance_norm(
            input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps
        )
    images, channels = input.shape[:2]
    mean, var = running_mean.repeat(images), running_var.repeat(images)
    scale, shift = (None if t is None else t.repeat(images) for t in (weight, bias))
    flat = input.reshape(1, images * channels, *input.shape[2:])
    result = torch.nn.functional.batch_norm(flat, mean, var, scale, shift, True, momentum, eps)
    running_mean.copy_(mean.reshape(images, channels).mean(0))
    running_var.copy_(var.reshape(images, channels).mean(0))
    return result.reshape(input.shape)
