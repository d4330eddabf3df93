"""k-means until the assignment stands still, with empty clusters reseeded."""

import torch
from torch import Tensor


def assign(points: Tensor, centres: Tensor) -> tuple[Tensor, Tensor]:
    distances = ((points[:, None, :] - centres[None]) ** 2).sum(-1)
    smallest, labels = distances.min(dim=1)
    return labels, smallest


def k_means(points: Tensor, k: int, limit: int = 100) -> tuple[Tensor, Tensor, int, list[float]]:
    if k < 1 or k > points.shape[0]:
        raise ValueError(f"k must be in 1..{points.shape[0]}, not {k}")
    centres = points[:1]
    while centres.size(0) < k:  # farthest-first seeding
        _, gaps = assign(points, centres)
        centres = torch.cat([centres, points[gaps.argmax()].unsqueeze(0)])
    labels = torch.full([points.shape[0]], -1)
    inertia: list[float] = []
    steps = 0
    for steps in range(1, limit + 1):
        new_labels, gaps = assign(points, centres)
        inertia.append(float(gaps.sum()))
        if torch.equal(new_labels, labels):
            break
        labels = new_labels
        for c in range(k):
            members = points[labels == c]
            if len(members):
                centres[c] = members.mean(0)
            else:
                centres[c] = points[int(gaps.argmax())]
    return centres, labels, steps, inertia


def target():
    return k_means


_POINTS = torch.randn(40, 2, generator=torch.Generator().manual_seed(1)) + torch.tensor(
    [[0.0, 0.0], [8.0, 0.0], [0.0, 8.0], [8.0, 8.0]]
).repeat(10, 1)

CALLS = [
    ("forward", (_POINTS, 4)),
    ("forward", (_POINTS, 1)),
    ("forward", (_POINTS[:3], 3)),
    ("forward", (torch.ones(4, 2), 2)),
    ("forward", (_POINTS, 4, 1)),
    ("forward", (_POINTS[:2], 3)),
]
