"""Replaces single nodes by simpler ones of exactly equal results, dtype and sharing included.

Every identity is a row of a table below. Identities that only hold for some dtypes are left to
the runtime, which knows the dtypes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ingot.ir.alias import Aliases
from ingot.ir.graph import Block, Literal, Method, Node, Program, TensorData, Value
from ingot.ir.types import (
    FLOAT,
    INT,
    NONE,
    OptionalType,
    TensorType,
    Type,
    UnionType,
    is_subtype,
)
from ingot.passes.context import Context


@dataclass(frozen=True)
class _Constant:
    """A result that is known."""

    value: Literal


Results = list["Value | _Constant"] | None
"""What stands for a node's outputs; None: nothing simpler was found."""

NEUTRAL: tuple[tuple[str, int, Literal], ...] = (
    ("aten::add.int", 0, 0),
    ("aten::add.int", 1, 0),
    ("aten::sub.int", 0, 0),
    ("aten::mul.int", 0, 1),
    ("aten::mul.int", 1, 1),
    ("aten::floordiv.int", 0, 1),
    ("aten::mul.float", 0, 1.0),
    ("aten::mul.float", 1, 1.0),
    ("aten::sub.float", 0, 0.0),
    ("aten::div.float", 0, 1.0),
    ("aten::__and__.bool", 0, True),
    ("aten::__and__.bool", 1, True),
    ("aten::__or__.bool", 0, False),
    ("aten::__or__.bool", 1, False),
)
"""op, the input that is the result, the constant that the other one is. ``x + 0.0`` is no
identity: it makes 0.0 of -0.0."""

INVOLUTIONS = frozenset(
    ("aten::neg.int", "aten::neg.float", "aten::__not__", "aten::t", "aten::transpose.int")
)
"""f(f(x, a), a) is x."""

SAME_TYPE = {"aten::Int.Scalar": INT, "aten::Float.Scalar": FLOAT}
"""Conversions of a value that has the type already."""

EVAL_DROPOUT = frozenset(
    f"aten::{name}"
    for base in ("dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout")
    for name in (base, base + "_")
)
"""They return their input where ``train`` is false or the probability is 0."""


def peephole(program: Program, context: Context) -> None:
    for method in program.methods.values():
        _Peephole(program, method, context).run()


