"""examples/custom_op, built against the installed package: two ops of a user's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

ROOT = Path(__file__).parents[2]
BUILD = Path(os.environ.get("INGOT_BUILD", ROOT / "build"))

EXPORT = """
import sys
import torch
import ingot
from examples.custom_op.signal_ops import Detector

library, path = sys.argv[1:]
torch.manual_seed(0)
model, signals = Detector().eval(), torch.sin(torch.arange(96.0)).reshape(2, 48)
try:
    ingot.trace(model, (signals,))
except ingot.Error as error:
    assert "signal::peak_to_rms" in error.message and "signal::onsets" in error.message
ingot.load_library(library)
module = ingot.trace(model, (signals,))
module.save(path)
longer = torch.cos(torch.arange(150.0) / 3).reshape(3, 50)
for x in (signals, longer):
    with torch.no_grad():
        ratios, places = model(x)
    found = module(x)
    torch.testing.assert_close(found[0], ratios)
    assert torch.equal(found[1], places) and len(places) > 0
try:
    module(signals[0])
except ingot.Error as error:
    print(error)
"""

LOAD = """
import sys
import numpy as np
import ingot

library, path = sys.argv[1:]
try:
    ingot.load(path)
except ingot.Error as error:
    print(error)
ingot.load_library(library)
ratios, places = ingot.load(path)(np.sin(np.arange(96, dtype=np.float32)).reshape(2, 48))
assert "torch" not in sys.modules
print(ratios.shape, places.dtype)
"""


def sh(*command: str | Path) -> str:
    result = subprocess.run(
        [str(part) for part in command],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'python'}:{ROOT}"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("custom")
    sh("cmake", "--install", BUILD, "--prefix", folder / "ingot", "--strip")
    source = ROOT / "examples" / "custom_op"
    sh("cmake", "-S", source, "-B", folder / "b", f"-DCMAKE_PREFIX_PATH={folder / 'ingot'}")
    sh("cmake", "--build", folder / "b")
    return folder / "b" / "libsignal_ops.so"


@pytest.fixture(scope="module")
def model(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Traced in a process of its own, whose catalogue has the ops."""
    path = tmp_path_factory.mktemp("model") / "detector.ingot"
    sh(sys.executable, "-c", EXPORT, library, path)
    return path


def test_python_loads_the_library_before_the_file(library: Path, model: Path):
    printed = sh(sys.executable, "-c", LOAD, library, model)
    assert "signal::" in printed.splitlines()[0]
    assert printed.splitlines()[-1] == "(2,) int64"


def test_ingot_run_takes_the_library(library: Path, model: Path, tmp_path: Path):
    signals = np.sin(np.arange(96, dtype=np.float32)).reshape(2, 48)
    np.save(tmp_path / "x.npy", signals)
    out = tmp_path / "y.npy"
    run = (BUILD / "ingot-run", model, "--input", tmp_path / "x.npy", "--output", out)
    refused = subprocess.run([str(p) for p in run], capture_output=True, text=True)
    assert refused.returncode != 0 and "signal::" in refused.stderr
    sh(*run, "--library", library)


def test_errors_name_the_op_and_the_line(library: Path, model: Path):
    program = f"""
import numpy as np, ingot
ingot.load_library({str(library)!r})
module = ingot.load({str(model)!r})
try:
    module(np.zeros((2, 48), np.float64))
except ingot.Error as error:
    print(error)
"""
    assert "f64" in sh(sys.executable, "-c", program)


def test_eager_is_what_the_example_says():
    sys.path.insert(0, str(ROOT))
    from examples.custom_op import signal_ops

    x = torch.tensor([0.0, 1.0, 1.0, 0.0, 2.0])
    assert signal_ops.onsets(x, 0.5).tolist() == [1, 4]
    torch.testing.assert_close(signal_ops.peak_to_rms(x), 2 / (x.square().mean()).sqrt())
