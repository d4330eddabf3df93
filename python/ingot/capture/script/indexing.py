"""Tensor indexing: ints and slices are views, tensors and lists pick elements.

The rules are those of PyTorch's Python binding (``torch/csrc/autograd/python_variable_indexing``):
ints, slices, ``None`` and ``...`` are applied from the left as views; then what remains of
tensors indexes the view. Dimensions right of ``...`` are counted from the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.items import type_of
from ingot.capture.script.language import SIZE
from ingot.capture.script.numpy_values import tensor_of
from ingot.capture.script.operations import call_op
from ingot.capture.script.values import (
    NOTHING,
    Constant,
    Item,
    PythonItem,
    RangeItem,
    SliceItem,
    TupleItem,
)
from ingot.ir.types import (
    BOOL,
    COMPLEX,
    FLOAT,
    INT,
    TENSOR,
    ListType,
    OptionalType,
    TensorType,
    Type,
)

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame


@dataclass(eq=False)
class _Indexed:
    """A view, and the tensors that index its first and its last dimensions (None: all)."""

    view: Item
    left: list[Item] = field(default_factory=list)
    right: list[Item] = field(default_factory=list)

    @property
    def picks(self) -> bool:
        return any(each != NOTHING for each in (*self.left, *self.right))


def read_index(frame: Frame, tensor: Item, index: Item) -> Item:
    """``tensor[index]``."""
    indexed = _apply(frame, tensor, index)
    if not indexed.picks:
        return indexed.view
    return call_op(frame, "aten::index", [indexed.view, _indices(frame, indexed)])


def write_index(frame: Frame, tensor: Item, index: Item, value: Item) -> None:
    """``tensor[index] = value``, in place."""
    indexed = _apply(frame, tensor, index)
    type = type_of(value)
    if type in (BOOL, INT, FLOAT, COMPLEX):
        if not indexed.picks:
            call_op(frame, "aten::fill_", [indexed.view, value])
            return
        dtype = call_op(frame, "prim::dtype", [tensor])
        value = call_op(frame, "aten::scalar_tensor", [value], {"dtype": dtype})
    elif not isinstance(type, TensorType):
        raise CompileError(f"{value.describe()} cannot be stored in a tensor")
    if not indexed.picks:
        call_op(frame, "aten::copy_", [indexed.view, value])
        return
    call_op(frame, "aten::index_put_", [indexed.view, _indices(frame, indexed), value])


def is_view(index: Item) -> bool:
    """Whether ``tensor[index]`` shares the tensor's memory."""
    return all(
        isinstance(each, SliceItem | PythonItem) or each == NOTHING or type_of(each) == INT
        for each in _parts(index)
    )


def _parts(index: Item) -> tuple[Item, ...]:
    return index.items if isinstance(index, TupleItem) else (index,)


def _apply(frame: Frame, tensor: Item, index: Item) -> _Indexed:
    parts = _parts(index)
    places = [i for i, p in enumerate(parts) if isinstance(p, PythonItem) and p.object is Ellipsis]
    if len(places) > 1:
        raise CompileError("an index can have only one ...")
    split = places[0] if places else len(parts)
    found = _Indexed(tensor)
    dim = 0
    for part in parts[:split]:
        dim += _step(frame, found, part, dim, found.left, right=False)
    dim = -1
    for part in reversed(parts[split + 1 :]):
        dim -= _step(frame, found, part, dim, found.right, right=True)
    return found


