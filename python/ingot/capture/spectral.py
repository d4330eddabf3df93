"""Short-time Fourier transforms in ops that leave the batch and the length of a signal open.

PyTorch's own take strides and sums of sizes for numbers. The formulas are those of
https://pytorch.org/docs/stable/generated/torch.stft.html and torch.istft.html.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def stft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    pad_mode: str = "reflect",
    normalized: bool = False,
    onesided: bool | None = None,
    return_complex: bool | None = None,
    align_to_window: bool | None = None,
) -> Tensor:
    """[batch, length] or [length] as [batch, frequencies, frames], complex or its two parts."""
    signal = input if input.dim() == 2 else input.unsqueeze(0)
    if center:
        padding = [n_fft // 2, n_fft // 2]
        signal = torch.nn.functional.pad(signal.unsqueeze(0), padding, pad_mode).squeeze(0)
    frames = signal.unfold(1, n_fft, hop_length or n_fft // 4)
    if window is not None or (win_length or n_fft) < n_fft:
        frames = frames * _centred(window, win_length or n_fft, n_fft, input)
    scaling = "ortho" if normalized else None
    if onesided is False or frames.is_complex():
        spectrum = torch.fft.fft(frames, dim=2, norm=scaling)
    else:
        spectrum = torch.fft.rfft(frames, dim=2, norm=scaling)
    spectrum = spectrum.transpose(1, 2)
    if input.dim() == 1:
        spectrum = spectrum.squeeze(0)
    whole = return_complex or (return_complex is None and frames.is_complex())
    return spectrum if whole else torch.view_as_real(spectrum)


def istft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    normalized: bool = False,
    onesided: bool | None = None,
    length: Any = None,
    return_complex: bool = False,
) -> Tensor:
    """[batch, frequencies, frames] or without batch as [batch, length] or [length]: the sum of
    the windowed frames over the sum of the squared windows."""
    spectrum = (input if input.dim() == 3 else input.unsqueeze(0)).transpose(1, 2)
    scaling = "ortho" if normalized else None
    if return_complex:
        frames = torch.fft.ifft(spectrum, dim=2, norm=scaling)
    else:
        frames = torch.fft.irfft(spectrum[:, :, : n_fft // 2 + 1], n_fft, dim=2, norm=scaling)
    weights = _centred(window, win_length or n_fft, n_fft, frames)
    hop = hop_length or n_fft // 4
    count = frames.shape[1]
    signal = _overlapped(frames * weights, hop)
    envelope = _overlapped((weights * weights).expand(1, count, n_fft), hop)
    cut = n_fft // 2 if center else 0
    whole = n_fft + hop * (count - 1)
    if length is None:
        signal, envelope = (t[:, cut : whole - cut] for t in (signal, envelope))
    else:
        signal, envelope = (t[:, cut : cut + length] for t in (signal, envelope))
    torch._assert_async(
        (envelope.abs() > 1e-11).all(), "istft: the windows leave a part of the signal uncovered"
    )
    signal = signal / envelope
    if length is not None:
        signal = torch.nn.functional.pad(signal, [0, length])[:, :length]
    return signal if input.dim() == 3 else signal.squeeze(0)


def _centred(window: Tensor | None, length: int, n_fft: int, like: Tensor) -> Tensor:
    """The window of a frame, with zeros around it where it is shorter."""
    if window is None:
        window = torch.ones(length, dtype=like.real.dtype)
    left = (n_fft - length) // 2
    return torch.nn.functional.pad(window, [left, n_fft - length - left])


def _overlapped(frames: Tensor, hop: int) -> Tensor:
    """[batch, frames, size] as [batch, length], where frame i adds to what begins at i * hop."""
    batch, count, size = frames.shape
    starts = torch.arange(count).unsqueeze(1) * hop
    places = (starts + torch.arange(size)).reshape(-1)
    sums = frames.new_zeros([batch, size + hop * (count - 1)])
    return sums.index_add(1, places, frames.reshape(batch, count * size))
