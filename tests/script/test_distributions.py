"""torch.distributions in scripts: values, samples with PyTorch's seed, and what is refused."""

from __future__ import annotations

import pytest
import torch
from torch import distributions as d
from torch import nn
from torch.distributions import Bernoulli, Categorical, Independent, Normal, kl_divergence

import ingot


def normal(x, s):
    one, two = Normal(x, s), d.Normal(0.0, 2)
    return (
        (one.log_prob(x + 1), one.cdf(s), one.icdf(s / 4), one.entropy(), one.mean, one.mode),
        (one.stddev, one.variance, two.log_prob(x), two.entropy(), list(one.batch_shape)),
        (kl_divergence(one, two), kl_divergence(two, Normal(x, s)), one.expand([2, 4, 3]).mean),
    )


def laplace(x, s):
    one = d.Laplace(x, s)
    return (
        (one.log_prob(s), one.cdf(s), one.icdf(s / 4), one.entropy(), one.stddev, one.variance),
        kl_divergence(one, d.Laplace(0.0, 2.0 * s)),
    )


def uniform(x, s):
    one = d.Uniform(x - s, x + s)
    outside = d.Uniform(0.0, 1.0, validate_args=False).log_prob(x * 3)
    return (
        (one.log_prob(x), one.cdf(x), one.icdf(s / 4), one.entropy(), one.mean, outside),
        (kl_divergence(one, d.Uniform(x - 1, x + 2 * s)), kl_divergence(one, one)),
    )


def exponential(x, s):
    one = d.Exponential(s)
    return (
        (one.log_prob(x.abs()), one.cdf(s), one.icdf(s / 4), one.entropy(), one.mean, one.mode),
        (one.variance, kl_divergence(one, d.Exponential(0.5))),
    )


def bernoulli(x, s):
    one, two, value = Bernoulli(logits=x), Bernoulli(s / 4), (x > 0).to(x.dtype)
    certain = Bernoulli((x > 0).to(x.dtype))
    return (
        (one.log_prob(value), one.probs, one.entropy(), one.mode, one.variance, one.mean),
        (two.log_prob(value), two.logits, two.entropy(), certain.log_prob(value)),
        (kl_divergence(one, two), kl_divergence(certain, two), kl_divergence(two, certain)),
    )


def categorical(x, s):
    one, two = Categorical(logits=x), Categorical(s)
    three = Categorical(logits=x.masked_fill(x == x.amin(-1, True), float("-inf")))
    index = torch.tensor([0, 2, 1, 0])
    return (
        (one.log_prob(index), one.probs, one.logits, one.entropy(), one.mode, one.mean),
        (two.log_prob(torch.tensor([[0], [1]])), two.probs, two.logits, two.entropy()),
        (kl_divergence(one, two), kl_divergence(three, one), kl_divergence(one, three)),
        (three.entropy(), list(one.batch_shape), list(one.param_shape)),
    )


def independent(x, s):
    one, two = Independent(Normal(x, s), 1), Independent(Bernoulli(logits=x), 2)
    return (
        (one.log_prob(s), one.entropy(), one.mean, one.variance, two.log_prob((x > 0).to(x.dtype))),
        (list(one.batch_shape), list(one.event_shape), list(two.event_shape)),
        kl_divergence(one, Independent(Normal(s, s), 1)),
    )


def samples(x, s):
    one, two = Normal(x, s), Categorical(logits=x)
    return (
        (one.sample(), one.rsample((4,)), two.sample(), two.sample(torch.Size([3, 2]))),
        (Bernoulli(logits=x).sample((2,)), d.Uniform(x, x + s).sample(), d.Laplace(x, s).sample()),
        (d.Exponential(s).sample((2,)), Independent(one, 1).rsample([2])),
    )


@pytest.mark.parametrize(
    "function",
    [normal, laplace, uniform, exponential, bernoulli, categorical, independent, samples],
    ids=lambda f: f.__name__,
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_answers_are_pytorchs(function, dtype, tmp_path):
    path = str(tmp_path / "distribution.ingot")
    ingot.script(function).save(path)
    module = ingot.load(path)
    torch.manual_seed(1)
    x, s = torch.randn(4, 3, dtype=dtype), torch.rand(4, 3, dtype=dtype) + 0.1
    torch.manual_seed(2)
    expected = function(x, s)
    ingot.manual_seed(2)
    same(module(x, s), expected)


def same(found, expected):
    if isinstance(expected, tuple):
        for one, two in zip(found, expected, strict=True):
            same(one, two)
    elif isinstance(expected, list):
        assert found == expected
    else:
        torch.testing.assert_close(torch.as_tensor(found), expected, equal_nan=True)


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.mean = nn.Linear(3, 2)
        self.log_scale = nn.Parameter(torch.zeros(2))

    def distribution(self, x) -> Normal:
        return Normal(self.mean(x), self.log_scale.exp())

    def forward(self, x, action):
        chosen = self.distribution(x)
        return chosen.log_prob(action).sum(-1), chosen.entropy().sum(-1)


def test_a_policy():
    module, x, action = Policy(), torch.randn(5, 3), torch.randn(5, 2)
    same(ingot.script(module)(x, action), module(x, action))


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x: Normal(x, -x.abs()).mean, "Expected parameter scale"),
        (lambda x: Categorical(x.abs() + float("nan")).probs, "Expected parameter probs"),
        (lambda x: Bernoulli(x + 9).probs, "Expected parameter probs"),
        (lambda x: d.Exponential(x.abs()).log_prob(-x.abs()), "within the support"),
        (lambda x: Categorical(logits=x).log_prob(torch.tensor(7)), "within the support"),
        (lambda x: Normal(x, 1.0).log_prob(torch.ones(7)), "not broadcastable"),
    ],
)
def test_what_pytorch_refuses(function, words):
    x = torch.randn(4, 3)
    module = ingot.script(function)
    with pytest.raises(ValueError, match=words):
        function(x)
    with pytest.raises(ingot.Error, match=words):
        module(x)
