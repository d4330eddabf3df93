"""PyTorch's own list of nn modules, traced, saved, loaded and compared."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch.testing._internal.common_modules import ModuleInfo, module_db
from torch.utils._pytree import tree_leaves

import ingot

SAMPLES = 2
"""Of each module and mode."""

EXCLUDED = {
    "FractionalMaxPool2d": "the catalogue lacks aten::fractional_max_pool2d",
    "FractionalMaxPool3d": "the catalogue lacks aten::fractional_max_pool3d",
}
"""Modules that a program cannot stand for, and why."""

GUARDED = {
    "BatchNorm1d": "momentum=None",
    "BatchNorm2d": "momentum=None",
    "BatchNorm3d": "momentum=None",
}
"""Modules whose forward reads their state in Python, where so built, which a trace guards: a
second run would take another way."""


def units() -> Iterator[Any]:
    for info in module_db:
        modes = (True, False) if info.train_and_eval_differ else (False,)
        for training in modes:
            name = info.name.replace("nn.", "")
            title = f"{name}-{'train' if training else 'eval'}"
            marks = [pytest.mark.skip(EXCLUDED[name])] if name in EXCLUDED else []
            yield pytest.param(info, training, id=title, marks=marks)


@pytest.mark.parametrize(("info", "training"), list(units()))
def test_module(info: ModuleInfo, training: bool, tmp_path: Any) -> None:
    torch.manual_seed(0)
    samples = info.module_inputs_func(
        info, device="cpu", dtype=torch.float32, requires_grad=False, training=training
    )
    tried = 0
    for sample in samples:
        if tried == SAMPLES or sample.forward_input is None:
            break
        module = info.module_cls(*sample.constructor_input.args, **sample.constructor_input.kwargs)
        module.train(training)
        args, kwargs = sample.forward_input.args, dict(sample.forward_input.kwargs)
        compare(module, args, kwargs, str(tmp_path / "m.ingot"))
        tried += 1
    assert tried, f"{info.name} has no samples"


def compare(module: torch.nn.Module, args: tuple, kwargs: dict[str, Any], path: str) -> None:
    traced = ingot.trace(module, args, kwargs, dynamic=False, check=False)
    traced.save(path)
    loaded = ingot.load(path)
    eager = copy.deepcopy(module)
    for seed in (0, 1):  # the second run meets the state that the first one left
        torch.manual_seed(seed)
        with torch.no_grad():
            expected = eager(*copy.deepcopy(args), **copy.deepcopy(kwargs))
        ingot.manual_seed(seed)
        guarded = type(module).__name__ in GUARDED and module.momentum is None
        if seed and guarded and module.training:
            with pytest.raises(ingot.GuardError):
                loaded(*copy.deepcopy(args), **copy.deepcopy(kwargs))
            continue
        found = loaded(*copy.deepcopy(args), **copy.deepcopy(kwargs))
        wanted, got = tree_leaves(expected), tree_leaves(found)
        assert len(wanted) == len(got)
        for one, other in zip(got, wanted, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5, equal_nan=True)
