"""What plans must keep of the interpreter's behaviour, case by case."""

from __future__ import annotations

import torch
from tests.plan.agreement import (
    check_same,
    copies,
    fresh,
    interpreted,
    outcome,
    sharing,
    simd_level,
    strides,
)

from ingot import _ingot
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


def test_results_in_one_memory_stay_in_one() -> None:
    state = 'state "w" : f32[2] parameter = f32[2] [0.5, -2.0]'
    m = module(
        """
  %w : f32[2] = prim::GetState[name="w"]()
  %a : Tensor = aten::relu(%w)
  %b : Tensor = aten::unsqueeze(%a, %zero)
  %y : Tensor = aten::add.Tensor(%x, %a, %one)
  %r : Tuple[Tensor, Tensor, Tensor, Tensor] = prim::TupleConstruct(%y, %a, %b, %a)
  return (%r)""",
        state=state,
    )
    agree(m, torch.randn(3, 2))


CONVOLUTION = """
  %w : f32[4, 3, 1, 1] = prim::GetState[name="w"]()
  %ones : List[int] = prim::Constant[value=[1, 1]]()
  %zeros : List[int] = prim::Constant[value=[0, 0]]()
  %y : Tensor = aten::conv2d(%x, %w, %none, %ones, %zeros, %ones, %one)
"""
WEIGHT = f'state "w" : f32[4, 3, 1, 1] parameter = f32[4, 3, 1, 1] {[k / 4 for k in range(-6, 6)]}'


def test_views_of_convolutions_are_views_of_row_major_memory() -> None:
    m = module(
        f"""{CONVOLUTION}
  %flat : List[int] = prim::Constant[value=[-1]]()
  %a : Tensor = aten::view(%y, %flat)
  %b : Tensor = aten::transpose.int(%y, %one, %two)
  %c : Tensor = aten::select.int(%b, %one, %zero)
  %r : Tuple[Tensor, Tensor, Tensor, Tensor] = prim::TupleConstruct(%y, %a, %b, %c)
  return (%r)""",
        state=WEIGHT,
    )
    for sizes in ([2, 3, 5, 4], [1, 3, 1, 1], [0, 3, 2, 2]):
        agree(m, torch.randint(-8, 8, sizes).float())


def test_what_is_written_into_a_view_of_a_convolution_is_seen_in_it() -> None:
    for view in ("aten::view(%y, %flat)", "aten::reshape(%y, %flat)", "aten::permute(%y, %order)"):
        m = module(
            f"""{CONVOLUTION}
  %flat : List[int] = prim::Constant[value=[2, -1]]()
  %order : List[int] = prim::Constant[value=[0, 2, 3, 1]]()
  %v : Tensor = {view}
  %p : Tensor = aten::select.int(%v, %zero, %one)
  %q : Tensor = aten::add_.Scalar(%p, %half, %one)
  %z : Tensor = aten::mul.Tensor(%y, %y)
  %r : Tuple[Tensor, Tensor, Tensor] = prim::TupleConstruct(%z, %y, %q)
  return (%r)""",
            state=WEIGHT,
        )
        for sizes in ([2, 3, 5, 4], [4, 3, 1, 1]):
            agree(m, torch.randint(-8, 8, sizes).float())


def test_memory_that_only_a_plan_could_view_cannot_be_viewed() -> None:
    m = module(
        f"""{CONVOLUTION}
  %flat : List[int] = prim::Constant[value=[-1, 4]]()
  %order : List[int] = prim::Constant[value=[0, 2, 3, 1]]()
  %v : Tensor = aten::permute(%y, %order)
  %r : Tensor = aten::view(%v, %flat)
  return (%r)""",
        state=WEIGHT,
    )
    found = agree(m, torch.ones(2, 3, 5, 4))
    assert isinstance(found, str) and "without copying" in found


def written_where_elements_share_a_place(op: str, count: int = 3) -> Module:
    return module(f"""
  %sizes : List[int] = prim::Constant[value=[{count}, -1]]()
  %a : Tensor = aten::mul.Tensor(%x, %x)
  %v : Tensor = aten::expand(%a, %sizes, %false)
  %q : Tensor = {op}
  %b : Tensor = aten::neg(%a)
  %r : Tuple[Tensor, Tensor, Tensor] = prim::TupleConstruct(%q, %a, %b)
  return (%r)""")


def test_different_values_cannot_be_written_where_elements_share_a_place() -> None:
    for op in ("relu_(%v)", "add_.Scalar(%v, %one, %one)", "copy_(%v, %x, %false)"):
        found = agree(written_where_elements_share_a_place(f"aten::{op}"), torch.randn(1, 4))
        assert isinstance(found, str) and "share one place" in found
        for count, sizes in ((1, [1, 4]), (3, [1, 0])):
            m = written_where_elements_share_a_place(f"aten::{op}", count)
            assert not isinstance(agree(m, torch.randn(sizes)), str)


def test_one_value_can_be_written_where_elements_share_a_place() -> None:
    for op in ("zero_(%v)", "fill_.Scalar(%v, %half)"):
        found = agree(written_where_elements_share_a_place(f"aten::{op}"), torch.randn(1, 4))
        assert not isinstance(found, str) and torch.equal(found[0], found[1].expand(3, 4))


def test_chains_keep_in_registers_what_only_the_next_op_reads() -> None:
    """A value that others read too, both operands alike, one read from another order, an op that
    needs memory amid the chain, and sizes around the blocks of every instruction set."""
    m = module(
        """
  %a : Tensor = aten::mul.Scalar(%x, %half)
  %b : Tensor = aten::add.Tensor(%a, %y, %two)
  %c : Tensor = aten::sub.Tensor(%y, %b, %half)
  %d : Tensor = aten::mul.Tensor(%c, %c)
  %e : Tensor = aten::maximum(%b, %d)
  %f : Tensor = aten::sigmoid(%e)
  %g : Tensor = aten::neg(%f)
  %h : Tensor = aten::addcmul(%a, %g, %b, %half)
  %i : Tensor = aten::hardtanh(%h, %half, %two)
  %j : Tensor = aten::div.Tensor(%x, %i)
  %r : Tuple[Tensor, Tensor] = prim::TupleConstruct(%e, %j)
  return (%r)""",
        inputs="%x : Tensor, %y : Tensor",
    )
    for level in range(len(_ingot.simd_levels())):
        with simd_level(level):
            m = fresh(m)
            for size in (0, 1, 3, 17, 31, 33, 64, 65, 129, 511, 512, 513, 1025):
                x = torch.randn(2, size)
                x.view(-1)[::7] = torch.tensor(float("nan"))
                x.view(-1)[3::11] = torch.tensor(float("-inf"))
                agree(m, x, torch.randn(size))
                agree(m, x, torch.randn(size, 2).t())
