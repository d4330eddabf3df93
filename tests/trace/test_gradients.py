"""Models that ask for gradients of what they compute (forces, saliency, differential equations),
and autocast, which is followed in the same way."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

import ingot
from ingot.capture.gradients import GRADIENTS


def agrees(model: nn.Module, *examples: tuple[Any, ...], tolerance: float = 1e-4) -> ingot.Module:
    """Traced with the first example, the program answers as the model on all."""
    traced = ingot.trace(model, tuple(t.clone() for t in examples[0]))
    for example in examples:
        wanted = model(*(t.clone() for t in example))
        found = traced(*(t.clone() for t in example))
        wanted, found = ((r,) if isinstance(r, Tensor) else tuple(r) for r in (wanted, found))
        for one, other in zip(found, wanted, strict=True):
            torch.testing.assert_close(one, other.detach(), rtol=tolerance, atol=tolerance / 10)
    return traced


class Potential(nn.Module):
    """Energy of atoms and the forces on them."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds = nn.Embedding(5, 4)
        self.pair = nn.Sequential(nn.Linear(9, 8), nn.SiLU(), nn.Linear(8, 1))

    def forward(self, kinds: Tensor, places: Tensor, edges: Tensor) -> tuple[Tensor, Tensor]:
        places.requires_grad_()
        first, second = edges
        distance = (places[first] - places[second]).norm(dim=-1, keepdim=True)
        known = self.kinds(kinds)
        each = self.pair(torch.cat([known[first], known[second], distance], -1))
        of_atom = torch.zeros(len(kinds), 1).index_add(0, first, each * torch.exp(-distance))
        energy = of_atom.sum()
        (slope,) = torch.autograd.grad(energy, places, create_graph=self.training)
        return energy, -slope


def molecule(atoms: int, edges: int) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(atoms)
    kinds = torch.randint(0, 5, (atoms,), generator=generator)
    first = torch.randint(0, atoms, (edges,), generator=generator)
    second = (first + 1) % atoms
    return kinds, torch.randn(atoms, 3, generator=generator), torch.stack([first, second])


@pytest.mark.parametrize("training", [False, True])
def test_forces(training: bool):
    model = Potential().train(training)
    traced = agrees(model, molecule(4, 6), molecule(9, 17), molecule(2, 1))
    kinds, places, edges = molecule(4, 6)
    with pytest.raises(ingot.Error, match=r"test_gradients.py:\d+ in forward: distance = "):
        traced(kinds, places, edges + 2)


def test_the_model_and_its_examples_are_left_alone():
    model = Potential()
    model.pair[0].weight.grad = torch.ones(8, 9)
    example = molecule(4, 6)
    ingot.trace(model, example)
    assert not example[1].requires_grad and example[1].grad is None
    assert torch.equal(model.pair[0].weight.grad, torch.ones(8, 9))
    assert model.pair[0].bias.grad is None


class Equation(nn.Module):
    """u and its derivatives in time and, twice, in space."""

    def __init__(self) -> None:
        super().__init__()
        self.u = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))

    def forward(self, at: Tensor) -> tuple[Tensor, ...]:
        at = at.clone().requires_grad_()
        u = self.u(at)
        ones = torch.ones_like(u)
        slope = torch.autograd.grad(u, at, ones, create_graph=True)[0]
        curve = torch.autograd.grad(slope[:, 1:], at, ones)[0]
        return u, slope[:, 0], curve[:, 1]


def test_second_derivatives():
    agrees(Equation(), (torch.randn(5, 2),), (torch.randn(1, 2),), (torch.randn(12, 2),))


class Saliency(nn.Module):
    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, image: Tensor) -> Tensor:
        image = image.detach().requires_grad_()
        self.layers(image).square().sum().backward()
        return image.grad


LAYERS = {
    "conv": [nn.Conv2d(3, 4, 3, stride=2, padding=1, groups=1), nn.ReLU(), nn.MaxPool2d(2)],
    "groups": [nn.Conv2d(3, 6, (3, 2), dilation=2, groups=3), nn.GELU(), nn.AvgPool2d(2)],
    "transposed": [nn.ConvTranspose2d(3, 4, 3, stride=2, output_padding=1), nn.Sigmoid()],
    "norms": [nn.BatchNorm2d(3), nn.InstanceNorm2d(3), nn.GroupNorm(3, 3), nn.Softmax(1)],
    "sizes": [nn.Upsample(scale_factor=2, mode="bilinear"), nn.AdaptiveAvgPool2d(3)],
    "padding": [nn.ReflectionPad2d(2), nn.LeakyReLU(), nn.PixelUnshuffle(2), nn.Softplus()],
}


@pytest.mark.parametrize("layers", LAYERS)
def test_backward_through_layers(layers: str):
    torch.manual_seed(0)
    model = Saliency(*LAYERS[layers]).eval()
    agrees(model, (torch.randn(2, 3, 12, 16),), (torch.randn(1, 3, 8, 12),))


