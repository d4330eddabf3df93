"""Calls of an exported graph that do not become the op of the same name."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import sympy
import torch
from torch import fx
from torch.utils._sympy.functions import FloorDiv

from ingot.capture.script_in_trace import call_of
from ingot.capture.sparse import SPARSE_RULES
from ingot.capture.state import dtype_of
from ingot.ir.diagnostics import fail
from ingot.ir.graph import Value
from ingot.ir.match import Operand
from ingot.ir.types import BOOL, FLOAT, INT, TensorType

if TYPE_CHECKING:
    from ingot.capture.lower import Lowering

Rule = Callable[["Lowering", fx.Node], Any]

aten = torch.ops.aten


def _shares_memory(one: Any, two: Any) -> bool:
    """Whether PyTorch made ``two`` as a view of ``one`` or as the same tensor."""
    return bool(one.untyped_storage()._cdata == two.untyped_storage()._cdata)


def _same(low: Lowering, node: fx.Node) -> Any:
    return low.operand(node.args[0])


def _copy(low: Lowering, node: fx.Node) -> Any:
    """A copy, unless nobody writes into it or its source and the source is no input."""
    source = node.args[0]
    if isinstance(source, fx.Node) and not (
        low.aliases.written(node) or low.aliases.written(source) or low.aliases.of_input(source)
    ):
        return low.operand(source)
    return low.call("aten::clone", node, low.operand(source), memory_format=0)


def _contiguous(low: Lowering, node: fx.Node) -> Any:
    (source, *_) = node.args
    assert isinstance(source, fx.Node)
    if low.aliases.written(node) and not _shares_memory(source.meta["val"], node.meta["val"]):
        return low.call("aten::clone", node, low.operand(source), memory_format=0)
    return low.operand(source)


def _resolved(low: Lowering, node: fx.Node) -> Any:
    """The tensor itself, or the copy that PyTorch makes of a lazy view, which here is one."""
    source = node.args[0]
    assert isinstance(source, fx.Node)
    written = low.aliases.written(node) or low.aliases.written(source)
    if written and not _shares_memory(source.meta["val"], node.meta["val"]):
        return low.call("aten::clone", node, low.operand(source), memory_format=0)
    return low.operand(source)


def _lazy(low: Lowering, node: fx.Node) -> Any:
    """A view whose elements PyTorch conjugates or negates as they are read: a copy, where nobody
    can tell them apart."""
    assert isinstance(node.target, torch._ops.OpOverload)
    name = node.target._opname
    if (node.meta["val"].is_complex() or name == "_neg_view") and low.aliases.copy_differs(node):
        fail(
            f"{name.strip('_')} gives a view in PyTorch, and the model then writes into memory "
            "that the view and its source share, which Ingot can only copy",
            source=low.b.source,
            hint="write into a copy: torch.conj_physical(x) or x.clone()",
            code="unsupported",
        )
    if name == "_neg_view":
        return low.call("aten::neg", node)
    if name in ("_conj", "conj"):
        return low.call("aten::_conj", node)
    low.decompose(node, f"aten::{name}")
    return low.at[node]


def _to(low: Lowering, node: fx.Node) -> Any:
    """Conversions: only the dtype matters, all tensors being in main memory, row-major."""
    source = node.args[0]
    assert isinstance(source, fx.Node)
    before, after = source.meta["val"], node.meta["val"]
    if after.device.type not in ("cpu", "meta"):
        low.operand(after.device)
    if before.dtype != after.dtype:
        dtype = int(dtype_of(after.dtype, "the result of a conversion"))
        return low.call("aten::to.dtype", node, low.operand(source), dtype, False, False, None)
    if low.aliases.written(node) and not _shares_memory(before, after):
        return low.call("aten::clone", node, low.operand(source), memory_format=0)
    if node.target is aten._to_copy.default:
        return _copy(low, node)
    return low.operand(source)


def _reshape(low: Lowering, node: fx.Node) -> Any:
    """A view where writes must be seen through it; else reshape, which copies if it must,
    because strides here may differ from those that PyTorch saw."""
    source, *sizes = map(low.operand, node.args)
    if not low.aliases.written(node):
        return low.call("aten::reshape", node, source, *sizes)
    if not _shares_memory(node.args[0].meta["val"], node.meta["val"]):  # type: ignore[union-attr]
        source = low.call("aten::clone", node, source, memory_format=0)
    return low.call("aten::view", node, source, *sizes)


def _as_strided(low: Lowering, node: fx.Node) -> Any:
    source = node.args[0]
    assert isinstance(source, fx.Node)
    if not source.meta["val"].is_contiguous():
        fail(
            "as_strided on a tensor that is not contiguous depends on PyTorch's memory layout",
            source=low.b.source,
            hint="call .contiguous() before as_strided, or use views and slices",
            code="unsupported",
        )
    value, *rest = map(low.operand, node.args)
    if not low.aliases.written(node):
        value = low.b.op("aten::contiguous", value)
    return low.call("aten::as_strided", node, value, *rest)


def _bytes_as(op: str) -> Rule:
    """A view of the same bytes as other elements, of a tensor that is row-major in PyTorch as far
    as the view needs."""

    def rule(low: Lowering, node: fx.Node) -> Any:
        value, *rest = map(low.operand, node.args)
        if not low.aliases.written(node):
            value = low.b.op("aten::contiguous", value)
        return low.call(op, node, value, *rest)

    return rule


def _dropout(low: Lowering, node: fx.Node) -> Any:
    source, probability, train = node.args
    if train and probability:
        assert isinstance(node.target, torch._ops.OpOverload)
        return low.draw(f"aten::{node.target._opname}", node)
    return low.operand(source)


def _attention(low: Lowering, node: fx.Node) -> Any:
    """One op, or its steps where it drops weights."""
    dropout = node.args[4] if len(node.args) > 4 else node.kwargs.get("dropout_p", 0.0)
    name = "aten::scaled_dot_product_attention"
    if not dropout:
        return low.call(name, node)
    low.decompose(node, name)
    return low.at[node]


def _without_generator(low: Lowering, node: fx.Node) -> Any:
    """The overload with a generator, which is None, as the one without."""
    target = node.target
    assert isinstance(target, torch._ops.OpOverload)
    overload = target._overloadname.replace("low_generator_dtype", "low_dtype")
    overload = overload.replace("_generator", "").replace("generator", "")
    kwargs = {k: low.operand(v) for k, v in node.kwargs.items() if k != "generator"}
    name = f"aten::{target._opname}" + (f".{overload}" if overload else "")
    return low.draw(name, node, *map(low.operand, node.args), **kwargs)


def _split(low: Lowering, node: fx.Node) -> Any:
    """Parts of a size that the inputs decide are as many as of the example."""
    tensor, split_size, *rest = node.args
    assert isinstance(tensor, fx.Node)
    length = tensor.meta["val"].shape[rest[0] if rest else 0]
    given: Any = split_size.meta["val"] if isinstance(split_size, fx.Node) else split_size
    if isinstance(length, torch.SymInt) or isinstance(given, torch.SymInt):
        size, part = sympy.sympify(length), sympy.sympify(given)
        count = FloorDiv(size + part - 1, part)
        low.assume("aten::split", sympy.Eq(count, len(node.meta["val"])))
    return low.call("aten::split.Tensor", node)


def _getitem(low: Lowering, node: fx.Node) -> Any:
    source, index = map(low.operand, node.args)
    if isinstance(source, Value):  # a list of numbers
        return low.b.op("aten::__getitem__.t", source, index)
    return source[index]


def _sym_size(low: Lowering, node: fx.Node) -> Any:
    value = node.meta.get("val")
    if isinstance(value, int):
        return value
    return low.call("aten::sym_size.int", node)


def _symbolic(low: Lowering, node: fx.Node) -> Any:
    """A stride or an offset: what it was in PyTorch's layout, as an expression of sizes."""
    value: Any = node.meta.get("val")
    if isinstance(value, int) or not node.users:
        return value
    unknown = value.node.expr.free_symbols - low.interface.shapes.symbols.keys()
    if unknown:
        fail(
            "the model asks for a stride or an offset in memory that depends on the values of a "
            "tensor",
            source=low.b.source,
            hint="call .contiguous() or .clone() on the tensor before",
            code="unsupported",
        )
    return low.interface.lower(value.node.expr)


