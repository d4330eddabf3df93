"""Indexing, gathering, scattering, masking and sorting against PyTorch."""

from __future__ import annotations

import itertools

import pytest
import torch
from tests.ops.opinfo import calls
from tests.ops.oracle import check, overload, run

import ingot
from ingot import _ingot

DTYPES = [torch.float32, torch.int64, torch.uint8, torch.bool, torch.bfloat16, torch.complex64]
REAL = [t for t in DTYPES if not t.is_complex]
# OpInfo function: aten op, OpInfo variants.
OPS: dict[str, tuple[str, list[str]]] = {
    "index_select": ("index_select", [""]),
    "index_add": ("index_add", [""]),
    "index_copy": ("index_copy", [""]),
    "index_fill": ("index_fill", [""]),
    "index_put": ("index_put", [""]),
    "gather": ("gather", [""]),
    "scatter": ("scatter", [""]),
    "scatter_add": ("scatter_add", [""]),
    "scatter_reduce": ("scatter_reduce", ["sum", "prod", "mean", "amax", "amin"]),
    "take": ("take", [""]),
    "put": ("put", [""]),
    "take_along_dim": ("take_along_dim", [""]),
    "masked_select": ("masked_select", [""]),
    "masked_scatter": ("masked_scatter", [""]),
    "argwhere": ("argwhere", [""]),
    "nn.functional.one_hot": ("one_hot", [""]),
    "index_reduce": ("index_reduce", ["prod", "mean", "amax", "amin"]),
    "searchsorted": ("searchsorted", [""]),
    "bucketize": ("bucketize", [""]),
    "nonzero_static": ("nonzero_static", [""]),
    "_unsafe_masked_index": ("_unsafe_masked_index", [""]),
    "_unsafe_masked_index_put_accumulate": ("_unsafe_masked_index_put_accumulate", [""]),
    "slice_scatter": ("slice_scatter", [""]),
    "select_scatter": ("select_scatter", [""]),
    "diagonal_scatter": ("diagonal_scatter", [""]),
    "sort": ("sort", [""]),
    "argsort": ("argsort", [""]),
    "msort": ("msort", [""]),
    "topk": ("topk", [""]),
    "kthvalue": ("kthvalue", [""]),
    "median": ("median", [""]),
    "nanmedian": ("nanmedian", [""]),
    "mode": ("mode", [""]),
}
ORDERED = {
    "sort", "argsort", "msort", "topk", "kthvalue", "scatter_reduce", "index_reduce", "median",
    "nanmedian", "mode", "searchsorted", "bucketize",
}  # fmt: skip
NO_BOOL = {
    "msort", "kthvalue", "topk", "median", "nanmedian", "index_reduce", "searchsorted", "bucketize",
}  # fmt: skip
STRUCTURED = {
    "index_select", "gather", "take", "take_along_dim", "slice_scatter", "select_scatter",
    "diagonal_scatter", "sort", "argsort", "msort", "topk", "kthvalue",
    "median", "nanmedian", "mode", "searchsorted", "bucketize", "nonzero_static",
    "_unsafe_masked_index",
}  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("function", OPS)
def test_opinfo_samples(function: str, dtype: torch.dtype) -> None:
    packet, variants = OPS[function]
    if dtype.is_complex and packet in ORDERED:
        pytest.skip("complex numbers have no order")
    if packet == "one_hot" and dtype != torch.int64:
        pytest.skip("one_hot takes int64 only")
    if packet in NO_BOOL and dtype == torch.bool:
        pytest.skip("PyTorch has no samples for bool")
    for variant in variants:
        for name, args, kwargs in calls(function, packet, dtype, variant):
            if args[-1] == "mean" and dtype == torch.bool:
                continue  # PyTorch has no mean of bools
            if packet in ("sort", "argsort"):
                check_ordered(name, args, kwargs)
                continue
            check(name, *args, infer=packet in STRUCTURED, **kwargs)


def check_ordered(name: str, args: tuple, kwargs: dict) -> None:
    """Values agree; indices lead to the values (PyTorch's order of equals is the processor's)."""
    want = overload(name)(*args, **kwargs)
    got = run(name, *args, **kwargs)
    if name.startswith("aten::argsort"):
        x, dim = args[0], kwargs.get("dim", args[1] if len(args) > 1 else -1)
        torch.testing.assert_close(x.gather(dim, got[0]), x.gather(dim, want))
        return
    torch.testing.assert_close(got[0], want[0], equal_nan=True)
    assert got[1].dtype == torch.int64 and got[1].shape == want[1].shape
    x = args[0]
    dim = kwargs.get("dim", args[1] if len(args) > 1 else -1)
    torch.testing.assert_close(x.gather(dim, got[1]), got[0], equal_nan=True)


