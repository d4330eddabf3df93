"""Creates .venv and installs the Python packages that pyproject.toml names.

``packages.py build`` is what the native module and ``import ingot`` need, ``export`` adds
capture, ``test`` the tests. ``bench`` is .venv-bench: the same and requirements/peers.txt, which
brings so much that it stays out of .venv. Versions come from requirements/constraints.txt. A
stamp makes reruns instant. Needs nothing but the standard library.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import tomllib

ROOT = Path(__file__).resolve().parents[1]
CONSTRAINTS = ROOT / "requirements" / "constraints.txt"
PEERS = ROOT / "requirements" / "peers.txt"

EXTRAS: dict[str, list[str]] = {
    "build": [],
    "export": ["export"],
    "test": ["export", "test", "dev"],
    "bench": ["export", "test"],
}
"""The extras of pyproject.toml in each group."""


def requirements(group: str) -> list[str]:
    """What pip is asked for, sorted."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = {*project["build-system"]["requires"], *project["project"]["dependencies"]}
    extras = project["project"]["optional-dependencies"]
    for extra in EXTRAS[group]:
        wanted.update(expand(extras, extra))
    if group == "bench":
        lines = PEERS.read_text().splitlines()
        wanted.update(line for line in lines if not line.startswith("#"))
    return sorted(wanted)


def expand(extras: dict[str, list[str]], extra: str) -> Iterator[str]:
    """An extra's requirements, with ``ingot[other]`` replaced by those of ``other``."""
    for requirement in extras[extra]:
        own = re.fullmatch(r"ingot\[(\w+)\]", requirement)
        if own:
            yield from expand(extras, own[1])
        else:
            yield requirement


def main(group: str) -> None:
    wanted = requirements(group)
    text = "\n".join([sys.version, *wanted, CONSTRAINTS.read_text()])
    digest = hashlib.sha256(text.encode()).hexdigest()
    folder = ROOT / (".venv-bench" if group == "bench" else ".venv")
    stamp = folder / f"ingot-{group}.stamp"
    if stamp.exists() and stamp.read_text() == digest:
        return
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"Creating {folder.name} with Python {sys.version.split()[0]}", flush=True)
        venv.create(folder, with_pip=True)
    print(f"Installing {', '.join(wanted)}", flush=True)
    command = [python, "-m", "pip", "install", "--disable-pip-version-check"]
    done = subprocess.run([*command, "--constraint", CONSTRAINTS, *wanted], check=False)
    if done.returncode != 0:
        sys.exit("The Python packages could not be installed; pip's message above says why.")
    link_source_tree(folder)
    stamp.write_text(digest)


def link_source_tree(folder: Path) -> None:
    """Makes ``import ingot`` and the command ``ingot`` use this source tree."""
    python = folder / "bin" / "python"
    show = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.check_output([python, "-c", show], text=True).strip()
    Path(packages, "ingot.pth").write_text(f"{ROOT / 'python'}\n")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for name, target in project["scripts"].items():
        module, function = target.split(":")
        script = folder / "bin" / name
        script.write_text(
            f"#!{python}\nimport sys\n\nfrom {module} import {function}\n\nsys.exit({function}())\n"
        )
        script.chmod(0o755)


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in EXTRAS:
        sys.exit("usage: packages.py build|export|test|bench")
    main(sys.argv[1])
