"""What users get wrong (``mistakes.txt``): a sentence, the line and the span underlined."""

import importlib.util
import re
import subprocess
from pathlib import Path

import pytest
from test_programs import BUILD

import ingot

HEAD = """import os
import math
import numpy as np
import torch
from torch import Tensor, nn
from typing import NamedTuple, Optional
import ingot


"""
TABLE = (Path(__file__).parent / "mistakes.txt").read_text()
BLOCKS = dict(re.findall(r"^# (\w+)\n(.*?)(?=^# \w+\n|\Z)", TABLE, re.M | re.S))


def load(path: Path, source: str):
    path.write_text(source)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", BLOCKS)
def test_mistake(name, tmp_path):
    block = BLOCKS[name]
    source = HEAD + block[: block.index("=> ")]
    target = load(tmp_path / f"{name}.py", source).target
    with pytest.raises(ingot.Error) as caught:
        ingot.script(target)
    text = str(caught.value)
    assert "Traceback" not in text and "compiler failed" not in text
    for sentence, span in re.findall(r"^=> (.*)\n(?:   \^ (.*)\n?)?", block, re.M):
        assert sentence in text
        if span:
            place = rf"{name}\.py:(\d+):(\d+) in \w+\n.*\n *(\^+)"
            underlined = [
                source.splitlines()[int(line) - 1]
                .encode()[int(column) - 1 :][: len(marks)]
                .decode()
                for line, column, marks in re.findall(place, text)
            ]
            assert span in underlined, text


def third(v: list[int], i: int) -> int:
    return v[i]


def second(v: list[int], i: int) -> int:
    return third(v, i) + 1


def out_of_range(v: list[int], i: int):
    return second(v, i)


def no_key(d: dict[str, int], key: str):
    return d[key]


def divides(a: int, b: int):
    return a // b


def overflows(a: int, b: int):
    return a * b


def asserts(n: int):
    assert n > 3, f"n is {n}"
    return n


def raises(n: int):
    if n < 10:
        raise ValueError("too small: " + str(n))
    return n


def pops(v: list[int]):
    return v.pop()


def reads_text(text: str):
    return int(text)


def unpacks(v: list[int]):
    a, b = v
    return a + b


FAILURES = [
    (
        out_of_range,
        ([1, 2], 7),
        "index",
        ["return v[i]", "return third(v, i) + 1", "return second(v, i)"],
    ),
    (no_key, ({"a": 1}, "b"), "KeyError", ["return d[key]"]),
    (divides, (1, 0), "ZeroDivisionError", ["return a // b"]),
    (overflows, (2**62, 4), "64 bits", ["return a * b"]),
    (asserts, (2,), "AssertionError: n is 2", ['assert n > 3, f"n is {n}"']),
    (raises, (5,), "ValueError: too small: 5", ['raise ValueError("too small: " + str(n))']),
    (pops, ([],), "pop from empty list", ["return v.pop()"]),
    (reads_text, ("twelve",), "'twelve'", ["return int(text)"]),
    (unpacks, ([1, 2, 3],), "unpack", ["a, b = v"]),
]


@pytest.mark.parametrize("case", FAILURES, ids=lambda case: case[0].__name__)
def test_failure_while_running(case, tmp_path):
    """The sentence, the line and the callers: from Python and from C++."""
    function, args, sentence, lines = case
    compiled = ingot.script(function)
    with pytest.raises(ingot.Error) as caught:
        compiled(*args)
    compiled.save(tmp_path / "program.ingot")
    command = [BUILD / "ingot-run", tmp_path / "program.ingot"]
    for each in args:
        command += ["--value", repr(each)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    for text in (str(caught.value), done.stderr):
        assert sentence in text and "test_mistakes.py:" in text
        places = [text.find(line) for line in lines]
        assert -1 not in places and places == sorted(places)
