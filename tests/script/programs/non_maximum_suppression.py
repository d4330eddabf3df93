"""Non-maximum suppression in plain Python, and per class over a batch of detections."""

import torch
from torch import Tensor


def area(box: list[float]) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def overlap(a: list[float], b: list[float]) -> float:
    left, top = max(a[0], b[0]), max(a[1], b[1])
    right, bottom = min(a[2], b[2]), min(a[3], b[3])
    if right <= left or bottom <= top:
        return 0.0
    both = (right - left) * (bottom - top)
    return both / (area(a) + area(b) - both)


def suppress(boxes: Tensor, scores: Tensor, threshold: float) -> list[int]:
    order: list[int] = scores.argsort(descending=True, stable=True).tolist()
    corners: list[list[float]] = boxes.tolist()
    kept: list[int] = []
    for i in order:
        for j in kept:
            if overlap(corners[i], corners[j]) > threshold:
                break
        else:
            kept.append(i)
    return kept


def detect(
    boxes: Tensor, scores: Tensor, threshold: float = 0.5, least: float = 0.1
) -> dict[str, Tensor]:
    """boxes: f32[N, 4], scores: f32[N, classes]; the first class is the background."""
    found_boxes: list[Tensor] = []
    found_scores: list[Tensor] = []
    found_labels: list[Tensor] = []
    for label in range(1, scores.shape[1]):
        good = torch.where(scores[:, label] > least)[0]
        kept = suppress(boxes[good], scores[good, label], threshold)
        if not kept:
            continue
        chosen = good[kept]
        found_boxes.append(boxes[chosen])
        found_scores.append(scores[chosen, label])
        found_labels.append(torch.full((len(kept),), label, dtype=torch.int64))
    if not found_boxes:
        return {
            "boxes": torch.empty(0, 4),
            "scores": torch.empty(0),
            "labels": torch.empty(0, dtype=torch.int64),
        }
    return {
        "boxes": torch.cat(found_boxes),
        "scores": torch.cat(found_scores),
        "labels": torch.cat(found_labels),
    }


def target():
    return detect


def _case(count: int, classes: int, seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand(count, 2, generator=generator) * 20
    boxes = torch.cat([corner, corner + torch.rand(count, 2, generator=generator) * 10], 1)
    return boxes, torch.rand(count, classes, generator=generator).softmax(-1)


CALLS = [
    ("forward", (*_case(30, 4, 0), 0.3, 0.2)),
    ("forward", (*_case(1, 3, 1),)),
    ("forward", (*_case(0, 3, 2),)),
    ("forward", (*_case(8, 3, 3), 0.5, 0.99)),
    ("forward", (*_case(8, 1, 4),)),
]
