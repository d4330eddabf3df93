"""Size rules of ops for which PyTorch's own take the exporter long, or take sizes for numbers."""

from __future__ import annotations

from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torch._subclasses import fake_impls

aten = torch.ops.aten


def _normed(mode: Any, op: Any, input: Tensor, *_: Any, **__: Any) -> tuple[Tensor, ...]:
    return torch.empty_like(input), input.new_empty(0), input.new_empty(0)


def _of_complex(mode: Any, op: Any, self: Tensor, *_: Any) -> Tensor:
    return self.new_empty(self.shape)


def _of_real(
    mode: Any, op: Any, self: Tensor, dim: list[int], normalization: int, onesided: bool
) -> Tensor:
    sizes = list(self.shape)
    if onesided:
        sizes[dim[-1]] = sizes[dim[-1]] // 2 + 1
    return self.new_empty(sizes, dtype=self.dtype.to_complex())


def _to_real(
    mode: Any, op: Any, self: Tensor, dim: list[int], normalization: int, last_dim_size: int
) -> Tensor:
    sizes = list(self.shape)
    sizes[dim[-1]] = last_dim_size
    return self.new_empty(sizes, dtype=self.dtype.to_real())


_RULES = {
    aten._native_batch_norm_legit_no_training.default: _normed,
    aten._fft_c2c.default: _of_complex,
    aten._fft_r2c.default: _of_real,
    aten._fft_c2r.default: _to_real,
}


def size_rules() -> Any:
    """A context in which PyTorch uses these rules."""
    return mock.patch.dict(fake_impls.op_implementations_dict, _RULES)
