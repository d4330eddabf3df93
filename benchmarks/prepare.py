"""A model made ready for a peer: ``python -m benchmarks.prepare MODEL PEER THREADS``.

Prepared folders are kept under build/bench with the digest of what they were made from, a
failure with its reason, so that later runs are quick.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks import peers
from benchmarks.suite import SUITE, Model

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "bench"
LIMIT = 900
"""Seconds that one process may take, beside its measuring."""


def environment(threads: int) -> dict[str, str]:
    """Of every process that prepares or measures."""
    return {
        **os.environ,
        "PYTHONPATH": f"{ROOT / 'python'}:{ROOT}",
        "OMP_NUM_THREADS": str(threads),
        "TORCHINDUCTOR_CACHE_DIR": str(FOLDER / "inductor"),
        "TORCHINDUCTOR_COMPILE_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
    }


def folder(model: Model, name: str, threads: int) -> Path:
    suffix = f".{threads}" if peers.peer(name).PER_THREADS else ""
    return FOLDER / model.name / f"{name}{suffix}"


def digest(model: Model, name: str) -> str:
    """Of all that decides what is prepared."""
    peer = peers.peer(name)
    parts = [model.digest(), inspect.getsource(sys.modules[f"benchmarks.peers.{name}"])]
    parts += [f"{package}=={version(package)}" for package in ("torch", *peer.PACKAGES)]
    if name == "ingot":
        sources = sorted((ROOT / "python" / "ingot").rglob("*.py"))
        parts += [path.read_text() for path in sources if path.parent.name != "cli"]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def prepared(model: Model, name: str, threads: int, *, again: bool = False) -> str | None:
    """Prepares in a process of its own; returns why the peer cannot take the model, or None."""
    if peers.peer(name).prepare is None:
        return None
    place = folder(model, name, threads)
    stamp = place / "stamp.json"
    wanted = digest(model, name)
    if stamp.exists() and not again:
        found = json.loads(stamp.read_text())
        if found["digest"] == wanted:
            reason: str | None = found["reason"]
            return reason
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    command = [sys.executable, "-m", "benchmarks.prepare", model.name, name, str(threads)]
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment(threads),
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )
        reason = None if done.returncode == 0 else why(done.returncode, done.stderr)
        (place / "log.txt").write_text(done.stdout + done.stderr)
    except subprocess.TimeoutExpired:
        reason = f"is not ready after {LIMIT} s"
    stamp.write_text(json.dumps({"digest": wanted, "reason": reason}))
    return reason


def why(status: int, stderr: str) -> str:
    """The reason of a failure in one line."""
    if status < 0:
        return f"the process dies of {signal.Signals(-status).name}"
    lines = [line.strip() for line in stderr.splitlines()]
    named = [line for line in lines if re.match(r"[\w.]*(Error|Exception|Unsupported)\b.*:", line)]
    line = (named or [line for line in lines if line] or ["no message"])[-1]
    line = re.sub(r"^([\w.]*Unsupported: |-- )", "", line)
    return line if len(line) <= 160 else f"{line[:157]}..."


def main() -> None:
    model, name, threads = SUITE[sys.argv[1]], sys.argv[2], int(sys.argv[3])
    prepare = peers.peer(name).prepare
    assert prepare is not None
    prepare(model, folder(model, name, threads), threads)


if __name__ == "__main__":
    main()
