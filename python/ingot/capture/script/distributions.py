"""torch.distributions in the scriptable language, compiled in the place of PyTorch's classes.

PyTorch's own keep lazily computed attributes and constraints as Python objects, which no program
has. Parameters and values are checked as there unless ``validate_args`` is False; what is raised
says less of the value.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,no-any-return,has-type"

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch import distributions as theirs
from torch.nn.functional import binary_cross_entropy_with_logits, softplus


def tensors_of(a, b):
    """Both as tensors of one size; a number gets the dtype of the other one."""
    if isinstance(a, Tensor):
        if isinstance(b, Tensor):
            return torch.broadcast_tensors(a, b)
        return torch.broadcast_tensors(a, torch.tensor(b, dtype=a.dtype))
    if isinstance(b, Tensor):
        return torch.broadcast_tensors(torch.tensor(a, dtype=b.dtype), b)
    return torch.broadcast_tensors(torch.tensor(float(a)), torch.tensor(float(b)))


def as_tensor(a):
    if isinstance(a, Tensor):
        return a
    return torch.tensor(float(a))


def check_parameter(valid: Tensor, name: str, constraint: str) -> None:
    if not bool(valid.all()):
        raise ValueError(
            f"Expected parameter {name} to satisfy the constraint {constraint}, "
            "but found invalid values"
        )


def check_value(value: Tensor, batch_shape: torch.Size, valid: Tensor, support: str) -> None:
    sizes = list(value.size())
    for i in range(min(len(sizes), len(batch_shape))):
        a, b = sizes[-1 - i], batch_shape[-1 - i]
        if a != 1 and b != 1 and a != b:
            raise ValueError(
                f"Value is not broadcastable with batch_shape+event_shape: {sizes} vs "
                f"{list(batch_shape)}."
            )
    if not bool(valid.all()):
        raise ValueError(f"Expected value argument to be within the support ({support})")


def sum_last(value: Tensor, count: int) -> Tensor:
    if count == 0:
        return value
    return value.flatten(value.dim() - count).sum(-1)


def epsilon(tensor: Tensor) -> float:
    """The distance from 1 to the next number of the dtype."""
    if tensor.dtype == torch.float64:
        return 2.0**-52
    if tensor.dtype == torch.float16:
        return 2.0**-10
    if tensor.dtype == torch.bfloat16:
        return 2.0**-7
    return 2.0**-23


def clamped(probs: Tensor) -> Tensor:
    """In the open interval from 0 to 1."""
    least = epsilon(probs)
    return probs.clamp(min=least, max=1 - least)


class Univariate:
    """Of numbers, one for each element of a parameter."""

    def __init__(self, parameter: Tensor, validate_args: bool | None):
        self.parameter = parameter
        self.validate = validate_args is not False

    @property
    def batch_shape(self) -> torch.Size:
        return self.parameter.size()

    @property
    def event_shape(self) -> torch.Size:
        return torch.Size([])

    def sizes(self, sample_shape: list[int]) -> list[int]:
        return list(sample_shape) + list(self.batch_shape)

    def check(self, value: Tensor, valid: Tensor, support: str) -> None:
        if self.validate:
            check_value(value, self.batch_shape, valid, support)


class LocationScale(Univariate):
    def __init__(self, loc, scale, validate_args: bool | None):
        self.loc, self.scale = tensors_of(loc, scale)
        super().__init__(self.loc, validate_args)
        if self.validate:
            check_parameter(self.loc == self.loc, "loc", "Real()")
            check_parameter(self.scale > 0, "scale", "GreaterThan(lower_bound=0.0)")

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc


class Normal(LocationScale):
    def __init__(self, loc, scale, validate_args: bool | None = None):
        super().__init__(loc, scale, validate_args)

    @property
    def stddev(self) -> Tensor:
        return self.scale

    @property
    def variance(self) -> Tensor:
        return self.scale.pow(2)

    def expand(self, batch_shape: list[int]):
        return Normal(self.loc.expand(batch_shape), self.scale.expand(batch_shape), self.validate)

    def sample(self, sample_shape: list[int] = ()) -> Tensor:  # type: ignore[assignment]
        shape = self.sizes(sample_shape)
        return torch.normal(self.loc.expand(shape), self.scale.expand(shape))

    def rsample(self, sample_shape: list[int] = ()) -> Tensor:  # type: ignore[assignment]
        shape = self.sizes(sample_shape)
        return self.loc + torch.empty(shape, dtype=self.loc.dtype).normal_() * self.scale

    def log_prob(self, value: Tensor) -> Tensor:
        self.check(value, value == value, "Real()")
        distance = (value - self.loc) ** 2 / (2 * self.scale**2)
        return -distance - self.scale.log() - math.log(math.sqrt(2 * math.pi))

    def cdf(self, value: Tensor) -> Tensor:
        self.check(value, value == value, "Real()")
        return 0.5 * (1 + torch.erf((value - self.loc) * self.scale.reciprocal() / math.sqrt(2)))

    def icdf(self, value: Tensor) -> Tensor:
        return self.loc + self.scale * torch.erfinv(2 * value - 1) * math.sqrt(2)

    def entropy(self) -> Tensor:
        return 0.5 + 0.5 * math.log(2 * math.pi) + torch.log(self.scale)


class Laplace(LocationScale):
    def __init__(self, loc, scale, validate_args: bool | None = None):
        super().__init__(loc, scale, validate_args)

    @property
    def variance(self) -> Tensor:
        return 2 * self.scale.pow(2)

    @property
    def stddev(self) -> Tensor:
        return 2**0.5 * self.scale

    def rsample(self, sample_shape: list[int] = ()) -> Tensor:  # type: ignore[assignment]
        shape = self.sizes(sample_shape)
        place = torch.empty(shape, dtype=self.loc.dtype).uniform_(epsilon(self.loc) - 1, 1)
        return self.loc - self.scale * place.sign() * torch.log1p(-place.abs())

    def sample(self, sample_shape: list[int] = ()) -> Tensor:  # type: ignore[assignment]
        return self.rsample(sample_shape)

    def log_prob(self, value: Tensor) -> Tensor:
        self.check(value, value == value, "Real()")
        return -torch.log(2 * self.scale) - torch.abs(value - self.loc) / self.scale

    def cdf(self, value: Tensor) -> Tensor:
        self.check(value, value == value, "Real()")
        side = (value - self.loc).sign()
        return 0.5 - 0.5 * side * torch.expm1(-(value - self.loc).abs() / self.scale)

    def icdf(self, value: Tensor) -> Tensor:
        term = value - 0.5
        return self.loc - self.scale * term.sign() * torch.log1p(-2 * term.abs())

    def entropy(self) -> Tensor:
        return 1 + torch.log(2 * self.scale)


class Uniform(Univariate):
    def __init__(self, low, high, validate_args: bool | None = None):
        self.low, self.high = tensors_of(low, high)
        super().__init__(self.low, validate_args)
        if self.validate:
            check_parameter(self.low < self.high, "low", "LessThan(upper_bound=high)")

    @property
    def mean(self) -> Tensor:
        return (self.high + self.low) / 2

    @property
    def stddev(self) -> Tensor:
        return (self.high - self.low) / 12**0.5

    @property
    def variance(self) -> Tensor:
        return (self.high - self.low).pow(2) / 12

    def rsample(self, sample_shape: list[int] = ()) -> Tensor:  # type: ignore[assignment]
        shape = self.sizes(sample_shape)
        return self.low + torch.rand(shape, dtype=self.low.dtype) * (self.high - self.low)

    def sample(self, sample_shape: list[int] = ()) -> Tensor:  # type: ignore[assignment]
        return self.rsample(sample_shape)

    def check_inside(self, value: Tensor) -> None:
        self.check(value, (self.low <= value) & (value <= self.high), "Interval(low, high)")

    def log_prob(self, value: Tensor) -> Tensor:
        self.check_inside(value)
        inside = ((self.low <= value) & (self.high > value)).to(self.low.dtype)
        return torch.log(inside) - torch.log(self.high - self.low)

    def cdf(self, value: Tensor) -> Tensor:
        self.check_inside(value)
        return ((value - self.low) / (self.high - self.low)).clamp(min=0, max=1)

    def icdf(self, value: Tensor) -> Tensor:
        return value * (self.high - self.low) + self.low

    def entropy(self) -> Tensor:
        return torch.log(self.high - self.low)


class Exponential(Univariate):
    def __init__(self, rate, validate_args: bool | None = None):
        self.rate = as_tensor(rate)
        super().__init__(self.rate, validate_args)
        if self.validate:
            check_parameter(self.rate > 0, "rate", "GreaterThan(lower_bound=0.0)")

    @property
    def mean(self) -> Tensor:
        return self.rate.reciprocal()

    @property
    def mode(self) -> Tensor:
        return torch.zeros_like(self.rate)

    @property
    def stddev(self) -> Tensor:
        return self.rate.reciprocal()

    @property
    def variance(self) -> Tensor:
        return self.rate.pow(-2)

    def rsample(self, sample_shape: list[int] = ()) -> Tensor:  # type: ignore[assignment]
        shape = self.sizes(sample_shape)
        return torch.empty(shape, dtype=self.rate.dtype).exponential_() / self.rate

    def sample(self, sample_shape: list[int] = ()) -> Tensor:  # type: ignore[assignment]
        return self.rsample(sample_shape)

    def log_prob(self, value: Tensor) -> Tensor:
        self.check(value, value >= 0, "GreaterThanEq(lower_bound=0.0)")
        return self.rate.log() - self.rate * value

    def cdf(self, value: Tensor) -> Tensor:
        self.check(value, value >= 0, "GreaterThanEq(lower_bound=0.0)")
        return 1 - torch.exp(-self.rate * value)

    def icdf(self, value: Tensor) -> Tensor:
        return -torch.log1p(-value) / self.rate

    def entropy(self) -> Tensor:
        return 1.0 - torch.log(self.rate)


class Bernoulli(Univariate):
    def __init__(self, probs=None, logits=None, validate_args: bool | None = None):
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        self.of_logits = probs is None
        super().__init__(as_tensor(logits if probs is None else probs), validate_args)
        if self.validate and self.of_logits:
            check_parameter(self.parameter == self.parameter, "logits", "Real()")
        elif self.validate:
            inside = (self.parameter >= 0) & (self.parameter <= 1)
            check_parameter(inside, "probs", "Interval(lower_bound=0.0, upper_bound=1.0)")

    @property
    def probs(self) -> Tensor:
        return torch.sigmoid(self.parameter) if self.of_logits else self.parameter

    @property
    def logits(self) -> Tensor:
        if self.of_logits:
            return self.parameter
        probs = clamped(self.parameter)
        return torch.log(probs) - torch.log1p(-probs)

    @property
    def param_shape(self) -> torch.Size:
        return self.parameter.size()

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        probs = self.probs
        return torch.where(probs == 0.5, float("nan"), (probs >= 0.5).to(probs.dtype))

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    @property
    def stddev(self) -> Tensor:
        return self.variance.sqrt()

    def sample(self, sample_shape: list[int] = ()) -> Tensor:  # type: ignore[assignment]
        shape = self.sizes(sample_shape)
        return torch.bernoulli(self.probs.expand(shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self.check(value, (value == 0) | (value == 1), "Boolean()")
        logits, value = torch.broadcast_tensors(self.logits, value)
        return -binary_cross_entropy_with_logits(logits, value, reduction="none")

    def entropy(self) -> Tensor:
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")


class Categorical(Univariate):
    def __init__(
        self,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ):
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        self.of_logits = probs is None
        if probs is not None:
            if probs.dim() < 1:
                raise ValueError("`probs` parameter must be at least one-dimensional.")
            super().__init__(probs / probs.sum(-1, keepdim=True), validate_args)
            if self.validate:
                whole = (self.parameter.sum(-1) - 1).abs() < 1e-6
                check_parameter((self.parameter >= 0).all(-1) & whole, "probs", "Simplex()")
        elif logits is not None:
            if logits.dim() < 1:
                raise ValueError("`logits` parameter must be at least one-dimensional.")
            super().__init__(logits - logits.logsumexp(-1, keepdim=True), validate_args)
            if self.validate:
                valid = self.parameter == self.parameter
                check_parameter(valid, "logits", "IndependentConstraint(Real(), 1)")

    @property
    def probs(self) -> Tensor:
        return self.parameter.softmax(-1) if self.of_logits else self.parameter

    @property
    def logits(self) -> Tensor:
        return self.parameter if self.of_logits else torch.log(clamped(self.parameter))

    @property
    def batch_shape(self) -> torch.Size:
        return self.parameter.size()[:-1]

    @property
    def param_shape(self) -> torch.Size:
        return self.parameter.size()

    @property
    def mean(self) -> Tensor:
        return torch.full(list(self.batch_shape), float("nan"), dtype=self.parameter.dtype)

    @property
    def variance(self) -> Tensor:
        return self.mean

    @property
    def mode(self) -> Tensor:
        return self.probs.argmax(dim=-1)

    def sample(self, sample_shape: list[int] = ()) -> Tensor:  # type: ignore[assignment]
        count = 1
        for size in sample_shape:
            count *= size
        rows = self.probs.reshape(-1, self.parameter.size(-1))
        drawn = torch.multinomial(rows, count, True).T
        return drawn.reshape(self.sizes(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        inside = (value % 1 == 0) & (value >= 0) & (value <= self.parameter.size(-1) - 1)
        self.check(value, inside, "IntegerInterval(0, events - 1)")
        place, logits = torch.broadcast_tensors(value.long().unsqueeze(-1), self.logits)
        return logits.gather(-1, place[..., :1]).squeeze(-1)

    def entropy(self) -> Tensor:
        logits = self.logits
        terms = torch.where(logits == float("-inf"), 0.0, logits * self.probs)
        return -terms.sum(-1)


class Independent:
    def __init__(
        self, base_distribution, reinterpreted_batch_ndims: int, validate_args: bool | None = None
    ):
        if reinterpreted_batch_ndims > len(base_distribution.batch_shape):
            raise ValueError(
                "Expected reinterpreted_batch_ndims <= len(base_distribution.batch_shape)"
            )
        self.base_dist = base_distribution
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims

    @property
    def batch_shape(self) -> torch.Size:
        shape = self.base_dist.batch_shape
        return shape[: len(shape) - self.reinterpreted_batch_ndims]

    @property
    def event_shape(self) -> torch.Size:
        shape = self.base_dist.batch_shape
        return shape[len(shape) - self.reinterpreted_batch_ndims :] + self.base_dist.event_shape

    @property
    def mean(self) -> Tensor:
        return self.base_dist.mean

    @property
    def mode(self) -> Tensor:
        return self.base_dist.mode

    @property
    def variance(self) -> Tensor:
        return self.base_dist.variance

    @property
    def stddev(self) -> Tensor:
        return self.base_dist.variance.sqrt()

    def sample(self, sample_shape: list[int] = ()) -> Tensor:  # type: ignore[assignment]
        return self.base_dist.sample(sample_shape)

    def rsample(self, sample_shape: list[int] = ()) -> Tensor:  # type: ignore[assignment]
        return self.base_dist.rsample(sample_shape)

    def log_prob(self, value: Tensor) -> Tensor:
        return sum_last(self.base_dist.log_prob(value), self.reinterpreted_batch_ndims)

    def entropy(self) -> Tensor:
        return sum_last(self.base_dist.entropy(), self.reinterpreted_batch_ndims)


def kl_divergence(p, q) -> Tensor:
    """Kullback and Leibler's divergence, by the closed forms of each pair."""
    if isinstance(p, Independent) and isinstance(q, Independent):
        if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
            raise NotImplementedError
        return sum_last(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)
    if isinstance(p, Normal) and isinstance(q, Normal):
        ratio = (p.scale / q.scale).pow(2)
        return 0.5 * (ratio + ((p.loc - q.loc) / q.scale).pow(2) - 1 - ratio.log())
    if isinstance(p, Laplace) and isinstance(q, Laplace):
        ratio, distance = p.scale / q.scale, (p.loc - q.loc).abs()
        return distance / q.scale + ratio * torch.exp(-distance / p.scale) - ratio.log() - 1
    if isinstance(p, Exponential) and isinstance(q, Exponential):
        ratio = q.rate / p.rate
        return ratio - ratio.log() - 1
    if isinstance(p, Uniform) and isinstance(q, Uniform):
        inside = (q.low <= p.low) & (q.high >= p.high)
        result = torch.log((q.high - q.low) / (p.high - p.low))
        return torch.where(inside, result, float("inf"))
    if isinstance(p, Bernoulli) and isinstance(q, Bernoulli):
        of_one = p.probs * (softplus(-q.logits) - softplus(-p.logits))
        of_one = torch.where(q.probs == 0, float("inf"), of_one)
        of_one = torch.where(p.probs == 0, 0.0, of_one)
        of_zero = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
        of_zero = torch.where(q.probs == 1, float("inf"), of_zero)
        return of_one + torch.where(p.probs == 1, 0.0, of_zero)
    if isinstance(p, Categorical) and isinstance(q, Categorical):
        terms = p.probs * (p.logits - q.logits)
        terms = torch.where((q.probs == 0).expand_as(terms), float("inf"), terms)
        return torch.where((p.probs == 0).expand_as(terms), 0.0, terms).sum(-1)
    raise NotImplementedError("this divergence has no closed form in a program")


CLASSES: dict[Any, type] = {
    getattr(theirs, cls.__name__): cls
    for cls in (Normal, Laplace, Uniform, Exponential, Bernoulli, Categorical, Independent)
}
SUBSTITUTES: dict[Any, Any] = {**CLASSES, theirs.kl_divergence: kl_divergence}
