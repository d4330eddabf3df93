"""torchvision's families: classification, segmentation, video, optical flow."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from tests.models.family import Family, Inputs, check, families, images
from tests.trace.vision import torchvision
from torch import Tensor, nn

models = torchvision().models


def alexnet() -> nn.Module:
    model = models.alexnet(num_classes=10)
    model.classifier[1] = nn.Linear(256 * 6 * 6, 32)
    model.classifier[4] = nn.Linear(32, 32)
    model.classifier[6] = nn.Linear(32, 10)
    return model


def vgg() -> nn.Module:
    features = models.vgg.make_layers([8, "M", 16, "M", 16, 16, "M"], batch_norm=True)
    model = nn.Module.__new__(models.VGG)  # its own classifier has 120 million weights
    nn.Module.__init__(model)
    model.features = features
    model.avgpool = nn.AdaptiveAvgPool2d((7, 7))
    model.classifier = nn.Sequential(
        nn.Linear(16 * 7 * 7, 32), nn.ReLU(True), nn.Dropout(), nn.Linear(32, 10)
    )
    return model


def convnext() -> nn.Module:
    config = models.convnext.CNBlockConfig
    return models.ConvNeXt([config(16, 24, 2), config(24, None, 1)], num_classes=10)


def densenet() -> nn.Module:
    return models.DenseNet(8, (2, 3, 2), 16, num_classes=10)


def efficientnet() -> nn.Module:
    config = partial(models.efficientnet.MBConvConfig, width_mult=1.0, depth_mult=1.0)
    blocks = [config(1, 3, 1, 8, 8, 1), config(6, 5, 2, 8, 16, 2), config(6, 3, 2, 16, 24, 1)]
    return models.EfficientNet(blocks, 0.0, num_classes=10, last_channel=32)


def efficientnet_v2() -> nn.Module:
    fused, plain = models.efficientnet.FusedMBConvConfig, models.efficientnet.MBConvConfig
    blocks = [fused(1, 3, 1, 8, 8, 1), fused(4, 3, 2, 8, 16, 1),
              plain(4, 3, 2, 16, 24, 2, 1.0, 1.0)]  # fmt: skip
    return models.EfficientNet(blocks, 0.0, num_classes=10, last_channel=32)


def googlenet() -> nn.Module:
    return models.GoogLeNet(10, aux_logits=False, init_weights=False)


def inception_v3() -> nn.Module:
    return models.Inception3(10, aux_logits=False, transform_input=True, init_weights=False)


def maxvit() -> nn.Module:
    return models.MaxVit((32, 32), 8, 4, [16, 16], [1, 1], 8, 0.0, num_classes=10)


def mnasnet() -> nn.Module:
    return models.MNASNet(0.35, num_classes=10)


def mobilenet_v2() -> nn.Module:
    blocks = [[1, 8, 1, 1], [6, 16, 2, 2], [6, 24, 2, 1]]
    return models.MobileNetV2(10, 0.5, blocks)


def mobilenet_v3() -> nn.Module:
    part = models.mobilenetv3
    config = part.InvertedResidualConfig
    blocks = [
        config(8, 3, 16, 8, True, "RE", 1, 1, 1.0),
        config(8, 5, 24, 16, True, "HS", 2, 1, 1.0),
        config(16, 5, 40, 16, False, "HS", 1, 2, 1.0),
    ]
    return part.MobileNetV3(blocks, 32, 10)


def regnet() -> nn.Module:
    params = models.regnet.BlockParams([1, 2], [16, 24], [8, 8], [1.0, 1.0], [2, 2], 0.25)
    return models.RegNet(params, num_classes=10, stem_width=8)


def resnet(block: str = "BasicBlock", **options: Any) -> nn.Module:
    kind = getattr(models.resnet, block)
    return models.ResNet(kind, [1, 1, 1, 1], num_classes=10, **options)


def resnext() -> nn.Module:
    return resnet("Bottleneck", groups=4, width_per_group=4)


def shufflenet_v2() -> nn.Module:
    return models.ShuffleNetV2([2, 2, 2], [8, 16, 24, 32, 48], num_classes=10)


def swin(version: int) -> nn.Module:
    part = models.swin_transformer
    options: dict[str, Any] = {}
    if version == 2:
        options = {"block": part.SwinTransformerBlockV2, "downsample_layer": part.PatchMergingV2}
    return models.SwinTransformer(
        [4, 4], 16, [2, 2], [2, 4], [4, 4], num_classes=10, stochastic_depth_prob=0.0, **options
    )


def vit() -> nn.Module:
    return models.VisionTransformer(32, 16, 2, 2, 32, 64, num_classes=10)


class Out(nn.Module):
    """A segmentation model's dict with the tensors that eval mode gives."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return dict(self.model(x))


