"""The interface of a traced method: types of its inputs, their leaves, checks, its output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy
import torch

from ingot.capture.scalars import SYMPY_NAMES, Scalars
from ingot.capture.shapes import Place, Shapes
from ingot.capture.signature import Signature
from ingot.capture.state import dtype_of
from ingot.capture.structure import CONSTANT, DICT, LEAF, LIST, RECORD, TUPLE, Tree
from ingot.ir.builder import Builder
from ingot.ir.diagnostics import fail
from ingot.ir.graph import Program, Source, Symbol, Value
from ingot.ir.match import Operand
from ingot.ir.types import (
    BOOL,
    COMPLEX,
    FLOAT,
    INT,
    NONE,
    STR,
    DictType,
    Dim,
    ListType,
    NamedTupleType,
    OptionalType,
    TensorType,
    TupleType,
    Type,
    UnionType,
    erase_facts,
)

_LITERAL_TYPES: dict[type, Type] = {
    bool: BOOL,
    int: INT,
    float: FLOAT,
    complex: COMPLEX,
    str: STR,
    type(None): NONE,
}


class Interface:
    """Declares the inputs of a method for a signature and unpacks them.

    ``values`` has the IR value of every leaf; ``sizes`` lowers expressions over the symbols.
    """

    def __init__(
        self,
        program: Program,
        method: str,
        signature: Signature,
        shapes: Shapes,
        dynamic_floats: frozenset[int],
    ) -> None:
        self.signature = signature
        self.shapes = shapes
        self.dynamic_floats = dynamic_floats
        self.names = shapes.names()
        self._own_checks: list[int] = []
        inputs = [
            (p.name, self._type(p.tree, p.first, False), p.default) for p in signature.parameters
        ]
        self.builder = Builder.method(program, method, inputs)
        used = {d for _, t, _ in inputs for d in _symbols_in(t)}
        for symbol, name in self.names.items():
            if name in used:
                span = shapes.ranges[symbol]
                program.symbols[name] = Symbol(name, span.min, span.max, span.source)
        self._checked_by_type = used
        self.values: list[Value] = []
        for parameter, value in zip(signature.parameters, self.builder.inputs, strict=True):
            self._unpack(parameter.tree, value, parameter.name, False)
        self._record_sources(program, method)
        self.scalars = Scalars(self.builder)
        self._expressions: dict[sympy.Basic, Operand] = {}

    # --- types -------------------------------------------------------------------------------

    def _type(self, tree: Tree, first: int, loose: bool) -> Type:
        """The type of a tree; ``loose`` in lists and dicts, whose elements have one type, so
        that facts of the leaves become Guard nodes."""
        if tree.kind == LEAF:
            return self._leaf_type(first, loose)
        types, at = [], first
        for child in tree.children:
            types.append(self._type(child, at, loose or tree.kind in (LIST, DICT)))
            at += child.leaves()
        if tree.kind == TUPLE:
            return TupleType(tuple(types))
        if tree.kind == RECORD:
            return NamedTupleType(tree.name, tuple(map(str, tree.keys)), tuple(types))
        element = joined(types)
        if tree.kind == LIST:
            return ListType(element)
        return DictType(_LITERAL_TYPES[type(tree.keys[0])] if tree.keys else STR, element)

    def _leaf_type(self, leaf: int, loose: bool) -> Type:
        value = self.signature.leaves[leaf]
        if not isinstance(value, torch.Tensor):
            return _LITERAL_TYPES[type(value)]
        if value.device.type != "cpu":
            fail(
                f"the input {self.signature.paths[leaf]} is on {value.device}",
                hint="move the model and the example inputs to the CPU with .cpu()",
            )
        dtype = dtype_of(value.dtype, f"the input {self.signature.paths[leaf]}")
        if loose:
            self._own_checks.append(leaf)
            return TensorType()
        return TensorType(dtype, tuple(self._dim(leaf, d) for d in range(value.dim())))

    def _dim(self, leaf: int, dim: int) -> Dim:
        size = self.shapes.sizes[leaf, dim]
        if size.is_number:
            return int(size)
        return self.names.get(size)

    def dims(self, sizes: Sequence[Any]) -> tuple[Dim, ...]:
        """Facts about the sizes of a value in the graph."""
        return tuple(
            size if isinstance(size, int) else self._known(getattr(size.node, "expr", None))
            for size in sizes
        )

    def _known(self, expr: sympy.Basic | None) -> str | None:
        name = self.names.get(expr)
        return name if name in self._checked_by_type else None

    def _record_sources(self, program: Program, method: str) -> None:
        sources = program.methods[method].dim_sources
        for number, parameter in enumerate(self.signature.parameters):
            for i, path in enumerate(parameter.tree.paths("")):
                leaf = parameter.first + i
                for (at, dim), source in self.shapes.sources.items():
                    if at == leaf and dim is not None and source is not None:
                        sources[number, path, dim] = source

    # --- unpacking ---------------------------------------------------------------------------

    def _unpack(self, tree: Tree, value: Value, path: str, loose: bool) -> None:
        b = self.builder
        if tree.kind == LEAF:
            wanted = self._leaf_type(len(self.values), loose)
            if erase_facts(value.type) != erase_facts(wanted):
                value = b.cast(value, wanted)
            self.values.append(value)
            return
        if tree.kind in (TUPLE, RECORD):
            children = b.tuple_unpack(value) if tree.children else ()
        elif tree.kind == LIST:
            count = b.op("aten::len.t", value)
            self._guard_equal(count, len(tree.children), f"the length of input {path}")
            children = b.list_unpack(value, len(tree.children))
        else:
            count = b.op(f"aten::len.Dict_{_key_name(tree)}", value)
            self._guard_equal(count, len(tree.children), f"the number of keys of input {path}")
            children = tuple(
                b.op(f"aten::__getitem__.Dict_{_key_name(tree)}", value, key)  # type: ignore[misc]
                for key in tree.keys
            )
        loose = loose or tree.kind in (LIST, DICT)
        for child, own, step in zip(tree.children, children, _steps(tree), strict=True):
            if child.kind != LEAF:
                wanted = self._type(child, len(self.values), loose)
                if own.type != wanted and isinstance(own.type, UnionType | OptionalType):
                    own = b.cast(own, wanted)
            self._unpack(child, own, path + step, loose)

    # --- checks ------------------------------------------------------------------------------

    def check(self) -> None:
        """Appends a guard for everything that the types of the inputs do not say."""
        for leaf, value in enumerate(self.signature.leaves):
            path = self.signature.paths[leaf]
            if isinstance(value, bool | str | complex) or (
                isinstance(value, float) and leaf not in self.dynamic_floats
            ):
                self._guard_equal(self.values[leaf], value, f"input {path}")
            elif isinstance(value, int):
                self._check_size((leaf, None), self.values[leaf], f"input {path}")
        for leaf in dict.fromkeys(self._own_checks):
            self._check_tensor(leaf)
        for (leaf, dim), size in self.shapes.sizes.items():
            by_type = size.is_number or size in self.names or leaf in self._own_checks
            if dim is not None and not by_type:
                self._check_size((leaf, dim), self._size(leaf, dim), self._described(leaf, dim))
        for condition in self.shapes.conditions:
            with self.builder.located(condition.source):
                self.builder.guard(
                    self.lower(condition.expr),
                    f"the sizes of the inputs must satisfy {self.written(condition.expr)}: "
                    "the model was traced where they do",
                )

    def _check_tensor(self, leaf: int) -> None:
        b, value, path = self.builder, self.values[leaf], self.signature.paths[leaf]
        example = self.signature.leaves[leaf]
        dtype = dtype_of(example.dtype, path)
        kind = b.op("prim::dtype", value)
        b.guard(b.op("aten::eq.int", kind, int(dtype)), f"input {path} must have dtype {dtype}")
        self._guard_equal(b.op("aten::dim", value), example.dim(), f"the rank of input {path}")
        for dim in range(example.dim()):
            self._check_size((leaf, dim), self._size(leaf, dim), self._described(leaf, dim))

    def _check_size(self, place: Place, value: Operand, what: str) -> None:
        expr = self.shapes.sizes[place]
        with self.builder.located(self.shapes.sources.get(place)):
            if expr.is_number:
                self._guard_equal(value, int(expr), what)
            elif self.shapes.symbols.get(expr) == place:
                if self.names[expr] not in self._checked_by_type:
                    self._guard_range(expr, value, what)
            else:
                self.builder.guard(
                    self.scalars_().apply("eq", value, self.lower(expr)),
                    f"{what} must be {self.written(expr)}",
                )

    def _guard_range(self, symbol: sympy.Symbol, value: Operand, what: str) -> None:
        span = self.shapes.ranges[symbol]
        tensor = self.shapes.symbols[symbol][1] is not None
        with self.builder.located(span.source):
            if span.min > (0 if tensor else -(2**63)):
                held = self.scalars_().apply("ge", value, span.min)
                self.builder.guard(held, f"{what} must be at least {span.min}")
            if span.max is not None:
                held = self.scalars_().apply("le", value, span.max)
                self.builder.guard(held, f"{what} must be at most {span.max}")

    def _guard_equal(self, value: Any, expected: Any, what: str) -> None:
        op = {str: "aten::eq.str", complex: "aten::eq.complex"}.get(type(expected))
        held = (
            self.builder.op(op, value, expected)
            if op
            else self.scalars_().apply("eq", value, expected)
        )
        self.builder.guard(held, f"{what} must be {expected!r}, as when the model was traced")

    def scalars_(self) -> Scalars:
        return Scalars(self.builder)

    def _described(self, leaf: int, dim: int) -> str:
        return f"dimension {dim} of input {self.signature.paths[leaf]}"

    # --- sizes -------------------------------------------------------------------------------

    def _size(self, leaf: int, dim: int) -> Value:
        value = self.builder.op("aten::sym_size.int", self.values[leaf], dim)
        assert isinstance(value, Value)
        return value

    def lower(self, expr: sympy.Basic) -> Operand:
        """The value of an expression over the symbols, computed once, at the top."""
        if expr not in self._expressions:
            self._expressions[expr] = self._lower(expr)
        return self._expressions[expr]

    def _lower(self, expr: sympy.Basic) -> Operand:
        if isinstance(expr, sympy.Integer):
            return int(expr)
        if isinstance(expr, sympy.Float | sympy.Rational):
            return float(expr)
        if expr in (sympy.true, sympy.false):
            return bool(expr)
        if isinstance(expr, sympy.Symbol):
            place = self.shapes.symbols.get(expr)
            if place is not None:
                leaf, dim = place
                return self.values[leaf] if dim is None else self._size(leaf, dim)
        if isinstance(expr, sympy.Pow) and isinstance(expr.exp, sympy.Integer):
            return self.scalars.apply("pow", self.lower(expr.base), int(expr.exp))
        if isinstance(expr, sympy.Pow):
            return self.scalars.apply("pow", self.lower(expr.base), self.lower(expr.exp))
        name = SYMPY_NAMES.get(expr.func)
        if name is None:
            fail(f"Ingot cannot check the condition {self.written(expr)} on sizes", code="internal")
        return self.scalars.apply(name, *map(self.lower, expr.args))

    def written(self, expr: sympy.Basic) -> str:
        """An expression as the user would write it: ``x.shape[0] % 2 == 0``."""
        places = {
            symbol: sympy.Symbol(
                self.signature.paths[leaf] + ("" if dim is None else f".shape[{dim}]")
            )
            for symbol, (leaf, dim) in self.shapes.symbols.items()
        }
        return _text(expr.xreplace(places))

    # --- output ------------------------------------------------------------------------------

    def pack(self, tree: Tree, leaves: list[Operand], source: Source | None = None) -> Value:
        """The method's output with this structure; takes its values from ``leaves``."""
        b = self.builder
        with b.located(source):
            if tree.kind == LEAF:
                return b.value(leaves.pop(0))
            if tree.kind == CONSTANT:
                return b.constant(tree.value)
            values = [self.pack(child, leaves) for child in tree.children]
            if tree.kind == TUPLE:
                return b.tuple_construct(values)
            if tree.kind == RECORD:
                return b.named_tuple(tree.name, [str(k) for k in tree.keys], values)
            element = joined([erase_facts(v.type) for v in values])
            if tree.kind == LIST:
                return b.list_construct(values, element)
            key = _LITERAL_TYPES[type(tree.keys[0])] if tree.keys else STR
            return b.dict_construct(list(zip(tree.keys, values, strict=True)), key, element)


