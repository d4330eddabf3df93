"""Whether a compiled function answers as the Python function it was compiled from."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

import ingot
from ingot.module import Module


def outcome(function: Callable[..., Any], *args: Any) -> Any:
    """The result on copies of the arguments, or the exception that was raised."""
    try:
        return function(*copy.deepcopy(args))
    except Exception as error:
        return error


def agree(expected: Any, actual: Any) -> bool:
    """Equal in value, type, dtype and shape; two exceptions of one class agree."""
    if isinstance(expected, Exception) or isinstance(actual, Exception):
        if not isinstance(expected, Exception) or not isinstance(actual, ingot.Error):
            return False
        return actual.kind in ("", type(expected).__name__)
    if isinstance(expected, torch.Tensor):
        return (
            isinstance(actual, torch.Tensor)
            and expected.dtype == actual.dtype
            and expected.shape == actual.shape
            and torch.allclose(expected, actual, rtol=1e-5, atol=1e-6, equal_nan=True)
        )
    if isinstance(expected, list | tuple):
        same_kind = isinstance(actual, list | tuple)
        return same_kind and len(expected) == len(actual) and all(map(agree, expected, actual))
    if isinstance(expected, dict):
        return list(expected) == list(actual) and all(
            agree(expected[k], actual[k]) for k in expected
        )
    if isinstance(expected, float) and type(actual) is float:
        return expected == actual or (math.isnan(expected) and math.isnan(actual))
    return type(expected) is type(actual) and expected == actual


def check(function: Callable[..., Any], *cases: tuple[Any, ...]) -> None:
    """Runs the function as Python, compiled, and from the file, on fresh copies of each case."""
    program = ingot.script(function).module
    loaded = Module.from_program(program.program)
    for case in cases:
        with torch.no_grad():
            expected = outcome(function, *case)
            for module in (program, loaded):
                actual = outcome(module, *case)
                assert agree(expected, actual), (
                    f"{function.__name__}{case}: Python gives {expected!r}, "
                    f"the program {actual!r}\n{program.graph}"
                )


class Programs:
    """The functions of a test file, each with the arguments that it is run on."""

    def __init__(self) -> None:
        self.cases: dict[Callable[..., Any], tuple[tuple[Any, ...], ...]] = {}

    def case(self, *cases: tuple[Any, ...]) -> Callable[..., Any]:
        """``@case((1, 2), (3, 4))``: the function is run on these tuples of arguments."""

        def add(function: Callable[..., Any]) -> Callable[..., Any]:
            self.cases[function] = cases
            return function

        return add

    def parametrize(self, test: Callable[..., Any]) -> Callable[..., Any]:
        """Runs ``test(function)`` for every function, under its name."""
        functions = list(self.cases)
        names = [function.__name__ for function in functions]
        return pytest.mark.parametrize("function", functions, ids=names)(test)

    def check(self, function: Callable[..., Any]) -> None:
        check(function, *self.cases[function])
