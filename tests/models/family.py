"""A model family: made small, traced, saved, loaded and held against eager at several sizes."""

from __future__ import annotations

import copy
import math
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.plan.agreement import interpreted
from torch import Tensor, nn
from torch.utils._pytree import tree_map_only

import ingot
from ingot.capture.structure import open_all
from ingot.module import Module

Inputs = tuple[Any, ...]


@dataclass(frozen=True)
class Family:
    """A model with inputs of several sizes, the first of which are the example.

    ``refused`` are inputs of sizes that the model's own code fixed when it was traced, each
    with words of the guard's sentence. ``slow`` ones are for ``make test-models-all`` only.
    """

    name: str
    make: Callable[[], nn.Module]
    inputs: Callable[[], list[Inputs]]
    refused: Callable[[], list[tuple[Inputs, str]]] = field(default=list)
    slow: bool = False


def families(found: list[Family]) -> pytest.MarkDecorator:
    """Runs a test once per family that is not slow."""
    quick = [family for family in found if not family.slow]
    return pytest.mark.parametrize("family", quick, ids=lambda family: family.name)


def check(family: Family) -> Iterator[tuple[str, float]]:
    """Gives the name of each step and its seconds; raises where the program is not as eager."""
    torch.manual_seed(0)
    clock = time.perf_counter()

    def step(name: str) -> tuple[str, float]:
        nonlocal clock
        before, clock = clock, time.perf_counter()
        return name, clock - before

    model = family.make().eval()
    inputs = family.inputs()
    ordinary_weights(model, inputs)
    wanted = [eager(model, given) for given in inputs]
    depends_on_input(wanted[0], eager(model, family.inputs()[0]))
    yield step("eager")
    module = ingot.trace(model, inputs[0])
    yield step("trace")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.ingot"
        module.save(path)
        module = ingot.load(path)
        yield step("save and load")
        for given, expected in zip(inputs, wanted, strict=True):
            same(interpreted(module, *given), expected, partial(exact, model, given))
        yield step("interpret")
        for given, expected in zip(inputs, wanted, strict=True):
            same(module(*given), expected, partial(exact, model, given))
        yield step("run")
        refuse(module, family)
        del module


def refuse(module: Module, family: Family) -> None:
    """Inputs that the model was not traced for are refused with a sentence that says why."""
    for given, words in family.refused():
        with pytest.raises(ingot.GuardError, match=words):
            module(*given)


def eager(model: nn.Module, given: Inputs) -> Any:
    with torch.no_grad():
        return model(*given)


def exact(model: nn.Module, given: Inputs) -> Any:
    """What the model gives in float64."""
    inputs = tree_map_only(Tensor, lambda x: x.double() if x.is_floating_point() else x, given)
    return eager(copy.deepcopy(model).double(), inputs)


def same(found: Any, expected: Any, reference: Callable[[], Any]) -> None:
    """Values within rounding of the largest, in containers of the same kinds. Of the millions that
    a deep model gives some lie further apart: then they must be as near to the result in float64
    as eager's, within a factor of two."""
    leaves, outline = open_all(found)
    wanted, wanted_outline = open_all(expected)
    assert outline == wanted_outline
    for i, (one, two) in enumerate(zip(leaves, wanted, strict=True)):
        if not isinstance(two, Tensor) or not two.is_floating_point():
            torch.testing.assert_close(one, two, rtol=0, atol=0)
            continue
        scale = max(1.0, two.abs().max().item()) if two.numel() else 1.0
        try:
            torch.testing.assert_close(one, two, rtol=1e-4, atol=2e-5 * scale)
        except AssertionError:
            right = open_all(reference())[0][i]
            assert one.shape == two.shape and one.dtype == two.dtype
            off, own = ((x.double() - right).abs().max().item() for x in (one, two))
            assert off <= 2 * own, f"off by up to {off:.3g} from float64, eager by {own:.3g}"


def depends_on_input(one: Any, two: Any) -> None:
    """Outputs that all inputs share would make a comparison worth nothing."""
    far = 0.0
    for a, b in zip(open_all(one)[0], open_all(two)[0], strict=True):
        if isinstance(a, Tensor) and a.is_floating_point():
            assert a.isfinite().all(), "the model's output is not finite"
            far = max(far, ((a - b).abs().max() / max(1.0, a.abs().max().item())).item())
    assert far > 2e-3, f"the model's output hardly depends on its input: {far:.1e}"


def ordinary_weights(model: nn.Module, inputs: list[Inputs]) -> None:
    """Makes all weights and statistics of a size that lets every part count in the output.

    Heads of zeros, layer scales of 1e-6, norms of ones and matrices that shrink what they
    multiply would hide errors.
    """
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.is_floating_point() and parameter.numel() > 0:
                _enliven(parameter)
        norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
        norms = [m for m in norms if m.track_running_stats]
        if norms:
            for norm in norms:
                norm.train()
                norm.momentum = None  # the mean of all runs
                norm.reset_running_stats()
                if norm.affine:
                    norm.bias.uniform_(0, 1)  # most ReLUs are open, errors do not grow
            largest = max(inputs, key=lambda given: given[0].numel())
            for _ in range(3):
                model(*(torch.randn_like(t) for t in largest))
            for norm in norms:  # a few values may lie close together
                norm.running_var.clamp_(min=0.5 * norm.running_var.mean().item())
            model.eval()


def _enliven(parameter: Tensor) -> None:
    first = parameter.flatten()[0].item()
    constant = not bool((parameter != first).any())
    if parameter.dim() > 1 and (first == 0 or not constant):
        wanted = 1.2 / math.sqrt(parameter[0].numel())
        deviation = parameter.std().item()
        if deviation == 0:
            parameter.normal_(std=wanted)
        elif deviation < wanted:
            parameter.mul_(wanted / deviation)
    elif constant and first == 0:
        parameter.normal_(std=0.1)
    elif constant and abs(first) < 0.1:
        parameter.uniform_(0.2, 0.5)
    elif constant:
        parameter.mul_(torch.empty_like(parameter).uniform_(0.7, 1.3))


def images(*sizes: tuple[int, int, int], channels: int = 3) -> Callable[[], list[Inputs]]:
    """Inputs of one tensor [N, channels, H, W] for each (N, H, W)."""
    return lambda: [(torch.randn(n, channels, h, w),) for n, h, w in sizes]


def refused_images(*sizes: tuple[int, int, int], words: str) -> Callable[[], Any]:
    return lambda: [((torch.randn(n, 3, h, w),), words) for n, h, w in sizes]
