"""Calls that a trace keeps as one op, whatever torch.export would make of them.

PyTorch computes the result sizes of these by running their decomposition, which fixes sizes
that the op itself leaves open (an LSTM's length) or decides about memory layout by size
(linear on batch 1). Here they are custom ops of the same schema, whose size rule is given;
``lower`` writes them under their ATen names. What the exporter cannot carry at all is asked in
another way (``rewritten``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import _disable_current_modes
from torch.utils._pytree import tree_map_only

from ingot.capture import free_sizes, packed
from ingot.capture.rewritten import REWRITTEN, by_positions, with_bool_masks
from ingot.capture.training import attending, layered
from ingot.ir.diagnostics import fail

NAMESPACE = "ingot_trace"

_library = torch.library.Library(NAMESPACE, "DEF")
_routes: dict[Any, Callable[..., Any]] = {}


_STAND_INS = {"transformers::grouped_mm_fallback": "aten::_grouped_mm"}
"""Other packages' custom ops that do what an ATen op does."""


def aten_name(op: torch._ops.OpOverload) -> str | None:
    """``"aten::lstm.input"`` for the op that stands for it, None for any other op."""
    if op.namespace != NAMESPACE:
        return _STAND_INS.get(op._schema.name)
    base, _, overload = op._schema.name.partition("::")[2].partition("__")
    return f"aten::{base}" + (f".{overload}" if overload else "")


def keep(
    op: torch._ops.OpOverload,
    functions: tuple[Any, ...],
    sizes: Callable[..., Any],
    layout: Callable[[torch.Tensor], torch.Tensor] = torch.Tensor.contiguous,
) -> torch._ops.OpOverload:
    """Makes a custom op of ``op``'s schema with ``sizes`` as its fake implementation, and
    routes ``functions`` of the Python API to it. ``layout`` gives results PyTorch's strides."""
    schema = op._schema
    name = schema.name.partition("::")[2]
    if schema.overload_name:
        name += f"__{schema.overload_name}"
    text = str(schema).partition("(")[2].replace("int steps", "SymInt steps")

    def run(*args: Any, **kwargs: Any) -> Any:
        # As ``sizes`` says, by which the exporter drops a ``contiguous()``.
        return tree_map_only(torch.Tensor, layout, op(*args, **kwargs))

    _library.define(f"{name}({text}")
    _library.impl(name, run, "CompositeExplicitAutograd")
    torch.library.register_fake(f"{NAMESPACE}::{name}", sizes, lib=_library)
    custom: torch._ops.OpOverload = getattr(getattr(torch.ops, NAMESPACE), name).default
    for function in functions:
        _routes[function] = custom
    return custom


