"""``ingot.trace``: a PyTorch model, run on examples, as a module of Ingot."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ingot.capture.check import check_program
from ingot.capture.conversions import Usage, symbolic_conversions
from ingot.capture.examples import widened
from ingot.capture.export import Captured, DataDependent, export
from ingot.capture.generalise import generalise
from ingot.capture.lower import lower
from ingot.capture.progress import Progress
from ingot.capture.root import Root
from ingot.capture.shapes import Shapes, read_shapes
from ingot.capture.signature import Signature
from ingot.capture.sources import make_source, user_frames
from ingot.capture.untouched import untouched
from ingot.errors import Error
from ingot.ir.diagnostics import fail, stack
from ingot.ir.graph import Program
from ingot.ir.schema import Catalogue, catalogue
from ingot.module import Module
from ingot.passes.manager import optimize

Dynamic = bool | Mapping[str, "bool | Collection[int]"] | Sequence["bool | Collection[int]"]

_GENERALISE_SECONDS = 20.0
"""Of processor time, how long a capture may run beside eager at other sizes; conditions left
after that stay."""


def trace(
    model: Callable[..., Any],
    example_inputs: Any = (),
    example_kwargs: Mapping[str, Any] | None = None,
    *,
    dynamic: Dynamic = True,
    check: bool = True,
) -> Module:
    """Captures what ``model(*example_inputs, **example_kwargs)`` does.

    ``model`` is an ``nn.Module``, in the mode it is in, or a function; it is left as it was.
    ``example_inputs`` is a tuple of arguments, or one tensor. Arguments and results may be
    tensors, numbers, bools, strings, None and nested tuples, lists, dicts, NamedTuples and
    dataclasses of these.

    ``dynamic``: True leaves every size free that the model leaves free; False fixes all; a
    mapping from input names (or a sequence in their order) to the dimensions that are free,
    such as ``{"x": [0], "n": True}``, fixes the others. Whatever the capture assumed is
    checked at every run, which raises GuardError with the Python line where it fails.

    ``check`` runs the program beside the model on the examples and on inputs of other sizes.

    Raises Error: the model fails on the examples, uses something that cannot be captured,
    uses ops that Ingot lacks (all are listed), or the program answers differently.
    """
    if isinstance(example_inputs, torch.Tensor):
        example_inputs = (example_inputs,)
    if not isinstance(example_inputs, tuple | list):
        fail(
            f"example_inputs is a {type(example_inputs).__name__}",
            hint="pass a tuple with one value for each positional argument, or a single tensor",
        )
    if not callable(model):
        fail(f"ingot.trace takes an nn.Module or a function, not a {type(model).__name__}")
    with Progress("tracing") as progress:
        signature = Signature(model, example_inputs, example_kwargs or {})
        capture = _capture(model, signature, dynamic, progress)
        try:
            return _module(capture, signature, check, progress)
        except Error:
            if not capture.converted:
                raise
        capture = _capture(model, signature, dynamic, progress, convert=False)
        return _module(capture, signature, check, progress)


def _module(capture: _Capture, signature: Signature, check: bool, progress: Progress) -> Module:
    progress.step("compiling")
    program = _program(capture, signature, catalogue())
    module = Module.from_program(program)
    if check:
        progress.step("checking")
        check_program(module, capture.captured, signature, capture.shapes)
    return module


@dataclass
class _Capture:
    """``converted``: numbers that the model's code converts stayed symbolic."""

    captured: Captured
    shapes: Shapes
    converted: bool


@dataclass
class _Attempt:
    """Leaves to trace with, their free dimensions, and whether floats are free."""

    leaves: list[Any]
    free: list[Any]
    floats: bool


def _program(capture: _Capture, signature: Signature, ops: Catalogue) -> Program:
    program = lower(capture.captured, signature, capture.shapes, ops)
    optimize(program)
    return program


def _capture(
    model: Callable[..., Any],
    signature: Signature,
    dynamic: Dynamic,
    progress: Progress,
    convert: bool = True,
) -> _Capture:
    wrapped: set[int] = set()

    def rebuild(leaves: list[Any]) -> tuple[list[Any], dict[str, Any]]:
        plain = [
            leaf.item() if i in wrapped and isinstance(leaf, torch.Tensor) else leaf
            for i, leaf in enumerate(leaves)
        ]
        for i, example in enumerate(signature.leaves):
            if isinstance(example, complex):  # a constant that torch.export does not carry
                plain[i] = example
        return signature.rebuild(plain)

    root = Root(model, rebuild)
    _refuse_torchscript(root)
    _run_once(root, signature)
    free = _free(signature, dynamic)
    problem: Exception | None = None
    real = False
    for attempt in _attempts(signature, free):
        wrapped.clear()
        if attempt.floats:
            wrapped |= {i for i, v in enumerate(signature.leaves) if isinstance(v, float)}
        for converting in (True, False) if convert else (False,):
            plain = contextlib.nullcontext(Usage())
            try:
                with symbolic_conversions(root) if converting else plain as usage:
                    captured, real = _export(root, attempt, wrapped, real)
            except Error:
                if not usage.symbolic:
                    raise
            except Exception as error:  # whatever the exporter or the model made of this attempt
                problem = error
                usage.symbolic |= isinstance(error, TypeError)
            else:
                progress.step("trying other sizes")
                shapes = read_shapes(captured)
                seconds = _GENERALISE_SECONDS
                if generalise(captured, shapes, signature.leaves, seconds):
                    return _Capture(captured, shapes, usage.symbolic)
                continue
            if not usage.symbolic:
                break
    if problem is not None:
        _fail_capture(problem)
    fail(
        "the captured graph answers differently from the model on the example inputs",
        hint="the model's Python code depends on something that a trace cannot see, such as the "
        "text of a size, randomness or state outside the module; move it out of forward",
        code="unsupported",
    )


