"""PyTorch's OpInfo database through trace, file, load, interpreter and planner.

    python -m tests.ops.walk --dtypes float32,int64 --samples 2 --only 'fft|linalg'

A unit is an op of the database with one dtype. Its samples are functions of their tensors; each
is traced, saved, loaded and run with and without plans, and held against PyTorch's results.
Workers are processes, so that a crash or a hang is an outcome, too.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from rich.progress import MofNCompleteColumn, Progress
from tests.ops.oracle import samples_of
from torch.testing._internal import common_methods_invocations
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.opinfo.core import OpInfo, SampleInput
from torch.utils._pytree import tree_flatten, tree_unflatten

import ingot
from ingot import _ingot
from ingot.module import Module

# Its ops of random numbers seed PyTorch's generator inside, where a trace does not see it.
common_methods_invocations.wrapper_set_seed = lambda op, *args, **kwargs: op(*args, **kwargs)

DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        torch.float32, torch.float64, torch.float16, torch.bfloat16,
        torch.int8, torch.int16, torch.int32, torch.int64, torch.uint8, torch.bool,
        torch.complex64, torch.complex128,
    )
}  # fmt: skip

KNOWN_SAMPLES = 40
"""Samples of a unit that a choice is made from."""
UNIT_SECONDS = 120
"""Ten times that where all samples of a unit are walked."""
SEED = 0
"""Of the random numbers that ops draw."""
FREE = bool(os.environ.get("INGOT_WALK_FREE"))
"""Sizes are left free and the trace is checked, as users have it: some four times slower."""

# Their elements are anybody's guess, so that only dtypes and sizes can be compared.
UNDEFINED = {
    "empty", "empty_like", "new_empty", "empty_strided", "new_empty_strided", "empty_permuted",
}  # fmt: skip


@dataclass
class Unit:
    """What became of one op and dtype. ``status``: native, decomposed, failed, none (PyTorch
    has no sample of it)."""

    op: str
    dtype: str
    status: str
    reason: str = ""
    samples: int = 0
    ops: str = ""


class _Timeout(Exception):
    pass


def title(info: OpInfo) -> str:
    return info.name + (f".{info.variant_test_name}" if info.variant_test_name else "")


def infos(only: str = "") -> list[OpInfo]:
    return [info for info in op_db if re.search(only, title(info))]


def samples(info: OpInfo, dtype: torch.dtype, count: int) -> list[SampleInput]:
    """The first sample and ``count`` - 1 of the next ones, always the same; 0 is all of them."""
    known = list(islice(samples_of(info, dtype), KNOWN_SAMPLES if count else None))
    if count == 0 or count >= len(known):
        return known
    chosen = random.Random(title(info)).sample(range(1, len(known)), count - 1)
    return [known[0], *(known[i] for i in sorted(chosen))]


def as_function(info: OpInfo, sample: SampleInput) -> tuple[Callable[..., Any], list[torch.Tensor]]:
    """The sample as a function of its tensors, everything else a constant."""
    leaves, tree = tree_flatten((sample.input, sample.args, sample.kwargs))
    places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, torch.Tensor)]

    def call(*tensors: torch.Tensor) -> Any:
        given = list(leaves)
        for place, tensor in zip(places, tensors, strict=True):
            given[place] = tensor
        first, args, kwargs = tree_unflatten(given, tree)
        return info.op(first, *args, **kwargs)

    return call, [leaves[i] for i in places]


def eager(call: Callable[..., Any], inputs: list[torch.Tensor]) -> Any:
    torch.manual_seed(SEED)
    with torch.no_grad():
        return call(*(tensor.clone() for tensor in inputs))


def own(module: Module, inputs: list[torch.Tensor]) -> list[Any]:
    """The leaves of what a module gives; it draws the numbers that eager drew."""
    ingot.manual_seed(SEED)
    return plain(module(*(tensor.clone() for tensor in inputs)))


def through_file(module: Module) -> Module:
    with tempfile.NamedTemporaryFile(suffix=".ingot") as file:
        module.save(file.name)
        return ingot.load(file.name)


def plain(value: Any) -> list[Any]:
    """The leaves of a result, numbers as tensors."""

    def tensor(leaf: Any) -> torch.Tensor:
        if getattr(leaf, "dtype", None) == "bfloat16":  # NumPy's, which torch does not take
            return torch.from_numpy(leaf.view("int16")).view(torch.bfloat16)
        return leaf.detach() if isinstance(leaf, torch.Tensor) else torch.tensor(leaf)

    return [tensor(leaf) for leaf in tree_flatten(value)[0] if leaf is not None]


def wide(value: Any) -> Any:
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        return value.double()
    if isinstance(value, torch.Tensor) and value.is_complex():
        return value.to(torch.complex128)
    return value


def near(got: list[Any], want: list[Any], exact: Callable[[], list[Any]]) -> str:
    """Empty, or the difference. A result passes too if its error against float64 is at most four
    times PyTorch's own."""
    if len(got) != len(want):
        return f"{len(got)} results, PyTorch has {len(want)}"
    for i, (a, b) in enumerate(zip(got, want, strict=True)):
        if a.dtype != b.dtype or a.shape != b.shape:
            return f"result {i} is {a.dtype} {list(a.shape)}, PyTorch's {b.dtype} {list(b.shape)}"
        try:
            torch.testing.assert_close(a, b, equal_nan=True, check_stride=False)
        except AssertionError as difference:
            if not (b.is_floating_point() or b.is_complex()):
                return f"result {i}: " + str(difference).replace("\n", " ")
            try:
                true = exact()[i].to(wide(b).dtype)
            except Exception:
                return f"result {i}: " + str(difference).replace("\n", " ")
            finite = true.isfinite() & b.isfinite() & a.isfinite()
            mine, theirs = (wide(a) - true)[finite].abs(), (wide(b) - true)[finite].abs()
            same = torch.equal(a.isfinite(), b.isfinite())
            if not same or mine.numel() == 0 or mine.max() > 4 * theirs.max():
                return f"result {i}: " + str(difference).replace("\n", " ")
    return ""


