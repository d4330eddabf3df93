"""The README's examples run as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILD = Path(os.environ.get("INGOT_BUILD", ROOT / "build"))


def block(after: str) -> str:
    """The indented lines after the line that begins with this text."""
    text = (ROOT / "README.md").read_text().split(f"\n{after}", 1)[1]
    indented = re.search(r"\n\n((?:    .*\n|\n)+)", text)
    assert indented is not None
    return re.sub(r"^    ", "", indented[1].rstrip(), flags=re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the Python example has written its file."""
    folder = tmp_path_factory.mktemp("readme")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    done = subprocess.run(
        [sys.executable, "-c", block("In Python")],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "torch.Size([8, 5])" in done.stdout
    assert "aten::linear" in done.stdout
    return folder


def test_cpp(folder: Path) -> None:
    include, _, body = block("In C++").partition("\n")
    (folder / "app.cpp").write_text(
        f"{include}\nint main() {{\n{body}\nreturn y.size(0) == 8 && y.size(1) == 5 ? 0 : 1;\n}}\n"
    )
    link = [f"-L{BUILD}", "-lingot", f"-Wl,-rpath,{BUILD}"]
    compile_command = ["c++", "-std=c++20", f"-I{ROOT / 'include'}", "app.cpp", "-o", "app", *link]
    subprocess.run(compile_command, cwd=folder, check=True)
    subprocess.run([folder / "app"], cwd=folder, check=True)


def test_commands(folder: Path) -> None:
    import numpy as np

    np.save(folder / "x.npy", np.zeros((3, 10), np.float32))
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    for line in block("On the command line").splitlines():
        tool, *arguments = line.split("#")[0].split()
        command = [sys.executable, "-m", "ingot"] if tool == "ingot" else [BUILD / tool]
        subprocess.run(
            [*command, *arguments], cwd=folder, env=environment, check=True, capture_output=True
        )
    assert np.load(folder / "y.npy").shape == (3, 5)
