"""ingot export."""

from __future__ import annotations

import numpy as np
import pytest

import ingot

MODELS = "tests.cli.models:"


@pytest.mark.parametrize("options", [["--inputs", MODELS + "inputs"], ["--script"]])
def test_export_and_verify(command, tmp_path, options):
    path = tmp_path / "m.ingot"
    outcome = command("export", MODELS + "make", *options, "-o", path)
    assert outcome.code == 0, outcome.err
    assert "bytes" in outcome.out
    outcome = command("verify", path, "--module", MODELS + "make", "--inputs", MODELS + "inputs")
    assert outcome.code == 0, outcome.err
    assert ingot.load(path)(np.ones((7, 3), np.float32)).shape == (7, 2)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["make"], "needs --inputs"),
        (["make", "--script", "--inputs", MODELS + "inputs"], "needs --inputs"),
        (["broken", "--script"], "no data today"),
        (["make", "--inputs", MODELS + "wrong_inputs"], "error: "),
    ],
)
def test_failures_are_sentences(command, tmp_path, arguments, sentence):
    path = tmp_path / "m.ingot"
    outcome = command("export", MODELS + arguments[0], *arguments[1:], "-o", path)
    assert outcome.code == 2 and sentence in outcome.err
    assert not path.exists()


def test_a_place_that_cannot_be_written(command, tmp_path):
    outcome = command("export", MODELS + "make", "--script", "-o", tmp_path / "no" / "m.ingot")
    assert outcome.code == 2 and "cannot save" in outcome.err
