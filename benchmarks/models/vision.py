"""Networks on images: torchvision's architectures and a small U-Net."""

from __future__ import annotations

import torch
from tests.trace.vision import torchvision
from torch import Tensor, nn


def network(name: str) -> nn.Module:
    """An architecture of torchvision, f32[N, 3, 224, 224] -> f32[N, 1000]."""
    model: nn.Module = getattr(torchvision().models, name)()
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if key.startswith("heads."):  # vit_b_16 starts with a head of zeros
                parameter.normal_(0, 0.02)
            elif key.endswith("layer_scale"):  # 1e-6 would hide errors of a block
                parameter.fill_(0.3)
    return calibrate(model, torch.randn(2, 3, 224, 224))


def calibrate(model: nn.Module, x: Tensor) -> nn.Module:
    """Gives batch norms the statistics of ``x``: deep untrained ones fade into denormals."""
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    if norms:
        for norm in norms:
            norm.momentum = None
        with torch.no_grad():
            model.train()(x)
    return model.eval()


def images(batch: int, size: int = 224) -> tuple[Tensor]:
    return (torch.randn(batch, 3, size, size),)


def block(channels_in: int, channels_out: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (channels_in, channels_out):
        layers += [nn.Conv2d(channels, channels_out, 3, padding=1, bias=False)]
        layers += [nn.BatchNorm2d(channels_out), nn.ReLU()]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    """Ronneberger et al., 2015, with four levels: f32[N, 3, H, W] -> f32[N, 2, H, W]."""

    def __init__(self, width: int = 16, levels: int = 4) -> None:
        super().__init__()
        widths = [width << level for level in range(levels)]
        self.down = nn.ModuleList(
            block(a, b) for a, b in zip([3, *widths[:-1]], widths, strict=True)
        )
        pairs = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.grow = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, 2) for a, b in pairs)
        self.up = nn.ModuleList(block(a, b) for a, b in pairs)
        self.head = nn.Conv2d(width, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        kept: list[Tensor] = []
        for level, down in enumerate(self.down):
            x = down(x if level == 0 else nn.functional.max_pool2d(x, 2))
            kept.append(x)
        for level, (grow, up) in enumerate(zip(self.grow, self.up, strict=True)):
            x = up(torch.cat([kept[-2 - level], grow(x)], 1))
        return self.head(x)


def unet() -> nn.Module:
    return calibrate(UNet(), torch.randn(2, 3, 128, 128))
