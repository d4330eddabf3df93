"""Runs a traced program beside the model, on the examples and at other sizes."""

from __future__ import annotations

import contextlib
import copy
import time
from collections.abc import Iterator
from typing import Any

import torch

from ingot import _ingot
from ingot.capture import choices
from ingot.capture.compare import difference
from ingot.capture.examples import resized
from ingot.capture.export import Captured
from ingot.capture.generalise import Values, allowed, copied, eager_run
from ingot.capture.locate import first_difference
from ingot.capture.root import Root
from ingot.capture.shapes import Shapes
from ingot.capture.signature import Signature
from ingot.capture.structure import open_all
from ingot.capture.untouched import Limited, untouched
from ingot.errors import Error, GuardError
from ingot.module import Module

_SEED = 0

_ROUNDINGS = 10.0
"""How many times the tolerance of one op the roundings of a model may come to."""

_LONGEST = 60.0
"""Seconds of processor time that the model may take at sizes other than the example's."""

_ENOUGH = 4.0
"""Seconds of checking after which no further sizes are begun; one is always."""


def check_program(module: Module, captured: Captured, signature: Signature, shapes: Shapes) -> None:
    """Raises Error if the program's answer differs from the model's anywhere it was tried."""
    _check(module, captured, signature, signature.leaves, example=True)
    started = time.thread_time()
    for values in _other_sizes(shapes):
        leaves = resized(signature.leaves, shapes, values, seed=1)
        _check(module, captured, signature, leaves, example=False)
        if time.thread_time() - started > _ENOUGH:
            break


def _check(
    module: Module, captured: Captured, signature: Signature, leaves: list[Any], example: bool
) -> None:
    where = "on the example inputs" if example else f"with {_sizes(signature, leaves)}"
    with untouched(captured.root), Limited(_LONGEST):
        try:
            given = copied(leaves)
            torch.manual_seed(_SEED)
            expected, outline, settle = eager_run(captured, given)
            buffers = _buffers(module, captured.root)
        except Exception:  # the model itself does not run at these sizes
            return
    own_given = copied(leaves)
    args, kwargs = signature.rebuild(own_given)
    own = copy.deepcopy(module)
    try:
        with _seeded():
            found, own_outline = open_all(own(*args, **kwargs))
    except GuardError as error:
        if not example:
            return
        raise Error(
            f"a guard of the traced program fails {where}: {error.message}",
            "internal",
            error.location,
        ) from error
    except Error as error:
        raise Error(
            f"the traced program fails {where}, the model does not: {error.message}",
            error.code,
            error.location,
        ) from error
    state = own.state_dict("torch") if buffers else {}
    settled = settle([*found, *own_given])
    found, own_given = settled[: len(found)], settled[len(found) :]
    slack = 1.0
    clause = begins = lines = ""
    if own_outline != outline:
        clause = "the output has another structure"
    elif clause := difference(found, expected) or "":
        if _chosen(module, signature, leaves, found, expected):
            clause = ""
        else:
            args, kwargs = signature.rebuild(copied(leaves))
            begins, lines = first_difference(module.program, args, kwargs)
            if not begins and _rounds(module, signature, leaves, found, expected):
                clause, slack = "", _ROUNDINGS
    clause = (
        clause
        or difference(own_given, given, "the inputs afterwards", slack=slack)
        or difference({n: state[n] for n in buffers}, buffers, "the state afterwards", slack=slack)
        or ""
    )
    if clause:
        begins = begins and f"; it begins where {begins}"
        message = f"the traced program differs from the model {where}: {clause}{begins}"
        raise Error(message, "internal", lines)


@contextlib.contextmanager
def _seeded() -> Iterator[None]:
    """Programs draw in the block what PyTorch draws after ``manual_seed``; the generator then
    goes on as if nothing had been drawn."""
    state = _ingot.random_state()
    _ingot.manual_seed(_SEED)
    try:
        yield
    finally:
        _ingot.set_random_state(state)


def _gives(
    module: Module, signature: Signature, leaves: list[Any], result: Any, *, own: bool
) -> bool:
    """Whether PyTorch's ops make this result of the program; ``own``: with Ingot's choices."""
    args, kwargs = signature.rebuild(copied(leaves))
    try:
        again = open_all(choices.result(module.program, args, kwargs, own=own))[0]
    except Error:
        return False
    return difference(again, result) is None


def _chosen(
    module: Module, signature: Signature, leaves: list[Any], found: Any, expected: Any
) -> bool:
    """True if the results differ only by choices that ops leave open: PyTorch's ops give the
    model's result from this program, and the found one with Ingot's choices."""
    return (
        choices.has_choices(module.program)
        and _gives(module, signature, leaves, expected, own=False)
        and _gives(module, signature, leaves, found, own=True)
    )


def _rounds(
    module: Module, signature: Signature, leaves: list[Any], found: Any, expected: Any
) -> bool:
    """True if results are so near that, every op's being right, rounding explains them: of
    millions of a deep model's elements a few are sums of many roundings. PyTorch's ops give the
    model's result from this program."""
    near = difference(found, expected, slack=_ROUNDINGS) is None
    return near and _gives(module, signature, leaves, expected, own=False)


def _buffers(module: Module, root: Root) -> dict[str, torch.Tensor]:
    """What the run left in the buffers that the program updates."""
    named = dict(root.named_state())
    return {
        name: named[root.prefix + name].detach().clone()
        for name, entry in module.program.state.items()
        if entry.mutable and root.prefix + name in named
    }


def _sizes(signature: Signature, leaves: list[Any]) -> str:
    parts = [
        f"{path} of shape {list(leaf.shape)}"
        if isinstance(leaf, torch.Tensor)
        else f"{path}={leaf!r}"
        for path, leaf in zip(signature.paths, leaves, strict=True)
    ]
    return ", ".join(parts)


def _other_sizes(shapes: Shapes) -> Iterator[Values]:
    if not shapes.symbols:
        return
    tried = []
    for change in (lambda v: v + 1, lambda v: 1, lambda v: 2, lambda v: 2 * v + 1):
        values = {s: change(shapes.examples[s]) for s in shapes.symbols}
        if values not in tried and allowed(shapes, values, shapes.conditions):
            tried.append(values)
            yield values
