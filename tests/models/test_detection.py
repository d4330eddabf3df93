"""torchvision's detectors, scripted: lists of images of different sizes, from the file too."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import torch
from tests.trace.vision import torchvision
from torch import Tensor, nn

import ingot

vision = torchvision()
detection = vision.models.detection
roi_align = import_module("torchvision.ops.roi_align")._roi_align.__wrapped__  # not compiled
FRESH = Path(__file__).parents[1] / "script" / "programs" / "fresh.py"
NO_WEIGHTS = {"weights": None, "weights_backbone": None, "num_classes": 4}
SIDES = {"min_size": 64, "max_size": 96}
SMALL = {**NO_WEIGHTS, **SIDES}
FEW = {"rpn_post_nms_top_n_test": 40, "box_detections_per_img": 8}

SIZES = [[(50, 70), (64, 48)], [(80, 61)]]


def pyramid() -> nn.Module:
    """Fine features, of strides 4 to 32: on coarse ones different regions are pooled to the same
    values, and the order of their scores is rounding's."""
    resnet = vision.models.resnet18(weights=None, norm_layer=vision.ops.FrozenBatchNorm2d)
    layers = {f"layer{i + 1}": str(i) for i in range(4)}
    widths = [64, 128, 256, 512]
    return detection.backbone_utils.BackboneWithFPN(resnet, layers, widths, 32)


def fasterrcnn() -> nn.Module:
    """The sizes of these boxes reach every level of the features."""
    pool = vision.ops.MultiScaleRoIAlign(list("0123"), 7, 2, canonical_scale=40)
    return detection.FasterRCNN(pyramid(), 4, **SIDES, **FEW, box_roi_pool=pool)


def mask_rcnn() -> nn.Module:
    head = detection.mask_rcnn.MaskRCNNHeads(32, (32, 256), 1)
    return detection.MaskRCNN(pyramid(), 4, **SIDES, **FEW, mask_head=head)


def keypoint_rcnn() -> nn.Module:
    head = detection.keypoint_rcnn.KeypointRCNNHeads(32, (32, 32))
    predictor = detection.keypoint_rcnn.KeypointRCNNPredictor(32, 3)
    heads = {"keypoint_head": head, "keypoint_predictor": predictor}
    return detection.KeypointRCNN(pyramid(), 2, **SIDES, **FEW, **heads)


DETECTORS: dict[str, Callable[[], nn.Module]] = {
    "retinanet": lambda: detection.retinanet_resnet50_fpn(**SMALL),
    "ssdlite": lambda: detection.ssdlite320_mobilenet_v3_large(**NO_WEIGHTS),
    "fcos": lambda: detection.fcos_resnet50_fpn(**SMALL),
    "fasterrcnn": fasterrcnn,
    "mask_rcnn": mask_rcnn,
    "keypoint_rcnn": keypoint_rcnn,
}


def nms(boxes: Tensor, scores: Tensor, threshold: float) -> Tensor:
    left, top, right, bottom = boxes.unbind(1)
    area = (right - left) * (bottom - top)
    gone = torch.zeros(len(boxes), dtype=torch.bool)
    kept = []
    for i in torch.sort(scores, descending=True, stable=True)[1].tolist():
        if gone[i]:
            continue
        kept.append(i)
        width = (torch.minimum(right, right[i]) - torch.maximum(left, left[i])).clamp(min=0)
        height = (torch.minimum(bottom, bottom[i]) - torch.maximum(top, top[i])).clamp(min=0)
        both = width * height
        gone |= both / (area[i] + area - both) > threshold  # NaN is not
    return torch.tensor(kept, dtype=torch.int64)


@contextmanager
def as_scripted() -> Iterator[None]:
    """Plain formulas for torchvision's compiled ops, and the branches of its code for scripting:
    there the scale of a resized image is a float32, which can give one pixel less."""
    with (
        patch.object(vision.extension, "_has_ops", lambda: True),
        patch.object(torch.jit, "is_scripting", lambda: True),
        patch.object(torch.ops.torchvision, "nms", nms),
        patch.object(torch.ops.torchvision, "roi_align", roi_align),
        torch.no_grad(),
    ):
        yield


def spread(model: nn.Module, images: list[Tensor]) -> None:
    """Weights with which every layer's values have one deviation, so that scores lie apart."""
    hooks = []

    def scale(module: nn.Module, _: Any, result: Tensor) -> Tensor | None:
        if module in scaled:
            return None
        scaled.add(module)
        factor = (0.2 if module in boxes else 1.0) / result.std().item()
        module.weight.mul_(factor)
        return result * factor

    scaled: set[nn.Module] = set()
    layers = {n: m for n, m in model.named_modules() if isinstance(m, nn.Conv2d | nn.Linear)}
    boxes = {m for n, m in layers.items() if n.endswith(("bbox_reg", "bbox_pred"))}
    with as_scripted():
        for layer in layers.values():
            nn.init.normal_(layer.weight, std=0.1)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
            hooks.append(layer.register_forward_hook(scale))
        model(copy.deepcopy(images))
    for hook in hooks:
        hook.remove()


def same(found: Any, expected: list[dict[str, Tensor]]) -> None:
    assert len(found) == len(expected)
    for one, two in zip(found, expected, strict=True):
        assert set(one) == set(two)
        assert len(two["boxes"]) > 5
        assert (two["scores"].diff().abs() > 1e-9).all()  # no ties: their order is nobody's
        for key in two:
            bound = 1e-9 if two[key].dtype is torch.float64 else 1e-6
            torch.testing.assert_close(torch.as_tensor(one[key]), two[key], rtol=bound, atol=bound)


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.filterwarnings("ignore:.*always returns a")
def test_detector(name: str, tmp_path: Path) -> None:
    """In double precision: rounding does not change the order of scores."""
    torch.manual_seed(0)
    model = DETECTORS[name]().eval().double()
    calls = [[torch.rand(3, *size).double() for size in sizes] for sizes in SIZES]
    spread(model, calls[0])
    scripted = ingot.script(model)
    path = tmp_path / "detector.ingot"
    scripted.save(path)
    with as_scripted():
        expected = [model(copy.deepcopy(images))[1] for images in calls]
    for images, wanted in zip(calls, expected, strict=True):
        same(scripted(images)[1], wanted)
    given = [("forward", ([image.numpy() for image in images],), {}) for images in calls]
    (tmp_path / "calls.pickle").write_bytes(pickle.dumps({"detector": given}))
    done = subprocess.run([sys.executable, FRESH, tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    results = pickle.loads((tmp_path / "results.pickle").read_bytes())["detector"]
    for found, wanted in zip(results, expected, strict=True):
        same(found[1], wanted)
