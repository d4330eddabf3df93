"""Functions of torch that take sizes for numbers, said again so that sizes stay free."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes

from ingot.capture.script.decompositions import tensors, windows


def _is_symbol(*values: Any) -> bool:
    return any(isinstance(value, torch.SymInt | torch.SymFloat) for value in values)


def of_steps(op: Callable[..., Any], function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """``torch.linspace`` or ``logspace``; ``op`` takes steps that are sizes."""

    def call(start: Any, end: Any, steps: Any, *rest: Any, **options: Any) -> Tensor:
        if not _is_symbol(start, end, steps) or options.get("out") is not None:
            return function(start, end, steps, *rest, **options)
        kept = {key: options[key] for key in ("base", "dtype") if key in options}
        return op(start, end, steps, *rest, **kept)  # type: ignore[no-any-return]

    return call


def steps_made(
    start: Any, end: Any, steps: Any, base: float = 10.0, *, dtype: Any = None, **options: Any
) -> Tensor:
    """The sizes and dtype of what such an op gives."""
    torch._check(steps >= 0)
    return torch.empty([steps], dtype=dtype)


def pooled(
    self: Tensor,
    kernel_size: list[int],
    stride: list[int] = [],  # noqa: B006
    padding: list[int] = [0],  # noqa: B006
    dilation: list[int] = [1],  # noqa: B006
    ceil_mode: bool = False,
) -> Tensor:
    """The sizes of ``aten::max_pool1d``."""
    torch._check(self.dim() in (2, 3))
    (kernel,), (pad,), (spread,) = kernel_size, padding, dilation
    step = stride[0] if stride else kernel
    length = self.shape[-1]
    room = length + 2 * pad - spread * (kernel - 1) - 1
    windows = (room + (step - 1 if ceil_mode else 0)) // step + 1
    if ceil_mode and (windows - 1) * step >= length + pad:
        windows -= 1
    torch._check(windows >= 1)
    return self.new_empty([*self.shape[:-1], windows])


def max_pool1d(op: Callable[..., Any], function: Callable[..., Any]) -> Callable[..., Any]:
    """``torch.nn.functional.max_pool1d`` by the op, which gives no indices."""

    def call(
        input: Tensor,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Any:
        if return_indices:
            return function(
                input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
            )
        listed = (
            [each] if isinstance(each, int) else list(each)
            for each in (kernel_size, stride or [], padding, dilation)
        )
        return op(input, *listed, ceil_mode)

    return call


def one_hot(tensor: Tensor, num_classes: Any = -1) -> Tensor:
    classes = num_classes
    if not _is_symbol(classes):
        if classes != -1:
            return torch.nn.functional.one_hot(tensor, classes)
        classes = tensor.max().item() + 1
        torch._check(classes >= 1)
    zeros = torch.zeros([*tensor.shape, classes], dtype=torch.int64)
    return zeros.scatter(-1, tensor.unsqueeze(-1), 1)


def _affine_grid(theta: Tensor, size: list[Any], align_corners: bool) -> Tensor:
    """The middles of pixels, or their corners, in [-1, 1], times ``theta``."""
    if not _is_symbol(*size):
        return torch.affine_grid_generator(theta, size, align_corners)
    spatial = size[2:]
    rank = len(spatial)
    axes = []
    for d, count in enumerate(reversed(spatial)):
        numbers = 2 * torch.arange(count, dtype=theta.dtype) - (count - 1)
        between = torch.sym_max(count - 1, 1) if align_corners else count
        axis = numbers / between
        axes.append(axis.reshape([-1 if i == rank - 1 - d else 1 for i in range(rank)]))
    axes.append(torch.ones([1] * rank, dtype=theta.dtype))
    base = torch.stack([axis.expand(spatial) for axis in axes], -1).reshape(1, -1, rank + 1)
    grid = torch.matmul(base, theta.transpose(1, 2))
    return grid.reshape([size[0], *spatial, rank])


def _frequencies(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """``torch.fft.fftfreq`` or ``rfftfreq``, in the scriptable form."""

    def call(n: Any, d: float = 1.0, *, dtype: Any = None, **options: Any) -> Tensor:
        return function(n, d, dtype or torch.get_default_dtype())

    return call


def _fill_diagonal_(tensor: Tensor, fill_value: Any, wrap: bool = False) -> Tensor:
    if tensor.dim() != 2 or wrap or not _is_symbol(*tensor.shape):
        return tensor.fill_diagonal_(fill_value, wrap)
    return tensors.fill_diagonal_(tensor, fill_value)  # type: ignore[no-any-return]


def _window(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A window, whose length a program must know: a constant."""

    def call(window_length: Any, *args: Any, **kwargs: Any) -> Tensor:
        length = int(window_length)
        with _disable_current_modes():
            return function(length, *args, **kwargs)

    return call


FREE: dict[Any, Callable[..., Any]] = {
    torch.nn.functional.one_hot: one_hot,
    torch.affine_grid_generator: _affine_grid,
    torch.nn.functional.affine_grid: lambda theta, size, align_corners=None: _affine_grid(
        theta, list(size), bool(align_corners)
    ),
    torch.kron: tensors.kron,
    Tensor.kron: tensors.kron,
    torch.fft.fftfreq: _frequencies(windows.fftfreq),
    torch.fft.rfftfreq: _frequencies(windows.rfftfreq),
    Tensor.fill_diagonal_: _fill_diagonal_,
    torch.bartlett_window: _window(torch.bartlett_window),
    torch.hamming_window: _window(torch.hamming_window),
    torch.kaiser_window: _window(torch.kaiser_window),
}
"""By the functions of the Python API that they stand for."""
