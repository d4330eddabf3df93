"""What an expression can be while it is compiled.

``Dynamic`` is a value of the program. Everything else is known at compile time: constants,
modules, functions and types never reach the program, tuples reach it when something needs
them whole. So ``if self.training`` costs nothing and ``self.layers[0]`` has a type.
"""

from __future__ import annotations

import ast
import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import torch

from ingot.capture.script.language import (
    DEVICE,
    DTYPE,
    LAYOUT,
    MEMORY_FORMAT,
    EnumType,
    ObjectType,
    settle,
)
from ingot.capture.script.sources import FunctionSource
from ingot.ir.graph import Value
from ingot.ir.types import BOOL, COMPLEX, FLOAT, INT, NONE, STR, Type


class Item:
    """Anything that a name can be bound to or an expression can give."""

    def describe(self) -> str:
        """For error sentences: "a Tensor", "the function relu"."""
        raise NotImplementedError


@dataclass(eq=False)
class Dynamic(Item):
    """A value of the program with its type in the language.

    ``origin`` is the variable's value before it was narrowed to this one. ``index_of`` is set
    on the number of a loop's turn where the loop could be unrolled: the loop. ``of_numpy`` tells
    NumPy's numbers, which have methods, from Python's.
    """

    value: Value
    type: Type
    origin: Dynamic | None = None
    index_of: object | None = None
    of_numpy: bool = False

    def describe(self) -> str:
        return _with_article(str(settle(self.type)))


@dataclass(eq=False)
class Narrowed(Item):
    """A variable whose value is known to be of a narrower type here; cast when first read."""

    item: Dynamic
    type: Type

    def describe(self) -> str:
        return _with_article(str(settle(self.type)))


CONSTANT_TYPES: dict[type, Type] = {
    bool: BOOL,
    int: INT,
    float: FLOAT,
    complex: COMPLEX,
    str: STR,
    type(None): NONE,
    torch.dtype: DTYPE,
    torch.device: DEVICE,
    torch.layout: LAYOUT,
    torch.memory_format: MEMORY_FORMAT,
}


@dataclass(frozen=True)
class Constant(Item):
    """A number, bool, str, None, dtype, device, layout or memory format known now."""

    value: Any

    @property
    def type(self) -> Type:
        if isinstance(self.value, enum.Enum):
            return EnumType(type(self.value))
        return CONSTANT_TYPES[type(self.value)]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Constant) or type(self.value) is not type(other.value):
            return False
        return repr(self.value) == repr(other.value)

    def __hash__(self) -> int:
        return hash((type(self.value), repr(self.value)))

    def describe(self) -> str:
        if self.value is None or isinstance(self.value, enum.Enum):
            return str(self.value)
        return f"the {self.type} {self.value!r}"


@dataclass(frozen=True, eq=False)
class TupleItem(Item):
    """A tuple whose elements are known one by one; ``named`` is the class of a NamedTuple."""

    items: tuple[Item, ...]
    named: type | None = None

    def describe(self) -> str:
        name = "tuple" if self.named is None else self.named.__name__
        return f"the {name} ({', '.join(each.describe() for each in self.items)})"


@dataclass(frozen=True, eq=False)
class ListItem(Item):
    """A list of compile-time things, such as modules, or a list kept by a module. Read only.

    ``kept`` is the module and the attribute that hold it: changing it makes it state.
    """

    items: tuple[Item, ...]
    kept: tuple[ModuleItem, str] | None = None

    def describe(self) -> str:
        return f"the list [{_some(each.describe() for each in self.items)}]"


@dataclass(frozen=True, eq=False)
class DictItem(Item):
    """A dict with keys known at compile time, such as ``**kwargs``. Read only.

    ``kept`` is the module and the attribute that hold it: changing it makes it state.
    """

    items: dict[Any, Item]
    kept: tuple[ModuleItem, str] | None = None

    def describe(self) -> str:
        return f"the dict with the keys [{_some(map(repr, self.items))}]"


@dataclass(frozen=True, eq=False)
class ShapeItem(Item):
    """``x.shape`` before anything asks for all of it."""

    tensor: Dynamic

    def describe(self) -> str:
        return "a torch.Size"


@dataclass(frozen=True, eq=False)
class SliceItem(Item):
    """``start:stop:step`` inside a subscript."""

    start: Item
    stop: Item
    step: Item

    def describe(self) -> str:
        return "a slice"


@dataclass(frozen=True, eq=False)
class RangeItem(Item):
    """``range(start, stop, step)``."""

    start: Item
    stop: Item
    step: Item

    def describe(self) -> str:
        return "a range"


