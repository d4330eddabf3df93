"""Transformers: BERT, GPT-2, a conformer block, attention alone."""

from __future__ import annotations

import torch
from tests.trace.vision import torchvision
from torch import Tensor, nn

torchvision()  # transformers imports it


class Bert(nn.Module):
    """bert-base without its pooler: ids i64[N, T] -> f32[N, T, 768]."""

    def __init__(self) -> None:
        super().__init__()
        from transformers import BertConfig, BertModel

        self.model = BertModel(BertConfig(), add_pooling_layer=False)

    def forward(self, ids: Tensor) -> Tensor:
        output: Tensor = self.model(input_ids=ids).last_hidden_state
        return output


class Gpt2(nn.Module):
    """GPT-2 of 124 million parameters: ids i64[N, T] -> logits f32[N, T, 50257]."""

    def __init__(self) -> None:
        super().__init__()
        from transformers import GPT2Config, GPT2LMHeadModel

        self.model = GPT2LMHeadModel(GPT2Config(use_cache=False))

    def forward(self, ids: Tensor) -> Tensor:
        logits: Tensor = self.model(input_ids=ids, use_cache=False).logits
        return logits


class Gpt2Step(Gpt2):
    """One token after ``past``: the logits, and the keys and values of the new token.

    id: i64[N, 1]; past: f32[12 layers, 2, N, 12 heads, T, 64]
    -> f32[N, 1, 50257], f32[12, 2, N, 12, 1, 64].
    """

    def forward(self, id: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        model = self.model.transformer
        position = torch.full_like(id, past.size(4))
        x = model.wte(id) + model.wpe(position)
        new = []
        for layer, (keys, values) in zip(model.h, past.unbind(0), strict=True):
            attention = layer.attn
            q, k, v = (
                part.unflatten(-1, (12, 64)).transpose(1, 2)
                for part in attention.c_attn(layer.ln_1(x)).split(768, 2)
            )
            new.append(torch.stack([k, v]))
            k, v = torch.cat([keys, k], 2), torch.cat([values, v], 2)
            y = nn.functional.scaled_dot_product_attention(q, k, v)
            x = x + attention.c_proj(y.transpose(1, 2).flatten(2))
            x = x + layer.mlp(layer.ln_2(x))
        return self.model.lm_head(model.ln_f(x)), torch.stack(new)


def ids(length: int, vocabulary: int) -> tuple[Tensor]:
    return (torch.randint(0, vocabulary, (1, length)),)


def gpt2_step_inputs() -> tuple[Tensor, Tensor]:
    return torch.randint(0, 50257, (1, 1)), torch.randn(12, 2, 1, 12, 64, 64)


class FeedForward(nn.Sequential):
    def __init__(self, width: int) -> None:
        super().__init__(
            nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.SiLU(), nn.Linear(4 * width, width)
        )


class Conformer(nn.Module):
    """One block of Gulati et al., 2020: f32[N, T, width] -> the same."""

    def __init__(self, width: int = 256, heads: int = 4, kernel: int = 31) -> None:
        super().__init__()
        self.first, self.second = FeedForward(width), FeedForward(width)
        self.norm = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.convolution_norm = nn.LayerNorm(width)
        self.convolution = nn.Sequential(
            nn.Conv1d(width, 2 * width, 1),
            nn.GLU(1),
            nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width),
            nn.BatchNorm1d(width),
            nn.SiLU(),
            nn.Conv1d(width, width, 1),
        )
        self.last = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + 0.5 * self.first(x)
        y = self.norm(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        x = x + self.convolution(self.convolution_norm(x).transpose(1, 2)).transpose(1, 2)
        return self.last(x + 0.5 * self.second(x))


class Attention(nn.Module):
    """q, k, v: f32[N, heads, T, 64] -> the same."""

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return nn.functional.scaled_dot_product_attention(q, k, v)


def attention_inputs(length: int, heads: int = 8) -> tuple[Tensor, ...]:
    return tuple(torch.randn(1, heads, length, 64) for _ in range(3))
