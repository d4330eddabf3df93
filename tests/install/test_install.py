"""examples/cpp, built against the installed package, as a user would."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from examples.models import simple_model

import ingot

ROOT = Path(__file__).parents[2]
BUILD = Path(os.environ.get("INGOT_BUILD", ROOT / "build"))


def sh(*command: str | Path, env: Mapping[str, str] | None = None) -> str:
    result = subprocess.run(
        [str(part) for part in command],
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Installed under one name, then moved: nothing may remember where it was."""
    folder = tmp_path_factory.mktemp("install")
    sh("cmake", "--install", BUILD, "--prefix", folder / "first", "--strip")
    (folder / "first").rename(folder / "moved")
    return folder / "moved"


@pytest.fixture(scope="module", params=["cmake", "pkg-config"])
def programs(
    request: pytest.FixtureRequest, installed: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder of the built example programs."""
    folder = tmp_path_factory.mktemp("programs")
    if request.param == "cmake":
        sh("cmake", "-S", ROOT / "examples/cpp", "-B", folder, f"-DCMAKE_PREFIX_PATH={installed}")
        sh("cmake", "--build", folder)
    else:
        shutil.copytree(ROOT / "examples/cpp", folder, dirs_exist_ok=True)
        found = next(installed.rglob("ingot.pc")).parent
        sh("make", "-C", folder, env={"PKG_CONFIG_PATH": str(found)})
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "simple_model.ingot"
    ingot.trace(simple_model.make(), simple_model.example_inputs()).save(path)
    return path


@pytest.mark.parametrize("program", ["run_model", "run_model_c"])
@pytest.mark.parametrize("batch", [1, 2, 17])
def test_example_agrees_with_eager(programs: Path, model: Path, program: str, batch: int) -> None:
    rows = [
        line for line in sh(programs / program, model, str(batch)).splitlines() if line[0] != "#"
    ]
    x = 0.1 * torch.arange(batch * 10, dtype=torch.float32).view(batch, 10)
    with torch.no_grad():
        expected = simple_model.make()(x).numpy()
    actual = np.array([line.split() for line in rows], dtype=np.float32)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


def test_threads_share_a_model(programs: Path, model: Path) -> None:
    assert sh(programs / "serve", model, "4", "500") == "500 of 500 requests answered\n"


@pytest.mark.parametrize("program", ["run_model", "run_model_c"])
def test_example_reports_a_missing_file(programs: Path, tmp_path: Path, program: str) -> None:
    missing = tmp_path / "missing.ingot"
    result = subprocess.run([programs / program, missing, "1"], capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr == f"{missing} cannot be read: No such file or directory\n"


def test_installed_ingot_run(installed: Path, model: Path) -> None:
    assert sh(installed / "bin/ingot-run", "--version").split()[-1] == "0.1.0"
    assert "f32[1, 5]" in sh(installed / "bin/ingot-run", model)


def test_only_the_public_surface_is_installed(installed: Path) -> None:
    top = {path.name for path in installed.iterdir()}
    assert top <= {"bin", "include", "lib", "lib64"}
    headers = {path.name for path in (ROOT / "include/ingot").iterdir()}
    assert {path.name for path in (installed / "include/ingot").iterdir()} == headers
