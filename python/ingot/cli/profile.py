"""``ingot profile`` and ``ingot inspect --plan``: the steps of a call as a table."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from ingot import _ingot
from ingot.cli.bench import time_text, zero_inputs
from ingot.cli.values import read_inputs
from ingot.module import Module, Precision, load
from ingot.profiling import Step, profile, write_trace


@dataclass(frozen=True)
class Request:
    """The options of the command."""

    file: Path
    input: Sequence[str]
    method: str
    threads: int | None
    precision: Precision
    runs: int
    top: int
    trace: Path | None
    json: bool


def run(request: Request) -> None:
    """Prints the slowest steps, or all of them as JSON; writes a trace if asked for."""
    if request.threads is not None:
        _ingot.set_num_threads(request.threads)
    module = load(request.file, precision=request.precision)
    args, kwargs = inputs_of(module, request.input, request.method)
    with Console(stderr=True).status(f"{request.runs} calls"):
        steps = profile(module, *args, method=request.method, runs=request.runs, **kwargs)
    if request.trace is not None:
        write_trace(steps, request.trace)
    if request.json:
        print(json.dumps([dataclasses.asdict(step) for step in steps]))
    else:
        _show(steps, request.top)


def show_plan(file: Path, input: Sequence[str], method: str) -> None:
    """Prints the steps of one call in their order, each with its source line."""
    module = load(file)
    args, kwargs = inputs_of(module, input, method)
    for number, step in enumerate(profile(module, *args, method=method, runs=1, **kwargs)):
        kind = "" if step.planned else "  (interpreted)"
        print(f"{number:4}  {step.text.strip()}{kind}" + (f"  # {step.line}" if step.line else ""))


def inputs_of(
    module: Module, texts: Sequence[str], method: str
) -> tuple[list[Any], dict[str, Any]]:
    """The inputs that ``--input`` names, or zeros."""
    if texts:
        return read_inputs(texts, module.inputs(method))
    return [], zero_inputs(module, method)


def _show(steps: Sequence[Step], top: int) -> None:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in ("time", "%", "GFLOP/s", "GB/s"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("step")
    table.add_column("source", style="dim")
    total = sum(step.duration for step in steps)
    slowest = sorted(steps, key=lambda step: step.duration, reverse=True)
    for step in slowest[:top]:
        table.add_row(
            time_text(step.duration),
            f"{100 * step.duration / total:.1f}",
            _rate(step.flops, step.duration),
            _rate(step.bytes, step.duration),
            step.text.strip() + ("" if step.planned else " (interpreted)"),
            step.line,
        )
    flops = sum(step.flops for step in steps)
    rest = f", {len(steps) - top} not shown" if len(steps) > top else ""
    table.add_section()
    table.add_row(
        time_text(total), "100.0", _rate(flops, total), "", f"all {len(steps)} steps{rest}", ""
    )
    Console(width=None if sys.stdout.isatty() else 160, highlight=False).print(table)


def _rate(count: float, seconds: float) -> str:
    return f"{count / seconds * 1e-9:.1f}" if count and seconds else ""
