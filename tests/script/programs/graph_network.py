"""Message passing over a sparse graph given as edge lists, and its components."""

import torch
from torch import Tensor, nn

import ingot


class MessagePassing(nn.Module):
    def __init__(self, width: int = 6, rounds: int = 3):
        super().__init__()
        self.message = nn.Sequential(nn.Linear(2 * width + 1, width), nn.ReLU())
        self.update = nn.GRUCell(width, width)
        self.rounds = rounds

    def forward(self, nodes: Tensor, edges: Tensor, weights: Tensor | None = None) -> Tensor:
        """nodes: f32[N, width], edges: i64[2, E]."""
        source, sink = edges[0], edges[1]
        if weights is None:
            weights = torch.ones(edges.size(1))
        degree = torch.zeros(nodes.size(0)).index_add_(0, sink, torch.ones(edges.size(1)))
        for _ in range(self.rounds):
            inputs = torch.cat([nodes[source], nodes[sink], weights[:, None]], dim=-1)
            total = torch.zeros_like(nodes)
            total.index_add_(0, sink, self.message(inputs))
            nodes = self.update(total / degree.clamp(min=1)[:, None], nodes)
        return nodes

    @ingot.export
    def components(self, count: int, edges: list[tuple[int, int]]) -> dict[int, list[int]]:
        parent = list(range(count))
        for a, b in edges:
            while parent[a] != a:
                parent[a] = parent[parent[a]]
                a = parent[a]
            while parent[b] != b:
                b = parent[b]
            if a != b:
                parent[max(a, b)] = min(a, b)
        groups: dict[int, list[int]] = {}
        for node in range(count):
            root = node
            while parent[root] != root:
                root = parent[root]
            if root not in groups:
                groups[root] = []
            groups[root].append(node)
        return groups

    @ingot.export
    def distances(self, neighbours: dict[int, list[int]], start: int) -> dict[int, int]:
        """Breadth first."""
        found = {start: 0}
        queue = [start]
        while queue:
            node = queue.pop(0)
            for other in neighbours.get(node, []):
                if other not in found:
                    found[other] = found[node] + 1
                    queue.append(other)
        return found


def target():
    torch.manual_seed(7)
    return MessagePassing().eval()


_NODES = torch.randn(5, 6, generator=torch.Generator().manual_seed(0))

CALLS = [
    ("forward", (_NODES, torch.tensor([[0, 1, 2, 3, 3], [1, 2, 0, 4, 1]]))),
    ("forward", (_NODES, torch.tensor([[0, 4], [0, 0]]), torch.tensor([0.5, -2.0]))),
    ("forward", (_NODES, torch.zeros(2, 0, dtype=torch.long))),
    ("components", (6, [(0, 3), (4, 3), (5, 2)])),
    ("components", (0, [])),
    ("distances", ({0: [1, 2], 1: [3], 2: [3], 3: [0]}, 0)),
    ("distances", ({}, 7)),
]
