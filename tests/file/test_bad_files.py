"""Files that are no programs: each gives an Error with a sentence, whatever the bytes."""

from __future__ import annotations

import json
import random
import struct
from pathlib import Path

import numpy as np
import pytest

import ingot
from ingot.file._fb import program_generated as fb
from ingot.ir.parser import parse
from ingot.module import Module

TEXT = """
symbol B in [1, 8]
state "w" : f32[3] parameter = f32[3] [1.0, 2.0, 3.0]
state "n" : i64[] buffer mutable = i64[] [0]

method forward(%x : f32[B, 3], %k : int):
  %one : int = prim::Constant[value=1]()
  %true : bool = prim::Constant[value=True]()
  %w : f32[3] = prim::GetState[name="w"]()
  %old : i64[] = prim::GetState[name="n"]()
  %new : Tensor = aten::add.Scalar(%old, %one, %one)
  prim::SetState[name="n"](%new)
  %y : Tensor = prim::Loop(%k, %true, %x)
    block0(%i : int, %a : Tensor):
      %b : Tensor = aten::mul.Tensor(%a, %w)
      -> (%true, %b)
  %names : List[int] = prim::Constant[value=[1, 2]]()
  %r : Tuple[Tensor, List[int]] = prim::TupleConstruct(%y, %names)
  return (%r)
"""


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("good") / "m.ingot"
    Module.from_program(parse(TEXT)).save(path)
    return path.read_bytes()


def load(tmp_path: Path, content: bytes) -> Module:
    path = tmp_path / "bad.ingot"
    path.write_bytes(content)
    return ingot.load(path)


