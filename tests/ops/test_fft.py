"""Fourier transforms against PyTorch."""

from __future__ import annotations

import time

import pytest
import torch
from tests.ops.dispatched import calls
from tests.ops.oracle import check, compare, run

import ingot
from ingot import _ingot

OPS = {"aten::_fft_r2c", "aten::_fft_c2c", "aten::_fft_c2r"}
FUNCTIONS = [
    "fft.fft", "fft.fft2", "fft.fftn", "fft.ifft", "fft.ifft2", "fft.ifftn",
    "fft.rfft", "fft.rfft2", "fft.rfftn", "fft.irfft", "fft.irfft2", "fft.irfftn",
    "fft.hfft", "fft.hfft2", "fft.hfftn", "fft.ihfft", "fft.ihfft2", "fft.ihfftn", "stft",
]  # fmt: skip
COMPLEX = {torch.float32: torch.complex64, torch.float64: torch.complex128}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.complex64], ids=str)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_torch_samples(function: str, dtype: torch.dtype) -> None:
    for call in calls(function, dtype, OPS):
        values = [v.resolve_conj() if isinstance(v, torch.Tensor) else v for v in call.values]
        compare(call.name, values, _ingot.call_op(call.name, values), call.results)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 8, 12, 16, 17, 30, 64, 67, 101, 128, 134, 400,
                               509, 1000, 1021, 4096])  # fmt: skip
def test_lengths(dtype: torch.dtype, n: int) -> None:
    x, z = torch.randn(2, n, dtype=dtype), torch.randn(2, n, dtype=COMPLEX[dtype])
    for normalization in (0, 1, 2):
        check("aten::_fft_r2c", x, [1], normalization, True)
        check("aten::_fft_r2c", x, [1], normalization, False)
        check("aten::_fft_c2c", z, [1], normalization, True)
        check("aten::_fft_c2c", z, [1], normalization, False)
        half = torch.fft.rfft(x)
        check("aten::_fft_c2r", half, [1], normalization, n)


@pytest.mark.parametrize("dims", [[0], [1], [2], [0, 1], [2, 0], [1, 2], [0, 1, 2]], ids=str)
def test_several_dimensions(dims: list[int]) -> None:
    x, z = torch.randn(3, 17, 10), torch.randn(3, 17, 10, dtype=torch.complex64)
    check("aten::_fft_r2c", x, dims, 0, True)
    check("aten::_fft_r2c", x, dims, 1, False)
    check("aten::_fft_c2c", z, dims, 2, False)
    check("aten::_fft_c2c", z, [], 2, False)
    size = 2 * (z.shape[dims[-1]] - 1)
    # Only spectra of real signals: MKL reads imaginary parts that others take for zero.
    spectrum = torch.ops.aten._fft_r2c(torch.randn(3, 17, 10), dims, 0, True)
    check("aten::_fft_c2r", spectrum, dims, 2, x.shape[dims[-1]])
    assert run("aten::_fft_c2r", z, dims, 0, size)[0].shape[dims[-1]] == size


def test_empty_batch() -> None:
    # MKL refuses them.
    assert run("aten::_fft_r2c", torch.randn(0, 8), [1], 0, True)[0].shape == (0, 5)
    assert run("aten::_fft_c2c", torch.randn(0, 7) + 0j, [1], 0, True)[0].shape == (0, 7)


def test_primes_take_no_square_of_their_length() -> None:
    def seconds(n: int) -> float:
        x = torch.randn(n, dtype=torch.complex64)
        start = time.perf_counter()
        run("aten::_fft_c2c", x, [0], 0, True)
        return time.perf_counter() - start

    seconds(1009)
    assert seconds(524_287) < 5  # n squared would be minutes
    x = torch.randn(524_287, dtype=torch.complex128)
    (got,) = run("aten::_fft_c2c", x, [0], 0, True)
    torch.testing.assert_close(got, torch.fft.fft(x), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "args", "sentence"),
    [
        ("aten::_fft_c2c", (torch.ones(4), [0], 0, True), "complex signal"),
        ("aten::_fft_r2c", (torch.ones(4).half(), [0], 0, True), "f32 or f64"),
        ("aten::_fft_r2c", (torch.ones(4), [1], 0, True), "dimension 1 is out of range"),
        ("aten::_fft_r2c", (torch.ones(4), [0], 3, True), "normalization must be"),
        ("aten::_fft_r2c", (torch.ones(3, 0), [1], 0, True), "must have from 1"),
        ("aten::_fft_c2r", (torch.ones(4) + 0j, [0], 0, 9), "needs 5 in dimension 0"),
        ("aten::_fft_c2r", (torch.ones(4) + 0j, [0], 0, 0), "last_dim_size"),
    ],
)
def test_values_that_do_not_fit(name: str, args: tuple, sentence: str) -> None:
    with pytest.raises(ingot.Error, match=sentence):
        run(name, *args)
