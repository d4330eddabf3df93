"""Programs written as text, run by the interpreter: control flow, containers, state, errors."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import ingot
from ingot.ir.parser import parse
from ingot.module import Module


def module(text: str) -> Module:
    return Module.from_program(parse(text))


COLLATZ = """
method forward(%n : int):
  %one : int = prim::Constant[value=1]()
  %two : int = prim::Constant[value=2]()
  %three : int = prim::Constant[value=3]()
  %zero : int = prim::Constant[value=0]()
  %many : int = prim::Constant[value=9223372036854775807]()
  %go : bool = aten::ne.int(%n, %one)
  %last : int, %steps : int = prim::Loop(%many, %go, %n, %zero)
    block0(%i : int, %m : int, %s : int):
      %rest : int = aten::remainder.int(%m, %two)
      %odd : bool = aten::eq.int(%rest, %one)
      %next : int = prim::If(%odd)
        block0():
          %a : int = aten::mul.int(%m, %three)
          %b : int = aten::add.int(%a, %one)
          -> (%b)
        block1():
          %c : int = aten::floordiv.int(%m, %two)
          -> (%c)
      %t : int = aten::add.int(%s, %one)
      %more : bool = aten::ne.int(%next, %one)
      -> (%more, %next, %t)
  return (%steps)
"""


@pytest.mark.parametrize(("n", "steps"), [(1, 0), (2, 1), (27, 111), (97, 118)])
def test_nested_control_flow(n: int, steps: int) -> None:
    assert module(COLLATZ)(n) == steps


def test_loop_carried_values_may_swap() -> None:
    m = module("""
method forward(%n : int):
  %zero : int = prim::Constant[value=0]()
  %one : int = prim::Constant[value=1]()
  %true : bool = prim::Constant[value=True]()
  %x : int, %y : int = prim::Loop(%n, %true, %zero, %one)
    block0(%i : int, %a : int, %b : int):
      -> (%true, %b, %a)
  %r : Tuple[int, int] = prim::TupleConstruct(%x, %y)
  return (%r)
""")
    assert [m(n) for n in range(3)] == [(0, 1), (1, 0), (0, 1)]


def test_a_value_that_goes_through_a_loop_unchanged_survives() -> None:
    m = module("""
method forward(%x : Tensor, %n : int):
  %true : bool = prim::Constant[value=True]()
  %one : int = prim::Constant[value=1]()
  %y : Tensor = prim::Loop(%n, %true, %x)
    block0(%i : int, %a : Tensor):
      %b : Tensor = aten::add.Tensor(%a, %x, %one)
      -> (%true, %b)
  %z : Tensor = aten::add.Tensor(%y, %x, %one)
  return (%z)
""")
    x = np.ones(3, np.float32)
    for n in (0, 1, 5):
        np.testing.assert_array_equal(m(x, n), x * (n + 2))


def test_constant_lists_are_fresh_in_every_run() -> None:
    m = module("""
method forward(%n : int):
  %list : List[int] = prim::Constant[value=[1, 2]]()
  %longer : List[int] = aten::append.t(%list, %n)
  return (%list)
""")
    assert m(3) == [1, 2, 3]
    assert m(4) == [1, 2, 4]


def test_recursion_and_its_limit() -> None:
    m = module("""
method forward(%n : int):
  %r : int = prim::Call[method="sum"](%n)
  return (%r)

private method sum(%n : int):
  %one : int = prim::Constant[value=1]()
  %zero : int = prim::Constant[value=0]()
  %go : bool = aten::gt.int(%n, %zero)
  %r : int = prim::If(%go)
    block0():
      %m : int = aten::sub.int(%n, %one)
      %s : int = prim::Call[method="sum"](%m)
      %t : int = aten::add.int(%s, %n)
      -> (%t)
    block1():
      -> (%zero)
  return (%r)
""")
    assert m(100) == 5050
    with pytest.raises(ingot.Error, match="deeper than 1000"):
        m(100_000)
    assert m(10) == 55


COUNTER = """
state "count" : i64[] buffer mutable = i64[] [0]

method forward(%x : Tensor):
  %one : int = prim::Constant[value=1]()
  %old : Tensor = prim::GetState[name="count"]()
  %new : Tensor = aten::add.Scalar(%old, %one, %one)
  prim::SetState[name="count"](%new)
  return (%new)
"""


def test_state_is_kept_between_calls_and_threads_take_turns() -> None:
    m = module(COUNTER)
    x = np.zeros(1, np.float32)
    assert int(m(x)) == 1
    seen: list[int] = []
    threads = [
        threading.Thread(target=lambda: seen.extend(int(m(x)) for _ in range(50))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(2, 202))


def test_dict_tuple_and_optional() -> None:
    m = module("""
method forward(%x : Optional[int], %d : Dict[str, int]):
  %none : None = prim::Constant[value=None]()
  %key : str = prim::Constant[value="k"]()
  %missing : bool = aten::__is__(%x, %none)
  %r : int = prim::If(%missing)
    block0():
      %v : int = aten::__getitem__.Dict_str(%d, %key)
      -> (%v)
    block1():
      %w : int = prim::Cast(%x)
      -> (%w)
  %out : Dict[str, int] = prim::DictConstruct(%key, %r)
  return (%out)
""")
    assert m(None, {"k": 7}) == {"k": 7}
    assert m(3, {}) == {"k": 3}
    with pytest.raises(ingot.Error, match="k"):
        m(None, {"other": 1})
    assert m(3, {}) == {"k": 3}


def test_a_failing_op_names_itself_its_inputs_and_the_users_line() -> None:
    m = module("""
method forward(%x : Tensor, %y : Tensor):
  %one : int = prim::Constant[value=1]()
  %z : Tensor = aten::add.Tensor(%x, %y, %one)
  return (%z)
""")
    with pytest.raises(ingot.Error) as caught:
        m(np.ones((2, 3), np.float32), np.ones((2, 4), np.float32))
    text = str(caught.value)
    assert "aten::add.Tensor" in text
    assert "f32[2, 3]" in text
    assert "f32[2, 4]" in text


def test_symbols_bind_ranges_and_equality() -> None:
    m = module("""
symbol B in [1, 8]

method forward(%x : f32[B, 2], %y : f32[B, 2]):
  %one : int = prim::Constant[value=1]()
  %z : Tensor = aten::add.Tensor(%x, %y, %one)
  return (%z)
""")
    ones = np.ones((3, 2), np.float32)
    np.testing.assert_array_equal(m(ones, ones), ones * 2)
    with pytest.raises(ingot.GuardError, match="must have size 3 in dimension 0"):
        m(ones, np.ones((4, 2), np.float32))
    with pytest.raises(ingot.GuardError, match="1 to 8"):
        m(np.ones((9, 2), np.float32), np.ones((9, 2), np.float32))


def test_weights_are_read_only() -> None:
    m = module("""
state "w" : f32[2] parameter = f32[2] [1.0, 2.0]

method forward(%x : f32[2]):
  %one : int = prim::Constant[value=1]()
  %w : f32[2] = prim::GetState[name="w"]()
  %z : Tensor = aten::add_.Tensor(%w, %x, %one)
  return (%z)
""")
    with pytest.raises(ingot.Error, match="read-only"):
        m(np.ones(2, np.float32))
