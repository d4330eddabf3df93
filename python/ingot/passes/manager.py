"""The portable passes, in the order in which they run at export."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from ingot.errors import Error
from ingot.ir.diagnostics import fail
from ingot.ir.graph import Program
from ingot.ir.schema import Catalogue, catalogue
from ingot.ir.verifier import verify
from ingot.passes.common_subexpressions import common_subexpressions
from ingot.passes.constant_folding import constant_folding
from ingot.passes.context import CallOp, Context
from ingot.passes.dead_code import dead_code
from ingot.passes.freeze import freeze
from ingot.passes.inline import inline
from ingot.passes.peephole import peephole

Pass = Callable[[Program, Context], None]

PIPELINE: tuple[Pass, ...] = (
    inline,
    freeze,
    constant_folding,
    peephole,
    constant_folding,
    common_subexpressions,
    peephole,
    dead_code,
    freeze,
)
"""A pass's name is its function's; one that is listed twice runs twice."""


@dataclass
class PassReport:
    """What one pass did."""

    name: str
    changes: int
    seconds: float


def optimize(
    program: Program,
    *,
    disable: Collection[str] = (),
    stop_after: int | None = None,
    verify_each: bool = False,
    ops: Catalogue | None = None,
    call_op: CallOp | None = None,
) -> list[PassReport]:
    """Runs the pipeline on the program, in place, and verifies the result.

    ``disable`` names passes to leave out; ``stop_after`` ends after so many changes, to find
    the one that is wrong; ``verify_each`` verifies after every pass and names it in the error.
    """
    names = [each.__name__ for each in PIPELINE]
    for name in disable:
        if name not in names:
            fail(f"there is no pass {name!r}; there are {', '.join(dict.fromkeys(names))}")
    passes = [each for each in PIPELINE if each.__name__ not in disable]
    return run(passes, program, stop_after, verify_each, ops, call_op)


def run(
    passes: Collection[Pass],
    program: Program,
    stop_after: int | None = None,
    verify_each: bool = False,
    ops: Catalogue | None = None,
    call_op: CallOp | None = None,
) -> list[PassReport]:
    """Runs these passes in order, as ``optimize`` does the pipeline's."""
    ops = catalogue() if ops is None else ops
    if call_op is None:
        from ingot import _ingot

        call_op = _ingot.call_op
    reports: list[PassReport] = []
    left = stop_after
    for each in passes:
        context = Context(ops, call_op, left)
        start = time.perf_counter()
        each(program, context)
        seconds = time.perf_counter() - start
        reports.append(PassReport(each.__name__, context.changes, seconds))
        if left is not None:
            left -= context.changes
        if verify_each:
            _verify_after(each.__name__, program, ops)
    _verify_after("the last pass", program, ops)
    return reports


def _verify_after(name: str, program: Program, ops: Catalogue) -> None:
    try:
        verify(program, ops)
    except Error as error:
        raise Error(
            f"after {name}: {error.message}", error.code, error.location, error.hint
        ) from None