@pytest.mark.parametrize("dtype", [t for t in REAL if t != torch.bool], ids=str)
@pytest.mark.parametrize("sizes", [(1,), (2,), (3,), (17,), (200,), (3, 40), (2, 5, 7)], ids=str)
def test_elements_of_lines(dtype: torch.dtype, sizes: tuple[int, ...]) -> None:
    """Many equal elements: the indices follow from the algorithms, which are PyTorch's."""
    x = torch.randint(0, 5, sizes).to(dtype)
    nan = x.clone()
    if dtype.is_floating_point:
        nan[..., ::2] = torch.nan
    for dim in range(-len(sizes), len(sizes)):
        for k in {1, (x.size(dim) + 1) // 2, x.size(dim)}:
            check("aten::kthvalue", x, k, dim)
            for largest in (False, True):
                check("aten::topk", x, k, dim, largest)
                check("aten::topk", x, k, dim, largest, False)
        check("aten::mode", x, dim)
        for values in (x, nan):
            check("aten::median.dim", values, dim, True)
            check("aten::nanmedian.dim", values, dim)
    for values in (x, nan, nan[:0]):
        check("aten::median", values)
        check("aten::nanmedian", values)


@pytest.mark.parametrize("dtype", [torch.float32, torch.int64, torch.uint8], ids=str)
def test_search_in_sorted(dtype: torch.dtype) -> None:
    line = torch.tensor([1, 3, 3, 5, 9]).to(dtype)
    lines = torch.stack([line, line + 1])
    x = torch.tensor([[0, 3, 9], [4, 10, 2]]).to(dtype)
    for right, narrow in itertools.product([False, True], repeat=2):
        for values in (x, x[0, 0], x[:0]):
            check("aten::bucketize.Tensor", values, line, out_int32=narrow, right=right)
            check("aten::searchsorted.Tensor", line, values, out_int32=narrow, right=right)
        check("aten::searchsorted.Tensor", lines, x, out_int32=narrow, right=right)
        check("aten::searchsorted.Tensor", lines[..., :0], x, out_int32=narrow, right=right)
        check("aten::bucketize.Scalar", 3, line, out_int32=narrow, right=right)
        check("aten::searchsorted.Scalar", line, 2.5, out_int32=narrow, right=right)
    mixed = torch.tensor([5, 1, 9, 3, 3]).to(dtype)
    order = torch.argsort(mixed)
    check("aten::searchsorted.Tensor", mixed, x, side="right", sorter=order)
    if dtype.is_floating_point:
        nan = torch.tensor([torch.nan, torch.inf, -0.0])
        check("aten::searchsorted.Tensor", torch.tensor([-1.0, 0, torch.nan]), nan)


def test_strided_scatter() -> None:
    for x in (torch.zeros(3, 4), torch.zeros(4, 3).t(), torch.zeros(3, 8)[:, ::2]):
        got = run("aten::as_strided_scatter", x, torch.ones(2, 2), [2, 2], [1, 2], 1)[0]
        want = torch.as_strided_scatter(x, torch.ones(2, 2), [2, 2], [1, 2], 1)
        assert torch.equal(got, want)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("sizes", [(), (0,), (1,), (17,), (3, 0), (3, 17, 1)], ids=str)
def test_nonzero(dtype: torch.dtype, sizes: tuple[int, ...]) -> None:
    x = torch.randint(0, 3, sizes).to(dtype)
    check("aten::nonzero", x, infer=False)
    check("aten::nonzero", torch.zeros_like(x), infer=False)
    got = _ingot.call_op("aten::where", [x != 0])[0]
    want = torch.where(x != 0)
    assert len(got) == len(want) and all(map(torch.equal, got, want))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_embedding(dtype: torch.dtype) -> None:
    weight = (torch.arange(51).view(17, 3) % 5).to(dtype)
    for sizes in ((), (0,), (4,), (2, 3, 1)):
        for index in (torch.int64, torch.int32):
            check("aten::embedding", weight, torch.randint(0, 17, sizes, dtype=index), 3)


X = torch.arange(120, dtype=torch.float32).view(2, 3, 4, 5)
I1 = torch.tensor([1, -1, 0])
I2 = torch.tensor([[2], [0]])
M = X % 3 == 0
INDICES = [
    [I1], [None, I1], [None, None, I1], [I1 % 2, I1], [I1 % 2, None, I1], [None, I1, I2],
    [None, I1, None, I2], [I2 % 2, I1], [None, None, None, I2], [M], [M[0, :, 0, 0] == 2],
    [None, M[0]], [None, M[0, :, :, 0]], [M[:, 0, 0, 0], I1[:1]], [None, M[0, :, 0, 0], I1],
    [torch.tensor([], dtype=torch.int64)], [torch.tensor(1)], [torch.tensor(1), I2],
    [torch.tensor([1, 0], dtype=torch.int32)], [None, torch.tensor(-1), None, torch.tensor(2)],
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(INDICES)))
def test_advanced_indexing(case: int) -> None:
    indices = INDICES[case]
    if indices[0] is not None and indices[0].dtype == torch.bool and indices[0].dim() == 1:
        indices = [torch.tensor([True, False]), *indices[1:]]
    for x in (
        X,
        X.transpose(0, 0),
        X.mT.contiguous().mT,
        X.int(),
        X.bool(),
        X.to(torch.complex128),
    ):
        check("aten::index.Tensor", x, indices, infer=False)
        picked = torch.ops.aten.index.Tensor(x, indices)
        values = (picked.to(torch.float32) + 1).to(x.dtype)
        for put in (values, *values.flatten()[:1]):
            check("aten::index_put", x, indices, put, infer=False)
            check("aten::index_put", x, indices, put, True, infer=False)


