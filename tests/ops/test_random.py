"""Random ops draw what PyTorch's CPU generator draws after the same seed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy
import pytest
import torch
from tests.ops.oracle import FLOATS, compare, overload, positional, run, torch_results

import ingot
from ingot import _ingot

SIZES = [[0], [1], [3], [15], [16], [17], [31], [64], [], [2, 5], [4, 4, 3]]
INTEGERS = [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64]
f32, f64, i64 = torch.float32, torch.float64, torch.int64


def as_torch(value: Any) -> torch.Tensor:
    """Results of calls without a torch argument are NumPy's; bfloat16 is none of torch's."""
    if isinstance(value, torch.Tensor):
        return value
    if value.dtype.name == "bfloat16":
        return torch.from_numpy(value.view(numpy.int16)).view(torch.bfloat16)
    return torch.from_numpy(value)


def same(name: str, *args: Any, seed: int = 7, **kwargs: Any) -> None:
    """Compares three draws in a row with PyTorch's."""
    values = positional(name, args, dict(kwargs))

    def copied() -> list[Any]:
        return [v.clone() if isinstance(v, torch.Tensor) else v for v in values]

    torch.manual_seed(seed)
    expected = [torch_results(name, copied()) for _ in range(3)]
    ingot.manual_seed(seed)
    for each in expected:
        compare(name, values, [as_torch(v) for v in run(name, *copied())], each)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("dtype", [*FLOATS, torch.complex64, torch.complex128], ids=str)
def test_factories(size: list[int], dtype: torch.dtype) -> None:
    same("aten::randn", size, dtype=dtype)
    same("aten::randn_like", torch.zeros(size, dtype=dtype))
    same("aten::normal_", torch.zeros(size, dtype=dtype), 2.0, 3.0)
    if not dtype.is_complex:
        same("aten::rand", size, dtype=dtype)
        same("aten::rand_like", torch.zeros(size, dtype=dtype))
        same("aten::uniform_", torch.zeros(size, dtype=dtype), -1.5, 3.0)
        same("aten::uniform", torch.zeros(size, dtype=dtype), 0.1, 0.3)
        same("aten::normal.float_float", 1.0, 0.5, size, dtype=dtype)
        same("aten::normal_functional", torch.zeros(size, dtype=dtype), -1.0, 0.5)


@pytest.mark.parametrize("dtype", [*INTEGERS, *FLOATS, torch.bool], ids=str)
def test_integers(dtype: torch.dtype) -> None:
    values = torch.zeros(17, dtype=dtype)
    same("aten::random_", values)
    same("aten::random", values)
    same("aten::randint", 2, [2, 9], dtype=dtype)
    same("aten::randint_like", values, 2)
    same("aten::random_.to", values, 2)
    if dtype != torch.bool:
        same("aten::randint.low", 3, 100, [31], dtype=dtype)
        same("aten::randint_like.low_dtype", values, 3, 7)
        same("aten::random_.from", values, 5, 60)
        same("aten::randint_like.Tensor", values, torch.tensor(9))
    if dtype not in (torch.bool, torch.uint8):
        same("aten::randint.low", -100, 100, [31], dtype=dtype)


@pytest.mark.parametrize("high", [2**28 - 1, 2**28, 2**31, 2**32, 2**40, 2**62], ids=str)
def test_wide_integers(high: int) -> None:
    same("aten::randint.low", -high, high, [9])
    same("aten::randint", high, [9], dtype=f64)
    same("aten::random_.from", torch.zeros(5, dtype=i64), -(2**63), None)
    same("aten::random_.from", torch.zeros(5, dtype=i64), high, None)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 15, 16, 17, 31, 1000])
def test_permutations(n: int) -> None:
    for dtype in (i64, torch.int32, f32):
        same("aten::randperm", n, dtype=dtype)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("size", [[0], [5], [17], [3, 11]], ids=str)
def test_distributions(size: list[int], dtype: torch.dtype) -> None:
    values = torch.zeros(size, dtype=dtype)
    for suffix in ("_", ""):
        same(f"aten::exponential{suffix}", values, 2.0)
        same(f"aten::cauchy{suffix}", values, 1.0, 2.0)
        same(f"aten::log_normal{suffix}", values, 0.5, 0.25)
        same(f"aten::geometric{suffix}", values, 0.3)
    same("aten::bernoulli_.float", values, 0.3)
    same("aten::bernoulli.p", values, 0.3)
    chances = torch.linspace(0, 1, values.numel()).reshape(size)
    for kind in (f32, f64, torch.float16):
        same("aten::bernoulli_.Tensor", values, chances.to(kind))
        same("aten::bernoulli.Tensor", values, chances.to(kind))
    same("aten::bernoulli", chances.to(dtype))


