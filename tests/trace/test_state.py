"""Parameters, buffers and what a model leaves behind."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import ingot


class Stateful(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 3))
        self.tied = self.weight
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.register_buffer("scratch", torch.full((3,), 2.0), persistent=False)
        self.plain = torch.tensor([1.0, 2.0, 3.0])
        self.gain = 2.0
        self.names = ["a", "b"]

    def forward(self, x):
        self.steps += 1
        self.scratch.mul_(2)
        return x @ self.weight @ self.tied * self.gain * len(self.names) + self.scratch + self.plain


def test_updated_buffers_run_as_eager():
    model = Stateful()
    module = ingot.trace(model, torch.randn(1, 3))
    assert int(model.steps) == 0
    assert model.scratch.tolist() == [2.0] * 3
    for batch in (1, 3, 17):
        x = torch.randn(batch, 3)
        torch.testing.assert_close(module(x), model(x))
    state = module.state_dict("torch")
    assert int(state["steps"]) == 3
    assert state["scratch"].tolist() == [16.0] * 3


def test_names_and_ties(tmp_path):
    model = Stateful()
    module = ingot.trace(model, torch.randn(1, 3))
    assert {"weight", "tied", "steps", "scratch"} <= set(module.state_dict())
    module.save(tmp_path / "m.ingot")
    loaded = ingot.load(tmp_path / "m.ingot")
    x = torch.randn(2, 3)
    torch.testing.assert_close(loaded(x), model(x))
    assert (tmp_path / "m.ingot").stat().st_size < 20_000


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_other_dtypes(dtype):
    model = nn.Linear(3, 4).to(dtype)
    module = ingot.trace(model, torch.randn(1, 3, dtype=dtype))
    x = torch.randn(5, 3, dtype=dtype)
    assert module(x).dtype == dtype
    torch.testing.assert_close(module(x), model(x).detach(), rtol=2e-2, atol=2e-2)


def test_integer_buffers():
    class Table(nn.Module):
        def __init__(self):
            super().__init__()
            for dtype in (torch.int8, torch.int16, torch.int32, torch.uint8, torch.bool):
                self.register_buffer(str(dtype).split(".")[1], torch.ones(2).to(dtype))

        def forward(self, x):
            return x + self.int8 + self.int16 + self.int32 + self.uint8 + self.bool

    assert ingot.trace(Table(), torch.zeros(2))(torch.zeros(2)).tolist() == [5.0, 5.0]


def test_a_model_in_training_mode_that_updates_statistics():
    model = nn.BatchNorm1d(3)
    other = nn.BatchNorm1d(3)
    module = ingot.trace(model, torch.randn(4, 3))
    assert model.training
    assert int(model.num_batches_tracked) == 0
    for batch in (2, 5, 17):
        x = torch.randn(batch, 3)
        torch.testing.assert_close(module(x), other(x).detach())
    torch.testing.assert_close(module.state_dict("torch")["running_mean"], other.running_mean)


def test_the_model_is_left_as_it_was():
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.calls = 0
            self.last = None

        def forward(self, x):
            self.calls += 1
            self.last = x
            return x * 2

    model = Counting()
    before = torch.random.get_rng_state()
    ingot.trace(model, torch.ones(2))
    assert (model.calls, model.last) == (0, None)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_functions_keep_the_names_of_their_modules_state():
    layer = nn.Linear(2, 3)
    assert set(ingot.trace(lambda x: layer(x), torch.ones(1, 2)).state_dict()) == {
        "layer.weight",
        "layer.bias",
    }
    assert set(ingot.trace(layer.forward, torch.ones(1, 2)).state_dict()) == {"weight", "bias"}


def test_inputs_that_the_model_writes_into():
    def function(x):
        x.add_(1)
        return x * 2

    module = ingot.trace(function, torch.zeros(3))
    x = torch.zeros(2)
    assert module(x).tolist() == [2.0] * 2
    assert x.tolist() == [1.0] * 2


def test_writes_through_views_are_seen():
    def function(x):
        y = x.clone()
        y.view(-1).add_(1)
        y[:, 0] += 1
        y[:, 1:] = 3
        return y

    module = ingot.trace(function, torch.zeros(2, 3))
    for shape in ((1, 2), (4, 3)):
        x = torch.randn(shape)
        torch.testing.assert_close(module(x), function(x))
