"""ingot verify and ingot export."""

from __future__ import annotations

import numpy as np
import pytest

MODELS = "tests.cli.models:"


def test_equal(command, model):
    outcome = command("verify", model, "--module", MODELS + "make")
    assert outcome.code == 0, outcome.err
    assert outcome.out.count("equal") == 3
    for size in ("B=1", "B=2", "B=7"):
        assert size in outcome.out


@pytest.mark.parametrize("spec", ["make", "instance"])
def test_given_inputs(command, model, tmp_path, spec):
    outcome = command("verify", model, "--module", MODELS + spec, "--inputs", MODELS + "inputs")
    assert outcome.code == 0 and "given" in outcome.out
    np.save(tmp_path / "x.npy", np.ones((2, 3), np.float32))
    outcome = command("verify", model, "--module", MODELS + spec, "--input", tmp_path / "x.npy")
    assert outcome.code == 0 and outcome.out.count("equal") == 1


def test_sizes_are_moved_into_their_range(command, model):
    outcome = command("verify", model, "--module", MODELS + "make", "--sizes", "0,600")
    assert outcome.code == 0
    assert "B=1 " in outcome.out and "B=512 " in outcome.out


def test_a_difference_is_shown_and_is_exit_code_1(command, model):
    outcome = command("verify", model, "--module", MODELS + "make_scaled")
    assert outcome.code == 1 and "DIFFERENT" in outcome.out
    outcome = command("verify", model, "--module", MODELS + "make_scaled", "--rtol", "0.1")
    assert outcome.code == 0


def test_own_weights_differ(command, model):
    outcome = command("verify", model, "--module", MODELS + "make", "--own-weights")
    assert outcome.code == 1


@pytest.mark.parametrize(
    ("spec", "options", "sentence"),
    [
        ("nothing", [], "has no 'nothing'"),
        ("make_nothing", [], "gives a int, not a model"),
        ("broken", [], "raised ValueError: no data today"),
        ("make_other_shape", [], "weights do not fit"),
        ("make_larger", [], "lacks weights"),
        ("make", ["--inputs", MODELS + "wrong_inputs"], "must have size 3"),
        ("make", ["--inputs", "no.such:thing"], "cannot import 'no.such'"),
        ("make", ["--inputs", "nonsense"], "names nothing"),
        ("make", ["--sizes", "a"], "no list of numbers"),
        ("make", ["--method", "decode"], "no method 'decode'"),
    ],
)
def test_failures_are_sentences(command, model, spec, options, sentence):
    outcome = command("verify", model, "--module", MODELS + spec, *options)
    assert outcome.code == 2
    assert outcome.err.startswith("error: ") and sentence in outcome.err


def test_the_user_s_line_is_shown(command, model):
    outcome = command("verify", model, "--module", MODELS + "broken")
    assert 'in broken: raise ValueError("no data today")' in outcome.err