def _numel(low: Lowering, node: fx.Node) -> Any:
    return low.call("aten::numel", node)


def _rms_norm(low: Lowering, node: fx.Node) -> Any:
    """Of complex numbers: the root of the mean of squares, which is no magnitude."""
    if node.meta["val"].is_complex():
        low.decompose(node, "aten::rms_norm")
        return low.at[node]
    return low.call("aten::rms_norm", node)


def _item(low: Lowering, node: fx.Node) -> Any:
    source = low.operand(node.args[0])
    if isinstance(source, Value) and not isinstance(source.type, TensorType):
        return source  # a float input, which the graph takes as a tensor
    tensor = node.args[0].meta["val"]  # type: ignore[union-attr]
    if tensor.is_complex():
        return low.b.op("aten::Complex.Tensor_Tensor", source)
    kind = BOOL if tensor.dtype == torch.bool else FLOAT if tensor.is_floating_point() else INT
    return low.b.op({BOOL: "aten::Bool.Tensor", FLOAT: "aten::Float.Tensor"}.get(
        kind, "aten::Int.Tensor"), source)  # fmt: skip


def _ite(low: Lowering, node: fx.Node) -> Any:
    condition, then, otherwise = node.args
    if then == 1 and otherwise == 0:  # how the exporter writes int(bool)
        low.bools[node] = low.operand(condition)
        return low.scalars.to(low.bools[node], INT)
    return low.scalars.apply("ite", *map(low.operand, node.args))


