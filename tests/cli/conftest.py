"""Running the command line inside the test's process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from tests.python.programs import linear_program

import ingot
from ingot.cli import main
from ingot.ir.graph import Source, Symbol


@dataclass
class Outcome:
    code: int
    out: str
    err: str


Command = Callable[..., Outcome]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """``command("inspect", path)`` gives exit code, stdout and stderr."""

    def run(*args: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["ingot", *map(str, args)])
        monkeypatch.setenv("COLUMNS", "200")
        try:
            main()
            code = 0
        except SystemExit as exit:
            code = int(exit.code or 0)
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A saved linear layer of 3 inputs, 2 outputs, whose batch is 1 to 512."""
    program = linear_program(
        np.arange(6, dtype=np.float32).reshape(2, 3), np.array([1, -1], np.float32)
    )
    program.symbols["B"] = Symbol("B", 1, 512, Source("m.py", 20, 4, "forward", "assert small"))
    program.methods["forward"].dim_sources[(0, "", 1)] = Source("m.py", 12, 4, "forward", "x @ w")
    path = tmp_path / "model.ingot"
    ingot.Module.from_program(program, {"labels.txt": b"abc"}).save(path)
    return path
