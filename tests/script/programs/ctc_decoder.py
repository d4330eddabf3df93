"""CTC decoding: best path, and prefix beam search with log probabilities."""

import math

import torch
from torch import Tensor, nn

import ingot


def log_add(a: float, b: float) -> float:
    if a == float("-inf"):
        return b
    if b == float("-inf"):
        return a
    high = max(a, b)
    return high + math.log(math.exp(a - high) + math.exp(b - high))


class CtcDecoder(nn.Module):
    blank: int

    def __init__(self, labels: list[str]):
        super().__init__()
        self.labels = labels
        self.blank = 0

    @ingot.export
    def greedy(self, logits: Tensor, lengths: Tensor) -> list[str]:
        best = logits.argmax(-1)
        texts: list[str] = []
        sizes: list[int] = lengths.tolist()
        for row, length in zip(best, sizes):
            text = ""
            previous = self.blank
            path: list[int] = row[:length].tolist()
            for token in path:
                if token != previous and token != self.blank:
                    text += self.labels[token]
                previous = token
            texts.append(text)
        return texts

    @ingot.export
    def confidence(self, logits: Tensor) -> tuple[list[int], Tensor]:
        """Distinct tokens of one best path and the mean probability of each run."""
        probabilities, path = logits.softmax(-1).max(-1)
        tokens, counts = torch.unique_consecutive(path, return_counts=True)
        means: list[Tensor] = []
        start = 0
        runs: list[int] = counts.tolist()
        for count in runs:
            means.append(probabilities[start : start + count].mean())
            start += count
        keep = tokens != self.blank
        if len(means) == 0:
            return [], torch.zeros(0)
        return tokens[keep].tolist(), torch.stack(means)[keep]

    def forward(self, logits: Tensor, beam: int = 4) -> list[tuple[str, float]]:
        steps: list[list[float]] = logits.log_softmax(-1).tolist()
        impossible = float("-inf")
        beams: dict[str, tuple[float, float]] = {"": (0.0, impossible)}
        for step in steps:
            grown: dict[str, tuple[float, float]] = {}
            for prefix, (p_blank, p_label) in beams.items():
                total = log_add(p_blank, p_label)
                for token, p in enumerate(step):
                    if token == self.blank:
                        b, n = grown.get(prefix, (impossible, impossible))
                        grown[prefix] = (log_add(b, total + p), n)
                        continue
                    label = self.labels[token]
                    longer = prefix + label
                    b, n = grown.get(longer, (impossible, impossible))
                    if prefix.endswith(label):
                        grown[longer] = (b, log_add(n, p_blank + p))
                        b, n = grown.get(prefix, (impossible, impossible))
                        grown[prefix] = (b, log_add(n, p_label + p))
                    else:
                        grown[longer] = (b, log_add(n, total + p))
            beams = {}
            for _ in range(min(beam, len(grown))):
                best, place = impossible, ""
                for prefix, (p_blank, p_label) in grown.items():
                    total = log_add(p_blank, p_label)
                    if prefix not in beams and total > best:
                        best, place = total, prefix
                beams[place] = grown[place]
        return [(text, log_add(b, n)) for text, (b, n) in beams.items()]


def target():
    return CtcDecoder(["_", "a", "b", "c", " "])


def _logits(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape))) * 2


CALLS = [
    ("forward", (_logits(6, 5),)),
    ("forward", (_logits(1, 5), 2)),
    ("forward", (_logits(0, 5), 2)),
    ("greedy", (_logits(3, 9, 5), torch.tensor([9, 4, 0]))),
    ("greedy", (_logits(0, 9, 5), torch.zeros(0, dtype=torch.long))),
    ("confidence", (_logits(12, 5),)),
    ("confidence", (_logits(0, 5),)),
]
