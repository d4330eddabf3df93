"""The builder that both front ends append nodes with.

    b = Builder.method(program, "forward", [("x", TENSOR)])
    y = b.call("aten::relu", [b.inputs[0]])
    b.returns(y)

Wherever an argument is expected, a Value, a Python constant, or a list of these may be given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ingot.ir import match as matching
from ingot.ir.diagnostics import fail
from ingot.ir.graph import NO_DEFAULT, Block, Input, Literal, Method, Node, Program, Source, Value
from ingot.ir.match import Match, Mismatch, Operand, bind
from ingot.ir.schema import NUMBER, Catalogue, Schema, catalogue
from ingot.ir.types import (
    BOOL,
    COMPLEX,
    FLOAT,
    INT,
    NONE,
    STR,
    TENSOR,
    ClassType,
    DictType,
    ListType,
    NamedTupleType,
    OptionalType,
    TensorType,
    TupleType,
    Type,
    erase_facts,
    is_subtype,
    unify,
)

Result = Value | tuple[Value, ...] | None
"""What an op gives: its only value, a tuple of several, None if it has none."""

_CONVERSIONS: dict[tuple[Type, Type], str] = {
    (INT, FLOAT): "aten::Float.int",
    (BOOL, FLOAT): "aten::Float.bool",
    (NUMBER, FLOAT): "aten::Float.Scalar",
    (BOOL, INT): "aten::Int.bool",
    (INT, COMPLEX): "aten::Complex.int",
    (FLOAT, COMPLEX): "aten::Complex.float",
    (BOOL, COMPLEX): "aten::Complex.bool",
    (NUMBER, COMPLEX): "aten::Complex.Scalar",
}
_TENSOR_CONVERSIONS: dict[Type, str] = {
    FLOAT: "aten::FloatImplicit",
    COMPLEX: "aten::ComplexImplicit",
    NUMBER: "aten::ScalarImplicit",
}


class Builder:
    """Appends nodes at the end of ``block``, which ``at`` changes; each gets ``source``."""

    def __init__(
        self,
        program: Program,
        block: Block,
        source: Source | None = None,
        ops: Catalogue | None = None,
    ) -> None:
        self.program = program
        self.body = block
        self.block = block
        self.source = source
        self.ops = catalogue() if ops is None else ops
        self._constants: dict[Block, dict[tuple[Type, str], Value]] = {}
        self._literals: dict[Value, Literal] = {}

    @classmethod
    def method(
        cls,
        program: Program,
        name: str,
        inputs: Sequence[tuple[str, Type] | tuple[str, Type, object]] = (),
        *,
        exported: bool = True,
        ops: Catalogue | None = None,
    ) -> Builder:
        """Adds a method and gives the builder of its body. An input: (name, type[, default])."""
        block = Block(inputs=[Value(each[1], each[0]) for each in inputs])
        described = [Input(each[0], each[2] if len(each) > 2 else NO_DEFAULT) for each in inputs]
        program.methods[name] = Method(name, block, described, exported)
        return cls(program, block, ops=ops)

    @property
    def inputs(self) -> list[Value]:
        """The inputs of the body."""
        return self.body.inputs

    def returns(self, value: Operand) -> None:
        """Ends the body: its only output."""
        self.body.outputs = [self.value(value)]

    @contextmanager
    def at(self, block: Block) -> Iterator[Block]:
        """Appends to ``block`` inside the with statement."""
        before, self.block = self.block, block
        try:
            yield block
        finally:
            self.block = before

    @contextmanager
    def located(self, source: Source | None) -> Iterator[None]:
        """Gives nodes ``source`` inside the with statement."""
        before, self.source = self.source, source
        try:
            yield
        finally:
            self.source = before

    def insert(
        self,
        op: str,
        inputs: Sequence[Value] = (),
        types: Sequence[Type] = (),
        attributes: Mapping[str, Literal] | None = None,
    ) -> Node:
        """Appends a node as it is."""
        node = Node(
            op,
            list(inputs),
            [Value(type) for type in types],
            dict(attributes or {}),
            source=self.source,
        )
        self.block.nodes.append(node)
        return node

    def mark(self) -> int:
        """A place in ``block`` to return to with ``rewind``."""
        return len(self.block.nodes)

    def rewind(self, mark: int) -> None:
        """Removes what was appended to ``block`` since ``mark``."""
        dropped = {id(v) for node in self.block.nodes[mark:] for v in node.outputs}
        del self.block.nodes[mark:]
        known = self._constants.get(self.block, {})
        for key in [key for key, value in known.items() if id(value) in dropped]:
            del known[key]

    # --- constants and state ---------------------------------------------------------------

    def constant(self, literal: Literal, type: Type | None = None) -> Value:
        """A constant, one per block and value.

        All runs share a list constant, so it may go only where nothing mutates it: a list
        that the user's program makes is ``list_construct``.
        """
        if isinstance(literal, list):
            literal = tuple(literal)
        type = matching.operand_type(literal) if type is None else type
        known = self._constants.setdefault(self.block, {})
        key = (type, repr(literal))
        value = known.get(key)
        if value is None:
            node = self.insert("prim::Constant", (), (type,), {"value": literal})
            value = known[key] = node.output
            self._literals[value] = literal
        return value

    def value(self, operand: Operand, type: Type | None = None) -> Value:
        """The operand as a value; ``type`` decides what constants and lists become."""
        if isinstance(operand, Value):
            return operand
        if isinstance(operand, str) or not isinstance(operand, Sequence):
            return self.constant(operand)
        element = type.element if isinstance(type, ListType) else None
        return self.list_construct(operand, element)

    def state(self, name: str) -> Value:
        """The state entry of that name."""
        node = self.insert("prim::GetState", (), (self.program.state[name].type,), {"name": name})
        node.output.name = name.rpartition(".")[2]
        return node.output

    def set_state(self, name: str, value: Operand) -> None:
        """Replaces the state entry, which becomes mutable."""
        self.insert("prim::SetState", [self.value(value)], (), {"name": name})
        self.program.state[name].mutable = True

    # --- ops of the catalogue --------------------------------------------------------------

    def op(
        self,
        name: str,
        *args: Operand,
        result_types: Sequence[Type] | Type | None = None,
        **kwargs: Operand,
    ) -> Result:
        """Appends an op by its full name, ``"aten::add.Tensor"``.

        ``result_types`` replaces the schema's types, to add tensor facts. Where the schema
        says Tensor and a number is given, as exported graphs do, the overload of the same op
        that takes numbers is used. Raises Error if the arguments fit neither.
        """
        schema = self.ops.find(name)
        if schema is None:
            fail(f"Ingot has no op {name}", source=self.source)
        try:
            found = matching.match(schema, args, kwargs)
        except Mismatch as mismatch:
            if not _has_number_for_tensor(schema, args, kwargs):
                fail(f"{schema}: {mismatch}", source=self.source)
            found = matching.resolve(
                schema.base, self.ops.overloads(schema.base), args, kwargs, self.source
            )
        return self._append(found, result_types)

    def call(
        self,
        base: str,
        args: Sequence[Operand] = (),
        kwargs: Mapping[str, Operand] | None = None,
        result_types: Sequence[Type] | Type | None = None,
    ) -> Result:
        """Appends the overload of ``"aten::add"`` that fits the arguments best.

        Raises Error with every candidate if there is none.
        """
        schemas = self.ops.overloads(base)
        found = matching.resolve(base, schemas, args, kwargs or {}, self.source)
        return self._append(found, result_types)

    def _append(self, found: Match, result_types: Sequence[Type] | Type | None) -> Result:
        schema = found.schema
        if schema.name == "aten::batch_norm" and self._writes_statistics(found):
            *operands, _ = found.operands
            own: list[Type] | None = None
            if result_types is not None:
                given = [result_types] if isinstance(result_types, Type) else result_types
                own = [*given, TENSOR, TENSOR]
            results = self.op("aten::_native_batch_norm_legit", *operands, result_types=own)
            assert isinstance(results, tuple)
            return results[0]
        inputs = [
            self._convert(operand, bind(argument.type, found.bindings), argument.length)
            for argument, operand in zip(schema.arguments, found.operands, strict=False)
        ]
        inputs += [self.value(each) for each in found.operands[len(inputs) :]]
        if result_types is None:
            types: Sequence[Type] = [bind(r.type, found.bindings) for r in schema.returns]
        else:
            types = [result_types] if isinstance(result_types, Type) else result_types
            if len(types) != len(schema.returns):
                raise ValueError(f"{schema.name} gives {len(schema.returns)} values")
        outputs = self.insert(schema.name, inputs, types).outputs
        if len(outputs) == 1:
            return outputs[0]
        return tuple(outputs) if outputs else None

    def _writes_statistics(self, found: Match) -> bool:
        """Whether a batch_norm updates its statistics in place, which its schema hides."""
        mean, training = found.operands[3], found.operands[5]
        if isinstance(training, Value):
            training = self._literals.get(training, False)
        return training is True and mean is not None

    def _convert(self, operand: Operand, formal: Type, length: int | None) -> Value:
        """A value of the declared type from an operand that ``match`` accepted."""
        if isinstance(formal, OptionalType):
            if operand is None:
                return self.constant(None)
            if isinstance(operand, Value) and isinstance(operand.type, OptionalType):
                return operand
            if isinstance(operand, Value) and operand.type == NONE:
                return operand
            formal = formal.element
        if isinstance(operand, Value):
            return self._convert_value(operand, formal, length)
        if isinstance(operand, str) or not isinstance(operand, Sequence):
            if isinstance(formal, ListType) and length is not None:
                return self._convert([operand] * length, formal, None)
            return self.constant(_convert_literal(operand, formal))
        element = formal.element if isinstance(formal, ListType) else None
        if element is None or element == NUMBER:
            inner = matching.operand_type(operand)
            element = inner.element if isinstance(inner, ListType) else None
        if element is not None and _is_literal(operand):
            literal = tuple(_convert_literal(each, element) for each in operand)
            return self.constant(literal, ListType(element))
        if element is not None:
            operand = [self._convert(each, element, None) for each in operand]
        return self.list_construct(operand, element)

    def _convert_value(self, value: Value, formal: Type, length: int | None) -> Value:
        type = erase_facts(value.type)
        if is_subtype(type, formal):
            return value
        if isinstance(formal, ListType):
            if isinstance(type, TupleType | NamedTupleType):
                return self._convert(list(self.tuple_unpack(value)), formal, None)
            if length is not None and not isinstance(type, ListType):
                return self._convert([value] * length, formal, None)
            return value
        name = _CONVERSIONS.get((type, formal))
        if isinstance(type, TensorType) and formal == INT:  # of floats it is a mistake
            whole = self.op("aten::ScalarImplicit", value)
            assert isinstance(whole, Value)
            return self.cast(whole, INT)
        if isinstance(type, TensorType):
            name = _TENSOR_CONVERSIONS.get(formal)
        if name is not None:
            converted = self.op(name, value)
            assert isinstance(converted, Value)
            return converted
        return self.cast(value, formal) if type == NUMBER and formal == INT else value

    def literal_list(self, value: Value) -> list[Any] | None:
        """The numbers of a list, made of constants in this block, that nothing has used since:
        nothing can have changed it. None for other values."""
        if value in self._literals:
            return None
        for node in reversed(self.block.nodes):
            if node.op == "prim::ListConstruct" and node.outputs[0] is value:
                found = [
                    self._literals[each] if each in self._literals else self._inner_list(each)
                    for each in node.inputs
                ]
                return None if any(each is None for each in found) else found
            if node.blocks or any(each is value for each in node.inputs):
                return None
        return None

    def _inner_list(self, value: Value) -> list[Any] | None:
        """As ``literal_list``, of an element: what follows is the list around it."""
        nodes = self.block.nodes
        made = [n for n in nodes if n.op == "prim::ListConstruct" and n.outputs[0] is value]
        uses = sum(each is value for node in nodes for each in node.inputs)
        if not made or uses != 1 or any(each not in self._literals for each in made[0].inputs):
            return None
        return [self._literals[each] for each in made[0].inputs]

    # --- containers ------------------------------------------------------------------------

    def list_construct(
        self, elements: Sequence[Operand], element_type: Type | None = None
    ) -> Value:
        """A new list. Without ``element_type``: the type that holds all, Tensor if empty."""
        values = [self.value(each, element_type) for each in elements]
        if element_type is None:
            listed = matching.operand_type(values)
            assert isinstance(listed, ListType)
            element_type = listed.element
        return self.insert("prim::ListConstruct", values, [ListType(element_type)]).output

    def tuple_construct(self, elements: Sequence[Operand]) -> Value:
        values = [self.value(each) for each in elements]
        type = TupleType(tuple(v.type for v in values))
        return self.insert("prim::TupleConstruct", values, [type]).output

    def named_tuple(self, name: str, fields: Sequence[str], elements: Sequence[Operand]) -> Value:
        values = [self.value(each) for each in elements]
        type = NamedTupleType(name, tuple(fields), tuple(v.type for v in values))
        return self.insert("prim::TupleConstruct", values, [type]).output

    def dict_construct(
        self,
        items: Sequence[tuple[Operand, Operand]],
        key_type: Type | None = None,
        value_type: Type | None = None,
    ) -> Value:
        """A new dict. Types that are not given are those of the items, str and Tensor if empty."""
        keys = [self.value(key, key_type) for key, _ in items]
        values = [self.value(value, value_type) for _, value in items]
        if key_type is None:
            key_type = matching.operand_type(keys).element if keys else STR  # type: ignore[attr-defined]
        if value_type is None:
            value_type = matching.operand_type(values).element  # type: ignore[attr-defined]
        flat = [each for pair in zip(keys, values, strict=True) for each in pair]
        return self.insert("prim::DictConstruct", flat, [DictType(key_type, value_type)]).output

    def list_unpack(self, value: Value, count: int) -> tuple[Value, ...]:
        """The elements of a list that must have ``count`` of them when it runs."""
        if not isinstance(value.type, ListType):
            fail(f"cannot unpack a {value.type} as a list", source=self.source)
        node = self.insert("prim::ListUnpack", [value], [value.type.element] * count)
        return tuple(node.outputs)

    def tuple_unpack(self, value: Value) -> tuple[Value, ...]:
        node = self.insert("prim::TupleUnpack", [value], self._elements(value))
        return tuple(node.outputs)

    def tuple_index(self, value: Value, index: int) -> Value:
        """One element; ``index`` counts from the end if negative."""
        types = self._elements(value)
        if not -len(types) <= index < len(types):
            fail(f"{value.type} has no element {index}", source=self.source)
        index %= len(types)
        return self.insert("prim::TupleIndex", [value], [types[index]], {"index": index}).output

    def _elements(self, value: Value) -> tuple[Type, ...]:
        if not isinstance(value.type, TupleType | NamedTupleType):
            fail(f"cannot unpack a {value.type} as a tuple", source=self.source)
        return value.type.elements

    # --- checks and calls ------------------------------------------------------------------

    def cast(self, value: Value, type: Type) -> Value:
        """The same value as ``type``; the run raises if it is none."""
        return self.insert("prim::Cast", [value], [type]).output

    def uninitialized(self, type: Type) -> Value:
        """A value that no run reads."""
        return self.insert("prim::Uninitialized", (), [type]).output

    def create_object(self, type: ClassType) -> Value:
        """A new instance without attributes."""
        return self.insert("prim::CreateObject", (), [type]).output

    def get_attribute(self, value: Value, name: str, type: Type) -> Value:
        """An attribute of an instance; the run raises if it is not set."""
        return self.insert("prim::GetAttr", [value], [type], {"name": name}).output

    def set_attribute(self, value: Value, name: str, item: Value) -> None:
        self.insert("prim::SetAttr", [value, item], (), {"name": name})

    def guard(self, condition: Operand, message: str) -> None:
        """A run raises GuardError(message) where ``condition`` is false."""
        self.insert("prim::Guard", [self.value(condition)], (), {"message": message})

    def raise_exception(self, message: Operand, kind: str = "RuntimeError") -> None:
        """The run ends with an error; ``kind`` is the Python class name."""
        self.insert("prim::RaiseException", [self.value(message)], (), {"kind": kind})

    def reraise(self, parts: Sequence[Operand]) -> None:
        """The run ends with an exception that a Try has caught, as it was."""
        self.insert("prim::Reraise", [self.value(part) for part in parts])

    def is_instance(self, value: Value, type: Type) -> Value:
        """Whether the value is a ``type``."""
        return self.insert("prim::IsInstance", [value], [BOOL, type]).outputs[0]

    def call_method(
        self,
        name: str,
        args: Sequence[Operand] = (),
        kwargs: Mapping[str, Operand] | None = None,
    ) -> Value:
        """Calls another method of the program, which must have its inputs and its output."""
        method = self.program.methods[name]
        given = dict(kwargs or {})
        if len(args) > len(method.inputs):
            fail(
                f"{name} takes {len(method.inputs)} arguments, not {len(args)}",
                source=self.source,
            )
        values: list[Value] = []
        for i, (described, formal) in enumerate(
            zip(method.inputs, method.body.inputs, strict=True)
        ):
            if i < len(args):
                operand = args[i]
            elif described.name in given:
                operand = given.pop(described.name)
            elif described.default is not NO_DEFAULT:
                operand = described.default  # type: ignore[assignment]
            else:
                fail(f"{name} needs the argument {described.name!r}", source=self.source)
            if matching.fit(operand, erase_facts(formal.type), None, {}) is None:
                fail(
                    f"argument {described.name!r} of {name} takes {formal.type}, "
                    f"not {matching.describe(operand)}",
                    source=self.source,
                )
            values.append(self._convert(operand, erase_facts(formal.type), None))
        if given:
            fail(f"{name} has no argument {next(iter(given))!r}", source=self.source)
        type = method.body.outputs[0].type
        return self.insert("prim::Call", values, [type], {"method": name}).output

    # --- control flow ----------------------------------------------------------------------

    def if_(self, condition: Operand) -> Node:
        """Appends an If with two empty blocks, to be filled with ``at`` and ended by ``join``."""
        node = self.insert("prim::If", [self.value(condition)])
        node.blocks = [Block(), Block()]
        return node

    def try_(self) -> Node:
        """Appends a Try with an empty body and an empty handler, to be filled with ``at``."""
        node = self.insert("prim::Try")
        names = ("kind", "text", "sentence", "location")
        node.blocks = [Block(), Block(inputs=[Value(STR, name) for name in names])]
        return node

    def join(
        self, node: Node, then: Value, otherwise: Value, type: Type | None = None, name: str = ""
    ) -> Value:
        """Adds an output to an If: ``then`` and ``otherwise`` are the values in its blocks.

        Raises Error if their types have nothing in common and ``type`` is not given.
        """
        if type is None:
            type = unify(then.type, otherwise.type)
        if type is None:
            fail(
                f"{name or 'the value'} is {then.type} in one branch and {otherwise.type} in "
                "the other",
                source=node.source,
            )
        node.blocks[0].outputs.append(then)
        node.blocks[1].outputs.append(otherwise)
        node.outputs.append(Value(type, name))
        return node.outputs[-1]

    def loop(self, maximum: Operand = None, condition: Operand = True) -> Node:
        """Appends a Loop of at most ``maximum`` turns (None: no limit) that runs while
        ``condition``. Its block starts with the number of the turn; ``carry`` adds values,
        ``end_loop`` closes it.
        """
        limit = self.constant(2**63 - 1) if maximum is None else self.value(maximum)
        node = self.insert("prim::Loop", [limit, self.value(condition)])
        node.blocks = [Block(inputs=[Value(INT, "i")])]
        return node

    def carry(
        self, node: Node, initial: Operand, type: Type | None = None, name: str = ""
    ) -> Value:
        """Adds a value that each turn of a Loop takes and replaces; gives its block input."""
        value = self.value(initial, type)
        type = value.type if type is None else type
        node.inputs.append(value)
        inner = Value(type, name or value.name)
        node.blocks[0].inputs.append(inner)
        return inner

    def end_loop(
        self, node: Node, condition: Operand, values: Sequence[Operand]
    ) -> tuple[Value, ...]:
        """Closes a Loop: whether to go on and the carried values for the next turn, in the
        order of ``carry``. Gives the values after the loop.
        """
        body = node.blocks[0]
        with self.at(body):
            body.outputs = [self.value(condition), *(self.value(v) for v in values)]
        node.outputs = [Value(inner.type, inner.name) for inner in body.inputs[1:]]
        return tuple(node.outputs)


def _has_number_for_tensor(
    schema: Schema, args: Sequence[Operand], kwargs: Mapping[str, Operand]
) -> bool:
    pairs = [*zip(schema.arguments, args, strict=False)]
    pairs += [(schema.arguments[schema.positions[k]], v) for k, v in kwargs.items()
              if k in schema.positions]  # fmt: skip
    numbers = (INT, FLOAT, BOOL, COMPLEX, NUMBER)
    return any(
        isinstance(a.type, TensorType) and matching.operand_type(v) in numbers for a, v in pairs
    )


def _is_literal(operand: Operand) -> bool:
    if isinstance(operand, Value):
        return False
    if isinstance(operand, str) or not isinstance(operand, Sequence):
        return True
    return all(map(_is_literal, operand))


def _convert_literal(literal: Operand, formal: Type) -> Literal:
    """A Python constant as the declared type: 1 for a float argument becomes 1.0."""
    if isinstance(literal, Sequence) and not isinstance(literal, str):
        element = formal.element if isinstance(formal, ListType) else formal
        return tuple(_convert_literal(each, element) for each in literal)
    if isinstance(formal, OptionalType):
        formal = formal.element
    if isinstance(literal, bool | int) and formal == FLOAT:
        return float(literal)
    if isinstance(literal, bool | int | float) and formal == COMPLEX:
        return complex(literal)
    if isinstance(literal, bool) and formal == INT:
        return int(literal)
    return literal  # type: ignore[return-value]
