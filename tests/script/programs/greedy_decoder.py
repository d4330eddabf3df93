"""A small transformer decoder: greedy decoding with a key/value cache and early stop."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Attention(nn.Module):
    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(
        self, x: Tensor, cache: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        batch, steps, width = x.shape
        q, k, v = self.qkv(x).view(batch, steps, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        if cache is not None:
            k = torch.cat([cache[0], k], dim=2)
            v = torch.cat([cache[1], v], dim=2)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=cache is None)
        return self.out(y.transpose(1, 2).reshape(batch, steps, width)), (k, v)


class Block(nn.Module):
    def __init__(self, width: int, heads: int):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, x, cache: tuple[Tensor, Tensor] | None):
        y, cache = self.attention(self.norm1(x), cache)
        x = x + y
        return x + self.mlp(self.norm2(x)), cache


class Decoder(nn.Module):
    def __init__(self, vocabulary: int = 17, width: int = 16, layers: int = 2, end: int = 3):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, width)
        self.position = nn.Embedding(64, width)
        self.blocks = nn.ModuleList(Block(width, 4) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.end = end

    def step(
        self, tokens: Tensor, start: int, caches: list[tuple[Tensor, Tensor]]
    ) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
        x = self.embed(tokens) + self.position(torch.arange(start, start + tokens.shape[1]))
        grown: list[tuple[Tensor, Tensor]] = []
        for i, block in enumerate(self.blocks):
            cache = caches[i] if len(caches) > 0 else None
            x, cache = block(x, cache)
            grown.append(cache)
        return self.norm(x[:, -1]) @ self.embed.weight.t(), grown

    def forward(self, prompt: Tensor, max_new: int = 10) -> tuple[Tensor, Tensor]:
        batch = prompt.shape[0]
        done = torch.zeros(batch, dtype=torch.bool, device=prompt.device)
        lengths = torch.full((batch,), prompt.shape[1])
        tokens = prompt
        caches: list[tuple[Tensor, Tensor]] = []
        feed = prompt
        for _ in range(max_new):
            logits, caches = self.step(feed, tokens.shape[1] - feed.shape[1], caches)
            best = logits.argmax(dim=-1)
            best = torch.where(done, self.end, best)
            lengths += (~done).long()
            done |= best == self.end
            feed = best[:, None]
            tokens = torch.cat([tokens, feed], dim=1)
            if bool(done.all()):
                break
        return tokens, lengths


def target():
    torch.manual_seed(0)
    return Decoder().eval()


CALLS = [
    ("forward", (torch.tensor([[1, 5, 6]]), 8)),
    ("forward", (torch.tensor([[1], [2], [9]]), 20)),
    ("forward", (torch.tensor([[4, 4, 4, 4, 7]]), 0)),
    ("forward", (torch.arange(12).view(3, 4),)),
]
