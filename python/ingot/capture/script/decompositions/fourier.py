"""Functions of torch.fft and the short-time transforms, over the three ops of the catalogue.

Definitions and argument rules are those of PyTorch's pages of torch.fft and torch.stft.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


def _mode(norm, forward):
    """How the op scales: 0 not, 1 by 1 / sqrt(n), 2 by 1 / n."""
    if norm == "ortho":
        return 1
    if norm is None or norm == "backward":
        return 0 if forward else 2
    if norm == "forward":
        return 2 if forward else 0
    raise RuntimeError("Invalid normalization mode")


def _inexact(x):
    return x if x.is_floating_point() or x.is_complex() else x.to(torch.float32)


def _resized(x, dim, n):
    size = x.size(dim)
    if n < 1:
        raise RuntimeError("Invalid number of data points specified")
    if n < size:
        return x.narrow(dim, 0, n)
    if n > size:
        shape = list(x.shape)
        shape[dim] = n - size
        return torch.cat([x, torch.zeros(shape, dtype=x.dtype)], dim)
    return x


def _along(x, n, dim):
    return x if n is None else _resized(x, dim, n)


def _complex_transform(x, dims, norm, forward):
    if x.is_complex():
        return torch._fft_c2c(x, dims, _mode(norm, forward), forward)
    whole = torch._fft_r2c(x, dims, _mode(norm, forward), False)
    return whole if forward else torch.conj_physical(whole)


def fft_fft(self, n=None, dim=-1, norm=None):
    return _complex_transform(_along(_inexact(self), n, dim), [dim], norm, True)


def fft_ifft(self, n=None, dim=-1, norm=None):
    return _complex_transform(_along(_inexact(self), n, dim), [dim], norm, False)


def fft_rfft(self, n=None, dim=-1, norm=None):
    return torch._fft_r2c(_along(_inexact(self), n, dim), [dim], _mode(norm, True), True)


def fft_ihfft(self, n=None, dim=-1, norm=None):
    half = torch._fft_r2c(_along(_inexact(self), n, dim), [dim], _mode(norm, False), True)
    return torch.conj_physical(half)


def _as_complex(x):
    x = _inexact(x)
    return x if x.is_complex() else torch.complex(x, torch.zeros_like(x))


def fft_irfft(self, n=None, dim=-1, norm=None):
    x = _as_complex(self)
    last = 2 * (x.size(dim) - 1) if n is None else n
    return torch._fft_c2r(_resized(x, dim, last // 2 + 1), [dim], _mode(norm, False), last)


def fft_hfft(self, n=None, dim=-1, norm=None):
    x = torch.conj_physical(_as_complex(self))
    last = 2 * (x.size(dim) - 1) if n is None else n
    return torch._fft_c2r(_resized(x, dim, last // 2 + 1), [dim], _mode(norm, True), last)


def _dims(x, s, dim):
    if dim is not None:
        return [dim] if isinstance(dim, int) else list(dim)
    if s is None:
        return list(range(x.dim()))
    count = 1 if isinstance(s, int) else len(s)
    return list(range(x.dim() - count, x.dim()))


def _shaped(x, s, dims):
    if s is not None:
        sizes = [s] if isinstance(s, int) else s
        for d, n in zip(dims, sizes):  # noqa: B905
            if n != -1:
                x = _resized(x, d, n)
    return x


def fft_fftn(self, s=None, dim=None, norm=None):
    dims = _dims(self, s, dim)
    return _complex_transform(_shaped(_inexact(self), s, dims), dims, norm, True)


def fft_ifftn(self, s=None, dim=None, norm=None):
    dims = _dims(self, s, dim)
    return _complex_transform(_shaped(_inexact(self), s, dims), dims, norm, False)


def fft_rfftn(self, s=None, dim=None, norm=None):
    dims = _dims(self, s, dim)
    return torch._fft_r2c(_shaped(_inexact(self), s, dims), dims, _mode(norm, True), True)


def _half_sized(x, s, dims):
    """The input of a transform to real numbers, and how long its last dimension becomes."""
    last = 2 * (x.size(dims[-1]) - 1)
    if s is not None:
        sizes = [s] if isinstance(s, int) else s
        if sizes[-1] != -1:
            last = sizes[-1]
        for i in range(len(dims) - 1):
            if sizes[i] != -1:
                x = _resized(x, dims[i], sizes[i])
    return _resized(x, dims[-1], last // 2 + 1), last


def fft_irfftn(self, s=None, dim=None, norm=None):
    dims = _dims(self, s, dim)
    x, last = _half_sized(_as_complex(self), s, dims)
    return torch._fft_c2r(x, dims, _mode(norm, False), last)


def fft_hfftn(self, s=None, dim=None, norm=None):
    dims = _dims(self, s, dim)
    x, last = _half_sized(_as_complex(self), s, dims)
    if len(dims) > 1:
        x = torch._fft_c2c(x, dims[:-1], _mode(norm, True), True)
    return torch._fft_c2r(torch.conj_physical(x), [dims[-1]], _mode(norm, True), last)


def fft_ihfftn(self, s=None, dim=None, norm=None):
    dims = _dims(self, s, dim)
    x = _shaped(_inexact(self), s, dims)
    x = torch.conj_physical(torch._fft_r2c(x, [dims[-1]], _mode(norm, False), True))
    if len(dims) > 1:
        x = torch._fft_c2c(x, dims[:-1], _mode(norm, False), False)
    return x


def fft_fft2(self, s=None, dim=(-2, -1), norm=None):
    return fft_fftn(self, s, dim, norm)


def fft_ifft2(self, s=None, dim=(-2, -1), norm=None):
    return fft_ifftn(self, s, dim, norm)


def fft_rfft2(self, s=None, dim=(-2, -1), norm=None):
    return fft_rfftn(self, s, dim, norm)


def fft_irfft2(self, s=None, dim=(-2, -1), norm=None):
    return fft_irfftn(self, s, dim, norm)


def fft_hfft2(self, s=None, dim=(-2, -1), norm=None):
    return fft_hfftn(self, s, dim, norm)


def fft_ihfft2(self, s=None, dim=(-2, -1), norm=None):
    return fft_ihfftn(self, s, dim, norm)


def _shifts(x, dim):
    if dim is None:
        return list(range(x.dim()))
    return [dim] if isinstance(dim, int) else list(dim)


def fft_fftshift(self, dim=None):
    dims = _shifts(self, dim)
    return torch.roll(self, [self.size(d) // 2 for d in dims], dims)


def fft_ifftshift(self, dim=None):
    dims = _shifts(self, dim)
    return torch.roll(self, [(self.size(d) + 1) // 2 for d in dims], dims)


def _frame_window(window, length, n_fft, dtype):
    """The window in the middle of a frame."""
    whole = torch.ones([length], dtype=dtype) if window is None else window
    left = (n_fft - length) // 2
    return torch.nn.functional.pad(whole, [left, n_fft - length - left])


def stft(
    self,
    n_fft,
    hop_length=None,
    win_length=None,
    window=None,
    normalized=False,
    onesided=None,
    return_complex=None,
    align_to_window=None,
):
    hop = n_fft // 4 if hop_length is None else hop_length
    length = n_fft if win_length is None else win_length
    x = self.unsqueeze(0) if self.dim() == 1 else self
    frames = x.unfold(-1, n_fft, hop)
    if window is not None or length != n_fft:
        dtype = torch.float32 if self.dtype != torch.float64 else torch.float64
        frames = frames * _frame_window(window, length, n_fft, dtype)
    mode = 1 if normalized else 0
    if frames.is_complex():
        spectrum = torch._fft_c2c(frames, [-1], mode, True)
    else:
        half = True if onesided is None else onesided
        spectrum = torch._fft_r2c(frames, [-1], mode, half)
    spectrum = spectrum.transpose(-2, -1)
    if self.dim() == 1:
        spectrum = spectrum.squeeze(0)
    return spectrum if return_complex else torch.view_as_real(spectrum)


def istft(
    self,
    n_fft,
    hop_length=None,
    win_length=None,
    window=None,
    center=True,
    normalized=False,
    onesided=None,
    length=None,
    return_complex=False,
):
    if return_complex:
        raise RuntimeError("istft with return_complex=True cannot be compiled")
    hop = n_fft // 4 if hop_length is None else hop_length
    width = n_fft if win_length is None else win_length
    x = self.unsqueeze(0) if self.dim() == 2 else self
    x = x.transpose(-2, -1)
    half = (x.size(-1) != n_fft) if onesided is None else onesided
    if not half:
        x = x.narrow(-1, 0, n_fft // 2 + 1)
    frames = torch._fft_c2r(x, [-1], 1 if normalized else 2, n_fft)
    shape = _frame_window(window, width, n_fft, frames.dtype)
    count = frames.size(1)
    whole = n_fft + hop * (count - 1)
    places = torch.arange(n_fft).unsqueeze(0) + hop * torch.arange(count).unsqueeze(1)
    places = places.reshape([-1])
    summed = torch.zeros([frames.size(0), whole], dtype=frames.dtype)
    summed = summed.index_add(1, places, (frames * shape).reshape([frames.size(0), -1]))
    weight = (shape * shape).unsqueeze(0).expand([count, n_fft]).reshape([-1])
    envelope = torch.zeros([whole], dtype=frames.dtype).index_add(0, places, weight)
    start = n_fft // 2 if center else 0
    if length is not None:
        end = start + length
    elif center:
        end = whole - n_fft // 2
    else:
        end = whole
    stop = min(end, whole)
    result = summed.narrow(1, start, stop - start)
    envelope = envelope.narrow(0, start, stop - start)
    if bool((envelope.abs() < 1e-11).any()):
        raise RuntimeError("istft: the window overlap add has zeros")
    result = result / envelope
    if end > stop:
        result = torch.nn.functional.pad(result, [0, end - stop])
    return result.squeeze(0) if self.dim() == 2 else result


COMPOSITIONS: dict[str, Callable[..., Any]] = {
    f"aten::{function.__name__}": function
    for function in (
        fft_fft, fft_fft2, fft_fftn, fft_fftshift, fft_hfft, fft_hfft2, fft_hfftn, fft_ifft,
        fft_ifft2, fft_ifftn, fft_ifftshift, fft_ihfft, fft_ihfft2, fft_ihfftn, fft_irfft,
        fft_irfft2, fft_irfftn, fft_rfft, fft_rfft2, fft_rfftn, istft, stft,
    )
}  # fmt: skip
