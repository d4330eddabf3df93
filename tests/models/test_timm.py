"""timm's families, in small versions of their own configurations."""

from __future__ import annotations

from typing import Any

from tests.models.family import Family, check, families, images
from tests.trace.vision import torchvision
from torch import nn

torchvision()  # timm imports it, and it only loads where its ops are declared
timm = __import__("timm")


def family(name: str, inputs: Any, *, slow: bool = False, **options: Any) -> Family:
    def make() -> nn.Module:
        return timm.create_model(name, num_classes=10, **options)

    return Family(name, make, inputs, slow=slow)


def mixer() -> nn.Module:
    return timm.models.MlpMixer(10, 64, patch_size=16, num_blocks=2, embed_dim=32)


ANY = images((1, 64, 64), (3, 65, 97), (2, 96, 64))
FIXED = images((1, 64, 64), (3, 64, 64))
SWIN = {"img_size": 64, "embed_dim": 16, "depths": (2, 2), "num_heads": (2, 4), "window_size": 4}
VIT = {"img_size": 64, "embed_dim": 32, "depth": 2, "num_heads": 2}

FAMILIES = [
    family("test_resnet", ANY),
    family("test_efficientnet", ANY),
    family("mobilenetv4_conv_small_035", ANY),
    family("test_convnext", ANY),
    family("vit_tiny_patch16_224", FIXED, **VIT),
    family("deit_tiny_distilled_patch16_224", FIXED, **VIT),
    family("swin_tiny_patch4_window7_224", FIXED, **SWIN),
    family("swinv2_tiny_window8_256", FIXED, **SWIN),
    family("beit_base_patch16_224", FIXED, **VIT),
    family("test_maxvit", FIXED, slow=True, img_size=64),
    family("regnetx_002", ANY),
    Family("mixer", mixer, FIXED),
    family("hrnet_w18_small", images((1, 64, 64), (2, 96, 64)), slow=True),
]


@families(FAMILIES)
def test_timm(family: Family) -> None:
    for _ in check(family):
        pass