class _Peephole:
    def __init__(self, program: Program, method: Method, context: Context) -> None:
        self.program = program
        self.body = method.body
        self.context = context
        self.aliases = Aliases(program, method, context.ops)
        self.made_by: dict[Value, Node] = {}
        self.mapping: dict[Value, Value] = {}
        called = {
            node.attributes["method"]
            for each in program.methods.values()
            for node in each.body.walk()
            if node.op == "prim::Call"
        }
        guarded = method.exported and method.name not in called
        self.inputs = set(method.body.inputs) if guarded else set()
        """Values whose tensor facts are checked when a run begins."""

    def run(self) -> None:
        self._block(self.body)
        self.body.replace(self.mapping)

    def _block(self, block: Block) -> None:
        kept: list[Node] = []
        for node in block.nodes:
            node.inputs = [self._final(v) for v in node.inputs]
            if node.op == "prim::Loop":
                self._fixed_carries(node)
            for inner in node.blocks:
                self._block(inner)
            if node.op == "prim::If":
                self._equal_branches(node)
            if self._is_true_guard(node) and self.context.change():
                continue
            results = self._simpler(node)
            if results is None or not self.context.change():
                for value in node.outputs:
                    self.made_by[value] = node
                kept.append(node)
                continue
            for value, result in zip(node.outputs, results, strict=True):
                if isinstance(result, Value):
                    self.mapping[value] = result
                    continue
                attributes = {"value": result.value}
                constant = Node("prim::Constant", [], [value], attributes, source=node.source)
                self.made_by[value] = constant
                kept.append(constant)
        block.nodes = kept

    def _final(self, value: Value) -> Value:
        while value in self.mapping:
            value = self.mapping[value]
        return value

    def _is_constant(self, value: Value, literal: Literal) -> bool:
        node = self.made_by.get(value)
        if node is None or node.op != "prim::Constant":
            return False
        return repr(node.attributes["value"]) == repr(literal)

    def _maker(self, value: Value, *ops: str) -> Node | None:
        node = self.made_by.get(value)
        return node if node is not None and node.op in ops else None

    # --- control flow ----------------------------------------------------------------------

    def _equal_branches(self, node: Node) -> None:
        """Results that are one outer value in both branches."""
        for number, output in enumerate(node.outputs):
            first, second = (self._final(b.outputs[number]) for b in node.blocks)
            if first is second and output not in self.mapping and self.context.change():
                self.mapping[output] = first

    def _fixed_carries(self, node: Node) -> None:
        """Carried values that no turn changes."""
        body = node.blocks[0]
        for number, output in enumerate(node.outputs):
            inner = body.inputs[number + 1]
            unchanged = self._final(body.outputs[number + 1]) is inner
            if unchanged and inner not in self.mapping and self.context.change():
                self.mapping[inner] = self.mapping[output] = node.inputs[number + 2]

    def _is_true_guard(self, node: Node) -> bool:
        return node.op == "prim::Guard" and self._is_constant(node.inputs[0], True)

    # --- single nodes ----------------------------------------------------------------------

    def _simpler(self, node: Node) -> Results:
        for rule in _RULES.get(node.op, ()):
            results = rule(self, node)
            if results is not None:
                return results
        return None

    def neutral(self, node: Node) -> Results:
        for op, kept, constant in NEUTRAL:
            if op == node.op and self._is_constant(node.inputs[1 - kept], constant):
                return [node.inputs[kept]]
        return None

    def involution(self, node: Node) -> Results:
        inner = self._maker(node.inputs[0], node.op)
        if inner is None or self.aliases.is_mutated(node.output):
            return None
        return [inner.inputs[0]] if self._equal(node.inputs[1:], inner.inputs[1:]) else None

    def _equal(self, xs: list[Value], ys: list[Value]) -> bool:
        for x, y in zip(xs, ys, strict=True):
            made = self._maker(x, "prim::Constant")
            if x is not y and not (made and self._is_constant(y, made.attributes["value"])):
                return False
        return True

    def first_input(self, node: Node) -> Results:
        return [node.inputs[0]]

    def eval_dropout(self, node: Node) -> Results:
        _, probability, train = node.inputs
        idle = self._is_constant(train, False) or self._is_constant(probability, 0.0)
        return [node.inputs[0]] if idle else None

    def same_type(self, node: Node) -> Results:
        return [node.inputs[0]] if node.inputs[0].type == SAME_TYPE[node.op] else None

    def wider_cast(self, node: Node) -> Results:
        value = node.inputs[0]
        return [value] if is_subtype(value.type, node.output.type) else None

    def tuple_element(self, node: Node) -> Results:
        made = self._maker(node.inputs[0], "prim::TupleConstruct")
        index = node.attributes["index"]
        return [made.inputs[index]] if made is not None and isinstance(index, int) else None

    def tuple_elements(self, node: Node) -> Results:
        made = self._maker(node.inputs[0], "prim::TupleConstruct")
        return None if made is None else list(made.inputs)

    def _fixed_list(self, value: Value) -> list[Value] | None:
        """The elements of a list that nothing changes after it was made."""
        made = self._maker(value, "prim::ListConstruct")
        return None if made is None or self.aliases.is_mutated(value) else made.inputs

    def list_elements(self, node: Node) -> Results:
        elements = self._fixed_list(node.inputs[0])
        fits = elements is not None and len(elements) == len(node.outputs)
        return list(elements) if fits and elements is not None else None

    def list_length(self, node: Node) -> Results:
        elements = self._fixed_list(node.inputs[0])
        return None if elements is None else [_Constant(len(elements))]

    def list_element(self, node: Node) -> Results:
        elements = self._fixed_list(node.inputs[0])
        index = self._int(node.inputs[1])
        if elements is None or index is None or not -len(elements) <= index < len(elements):
            return None
        return [elements[index]]

    def _int(self, value: Value) -> int | None:
        made = self._maker(value, "prim::Constant")
        literal = made.attributes["value"] if made is not None else None
        return literal if type(literal) is int else None

    def _facts(self, value: Value) -> TensorType | None:
        """What is sure of a tensor: guards of inputs, and state that stays as it is."""
        if self.aliases.is_mutated(value) or not isinstance(value.type, TensorType):
            return None
        if value in self.inputs:
            return value.type
        made = self._maker(value, "prim::GetState")
        state = self.program.state[str(made.attributes["name"])] if made is not None else None
        if state is None or state.mutable or not isinstance(state.value, TensorData):
            return None
        return TensorType(state.value.dtype, state.value.shape)

    def size(self, node: Node) -> Results:
        facts, index = self._facts(node.inputs[0]), self._int(node.inputs[1])
        if facts is None or facts.dims is None or index is None:
            return None
        if not -len(facts.dims) <= index < len(facts.dims):
            return None
        size = facts.dims[index]
        return [_Constant(size)] if isinstance(size, int) else None

    def rank(self, node: Node) -> Results:
        facts = self._facts(node.inputs[0])
        return [_Constant(len(facts.dims))] if facts and facts.dims is not None else None

    def dtype(self, node: Node) -> Results:
        facts = self._facts(node.inputs[0])
        return [_Constant(int(facts.dtype))] if facts and facts.dtype is not None else None

    def identity_test(self, node: Node) -> Results:
        a, b = (v.type for v in node.inputs)
        if NONE not in (a, b):
            return None
        if a == b:
            return [_Constant(node.op == "aten::__is__")]
        if _may_be_none(a if b == NONE else b):
            return None
        return [_Constant(node.op == "aten::__isnot__")]


def _may_be_none(type: Type) -> bool:
    match type:
        case OptionalType():
            return True
        case UnionType(elements):
            return NONE in elements
    return False


_RULES: dict[str, tuple[Callable[[_Peephole, Node], Results], ...]] = {
    **{op: (_Peephole.neutral,) for op, _, _ in NEUTRAL},
    **dict.fromkeys(INVOLUTIONS, (_Peephole.involution,)),
    **dict.fromkeys(SAME_TYPE, (_Peephole.same_type,)),
    **dict.fromkeys(EVAL_DROPOUT, (_Peephole.eval_dropout,)),
    "aten::alias": (_Peephole.first_input,),
    "prim::Cast": (_Peephole.wider_cast,),
    "prim::TupleIndex": (_Peephole.tuple_element,),
    "prim::TupleUnpack": (_Peephole.tuple_elements,),
    "prim::ListUnpack": (_Peephole.list_elements,),
    "aten::len.t": (_Peephole.list_length,),
    "aten::__getitem__.t": (_Peephole.list_element,),
    "aten::size.int": (_Peephole.size,),
    "aten::sym_size.int": (_Peephole.size,),
    "aten::dim": (_Peephole.rank,),
    "prim::dtype": (_Peephole.dtype,),
    "aten::__is__": (_Peephole.identity_test,),
    "aten::__isnot__": (_Peephole.identity_test,),
}
"""op -> what may make it simpler."""
