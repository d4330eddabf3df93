"""``make test-speed``: what of speed can be checked on a machine that others use too.

Instructions per node of a chain are counted by Valgrind, the same in every run. Models are timed
against eager PyTorch in the same process, call by call in turn; a bound is broken if three
attempts in a row break it. Nothing here is an absolute time.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from rich import box
from rich.console import Console
from rich.table import Table

import ingot
from benchmarks.figures import INGOT_RUN
from benchmarks.programs import write_chain
from benchmarks.suite import SUITE

INSTRUCTIONS_PER_NODE = 180
INSTRUCTIONS_PER_SCALAR_OP = 40
RATIOS = {"resnet18": 0.7, "conformer": 0.85, "lstm": 0.95, "mlp": 0.7, "policy": 0.25}
"""Ingot's time in eager's, at most; one thread."""
ATTEMPTS = 3
SECONDS = 2.0
"""Of an attempt."""


def instructions_per_node(folder: Path) -> float:
    """Of a chain of 200 nodes, in the second thousand calls of ingot-run."""
    file, nodes = folder / "chain.ingot", 200
    write_chain(nodes, file)
    one, two = (instructions(file, calls) for calls in (1000, 2000))
    return (two - one) / 1000 / nodes


SCALAR_TURNS, SCALAR_OPS = 1000, 5


def scalar_loop() -> int:
    """Five operations a turn: remainder, comparison, product, sum or and, xor."""
    a = 0
    for i in range(1000):
        if i % 3 == 0:
            a += i * 2
        else:
            a = a ^ (i & 7)
    return a


def instructions_per_scalar_op(folder: Path) -> float:
    """Of a loop of integer operations, likewise."""
    file = folder / "scalar.ingot"
    ingot.script(scalar_loop).save(file)
    one, two = (instructions(file, calls) for calls in (100, 200))
    return (two - one) / 100 / (SCALAR_TURNS * SCALAR_OPS)


def instructions(file: Path, calls: int) -> int:
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", str(INGOT_RUN)]
    command += [str(file), "--threads", "1", "--repeat", str(calls)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = re.search(r"I +refs: +([\d,]+)", done.stderr)
    if found is None:
        raise RuntimeError(f"valgrind counts nothing:\n{done.stderr}")
    return int(found[1].replace(",", ""))


def ratio(one: Callable[[], Any], other: Callable[[], Any]) -> float:
    """Median over pairs of calls of ``one``'s time in ``other``'s."""
    for call in (one, other):
        call()
        call()
    pairs: list[float] = []
    end = time.perf_counter() + SECONDS
    while len(pairs) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        one()
        middle = time.perf_counter()
        other()
        pairs.append((middle - start) / (time.perf_counter() - middle))
    return statistics.median(pairs)


def ratio_to_eager(name: str) -> list[float]:
    """Attempts until one keeps the bound."""
    model = SUITE[name].make()
    inputs = SUITE[name].inputs()
    module = ingot.trace(model, inputs, check=False)
    attempts: list[float] = []
    while len(attempts) < ATTEMPTS and min(attempts, default=RATIOS[name] + 1) > RATIOS[name]:
        attempts.append(ratio(lambda: module(*inputs), lambda: model(*inputs)))
    return attempts


def main() -> int:
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)
    ingot.set_num_threads(1)
    table = Table("", box=box.SIMPLE_HEAD, show_edge=False)
    for column in ("bound", "measured", ""):
        table.add_column(column, justify="right")
    broken = False

    def add(what: str, bound: float, measured: float, attempts: str = "") -> None:
        nonlocal broken
        broken |= measured > bound
        verdict = "[green]kept[/]" if measured <= bound else "[red]BROKEN[/]"
        table.add_row(what, f"≤ {bound:g}", f"{measured:.4g}{attempts}", verdict)

    with tempfile.TemporaryDirectory() as folder:
        add("instructions per node", INSTRUCTIONS_PER_NODE, instructions_per_node(Path(folder)))
        scalar = instructions_per_scalar_op(Path(folder))
        add("instructions per scalar op", INSTRUCTIONS_PER_SCALAR_OP, scalar)
    for name, bound in RATIOS.items():
        found = ratio_to_eager(name)
        attempts = f" (attempt {len(found)})" if len(found) > 1 else ""
        add(f"{SUITE[name].title}: times eager", bound, min(found), attempts)
    Console(width=None if sys.stdout.isatty() else 100).print(table)
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
