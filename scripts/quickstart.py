"""``make quickstart``: four models from PyTorch to C++, and what each costs on both sides."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from benchmarks.figures import INGOT_RUN, ROOT, Figures, in_cpp, in_python
from rich import box
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

FOLDER = ROOT / "build" / "quickstart"


@dataclass(frozen=True)
class Model:
    """A module of examples.models and how it is captured."""

    name: str
    title: str
    how: str
    repeat: int

    @property
    def file(self) -> Path:
        return FOLDER / f"{self.name}.ingot"

    @property
    def input(self) -> Path:
        return FOLDER / f"{self.name}.x.npy"


MODELS = [
    Model("simple_model", "SimpleModel", "trace", 20_000),
    Model("simple_net", "SimpleNet", "script", 20_000),
    Model("resnet", "ResNet-18", "trace", 10),
    Model("transformer", "transformer, 2 layers", "trace", 200),
]


@dataclass(frozen=True)
class Outcome:
    """One row of the table."""

    model: Model
    difference: float
    ingot: Figures
    eager: Figures


def export(model: Model) -> None:
    """Writes the file and its example input, unless they are newer than all sources."""
    sources = [*(ROOT / "python").rglob("*.py"), *(ROOT / "examples" / "models").glob("*.py")]
    newest = max(path.stat().st_mtime for path in sources)
    if model.file.exists() and model.file.stat().st_mtime > newest:
        return
    import importlib

    import ingot

    example = importlib.import_module(f"examples.models.{model.name}")
    (x,) = example.example_inputs()
    np.save(model.input, x.numpy())
    module = example.make()
    captured = ingot.trace(module, (x,)) if model.how == "trace" else ingot.script(module)
    captured.save(model.file)


def measure(model: Model) -> Outcome:
    """Runs the file in C++ and the model in PyTorch, each in processes of its own."""
    expected, actual = model.file.with_suffix(".eager.npy"), model.file.with_suffix(".y.npy")
    eager = in_python(
        "eager", model.name, model.file, [model.input], repeat=model.repeat, output=expected
    )
    assert eager is not None
    command = [INGOT_RUN, model.file, "--input", model.input, "--output", actual]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    difference = float(np.abs(np.load(actual) - np.load(expected)).max())
    ingot = in_cpp(model.file, [model.input], repeat=model.repeat, starts=11)
    return Outcome(model, difference, ingot, eager)


def show(outcomes: list[Outcome], console: Console) -> None:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("model")
    for column in (
        "file size",
        "largest\ndifference",
        "start to first\nresult, ms",
        "eager\nPyTorch",
        "µs per\ncall",
        "eager\nPyTorch",
        "peak\nmemory, MB",
        "eager\nPyTorch",
    ):
        table.add_column(column, justify="right")
    for outcome in outcomes:
        ingot, eager = outcome.ingot, outcome.eager
        table.add_row(
            outcome.model.title,
            size(outcome.model.file.stat().st_size),
            f"{outcome.difference:.1e}",
            f"{ingot.first_ms:.1f}",
            f"{eager.first_ms:.0f}",
            f"{ingot.call_us:,.1f}",
            f"{eager.call_us:,.1f}",
            f"{ingot.peak_kb / 1024:.1f}",
            f"{eager.peak_kb / 1024:.0f}",
        )
    console.print(table)
    console.print(f"Files: {FOLDER.relative_to(ROOT)}. One thread, example inputs, medians.")


def size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"


def main() -> int:
    console = Console(width=None if sys.stdout.isatty() else 120)
    FOLDER.mkdir(parents=True, exist_ok=True)
    outcomes = []
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        for number, model in enumerate(MODELS, 1):
            step = f"{number}/{len(MODELS)}  {model.title}: "
            task = progress.add_task(step + "export", total=None)
            if not console.is_terminal:
                console.print(step + "export and measure")
            export(model)
            progress.update(task, description=step + "measure")
            outcomes.append(measure(model))
            progress.update(task, total=1, completed=1)
    show(outcomes, console)
    return 0


if __name__ == "__main__":
    sys.exit(main())
