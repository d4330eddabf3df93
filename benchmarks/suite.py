"""What is measured: every model of the suite, its inputs and its group."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from benchmarks.models import language, small, vision


@dataclass(frozen=True)
class Model:
    """A row of the tables."""

    name: str
    title: str
    group: str
    maker: Callable[[], nn.Module]
    inputs_maker: Callable[[], tuple[Tensor, ...]]
    loops: bool = False
    """Its forward has a loop that only a script keeps."""

    def make(self) -> nn.Module:
        torch.manual_seed(0)
        return self.maker().eval()

    def inputs(self) -> tuple[Tensor, ...]:
        torch.manual_seed(1)
        return self.inputs_maker()

    def digest(self) -> str:
        """Changes when the model's module or its arguments do."""
        parts = []
        for function in (self.maker, self.inputs_maker):
            arguments = ""
            if isinstance(function, partial):
                arguments, function = repr(function.args), function.func
            parts += [arguments, inspect.getsource(sys.modules[function.__module__])]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


MAIN, BATCH, MORE = "main", "batch", "more"
GROUPS = {
    MAIN: "The models of the bar",
    BATCH: "Batches of eight",
    MORE: "The rest of the suite",
}

VISION = ["resnet18", "resnet50", "mobilenet_v3_large", "efficientnet_b0", "convnext_tiny"]
VISION += ["vgg16", "vit_b_16"]


def _main() -> list[Model]:
    images, network = partial(vision.images, 1), vision.network
    return [
        *(Model(name, name, MAIN, partial(network, name), images) for name in VISION),
        _bert(128, MAIN),
        Model("gpt2_64", "gpt2, 64 tokens", MAIN, language.Gpt2, partial(language.ids, 64, 50257)),
        Model(
            "lstm",
            "lstm 2×256, 100 steps",
            MAIN,
            small.Lstm,
            partial(small.random, (1, 100, 256)),
        ),
        Model(
            "mlp",
            "mlp 784-512-256-10",
            MAIN,
            partial(small.perceptron, 784, 512, 256, 10),
            partial(small.random, (1, 784)),
        ),
    ]


def _bert(length: int, group: str) -> Model:
    inputs = partial(language.ids, length, 30522)
    return Model(f"bert_{length}", f"bert-base, {length} tokens", group, language.Bert, inputs)


def _batches() -> list[Model]:
    images, network = partial(vision.images, 8), vision.network
    return [
        Model(f"{name}_8", f"{name}, batch 8", BATCH, partial(network, name), images)
        for name in VISION
    ]


def _more() -> list[Model]:
    random = small.random
    return [
        _bert(16, MORE),
        _bert(512, MORE),
        Model(
            "gpt2_step",
            "gpt2, one token after 64",
            MORE,
            language.Gpt2Step,
            language.gpt2_step_inputs,
        ),
        Model("unet", "U-Net, 128×128", MORE, vision.unet, partial(vision.images, 1, 128)),
        Model(
            "conformer",
            "conformer block, 100 frames",
            MORE,
            language.Conformer,
            partial(random, (1, 100, 256)),
        ),
        Model(
            "policy",
            "policy MLP 24-64-64-4",
            MORE,
            partial(small.perceptron, 24, 64, 64, 4),
            partial(random, (1, 24)),
        ),
        Model(
            "cell_loop",
            "LSTM cell in a loop, 50 steps",
            MORE,
            small.CellLoop,
            partial(random, (50, 1, 64)),
            loops=True,
        ),
        Model(
            "chain",
            "elementwise chain, 10⁷ numbers",
            MORE,
            small.ElementwiseChain,
            partial(random, (10_000_000,), (10_000_000,)),
        ),
        Model("softmax", "softmax, 512×1024", MORE, small.Softmax, partial(random, (512, 1024))),
        Model("layer_norm", "layer_norm, 512×768", MORE, small.Norm, partial(random, (512, 768))),
        *(
            Model(
                f"attention_{length}",
                f"attention, 8 heads, {length} tokens",
                MORE,
                language.Attention,
                partial(language.attention_inputs, length),
            )
            for length in (128, 256, 512, 1024, 2048, 4096)
        ),
        Model(
            "buckets",
            "hashed buckets, int64, 10⁵ ids",
            MORE,
            small.HashedBuckets,
            partial(small.ids, 100_000),
        ),
    ]


SUITE: dict[str, Model] = {model.name: model for model in [*_main(), *_batches(), *_more()]}
