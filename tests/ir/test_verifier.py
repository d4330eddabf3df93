from __future__ import annotations

import pytest
from torch_catalogue import torch_catalogue

from ingot.errors import Error
from ingot.ir.graph import Block, Node, Value
from ingot.ir.parser import parse
from ingot.ir.types import INT, TENSOR
from ingot.ir.verifier import verify

HEAD = """\
symbol B in [1, inf]
state "w" : f32[2] parameter = f32[2] [1.0, 2.0]
state "n" : int attribute mutable = 0
private method helper(%x : Tensor):
  return (%x)
"""


def check(body: str) -> None:
    lines = "\n".join("  " + line for line in body.splitlines())
    text = f"method forward(%x : Tensor, %n : int, %c : bool, %xs : List[int]):\n{lines}\n"
    verify(parse(HEAD + text), torch_catalogue())


@pytest.mark.parametrize(
    "body",
    [
        "%y : f32[B] = aten::relu(%x)\nreturn (%y)",
        "%y : Optional[int] = prim::Constant[value=None]()\nreturn (%y)",
        '%y : Tensor = prim::Call[method="helper"](%x)\nreturn (%y)',
        '%y : Tensor = prim::GetState[name="w"]()\nreturn (%y)',
        'prim::SetState[name="n"](%n)\nreturn (%n)',
        "%i : int = aten::__getitem__.t(%xs, %n)\nreturn (%i)",
        "%o : Optional[int] = prim::Cast(%n)\n%i : int = prim::Cast(%o)\nreturn (%i)",
        "%t : Tuple[int, Tensor] = prim::TupleConstruct(%n, %x)\n"
        "%a : int, %b : Tensor = prim::TupleUnpack(%t)\nreturn (%b)",
    ],
)
def test_valid(body):
    check(body)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("%y : Tensor = aten::nonsense(%x)\nreturn (%y)", "there is no such op"),
        ("%y : Tensor = aten::relu(%n)\nreturn (%y)", "argument 'self' is Tensor, not int"),
        ("%y : Tensor = aten::relu()\nreturn (%y)", "it has 0 inputs, not 1"),
        ("%y : int = aten::relu(%x)\nreturn (%y)", "it gives Tensor, not int"),
        ("%y : Tensor, %z : Tensor = aten::relu(%x)\nreturn (%y)", "2 outputs, not 1"),
        ("%y : Tensor = aten::relu[a=1](%x)\nreturn (%y)", "neither attributes nor blocks"),
        ("%y : f32[Q] = aten::relu(%x)\nreturn (%y)", "there is no symbol 'Q'"),
        ("%y : int = prim::Constant[value=1.5]()\nreturn (%y)", "constant 1.5 is no int"),
        ("%y : int = prim::Constant[v=1]()\nreturn (%y)", "its attributes must be: value"),
        ("%y : Tensor = prim::GetState[name=\"v\"]()\nreturn (%y)", "no state entry 'v'"),
        ("%y : int = prim::GetState[name=\"w\"]()\nreturn (%y)", "is f32.2., not int"),
        ("prim::SetState[name=\"w\"](%x)\nreturn (%x)", "'w' is written but not mutable"),
        ("%w : Tensor = prim::GetState[name=\"w\"]()\n%y : Tensor = aten::relu_(%w)\n"
         "return (%y)", "'w' is written in place but not mutable"),
        ("%y : Tensor = prim::Call[method=\"f\"](%x)\nreturn (%y)", "there is no method 'f'"),
        ("%y : Tensor = prim::Call[method=\"helper\"](%n)\nreturn (%y)", "takes Tensor, not int"),
        ("%y : Tensor = prim::If(%n)\n  block0():\n    -> (%x)\n  block1():\n    -> (%x)\n"
         "return (%y)", "the condition is int"),
        ("%y : Tensor = prim::If(%c)\n  block0():\n    -> (%x)\n  block1():\n    -> (%n)\n"
         "return (%y)", "block1 gives int where the result is Tensor"),
        ("%y : Tensor = prim::If(%c)\n  block0():\n    -> (%x)\n  block1():\n    -> ()\n"
         "return (%y)", "block1 gives 0 values"),
        ("%y : int = prim::Loop(%n, %c, %n)\n  block0(%i : int, %s : int):\n    -> (%c, %x)\n"
         "return (%y)", "carried as int becomes Tensor"),
        ("%y : int = prim::Loop(%n, %c, %n)\n  block0(%i : int):\n    -> (%c)\n"
         "return (%y)", "carried differ"),
        ("%y : List[int] = prim::ListConstruct(%n, %x)\nreturn (%y)", "element is Tensor"),
        ("%y : int = prim::TupleIndex[index=2](%x)\nreturn (%y)", "has no element 2"),
        ("%y : str = prim::Cast(%n)\nreturn (%y)", "no int is a str"),
        ("prim::Guard[message=\"m\"](%n)\nreturn (%n)", "the condition is int"),
        ("return (%x, %n)", "it gives 2 values, not one"),
    ],
)  # fmt: skip
def test_invalid(body, message):
    with pytest.raises(Error, match=message) as caught:
        check(body)
    assert "\n  ^ " in str(caught.value)


def test_scope_and_single_definition():
    program = parse(
        "graph(%c : bool, %x : Tensor):\n"
        "  %y : Tensor = prim::If(%c)\n"
        "    block0():\n      %a : Tensor = aten::relu(%x)\n      -> (%a)\n"
        "    block1():\n      -> (%x)\n"
        "  return (%y)\n"
    )
    ops = torch_catalogue()
    verify(program, ops)
    body = program.methods["forward"].body
    inner = body.nodes[0].blocks[0].outputs[0]
    body.outputs = [inner]
    with pytest.raises(Error, match="%a : Tensor is out of scope"):
        verify(program, ops)
    body.outputs = [Value(INT)]
    with pytest.raises(Error, match="not defined before"):
        verify(program, ops)
    body.outputs = [body.inputs[1]]
    body.nodes.append(Node("aten::relu", [body.inputs[1]], [inner]))
    with pytest.raises(Error, match="defined twice"):
        verify(program, ops)


def test_fault_is_under_the_line_with_little_around():
    lines = [f"%v{i} : Tensor = aten::relu(%x) # m.py:{i}:0" for i in range(100)]
    lines[50] = "%v50 : Tensor = aten::relu(%n) # m.py:50:0"
    with pytest.raises(Error) as caught:
        check("\n".join([*lines, "return (%x)"]))
    text = caught.value.message.splitlines()
    place = next(i for i, line in enumerate(text) if "%v50" in line)
    assert text[place + 1] == "  ^ argument 'self' is Tensor, not int"
    assert len(text) < 20
    assert caught.value.location == "  m.py:50"


def test_deep_blocks_are_refused():
    flag = Value(TENSOR)
    block = Block([], [], [flag])
    for _ in range(2000):
        block = Block([], [Node("prim::If", [flag], [], {}, [block])], [flag])
    program = parse(HEAD)
    program.methods["helper"].body.nodes = block.nodes
    with pytest.raises(Error, match="nests deeper than 100"):
        verify(program, torch_catalogue())
