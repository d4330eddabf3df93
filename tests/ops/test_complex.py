"""Ops on complex numbers against PyTorch: OpInfo samples, views of parts and of bytes, in-place
forms."""

from __future__ import annotations

from itertools import islice

import pytest
import torch
from tests.ops.opinfo import CATALOGUE, lists_where_due, numbers_where_due, resolve
from tests.ops.oracle import check, overload, run, samples_of
from tests.ops.test_elementwise import in_catalogue, ingot_infers, packet_of
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.opinfo.core import BinaryUfuncInfo, OpInfo, UnaryUfuncInfo

import ingot

DTYPES = [torch.complex64, torch.complex128]
FURTHER = {
    "addcdiv", "addcmul", "all", "any", "count_nonzero", "cumprod", "cumsum", "diff", "dist",
    "lerp", "logcumsumexp", "logsumexp",
    "linalg.vector_norm", "masked_fill", "mean", "norm", "prod", "std", "std_mean", "sum",
    "trace", "var", "var_mean",
}  # fmt: skip
INFOS = [
    info
    for info in op_db
    if (isinstance(info, UnaryUfuncInfo | BinaryUfuncInfo) or info.name in FURTHER)
    and info.supports_dtype(torch.complex64, "cpu")
    and hasattr(torch.ops.aten, packet_of(info))
    and in_catalogue(packet_of(info))
    and info.variant_test_name != "nuc"
    and not (isinstance(info, UnaryUfuncInfo) and info.name in {"chalf", "real", "imag"})
]


@pytest.mark.parametrize("dtype", DTYPES, ids=["c64", "c128"])
@pytest.mark.parametrize("info", INFOS, ids=[info.full_name for info in INFOS])
def test_samples(info: OpInfo, dtype: torch.dtype) -> None:
    tested = 0
    for sample in islice(samples_of(info, dtype), 60):
        kwargs = dict(sample.kwargs)
        try:
            name, args = resolve(packet_of(info), (sample.input, *sample.args), kwargs)
        except RuntimeError:  # a composite's arguments
            continue
        arguments = overload(name)._schema.arguments
        if name not in CATALOGUE or any(
            str(s.type) == "Tensor" and not isinstance(a, torch.Tensor)
            for a, s in zip(args, arguments, strict=False)
        ):
            continue
        args, kwargs = lists_where_due(name, numbers_where_due(name, args), kwargs)
        check(name, *args, infer=ingot_infers(name), **kwargs)
        tested += 1
    assert tested > 0


@pytest.mark.parametrize("dtype", DTYPES, ids=["c64", "c128"])
def test_where(dtype: torch.dtype) -> None:
    x, y = torch.randn(2, 3, 17, dtype=dtype)
    check("aten::where.self", x.real > 0, x, y)
    check("aten::where.self", x.real > 0, x, y.real)
    check("aten::where.ScalarOther", x.real > 0, x.real, 1 - 2j)


@pytest.mark.parametrize("dtype", DTYPES, ids=["c64", "c128"])
@pytest.mark.parametrize("sizes", [(), (0,), (3,), (2, 5), (3, 0, 2), (4, 3, 2)])
def test_parts(sizes: tuple[int, ...], dtype: torch.dtype) -> None:
    x = torch.randn(sizes, dtype=dtype)
    for op in ("_conj_copy", "_conj_physical", "conj_physical", "angle", "sgn", "abs", "isreal"):
        check(f"aten::{op}", x)
    for op in ("real", "imag", "view_as_real", "view_as_real_copy", "resolve_conj"):
        check(f"aten::{op}", x, infer=False)
    for op in ("conj", "_conj"):
        assert torch.equal(run(f"aten::{op}", x)[0], x.conj().resolve_conj())
    pairs = torch.view_as_real(x).contiguous()
    for op in ("view_as_complex", "view_as_complex_copy"):
        (got,) = run(f"aten::{op}", pairs)
        assert torch.equal(got, x)
    for op in ("complex", "polar"):
        check(f"aten::{op}", pairs[..., 0], pairs[..., 1])
        check(f"aten::{op}", pairs[..., 0], pairs[..., :1, 1] if sizes else pairs[..., 1])


OTHERS = [torch.uint8, torch.int16, torch.float16, torch.int32, torch.float64, torch.complex128]


