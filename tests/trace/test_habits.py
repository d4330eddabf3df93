"""What models of the world do in ``forward`` besides computing."""

from __future__ import annotations

import copy
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import ingot


def test_prints_of_values_and_sizes(capsys):
    def function(x):
        print(f"mean {x.mean().item():.3f} of {x.shape[0]:3d}")
        return x + 1

    module = ingot.trace(function, torch.ones(2, 3))
    assert capsys.readouterr().out == "mean 1.000 of   2\n"
    assert module(torch.ones(5, 3)).tolist() == [[2.0] * 3] * 5


def test_prints_of_tensors():
    def function(x):
        print(f"{x.mean():.2f} {x.sum()} {x.max():>8}")
        return x + 1

    assert ingot.trace(function, torch.ones(2))(torch.zeros(3)).tolist() == [1.0] * 3


@pytest.mark.parametrize("text", [lambda x: f"{x.mean().item():.3f}", lambda x: f"{x.mean():.3f}"])
def test_a_text_of_a_value_that_is_returned_is_refused(text):
    with pytest.raises(ingot.Error):
        ingot.trace(lambda x: (x, text(x)), torch.ones(2))


def test_data_of_a_tensor():
    def function(x):
        noise = x.data.new(x.size()).fill_(2.0)
        y = x.clone()
        y.data.mul_(3)
        return x.data.exp() * noise, y

    module = ingot.trace(function, torch.ones(2))
    x = torch.tensor([0.0, 1.0, 2.0])
    for found, expected in zip(module(x), function(x), strict=True):
        torch.testing.assert_close(found, expected)


class PowerIteration(nn.Module):
    """The spectral norm of the first GAN programs: u is a parameter that forward assigns."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 3))
        self.u = nn.Parameter(torch.randn(4), requires_grad=False)

    def forward(self, x):
        v = F.normalize(self.weight.data.t() @ self.u.data, dim=0)
        self.u.data = F.normalize(self.weight.data @ v, dim=0)
        return x @ self.weight.t() / (self.u @ self.weight @ v)


def test_a_parameter_whose_data_is_assigned():
    torch.manual_seed(0)
    model = PowerIteration()
    before = model.u.detach().clone()
    module = ingot.trace(model, torch.randn(2, 3))
    assert torch.equal(model.u, before)
    for _ in range(3):
        x = torch.randn(2, 3)
        torch.testing.assert_close(module(x), model(x).detach())
    torch.testing.assert_close(module.state_dict("torch")["u"], model.u.detach())


def test_values_of_weights_decide_a_branch():
    class Branch(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(3, 3)

        def forward(self, x):
            return self.fc(x) if (self.fc.weight > 100).any() else self.fc(x) + x

    model = Branch()
    module = ingot.trace(model, torch.ones(2, 3), dynamic=False)
    x = torch.randn(2, 3)
    torch.testing.assert_close(module(x), model(x).detach())


def test_masks_beside_a_branch():
    def function(x):
        if x.sum() > 0:
            x = x * 2
        rows, columns = torch.where(x > 1)
        return x[x > 0.5].sum(), x[rows, columns].sum(), (x > 3).nonzero(as_tuple=True)[0]

    module = ingot.trace(function, torch.tensor([[1.0, 2.0], [0.1, 3.0]]))
    for values in ([[5.0, 0.1], [0.1, 0.1]], [[0.1, 0.2], [0.1, 0.1]]):
        x = torch.tensor(values)
        for found, expected in zip(module(x), function(x), strict=True):
            torch.testing.assert_close(found, expected)


def test_layers_converted_to_what_they_are():
    class Converted(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(3, 3)

        def forward(self, x):
            return self.fc.to(x.device).float()(x)

    model = Converted()
    module = ingot.trace(model, torch.ones(2, 3))
    torch.testing.assert_close(module(torch.ones(4, 3)), model(torch.ones(4, 3)).detach())


def test_autocast_that_does_nothing_here():
    def function(x):
        with torch.autocast("cuda", enabled=False):
            x = x.float() * 2
        with torch.autocast("cpu", enabled=False):
            return x + 1

    assert ingot.trace(function, torch.ones(2))(torch.ones(3)).tolist() == [3.0] * 3


def test_distributions_check_their_arguments():
    def function(x):
        mean, deviation = x.chunk(2, 1)
        normal = torch.distributions.Normal(mean, F.softplus(deviation))
        return normal.log_prob(mean + 1), normal.entropy(), normal.rsample()

    module = ingot.trace(function, torch.randn(2, 6))
    x = torch.randn(2, 6)
    torch.manual_seed(1)
    ingot.manual_seed(1)
    for found, expected in zip(module(x), function(x), strict=True):
        torch.testing.assert_close(found, expected)
    with pytest.raises(ingot.GuardError):
        module(torch.full((2, 6), float("nan")))


def test_a_namespace_comes_back_as_a_record():
    found = ingot.trace(lambda x: SimpleNamespace(a=x + 1, b=2), torch.ones(2))(torch.zeros(2))
    assert found.a.tolist() == [1.0, 1.0]
    assert found.b == 2


def _emptied(x):
    array = x.numpy().copy()
    array[array > 0.5] = 0
    return torch.from_numpy(array)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: torch.tensor(np.maximum(x.detach().cpu().numpy(), 0.5)) + x,
        lambda x: x * np.linalg.norm(x.numpy()),
        lambda x: torch.from_numpy(np.asarray(x) + 1).double(),
        lambda x: torch.from_numpy(x.numpy().astype(np.float64).reshape(-1)),
        lambda x: torch.from_numpy(np.sort(x.numpy(), axis=0)[:, 0]),
        lambda x: x * (x.numpy() > 0.5).sum(),
        lambda x: x.numpy() + 1,
        lambda x: torch.as_tensor([x.numpy(), x.numpy()]),
        _emptied,
    ],
)
def test_numpy_inside_a_model(function):
    module = ingot.trace(function, torch.rand(4, 4))
    for rows in (4, 3):
        x = torch.rand(rows, 4)
        torch.testing.assert_close(module(x), torch.as_tensor(function(x)))


def test_arrays_in_an_output():
    example = torch.rand(4)
    found = ingot.trace(lambda x: (x.numpy() * 2, [x.numpy()]), example)(example)
    torch.testing.assert_close(found, (example * 2, [example]))


def test_numpy_that_pytorch_does_not_know_is_an_error():
    with pytest.raises(ingot.Error, match="cannot be captured") as caught:
        ingot.trace(lambda x: torch.from_numpy(np.unwrap(x.numpy())), torch.rand(4))
    assert "test_habits.py" in caught.value.location


class Marked(torch.Tensor):
    """A kind of tensor that adds nothing."""


def test_a_kind_of_tensor_inside_a_model():
    module = ingot.trace(
        lambda x: (x.as_subclass(Marked) * 2).as_subclass(torch.Tensor), torch.ones(2)
    )
    assert module(torch.full((3,), 2.0)).tolist() == [4.0] * 3


def test_a_tape_inside_a_model():
    def function(x):
        with torch.enable_grad():
            x = x.detach().requires_grad_(True)
            return torch.autograd.grad((x * x).sum(), x)[0]

    module = ingot.trace(function, torch.ones(2, 3))
    assert module(torch.full((4, 2), 3.0)).tolist() == [[6.0] * 2] * 4


def test_copies_of_tensors_and_layers():
    layer = nn.Linear(3, 3)

    class Copying(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = layer
            self.register_buffer("shift", torch.ones(3))

        def forward(self, x):
            y, shift, same = copy.deepcopy([x, self.shift, x])
            y += 1
            shift.mul_(2)
            shared = copy.copy(shift)
            shared += 1
            return copy.deepcopy(self.layer)(y), same, shift, x, self.shift

    model = Copying()
    x = torch.rand(2, 3)
    module = ingot.trace(model, x.clone())
    with torch.no_grad():
        torch.testing.assert_close(module(x), model(x))


class Hidden(nn.Module):
    """A child that the method of its name hides; nn.Module finds it all the same."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.parameters = nn.ParameterList([nn.Parameter(torch.ones(2))])

    def forward(self, x):
        return self.layer(x) + self._modules["parameters"][0]


