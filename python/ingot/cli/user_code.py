"""Finding and calling what the user names as ``pkg.mod:name``."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from typing import Any

from ingot.errors import Error


def find(spec: str) -> Any:
    """The object named by ``pkg.mod:name`` or ``path/file.py:name``.

    The current folder is on the import path. Raises Error if there is no such thing or its
    import fails.
    """
    place, colon, name = spec.rpartition(":")
    if not colon or not place or not name:
        raise Error(f"{spec!r} names nothing", hint="write it as package.module:name")
    folder = os.getcwd()
    if place.endswith(".py"):
        folder, file = os.path.split(os.path.abspath(place))
        place = file.removesuffix(".py")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        target: Any = importlib.import_module(place)
    except ImportError as error:
        raise Error(f"cannot import {place!r}: {error}", "not_found") from error
    except Exception as error:
        raise raised(f"importing {place!r}", error) from error
    for part in name.split("."):
        if not hasattr(target, part):
            raise Error(f"{place!r} has no {part!r}", "not_found")
        target = getattr(target, part)
    return target


def call(spec: str) -> Any:
    """Finds a function and calls it without arguments; Error if it raises."""
    function = find(spec)
    if not callable(function):
        raise Error(f"{spec} is no function but a {type(function).__name__}")
    try:
        return function()
    except Error:
        raise
    except Exception as error:
        raise raised(f"{spec}()", error) from error


def raised(what: str, error: BaseException) -> Error:
    """An Error that says what failed and shows where, innermost line first."""
    frames = traceback.extract_tb(error.__traceback__)
    own = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    lines = [
        f"  {frame.filename}:{frame.lineno} in {frame.name}: {frame.line}"
        for frame in reversed(frames)
        if not frame.filename.startswith((own, "<frozen"))
        and os.path.basename(os.path.dirname(frame.filename)) != "importlib"
    ]
    text = str(error).strip() or "no message"
    return Error(f"{what} raised {type(error).__name__}: {text}", "runtime", "\n".join(lines[:5]))


def make_model(spec: str) -> Any:
    """The model itself, or what the function of that name returns, in eval mode."""
    import torch

    found = find(spec)
    is_model = isinstance(found, torch.nn.Module)
    model = found if is_model else call(spec)
    if isinstance(model, torch.nn.Module):
        return model.eval()
    if not callable(model):
        raise Error(f"{spec} gives a {type(model).__name__}, not a model")
    return model


def make_inputs(spec: str) -> tuple[Any, ...]:
    """The example inputs that a function returns; a single value is a tuple of one."""
    inputs = call(spec)
    return tuple(inputs) if isinstance(inputs, tuple | list) else (inputs,)
