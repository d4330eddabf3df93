"""A sampler: repetition penalty, temperature, top-k, top-p; the draw is given as a number."""

import torch
from torch import Tensor, nn


class Sampler(nn.Module):
    def penalise(self, logits: Tensor, history: list[int], penalty: float) -> Tensor:
        seen: dict[int, int] = {}
        for token in history:
            seen[token] = seen.get(token, 0) + 1
        for token, count in seen.items():
            value = float(logits[token])
            factor = penalty**count
            logits[token] = value / factor if value > 0 else value * factor
        return logits

    def top_k(self, logits: Tensor, k: int) -> Tensor:
        if not 0 < k < logits.size(-1):
            return logits
        least = torch.topk(logits, k).values[-1]
        return logits.masked_fill(logits < least, -torch.inf)

    def top_p(self, logits: Tensor, p: float) -> Tensor:
        if p >= 1.0:
            return logits
        ranked, places = torch.sort(logits, descending=True)
        mass = ranked.softmax(-1).cumsum(-1)
        drop = mass > p
        drop[1:] = drop[:-1].clone()
        drop[0] = False
        return logits.masked_fill(drop.scatter(0, places, drop), float("-inf"))

    def forward(
        self,
        logits: Tensor,
        history: list[int],
        uniform: float,
        *,
        temperature: float = 1.0,
        k: int = 0,
        p: float = 1.0,
        penalty: float = 1.0,
    ) -> tuple[int, Tensor]:
        logits = self.penalise(logits.clone(), history, penalty)
        if temperature <= 0:
            return int(logits.argmax()), torch.nn.functional.one_hot(
                logits.argmax(), logits.shape[0]
            )
        logits = self.top_p(self.top_k(logits / temperature, k), p)
        probabilities = logits.softmax(0)
        total = 0.0
        token = -1
        for i, probability in enumerate(probabilities.tolist()):
            if probability == 0.0:
                continue
            total += probability
            token = i
            if uniform < total:
                break
        return token, probabilities


def target():
    return Sampler()


_LOGITS = torch.tensor([1.5, -0.3, 0.8, 2.2, -1.0, 0.1])

CALLS = [
    ("forward", (_LOGITS, [], 0.5)),
    ("forward", (_LOGITS, [3, 3, 0, 4], 0.9), {"temperature": 0.7, "k": 3, "penalty": 1.3}),
    ("forward", (_LOGITS, [1], 0.2), {"p": 0.6, "temperature": 1.5}),
    ("forward", (_LOGITS, [3], 0.2), {"temperature": 0.0, "penalty": 4.0}),
    ("forward", (_LOGITS[:1], [0, 0], 0.99), {"k": 1, "p": 0.1}),
]