def test_normal_of_tensors() -> None:
    for count in (5, 40):
        mean, std = torch.linspace(-2, 2, count), torch.linspace(0.5, 2, count)
        same("aten::normal.Tensor_Tensor", mean, std)
        same("aten::normal.Tensor_Tensor", mean, std.double())
        same("aten::normal.Tensor_Tensor", mean[:, None], std[None])
        same("aten::normal.Tensor_float", mean, 2.0)
        same("aten::normal.float_Tensor", 1.5, std)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_multinomial(dtype: torch.dtype) -> None:
    weights = torch.tensor([[0.1, 2, 0, 0.7, 1.5], [4, 1, 1, 0.5, 0.25]]).to(dtype)
    for given in (weights, weights[0]):
        same("aten::multinomial", given, 1)
        same("aten::multinomial", given, 4)
        same("aten::multinomial", given, 1, True)
        if dtype in (f32, f64):
            same("aten::multinomial", given, 20, True)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("p", [0.0, 0.3, 0.5, 1.0])
def test_dropout(dtype: torch.dtype, p: float) -> None:
    values = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0)).to(dtype)
    for name in ("dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout"):
        for train in (True, False):
            same(f"aten::{name}", values, p, train)
            same(f"aten::{name}_", values, p, train)
    for train in (True, False, None):
        same("aten::native_dropout", values, p, train)


@pytest.mark.parametrize("dtype", [f32, f64], ids=str)
def test_rrelu(dtype: torch.dtype) -> None:
    values = torch.linspace(-2, 2, 21, dtype=dtype)
    for training in (True, False):
        same("aten::rrelu", values, 0.1, 0.4, training)
        same("aten::rrelu_", values, 0.1, 0.4, training)
        same("aten::rrelu_with_noise", values, torch.zeros(21, dtype=dtype), 0.1, 0.4, training)


@pytest.mark.parametrize("name", ["uniform_", "normal_", "exponential_", "random_"])
@pytest.mark.parametrize(
    "view", [lambda t: t.mT, lambda t: t[:, ::2], lambda t: t.permute(2, 0, 1)]
)
def test_views_in_memory_order(name: str, view: Callable[..., Any]) -> None:
    torch.manual_seed(1)
    expected = getattr(view(torch.zeros(3, 4, 5)), name)()
    ingot.manual_seed(1)
    found = view(torch.zeros(3, 4, 5))
    run(f"aten::{name}", found)
    torch.testing.assert_close(found, expected)


def test_moments() -> None:
    ingot.manual_seed(3)
    (normal,) = run("aten::randn", [100_000])
    assert abs(float(normal.mean())) < 0.02 and abs(float(normal.std()) - 1) < 0.02
    (uniform,) = run("aten::rand", [100_000])
    assert abs(float(uniform.mean()) - 0.5) < 0.01 and float(uniform.min()) >= 0


def test_seeds() -> None:
    def drawn(seed: int) -> list[float]:
        ingot.manual_seed(seed)
        return numpy.asarray(run("aten::rand", [8])[0]).tolist()

    assert drawn(5) == drawn(5) != drawn(6)
    ingot.manual_seed(5)
    state = _ingot.random_state()
    first = run("aten::randn", [3])[0]
    _ingot.set_random_state(state)
    assert numpy.array_equal(first, run("aten::randn", [3])[0])
    # A number that waits for its turn is forgotten.
    run("aten::randn", [1])
    assert drawn(5) == drawn(5)


def test_threads_share_one_sequence() -> None:
    found: list[float] = []

    def work() -> None:
        for _ in range(50):
            found.extend(numpy.asarray(run("aten::rand", [20])[0]).tolist())

    ingot.manual_seed(0)
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    torch.manual_seed(0)
    assert sorted(found) == sorted(torch.rand(4000).tolist())


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("aten::randint", (0, [3])),
        ("aten::randint.low", (0, 300, [3], torch.int8)),
        ("aten::normal_", (torch.zeros(3), 0.0, -1.0)),
        ("aten::exponential_", (torch.zeros(3), 0.0)),
        ("aten::geometric_", (torch.zeros(3), 1.0)),
        ("aten::bernoulli_.float", (torch.zeros(3), 1.5)),
        ("aten::bernoulli", (torch.full((3,), 2.0),)),
        ("aten::uniform_", (torch.zeros(3, dtype=i64),)),
        ("aten::multinomial", (torch.ones(3), 4)),
        ("aten::multinomial", (torch.zeros(3), 1)),
        ("aten::dropout", (torch.ones(3), 1.5, True)),
        ("aten::randperm", (-1,)),
    ],
)
def test_refused(name: str, args: tuple) -> None:
    with pytest.raises(ingot.Error):
        run(name, *args)


