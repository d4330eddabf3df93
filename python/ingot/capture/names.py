"""Names for long expressions of sizes while torch.export runs.

The size after each strided convolution is a formula in the size before it, so the formulas of a
deep model grow from layer to layer, and the exporter's algebra with them. Here a formula that
would grow is given a symbol of its own, with the value and the range of what it stands for, and
the layers after it compute with the symbol. What the exporter then guards is written out again
in the inputs' sizes before anybody reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from torch.fx.experimental import proxy_tensor, symbolic_shapes
from torch.fx.experimental.sym_node import SymNode
from torch.fx.experimental.symbolic_shapes import ShapeEnv
from torch.utils._sympy.symbol import SymT, make_symbol

_FIRST = 10**6
"""Numbers of symbols from here on are names; the exporter's own are far smaller."""

_LONG = 30
"""Symbols and numbers in a polynomial that gets a name."""

_LONG_SUM, _LONG_CALL = 3, 4
"""The same for a sum with a division without rest or the like inside, and for such a function
itself. A product gets none, so that the exporter sees what two products share."""


class Names:
    """What the symbols of one export stand for."""

    def __init__(self) -> None:
        self._symbols: dict[sympy.Basic, sympy.Symbol] = {}
        self._formulas: dict[sympy.Basic, sympy.Basic] = {}
        self._written: dict[sympy.Basic, sympy.Basic] = {}

    def written(self, expr: sympy.Basic) -> sympy.Basic:
        """The expression in the inputs' sizes alone."""
        known = {s: self._written[s] for s in expr.free_symbols if s in self._written}
        return expr.xreplace(known) if known else expr

    def settle(self, env: ShapeEnv) -> None:
        """Bounds the inputs' sizes by what was found out about the names."""
        for guard in env.guards:
            expr = self.written(guard.expr)
            if expr is not guard.expr:
                for part in expr.args if isinstance(expr, sympy.And) else (expr,):
                    if isinstance(part, sympy.Rel) and not isinstance(part, sympy.Eq | sympy.Ne):
                        env._refine_ranges(part)

    def patches(self) -> list[tuple[Any, str, Callable[..., Any]]]:
        """What to replace in PyTorch while it exports: owner, attribute and hook."""
        init = SymNode.__init__
        replace = ShapeEnv._set_replacement
        build = proxy_tensor._build_proxy_for_sym_expr

        def named(
            node: SymNode, expr: Any, env: ShapeEnv | None, kind: type, *given: Any, **more: Any
        ) -> None:
            if kind is int and env is not None and isinstance(expr, sympy.Expr):
                name = self._symbols.get(expr)
                if name is None and _is_long(expr):
                    name = self._name(expr, env)
                if name is not None:
                    expr = name
                    more["optimized_summation"] = False
            init(node, expr, env, kind, *given, **more)

        def set_replacement(env: ShapeEnv, symbol: sympy.Symbol, by: Any, message: str) -> None:
            """An equality of a formula stays a condition, as it would without a name: graphs
            keep what they compute, and are right where the condition turns out not to matter."""
            if self._formulas.keys().isdisjoint({symbol, *by.free_symbols}):
                replace(env, symbol, by, message)

        def build_proxy(tracer: Any, expr: Any, out: Any = None) -> Any:
            if expr in self._formulas and expr not in tracer.sympy_expr_tracker:
                expr = self._formulas[expr]
            return build(tracer, expr, out)

        return [
            (SymNode, "__init__", named),
            (ShapeEnv, "_set_replacement", set_replacement),
            (proxy_tensor, "_build_proxy_for_sym_expr", build_proxy),
        ]

    def _name(self, expr: sympy.Expr, env: ShapeEnv) -> sympy.Symbol | None:
        value = expr.xreplace(env.backed_var_to_val)
        if not isinstance(value, sympy.Integer):
            return None
        span = env.bound_sympy(expr)
        positive = bool(expr.is_positive) or span.lower >= 1
        sign = {"nonnegative": True} if expr.is_nonnegative or span.lower >= 0 else {}
        symbol = make_symbol(
            SymT.SIZE,
            _FIRST + len(self._symbols),
            integer=True,
            **{"positive": True} if positive else sign,
        )
        self._symbols[expr] = symbol
        self._formulas[symbol] = expr
        self._written[symbol] = self.written(expr)
        env.backed_var_to_val[symbol] = value
        env.var_to_range[symbol] = span
        place = env._get_sloc()
        env.var_to_range_sloc[symbol] = symbolic_shapes.ValueRangesSLoc(place, place)
        return symbol


def _is_long(expr: sympy.Expr) -> bool:
    """Whether the formulas made of this one would grow."""
    if not expr.args or isinstance(expr, sympy.Mul | sympy.Pow):
        return False
    count, steps, open_ = 0, False, [expr]
    while open_ and count < _LONG:
        part = open_.pop()
        if part.args:
            steps = steps or not isinstance(part, sympy.Add | sympy.Mul | sympy.Pow)
            open_ += part.args
        else:
            count += 1
    if not steps:
        return count >= _LONG
    return count >= (_LONG_SUM if isinstance(expr, sympy.Add) else _LONG_CALL)


def unsolved(fake_mode: Any, **_: Any) -> None:
    """Stands for the exporter's report on sizes that its user wanted free."""
    fake_mode.shape_env.frozen = True
