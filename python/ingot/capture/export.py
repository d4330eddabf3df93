"""Drives torch.export: one attempt at an ATen graph, with everything it assumed."""

from __future__ import annotations

import contextlib
import io
import logging
import sys
import traceback
import types
import warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, cast
from unittest import mock

import sympy
import torch
import torch._functorch.config
import torch.export._trace
import torch.fx.experimental._config as fx_config
import torch.onnx.operators
from torch._export.passes import lift_constants_pass
from torch._export.verifier import Verifier
from torch._functorch import apis, eager_transforms
from torch._functorch.vmap import vmap_impl
from torch._guards import SLoc
from torch._subclasses import meta_utils
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    FakeTensor,
    FakeTensorMode,
)
from torch.export import Dim, ExportedProgram
from torch.fx.experimental import symbolic_shapes
from torch.fx.experimental.symbolic_shapes import (
    GuardOnDataDependentSymNode,
    ShapeEnv,
)
from torch.fx.proxy import TracerBase
from torch.nn.utils._named_member_accessor import NamedMemberAccessor
from torch.utils._traceback import CapturedTraceback

from ingot.capture import arrays
from ingot.capture.kept import applied, attention_of_sizes
from ingot.capture.names import Names, unsolved
from ingot.capture.packed import expected_hidden_size
from ingot.capture.root import Root
from ingot.capture.size_rules import size_rules
from ingot.capture.sources import asked_by_torch, make_source, raised_by_torch, user_frames
from ingot.capture.structure import Tree
from ingot.capture.transforms import in_plain_ops
from ingot.capture.undefined import reads_undefined
from ingot.ir.graph import Source


@dataclass
class Condition:
    """What the capture took for granted: ``expr`` over sizes is true.

    ``internal``: PyTorch's own bookkeeping asked (memory layout, a choice between equal
    algorithms), so the graph may well be right where the condition is not.
    """

    expr: sympy.Basic
    source: Source | None
    internal: bool


@dataclass
class Record:
    """What hooks saw during one attempt."""

    assumptions: dict[sympy.Basic, Condition] = field(default_factory=dict)
    asserts: dict[str, tuple[Source | None, bool]] = field(default_factory=dict)
    names: Names = field(default_factory=Names)


@dataclass
class Captured:
    """An exported graph.

    ``tree`` is the structure of its output; ``leaves`` are the flat inputs it was traced with;
    ``wrapped`` are the numbers of float inputs, which the graph takes as 0-d f64 tensors;
    ``specialised`` says which line fixed a symbol; ``undefined``: results may depend on memory that
    nobody wrote.
    """

    exported: ExportedProgram
    root: Root
    tree: Tree
    leaves: list[Any]
    wrapped: frozenset[int]
    env: ShapeEnv | None
    guards: list[Condition]
    record: Record
    specialised: dict[sympy.Symbol, Source | None]
    undefined: bool

    def as_tensors(self, leaves: list[Any]) -> list[Any]:
        """The leaves as the graph takes them."""
        return _wrap(leaves, self.wrapped)


class DataDependent(Exception):
    """The model's Python read a value that plain export does not know."""


class _Located(SLoc):
    """Where a guard was made, with the user's stack."""

    source: Source | None
    internal: bool


def export(
    root: Root, leaves: list[Any], free: list[Any], wrapped: set[int], real: bool
) -> Captured:
    """Exports ``root`` called with ``leaves``.

    ``free`` has for every leaf the set of its free dimensions (an int leaf: a bool). ``real``
    runs the model on the values too, and records the value that each decision read as an
    assertion; without it such a decision raises DataDependent.
    """
    given = _wrap(leaves, wrapped)
    dynamic = tuple(_dynamic(leaf, f) for leaf, f in zip(given, free, strict=True))
    shapes = {"leaves": dynamic} if given else None
    record = Record()
    try:
        with _hooks(record, real), torch.no_grad():
            exported = torch.export.export(root, tuple(given), dynamic_shapes=shapes, strict=False)
    except (GuardOnDataDependentSymNode, DataDependentOutputException) as error:
        raise DataDependent(str(error)) from error
    env = _shape_env(exported)
    guards: list[Condition] = []
    specialised: dict[sympy.Symbol, Source | None] = {}
    for guard in env.guards if env is not None else ():
        source, internal = _place(guard.sloc)
        guards.append(Condition(record.names.written(guard.expr), source, internal))
    for condition in record.assumptions.values():
        condition.expr = record.names.written(condition.expr)
    if env is not None:
        record.names.settle(env)
        for symbol, place in env.replacements_slocs.items():
            specialised[symbol] = _place(place)[0]
    return Captured(
        exported,
        root,
        root.__dict__["seen"].tree,
        leaves,
        frozenset(wrapped),
        env,
        guards,
        record,
        specialised,
        reads_undefined(exported.graph),
    )


