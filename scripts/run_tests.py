"""``make test``: every check in turn, a failure stops none of the others.

Ends with the time that each took and, as the last line, pytest's summary.
"""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OPTIONS = {"fuzz": "FUZZ_FLAGS=-seed=1 -runs=150000", "tidy": "JOBS=1"}
"""The fuzzer gets the same inputs each time, so that a change is blamed for what it broke only;
``make fuzz`` alone tries others each time."""

STAGES = (
    ("build-tests",),
    # The type checker reads what the build generates.
    ("test-cpp", "lint"),
    ("build-asan",),
    ("test-asan", "fuzz", "test-ops-asan", "tidy"),
    ("test-python",),
    ("test-speed",),
)
"""One after the other; what runs together in one keeps a single core busy each."""


@dataclass(frozen=True)
class Result:
    """One target of the Makefile after it ran."""

    target: str
    seconds: float
    status: int
    last_line: str


def run(target: str, *, live: bool) -> Result:
    """Runs a target; shows its output as it comes, or in one piece at its end."""
    command = ["make", "--no-print-directory", target]
    if target in OPTIONS:
        command.append(OPTIONS[target])
    if live:
        print(f"\n━━ make {target}", flush=True)
    start = time.monotonic()
    lines = []
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if live:
                print(line, end="", flush=True)
    if not live:
        shown = lines if process.returncode else lines[-5:]
        print(f"\n━━ make {target}\n{''.join(shown)}", flush=True)
    last_line = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return Result(target, time.monotonic() - start, process.returncode, last_line)


def main() -> int:
    results = []
    with ThreadPoolExecutor() as pool:
        for first, *others in STAGES:
            beside = [pool.submit(run, target, live=False) for target in others]
            results.append(run(first, live=True))
            results += [future.result() for future in beside]

    print("\n━━ summary")
    for result in results:
        verdict = "passed" if result.status == 0 else "FAILED"
        print(f"{result.target:<14}{verdict:<10}{result.seconds:8.1f} s")
    print(next(result.last_line for result in results if result.target == "test-python"))
    return int(any(result.status for result in results))


if __name__ == "__main__":
    sys.exit(main())
