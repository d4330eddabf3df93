"""An exported ATen graph as a method of a program, node by node."""

from __future__ import annotations

import re
from typing import Any

import sympy
import torch
from torch import fx
from torch.export.graph_signature import InputKind

from ingot.capture import kept
from ingot.capture.aliases import Aliases
from ingot.capture.decompose import Parts, decompose
from ingot.capture.export import Captured
from ingot.capture.inputs import Interface
from ingot.capture.rules import RULES
from ingot.capture.scalars import PYTHON_NAMES, Scalars
from ingot.capture.script_in_trace import call_of, lower_call
from ingot.capture.shapes import Shapes
from ingot.capture.signature import Signature
from ingot.capture.sources import parse_stack
from ingot.capture.sparse import Sparse, refuse
from ingot.capture.state import DTYPES, StateWriter, dtype_of
from ingot.ir.diagnostics import fail, stack
from ingot.ir.graph import BUFFER, CONSTANT, PARAMETER, Program, Source, Value
from ingot.ir.match import Operand
from ingot.ir.schema import Catalogue
from ingot.ir.types import BOOL, FLOAT, INT, TENSOR, ListType, TensorType, Type

_KINDS = {
    InputKind.PARAMETER: PARAMETER,
    InputKind.BUFFER: BUFFER,
    InputKind.CONSTANT_TENSOR: CONSTANT,
}


def lower(
    captured: Captured,
    signature: Signature,
    shapes: Shapes,
    ops: Catalogue,
    method: str = "forward",
) -> Program:
    """The program of a capture. Raises Error listing every op that ``ops`` lacks."""
    program = Program()
    interface = Interface(program, method, signature, shapes, captured.wrapped)
    interface.builder.ops = ops
    Lowering(program, interface, captured).run()
    return program


