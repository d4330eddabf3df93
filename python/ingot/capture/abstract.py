"""What a program's method gives for inputs whose sizes are known and values are not.

Both branches of an If are run where its condition is unknown, and a Loop until its sizes stay
the same; what they disagree about becomes a fresh size or an unknown number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.fx.experimental.symbolic_shapes import (
    ShapeEnv,
    _static_eval_sym_bool,
    statically_known_true,
)

from ingot.capture.scalars import PYTHON_NAMES
from ingot.errors import Error
from ingot.ir.diagnostics import fail, stack
from ingot.ir.graph import Block, Node, Program, Value
from ingot.ir.interpret_torch import Environment, ProgramModule, Step, StepCompiler
from ingot.ir.types import BOOL, FLOAT, INT, ListType, Type, erase_facts

_MOST_TURNS = 64
"""A loop of a known number of turns, up to this many, is run turn by turn."""


class Unknown:
    """A float or bool that depends on values."""

    def __init__(self, type: Type) -> None:
        self.type = type


class Raises(Exception):
    """The code before this point always raises."""


def run_abstractly(program: Program, env: ShapeEnv, inputs: list[Any]) -> Any:
    """The output of ``forward`` for fake tensors and numbers. Sizes that depend on values are
    new symbols of ``env``. Raises Error where the rank or dtype of a result is not settled.
    """
    module = ProgramModule(program)
    compiler = _Abstract(module, env)
    module._compiled = {
        name: compiler.steps(method.body) for name, method in program.methods.items()
    }
    return module._run("forward", inputs)


class _Abstract(StepCompiler):
    def __init__(self, module: ProgramModule, env: ShapeEnv) -> None:
        super().__init__(module)
        self.env = env

    def step(self, node: Node) -> Step:
        if node.op == "prim::RaiseException":
            return _raises
        if node.op == "prim::Guard":
            return lambda environment: None
        schema = self.ops.find(node.op)
        if schema is not None and schema.returns:
            result = schema.returns[0].type
            arguments = [erase_facts(v.type) for v in node.inputs]
            plain = all(t in (INT, FLOAT, BOOL) for t in arguments)
            if plain and result in (INT, FLOAT, BOOL):
                return self.number(node, _FUNCTIONS.get(schema.base), result)
            if node.op in _READS:
                return self.number(node, None, result)
        return super().step(node)

    def number(self, node: Node, function: Callable[..., Any] | None, type: Type) -> Step:
        """A number of numbers: Python's operator if all are known, else an unknown one."""
        (output,) = node.outputs

        def run(environment: Environment) -> None:
            given = [environment[v] for v in node.inputs]
            known = function is not None and not any(isinstance(v, Unknown) for v in given)
            environment[output] = function(*given) if known else self.fresh(type)  # type: ignore[misc]

        return run

    def fresh(self, type: Type) -> Any:
        if type == INT:
            return self.env.create_unbacked_symint()
        return Unknown(type)

    def simple(self, node: Node, function: Callable[..., Any]) -> Step:
        def known(*args: Any) -> Any:
            return function(*(_stand_in(a, node) for a in args))

        constructs = node.op.startswith("prim::") and "Construct" in node.op
        return super().simple(node, function if constructs or node.op == "prim::Call" else known)

    def branch(self, node: Node) -> Step:
        (condition,) = node.inputs
        blocks = [(self.steps(block), block.outputs) for block in node.blocks]

        def run(environment: Environment) -> None:
            known = _truth(environment[condition])
            results = []
            for steps, outputs in blocks if known is None else [blocks[0 if known else 1]]:
                if known is None:
                    _refuse_list_changes(node)
                try:
                    for step in steps:
                        step(environment)
                except Raises:
                    continue
                results.append([environment[v] for v in outputs])
            if not results:
                raise Raises
            values = results[0]
            for other in results[1:]:
                values = [self.join(a, b, node) for a, b in zip(values, other, strict=True)]
            environment.update(zip(node.outputs, values, strict=True))

        return run

    def loop(self, node: Node) -> Step:
        exact = super().loop(node)
        (body,) = node.blocks
        steps = self.steps(body)
        limit, _, *initial = node.inputs
        counter, *carried = body.inputs

        def run(environment: Environment) -> None:
            turns = environment[limit]
            if isinstance(turns, int) and turns <= _MOST_TURNS and _always(body, body.outputs[0]):
                exact(environment)
                return
            _refuse_list_changes(node)
            values = [environment[v] for v in initial]
            for _ in range(3):
                environment[counter] = self.fresh(INT)
                environment.update(zip(carried, values, strict=True))
                try:
                    for step in steps:
                        step(environment)
                except Raises:
                    break
                after = [environment[v] for v in body.outputs[1:]]
                joined = [self.join(a, b, node) for a, b in zip(values, after, strict=True)]
                if all(a is b for a, b in zip(joined, values, strict=True)):
                    break
                values = joined
            environment.update(zip(node.outputs, values, strict=True))

        return run

    def join(self, one: Any, two: Any, node: Node) -> Any:
        """What holds for both; ``one`` itself where ``two`` is like it."""
        if isinstance(one, torch.Tensor) and isinstance(two, torch.Tensor):
            return self.join_tensors(one, two, node)
        if isinstance(one, list | tuple) and type(one) is type(two) and len(one) == len(two):
            joined = [self.join(a, b, node) for a, b in zip(one, two, strict=True)]
            if all(a is b for a, b in zip(joined, one, strict=True)):
                return one
            return type(one)(*joined) if hasattr(one, "_fields") else type(one)(joined)
        if one is two or (isinstance(one, Unknown) and isinstance(two, Unknown)):
            return one
        for type_, kinds in _NUMBERS:
            if all(isinstance(v, kinds) or _is_unknown(v, type_) for v in (one, two)):
                if _is_unknown(one, type_):
                    return one
                if type_ == INT and _is_fresh(one):
                    return one
                same = not isinstance(two, Unknown) and statically_known_true(one == two)
                return one if same else self.fresh(type_)
        if (one is None and two is None) or (isinstance(one, str) and one == two):
            return one
        fail(
            f"a value is {_kind(one)} on one way through an @ingot.script function and "
            f"{_kind(two)} on another, which a trace around it cannot follow",
            source=node.source,
            hint="make both ways give tensors of the same rank and dtype",
            code="unsupported",
        )

    def join_tensors(self, one: torch.Tensor, two: torch.Tensor, node: Node) -> torch.Tensor:
        if one.dtype != two.dtype or one.dim() != two.dim():
            fail(
                f"a tensor is {one.dtype} of rank {one.dim()} on one way through an "
                f"@ingot.script function and {two.dtype} of rank {two.dim()} on another",
                source=node.source,
                hint="make both ways give the same rank and dtype",
                code="unsupported",
            )
        sizes = [
            a if _is_fresh(a) or statically_known_true(a == b) else self.fresh(INT)
            for a, b in zip(one.shape, two.shape, strict=True)
        ]
        if all(a is b for a, b in zip(sizes, one.shape, strict=True)):
            return one
        return one.new_empty(sizes)


