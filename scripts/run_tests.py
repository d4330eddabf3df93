"""``make test``: every check in turn, a failure stops none of the others.

Ends with the time that each took and, as the last line, pytest's summary.
"""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FUZZ_LOG = ROOT / "build-asan" / "fuzz.log"
FUZZ_FLAGS = "FUZZ_FLAGS=-seed=1 -runs=150000"
"""The same inputs each time, so that a change is blamed for what it broke only; ``make fuzz`` alone
tries others each time."""


@dataclass(frozen=True)
class Result:
    """One target of the Makefile after it ran."""

    target: str
    seconds: float
    status: int
    last_line: str


def run(target: str) -> Result:
    """Runs a target and shows its output as it comes."""
    print(f"\n━━ make {target}", flush=True)
    start = time.monotonic()
    last_line = ""
    with subprocess.Popen(
        ["make", "--no-print-directory", target],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            last_line = line.strip() or last_line
    return Result(target, time.monotonic() - start, process.returncode, last_line)


def main() -> int:
    # The type checker reads what the build generates.
    results = [run("test-cpp"), run("lint"), run("test-asan")]
    start = time.monotonic()
    with FUZZ_LOG.open("w") as log:
        fuzz = subprocess.Popen(
            ["make", "--no-print-directory", "fuzz", FUZZ_FLAGS],
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
        python = run("test-python")
        status = fuzz.wait()
    lines = FUZZ_LOG.read_text(errors="replace").splitlines()
    fuzz_result = Result("fuzz", time.monotonic() - start, status, "")
    if status:
        print(f"\n━━ make fuzz\n{chr(10).join(lines[-60:])}")
    results += [fuzz_result, python, run("test-speed")]

    print("\n━━ summary")
    for result in results:
        verdict = "passed" if result.status == 0 else "FAILED"
        print(f"{result.target:<14}{verdict:<10}{result.seconds:8.1f} s")
    print(python.last_line)
    return int(any(result.status for result in results))


if __name__ == "__main__":
    sys.exit(main())