def _export(root: Root, attempt: _Attempt, wrapped: set[int], real: bool) -> tuple[Captured, bool]:
    """The capture, and whether it needed the values of tensors."""
    if not real:
        try:
            with untouched(root):
                return export(root, attempt.leaves, attempt.free, wrapped, False), False
        except DataDependent:
            pass
    with untouched(root):
        return export(root, attempt.leaves, attempt.free, wrapped, True), True


def _refuse_torchscript(root: Root) -> None:
    for name, module in root.named_modules():
        if isinstance(module, torch.jit.ScriptModule):
            place = name.removeprefix(root.prefix)
            where = "is" if place == name else f"holds, as {place!r},"
            fail(
                f"the model {where} a module of torch.jit, which hides its Python code",
                hint="use the nn.Module that it was made of; ingot.script compiles such modules",
                code="unsupported",
            )


def _run_once(root: Root, signature: Signature) -> None:
    """Raises Error with the user's line if the model does not run on the examples."""
    try:
        try:
            with untouched(root, first=True):
                root.eager(signature.leaves)
        except RuntimeError:
            if not root.differentiates():
                raise
            with untouched(root, first=True):  # with gradients
                root.eager(signature.leaves)
    except Error:
        raise
    except Exception as error:
        raise Error(
            f"the model fails on the example inputs: {type(error).__name__}: {error}",
            location=_location(error),
        ) from error


def _attempts(signature: Signature, free: list[Any]) -> Iterator[_Attempt]:
    """From the most general capture to the one that fixes every size."""
    leaves = signature.leaves
    has_floats = any(isinstance(leaf, float) for leaf in leaves)
    ones = [
        {d for d in f if leaf.shape[d] != 1} if isinstance(leaf, torch.Tensor) else f
        for leaf, f in zip(leaves, free, strict=True)
    ]
    fixed: list[Any] = [set() if isinstance(leaf, torch.Tensor) else False for leaf in leaves]
    for floats in (True, False) if has_floats and any(f is True for f in free) else (False,):
        for dims in ("all", "first"):
            larger = widened(leaves, free, dims)
            if larger is not None:
                yield _Attempt(larger, free, floats)
        yield _Attempt(leaves, free, floats)
    if ones != free:
        yield _Attempt(leaves, ones, False)
    if fixed != free:
        yield _Attempt(leaves, fixed, False)


def _free(signature: Signature, dynamic: Dynamic) -> list[Any]:
    """For every leaf its free dimensions; for a number whether it is free."""
    names = [p.name for p in signature.parameters]
    if isinstance(dynamic, bool):
        chosen: Mapping[str, Any] = dict.fromkeys(names, dynamic)
    elif isinstance(dynamic, Mapping):
        chosen = dynamic
    else:
        chosen = dict(zip(names, dynamic, strict=False))
    unknown = [name for name in chosen if name not in names]
    if unknown:
        fail(f"dynamic names {unknown[0]!r}; the inputs are: {', '.join(names)}")
    free: list[Any] = []
    for parameter in signature.parameters:
        wanted = chosen.get(parameter.name, False)
        for leaf in signature.leaves[parameter.first :][: parameter.tree.leaves()]:
            if isinstance(leaf, torch.Tensor):
                free.append(_dims(parameter.name, leaf.dim(), wanted))
            else:
                free.append(bool(wanted))
    return free


def _dims(name: str, rank: int, wanted: Any) -> set[int]:
    if isinstance(wanted, bool):
        return set(range(rank)) if wanted else set()
    dims = set()
    for dim in wanted:
        if not isinstance(dim, int) or not -rank <= dim < rank:
            fail(f"dynamic has dimension {dim!r} for input {name}, which has {rank} dimensions")
        dims.add(dim % rank)
    return dims


def _fail_capture(error: Exception) -> None:
    while error.__cause__ is not None and isinstance(error, DataDependent):
        error = error.__cause__  # type: ignore[assignment]
    lines = [line for line in str(error).splitlines() if line.strip()]
    sentence = lines[0] if lines else type(error).__name__
    raise Error(
        f"the model cannot be captured: {type(error).__name__}: {sentence}",
        "unsupported",
        _location(error),
        "move what cannot be captured out of the model, or into an @ingot.script function",
    ) from error


def _location(error: BaseException) -> str:
    return stack(make_source(user_frames(traceback.extract_tb(error.__traceback__))))