def test_backward_through_a_recurrent_layer_and_attention():
    class Sequence(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.recurrent = nn.LSTM(4, 8, batch_first=True)
            self.norm = nn.LayerNorm(8)
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

        def forward(self, x: Tensor) -> Tensor:
            x = x.clone().requires_grad_()
            y = self.norm(self.recurrent(x)[0])
            return torch.autograd.grad(self.attention(y, y, y)[0].pow(2).sum(), x)[0]

    agrees(Sequence().eval(), (torch.randn(2, 5, 4),), (torch.randn(3, 5, 4),))


def test_gradients_add_up():
    class Twice(nn.Module):
        def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
            x.requires_grad_()
            y.requires_grad_()
            (x * x.sum() + y).sum().backward()
            (x * y).sum().backward(inputs=[x])
            return x.grad, y.grad

    agrees(Twice(), (torch.randn(2, 3), torch.randn(2, 3)), (torch.randn(4, 3), torch.randn(4, 3)))


class Beside(TorchDispatchMode):
    """Computes each op that has a decomposition both ways."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[Any] = set()

    def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        wanted = op(*args, **(kwargs or {}))
        if op in GRADIENTS:
            found = GRADIENTS[op](*args, **(kwargs or {}))
            torch.testing.assert_close(found, wanted, msg=lambda text: f"{op}: {text}")
            self.seen.add(op)
        return wanted


def pictures(rank: int) -> Tensor:
    return torch.randn(2, 4, *(7, 9, 8)[:rank], dtype=torch.float64, requires_grad=True)


def results(x: Tensor) -> Iterator[Tensor]:
    """What functions make of a picture."""
    rank = x.dim() - 2
    conv, back, average, largest, adapted, adapted_largest = (
        getattr(F, f"{name}{rank}d")
        for name in ("conv", "conv_transpose", "avg_pool", "max_pool", "adaptive_avg_pool",
                     "adaptive_max_pool")
    )  # fmt: skip
    weight = torch.randn(6, 2, *(3, 2, 3)[:rank], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    for stride, padding, dilation in ((1, 0, 1), (2, 1, 1), (3, 1, 2)):
        yield conv(x, weight, None, stride, padding, dilation, 2)
        rest = min(stride, dilation) - 1
        yield back(x, weight[:4], bias, stride, padding, rest, 2, dilation)
    for mode in ("reflect", "replicate"):
        yield F.pad(x, (2, 1, 3, 0, 1, 2)[: 2 * rank], mode)
    linear = ("linear", "bilinear", "trilinear")[rank - 1]
    for size, corners in itertools.product((5, 12), (False, True)):
        yield F.interpolate(x, size)
        yield F.interpolate(x, size, mode=linear, align_corners=corners)
        if rank == 2:
            yield F.interpolate(x, size, mode="bicubic", align_corners=corners)
    yield F.interpolate(x, scale_factor=1.7, mode=linear)
    if rank == 1:
        return
    for ceil, counted in itertools.product((False, True), repeat=2):
        yield average(x, 3, 2, 1, ceil, counted)
        yield average(x[0], 2, None, 0, ceil, counted)
    yield average(x, 2, 1, 1, divisor_override=3)
    yield largest(x, 3, 2, 1)
    yield adapted(x, 3)
    yield adapted_largest(x, 2)


@pytest.mark.filterwarnings("ignore")
def test_decompositions_give_what_pytorchs_ops_give():
    with Beside() as beside:
        for rank in (1, 2, 3):
            for result in results(pictures(rank)):
                result.square().sum().backward()
        x, y = (torch.randn(2, n, 3, dtype=torch.float64, requires_grad=True) for n in (4, 5))
        torch.cdist(x, y).square().sum().backward()
        torch.cdist(x, x).sum().backward()
    assert beside.seen == set(GRADIENTS)


class Jacobian(nn.Module):
    def __init__(self, kind: str) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self.kind = kind

    def forward(self, x: Tensor) -> Tensor:
        def function(row: Tensor) -> Tensor:
            return self.layer(row).tanh()

        if self.kind == "vjp":
            result, back = torch.func.vjp(function, x)
            return torch.cat([result, back(result)[0]])
        if self.kind == "jvp":
            return torch.cat(torch.func.jvp(function, (x,), (torch.ones_like(x),)))
        if self.kind == "hessian":
            return torch.func.hessian(lambda row: function(row).sum())(x)
        if self.kind == "batch":
            return torch.func.vmap(torch.func.jacrev(function))(x.expand(4, 3))
        if self.kind == "autograd":
            return torch.autograd.functional.jacobian(function, x)
        return getattr(torch.func, self.kind)(function)(x)


@pytest.mark.parametrize("kind", ["jacrev", "jacfwd", "hessian", "vjp", "jvp", "batch", "autograd"])
def test_jacobians(kind: str):
    agrees(Jacobian(kind), (torch.randn(3),), (torch.randn(3),))


class Mixed(nn.Module):
    """bfloat16 where autocast takes it, float32 elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.second = nn.Conv1d(4, 4, 2)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            y = self.first(x)
            z = torch.softmax(self.second(y.mT), 1)
            with torch.autocast("cpu", enabled=False):
                w = self.first(x)
        return y, z, w


def test_autocast():
    traced = agrees(Mixed(), (torch.randn(2, 5, 3),), (torch.randn(1, 9, 3),), tolerance=0.05)
    dtypes = [t.dtype for t in traced(torch.randn(1, 2, 3))]
    assert dtypes == [torch.bfloat16, torch.bfloat16, torch.float32]


def test_autocast_that_is_off_leaves_ops_whole():
    class Rotary(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(3, 4)

        def forward(self, x: Tensor) -> Tensor:
            with torch.autocast("cpu", enabled=False), torch.autocast("cuda", enabled=False):
                return self.layer(x)

    assert "aten::linear" in str(agrees(Rotary(), (torch.randn(2, 3),)).graph)
