from __future__ import annotations

import errno
import json
import os
import resource
import stat

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open

from ingot.dtypes import DType
from ingot.errors import Error
from ingot.file import writer
from ingot.file.reader import read
from ingot.file.writer import program_bytes, save, to_bytes
from ingot.ir.graph import (
    ATTRIBUTE,
    BUFFER,
    Block,
    Input,
    Method,
    Node,
    Program,
    Source,
    State,
    Symbol,
    TensorData,
    Value,
)
from ingot.ir.types import (
    BOOL,
    COMPLEX,
    FLOAT,
    INT,
    NONE,
    STR,
    TENSOR,
    DictType,
    ListType,
    NamedTupleType,
    OptionalType,
    TensorType,
    TupleType,
    UnionType,
)

DTYPES = {
    DType.u8: torch.uint8,
    DType.i8: torch.int8,
    DType.i16: torch.int16,
    DType.i32: torch.int32,
    DType.i64: torch.int64,
    DType.f16: torch.float16,
    DType.bf16: torch.bfloat16,
    DType.f32: torch.float32,
    DType.f64: torch.float64,
    DType.c64: torch.complex64,
    DType.bool: torch.bool,
}


def tensor_data(tensor: torch.Tensor, dtype: DType) -> TensorData:
    flat = tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    return TensorData(dtype, tuple(tensor.shape), memoryview(flat))


def add_tensor(program: Program, name: str, tensor: torch.Tensor, dtype: DType) -> None:
    data = tensor_data(tensor, dtype)
    program.state[name] = State(name, TensorType(dtype, data.shape), data)


def identity(program: Program, type=TENSOR, name: str = "forward") -> None:
    x = Value(type, "x")
    program.methods[name] = Method(name, Block([x], [], [x]), [Input("x")])


def make_program() -> Program:
    """One of everything that a file can hold."""
    program = Program()
    program.symbols["B"] = Symbol("B", 1, None, Source("m.py", 1))
    program.symbols["T"] = Symbol("T", 0, 512)
    torch.manual_seed(0)
    for i, (dtype, torch_dtype) in enumerate(DTYPES.items()):
        shape = [(), (0,), (1,), (3, 17), (16,), (64, 4)][i % 6]
        add_tensor(program, f"layer.{dtype}", (torch.randn(shape) * 4).to(torch_dtype), dtype)
    state = program.state
    state["tied.weight"] = State("tied.weight", TENSOR, state["layer.f32"].value, BUFFER, True)
    state["rate"] = State("rate", FLOAT, 0.5, ATTRIBUTE, True)
    state["names"] = State("names", ListType(STR), ("a", "ü", ""), ATTRIBUTE)

    stack = Source("m.py", 7, 4, "forward", "y = f(x)", Source("main.py", 1, 0, "main", "m(x)"))
    x = Value(TensorType(DType.f32, ("B", None, 3)), "x")
    kinds = (
        OptionalType(TENSOR),
        DictType(STR, ListType(UnionType((INT, STR)))),
        TupleType(()),
        NamedTupleType("Out", ("loss", "n"), (TENSOR, INT)),
        COMPLEX,
        NONE,
    )
    more = [Value(kind, f"a{i}") for i, kind in enumerate(kinds)]
    flag = Node("prim::Constant", [], [Value(BOOL)], {"value": True}, [], stack)
    then = Node("aten::relu", [x], [Value(TENSOR)], {}, [], stack)
    branch = Node(
        "prim::If",
        [flag.output],
        [Value(TENSOR, "y")],
        {},
        [Block([], [then], [then.output]), Block([], [], [x])],
        stack.caller,
    )
    odd = Node(
        "prim::Constant",
        [],
        [Value(ListType(FLOAT))],
        {"value": (0.0, -0.0, float("nan"), float("inf"), 1 - 2j, None, -(2**63), (), "é", True)},
    )
    program.methods["forward"] = Method(
        "forward",
        Block([x, *more], [flag, branch, odd], [branch.output]),
        [Input("x"), *(Input(f"a{i}", (1, "s", None)) for i in range(len(more)))],
        dim_sources={(0, "", 2): stack, (1, "['mask'][0]", 0): stack.caller},
    )
    identity(program, name="helper")
    program.methods["helper"].exported = False
    return program


def header_of(path) -> tuple[int, dict]:
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    return 8 + length, json.loads(raw[8 : 8 + length])