def _compare_bool(name: str) -> Rule:
    """A comparison; with a bool that the exporter made an int, the bool or its opposite."""

    def rule(low: Lowering, node: fx.Node) -> Any:
        one, two = node.args
        if isinstance(one, fx.Node) and one in low.bools and isinstance(two, int):
            truth = low.bools[one]
            outcomes = [_PYTHON[name](int(value), two) for value in (False, True)]
            if outcomes[0] == outcomes[1]:
                return outcomes[0]
            return truth if outcomes[1] else low.scalars.apply("not", truth)
        return low.scalars.apply(name, *map(low.operand, node.args))

    return rule


_PYTHON = {name: getattr(operator, name) for name in ("eq", "ne", "lt", "le", "gt", "ge")}


def _assert_scalar(low: Lowering, node: fx.Node) -> Any:
    condition, message = node.args
    if condition is True:
        return None
    if not isinstance(condition, fx.Node):
        held: Operand = bool(condition)
    elif _follows_from_another(condition):
        return None
    else:
        held = low.operand(condition)
    source, internal = low.assert_place(str(message))
    if internal and _always_true(condition):
        return None
    low.guard(held, _sentence(condition, str(message), internal), source or low.b.source)
    return None


def _always_true(condition: Any) -> bool:
    """``size >= 0``, which the exporter states of every size that depends on values."""
    if not isinstance(condition, fx.Node) or condition.target is not operator.ge:
        return False
    size, bound = condition.args
    return getattr(size, "target", None) is aten.sym_size.int and bool(bound == 0)


def _follows_from_another(condition: fx.Node) -> bool:
    """Whether ``x >= c`` or ``x <= c``, which the exporter derives from what it knows of x, is
    beside the assertion that says so, such as ``x == c`` or ``x > c - 1``."""
    if condition.target not in (operator.ge, operator.le):
        return False
    value, bound = condition.args
    if not isinstance(value, fx.Node) or not isinstance(bound, int | float):
        return False
    strict, step = (operator.gt, -1) if condition.target is operator.ge else (operator.lt, 1)
    stronger = [(operator.eq, bound), (strict, bound + step), (strict, bound)]
    return any(
        (user.target, user.args) in [(op, (value, c)) for op, c in stronger] and _is_asserted(user)
        for user in value.users
    )


def _is_asserted(node: fx.Node) -> bool:
    return any(user.target is aten._assert_scalar.default for user in node.users)


def _sentence(condition: Any, message: str, internal: bool) -> str:
    if not message.startswith("Runtime assertion failed for expression"):
        return message
    if internal:
        return "a size that depends on the values of the inputs is out of its bounds"
    if isinstance(condition, fx.Node) and condition.target is operator.eq:
        value, expected = condition.args
        made_of_bool = getattr(value, "target", None) is torch.sym_ite
        if isinstance(expected, int | float) and not made_of_bool:
            return (
                f"the model's Python code read a number from a tensor and went on with {expected}; "
                "for these inputs the number is another"
            )
    return (
        "the model's Python code took a branch on a tensor's value when it was traced; for "
        "these inputs it would take another"
    )


def _assert_tensor(low: Lowering, node: fx.Node) -> Any:
    condition = low.b.op("aten::Bool.Tensor", low.operand(node.args[0]))
    message = node.args[1] if len(node.args) > 1 else "an assertion of the model failed"
    low.guard(condition, str(message), low.b.source)
    return None


def _scalar_tensor(low: Lowering, node: fx.Node) -> Any:
    """A number; one that goes only into calls of script functions stays one."""
    if all(call_of(user.target) is not None for user in node.users):
        return low.operand(node.args[0])
    return low.call("aten::scalar_tensor", node)


def _nothing(low: Lowering, node: fx.Node) -> Any:
    return None


