"""ingot bench."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tests.python.programs import identity, linear_program

import ingot
from ingot.cli.bench import time_text, zero_inputs
from ingot.dtypes import DType
from ingot.ir.graph import Symbol
from ingot.ir.types import INT, DictType, ListType, TensorType

QUICK = ["--seconds", "0.02"]


@pytest.fixture
def x(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((4, 3), np.float32))
    return tmp_path / "x.npy"


def test_a_row_for_each_thread_count_and_number_of_callers(command, model):
    outcome = command("bench", model, *QUICK, "--threads", "1,2", "--instances", "1,3", "--json")
    assert outcome.code == 0, outcome.err
    rows = json.loads(outcome.out)
    assert [(row["threads"], row["instances"]) for row in rows] == [(1, 1), (1, 3), (2, 1), (2, 3)]
    for row in rows:
        spread = [row[name] for name in ("min", "median", "p90", "p99", "max")]
        assert spread == sorted(spread) and spread[0] > 0
        assert row["calls"] >= row["instances"]
        assert row["load"] > 0 and row["first"] > 0 and row["per_second"] > 0


def test_all_callers_are_counted(command, model):
    outcome = command("bench", model, "--seconds", "1e-9", "--instances", "5", "--json")
    (row,) = json.loads(outcome.out)
    assert row["calls"] == 5


def test_the_table_has_units(command, model, x):
    outcome = command("bench", model, "--input", x, *QUICK)
    assert outcome.code == 0, outcome.err
    head, _, row = outcome.out.splitlines()
    assert head.split()[:3] == ["threads", "callers", "load"] and "p99" in head
    assert "µs" in row


def test_the_number_of_threads_is_as_before(command, model):
    before = ingot.get_num_threads()
    command("bench", model, *QUICK, "--threads", before + 1)
    assert ingot.get_num_threads() == before


def test_inputs_are_zeros_of_the_smallest_sizes():
    program = linear_program(np.ones((2, 3), np.float32), np.ones(2, np.float32))
    program.symbols["B"] = Symbol("B", 4)
    inputs = zero_inputs(ingot.Module.from_program(program), "forward")
    assert list(inputs) == ["x"]
    assert inputs["x"].dtype == np.float32 and inputs["x"].shape == (4, 3)
    assert not inputs["x"].any()


def test_inputs_inside_containers_are_zeros():
    (value,) = zero_inputs(identity(ListType(TensorType(DType.f32, (2,)))), "forward").values()
    assert isinstance(value, list) and not any(array.any() for array in value)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--threads", "many"], "--threads takes numbers from 0 on"),
        (["--instances", "0"], "--instances takes numbers from 1 on"),
        (["--seconds", "0"], "--seconds takes a number above 0"),
        (["--input", "3"], "input 'x' must be f32[B, 3], got int"),
        (["--method", "decode"], "no method 'decode'"),
    ],
)
def test_failures_are_sentences(command, model, options, sentence):
    outcome = command("bench", model, *options)
    assert outcome.code == 2
    assert "error: " in outcome.err and sentence in outcome.err


def test_inputs_that_cannot_be_made_are_asked_for(command, tmp_path):
    identity(DictType(INT, INT)).save(tmp_path / "m.ingot")
    outcome = command("bench", tmp_path / "m.ingot", *QUICK)
    assert outcome.code == 2 and "--input" in outcome.err


def test_help_teaches(command):
    outcome = command("bench", "--help")
    assert "ingot bench model.ingot --threads 1 --instances 1,2,4" in outcome.out


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2.5e-6, "2.5 µs"), (0.00438, "4.38 ms"), (1.5, "1.5 s"), (1234.0, "1234 s")],
)
def test_time_text(seconds, text):
    assert time_text(seconds) == text
