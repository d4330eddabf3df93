from __future__ import annotations

import pytest
from torch_catalogue import torch_catalogue

from ingot.dtypes import DType
from ingot.errors import Error
from ingot.ir.builder import Builder
from ingot.ir.graph import Program, Source, State, Value
from ingot.ir.types import (
    BOOL,
    FLOAT,
    INT,
    NONE,
    STR,
    TENSOR,
    DictType,
    ListType,
    OptionalType,
    TensorType,
    TupleType,
    UnionType,
    unify,
)
from ingot.ir.verifier import verify


def make(**inputs) -> Builder:
    return Builder.method(Program(), "forward", list(inputs.items()), ops=torch_catalogue())


def ops(builder: Builder) -> list[str]:
    return [n.op for n in builder.block.nodes if n.op != "prim::Constant"]


def constants(node_inputs: list[Value], builder: Builder) -> list:
    made = {
        n.output: n.attributes["value"] for n in builder.block.nodes if n.op == "prim::Constant"
    }
    return [made.get(v, v) for v in node_inputs]


T, L = TENSOR, ListType


@pytest.mark.parametrize(
    ("base", "types", "expected"),
    [
        ("add", [T, T], "add.Tensor"),
        ("add", [T, FLOAT], "add.Scalar"),
        ("add", [INT, INT], "add.int"),
        ("add", [INT, FLOAT], "add.int_float"),
        ("add", [STR, STR], "add.str"),
        ("add", [L(INT), L(INT)], "add.t"),
        ("mul", [L(INT), INT], "mul.left_t"),
        ("div", [INT, INT], "div.int"),
        ("pow", [INT, FLOAT], "pow.int_float"),
        ("lt", [FLOAT, INT], "lt.float_int"),
        ("lt", [T, INT], "lt.Scalar"),
        ("eq", [STR, STR], "eq.str"),
        ("eq", [L(INT), L(INT)], "eq.int_list"),
        ("size", [T, INT], "size.int"),
        ("size", [T], "size"),
        ("sum", [T], "sum"),
        ("sum", [T, INT], "sum.dim_IntList"),
        ("max", [T, T], "max.other"),
        ("max", [T, INT], "max.dim"),
        ("view", [T, INT, INT], "view"),
        ("permute", [T, INT, INT, INT], "permute"),
        ("cat", [L(T), INT], "cat"),
        ("append", [L(STR), STR], "append.t"),
        ("__getitem__", [L(FLOAT), INT], "__getitem__.t"),
        ("__getitem__", [DictType(STR, T), STR], "__getitem__.Dict_str"),
        ("__getitem__", [STR, INT], "__getitem__.str"),
        ("__contains__", [L(INT), INT], "__contains__.int_list"),
        ("len", [T], "len.Tensor"),
        ("len", [L(STR)], "len.t"),
        ("where", [T, T, FLOAT], "where.ScalarOther"),
        ("clamp", [T, FLOAT, NONE], "clamp"),
        ("Float", [T], "Float.Tensor"),
        ("zeros", [L(INT)], "zeros"),
    ],
)
def test_overload_resolution(base, types, expected):
    builder = make(**{f"x{i}": t for i, t in enumerate(types)})
    builder.call(f"aten::{base}", builder.inputs)
    assert ops(builder)[-1] == f"aten::{expected}"


def test_arguments_are_in_schema_order_with_defaults():
    b = make(x=TENSOR, w=TENSOR)
    b.call("aten::conv2d", b.inputs, {"padding": 1, "stride": [2, 2]})
    node = b.block.nodes[-1]
    assert constants(node.inputs, b) == [*b.inputs, None, (2, 2), (1, 1), (1, 1), 1]


def test_numbers_become_what_the_schema_says():
    b = make(x=TENSOR, n=INT)
    b.call("aten::dropout", [b.inputs[0], 1, False])
    assert repr(constants(b.block.nodes[-1].inputs, b)[1]) == "1.0"
    b.call("aten::dropout", [b.inputs[0], b.inputs[1], False])
    assert ops(b)[-2:] == ["aten::Float.int", "aten::dropout"]


def test_number_for_tensor_takes_the_overload_with_numbers():
    b = make(x=TENSOR)
    b.op("aten::mul.Tensor", b.inputs[0], 2)
    assert ops(b) == ["aten::mul.Scalar"]


def test_tensor_is_read_as_number_last():
    b = make(x=TENSOR, t=TENSOR)
    b.call("aten::view", [b.inputs[0], [2, b.inputs[1]]])
    assert ops(b) == ["aten::ScalarImplicit", "prim::Cast", "prim::ListConstruct", "aten::view"]


def test_tuple_of_ints_serves_as_int_list():
    b = make(x=TENSOR, s=TupleType((INT, INT)))
    b.call("aten::reshape", b.inputs)
    assert ops(b) == ["prim::TupleUnpack", "prim::ListConstruct", "aten::reshape"]


def test_type_variables_bind_results():
    b = make(xs=ListType(OptionalType(TENSOR)), d=DictType(STR, ListType(INT)))
    assert b.call("aten::__getitem__", [b.inputs[0], 0]).type == OptionalType(TENSOR)
    b.call("aten::append", [b.inputs[0], None])
    assert b.call("aten::values", [b.inputs[1]]).type == ListType(ListType(INT))


def test_further_arguments():
    b = make(s=STR, x=TENSOR)
    b.call("aten::format", [*b.inputs, 1])
    assert constants(b.block.nodes[-1].inputs, b) == [*b.inputs, 1]
    b.returns(b.inputs[0])
    verify(b.program, torch_catalogue())