@pytest.mark.parametrize("dtype", OTHERS, ids=str)
@pytest.mark.parametrize("sizes", [(0,), (4,), (3, 8), (3, 0, 4), (2, 3, 4)])
def test_views_of_bytes(sizes: tuple[int, ...], dtype: torch.dtype) -> None:
    x = torch.randn(sizes)
    whole = (
        x,
        torch.randn(5)[1:],
        x.to(torch.complex64),
        x.transpose(0, -1).contiguous().transpose(0, -1),
        x[..., ::2],
    )
    for each in whole:
        try:
            want = each.view(dtype)
        except RuntimeError:
            with pytest.raises(ingot.Error, match=r"view\.dtype.*(view|elements)"):
                run("aten::view.dtype", each, dtype)
            continue
        (got,) = run("aten::view.dtype", each, dtype)
        assert (got.dtype, got.shape, got.stride()) == (dtype, want.shape, want.stride())
        if got.numel():
            flat, wanted = (t.contiguous().flatten().view(torch.uint8) for t in (got, want))
            assert torch.equal(flat, wanted)
            got.zero_()
            assert not each.any()


def test_views_share_memory() -> None:
    x = torch.zeros(2, 3, dtype=torch.complex64)
    run("aten::fill_.Scalar", run("aten::imag", x[:, 1])[0], 2.0)
    run("aten::add_.Scalar", run("aten::real", x)[0][1], 1.0, alpha=1)
    run("aten::mul_.Scalar", run("aten::view_as_real", x)[0], 2.0)
    assert x.tolist() == [[0j, 4j, 0j], [2 + 0j, 2 + 4j, 2 + 0j]]
    pairs = torch.zeros(3, 2)
    run("aten::fill_.Scalar", run("aten::view_as_complex", pairs)[0][1:], 1 - 1j)
    assert pairs.tolist() == [[0, 0], [1, -1], [1, -1]]


@ingot.script
def rotated(x: torch.Tensor, angles: torch.Tensor) -> torch.Tensor:
    pairs = torch.view_as_complex(x.reshape(x.size(0), -1, 2))
    turned = pairs * torch.polar(torch.ones_like(angles), angles)
    return torch.view_as_real(turned).flatten(1)


def test_a_rotary_embedding() -> None:
    x, angles = torch.randn(5, 8), torch.randn(5, 4)
    want = torch.view_as_real(
        torch.view_as_complex(x.reshape(5, -1, 2)) * torch.polar(torch.ones(5, 4), angles)
    )
    torch.testing.assert_close(rotated(x, angles), want.flatten(1))


EXTREME = [complex(a, b) for a in (0.0, -1.5, 1e30, torch.inf) for b in (0.0, 2.0, -1e30)]


@pytest.mark.parametrize("op", ["mul.Tensor", "div.Tensor", "add.Tensor", "eq.Tensor"])
def test_extreme_pairs(op: str) -> None:
    values = torch.tensor([v for v in EXTREME if abs(v) < 1e29], dtype=torch.complex64)
    x, y = torch.meshgrid(values, values, indexing="ij")
    keep = y.abs() > 0 if op == "div.Tensor" else y == y
    check(f"aten::{op}", x[keep], y[keep])


@pytest.mark.parametrize(
    ("name", "args", "sentence"),
    [
        ("aten::abs_", (torch.zeros(2, dtype=torch.complex64),), "in place"),
        ("aten::lt.Scalar", (torch.zeros(2, dtype=torch.complex64), 1), "not defined"),
        ("aten::imag", (torch.zeros(2),), "complex"),
        ("aten::view_as_complex", (torch.zeros(2, 3),), "size 2"),
        ("aten::view_as_complex", (torch.zeros(2, 4)[:, ::2],), "stride 1"),
        ("aten::view_as_complex", (torch.zeros(3, 3)[:, :2],), "even"),
        ("aten::view_as_real", (torch.zeros(2),), "complex"),
        ("aten::view.dtype", (torch.zeros(2, dtype=torch.uint8), torch.bool), "as bool"),
        ("aten::view.dtype", (torch.zeros(()), torch.int16), "without dimensions"),
        ("aten::complex", (torch.zeros(2), torch.zeros(2).double()), "one dtype"),
        ("aten::polar", (torch.zeros(2, dtype=torch.int64),) * 2, "f32 or f64"),
    ],
)
def test_wrong_arguments_are_refused(name: str, args: tuple, sentence: str) -> None:
    with pytest.raises(ingot.Error, match=sentence):
        run(name, *args)