def test_round_trip(tmp_path):
    program = make_program()
    save(program, tmp_path / "m.ingot", {"notes.txt": "grüße", "raw/a b": b"\0\1", "empty": b""})
    again, extra = read(tmp_path / "m.ingot")
    assert extra == {"notes.txt": "grüße".encode(), "raw/a b": b"\0\1", "empty": b""}
    assert program_bytes(again) == program_bytes(program)
    assert again.symbols == program.symbols
    assert again.methods["forward"].dim_sources == program.methods["forward"].dim_sources
    assert [i.default for i in again.methods["forward"].inputs[1:]] == [(1, "s", None)] * 6
    assert not again.methods["helper"].exported
    types = [v.type for v in program.methods["forward"].body.inputs]
    assert [v.type for v in again.methods["forward"].body.inputs] == types
    odd = again.methods["forward"].body.nodes[-1].attributes["value"]
    assert repr(odd) == repr(program.methods["forward"].body.nodes[-1].attributes["value"])
    nodes = [*again.methods["forward"].body.walk()]
    assert [n.source for n in nodes] == [n.source for n in program.methods["forward"].body.walk()]
    for name, state in program.state.items():
        other = again.state[name]
        assert (other.type, other.kind, other.mutable) == (state.type, state.kind, state.mutable)
        if isinstance(state.value, TensorData):
            assert bytes(other.value.data) == bytes(state.value.data)
            assert (other.value.dtype, other.value.shape) == (state.value.dtype, state.value.shape)
        else:
            assert other.value == state.value
    assert again.state["tied.weight"].value is again.state["layer.f32"].value


def test_reading_from_bytes(tmp_path):
    save(make_program(), tmp_path / "m.ingot")
    again, _ = read((tmp_path / "m.ingot").read_bytes())
    assert program_bytes(again) == program_bytes(make_program())


def test_safetensors_reads_every_weight(tmp_path):
    program = make_program()
    save(program, tmp_path / "m.ingot", {"notes": b"n"})
    with safe_open(tmp_path / "m.ingot", "pt") as file:
        tensors = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118
        assert file.metadata()["ingot.format"] == "1"
    assert "tied.weight" not in tensors
    assert bytes(tensors["__ingot__.extra.notes"].numpy()) == b"n"
    for dtype, torch_dtype in DTYPES.items():
        expected = program.state[f"layer.{dtype}"].value
        found = tensors[f"layer.{dtype}"]
        assert found.dtype == torch_dtype
        assert tensor_data(found, dtype).data == expected.data
        assert tuple(found.shape) == expected.shape


def test_complex128_is_stored_as_pairs_of_float64(tmp_path):
    program = Program()
    identity(program)
    add_tensor(program, "z", torch.randn(3, 2, dtype=torch.complex128), DType.c128)
    program.state["tied"] = State("tied", program.state["z"].type, program.state["z"].value)
    save(program, tmp_path / "m.ingot")
    with safe_open(tmp_path / "m.ingot", "pt") as file:
        assert file.get_tensor("z").shape == (3, 2, 2)
    again, _ = read(tmp_path / "m.ingot")
    assert again.state["z"].value.shape == (3, 2)
    assert again.state["z"].value.data == program.state["z"].value.data
    assert again.state["tied"].value is again.state["z"].value


