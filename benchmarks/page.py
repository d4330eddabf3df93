"""RESULTS.md and its plot, from the stored results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks import page_limits, peers
from benchmarks.goals import goals
from benchmarks.markdown import cells, folded, head, number, times
from benchmarks.results import Results, Row, geometric_mean
from benchmarks.suite import GROUPS, SUITE

PAGE = Path(__file__).with_name("RESULTS.md")
PLOT = Path(__file__).with_name("results.svg")

METHOD = """\
All times are milliseconds of one call, batch 1 unless the name says otherwise, f32, weights
random. Each row comes from {processes} processes in which all runtimes are loaded and take
turns in a new random order each round; a turn is a call that does not count, then calls that
do (about 20 ms of them). A number is the median of the processes' medians. Runtimes share a
process because this halves and doubles with whatever else the machine does: only then does a
disturbance meet all of them. With several threads each turn begins with 10 ms of sleep, in
which the spinning threads of the previous runtime give up. Files are prepared (exported,
compiled) before, in processes of their own, for exactly the measured sizes; Ingot's have their
free sizes. Every runtime has its own thread setting made, beside `OMP_NUM_THREADS`. Each output
is compared with eager PyTorch's; a runtime that differs by more than a thousandth of the
largest number counts as a dash.
"""


def write(results: Results) -> None:
    """The page and the plot."""
    PAGE.write_text("\n".join(sections(results)))
    if results.rows:
        plot(results)


def sections(results: Results) -> list[str]:
    rows = [row for counts in results.rows.values() for row in counts.values()]
    if not rows:
        return ["# Ingot beside its peers", "", "Nothing is measured yet: `make bench`.", ""]
    text = ["# Ingot beside its peers", ""]
    text += ["Written by `make bench` from benchmarks/results.json.", ""]
    text += ["![Times relative to Ingot](results.svg)", ""]
    text += ["## Machine and versions", "", "| | |", "|---|---|"]
    text += [f"| {key} | {value} |" for key, value in results.machine.items()]
    for name in peers.NAMES:
        if versions := sorted({row.versions[name] for row in rows if row.versions.get(name)}):
            text.append(f"| {peers.peer(name).TITLE} | {', '.join(versions)} |")
    text.append(f"| Ingot's commit | {', '.join(sorted({row.commit for row in rows}))} |")
    text.append(f"| measured | {', '.join(sorted({row.when for row in rows}))} |")
    text += ["", *disturbance(results), ""]
    text += ["## Goals", "", "| goal | measured | |", "|---|---|---|"]
    text += [f"| {goal.text} | {goal.measured} | {goal.verdict} |" for goal in goals(results)]
    text += page_limits.sections(results)
    for threads in results.counts():
        text += ["", f"## {thread_title(threads)}", ""]
        text += thread_section(results.of(threads))
    text += ["", "## How it is measured", ""]
    text.append(METHOD.format(processes=" or ".join(sorted({str(r.processes) for r in rows}))))
    return text


def disturbance(results: Results) -> list[str]:
    """How far the machine was busy with other things."""
    rows = [row for counts in results.rows.values() for row in counts.values()]
    alone = [
        found["cores"]
        for row in results.of(1).values()
        for found in row.peers.values()
        if "cores" in found
    ]
    low = sum(cores < 0.9 for cores in alone)
    loads = [row.load for row in rows]
    return [
        f"The machine's load average was {min(loads):.1f} to {max(loads):.1f} during the run; "
        f"of {len(alone)} measurements at one thread, {low} had less than 90 % of a core."
    ]


def thread_section(rows: dict[str, Row]) -> list[str]:
    """Tables of the groups, means, dashes with reasons, minima, differences."""
    text: list[str] = []
    for group, title in GROUPS.items():
        some = {name: row for name, row in ordered(rows).items() if SUITE[name].group == group}
        if some:
            text += [f"### {title}", ""]
            text += table(some, lambda row, name: number(row.time(name)), ratio=True)
            text.append("")
    text += ["### Geometric means", ""]
    text += ["How many times faster Ingot is; above 1, Ingot leads.", ""]
    others = [name for name in peers.NAMES if name != "ingot"]
    titles = [peers.peer(name).TITLE for name in others]
    text += head("", *titles, "best peer")
    for group, title in {**GROUPS, "": "All"}.items():
        some = {n: row for n, row in rows.items() if group in ("", SUITE[n].group)}
        if some:
            means = [geometric_mean(row.ratio(name) for row in some.values()) for name in others]
            means.append(geometric_mean(row.ratio() for row in some.values()))
            text.append(cells([title, *(times(mean) for mean in means)]))
    text += ["", "### Dashes", ""]
    text += dashes(rows) or ["None."]
    minima = table(rows, lambda row, name: number(row.time(name, "min_ms")))
    text += ["", *folded("Minima in ms", minima), ""]
    title = "Largest difference from eager, in parts of its largest number"
    text += folded(title, table(rows, difference))
    return text


def table(
    rows: dict[str, Row], cell: Callable[[Row, str], str], *, ratio: bool = False
) -> list[str]:
    """A line per model, a column per runtime, and how Ingot stands to the best of its peers."""
    titles = [peers.peer(name).TITLE for name in peers.NAMES]
    lines = head("model", *titles, *(["best peer ÷ Ingot"] if ratio else []))
    for model, row in ordered(rows).items():
        values = [cell(row, name) for name in peers.NAMES]
        best = row.best()
        if ratio and best:
            values[peers.NAMES.index(best[0])] = f"**{number(best[1])}**"
        lines.append(cells([SUITE[model].title, *values, *([times(row.ratio())] if ratio else [])]))
    return lines


def dashes(rows: dict[str, Row]) -> list[str]:
    """Why a peer has no time, the models of one reason together."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for model, row in ordered(rows).items():
        for name in peers.NAMES:
            if reason := row.reason(name):
                reasons.setdefault((name, reason), []).append(SUITE[model].title)
    return [
        f"* {peers.peer(name).TITLE}: {'; '.join(models)}: {reason.replace('|', chr(92) + '|')}"
        for (name, reason), models in reasons.items()
    ]


