"""Memory that outlives a call: state, caches, inputs that are written, results that are kept."""

from __future__ import annotations

import pytest
import torch
from tests.plan.agreement import check_calls, scripted
from torch import Tensor, nn


class Counter(nn.Module):
    """Buffers replaced and written in place between planned stretches."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros((), dtype=torch.int64))
        self.register_buffer("total", torch.zeros(4))
        self.register_buffer("window", torch.zeros(3, 4))
        self.layer = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        y = self.layer(x).relu()
        self.calls += 1
        self.total += y.sum(0)
        self.window[:-1] = self.window[1:].clone()
        self.window[-1] = y.mean(0) * self.calls
        self.total = self.total * 0.5
        return y + self.total, self.window.sum(0), self.total


class Average(nn.Module):
    """Training's statistics: batch_norm writes its buffers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3, padding=1)
        self.norm = nn.BatchNorm2d(5)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x)).relu()


class Attention(nn.Module):
    """A cache that the caller passes in and gets back, longer by one row."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(8, 24)
        self.out = nn.Linear(8, 8)

    def forward(self, x: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        q, k, v = self.qkv(x).view(x.size(0), x.size(1), 3, 2, 4).permute(2, 0, 3, 1, 4)
        keys, values = torch.cat([keys, k], 2), torch.cat([values, v], 2)
        y = nn.functional.scaled_dot_product_attention(q, keys, values)
        return self.out(y.transpose(1, 2).flatten(2)) + x, keys, values


class Slots(nn.Module):
    """A cache of fixed size that is written at a place, its own and the caller's."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("cache", torch.zeros(6, 4))

    def forward(self, x: Tensor, place: int, theirs: Tensor) -> tuple[Tensor, Tensor]:
        y = x * 2 + 1
        self.cache[place] = y
        theirs[:, place] += y
        known = self.cache[: place + 1]
        return (known @ theirs).softmax(0), known


class Holder(nn.Module):
    """Gives out its own weights and buffers, views of them among the results."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 3))
        self.register_buffer("seen", torch.ones(3))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        y = x @ self.weight
        self.seen.mul_(2)
        return y, self.weight, self.weight[0], y[:1], self.seen


def tensors(*sizes: int) -> Tensor:
    return torch.randn(sizes)


def test_buffers_that_are_written() -> None:
    calls = [(tensors(n, 4),) for n in (2, 3, 2, 0, 2, 1, 3)]
    check_calls(scripted(Counter()), *calls)


def test_statistics_of_training() -> None:
    images = [(tensors(n, 3, h, w),) for n, h, w in ((2, 4, 4), (2, 4, 4), (1, 3, 5), (2, 4, 4))]
    check_calls(scripted(Average().train()), *images)


def test_a_cache_that_grows() -> None:
    module = scripted(Attention())
    calls = [(tensors(2, 1, 8), tensors(2, 2, n, 4), tensors(2, 2, n, 4)) for n in (0, 1, 2, 3, 1)]
    check_calls(module, *calls)
    keys = values = tensors(1, 2, 0, 4)
    for _ in range(5):  # results of one call are inputs of the next
        x = tensors(1, 1, 8)
        check_calls(module, (x, keys, values))
        _, keys, values = module(x, keys, values)
    assert keys.shape == (1, 2, 5, 4)


def test_a_cache_that_is_written_at_a_place() -> None:
    theirs = tensors(4, 6)
    calls = [(tensors(4), place, theirs) for place in (0, 1, 2, 5, 3, 0, 7, 1)]
    check_calls(scripted(Slots()), *calls)


def test_weights_and_buffers_among_the_results() -> None:
    check_calls(scripted(Holder()), *[(tensors(n, 3),) for n in (2, 2, 4, 0, 2)])


def written_inputs(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    z = x * 2
    x += y
    y[..., :1] = z.sum(-1, keepdim=True)
    x.t().mul_(2)
    return x + z, y


def given_back(x: Tensor, y: Tensor) -> list[Tensor]:
    z = x + y
    return [x, y, z, z.t(), x.t(), z.view(-1), x[1:], z[:, :1]]


def written_results(x: Tensor, y: Tensor) -> list[Tensor]:
    z = (x * y).relu()
    whole = torch.zeros_like(z)
    whole[:, 1:] += z[:, 1:]
    whole.t()[0].add_(x[:, 0])
    part = z[1:]
    part.sub_(1)
    return [whole, z, part]


X = torch.randn(4, 4)
FLAT = torch.randn(40)
BASE = torch.randn(6, 6)
LAYOUTS = {
    "same": (X, X),
    "transposed": (X, X.t()),
    "overlapping": (FLAT[:16].view(4, 4), FLAT[2:18].view(4, 4)),
    "apart": (FLAT[1:17].view(4, 4), FLAT[19:35].view(4, 4)),
    "misaligned": (FLAT[3:19].view(4, 4), X),
    "parts": (BASE[1:5, 1:5], BASE[::2, ::3][:3, :2].t()[:1, :1]),
    "reversed": (BASE[:4, 2:], BASE[2:, :4]),
    "expanded": (X, X[0].expand(4, 4)),
    "zero-strided": (torch.ones(1).expand(4, 4), X),
    "empty": (torch.zeros(0, 0), torch.zeros(0, 0)),
    "broadcast": (X, X[:1]),
    "windows": (FLAT.as_strided((4, 4), (1, 2)), FLAT.as_strided((4, 4), (3, 1), 7)),
}


@pytest.mark.parametrize("function", [given_back, written_results, written_inputs])
def test_inputs_in_any_memory(function) -> None:
    calls = list(LAYOUTS.values())
    check_calls(scripted(function), *calls, *reversed(calls), *calls)


@pytest.mark.parametrize("function", [given_back, written_results, written_inputs])
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.int64, torch.uint8])
def test_inputs_of_other_dtypes(function, dtype: torch.dtype) -> None:
    calls = [tuple(t.to(dtype) for t in pair) for pair in LAYOUTS.values()]
    check_calls(scripted(function), *calls)


def test_layers_on_inputs_in_any_memory() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 5, 3, padding=1), nn.BatchNorm2d(5), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(45, 7),
    )  # fmt: skip
    x = torch.randn(2, 3, 6, 6)
    large = torch.randn(4, 6, 9, 14)
    flat = torch.randn(2 * 3 * 6 * 6 + 5)
    inputs = [
        x, x.to(memory_format=torch.channels_last), x.mT, x.permute(0, 1, 3, 2), x[:1],
        x[:, :1].expand(2, 3, 6, 6), x[:1].expand(3, 3, 6, 6), flat[1:217].view(2, 3, 6, 6),
        flat[5:].view(2, 6, 6, 3).permute(0, 3, 1, 2), large[:, :3, 1:7, 2:14:2], x[:0],
        torch.randn(1).expand(2, 3, 6, 6),
    ]  # fmt: skip
    check_calls(scripted(network.eval()), *[(t,) for t in inputs], *[(t,) for t in inputs])