def test_alignment_and_order(tmp_path):
    save(make_program(), tmp_path / "m.ingot")
    start, table = header_of(tmp_path / "m.ingot")
    assert start % 64 == 0
    rows = [(n, r) for n, r in table.items() if n != "__metadata__"]
    assert rows[0][0] == "__ingot__.program"
    end = 0
    sizes = {"F64": 8, "I64": 8, "C64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "I16": 2}
    for _, row in rows:
        begin, after = row["data_offsets"]
        assert begin == end
        end = after
        assert begin % sizes.get(row["dtype"], 1) == 0
        if after - begin >= 64 and (after - begin) % 64 == 0:
            assert begin % 64 == 0
    assert start + end == (tmp_path / "m.ingot").stat().st_size


def test_bytes_are_those_of_the_file(tmp_path):
    save(make_program(), tmp_path / "m.ingot", {"x": b"1"})
    assert to_bytes(make_program(), {"x": b"1"}) == (tmp_path / "m.ingot").read_bytes()


def test_equal_programs_give_equal_bytes(tmp_path):
    save(make_program(), tmp_path / "a.ingot", {"x": b"1", "y": b"2"})
    save(make_program(), tmp_path / "b.ingot", {"y": b"2", "x": b"1"})
    assert (tmp_path / "a.ingot").read_bytes() == (tmp_path / "b.ingot").read_bytes()


def test_producer_is_the_version_of_the_build():
    root = os.path.join(os.path.dirname(__file__), "..", "..", "CMakeLists.txt")
    with open(root) as file:
        version = file.read().split("project(ingot VERSION ")[1].split()[0]
    assert f"ingot {version}" == writer.PRODUCER


def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "m.ingot"
    save(make_program(), path)
    before = path.read_bytes()

    def full(file, entries):
        file.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(writer, "_write", full)
    with pytest.raises(Error, match=r"No space left.*unchanged") as caught:
        save(Program(), path)
    assert "free some space" in caught.value.hint
    assert caught.value.code == "io"
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["m.ingot"]


def test_a_real_limit_of_the_system(tmp_path):
    """A file size limit stops the write in its middle, as a full disk does."""
    program = Program()
    identity(program)
    add_tensor(program, "w", torch.zeros(1 << 18), DType.f32)
    path = tmp_path / "m.ingot"
    path.write_bytes(b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(Error, match="cannot save"):
            save(program, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["m.ingot"]


@pytest.mark.parametrize("place", ["missing/m.ingot", "."])
def test_places_that_cannot_be_written(tmp_path, place):
    with pytest.raises(Error, match="cannot save") as caught:
        save(make_program(), tmp_path / place)
    assert caught.value.hint
    assert os.listdir(tmp_path) == []


def test_permissions_are_those_of_a_new_file_or_of_the_old_one(tmp_path):
    save(make_program(), tmp_path / "m.ingot")
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE((tmp_path / "m.ingot").stat().st_mode) == 0o666 & ~mask
    (tmp_path / "m.ingot").chmod(0o640)
    save(make_program(), tmp_path / "m.ingot")
    assert stat.S_IMODE((tmp_path / "m.ingot").stat().st_mode) == 0o640


def test_reserved_names(tmp_path):
    program = make_program()
    add_tensor(program, "__ingot__.program", torch.zeros(1), DType.f32)
    with pytest.raises(Error, match="needs itself"):
        save(program, tmp_path / "m.ingot")


def nested(depth: int) -> Program:
    program = Program()
    flag = Value(BOOL, "flag")
    block = Block([], [], [flag])
    for _ in range(depth):
        node = Node("prim::If", [flag], [Value(BOOL)], {}, [block, Block([], [], [flag])])
        block = Block([], [node], [node.output])
    block.inputs = [flag]
    program.methods["forward"] = Method("forward", block, [Input("flag")])
    return program


def test_nesting_has_a_limit_with_a_sentence(tmp_path):
    save(nested(99), tmp_path / "m.ingot")
    again, _ = read(tmp_path / "m.ingot")
    assert program_bytes(again) == program_bytes(nested(99))
    with pytest.raises(Error, match="nests deeper than 100"):
        save(nested(5000), tmp_path / "m.ingot")


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, "\ud800", object()])
def test_constants_that_cannot_be_saved(value):
    program = Program()
    node = Node("prim::Constant", [], [Value(INT)], {"value": value})
    program.methods["f"] = Method("f", Block([], [node], [node.output]), [])
    with pytest.raises(Error):
        program_bytes(program)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty"),
        (b"PK\3\4 zip", "zip archive"),
        (b"hello, world", "does not begin with a header"),
        (b"\2\0\0\0\0\0\0\0{}", "without a program"),
        (b"\x40\0\0\0\0\0\0\0{}", "truncated"),
        (b"\3\0\0\0\0\0\0\0{,}", "not valid JSON"),
        (b'\x07\0\0\0\0\0\0\0{"a":1}', "lacks dtype"),
    ],
)
def test_files_that_are_none(tmp_path, content, message):
    path = tmp_path / "m.ingot"
    path.write_bytes(content)
    with pytest.raises(Error, match=message) as caught:
        read(path)
    assert caught.value.code == "corrupt_file"


def test_missing_truncated_and_newer_files(tmp_path):
    path = tmp_path / "m.ingot"
    with pytest.raises(Error, match="No such file") as caught:
        read(path)
    assert caught.value.code == "io"
    save(make_program(), path)
    raw = path.read_bytes()
    path.write_bytes(raw[:-10])
    with pytest.raises(Error, match="truncated"):
        read(path)
    path.write_bytes(raw.replace(b'"ingot.format":"1"', b'"ingot.format":"2"'))
    with pytest.raises(Error, match="reads up to 1") as caught:
        read(path)
    assert caught.value.code == "version"


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_bytes_give_a_program_or_an_error(data):
    raw = bytearray(_SAMPLE)
    start = 8 + int.from_bytes(raw[:8], "little")
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, min(len(raw) - 1, start + 3000)))
        raw[place] = data.draw(st.integers(0, 255))
    try:
        read(bytes(raw))
    except Error as error:
        assert error.code in ("corrupt_file", "version")


_SAMPLE = to_bytes(make_program())


def test_a_link_is_followed_and_a_device_is_written_to(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "target.ingot")
    save(make_program(), tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target.ingot").stat().st_size > 0
    with pytest.raises(Error, match="No space left"):
        save(make_program(), "/dev/full")
    assert not os.path.isfile("/dev/full")
