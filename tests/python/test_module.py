"""Modules: calls, methods, state, files, copies."""

from __future__ import annotations

import copy
import inspect
import io
import os
import pickle
import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest
import torch
from tests.python.programs import counter, linear_program, tensor_state

import ingot
from ingot.dtypes import DType
from ingot.file.writer import to_bytes
from ingot.ir.builder import Builder
from ingot.ir.graph import ATTRIBUTE, CONSTANT, Program, State
from ingot.ir.types import INT, TensorType

WEIGHT = np.arange(6, dtype=np.float32).reshape(2, 3)
BIAS = np.array([1, -1], np.float32)


@pytest.fixture
def linear() -> ingot.Module:
    return ingot.Module.from_program(linear_program(WEIGHT, BIAS))


def arithmetic() -> ingot.Module:
    """forward(a, b=10, c=100) -> a + b * c, and a method `save` that doubles."""
    program = Program()
    b = Builder.method(program, "forward", [("a", INT), ("b", INT, 10), ("c", INT, 100)])
    product = b.op("aten::mul.int", b.inputs[1], b.inputs[2])
    b.returns(b.op("aten::add.int", b.inputs[0], product))
    b = Builder.method(program, "save", [("n", INT)])
    b.returns(b.op("aten::mul.int", b.inputs[0], 2))
    b = Builder.method(program, "hidden", [("n", INT)], exported=False)
    b.returns(b.inputs[0])
    return ingot.Module.from_program(program)