def _step(
    frame: Frame, found: _Indexed, part: Item, dim: int, picks: list[Item], right: bool
) -> int:
    """Applies one part of an index at ``dim``; gives how many dimensions it leaves behind."""
    part = tensor_of(frame, frame.force(part))
    if isinstance(part, RangeItem):
        part = call_op(frame, "aten::arange", [part.start, part.stop, part.step])
    at = Constant(dim)
    pick: Item = NOTHING
    if part == NOTHING:
        found.view = call_op(frame, "aten::unsqueeze", [found.view, at])
    elif isinstance(part, SliceItem):
        found.view = _slice(frame, found.view, at, part)
    else:
        part = _whole(frame, part)
        type = type_of(part)
        if type == INT:
            found.view = call_op(frame, "aten::select", [found.view, at, part])
            return 0
        if type == BOOL:  # a mask over a dimension of one that is not there yet
            found.view = call_op(frame, "aten::unsqueeze", [found.view, at])
            pick = _mask_of_one(frame, part)
        elif isinstance(type, TensorType):
            pick = part
        elif isinstance(type, ListType) or type == SIZE or isinstance(part, TupleItem):
            pick = _list_pick(frame, part, type)
        else:
            raise CompileError(f"{part.describe()} cannot index a tensor")
    if right:
        picks.insert(0, pick)
    else:
        picks.append(pick)
    return 1


def _mask_of_one(frame: Frame, part: Item) -> Item:
    from ingot.capture.script.torch_functions import as_tensor

    return as_tensor(frame, TupleItem((part,)))


def _list_pick(frame: Frame, part: Item, type: Type | None) -> Item:
    """A list of numbers, nested or not, as the tensor that it means as an index."""
    element = type.element if isinstance(type, ListType) else INT
    if element in (INT, BOOL):
        numbers = frame.dynamic(frame.value(part, ListType(element)))
        return call_op(frame, "aten::tensor", [numbers])
    from ingot.capture.script.library import tensor_of_numbers
    from ingot.capture.script.operators import is_number_union
    from ingot.capture.script.torch_functions import make_tensor

    inner = element
    while isinstance(inner, ListType):
        inner = inner.element
    if is_number_union(element):  # numbers of tolist(), of one kind that only a run shows
        return frame.call(tensor_of_numbers, part)
    if inner not in (INT, BOOL, FLOAT):
        raise CompileError(f"{part.describe()} cannot index a tensor")
    dtype = Constant(torch.bool if inner == BOOL else torch.int64)
    return make_tensor(frame, part, dtype)


def _slice(frame: Frame, tensor: Item, dim: Item, part: SliceItem) -> Item:
    step = Constant(1) if part.step == NOTHING else part.step
    if isinstance(step, Constant) and step.value <= 0:
        raise CompileError("the step of a tensor's slice must be positive", "use torch.flip")
    if part.start == NOTHING and part.stop == NOTHING and step == Constant(1):
        return tensor
    bounds = [_bound(frame, b) for b in (part.start, part.stop, step)]
    return call_op(frame, "aten::slice", [tensor, dim, *bounds])


def _bound(frame: Frame, item: Item) -> Item:
    item = _whole(frame, frame.force(item))
    if isinstance(type_of(item), TensorType):
        return call_op(frame, "aten::Int", [item])
    return item


def _whole(frame: Frame, item: Item) -> Item:
    """A number of ``x.item()`` as an int, which a run checks; other items as they are."""
    from ingot.capture.script.operators import as_plain, is_number_union

    if not is_number_union(type_of(item)):
        return item
    return frame.dynamic(frame.value(as_plain(frame, item), INT))


def _indices(frame: Frame, found: _Indexed) -> Item:
    """The Tensor?[] argument of aten::index."""
    optional = OptionalType(TENSOR)
    builder = frame.builder

    def construct(items: list[Item]) -> Item:
        values = [frame.value(each, optional) for each in items]
        return frame.dynamic(builder.list_construct(values, optional), ListType(optional))

    left, right = list(found.left), list(found.right)
    if not any(each != NOTHING for each in right):
        while left and left[-1] == NOTHING:
            left.pop()
        return construct(left)
    rank = call_op(frame, "aten::dim", [found.view])
    between = call_op(frame, "aten::sub", [rank, Constant(len(left) + len(right))])
    skipped = call_op(frame, "aten::mul", [construct([NOTHING]), between], type=ListType(optional))
    parts = [skipped, construct(right)]
    if left:
        parts.insert(0, construct(left))
    whole = parts[0]
    for part in parts[1:]:
        whole = call_op(frame, "aten::add", [whole, part], type=ListType(optional))
    return whole
