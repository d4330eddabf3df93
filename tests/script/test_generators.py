"""torch.Generator in compiled code: made there, given by the caller, kept by a module."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from agreement import agree, check

import ingot


def made_inside(x, seed: int):
    g = torch.Generator()
    first = torch.rand(2, generator=g)
    g = torch.Generator(device="cpu").manual_seed(seed)
    state = g.get_state()
    many = torch.randn(20, generator=g)
    few = torch.randn(3, generator=g, dtype=torch.float64)
    copy = g.clone_state()
    same = torch.equal(torch.rand(4, generator=g), torch.rand(4, generator=copy))
    g.set_state(state)
    again = torch.randn(20, generator=g)
    return first, many, few, same, again, g.initial_seed(), g.device.type


def with_or_without(x: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
    if generator is None:
        return x
    assert isinstance(generator, torch.Generator)
    return x + torch.randint(0, 9, x.shape, generator=generator)


def in_place(x: torch.Tensor, generator: torch.Generator):
    noise = torch.empty_like(x).uniform_(2, 3, generator=generator)
    kept = torch.bernoulli(torch.full_like(x, 0.5), generator=generator)
    return torch.normal(x, 1.0, generator=generator), noise, kept


def twice(a: torch.Generator, b: torch.Generator):
    return torch.rand(2, generator=a), torch.rand(2, generator=b)


GLOBAL = torch.Generator().manual_seed(8)


def global_one(x):
    return x + torch.rand(2, generator=GLOBAL)


class Keeping(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.generator = torch.Generator().manual_seed(4)

    def forward(self, x):
        return x + torch.rand(x.shape, generator=self.generator)


def close(one: Any, other: Any) -> None:
    torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_made_inside() -> None:
    check(made_inside, *((torch.zeros(1), seed) for seed in (0, 5, 2**40 + 7)))


def test_given_by_the_caller() -> None:
    module = ingot.script(in_place).module
    theirs, ours = (torch.Generator().manual_seed(3) for _ in range(2))
    for size in (3, 40, 3):
        x = torch.zeros(size)
        close(module(x, ours), in_place(x, theirs))
        assert torch.equal(ours.get_state(), theirs.get_state())


def test_none_or_a_generator() -> None:
    module = ingot.script(with_or_without).module
    x = torch.zeros(3)
    close(module(x), x)
    theirs, ours = (torch.Generator().manual_seed(3) for _ in range(2))
    close(module(x, ours), with_or_without(x, theirs))


def test_one_given_twice() -> None:
    module = ingot.script(twice).module
    one, other = (torch.Generator().manual_seed(3) for _ in range(2))
    expected = twice(one, one)
    for found, want in zip(module(other, other), expected, strict=True):
        assert found.tolist() == want.tolist()
    assert torch.equal(one.get_state(), other.get_state())


@pytest.mark.parametrize("model", [Keeping(), global_one], ids=["module", "global"])
def test_kept(model: Any, tmp_path: Path) -> None:
    """State, as a buffer is: files continue where the module was when they were written."""
    x = torch.zeros(2)
    module = ingot.script(model)
    module = getattr(module, "module", module)
    for _ in range(3):
        close(module(x), model(x))
    in_pytorch = module.to_torch()
    for _ in range(2):
        expected = model(x)
        close(module(x), expected)
        close(in_pytorch(x), expected)
    module.save(tmp_path / "kept.ingot")
    close(ingot.load(tmp_path / "kept.ingot")(x), model(x))


def test_as_torch_ops() -> None:
    x = torch.zeros(1)
    program = ingot.script(made_inside).module.to_torch()
    assert agree(made_inside(x, 5), program(x, 5))


def test_what_is_no_state() -> None:
    def put(state: torch.Tensor, generator: torch.Generator):
        generator.set_state(state)
        return torch.rand(2, generator=generator)

    module = ingot.script(put).module
    state = torch.Generator().manual_seed(77).get_state()
    expected = torch.rand(2, generator=torch.Generator().manual_seed(77))
    close(module(state, torch.Generator()), expected)
    with pytest.raises(ingot.Error, match="no state of a generator"):
        module(torch.zeros_like(state), torch.Generator())


def test_unknown_method() -> None:
    def graph(x):
        return torch.Generator().graphsafe_get_state()

    with pytest.raises(ingot.Error, match="Generator has no method graphsafe_get_state") as raised:
        ingot.script(graph)
    assert "test_generators.py" in str(raised.value)