def _wrap(leaves: list[Any], wrapped: Collection[int]) -> list[Any]:
    return [
        torch.tensor(leaf, dtype=torch.float64)
        if i in wrapped
        else None
        if isinstance(leaf, complex)
        else leaf
        for i, leaf in enumerate(leaves)
    ]


def _dynamic(leaf: Any, free: Any) -> Any:
    if isinstance(leaf, torch.Tensor):
        return {dim: Dim.AUTO if dim in free else Dim.STATIC for dim in range(leaf.dim())}
    if isinstance(leaf, int) and not isinstance(leaf, bool):
        return Dim.AUTO if free else Dim.STATIC
    return None


def _place(sloc: SLoc) -> tuple[Source | None, bool]:
    if isinstance(sloc, _Located):
        return sloc.source, sloc.internal
    return None, True


def _shape_env(exported: ExportedProgram) -> ShapeEnv | None:
    for node in exported.graph.nodes:
        value = node.meta.get("val")
        if isinstance(value, FakeTensor):
            return value.fake_mode.shape_env
    return None


_NOISY = (
    "torch.export",
    "torch._export",
    "torch.fx.experimental.symbolic_shapes",
    "torch.fx.experimental.recording",
)
"""Loggers that report what ends up as a guard or an error here."""


@contextlib.contextmanager
def _hooks(record: Record, real: bool) -> Iterator[None]:
    """Settings and hooks for one export; all are undone on the way out."""
    fast_path = torch.backends.mha.get_fastpath_enabled()
    loggers = [logging.getLogger(name) for name in _NOISY]
    levels = [logger.level for logger in loggers]
    with contextlib.ExitStack() as stack:
        stack.enter_context(cast(Any, fx_config).patch(backed_size_oblivious=True))
        stack.enter_context(torch._functorch.config.patch(fake_tensor_propagate_real_tensors=real))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        stack.enter_context(size_rules())
        for owner, name, hook in [
            *record.names.patches(),
            *arrays.patches(),
            *_patches(record),
        ]:
            stack.enter_context(mock.patch.object(owner, name, hook, create=True))
        torch.backends.mha.set_fastpath_enabled(False)
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            torch.backends.mha.set_fastpath_enabled(fast_path)
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def _patches(record: Record) -> list[tuple[Any, str, Any]]:
    locate = ShapeEnv._get_sloc
    defer = ShapeEnv.guard_or_defer_runtime_assert
    written = record.names.written
    subclassed = torch.Tensor.as_subclass
    formatted: Any = torch.Tensor.__format__
    deeply_copied: Any = torch.Tensor.__deepcopy__
    unused = lift_constants_pass._unused_constant

    def get_sloc(self: ShapeEnv, framework_loc: Any = None) -> SLoc:
        made = locate(self, framework_loc)
        frames = _frames()
        located = _Located(made.framework_loc, made.maybe_user_loc)
        located.source = make_source(user_frames(frames))
        located.internal = asked_by_torch(frames)
        return located

    def guard_or(condition: Any, default: bool) -> bool:
        if isinstance(condition, bool):
            return condition
        known = symbolic_shapes._static_eval_sym_bool(condition)
        if known is not None:
            return known
        expr = condition.node.expr if default else sympy.Not(condition.node.expr)
        if expr not in record.assumptions:
            source = make_source(user_frames(_frames()))
            record.assumptions[expr] = Condition(expr, source, True)
        return default

    def deferred(self: ShapeEnv, expr: Any, msg: str, fx_node: Any = None) -> bool:
        frames = _frames()
        expr = written(expr)
        place = (make_source(user_frames(frames)), raised_by_torch(frames))
        record.asserts.setdefault(str(expr), place)
        record.asserts.setdefault(str(symbolic_shapes.canonicalize_bool_expr(expr)), place)
        return defer(self, expr, msg, fx_node)

    def copy_values(into: torch.Tensor, source: torch.Tensor | None) -> None:
        if source is not None and not isinstance(source, FakeTensor):
            into.copy_(source)

    def trusted(self: FakeTensorMode, op: Any, given: Any, real: Any, found: Any, ran: Any) -> Any:
        return found

    def shape_as_tensor(self: torch.Tensor) -> torch.Tensor:
        return torch.tensor(self.shape, dtype=torch.int64)

    def unused_constant(node: torch.fx.Node) -> list[torch.fx.Node] | None:
        return unused(node) if node.users else [node]

    def name(self: torch.SymInt | torch.SymFloat, form: str = "") -> str:
        return str(self)

    def text(self: torch.Tensor, form: str) -> str:
        return str(self) if isinstance(self, FakeTensor) else formatted(self, form)

    def copied(self: torch.Tensor, memo: dict[int, Any]) -> torch.Tensor:
        if not isinstance(self, FakeTensor):
            return cast(torch.Tensor, deeply_copied(self, memo))
        return cast(torch.Tensor, memo.setdefault(id(self), self.clone()))

    def shared(self: torch.Tensor) -> torch.Tensor:
        return torch.ops.aten.alias(self) if isinstance(self, FakeTensor) else self.view_as(self)

    def rounded(self: torch.fx.Proxy, digits: Any = None) -> torch.fx.Proxy:
        given = (self,) if digits is None else (self, digits)
        return self.tracer.create_proxy("call_function", round, given, {})

    def child(self: NamedMemberAccessor, name: str) -> torch.nn.Module:
        found = self.module
        for part in filter(None, name.split(".")):
            found = cast(torch.nn.Module, found._modules[part])
        return found

    def as_subclass(self: torch.Tensor, cls: type[torch.Tensor]) -> Any:
        return torch.ops.aten.alias(self) if isinstance(self, FakeTensor) else subclassed(self, cls)

    def unchecked(self: Verifier, program: ExportedProgram) -> None:
        return None

    def keep_frames(self: TracerBase, stack: traceback.StackSummary) -> traceback.StackSummary:
        return traceback.StackSummary.from_list(user_frames(stack))

    return [
        (ShapeEnv, "_get_sloc", get_sloc),
        (ShapeEnv, "guard_or_defer_runtime_assert", deferred),
        (symbolic_shapes, "_guard_or", guard_or),
        (TracerBase, "_filter_traceback_frames", keep_frames),
        (torch.nn.functional, "scaled_dot_product_attention", attention_of_sizes),
        (torch.fx.Proxy, "__round__", rounded),
        # It takes for granted that each constant has a user.
        (lift_constants_pass, "_unused_constant", unused_constant),
        (torch, "_shape_as_tensor", shape_as_tensor),
        (torch.onnx.operators, "shape_as_tensor", shape_as_tensor),
        # It knows neither trigonometry on numbers nor custom ops of PyTorch's own; lowering does.
        (Verifier, "check", unchecked),
        (apis, "vmap_impl", in_plain_ops(vmap_impl)),
        (eager_transforms, "grad_impl", in_plain_ops(eager_transforms.grad_impl)),
        (
            eager_transforms,
            "grad_and_value_impl",
            in_plain_ops(eager_transforms.grad_and_value_impl),
        ),
        # It leaves the values of parameters, which are no plain tensors, uninitialised.
        (meta_utils, "_safe_copy", copy_values),
        # Comparing the sizes it has found with those of a run fixes sizes that values tell.
        (FakeTensorMode, "_maybe_infer_fake_kernel_from_pytree_out", trusted),
        # The guards are read where they are made.
        (torch.export._trace, "produce_guards_and_solve_constraints", unsolved),
        # What a subclass adds in Python leaves no trace; the checks see what it changes.
        (torch.Tensor, "as_subclass", as_subclass),
        # A child may have the name of a method of its parent's class, which hides it.
        (NamedMemberAccessor, "get_submodule", child),
        (torch.nn.Module, "_apply", applied),
        (torch.nn.RNNBase, "get_expected_hidden_size", expected_hidden_size),
        # A text of a value is its symbol: right where it is printed, seen by the checks elsewhere.
        (torch.SymFloat, "__format__", name),
        (torch.SymInt, "__format__", name),
        (torch.Tensor, "__format__", text),
        # They ask for a tensor's memory.
        (torch.Tensor, "__deepcopy__", copied),
        (torch.Tensor, "__copy__", shared),
        # It prints the graph so far on stderr when it meets a value it does not know.
        (
            torch.export._trace,
            "sys",
            types.SimpleNamespace(**vars(sys) | {"stderr": io.StringIO()}),
        ),
    ]


def _frames() -> traceback.StackSummary:
    summary: traceback.StackSummary = CapturedTraceback.extract(skip=2).summary()
    return summary
