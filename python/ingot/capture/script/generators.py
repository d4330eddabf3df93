"""``torch.Generator``: in a program the tensor of its state, which draws from it advance."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.handlers import apply_handler
from ingot.capture.script.language import GENERATOR
from ingot.capture.script.operations import call_op
from ingot.capture.script.values import NOTHING, Item

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame


def make_generator(frame: Frame, device: Item = NOTHING) -> Item:
    """``torch.Generator(device)``: seeded as PyTorch seeds a new one."""
    return call_op(frame, "aten::Generator", [], {}, GENERATOR)


def call_generator_method(
    frame: Frame, generator: Item, name: str, args: list[Item], kwargs: dict[str, Item]
) -> Item:
    """``generator.name(...)``. Raises CompileError if it cannot be compiled."""
    handler = _METHODS.get(name)
    if handler is None:
        raise CompileError(
            f"a Generator has no method {name} in a program", f"use {', '.join(_METHODS)}"
        )
    return apply_handler(name, handler, frame, [generator], args, kwargs)


def _manual_seed(frame: Frame, generator: Item, seed: Item) -> Item:
    call_op(frame, "aten::manual_seed", [generator, seed])
    return generator


def _initial_seed(frame: Frame, generator: Item) -> Item:
    return call_op(frame, "aten::initial_seed", [generator])


def _seed(frame: Frame, generator: Item) -> Item:
    return call_op(frame, "aten::seed", [generator])


def _get_state(frame: Frame, generator: Item) -> Item:
    return call_op(frame, "aten::clone", [_state(frame, generator)])


def _set_state(frame: Frame, generator: Item, new_state: Item) -> Item:
    call_op(frame, "aten::copy_", [_state(frame, generator), new_state])
    return generator


def _clone_state(frame: Frame, generator: Item) -> Item:
    return frame.dynamic(frame.value(_get_state(frame, generator)), GENERATOR)


def _state(frame: Frame, generator: Item) -> Item:
    return frame.dynamic(frame.value(generator))


_METHODS: dict[str, Callable[..., Item]] = {
    "manual_seed": _manual_seed,
    "initial_seed": _initial_seed,
    "seed": _seed,
    "get_state": _get_state,
    "set_state": _set_state,
    "clone_state": _clone_state,
}
