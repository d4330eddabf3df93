"""Elementwise ops against PyTorch: its OpInfo samples, promotion, layouts, in-place forms."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from tests.ops.opinfo import CATALOGUE, numbers_where_due, resolve
from tests.ops.oracle import check, overload, positional, run, samples_of, torch_results
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.opinfo.core import BinaryUfuncInfo, OpInfo, UnaryUfuncInfo

import ingot

DTYPES = [
    torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32,
    torch.int16, torch.int8, torch.uint8, torch.bool,
]  # fmt: skip

# Elementwise functions that PyTorch does not classify as unary or binary ones.
FURTHER = {
    "addcdiv", "addcmul", "clamp", "copysign", "diff", "dist", "gelu", "glu",
    "lerp", "masked_fill", "prelu", "threshold", "nn.functional.gelu",
    "nn.functional.glu", "nn.functional.hardswish", "nn.functional.hardtanh",
    "nn.functional.prelu",
}  # fmt: skip


def packet_of(info: OpInfo) -> str:
    return (info.aten_name or info.name).split(".")[-1]


def in_catalogue(packet: str) -> bool:
    """Whether an overload on tensors is; some names are also functions of Python numbers."""
    for variant in getattr(torch.ops.aten, packet).overloads():
        name = f"aten::{packet}" if variant == "default" else f"aten::{packet}.{variant}"
        if name in CATALOGUE and "Tensor " in str(overload(name)._schema):
            return True
    return False


INFOS = [
    info
    for info in op_db
    if (isinstance(info, UnaryUfuncInfo | BinaryUfuncInfo) or info.name in FURTHER)
    and hasattr(torch.ops.aten, packet_of(info))
    and in_catalogue(packet_of(info))
    and packet_of(info) != "polygamma"  # its samples have the order second: see below
    and packet_of(info) != "rrelu"  # draws at random: test_random
]
CASES = [
    pytest.param(info, dtype, id=f"{info.full_name}-{str(dtype)[6:]}")
    for info in INFOS
    for dtype in DTYPES
    if dtype in info.dtypes and (info.name, dtype) != ("complex", torch.float16)  # of complex32
]


def is_complex(value: Any) -> bool:
    return isinstance(value, complex) or (isinstance(value, torch.Tensor) and value.is_complex())


@pytest.mark.parametrize("info,dtype", CASES)
def test_opinfo_samples(info: OpInfo, dtype: torch.dtype) -> None:
    """Every sample, through the overload that PyTorch resolves it to."""
    packet = packet_of(info)
    tested = 0
    for sample in samples_of(info, dtype):
        kwargs = dict(sample.kwargs)
        name, args = resolve(packet, (sample.input, *sample.args), kwargs)
        arguments = overload(name)._schema.arguments
        # A Python number where the schema has a Tensor: capture calls the Scalar overload.
        numbers = [a for a, s in zip(args, arguments, strict=False) if str(s.type) == "Tensor"
                   and not isinstance(a, torch.Tensor)]  # fmt: skip
        if numbers or any(map(is_complex, args)):
            continue
        assert name in CATALOGUE
        args = numbers_where_due(name, args)
        check(name, *args, infer=ingot_infers(name), **kwargs)
        tested += 1
    assert tested > 0


def ingot_infers(name: str) -> bool:
    returns = overload(name)._schema.returns
    aliases = any(r.alias_info is not None for r in returns)
    return not aliases and all(str(r.type) == "Tensor" for r in returns)


IN_PLACE = [
    pytest.param(info, dtype, id=f"{info.full_name}-{str(dtype)[6:]}")
    for info in INFOS
    for dtype in [torch.float32, torch.float64, torch.int32, torch.bool]
    if dtype in info.dtypes
    and hasattr(torch.ops.aten, packet_of(info) + "_")
    and in_catalogue(packet_of(info) + "_")
]


@pytest.mark.parametrize("info,dtype", IN_PLACE)
def test_in_place_samples(info: OpInfo, dtype: torch.dtype) -> None:
    """The in-place overload changes self as PyTorch's does, or refuses where PyTorch refuses."""
    packet = packet_of(info) + "_"
    for sample in samples_of(info, dtype):
        kwargs = dict(sample.kwargs)
        if not isinstance(sample.input, torch.Tensor):
            continue
        try:
            name, args = resolve(packet, (sample.input, *sample.args), kwargs)
        except RuntimeError:  # the functional op has overloads that are not in place
            continue
        arguments = overload(name)._schema.arguments
        if any(str(s.type) == "Tensor" and not isinstance(a, torch.Tensor)
               for a, s in zip(args, arguments, strict=False)):  # fmt: skip
            continue
        args = numbers_where_due(name, args)
        values = positional(name, args, dict(kwargs))
        want = [v.clone() if isinstance(v, torch.Tensor) else v for v in values]
        got = [v.clone() if isinstance(v, torch.Tensor) else v for v in values]
        try:
            torch_results(name, want)
        except (RuntimeError, NotImplementedError):
            with pytest.raises(ingot.Error):
                run(name, *got)
            continue
        (result,) = run(name, *got)
        assert result.data_ptr() == got[0].data_ptr()
        torch.testing.assert_close(got[0], want[0], equal_nan=True)


