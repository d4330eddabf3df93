"""Functions and layers of einops, whose package need not be there: the tests bring its names."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import ingot


def rearrange(tensor: Any, pattern: str, **lengths: int) -> Tensor:
    raise NotImplementedError


def repeat(tensor: Tensor, pattern: str, **lengths: int) -> Tensor:
    raise NotImplementedError


def reduce(tensor: Tensor, pattern: str, reduction: str, **lengths: int) -> Tensor:
    raise NotImplementedError


def einsum(*tensors_and_pattern: Any) -> Tensor:
    raise NotImplementedError


class Rearrange(nn.Module):
    def __init__(self, pattern: str, **lengths: int) -> None:
        super().__init__()
        self.pattern, self.axes_lengths = pattern, lengths

    def forward(self, x: Tensor) -> Tensor:
        raise NotImplementedError


for each in (rearrange, repeat, reduce, einsum):
    each.__module__ = "einops.einops"
Rearrange.__module__ = "einops.layers.torch"


class Patches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.split = Rearrange("b c (h p) (w q) -> b (h w) (p q c)", p=2, q=2)
        self.heads = 2

    def forward(self, x: Tensor) -> list[Tensor]:
        y = self.split(x)
        q, k = map(lambda t: rearrange(t, "b n (h d) -> b h n d", h=self.heads), (y, y + 1))
        return [
            y,
            rearrange(q, "b h n d -> b n (h d)"),
            einsum(q, k, "b h i dim, b h j dim -> b h i j"),
            repeat(x, "b c h w -> b (2 c) (h k) w 3", k=x.shape[0]),
            reduce(x, "b c (h 2) w -> b c h", "max")
            + reduce(x, "b c (h p) w -> b c h", "sum", p=2),
            rearrange(x, "b ... w -> (b w) ..."),
            rearrange(x, "b c ... -> b (...) c"),
            rearrange([x, x + 1], "n b c h w -> b n c h w"),
            rearrange(x[:, :1], "b 1 h w -> b h w"),
            rearrange(x.sum(), "-> 1 1"),
        ]


def by_hand(x: Tensor) -> list[Tensor]:
    b, c, h, w = x.shape
    y = x.reshape(b, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 3, 5, 1).reshape(b, -1, 4 * c)
    q = y.reshape(b, y.shape[1], 2, -1).transpose(1, 2)
    pairs = x.reshape(b, c, h // 2, 2, w)
    twice = torch.cat([x, x], 1).repeat_interleave(b, 2)
    return [
        y,
        y,
        q @ ((y + 1).reshape(b, y.shape[1], 2, -1).transpose(1, 2)).transpose(2, 3),
        twice.unsqueeze(-1).expand(-1, -1, -1, -1, 3),
        pairs.amax((3, 4)) + pairs.sum((3, 4)),
        x.permute(0, 3, 1, 2).reshape(b * w, c, h),
        x.reshape(b, c, h * w).transpose(1, 2),
        torch.stack([x, x + 1], 1),
        x[:, 0],
        x.sum().reshape(1, 1),
    ]


def test_patterns():
    compiled = ingot.script(Patches())
    for shape in ((2, 3, 4, 6), (1, 1, 2, 2), (3, 5, 2, 4)):
        x = torch.randn(shape)
        for found, expected in zip(compiled(x), by_hand(x), strict=True):
            torch.testing.assert_close(found, expected.contiguous())


def all_given(x: Tensor) -> Tensor:
    return rearrange(x, "b (h w) -> b h w", h=3, w=2)


def leading(x: Tensor) -> Tensor:
    return rearrange(x, "a b ... -> ... a b")


def test_tensors_that_a_pattern_does_not_fit():
    program = ingot.script(all_given).module
    assert program(torch.zeros(2, 6)).shape == (2, 3, 2)
    for shape in ((2, 4), (2, 6, 1), (6,)):
        with pytest.raises(ingot.Error, match="lengths|unpacked"):
            program(torch.zeros(shape))
    with pytest.raises(ingot.Error, match="2 or more dimensions"):
        ingot.script(leading).module(torch.zeros(3))


def test_patterns_that_cannot_be_read():
    def missing(x: Tensor) -> Tensor:
        return rearrange(x, "a b -> a")

    def unknown(x: Tensor) -> Tensor:
        return rearrange(x, "(a b) -> a b")

    def open_ended(x: Tensor) -> Tensor:
        return rearrange(x, "(a b -> a b")

    def twice(x: Tensor) -> Tensor:
        return rearrange(x, "a a -> a")

    def other(x: Tensor) -> Tensor:
        return rearrange(x, "a b -> b a", c=2)

    functions = (missing, unknown, open_ended, twice, other)
    sentences = [
        "b is on one side",
        "a and b are not given",
        r"no \) for its",
        "stands twice",
        "no axis c",
    ]
    for function, sentence in zip(functions, sentences, strict=True):
        with pytest.raises(ingot.Error, match=sentence):
            ingot.script(function)
