"""Windows and frequencies whose length the program computes.

Formulas are those of PyTorch's page of each function.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch


def _places(window_length: int, periodic: bool, dtype: torch.dtype | None):
    """From 0 on, in periods; the last element of a symmetric window ends one."""
    kind = torch.float32 if dtype is None else dtype
    period = window_length if periodic else window_length - 1
    return torch.arange(window_length, dtype=kind) / max(period, 1)


def _of_one(window):
    """A window of one element is 1."""
    return torch.ones_like(window) if window.numel() == 1 else window


def hamming_window(
    window_length: int,
    periodic: bool = True,
    alpha: float = 0.54,
    beta: float = 0.46,
    dtype: torch.dtype | None = None,
):
    angle = _places(window_length, periodic, dtype) * (2 * math.pi)
    return _of_one(alpha - beta * torch.cos(angle))


def hann_window(window_length: int, periodic: bool = True, dtype: torch.dtype | None = None):
    return hamming_window(window_length, periodic, 0.5, 0.5, dtype)


def blackman_window(window_length: int, periodic: bool = True, dtype: torch.dtype | None = None):
    angle = _places(window_length, periodic, dtype) * (2 * math.pi)
    return _of_one(0.42 - 0.5 * torch.cos(angle) + 0.08 * torch.cos(2 * angle))


def bartlett_window(window_length: int, periodic: bool = True, dtype: torch.dtype | None = None):
    return _of_one(1 - torch.abs(2 * _places(window_length, periodic, dtype) - 1))


def kaiser_window(
    window_length: int, periodic: bool = True, beta: float = 12.0, dtype: torch.dtype | None = None
):
    side = 2 * _places(window_length, periodic, dtype) - 1
    inside = torch.clamp(1 - side * side, min=0.0)
    scale = torch.i0(torch.tensor([beta], dtype=side.dtype))
    return _of_one(torch.i0(beta * torch.sqrt(inside)) / scale)


def fftfreq(n: int, d: float = 1.0, dtype: torch.dtype | None = None):
    kind = torch.float32 if dtype is None else dtype
    places = torch.arange(n)
    both = torch.where(places < (n + 1) // 2, places, places - n)
    return both.to(kind) * (1.0 / (n * d))


def rfftfreq(n: int, d: float = 1.0, dtype: torch.dtype | None = None):
    kind = torch.float32 if dtype is None else dtype
    return torch.arange(n // 2 + 1).to(kind) * (1.0 / (n * d))


MADE: dict[Any, Callable[..., Any]] = {
    torch.hann_window: hann_window,
    torch.hamming_window: hamming_window,
    torch.blackman_window: blackman_window,
    torch.bartlett_window: bartlett_window,
    torch.kaiser_window: kaiser_window,
    torch.fft.fftfreq: fftfreq,
    torch.fft.rfftfreq: rfftfreq,
}
"""By the functions of the Python API that they stand for."""