def _autocast(low: Lowering, node: fx.Node) -> Any:
    """A block under ``torch.autocast`` that does nothing on the CPU."""
    device, _, enabled, _, *block = node.args
    if enabled and device == "cpu":
        fail(
            "the model uses torch.autocast on the CPU",
            source=low.b.source,
            hint="convert the model or its tensors with .to(torch.bfloat16) instead",
            code="unsupported",
        )
    return _in_place(low, *block)


def _inline(low: Lowering, node: fx.Node) -> Any:
    """A block under ``torch.no_grad`` or the like."""
    return _in_place(low, *node.args[1:])


def _in_place(low: Lowering, module: Any, *args: Any) -> Any:
    """A block's graph in place of its call."""
    graph = low.at[module].graph
    inputs = iter(args)
    for step in graph.nodes:
        if step.op == "placeholder":
            low.at[step] = low.operand(next(inputs))
        elif step.op == "output":
            result = low.operand(step.args[0])
            return result
        elif step.op == "get_attr":
            low.at[step] = getattr(low.at[module], str(step.target))
        else:
            low.node(step)
    return None


RULES: dict[Any, Rule] = {
    operator.getitem: _getitem,
    torch.sym_ite: _ite,
    aten.sym_size.int: _sym_size,
    aten.sym_stride.int: _symbolic,
    aten.sym_storage_offset.default: _symbolic,
    aten.sym_numel.default: _numel,
    aten.scalar_tensor.default: _scalar_tensor,
    aten.item.default: _item,
    aten.rms_norm.default: _rms_norm,
    aten.scaled_dot_product_attention.default: _attention,
    aten.split.Tensor: _split,
    aten._local_scalar_dense.default: _item,
    aten._assert_scalar.default: _assert_scalar,
    aten._assert_async.default: _assert_tensor,
    aten._assert_async.msg: _assert_tensor,
    aten.as_strided.default: _as_strided,
    torch.ops.higher_order.wrap_with_set_grad_enabled: _inline,
    torch.ops.higher_order.wrap_with_autocast: _autocast,
}
RULES |= SPARSE_RULES
RULES |= {getattr(operator, name): _compare_bool(name) for name in _PYTHON}
RULES |= dict.fromkeys(
    (
        aten.alias.default,
        aten.detach.default,
        aten.detach_.default,
        aten.lift.default,
        aten.lift_fresh.default,
    ),
    _same,
)
RULES |= dict.fromkeys((aten.clone.default, aten.lift_fresh_copy.default), _copy)
RULES |= dict.fromkeys((aten.contiguous.default,), _contiguous)
RULES[aten.view.dtype] = _bytes_as("aten::view.dtype")
RULES[aten.view_as_complex.default] = _bytes_as("aten::view_as_complex")
RULES |= dict.fromkeys((aten.resolve_conj.default, aten.resolve_neg.default), _resolved)
RULES |= dict.fromkeys(
    (
        aten._conj.default,
        aten.conj.default,
        aten._neg_view.default,
        aten.adjoint.default,
        aten.mH.default,
        aten.matrix_H.default,
    ),
    _lazy,
)
RULES |= dict.fromkeys(
    (aten.view.default, aten._unsafe_view.default, aten.reshape.default), _reshape
)
RULES |= dict.fromkeys(
    (
        aten.to.device,
        aten.to.dtype,
        aten.to.other,
        aten.to.dtype_layout,
        aten._to_copy.default,
        aten.type_as.default,
    ),
    _to,
)
RULES |= dict.fromkeys(
    (
        aten.dropout.default,
        aten.dropout_.default,
        aten.feature_dropout.default,
        aten.feature_dropout_.default,
        aten.alpha_dropout.default,
        aten.alpha_dropout_.default,
        aten.feature_alpha_dropout.default,
        aten.feature_alpha_dropout_.default,
    ),
    _dropout,
)
RULES |= dict.fromkeys(
    (
        aten.rand.generator,
        aten.randn.generator,
        aten.randint.generator,
        aten.randint.low_generator,
        aten.randperm.generator,
        aten.rand_like.generator,
        aten.randn_like.generator,
        aten.randint_like.generator,
        aten.randint_like.low_generator_dtype,
        aten.randint_like.Tensor_generator,
    ),
    _without_generator,
)
RULES |= dict.fromkeys(
    (
        aten._assert_tensor_metadata.default,
        aten.sym_constrain_range.default,
        aten.sym_constrain_range_for_size.default,
        aten.promote_types.default,
        torch._C._set_grad_enabled,
    ),
    _nothing,
)
