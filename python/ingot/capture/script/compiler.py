"""One compilation: a program, the functions compiled into it, and the mistakes found."""

from __future__ import annotations

import ast
import inspect
import types
import typing
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Any, cast

import torch

from ingot.capture.script import statements
from ingot.capture.script.annotations import annotation_of, any_type, broadcast_length
from ingot.capture.script.broadcasting import broadcast, broadcast_types
from ingot.capture.script.classes import ClassTable
from ingot.capture.script.diagnostics import CompileError, Diagnostic, Diagnostics, Poisoned
from ingot.capture.script.enums import require_member
from ingot.capture.script.exceptions import ExceptionNames
from ingot.capture.script.expressions import expression
from ingot.capture.script.flow import RESULT, Flow, Way, merge, unless_none
from ingot.capture.script.frame import Frame, fits_loosely
from ingot.capture.script.hooks import call_module, has_hooks
from ingot.capture.script.items import leaves, rebuild, signature, type_of
from ingot.capture.script.language import (
    ANY,
    EnumType,
    Hole,
    is_subtype,
    lower,
    may_be_none,
    union_of,
)
from ingot.capture.script.modules import begin
from ingot.capture.script.names import free_names, nonlocal_names
from ingot.capture.script.own_exceptions import Raised
from ingot.capture.script.parameters import bind_arguments, parameters_of
from ingot.capture.script.recursion import generalised, result_of, widen
from ingot.capture.script.sources import FunctionSource, NoSource, source_of
from ingot.capture.script.state import Knowledge, StateTable
from ingot.capture.script.type_comments import signature_mistake
from ingot.capture.script.values import (
    NOTHING,
    Constant,
    DictItem,
    Dynamic,
    Environment,
    Item,
    LocalFunction,
    Missing,
    ModuleItem,
    PoisonItem,
    TupleItem,
    is_constant_object,
)
from ingot.capture.script.wrapping import wrap
from ingot.errors import Error
from ingot.ir.builder import Builder
from ingot.ir.graph import NO_DEFAULT, Block, Input, Method, Program, Value
from ingot.ir.schema import Catalogue, catalogue
from ingot.ir.types import (
    BOOL,
    FLOAT,
    INT,
    NONE,
    STR,
    TENSOR,
    ListType,
    OptionalType,
    Type,
    UnionType,
)

_MAX_DEPTH = 150
_NUMBERS_AND_TENSORS = {BOOL, INT, FLOAT, TENSOR}


@dataclass(eq=False)
class Compiled:
    """A function for one signature. ``result`` is None until the body is finished."""

    function: object
    name: str
    key: tuple
    bound: dict[str, Item]
    result: Item | None = None
    declared: Type | None = None
    recursive: bool = False
    writes: bool = True
    """Whether it may assign attributes of modules."""
    object_writes: set[str] = field(default_factory=lambda: {""})
    """The attributes of objects that it may assign; "" stands for all."""
    mistakes: dict[Diagnostic, None] = field(default_factory=dict)
    assumed: list[Hole] = field(default_factory=list)
    """Of lists that it takes for empty."""
    unresolved: tuple[Frame, ast.AST] | None = None
    """Where it calls itself while nothing tells the type of its result."""