class KeptWhole(TorchFunctionMode):
    """Routes the kept calls while active; must be the innermost mode."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        # None says nothing, and PyTorch takes sizes for numbers in overloads with a generator.
        if kwargs.pop("generator", None) is not None:
            fail(
                "the model draws from a torch.Generator of its own",
                hint="leave generator= out, or compile the model by ingot.script, where "
                "generators are state; ingot.manual_seed seeds what programs draw",
                code="unsupported",
            )
        if types and not all(issubclass(t, torch.Tensor) for t in types):
            return func(*args, **kwargs)
        try:
            route = _routes.get(func)
        except TypeError:  # unhashable callables are none of ours
            route = None
        return (route or func)(*args, **kwargs)


_apply = torch.nn.Module._apply


def applied(self: torch.nn.Module, convert: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """``Module.to`` and its like, where most models ask for what they are already."""
    with _disable_current_modes():
        kinds = {(t.dtype, t.device) for t in (*self.parameters(), *self.buffers())}
        samples = [torch.empty(0, dtype=dtype, device=device) for dtype, device in kinds]
        if all(convert(sample) is sample for sample in samples):
            return self
    return _apply(self, convert, *args, **kwargs)


def _item_of(tensor: torch.Tensor, index: Any) -> Any:
    return packed.item_of(tensor, by_positions(with_bool_masks(index)))


def _set_item(tensor: torch.Tensor, index: Any, value: Any) -> None:
    tensor[with_bool_masks(index)] = value


def _linear(input: torch.Tensor, weight: torch.Tensor, bias: Any = None) -> torch.Tensor:
    torch._check(
        input.shape[-1] == weight.shape[1],
        lambda: f"linear: the input's last size is {input.shape[-1]}, not {weight.shape[1]}",
    )
    if weight.dtype != input.dtype:
        raise RuntimeError(f"linear: input is {input.dtype} and weight {weight.dtype}")
    return input.new_empty([*input.shape[:-1], weight.shape[0]])


def _attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> torch.Tensor:
    torch._check(key.shape[-1] == query.shape[-1])
    torch._check(value.shape[-2] == key.shape[-2])
    batch = query.shape[:-2] if enable_gqa else torch.broadcast_shapes(
        query.shape[:-2], key.shape[:-2], value.shape[:-2]
    )  # fmt: skip
    if attn_mask is not None:
        torch.broadcast_shapes(attn_mask.shape, [*batch, query.shape[-2], key.shape[-2]])
    return _by_heads(query.new_empty([*batch, query.shape[-2], value.shape[-1]]))


def _by_heads(attended: torch.Tensor) -> torch.Tensor:
    """[batch, heads, length, width] in PyTorch's memory, where a place's heads are neighbours."""
    if attended.dim() != 4:
        return attended.contiguous()
    return attended.transpose(1, 2).contiguous().transpose(1, 2)


_sdpa = torch.nn.functional.scaled_dot_product_attention


def attention_of_sizes(*args: Any, **kwargs: Any) -> torch.Tensor:
    """scaled_dot_product_attention where ``is_causal`` may be a question about sizes, such as
    ``length > 1 and ...``, which PyTorch refuses before any mode sees the call."""
    if len(args) > 5:
        args = (*args[:5], bool(args[5]), *args[6:])
    if "is_causal" in kwargs:
        kwargs["is_causal"] = bool(kwargs["is_causal"])
    return _sdpa(*args, **kwargs)


def _layer_norm(
    input: torch.Tensor,
    normalized_shape: list[int],
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-05,
    cudnn_enable: bool = True,
) -> torch.Tensor:
    last = len(normalized_shape)
    torch._check(0 < last <= input.dim())
    for given in (input.shape[-last:], *(p.shape for p in (weight, bias) if p is not None)):
        torch._check(len(given) == last)
        for size, wanted in zip(given, normalized_shape, strict=True):
            torch._check(size == wanted)
    return input.new_empty(input.shape)


def _check_recurrent(input: torch.Tensor, hidden: torch.Tensor, batch_first: bool) -> None:
    torch._check(input.dim() == 3)
    torch._check(hidden.shape[1] == input.shape[0 if batch_first else 1])


def _as_made(result: torch.Tensor) -> torch.Tensor:
    return result


def _sequence(input: torch.Tensor, features: int, batch_first: bool) -> torch.Tensor:
    """A recurrent layer's output: PyTorch's memory begins with the steps."""
    if not batch_first:
        return input.new_empty([*input.shape[:2], features])
    return input.new_empty([input.shape[1], input.shape[0], features]).transpose(0, 1)


def _recurrent(
    input: torch.Tensor,
    hx: torch.Tensor,
    params: list[torch.Tensor],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
) -> tuple[torch.Tensor, torch.Tensor]:
    _check_recurrent(input, hx, batch_first)
    torch._check(input.shape[2] == params[0].shape[1])
    features = hx.shape[2] * (2 if bidirectional else 1)
    return _sequence(input, features, batch_first), hx.new_empty(hx.shape)


def _lstm(
    input: torch.Tensor,
    hx: list[torch.Tensor],
    params: list[torch.Tensor],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    hidden, cell = hx
    _check_recurrent(input, hidden, batch_first)
    torch._check(cell.shape[1] == hidden.shape[1])
    torch._check(input.shape[2] == params[0].shape[1])
    # With projections the hidden state is narrower than the cell state.
    features = hidden.shape[2] * (2 if bidirectional else 1)
    output = _sequence(input, features, batch_first)
    return output, hidden.new_empty(hidden.shape), cell.new_empty(cell.shape)


def _ctc_loss(
    log_probs: torch.Tensor,
    targets: torch.Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: int = 1,
    zero_infinity: bool = False,
) -> torch.Tensor:
    if reduction == 0 and log_probs.dim() == 3:
        return log_probs.new_empty([log_probs.shape[1]])
    return log_probs.new_empty([])


def _by_reduction(by_lists: Callable[..., Any], by_tensors: Callable[..., Any]) -> Any:
    """F.ctc_loss with its overloads and its names of reductions."""

    def call(
        log_probs: torch.Tensor,
        targets: torch.Tensor,
        input_lengths: Any,
        target_lengths: Any,
        blank: int = 0,
        reduction: str = "mean",
        zero_infinity: bool = False,
    ) -> torch.Tensor:
        number = ["none", "mean", "sum"].index(reduction)
        lengths = (input_lengths, target_lengths)
        op = by_tensors if all(map(torch.is_tensor, lengths)) else by_lists
        return op(log_probs, targets, *lengths, blank, number, zero_infinity)  # type: ignore[no-any-return]

    return call


def _packed_recurrent(
    data: torch.Tensor, batch_sizes: torch.Tensor, hx: Any, params: list[torch.Tensor], *rest: Any
) -> tuple[torch.Tensor, ...]:
    torch._check(data.dim() == 2 and data.shape[1] == params[0].shape[1])
    states = hx if isinstance(hx, list) else [hx]
    features = states[0].shape[2] * (2 if rest[-1] else 1)
    output = data.new_empty([data.shape[0], features])
    return output, *(state.new_empty(state.shape) for state in states)


def _padded_or_packed(on_padded: Callable[..., Any], on_packed: Callable[..., Any]) -> Any:
    """A recurrent layer of PyTorch's: of its two forms the one with packed data has the
    parameters fourth."""

    def call(*args: Any) -> Any:
        is_packed = isinstance(args[3], list | tuple)
        layers, dropout, train = args[5:8] if is_packed else args[4:7]
        op = on_packed if is_packed else on_padded
        if layers > 1 and dropout and train:
            return layered(op, args, 3 if is_packed else 2)
        return op(*args)

    return call


def _least_squares(
    self: torch.Tensor, b: torch.Tensor, rcond: float | None = None, *, driver: str | None = None
) -> tuple[torch.Tensor, ...]:
    vector = b.dim() == 1 or (b.dim() == self.dim() - 1 and b.shape == self.shape[:-1])
    side = b.unsqueeze(-1) if vector else b
    torch._check(side.dim() == self.dim() and side.shape[-2] == self.shape[-2])
    batch = torch.broadcast_shapes(self.shape[:-2], side.shape[:-2])
    by_values = driver in ("gelsd", "gelss")
    residuals, nothing = [*batch, side.shape[-1]], [0]
    if driver in (None, "gelsy") or self.shape[-2] <= self.shape[-1]:
        residuals = nothing
    elif by_values:
        fail(
            f"linalg.lstsq with driver {driver} has residuals if the ranks of its matrices are "
            "full, so that their sizes depend on data",
            hint="use driver gelsy or gels, or an @ingot.script function",
            code="unsupported",
        )
    real = torch.empty([], dtype=self.dtype).real.dtype
    sizes = [*batch, self.shape[-1]] if vector else [*batch, self.shape[-1], side.shape[-1]]
    few = min(self.shape[-2], self.shape[-1]) if by_values else 0
    return (
        self.new_empty(sizes),
        self.new_empty(residuals, dtype=real),
        self.new_empty(nothing if driver == "gels" else batch, dtype=torch.int64),
        self.new_empty([*batch, few] if by_values else nothing, dtype=real),
    )


def _with_names(op: Callable[..., Any]) -> Callable[..., Any]:
    """Results as torch.linalg.lstsq's, whose fields have names."""

    def call(input: Any, b: Any, rcond: Any = None, *, driver: Any = None) -> Any:
        return torch.return_types.linalg_lstsq(op(input, b, rcond, driver=driver))  # type: ignore[attr-defined]

    return call


