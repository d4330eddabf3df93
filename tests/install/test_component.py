"""libingot-linalg where it is installed: found by ingot-run, linked by CMake, in the wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import ingot

ROOT = Path(__file__).parents[2]
BUILD = Path(os.environ.get("INGOT_BUILD", ROOT / "build"))

PROJECT = """
cmake_minimum_required(VERSION 3.25)
project(app LANGUAGES CXX)
find_package(ingot REQUIRED)
add_executable(app app.cpp)
target_link_libraries(app PRIVATE {target})
"""
PROGRAM = """
#include <cstdio>
#include <ingot/ingot.h>

int main(int argc, char** argv) try {
  if (argc > 2) ingot::load_library(argv[2]);
  const ingot::Module model = ingot::load(argv[1]);
  const float x[] = {2, 0, 0, 4};
  const ingot::Tensor y =
      model.forward({ingot::Tensor::from<float>(x, ingot::Dims{2, 2})}).to_tensor();
  std::printf("%g %g\\n", y.data<float>()[0], y.data<float>()[3]);
} catch (const ingot::Error& error) {
  std::puts(error.what());
}
"""


def sh(*command: str | Path) -> str:
    result = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=300
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("install")
    sh("cmake", "--install", BUILD, "--prefix", folder / "first", "--strip")
    (folder / "first").rename(folder / "moved")
    return folder / "moved"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "inverse.ingot"
    ingot.trace(torch.linalg.inv, (torch.eye(2),)).save(path)
    return path


def library(installed: Path) -> Path:
    return next(installed.rglob("libingot-linalg.so"))


def test_ingot_run_finds_it(installed: Path, model: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.diag([2, 4]).astype(np.float32))
    options = ("--input", tmp_path / "x.npy", "--output", tmp_path / "y.npy")
    sh(installed / "bin/ingot-run", model, *options)
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), np.diag([0.5, 0.25]))
    named = ("--library", library(installed))
    assert "f32[2, 2]" in sh(installed / "bin/ingot-run", model, *named, *options)


def test_ingot_run_names_a_library_that_is_missing(installed: Path, model: Path) -> None:
    command = [installed / "bin/ingot-run", model, "--library", "/no/such.so"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr.startswith("ingot-run: the library /no/such.so cannot be loaded: ")


def test_programs_link_or_load_it(installed: Path, model: Path, tmp_path: Path) -> None:
    for target in ("linalg", "ingot"):
        folder = tmp_path / target
        folder.mkdir()
        (folder / "CMakeLists.txt").write_text(PROJECT.format(target=f"ingot::{target}"))
        (folder / "app.cpp").write_text(PROGRAM)
        build = folder / "build"
        sh("cmake", "-S", folder, "-B", build, f"-DCMAKE_PREFIX_PATH={installed}")
        sh("cmake", "--build", build)
    assert sh(tmp_path / "linalg/build/app", model) == "0.5 0.25\n"
    alone = tmp_path / "ingot/build/app"
    assert 'ingot::load_library("libingot-linalg.so")' in sh(alone, model)
    assert sh(alone, model, library(installed)) == "0.5 0.25\n"


def test_the_python_package_brings_it(tmp_path: Path) -> None:
    """What a wheel is made of, in a folder."""
    unbuilt = shutil.ignore_patterns("*.so*", "__pycache__")
    shutil.copytree(ROOT / "python/ingot", tmp_path / "ingot", ignore=unbuilt)
    sh("cmake", "--install", BUILD, "--component", "python", "--prefix", tmp_path)
    libraries = {path.name for path in (tmp_path / "ingot").glob("lib*.so*")}
    assert libraries == {"libingot.so.0", "libingot-linalg.so.0"}
    code = "import ingot; from ingot import _ingot; _ingot.call_op('aten::geqrf', [M]);"
    code += "print({l.split()[-1] for l in open('/proc/self/maps') if 'libingot' in l})"
    code = "import numpy; M = numpy.ones((2, 2));" + code
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(str(tmp_path)) == 2
