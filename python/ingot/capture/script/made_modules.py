"""Modules that a function makes where it uses them: ``nn.ReLU()(x)``, ``nn.MSELoss()(x, y)``.

One without tensors of its own is the same every time it is made, so it is made once, while
compiling. One with parameters would draw new ones in every run: those belong in ``__init__``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.values import Constant, Item, ListItem, ModuleItem, PythonItem, TupleItem
from ingot.capture.script.wrapping import wrap_module

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame


def make_module(frame: Frame, cls: type, args: list[Item], kwargs: dict[str, Item]) -> ModuleItem:
    """``cls(*args, **kwargs)``. Raises CompileError where every run would need its own."""
    try:
        values = [_known(each) for each in args]
        named = {name: _known(each) for name, each in kwargs.items()}
    except _NotKnown as unknown:
        raise CompileError(
            f"the module {cls.__name__} cannot be made while the program runs, of {unknown}",
            "use the function of torch.nn.functional, or make it in __init__",
        ) from None
    made = frame.compiler.made_modules
    key = (cls, repr(values), repr(named))
    if key not in made:
        made[key] = _make(cls, values, named)
    return wrap_module(frame, made[key], f"{cls.__name__}_{list(made).index(key)}")


def _make(cls: type, values: list[Any], named: dict[str, Any]) -> torch.nn.Module:
    try:
        with torch.random.fork_rng(devices=[]):
            module: torch.nn.Module = cls(*values, **named)
    except Exception as error:
        raise CompileError(f"this raises {type(error).__name__}: {error}") from None
    for inner in module.modules():
        kept = [*inner._parameters.values(), *inner._buffers.values(), *vars(inner).values()]
        if any(isinstance(each, torch.Tensor) for each in kept):
            raise CompileError(
                f"the module {cls.__name__} cannot be made while the program runs",
                "make it in __init__",
            )
    return module


class _NotKnown(Exception):
    """The item is a value of the program."""


def _known(item: Item) -> Any:
    match item:
        case Constant(value):
            return value
        case PythonItem(object) if isinstance(object, type):
            return object
        case TupleItem(items, None):
            return tuple(map(_known, items))
        case ListItem(items):
            return list(map(_known, items))
    raise _NotKnown(item.describe())