@dataclass(frozen=True, eq=False)
class EnumerateItem(Item):
    inner: Item
    start: Item

    def describe(self) -> str:
        return "an enumerate"


@dataclass(frozen=True, eq=False)
class ZipItem(Item):
    inner: tuple[Item, ...]

    def describe(self) -> str:
        return "a zip"


@dataclass(frozen=True, eq=False)
class ReversedItem(Item):
    inner: Item

    def describe(self) -> str:
        return "a reversed"


@dataclass(frozen=True, eq=False)
class ModuleItem(Item):
    """A submodule; ``path`` is its prefix in the state_dict, "" for the root."""

    module: torch.nn.Module
    path: str

    def describe(self) -> str:
        where = f" ({self.path})" if self.path else ""
        return f"the module {type(self.module).__name__}{where}"


@dataclass(frozen=True, eq=False)
class InstanceItem(Item):
    """A Python object of a user's class that exists before the program runs: an attribute of a
    module, a global. What it holds is known; attributes that code assigns are state, under
    ``path``."""

    object: Any
    path: str
    type: ObjectType

    @property
    def module(self) -> Any:
        """The owner of the state."""
        return self.object

    def describe(self) -> str:
        return f"the object {self.path} of the class {self.type}"


@dataclass(frozen=True, eq=False)
class PickItem(Item):
    """One of several modules or functions, by a number or key that the program computes."""

    index: Dynamic
    items: tuple[Item, ...]
    keys: tuple[int, ...] | tuple[str, ...]

    def describe(self) -> str:
        return f"one of {', '.join(each.describe() for each in self.items[:3])}"


@dataclass(frozen=True, eq=False)
class SuperItem(Item):
    """``super()`` inside a method of class ``after``."""

    receiver: Item
    after: type
    cls: type

    def describe(self) -> str:
        return "super()"


@dataclass(frozen=True)
class PythonItem(Item):
    """A Python object used for what it is: a module, function, class or builtin."""

    object: Any

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PythonItem) and self.object is other.object

    def __hash__(self) -> int:
        return id(self.object)

    def describe(self) -> str:
        name = getattr(self.object, "__qualname__", None) or getattr(self.object, "__name__", None)
        kind = "class" if isinstance(self.object, type) else "module"
        if callable(self.object) and kind != "class":
            kind = "function"
        if name is None:
            return f"a Python {type(self.object).__name__}"
        return f"the {kind} {name}"


@dataclass(frozen=True, eq=False)
class LocalFunction(Item):
    """A lambda or a function defined inside the compiled one, over its variables."""

    node: ast.FunctionDef | ast.Lambda
    source: FunctionSource
    environment: Environment
    owner: object
    fixed: frozenset[str] = frozenset()
    """Variables of a comprehension that made the function: nothing else of the name is meant."""

    def describe(self) -> str:
        return f"the function {getattr(self.node, 'name', 'lambda')}"


@dataclass(frozen=True, eq=False)
class MethodItem(Item):
    """``receiver.name`` before the call; ``function`` is its Python source, if it has any."""

    receiver: Item
    name: str
    function: Any = None

    def describe(self) -> str:
        return f"the method {self.name} of {self.receiver.describe()}"


@dataclass(frozen=True, eq=False)
class PartialItem(Item):
    """``functools.partial(f, ...)``: the function and what it is given, the last by ``names``."""

    call: tuple[Item, ...]
    names: tuple[str, ...] = ()

    def describe(self) -> str:
        return f"a partial of {self.call[0].describe()}"


@dataclass(frozen=True, eq=False)
class LimitsItem(Item):
    """``torch.finfo(dtype)`` or ``torch.iinfo(dtype)`` of a dtype that the program finds."""

    dtype: Item
    make: Callable[..., Any]

    def describe(self) -> str:
        return f"a {self.make.__name__}"


@dataclass(frozen=True, eq=False)
class ExceptionItem(Item):
    """``ValueError("message")``; ``made`` is the object of a class with its own ``__init__``."""

    kind: str
    message: Item
    cls: type = Exception
    made: Item | None = None

    def describe(self) -> str:
        return f"the exception {self.kind}"


@dataclass(frozen=True, eq=False)
class CaughtItem(Item):
    """The exception in an except clause. ``parts``: its class's name, its text, the whole
    sentence and the lines where it was raised; then, for each class whose objects handlers
    read, the last that was raised. ``classes`` are those after ``except``."""

    parts: tuple[Item, ...]
    classes: tuple[type, ...] = ()

    @property
    def kind(self) -> Item:
        return self.parts[0]

    @property
    def text(self) -> Item:
        return self.parts[1]

    def describe(self) -> str:
        return "an exception"


