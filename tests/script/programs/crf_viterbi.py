"""A linear-chain CRF: Viterbi decoding with masks, and the log partition function."""

import torch
from torch import Tensor, nn

import ingot


class Crf(nn.Module):
    def __init__(self, tags: list[str]):
        super().__init__()
        self.tags = tags
        count = len(tags)
        self.transitions = nn.Parameter(torch.randn(count, count))
        self.start = nn.Parameter(torch.randn(count))
        self.end = nn.Parameter(torch.randn(count))

    def forward(self, emissions: Tensor, mask: Tensor) -> tuple[list[list[int]], Tensor]:
        """emissions: f32[T, B, K], mask: bool[T, B], true first."""
        steps, batch, _ = emissions.shape
        if steps == 0:
            return [[] for _ in range(batch)], torch.zeros(batch)
        score = self.start + emissions[0]
        pointers: list[Tensor] = []
        for t in range(1, steps):
            wide = score.unsqueeze(2) + self.transitions + emissions[t].unsqueeze(1)
            best, place = wide.max(dim=1)
            score = torch.where(mask[t].unsqueeze(1), best, score)
            pointers.append(place)
        score = score + self.end
        paths: list[list[int]] = []
        ends = mask.long().sum(0) - 1
        for b in range(batch):
            last = score[b].argmax().item()
            path = [int(last)]
            for place in reversed(pointers[: int(ends[b])]):
                path.append(int(place[b, path[-1]]))
            path.reverse()
            paths.append(path)
        return paths, score.max(-1).values

    @ingot.export
    def partition(self, emissions: Tensor) -> Tensor:
        score = self.start + emissions[0]
        for step in emissions[1:]:
            score = torch.logsumexp(score.unsqueeze(-1) + self.transitions, 1) + step
        return torch.logsumexp(score + self.end, -1)

    @ingot.export
    def spans(self, words: list[str], path: list[int]) -> list[str]:
        """B-, I- and O tags as 'kind: words'."""
        found: list[str] = []
        open_kind = ""
        for word, tag in zip(words, path):
            name = self.tags[tag]
            if name == "O":
                open_kind = ""
            elif name.startswith("B-") or name[2:] != open_kind:
                open_kind = name[2:]
                found.append(f"{open_kind}: {word}")
            else:
                found[-1] += " " + word
        return found


def target():
    torch.manual_seed(5)
    return Crf(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"])


def _emissions(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(shape[0]))


CALLS = [
    ("forward", (_emissions(6, 3, 5), torch.arange(6)[:, None] < torch.tensor([6, 1, 4]))),
    ("forward", (_emissions(1, 1, 5), torch.ones(1, 1, dtype=torch.bool))),
    ("forward", (_emissions(0, 2, 5), torch.ones(0, 2, dtype=torch.bool))),
    ("partition", (_emissions(4, 2, 5),)),
    ("partition", (_emissions(1, 2, 5),)),
    ("spans", ("Ada Lovelace went to New York".split(), [1, 2, 0, 0, 3, 4])),
    ("spans", ([], [])),
    ("spans", (["x", "y"], [2, 4])),
]
