"""Whole programs in ``programs/``: what Python answers, the compiled program answers, also from
the saved file in a fresh process that has neither torch nor the source, and in C++.

A program file has ``target()``, the module or function, and ``CALLS``: (method, args) or
(method, args, kwargs), made one after the other on one module.
"""

import ast
import copy
import importlib.util
import inspect
import math
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch

import ingot

PROGRAMS = Path(__file__).parent / "programs"
ROOT = Path(__file__).parents[2]
NAMES = sorted(p.stem for p in PROGRAMS.glob("*.py") if p.stem != "fresh")


class Program:
    """A program file, what Python answers, and its saved form."""

    def __init__(self, name: str, folder: Path):
        spec = importlib.util.spec_from_file_location(f"programs_{name}", PROGRAMS / f"{name}.py")
        self.source = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.source)
        self.calls = [(*call, {})[:3] for call in self.source.CALLS]
        self.compiled = ingot.script(self.source.target())
        self.file = folder / f"{name}.ingot"
        self.compiled.save(self.file)

    def python(self, target: Any, call: tuple) -> Any:
        """What Python answers, or the exception that it raises."""
        method, args, kwargs = call
        function = getattr(target, method, target)
        try:
            with torch.no_grad():
                return function(*copy.deepcopy(args), **kwargs)
        except Exception as error:
            return error

    def answers(self) -> list[Any]:
        target = self.source.target()
        return [copy.deepcopy(self.python(target, call)) for call in self.calls]


def agree(expected: Any, actual: Any) -> bool:
    """Equal up to rounding; an exception agrees with a failure that names it."""
    if isinstance(expected, Exception):
        failed = isinstance(actual, tuple) and actual[:1] == ("failed",)
        return failed and str(expected).strip("'\"") in actual[1]
    if isinstance(expected, torch.Tensor):
        expected = expected.numpy()
        return (
            isinstance(actual, numpy.ndarray)
            and (actual.dtype, actual.shape) == (expected.dtype, expected.shape)
            and numpy.allclose(expected, actual, rtol=1e-4, atol=1e-5, equal_nan=True)
        )
    if isinstance(expected, float):
        close = isinstance(actual, float) and math.isclose(
            expected, actual, rel_tol=1e-5, abs_tol=1e-6
        )
        return close or (actual != actual and expected != expected)
    if type(expected) is not type(actual):
        return False
    if isinstance(expected, list | tuple):
        return len(expected) == len(actual) and all(map(agree, expected, actual))
    if isinstance(expected, dict):
        return list(expected) == list(actual) and all(
            agree(expected[key], actual[key]) for key in expected
        )
    return expected == actual


def as_numpy(value: Any) -> Any:
    """The value with NumPy arrays for tensors."""
    if isinstance(value, torch.Tensor):
        return value.numpy()
    if isinstance(value, list | tuple):
        return type(value)(map(as_numpy, value))
    if isinstance(value, dict):
        return {key: as_numpy(each) for key, each in value.items()}
    return value


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("programs")


@pytest.fixture(scope="module")
def programs(folder) -> dict[str, Program]:
    return {name: Program(name, folder) for name in NAMES}


@pytest.fixture(scope="module")
def fresh_results(programs, folder) -> dict[str, list[Any]]:
    """Of all programs, from one process: starting it takes longer than running them."""
    calls = {
        name: [(method, as_numpy(args), kwargs) for method, args, kwargs in program.calls]
        for name, program in programs.items()
    }
    (folder / "calls.pickle").write_bytes(pickle.dumps(calls))
    command = [sys.executable, PROGRAMS / "fresh.py", folder]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr
    return pickle.loads((folder / "results.pickle").read_bytes())


@pytest.mark.parametrize("name", NAMES)
def test_compiled(name, programs):
    program = programs[name]
    module = getattr(program.compiled, "module", program.compiled)
    for call, expected in zip(program.calls, program.answers(), strict=True):
        method, args, kwargs = call
        try:
            actual = as_numpy(module.method(method)(*copy.deepcopy(args), **kwargs))
        except ingot.Error as error:
            actual = ("failed", str(error))
        assert agree(expected, actual), f"{call}: Python gives {expected!r}, Ingot {actual!r}"


@pytest.mark.parametrize("name", NAMES)
def test_from_the_file_in_a_fresh_process(name, programs, fresh_results):
    program = programs[name]
    answers = zip(program.calls, program.answers(), fresh_results[name], strict=True)
    for call, expected, actual in answers:
        assert agree(expected, actual), f"{call}: Python gives {expected!r}, Ingot {actual!r}"


def literal(value: Any, folder: Path, count: list[int]) -> str:
    """The value as ingot-run takes it; tensors become files."""
    if isinstance(value, torch.Tensor):
        count[0] += 1
        path = folder / f"in{count[0]}.npy"
        numpy.save(path, value.numpy())
        return f"@{path}"
    if isinstance(value, list):
        return f"[{', '.join(literal(each, folder, count) for each in value)}]"
    if isinstance(value, tuple):
        return f"({''.join(literal(each, folder, count) + ',' for each in value)})"
    if isinstance(value, dict):
        pairs = (f"{key!r}: {literal(each, folder, count)}" for key, each in value.items())
        return f"{{{', '.join(pairs)}}}"
    return repr(value)


def tensors_of(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return (
        [t for each in value for t in tensors_of(each)] if isinstance(value, list | tuple) else []
    )


def ingot_run(program: Program, call: tuple, expected: Any, folder: Path) -> Any:
    """The answer of ingot-run."""
    method, args, kwargs = call
    if kwargs:
        function = getattr(program.source.target(), method)
        bound = inspect.signature(function).bind(*args, **kwargs)
        bound.apply_defaults()
        args = tuple(bound.arguments.values())
    tool = Path(os.environ.get("INGOT_BUILD", ROOT / "build")) / "ingot-run"
    command = [tool, program.file, "--method", method]
    count = [0]
    for each in args:
        command += ["--value", literal(each, folder, count)]
    outputs = [folder / f"out{i}.npy" for i in range(len(tensors_of(expected)))]
    for path in outputs:
        command += ["--output", path]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode == 1:
        return ("failed", done.stderr)
    assert done.returncode == 0, done.stderr
    text = done.stdout.rpartition("\nload ")[0]
    tensors = iter(outputs)
    text = re.sub(
        r"\b(f|i|u|bool|bf|c)\d*\[[^]]*\]", lambda _: f"load({str(next(tensors))!r})", text
    )
    tree = ast.parse(text.strip(), mode="eval")
    names = {"load": numpy.load, "nan": math.nan, "inf": math.inf}
    return eval(compile(tree, "ingot-run", "eval"), names)


@pytest.mark.parametrize("name", NAMES)
def test_in_cpp(name, programs, tmp_path):
    """Each call in a process of its own, on a module as it was loaded."""
    program = programs[name]
    for call in program.calls:
        expected = program.python(program.source.target(), call)
        actual = ingot_run(program, call, expected, tmp_path)
        assert agree(expected, actual), f"{call}: Python gives {expected!r}, C++ {actual!r}"
