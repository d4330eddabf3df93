"""``make footprint``: size, start, memory and call times of model 1 beside their budgets.

The peers are what is installed: eager PyTorch, TorchScript, ONNX Runtime.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks.figures import ROOT, Figures, in_cpp, in_python

MODEL = "simple_model"
FOLDER = ROOT / "build" / "footprint"
PEERS = {"eager": "eager PyTorch", "torchscript": "TorchScript", "onnxruntime": "ONNX Runtime"}


@dataclass(frozen=True)
class Row:
    """One budget."""

    what: str
    budget: float
    measured: float
    unit: str
    of_peer: Callable[[str, Figures], float | None]
    """The same of a peer; None where it has no such figure."""


def export() -> tuple[Path, Path]:
    """Model 1 and its example input."""
    import numpy as np
    from examples.models import simple_model

    import ingot

    FOLDER.mkdir(parents=True, exist_ok=True)
    file, x = FOLDER / f"{MODEL}.ingot", FOLDER / f"{MODEL}.x.npy"
    inputs = simple_model.example_inputs()
    np.save(x, inputs[0].numpy())
    ingot.trace(simple_model.make(), inputs).save(file)
    return file, x


def stripped_mb(library: Path) -> float:
    """Megabytes of a shared library without symbols."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / library.name
        subprocess.run(["strip", "-o", copy, library], check=True)
        return copy.stat().st_size / 1e6


def libraries_mb(kind: str) -> float | None:
    """Megabytes of the shared libraries that a peer needs in C++."""
    package, names = {
        "onnxruntime": ("onnxruntime", ["capi/onnxruntime_pybind11_state*.so"]),
    }.get(kind, ("torch", ["lib/libtorch.so", "lib/libtorch_cpu.so", "lib/libc10.so"]))
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    return sum(path.stat().st_size for name in names for path in folder.glob(name)) / 1e6


def rows(cpp: Figures, python: Figures) -> list[Row]:
    assert python.ready_to_first_ms is not None
    return [
        Row(
            "libingot.so, stripped, all other ops",
            4,
            stripped_mb(ROOT / "build" / "libingot.so"),
            "MB",
            lambda kind, _: libraries_mb(kind),
        ),
        Row(
            "libingot-linalg.so, stripped: fft, linalg",
            2,
            stripped_mb(ROOT / "build" / "libingot-linalg.so"),
            "MB",
            lambda *_: None,
        ),
        Row(
            "process start to first result, ingot-run",
            5,
            cpp.first_ms,
            "ms",
            lambda _, figures: figures.first_ms,
        ),
        Row("peak memory, ingot-run", 8, cpp.peak_kb / 1024, "MB", lambda _, f: f.peak_kb / 1024),
        Row("one call from C++", 0.5, cpp.call_us, "µs", lambda *_: None),
        Row("one call from Python with numpy", 2, python.call_us, "µs", lambda _, f: f.call_us),
        Row(
            "import + load + first call in Python",
            80,
            python.ready_to_first_ms,
            "ms",
            lambda _, f: f.ready_to_first_ms,
        ),
    ]


def number(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def main() -> int:
    console = Console(width=None if sys.stdout.isatty() else 120)
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("export", total=None)
        file, x = export()
        progress.update(task, description="ingot-run")
        cpp = in_cpp(file, [x], repeat=200_000, starts=101)
        progress.update(task, description="ingot in Python")
        python = in_python("ingot", MODEL, file, [x], repeat=50_000, starts=11)
        assert python is not None
        peers = {}
        for kind, title in PEERS.items():
            progress.update(task, description=title)
            figures = in_python(kind, MODEL, file, [x], repeat=5_000, starts=3)
            if figures is not None:
                peers[kind] = figures

    table = Table("SimpleModel, batch 1, one thread", box=box.SIMPLE_HEAD, show_edge=False)
    for column in ("budget", "Ingot", "", *(PEERS[kind] for kind in peers)):
        table.add_column(column, justify="right")
    for row in rows(cpp, python):
        verdict = "[green]kept[/]" if row.measured <= row.budget else "[red]OVER[/]"
        others = [number(row.of_peer(kind, figures), row.unit) for kind, figures in peers.items()]
        budget, measured = number(row.budget, row.unit), number(row.measured, row.unit)
        table.add_row(row.what, f"≤ {budget}", measured, verdict, *others)
    console.print(table)
    missing = [title for kind, title in PEERS.items() if kind not in peers]
    if missing:
        console.print(f"Not installed: {', '.join(missing)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
