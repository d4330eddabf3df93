"""``ingot profile`` and ``ingot inspect --plan`` on a model with two linear layers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import ingot
from ingot.cli.app import app
from ingot.errors import Error

runner = CliRunner()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3))
    path = tmp_path_factory.mktemp("profile") / "model.ingot"
    ingot.trace(model, torch.zeros(2, 6)).save(path)
    return path


def test_plan_shows_fused_steps_with_their_lines(file: Path) -> None:
    result = runner.invoke(app, ["inspect", str(file), "--plan"])
    assert result.exit_code == 0, result.output
    first, second = result.output.strip().splitlines()
    assert "linear [1, 6] x [6, 5] +relu" in first
    assert "linear [1, 5] x [5, 3]" in second
    assert "in forward: " in first


def test_json_has_every_step(file: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones((7, 6), np.float32))
    options = ["--input", str(tmp_path / "x.npy"), "--runs", "3", "--json"]
    result = runner.invoke(app, ["profile", str(file), *options])
    assert result.exit_code == 0, result.output
    steps = json.loads(result.stdout)
    assert [step["text"].split(" x ")[0] for step in steps] == ["linear [7, 6]", "linear [7, 5]"]
    assert [step["flops"] for step in steps] == [2 * 7 * 6 * 5, 2 * 7 * 5 * 3]
    assert all(step["planned"] and step["duration"] > 0 for step in steps)


def test_bytes_are_what_must_be_read_and_written() -> None:
    class Shared(torch.nn.Module):
        def forward(self, x: torch.Tensor, row: torch.Tensor) -> torch.Tensor:
            return (x * x + row.expand(7, 5)) * x

    x, row = torch.ones(7, 5), torch.ones(1, 5)
    (step,) = ingot.profile(ingot.trace(Shared(), (x, row)), x, row, runs=1)
    assert step.bytes == 4 * (7 * 5 + 5 + 7 * 5)
    x = torch.ones(9, 1, 4)
    lstm = torch.nn.LSTM(4, 3, bias=False)
    steps = ingot.profile(ingot.trace(lstm, x), x, runs=1)
    (step,) = [step for step in steps if step.text.startswith("rnn")]
    states = 3 + 2 * 3  # h and c begin as the same zeros
    assert step.bytes == 4 * (9 * 4 + 9 * 3 + states + 12 * 4 + 9 * 12 * 3)


def test_table_and_trace(file: Path, tmp_path: Path) -> None:
    trace = tmp_path / "steps.json"
    result = runner.invoke(app, ["profile", str(file), "--top", "1", "--trace", str(trace)])
    assert result.exit_code == 0, result.output
    assert "all 2 steps, 1 not shown" in result.stdout
    events = json.loads(trace.read_text())["traceEvents"]
    assert len(events) == 2
    assert events[1]["ts"] >= events[0]["dur"]


def test_interpreted_ops_are_told_apart() -> None:
    class Count(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> int:
            return x.nonzero().size(0)

    steps = ingot.profile(ingot.script(Count()), torch.ones(3), runs=1)
    assert [(step.text, step.planned) for step in steps if step.text == "nonzero"] == [
        ("nonzero", False)
    ]


def test_runs_below_one_are_refused(file: Path) -> None:
    with pytest.raises(Error, match="runs must be at least 1"):
        ingot.profile(ingot.load(file), np.zeros((1, 6), np.float32), runs=0)
