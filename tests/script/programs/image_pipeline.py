"""Image pre-processing: sizes computed at run time, letterbox, tiles, normalisation."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ImagePipeline(nn.Module):
    def __init__(self, size: int = 16, stride: int = 4):
        super().__init__()
        self.size, self.stride = size, stride
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1))
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1))

    def resize(self, image: Tensor) -> tuple[Tensor, float]:
        height, width = image.shape[-2:]
        scale = self.size / max(height, width)
        target = [max(1, round(height * scale)), max(1, round(width * scale))]
        if target != [height, width]:
            image = F.interpolate(image[None], size=target, mode="bilinear", align_corners=False)[0]
        return image, scale

    def letterbox(self, image: Tensor) -> tuple[Tensor, list[int]]:
        h, w = image.shape[1], image.shape[2]
        bottom = math.ceil(h / self.stride) * self.stride - h
        right = math.ceil(w / self.stride) * self.stride - w
        left, top = right // 2, bottom // 2
        return F.pad(image, [left, right - left, top, bottom - top], value=0.5), [left, top]

    def convert(self, image: Tensor) -> Tensor:
        if image.dim() == 2:
            image = image.unsqueeze(0)
        if image.shape[0] == 1:
            image = image.expand(3, -1, -1)
        elif image.shape[0] == 4:
            image, alpha = image[:3], image[3:]
            if not image.is_floating_point():
                alpha = alpha.float() / 255
            image = image * alpha
        if image.dtype == torch.uint8:
            image = image.float().div(255)
        elif image.max() > 1:
            image = image / 255
        return image

    def forward(self, images: list[Tensor]) -> tuple[Tensor, list[float], list[list[int]]]:
        ready: list[Tensor] = []
        scales: list[float] = []
        offsets: list[list[int]] = []
        for image in images:
            small, scale = self.resize((self.convert(image) - self.mean) / self.std)
            boxed, offset = self.letterbox(small)
            ready.append(boxed)
            scales.append(scale)
            offsets.append(offset)
        if not ready:
            return torch.zeros(0, 3, self.size, self.size), scales, offsets
        height = max([i.shape[1] for i in ready])
        width = max([i.shape[2] for i in ready])
        batch = ready[0].new_full((len(ready), 3, height, width), 0.0)
        for i in range(len(ready)):
            batch[i, :, : ready[i].shape[1], : ready[i].shape[2]].copy_(ready[i])
        return batch, scales, offsets


def target():
    return ImagePipeline()


def _image(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(sum(shape)))


CALLS = [
    ("forward", ([_image(3, 20, 31), _image(1, 9, 5), _image(16, 16)],)),
    ("forward", ([(_image(3, 8, 40) * 255).to(torch.uint8)],)),
    ("forward", ([_image(4, 7, 7), _image(3, 1, 1) * 255],)),
    ("forward", ([(_image(4, 12, 10) * 255).to(torch.uint8)],)),
    ("forward", ([],)),
]
