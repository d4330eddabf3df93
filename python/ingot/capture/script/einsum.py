"""einsum with an equation known while compiling: permutations around matrix products."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.library import product
from ingot.capture.script.values import Constant, Item, ListItem, TupleItem

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame


def contract(a, b, order_a, order_b, batch, left, shared, order):  # type: ignore[no-untyped-def]
    """Sums products over the shared dimensions.

    ``a`` permuted is [batch, left, shared] and ``b`` permuted [batch, shared, right], each a
    group of dimensions; ``order`` permutes [batch, left, right] to the result.
    """
    first, second = a.permute(order_a), b.permute(order_b)
    outer = list(first.shape[:batch])
    rows = list(first.shape[batch : batch + left])
    columns = list(second.shape[batch + shared :])
    inner = product(list(second.shape[batch : batch + shared]))
    whole = torch.matmul(
        first.reshape([*outer, product(rows), inner]),
        second.reshape([*outer, inner, product(columns)]),
    )
    return whole.reshape([*outer, *rows, *columns]).permute(order)


def reduce(a, dims, order):  # type: ignore[no-untyped-def]
    """Sums over ``dims`` and permutes what is left."""
    summed = a.sum(dims) if len(dims) > 0 else a
    return summed.permute(order)


def einsum(frame: Frame, equation: Item, operands: Item) -> Item:
    """Raises CompileError if the equation is not plain letters known while compiling."""
    if not isinstance(equation, Constant):
        raise CompileError("einsum needs an equation that is known while compiling")
    if not isinstance(operands, TupleItem | ListItem):
        values = frame.builder.list_unpack(frame.value(operands), equation.value.count(",") + 1)
        operands = TupleItem(tuple(map(frame.dynamic, values)))
    labels, result = _parse(equation.value, len(operands.items))
    current, names = operands.items[0], labels[0]
    for k, (item, other) in enumerate(zip(operands.items[1:], labels[1:], strict=True), 1):
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
    text = equation.replace(" ", "")
    inputs, arrow, result = text.partition("->")
    labels = inputs.split(",")
    if not arrow:
        every = "".join(labels)
        result = "".join(sorted(n for n in set(every) if every.count(n) == 1))
    if "." in text or not text.replace(",", "").replace("->", "").isalpha():
        raise CompileError(
            f"the einsum equation {equation!r} cannot be compiled", "write a letter per dimension"
        )
    if any(len(set(each)) != len(each) for each in (*labels, result)):
        raise CompileError(
            f"the einsum equation {equation!r} repeats a letter in one operand",
            "take torch.diagonal of the operand first",
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
