"""Normalisations and softmax against PyTorch."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from tests.ops.oracle import FLOATS, check, run, samples, torch_results
from tests.ops.oracle import positional as in_order

import ingot


def tensors(dtype: torch.dtype, *sizes: Any) -> list[torch.Tensor]:
    return [torch.randn(size, dtype=dtype) for size in sizes]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("width", [1, 3, 17, 1000])
def test_layer_norm(dtype: torch.dtype, width: int) -> None:
    for rows in (0, 1, 3):
        x, w, b = tensors(dtype, (rows, 2, width), width, width)
        check("aten::layer_norm", x, [width], w, b, 1e-5)
        check("aten::layer_norm", x, [2, width], None, None, 1e-3)
        check("aten::native_layer_norm", x, [width], w, None, 1e-5)
        check("aten::rms_norm", x, [width], w, 1e-5)
        check("aten::rms_norm", x, [width])


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("size", [(2, 6), (2, 6, 1), (3, 6, 5, 7), (1, 6, 2, 3, 4)], ids=str)
def test_channel_norms(dtype: torch.dtype, size: tuple) -> None:
    x, w, b, mean = tensors(dtype, size, 6, 6, 6)
    var = torch.rand(6, dtype=dtype) + 0.5
    check("aten::batch_norm", x, w, b, mean, var, False, 0.1, 1e-5, True)
    check("aten::batch_norm", x, None, None, mean, var, False, 0.1, 1e-3, True)
    check("aten::batch_norm", x, w, b, None, None, True, 0.1, 1e-5, True)
    check("aten::native_batch_norm", x, w, b, mean, var, False, 0.1, 1e-5)
    check("aten::native_batch_norm", x, w, b, None, None, True, 0.1, 1e-5)
    check("aten::_native_batch_norm_legit_no_training", x, w, b, mean, var, 0.1, 1e-5)
    check("aten::_native_batch_norm_legit.no_stats", x, w, b, True, 0.1, 1e-5)
    check("aten::_native_batch_norm_legit_functional", x, w, b, mean, var, True, 0.1, 1e-5)
    check("aten::_native_batch_norm_legit_functional", x, w, b, mean, var, False, 0.1, 1e-5)
    for groups in (1, 2, 6):
        check("aten::group_norm", x, groups, w, b)
        check("aten::group_norm", x, groups)
        plane = x.numel() // (x.shape[0] * 6)
        check("aten::native_group_norm", x, w, b, x.shape[0], 6, plane, groups, 1e-5)
    if len(size) > 2:
        check("aten::instance_norm", x, w, b, None, None, True, 0.1, 1e-5, True)
        check("aten::instance_norm", x, w, b, mean, var, False, 0.1, 1e-5, True)


@pytest.mark.parametrize("name", ["batch_norm", "native_batch_norm", "_native_batch_norm_legit",
                                  "instance_norm"])  # fmt: skip
def test_running_statistics_are_updated(name: str) -> None:
    x, w, b, mean = tensors(torch.float32, (3, 6, 5, 7), 6, 6, 6)
    args = [x, w, b, mean, torch.rand(6) + 0.5, True, 0.1, 1e-5]
    if not name.startswith(("native", "_native")):
        args.append(True)
    ours, theirs = copy.deepcopy(args), copy.deepcopy(args)
    results = run("aten::" + name, *ours)
    expected = torch_results("aten::" + name, in_order("aten::" + name, tuple(theirs), {}))
    torch.testing.assert_close(list(results), list(expected))
    torch.testing.assert_close(ours[3:5], theirs[3:5])
    assert not torch.equal(ours[3], mean)


def test_f32_parameters_beside_16_bit_input() -> None:
    for dtype in (torch.float16, torch.bfloat16):
        x, w, b, mean = torch.randn(2, 6, 9).to(dtype), *tensors(torch.float32, 6, 6, 6)
        var = torch.rand(6) + 0.5
        check("aten::batch_norm", x, w, b, mean, var, False, 0.1, 1e-5, True)
        check("aten::native_batch_norm", x, w, b, None, None, True, 0.1, 1e-5)
        check("aten::group_norm", x, 2, w, b)
        check("aten::native_layer_norm", x, [9], torch.randn(9), torch.randn(9), 1e-5)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    "size", [(), (1,), (17,), (3, 0, 2), (0, 3), (3, 17, 5), (2, 3, 4, 5)], ids=str
)
def test_softmax(dtype: torch.dtype, size: tuple) -> None:
    x = torch.randn(size, dtype=dtype) * 10
    for dim in range(-max(len(size), 1), max(len(size), 1)):
        check("aten::softmax.int", x, dim)
        check("aten::log_softmax.int", x, dim)
        check("aten::softmax.int", x, dim, torch.float64)
        check("aten::_softmax", x, dim, False)
        check("aten::_log_softmax", x, dim, False)


def test_softmax_of_special_values() -> None:
    inf, nan = float("inf"), float("nan")
    x = torch.tensor([[inf, 1, 2], [-inf, 1, 2], [-inf, -inf, -inf], [nan, 1, 2], [1e30, 1, 2]])
    check("aten::softmax.int", x, 1)
    check("aten::log_softmax.int", x, 1)
    check("aten::_safe_softmax", x, 1)
    check("aten::softmax.int", torch.arange(6).reshape(2, 3), 1, torch.float32)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_torch_samples(dtype: torch.dtype) -> None:
    for op, name in (("softmax", "softmax.int"), ("log_softmax", "log_softmax.int")):
        for variant in ("", "with_dtype"):
            for sample in samples(op, dtype, variant):
                check("aten::" + name, sample.input, *sample.args, **sample.kwargs)
    for sample in samples("native_layer_norm", dtype):
        check("aten::native_layer_norm", sample.input, list(sample.args[0]), *sample.args[1:])
    for sample in samples("nn.functional.rms_norm", dtype):
        check("aten::rms_norm", sample.input, list(sample.args[0]), **sample.kwargs)
    for sample in samples("nn.functional.group_norm", dtype):
        check("aten::group_norm", sample.input, *sample.args, **sample.kwargs)


@pytest.mark.parametrize(
    ("name", "args", "sentence"),
    [
        ("aten::layer_norm", ([5],), "last sizes of input"),
        ("aten::layer_norm", ([4], torch.ones(3)), "weight and bias of shape"),
        ("aten::group_norm", (4,), "do not divide into 4 groups"),
        ("aten::batch_norm", (None, None, None, None, False, 0.1, 1e-5, True), "running_mean"),
        ("aten::batch_norm", (torch.ones(4), None, None, None, True, 0.1, 1e-5, True),
         r"expected weight of size \[6\]"),
        ("aten::softmax.int", (3,), "dim 3 is out of range"),
    ],
)  # fmt: skip
def test_values_that_do_not_fit(name: str, args: tuple, sentence: str) -> None:
    with pytest.raises(ingot.Error, match=sentence):
        run(name, torch.ones(2, 6, 4), *args)


def test_integers_are_refused() -> None:
    with pytest.raises(ingot.Error, match="floating"):
        run("aten::softmax.int", torch.ones(2, 3, dtype=torch.int64), 1)
    with pytest.raises(ingot.Error, match="floating"):
        run("aten::layer_norm", torch.ones(2, 3, dtype=torch.int64), [3])
