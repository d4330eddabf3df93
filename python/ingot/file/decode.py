"""FlatBuffers to a program: the inverse of ``encode``.

The Python library checks nothing itself: every read past the buffer, index out of range or
nesting without end is caught here and becomes Error (corrupt_file).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ingot.dtypes import DType
from ingot.errors import Error
from ingot.file._fb import program_generated as fb
from ingot.file.reader import as_complex, newer
from ingot.ir.diagnostics import fail
from ingot.ir.graph import (
    MAX_DEPTH,
    Block,
    Class,
    Input,
    Literal,
    Method,
    Node,
    Program,
    Source,
    State,
    Symbol,
    TensorData,
    Value,
)
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
    UnionType,
)

T = TypeVar("T")

_SIMPLE: dict[int, Type] = {
    fb.TypeKind.Int: INT,
    fb.TypeKind.Float: FLOAT,
    fb.TypeKind.Bool: BOOL,
    fb.TypeKind.Complex: COMPLEX,
    fb.TypeKind.Str: STR,
    fb.TypeKind.None_: NONE,
}


def decode_program(code: memoryview, tensors: Mapping[str, TensorData], name: str) -> Program:
    """The program of ``__ingot__.program``; its state uses ``tensors`` in place."""
    try:
        if bytes(code[4:8]) != b"INGT":
            raise ValueError("it does not begin with the program signature")
        root = fb.Program.GetRootAs(code, 0)
        newer(root.Format(), name)
        return _Decoder(root, tensors, code.nbytes // 4).decode()
    except Error:
        raise
    except UnicodeDecodeError:
        fail(f"{name} is damaged: its program holds text that is not UTF-8", code="corrupt_file")
    except (ValueError, LookupError) as error:
        what = str(error) if type(error) is ValueError else "an index is out of range"
        fail(f"{name} is damaged: invalid program: {what}", code="corrupt_file")
    except (struct.error, TypeError, OverflowError, MemoryError):
        fail(f"{name} is damaged: the structure of its program is broken", code="corrupt_file")


class _Decoder:
    def __init__(self, root: Any, tensors: Mapping[str, TensorData], budget: int) -> None:
        self.root = root
        self.tensors = tensors
        self.budget = budget
        """Tables still to come: each has at least one offset of four bytes."""
        self.texts: dict[int, str] = {}

    def decode(self) -> Program:
        root = self.root
        self.ops = [_text(root.Ops(i)) for i in range(self._count(root.OpsLength()))]
        self.sources: list[Source | None] = []
        self.sources = self._table(root.SourcesLength, root.Sources, self._source, self.sources)
        symbols = self._table(root.SymbolsLength, root.Symbols, self._symbol)
        self.symbols = [s.name for s in symbols]
        rows = [root.Classes(i) for i in range(self._count(root.ClassesLength()))]
        self.classes = [_text(row.Name()) for row in rows]
        self.depths: list[int] = []
        self.types: list[Type] = []
        self._table(root.TypesLength, root.Types, self._type, self.types)
        classes = [self._class(row) for row in rows]
        self.depths = []
        self.literals: list[Literal] = []
        self._table(root.LiteralsLength, root.Literals, self._literal, self.literals)
        self.doubled: dict[str, TensorData] = {}
        state = self._table(root.StateLength, root.State, self._state)
        methods = self._table(root.MethodsLength, root.Methods, self._method)
        for kind, each in (
            ("state entry", state),
            ("method", methods),
            ("symbol", symbols),
            ("class", classes),
        ):
            names = [item.name for item in each]
            if len(set(names)) != len(names):
                raise ValueError(f"a {kind} occurs twice")
        return Program(
            {m.name: m for m in methods},
            {s.name: s for s in state},
            {s.name: s for s in symbols},
            {c.name: c for c in classes},
        )

    def _count(self, count: int) -> int:
        self.budget -= count
        if self.budget < 0:
            raise ValueError("it holds more tables than its bytes")
        return count

    def _table(
        self,
        length: Callable[[], int],
        item: Callable[[int], Any],
        read: Callable[[Any], T],
        into: list[T] | None = None,
    ) -> list[T]:
        """Reads a vector of tables in order; rows may refer to those already in ``into``."""
        rows: list[T] = [] if into is None else into
        for i in range(self._count(length())):
            rows.append(read(item(i)))
        return rows

    def _source(self, row: Any) -> Source | None:
        index = len(self.sources)
        if index == 0:
            return None
        if row.Caller() >= index:
            raise ValueError(f"source {index} is called from a later one")
        return Source(
            _text(row.File()),
            row.Line(),
            row.Column(),
            _text(row.Function()),
            _text(row.Text()),
            self.sources[row.Caller()],
        )

    def _symbol(self, row: Any) -> Symbol:
        maximum = row.Max()
        limit = None if maximum == 2**63 - 1 else maximum
        return Symbol(_text(row.Name()), row.Min(), limit, self.sources[row.Source()])

    def _nested(self, elements: list[int], limit: int) -> None:
        if any(e >= limit for e in elements):
            raise ValueError("a type or constant refers to a later one")
        depth = 1 + max((self.depths[e] for e in elements), default=-1)
        if depth > MAX_DEPTH:
            raise ValueError(f"a type or constant nests deeper than {MAX_DEPTH}")
        self.depths.append(depth)

    def _type(self, row: Any) -> Type:
        numbers = _numbers(row, 4, "I")
        self._nested(numbers, len(self.types))
        elements = tuple(self.types[e] for e in numbers)
        kind = row.Kind()
        if kind == fb.TypeKind.Tensor:
            return self._tensor_type(row)
        if kind in _SIMPLE:
            return _SIMPLE[kind]
        if kind == fb.TypeKind.List:
            return ListType(*elements)
        if kind == fb.TypeKind.Optional:
            return OptionalType(*elements)
        if kind == fb.TypeKind.Dict:
            return DictType(*elements)
        if kind == fb.TypeKind.Tuple:
            return TupleType(elements)
        if kind == fb.TypeKind.Union:
            return UnionType(elements)
        if kind == fb.TypeKind.NamedTuple:
            fields = tuple(_text(row.Fields(i)) for i in range(self._count(row.FieldsLength())))
            if len(fields) != len(elements):
                raise ValueError("a NamedTuple has more or fewer names than elements")
            return NamedTupleType(_text(row.Name()), fields, elements)
        if kind == fb.TypeKind.Object:
            return ClassType(self.classes[row.ClassNumber()])
        raise ValueError(f"a type is of the unknown kind {kind}")

    def _class(self, row: Any) -> Class:
        name = _text(row.Name())
        fields = [_text(row.Fields(i)) for i in range(self._count(row.FieldsLength()))]
        types = [self.types[number] for number in _numbers(row, 2, "I")]
        if len(fields) != len(types) or len(set(fields)) != len(fields) or not name:
            raise ValueError(f"the class {name!r} has fields that do not fit")
        return Class(name, dict(zip(fields, types, strict=True)))

    def _tensor_type(self, row: Any) -> Type:
        dtype = None if row.Dtype() == -1 else DType(row.Dtype())
        if not row.HasRank():
            return TENSOR if dtype is None else TensorType(dtype)
        dims = _numbers(row, 3, "q")
        return TensorType(
            dtype, tuple(d if d >= 0 else None if d == -1 else self.symbols[-2 - d] for d in dims)
        )

    def _literal(self, row: Any) -> Literal:
        elements = _numbers(row, 5, "I")
        self._nested(elements, len(self.literals))
        match row.Kind():
            case fb.LiteralKind.None_:
                return None
            case fb.LiteralKind.Bool:
                return bool(row.I())
            case fb.LiteralKind.Int:
                return int(row.I())
            case fb.LiteralKind.Float:
                return float(row.F())
            case fb.LiteralKind.Complex:
                return complex(row.F(), row.Imag())
            case fb.LiteralKind.Str:
                return _text(row.S())
            case fb.LiteralKind.List:
                return tuple(self.literals[e] for e in elements)
        raise ValueError(f"a constant is of the unknown kind {row.Kind()}")

    def _state(self, row: Any) -> State:
        name, key, type = _text(row.Name()), _text(row.Tensor()), self.types[row.Type()]
        value: TensorData | Literal
        if not key:
            value = self.literals[row.Literal()]
        elif key not in self.tensors:
            raise ValueError(f"state entry {name!r} needs the tensor {key!r}, which is missing")
        else:
            value = self.tensors[key]
            if isinstance(type, TensorType) and type.dtype == DType.c128:
                if value.dtype != DType.f64 or value.shape[-1:] != (2,):
                    raise ValueError(f"the tensor {key!r} does not hold complex numbers")
                value = self.doubled.setdefault(key, as_complex(value))
        return State(name, type, value, row.Kind(), bool(row.Mutable()))

    # --- methods ---------------------------------------------------------------------------

    def _method(self, row: Any) -> Method:
        self.values = self._table(row.ValuesLength, row.Values, self._value)
        body = self._block(row.Body(), 0)
        inputs = self._table(row.InputsLength, row.Inputs, self._input)
        if len(inputs) != len(body.inputs):
            raise ValueError("a method's inputs are not those of its body")
        dim_sources: dict[tuple[int, str, int], Source] = {}
        for i in range(self._count(row.DimSourcesLength())):
            dim = row.DimSources(i)
            source = self.sources[dim.Source()]
            if source is not None:
                dim_sources[dim.Input(), _text(dim.Path()), dim.Dim()] = source
        return Method(_text(row.Name()), body, inputs, bool(row.Exported()), dim_sources)

    def _value(self, row: Any) -> Value:
        return Value(self.types[row.Type()], self._shared_text(row, 1))

    def _input(self, row: Any) -> Input:
        name = _text(row.Name())
        if not row.HasDefault():
            return Input(name)
        return Input(name, self.literals[row.DefaultLiteral()])

    def _block(self, row: Any, depth: int) -> Block:
        if row is None:
            raise ValueError("a block is missing")
        if depth >= MAX_DEPTH:
            raise ValueError(f"blocks nest deeper than {MAX_DEPTH}")
        values = self.values
        return Block(
            [values[v] for v in _numbers(row, 0, "I")],
            [self._node(row.Nodes(i), depth) for i in range(self._count(row.NodesLength()))],
            [values[v] for v in _numbers(row, 2, "I")],
        )

    def _node(self, row: Any, depth: int) -> Node:
        values = self.values
        attributes = {}
        for i in range(self._count(row.AttributesLength())):
            attribute = row.Attributes(i)
            attributes[self._shared_text(attribute, 0)] = self.literals[attribute.Value()]
        return Node(
            self.ops[row.Op()],
            [values[v] for v in _numbers(row, 1, "I")],
            [values[v] for v in _numbers(row, 2, "I")],
            attributes,
            [self._block(row.Blocks(i), depth + 1) for i in range(self._count(row.BlocksLength()))],
            self.sources[row.Source()],
        )

    def _shared_text(self, row: Any, field: int) -> str:
        """A text field of a table, decoded once for all tables that share it."""
        table = row._tab
        offset = table.Offset(4 + 2 * field)
        if offset == 0:
            return ""
        place = table.Indirect(offset + table.Pos)
        if place not in self.texts:
            self.texts[place] = _text(table.String(offset + table.Pos))
        return self.texts[place]


def _text(raw: bytes | None) -> str:
    return "" if raw is None else raw.decode()


def _numbers(row: Any, field: int, code: str) -> list[int]:
    """A vector of numbers in one read; the library's own goes number by number."""
    table = row._tab
    offset = table.Offset(4 + 2 * field)
    if offset == 0:
        return []
    count = table.VectorLen(offset)
    return list(struct.unpack_from(f"<{count}{code}", table.Bytes, table.Vector(offset)))
