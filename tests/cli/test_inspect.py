"""ingot inspect."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


def test_summary(command, model):
    outcome = command("inspect", model)
    assert outcome.code == 0 and outcome.err == ""
    for text in [
        "forward(x) -> ",
        "f32[B, 3]",
        "1 to 512",
        "m.py:20: assert small",
        "only 3",
        "m.py:12: x @ w",
        "weight",
        "24 bytes",
        "8 parameters in 32 bytes",
        "aten::linear",
        "labels.txt (3 bytes)",
    ]:
        assert text in outcome.out


def test_json(command, model):
    report = json.loads(command("inspect", model, "--json").out)
    assert report["bytes"] == model.stat().st_size
    assert report["parameters"] == 8 and report["weight_bytes"] == 32
    (method,) = report["methods"]
    (x,) = method["inputs"]
    assert x["name"] == "x" and x["dtype"] == "f32" and x["required"]
    batch, width = x["dimensions"]
    assert (batch["symbol"], batch["min"], batch["max"]) == ("B", 1, 512)
    assert batch["source"]["line"] == 20
    assert width["size"] == 3 and width["source"]["text"] == "x @ w"
    assert report["ops"]["aten::linear"] == 1
    assert [s["name"] for s in report["state"]] == ["weight", "bias"]
    assert report["extra_files"] == {"labels.txt": 3}


def test_graph_and_code(command, model):
    assert "aten::linear(" in command("inspect", model, "--graph").out
    assert "def forward(" in command("inspect", model, "--code").out


@pytest.mark.parametrize("content", [None, b"", b"PK\3\4", b"x" * 50])
def test_bad_files(command, tmp_path, content):
    path = tmp_path / "bad.ingot"
    if content is not None:
        path.write_bytes(content)
    outcome = command("inspect", path)
    assert outcome.code == 2 and outcome.out == ""
    assert outcome.err.startswith("error: ") and "bad.ingot" in outcome.err


def test_needs_neither_torch_nor_the_runtime(model):
    script = (
        "import sys\n"
        "from ingot.cli import main\n"
        f"sys.argv = ['ingot', 'inspect', {str(model)!r}]\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "assert 'torch' not in sys.modules and 'ingot._ingot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


@pytest.mark.parametrize("name", [None, "inspect", "verify", "run", "export"])
def test_help_teaches_with_examples(command, name):
    outcome = command(*([name] if name else []), "--help")
    assert outcome.code == 0
    assert name is None or f"ingot {name} " in outcome.out.partition("Examples")[2]


def test_wrong_usage(command):
    outcome = command("inspect")
    assert outcome.code == 2 and "Missing argument" in outcome.err
    assert command("frobnicate").code == 2