def test_index_put_writes_in_place_and_through_views() -> None:
    x = torch.zeros(3, 4)
    run("aten::index_put_", x.t(), [torch.tensor([1, 2])], torch.tensor(7.0))
    assert x.tolist() == [[0, 7, 7, 0]] * 3
    y = torch.arange(4)
    run("aten::index_put_", y, [torch.tensor([0, 1, 2])], y[1:])
    assert y.tolist() == [1, 2, 3, 3]


@pytest.mark.parametrize(
    ("name", "args", "sentence"),
    [
        ("aten::index.Tensor", ([torch.tensor([3])],), "index 3 is out of range"),
        ("aten::index.Tensor", ([torch.tensor([-4])],), "index -4 is out of range"),
        ("aten::index.Tensor", ([torch.tensor([2**62])],), "out of range"),
        ("aten::index.Tensor", ([torch.tensor([True])],), "does not fit"),
        ("aten::index.Tensor", ([I1[:1], I1[:1], I1[:1]],), "too many indices"),
        ("aten::index.Tensor", ([torch.tensor([0.5])],), "integers"),
        ("aten::index.Tensor", ([I1[:2] % 2, torch.tensor([0, 1, 2])],), "broadcast"),
        ("aten::index_select", (0, torch.tensor([3])), "index 3 is out of range"),
        ("aten::index_select", (0, torch.tensor([-1])), "index -1 is out of range"),
        ("aten::index_select", (2, torch.tensor([0])), "dimension 2 is out of range"),
        ("aten::gather", (0, torch.tensor([[3]])), "index 3 is out of range"),
        ("aten::gather", (0, torch.tensor([3])), "as many dimensions"),
        ("aten::gather", (0, torch.zeros(1, 9, dtype=torch.int64)), "larger than"),
        ("aten::gather", (0, torch.zeros(1, 1)), "dtype i64"),
        ("aten::scatter.src", (0, torch.zeros(1, 9, dtype=torch.int64), X[0, 0]), "larger than"),
        ("aten::scatter.value", (0, torch.tensor([[9]]), 1), "index 9 is out of range"),
        ("aten::take", (torch.tensor([12]),), "index 12 is out of range"),
        ("aten::masked_select", (torch.zeros(3, 4),), "dtype bool"),
        ("aten::masked_scatter", (torch.ones(3, 4) > 0, torch.zeros(3)), "fewer elements"),
        ("aten::topk", (9, 1), "k is 9"),
        ("aten::kthvalue", (0, 1), "k is 0"),
        ("aten::sort", (4,), "dimension 4 is out of range"),
        ("aten::embedding", (torch.tensor([7]),), "index 7 is out of range"),
        ("aten::select_scatter", (torch.zeros(3), 0, 0), "does not have the sizes"),
        ("aten::index_reduce", (0, torch.tensor([3]), torch.zeros(1, 4), "amax"), "index 3 is out"),
        ("aten::index_reduce", (0, torch.tensor([0]), torch.zeros(2, 4), "amax"), "one slice for"),
        ("aten::index_reduce", (0, torch.tensor([0]), torch.zeros(1, 4), "max"), "unknown"),
        ("aten::searchsorted.Tensor", (torch.zeros(2, 4),), "one for each line"),
        ("aten::bucketize.Tensor", (torch.zeros(2, 4),), "one dimension"),
        ("aten::mode", (2,), "dimension 2 is out of range"),
        ("aten::as_strided_scatter", (torch.zeros(9), [9], [2]), "reach outside"),
        ("aten::index_add", (0, torch.tensor([0, 1]), torch.zeros(3, 4)), "one slice for each"),
    ],
)
def test_bad_input(name: str, args: tuple, sentence: str) -> None:
    with pytest.raises(ingot.Error, match=sentence):
        run(name, torch.zeros(3, 4), *args)