def _keep_all() -> None:
    _routes.update(REWRITTEN)
    _routes.update(free_sizes.FREE)
    aten = torch.ops.aten
    for function, op in ((torch.linspace, aten.linspace), (torch.logspace, aten.logspace)):
        kept = keep(op.default, (), free_sizes.steps_made)
        _routes[function] = free_sizes.of_steps(kept, function)
    pool = keep(aten.max_pool1d.default, (), free_sizes.pooled)
    for pooling in (torch.nn.functional.max_pool1d, torch.max_pool1d):
        _routes[pooling] = free_sizes.max_pool1d(pool, pooling)
    keep(aten.linear.default, (torch.nn.functional.linear,), _linear)
    attention = keep(aten.scaled_dot_product_attention.default, (), _attention, _by_heads)
    _routes[_sdpa] = attending(attention)
    keep(aten.layer_norm.default, (torch.nn.functional.layer_norm, torch.layer_norm), _layer_norm)
    _routes[torch.nn.functional.ctc_loss] = _by_reduction(
        keep(aten.ctc_loss.IntList, (), _ctc_loss), keep(aten.ctc_loss.Tensor, (), _ctc_loss)
    )
    _routes[torch.linalg.lstsq] = _with_names(keep(aten.linalg_lstsq.default, (), _least_squares))
    for recurrent, ops, sizes in (
        (torch.lstm, aten.lstm, _lstm),
        (torch.gru, aten.gru, _recurrent),
        (torch.rnn_tanh, aten.rnn_tanh, _recurrent),
        (torch.rnn_relu, aten.rnn_relu, _recurrent),
    ):
        _routes[recurrent] = _padded_or_packed(
            keep(ops.input, (), sizes, _as_made), keep(ops.data, (), _packed_recurrent)
        )
    _routes[torch._VF._pack_padded_sequence] = packed.pack
    _routes[torch._VF._pad_packed_sequence] = packed.pad
    _routes[torch.Tensor.__getitem__] = _item_of
    _routes[torch.Tensor.__setitem__] = _set_item


_keep_all()