DRAWN: list[tuple[str, tuple]] = [
    ("aten::rand.generator", ([3, 4],)),
    ("aten::randn.generator", ([17],)),
    ("aten::randn.generator", ([3],)),
    ("aten::randint.generator", (9, [5])),
    ("aten::randint.low_generator", (-3, 9, [5])),
    ("aten::randperm.generator", (8,)),
    ("aten::rand_like.generator", (torch.ones(3, 2),)),
    ("aten::randn_like.generator", (torch.ones(3, 2),)),
    ("aten::randint_like.generator", (torch.ones(7), 5)),
    ("aten::randint_like.Tensor_generator", (torch.ones(7), torch.tensor(5))),
    ("aten::randint_like.low_generator_dtype", (torch.ones(7), 2, 5)),
    ("aten::bernoulli", (torch.full([5], 0.5),)),
    ("aten::bernoulli.p", (torch.ones(5), 0.25)),
    ("aten::exponential_", (torch.ones(5), 1.0)),
    ("aten::multinomial", (torch.ones(6), 3, False)),
    ("aten::normal.Tensor_Tensor", (torch.zeros(5), torch.ones(5))),
    ("aten::normal.float_float", (0.0, 2.0, [20])),
    ("aten::random_", (torch.zeros(5, dtype=i64),)),
    ("aten::rrelu_with_noise", (-torch.ones(5), torch.zeros(5), 0.1, 0.9, True)),
    ("aten::uniform_", (torch.zeros(33), 1.0, 2.0)),
]


@pytest.mark.parametrize(("name", "args"), DRAWN, ids=[name for name, _ in DRAWN])
def test_generators_as_arguments(name: str, args: tuple) -> None:
    theirs, ours = (torch.Generator().manual_seed(5) for _ in range(2))
    ingot.manual_seed(3)
    for _ in range(300):  # beyond one block of 624 words
        for each in args:
            if isinstance(each, torch.Tensor) and name.endswith("_"):
                each.fill_(1)
        given = [v.clone() if isinstance(v, torch.Tensor) else v for v in args]
        expected = overload(name)(*given, generator=theirs)
        (found,) = run(name, *args, generator=ours)
        torch.testing.assert_close(as_torch(found), expected)
        assert torch.equal(ours.get_state(), theirs.get_state())
    drawn = run("aten::rand", [3])[0]  # the process's generator stayed where it was
    ingot.manual_seed(3)
    assert numpy.array_equal(run("aten::rand", [3])[0], drawn)


def test_states_of_generators() -> None:
    (state,) = _ingot.call_op("aten::Generator", [])
    assert torch.equal(torch.from_numpy(state), torch.Generator().get_state())
    for seed in (0, 2**40 + 5, -1):
        generator = torch.Generator().manual_seed(seed)
        _ingot.call_op("aten::manual_seed.generator", [state, seed])
        assert torch.equal(torch.from_numpy(state), generator.get_state())
        (found,) = _ingot.call_op("aten::initial_seed", [state])
        assert found % 2**64 == generator.initial_seed()
    (seed,) = _ingot.call_op("aten::seed", [state])
    assert torch.equal(torch.from_numpy(state), torch.Generator().manual_seed(seed).get_state())


@pytest.mark.parametrize(
    "state",
    [
        torch.zeros(5056, dtype=torch.uint8),
        torch.full([5056], 255, dtype=torch.uint8),
        torch.Generator().get_state()[:-1],
        torch.Generator().get_state().repeat_interleave(2)[::2],
        torch.Generator().get_state().float(),
    ],
    ids=["zeros", "large", "short", "spread", "floats"],
)
def test_no_states(state: torch.Tensor) -> None:
    with pytest.raises(ingot.Error, match="generator"):
        _ingot.call_op("aten::rand.generator", [[2], state])


class Noisy(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        first, second = torch.randn_like(x), torch.randn_like(x)
        kept = torch.nn.functional.dropout(x, 0.5, self.training)
        torch.rand(2)  # nobody reads it, the generator goes on
        return x + first * second, kept, torch.bernoulli(torch.sigmoid(x))


@pytest.mark.parametrize("capture", ["trace", "script"])
def test_programs(capture: str) -> None:
    model = Noisy().train()
    x = torch.randn(3, 4)
    module = ingot.trace(model, (x,)) if capture == "trace" else ingot.script(model)
    torch.manual_seed(11)
    ingot.manual_seed(11)
    for size in (3, 6):
        given = torch.ones(size, 4)
        expected = model(given)
        for one, other in zip(module(given), expected, strict=True):
            torch.testing.assert_close(one, other)
    assert str(module.graph).count("aten::rand_like") == 0
    assert not torch.equal(module(x)[0], module(x)[0])


def test_trace_draws_in_the_order_of_pytorch_memory() -> None:
    def model(x: torch.Tensor) -> Any:
        y = x.permute(0, 2, 3, 1)
        drop = torch.nn.functional.dropout
        return drop(y, 0.5, True), torch.rand_like(y), torch.bernoulli(y.sigmoid())

    module = ingot.trace(model, (torch.randn(2, 3, 4, 5),))
    given = torch.randn(3, 3, 2, 5)
    torch.manual_seed(4)
    ingot.manual_seed(4)
    for one, other in zip(module(given), model(given), strict=True):
        torch.testing.assert_close(one, other)


def test_trace_leaves_the_generator() -> None:
    ingot.manual_seed(2)
    expected = run("aten::rand", [3])[0]
    ingot.manual_seed(2)
    ingot.trace(Noisy().train(), (torch.randn(2, 2),))
    assert numpy.array_equal(run("aten::rand", [3])[0], expected)
