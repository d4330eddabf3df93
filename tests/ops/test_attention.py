"""Scaled dot-product attention against PyTorch."""

from __future__ import annotations

import pytest
import torch
from tests.ops.oracle import FLOATS, check, run, samples

import ingot

NAME = "aten::scaled_dot_product_attention"


def qkv(dtype: torch.dtype, batch: tuple, length: int, keys: int, width: int = 8,
        value_width: int = 8) -> list[torch.Tensor]:  # fmt: skip
    return [torch.randn(*batch, n, w, dtype=dtype)
            for n, w in ((length, width), (keys, width), (keys, value_width))]  # fmt: skip


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("length", [0, 1, 3, 17, 130])
@pytest.mark.parametrize("keys", [1, 3, 17, 130])
def test_sizes_and_masks(dtype: torch.dtype, length: int, keys: int) -> None:
    q, k, v = qkv(dtype, (2, 3), length, keys)
    check(NAME, q, k, v)
    check(NAME, q, k, v, is_causal=True)
    check(NAME, q, k, v, scale=0.3)
    mask = torch.rand(length, keys) > 0.3
    check(NAME, q, k, v, mask)
    check(NAME, q, k, v, torch.randn(2, 1, length, keys, dtype=dtype))
    check(NAME, q, k, v, torch.randn(2, 3, 1, keys, dtype=dtype))
    check(NAME, q, k, v, mask.expand(2, 3, length, keys))


@pytest.mark.parametrize("batch", [(), (2,), (2, 3), (2, 2, 2)], ids=str)
def test_ranks_and_value_width(batch: tuple) -> None:
    check(NAME, *qkv(torch.float32, batch, 5, 7, 4, 6))
    check(NAME, *qkv(torch.float64, batch, 5, 7, 4, 6), is_causal=True)


def test_queries_that_see_nothing_give_zeros() -> None:
    q, k, v = qkv(torch.float32, (2, 2), 4, 5)
    mask = torch.ones(4, 5, dtype=torch.bool)
    mask[1] = False
    check(NAME, q, k, v, mask)


def test_long_sequences() -> None:
    q, k, v = qkv(torch.float32, (1, 2), 300, 2000, 16, 16)
    check(NAME, q, k, v)
    q, k, v = qkv(torch.float32, (1, 2), 700, 700, 16, 16)
    check(NAME, q, k, v, is_causal=True)


def test_shared_heads() -> None:
    q = torch.randn(2, 6, 5, 8)
    k, v = torch.randn(2, 2, 7, 8), torch.randn(2, 2, 7, 8)
    check(NAME, q, k, v, enable_gqa=True)
    check(
        NAME, q, torch.randn(2, 3, 7, 8), torch.randn(2, 3, 7, 8), is_causal=True, enable_gqa=True
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_torch_samples(dtype: torch.dtype) -> None:
    for sample in samples("nn.functional.scaled_dot_product_attention", dtype):
        if sample.kwargs.get("dropout_p", 0) > 0:
            continue  # random
        check(NAME, sample.input, *sample.args, **sample.kwargs)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"key": torch.ones(2, 7, 5)}, "same last size"),
        ({"value": torch.ones(2, 6, 4)}, "same length"),
        ({"attn_mask": torch.ones(3, 7)}, r"\[5, 7\] and \[3, 7\]"),
        ({"attn_mask": torch.ones(5, 7), "is_causal": True}, "attn_mask must be None"),
        ({"attn_mask": torch.ones(5, 7, dtype=torch.int64)}, "attn_mask of dtype"),
        ({"dropout_p": 0.5}, "dropout"),
        ({"value": torch.ones(2, 7, 4).double()}, "one floating dtype"),
    ],
)
def test_values_that_do_not_fit(change: dict, sentence: str) -> None:
    args = {"query": torch.ones(2, 5, 4), "key": torch.ones(2, 7, 4), "value": torch.ones(2, 7, 4)}
    with pytest.raises(ingot.Error, match=sentence):
        run(NAME, **args | change)
