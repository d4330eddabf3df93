from __future__ import annotations

import copy
import pickle

import pytest
import torch

from ingot.errors import Error, GuardError
from ingot.ir import torch_ops
from ingot.ir.interpret_torch import to_torch
from ingot.ir.parser import parse
from ingot.ir.schema import catalogue


def module(text: str):
    return to_torch(parse(text))


LINEAR = """\
symbol B in [1, 64] # model.py:3:0
state "fc.weight" : f32[2, 3] parameter = f32[2, 3] [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
state "fc.bias" : f32[2] parameter = f32[2] [0.5, -0.5]
state "tied" : f32[2] parameter = same as "fc.bias"
state "steps" : i64[] buffer mutable = i64[] [0]
state "table" : f32[2] constant = f32[2] [1.0, 2.0]
state "total" : int attribute mutable = 0
method forward(%x : f32[B, 3], %scale : float = 2.0):
  %w : f32[2, 3] = prim::GetState[name="fc.weight"]()
  %b : f32[2] = prim::GetState[name="fc.bias"]()
  %y : Tensor = aten::linear(%x, %w, %b)
  %z : Tensor = aten::mul.Scalar(%y, %scale)
  %one : int = prim::Constant[value=1]()
  %n : i64[] = prim::GetState[name="steps"]()
  %n2 : Tensor = aten::add.Scalar(%n, %one, %one)
  prim::SetState[name="steps"](%n2)
  %total : int = prim::GetState[name="total"]()
  %total2 : int = aten::add.int(%total, %one)
  prim::SetState[name="total"](%total2)
  return (%z)
method count():
  %total : int = prim::GetState[name="total"]()
  return (%total)
"""


def test_state_gradients_and_updates():
    m = module(LINEAR)
    assert sorted(m.state_dict()) == ["fc.bias", "fc.weight", "steps", "tied"]
    assert len(list(m.parameters())) == 2
    x = torch.randn(4, 3)
    y = m(x)
    weight, bias = m.fc.weight, m.fc.bias
    torch.testing.assert_close(y, torch.nn.functional.linear(x, weight, bias) * 2)
    y.sum().backward()
    torch.testing.assert_close(bias.grad, torch.full((2,), 8.0))
    assert m.tied is bias
    m(x, scale=1)
    assert m.steps.item() == 2 and m.count() == 2
    for other in (copy.deepcopy(m), pickle.loads(pickle.dumps(m))):
        other(x)
        assert (m.count(), other.count()) == (2, 3)
        assert other.tied is other.fc.bias is not bias
    assert m.to(torch.float64).fc.weight.dtype == torch.float64


def test_training_fits():
    torch.manual_seed(0)
    m = module(LINEAR)
    optimizer = torch.optim.SGD(m.parameters(), lr=0.1)
    x, target = torch.randn(16, 3), torch.zeros(16, 2)
    losses = []
    for _ in range(20):
        loss = torch.nn.functional.mse_loss(m(x), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 4


@pytest.mark.parametrize(
    ("args", "kind", "message"),
    [
        ([torch.zeros(65, 3)], GuardError, "dimension 0 of input x must be at most 64, not 65"),
        ([torch.zeros(0, 3)], GuardError, "at least 1, not 0"),
        ([torch.zeros(2, 4)], GuardError, "dimension 1 of input x must be 3, not 4"),
        ([torch.zeros(3)], Error, "must have 2 dimensions, not 1"),
        ([torch.zeros(2, 3).double()], Error, r"must be f32, not torch\.float64"),
        ([None], Error, "input x must be a tensor, not None"),
        ([torch.zeros(2, 3), "a"], Error, "input scale must be float, not str"),
        ([], Error, "needs the input 'x'"),
        ([1, 2, 3], Error, "takes 2 inputs"),
    ],
)
def test_inputs_are_checked(args, kind, message):
    with pytest.raises(kind, match=message) as caught:
        module(LINEAR)(*args)
    if "64" in message and "at most" in message:
        assert caught.value.location == "  model.py:3"


CONTROL = """\
method forward(%x : Tensor, %n : int, %names : Dict[str, Tensor], %o : Optional[int] = None):
  %0 : int = prim::Constant[value=0]()
  %yes : bool = prim::Constant[value=True]()
  %list : List[Tensor] = prim::ListConstruct()
  %last : Tensor = prim::Loop(%n, %yes, %x)
    block0(%i : int, %t : Tensor):
      %t2 : Tensor = aten::add.Scalar(%t, %i, %n)
      %list2 : List[Tensor] = aten::append.t(%list, %t2)
      %few : bool = aten::lt.int(%i, %n)
      -> (%few, %t2)
  %count : int = aten::len.t(%list)
  %some : bool = aten::gt.int(%count, %0)
  prim::Guard[message="n must be positive"](%some) # m.py:5:4 in forward
  %key : str = prim::Constant[value="k"]()
  aten::_set_item.str(%names, %key, %last)
  %got : Tensor = aten::__getitem__.Dict_str(%names, %key)
  %stack : Tensor = aten::stack(%list, %0)
  %none : None = prim::Constant[value=None]()
  %is : bool = aten::__is__(%o, %none)
  %r : int = prim::If(%is)
    block0():
      -> (%n)
    block1():
      %v : int = prim::Cast(%o)
      -> (%v)
  %out : Out(stack: Tensor, got: Tensor, r: int, names: Dict[str, Tensor]) = prim::TupleConstruct(%stack, %got, %r, %names)
  return (%out)
"""  # noqa: E501


def test_control_flow_and_containers():
    m = module(CONTROL)
    x = torch.ones(2)
    out = m(x, 3, {})
    torch.testing.assert_close(out.stack, torch.tensor([[1.0, 1], [4, 4], [10, 10]]))
    assert out.got is out.names["k"] and out.r == 3
    assert m(x, 3, {}, 7).r == 7
    with pytest.raises(GuardError, match="n must be positive") as caught:
        m(x, 0, {})
    assert caught.value.location == "  m.py:5 in forward"


def test_failures_name_op_and_line():
    m = module(
        "graph(%x : Tensor, %y : Tensor):\n"
        "  %z : Tensor = aten::matmul(%x, %y) # m.py:9:4 in forward\n  return (%z)\n"
    )
    with pytest.raises(Error, match=r"(?s)aten::matmul: .*m\.py:9 in forward") as caught:
        m(torch.ones(2, 3), torch.ones(2, 3))
    assert caught.value.code == "runtime"
    raises = module(
        'graph():\n  %m : str = prim::Constant[value="no"]()\n'
        '  prim::RaiseException[kind="ValueError"](%m)\n  return (%m)\n'
    )
    with pytest.raises(Error, match="ValueError: no"):
        raises()


def test_factories_follow_the_module():
    m = module(
        "graph():\n  %s : List[int] = prim::Constant[value=[2]]()\n"
        "  %n : None = prim::Constant[value=None]()\n"
        "  %d : int = prim::Constant[value=0]()\n"
        "  %t : int = prim::Constant[value=7]()\n"
        "  %z : Tensor = aten::tensor(%s, %t, %d, %f)\n  return (%z)\n".replace(
            "  %z", "  %f : bool = prim::Constant[value=False]()\n  %z"
        )
    )
    assert m().dtype == torch.float64
    assert m().tolist() == [2.0]


def test_every_op_of_the_catalogue_has_a_function():
    for name in catalogue().names():
        if name.startswith("torchvision::"):  # whose compiled part may be missing
            continue
        assert callable(torch_ops.find(catalogue().find(name)))
