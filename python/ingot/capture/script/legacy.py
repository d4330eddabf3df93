"""Ways to make tensors that PyTorch keeps for old code: ``torch.FloatTensor``, ``Variable``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
import torch.autograd

from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.items import type_of
from ingot.capture.script.language import DTYPE, NUMBER, SIZE
from ingot.capture.script.operations import call_op
from ingot.capture.script.values import NOTHING, TRUE, Constant, Item, TupleItem
from ingot.ir.types import BOOL, COMPLEX, FLOAT, INT, TensorType

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame

_CLASSES = (
    torch.FloatTensor,
    torch.DoubleTensor,
    torch.HalfTensor,
    torch.BFloat16Tensor,
    torch.LongTensor,
    torch.IntTensor,
    torch.ShortTensor,
    torch.CharTensor,
    torch.ByteTensor,
    torch.BoolTensor,
)


def make(frame: Frame, dtype: Item, args: tuple[Item, ...]) -> Item:
    """``torch.FloatTensor(2, 3)`` has these sizes, ``torch.FloatTensor([2, 3])`` these elements."""
    from ingot.capture.script.torch_functions import make_tensor

    if len(args) == 1 and isinstance(type_of(args[0]), TensorType):
        return call_op(frame, "aten::to", [args[0], dtype])
    if len(args) == 1 and type_of(args[0]) not in (INT, SIZE):
        return make_tensor(frame, args[0], dtype)
    if any(type_of(each) != INT for each in args) and len(args) != 1:
        raise CompileError("this takes sizes, or one list of elements", "use torch.tensor")
    size = args[0] if args and type_of(args[0]) == SIZE else TupleItem(args)
    if not args:
        size = TupleItem((Constant(0),))
    return call_op(frame, "aten::zeros", [size], {"dtype": dtype})


def new(frame: Frame, tensor: Item, *args: Item, **kwargs: Item) -> Item:
    """``x.new(...)``, of the dtype of ``x``."""
    return make(frame, call_op(frame, "prim::dtype", [tensor], type=DTYPE), args)


def _maker(cls: type, dtype: torch.dtype) -> Callable[..., Item]:
    def apply(frame: Frame, *args: Item, device: Item = NOTHING, **kwargs: Item) -> Item:
        if kwargs:
            raise CompileError(
                f"torch.{cls.__name__} takes no argument {next(iter(kwargs))}",
                f"write torch.tensor(data, dtype={dtype})",
            )
        return make(frame, Constant(dtype), args)

    return apply


def _same(frame: Frame, data: Item, requires_grad: Item = TRUE, volatile: Item = NOTHING) -> Item:
    if not isinstance(type_of(data), TensorType):
        raise CompileError(f"{data.describe()} is no Tensor")
    return data


_NUMBERS = (BOOL, INT, FLOAT, COMPLEX, NUMBER)
_ONE_FACTOR = {"add": "alpha", "sub": "alpha", "addcmul": "value", "addcdiv": "value"}
_TWO_FACTORS = ("addmm", "addmv", "addr", "addbmm", "baddbmm")


def modern(name: str, args: list[Item], kwargs: dict[str, Item]) -> list[Item]:
    """The tensors of ``torch.add(x, 2, y)`` and ``torch.addmm(0.5, x, 2, a, b)``, as old code has
    them; their factors go into ``kwargs``."""
    name = name.removesuffix("_")
    order = "".join("n" if type_of(each) in _NUMBERS else "t" for each in args)
    factors: tuple[str, ...] = ()
    if name in _ONE_FACTOR and order in ("tnt", "tntt"):
        factors = (_ONE_FACTOR[name],) if (len(order) == 4) == name.startswith("addc") else ()
    elif name in _TWO_FACTORS and order in ("ntntt", "tnntt", "nttt", "tntt"):
        factors = ("beta", "alpha")
    if not factors:
        return args
    numbers = [each for each, kind in zip(args, order, strict=True) if kind == "n"]
    kwargs.update(zip(factors, numbers, strict=False))
    return [each for each, kind in zip(args, order, strict=True) if kind == "t"]


def _dense_product(frame: Frame, a: Item, b: Item) -> Item:
    """A product whose first matrix may be sparse in PyTorch; programs have dense ones only."""
    return call_op(frame, "aten::mm", [a, b])


LEGACY: dict[Any, Callable[..., Item]] = {
    torch.Tensor: _maker(torch.Tensor, torch.float32),
    **{cls: _maker(cls, cls.dtype) for cls in _CLASSES},
    torch.autograd.Variable: _same,
    torch.nn.Parameter: _same,
    torch.spmm: _dense_product,
    torch.dsmm: _dense_product,
    torch.sparse.mm: _dense_product,
}
