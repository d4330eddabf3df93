"""A program as FlatBuffers: the bytes of ``__ingot__.program`` (runtime/file/program.fbs).

Tables (types, literals, sources, ops) are filled in the order of first use, so that equal
programs give equal bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

import flatbuffers

from ingot.file._fb import program_generated as fb
from ingot.file.layout import FORMAT, PRODUCER, tensor_names
from ingot.ir.diagnostics import fail
from ingot.ir.graph import (
    MAX_DEPTH,
    NO_DEFAULT,
    Block,
    Class,
    Literal,
    Method,
    Node,
    Program,
    Source,
    State,
    Symbol,
    Value,
)
from ingot.ir.types import (
    BOOL,
    COMPLEX,
    FLOAT,
    INT,
    NONE,
    STR,
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

_SIMPLE_KINDS: dict[Type, int] = {
    INT: fb.TypeKind.Int,
    FLOAT: fb.TypeKind.Float,
    BOOL: fb.TypeKind.Bool,
    COMPLEX: fb.TypeKind.Complex,
    STR: fb.TypeKind.Str,
    NONE: fb.TypeKind.None_,
}


def program_bytes(program: Program) -> bytes:
    """The program without its tensors, which it names. Raises Error if it cannot be written."""
    return _Encoder(program).encode()


class _Encoder:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.builder = flatbuffers.Builder(1 << 16)
        self.classes = {name: i for i, name in enumerate(program.classes)}
        self.symbols = {name: i for i, name in enumerate(program.symbols)}
        self.ops: dict[str, int] = {}
        self.types: dict[Type, int] = {}
        self.type_tables: list[int] = []
        self.literals: dict[tuple[object, ...], int] = {}
        self.literal_tables: list[int] = []
        self.sources: dict[tuple[object, ...], int] = {}
        self.source_numbers: dict[int, int] = {}
        self.source_tables: list[int] = []
        self.values: dict[Value, int] = {}
        self.value_tables: list[int] = []
        self.value_infos: dict[tuple[int, str], int] = {}
        self.attributes: dict[tuple[tuple[str, int], ...], int] = {}
        self.depth = 0

    def encode(self) -> bytes:
        b = self.builder
        program = self.program
        self._source_table(("", 0, 0, "", "", 0))
        symbols = [self._symbol(s) for s in program.symbols.values()]
        names = tensor_names(program)
        state = [self._state(s, names.get(s.name, "")) for s in program.state.values()]
        classes = [self._class(c) for c in program.classes.values()]
        methods = [self._method(m) for m in program.methods.values()]
        ops = [b.CreateSharedString(op) for op in self.ops]
        vectors = [
            self._offsets(tables) if tables is not classes or tables else 0
            for tables in (
                ops,
                self.type_tables,
                symbols,
                self.literal_tables,
                self.source_tables,
                state,
                methods,
                classes,
            )
        ]
        producer = b.CreateString(PRODUCER)
        fb.ProgramStart(b)
        fb.ProgramAddFormat(b, FORMAT)
        fb.ProgramAddProducer(b, producer)
        for add, vector in zip(
            (
                fb.ProgramAddOps,
                fb.ProgramAddTypes,
                fb.ProgramAddSymbols,
                fb.ProgramAddLiterals,
                fb.ProgramAddSources,
                fb.ProgramAddState,
                fb.ProgramAddMethods,
                fb.ProgramAddClasses,
            ),
            vectors,
            strict=True,
        ):
            if vector:
                add(b, vector)
        b.Finish(fb.ProgramEnd(b), b"INGT")
        return bytes(b.Output())

    # --- vectors and strings ---------------------------------------------------------------

    def _numbers(self, code: str, numbers: Sequence[int]) -> int:
        """A vector of numbers in one write; the library's own goes number by number."""
        b = self.builder
        size = struct.calcsize(f"<{code}")
        b.StartVector(size, len(numbers), size)
        start = b.head - size * len(numbers)
        struct.pack_into(f"<{len(numbers)}{code}", b.Bytes, start, *numbers)
        b.head = start
        return int(b.EndVector())

    def _offsets(self, tables: Sequence[int]) -> int:
        b = self.builder
        b.StartVector(4, len(tables), 4)
        for offset in reversed(tables):
            b.PrependUOffsetTRelative(offset)
        return int(b.EndVector())

    def _string(self, text: str) -> int:
        try:
            return int(self.builder.CreateSharedString(text))
        except UnicodeEncodeError:
            fail(f"the text {text!r} is not valid Unicode and cannot be saved")

    # --- tables shared by all methods ------------------------------------------------------

    def _type(self, type: Type, depth: int = 0) -> int:
        known = self.types.get(type)
        if known is not None:
            return known
        if depth > MAX_DEPTH:
            fail(f"a type nests deeper than {MAX_DEPTH}")
        b = self.builder
        inner: tuple[Type, ...] = ()
        name = fields = dims = class_number = 0
        dtype, has_rank = -1, False
        match type:
            case TensorType(known_dtype, known_dims):
                kind = fb.TypeKind.Tensor
                dtype = -1 if known_dtype is None else int(known_dtype)
                has_rank = known_dims is not None
                if known_dims:
                    dims = self._numbers("q", [self._dim(d) for d in known_dims])
            case ListType(element):
                kind, inner = fb.TypeKind.List, (element,)
            case OptionalType(element):
                kind, inner = fb.TypeKind.Optional, (element,)
            case DictType(key, value):
                kind, inner = fb.TypeKind.Dict, (key, value)
            case TupleType(inner):
                kind = fb.TypeKind.Tuple
            case UnionType(inner):
                kind = fb.TypeKind.Union
            case NamedTupleType(class_name, field_names, inner):
                kind = fb.TypeKind.NamedTuple
                name = self._string(class_name)
                fields = self._offsets([self._string(f) for f in field_names])
            case ClassType(class_name):
                kind = fb.TypeKind.Object
                if class_name not in self.classes:
                    fail(f"the program has no class {class_name!r}")
                class_number = self.classes[class_name]
            case _:
                if type not in _SIMPLE_KINDS:
                    fail(f"a value of type {type} cannot be saved")
                kind = _SIMPLE_KINDS[type]
        numbers = [self._type(t, depth + 1) for t in inner]
        elements = self._numbers("I", numbers) if numbers else 0
        fb.TypeStart(b)
        fb.TypeAddKind(b, kind)
        fb.TypeAddDtype(b, dtype)
        fb.TypeAddHasRank(b, has_rank)
        for add, offset in (
            (fb.TypeAddDims, dims),
            (fb.TypeAddElements, elements),
            (fb.TypeAddName, name),
            (fb.TypeAddFields, fields),
        ):
            if offset:
                add(b, offset)
        fb.TypeAddClassNumber(b, class_number)
        self.type_tables.append(fb.TypeEnd(b))
        self.types[type] = len(self.types)
        return self.types[type]

    def _class(self, described: Class) -> int:
        b = self.builder
        name = self._string(described.name)
        fields = self._offsets([self._string(f) for f in described.fields])
        types = self._numbers("I", [self._type(t) for t in described.fields.values()])
        fb.ClassStart(b)
        fb.ClassAddName(b, name)
        fb.ClassAddFields(b, fields)
        fb.ClassAddTypes(b, types)
        return int(fb.ClassEnd(b))

    def _dim(self, dim: int | str | None) -> int:
        if dim is None:
            return -1
        if isinstance(dim, int):
            return dim
        if dim not in self.symbols:
            fail(f"the program has no symbol {dim!r}")
        return -2 - self.symbols[dim]

    def _literal(self, literal: Literal, depth: int = 0) -> int:
        i, f, imag, text = 0, 0.0, 0.0, ""
        elements: tuple[int, ...] = ()
        match literal:
            case None:
                kind = fb.LiteralKind.None_
            case bool():
                kind, i = fb.LiteralKind.Bool, int(literal)
            case int():
                kind, i = fb.LiteralKind.Int, int(literal)
                if not -(2**63) <= i < 2**63:
                    fail(f"the number {i} does not fit in 64 bits")
            case float():
                kind, f = fb.LiteralKind.Float, literal
            case complex():
                kind, f, imag = fb.LiteralKind.Complex, literal.real, literal.imag
            case str():
                kind, text = fb.LiteralKind.Str, literal
            case tuple():
                if depth > MAX_DEPTH:
                    fail(f"a constant nests deeper than {MAX_DEPTH}")
                kind = fb.LiteralKind.List
                elements = tuple(self._literal(e, depth + 1) for e in literal)
            case _:
                fail(f"a {type(literal).__name__} can be no constant of a program")
        key = (kind, i, struct.pack("<dd", f, imag), text, elements)
        if key in self.literals:
            return self.literals[key]
        b = self.builder
        s = self._string(text) if text else 0
        vector = self._numbers("I", elements) if elements else 0
        fb.LiteralStart(b)
        fb.LiteralAddKind(b, kind)
        fb.LiteralAddI(b, i)
        b.ForceDefaults(kind in (fb.LiteralKind.Float, fb.LiteralKind.Complex))  # -0.0 == 0.0
        fb.LiteralAddF(b, f)
        fb.LiteralAddImag(b, imag)
        b.ForceDefaults(False)
        if s:
            fb.LiteralAddS(b, s)
        if vector:
            fb.LiteralAddElements(b, vector)
        self.literal_tables.append(fb.LiteralEnd(b))
        self.literals[key] = len(self.literals)
        return self.literals[key]

    def _source(self, source: Source | None) -> int:
        pending: list[Source] = []
        while source is not None and id(source) not in self.source_numbers:
            pending.append(source)
            source = source.caller
        number = 0 if source is None else self.source_numbers[id(source)]
        for each in reversed(pending):
            number = self._source_table(
                (each.file, each.line, each.column, each.function, each.text, number)
            )
            self.source_numbers[id(each)] = number
        return number

    def _source_table(self, key: tuple[str, int, int, str, str, int]) -> int:
        if key in self.sources:
            return self.sources[key]
        b = self.builder
        file, line, column, function, text, caller = key
        strings = [self._string(s) if s else 0 for s in (file, function, text)]
        fb.SourceStart(b)
        fb.SourceAddLine(b, line)
        fb.SourceAddColumn(b, column)
        fb.SourceAddCaller(b, caller)
        adders: tuple[Callable[[flatbuffers.Builder, int], None], ...] = (
            fb.SourceAddFile,
            fb.SourceAddFunction,
            fb.SourceAddText,
        )
        for add, offset in zip(adders, strings, strict=True):
            if offset:
                add(b, offset)
        self.source_tables.append(fb.SourceEnd(b))
        self.sources[key] = len(self.sources)
        return self.sources[key]

    def _symbol(self, symbol: Symbol) -> int:
        b = self.builder
        name, source = self._string(symbol.name), self._source(symbol.source)
        fb.SymbolStart(b)
        fb.SymbolAddName(b, name)
        fb.SymbolAddMin(b, symbol.min)
        if symbol.max is not None:
            fb.SymbolAddMax(b, symbol.max)
        fb.SymbolAddSource(b, source)
        return int(fb.SymbolEnd(b))

    def _state(self, state: State, tensor: str) -> int:
        b = self.builder
        name, type, key = self._string(state.name), self._type(state.type), 0
        literal = 0
        if tensor:
            key = self._string(tensor)
        else:
            literal = self._literal(state.value)  # type: ignore[arg-type]
        fb.StateStart(b)
        fb.StateAddName(b, name)
        fb.StateAddType(b, type)
        if key:
            fb.StateAddTensor(b, key)
        fb.StateAddLiteral(b, literal)
        fb.StateAddMutable(b, state.mutable)
        fb.StateAddKind(b, state.kind)
        return int(fb.StateEnd(b))

    # --- methods ---------------------------------------------------------------------------

    def _method(self, method: Method) -> int:
        b = self.builder
        self.values, self.value_tables, self.depth = {}, [], 0
        body = self._block(method.body)
        inputs = self._offsets([self._input(i.name, i.default) for i in method.inputs])
        values = self._offsets(self.value_tables)
        dims = []
        for (number, path, dim), source in method.dim_sources.items():
            place, line = self._string(path), self._source(source)
            fb.DimSourceStart(b)
            fb.DimSourceAddInput(b, number)
            fb.DimSourceAddPath(b, place)
            fb.DimSourceAddDim(b, dim)
            fb.DimSourceAddSource(b, line)
            dims.append(fb.DimSourceEnd(b))
        dim_sources = self._offsets(dims)
        name = self._string(method.name)
        fb.MethodStart(b)
        fb.MethodAddName(b, name)
        fb.MethodAddExported(b, method.exported)
        fb.MethodAddInputs(b, inputs)
        fb.MethodAddValues(b, values)
        fb.MethodAddBody(b, body)
        fb.MethodAddDimSources(b, dim_sources)
        return int(fb.MethodEnd(b))

    def _input(self, name: str, default: object) -> int:
        b = self.builder
        text = self._string(name)
        literal = 0 if default is NO_DEFAULT else self._literal(default)  # type: ignore[arg-type]
        fb.InputStart(b)
        fb.InputAddName(b, text)
        fb.InputAddHasDefault(b, default is not NO_DEFAULT)
        fb.InputAddDefaultLiteral(b, literal)
        return int(fb.InputEnd(b))

    def _define(self, values: Sequence[Value]) -> list[int]:
        numbers = []
        for value in values:
            self.value_tables.append(self._value_info(self._type(value.type), value.name))
            numbers.append(self.values.setdefault(value, len(self.values)))
        return numbers

    def _value_info(self, type: int, name: str) -> int:
        """One table for all values of equal type and name."""
        if (type, name) not in self.value_infos:
            b = self.builder
            text = self._string(name) if name else 0
            fb.ValueInfoStart(b)
            fb.ValueInfoAddType(b, type)
            if text:
                fb.ValueInfoAddName(b, text)
            self.value_infos[type, name] = fb.ValueInfoEnd(b)
        return self.value_infos[type, name]

    def _use(self, values: Sequence[Value]) -> list[int]:
        try:
            return [self.values[v] for v in values]
        except KeyError as missing:
            fail(f"{missing.args[0]!r} is used before it is defined", code="internal")

    def _block(self, block: Block) -> int:
        b = self.builder
        self.depth += 1
        if self.depth > MAX_DEPTH:
            fail(
                f"control flow nests deeper than {MAX_DEPTH}",
                hint="move inner parts, or the end of a long elif chain, into functions",
                source=next((n.source for n in block.nodes), None),
            )
        inputs = self._define(block.inputs)
        nodes = self._offsets([self._node(n) for n in block.nodes])
        outputs = self._numbers("I", self._use(block.outputs))
        inputs_vector = self._numbers("I", inputs) if inputs else 0
        self.depth -= 1
        fb.BlockStart(b)
        if inputs_vector:
            fb.BlockAddInputs(b, inputs_vector)
        fb.BlockAddNodes(b, nodes)
        fb.BlockAddOutputs(b, outputs)
        return int(fb.BlockEnd(b))

    def _node(self, node: Node) -> int:
        b = self.builder
        inputs = self._numbers("I", self._use(node.inputs)) if node.inputs else 0
        blocks = self._offsets([self._block(k) for k in node.blocks]) if node.blocks else 0
        outputs = self._numbers("I", self._define(node.outputs)) if node.outputs else 0
        attributes = self._attributes(node) if node.attributes else 0
        source = self._source(node.source)
        fb.NodeStart(b)
        fb.NodeAddOp(b, self.ops.setdefault(node.op, len(self.ops)))
        if inputs:
            fb.NodeAddInputs(b, inputs)
        if outputs:
            fb.NodeAddOutputs(b, outputs)
        if attributes:
            fb.NodeAddAttributes(b, attributes)
        if blocks:
            fb.NodeAddBlocks(b, blocks)
        fb.NodeAddSource(b, source)
        return int(fb.NodeEnd(b))

    def _attributes(self, node: Node) -> int:
        """One vector for all nodes of equal attributes."""
        key = tuple((name, self._literal(value)) for name, value in node.attributes.items())
        if key not in self.attributes:
            b = self.builder
            tables = []
            for name, literal in key:
                text = self._string(name)
                fb.AttributeStart(b)
                fb.AttributeAddName(b, text)
                fb.AttributeAddValue(b, literal)
                tables.append(fb.AttributeEnd(b))
            self.attributes[key] = self._offsets(tables)
        return self.attributes[key]
