"""The function being compiled: its variables, its place in the program, its mistakes."""

from __future__ import annotations

import ast
import enum
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from ingot.capture.script.diagnostics import Absent, CompileError, Poisoned, Retry
from ingot.capture.script.items import type_of
from ingot.capture.script.language import (
    DEVICE,
    DTYPE,
    NUMBER,
    SIZE,
    EnumType,
    Hole,
    ObjectType,
    SetType,
    has_hole,
    is_subtype,
    lower,
    may_be_none,
    plain_member,
    settle,
    without_none,
)
from ingot.capture.script.sources import FunctionSource
from ingot.capture.script.state import dtype_of
from ingot.capture.script.values import (
    Constant,
    DictItem,
    Dynamic,
    Environment,
    InstanceItem,
    Item,
    ListItem,
    Missing,
    Narrowed,
    PoisonItem,
    ShapeItem,
    TupleItem,
)
from ingot.ir.builder import Builder
from ingot.ir.graph import Value
from ingot.ir.types import (
    BOOL,
    COMPLEX,
    FLOAT,
    INT,
    NONE,
    STR,
    TENSOR,
    DictType,
    ListType,
    NamedTupleType,
    OptionalType,
    TupleType,
    Type,
    UnionType,
    erase_facts,
)

if TYPE_CHECKING:
    from ingot.capture.script.compiler import Compiler
    from ingot.capture.script.comprehensions import Scope
    from ingot.capture.script.exceptions import Cell
    from ingot.capture.script.values import CaughtItem

_MEMORY_FORMATS = ("torch.contiguous_format", "torch.preserve_format")


