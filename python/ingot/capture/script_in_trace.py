"""Calls of ``@ingot.script`` functions inside a trace: kept whole, with their control flow.

While a model is exported each call becomes a custom op of PyTorch, whose sizes come from
running the compiled program abstractly. ``lower`` writes it as a call of the function's own
method, added to the program.
"""

from __future__ import annotations

import contextlib
import copy
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import sympy
import torch
from torch import fx

from ingot.capture.abstract import Unknown, run_abstractly
from ingot.capture.structure import Tree, flatten
from ingot.ir.alias import Aliases
from ingot.ir.diagnostics import fail
from ingot.ir.graph import NO_DEFAULT, Method, Program, Value
from ingot.ir.schema import catalogue
from ingot.ir.types import (
    BOOL,
    FLOAT,
    INT,
    NONE,
    NamedTupleType,
    TensorType,
    TupleType,
    Type,
    erase_facts,
)
from ingot.results import named_tuple_class

if TYPE_CHECKING:
    from ingot.capture.lower import Lowering
    from ingot.capture.script import ScriptFunction

NAMESPACE = "ingot_script"

_library = torch.library.Library(NAMESPACE, "DEF")
_count = itertools.count()


@dataclass
class ScriptCall:
    """One way of calling a function: which arguments vary, and what comes back.

    ``kinds`` of the varying ones: "Tensor", "SymInt" or "float", which is passed as a tensor.
    """

    function: ScriptFunction
    tree: Tree
    constants: list[Any]
    output: Type
    kinds: tuple[str, ...]

    def arguments(self, leaves: list[Any]) -> list[Any]:
        """The function's arguments, with ``leaves`` where values vary."""
        supply = iter(leaves)
        given = [next(supply) if c is _VARIES else c for c in self.constants]
        arguments: list[Any] = self.tree.unflatten(given)
        return arguments


_VARIES = object()

_calls: dict[str, ScriptCall] = {}
_known: dict[tuple, str] = {}


@contextlib.contextmanager
def calls_kept_whole() -> Iterator[None]:
    """Inside, calls of script functions become ops."""
    from ingot.capture.script import capturing

    token = capturing.set(_take_over)
    try:
        yield
    finally:
        capturing.reset(token)


def call_of(target: Any) -> ScriptCall | None:
    """The call that an op of an exported graph stands for."""
    return _calls.get(getattr(target, "_opname", ""))


def _take_over(function: ScriptFunction, args: tuple, kwargs: dict[str, Any]) -> Any:
    method = function.program.methods["forward"]
    ordered = _ordered(method, function, args, kwargs)
    leaves, tree = flatten(ordered, f"an argument of {function.__name__}", constants=False)  # type: ignore[attr-defined]
    varying = [v for v in leaves if _varies(v)]
    constants = [_VARIES if _varies(v) else v for v in leaves]
    kinds = tuple(map(_kind, varying))
    key = (id(function), repr([c is _VARIES or c for c in constants]), str(tree), kinds)
    if key not in _known:
        call = ScriptCall(function, tree, constants, method.body.outputs[0].type, kinds)
        _known[key] = _define(call)
    op = getattr(getattr(torch.ops, NAMESPACE), _known[key])
    given = [
        torch.scalar_tensor(cast(float, v), dtype=torch.float64)
        if isinstance(v, torch.SymFloat)
        else v
        for v in varying
    ]
    results = op(*given)
    flat = list(results) if isinstance(results, tuple | list) else [results]
    return _rebuild(_calls[_known[key]].output, flat)


def _kind(value: Any) -> str:
    if isinstance(value, torch.SymInt):
        return "SymInt"
    return "float" if isinstance(value, torch.SymFloat) else "Tensor"


def _varies(value: Any) -> bool:
    if isinstance(value, torch.SymBool):
        fail(
            "a condition on sizes is an argument of an @ingot.script function",
            hint="pass the sizes and compare inside the function",
            code="unsupported",
        )
    return isinstance(value, torch.Tensor | torch.SymInt | torch.SymFloat)