class Lowering:
    """The walk over one graph; ``at`` holds what each of its nodes became."""

    def __init__(self, program: Program, interface: Interface, captured: Captured) -> None:
        self.program = program
        self.interface = interface
        self.captured = captured
        self.b = interface.builder
        self.scalars = Scalars(self.b)
        self.aliases: Aliases | _Both = Aliases(captured.exported.graph)
        self.at: dict[fx.Node, Any] = {}
        self.bools: dict[fx.Node, Operand] = {}
        self.guarded: set[tuple] = set()
        self.missing: dict[str, Source | None] = {}
        self._sources: dict[str, Source | None] = {}
        self._lazy: dict[fx.Node, str] = {}
        self._open: list[str] = []

    def run(self) -> None:
        """Lowers the graph and ends the method."""
        self.interface.check()
        graph = self.captured.exported.graph
        self._inputs(graph)
        for node in graph.nodes:
            if node.op == "call_function":
                self.node(node)
            elif node.op == "get_attr":
                self.at[node] = getattr(self.captured.exported.graph_module, str(node.target))
            elif node.op == "output":
                leaves = [self.operand(v) for v in node.args[0]]
                self.b.source = None
                self.b.returns(self.interface.pack(self.captured.tree, leaves))
        if self.missing:
            self._fail_missing()

    # --- inputs and state --------------------------------------------------------------------

    def _inputs(self, graph: fx.Graph) -> None:
        exported = self.captured.exported
        placeholders = [n for n in graph.nodes if n.op == "placeholder"]
        values = iter(self.interface.values)
        writer = StateWriter(self.program)
        prefix = self.captured.root.prefix
        entries = []
        for node, spec in zip(placeholders, exported.graph_signature.input_specs, strict=True):
            if spec.kind == InputKind.USER_INPUT:
                self.at[node] = next(values)
                continue
            if spec.kind not in _KINDS:
                fail(
                    f"the model holds a {spec.kind.name.lower()} ({spec.target}), which a "
                    "program cannot hold",
                    code="unsupported",
                )
            entries.append((node, spec))
        order = {name: i for i, (name, _) in enumerate(self.captured.root.named_state())}
        entries.sort(key=lambda e: order.get(e[1].target or "", len(order)))
        for node, spec in entries:
            target = spec.target or node.name
            tensor = exported.state_dict.get(target)
            if tensor is None:
                tensor = exported.constants[target]
            if tensor.layout == torch.sparse_coo and tensor.sparse_dim() == tensor.dim() == 2:
                self.at[node] = self._sparse(writer, target.removeprefix(prefix), tensor)
                continue
            name = writer.add(target.removeprefix(prefix), tensor, _KINDS[spec.kind])
            self._lazy[node] = name
            self.program.state[name].mutable = self.aliases.written(node)

    def _sparse(self, writer: StateWriter, name: str, tensor: torch.Tensor) -> Sparse:
        """A sparse matrix that the model holds: its places and its elements."""
        parts = tensor.detach().coalesce()
        indices, values = (
            self.b.state(writer.add(f"{name}.{part}", value, CONSTANT))
            for part, value in (("indices", parts.indices()), ("values", parts.values()))
        )
        return Sparse(indices, values, (tensor.shape[0], tensor.shape[1]))

    # --- nodes -------------------------------------------------------------------------------

    def node(self, node: fx.Node) -> None:
        """Appends what a call in the graph becomes."""
        self.b.source = self.source(node)
        rule = RULES.get(node.target)
        if rule is not None:
            self.at[node] = rule(self, node)
            return
        name = PYTHON_NAMES.get(node.target)
        if name is not None:
            self.at[node] = self.scalars.apply(name, *map(self.operand, node.args))
            return
        if isinstance(node.target, type) and issubclass(node.target, tuple):
            self.at[node] = [self.operand(v) for v in node.args]
            return
        if not isinstance(node.target, torch._ops.OpOverload):
            self._miss(node, getattr(node.target, "__name__", str(node.target)))
            return
        call = call_of(node.target)
        if call is not None:
            self.at[node] = lower_call(self, node, call)
            return
        op = kept.aten_name(node.target) or _full_name(node.target)
        if op not in self.b.ops:
            self.decompose(node, op)
            return
        schema = self.b.ops.find(op)
        random = schema is not None and schema.random
        self.at[node] = self.draw(op, node) if random else self.call(op, node)

    def draw(self, op: str, node: fx.Node, *args: Any, **kwargs: Any) -> Any:
        """Appends an op that draws random numbers for elements in the order of PyTorch's memory:
        where that is not row-major, on dimensions in that order."""
        value: Any = node.meta.get("val")
        source = node.args[0] if node.args else None
        schema = self.b.ops.find(op)
        like = isinstance(source, fx.Node) and isinstance(value, torch.Tensor)
        if (
            not like
            or value.is_contiguous()
            or schema is None
            or schema.mutates
            or op.startswith(_ROW_MAJOR_DRAWS)
        ):
            return self.call(op, node, *args, **kwargs)
        if not args and not kwargs:
            args = tuple(map(self.operand, node.args))
            kwargs = {k: self.operand(v) for k, v in node.kwargs.items()}
        steps = [_hint(step) for step in value.stride()]
        order = sorted(range(value.dim()), key=lambda dim: -steps[dim])
        ordered = self.b.op("aten::permute", args[0], order)
        drawn = self.b.op(op, ordered, *args[1:], **kwargs)
        back = [order.index(dim) for dim in range(value.dim())]
        return self.call("aten::permute", node, drawn, back)

    def call(self, op: str, node: fx.Node, *args: Any, **kwargs: Any) -> Any:
        """Appends an op of the catalogue with the node's arguments, or those given."""
        if not args and not kwargs:
            args = tuple(map(self.operand, node.args))
            kwargs = {k: self.operand(v) for k, v in node.kwargs.items()}
        value = node.meta.get("val")
        schema = self.b.ops.find(op)
        if schema is not None and isinstance(value, torch.Tensor) and _makes_tensor(schema):
            place = schema.positions.get("dtype", len(args))
            if place >= len(args) and "dtype" in schema.positions and kwargs.get("dtype") is None:
                kwargs["dtype"] = int(dtype_of(value.dtype, f"the result of {op}"))
        result = self.b.op(op, *args, result_types=self.types(value, op), **kwargs)
        if isinstance(result, Value):
            result.name = node.name
            if result.type == ListType(TENSOR) and isinstance(value, list | tuple):
                values = list(self.b.list_unpack(result, len(value)))
                for each, fact in zip(values, value, strict=True):
                    each.type = self.types(fact, op) or TENSOR  # type: ignore[assignment]
                return values
        return result

    def types(self, value: Any, op: str) -> Type | list[Type] | None:
        """The types of a call's results with what the exporter knows of them."""
        if isinstance(value, torch.Tensor):
            dtype = dtype_of(value.dtype, f"the result of {op}")
            return TensorType(dtype, self.interface.dims(value.shape))
        if isinstance(value, tuple | list) and value:
            schema = self.b.ops.find(op)
            if schema is not None and len(schema.returns) == len(value) > 1:
                types = [self.types(v, op) for v in value]
                return [TENSOR if t is None else t for t in types]  # type: ignore[misc]
        return None

    def operand(self, argument: Any) -> Any:
        """An argument in the graph as the builder takes it."""
        if isinstance(argument, fx.Node):
            if argument in self._lazy:
                source, self.b.source = self.b.source, None
                self.at[argument] = self.b.state(self._lazy.pop(argument))
                self.b.source = source
            if argument in self.bools and argument not in self.at:
                self.at[argument] = self.scalars.to(self.bools[argument], INT)
            value = self.at[argument]
            if isinstance(value, Sparse):
                refuse(self)
            return value
        if isinstance(argument, list | tuple):
            return [self.operand(a) for a in argument]
        if isinstance(argument, torch.dtype):
            return (
                int(DTYPES[argument]) if argument in DTYPES else int(dtype_of(argument, "a value"))
            )
        if isinstance(argument, torch.device):
            if argument.type != "cpu":
                fail(
                    f"the model makes a tensor on {argument}",
                    source=self.b.source,
                    hint="move the model and the example inputs to the CPU with .cpu()",
                )
            return 0
        if isinstance(argument, torch.layout):
            return 0
        if isinstance(argument, torch.memory_format):
            return 1 if argument == torch.preserve_format else 0
        if isinstance(argument, slice):
            fail("a slice object is an argument of an op", source=self.b.source, code="internal")
        return argument

    def source(self, node: fx.Node) -> Source | None:
        """The user's line that made a node."""
        text = node.meta.get("stack_trace") or ""
        if text not in self._sources:
            self._sources[text] = parse_stack(text)
        return self._sources[text] or self.b.source

    def scalar_type(self, node: fx.Node) -> Type:
        value = node.meta.get("val")
        if isinstance(value, bool | torch.SymBool):
            return BOOL
        return FLOAT if isinstance(value, float | torch.SymFloat) else INT

    # --- what the catalogue lacks --------------------------------------------------------------

    def decompose(self, node: fx.Node, op: str) -> None:
        """Lowers the steps of an op, or notes that it is missing."""
        env = self.captured.env
        known = len(env.guards) if env is not None else 0
        # A primitive of PyTorch's may lead back to the op that it is a part of.
        parts = None if op in self._open else decompose(node)
        if parts is None:
            outer = [name for name in self._open if not name.startswith("prims::")]
            self._miss(node, outer[-1] if op.startswith("prims::") or op in self._open else op)
            return
        for guard in env.guards[known:] if env is not None else ():
            self.assume(op, guard.expr)
        self._open.append(op)
        self._steps(parts, node)
        self._open.pop()

    def assume(self, op: str, expr: sympy.Basic) -> None:
        """Guards what an op takes for granted of sizes, in the exporter's symbols."""
        self._assumed(op, self.captured.record.names.written(expr))

    def _assumed(self, op: str, expr: sympy.Basic) -> None:
        """What the steps of an op take for granted of the sizes. Whether one is 1 is what
        broadcasting asks, whose steps are right for both."""
        shapes = self.interface.shapes
        if isinstance(expr, sympy.Ne) and 1 in expr.args:
            return
        if not shapes.implied(expr) and all(expr != c.expr for c in shapes.conditions):
            self.guard(
                self.interface.lower(expr),
                f"{op} was traced for sizes with {self.interface.written(expr)}",
                self.b.source,
            )

    def _steps(self, parts: Parts, node: fx.Node) -> None:
        inner = parts.graph
        written = Aliases(inner)
        given = iter(parts.inputs)
        for step in inner.nodes:
            step.meta["stack_trace"] = node.meta.get("stack_trace")
            if step.op == "placeholder":
                self.at[step] = self._passed(next(given))
            elif step.op == "get_attr":
                self.at[step] = self._constant(parts.module, str(step.target))
            elif step.op == "output":
                (result,) = step.args
                self.at[node] = self._passed(result)
            else:
                outer, self.aliases = self.aliases, _Both(self.aliases, written)
                self.node(step)
                self.aliases = outer

    def _passed(self, argument: Any) -> Any:
        """What goes into an op's steps or comes out of them."""
        known = self.at.get(argument) if isinstance(argument, fx.Node) else None
        return known if isinstance(known, Sparse) else self.operand(argument)

    def _constant(self, module: fx.GraphModule, target: str) -> Any:
        value = getattr(module, target)
        if not isinstance(value, torch.Tensor):
            return value
        name = StateWriter(self.program).add(f"constant{len(self.program.state)}", value, CONSTANT)
        return self.b.state(name)

    def _miss(self, node: fx.Node, op: str) -> None:
        self.missing.setdefault(op, self.b.source)
        value = node.meta.get("val")
        if isinstance(value, list | tuple):
            self.at[node] = [self.b.uninitialized(self._type_of(v, op)) for v in value]
        else:
            self.at[node] = self.b.uninitialized(self._type_of(value, op))

    def _type_of(self, value: Any, op: str) -> Type:
        if isinstance(value, bool | torch.SymBool):
            return BOOL
        if isinstance(value, float | torch.SymFloat):
            return FLOAT
        return INT if isinstance(value, int | torch.SymInt) else TENSOR

    def _fail_missing(self) -> None:
        names = ", ".join(self.missing)
        lines = "\n".join(
            f"  {op}\n{stack(source)}".rstrip() for op, source in self.missing.items()
        )
        what = "an op that Ingot does not have" if len(self.missing) == 1 else (
            f"{len(self.missing)} ops that Ingot does not have"
        )  # fmt: skip
        from ingot.errors import Error

        raise Error(f"the model uses {what}: {names}", "unsupported", lines)

    # --- guards --------------------------------------------------------------------------------

    def guard(self, condition: Operand, message: str, source: Source | None) -> None:
        """Appends a guard once per condition."""
        if condition is True:
            return
        key = (condition, message)
        if key in self.guarded:
            return
        self.guarded.add(key)
        with self.b.located(source or self.b.source):
            self.b.guard(condition, message)

    def assert_place(self, message: str) -> tuple[Source | None, bool]:
        """The line where the capture made the assertion with this message, and whether
        PyTorch made it for itself."""
        match = re.search(r"expression (.*) on node", message)
        known = self.captured.record.asserts.get(match[1]) if match else None
        return known or (None, bool(match))


class _Both:
    """The aliases of a decomposed op's steps inside those of the graph around it."""

    def __init__(self, outer: Aliases | _Both, inner: Aliases) -> None:
        self.outer, self.inner = outer, inner

    def written(self, node: fx.Node) -> bool:
        return self.inner.written(node)

    def of_input(self, node: fx.Node) -> bool:
        return self.inner.of_input(node)

    def copy_differs(self, view: fx.Node) -> bool:
        return self.inner.copy_differs(view)


_ROW_MAJOR_DRAWS = ("aten::feature_", "aten::rrelu", "aten::multinomial", "aten::normal.")
"""Random ops whose draws PyTorch orders by other things than their result's memory."""


def _hint(number: Any) -> int:
    """An int, or what a SymInt was when the graph was captured."""
    return number if isinstance(number, int) else int(number.node.hint)


def _full_name(op: torch._ops.OpOverload) -> str:
    schema = op._schema
    return schema.name + (f".{schema.overload_name}" if schema.overload_name else "")


def _makes_tensor(schema: Any) -> bool:
    """Whether an op makes a tensor of nothing, so that its dtype may be PyTorch's default."""
    return not any(isinstance(a.type, TensorType) for a in schema.arguments)
