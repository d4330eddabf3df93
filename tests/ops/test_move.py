"""Joining, repeating, flipping, rolling and padding against PyTorch."""

from __future__ import annotations

import pytest
import torch
from tests.ops.opinfo import calls
from tests.ops.oracle import check, run

import ingot

DTYPES = [
    torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32,
    torch.uint8, torch.bool, torch.complex64, torch.complex128,
]  # fmt: skip
# OpInfo function: aten op, OpInfo variants.
OPS: dict[str, tuple[str, list[str]]] = {
    "cat": ("cat", [""]),
    "stack": ("stack", [""]),
    "repeat": ("repeat", [""]),
    "tile": ("tile", [""]),
    "repeat_interleave": ("repeat_interleave", [""]),
    "flip": ("flip", [""]),
    "roll": ("roll", [""]),
}


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("function", OPS)
def test_opinfo_samples(function: str, dtype: torch.dtype) -> None:
    packet, variants = OPS[function]
    for variant in variants:
        for name, args, kwargs in calls(function, packet, dtype, variant):
            check(name, *args, infer="Tensor" not in name, **kwargs)


@pytest.mark.parametrize("dtype", [torch.float32, torch.complex64, torch.int64], ids=str)
@pytest.mark.parametrize(
    "mode", ["constant", "reflect", "replicate", "circular", "replicate_negative"]
)
def test_pad_samples(mode: str, dtype: torch.dtype) -> None:
    if mode != "constant" and dtype == torch.int64:
        pytest.skip("PyTorch has samples for floats only")
    for name, args, kwargs in calls("nn.functional.pad", "pad", dtype, mode):
        check(name, *args, **kwargs)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_constant_padding(dtype: torch.dtype) -> None:
    x = (torch.arange(60).view(3, 4, 5) % 7).to(dtype)
    for pad in ([1, 2], [0, 0, 3, 1], [-1, 2, 0, -3], [-5, 5], [1, 1, 1, 1, 1, 1], [], [-2, -3]):
        check("aten::constant_pad_nd", x, pad, 1)
    check("aten::constant_pad_nd", torch.zeros(0, 3, dtype=dtype), [1, 1, 2, 0], 1)


@pytest.mark.parametrize("kind", ["reflection", "replication"])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_spatial_padding(kind: str, dims: int) -> None:
    x = torch.randn([2, 3, 4, 5, 6][: dims + 2])
    for pad in ([1, 2] * dims, [0] * 2 * dims, [3, 0] + [1, 1] * (dims - 1)):
        for given in (x, x[0]):
            check(f"aten::{kind}_pad{dims}d", given, pad)


@pytest.mark.parametrize("dim", [0, 1, -1])
@pytest.mark.parametrize(
    "sizes", [[(2, 3)], [(0, 3), (2, 3)], [(0,), (2, 3)], [(1, 1)] * 17], ids=str
)
def test_cat_of_odd_sizes_and_mixed_dtypes(sizes: list[tuple[int, ...]], dim: int) -> None:
    dtypes = [torch.float32, torch.int64, torch.float16]
    tensors = [torch.ones(s, dtype=dtypes[i % 3]) for i, s in enumerate(sizes)]
    if dim != 0 and sizes[0] == (0, 3):
        with pytest.raises(ingot.Error, match="must be equal except"):
            run("aten::cat", tensors, dim)
        return
    check("aten::cat", tensors, dim)


@pytest.mark.parametrize(
    ("name", "args", "sentence"),
    [
        ("aten::cat", ([], 0), "at least one tensor"),
        ("aten::cat", ([torch.zeros(()), torch.zeros(1)], 0), "no dimensions"),
        ("aten::cat", ([torch.zeros(2, 3), torch.zeros(2)], 0), "same number of dimensions"),
        ("aten::cat", ([torch.zeros(2, 3)], 2), "dimension 2 is out of range"),
        ("aten::stack", ([torch.zeros(2), torch.zeros(3)], 0), "equal sizes"),
        ("aten::repeat", (torch.zeros(2, 3), [2]), "a number for each dimension"),
        ("aten::repeat", (torch.zeros(2), [-1]), "negative"),
        ("aten::repeat", (torch.zeros(2), [2**62]), "too"),
        ("aten::repeat_interleave.self_int", (torch.zeros(2), -1), "negative"),
        ("aten::repeat_interleave.Tensor", (torch.tensor([1, -1]),), "negative"),
        ("aten::repeat_interleave.self_Tensor", (torch.zeros(3), torch.tensor([1, 1])), "each of"),
        ("aten::flip", (torch.zeros(2), [0, 0]), "appears twice"),
        ("aten::roll", (torch.zeros(2), [1, 2], [0]), "as many shifts"),
        ("aten::pad", (torch.zeros(1, 2, 3), [3, 0], "reflect"), "too large"),
        ("aten::pad", (torch.zeros(1, 2, 3), [1, 0], "mirror"), "'mirror' is unknown"),
        ("aten::pad", (torch.zeros(3), [1, 0, 1, 0], "constant"), "two numbers for each"),
        ("aten::constant_pad_nd", (torch.zeros(3), [-2, -2]), "negative size"),
        ("aten::reflection_pad1d", (torch.zeros(2, 3), [3, 1]), "too large"),
    ],
)
def test_bad_input(name: str, args: tuple, sentence: str) -> None:
    with pytest.raises(ingot.Error, match=sentence):
        run(name, *args)