def split(content: bytes) -> tuple[dict, bytes]:
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def join(header: dict, data: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ingot.Error, match=r"absent\.ingot.*No such file"):
        ingot.load(tmp_path / "absent.ingot")
    with pytest.raises(ingot.Error, match="directory"):
        ingot.load(tmp_path)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"abc", "3 bytes"),
        (b"PK\x03\x04" + bytes(100), "zip archive"),
        (b"\x08\x00\x00\x00TFL3" + bytes(100), "no .ingot file"),
        (b"#!/usr/bin/env python3\nprint('hello')\n", "no .ingot file"),
        (struct.pack("<Q", 2) + b"{}", "without a program"),
        (struct.pack("<Q", 9) + b"{" * 9, "not valid JSON"),
        (struct.pack("<Q", 1000) + b"{}", "truncated"),
    ],
)
def test_other_formats(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(ingot.Error, match=sentence) as caught:
        load(tmp_path, content)
    assert "bad.ingot" in str(caught.value)


def test_every_truncation_is_noticed(tmp_path: Path, good: bytes) -> None:
    for length in {*range(64), *range(64, len(good), 37), len(good) - 1}:
        with pytest.raises(ingot.Error):
            load(tmp_path, good[:length])


def test_a_newer_version_says_so(tmp_path: Path, good: bytes) -> None:
    header, data = split(good)
    header["__metadata__"]["ingot.format"] = "99"
    with pytest.raises(ingot.Error, match="format 99") as caught:
        load(tmp_path, join(header, data))
    assert caught.value.code == "version"
    assert "newer Ingot" in caught.value.hint


def test_all_unknown_ops_are_listed_at_once(tmp_path: Path, good: bytes) -> None:
    changed = good.replace(b"aten::add.Scalar", b"aten::odd.Scalar")
    changed = changed.replace(b"aten::mul.Tensor", b"aten::mud.Tensor")
    assert changed != good
    with pytest.raises(ingot.Error) as caught:
        load(tmp_path, changed)
    assert caught.value.code == "unsupported"
    assert "aten::odd.Scalar" in caught.value.message
    assert "aten::mud.Tensor" in caught.value.message


def test_an_op_without_a_name_is_unknown(tmp_path: Path, good: bytes) -> None:
    name = b"aten::mul.Tensor"
    text = struct.pack("<I", len(name)) + name
    assert text in good
    with pytest.raises(ingot.Error, match='does not have: ""'):
        load(tmp_path, good.replace(text, bytes(len(text))))


def test_a_state_tensor_of_another_shape_is_refused(tmp_path: Path, good: bytes) -> None:
    header, data = split(good)
    header["w"]["shape"] = [1, 3]
    with pytest.raises(ingot.Error, match=r"'w' is declared f32\[3\]"):
        load(tmp_path, join(header, data))
    header["w"]["shape"] = [4]
    with pytest.raises(ingot.Error, match="does not fit its shape"):
        load(tmp_path, join(header, data))
    del header["w"]
    with pytest.raises(ingot.Error, match="lacks"):
        load(tmp_path, join(header, data))


def test_damaged_bytes_load_or_raise_and_what_loads_runs_or_raises(
    tmp_path: Path, good: bytes
) -> None:
    randomness = random.Random(0)
    x = np.ones((2, 3), np.float32)
    raised = 0
    for _ in range(1500):
        content = bytearray(good)
        for _ in range(randomness.choice([1, 1, 2, 8])):
            content[randomness.randrange(len(content))] = randomness.randrange(256)
        try:
            load(tmp_path, bytes(content))(x, 3)
        except ingot.Error as error:
            raised += 1
            assert error.message
    assert raised > 300


CLASSES = """
class Leaf(weight: Tensor)
class Node(value: int, next: Optional[Object[Node]])

method forward(%n : int):
  %node : Object[Node] = prim::CreateObject()
  prim::SetAttr[name="value"](%node, %n)
  %is : bool, %next : Object[Node] = prim::IsInstance(%node)
  prim::SetAttr[name="next"](%node, %next)
  %leaf : Object[Leaf] = prim::CreateObject()
  %got : int = prim::GetAttr[name="value"](%node)
  %r : Tuple[int, Object[Leaf], Object[Node]] = prim::TupleConstruct(%got, %leaf, %node)
  return (%r)
"""


@pytest.fixture(scope="module")
def with_classes(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("classes") / "m.ingot"
    Module.from_program(parse(CLASSES)).save(path)
    return path.read_bytes()


def program_part(content: bytes) -> tuple[int, fb.Program]:
    """Where the program begins in the file, and the program, to find the places of numbers."""
    start = content.index(b"INGT") - 4
    return start, fb.Program.GetRootAs(bytearray(content[start:]), 0)


def patched(content: bytes, place: int, number: int) -> bytes:
    return content[:place] + struct.pack("<I", number) + content[place + 4 :]


def vector_place(table: object, field: int) -> int:
    """Where the first number of a vector lies: ``field`` counts from 0 in program.fbs."""
    tab = table._tab  # type: ignore[attr-defined]
    return int(tab.Vector(tab.Offset(4 + 2 * field)))


def test_classes_load(tmp_path: Path, with_classes: bytes) -> None:
    number, leaf, node = load(tmp_path, with_classes)(7)
    assert (number, leaf.class_name, node.value, node.next is node) == (7, "Leaf", 7, True)


def test_damaged_classes(tmp_path: Path, with_classes: bytes) -> None:
    start, program = program_part(with_classes)
    node = program.Classes(1)
    types = start + vector_place(node, 2)
    damaged = {
        "out of range": patched(with_classes, types, 1000),
        "2 fields and 1 types": patched(with_classes, types - 4, 1),
        "occurs twice": with_classes.replace(b"\x04\0\0\0Leaf", b"\x04\0\0\0Node"),
        "attribute has type int": patched(with_classes, types, program.Classes(0).Types(0)),
    }
    for sentence, content in damaged.items():
        assert content != with_classes, sentence
        with pytest.raises(ingot.Error, match=sentence) as caught:
            load(tmp_path, content)
        assert caught.value.code == "corrupt_file"


def test_an_object_of_a_missing_class(tmp_path: Path, with_classes: bytes) -> None:
    start, program = program_part(with_classes)
    for number in range(program.TypesLength()):
        type = program.Types(number)
        offset = type._tab.Offset(4 + 2 * 7)
        if type.Kind() == fb.TypeKind.Object and offset:
            place = start + type._tab.Pos + offset
            with pytest.raises(ingot.Error, match="class number 9 is out of range"):
                load(tmp_path, patched(with_classes, place, 9))
            return
    raise AssertionError("the file has no Object type with a number")


def test_damaged_bytes_of_a_program_with_classes(tmp_path: Path, with_classes: bytes) -> None:
    randomness = random.Random(1)
    for _ in range(1500):
        content = bytearray(with_classes)
        for _ in range(randomness.choice([1, 1, 2, 8])):
            content[randomness.randrange(len(content))] = randomness.randrange(256)
        try:
            load(tmp_path, bytes(content))(3)
        except ingot.Error as error:
            assert error.message
