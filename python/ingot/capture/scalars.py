"""Python arithmetic on numbers as ops of the catalogue, chosen by the operands' types.

The exported graph writes it with Python's operators, the conditions on sizes with sympy
classes; both are looked up here by one set of names.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import sympy
import torch
from sympy.logic import boolalg
from torch.utils._sympy import functions as torch_sympy

from ingot.ir.builder import Builder
from ingot.ir.diagnostics import fail
from ingot.ir.graph import Value
from ingot.ir.match import Operand, operand_type
from ingot.ir.types import BOOL, FLOAT, INT, Type, erase_facts

PYTHON_NAMES: dict[Any, str] = {
    operator.add: "add",
    operator.sub: "sub",
    operator.mul: "mul",
    operator.truediv: "truediv",
    operator.floordiv: "floordiv",
    operator.mod: "mod",
    operator.pow: "pow",
    operator.neg: "neg",
    operator.abs: "abs",
    operator.eq: "eq",
    operator.ne: "ne",
    operator.lt: "lt",
    operator.le: "le",
    operator.gt: "gt",
    operator.ge: "ge",
    operator.and_: "and",
    operator.or_: "or",
    operator.not_: "not",
    abs: "abs",
    round: "round",
    min: "min",
    max: "max",
    math.ceil: "ceil",
    math.floor: "floor",
    math.trunc: "trunc",
    torch.sym_float: "float",
    torch.sym_int: "int",
    torch.sym_max: "max",
    torch.sym_min: "min",
    torch.sym_not: "not",
    torch.sym_ite: "ite",
    torch.sym_sum: "sum",
}
OF_FLOAT = ("sqrt", "cos", "cosh", "sin", "sinh", "tan", "tanh", "asin", "acos", "atan")
"""Functions of math that PyTorch knows on symbolic numbers and the catalogue on floats."""

PYTHON_NAMES |= {getattr(torch, f"_sym_{name}"): name for name in OF_FLOAT}

SYMPY_NAMES: dict[Any, str] = {
    sympy.Add: "add",
    sympy.Mul: "mul",
    sympy.Eq: "eq",
    sympy.Ne: "ne",
    sympy.StrictLessThan: "lt",
    sympy.LessThan: "le",
    sympy.StrictGreaterThan: "gt",
    sympy.GreaterThan: "ge",
    boolalg.And: "and",
    boolalg.Or: "or",
    boolalg.Not: "not",
    sympy.Min: "min",
    sympy.Max: "max",
    sympy.Abs: "abs",
    sympy.Mod: "mod",
    sympy.floor: "floor",
    sympy.ceiling: "ceil",
    torch_sympy.Min: "min",
    torch_sympy.Max: "max",
    torch_sympy.FloorDiv: "floordiv",
    torch_sympy.CleanDiv: "floordiv",
    torch_sympy.CeilDiv: "ceildiv",
    torch_sympy.Mod: "mod",
    torch_sympy.PythonMod: "mod",
    torch_sympy.PowByNatural: "pow",
    torch_sympy.FloatPow: "pow",
    torch_sympy.IntTrueDiv: "truediv",
    torch_sympy.FloatTrueDiv: "truediv",
    torch_sympy.ToFloat: "float",
    torch_sympy.TruncToInt: "int",
    torch_sympy.FloorToInt: "floor",
    torch_sympy.CeilToInt: "ceil",
    torch_sympy.RoundToInt: "round",
    torch_sympy.ModularIndexing: "modular",
    torch_sympy.Where: "ite",
}
SYMPY_NAMES |= {getattr(torch_sympy, f"OpaqueUnaryFn_{name}"): name for name in OF_FLOAT}

_ARITHMETIC = {"add", "sub", "mul"}
_COMPARISONS = {"eq", "ne", "lt", "le", "gt", "ge"}


class Scalars:
    """Appends scalar ops to a builder."""

    def __init__(self, builder: Builder) -> None:
        self.b = builder

    def apply(self, name: str, *operands: Operand) -> Value:
        """The result of the operation called ``name`` in the tables above."""
        special: Callable[..., Value] | None = getattr(self, f"_{name}", None)
        if special is not None:
            return special(*operands)
        if name in OF_FLOAT:
            return self._op(f"aten::{name}.float", self.as_float(operands[0]))
        if len(operands) > 2:
            return self.apply(name, self.apply(name, *operands[:-1]), operands[-1])
        kind = self._common(operands)
        if name in _ARITHMETIC or name in _COMPARISONS:
            if kind == BOOL and name not in ("eq", "ne"):
                kind = INT
            return self._op(f"aten::{name}.{kind}", *(self.to(v, kind) for v in operands))
        if name in ("min", "max"):
            kind = INT if kind == BOOL else kind
            return self._op(f"prim::{name}.{kind}", *(self.to(v, kind) for v in operands))
        if name in ("and", "or"):
            return self._op(f"aten::__{name}__.{kind}", *(self.to(v, kind) for v in operands))
        fail(f"Ingot has no arithmetic {name!r} on numbers", code="unsupported")

    def to(self, operand: Operand, kind: Type) -> Operand:
        """The operand as a number of type ``kind``; only widening conversions."""
        type = _type(operand)
        if type == kind:
            return operand
        if not isinstance(operand, Value):
            return float(operand) if kind == FLOAT else int(operand)  # type: ignore[arg-type]
        if kind == FLOAT:
            return self._op("aten::Float.bool" if type == BOOL else "aten::Float.int", operand)
        return self._op("aten::Int.bool", operand)

    def as_float(self, operand: Operand) -> Operand:
        return self.to(operand, FLOAT)

    def _op(self, name: str, *operands: Operand) -> Value:
        value = self.b.op(name, *operands)
        assert isinstance(value, Value)
        return value

    def _common(self, operands: tuple[Operand, ...]) -> Type:
        types = {_type(v) for v in operands}
        return FLOAT if FLOAT in types else INT if INT in types else BOOL

    def _truediv(self, x: Operand, y: Operand) -> Value:
        if self._common((x, y)) != FLOAT:
            return self._op("aten::div.int", self.to(x, INT), self.to(y, INT))
        return self._op("aten::div.float", self.as_float(x), self.as_float(y))

    def _floordiv(self, x: Operand, y: Operand) -> Value:
        kind = FLOAT if self._common((x, y)) == FLOAT else INT
        return self._op(f"aten::floordiv.{kind}", self.to(x, kind), self.to(y, kind))

    def _ceildiv(self, x: Operand, y: Operand) -> Value:
        return self.apply("neg", self._floordiv(self.apply("neg", x), y))

    def _modular(self, x: Operand, divisor: Operand, modulus: Operand) -> Value:
        return self._mod(self._floordiv(x, divisor), modulus)

    def _mod(self, x: Operand, y: Operand) -> Value:
        kind = FLOAT if self._common((x, y)) == FLOAT else INT
        return self._op(f"aten::remainder.{kind}", self.to(x, kind), self.to(y, kind))

    def _pow(self, x: Operand, y: Operand) -> Value:
        if self._common((x, y)) == FLOAT:
            return self._op("aten::pow.float", self.as_float(x), self.as_float(y))
        return self._op("aten::pow.int_to_int", self.to(x, INT), self.to(y, INT))

    def _neg(self, x: Operand) -> Value:
        kind = FLOAT if _type(x) == FLOAT else INT
        return self._op(f"aten::neg.{kind}", self.to(x, kind))

    def _abs(self, x: Operand) -> Value:
        kind = FLOAT if _type(x) == FLOAT else INT
        return self._op(f"prim::abs.{kind}", self.to(x, kind))

    def _not(self, x: Operand) -> Value:
        return self._op("aten::__not__", x)

    def _float(self, x: Operand) -> Value:
        return self.b.value(self.as_float(x))

    def _int(self, x: Operand) -> Value:
        if _type(x) == FLOAT:
            return self._op("aten::Int.float", x)
        return self.b.value(self.to(x, INT))

    _trunc = _int

    def _ceil(self, x: Operand) -> Value:
        return self._op("aten::ceil.float", x) if _type(x) == FLOAT else self._int(x)

    def _floor(self, x: Operand) -> Value:
        return self._op("aten::floor.float", x) if _type(x) == FLOAT else self._int(x)

    def _round(self, x: Operand, digits: Operand = None) -> Value:
        if digits is not None:
            return self._op("prim::round_digits", self.as_float(x), digits)
        if _type(x) != FLOAT:
            return self._int(x)
        return self._op("aten::Int.float", self._op("aten::round.float", x))

    def _sum(self, terms: list[Operand]) -> Value:
        return self.apply("add", *terms) if len(terms) > 1 else self.b.value(terms[0])

    def _ite(self, condition: Operand, then: Operand, otherwise: Operand) -> Value:
        kind = self._common((then, otherwise))
        node = self.b.if_(condition)
        with self.b.at(node.blocks[0]):
            first = self.b.value(self.to(then, kind))
        with self.b.at(node.blocks[1]):
            second = self.b.value(self.to(otherwise, kind))
        return self.b.join(node, first, second)


def _type(operand: Operand) -> Type:
    return erase_facts(operand.type if isinstance(operand, Value) else operand_type(operand))