@dataclass(frozen=True, eq=False)
class CaughtClassItem(Item):
    """``type(e)`` in an except clause."""

    caught: CaughtItem

    def describe(self) -> str:
        return "the class of an exception"


@dataclass(frozen=True, eq=False)
class IteratorItem(Item):
    """``iter(values)``: a list, and a list of one int, the place of the next element."""

    values: Item
    place: Item

    def describe(self) -> str:
        return "an iterator"


@dataclass(frozen=True, eq=False)
class AwaitItem(Item):
    """``torch.jit._awaitable(f, ...)``: the function and its arguments, of which the last are
    given by ``names``, and a list that is empty until the call was made."""

    call: tuple[Item, ...]
    result: Item
    names: tuple[str, ...] = ()

    def describe(self) -> str:
        return "an Await"


@dataclass(frozen=True, eq=False)
class Missing(Item):
    """A name without a usable value here; ``reason`` says why when it is read.

    ``retry`` are the Ifs and loops of which another way of compiling may give it one.
    """

    reason: str
    hint: str = ""
    retry: tuple[object, ...] = ()

    def describe(self) -> str:
        return "undefined"


@dataclass(frozen=True, eq=False)
class PoisonItem(Item):
    """The result of a construct that has been reported: whatever uses it stays silent."""

    def describe(self) -> str:
        return "an unknown value"


@dataclass(eq=False)
class Environment:
    """The variables at one point of a function. Copied where control divides.

    Attributes of modules that are state are here too, as far as their values are known, under
    names that begin with ``KEPT``.
    """

    names: dict[str, Item] = field(default_factory=dict)

    def copy(self) -> Environment:
        return Environment(dict(self.names))

    def forget_attributes(self) -> None:
        """What is known of attributes holds no longer: something may have assigned them."""
        for name in [name for name in self.names if name.startswith(KEPT)]:
            del self.names[name]


KEPT = "@"


NOTHING = Constant(None)
TRUE = Constant(True)
FALSE = Constant(False)
ZERO = Constant(0)
EMPTY = Constant("")


def same(a: Item, b: Item) -> bool:
    """Whether two items are one thing, so that nothing has to be selected at run time."""
    if a is b:
        return True
    if isinstance(a, Dynamic) and isinstance(b, Dynamic):
        return a.value is b.value and a.type == b.type
    if isinstance(a, Constant | PythonItem):
        return a == b
    if isinstance(a, TupleItem | ListItem) and type(a) is type(b):
        x, y = a.items, b.items
        return len(x) == len(y) and all(map(same, x, y))
    if isinstance(a, ModuleItem) and isinstance(b, ModuleItem):
        return a.module is b.module
    if isinstance(a, InstanceItem) and isinstance(b, InstanceItem):
        return a.object is b.object
    if isinstance(a, PartialItem) and isinstance(b, PartialItem):
        alike = len(a.call) == len(b.call) and a.names == b.names
        return alike and all(map(same, a.call, b.call))
    if isinstance(a, MethodItem) and isinstance(b, MethodItem):
        return same(a.receiver, b.receiver) and (a.name, a.function) == (b.name, b.function)
    if isinstance(a, DictItem) and isinstance(b, DictItem):
        return list(a.items) == list(b.items) and all(map(same, a.items.values(), b.items.values()))
    if isinstance(a, RangeItem | SliceItem) and type(a) is type(b):
        return all(same(getattr(a, part), getattr(b, part)) for part in ("start", "stop", "step"))
    if isinstance(a, PickItem) and isinstance(b, PickItem):
        return a.keys == b.keys and all(map(same, (a.index, *a.items), (b.index, *b.items)))
    if isinstance(a, LocalFunction) and isinstance(b, LocalFunction):
        mine, other = a.environment.names, b.environment.names
        captured = mine.keys() == other.keys() and all(same(mine[n], other[n]) for n in mine)
        return a.node is b.node and a.fixed == b.fixed and captured
    return False


def is_constant_object(value: object) -> bool:
    """Whether a Python object becomes a ``Constant``; those of other subclasses do not."""
    return type(value) in CONSTANT_TYPES or isinstance(value, enum.Enum)


def _some(parts: Iterable[str]) -> str:
    """The parts with commas; of many, the first ones."""
    first = list(islice(parts, 9))
    return ", ".join(first if len(first) < 9 else [*first[:8], "..."])


def _with_article(name: str) -> str:
    return f"{'an' if name[:1] in 'aeioAEIO' else 'a'} {name}"
