"""What plans must keep of the interpreter's behaviour, case by case."""

from __future__ import annotations

import torch
from tests.plan.agreement import check_same, copies, interpreted, outcome, sharing, strides

from ingot.ir.parser import parse
from ingot.module import Module

CONSTANTS = """
  %false : bool = prim::Constant[value=False]()
  %none : None = prim::Constant[value=None]()
  %zero : int = prim::Constant[value=0]()
  %one : int = prim::Constant[value=1]()
  %two : int = prim::Constant[value=2]()
  %half : float = prim::Constant[value=0.5]()
"""


def module(body: str, inputs: str = "%x : Tensor", state: str = "") -> Module:
    """``body`` follows the constants and ends with the return."""
    return Module.from_program(parse(f"{state}\nmethod forward({inputs}):{CONSTANTS}{body}\n"))


def agree(m: Module, *inputs: torch.Tensor) -> list[torch.Tensor] | str:
    """Checks the planned run, twice, against the interpreted; gives what it gave."""
    given = copies(inputs)
    wanted = outcome(lambda *args: interpreted(m, *args), given)
    for _ in range(2):
        again = copies(inputs)
        found = outcome(m, again)
        check_same(found, wanted)
        check_same(again, given)
        if not isinstance(found, str) and not isinstance(wanted, str):
            assert sharing([*found, *again]) == sharing([*wanted, *given])
    return found


def test_a_part_of_a_value_does_not_join_the_loop_that_makes_the_whole() -> None:
    m = module("""
  %a : Tensor = aten::relu(%x)
  %b : Tensor = aten::slice.Tensor(%a, %zero, %zero, %one, %one)
  %c : Tensor = aten::neg(%b)
  %r : Tuple[Tensor, Tensor] = prim::TupleConstruct(%a, %c)
  return (%r)""")
    for sizes in ([3, 4], [1, 4], [0, 4], [17, 300]):
        agree(m, torch.randn(sizes))


def test_batch_norm_without_weight_or_bias() -> None:
    state = 'state "w" : f32[3] parameter = f32[3] [0.5, 2.0, 0.25]'
    for weight, bias in (("%none", "%w"), ("%w", "%none"), ("%none", "%none")):
        m = module(
            f"""
  %w : f32[3] = prim::GetState[name="w"]()
  %y : Tensor = aten::batch_norm(%x, {weight}, {bias}, %w, %w, %false, %half, %half, %false)
  return (%y)""",
            state=state,
        )
        x = torch.randn(2, 3, 5)
        found, wanted = m(x), interpreted(m, x)
        torch.testing.assert_close(found, wanted)
        assert strides(found) == strides(wanted)
