"""The sections of RESULTS.md that say where a goal is missed and what limits it."""

from __future__ import annotations

from benchmarks import peers
from benchmarks.goals import BAR_GFLOPS, BARS, bar_leads, kernel_goal
from benchmarks.kernels import Kernel, Kernels
from benchmarks.limits import REACHED, Peaks, Work
from benchmarks.markdown import cells, folded, head, number, percent, times
from benchmarks.results import Results
from benchmarks.roofline import Roofline
from benchmarks.suite import MAIN, SUITE

NAMED = 3
"""Layers that a sentence names."""

LIMITS = f"""\
A limit is named where {percent(REACHED)} of it is reached: *compute* (multiply-adds), *memory*, or
*cache* where data move faster than memory can; else *overhead*: the kernel's own loads, stores,
transforms and waits. GFLOP/s count a direct convolution's operations; the share of the peak counts
those that Winograd leaves: 1 of 4 for winograd_4, 4 of 9 for winograd_2. Bytes are what a layer
reads and writes at least. Times are medians of rounds of profiles, the peaks measured before each.
"""


def sections(results: Results) -> list[str]:
    """Bars, models that miss something, their layers, kernels."""
    text = bars(results)
    missed = misses(results)
    if missed:
        text += ["", "## Missed, and what limits it", "", *missed]
    if results.rooflines:
        commits = ", ".join(sorted({found.commit for found in results.rooflines.values()}))
        text += ["", "## Heaviest layers", "", f"One thread, profiled at {commits}.", "", LIMITS]
        for model in SUITE:
            if model in results.rooflines:
                text += [*layers(model, results.rooflines[model]), ""]
    if results.kernels:
        text += ["", *kernel_section(results.kernels)]
    return text


def bars(results: Results) -> list[str]:
    leads = dict(bar_leads(results))
    if not leads:
        return []
    text = ["", "## The bars", ""]
    text += [
        f"The bars are times on another machine, a Zen 4 with AVX-512 and {BAR_GFLOPS} GFLOP/s. "
        "What carries over is how far a bar leads the best peer there. One thread; a lead is the "
        "best peer's time ÷ Ingot's.",
        "",
        *head("model", "Ingot, ms", "best peer here, ms", "lead here", "lead of the bar", ""),
    ]
    for model, bar in BARS.items():
        if model not in leads:
            text.append(cells([SUITE[model].title, "–", "–", "–", times(bar.lead), "not measured"]))
            continue
        row, lead = results.of(1)[model], leads[model]
        best = row.best()
        assert best is not None
        peer = f"{number(best[1])} ({peers.peer(best[0]).TITLE})"
        verdict = "kept" if lead >= bar.lead else "**missed**"
        own = number(row.time("ingot"))
        text.append(cells([SUITE[model].title, own, peer, times(lead), times(bar.lead), verdict]))
    if results.kernels:
        scale = BAR_GFLOPS / results.kernels.peaks.gflops
        scaled = ", ".join(f"{SUITE[m].title} {number(bar.ms * scale)}" for m, bar in BARS.items())
        text += ["", f"Not a claim: scaled by the measured peak, the bars would be {scaled} ms."]
    return text


def misses(results: Results) -> list[str]:
    """A sentence for each model of the bar that is behind a peer or its bar."""
    text = []
    leads = dict(bar_leads(results))
    for model, entry in SUITE.items():
        if entry.group != MAIN:
            continue
        behind = []
        if model in leads and leads[model] < BARS[model].lead:
            behind.append(f"{times(leads[model])} the best peer, bar {times(BARS[model].lead)}")
        two = results.of(2)
        ratio = two[model].ratio() if model in two else None
        if ratio is not None and ratio < 1:
            behind.append(f"{times(ratio)} the best peer at two threads")
        if behind:
            found = results.rooflines.get(model)
            cause = limiting(found) if found else "Its layers are not measured."
            text.append(f"* **{entry.title}**: {'; '.join(behind)}. {cause}")
    return text


def limiting(found: Roofline) -> str:
    """The heaviest layers in one sentence."""
    parts = []
    for layer in found.layers[:NAMED]:
        name, share = layer.limit(found.peaks)
        reached = {"memory": "memory bandwidth", "cache": "cache bandwidth"}.get(name, "peak")
        if name == "overhead":
            cause = f"overhead, {percent(layer.of_compute(found.peaks))} of peak"
        else:
            cause = f"{name}, {percent(share)} of {reached}"
        time = percent(found.share(layer)) + ("" if parts else " of the time")
        parts.append(f"{time} in {title(layer)} ({cause})")
    return f"{'; '.join(parts)}."


def layers(model: str, found: Roofline) -> list[str]:
    """The table of a model's heaviest layers."""
    names = ["time", "GFLOP/s", "of peak", "GB/s", "of bandwidth", "limit"]
    lines = head("layer", *names)
    for layer in found.layers:
        lines.append(cells([title(layer), percent(found.share(layer)), *rates(layer, found.peaks)]))
    return folded(f"{SUITE[model].title}, {number(found.us * 1e-3)} ms", lines)


def title(layer: Work) -> str:
    return f"`{layer.text}`" + (f" × {layer.count}" if layer.count > 1 else "")


def rates(work: Work, peaks: Peaks) -> list[str]:
    compute = [number(work.gflops), percent(work.of_compute(peaks))] if work.flops else ["–", "–"]
    memory = [number(work.gbps), percent(work.of_memory(peaks))] if work.bytes else ["–", "–"]
    return [*compute, *memory, work.limit(peaks)[0]]


def kernel_section(found: Kernels) -> list[str]:
    peaks = found.peaks
    text = ["## Kernels", ""]
    text += [
        f"One core reaches {number(peaks.gflops)} GFLOP/s of multiply-adds in registers, "
        f"{number(peaks.memory_gbps)} GB/s in a triad over 120 MB, stores going past the caches, "
        f"and {number(peaks.cache_gbps)} GB/s over 3 MB. The first is measured between the "
        "repetitions of each kernel, the second between the chain's, in the same process. Times "
        "and shares are medians; a share is of multiply-adds, the chain's of memory. For "
        "convolutions direct operations count, "
        f"whatever the method. Measured {found.when} at {found.commit}.",
        "",
    ]
    text += [
        f"{percent(kernel.system)} of the time of the {kernel.work.text} is the system's, which "
        "makes new pages for the output.\n"
        for kernel in found.kernels
        if kernel.kind == "chain"
    ]
    lines = head("kernel", "µs", "GFLOP/s", "GB/s", "share", "goal", "", "limit")
    lines += [kernel_line(kernel, peaks) for kernel in found.kernels]
    missed = sum("missed" in line for line in lines)
    return [*text, *folded(f"{len(found.kernels)} kernels, {missed} below their goal", lines)]


def kernel_line(kernel: Kernel, peaks: Peaks) -> str:
    work, goal = kernel.work, kernel_goal(kernel)
    verdict = "" if goal is None else "kept" if kernel.share >= goal.least else "**missed**"
    return cells(
        [
            work.text,
            number(work.us),
            number(work.gflops) if work.flops else "–",
            number(work.gbps),
            percent(kernel.share),
            "" if goal is None else percent(goal.least),
            verdict,
            work.limit(peaks)[0],
        ]
    )
