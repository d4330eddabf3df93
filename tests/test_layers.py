"""Each layer of the runtime includes only the layers before it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = ["base", "tensor", "kernels", "ops", "file", "exec", "api"]
# Libraries of their own with further ops; nothing includes them.
COMPONENTS = ["linalg"]
# What the public headers declare belongs to these layers; base reports errors about tensors,
# and program values are tensors among others.
PUBLIC = {
    "export": "base",
    "profile": "base",
    "error": "base",
    "dtype": "base",
    "precision": "base",
    "tensor": "base",
    "check": "base",
    "int_list": "base",
    "value": "tensor",
    "op": "ops",
    "module": "api",
    "library": "api",
    "random": "base",
    "ingot": "api",
    "c": "api",
}
INCLUDE = re.compile(r'^#include (?:<ingot/(\w+)\.h>|"([^"]+)")', re.MULTILINE)


def included_layers(path: Path) -> dict[str, str]:
    """The layer behind each of a file's own includes."""
    layers = {}
    for public, private in INCLUDE.findall(path.read_text()):
        if public:
            layers[f"ingot/{public}.h"] = PUBLIC[public]
        elif (ROOT / "runtime" / private).exists():
            layers[private] = private.split("/")[0]
        else:
            # Generated from runtime/file/program.fbs.
            assert private == "program_generated.h", f"{path}: {private} does not exist"
            layers[private] = "file"
    return layers


def too_high(path: Path, layer: str) -> list[str]:
    allowed = (
        [*LAYERS[: LAYERS.index("ops") + 1], layer]
        if layer in COMPONENTS
        else LAYERS[: LAYERS.index(layer) + 1]
    )
    return [
        f"{path.relative_to(ROOT)} of layer {layer} includes {name} of layer {found}"
        for name, found in included_layers(path).items()
        if found not in allowed
    ]


@pytest.mark.parametrize("layer", [*LAYERS, *COMPONENTS])
def test_layer_includes_only_those_before_it(layer: str) -> None:
    sources = sorted((ROOT / "runtime" / layer).rglob("*"))
    wrong = [
        line for path in sources if path.suffix in {".h", ".cpp"} for line in too_high(path, layer)
    ]
    assert not wrong, "\n".join(wrong)


def test_every_folder_of_the_runtime_is_a_layer() -> None:
    folders = {path.name for path in (ROOT / "runtime").iterdir() if path.is_dir()}
    assert folders == {*LAYERS, *COMPONENTS, "tools"}


def test_public_headers_include_only_public_headers() -> None:
    for path in sorted((ROOT / "include" / "ingot").glob("*.h")):
        for public, private in INCLUDE.findall(path.read_text()):
            assert not private, f"{path.name} includes {private}"
            assert public in PUBLIC, f"{path.name} includes ingot/{public}.h"
