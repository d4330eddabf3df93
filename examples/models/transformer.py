"""A two-layer transformer encoder over token ids, in plain torch.

Vaswani et al., "Attention Is All You Need", 2017; normalisation before each part, as in
Xiong et al., "On Layer Normalization in the Transformer Architecture", 2020.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class EncoderLayer(nn.Module):
    """Attention and a feed-forward part, each with a shortcut: f32[B, T, D] -> f32[B, T, D]."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, length, width = x.shape
        qkv = self.qkv(self.norm1(x)).view(batch, length, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        attended = F.scaled_dot_product_attention(q, k, v)
        x = x + self.out(attended.transpose(1, 2).reshape(batch, length, width))
        return x + self.feed_forward(self.norm2(x))


class Encoder(nn.Module):
    """ids: i64[B, T], T up to `longest` -> f32[B, T, width]."""

    def __init__(
        self, words: int = 1000, width: int = 256, heads: int = 4, longest: int = 512
    ) -> None:
        super().__init__()
        self.words = nn.Embedding(words, width)
        self.positions = nn.Parameter(torch.randn(longest, width) * 0.02)
        self.layers = nn.Sequential(EncoderLayer(width, heads), EncoderLayer(width, heads))
        self.norm = nn.LayerNorm(width)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        x = self.words(ids) + self.positions[: ids.shape[1]]
        return self.norm(self.layers(x))


def make() -> nn.Module:
    torch.manual_seed(0)
    return Encoder().eval()


def example_inputs() -> tuple[torch.Tensor, ...]:
    return (torch.randint(0, 1000, (1, 64), generator=torch.Generator().manual_seed(1)),)