def test_optional_tensor_list():
    b = make(x=TENSOR, i=TENSOR)
    b.op("aten::index.Tensor", b.inputs[0], [None, b.inputs[1]])
    assert b.block.nodes[-2].output.type == ListType(OptionalType(TENSOR))


def test_element_types_of_lists():
    b = make(x=TENSOR, n=INT)
    x, n = b.inputs
    assert b.list_construct([]).type == ListType(TENSOR)
    assert b.list_construct([n, None]).type == ListType(OptionalType(INT))
    assert b.list_construct([n, 2.5, x]).type == ListType(UnionType((INT, FLOAT, TENSOR)))


def test_result_types_add_facts():
    fact = TensorType(DType.f32, ("B", 3))
    b = make(x=TENSOR)
    assert b.op("aten::relu", b.inputs[0], result_types=fact).type == fact
    with pytest.raises(ValueError, match="gives 2 values"):
        b.op("aten::topk", b.inputs[0], 3, result_types=[fact])


def test_no_overload_lists_the_candidates():
    b = make(x=TENSOR)
    b.source = Source("model.py", 12, 4, "forward", "y = x.split('a')")
    with pytest.raises(Error) as caught:
        b.call("aten::split", [b.inputs[0], "a"])
    message = str(caught.value)
    assert "no overload of aten::split takes (Tensor, str 'a')" in message
    assert "aten::split.sizes(" in message
    assert "argument 'split_size' takes" in message
    assert "model.py:12 in forward: y = x.split('a')" in message


def test_unknown_ops_and_arguments():
    b = make(x=TENSOR)
    with pytest.raises(Error, match="Ingot has no op aten::nonsense"):
        b.call("aten::nonsense", b.inputs)
    with pytest.raises(Error, match="no argument 'beta'"):
        b.op("aten::relu", b.inputs[0], beta=1)
    with pytest.raises(Error, match="'weight' is missing"):
        b.op("aten::conv2d", b.inputs[0])
    with pytest.raises(Error, match="takes 1 positional"):
        b.op("aten::relu", b.inputs[0], 1)


def test_constants_are_kept_once_per_block_and_apart_by_type():
    b = make(c=BOOL)
    assert b.constant(1) is b.constant(1)
    assert (
        len({b.constant(1), b.constant(1.0), b.constant(True), b.constant(-0.0), b.constant(0.0)})
        == 5
    )
    node = b.if_(b.inputs[0])
    outer = b.constant(1)
    with b.at(node.blocks[0]):
        assert b.constant(1) is not outer


def test_if_and_loop():
    b = make(x=TENSOR, n=INT)
    x, n = b.inputs
    loop = b.loop(n)
    y = b.carry(loop, x, name="y")
    with b.at(loop.blocks[0]):
        branch = b.if_(b.call("aten::gt", [loop.blocks[0].inputs[0], 2]))
        with b.at(branch.blocks[0]):
            then = b.call("aten::relu", [y])
        joined = b.join(branch, then, y)
    (final,) = b.end_loop(loop, True, [joined])
    b.returns(final)
    assert final.type == TENSOR
    assert [len(loop.inputs), len(loop.blocks[0].inputs), len(loop.blocks[0].outputs)] == [3, 2, 2]
    assert branch.blocks[1].outputs == [y]


def test_join_of_unrelated_types_is_an_error():
    b = make(c=BOOL)
    branch = b.if_(b.inputs[0])
    with pytest.raises(Error, match=r"r is int in one branch and str in the other"):
        b.join(branch, b.constant(1), b.constant("a"), name="r")
    assert b.join(branch, b.constant(1), b.constant(None)).type == OptionalType(INT)


def test_call_method_fills_defaults_and_checks():
    program = Program()
    callee = Builder.method(
        program, "scale", [("x", TENSOR), ("by", FLOAT, 2.0)], ops=torch_catalogue()
    )
    callee.returns(callee.call("aten::mul", callee.inputs))
    b = Builder.method(program, "forward", [("x", TENSOR)], ops=torch_catalogue())
    b.call_method("scale", b.inputs)
    assert constants(b.block.nodes[-1].inputs, b) == [b.inputs[0], 2.0]
    with pytest.raises(Error, match="needs the argument 'x'"):
        b.call_method("scale")
    with pytest.raises(Error, match="argument 'x' of scale takes Tensor, not str 'a'"):
        b.call_method("scale", ["a"])
    with pytest.raises(Error, match="no argument 'z'"):
        b.call_method("scale", b.inputs, {"z": 1})


def test_state_and_containers():
    program = Program()
    program.state["fc.weight"] = State("fc.weight", TENSOR, None)
    b = Builder.method(program, "forward", ops=torch_catalogue())
    weight = b.state("fc.weight")
    b.set_state("fc.weight", weight)
    assert program.state["fc.weight"].mutable
    made = b.tuple_construct([weight, 1])
    assert b.tuple_index(made, -1).type == INT
    assert [v.type for v in b.tuple_unpack(made)] == [TENSOR, INT]
    assert str(b.dict_construct([("a", weight)]).type) == "Dict[str, Tensor]"
    assert str(b.named_tuple("Out", ["loss"], [weight]).type) == "Out(loss: Tensor)"
    assert len(b.list_unpack(b.list_construct([weight, weight]), 2)) == 2
    with pytest.raises(Error, match="no element 2"):
        b.tuple_index(made, 2)


def test_unify():
    a, b = TensorType(DType.f32, (1, 3)), TensorType(DType.f32, (2, 3))
    assert unify(a, b) == TensorType(DType.f32, (None, 3))
    assert unify(TupleType((a, NONE)), TupleType((b, INT))) == TupleType(
        (TensorType(DType.f32, (None, 3)), OptionalType(INT))
    )
    assert unify(INT, STR) is None
    assert unify(OptionalType(INT), NONE) == OptionalType(INT)