def _ordered(method: Method, function: Any, args: tuple, kwargs: dict[str, Any]) -> list[Any]:
    given = dict(kwargs)
    values = list(args)
    for described in method.inputs[len(args) :]:
        if described.name in given:
            values.append(given.pop(described.name))
        elif described.default is not NO_DEFAULT:
            values.append(described.default)
        else:
            raise TypeError(f"{function.__name__}() needs the argument {described.name!r}")
    if given or len(args) > len(method.inputs):
        raise TypeError(f"{function.__name__}() got unexpected arguments")
    return values


def _define(call: ScriptCall) -> str:
    _refuse_writes(call.function)
    name = f"{call.function.__name__.strip('<>')}_{next(_count)}"  # type: ignore[attr-defined]
    inputs = ", ".join(
        f"{'SymInt' if kind == 'SymInt' else 'Tensor'} a{i}" for i, kind in enumerate(call.kinds)
    )
    returned = ["Tensor"] * len(_leaf_types(call.output, call.function))
    outputs = returned[0] if len(returned) == 1 else f"({', '.join(returned)})"
    _library.define(f"{name}({inputs}) -> {outputs}")

    def run(*leaves: Any) -> Any:
        copies = [
            v.item() if kind == "float" else v.clone() if kind == "Tensor" else v
            for v, kind in zip(leaves, call.kinds, strict=True)
        ]
        result = call.function.python_function(*call.arguments(copies))
        return _returned([_as_tensor(v) for v in flatten(result, constants=False)[0]])

    def sizes(*leaves: Any) -> Any:
        return _returned(_abstract(call, list(leaves)))

    _library.impl(name, run, "CompositeExplicitAutograd")
    torch.library.register_fake(f"{NAMESPACE}::{name}", sizes, lib=_library)
    _calls[name] = call
    return name


def _refuse_writes(function: ScriptFunction) -> None:
    method = function.program.methods["forward"]
    aliases = Aliases(function.program, method, catalogue())
    if any(aliases.is_mutated(v) for v in method.body.inputs):
        fail(
            f"{function.__name__} writes into an argument, which a trace around an "  # type: ignore[attr-defined]
            "@ingot.script function cannot follow",
            hint="work on a copy, x = x.clone(), and return it",
            code="unsupported",
        )


