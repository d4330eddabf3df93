"""``ingot bench``: how long a file's calls take, and how many there are in a second."""

from __future__ import annotations

import dataclasses
import json
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from ingot import _ingot
from ingot.cli.values import make_inputs, read_inputs, symbols_of
from ingot.errors import Error
from ingot.module import Module, Precision, load


@dataclass(frozen=True)
class Request:
    """The options of the command."""

    file: Path
    input: Sequence[str]
    method: str
    threads: str
    instances: str
    seconds: float
    precision: Precision
    json: bool


@dataclass(frozen=True)
class Measured:
    """One line of the table; times are seconds."""

    threads: int
    instances: int
    load: float
    first: float
    min: float
    median: float
    p90: float
    p99: float
    max: float
    calls: int
    per_second: float


def run(request: Request) -> None:
    """Prints a row for each thread count and number of callers."""
    threads = _counts(request.threads, "--threads", 0)
    instances = _counts(request.instances, "--instances", 1)
    if not request.seconds > 0:
        raise Error(f"--seconds takes a number above 0, got {request.seconds:g}")
    before = _ingot.get_num_threads()
    console = Console(stderr=True)
    rows = []
    try:
        with console.status("") as status:
            for count in threads:
                _ingot.set_num_threads(count)
                for callers in instances:
                    status.update(f"{_ingot.get_num_threads()} threads, {callers} callers")
                    rows.append(_measure(request, callers))
    finally:
        _ingot.set_num_threads(before)
    if request.json:
        print(json.dumps([dataclasses.asdict(row) for row in rows]))
    else:
        _show(rows)


def _counts(text: str, option: str, least: int) -> list[int]:
    parts = text.split(",")
    if not all(part.isdecimal() and int(part) >= least for part in parts):
        raise Error(
            f"{option} takes numbers from {least} on, with commas between them, got {text!r}"
        )
    return [int(part) for part in parts]


def _measure(request: Request, callers: int) -> Measured:
    start = time.perf_counter()
    module = load(request.file, precision=request.precision)
    loaded = time.perf_counter() - start
    method = module.method(request.method)
    if request.input:
        args, kwargs = read_inputs(request.input, module.inputs(request.method))
    else:
        args, kwargs = [], zero_inputs(module, request.method)
    start = time.perf_counter()
    method(*args, **kwargs)
    first = time.perf_counter() - start
    times, wall = _steady(lambda: method(*args, **kwargs), callers, request.seconds)
    quantiles = np.quantile(times, [0.5, 0.9, 0.99])
    return Measured(
        threads=_ingot.get_num_threads(),
        instances=callers,
        load=loaded,
        first=first,
        min=float(times.min()),
        median=float(quantiles[0]),
        p90=float(quantiles[1]),
        p99=float(quantiles[2]),
        max=float(times.max()),
        calls=times.size,
        per_second=times.size / wall,
    )


def zero_inputs(module: Module, method: str) -> dict[str, Any]:
    """Arrays of zeros for a method's inputs, free sizes as small as allowed but at least 1.

    Inputs with defaults are left out. Raises Error for an input whose type does not say enough.
    """
    program = module.program
    signature = program.methods[method]
    sizes = {name: max(1, program.symbols[name].min) for name in symbols_of(signature)}
    inputs = make_inputs(signature, sizes, np.random.default_rng(0))
    return {name: _zeroed(value) for name, value in inputs.items()}


def _zeroed(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return np.zeros_like(value)
    if isinstance(value, list | tuple):
        return type(value)(_zeroed(item) for item in value)
    if isinstance(value, Mapping):
        return {key: _zeroed(item) for key, item in value.items()}
    return value


def _steady(
    call: Callable[[], Any], callers: int, seconds: float
) -> tuple[np.ndarray[Any, np.dtype[np.float64]], float]:
    """Seconds of every call by ``callers`` threads at once, and the time that all took."""
    times: list[list[float]] = [[] for _ in range(callers)]
    failures: list[BaseException] = []
    barrier = threading.Barrier(callers + 1)

    def caller(own: list[float]) -> None:
        barrier.wait()
        try:
            start = time.perf_counter()
            end = start + seconds
            while not own or start < end:
                call()
                now = time.perf_counter()
                own.append(now - start)
                start = now
        except BaseException as failure:  # raised again by the thread that waits
            failures.append(failure)

    threads = [threading.Thread(target=caller, args=(own,), daemon=True) for own in times]
    for thread in threads:
        thread.start()
    barrier.wait()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    wall = time.perf_counter() - start
    if failures:
        raise failures[0]
    return np.array([value for own in times for value in own]), wall


def _show(rows: Sequence[Measured]) -> None:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    names = ("threads", "callers", "load", "first call")
    for name in (*names, "min", "median", "p90", "p99", "max", "calls/s"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        seconds = (row.load, row.first, row.min, row.median, row.p90, row.p99, row.max)
        rate = f"{row.per_second:,.0f}" if row.per_second >= 100 else f"{row.per_second:.3g}"
        table.add_row(str(row.threads), str(row.instances), *map(time_text, seconds), rate)
    Console(width=None if sys.stdout.isatty() else 120, highlight=False).print(table)


def time_text(seconds: float) -> str:
    """Three digits and a unit: ``"4.38 ms"``."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}" if seconds < 1000 else f"{seconds:.0f} s"
    return f"{seconds * 1e6:.3g} µs"
