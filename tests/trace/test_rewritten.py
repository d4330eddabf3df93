"""Calls that a trace says again in ops whose sizes stay free."""

from __future__ import annotations

import pytest
import torch

import ingot

WINDOW = torch.hann_window(16)
SHORT = torch.hann_window(12)


def spectrum(x):
    return torch.stft(x, 16, 4, 16, WINDOW, return_complex=True)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: spectrum(x).abs(),
        lambda x: torch.stft(x[0], 16, window=WINDOW, return_complex=True, normalized=True).real,
        lambda x: x.stft(16, 5, 12, SHORT, center=False, onesided=False, return_complex=False),
        lambda x: torch.stft(torch.complex(x, x), 16, 5, return_complex=True).imag,
        lambda x: torch.istft(spectrum(x) * 2, 16, 4, 16, WINDOW),
        lambda x: torch.istft(spectrum(x) * 2, 16, 4, 16, WINDOW, length=x.shape[1]),
        lambda x: torch.istft(spectrum(x), 16, 4, 16, WINDOW, length=100),
        lambda x: torch.istft(
            x.stft(16, 5, 12, SHORT, onesided=False, normalized=True, return_complex=True),
            *(16, 5, 12, SHORT),
            normalized=True,
        ),
        lambda x: (
            torch.istft(
                torch.complex(x, x).stft(16, return_complex=True), 16, return_complex=True
            ).imag
        ),
    ],
)
def test_short_time_fourier_transforms(function):
    module = ingot.trace(function, torch.rand(2, 80))
    for sizes in ((2, 80), (5, 101), (1, 40)):
        x = torch.rand(sizes)
        torch.testing.assert_close(module(x), function(x), atol=1e-5, rtol=1e-5)


def test_a_window_that_leaves_gaps_is_refused():
    def inverse(x):
        return torch.istft(
            torch.complex(x, x), 8, 8, 8, torch.ones(8) * x.new_ones(1), center=False
        )

    module = ingot.trace(inverse, torch.rand(2, 5, 3))
    x = torch.rand(1, 5, 6)
    torch.testing.assert_close(module(x), inverse(x))

    def weighted(x, window):
        return torch.istft(torch.complex(x, x), 8, 8, 8, window, center=False)

    module = ingot.trace(weighted, (torch.rand(2, 5, 3), torch.ones(8)))
    with pytest.raises(ingot.Error, match="uncovered"):
        module(torch.rand(2, 5, 3), torch.zeros(8))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: torch.fake_quantize_per_tensor_affine(x, 0.1, 3, -20, 90),
        lambda x: torch.fake_quantize_per_tensor_affine(
            x, x.abs().max() / 127, torch.tensor(2, dtype=torch.int32), -128, 127
        ),
        lambda x: torch.fake_quantize_per_channel_affine(
            x, torch.tensor([0.1, 0.2, 0.3]), torch.tensor([0, 1, 5], dtype=torch.int32), 1, 0, 99
        ),
    ],
)
def test_fake_quantization(function):
    module = ingot.trace(function, torch.rand(4, 3))
    for rows in (4, 7, 1):
        x = torch.randn(rows, 3) * 10
        torch.testing.assert_close(module(x), function(x))


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("batch_first", [True, False])
def test_padding_sequences(side, batch_first):
    def pad(*rows):
        return torch.nn.utils.rnn.pad_sequence(list(rows), batch_first, 2.0, side)

    module = ingot.trace(pad, (torch.rand(3, 2), torch.rand(5, 2)))
    for one, two in ((3, 5), (6, 2), (4, 4)):
        rows = torch.rand(one, 2), torch.rand(two, 2)
        torch.testing.assert_close(module(*rows), pad(*rows))


def added_to_a_part(x, start):
    whole = x * 2
    whole.narrow(1, start, 2).add_(1)
    return whole


@pytest.mark.parametrize(
    "function",
    [
        lambda x, start: torch.narrow(x, 1, start, 2),
        lambda x, start: x.narrow(dim=-1, start=start, length=x.shape[1] - 4),
        added_to_a_part,
    ],
)
@pytest.mark.parametrize("dtype", [torch.int64, torch.int8])
def test_a_part_that_begins_where_a_tensor_says(function, dtype):
    module = ingot.trace(function, (torch.rand(2, 6), torch.tensor(1, dtype=dtype)))
    for size in (6, 300):
        x = torch.rand(3, size)
        for place in (0, 2, 5 - size, -size, 4, -1, size, -size - 1):
            try:
                start = torch.tensor(place, dtype=dtype)
            except RuntimeError:  # beyond int8
                continue
            try:
                expected = function(x, start)
            except (RuntimeError, IndexError):
                with pytest.raises(ingot.Error):
                    module(x, start)
            else:
                torch.testing.assert_close(module(x, start), expected, rtol=0, atol=0)


def test_rms_norm_of_complex_numbers():
    def norms(x, weight):
        return torch.rms_norm(x, [3], weight, 0.5), torch.nn.functional.rms_norm(x, [3])

    weight = torch.randn(3, dtype=torch.complex128)
    module = ingot.trace(norms, (torch.randn(2, 3, dtype=torch.complex128), weight))
    x = torch.randn(5, 3, dtype=torch.complex128)
    for found, expected in zip(module(x, weight), norms(x, weight), strict=True):
        torch.testing.assert_close(found, expected)
