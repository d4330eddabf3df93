"""Beam search over a recurrent language model, with length penalty and finished hypotheses."""

import torch
from torch import Tensor, nn


class BeamSearch(nn.Module):
    def __init__(self, vocabulary: int = 11, width: int = 12, end: int = 0):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, width)
        self.cell = nn.GRUCell(width, width)
        self.out = nn.Linear(width, vocabulary)
        self.end = end

    def finish(
        self, tokens: list[int], score: float, finished: list[tuple[float, list[int]]], alpha: float
    ):
        penalty = ((5 + len(tokens)) / 6) ** alpha
        place = len(finished)
        while place > 0 and finished[place - 1][0] < score / penalty:
            place -= 1
        finished.insert(place, (score / penalty, tokens))

    def forward(
        self, state: Tensor, beams: int = 3, max_steps: int = 8, alpha: float = 0.6
    ) -> tuple[list[list[int]], list[float]]:
        tokens: list[list[int]] = [[1]]
        scores = torch.zeros(1)
        hidden = state.unsqueeze(0)
        finished: list[tuple[float, list[int]]] = []
        for _ in range(max_steps):
            if len(tokens) == 0:
                break
            last = torch.tensor([t[-1] for t in tokens])
            hidden = self.cell(self.embed(last), hidden)
            step = torch.log_softmax(self.out(hidden), dim=-1)
            total = (scores[:, None] + step).flatten()
            k = min(2 * beams, total.numel())
            values, places = total.topk(k)
            grown: list[list[int]] = []
            parents: list[int] = []
            kept: list[float] = []
            best: list[float] = values.tolist()
            flat: list[int] = places.tolist()
            for value, place in zip(best, flat):
                parent, token = divmod(place, step.shape[1])
                candidate = tokens[parent] + [token]
                if token == self.end:
                    self.finish(candidate, value, finished, alpha)
                    continue
                grown.append(candidate)
                parents.append(parent)
                kept.append(value)
                if len(grown) == beams:
                    break
            tokens = grown
            scores = torch.tensor(kept)
            hidden = hidden[parents]
            if len(finished) >= beams:
                break
        if len(finished) == 0:
            left: list[float] = scores.tolist()
            for t, s in zip(tokens, left):
                self.finish(t, s, finished, alpha)
        return [t for _, t in finished[:beams]], [s for s, _ in finished[:beams]]


def target():
    torch.manual_seed(3)
    return BeamSearch().eval()


CALLS = [
    ("forward", (torch.randn(12, generator=torch.Generator().manual_seed(seed)), beams, steps, 0.6))
    for seed, beams, steps in [(0, 3, 8), (1, 1, 5), (2, 4, 1), (3, 2, 0), (4, 5, 12)]
]
