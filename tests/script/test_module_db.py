"""PyTorch's own list of nn modules, compiled from source, saved, loaded and compared."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch.testing._internal.common_modules import ModuleInfo, module_db
from torch.utils._pytree import tree_leaves

import ingot

SAMPLES = 3
"""Of each module and mode."""

DOUBLE = {"FractionalMaxPool2d", "FractionalMaxPool3d"}
"""Their samples hold numbers of dtype float64."""


REFUSED = {
    "CTCLoss": "must be Tensor, got tuple",
    "LinearCrossEntropyLoss": "cannot be read with what is known only at run time",
}
"""Modules with samples that need inputs of another type than their annotations say, or
arguments that exist in Python only, and words of the sentence that says so."""


def units() -> Iterator[Any]:
    for info in module_db:
        modes = (True, False) if info.train_and_eval_differ else (False,)
        for training in modes:
            name = info.name.replace("nn.", "")
            title = f"{name}-{'train' if training else 'eval'}"
            yield pytest.param(info, training, id=title)


@pytest.mark.parametrize(("info", "training"), list(units()))
def test_module(info: ModuleInfo, training: bool, tmp_path: Any) -> None:
    torch.manual_seed(0)
    dtype = torch.float64 if info.name.replace("nn.", "") in DOUBLE else torch.float32
    samples = info.module_inputs_func(
        info, device="cpu", dtype=dtype, requires_grad=False, training=training
    )
    tried = 0
    for sample in samples:
        if tried == SAMPLES or sample.forward_input is None:
            break
        module = info.module_cls(*sample.constructor_input.args, **sample.constructor_input.kwargs)
        module.train(training)
        args, kwargs = sample.forward_input.args, dict(sample.forward_input.kwargs)
        if any(map(torch.nn.parameter.is_lazy, module.parameters())):
            module(*copy.deepcopy(args), **copy.deepcopy(kwargs))
        try:
            compare(module, args, kwargs, str(tmp_path / "m.ingot"))
        except ingot.Error as error:
            words = REFUSED.get(info.name.replace("nn.", ""))
            if words is None or words not in str(error):
                raise
        tried += 1
    assert tried, f"{info.name} has no samples"


def compare(module: torch.nn.Module, args: tuple, kwargs: dict[str, Any], path: str) -> None:
    ingot.script(module).save(path)
    loaded = ingot.load(path)
    eager = copy.deepcopy(module)
    for seed in (0, 1):  # the second run meets the state that the first one left
        torch.manual_seed(seed)
        with torch.no_grad():
            expected = eager(*copy.deepcopy(args), **copy.deepcopy(kwargs))
        ingot.manual_seed(seed)
        found = loaded(*copy.deepcopy(args), **copy.deepcopy(kwargs))
        wanted, got = tree_leaves(expected), tree_leaves(found)
        assert len(wanted) == len(got)
        for one, other in zip(got, wanted, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5, equal_nan=True)
