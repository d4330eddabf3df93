"""Models as they are published, with random weights; for ``make test-models-all`` only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from tests.models.family import Family, Inputs, images
from tests.models.test_timm import timm
from tests.models.test_torchvision import Out, clips, models
from tests.models.test_transformers import First, transformers
from torch import nn

IMAGES = images((1, 224, 224), (3, 192, 256))
SQUARES = images((1, 224, 224), (3, 224, 224))
SMALLER = images((1, 224, 224), (3, 192, 200))

TORCHVISION = [
    "alexnet",
    "vgg16_bn",
    "resnet50",
    "resnext50_32x4d",
    "wide_resnet50_2",
    "densenet121",
    "efficientnet_b0",
    "efficientnet_v2_s",
    "regnet_y_400mf",
    "mobilenet_v2",
    "mobilenet_v3_large",
    "mnasnet1_0",
    "shufflenet_v2_x1_0",
    "squeezenet1_1",
    "googlenet",
    "convnext_tiny",
]
TORCHVISION_SQUARE = ["vit_b_16", "maxvit_t"]
# In larger images the windows of their last stage are shifted: another program.
TORCHVISION_SMALLER = ["swin_t", "swin_v2_t"]
SEGMENTATION = ["fcn_resnet50", "deeplabv3_resnet50", "lraspp_mobilenet_v3_large"]
VIDEO = ["r3d_18", "mc3_18", "r2plus1d_18"]

TIMM = [
    "resnet50",
    "efficientnet_b0",
    "mobilenetv4_conv_medium",
    "convnext_tiny",
    "regnety_004",
    "hrnet_w18",
]
TIMM_SQUARE = [
    "vit_small_patch16_224",
    "deit_small_patch16_224",
    "swin_tiny_patch4_window7_224",
    "beit_base_patch16_224",
    "maxvit_tiny_tf_224",
    "mixer_b16_224",
]


def torchvision_model(name: str) -> nn.Module:
    options: dict[str, Any] = {"weights": None}
    if name == "googlenet":
        options |= {"aux_logits": False, "init_weights": False}
    return models.get_model(name, **options)


def segmentation_model(name: str) -> nn.Module:
    return Out(models.get_model(name, weights=None, weights_backbone=None))


def ids(vocabulary: int, *sizes: tuple[int, int]) -> Callable[[], list[Inputs]]:
    return lambda: [(torch.randint(3, vocabulary, size),) for size in sizes]


def language(name: str, config: str, **options: Any) -> Family:
    own = getattr(transformers, config)(**options)
    inputs = ids(own.vocab_size, (1, 64), (2, 129), (3, 1))
    return Family(name, lambda: First(getattr(transformers, name)(own)), inputs)


def pictures(name: str, config: str, inputs: Callable[[], list[Inputs]]) -> Family:
    def make() -> nn.Module:
        return First(getattr(transformers, name)(getattr(transformers, config)()), "pixel_values")

    return Family(name, make, inputs)


def waves() -> list[Inputs]:
    return [(torch.randn(n, length),) for n, length in ((1, 16000), (2, 20011))]


def wav2vec2() -> nn.Module:
    return First(transformers.Wav2Vec2ForCTC(transformers.Wav2Vec2Config()), "input_values")


def full_size() -> Iterator[tuple[str, Family]]:
    """Pairs of a library's name and a family of one model."""
    for names, inputs in (
        (TORCHVISION, IMAGES),
        (TORCHVISION_SQUARE, SQUARES),
        (TORCHVISION_SMALLER, SMALLER),
    ):
        for name in names:
            yield "torchvision full", Family(name, partial(torchvision_model, name), inputs)
    for name in SEGMENTATION:
        yield "torchvision full", Family(name, partial(segmentation_model, name), IMAGES)
    for name in VIDEO:
        inputs = clips((1, 8, 112, 112), (2, 12, 96, 128))
        yield "torchvision full", Family(name, partial(torchvision_model, name), inputs)
    for names, inputs in ((TIMM, IMAGES), (TIMM_SQUARE, SQUARES)):
        for name in names:
            yield "timm full", Family(name, partial(timm.create_model, name), inputs)
    cache = {"use_cache": False}
    small = {"hidden_size": 768, "intermediate_size": 2048, "num_hidden_layers": 12,
             "num_attention_heads": 12, "vocab_size": 32000, **cache}  # fmt: skip
    for family in (
        language("BertModel", "BertConfig"),
        language("DistilBertModel", "DistilBertConfig"),
        language("RobertaModel", "RobertaConfig", pad_token_id=1),
        language("GPT2LMHeadModel", "GPT2Config", **cache),
        language("T5EncoderModel", "T5Config"),
        language("LlamaForCausalLM", "LlamaConfig", **small),
        language("Qwen2ForCausalLM", "Qwen2Config", num_key_value_heads=4, **small),
        pictures("ViTForImageClassification", "ViTConfig", SQUARES),
        pictures("SegformerForSemanticSegmentation", "SegformerConfig", IMAGES),
        Family("Wav2Vec2ForCTC", wav2vec2, waves),
    ):
        yield "transformers full", family