OPERANDS = {
    "dimensions": lambda dtype: torch.ones(2, 3).to(dtype),
    "zero-dim": lambda dtype: torch.tensor(1).to(dtype),
}


@pytest.mark.parametrize("a,b", [*itertools.combinations_with_replacement(DTYPES, 2)])
def test_promotion_of_two_tensors(a: torch.dtype, b: torch.dtype) -> None:
    for left, right in itertools.product(OPERANDS.values(), OPERANDS.values()):
        x, y = left(a), right(b)
        for op in ("add.Tensor", "div.Tensor", "eq.Tensor", "maximum", "atan2"):
            check(f"aten::{op}", x, y)
            check(f"aten::{op}", y, x)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("number", [True, 2, 2.5], ids=str)
def test_promotion_with_a_number(dtype: torch.dtype, number: float) -> None:
    for make in OPERANDS.values():
        x = make(dtype)
        for op in ("add", "mul", "div", "eq", "lt"):
            check(f"aten::{op}.Scalar", x, number)
        check("aten::where.ScalarOther", torch.tensor([True, False, True]), x, number)
        check("aten::where.ScalarSelf", torch.tensor([True, False, True]), number, x)


EXTREME = [-torch.inf, torch.inf, torch.nan, -0.0, 0.0, -1.0, 1.0, 2.0, -1.5, 1.5, 3.0, 1e30, 1e-30]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    "op",
    ["remainder.Tensor", "fmod.Tensor", "floor_divide", "atan2", "hypot", "copysign.Tensor",
     "maximum", "minimum", "fmax", "fmin", "pow.Tensor_Tensor", "nextafter", "xlogy.Tensor",
     "logaddexp", "heaviside", "eq.Tensor", "lt.Tensor", "div.Tensor", "special_zeta"],
)  # fmt: skip
def test_extreme_pairs(op: str, dtype: torch.dtype) -> None:
    values = torch.tensor(EXTREME[:-2] if op == "special_zeta" else EXTREME, dtype=dtype)
    x, y = torch.meshgrid(values, values, indexing="ij")
    check(f"aten::{op}", x, y)


@pytest.mark.parametrize(
    "op",
    ["sign", "relu", "sigmoid", "tanh", "erf", "exp", "log", "log1p", "sqrt", "rsqrt", "silu",
     "mish", "gelu", "hardswish", "hardsigmoid", "selu", "log_sigmoid", "i0", "isnan", "isinf",
     "isfinite", "signbit", "nan_to_num", "round", "trunc", "relu6", "softplus", "lgamma",
     "digamma"],
)  # fmt: skip
def test_extreme_values(op: str) -> None:
    check(f"aten::{op}", torch.tensor(EXTREME))


@pytest.mark.parametrize("dtype", DTYPES)
def test_where(dtype: torch.dtype) -> None:
    for sizes in [(), (0,), (1,), (17,), (3, 17), (3, 0, 2)]:
        condition = torch.randn(sizes) > 0
        x, y = (torch.randn(sizes).mul(50).to(dtype) for _ in range(2))
        check("aten::where.self", condition, x, y)
        check("aten::where.self", condition, x, y[..., :1] if sizes else y)
        check("aten::where.self", torch.tensor(True), x, y)


@pytest.mark.parametrize("n", [0, 1, 2, 4])
def test_polygamma(n: int) -> None:
    for dtype in (torch.float32, torch.float64, torch.int64):
        check("aten::polygamma", n, torch.tensor([0.5, 1, 2.5, 10, 31]).to(dtype))
    check("aten::polygamma", n, torch.tensor([-0.5, -2.75, -10.25], dtype=torch.float64))


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.int8, torch.uint8])
def test_integer_division_rounds_and_wraps_as_pytorch(dtype: torch.dtype) -> None:
    info = torch.iinfo(dtype)
    left = torch.tensor([info.min, info.max, 0, 1, 7, info.max - 1, info.min + 1]).to(dtype)
    right = torch.tensor([1, 2, 3, 5, info.max, *([-1, -3, info.min] if info.min else [])])
    x, y = torch.meshgrid(left, right.to(dtype), indexing="ij")
    for op in ("floor_divide", "remainder.Tensor", "fmod.Tensor", "add.Tensor", "mul.Tensor"):
        if info.min:  # PyTorch itself is undefined for the smallest by -1
            keep = (x != info.min) | (y != -1)
            x, y = x[keep], y[keep]
        check(f"aten::{op}", x, y)
    for mode in ("trunc", "floor"):
        check("aten::div.Tensor_mode", x, y, rounding_mode=mode)


def test_smallest_integer_by_minus_one_wraps() -> None:
    smallest = torch.tensor([torch.iinfo(torch.int64).min])
    assert torch.equal(run("aten::floor_divide", smallest, torch.tensor([-1]))[0], smallest)
    assert torch.equal(run("aten::remainder.Scalar", smallest, -1)[0], torch.tensor([0]))


