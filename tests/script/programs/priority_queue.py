"""A binary heap on a list, used for shortest paths and for the best-first n-best list."""

import torch
from torch import Tensor, nn

import ingot


def before(a: tuple[float, int], b: tuple[float, int]) -> bool:
    return a[0] < b[0] or (a[0] == b[0] and a[1] < b[1])


def push(heap: list[tuple[float, int]], item: tuple[float, int]) -> None:
    heap.append(item)
    i = len(heap) - 1
    while i > 0:
        parent = (i - 1) // 2
        if not before(heap[i], heap[parent]):
            return
        heap[parent], heap[i] = heap[i], heap[parent]
        i = parent


def pop(heap: list[tuple[float, int]]) -> tuple[float, int]:
    top = heap[0]
    last = heap.pop()
    if heap:
        heap[0] = last
        i = 0
        while True:
            child = 2 * i + 1
            if child >= len(heap):
                break
            if child + 1 < len(heap) and before(heap[child + 1], heap[child]):
                child += 1
            if not before(heap[child], heap[i]):
                break
            heap[i], heap[child] = heap[child], heap[i]
            i = child
    return top


class Search(nn.Module):
    def forward(self, cost: Tensor, start: int) -> tuple[list[float], list[int]]:
        """Dijkstra on a dense cost matrix; a negative cost means no edge."""
        n = cost.shape[0]
        best = [float("inf")] * n
        before = [-1] * n
        best[start] = 0.0
        heap: list[tuple[float, int]] = [(0.0, start)]
        while heap:
            distance, node = pop(heap)
            if distance > best[node]:
                continue
            costs: list[float] = cost[node].tolist()
            for other, c in enumerate(costs):
                if c >= 0 and distance + c < best[other]:
                    best[other] = distance + c
                    before[other] = node
                    push(heap, (best[other], other))
        return best, before

    @ingot.export
    def n_best(self, scores: list[list[float]], n: int) -> list[tuple[float, list[int]]]:
        """The n best ways to choose one per row, by sorting partial choices."""
        beams: list[tuple[float, list[int]]] = [(0.0, [])]
        for row in scores:
            grown = [(s + x, path + [i]) for s, path in beams for i, x in enumerate(row)]
            order: list[tuple[float, int]] = []
            for i, beam in enumerate(grown):
                push(order, (-beam[0], i))
            beams = [grown[pop(order)[1]] for _ in range(min(n, len(grown)))]
        return beams

    @ingot.export
    def smallest(self, values: list[float], n: int) -> list[float]:
        heap: list[tuple[float, int]] = []
        for i, value in enumerate(values):
            push(heap, (value, i))
        return [pop(heap)[0] for _ in range(min(n, len(heap)))]


def target():
    return Search()


_COST = torch.tensor([[-1, 4, 1, -1], [-1, -1, -1, 1], [-1, 2, -1, 5.5], [-1.0, -1.0, -1.0, -1.0]])

CALLS = [
    ("forward", (_COST, 0)),
    ("forward", (_COST, 3)),
    ("forward", (torch.zeros(1, 1), 0)),
    ("forward", (_COST, 9)),
    ("n_best", ([[0.5, 1.5], [2.0, -1.0, 2.0], [0.25]], 3)),
    ("n_best", ([], 2)),
    ("n_best", ([[1.0], []], 2)),
    ("smallest", ([3.0, -1.0, 2.5, 2.5, 0.0], 3)),
    ("smallest", ([], 3)),
]