class Compiler:
    """Compiles functions into ``program``; ``finish`` reports what went wrong."""

    def __init__(
        self,
        knowledge: Knowledge,
        ops: Catalogue | None = None,
        always_none: Collection[tuple[str, str]] = (),
        lenient: bool = False,
        starred: int = 1,
        unions: bool = False,
    ) -> None:
        """``always_none``: inputs, by method and name, that can be nothing but None.

        ``lenient``: what Python refuses only where a run comes to it, the program refuses there
        too; else it is a mistake. ``starred``: how many tensors an exported method of a lenient
        program gets for ``*args``, if it has no other inputs. ``unions``: a variable may be a
        number at one time and a tensor at another.
        """
        self.program = Program()
        self.knowledge = knowledge
        self.annotations: dict[tuple[str, int], Any] = {}
        self.ops = catalogue() if ops is None else ops
        self.diagnostics = Diagnostics()
        self.state = StateTable(self.program)
        self.classes = ClassTable(self)
        self.functions: dict[tuple, Compiled] = {}
        self.open_values: dict[int, tuple[Value, Type]] = {}
        self.exported: set[str] = set()
        """Names of methods that callers may run: the compiled functions take others."""
        self.failures: list[Exception] = []
        """Exceptions that are mistakes of the compiler, for those who mend it."""
        self.parts: dict[tuple, torch.nn.Module] = {}
        """Slices of Sequential modules: the module and the bounds."""
        self.made_modules: dict[tuple, torch.nn.Module] = {}
        """Modules that compiled code makes, by class and arguments."""
        self.read: set[tuple[str, str]] = set()
        """Attributes of modules that compiled code reads, by path and name."""
        self.writes = 0
        """How often code that was compiled so far assigns attributes of modules."""
        self.object_writes: Counter[str] = Counter()
        """How often code that was compiled so far assigns each attribute of objects, calls
        included; "" stands for all attributes."""
        self.assumed: list[Hole] = []
        """Element types of lists that code was compiled for as empty, in this order."""
        self.exceptions = ExceptionNames()
        self.raised = Raised()
        self.always_none = always_none
        self.lenient = lenient
        self.starred = starred
        self.unions = unions
        self.stars: list[str] = []
        """Names of the ``*args`` that got so many."""
        self.guessed: list[tuple[str, str]] = []
        """Inputs that are taken for Optional tensors only because None is their default."""
        self.unresolved = 0
        """How many calls were met whose results have types that nothing tells yet."""
        self._active: list[tuple[tuple, Compiled]] = []
        self._kept_alive: list[object] = []

    # --- methods that callers may run ----------------------------------------------------

    def entry(self, name: str, function: types.FunctionType, receiver: Item | None) -> None:
        """Compiles ``function`` as an exported method with inputs as annotated.

        Those of a decorated function are the inputs of what it wraps.
        """
        plain = described_by(function)
        source = load_source(plain)
        builder, method = self._new_method(name, exported=True)
        frame = self._frame(source, builder, plain)
        mistake = signature_mistake(source.node, receiver is not None)
        if mistake:
            frame.report(source.node, mistake, "write one for each, or annotate the arguments")
        parameters = declared_parameters(plain, source)
        names = list(parameters)
        if receiver is not None and names:
            frame.environment.names[names.pop(0)] = receiver
        defaults = defaults_of(plain, source.node.args)
        for each in names:
            try:
                self._input(frame, method, each, parameters[each], defaults)
            except CompileError as error:
                frame.report(error.node or parameters[each], error.message, error.hint)
                frame.environment.names[each] = PoisonItem()
        for star, empty in (
            (source.node.args.vararg, TupleItem(())),
            (source.node.args.kwarg, DictItem({})),
        ):
            if star is None:
                continue
            if self.lenient and not names:
                if star is source.node.args.vararg:
                    empty = self._star(frame, method, star)
                frame.environment.names[star.arg] = empty
            elif names:  # callers give the named inputs and no others
                frame.environment.names[star.arg] = empty
            else:
                frame.report(
                    star,
                    f"an exported method cannot take *{star.arg}: its inputs must be known",
                    "name every input",
                )
                frame.environment.names[star.arg] = PoisonItem()
        if isinstance(receiver, ModuleItem):
            begin(frame, receiver)
        if plain is not function or (name == "forward" and _hooked(receiver)):
            result = self._around(frame, function, receiver, names)
        else:
            result = self._body(frame)
        try:
            with frame.located(source.node):
                declared = frame.result_type
                actual = type_of(result)
                fits = declared is not None and actual is not None and is_subtype(actual, declared)
                builder.returns(frame.value(result, declared if fits else None))
        except CompileError as error:
            frame.report(source.node, f"the result is {error.message}", error.hint)
        except Poisoned:
            if not len(self.diagnostics):
                frame.report(source.node, "the result of this function cannot be compiled")
            builder.returns(builder.constant(None))

    def _around(
        self, frame: Frame, function: types.FunctionType, receiver: Item | None, names: list[str]
    ) -> Item:
        """The result of a decorated function or of a module with hooks, called as it is."""
        node = frame.source.node
        args = [frame.environment.names[name] for name in names]
        star = frame.environment.names.get(getattr(node.args.vararg, "arg", ""))
        args += star.items if isinstance(star, TupleItem) else ()
        try:
            with frame.located(node):
                if isinstance(receiver, ModuleItem) and _hooked(receiver):
                    return call_module(frame, receiver, args, {})
                given = args if receiver is None else [receiver, *args]
                return self.call(frame, function, given, {}, node)
        except CompileError as error:
            frame.report(error.node or node, error.message, error.hint)
        except Poisoned:
            pass
        return PoisonItem()

    def _star(self, frame: Frame, method: Method, star: ast.arg) -> TupleItem:
        """The inputs that a method takes for ``*args``."""
        self.stars.append(star.arg)
        items: list[Item] = []
        for number in range(self.starred):
            value = Value(TENSOR, f"{star.arg}_{number}")
            method.body.inputs.append(value)
            method.inputs.append(Input(value.name))
            items.append(frame.dynamic(value, TENSOR))
        return TupleItem(tuple(items))

    def _input(
        self,
        frame: Frame,
        method: Method,
        name: str,
        parameter: ast.arg,
        defaults: dict[str, Any],
    ) -> None:
        default = defaults.get(name, NO_DEFAULT)
        try:
            declared = annotation_of(frame, parameter.annotation)
        except CompileError:
            if not self.lenient:
                raise
            declared = NONE if default is not NO_DEFAULT else None
        if declared is None and default is None:
            self.guessed.append((method.name, name))
            declared = NONE if (method.name, name) in self.always_none else OptionalType(TENSOR)
        elif declared is not None and default is None and not may_be_none(declared):
            self.guessed.append((method.name, name))  # None is a value that the annotation forgets
            always = (method.name, name) in self.always_none
            declared = NONE if always else OptionalType(declared)
        if declared is None:
            declared = _type_of_default(default)
        if declared is None and self.lenient:
            declared = NONE
        if declared == ANY:
            declared = any_type(frame, name)
        if declared is None:
            raise CompileError(
                f"the type of {name} is not known",
                f"annotate it, for example {name}: torch.Tensor",
                parameter,
            )
        if isinstance(default, list | dict | set) and not self.lenient:
            raise CompileError(
                f"the default of {name} is a {type(default).__name__}, which all calls would share",
                f"make it None, and {name} in the function where it is None",
                parameter,
            )
        held_by_file = default is NO_DEFAULT or is_constant_object(default)
        if not held_by_file and not isinstance(default, tuple):
            if not self.lenient:
                raise CompileError(
                    f"the default of {name} is a {type(default).__name__}, which no file holds",
                    "make the default None",
                    parameter,
                )
            declared = NONE
        constant = None
        if declared == NONE and default not in (None, NO_DEFAULT):
            constant, default = wrap(frame, default, name), None  # callers give no other
        if default is not NO_DEFAULT:
            given = type_of(wrap(frame, default, name))
            if given in (INT, FLOAT, BOOL, STR) and not _may_default(given, declared):
                raise CompileError(
                    f"{name} is declared as {declared} and its default is {default!r}",
                    "change the annotation or the default",
                    parameter,
                )
        made = isinstance(default, tuple) and not may_be_none(declared)
        held: Type = OptionalType(declared) if made else declared
        length = broadcast_length(parameter.annotation)
        if length is not None and isinstance(declared, ListType):
            held = union_of(held, *broadcast_types(declared.element, length))
        value = Value(lower(held), name)
        method.body.inputs.append(value)
        if default is not NO_DEFAULT:
            method.inputs.append(Input(name, None if made else frame.literal(default)))
        else:
            method.inputs.append(Input(name))
        frame.declared[name] = declared
        item: Item = frame.dynamic(value, held)
        if length is not None and isinstance(declared, ListType):
            item = broadcast(frame, item, declared.element, length)
        if made:
            item = unless_none(frame, item, wrap(frame, default, name), name, declared)
        frame.environment.names[name] = constant or (NOTHING if declared == NONE else item)
        if isinstance(declared, EnumType):
            require_member(frame, frame.dynamic(value, declared), declared.cls, name)

    def number_or_tensor(self, a: Type, b: Type) -> Type | None:
        """The type of a variable that is an ``a`` or a ``b`` as a run decides; None if this
        compilation has no such variables."""
        both = union_of(a, b)
        parts = both.elements if isinstance(both, UnionType) else ()
        return both if self.unions and parts and set(parts) <= _NUMBERS_AND_TENSORS else None

    def close(self) -> None:
        """Gives every value its final type, now that all holes that will be filled are."""
        self.exceptions.close()
        for value, type in self.open_values.values():
            value.type = lower(type)
        self.classes.close()

    def keep_alive(self, object: Any) -> None:
        """Functions are compiled once for an object that is known by its ``id``."""
        self._kept_alive.append(object)

    # --- calls ---------------------------------------------------------------------------

    def call(
        self,
        frame: Frame,
        callee: Callable[..., Any],
        args: list[Item],
        kwargs: dict[str, Item],
        node: ast.AST,
    ) -> Item:
        """A call of a Python function, compiled for these arguments."""
        function = cast(types.FunctionType, callee)
        try:
            source = source_of(function)
        except NoSource:
            if inspect.iscoroutinefunction(function):
                raise CompileError(
                    f"{function.__qualname__} is an async function, which cannot be compiled",
                    "write a plain function that returns its results",
                ) from None
            raise CompileError(
                f"the source of the function {function.__qualname__} is not available",
                "define it in a file, or mark it with @ingot.ignore and do not call it",
            ) from None
        defaults = {
            name: wrap(frame, value, name)
            for name, value in defaults_of(function, source.node.args).items()
        }
        bound = bind_arguments(source, args, kwargs, defaults)
        key = (id(function),)

        def make(builder: Builder) -> Frame:
            return self._frame(source, builder, function)

        return self._call(frame, function, key, source, bound, make, node)

    def call_local(
        self,
        frame: Frame,
        function: LocalFunction,
        args: list[Item],
        kwargs: dict[str, Item],
        node: ast.AST,
    ) -> Item:
        """A call of a lambda or nested function; what it captures travels as arguments."""
        owner = function.owner
        assert isinstance(owner, Frame)
        function = self.refreshed(frame, function)
        changed = nonlocal_names(function.node)
        if changed and owner is not frame:
            raise CompileError(
                f"{function.describe()} assigns {changed[0]} of the function around it, so it "
                "can be called there only",
                "return the value instead",
            )
        defaults = {
            name: item
            for name, item in function.environment.names.items()
            if name.startswith("default ")
        }
        given = {name.removeprefix("default "): item for name, item in defaults.items()}
        bound = bind_arguments(function.source, args, kwargs, given)
        captured = {
            f"outer {name}": item
            for name, item in function.environment.names.items()
            if name not in defaults and name not in changed
        }
        for name in changed:
            item = frame.read(name)
            if item is None or type_of(item) is None:
                raise CompileError(f"{name} has no value that a function can change here")
            captured[name] = frame.dynamic(frame.value(item), type_of(item))
        own = function.source.name
        if f"outer {own}" not in captured and own in free_names(function.node):
            captured[f"outer {own}"] = function  # it calls itself

        def make(builder: Builder) -> Frame:
            inner = Frame(self, function.source, builder, owner.scope, owner.closure, owner.owner)
            inner.outer = Environment()
            inner.changes = changed
            inner.final_depth += bool(changed)
            return inner

        key = ("local", id(function.node))
        self._kept_alive.append(function.node)
        result = self._call(
            frame, function.node, key, function.source, captured | bound, make, node
        )
        if not changed:
            return result
        assert isinstance(result, TupleItem)
        for name, item in zip(changed, result.items[1:], strict=True):
            frame.assign(name, item)
        return result.items[0]

    def refreshed(self, frame: Frame, function: LocalFunction) -> LocalFunction:
        """The function over the variables as they are now, if it was defined in this frame."""
        from ingot.capture.script.comprehensions import visible_from

        if function.owner is not frame:
            return function
        names = dict(function.environment.names)
        for name in free_names(function.node) - function.fixed:
            item = visible_from(frame, name, function.node)
            if item is function or (isinstance(item, LocalFunction) and item.node is function.node):
                continue
            if item is not None and not isinstance(item, Missing | PoisonItem):
                names[name] = frame.force(item)
        return replace(function, environment=Environment(names))

    def _call(
        self,
        frame: Frame,
        function: object,
        key: tuple,
        source: FunctionSource,
        bound: dict[str, Item],
        make: Callable[[Builder], Frame],
        node: ast.AST,
    ) -> Item:
        if any(isinstance(item, PoisonItem) for item in bound.values()):
            raise Poisoned
        bound = {name: frame.force(item) for name, item in bound.items()}
        for name, item in bound.items():
            if isinstance(item, LocalFunction):
                bound[name] = self.refreshed(frame, item)
        if self.active(function):
            bound = generalised(frame, self, function, bound)
        key = (*key, *((name, signature(item)) for name, item in bound.items()))
        inputs = list({id(leaf.value): leaf for i in bound.values() for leaf in leaves(i)}.values())
        places = {id(leaf.value): number for number, leaf in enumerate(inputs)}
        key += tuple(places[id(leaf.value)] for i in bound.values() for leaf in leaves(i))
        known = self.functions.get(key)
        if known is None:
            known = self._compile(frame, function, key, source, bound, make, node)
        else:
            self.diagnostics.repeat(known.mistakes)
            self.assumed += [hole for hole in known.assumed if hole.open]
        return self._emit_call(frame, known, [frame.value(leaf) for leaf in inputs], node)

    def active(self, function: object) -> list[Compiled]:
        """The compilations of ``function`` that are not finished, the outermost first."""
        return [each for _, each in self._active if each.function is function]

    def callers(self) -> list[Method]:
        """The methods that are not finished, but for the one being compiled."""
        names = [each.name for _, each in self._active]
        return [
            method
            for name, method in self.program.methods.items()
            if name in names[:-1] or (names and method.exported)
        ]

    def _compile(
        self,
        caller: Frame,
        function: object,
        key: tuple,
        source: FunctionSource,
        bound: dict[str, Item],
        make: Callable[[Builder], Frame],
        node: ast.AST,
    ) -> Compiled:
        if len(self._active) > _MAX_DEPTH:
            raise CompileError(
                f"calls are nested deeper than {_MAX_DEPTH}: {source.name} may call itself "
                "with ever new compile-time arguments"
            )
        receiver = next(iter(bound.values()), None)
        path = receiver.path if isinstance(receiver, ModuleItem) else ""
        name = self._unique(f"{path}.{source.name}" if path else source.name)
        builder, method = self._new_method(name, exported=False)
        inner = make(builder)
        place = caller.source.at(node)
        inner.calls = (f"{place} in {place.function}: {place.text}", *caller.calls)
        inputs: dict[int, Value] = {}
        for parameter, item in bound.items():
            target = inner.environment.names
            if parameter.startswith("outer "):
                assert inner.outer is not None
                target = inner.outer.names
            plain = parameter.removeprefix("outer ")
            inside = []
            for leaf in leaves(item):
                value = inputs.get(id(leaf.value))
                if value is None:
                    value = inputs[id(leaf.value)] = Value(lower(leaf.type), plain)
                    inner.track(value, leaf.type)
                    method.body.inputs.append(value)
                    method.inputs.append(Input(value.name))
                inside.append(Dynamic(value, leaf.type))
            target[plain] = rebuild(item, iter(inside))
        known = Compiled(function, name, key, bound)
        known.declared = self.knowledge.results.get(key)
        self.functions[key] = known
        self._kept_alive.append(function)
        self._active.append((key, known))
        writes, object_writes = self.writes, Counter(self.object_writes)
        assumed, unresolved = len(self.assumed), self.unresolved
        with self.diagnostics.collect() as known.mistakes:
            try:
                known.result = self._body(inner)
            finally:
                self._active.pop()
            if self.unresolved != unresolved:
                self._resolve(inner, known)
            known.writes = self.writes != writes
            known.assumed = self.assumed[assumed:]
            known.object_writes = {
                name for name, count in self.object_writes.items() if count != object_writes[name]
            }
            self._finish(inner, known)
        return known

    def _resolve(self, frame: Frame, known: Compiled) -> None:
        """The result of a function that itself or a function around it calls again."""
        poisoned = known.result is None or isinstance(known.result, PoisonItem)
        types = frame.returned if poisoned else [type_of(cast(Item, known.result))]
        type = result_of(self, known, types)
        if poisoned and type is not None:
            known.result = frame.stand_in(type)  # a function around begins again
        if known.unresolved is not None:
            caller, node = known.unresolved
            caller.report(
                node,
                f"{known.name} calls itself, so its result type must be annotated",
                "write the type after ->",
            )
            known.result = PoisonItem()

    def _finish(self, frame: Frame, known: Compiled) -> None:
        """Gives the method its output: the leaves of the result."""
        builder = frame.builder
        result = known.result
        assert result is not None
        try:
            with frame.located(frame.source.node):
                if known.recursive:
                    widen(self, known, type_of(result))
                    value = frame.value(result, known.declared)
                    known.result = Dynamic(value, known.declared)  # type: ignore[arg-type]
                    result = known.result
                values = [frame.value(leaf) for leaf in leaves(result)]
        except CompileError as error:
            frame.report(frame.source.node, error.message, error.hint)
            known.result = PoisonItem()
            values = []
        if len(values) == 1:
            builder.returns(values[0])
        else:
            builder.returns(builder.tuple_construct(values) if values else builder.constant(None))

    def _emit_call(self, frame: Frame, known: Compiled, inputs: list[Value], node: ast.AST) -> Item:
        builder = frame.builder
        if known.writes or known.result is None:  # what a call of itself assigns is not known yet
            self.writes += 1
            frame.environment.forget_attributes()
        self.object_writes.update({""} if known.result is None else known.object_writes)
        if known.result is None:
            if known.declared is None:
                known.unresolved = known.unresolved or (frame, node)
                self.unresolved += 1
                raise Poisoned
            known.recursive = True
            attributes = {"method": known.name}
            call = builder.insert("prim::Call", inputs, [lower(known.declared)], attributes)
            return frame.dynamic(call.output, known.declared)
        if isinstance(known.result, PoisonItem):
            raise Poisoned
        output = self.program.methods[known.name].body.outputs[0]
        call = builder.insert("prim::Call", inputs, [output.type], {"method": known.name})
        results = list(leaves(known.result))
        if len(results) == 1:
            return rebuild(known.result, iter([frame.dynamic(call.output, results[0].type)]))
        values = builder.tuple_unpack(call.output) if results else ()
        items = [frame.dynamic(v, r.type) for v, r in zip(values, results, strict=True)]
        return rebuild(known.result, iter(items))

    def frame_for(self, function: types.FunctionType) -> Frame:
        """A frame that only looks at a function's annotations."""
        return self._frame(load_source(function), Builder(self.program, Block(), ops=self.ops),
                           function)  # fmt: skip

    # --- bodies --------------------------------------------------------------------------

    def _new_method(self, name: str, exported: bool) -> tuple[Builder, Method]:
        body = Block()
        method = self.program.methods[name] = Method(name, body, [], exported)
        return Builder(self.program, body, ops=self.ops), method

    def _unique(self, name: str) -> str:
        candidate, number = name, 0
        while candidate in self.program.methods or candidate in self.exported:
            number += 1
            candidate = f"{name}_{number}"
        return candidate

    def _frame(
        self, source: FunctionSource, builder: Builder, function: types.FunctionType
    ) -> Frame:
        frame = Frame(
            self,
            source,
            builder,
            function.__globals__,
            closure_of(function),
            owner_of(function),
        )
        return frame

    def _body(self, frame: Frame) -> Item:
        """Compiles the body with the parameters bound; gives the result."""
        node = frame.source.node
        frame.locals = set(frame.environment.names)
        if isinstance(node, ast.Lambda):
            try:
                return frame.force(expression(frame, node.body))
            except CompileError as error:
                frame.report(error.node or node, error.message, error.hint)
            except Poisoned:
                pass
            return PoisonItem()
        frame.locals |= frame.source.assigned
        frame.shared = set(frame.source.shared & frame.locals)
        try:
            frame.result_type = annotation_of(frame, node.returns)
        except CompileError:
            frame.result_type = None  # the type is inferred
        if self._active and self._active[-1][1].name in self.program.methods:
            known = self._active[-1][1]
            if known.result is None and known.declared is None:
                known.declared = frame.result_type
        flow = statements.body(frame, node.body)
        return self._result(frame, flow)

    def _result(self, frame: Frame, flow: Flow) -> Item:
        node = frame.source.node
        if frame.changes:
            return self._result_and_changes(frame, flow)
        falls = flow.ends.get(Way.FALL)
        if falls is not None:
            if Way.RETURN not in flow.ends:
                return NOTHING
            falls.names[RESULT] = NOTHING
            frame.returned.append(NONE)
            flow = merge(frame, flow, Way.FALL, Way.RETURN, frame.source.line(node))
            item = flow.ends[Way.FALL].names[RESULT]
        elif Way.RETURN in flow.ends:
            item = flow.ends[Way.RETURN].names[RESULT]
        elif frame.result_type is not None:  # it always raises
            return frame.stand_in(frame.result_type)
        else:
            return NOTHING
        if isinstance(item, Missing):
            frame.report(node, item.reason, item.hint)
            return PoisonItem()
        return frame.force(item)

    def _result_and_changes(self, frame: Frame, flow: Flow) -> Item:
        """The result of a nested function, and the variables around it that it assigned."""
        line = frame.source.line(frame.source.node)
        falls = flow.ends.get(Way.FALL)
        if falls is not None:
            falls.names[RESULT] = NOTHING
            flow = merge(frame, flow, Way.FALL, Way.RETURN, line)
        end = flow.ends.get(Way.FALL) or flow.ends.get(Way.RETURN)
        if end is None:
            end = frame.environment
            end.names[RESULT] = NOTHING
        items = []
        for name in (RESULT, *frame.changes):
            item = end.names[name]
            if isinstance(item, Missing):
                frame.report(frame.source.node, item.reason, item.hint)
                return PoisonItem()
            items.append(frame.force(item))
        return TupleItem(tuple(items))


