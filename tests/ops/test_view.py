"""Views against PyTorch: values, sizes, strides and shared memory."""

from __future__ import annotations

import pytest
import torch
from tests.ops.opinfo import calls
from tests.ops.oracle import (
    _plain,
    overload,
    positional,
    run,
    spread,
    torch_results,
    transposed_memory,
)
from torch.utils._pytree import tree_map

import ingot
from ingot import _ingot

DTYPES = [torch.float32, torch.int64, torch.bool, torch.bfloat16, torch.complex128]
# OpInfo function, aten op.
OPS = {
    "view": "view", "view_as": "view_as", "reshape": "reshape", "reshape_as": "reshape_as",
    "expand": "expand", "expand_as": "expand_as", "broadcast_to": "broadcast_to",
    "flatten": "flatten", "ravel": "ravel", "unflatten": "unflatten", "as_strided": "as_strided",
    "permute": "permute", "transpose": "transpose", "t": "t", "movedim": "movedim",
    "squeeze": "squeeze", "unsqueeze": "unsqueeze", "diagonal": "diagonal", "select": "select",
    "narrow": "narrow", "split": "split", "split_with_sizes": "split_with_sizes",
    "chunk": "chunk", "tensor_split": "tensor_split", "unbind": "unbind", "unfold": "unfold",
    "contiguous": "contiguous", "clone": "clone",
}  # fmt: skip
VARIANTS = {"squeeze": ["", "multiple"], "split": ["", "list_args"]}


def same_view(name: str, got: torch.Tensor, want: torch.Tensor, base: torch.Tensor) -> None:
    assert got.dtype == want.dtype and got.shape == want.shape, (name, got.shape, want.shape)
    torch.testing.assert_close(got, want, rtol=0, atol=0)
    start = base.untyped_storage().data_ptr()
    if want.untyped_storage().data_ptr() == start and want.numel() > 0:
        used = [d for d in range(want.dim()) if want.size(d) > 1]
        assert got.data_ptr() == want.data_ptr(), f"{name}: no view"
        assert [got.stride(d) for d in used] == [want.stride(d) for d in used], name
    elif want.numel() > 0:
        end = start + base.untyped_storage().nbytes()
        assert not start <= got.data_ptr() < end, f"{name}: shares memory, PyTorch's copy does not"


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("function", OPS)
def test_opinfo_samples(function: str, dtype: torch.dtype) -> None:
    checked = 0
    for variant in VARIANTS.get(function, [""]):
        for name, args, kwargs in calls(function, OPS[function], dtype, variant):
            values = positional(name, args, kwargs)
            for layout in (lambda t: t, spread, transposed_memory):
                given = [layout(values[0]), *values[1:]]
                plain = tree_map(_plain, given)
                try:
                    expected = torch_results(name, given)
                except RuntimeError:
                    with pytest.raises(ingot.Error):
                        _ingot.call_op(name, plain)
                    continue
                actual = _ingot.call_op(name, plain)
                if len(actual) == 1 and isinstance(actual[0], list | tuple):
                    actual = tuple(actual[0])
                assert len(actual) == len(expected)
                for got, want in zip(actual, expected, strict=True):
                    same_view(name, got, want, given[0])
                checked += 1
    assert checked > 0


@pytest.mark.parametrize("sizes", [(), (0,), (1,), (3,), (17, 3), (2, 0, 3), (4, 1, 6)], ids=str)
@pytest.mark.parametrize("bounds", [(None, None), (1, None), (None, -1), (-2, 5), (5, 2), (0, 99)])
@pytest.mark.parametrize("step", [1, 2, 7, 1000])
def test_slices(sizes: tuple[int, ...], bounds: tuple[int | None, int | None], step: int) -> None:
    x = torch.arange(max(torch.Size(sizes).numel(), 1))[: torch.Size(sizes).numel()].view(sizes)
    for dim in range(-len(sizes), len(sizes)):
        want = torch.ops.aten.slice.Tensor(x, dim, *bounds, step)
        same_view("slice", run("aten::slice.Tensor", x, dim, *bounds, step)[0], want, x)
    if not sizes:
        with pytest.raises(ingot.Error, match="without dimensions"):
            run("aten::slice.Tensor", x, 0, *bounds, step)


@pytest.mark.parametrize(
    ("name", "args", "sentence"),
    [
        ("aten::view", ([7],), "shape \\[7\\] is invalid"),
        ("aten::view", ([-1, -1],), "only one size"),
        ("aten::view", ([-2, 3],), "negative"),
        ("aten::expand", ([2, 4],), "cannot be expanded"),
        ("aten::permute", ([0, 0],), "appears twice"),
        ("aten::permute", ([0],), "must name all"),
        ("aten::transpose.int", (0, 2), "dimension 2 is out of range"),
        ("aten::select.int", (0, 2), "index 2 is out of range"),
        ("aten::select.int", (1, -4), "index -4 is out of range"),
        ("aten::narrow", (1, 2, 2), "exceed dimension 1"),
        ("aten::split_with_sizes", ([1, 1], 1), "do not add up"),
        ("aten::split.Tensor", (-1, 0), "split size -1"),
        ("aten::chunk", (0, 0), "chunks must be positive"),
        ("aten::as_strided", ([9], [1], 0), "outside a storage"),
        ("aten::as_strided", ([2], [1], 5), "outside a storage"),
        ("aten::as_strided", ([2], [2**62], 0), "outside a storage|address space"),
        ("aten::unfold", (1, 4, 1), "window size 4"),
        ("aten::unflatten.int", (1, [2, 2]), "invalid"),
        ("aten::squeeze.dim", (5,), "dimension 5 is out of range"),
        ("aten::diagonal", (0, 1, 1), "two different dimensions"),
    ],
)
def test_bad_input(name: str, args: tuple, sentence: str) -> None:
    with pytest.raises(ingot.Error, match=sentence):
        run(name, torch.zeros(2, 3), *args)


def test_in_place_forms_change_the_tensor_itself() -> None:
    for name, args in [
        ("aten::squeeze_", ()), ("aten::squeeze_.dim", (1,)), ("aten::unsqueeze_", (0,)),
        ("aten::transpose_", (0, 2)),
    ]:  # fmt: skip
        x = torch.arange(6).view(2, 1, 3)
        want = overload(name)(x.clone(), *args)
        torch.testing.assert_close(run(name, x, *args)[0], want)


def test_a_step_beyond_every_size_leaves_the_first_element() -> None:
    x = torch.arange(24).view(4, 6)
    assert run("aten::slice.Tensor", x, 0, 1, None, 2**62)[0].tolist() == [x[1].tolist()]