def test_expanded_memory_is_not_written_in_place() -> None:
    with pytest.raises(ingot.Error, match="share one place"):
        run("aten::scatter_.value", torch.zeros(1).expand(3), 0, torch.tensor([1]), 2.0)


@pytest.mark.parametrize("dtype", [t for t in REAL if t.is_floating_point], ids=str)
@pytest.mark.parametrize("descending", [False, True])
def test_sorting_puts_nan_last_and_keeps_equals_in_order(
    dtype: torch.dtype, descending: bool
) -> None:
    inf, nan = torch.inf, torch.nan
    x = torch.tensor([0.0, -0.0, 3, nan, -inf, inf, 3, -2, nan, 0, -0.0], dtype=dtype)
    got = _ingot.call_op("aten::sort.stable", [x, True, 0, descending])
    want = torch.sort(x, stable=True, descending=descending)
    torch.testing.assert_close(got[0], want[0], equal_nan=True)
    assert got[1].tolist() == want[1].tolist()


@pytest.mark.parametrize("sizes", [(0,), (1,), (17,), (3, 0), (0, 3), (3, 17, 1)], ids=str)
@pytest.mark.parametrize("descending", [False, True])
def test_sorting_odd_sizes(sizes: tuple[int, ...], descending: bool) -> None:
    x = torch.randint(-3, 3, sizes)
    for dim in range(-len(sizes), len(sizes)):
        for given in (x, x.mT if x.dim() > 1 else x):
            got = _ingot.call_op("aten::sort.stable", [given, True, dim, descending])
            want = torch.sort(given, dim=dim, stable=True, descending=descending)
            assert torch.equal(got[0], want[0]) and torch.equal(got[1], want[1])


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_gather_and_scatter_on_every_dimension(dims: int) -> None:
    sizes = [3, 17, 1][:dims]
    x = torch.randn(sizes)
    for dim, smaller in itertools.product(range(-dims, dims), [0, 1]):
        index_sizes = [max(s - smaller, 1) for s in sizes]
        index_sizes[dim] = 5
        index = torch.randint(0, sizes[dim], index_sizes)
        check("aten::gather", x, dim, index)
        check("aten::scatter_add", x, dim, index, torch.randn(index_sizes), infer=False)
        check("aten::scatter.value", x, dim, index, 2, infer=False)


@pytest.mark.parametrize("dtype", REAL, ids=str)
@pytest.mark.parametrize("sizes", [(0,), (1,), (17,), (3, 5), (4, 2, 3)], ids=str)
def test_unique(dtype: torch.dtype, sizes: tuple[int, ...]) -> None:
    x = torch.randint(0, 2 if len(sizes) > 1 else 5, sizes).to(dtype)
    for flags in itertools.product([False, True], repeat=2):
        cases = [("aten::_unique2", (x, True, *flags)), ("aten::unique_consecutive", (x, *flags))]
        for dim in range(-len(sizes), len(sizes)):
            cases.append(("aten::unique_dim", (x, dim, True, *flags)))
            cases.append(("aten::unique_consecutive", (x, *flags, dim)))
        for name, args in cases:
            got = _ingot.call_op(name, list(args))
            want = overload(name)(*args)
            asked = (True, *flags)
            for a, b, wanted in zip(got, want, asked, strict=True):
                assert a.dtype == b.dtype
                assert not wanted or torch.equal(a, b), (name, args, a, b)
