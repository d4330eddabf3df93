"""Ops of the catalogue on PyTorch's samples: planned alone and between others, and interpreted."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice

import pytest
import torch
from tests.ops.opinfo import CATALOGUE, lists_where_due, numbers_where_due, resolve
from tests.ops.oracle import _plain, compare, overload, positional, torch_results
from tests.plan.agreement import check_same, copies, interpreted, outcome, sharing, strides
from tests.plan.recipe import parameter
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.opinfo.core import OpInfo
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten

from ingot import _ingot
from ingot.ir.builder import Builder
from ingot.ir.graph import Program, Value
from ingot.ir.printer import print_program
from ingot.ir.types import TENSOR
from ingot.module import Module

DTYPES = [torch.float32, torch.bfloat16, torch.int64, torch.bool]
KNOWN = 24  # of the samples of an op and dtype
PACKETS = {name.split("::")[1].split(".")[0] for name in CATALOGUE if name.startswith("aten::")}
# The first takes a memory format, which programs have as a number; the others set no elements.
UNTESTED = {
    "to", "empty", "empty_like", "new_empty", "empty_strided", "new_empty_strided",
    "empty_permuted",
}  # fmt: skip


def packet_of(info: OpInfo) -> str:
    return (info.aten_name or info.name).split(".")[-1]


# No two calls agree; tests/ops/test_random.py.
RANDOM = {name.split("::")[1].split(".")[0] for name in _ingot.random_ops()}
INFOS = [
    info
    for info in op_db
    if packet_of(info) in PACKETS - UNTESTED - RANDOM and not info.name.startswith("masked.")
]


def calls(info: OpInfo, packet: str, dtype: torch.dtype) -> Iterator[tuple[str, list]]:
    """An op and its arguments, all of them, for each sample that the catalogue has."""
    torch.manual_seed(0)
    # Not info.sample_inputs, which looks through the stack for the test that asks.
    for sample in info.sample_inputs_func(info, "cpu", dtype, False):
        args, kwargs = (sample.input, *sample.args), dict(sample.kwargs)
        try:
            name, args = resolve(packet, args, kwargs)
        except RuntimeError:  # PyTorch's function does more than call this op
            continue
        args, kwargs = lists_where_due(name, numbers_where_due(name, args), kwargs)
        if name not in CATALOGUE:
            continue
        values = positional(name, args, {k: v for k, v in kwargs.items() if k != "device"})
        arguments = overload(name)._schema.arguments
        if not any(str(a.type) == "Tensor" and not isinstance(v, torch.Tensor)
                   for a, v in zip(arguments, values, strict=True)):  # fmt: skip
            yield name, values


class Form:
    """What stands around the op in its program."""

    def __init__(self, b: Builder) -> None:
        self.b = b

    def before(self, value: Value, given: torch.Tensor) -> Value:
        return value

    def after(self, value: Value) -> Value:
        return value


class Alone(Form):
    pass


class Between(Form):
    """Its operands are values of the region, and its result is an operand there."""

    def before(self, value: Value, given: torch.Tensor) -> Value:
        return self.b.op("aten::maximum", value, value)

    def after(self, value: Value) -> Value:
        return self.b.op("aten::maximum", value, value)


class AfterConvolutions(Between):
    """Its operands are convolved, so that they lie in channels-last memory."""

    def before(self, value: Value, given: torch.Tensor) -> Value:
        if given.dtype != torch.float32 or not 3 <= given.dim() <= 5 or given.shape[1] == 0:
            return super().before(value, given)
        rank, channels = given.dim() - 2, given.shape[1]
        state = self.b.program.state
        name = f"w{len(state)}"
        state[name] = parameter(name, torch.ones(channels, 1, *[1] * rank))
        one, zero = [1] * rank, [0] * rank
        weight = self.b.state(name)
        return self.b.op(f"aten::conv{rank}d", value, weight, None, one, zero, one, channels)


FORMS = [Alone, Between, AfterConvolutions]


def given_tensors(values: list) -> list[torch.Tensor]:
    """Those among the values, or one that nobody asks for: results are like what was given."""
    found = [leaf for leaf in tree_flatten(values)[0] if isinstance(leaf, torch.Tensor)]
    return found or [torch.zeros(1)]


def program(name: str, values: list, form: type[Form]) -> Program:
    """``forward`` takes the tensors among the values and returns them, and what the op gives."""
    leaves, tree = tree_flatten(tree_map(_plain, values))
    given = given_tensors(values)
    result = Program()
    b = Builder.method(result, "forward", [(f"x{i}", TENSOR) for i in range(len(given))])
    around = form(b)
    operands = [around.before(v, t) for v, t in zip(b.inputs, given, strict=True)]
    rest = iter(operands)
    leaves = [next(rest) if isinstance(leaf, torch.Tensor) else leaf for leaf in leaves]
    arguments = list(
        zip(overload(name)._schema.arguments, tree_unflatten(leaves, tree), strict=True)
    )
    found = b.op(
        name,
        *(v for a, v in arguments if not a.kwarg_only),
        **{a.name: v for a, v in arguments if a.kwarg_only},
    )
    results = list(found) if isinstance(found, tuple) else [found]
    after = [around.after(v) for v in results if v.type == TENSOR]
    b.returns(b.tuple_construct([*operands, *results, *after]))
    return result


def check(name: str, values: list, form: type[Form]) -> None:
    code = program(name, values, form)
    given = given_tensors(values)
    try:
        module = Module.from_program(code)
        written = copies(given)
        wanted = outcome(lambda *args: interpreted(module, *args), written)
        for _ in range(2):
            again = copies(given)
            found = outcome(module, again)
            agree(name, values, found, wanted)
            check_same(again, written)
            if not isinstance(found, str) and not isinstance(wanted, str):
                assert sharing([*found, *again]) == sharing([*wanted, *written])
    except Exception as error:
        shown = [f"{t.dtype} {list(t.shape)} {t.stride()}" for t in given]
        error.add_note(f"inputs: {shown}\n{print_program(code)}")
        raise


def agree(
    name: str, values: list, found: list[torch.Tensor] | str, wanted: list[torch.Tensor] | str
) -> None:
    """The interpreter's own elements, or others as near to PyTorch's as tests/ops asks."""
    try:
        return check_same(found, wanted)
    except AssertionError:
        if isinstance(found, str) or isinstance(wanted, str):
            raise
        for a, b in zip(found, wanted, strict=True):
            if a.dtype != b.dtype or a.shape != b.shape or strides(a) != strides(b):
                raise
        expected = torch_results(name, copied(values))
        last = len(found) - len(expected)
        check_same(found[: last - len(expected)], wanted[: last - len(expected)])
        compare(name, copied(values), found[last - len(expected) : last], expected)
        compare(name, copied(values), found[last:], expected)


def copied(values: list) -> list:
    return tree_map(lambda v: copies([v])[0] if isinstance(v, torch.Tensor) else v, values)


@pytest.mark.parametrize("info", INFOS, ids=lambda info: info.full_name)
def test_samples(info: OpInfo) -> None:
    chosen = random.Random(info.full_name)
    tested = 0
    for dtype in DTYPES:
        if dtype not in info.dtypes:
            continue
        for packet in sorted({packet_of(info), packet_of(info) + "_"} & PACKETS):
            found = list(islice(calls(info, packet, dtype), KNOWN))
            for form in FORMS if dtype == torch.float32 else FORMS[:2]:
                count = 2 if dtype == torch.float32 else 1
                for name, values in chosen.sample(found, min(count, len(found))):
                    check(name, values, form)
                    tested += 1
    if tested == 0:
        pytest.skip("PyTorch's function does more than call the op")
