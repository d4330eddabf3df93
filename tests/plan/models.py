"""Small models of the kinds that people run, each with inputs of several sizes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from tests.plan.recipe import default_dtype
from tests.trace.vision import torchvision
from torch import Tensor, nn

import ingot
from ingot.module import Module


@dataclass
class Model:
    """A model, how Ingot captures it, and inputs: the first are the example."""

    network: nn.Module
    inputs: list[tuple[Tensor, ...]]
    scripted: bool = False

    def capture(self) -> Module:
        if self.scripted:
            return ingot.script(self.network)
        return ingot.trace(self.network, self.inputs[0])

    def exact(self, inputs: tuple[Tensor, ...]) -> Any:
        """What PyTorch gives in float64."""
        wide = [t.double() if t.is_floating_point() else t.clone() for t in inputs]
        with torch.no_grad(), default_dtype(torch.float64):
            self.network.double()
            try:
                return self.network(*wide)
            finally:
                self.network.float()


def images(*sizes: tuple[int, int, int], channels: int = 3) -> list[tuple[Tensor, ...]]:
    return [(torch.randn(n, channels, h, w),) for n, h, w in sizes]


class Residual(nn.Module):
    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.relu = nn.ReLU(inplace=True)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or before != after:
            self.shortcut = nn.Sequential(
                nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        y += self.shortcut(x)
        return self.relu(y)


def resnet() -> Model:
    stem = [nn.Conv2d(3, 16, 7, 2, 3, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True)]
    network = nn.Sequential(
        *stem, nn.MaxPool2d(3, 2, 1), Residual(16, 16, 1), Residual(16, 24, 2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 10),
    )  # fmt: skip
    return Model(network, images((1, 32, 32), (3, 33, 47)))


def mobilenet() -> Model:
    part = torchvision().models.mobilenetv3
    blocks = [
        part.InvertedResidualConfig(8, 3, 16, 8, True, "RE", 1, 1, 1.0),
        part.InvertedResidualConfig(8, 5, 24, 16, True, "HS", 2, 1, 1.0),
        part.InvertedResidualConfig(16, 5, 40, 16, False, "HS", 1, 1, 1.0),
    ]
    return Model(part.MobileNetV3(blocks, 32, 10), images((1, 32, 32), (3, 33, 47)))


def convnext() -> Model:
    part = torchvision().models.convnext
    blocks = [part.CNBlockConfig(16, 24, 1), part.CNBlockConfig(24, None, 1)]
    return Model(part.ConvNeXt(blocks, num_classes=10), images((1, 32, 32), (3, 41, 33)))


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.inner = nn.Sequential(nn.Conv2d(8, 16, 3, padding=1), nn.SiLU())
        self.up = nn.ConvTranspose2d(16, 8, 2, 2)
        self.last = nn.Sequential(nn.Conv2d(16, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 2, 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        skip = self.down(x)
        inner = self.inner(nn.functional.max_pool2d(skip, 2))
        return self.last(torch.cat([skip, self.up(inner)], 1)), inner


def unet() -> Model:
    return Model(UNet(), images((1, 16, 16), (3, 18, 34), (1, 2, 2)))


def vit() -> Model:
    network = torchvision().models.VisionTransformer(32, 16, 2, 2, 32, 64, num_classes=10)
    nn.init.normal_(network.heads.head.weight)
    return Model(network, images((1, 32, 32), (3, 32, 32)))


class Logits(nn.Module):
    """A language model's first output."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor) -> Tensor:
        return self.model(input_ids=ids)[0]


def words(*sizes: tuple[int, int]) -> list[tuple[Tensor, ...]]:
    return [(torch.randint(0, 50, size),) for size in sizes]


def bert() -> Model:
    torchvision()  # transformers imports it, and it only loads where its ops are declared
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=50, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32,
    )  # fmt: skip
    return Model(Logits(BertModel(config)), words((1, 7), (3, 17), (2, 1)))


def gpt2() -> Model:
    torchvision()
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=50, n_embd=16, n_layer=2, n_head=2, n_positions=32, use_cache=False
    )
    return Model(Logits(GPT2LMHeadModel(config)), words((1, 7), (3, 17), (2, 1)))


def recurrent(kind: Callable[..., nn.Module]) -> Model:
    network = kind(8, 12, 2, batch_first=True, bidirectional=True)
    return Model(network, [(torch.randn(n, length, 8),) for n, length in ((1, 5), (3, 7), (2, 1))])


def lstm() -> Model:
    return recurrent(nn.LSTM)


def gru() -> Model:
    return recurrent(nn.GRU)


class Decoder(nn.Module):
    """A loop with a cell, of as many turns as the input says."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(8, 12)
        self.head = nn.Linear(12, 8)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = torch.zeros(x.shape[1], 12, dtype=x.dtype)
        c = torch.zeros_like(h)
        found = []
        for i in range(x.shape[0]):
            h, c = self.cell(x[i], (h, c))
            found.append(torch.tanh(self.head(h)))
        return torch.stack(found), c


def decoder() -> Model:
    sizes = ((5, 1), (3, 3), (1, 2))
    return Model(Decoder(), [(torch.randn(n, b, 8),) for n, b in sizes], scripted=True)


class Editor(nn.Module):
    """Writes into parts of its values and goes on as they are."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, padding=1)
        self.linear = nn.Linear(6, 6)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        y = self.conv(x)
        first = y[:, 0]
        first.mul_(0.5).add_(1)
        rows = y.permute(0, 2, 3, 1)
        rows[:, 0] = self.linear(rows[:, 0])
        if x.shape[0] > 1:
            y[1:].clamp_(-0.5, 0.5)
            y = y + first.unsqueeze(1)
        else:
            y = torch.relu_(y)
        for i in range(3):
            y[:, i] += float(i)
        return y, first


def editor() -> Model:
    return Model(Editor(), images((1, 8, 8), (3, 5, 9)), scripted=True)


MODELS: list[Callable[[], Model]] = [
    resnet, mobilenet, convnext, unet, vit, bert, gpt2, lstm, gru, decoder, editor,
]  # fmt: skip


def made(make: Callable[[], Model]) -> Model:
    """The model with numbers of ordinary size everywhere, in eval mode."""
    torch.manual_seed(0)
    model = make()
    for module in model.network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.2)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.2)
    model.network.eval()
    return model