@pytest.mark.parametrize("batch", [0, 1, 3, 17, 1000])
def test_a_call_computes(linear, batch):
    x = np.random.default_rng(batch).standard_normal((batch, 3)).astype(np.float32)
    expected = torch.nn.functional.linear(*map(torch.from_numpy, (x, WEIGHT, BIAS)))
    np.testing.assert_allclose(linear(x), expected, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(linear(torch.from_numpy(x)), expected)


def test_arguments_are_bound_as_python_binds_them():
    m = arithmetic()
    assert m(1) == m.forward(1) == 1001
    assert m(1, 2) == m(1, b=2) == m(b=2, a=1) == 201
    assert m(1, c=0) == 1
    assert m(1, 2, 3) == m(c=3, b=2, a=1) == 7


@pytest.mark.parametrize(
    ("args", "kwargs", "sentence"),
    [
        ((), {}, r"forward needs the input 'a'; its inputs are \(a, b, c\)"),
        ((), {"b": 1}, "needs the input 'a'"),
        ((1, 2, 3, 4), {}, r"takes 3 inputs \(a, b, c\), but 4 were given"),
        ((1,), {"d": 1}, r"no input named 'd'; its inputs are \(a, b, c\)"),
        ((), {"A": 1}, "no input named 'A'"),
        ((1,), {"a": 1}, "'a' twice"),
    ],
)
def test_wrong_arguments_are_sentences(args, kwargs, sentence):
    with pytest.raises(ingot.Error, match=sentence) as caught:
        arithmetic()(*args, **kwargs)
    assert caught.value.code == "invalid_argument"


def test_methods():
    m = arithmetic()
    assert m.methods == ["forward", "save"]
    assert m.method("save")(4) == 8
    assert callable(m.save) and inspect.ismethod(m.save), "Module's own attributes win"
    assert m.forward is m.forward
    assert "forward" in dir(m)
    with pytest.raises(AttributeError, match="forward, save"):
        m.decode
    with pytest.raises(ingot.Error, match="no method 'decode'"):
        m.method("decode")
    with pytest.raises(ingot.Error, match="no method 'hidden'"):
        m.method("hidden")


def test_a_method_keeps_its_module_alive():
    forward = arithmetic().forward
    assert forward(1) == 1001
    assert repr(forward) == "<ingot method forward>" and forward.name == "forward"


def test_signature(linear):
    assert [str(p) for p in linear.inputs()] == ["x: f32[B, 3]"]
    assert [str(p) for p in arithmetic().inputs()] == ["a: int", "b: int = 10", "c: int = 100"]
    assert str(arithmetic().output("save")) == "int"
    assert "forward(x: f32[B, 3])" in repr(linear)
    assert "2 tensors, 8 numbers" in repr(linear)


def test_a_module_without_forward_says_so():
    program = Program()
    b = Builder.method(program, "decode", [("n", INT)])
    b.returns(b.inputs[0])
    m = ingot.Module.from_program(program)
    assert m.decode(3) == 3
    with pytest.raises(ingot.Error, match="no method 'forward'; .*decode"):
        m(3)


def test_subclasses_must_initialise():
    class Half(ingot.Module):
        def __init__(self) -> None:
            pass

    with pytest.raises(ingot.Error, match="not initialised"):
        Half()(1)


def test_state_dict_is_the_module_s_memory(linear):
    state = linear.state_dict()
    assert list(state) == ["weight", "bias"]
    assert np.shares_memory(state["weight"], WEIGHT)
    assert not state["weight"].flags.writeable
    tensors = linear.state_dict("torch")
    assert torch.equal(tensors["weight"], torch.from_numpy(WEIGHT))
    tensors["weight"].zero_()
    np.testing.assert_array_equal(linear.state_dict()["weight"], WEIGHT)
    with pytest.raises(ingot.Error, match="framework"):
        linear.state_dict("jax")


def test_state_dict_holds_parameters_and_buffers_only():
    program = linear_program(WEIGHT, BIAS)
    program.state["steps"] = State("steps", INT, 3, kind=ATTRIBUTE)
    program.state["table"] = tensor_state("table", BIAS, kind=CONSTANT)
    assert list(ingot.Module.from_program(program).state_dict()) == ["weight", "bias"]


def test_bfloat16_state():
    program = linear_program(WEIGHT, BIAS)
    half = WEIGHT.astype(ml_dtypes.bfloat16)
    program.state["half"] = tensor_state("half", half)
    m = ingot.Module.from_program(program)
    assert m.state_dict()["half"].dtype == ml_dtypes.bfloat16
    np.testing.assert_array_equal(m.state_dict()["half"], half)
    assert m.state_dict("torch")["half"].dtype == torch.bfloat16


def test_mutable_state_persists_and_is_saved(tmp_path):
    m = counter()
    one = np.ones(2, np.float32)
    assert m(one).tolist() == [1, 1]
    assert m(one).tolist() == [2, 2]
    assert m.state_dict()["total"].tolist() == [2, 2]
    m.save(tmp_path / "m.ingot")
    assert ingot.load(tmp_path / "m.ingot")(one).tolist() == [3, 3]


def test_copies():
    m = counter()
    one = np.ones(2, np.float32)
    m(one)
    shared, own, pickled = copy.copy(m), copy.deepcopy(m), pickle.loads(pickle.dumps(m))
    m(one)
    assert shared(one).tolist() == [3, 3]
    assert own(one).tolist() == [2, 2]
    assert pickled(one).tolist() == [2, 2]
    assert type(own) is ingot.Module and own.methods == m.methods


def test_deepcopy_keeps_identity_inside_containers():
    m = counter()
    first, second = copy.deepcopy([m, m])
    assert first is second and first is not m


@pytest.mark.parametrize("as_path", [str, os.fspath, lambda p: p])
def test_save_and_load_by_path(linear, tmp_path, as_path):
    path = as_path(tmp_path / "näme ☃.ingot")
    ingot.save(linear, path, {"labels.txt": "a\nb", "raw": b"\x00\xff"})
    m = ingot.load(path)
    assert m.extra_files == {"labels.txt": b"a\nb", "raw": b"\x00\xff"}
    x = np.ones((4, 3), np.float32)
    np.testing.assert_array_equal(m(x), linear(x))


def test_save_and_load_by_stream_and_bytes(linear):
    stream = io.BytesIO()
    linear.save(stream)
    x = np.ones((4, 3), np.float32)
    np.testing.assert_array_equal(ingot.load(stream.getvalue())(x), linear(x))
    stream.seek(0)
    np.testing.assert_array_equal(ingot.load(stream)(x), linear(x))
    assert stream.getvalue() == to_bytes(linear.program)


def test_saving_what_was_loaded_gives_the_same_bytes(linear, tmp_path):
    first, second = tmp_path / "1.ingot", tmp_path / "2.ingot"
    linear.save(first, {"a": b"1"})
    m = ingot.load(first)
    m.save(second)
    assert first.read_bytes() == second.read_bytes()
    m.save(first)  # over the file that is mapped
    assert m.state_dict()["weight"].tolist() == WEIGHT.tolist()
    m.save(second, {})
    assert ingot.load(second).extra_files == {}


def test_extra_files_as_torch_jit_has_them(linear, tmp_path):
    path = tmp_path / "m.ingot"
    linear.save(path, {"a": b"1", "b": b"2"})
    wanted = {"a": ""}
    ingot.load(path, extra_files=wanted)
    assert wanted == {"a": b"1"}
    everything: dict[str, bytes] = {}
    ingot.load(path, extra_files=everything)
    assert everything == {"a": b"1", "b": b"2"}
    with pytest.raises(ingot.Error, match="no extra file 'c'; it has: a, b"):
        ingot.load(path, extra_files={"c": ""})


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "io"),
        (b"", "corrupt_file"),
        (b"PK\3\4 something else", "corrupt_file"),
        (b"\xff" * 100, "corrupt_file"),
    ],
)
def test_bad_files_are_sentences_with_the_path(tmp_path, content, code):
    path = tmp_path / "bad.ingot"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ingot.Error, match="bad.ingot") as caught:
        ingot.load(path)
    assert caught.value.code == code