def test_a_child_of_the_name_of_a_method():
    model, x = Hidden(), torch.rand(3, 2)
    with torch.no_grad():
        torch.testing.assert_close(ingot.trace(model, x)(x), model(x))


def _read(x, mask):
    return x[mask] + x[0, mask[0]].sum()


def _written(x, mask):
    y = x.clone()
    y[mask] -= 2 * x[mask]
    y[0, mask[0]] = x[1, mask[0]]
    return y


def _with_a_branch(x, mask):
    return x[mask] * 2 if mask.sum() > 1 else x[mask]


@pytest.mark.parametrize("function", [_read, _written, _with_a_branch])
def test_masks_of_bytes(function):
    x, mask = torch.rand(2, 3), torch.tensor([[1, 0, 2], [0, 1, 0]], dtype=torch.uint8)
    module = ingot.trace(function, (x, mask))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for given in (mask, torch.tensor([[0, 1, 1], [1, 1, 1]], dtype=torch.uint8)):
            torch.testing.assert_close(module(x, given), function(x, given))


def test_a_spectral_norm_in_training():
    """Its power iteration writes each step into the vectors that it keeps, with out=."""
    torch.manual_seed(0)
    model = nn.utils.spectral_norm(nn.Linear(3, 4))
    x = torch.rand(2, 3)
    module = ingot.trace(model, x)
    with torch.no_grad():
        for _ in range(3):
            torch.testing.assert_close(module(x), model(x))


@pytest.mark.parametrize(
    "function",
    [
        lambda x, out: torch.div(x, 2.0, out=out),
        lambda x, out: torch.div(x, x + 1, rounding_mode="floor", out=out),
        lambda x, out: torch.sub(x, x, alpha=2, out=out),
        lambda x, out: torch.pow(2, x, out=out),
        lambda x, out: torch.clamp(x, max=0.5, out=out),
    ],
)
def test_results_in_given_tensors(function):
    def call(x):
        out = torch.zeros(x.shape)
        return function(x, out) + out

    x = torch.rand(2, 3)
    torch.testing.assert_close(ingot.trace(call, x)(x + 1), call(x + 1))