def _returned(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else tuple(values)


def _as_tensor(value: Any) -> torch.Tensor:
    if isinstance(value, torch.Tensor):
        return value.clone()
    kind = {bool: torch.bool, int: torch.int64}.get(type(value), torch.float64)
    return torch.tensor(value, dtype=kind)


def _abstract(call: ScriptCall, leaves: list[Any]) -> list[Any]:
    """The results' fake tensors; sizes that depend on values are new ones of this op."""
    context = torch.library.get_ctx()
    env = context._shape_env
    with env.ignore_fresh_unbacked_symbols():
        given = [
            Unknown(FLOAT) if kind == "float" else v
            for v, kind in zip(leaves, call.kinds, strict=True)
        ]
        output = run_abstractly(call.function.program, env, call.arguments(given))
    known = {s for leaf in leaves for s in _symbols_of(leaf)}
    fresh: dict[sympy.Expr, Any] = {}

    def size(value: Any) -> Any:
        expr = value.node.expr if isinstance(value, torch.SymInt) else None
        if expr is None or expr.free_symbols <= known or not _unbacked(expr, env):
            return value
        if expr not in fresh:
            fresh[expr] = context.new_dynamic_size()
        return fresh[expr]

    results: list[Any] = []
    for value, type in zip(_opened(output), _leaf_types(call.output, call.function), strict=True):
        if isinstance(value, torch.Tensor):
            results.append(value.new_empty([size(s) for s in value.shape]))
        else:
            dtypes: dict[Type, torch.dtype] = {BOOL: torch.bool, INT: torch.int64}
            dtype = dtypes.get(erase_facts(type), torch.float64)
            results.append(torch.empty((), dtype=dtype))
    return results


def _symbols_of(leaf: Any) -> set[sympy.Symbol]:
    sizes = leaf.shape if isinstance(leaf, torch.Tensor) else [leaf]
    return {s for v in sizes if isinstance(v, torch.SymInt) for s in v.node.expr.free_symbols}


def _unbacked(expr: sympy.Expr, env: Any) -> bool:
    return any(s not in env.backed_var_to_val for s in expr.free_symbols)


def _opened(value: Any) -> list[Any]:
    if isinstance(value, tuple):
        return [v for element in value for v in _opened(element)]
    return [] if value is None else [value]


def _leaf_types(type: Type, function: Any) -> list[Type]:
    """The tensors and numbers in a result. Raises Error for what a trace cannot hold."""
    if isinstance(type, TupleType | NamedTupleType):
        return [leaf for element in type.elements for leaf in _leaf_types(element, function)]
    if isinstance(type, TensorType) or type in (INT, FLOAT, BOOL):
        return [type]
    if type == NONE:
        return []
    fail(
        f"{function.__name__} returns {erase_facts(type)}, which a trace around an @ingot.script "
        "function cannot follow",
        hint="return tensors, numbers, and tuples of these; make one tensor of a list with "
        "torch.stack or torch.cat",
        code="unsupported",
    )


def _rebuild(type: Type, leaves: list[Any]) -> Any:
    """The result of a call as Python sees it, taking values from ``leaves``."""
    if isinstance(type, NamedTupleType):
        return named_tuple_class(type.name, type.fields)(
            *(_rebuild(t, leaves) for t in type.elements)
        )
    if isinstance(type, TupleType):
        return tuple(_rebuild(t, leaves) for t in type.elements)
    if type == NONE:
        return None
    value = leaves.pop(0)
    return value if isinstance(type, TensorType) else value.item()


def lower_call(low: Lowering, node: fx.Node, call: ScriptCall) -> Any:
    """A call of the function's method, with its results taken apart."""
    name = _add_methods(low.program, call.function)
    arguments = [_packed(low, a) for a in call.arguments([low.operand(a) for a in node.args])]
    result = low.b.call_method(name, arguments)
    leaves = _taken_apart(low, result, call.output)
    return leaves[0] if len(leaves) == 1 else leaves


def _packed(low: Lowering, argument: Any) -> Any:
    if isinstance(argument, tuple):
        return low.b.tuple_construct([_packed(low, a) for a in argument])
    if isinstance(argument, list):
        return [_packed(low, a) for a in argument]
    return argument


def _taken_apart(low: Lowering, value: Value, type: Type) -> list[Value]:
    if isinstance(type, TupleType | NamedTupleType):
        parts = low.b.tuple_unpack(value) if type.elements else ()
        return [
            leaf
            for part, element in zip(parts, type.elements, strict=True)
            for leaf in _taken_apart(low, part, element)
        ]
    return [] if type == NONE else [value]


def _add_methods(program: Program, function: ScriptFunction) -> str:
    """Copies the function's methods into the program, once; gives the name of its entry."""
    prefix = f"{function.__name__.strip('<>')}@{id(function):x}"  # type: ignore[attr-defined]
    numbers: dict[str, int] = program.__dict__.setdefault("_script_functions", {})
    number = numbers.setdefault(prefix, len(numbers))
    base = f"script{number}.{function.__name__.strip('<>')}"  # type: ignore[attr-defined]
    if base in program.methods:
        return base
    own = copy.deepcopy(function.program)
    names = {name: base if name == "forward" else f"{base}.{name}" for name in own.methods}
    for name, method in own.methods.items():
        method.name, method.exported = names[name], False
        program.methods[names[name]] = method
        for node in method.body.walk():
            if node.op == "prim::Call":
                node.attributes["method"] = names[str(node.attributes["method"])]
            elif node.op in ("prim::GetState", "prim::SetState"):
                used = str(node.attributes["name"])
                node.attributes["name"] = f"{base}.{used}"
    for name, state in own.state.items():
        state.name = f"{base}.{name}"
        program.state[state.name] = state
    return base
