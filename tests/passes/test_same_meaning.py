"""Generated programs with views, in-place ops, lists, branches and loops mean the same after the
pipeline: results, writes into inputs, and state."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ingot.dtypes import DType
from ingot.ir.builder import Builder
from ingot.ir.elements import pack_elements
from ingot.ir.graph import BUFFER, CONSTANT, Program, State, Value
from ingot.ir.interpret_torch import to_torch
from ingot.ir.printer import print_program
from ingot.ir.types import BOOL, INT, TENSOR, TensorType
from ingot.passes.manager import PIPELINE, optimize

KINDS = [
    *("new", "new", "new", "inplace", "inplace", "binary", "view", "get", "set", "same"),
    *("list", "append", "item", "flag", "number", "factory"),
]
LENGTH = 4
NAMES = sorted({each.__name__ for each in PIPELINE})


class Maker:
    """Appends random nodes; all tensors are f32[LENGTH] or views of it, so every op fits."""

    def __init__(self, draw) -> None:
        self.draw = draw
        self.program = Program()
        data = pack_elements(DType.f32, (LENGTH,), [0.5, -1.0, 2.0, 0.0])
        fact = TensorType(DType.f32, (LENGTH,))
        self.program.state["buffer"] = State("buffer", fact, data, BUFFER, True)
        self.program.state["table"] = State("table", fact, data, CONSTANT)
        self.builder = Builder.method(
            self.program, "forward", [("x", TENSOR), ("y", TENSOR), ("c", BOOL), ("n", INT)]
        )
        self.tensors: list[Value] = self.builder.inputs[:2]
        self.lists: list[Value] = []
        self.flags = [self.builder.inputs[2]]
        self.numbers = [self.builder.inputs[3]]

    def pick(self, values):
        return values[self.draw(st.integers(0, len(values) - 1))]

    def node(self, depth: int) -> None:
        b = self.builder
        near = self.tensors[:1] + self.tensors[-3:]  # few, so that programs repeat themselves
        x, y = self.pick(near), self.pick(near)
        kinds = [
            "new",
            "binary",
            "inplace",
            "view",
            "get",
            "set",
            "list",
            "append",
            "item",
            "flag",
            "number",
            "factory",
            "same",
        ]
        match self.pick(kinds + ["if", "loop"] * (depth < 2)):
            case "new":
                self.tensors.append(b.call("aten::" + self.pick(["sin", "neg"]), [x]))
            case "binary":
                self.tensors.append(b.call("aten::" + self.pick(["add", "mul"]), [x, y]))
            case "inplace":
                self.tensors.append(b.call("aten::" + self.pick(["relu_", "neg_"]), [x]))
            case "view":
                self.tensors.append(b.call("aten::view", [x, [LENGTH]]))
            case "get":
                self.tensors.append(b.state(self.pick(["buffer", "buffer", "table"])))
                if b.block.nodes[-1].attributes["name"] == "table":
                    self.tensors[-1] = b.call("aten::add", [self.tensors[-1], 1])
            case "set":
                b.set_state("buffer", b.call("aten::mul", [x, 0.5]))
            case "list":
                self.lists.append(b.list_construct([x, y]))
            case "append" if self.lists:
                b.call("aten::append", [self.pick(self.lists), x])
            case "item" if self.lists:
                items = self.pick(self.lists)
                self.tensors.append(b.call("aten::__getitem__", [items, self.pick([0, 1, -1])]))
            case "flag":
                self.flags.append(b.call("aten::gt", [self.pick(self.numbers), self.pick([0, 2])]))
            case "number":
                op = self.pick(["add", "mul", "sub"])
                self.numbers.append(b.call(f"aten::{op}", [self.pick(self.numbers), 1]))
            case "factory":
                value = self.pick([self.pick(self.numbers), b.constant(3)])
                self.tensors.append(b.call("aten::mul", [x, value]))
            case "same":
                self.tensors.append(b.call("aten::add", [x, 0]))
            case "if":
                self.branch(depth)
            case "loop":
                self.loop(depth)

    def inside(self, block, depth: int) -> tuple[Value, Value]:
        saved = [list(v) for v in (self.tensors, self.lists, self.flags, self.numbers)]
        with self.builder.at(block):
            for _ in range(self.draw(st.integers(0, 4))):
                self.node(depth + 1)
            result = self.pick(self.tensors), self.pick(self.numbers)
        self.tensors, self.lists, self.flags, self.numbers = saved
        return result

    def branch(self, depth: int) -> None:
        flag = self.pick([self.pick(self.flags), self.builder.constant(True)])
        node = self.builder.if_(flag)
        results = [self.inside(block, depth) for block in node.blocks]
        self.tensors.append(self.builder.join(node, results[0][0], results[1][0]))
        self.numbers.append(self.builder.join(node, results[0][1], results[1][1]))

    def loop(self, depth: int) -> None:
        b = self.builder
        node = b.loop(self.pick([0, 1, 3]))
        tensor = b.carry(node, self.pick(self.tensors))
        number = b.carry(node, self.pick(self.numbers))
        before = list(self.tensors), list(self.numbers)
        self.tensors.append(tensor)
        self.numbers += [number, node.blocks[0].inputs[0]]
        following = self.inside(node.blocks[0], depth)
        self.tensors, self.numbers = before
        after = b.end_loop(node, True, following)
        self.tensors.append(after[0])
        self.numbers.append(after[1])

    def finish(self) -> Program:
        parts = [self.pick(self.tensors), self.pick(self.tensors), self.pick(self.numbers)]
        self.builder.returns(self.builder.tuple_construct(parts + self.lists[:1]))
        return self.program


@st.composite
def programs(draw):
    maker = Maker(draw)
    for _ in range(draw(st.integers(4, 25))):
        maker.node(0)
    return maker.finish()


def behaviour(program: Program, flag: bool, number: int):
    module = to_torch(program)
    x, y = torch.tensor([1.0, -2.0, 0.5, 3.0]), torch.tensor([-1.0, 0.0, 2.0, -0.5])
    with torch.no_grad():
        results = module(x, y, flag, number)
    return results, x, y, module.buffer if "buffer" in program.state else None


@pytest.mark.parametrize("disabled", [None, *NAMES])
def test_pipeline_keeps_the_meaning(disabled):
    @settings(max_examples=200 if disabled is None else 30, deadline=None)
    @given(programs(), st.booleans(), st.integers(-1, 3))
    def check(program, flag, number):
        text = print_program(program)
        expected = behaviour(program, flag, number)
        changed = copy.copy(program)
        optimize(changed, disable=[] if disabled is None else [disabled], verify_each=True)
        found = behaviour(changed, flag, number)
        torch.testing.assert_close(found, expected, rtol=0, atol=0, equal_nan=True, msg=text)

    check()