def joined(types: Sequence[Type]) -> Type:
    """The type of a container's elements: theirs, or Optional or Union of them."""
    plain = list(dict.fromkeys(types))
    if not plain:
        return TensorType()
    if len(plain) == 1:
        return plain[0]
    plain = list(dict.fromkeys(map(erase_facts, plain)))
    rest = [t for t in plain if t != NONE]
    element = rest[0] if len(rest) == 1 else UnionType(tuple(rest))
    return element if len(rest) == len(plain) else OptionalType(element)


def _steps(tree: Tree) -> list[str]:
    if tree.kind == RECORD:
        return [f".{key}" for key in tree.keys]
    if tree.kind == DICT:
        return [f"[{key!r}]" for key in tree.keys]
    return [f"[{i}]" for i in range(len(tree.children))]


def _key_name(tree: Tree) -> str:
    return {str: "str", int: "int", float: "float"}[type(tree.keys[0])] if tree.keys else "str"


def _symbols_in(type: Type) -> list[str]:
    if isinstance(type, TensorType):
        return [d for d in type.dims or () if isinstance(d, str)]
    if isinstance(type, TupleType | NamedTupleType):
        return [name for element in type.elements for name in _symbols_in(element)]
    return []


_INFIX = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "add": "+",
          "mul": "*", "floordiv": "//", "mod": "%", "pow": "**", "truediv": "/", "and": "and",
          "or": "or"}  # fmt: skip


def _text(expr: sympy.Basic, outer: bool = True) -> str:
    if isinstance(expr, sympy.Symbol) or not expr.args:
        return str(expr)
    name = "pow" if isinstance(expr, sympy.Pow) else SYMPY_NAMES.get(expr.func, str(expr.func))
    parts = [_text(arg, False) for arg in expr.args]
    if name in _INFIX:
        text = f" {_INFIX[name]} ".join(parts)
        return text if outer else f"({text})"
    return f"{name}({', '.join(parts)})"
