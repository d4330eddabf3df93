"""What is promised beside the time of a call: ``python -m benchmarks.qualities NAME`` prints JSON.

Each measurement runs in a process of its own.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figures import INGOT_RUN, in_cpp, in_python
from benchmarks.prepare import FOLDER, ROOT, environment, folder, prepared
from benchmarks.programs import write_chain
from benchmarks.suite import SUITE

MODEL_1 = "simple_model"
LENGTHS = 1000


@dataclass(frozen=True)
class Quality:
    """One line of the page; kept where ``measured`` is at most ``goal``."""

    what: str
    goal: float
    measured: float
    unit: str


def ingot_run(file: Path, *options: object) -> dict[str, Any]:
    """The report of ``ingot-run --json`` on one thread."""
    command = [str(INGOT_RUN), str(file), "--threads", "1", "--json", *map(str, options)]
    report: dict[str, Any] = json.loads(subprocess.check_output(command))
    return report


def model_1() -> Iterator[Quality]:
    """Calls of two small linear layers, from C++, NumPy and torch."""
    import torch
    from examples.models import simple_model

    import ingot
    from benchmarks.one_process import call_us

    file, x = FOLDER / "model_1.ingot", FOLDER / "model_1.npy"
    inputs = simple_model.example_inputs()
    np.save(x, inputs[0].numpy())
    ingot.trace(simple_model.make(), inputs).save(file)
    cpp = in_cpp(file, [x], repeat=200_000, starts=1)
    python = in_python("ingot", MODEL_1, file, [x], repeat=50_000)
    assert python is not None
    module = ingot.load(file)
    torch.set_grad_enabled(False)
    from_torch = call_us(lambda: module(*inputs), 50_000)
    yield Quality("model 1, one call from C++", 0.2, cpp.call_us, "µs")
    yield Quality("model 1, one call from Python with NumPy", 1.2, python.call_us, "µs")
    yield Quality("model 1, one call with torch tensors", 3, from_torch, "µs")


def nodes() -> Iterator[Quality]:
    """Load of 200 nodes; what each node of a chain costs: the difference of two chains."""
    times = {}
    for count in (100, 200, 300):
        file = FOLDER / f"chain_{count}.ingot"
        write_chain(count, file)
        reports = [ingot_run(file, "--repeat", 20_000) for _ in range(5)]
        times[count] = min(report["median_us"] for report in reports)
        if count == 200:
            load = statistics.median(report["load_ms"] for report in reports)
    yield Quality("load of a 200-node graph", 1, load, "ms")
    yield Quality("overhead per node", 60, (times[300] - times[100]) / 200 * 1e3, "ns")


def first_calls() -> Iterator[Quality]:
    """First calls on new shapes, in processor time: other programs do not disturb it."""
    import ingot

    ingot.set_num_threads(1)
    shapes: dict[str, list[Any]] = {
        "resnet18": [np.ones((1, 3, n, n), np.float32) for n in (224, 192, 256, 208, 240, 160)],
        "bert_128": [np.ones((1, n), np.int64) for n in (128, 96, 112, 64, 80, 120)],
    }
    for name, inputs in shapes.items():
        module = ingot.load(ready(name))
        module(inputs[0])
        ratios = []
        for x in inputs[1:]:
            first, *steady = cpu_ms(6, module, x)
            ratios.append((first - 1) / statistics.median(steady))
        yield Quality(
            f"{SUITE[name].title}: first call on a new shape, less 1 ms, in steady calls",
            1.5,
            statistics.median(ratios),
            "×",
        )


def cpu_ms(count: int, function: Callable[..., Any], *inputs: Any) -> list[float]:
    """Milliseconds of processor time of each of ``count`` calls."""
    times = []
    for _ in range(count):
        start = time.process_time()
        function(*inputs)
        times.append((time.process_time() - start) * 1e3)
    return times


def lengths() -> Iterator[Quality]:
    """The conformer block at 1,000 lengths, twice in another order, four calls each time.

    The cache is full when all were seen. A call that is slow by itself is slow at both visits,
    one that was disturbed at one.
    """
    import ingot

    ingot.set_num_threads(1)
    module = ingot.load(ready("conformer"))
    width = SUITE["conformer"].inputs()[0].shape[-1]
    x = np.random.default_rng(0).standard_normal((1, LENGTHS, width)).astype(np.float32)
    module(x)  # the longest first, so that the arena has its size
    visits: list[dict[int, list[float]]] = []
    order = list(range(1, LENGTHS + 1))
    resident = []
    for visit in range(2):
        random.Random(visit).shuffle(order)
        found = {}
        for length in order:
            found[length] = cpu_ms(4, module, np.ascontiguousarray(x[:, :length]))
        visits.append(found)
        resident.append(resident_kb())
    growth = (resident[1] - resident[0]) / 1024
    worst = max(
        min(map(max, both)) / statistics.median(both[0] + both[1])
        for both in ([visit[n] for visit in visits] for n in order)
    )
    yield Quality("1,000 lengths: memory growth once the cache is full", 2, growth, "MB")
    yield Quality("1,000 lengths: slowest call, in medians of its length", 3, worst, "×")


def resident_kb() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise RuntimeError("/proc/self/status has no VmRSS")


def memory() -> Iterator[Quality]:
    """Peak memory in ingot-run."""
    for name in ("resnet50", "bert_128"):
        file = ready(name)
        with tempfile.TemporaryDirectory() as place:
            x = Path(place) / "x.npy"
            np.save(x, SUITE[name].inputs()[0].numpy())
            peak = ingot_run(file, "--input", x, "--repeat", 2)["peak_rss_kb"] / 1024
        goal = file.stat().st_size / 2**20 * 1.3 + 30
        yield Quality(f"{SUITE[name].title}: peak memory (weights × 1.3 + 30 MB)", goal, peak, "MB")


def callers() -> Iterator[Quality]:
    """Four callers at two threads against the best of all arrangements, in turns."""
    cores = 2
    command = [sys.executable, "-m", "ingot", "bench", str(ready("resnet18")), "--json"]
    command += ["--threads", f"1,{cores}", "--instances", f"1,{cores},4", "--seconds", "2"]
    rates: dict[tuple[int, int], list[float]] = {}
    for _ in range(3):
        for row in json.loads(subprocess.check_output(command, cwd=ROOT)):
            key = row["threads"], row["instances"]
            rates.setdefault(key, []).append(row["per_second"])
    medians = {key: statistics.median(values) for key, values in rates.items()}
    loss = 1 - medians[cores, 4] / max(medians.values())
    yield Quality("resnet18, four callers on two cores: lost to the best", 5, loss * 100, "%")


def idle() -> Iterator[Quality]:
    """Processor time of a process that waits after calls with two threads."""
    import ingot

    ingot.set_num_threads(2)
    module = ingot.load(ready("resnet18"))
    x = np.ones((1, 3, 224, 224), np.float32)
    for _ in range(3):
        module(x)
    start, seconds = time.process_time(), 2
    time.sleep(seconds)
    used = (time.process_time() - start) / seconds * 100
    yield Quality("processor use of idle threads", 0.1, used, "% of a core")


MEASUREMENTS: dict[str, Callable[[], Iterator[Quality]]] = {
    function.__name__: function
    for function in (
        model_1,
        nodes,
        first_calls,
        lengths,
        memory,
        callers,
        idle,
    )
}


def ready(name: str) -> Path:
    """The model's .ingot file."""
    reason = prepared(SUITE[name], "ingot", 1)
    if reason is not None:
        raise RuntimeError(f"{name}: {reason}")
    return folder(SUITE[name], "ingot", 1) / "model.ingot"


def measured(name: str) -> list[dict[str, Any]]:
    """A measurement's lines, from a process of its own."""
    command = [sys.executable, "-m", "benchmarks.qualities", name]
    output = subprocess.check_output(command, cwd=ROOT, env=environment(1), text=True)
    lines: list[dict[str, Any]] = json.loads(output.splitlines()[-1])
    return lines


def main() -> None:
    os.makedirs(FOLDER, exist_ok=True)
    print(json.dumps([asdict(quality) for quality in MEASUREMENTS[sys.argv[1]]()]))


if __name__ == "__main__":
    main()
