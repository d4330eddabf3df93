"""ingot run."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from tests.python.programs import identity

import ingot
from ingot import _ingot
from ingot.dtypes import DType
from ingot.ir.builder import Builder
from ingot.ir.graph import Program
from ingot.ir.types import BOOL, FLOAT, INT, STR, TENSOR, DictType, ListType, TensorType, TupleType

X = np.arange(12, dtype=np.float32).reshape(4, 3)
Y = X @ np.arange(6, dtype=np.float32).reshape(2, 3).T + np.array([1, -1], np.float32)


@pytest.fixture
def x(tmp_path):
    np.save(tmp_path / "x.npy", X)
    return tmp_path / "x.npy"


@pytest.mark.parametrize("prefix", ["", "x="])
def test_arrays(command, model, x, tmp_path, prefix):
    y = tmp_path / "y.npy"
    assert command("run", model, "--input", f"{prefix}{x}", "--output", y).code == 0
    np.testing.assert_allclose(np.load(y), Y, rtol=1e-6)


def test_without_output_the_result_is_described(command, model, x):
    outcome = command("run", model, "--input", x, "--threads", 1)
    assert "result: float32[4, 2]" in outcome.out and "6." in outcome.out


def test_containers_and_numbers(command, tmp_path):
    program = Program()
    inputs = [
        ("n", INT),
        ("f", FLOAT),
        ("b", BOOL),
        ("s", STR),
        ("l", ListType(INT)),
        ("t", TENSOR),
    ]
    b = Builder.method(program, "forward", inputs)
    n, f, flag, s, items, t = b.inputs
    types = tuple(v.type for v in b.inputs)
    pair = b.insert("prim::TupleConstruct", [t, t], [TupleType((TENSOR, TENSOR))]).output
    entries = b.insert("prim::DictConstruct", [s, n], [DictType(STR, INT)]).output
    result = TupleType((TupleType((TENSOR, TENSOR)), DictType(STR, INT), *types[1:5]))
    b.returns(b.insert("prim::TupleConstruct", [pair, entries, f, flag, s, items], [result]).output)
    path = tmp_path / "all.ingot"
    ingot.Module.from_program(program).save(path)
    np.save(tmp_path / "t.npy", X)
    options = ["--input", "7", "--input", "0.5", "--input", "true", "--input", '"text"']
    options += ["--input", "l=[1, 2]", "--input", f"t={tmp_path / 't.npy'}"]
    outcome = command(
        "run", path, *options, "--output", tmp_path / "1.npy", "--output", tmp_path / "2.npy"
    )
    assert outcome.code == 0, outcome.err
    np.testing.assert_array_equal(np.load(tmp_path / "2.npy"), X)
    lines = outcome.out.splitlines()
    assert lines == [
        "result[1]['text']: 7",
        "result[2]: 0.5",
        "result[3]: True",
        "result[4]: 'text'",
        "result[5][0]: 1",
        "result[5][1]: 2",
    ]


def test_bfloat16(command, tmp_path):
    identity(TensorType(DType.bf16)).save(tmp_path / "m.ingot")
    x = X.astype(ml_dtypes.bfloat16)
    np.save(tmp_path / "x.npy", x)
    outcome = command(
        "run", tmp_path / "m.ingot", "--input", tmp_path / "x.npy", "--output", tmp_path / "y.npy"
    )
    assert outcome.code == 0, outcome.err
    y = np.load(tmp_path / "y.npy")
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y, x.astype(np.float32))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "forward needs the input 'x'"),
        (["--input", "nowhere.npy"], "cannot read 'nowhere.npy'"),
        (["--input", "3"], "input 'x' must be f32[B, 3], got int"),
        (["--input", "text"], "neither a .npy file nor a JSON value"),
        (["--input", __file__], "is no .npy file"),
        (["--method", "decode"], "no method 'decode'"),
        (["--threads", "-1"], "-1"),
    ],
)
def test_failures_are_sentences(command, model, options, sentence):
    outcome = command("run", model, *options)
    assert outcome.code == 2
    assert outcome.err.startswith("error: ") and sentence in outcome.err


def test_output_files_must_match(command, model, x, tmp_path):
    names = [part for i in range(2) for part in ("--output", tmp_path / f"{i}.npy")]
    outcome = command("run", model, "--input", x, *names)
    assert outcome.code == 2 and "1 tensors, but 2 --output" in outcome.err
    outcome = command("run", model, "--input", x, "--output", tmp_path / "no" / "y.npy")
    assert outcome.code == 2 and "cannot write" in outcome.err


def test_a_damaged_array_is_a_sentence(command, model, tmp_path):
    (tmp_path / "x.npy").write_bytes(b"not numpy")
    outcome = command("run", model, "--input", tmp_path / "x.npy")
    assert outcome.code == 2 and "no valid .npy file" in outcome.err


def test_the_version_is_the_library_s(command):
    outcome = command("--version")
    assert outcome.code == 0
    assert outcome.out == f"ingot {ingot.__version__}\n"


def test_a_precision_that_the_machine_lacks(command, model, x):
    _ingot.set_simd_level(0)
    try:
        for name in ("run", "bench", "profile"):
            outcome = command(name, model, "--input", x, "--precision", "bf16")
            assert outcome.code == 2 and "needs a processor with AVX-512 BF16" in outcome.err
    finally:
        _ingot.set_simd_level(len(_ingot.simd_levels()) - 1)
    assert command("run", model, "--input", x, "--precision", "f32").code == 0
    assert command("run", model, "--input", x, "--precision", "f16").code == 2