def _hooked(receiver: Item | None) -> bool:
    return isinstance(receiver, ModuleItem) and has_hooks(receiver)


def described_by(function: types.FunctionType) -> types.FunctionType:
    """The function whose parameters are those of ``function``: a decorator's ``*args`` say
    nothing of them, so it is what ``functools.wraps`` names."""
    takes_anything = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS
    while function.__code__.co_flags & takes_anything:
        inner = getattr(function, "__wrapped__", None)
        if not isinstance(inner, types.FunctionType):
            break
        function = inner
    return function


def load_source(function: types.FunctionType) -> FunctionSource:
    """The source of a function the user asked to compile. Raises Error without one."""
    try:
        return source_of(function)
    except NoSource:
        raise Error(
            f"the source of the function {function.__qualname__} is not available, so it "
            "cannot be compiled",
            "unsupported",
            hint="define it in a file",
        ) from None


def _may_default(given: Type, declared: Type) -> bool:
    """Whether a number or string can be the default of an input."""
    if declared not in (INT, FLOAT, BOOL, STR):
        return True
    return is_subtype(given, declared) or fits_loosely(given, declared)


def declared_parameters(function: types.FunctionType, source: FunctionSource) -> dict[str, ast.arg]:
    """The parameters; those without annotation have that of the first ``typing.overload``."""
    parameters = dict(parameters_of(source.node.args))
    overloads = getattr(typing, "get_overloads", lambda _: ())  # Python 3.11 has it
    for each in overloads(function):
        if not isinstance(each, types.FunctionType):
            continue
        try:
            declared = dict(parameters_of(source_of(each).node.args))
        except NoSource:
            continue
        for name, parameter in parameters.items():
            if parameter.annotation is None and name in declared:
                parameters[name] = declared[name]
        break
    return parameters


def defaults_of(function: types.FunctionType, arguments: ast.arguments) -> dict[str, Any]:
    """Default values by parameter name."""
    positional = [a.arg for a in [*arguments.posonlyargs, *arguments.args]]
    values = function.__defaults__ or ()
    found = dict(zip(positional[len(positional) - len(values) :], values, strict=True))
    return found | (function.__kwdefaults__ or {})


def closure_of(function: types.FunctionType) -> dict[str, Any]:
    """The captured variables by name; cells that are still empty are left out."""
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:
            continue
    return found


def owner_of(function: types.FunctionType) -> type | None:
    """The class whose body defines the function, through the cell that ``super()`` uses."""
    return closure_of(function).get("__class__")


def _type_of_default(default: Any) -> Type | None:
    if default is NO_DEFAULT:
        return TENSOR
    if is_constant_object(default):
        return Constant(default).type
    return None
