from __future__ import annotations

from torch_catalogue import torch_catalogue

from ingot.ir.code import print_code
from ingot.ir.parser import parse


def code(text: str) -> str:
    return print_code(parse(text), torch_catalogue())


def test_straight_line():
    assert code(
        """\
state "fc1.weight" : f32[1] parameter = f32[1] [1.0]
state "layers.0.b" : f32[1] parameter = f32[1] [1.0]
method forward(%x : f32[2, 3], %n : int = 3):
  %w : f32[1] = prim::GetState[name="fc1.weight"]()
  %b : f32[1] = prim::GetState[name="layers.0.b"]()
  %0 : Tensor = aten::linear(%x, %w, %b)
  %1 : int = prim::Constant[value=1]()
  %2 : Tensor = aten::add.Tensor(%0, %x, %1)
  %3 : int = aten::add.int(%n, %1)
  %4 : int = aten::mul.int(%3, %n)
  %5 : List[int] = prim::ListConstruct(%4, %1)
  %6 : Tensor = aten::reshape(%2, %5)
  %7 : Tensor = aten::relu_(%6)
  %8 : bool = prim::Constant[value=False]()
  %9 : None = prim::Constant[value=None]()
  %10 : List[int] = prim::Constant[value=[-1]]()
  %11 : Tensor = aten::sum.dim_IntList(%7, %10, %8, %9)
  %12 : Tuple[Tensor, int] = prim::TupleConstruct(%11, %4)
  return (%12)
"""
    ) == (
        """\
def forward(self, x: f32[2, 3], n: int = 3) -> Tuple[Tensor, int]:
    _0 = torch.linear(x, self.fc1.weight, self.layers[0].b)
    _2 = _0 + x
    _4 = (n + 1) * n
    _6 = torch.reshape(_2, [_4, 1])
    _7 = _6.relu_()
    _11 = torch.sum(_7, [-1])
    return (_11, _4)
"""
    )


def test_control_flow():
    assert code(
        """\
state "count" : int attribute mutable = 0
method forward(%x : Tensor, %n : int, %o : Optional[int]):
  %0 : int = prim::Constant[value=0]()
  %none : None = prim::Constant[value=None]()
  %true : bool = prim::Constant[value=True]()
  %max : int = prim::Constant[value=9223372036854775807]()
  %is : bool = aten::__is__(%o, %none)
  %k : int = prim::If(%is)
    block0():
      -> (%0)
    block1():
      %v : int = prim::Cast(%o)
      -> (%v)
  %c : bool = aten::gt.int(%k, %0)
  %y : Tensor = prim::If(%c)
    block0():
      %a : Tensor = aten::sin(%x)
      -> (%a)
    block1():
      %c2 : bool = aten::lt.int(%k, %0)
      %z : Tensor = prim::If(%c2)
        block0():
          %m : str = prim::Constant[value="bad"]()
          prim::RaiseException[kind="ValueError"](%m)
          %u : Tensor = prim::Uninitialized()
          -> (%u)
        block1():
          %b : Tensor = aten::cos(%x)
          -> (%b)
      -> (%z)
  prim::Guard[message="positive"](%c)
  %s : Tensor = prim::Loop(%n, %true, %y)
    block0(%i : int, %t : Tensor):
      %t2 : Tensor = aten::mul.Scalar(%t, %i)
      -> (%true, %t2)
  %w : int = prim::Loop(%max, %c, %k)
    block0(%j : int, %p : int):
      %q : int = aten::sub.int(%p, %n)
      %go : bool = aten::gt.int(%q, %0)
      -> (%go, %q)
  prim::SetState[name="count"](%w)
  return (%s)
"""
    ) == (
        """\
def forward(self, x: Tensor, n: int, o: Optional[int]) -> Tensor:
    k = 0 if o is None else cast(int, o)
    c = k > 0
    if c:
        y = torch.sin(x)
    elif k < 0:
        raise ValueError('bad')
    else:
        y = torch.cos(x)
    assert c, 'positive'
    t = y
    for i in range(n):
        t2 = t * i
        t = t2
    p = k
    going = c
    while going:
        q = p - n
        p, going = q, q > 0
    self.count = p
    return t
"""
    )
