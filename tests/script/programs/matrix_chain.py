"""The cheapest order to multiply a chain of matrices, by dynamic programming, and the product."""

import torch
from torch import Tensor


def plan(sizes: list[int]) -> tuple[int, list[list[int]]]:
    n = len(sizes) - 1
    cost = [[0] * n for _ in range(n)]
    split = [[0 for _ in range(n)] for _ in range(n)]
    for span in range(2, n + 1):
        for i in range(n - span + 1):
            j = i + span - 1
            cost[i][j] = -1
            for k in range(i, j):
                c = cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1]
                if cost[i][j] < 0 or c < cost[i][j]:
                    cost[i][j], split[i][j] = c, k
    return cost[0][n - 1], split


def brackets(split: list[list[int]], i: int, j: int) -> str:
    if i == j:
        return chr(ord("A") + i)
    k = split[i][j]
    return "(" + brackets(split, i, k) + brackets(split, k + 1, j) + ")"


def product(matrices: list[Tensor], split: list[list[int]], i: int, j: int) -> Tensor:
    if i == j:
        return matrices[i]
    k = split[i][j]
    return product(matrices, split, i, k) @ product(matrices, split, k + 1, j)


def chain(matrices: list[Tensor]) -> tuple[int, str, Tensor]:
    assert len(matrices) > 0, "no matrices"
    sizes = [matrices[0].shape[0]] + [m.shape[1] for m in matrices]
    for a, b in zip(matrices[:-1], matrices[1:]):
        if a.shape[1] != b.shape[0]:
            raise ValueError(f"{list(a.shape)} does not fit {list(b.shape)}")
    cost, split = plan(sizes)
    last = len(matrices) - 1
    return cost, brackets(split, 0, last), product(matrices, split, 0, last)


def target():
    return chain


def _matrices(*sizes: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(len(sizes))
    return [torch.randn(a, b, generator=generator) for a, b in zip(sizes, sizes[1:])]


CALLS = [
    ("forward", (_matrices(10, 3, 12, 5, 8, 2),)),
    ("forward", (_matrices(4, 7),)),
    ("forward", (_matrices(2, 0, 3),)),
    ("forward", ([],)),
    ("forward", ([torch.ones(2, 3), torch.ones(2, 3)],)),
]
