"""Recurrent networks, perceptrons, and single operations."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn


class Lstm(nn.Module):
    """Two layers of 256: f32[N, T, 256] -> f32[N, T, 256]."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(256, 256, 2, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.lstm(x)[0]


class CellLoop(nn.Module):
    """An LSTM cell called once per step by the model's own loop: f32[T, N, 64] -> f32[N, 64]."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(64, 64)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.zeros(x.size(1), 64)
        c = torch.zeros(x.size(1), 64)
        for t in range(x.size(0)):
            h, c = self.cell(x[t], (h, c))
        return h


def perceptron(*sizes: int) -> nn.Module:
    """Linear layers with ReLU between them: f32[N, sizes[0]] -> f32[N, sizes[-1]]."""
    layers: list[nn.Module] = []
    for a, b in pairwise(sizes):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class ElementwiseChain(nn.Module):
    """Fourteen operations on every number: f32[N] -> f32[N]."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        a = (x * 1.5 + y).clamp(-2, 2)
        b = torch.relu(a - 0.5) * x
        c = torch.sqrt(b.abs() + 1.0) - y * 0.25
        d = torch.maximum(c, a) / (c * c + 1.0)
        return d + 0.1 * x


class Softmax(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.softmax(x, -1)


class Norm(nn.LayerNorm):
    """f32[N, 768] -> f32[N, 768]."""

    def __init__(self) -> None:
        super().__init__(768)


class HashedBuckets(nn.Module):
    """Hashed lookups and counts: ids i64[N] -> i64[N], i64[buckets]."""

    def __init__(self, buckets: int = 4096) -> None:
        super().__init__()
        self.buckets = buckets
        self.register_buffer("table", torch.randint(0, 1 << 30, (buckets,)))

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        bucket = (ids * 40503 + 12345) % self.buckets
        ones = torch.ones_like(bucket)
        counts = torch.zeros_like(self.table).scatter_add(0, bucket, ones)
        starts = counts.cumsum(0) - counts
        chosen = torch.where(ids % 2 == 0, self.table[bucket], starts[bucket])
        return chosen.gather(0, bucket % ids.size(0)), counts


def random(*shapes: tuple[int, ...]) -> tuple[Tensor, ...]:
    return tuple(torch.randn(shape) for shape in shapes)


def ids(count: int) -> tuple[Tensor, ...]:
    return (torch.randint(0, 1 << 40, (count,)),)