def dilated_resnet() -> nn.Module:
    part = models._utils
    backbone = resnet(
        "Bottleneck", width_per_group=8, replace_stride_with_dilation=[False, True, True]
    )
    return part.IntermediateLayerGetter(backbone, {"layer4": "out", "layer3": "aux"})


def fcn() -> nn.Module:
    part = models.segmentation.fcn
    return Out(part.FCN(dilated_resnet(), part.FCNHead(2048, 5), part.FCNHead(1024, 5)))


def deeplabv3() -> nn.Module:
    part = models.segmentation.deeplabv3
    return Out(part.DeepLabV3(dilated_resnet(), part.DeepLabHead(2048, 5)))


def lraspp() -> nn.Module:
    part = models.segmentation.lraspp
    backbone = models._utils.IntermediateLayerGetter(
        mobilenet_v3().features, {"1": "low", "4": "high"}
    )
    return Out(part.LRASPP(backbone, 8, 96, 5, 16))


def video(convolution: str, stem: str = "BasicStem") -> nn.Module:
    part = models.video.resnet
    return part.VideoResNet(
        part.BasicBlock,
        [part.Conv3DSimple, *[getattr(part, convolution)] * 3],
        [1, 1, 1, 1],
        getattr(part, stem),
        num_classes=10,
    )


def clips(*sizes: tuple[int, int, int, int]) -> Any:
    return lambda: [(torch.randn(n, 3, t, h, w),) for n, t, h, w in sizes]


class Flow(nn.Module):
    """raft_small with two updates: two images -> the flow after each."""

    def __init__(self) -> None:
        super().__init__()
        self.model = models.optical_flow.raft_small()

    def forward(self, one: Tensor, two: Tensor) -> list[Tensor]:
        return self.model(one, two, num_flow_updates=2)


def pairs(*sizes: tuple[int, int, int]) -> Any:
    return lambda: [(torch.rand(n, 3, h, w), torch.rand(n, 3, h, w)) for n, h, w in sizes]


def outside_windows() -> list[tuple[Inputs, str]]:
    return [((torch.randn(1, 3, 16, 64),), "the sizes of the inputs must satisfy")]


ANY = images((1, 64, 64), (3, 65, 97), (2, 96, 64))
WINDOWS = images((1, 64, 64), (3, 48, 36), (2, 37, 100))

FAMILIES = [
    Family("alexnet", alexnet, images((1, 64, 64), (3, 97, 80))),
    Family("convnext", convnext, ANY),
    Family("densenet", densenet, ANY),
    Family("efficientnet", efficientnet, ANY),
    Family("efficientnet_v2", efficientnet_v2, ANY),
    Family("googlenet", googlenet, ANY, slow=True),
    Family("inception_v3", inception_v3, images((1, 75, 75), (2, 96, 107)), slow=True),
    Family("maxvit", maxvit, images((1, 32, 32), (3, 32, 32))),
    Family("mnasnet", mnasnet, ANY),
    Family("mobilenet_v2", mobilenet_v2, ANY),
    Family("mobilenet_v3", mobilenet_v3, ANY),
    Family("regnet", regnet, ANY),
    Family("resnet", resnet, ANY),
    Family("resnext", resnext, ANY),
    Family("shufflenet_v2", shufflenet_v2, ANY),
    Family("squeezenet", partial(models.squeezenet1_1, num_classes=10), ANY),
    Family("swin_t", partial(swin, 1), WINDOWS, outside_windows),
    Family("swin_v2", partial(swin, 2), WINDOWS, outside_windows),
    Family("vgg", vgg, ANY),
    Family("vit", vit, images((1, 32, 32), (3, 32, 32))),
    Family("fcn", fcn, ANY),
    Family("deeplabv3", deeplabv3, ANY),
    Family("lraspp", lraspp, ANY),
    Family("r3d", partial(video, "Conv3DSimple"), clips((1, 4, 32, 32), (2, 6, 33, 48))),
    Family("mc3", partial(video, "Conv3DNoTemporal"), clips((1, 4, 32, 32), (2, 6, 33, 48))),
    Family(
        "r2plus1d",
        partial(video, "Conv2Plus1D", "R2Plus1dStem"),
        clips((1, 4, 32, 32), (2, 6, 33, 48)),
    ),
    Family("raft_small", Flow, pairs((1, 128, 128), (2, 128, 136))),
]


@families(FAMILIES)
def test_torchvision(family: Family) -> None:
    for _ in check(family):
        pass