class Frame:
    """Compiles one function into one method.

    ``scope`` resolves the names that the function does not assign; ``owner`` is the class it
    was defined in, for ``super()``.
    """

    def __init__(
        self,
        compiler: Compiler,
        source: FunctionSource,
        builder: Builder,
        scope: dict[str, Any],
        closure: dict[str, Any],
        owner: type | None = None,
    ) -> None:
        self.compiler = compiler
        self.source = source
        self.builder = builder
        self.scope = scope
        self.closure = closure
        self.owner = owner
        self.outer: Environment | None = None
        self.environment = Environment()
        self.declared: dict[str, Type] = {}
        self.result_type: Type | None = None
        self.returned: list[Type] = []
        """The types of what was returned so far."""
        self.locals: set[str] = set()
        self.calls: tuple[str, ...] = ()
        self.comprehensions: list[Scope] = []
        self.node: ast.AST = source.node
        self.unrollable: dict[object, bool] = {}
        """The loops being compiled that could be written out turn by turn; whether each is short
        enough to be written out only to know more of its variables."""
        self.splittable: set[object] = set()
        """The Ifs before the statement being compiled whose branches could each go on alone."""
        self.first_turns: dict[ast.AST, object] = {}
        """The for loops being compiled whose first turn could stand apart, by statement."""
        self.splits = 0
        """How many such Ifs the statement being compiled is in both branches of."""
        self.depth = 0
        """How many Ifs that the program decides are around the statement being compiled."""
        self.split_depth = 0
        self.cells: dict[str, list[Cell]] = {}
        """Of the Trys being compiled, for variables that their bodies assign."""
        self.tries = 0
        """How many Trys are around the statement being compiled."""
        self.handling: list[CaughtItem] = []
        """The exceptions of the except clauses around."""
        self.final_depth = 0
        """Above 0 something reads the variables after a return."""
        self.changes: list[str] = []
        """The variables of the function around this one that it assigns (nonlocal)."""
        self.shared: set[str] = set()
        """The variables that functions nested in this one assign."""
        self.plans: dict[ast.AST, Any] = {}
        """What is known of the loops being compiled: ``loops._Plan`` by statement."""

    # --- mistakes ------------------------------------------------------------------------

    def report(self, node: ast.AST, message: str, hint: str = "") -> None:
        self.compiler.diagnostics.report(self.source, node, message, hint, self.calls)

    @contextmanager
    def located(self, node: ast.AST) -> Iterator[None]:
        """Nodes made inside come from ``node``; so do mistakes that name no other place."""
        before, outer = self.builder.source, self.node
        self.builder.source, self.node = self.source.at(node), node
        try:
            yield
        except CompileError as error:
            if error.node is None:
                error.node = node
            raise
        finally:
            self.builder.source, self.node = before, outer

    # --- variables -----------------------------------------------------------------------

    def read(self, name: str) -> Item | None:
        """A variable of the function; None if it has no such variable here."""
        item = self.environment.names.get(name)
        if item is None:
            if name in self.locals:
                self.retry(())
                raise Absent(f"{name} has no value here", f"assign {name} before this line")
            return None if self.outer is None else self.outer.names.get(name)
        if isinstance(item, Missing):
            self.retry(item.retry)
            raise CompileError(item.reason, item.hint)
        if isinstance(item, Narrowed):
            narrow = self.force(item)
            if isinstance(narrow, Dynamic):  # a None has no value to be widened from
                self.environment.names[name] = narrow
            item = narrow
        return item

    def retry(self, markers: tuple[object, ...]) -> None:
        """Raises Retry if a variable may have a value once an If or a loop is compiled anew."""
        for marker in markers:
            if marker in self.splittable or marker in self.unrollable:
                raise Retry(marker)
        for marker, short in reversed(self.unrollable.items()):
            if short:
                raise Retry(marker)

    def assign(self, name: str, item: Item) -> None:
        declared = self.declared.get(name)
        if declared is not None and not isinstance(item, PoisonItem):
            item = self.number_as(item, declared)
            if not self._holds(declared, item):
                del self.declared[name]  # the name is used again for something else
        self.environment.names[name] = item
        if isinstance(item, Dynamic) and not item.value.name:
            item.value.name = name
        if self.cells.get(name):
            from ingot.capture.script.exceptions import keep_in_cells

            keep_in_cells(self, name, item)

    def number_as(self, item: Item, declared: Type) -> Item:
        """``x.item()`` as the kind of number that the variable is declared to hold."""
        declared = without_none(declared)
        if type_of(item) != NUMBER or declared not in (INT, FLOAT, BOOL):
            return item
        return self.dynamic(self.value(item, declared), declared)

    def check_declared(self, name: str, item: Item, declared: Type) -> None:
        """An annotation that the value contradicts is a mistake; Python's numbers mix freely."""
        if not self._holds(declared, item):
            raise CompileError(
                f"{name} is declared as {declared} but is given {item.describe()}",
                f"change the annotation of {name} to {type_of(item)}",
            )

    def _holds(self, declared: Type, item: Item) -> bool:
        type = type_of(item)
        return type is None or is_subtype(type, declared) or fits_loosely(type, declared)

    def undo(self, mark: Any, before: Environment) -> None:
        """Takes back what was compiled since ``mark``; variables are what they were then."""
        self.builder.rewind(mark)
        self.environment = before

    @contextmanager
    def forgetful(self) -> Iterator[None]:
        """Around branches of an expression: what they assign is not known after them."""
        writes = self.compiler.writes
        yield
        if self.compiler.writes != writes:
            self.environment.forget_attributes()

    def call(self, function: Callable[..., Any], *items: Item) -> Item:
        """A call of a Python function, which is compiled for these items."""
        return self.compiler.call(self, function, list(items), {}, self.node)

    # --- values --------------------------------------------------------------------------

    def track(self, value: Value, type: Type) -> None:
        """Remembers a value whose type has a hole, so that it gets its final type."""
        if has_hole(type):
            self.compiler.open_values[id(value)] = (value, type)

    def _tracked(self, value: Value, type: Type) -> Value:
        self.track(value, type)
        return value

    def dynamic(self, value: Value, type: Type | None = None) -> Dynamic:
        """A value of the program as an item; ``type`` defaults to the value's own."""
        item = Dynamic(value, erase_facts(value.type) if type is None else type)
        self.track(value, item.type)
        return item

    def assume_empty(self, type: Type | None) -> bool:
        """Whether it is the type of a list, set or dict that nothing was put into so far. What is
        compiled for such a one is compiled again if it is in a loop that does put something in."""
        inside = [type.element] if isinstance(type, ListType | SetType) else []
        if isinstance(type, DictType):
            inside = [type.key, type.value]
        holes = [each for each in map(settle, inside) if isinstance(each, Hole)]
        self.compiler.assumed += holes
        return bool(holes)

    def force(self, item: Item) -> Item:
        """A narrowed variable as a value of the narrower type; other items as they are."""
        if not isinstance(item, Narrowed):
            return item
        if item.type == NONE:
            return Constant(None)
        narrow = self.dynamic(self.builder.cast(item.item.value, lower(item.type)), item.type)
        narrow.origin = item.item
        return narrow

    def present(self, item: Item) -> Item:
        """What an Optional is if it is not None, in a lenient program, which raises if it is;
        other items as they are."""
        type = type_of(item)
        if not self.compiler.lenient or type is None or type == NONE or not may_be_none(type):
            return item
        inner = without_none(type)
        return self.dynamic(self.builder.cast(self.value(item), lower(inner)), inner)

    def value(self, item: Item, type: Type | None = None) -> Value:
        """The item as a value of the program, of ``type`` if that is given.

        Raises CompileError if the item exists only at compile time or is no ``type``.
        """
        if isinstance(item, Narrowed) and type is not None and is_subtype(item.item.type, type):
            item = item.item
        item = self.force(item)
        if isinstance(item, PoisonItem):
            raise Poisoned
        actual = type_of(item)
        if actual is None:
            if type is not None and isinstance(item, ListItem) and not item.items:
                return self.builder.list_construct([], _element(lower(type)))
            if isinstance(type, DictType) and isinstance(item, DictItem) and not item.items:
                return self._dict({}, type)
            if type is None and isinstance(item, ListItem | DictItem) and not item.items:
                return self._empty(item)
            if type is None and isinstance(item, TupleItem) and item.named is None:
                return self.builder.tuple_construct([self.value(each) for each in item.items])
            raise CompileError(
                f"{item.describe()} exists only while compiling and cannot be used as a value",
                "use it where it is called or indexed",
            )
        if type is not None:
            converted = self._convert(item, actual, settle(type))
            if converted is not None:
                return converted
            raise CompileError(f"{item.describe()} cannot be used where {type} is expected")
        match item:
            case Dynamic(value):
                if id(value) in self.compiler.open_values:
                    value.type = lower(item.type)
                return value
            case Constant(value):
                return self.builder.constant(self.literal(value), lower(item.type))
            case InstanceItem():
                from ingot.capture.script.objects import materialise

                return materialise(self, item)
            case ShapeItem(tensor):
                result = self.builder.call("aten::size", [tensor.value])
                assert isinstance(result, Value)
                return result
            case TupleItem(items, named):
                values = [self.value(each) for each in items]
                if named is None:
                    return self._tracked(self.builder.tuple_construct(values), actual)
                made = self.builder.named_tuple(named.__name__, named._fields, values)  # type: ignore[attr-defined]
                return self._tracked(made, actual)
            case ListItem(items):
                assert isinstance(actual, ListType)
                values = [self.value(each, actual.element) for each in items]
                made = self.builder.list_construct(values, lower(actual.element))
                return self._tracked(made, actual)
            case DictItem(items):
                assert isinstance(actual, DictType)
                return self._tracked(self._dict(items, actual), actual)
        raise CompileError(f"{item.describe()} cannot be used as a value")

    def _empty(self, item: ListItem | DictItem) -> Value:
        """An empty list or dict that a module keeps: of tensors, as ``[]`` in the source."""
        if isinstance(item, ListItem):
            return self.builder.list_construct([], TENSOR)
        return self.builder.dict_construct([], STR, TENSOR)

    def _dict(self, items: dict[Any, Item], type: DictType) -> Value:
        pairs = [
            (self.value(Constant(key), type.key), self.value(each, type.value))
            for key, each in items.items()
        ]
        return self.builder.dict_construct(pairs, lower(type.key), lower(type.value))

    def _convert(self, item: Item, actual: Type, type: Type) -> Value | None:
        """The item as ``type``, None if it is none."""
        if isinstance(type, OptionalType) and not may_be_none(actual):
            return self._convert(item, actual, settle(type.element))
        if isinstance(item, TupleItem):
            if isinstance(type, TupleType | NamedTupleType):
                if len(type.elements) != len(item.items):
                    return None
                values = [self.value(e, t) for e, t in zip(item.items, type.elements, strict=True)]
                if isinstance(type, NamedTupleType):
                    made = self.builder.named_tuple(type.name, type.fields, values)
                else:
                    made = self.builder.tuple_construct(values)
                return self._tracked(made, type)
            if isinstance(type, ListType) or type == SIZE:
                element = type.element if isinstance(type, ListType) else INT
                values = [self.value(e, element) for e in item.items]
                return self.builder.list_construct(values, lower(element))
        if isinstance(actual, TupleType) and isinstance(type, ListType | TupleType):
            if actual == type:
                return self.value(item)
            parts = self.builder.tuple_unpack(self.value(item))
            pairs = zip(parts, actual.elements, strict=True)
            known = TupleItem(tuple(self.dynamic(v, t) for v, t in pairs))
            return self._convert(known, actual, type)
        if isinstance(item, DictItem) and isinstance(type, DictType):
            return self._dict(item.items, type)
        if isinstance(item, ListItem) and isinstance(type, ListType):
            values = [self.value(e, type.element) for e in item.items]
            return self.builder.list_construct(values, lower(type.element))
        if is_subtype(actual, type):
            return self.value(item)
        if {actual, type} == {SIZE, ListType(INT)}:
            return self.value(item)
        if type == FLOAT and actual in (INT, BOOL):
            if isinstance(item, Constant):
                return self.builder.constant(float(item.value))
            name = "aten::Float.int" if actual == INT else "aten::Float.bool"
            return self.builder.op(name, self.value(item))  # type: ignore[return-value]
        if actual == NUMBER and type == FLOAT:
            return self.builder.op("aten::Float.Scalar", self.value(item))  # type: ignore[return-value]
        if actual == NUMBER and type in (INT, BOOL):
            return self.builder.cast(self.value(item), type)
        there = self.present(item)
        if there is not item and type != NONE:
            return self.value(there, type)
        if isinstance(actual, OptionalType | UnionType) and is_subtype(type, actual):
            hint = "check it with `is not None` or isinstance first"
            raise CompileError(f"{item.describe()} may be no {type} here", hint)
        return None

    def parameter_item(self, parameter: ast.arg) -> Item:
        """A stand-in for an argument: of the annotated type, or a Tensor."""
        from ingot.capture.script.annotations import annotation_of

        declared = annotation_of(self, parameter.annotation)
        return self.stand_in(TENSOR if declared is None else declared)

    def stand_in(self, type: Type) -> Dynamic:
        """A value of ``type`` where control never comes."""
        return self.dynamic(self.builder.uninitialized(lower(type)), type)

    def literal(self, value: Any) -> Any:
        """A compile-time constant as the program writes it. Raises CompileError."""
        if isinstance(value, enum.Enum):
            return plain_member(value)
        if isinstance(value, torch.dtype):
            return int(dtype_of(value))
        if isinstance(value, torch.device):
            if value.type not in ("cpu", "meta"):
                raise CompileError(
                    f"the program runs on the CPU and cannot name the device {value}",
                    "use the device of a tensor, x.device",
                )
            return 0
        if isinstance(value, torch.layout):
            if value is not torch.strided:
                raise CompileError(f"{value} tensors are not supported")
            return 0
        if isinstance(value, torch.memory_format):
            name = str(value)
            return _MEMORY_FORMATS.index(name) if name in _MEMORY_FORMATS else 0
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise CompileError(f"the int {value} does not fit in 64 bits")
        return value