def _raises(environment: Environment) -> None:
    raise Raises


def _truth(condition: Any) -> bool | None:
    if isinstance(condition, torch.SymBool):
        return _static_eval_sym_bool(condition)
    return condition if isinstance(condition, bool) else None


def _is_unknown(value: Any, type: Type) -> bool:
    return isinstance(value, Unknown) and value.type == type


def _is_fresh(size: Any) -> bool:
    """Whether a size is just a symbol without a value, which already stands for any."""
    if not isinstance(size, torch.SymInt):
        return False
    expr = size.node.expr
    return bool(expr.is_symbol) and expr not in size.node.shape_env.backed_var_to_val


def _stand_in(value: Any, node: Node) -> Any:
    """An unknown number that is no size as some number, for the rules of sizes."""
    if isinstance(value, list | tuple) and any(isinstance(v, Unknown) for v in value):
        return [_stand_in(v, node) for v in value]
    if not isinstance(value, Unknown):
        return value
    if value.type == FLOAT:
        return 1.0
    raise Error(
        f"{node.op} depends on a bool that is read from a tensor, which a trace around this "
        "@ingot.script function cannot follow",
        "unsupported",
        stack(node.source),
    )


def _refuse_list_changes(node: Node) -> None:
    for block in node.blocks:
        for inner in block.walk():
            changes = inner.op.startswith(_LIST_CHANGES) and inner.inputs
            if changes and isinstance(inner.inputs[0].type, ListType):
                fail(
                    "a list grows or changes under a condition or in a loop whose end is not "
                    "known, which a trace around this @ingot.script function cannot follow",
                    source=inner.source,
                    hint="return tensors of which the function makes one with cat or stack",
                    code="unsupported",
                )


_LIST_CHANGES = ("aten::append", "aten::extend", "aten::insert", "aten::pop", "aten::_set_item",
                 "aten::clear", "aten::remove", "aten::reverse", "aten::sort.")  # fmt: skip


def _always(body: Block, value: Value) -> bool:
    """Whether a value of the block is the constant True."""
    return any(
        node.op == "prim::Constant" and value in node.outputs and node.attributes["value"] is True
        for node in body.nodes
    )


def _kind(value: Any) -> str:
    if isinstance(value, Unknown):
        return str(value.type)
    return "a tensor" if isinstance(value, torch.Tensor) else type(value).__name__


_NUMBERS: tuple[tuple[Type, tuple[type, ...]], ...] = (
    (BOOL, (bool, torch.SymBool)),
    (INT, (int, torch.SymInt)),
    (FLOAT, (float, torch.SymFloat)),
)

_READS = {
    "aten::Bool.Tensor",
    "aten::Float.Tensor",
    "aten::Int.Tensor",
    "aten::FloatImplicit",
    "aten::IntImplicit",
    "aten::is_nonzero",
    "aten::equal",
    "aten::allclose",
}
"""Ops that read a tensor's values."""

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    f"aten::{name}": function
    for function, name in PYTHON_NAMES.items()
    if name in ("add", "sub", "mul", "floordiv", "neg", "eq", "ne", "lt", "le", "gt", "ge")
}
_FUNCTIONS |= {
    "aten::remainder": lambda a, b: a % b,
    "aten::div": lambda a, b: a / b,
    "aten::Float": torch.sym_float,
    "aten::Int": lambda a: (
        torch.sym_int(a)
        if isinstance(a, torch.SymFloat)
        else int(a)
        if isinstance(a, float | bool)
        else a
    ),
    "aten::__not__": torch.sym_not,
    "prim::min": torch.sym_min,
    "prim::max": torch.sym_max,
}
