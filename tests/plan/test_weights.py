"""Weights that plans rearrange: parts of one tensor, and those that the program computes."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from tests.plan.agreement import check_calls, scripted
from torch import Tensor, nn


class Parts(nn.Module):
    """Layers whose weights are different parts of the same parameters, as in slimmable networks."""

    def __init__(self) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.randn(8, 6))
        self.kernel = nn.Parameter(torch.randn(8, 6, 3, 3))
        self.vector = nn.Parameter(torch.rand(8) + 0.5)

    def forward(self, x: Tensor, image: Tensor) -> list[Tensor]:
        m, k, v = self.matrix, self.kernel, self.vector
        products = [
            F.linear(x, m, v),
            F.linear(x, m[:4], v[:4]) * 2,
            F.linear(x, m[::2], v[::2]) * 2,
            F.linear(x[:, :3], m[:, :3]),
            F.linear(x[:, :3], m[:, ::2]),
            F.linear(x, m[:4]) * v[:4],
            F.linear(x, m[:4]) * v[::2],
            F.linear(x, m[:1]) * v[:1] + v[:1],
            F.linear(x, m[:4]) - v[:1].expand(4),
        ]
        images = [
            F.conv2d(image, k),
            F.conv2d(image, k[:4]),
            F.conv2d(image, k[::2], v[::2]),
            F.conv2d(image[:, :3], k[:, :3], v),
            F.conv2d(image[:, :3], k[:, ::2]),
            F.conv2d(image, k[:, :, 1:2, 1:2]),
            F.conv2d(image, k.transpose(2, 3)),
            F.conv2d(image, k[:, :1], groups=6) if image.size(1) == 8 else image,
            F.conv_transpose2d(image[:, :4], k[:4]),
            F.conv_transpose2d(image[:, :4], k[::2, :3]),
        ]
        norms = [
            F.batch_norm(image, v[:6], v[:6], v[:6], v[:6]),
            F.batch_norm(image[:, :4], v[:4], v[:4], v[:4], v[:4]).relu(),
            F.batch_norm(image[:, :4], v[::2], v[::2], v[::2], v[::2]).relu(),
            F.batch_norm(F.conv2d(image, k[:4]), v[:4], v[4:], v[:4], v[:4]),
            F.batch_norm(F.conv2d(image, k[:4]), v[::2], v[4:], v[::2], v[::2]),
        ]
        return products + images + norms


def test_parts_of_one_parameter() -> None:
    calls = [(torch.randn(n, 6), torch.randn(n, 6, 5, 5)) for n in (2, 3, 1, 2)]
    check_calls(scripted(Parts()), *calls)
