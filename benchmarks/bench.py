"""``make bench``: every model under every peer, side by side; writes RESULTS.md and its plot."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import kernels, page, peers, qualities, roofline
from benchmarks.markdown import number
from benchmarks.measure import MEASURING
from benchmarks.prepare import LIMIT, ROOT, environment, prepared, why
from benchmarks.results import Results, Row, machine
from benchmarks.suite import GROUPS, MAIN, SUITE, Model

QUALITIES = "qualities"
"""The group of all that is promised beside the time of a call."""
KERNELS = "kernels"
"""The group of single kernels beside the machine's peaks."""

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")
console = Console(width=None if sys.stdout.isatty() else 160)


@app.command(context_settings={"help_option_names": ["-h", "--help"]})
def main(
    models: Annotated[
        str, typer.Option(help="Names or groups, with commas between them.")
    ] = "main,batch,more,qualities,kernels",
    threads: Annotated[str, typer.Option(help="Thread counts.")] = "1,2",
    only: Annotated[
        str, typer.Option("--peers", help="Some peers alone; never replaces a row of more.")
    ] = "",
    seconds: Annotated[float, typer.Option(help="Of measuring in each process.")] = 20,
    processes: Annotated[int, typer.Option(help="Processes for each row; medians of them.")] = 3,
    quick: Annotated[bool, typer.Option("--quick", help="One process of 5 seconds.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Prepare all files anew.")] = False,
    only_page: Annotated[
        bool, typer.Option("--page", help="Write the page from the stored results.")
    ] = False,
) -> None:
    """Measure models under Ingot and its peers, interleaved in one process.

    Results are kept in benchmarks/results.json: a run of some models or thread counts replaces
    their rows and keeps the others, as long as the machine is the same. A row of fewer peers
    replaces none of more, as a row is measured in one go. Models of the bar get their layers
    profiled at one thread, too.

    Examples:

    * `make bench`
    * `make bench ARGS="--models resnet18,mlp --threads 1 --quick"`
    * `make bench ARGS="--models resnet50 --peers ingot,onnxruntime"`
    """
    if quick:
        seconds, processes = 5, 1
    chosen = choose(models)
    names = only.split(",") if only else peers.NAMES
    for name in names:
        if name not in peers.NAMES:
            raise typer.BadParameter(f"no peer {name!r}; there are {', '.join(peers.NAMES)}")
    results = Results.load(machine())
    if not only_page:
        jobs = [(model, int(count)) for model in chosen for count in threads.split(",")]
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
        with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
            task = progress.add_task("", total=len(jobs))
            for model, count in jobs:

                def show(text: str, model: Model = model, count: int = count) -> None:
                    progress.update(task, description=f"{model.name} at {count}: {text}")

                row = measure(model, names, count, seconds, processes, again, show)
                console.print(line(model, count, row), highlight=False)
                results.store(model.name, count, row)
                if model.group == MAIN and count == 1 and row.time("ingot") is not None:
                    show("its layers")
                    results.rooflines[model.name] = roofline.measured(model.name, commit())
                results.save()
                progress.advance(task)
            if KERNELS in models.split(","):
                progress.update(task, description="kernels")
                results.kernels = kernels.measured(commit(), processes)
                results.save()
            if QUALITIES in models.split(","):
                measure_qualities(results, lambda text: progress.update(task, description=text))
    page.write(results)


def choose(text: str) -> list[Model]:
    """The models that a list of names and groups means, in the suite's order."""
    words = text.split(",")
    known = [*GROUPS, QUALITIES, KERNELS, *SUITE]
    for word in words:
        if word not in known:
            raise typer.BadParameter(f"no model or group {word!r}; there are {', '.join(known)}")
    return [model for model in SUITE.values() if model.name in words or model.group in words]


def measure(
    model: Model,
    names: list[str],
    threads: int,
    seconds: float,
    processes: int,
    again: bool,
    show: Callable[[str], None],
) -> Row:
    """Prepares what is missing, then measures in several processes."""
    refused: dict[str, str] = {}
    for name in names:
        show(f"preparing {peers.peer(name).TITLE}")
        reason = prepared(model, name, threads, again=again)
        if reason is not None:
            refused[name] = reason
    reports: list[dict[str, Any]] = []
    while len(reports) < processes:
        able = [name for name in names if name not in refused]
        show(f"measuring, process {len(reports) + 1} of {processes}")
        report, broken = one_process(model, able, threads, seconds)
        if broken is None:
            reports.append(report)
        else:
            refused.update(broken)
    merged: dict[str, Any] = {name: {"reason": reason} for name, reason in refused.items()}
    for name in names:
        if name not in refused:
            merged[name] = merge([report[name] for report in reports])
    versions = {
        name: " ".join(version(package) for package in peers.peer(name).PACKAGES[:1])
        for name in names
    }
    return Row(
        peers={name: merged[name] for name in names},
        versions=versions,
        commit=commit(),
        when=time.strftime("%Y-%m-%d"),
        processes=processes,
        load=os.getloadavg()[0],
    )


def one_process(
    model: Model, names: list[str], threads: int, seconds: float
) -> tuple[dict[str, Any], dict[str, str] | None]:
    """A report, or the peer that ended the process and why."""
    command = [sys.executable, "-m", "benchmarks.measure", model.name, "--peers", *names]
    command += ["--threads", str(threads), "--seconds", str(seconds)]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(threads),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            stdout, stderr = process.communicate(timeout=LIMIT + seconds)
            reason = "" if process.returncode == 0 else why(process.returncode, stderr)
        except subprocess.TimeoutExpired:
            process.kill()
            stdout, stderr = process.communicate()
            reason = f"is not done after {LIMIT} s"
    if not reason:
        report: dict[str, Any] = json.loads(stdout.splitlines()[-1])
        return report, None
    announced = [line for line in stderr.splitlines() if line in (*peers.NAMES, MEASURING)]
    if not announced or announced[-1] == MEASURING:
        raise RuntimeError(f"{' '.join(command)}: {reason}\n{stderr[-4000:]}")
    return {}, {announced[-1]: reason}


def merge(reports: list[dict[str, Any]]) -> dict[str, Any]:
    """Of one peer over several processes."""
    for report in reports:
        if "reason" in report:
            return report
    return {
        "median_ms": statistics.median(report["median_ms"] for report in reports),
        "min_ms": min(report["min_ms"] for report in reports),
        "samples": sum(report["samples"] for report in reports),
        "cores": statistics.median(report["cores"] for report in reports),
        "difference": max(report["difference"] for report in reports),
        "scale": max(report["scale"] for report in reports),
    }


def measure_qualities(results: Results, show: Callable[[str], None]) -> None:
    """All of benchmarks.qualities, stored one by one."""
    for name in qualities.MEASUREMENTS:
        show(f"{QUALITIES}: {name}")
        results.qualities[name] = qualities.measured(name)
        results.save()
        for found in results.qualities[name]:
            goal, value = number(found["goal"]), number(found["measured"])
            console.print(f"{found['what']}: {value} {found['unit']}, goal {goal}", highlight=False)


def commit() -> str:
    """The commit of the sources, with a plus where they have changed since."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--exclude=*"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def line(model: Model, threads: int, row: Row) -> str:
    """What the terminal shows of a row."""
    cells = []
    for name in row.peers:
        found = row.time(name)
        cells.append(f"{peers.peer(name).TITLE} {'–' if found is None else number(found)}")
    return f"[bold]{model.name}[/] at {threads}: {', '.join(cells)} ms"


if __name__ == "__main__":
    app()
