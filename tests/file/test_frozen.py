"""Files that earlier releases wrote: every later release loads them and gives their answers.

``frozen/format_1.ingot`` was saved from ``TEXT`` by the first release. It is never written again.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import ingot
from ingot.file.reader import read
from ingot.ir.parser import parse
from ingot.ir.printer import print_program

FROZEN = Path(__file__).parent / "frozen" / "format_1.ingot"

TEXT = """\
symbol B in [1, 8] # model.py:3:4
state "w" : f32[3] parameter = f32[3] [1.0, 2.0, 3.0]
state "tied" : f32[3] parameter = same as "w"
state "steps" : i64[] buffer mutable = i64[] [0]
state "scale" : float attribute = 0.5

method forward(%x : f32[B, 3], %k : int = 2):
  fixed(0, "", 1) # model.py:7:8
  %one : int = prim::Constant[value=1]()
  %true : bool = prim::Constant[value=True]()
  %w : f32[3] = prim::GetState[name="w"]() # model.py:7:8
  %scale : float = prim::GetState[name="scale"]()
  %old : i64[] = prim::GetState[name="steps"]()
  %new : Tensor = aten::add.Scalar(%old, %one, %one) # model.py:6:8
  prim::SetState[name="steps"](%new)
  %positive : bool = aten::ge.int(%k, %one)
  %y : Tensor = prim::If(%positive)
    block0():
      %z : Tensor = prim::Loop(%k, %true, %x)
        block0(%i : int, %a : Tensor):
          %b : Tensor = aten::mul.Tensor(%a, %w) # model.py:9:12
          -> (%true, %b)
      -> (%z)
    block1():
      %c : Tensor = prim::Call[method="halve"](%x, %scale)
      -> (%c)
  %names : List[str] = prim::Constant[value=["y", "steps"]]()
  %r : Result(y: Tensor, names: List[str], steps: Tensor) = prim::TupleConstruct(%y, %names, %new)
  return (%r)

private method halve(%x : Tensor, %scale : float):
  %y : Tensor = aten::mul.Scalar(%x, %scale)
  return (%y)
"""


def test_the_frozen_file_gives_its_answers() -> None:
    extra = {"note": b""}
    m = ingot.load(FROZEN, extra_files=extra)
    assert extra["note"] == b"first"
    x = np.array([[1, 1, 1], [2, 2, 2]], np.float32)
    first = m(x)
    np.testing.assert_array_equal(first.y, [[1, 4, 9], [2, 8, 18]])
    assert first.names == ["y", "steps"]
    assert int(first.steps) == 1
    second = m(x, k=0)
    np.testing.assert_array_equal(second.y, x / 2)
    assert int(second.steps) == 2


def test_the_frozen_file_reads_as_its_text() -> None:
    program, _ = read(FROZEN)
    assert print_program(program) == print_program(parse(TEXT))
