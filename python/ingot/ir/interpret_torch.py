"""Programs as ``nn.Module``: the same nodes, run one by one through torch ops.

The way to fine-tune or debug an exported file. Parameters are trainable and lie, with buffers,
under their ``state_dict`` names.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from ingot.errors import Error, GuardError
from ingot.ir import torch_ops
from ingot.ir.diagnostics import stack
from ingot.ir.entry import bind_inputs
from ingot.ir.graph import (
    BUFFER,
    PARAMETER,
    Block,
    Method,
    Node,
    Program,
    State,
    TensorData,
    Value,
)
from ingot.ir.schema import catalogue
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
from ingot.results import Object, named_tuple_class

Environment = dict[Value, Any]
Step = Callable[[Environment], None]


def to_torch(program: Program) -> nn.Module:
    """A module with every exported method of the program and a copy of its state."""
    return ProgramModule(program)


class ProgramModule(nn.Module):
    """``forward`` and the program's other methods, over torch tensors."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        self._program = replace(program, state={})
        self._homes: dict[str, tuple[dict[str, Any], str]] = {}
        """State name -> the dictionary that holds the value, and the key there."""
        self._plain: dict[str, Any] = {}
        tied: dict[int, torch.Tensor] = {}
        for state in program.state.values():
            self._add(state, tied)
        self._compile()

    def _compile(self) -> None:
        self._compiled = {
            name: StepCompiler(self).steps(method.body)
            for name, method in self._program.methods.items()
        }

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickles: all but the functions, which are bound to this module."""
        return {k: v for k, v in self.__dict__.items() if k != "_compiled"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self._compile()

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the program's method ``forward``."""
        return self._call("forward", args, kwargs)

    def __getattr__(self, name: str) -> Any:
        methods = self.__dict__["_program"].methods if "_program" in self.__dict__ else {}
        if name in methods and methods[name].exported:
            return lambda *args, **kwargs: self._call(name, args, kwargs)
        return super().__getattr__(name)

    def _add(self, state: State, tied: dict[int, torch.Tensor]) -> None:
        if not isinstance(state.value, TensorData):
            self._plain[state.name] = _to_python(state.value, state.type)
            self._homes[state.name] = (self._plain, state.name)
            return
        owner: nn.Module = self
        *path, key = state.name.split(".")
        for part in path:
            if part not in owner._modules:
                owner._modules[part] = nn.Module()
            owner = owner._modules[part]  # type: ignore[assignment]
        tensor = tied.get(id(state.value))
        if tensor is None:
            tensor = _to_tensor(state.value)
            if state.kind == PARAMETER:
                trainable = tensor.is_floating_point() or tensor.is_complex()
                tensor = nn.Parameter(tensor, requires_grad=trainable)
            tied[id(state.value)] = tensor
        if isinstance(tensor, nn.Parameter):
            owner._parameters[key] = tensor
            self._homes[state.name] = (owner._parameters, key)
        else:
            owner._buffers[key] = tensor
            self._homes[state.name] = (owner._buffers, key)
            if state.kind not in (PARAMETER, BUFFER):
                owner._non_persistent_buffers_set.add(key)

    def _call(self, name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        method = self._program.methods.get(name)
        if method is None or not method.exported:
            raise Error(f"the program has no method {name!r}", "not_found")
        values = bind_inputs(self._program, method, args, kwargs)
        return self._run(name, values)

    def _run(self, name: str, values: Sequence[Any]) -> Any:
        method: Method = self._program.methods[name]
        environment = dict(zip(method.body.inputs, values, strict=True))
        for step in self._compiled[name]:
            step(environment)
        return environment[method.body.outputs[0]]

    def _get(self, name: str) -> Any:
        home, key = self._homes[name]
        return home[key]

    def _set(self, name: str, value: Any) -> None:
        """New state; buffers leave the autograd graph, as updates in no_grad do."""
        home, key = self._homes[name]
        if isinstance(home[key], nn.Parameter):
            with torch.no_grad():
                home[key].copy_(value)
        else:
            home[key] = value.detach() if isinstance(value, torch.Tensor) else value

    def _device(self) -> torch.device:
        """Where device 0 of the program is: where the module has been moved."""
        for tensor in (*self.parameters(), *self.buffers()):
            return tensor.device
        return torch.device("cpu")


class StepCompiler:
    """Turns nodes into functions over an environment of values."""

    def __init__(self, module: ProgramModule) -> None:
        self.module = module
        self.ops = catalogue()

    def steps(self, block: Block) -> list[Step]:
        return [self.step(node) for node in block.nodes]

    def step(self, node: Node) -> Step:
        match node.op:
            case "prim::If":
                return self.branch(node)
            case "prim::Loop":
                return self.loop(node)
            case "prim::Try":
                return self.attempt(node)
            case op if op in _PRIMS:
                return self.simple(node, _PRIMS[op](self.module, node))
        schema = self.ops.find(node.op)
        if schema is None:
            raise Error(f"Ingot has no op {node.op}", "unsupported", stack(node.source))
        function = torch_ops.find(schema)
        devices = [i for i, a in enumerate(schema.arguments) if a.declared.startswith("Device")]
        if devices:
            function = self.with_devices(function, devices)
        return self.simple(node, function)

    def with_devices(self, function: Callable[..., Any], places: list[int]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            given = list(args)
            for i in places:
                if given[i] is not None:
                    given[i] = self.module._device()
            return function(*given)

        return call

    def simple(self, node: Node, function: Callable[..., Any]) -> Step:
        inputs, outputs = list(node.inputs), list(node.outputs)

        def run(environment: Environment) -> None:
            try:
                result = function(*[environment[v] for v in inputs])
            except Error as error:
                if error.location:
                    raise
                raise type(error)(
                    error.message, error.code, stack(node.source), error.hint
                ).raised_as(error.kind, error.text) from error
            except (RuntimeError, TypeError, ValueError, LookupError, ArithmeticError) as error:
                failed = Error(f"{node.op}: {error}", "runtime", stack(node.source))
                raise failed.raised_as(type(error).__name__, str(error)) from error
            if len(outputs) == 1:
                environment[outputs[0]] = result
            elif outputs:
                environment.update(zip(outputs, result, strict=True))

        return run

    def branch(self, node: Node) -> Step:
        (condition,) = node.inputs
        then, otherwise = ((self.steps(b), b.outputs) for b in node.blocks)

        def run(environment: Environment) -> None:
            steps, results = then if environment[condition] else otherwise
            for step in steps:
                step(environment)
            for output, result in zip(node.outputs, results, strict=True):
                environment[output] = environment[result]

        return run

    def attempt(self, node: Node) -> Step:
        body, handler = node.blocks
        steps, handling = self.steps(body), self.steps(handler)

        def run(environment: Environment) -> None:
            results = body.outputs
            try:
                for step in steps:
                    step(environment)
            except Error as error:
                if error.code not in ("runtime", "invalid_argument", "unsupported"):
                    raise
                parts = (error.kind or "RuntimeError", error.text, error.message, error.location)
                environment.update(zip(handler.inputs, parts, strict=True))
                for step in handling:
                    step(environment)
                results = handler.outputs
            for output, result in zip(node.outputs, results, strict=True):
                environment[output] = environment[result]

        return run

    def loop(self, node: Node) -> Step:
        (body,) = node.blocks
        steps = self.steps(body)
        limit, condition, *initial = node.inputs
        counter, *carried = body.inputs
        again, *following = body.outputs

        def run(environment: Environment) -> None:
            values = [environment[v] for v in initial]
            turn, going = 0, environment[condition]
            while going and turn < environment[limit]:
                environment[counter] = turn
                environment.update(zip(carried, values, strict=True))
                for step in steps:
                    step(environment)
                values = [environment[v] for v in following]
                going = environment[again]
                turn += 1
            environment.update(zip(node.outputs, values, strict=True))

        return run


Make = Callable[[ProgramModule, Node], Callable[..., Any]]


def _constant(module: ProgramModule, node: Node) -> Callable[..., Any]:
    value, type = node.attributes["value"], node.output.type
    return lambda: _to_python(value, type)


def _get_state(module: ProgramModule, node: Node) -> Callable[..., Any]:
    name = str(node.attributes["name"])
    return lambda: module._get(name)


def _set_state(module: ProgramModule, node: Node) -> Callable[..., Any]:
    name = str(node.attributes["name"])
    return lambda value: module._set(name, value)


def _tuple_construct(module: ProgramModule, node: Node) -> Callable[..., Any]:
    type = node.output.type
    if isinstance(type, NamedTupleType):
        return named_tuple_class(type.name, type.fields)
    return lambda *elements: elements


def _unpack(module: ProgramModule, node: Node) -> Callable[..., Any]:
    count = len(node.outputs)

    def unpack(elements: Sequence[Any]) -> Any:
        if len(elements) != count:
            raise Error(f"expected {count} values to unpack, got {len(elements)}", "runtime")
        return elements[0] if count == 1 else elements

    return unpack


def _tuple_index(module: ProgramModule, node: Node) -> Callable[..., Any]:
    index = node.attributes["index"]
    return lambda elements: elements[index]


def _dict_construct(module: ProgramModule, node: Node) -> Callable[..., Any]:
    return lambda *items: dict(zip(items[::2], items[1::2], strict=True))


def _call(module: ProgramModule, node: Node) -> Callable[..., Any]:
    name = str(node.attributes["method"])
    return lambda *values: module._run(name, values)


def _cast(module: ProgramModule, node: Node) -> Callable[..., Any]:
    type = node.output.type

    def cast(value: Any) -> Any:
        if not _is_a(value, type):
            raise Error(f"expected a value of type {type}, got {value!r}", "runtime")
        return value

    return cast


def _guard(module: ProgramModule, node: Node) -> Callable[..., Any]:
    message = str(node.attributes["message"])

    def check(condition: bool) -> None:
        if not condition:
            raise GuardError(message)

    return check


def _raise(module: ProgramModule, node: Node) -> Callable[..., Any]:
    kind = node.attributes["kind"]

    def fails(message: str) -> None:
        error = Error(f"{kind}: {message}" if message else str(kind), "runtime")
        raise error.raised_as(str(kind), message)

    return fails


def _reraise(module: ProgramModule, node: Node) -> Callable[..., Any]:
    def fails(kind: str, text: str, sentence: str, location: str) -> None:
        raise Error(sentence, "runtime", location).raised_as(kind, text)

    return fails


def _is_instance(module: ProgramModule, node: Node) -> Callable[..., Any]:
    type = node.outputs[1].type

    def ask(value: Any) -> tuple[bool, Any]:
        is_one = _is_a(value, type)
        return is_one, value if is_one else None

    return ask


def _get_attribute(module: ProgramModule, node: Node) -> Callable[..., Any]:
    name = str(node.attributes["name"])

    def get(instance: Object) -> Any:
        if name not in instance.__dict__:
            raise Error(f"AttributeError: the attribute {name!r} is not set", "runtime")
        return instance.__dict__[name]

    return get


def _set_attribute(module: ProgramModule, node: Node) -> Callable[..., Any]:
    name = str(node.attributes["name"])
    return lambda instance, value: instance.__dict__.update({name: value})


def _create_object(module: ProgramModule, node: Node) -> Callable[..., Any]:
    type = node.output.type
    assert isinstance(type, ClassType)
    return lambda: Object(type.name)


_PRIMS: dict[str, Make] = {
    "prim::Constant": _constant,
    "prim::GetState": _get_state,
    "prim::SetState": _set_state,
    "prim::ListConstruct": lambda module, node: lambda *elements: list(elements),
    "prim::ListUnpack": _unpack,
    "prim::TupleConstruct": _tuple_construct,
    "prim::TupleUnpack": _unpack,
    "prim::TupleIndex": _tuple_index,
    "prim::DictConstruct": _dict_construct,
    "prim::Call": _call,
    "prim::Cast": _cast,
    "prim::Uninitialized": lambda module, node: lambda: None,
    "prim::Guard": _guard,
    "prim::RaiseException": _raise,
    "prim::Reraise": _reraise,
    "prim::IsInstance": _is_instance,
    "prim::CreateObject": _create_object,
    "prim::GetAttr": _get_attribute,
    "prim::SetAttr": _set_attribute,
}

_CLASSES: dict[Type, type | tuple[type, ...]] = {
    INT: int,
    FLOAT: float,
    BOOL: bool,
    COMPLEX: complex,
    STR: str,
    NONE: type(None),
}


def _is_a(value: Any, type: Type) -> bool:
    match type:
        case TensorType():
            return isinstance(value, torch.Tensor)
        case OptionalType(element):
            return value is None or _is_a(value, element)
        case UnionType(elements):
            return any(_is_a(value, e) for e in elements)
        case ClassType(name):
            return isinstance(value, Object) and value.class_name == name
        case ListType(element):
            return isinstance(value, list) and all(_is_a(v, element) for v in value)
        case DictType(_, element):
            return isinstance(value, dict) and all(_is_a(v, element) for v in value.values())
        case TupleType(elements) | NamedTupleType(elements=elements):
            same = isinstance(value, tuple) and len(value) == len(elements)
            return same and all(map(_is_a, value, elements))
    if type == INT and isinstance(value, bool):
        return False
    return isinstance(value, _CLASSES.get(type, ()))


def _to_python(literal: Any, type: Type) -> Any:
    """A constant as a program's value: a new list or dict each time."""
    if not isinstance(literal, tuple):
        return literal
    match type:
        case OptionalType(element):
            return _to_python(literal, element)
        case DictType(key, value):
            return {_to_python(k, key): _to_python(v, value) for k, v in literal}
        case TupleType(elements):
            return tuple(map(_to_python, literal, elements))
        case ListType(element):
            return [_to_python(v, element) for v in literal]
    return literal


def _to_tensor(data: TensorData) -> torch.Tensor:
    dtype = torch_ops.TORCH_DTYPES[data.dtype]
    if math.prod(data.shape) == 0:
        return torch.empty(data.shape, dtype=dtype)
    return torch.frombuffer(bytearray(data.data), dtype=dtype).reshape(data.shape)
