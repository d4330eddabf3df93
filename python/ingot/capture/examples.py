"""Example inputs of other sizes than the user's, with values like the user's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy
import torch

from ingot.capture.shapes import Shapes

GENERIC = 3
"""The size that stands for "any" where the example has 1, which often means "not given"."""


def widened(leaves: list[Any], free: list[Any], dims: str) -> list[Any] | None:
    """The leaves with free sizes of 1 made GENERIC by repetition: in ``dims`` "all" or
    "first" only. None if there is no such size."""
    changed = False
    found = []
    for leaf, own in zip(leaves, free, strict=True):
        if isinstance(leaf, torch.Tensor):
            repeats = [
                GENERIC if size == 1 and dim in own and (dims == "all" or dim == 0) else 1
                for dim, size in enumerate(leaf.shape)
            ]
            if any(r != 1 for r in repeats):
                changed = True
                leaf = leaf.repeat(repeats)
        found.append(leaf)
    return found if changed else None


def resized(
    leaves: list[Any], shapes: Shapes, values: Mapping[sympy.Symbol, int], seed: int
) -> list[Any]:
    """The leaves at the sizes that ``values`` gives the symbols.

    Elements are the example's, so indices stay in range and probabilities stay probabilities:
    floating tensors shuffled, others repeated in order for seed 0 and drawn for other seeds.
    Integers that do not descend, or not rise, along the last dimension do not either: they may be
    offsets.
    """
    random = torch.Generator().manual_seed(seed)
    found: list[Any] = []
    for i, leaf in enumerate(leaves):
        if isinstance(leaf, torch.Tensor) and leaf.dim() > 0:
            sizes = [shapes.value(shapes.sizes[i, dim], values) for dim in range(leaf.dim())]
            found.append(_ordered_as(leaf, _resize(leaf, sizes, seed, random)))
        elif isinstance(leaf, torch.Tensor):
            found.append(leaf.clone())
        elif isinstance(leaf, int) and not isinstance(leaf, bool):
            found.append(shapes.value(shapes.sizes[i, None], values))
        else:
            found.append(leaf)
    return found


def _resize(
    leaf: torch.Tensor, sizes: list[int], seed: int, random: torch.Generator
) -> torch.Tensor:
    count = 1
    for size in sizes:
        count *= size
    if leaf.numel() == 0:
        return torch.zeros(sizes, dtype=leaf.dtype)
    source = leaf.detach()
    if leaf.is_floating_point() or leaf.is_complex() or seed:
        flat = source.reshape(-1)
        if leaf.is_floating_point() or leaf.is_complex():
            turns = -(-count // flat.numel())
            order = torch.cat(
                [torch.randperm(flat.numel(), generator=random) for _ in range(turns)]
                or [torch.empty(0, dtype=torch.int64)]
            )[:count]
        else:
            order = torch.randint(flat.numel(), (count,), generator=random)
        return flat[order].reshape(sizes)
    for dim, size in enumerate(sizes):
        if size != source.shape[dim]:
            source = source.index_select(dim, torch.arange(size) % source.shape[dim])
    return source.clone()


def _ordered_as(leaf: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
    if leaf.is_floating_point() or leaf.is_complex() or leaf.dtype == torch.bool:
        return made
    steps = leaf[..., 1:] >= leaf[..., :-1], leaf[..., 1:] <= leaf[..., :-1]
    if leaf.shape[-1] < 2 or not any(each.all() for each in steps):
        return made
    return made.sort(-1, descending=not steps[0].all()).values
