"""The functions and layers of einops: ``rearrange(x, "b (h w) c -> b c h w", h=4)``.

A pattern is read while compiling, so a call becomes a reshape, a reduction, a permutation, an
expansion and a reshape, of which those that do nothing are left out. The package need not be
there. Patterns are as https://einops.rocks/api/rearrange/ describes them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ingot.capture.script.containers import product
from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.expressions import join_elements
from ingot.capture.script.items import type_of
from ingot.capture.script.language import SIZE
from ingot.capture.script.operations import call_op
from ingot.capture.script.operators import binary
from ingot.capture.script.values import Constant, Item, ModuleItem, SliceItem, TupleItem
from ingot.ir.types import INT, ListType, TensorType

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame

_REST = "..."
_ONE = Constant(1)
_NONE = Constant(None)
_REDUCTIONS = {"sum": "aten::sum", "mean": "aten::mean", "max": "aten::amax", "min": "aten::amin"}

Groups = list[list[str]]


class _Rest(list[str]):
    """``...`` outside of parentheses."""


def _side(text: str, lengths: dict[str, Item]) -> Groups:
    """The axes of one side of a pattern, those in parentheses together. A number is an axis
    without a name; 1 is none. Raises CompileError."""
    groups: Groups = []
    inside: list[str] | None = None
    for token in re.findall(r"\.\.\.|…|\w+|\S", text):
        if token == "(" and inside is None:
            inside = []
        elif token == ")" and inside is not None:
            groups.append(inside)
            inside = None
        elif token in (_REST, "…") or token.isidentifier() or token.isdecimal():
            axes = [_REST if token == "…" else token]
            if token.isdecimal():
                axes = [] if token == "1" else [f"{token} of {len(lengths)}"]
                lengths.update({axis: Constant(int(token)) for axis in axes})
            if inside is None:
                groups.append(_Rest(axes) if axes == [_REST] else axes)
            else:
                inside += axes
        else:
            raise CompileError(f"the pattern {text!r} cannot be read at {token!r}")
    if inside is not None:
        raise CompileError(f"the pattern {text!r} has no ) for its (")
    names = [axis for group in groups for axis in group]
    if len(set(names)) != len(names):
        raise CompileError(f"an axis stands twice in {text!r}")
    return groups


def _pattern(item: Item) -> tuple[str, str]:
    text = item.value if isinstance(item, Constant) else None
    if not isinstance(text, str) or text.count("->") != 1:
        raise CompileError("a pattern must be known while compiling and have one ->")
    left, _, right = text.partition("->")
    return left, right


def _transformed(
    frame: Frame, tensor: Item, pattern: Item, lengths: dict[str, Item], kind: str
) -> Item:
    """``rearrange``, ``repeat`` or one of the reductions."""
    if not isinstance(type_of(tensor), TensorType):
        tensor = call_op(frame, "aten::stack", [tensor])
    lengths = dict(lengths)
    texts = _pattern(pattern)
    left, right = _side(texts[0], lengths), _side(texts[1], lengths)
    here = [axis for group in left for axis in group]
    there = [axis for group in right for axis in group]
    unused = [axis for axis in lengths if axis not in here and axis not in there]
    if unused:
        raise CompileError(f"the pattern has no axis {unused[0]}")
    gone = [axis for axis in here if axis not in there]
    new = [axis for axis in there if axis not in here]
    if (gone and kind in ("rearrange", "repeat")) or (new and kind != "repeat"):
        odd = (gone if kind in ("rearrange", "repeat") and gone else new)[0]
        raise CompileError(f"the axis {odd} is on one side of the pattern only")
    places = [k for k, group in enumerate(left) if isinstance(group, _Rest)]
    if not places and _REST in here:
        raise CompileError("... cannot be in parentheses on the left of a pattern")
    sizes, rest = _sizes(frame, tensor, left, lengths, places[0] if places else None)
    if any(len(group) != 1 for group in left) or rest is not None:
        tensor = call_op(frame, "aten::reshape", [tensor, TupleItem(tuple(sizes[a] for a in here))])
    if gone:
        tensor = _reduced(frame, tensor, kind, [here.index(axis) for axis in gone])
    kept = [axis for axis in here if axis in there]
    order = [kept.index(axis) for axis in there if axis in kept]
    if order != sorted(order):
        tensor = call_op(frame, "aten::permute", [tensor, _ints(order)])
    if new:
        for axis in new:
            if axis not in lengths:
                raise CompileError(f"the length of the new axis {axis} is not given")
            sizes[axis] = lengths[axis]
            tensor = call_op(frame, "aten::unsqueeze", [tensor, Constant(there.index(axis))])
        tensor = call_op(frame, "aten::expand", [tensor, TupleItem(tuple(sizes[a] for a in there))])
    if any(len(group) != 1 for group in right) or rest is not None:
        tensor = call_op(frame, "aten::reshape", [tensor, _shape(frame, right, sizes, rest)])
    return tensor


def _sizes(
    frame: Frame, tensor: Item, left: Groups, lengths: dict[str, Item], place: int | None
) -> tuple[dict[str, Item], Item | None]:
    """The length of each axis of the left side, and those that ``...`` stands for."""
    from ingot.capture.script.subscripts import subscript

    shape = call_op(frame, "aten::size", [tensor], type=SIZE)
    rest = None
    if place is not None:
        after = len(left) - place - 1
        rank = call_op(frame, "aten::dim", [tensor])
        _require(frame, call_op(frame, "aten::ge", [rank, Constant(len(left) - 1)]),
                 f"the pattern is for tensors of {len(left) - 1} or more dimensions")  # fmt: skip
        rest = subscript(
            frame, shape, SliceItem(Constant(place), Constant(-after) if after else _NONE, _NONE)
        )
        whole: list[Item] = [
            product(frame, rest)
            if k == place
            else call_op(frame, "aten::size", [tensor, Constant(k if k < place else k - len(left))])
            for k in range(len(left))
        ]
    else:
        whole = [frame.dynamic(v) for v in frame.builder.list_unpack(frame.value(shape), len(left))]
    found: dict[str, Item] = {}
    for group, size in zip(left, whole, strict=True):
        unknown = [axis for axis in group if axis not in lengths]
        if len(unknown) > 1:
            raise CompileError(f"the lengths of {' and '.join(unknown)} are not given")
        known = _product(frame, [lengths[axis] for axis in group if axis in lengths])
        found.update({axis: lengths[axis] for axis in group if axis in lengths})
        if unknown:
            found[unknown[0]] = size if known == _ONE else binary(frame, "//", size, known)
        else:
            _require(frame, call_op(frame, "aten::eq", [size, known]),
                     f"the axes ({' '.join(group)}) of a pattern have other lengths")  # fmt: skip
    return found, rest


def _shape(frame: Frame, groups: Groups, sizes: dict[str, Item], rest: Item | None) -> Item:
    parts: list[Item] = []
    spread = []
    for group in groups:
        if isinstance(group, _Rest) and rest is not None:
            spread.append(len(parts))
            parts.append(frame.dynamic(frame.value(rest), ListType(INT)))
        else:
            parts.append(_product(frame, [sizes[axis] for axis in group]))
    return join_elements(frame, parts, spread) if spread else TupleItem(tuple(parts))


def _product(frame: Frame, items: list[Item]) -> Item:
    result: Item = _ONE
    for each in items:
        if type_of(each) != INT:
            raise CompileError(f"the length of an axis is {each.describe()}", "give an int")
        result = each if result == _ONE else binary(frame, "*", result, each)
    return result


def _ints(values: list[int]) -> Item:
    return TupleItem(tuple(map(Constant, values)))


def _reduced(frame: Frame, tensor: Item, kind: str, dims: list[int]) -> Item:
    if kind in _REDUCTIONS:
        return call_op(frame, _REDUCTIONS[kind], [tensor, _ints(dims)])
    if kind not in ("prod", "any", "all"):
        raise CompileError(f"the reduction {kind} of a pattern cannot be compiled")
    for dim in sorted(dims, reverse=True):
        tensor = call_op(frame, f"aten::{kind}", [tensor, Constant(dim)])
    return tensor


def _require(frame: Frame, condition: Item, message: str) -> None:
    branch = frame.builder.if_(frame.value(condition))
    with frame.builder.at(branch.blocks[1]):
        frame.builder.raise_exception(message, "EinopsError")


def _rearrange(frame: Frame, tensor: Item, pattern: Item, **lengths: Item) -> Item:
    return _transformed(frame, tensor, pattern, lengths, "rearrange")


def _repeat(frame: Frame, tensor: Item, pattern: Item, **lengths: Item) -> Item:
    return _transformed(frame, tensor, pattern, lengths, "repeat")


def _reduce(frame: Frame, tensor: Item, pattern: Item, reduction: Item, **lengths: Item) -> Item:
    kind = reduction.value if isinstance(reduction, Constant) else None
    if not isinstance(kind, str) or kind in ("rearrange", "repeat"):
        raise CompileError("the reduction of a pattern must be a str that is known while compiling")
    return _transformed(frame, tensor, pattern, lengths, kind)


def _einsum(frame: Frame, *items: Item) -> Item:
    """Names of axes become letters."""
    from ingot.capture.script.einsum import einsum

    left, right = _pattern(items[-1])
    names = list(dict.fromkeys(re.findall(r"\w+", f"{left} {right}")))
    if len(names) > 52 or re.search(r"[^\w\s,.]", f"{left} {right}"):
        raise CompileError("this pattern of an einsum cannot be compiled")
    letters = {name: chr((97 if k < 26 else 39) + k) for k, name in enumerate(names)}

    def short(text: str) -> str:
        return re.sub(r"\w+", lambda m: letters[m[0]], text).replace(" ", "")

    return einsum(frame, Constant(f"{short(left)}->{short(right)}"), TupleItem(items[:-1]))


def layer(frame: Frame, item: ModuleItem, args: list[Item]) -> Item | None:
    """A call of a ``Rearrange`` or ``Reduce`` layer; None for other modules."""
    module: Any = item.module
    name = type(module).__name__
    if not type(module).__module__.startswith("einops.layers") or len(args) != 1:
        return None
    if name not in ("Rearrange", "Reduce"):
        return None
    kind = "rearrange" if name == "Rearrange" else module.reduction
    lengths: dict[str, Item] = {k: Constant(v) for k, v in module.axes_lengths.items()}
    return _transformed(frame, args[0], Constant(module.pattern), lengths, kind)


PATTERN_FUNCTIONS: dict[tuple[str | None, str | None], Callable[..., Item]] = {
    ("einops.einops", "rearrange"): _rearrange,
    ("einops.einops", "repeat"): _repeat,
    ("einops.einops", "reduce"): _reduce,
    ("einops.einops", "einsum"): _einsum,
}