def fits_loosely(actual: Type, declared: Type) -> bool:
    """Whether Python lets the value pass where an annotation says ``declared``."""
    actual, declared = settle(actual), settle(declared)
    if isinstance(declared, OptionalType):
        return actual == NONE or fits_loosely(actual, declared.element)
    if isinstance(declared, UnionType):
        return any(fits_loosely(actual, each) for each in declared.elements)
    if isinstance(declared, ObjectType) and isinstance(actual, ObjectType):
        return issubclass(actual.cls, declared.cls)
    if isinstance(declared, ObjectType) and isinstance(actual, UnionType):
        return all(fits_loosely(each, declared) for each in actual.elements)
    if isinstance(actual, EnumType) and issubclass(actual.cls, int | str):
        return declared == actual.plain
    if declared in (INT, FLOAT, COMPLEX) and actual in (BOOL, INT, FLOAT):
        return [BOOL, INT, FLOAT, COMPLEX].index(actual) <= [BOOL, INT, FLOAT, COMPLEX].index(
            declared
        )
    if isinstance(declared, ListType):
        if isinstance(actual, TupleType):
            return all(
                is_subtype(e, declared.element) or fits_loosely(e, declared.element)
                for e in actual.elements
            )
        return actual == SIZE and declared.element == INT
    if isinstance(declared, TupleType) and isinstance(actual, TupleType):
        return len(declared.elements) == len(actual.elements) and all(
            is_subtype(a, d) or fits_loosely(a, d)
            for a, d in zip(actual.elements, declared.elements, strict=True)
        )
    if actual == SIZE:
        return isinstance(declared, TupleType) or declared == ListType(INT)
    return {actual, declared} <= {INT, DTYPE} or {actual, declared} <= {INT, DEVICE}


def _element(type: Type) -> Type | None:
    return type.element if isinstance(type, ListType) else None
