"""Lists, tuples, dicts and Optionals of tensors around and inside what is planned."""

from __future__ import annotations

from typing import Optional

import pytest
import torch
from tests.plan.agreement import check_calls, scripted
from torch import Tensor, nn


def parts_stacked(x: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
    parts = list(torch.chunk(x * 2, 3, dim=1))
    rows = torch.unbind(parts[0].relu(), 0)
    return torch.cat(parts[::-1], 1), torch.stack(rows), parts


def list_that_grows(x: Tensor, n: int) -> list[Tensor]:
    found: list[Tensor] = []
    y = x
    for i in range(n):
        y = (y * 0.5 + i).relu()
        found.append(y)
        if i == 1:
            found.append(x)
    return found


def list_written_through(xs: list[Tensor]) -> list[Tensor]:
    xs[0] = xs[0] * 2 + 1
    ys = [x.neg().relu_() for x in xs]
    ys.append(xs[0])
    ys[0].add_(1)
    xs.append(ys[1])
    return ys


def dict_of_results(x: Tensor, known: dict[str, Tensor]) -> dict[str, Tensor]:
    y = x.sigmoid() * known["scale"]
    result = {"first": y, "second": y.sum(0), "view": y[:1]}
    for key, value in known.items():
        result[key + "_"] = value * 2 - 1
    known["new"] = y - 1
    return result


def optionals(x: Tensor, mask: Optional[Tensor], scale: Optional[float]) -> Optional[Tensor]:  # noqa: UP045
    y = x * 3 - 1
    if mask is not None:
        y = y.masked_fill(mask, 0.0) * mask
    if scale is not None:
        y = y * scale
    if y.numel() == 0:
        return None
    return y.relu()


def nested(x: Tensor, pair: tuple[Tensor, list[Tensor]]) -> tuple[list[tuple[Tensor, int]], Tensor]:
    first, rest = pair
    y = first * x + 1
    results = [(y + r, r.size(0)) for r in rest]
    return results, torch.stack([r for r, _ in results]).sum(0)


def unpacked(x: Tensor) -> list[Tensor]:
    a, b = (x + 1).split([1, 2], dim=-1)
    a = a * b
    q, k, v = torch.cat([a, b], -1).unsqueeze(0).expand(3, -1, -1).unbind(0)
    return [a, q @ k.t(), v.add(q)]


def numbers_in_lists(x: Tensor, sizes: list[int]) -> list[Tensor]:
    y = (x * 2).reshape(sizes)
    sizes.append(y.dim())
    return [y, y.permute(list(range(y.dim() - 1, -1, -1))).neg(), y.sum(sizes[:1])]


def one_tensor_many_places(x: Tensor) -> tuple[Tensor, list[Tensor], dict[str, Tensor]]:
    y = x.tanh()
    z = y.view(-1)
    z[:1].mul_(2)
    return y, [y, z, y.t()], {"y": y, "same": z}


X, Y = torch.randn(2, 3), torch.randn(5, 3)
MASK = torch.tensor([[True, False, True], [False, False, True]])


@pytest.mark.parametrize(
    ("function", "calls"),
    [
        (parts_stacked, [(X,), (Y,), (X[:0],), (X,)]),
        (list_that_grows, [(X, 3), (Y, 0), (X, 1), (X, 5), (X, 3)]),
        (list_written_through, [([X, X + 1],), ([Y, X, Y],), ([X],), ([X, X + 1],)]),
        (dict_of_results, [(X, {"scale": X}), (X, {"scale": X[0], "b": Y}), (Y, {})]),
        (dict_of_results, [(Y, {}), (Y, {"scale": Y})]),
        (optionals, [(X, None, None), (X, MASK, None), (X, MASK, 0.5), (X[:0], None, 2.0)]),
        (nested, [(X, (X, [X, Y[:1]])), (X, (X, [X])), (Y, (X[0], [Y, X[1], X[0]])), (X, (X, []))]),
        (unpacked, [(X,), (Y,), (torch.randn(4, 4),), (X,)]),
        (numbers_in_lists, [(X, [3, 2]), (X, [6]), (X, [1, 2, -1]), (X, [4]), (Y, [3, 5])]),
        (one_tensor_many_places, [(X,), (Y,), (X.t(),), (Y[:1],)]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)  # fmt: skip
def test_values_of_many_tensors(function, calls) -> None:
    check_calls(scripted(function), *calls, *calls)


class Stages(nn.Module):
    """Features of several stages come and go in lists, as in detection backbones."""

    def __init__(self) -> None:
        super().__init__()
        self.stages = nn.ModuleList(nn.Conv2d(c, c + 1, 3, padding=1) for c in (3, 4, 5))
        self.lateral = nn.ModuleList(nn.Conv2d(c, 4, 1) for c in (4, 5, 6))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        features: list[Tensor] = []
        for stage in self.stages:
            x = stage(x).relu()
            features.append(x)
            x = nn.functional.max_pool2d(x, 2)
        lateral: list[Tensor] = []
        for i, layer in enumerate(self.lateral):
            lateral.append(layer(features[i]))
        top = lateral[-1]
        result = {"top": top}
        for i in range(len(lateral) - 2, -1, -1):
            size = lateral[i].shape[-2:]
            top = lateral[i] + nn.functional.interpolate(top, size=size)
            result[f"p{i}"] = top
        return result


def test_a_pyramid_of_features() -> None:
    module = scripted(Stages().eval())
    images = [
        (torch.randn(n, 3, h, w),) for n, h, w in ((1, 8, 8), (2, 9, 13), (0, 8, 8), (1, 4, 4))
    ]
    check_calls(module, *images, *images)
