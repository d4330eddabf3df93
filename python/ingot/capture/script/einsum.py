"""einsum with an equation known while compiling: permutations around matrix products.

The dimensions of an ellipsis are made one for it, and divided again in the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.library import product
from ingot.capture.script.operations import call_op
from ingot.capture.script.values import Constant, Item, ListItem, TupleItem

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame


def contract(a, b, order_a, order_b, batch, left, shared, order):  # type: ignore[no-untyped-def]
    """Sums products over the shared dimensions.

    ``a`` permuted is [batch, left, shared] and ``b`` permuted [batch, shared, right], each a
    group of dimensions; ``order`` permutes [batch, left, right] to the result. Where one has
    size 1 and the other has not, it stands for all of them, as everywhere.
    """
    first, second = a.permute(order_a), b.permute(order_b)
    rows = list(first.shape[batch : batch + left])
    columns = list(second.shape[batch + shared :])
    summed: list[int] = [
        second.size(batch + k)
        if first.size(batch + left + k) == 1
        else first.size(batch + left + k)
        for k in range(shared)
    ]
    outer_a, outer_b = list(first.shape[:batch]), list(second.shape[:batch])
    inner = product(summed)
    whole = torch.matmul(
        first.expand([*outer_a, *rows, *summed]).reshape([*outer_a, product(rows), inner]),
        second.expand([*outer_b, *summed, *columns]).reshape([*outer_b, inner, product(columns)]),
    )
    return whole.reshape([*whole.shape[:batch], *rows, *columns]).permute(order)


def reduce(a, dims, order):  # type: ignore[no-untyped-def]
    """Sums over ``dims`` and permutes what is left."""
    summed = a.sum(dims) if len(dims) > 0 else a
    return summed.permute(order)


def common_shape(tensors, before, after):  # type: ignore[no-untyped-def]
    """What the dimensions of the tensors between the first and the last ones broadcast to."""
    common: list[int] = []
    for tensor, first, last in zip(tensors, before, after, strict=True):
        own = list(tensor.shape)[first : tensor.dim() - last]
        longer, shorter = (own, common) if len(own) > len(common) else (common, own)
        padded = [1] * (len(longer) - len(shorter)) + shorter
        common = [a if b == 1 else b for a, b in zip(longer, padded, strict=True)]
    return common


def joined(tensor, first, last, common):  # type: ignore[no-untyped-def]
    """The dimensions between broadcast to ``common`` and made one."""
    shape = list(tensor.shape)
    head, own = shape[:first], shape[first : tensor.dim() - last]
    tail = shape[tensor.dim() - last :]
    ones = [1] * (len(common) - len(own))
    wide = tensor.reshape([*head, *ones, *own, *tail]).expand([*head, *common, *tail])
    return wide.reshape([*head, product(common), *tail])


def divided(tensor, place, common):  # type: ignore[no-untyped-def]
    """Dimension ``place`` as those of ``common``."""
    shape = list(tensor.shape)
    return tensor.reshape([*shape[:place], *common, *shape[place + 1 :]])


def einsum(frame: Frame, equation: Item, operands: Item) -> Item:
    """Raises CompileError if the equation is not known while compiling."""
    if not isinstance(equation, Constant):
        raise CompileError("einsum needs an equation that is known while compiling")
    if not isinstance(operands, TupleItem | ListItem):
        values = frame.builder.list_unpack(frame.value(operands), equation.value.count(",") + 1)
        operands = TupleItem(tuple(map(frame.dynamic, values)))
    labels, result = _parse(equation.value, len(operands.items))
    items, common = _with_ellipses_joined(frame, operands.items, labels)
    parts = [_diagonals(frame, *part) for part in zip(items, labels, strict=True)]
    items, labels = [item for item, _ in parts], [names for _, names in parts]
    summed = _contracted(frame, items, labels, result)
    if _ELLIPSIS not in result:
        return summed
    place = Constant(result.index(_ELLIPSIS))
    return frame.compiler.call(frame, divided, [summed, place, common], {}, frame.node)


_ELLIPSIS = "."
"""Stands among the letters for the dimensions of an ellipsis, once they are one dimension."""


def _with_ellipses_joined(
    frame: Frame, items: Sequence[Item], labels: list[str]
) -> tuple[list[Item], Item]:
    """The operands with one dimension for an ellipsis, and the sizes that it stands for."""
    with_one = [
        (item, Constant(names.index(_ELLIPSIS)), Constant(len(names) - names.index(_ELLIPSIS) - 1))
        for item, names in zip(items, labels, strict=True)
        if _ELLIPSIS in names
    ]
    if not with_one:
        return list(items), ListItem(())
    lists: list[Item] = [ListItem(column) for column in zip(*with_one, strict=True)]
    common = frame.compiler.call(frame, common_shape, lists, {}, frame.node)
    rows = iter(with_one)
    return [
        frame.compiler.call(frame, joined, [*next(rows), common], {}, frame.node)
        if _ELLIPSIS in names
        else item
        for item, names in zip(items, labels, strict=True)
    ], common


def _diagonals(frame: Frame, item: Item, names: str) -> tuple[Item, str]:
    """Dimensions of the same letter as one."""
    for letter in dict.fromkeys(names):
        while names.count(letter) > 1:
            first = names.index(letter)
            second = names.index(letter, first + 1)
            places = map(Constant, (0, first, second))
            item = call_op(frame, "aten::diagonal", [item, *places])
            names = names[:first] + names[first + 1 : second] + names[second + 1 :] + letter
    return item, names


def _contracted(frame: Frame, items: list[Item], labels: list[str], result: str) -> Item:
    current, names = items[0], labels[0]
    for k, (item, other) in enumerate(zip(items[1:], labels[1:], strict=True), 1):
        needed = set(result).union(*labels[k + 1 :])
        current, names = _reduced(frame, current, names, needed | set(other))
        item, other = _reduced(frame, item, other, needed | set(names))
        batch = [n for n in names if n in other and n in needed]
        shared = [n for n in names if n in other and n not in needed]
        left = [n for n in names if n not in other]
        right = [n for n in other if n not in names]
        made = [*batch, *left, *right]
        target = list(result) if k == len(labels) - 1 else made
        args = [
            current,
            item,
            _numbers(names.index(n) for n in (*batch, *left, *shared)),
            _numbers(other.index(n) for n in (*batch, *shared, *right)),
            *map(Constant, (len(batch), len(left), len(shared))),
            _numbers(made.index(n) for n in target),
        ]
        current = frame.compiler.call(frame, contract, args, {}, frame.node)
        names = "".join(target)
    if names == result:
        return current
    current, names = _reduced(frame, current, names, set(result))
    return _permuted(frame, current, "", _numbers(names.index(n) for n in result))


def _parse(equation: str, count: int) -> tuple[list[str], str]:
    text = equation.replace(" ", "").replace("...", _ELLIPSIS)
    inputs, arrow, result = text.partition("->")
    labels = inputs.split(",")
    every = "".join(labels)
    if not arrow:
        single = sorted(n for n in set(every) if every.count(n) == 1)
        result = "".join([_ELLIPSIS] * (_ELLIPSIS in every) + [n for n in single if n != _ELLIPSIS])
    letters = (every + result).replace(_ELLIPSIS, "")
    if not (letters.isascii() and (letters.isalpha() or not letters)) or any(
        each.count(_ELLIPSIS) > 1 for each in (*labels, result)
    ):
        raise CompileError(
            f"the einsum equation {equation!r} cannot be read",
            "write a letter per dimension, and at most one ... for the others of an operand",
        )
    if len(set(result)) != len(result) or not set(result) <= set(every):
        raise CompileError(
            f"the result of the einsum equation {equation!r} must have letters of the operands, "
            "each once"
        )
    if len(labels) != count:
        raise CompileError(f"the einsum equation has {len(labels)} operands, {count} are given")
    return labels, result


def _reduced(frame: Frame, item: Item, names: str, needed: set[str]) -> tuple[Item, str]:
    dropped = [n for n in names if n not in needed]
    if not dropped:
        return item, names
    kept = "".join(n for n in names if n in needed)
    order = _numbers(range(len(kept)))
    return _permuted(frame, item, [names.index(n) for n in dropped], order), kept


def _permuted(frame: Frame, item: Item, dims, order: Item) -> Item:  # type: ignore[no-untyped-def]
    args = [item, _numbers(dims), order]
    return frame.compiler.call(frame, reduce, args, {}, frame.node)


def _numbers(values) -> Item:  # type: ignore[no-untyped-def]
    return TupleItem(tuple(map(Constant, values)))
