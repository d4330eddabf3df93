"""Padding and batching of a list of tensors by length, with masks, and undoing it."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Batcher(nn.Module):
    def __init__(self, budget: int = 24, multiple: int = 4):
        super().__init__()
        self.budget = budget
        self.multiple = multiple
        self.encoder = nn.Linear(3, 6)

    def plan(self, lengths: list[int]) -> list[list[int]]:
        """Groups of indices whose padded size stays within the budget, longest first."""
        order = [
            -k % len(lengths) for k in sorted([n * len(lengths) - i for i, n in enumerate(lengths)])
        ]
        order.reverse()
        groups: list[list[int]] = []
        group: list[int] = []
        width = 0
        for i in order:
            padded = -(-max(width, lengths[i]) // self.multiple) * self.multiple
            if group and padded * (len(group) + 1) > self.budget:
                groups.append(group)
                group, width = [], 0
                padded = -(-lengths[i] // self.multiple) * self.multiple
            group.append(i)
            width = padded
        if group:
            groups.append(group)
        return groups

    def pad(self, items: list[Tensor]) -> tuple[Tensor, Tensor]:
        longest = max([len(t) for t in items])
        longest = (longest + self.multiple - 1) // self.multiple * self.multiple
        padded = torch.stack([F.pad(t, (0, 0, 0, longest - t.size(0))) for t in items])
        sizes = torch.tensor([t.size(0) for t in items])
        return padded, torch.arange(longest)[None, :] < sizes[:, None]

    def forward(self, items: list[Tensor]) -> tuple[list[Tensor], list[list[int]]]:
        groups = self.plan([t.shape[0] for t in items])
        results: dict[int, Tensor] = {}
        for group in groups:
            x, mask = self.pad([items[i] for i in group])
            y = self.encoder(x).masked_fill(~mask.unsqueeze(-1), float("-inf"))
            weights = torch.softmax(y, dim=1).nan_to_num()
            pooled = (weights * self.encoder(x)).sum(1)
            for i, row in zip(group, pooled):
                results[i] = row
        return [results[i] for i in range(len(items))], groups


def target():
    torch.manual_seed(2)
    return Batcher().eval()


def _items(*lengths: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(len(lengths))
    return [torch.randn(n, 3, generator=generator) for n in lengths]


CALLS = [
    ("forward", (_items(3, 9, 1, 5, 12, 2),)),
    ("forward", (_items(4),)),
    ("forward", (_items(0, 2),)),
    ("forward", ([],)),
    ("forward", (_items(30, 1),)),
]
