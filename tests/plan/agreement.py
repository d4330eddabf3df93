"""Runs a module with and without planning and holds one against the other."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch

import ingot
from ingot import _ingot
from ingot.module import Module

STAGES = _ingot.plan_stages()


@contextmanager
def without(stage: str | None) -> Iterator[None]:
    """Plans made inside lack a stage; None: they have all."""
    if stage is not None:
        _ingot.set_plan_stage(stage, False)
    try:
        yield
    finally:
        if stage is not None:
            _ingot.set_plan_stage(stage, True)


@contextmanager
def simd_level(level: int) -> Iterator[None]:
    """Kernels inside use one of ``_ingot.simd_levels()``."""
    _ingot.set_simd_level(level)
    try:
        yield
    finally:
        _ingot.set_simd_level(len(_ingot.simd_levels()) - 1)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Calls inside may use ``count`` threads."""
    before = ingot.get_num_threads()
    ingot.set_num_threads(count)
    try:
        yield
    finally:
        ingot.set_num_threads(before)


def scripted(model: Any) -> Module:
    """The module that ingot.script makes of a model or of a function."""
    return ingot.script(model) if isinstance(model, torch.nn.Module) else ingot.script(model).module


def interpreted(module: Module, *inputs: Any) -> Any:
    """What the module gives without plans."""
    with without("plan"):
        return module(*inputs)


def fresh(module: Module) -> Module:
    """The same program with plans of its own."""
    return Module(module._source, module._program)


def outcome(call: Callable[..., Any], inputs: Sequence[Any]) -> list[torch.Tensor] | str:
    """The tensors of a result, or the error's text."""
    try:
        return tensors(call(*inputs))
    except ingot.Error as error:
        return f"{type(error).__name__}: {error}"


def tensors(value: Any) -> list[torch.Tensor]:
    """All tensors in a value; other leaves as tensors too."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [t for v in value for t in tensors(v)]
    return [] if value is None else [torch.tensor(value)]


def copies(values: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """The values in memory of their own, none shared, with the same strides."""
    return [t.as_strided((reach(t),), (1,)).clone().as_strided(t.shape, t.stride()) for t in values]


def reach(t: torch.Tensor) -> int:
    """Elements of memory from its first to its last."""
    if t.numel() == 0:
        return 0
    return sum((n - 1) * s for n, s in zip(t.shape, t.stride(), strict=True)) + 1


def sharing(values: Sequence[torch.Tensor]) -> dict[tuple[int, int], int]:
    """Pairs of values in overlapping memory and the distance in bytes between them."""
    spans = []
    for t in values:
        first = t.data_ptr()
        spans.append((first, first + reach(t) * t.element_size()))
    return {
        (i, j): spans[j][0] - spans[i][0]
        for i in range(len(spans))
        for j in range(i + 1, len(spans))
        if spans[i][0] < spans[j][1] and spans[j][0] < spans[i][1]
    }


def strides(t: torch.Tensor) -> tuple[int, ...]:
    """Strides that matter: those of dimensions with several elements."""
    if t.numel() == 0:
        return ()
    return tuple(s for n, s in zip(t.shape, t.stride(), strict=True) if n > 1)


def bounds(
    found: Sequence[torch.Tensor], exact: Sequence[torch.Tensor], scales: Sequence[float]
) -> list[float]:
    """How far other results may lie from the exact ones, given those of the interpreter.

    A sum in another order errs by as much as the interpreter's own, up to chance; where that
    happens to be exact, by some roundings of the largest number that went into it (``scales``).
    """
    limits = []
    for a, e, scale in zip(found, exact, scales, strict=True):
        if not a.is_floating_point():
            limits.append(0.0)
            continue
        finite = e.isfinite() & a.isfinite()
        error = (a.double() - e.double())[finite].abs().max().item() if finite.any() else 0.0
        limits.append(4 * error + 32 * torch.finfo(a.dtype).eps * scale)
    return limits


def check_same(
    found: list[torch.Tensor] | str,
    wanted: list[torch.Tensor] | str,
    exact: Sequence[torch.Tensor] | None = None,
    limits: Sequence[float] | None = None,
) -> None:
    """Kinds, sizes, strides and values; within ``limits`` of ``exact`` where these are given."""
    if isinstance(wanted, str) or isinstance(found, str):
        assert found == wanted, f"{found}\nwhere the interpreter gives\n{wanted}"
        return
    assert len(found) == len(wanted)
    for i, (a, b) in enumerate(zip(found, wanted, strict=True)):
        assert a.dtype == b.dtype and a.shape == b.shape, f"result {i}: {a} is not like {b}"
        assert strides(a) == strides(b), (
            f"result {i}: strides {a.stride()}, not {b.stride()} of sizes {list(b.shape)}"
        )
        if torch.equal(a, b):
            continue
        if exact is None or limits is None or not a.is_floating_point():
            assert torch.equal(a.nan_to_num(3.25), b.nan_to_num(3.25)), f"result {i}:\n{a}\n{b}"
            continue
        same = b.isnan() & a.isnan() | (a == b)
        error = torch.where(same, 0.0, (a.double() - exact[i]).abs()).max().item()
        assert error <= limits[i], (
            f"result {i}: error {error:.3g} where {limits[i]:.3g} is allowed\n{a}\n{b}"
        )


def check_calls(module: Module, *calls: Sequence[Any]) -> None:
    """Makes the calls in turn, planned and interpreted, each on copies of the inputs.

    Results, written inputs, shared memory and state agree after each call, and what the first
    calls gave is still the same after the last. Elements may differ by roundings.
    """
    planned, plain = fresh(module), fresh(module)
    held = []
    for inputs in calls:
        mine, its = copy.deepcopy(inputs), copy.deepcopy(inputs)
        found, wanted = outcome(planned, mine), outcome(partial(interpreted, plain), its)
        check_near(found, wanted)
        check_near(tensors(mine), tensors(its))
        if not isinstance(found, str) and not isinstance(wanted, str):
            assert sharing([*found, *tensors(mine)]) == sharing([*wanted, *tensors(its)])
            held.append((found, wanted))
        states = (m.state_dict("torch") for m in (planned, plain))
        check_near(*(tensors(state) for state in states))
    for found, wanted in held:
        check_near(found, wanted)


def check_near(found: list[torch.Tensor] | str, wanted: list[torch.Tensor] | str) -> None:
    """As check_same, for results of some products and sums of moderate numbers."""
    if isinstance(wanted, str):
        return check_same(found, wanted)
    exact = [t.double() for t in wanted]
    scales = [t.nan_to_num(0, 0, 0).abs().max().item() if t.numel() else 0.0 for t in exact]
    check_same(found, wanted, exact, [1e-5 * max(s, 1.0) for s in scales])