def check(info: OpInfo, sample: SampleInput) -> tuple[set[str], str]:
    """The catalogue's ops that the sample became, and what is wrong, if anything."""
    call, inputs = as_function(info, sample)
    module = ingot.trace(call, tuple(t.clone() for t in inputs), dynamic=FREE, check=FREE)
    loaded = through_file(module)
    ops = set(re.findall(r"\b(?:aten|torchvision|prims|prim)::[\w.]+", str(loaded.graph)))
    want = plain(eager(call, inputs))
    if info.name in UNDEFINED:
        got = own(loaded, inputs)
        same = [(t.dtype, t.shape) for t in got] == [(t.dtype, t.shape) for t in want]
        return ops, "" if same else "dtypes or sizes differ"

    def exact() -> list[Any]:
        return plain(eager(call, [wide(t) for t in inputs]))

    _ingot.set_plan_stage("plan", False)
    try:
        interpreted = own(loaded, inputs)
    finally:
        _ingot.set_plan_stage("plan", True)
    planned = own(loaded, inputs)
    for name, got in (("interpreted", interpreted), ("planned", planned)):
        wrong = near(got, want, exact)
        if wrong and sample.output_process_fn_grad is not None:
            wrong = near_processed(sample.output_process_fn_grad, got, want, exact)
        if wrong:
            return ops, f"{name}: {wrong}"
    return ops, ""


def near_processed(
    process: Callable[..., Any], got: list[Any], want: list[Any], exact: Callable[[], list[Any]]
) -> str:
    """``near`` of what OpInfo makes of results that have several right answers."""

    def processed(values: list[Any]) -> list[Any]:
        return plain(process(values[0] if len(values) == 1 else tuple(values)))

    return near(processed(got), processed(want), lambda: processed(exact()))