def test_a_path_that_is_no_text(tmp_path):
    with pytest.raises(ingot.Error, match="No such file") as caught:
        ingot.load(os.fsdecode(bytes(tmp_path) + b"/\xff"))
    assert caught.value.code == "io"


def test_every_truncation_is_an_error(linear):
    data = to_bytes(linear.program)
    for length in range(0, len(data), 37):
        with pytest.raises(ingot.Error):
            ingot.load(data[:length])


def test_eval_is_accepted_from_code_that_moves_over(linear):
    assert linear.eval() is linear


def test_to_torch_trains(linear):
    model = linear.to_torch()
    assert isinstance(model, torch.nn.Module)
    assert list(model.state_dict()) == ["weight", "bias"]
    x = torch.ones(4, 3)
    torch.testing.assert_close(model(x), linear(x))
    model(x).sum().backward()
    assert model.get_parameter("weight").grad.tolist() == [[4, 4, 4], [4, 4, 4]]


def test_to_torch_starts_from_the_present_state():
    m = counter()
    m(np.ones(2, np.float32))
    assert m.to_torch()(torch.ones(2)).tolist() == [2, 2]


def test_text(linear):
    assert "aten::linear(%x" in linear.graph and repr(linear.graph) == str(linear.graph)
    assert "def forward(self, x" in linear.code


def test_parts_that_do_not_fit_are_refused():
    from ingot import _ingot
    from ingot.file.writer import program_bytes

    code = program_bytes(linear_program(WEIGHT, BIAS))
    good = {"weight": (WEIGHT, int(DType.f32), (2, 3)), "bias": (BIAS, int(DType.f32), (2,))}
    assert ingot.Module(_ingot.assemble(code, good))(np.ones((1, 3), np.float32)).shape == (1, 2)
    for tensors, sentence in [
        ({}, "weight"),
        ({**good, "bias": (BIAS, int(DType.f32), (3,))}, "'bias' has 8 bytes, but needs 12"),
        ({**good, "bias": (BIAS, 99, (2,))}, "dtype number 99"),
        ({**good, "bias": (BIAS, int(DType.i32), (2,))}, "bias"),
    ]:
        with pytest.raises(ingot.Error, match=sentence):
            _ingot.assemble(code, tensors)


def test_nothing_is_imported_that_is_not_used(linear, tmp_path):
    path = tmp_path / "m.ingot"
    linear.save(path)
    script = f"""
import sys
import ingot
assert "ingot._ingot" not in sys.modules
m = ingot.load({str(path)!r})
assert not [m for m in sys.modules if m.split(".")[0] in ("torch", "numpy", "rich", "typer")]
import numpy
m(numpy.ones((2, 3), numpy.float32))
assert not [m for m in sys.modules if m.split(".")[0] in ("torch", "rich", "typer", "flatbuffers")]
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_public_names():
    assert set(ingot.__all__) <= set(dir(ingot))
    assert ingot.__version__.count(".") == 2
    before = ingot.get_num_threads()
    try:
        ingot.set_num_threads(1)
        assert ingot.get_num_threads() == 1
        with pytest.raises(ingot.Error, match="-1"):
            ingot.set_num_threads(-1)
    finally:
        ingot.set_num_threads(before)
    with pytest.raises(AttributeError, match="jit"):
        ingot.jit
    assert TensorType(DType.f32)