def difference(row: Row, name: str) -> str:
    found = row.peers.get(name, {})
    if "difference" not in found:
        return "–"
    return f"{found['difference'] / max(found['scale'], 1e-30):.0e}" if found["difference"] else "0"


def ordered(rows: dict[str, Row]) -> dict[str, Row]:
    """In the suite's order, whatever order they were measured in."""
    return {name: rows[name] for name in SUITE if name in rows}


def thread_title(threads: int) -> str:
    return {1: "One thread", 2: "Two threads"}.get(threads, f"{threads} threads")


def plot(results: Results) -> None:
    """Each peer's time relative to Ingot's, a panel per thread count."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "ingot"
    import matplotlib.pyplot as plt

    panels = {threads: ordered(results.of(threads)) for threads in results.counts()}
    height = max(len(rows) for rows in panels.values()) * 0.24 + 1.6
    figure, axes = plt.subplots(
        1, len(panels), figsize=(6.5 * len(panels), height), squeeze=False, layout="constrained"
    )
    markers = dict(zip([n for n in peers.NAMES if n != "ingot"], "osD^vPX", strict=True))
    for axis, (threads, rows) in zip(axes[0], panels.items(), strict=True):
        for name, marker in markers.items():
            points = [(row.ratio(name), -i) for i, row in enumerate(rows.values())]
            able = [(x, y) for x, y in points if x is not None]
            axis.scatter(
                [x for x, _ in able],
                [y for _, y in able],
                marker=marker,
                s=26,
                alpha=0.8,
                label=peers.peer(name).TITLE,
            )
        axis.axvline(1, color="black", linewidth=1)
        axis.set_xscale("log")
        axis.set_yticks([-i for i in range(len(rows))], [SUITE[model].title for model in rows])
        axis.grid(axis="both", alpha=0.25)
        axis.set_title(thread_title(threads))
        axis.set_xlabel("time ÷ Ingot's time; left of the line is faster than Ingot")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(markers), frameon=False)
    figure.savefig(PLOT, metadata={"Date": None})
    plt.close(figure)
