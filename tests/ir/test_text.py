from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ingot.errors import Error
from ingot.ir.graph import TensorData
from ingot.ir.parser import parse, parse_type
from ingot.ir.printer import print_graph, print_program

sys.path.insert(0, str(Path(__file__).parents[1] / "file"))
from test_file import make_program, nested

TEXT = """\
symbol B in [1, inf] # model.py:1:0
symbol T in [0, 512]
class pkg.Node(value: int, next: Optional[Object[pkg.Node]])
class Empty()
state "fc.weight" : f32[2, 2] parameter = f32[2, 2] [0.5, -1.0, 0.0, inf]
state "fc.tied" : Tensor parameter = same as "fc.weight"
state "half" : bf16[1] buffer mutable = bf16[1] [0.5]
state "names" : List[str] attribute = ["a", "quote \\" and # sign"]

method forward(%x : f32[B, 2], %y.1 : Optional[Tensor] as "y" = None, %n : int = 3):
  fixed(0, "", 1) # model.py:3:4 in forward <- main.py:1:0
  %weight : f32[2, 2] = prim::GetState[name="fc.weight"]() # model.py:12:8
  %0 : float = prim::Constant[value=1e-05]() # model.py:12:8 in f <- a b.py:3:0 in main <- x.py:1:1
  %1 : complex = prim::Constant[value=complex(0.0, -2.5)]()
  %c : bool = prim::Constant[value=True]()
  %r : Tensor = prim::If(%c) # model.py:13:8
    block0():
      %2 : Tensor = aten::relu(%x)
      -> (%2)
    block1():
      -> (%x)
  %out : Tensor = prim::Loop(%n, %c, %r)
    block0(%i : int, %s : Tensor):
      %values : f32[...], %3 : Tensor[?, T] = aten::max.dim(%s, %i, %c)
      prim::Guard[message="a\\nb"](%c) # model.py:14:0
      -> (%c, %values)
  %4 : Tuple[Tensor, Out(loss: Tensor, n: int), Tuple[()]] = prim::Uninitialized()
  return (%out)

private method objects(%n : Union[Object[pkg.Node], Object[Empty]]):
  %0 : Object[pkg.Node] = prim::CreateObject()
  %is : bool, %1 : Object[pkg.Node] = prim::IsInstance(%n)
  prim::SetAttr[name="next"](%0, %1)
  %2 : int = prim::GetAttr[name="value"](%0)
  return (%2)

private method helper():
  %0 : List[Dict[str, Union[int, str]]] = prim::ListConstruct()
  return (%0)
"""


def test_text_round_trip():
    assert print_program(parse(TEXT), stacks=True) == TEXT


def test_sources_survive():
    node = [*parse(TEXT).methods["forward"].body.walk()][1]
    assert str(node.source) == "model.py:12:8"
    assert node.source.function == "f"
    assert str(node.source.caller) == "a b.py:3:0"
    assert str(node.source.caller.caller) == "x.py:1:1"
    assert "# model.py:12:8\n" in print_program(parse(TEXT))


def test_everything_a_file_holds_round_trips_as_text():
    program = make_program()
    tensors = {n: s.value for n, s in program.state.items() if isinstance(s.value, TensorData)}
    for stacks in (False, True):
        text = print_program(program, stacks)
        again = parse(text, tensors)
        assert print_program(again, stacks) == text
        for name, state in again.state.items():
            if isinstance(state.value, TensorData):
                assert state.value.data == tensors[name].data


def test_graph_of_one_method():
    graph = print_graph(parse(TEXT).methods["helper"])
    assert graph.startswith("graph():\n")
    assert print_graph(parse(graph).methods["forward"]) == graph


def test_names_are_made_unique_and_legal():
    program = parse(
        "graph(%x : int):\n  %y : int = aten::neg.int(%x)\n  %z : int = aten::neg.int(%y)\n"
        "  return (%z)\n"
    )
    body = program.methods["forward"].body
    for node, name in zip(body.nodes, ["x", "fc weight"], strict=True):
        node.output.name = name
    assert "%fc_weight : int = aten::neg.int(%x.1)" in print_graph(program.methods["forward"])


@pytest.mark.parametrize(
    "text",
    [
        "Tensor",
        "Tensor[]",
        "Tensor[?, B, 0]",
        "f32[...]",
        "bool",
        "bool[2]",
        "Tuple[()]",
        "Optional[List[Dict[int, Tuple[Tensor, None]]]]",
        "pkg.Out(a: Tensor, b: Union[int, None])",
    ],
)
def test_types(text):
    assert str(parse_type(text)) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("graph(%x : int):\n  return (%y)", r"line 2 .*%y is not defined above\n.*\n +\^"),
        ("graph(%x : int, %x : int):\n  return (%x)", "%x is defined twice"),
        ("graph(%x : Foo):\n  return (%x)", "there is no type 'Foo'"),
        ("graph(%x : List[int, int]):\n  return (%x)", "List takes 1 types"),
        ("graph(%x : int):\n  %y : int = relu(%x)", "expected an op such as"),
        ("graph(%x : int):\n  return (%x", "expected ','"),
        ("graph(%x : int):\n", "expected an op"),
        ("hello", "expected symbol, class, state, method or graph"),
        ('state "w" : Tensor parameter = f32[3] [1.0]', "1 elements are not a tensor"),
        ('state "w" : Tensor parameter = f32[300] [...]', "give it in tensors="),
        ('state "w" : Tensor parameter = u8[1] [300]', "does not fit u8"),
        ("graph():\n  %c : int = prim::Constant[value=@]()", "expected a constant"),
    ],
)
def test_wrong_text_is_pointed_at(text, message):
    with pytest.raises(Error, match=message):
        parse(text)


def test_deep_nesting():
    text = print_program(nested(99))
    assert print_program(parse(text)) == text
    with pytest.raises(Error, match="nests deeper"):
        parse("graph(%x : " + "List[" * 5000 + "int" + "]" * 5000 + "):\n  return (%x)")