def walk(info: OpInfo, dtype: torch.dtype, count: int) -> Unit:
    unit = Unit(title(info), str(dtype).removeprefix("torch."), "none")
    if not info.supports_dtype(dtype, "cpu"):
        return unit
    try:
        chosen = samples(info, dtype, count)
    except Exception as error:
        unit.reason = f"no samples: {type(error).__name__}: {error}"[:300]
        return unit
    ops: set[str] = set()
    for sample in chosen:
        unit.samples += 1
        try:
            eager(*as_function(info, sample))
        except Exception:
            unit.samples -= 1
            continue
        try:
            found, wrong = check(info, sample)
            ops |= found
        except _Timeout:
            raise
        except Exception as error:
            wrong = f"{type(error).__name__}: {error}"
        if wrong:
            unit.status, unit.reason = "failed", wrong[:600]
            unit.ops = " ".join(sorted(ops))
            return unit
    if unit.samples:
        names = {(info.aten_name or info.name).split(".")[-1], info.name.replace(".", "_")}
        own = any(op.split("::")[1].split(".")[0].strip("_") in names for op in ops)
        unit.status = "native" if own else "decomposed"
    unit.ops = " ".join(sorted(ops))
    return unit


def work(units: list[tuple[str, str]], count: int) -> Iterator[Unit]:
    """Outcomes in order; announces each unit on stderr's line before."""
    table = {title(info): info for info in op_db}

    def ring(*_: Any) -> None:
        raise _Timeout

    signal.signal(signal.SIGALRM, ring)
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    seconds = UNIT_SECONDS if count else 10 * UNIT_SECONDS
    for op, dtype in units:
        signal.alarm(seconds)
        try:
            unit = walk(table[op], DTYPES[dtype], count)
        except _Timeout:
            unit = Unit(op, dtype, "failed", f"takes more than {seconds} s")
        signal.alarm(0)
        yield unit


def run(units: list[tuple[str, str]], count: int, jobs: int) -> list[Unit]:
    """All outcomes; processes that die are replaced."""
    queue = [units[i::jobs] for i in range(jobs)]
    done: list[Unit] = []
    running: list[tuple[subprocess.Popen[str], list[tuple[str, str]], Path]] = []

    def start(rest: list[tuple[str, str]]) -> None:
        if not rest:
            return
        out = Path(tempfile.mkstemp(suffix=".jsonl")[1])
        command = [sys.executable, "-m", "tests.ops.walk", "--worker", str(count), str(out)]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert process.stdin
        process.stdin.write(json.dumps(rest))
        process.stdin.close()
        running.append((process, rest, out))

    for part in queue:
        start(part)
    with Progress(*Progress.get_default_columns(), MofNCompleteColumn()) as progress:
        task = progress.add_task("walking", total=len(units))
        while running:
            time.sleep(0.5)
            written = sum(len(out.read_text().splitlines()) for _, _, out in running)
            progress.update(task, completed=len(done) + written)
            for one in [one for one in running if one[0].poll() is not None]:
                running.remove(one)
                process, rest, out = one
                found = [Unit(**json.loads(line)) for line in out.read_text().splitlines()]
                out.unlink()
                done += found
                left = rest[len(found) :]
                if left:
                    reason = f"the process ends with {process.returncode}"
                    done.append(Unit(*left[0], "failed", reason))
                    start(left[1:])
    return done


def main() -> None:
    if sys.argv[1:2] == ["--worker"]:
        count, out = int(sys.argv[2]), Path(sys.argv[3])
        with out.open("w") as file:
            for unit in work([tuple(u) for u in json.load(sys.stdin)], count):
                file.write(json.dumps(asdict(unit)) + "\n")
                file.flush()
        return
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--dtypes", default="float32,int64,bool")
    parser.add_argument("--samples", type=int, default=2, help="of each unit, 0 for all")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="a regular expression for op names")
    parser.add_argument("--json", default="", help="where outcomes go")
    options = parser.parse_args()
    units = [
        (title(info), dtype)
        for info in infos(options.only)
        for dtype in options.dtypes.split(",")
        if info.supports_dtype(DTYPES[dtype], "cpu")
    ]
    done = run(units, options.samples, options.jobs)
    for unit in sorted(done, key=lambda u: (u.reason, u.op)):
        if unit.status == "failed":
            print(f"{unit.op} {unit.dtype}: {unit.reason[:220]}")
    for dtype in options.dtypes.split(","):
        print(dtype, dict(Counter(u.status for u in done if u.dtype == dtype)))
    if options.json:
        Path(options.json).write_text(json.dumps([asdict(unit) for unit in done], indent=0))


if __name__ == "__main__":
    main()