@pytest.mark.parametrize("op", ["floor_divide", "remainder.Tensor", "fmod.Tensor"])
def test_integer_division_by_zero_raises(op: str) -> None:
    with pytest.raises(ingot.Error, match="divided by zero"):
        run(f"aten::{op}", torch.tensor([1, 2]), torch.tensor([1, 0]))


@pytest.mark.parametrize("sizes", [(0,), (1,), (17,), (3, 0), (3, 17, 1), (5, 513), (2, 3, 700)])
def test_layouts_and_broadcasting(sizes: tuple[int, ...]) -> None:
    x = torch.randn(sizes)
    check("aten::relu", x)
    check("aten::add.Tensor", x, torch.randn(sizes[-1]), alpha=3)
    check("aten::mul.Tensor", x, torch.tensor(2.0))
    check("aten::add.Tensor", x, torch.randn(4, *[1] * len(sizes)))
    check("aten::mul.Tensor", x, torch.randn(1).expand(sizes))
    check("aten::where.self", torch.randn(sizes) > 0, x, torch.randn(sizes[-1]).double())
    if len(sizes) > 1:
        check("aten::sub.Tensor", x, torch.randn(sizes[-2], 1))
        check("aten::sub.Tensor", x.transpose(0, 1), torch.randn(sizes).transpose(0, 1))
        check("aten::exp", x[..., ::2])


def test_large_tensors_are_split_over_threads() -> None:
    x = torch.randn(3, 100003)
    y = torch.randn(100003, 3)
    for threads in (1, 3):
        ingot.set_num_threads(threads)
        check("aten::add.Tensor", x, x * 2)
        check("aten::mul.Tensor", x, y.T)
        check("aten::sum.dim_IntList", y, [0])
    ingot.set_num_threads(0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int64, torch.bool])
def test_answers_about_whole_tensors(dtype: torch.dtype) -> None:
    x = torch.ones(3, 17).to(dtype)
    other = x.clone()
    other[2, 16] = 0
    for y in (x.mT.contiguous().mT, other):
        assert run("aten::equal", x, y) == (torch.equal(x, y),)
        assert run("aten::allclose", x, y) == (torch.equal(x, y),)
    assert run("aten::equal", x, x[:, :3]) == (False,)
    assert run("aten::allclose", x, other, atol=2.0) == (True,)


def test_in_place_on_views_and_overlaps() -> None:
    x = torch.arange(12.0).reshape(3, 4)
    column = x[:, 1]
    run("aten::mul_.Scalar", column, 10)
    assert x[:, 1].tolist() == [10, 50, 90] and x[0, 0] == 0
    line = torch.arange(6.0)
    run("aten::add_.Tensor", line[1:], line[:-1], alpha=1)
    assert line.tolist() == [0, 1, 3, 5, 7, 9]
    matrix = torch.arange(9.0).reshape(3, 3)
    want = matrix + matrix.T
    run("aten::add_.Tensor", matrix, matrix.T, alpha=1)
    assert torch.equal(matrix, want)


@pytest.mark.parametrize(
    "name,args,sentence",
    [
        ("aten::add.Tensor", (torch.zeros(2, 3), torch.zeros(4)), "do not broadcast"),
        ("aten::add_.Tensor", (torch.zeros(3), torch.zeros(2, 3)), "cannot be stored in place"),
        ("aten::add_.Scalar", (torch.zeros(3, dtype=torch.int64), 0.5), "cannot be stored"),
        ("aten::add.Tensor", (torch.ones(2, dtype=torch.int64),) * 2 + (0.5,), "alpha"),
        ("aten::relu_", (torch.zeros(1).expand(4),), "share one place in memory"),
        ("aten::sub.Tensor", (torch.tensor(True), torch.tensor(True)), "bool"),
        ("aten::gelu", (torch.zeros(2, dtype=torch.int64),), "not defined for dtype i64"),
        ("aten::gelu", (torch.zeros(2), "fast"), "'none' or 'tanh'"),
        ("aten::div.Tensor_mode", (torch.zeros(2), torch.zeros(2), "up"), "rounding_mode"),
        ("aten::where.self", (torch.zeros(2),) * 3, "mask must be of dtype bool"),
        ("aten::masked_fill.Scalar", (torch.zeros(2), torch.zeros(2), 1), "mask"),
        ("aten::clamp", (torch.zeros(2),), "at least one of min and max"),
        ("aten::pow.Tensor_Scalar", (torch.ones(2, dtype=torch.int64), -1), "negative"),
        ("aten::lerp.Scalar", (torch.zeros(2), torch.zeros(2).double(), 0.5), "dtype"),
        ("aten::glu", (torch.zeros(3),), "even"),
    ],
)
def test_wrong_arguments_are_refused(name: str, args: tuple, sentence: str) -> None:
    with pytest.raises(ingot.Error, match=sentence):
        run(name, *args)
