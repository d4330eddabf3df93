"""Gradients that PyTorch computes in ops of their own, in others: decompositions of such ops.

What moves or weights elements dimension by dimension (averages, padding, interpolation) is a
product with a matrix along each; its gradient is that with the transposed one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

aten = torch.ops.aten


def _convolution_backward(
    grad_output: Tensor,
    input: Tensor,
    weight: Tensor,
    bias_sizes: list[int] | None,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    transposed: bool,
    output_padding: list[int],
    groups: int,
    output_mask: list[bool],
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """Gradients of a convolution: convolutions of the other kind, and of batches as channels."""
    rank = input.dim() - 2
    stride, padding, dilation = (
        list(v) * rank if len(v) == 1 else list(v) for v in (stride, padding, dilation)
    )
    of_input = of_weight = of_bias = None
    if output_mask[0]:
        rest = [0] * rank
        if not transposed:
            rest = [
                input.shape[d + 2]
                - ((grad_output.shape[d + 2] - 1) * stride[d] - 2 * padding[d])
                - (dilation[d] * (weight.shape[d + 2] - 1) + 1)
                for d in range(rank)
            ]
        of_input = aten.convolution.default(
            grad_output, weight, None, stride, padding, dilation, not transposed, rest, groups
        )
    if output_mask[1]:
        first, second = (grad_output, input) if transposed else (input, grad_output)
        parts = [
            aten.convolution.default(
                a.transpose(0, 1), b.transpose(0, 1), None, dilation, padding, stride, False,
                [0] * rank, 1,
            ).transpose(0, 1)
            for a, b in zip(first.chunk(groups, 1), second.chunk(groups, 1), strict=True)
        ]  # fmt: skip
        of_weight = torch.cat(parts)
        for d in range(rank):
            of_weight = of_weight.narrow(d + 2, 0, weight.shape[d + 2])
    if output_mask[2]:
        of_bias = grad_output.sum([0, *range(2, rank + 2)])
    return of_input, of_weight, of_bias


def _matrix(size: int, like: Tensor, op: Callable[[Tensor], Tensor]) -> Tensor:
    """[size, outputs]: ``op`` on [1, C, size] as a product with it."""
    return op(torch.eye(size, dtype=like.dtype).unsqueeze(0)).squeeze(0)


def _back(gradient: Tensor, matrices: Sequence[Tensor]) -> Tensor:
    """Through products with these matrices along the last dimensions."""
    for k, matrix in enumerate(reversed(matrices)):
        gradient = (gradient.transpose(-1 - k, -1) @ matrix.mT).transpose(-1 - k, -1)
    return gradient


def _avg_pool_backward(
    grad_output: Tensor,
    self: Tensor,
    kernel_size: list[int],
    stride: list[int],
    padding: list[int],
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Tensor:
    rank = self.dim() - (2 if self.dim() == len(kernel_size) + 2 else 1)
    kernel, step, pad = (
        list(v) * rank if len(v) == 1 else list(v)
        for v in (kernel_size, stride or kernel_size, padding)
    )
    if divisor_override is not None:
        if ceil_mode:
            raise NotImplementedError
        for k in kernel:
            grad_output = grad_output * k
        grad_output = grad_output / divisor_override
        count_include_pad = True
    return _back(
        grad_output,
        [
            _matrix(
                self.shape[d - rank],
                self,
                lambda x, d=d: aten.avg_pool1d(  # type: ignore[misc]
                    x, [kernel[d]], [step[d]], [pad[d]], ceil_mode, count_include_pad
                ),
            )
            for d in range(rank)
        ],
    )


def _adaptive_avg_pool_backward(rank: int) -> Callable[[Tensor, Tensor], Tensor]:
    def backward(grad_output: Tensor, self: Tensor) -> Tensor:
        sizes = zip(self.shape[-rank:], grad_output.shape[-rank:], strict=True)
        return _back(
            grad_output,
            [
                _matrix(i, self, lambda x, o=o: aten.adaptive_avg_pool1d(x, [o]))  # type: ignore[misc]
                for i, o in sizes
            ],
        )

    return backward


def _pad_backward(pad: Callable[..., Tensor]) -> Callable[[Tensor, Tensor, list[int]], Tensor]:
    def backward(grad_output: Tensor, self: Tensor, padding: list[int]) -> Tensor:
        rank = len(padding) // 2
        return _back(
            grad_output,
            [
                _matrix(
                    self.shape[d - rank],
                    self,
                    lambda x, at=2 * (rank - 1 - d): pad(x, padding[at : at + 2]),  # type: ignore[misc]
                )
                for d in range(rank)
            ],
        )

    return backward


def _upsample_backward(upsample: Callable[..., Tensor], aligned: bool) -> Callable[..., Tensor]:
    """Of [..., n] to one size: ``upsample(x, [size], [align_corners,] scale)``."""

    def backward(
        grad_output: Tensor, output_size: list[int], input_size: list[int], *rest: Any
    ) -> Tensor:
        rank = len(output_size)
        corners = rest[:1] if aligned else ()
        scales = [*rest[len(corners) :], *[None] * rank]
        return _back(
            grad_output,
            [
                _matrix(
                    input_size[d + 2],
                    grad_output,
                    lambda x, d=d: upsample(x, [output_size[d]], *corners, scales[d]),  # type: ignore[misc]
                )
                for d in range(rank)
            ],
        )

    return backward


def _cubic(x: Tensor, size: list[int], align_corners: bool, scale: float | None) -> Tensor:
    rows = x.shape[1]
    return aten.upsample_bicubic2d(x.unsqueeze(0), [rows, *size], align_corners, None, scale)[0]  # type: ignore[no-any-return]


def _max_pool_backward(rank: int) -> Callable[..., Tensor]:
    def backward(grad_output: Tensor, self: Tensor, *rest: Any) -> Tensor:
        indices = rest[-1]
        flat = self.new_zeros(self.shape).flatten(-rank)
        summed = flat.scatter_add(-1, indices.flatten(-rank), grad_output.flatten(-rank))
        return summed.reshape(self.shape)

    return backward


def _cdist_backward(grad: Tensor, x1: Tensor, x2: Tensor, p: float, cdist: Tensor) -> Tensor:
    if p != 2:
        raise NotImplementedError
    weights = torch.where(cdist == 0, 0.0, grad / cdist)
    return x1 * weights.sum(-1, keepdim=True) - weights @ x2


GRADIENTS: dict[Any, Callable[..., Any]] = {
    aten.convolution_backward.default: _convolution_backward,
    aten.avg_pool2d_backward.default: _avg_pool_backward,
    aten.avg_pool3d_backward.default: _avg_pool_backward,
    aten._adaptive_avg_pool2d_backward.default: _adaptive_avg_pool_backward(2),
    aten._adaptive_avg_pool3d_backward.default: _adaptive_avg_pool_backward(3),
    aten.reflection_pad1d_backward.default: _pad_backward(aten.reflection_pad1d),
    aten.reflection_pad2d_backward.default: _pad_backward(aten.reflection_pad1d),
    aten.reflection_pad3d_backward.default: _pad_backward(aten.reflection_pad1d),
    aten.replication_pad1d_backward.default: _pad_backward(aten.replication_pad1d),
    aten.replication_pad2d_backward.default: _pad_backward(aten.replication_pad1d),
    aten.replication_pad3d_backward.default: _pad_backward(aten.replication_pad1d),
    aten.upsample_linear1d_backward.default: _upsample_backward(aten.upsample_linear1d, True),
    aten.upsample_bilinear2d_backward.default: _upsample_backward(aten.upsample_linear1d, True),
    aten.upsample_trilinear3d_backward.default: _upsample_backward(aten.upsample_linear1d, True),
    aten.upsample_bicubic2d_backward.default: _upsample_backward(_cubic, True),
    aten.upsample_nearest1d_backward.default: _upsample_backward(aten.upsample_nearest1d, False),
    aten.upsample_nearest2d_backward.default: _upsample_backward(aten.upsample_nearest1d, False),
    aten.upsample_nearest3d_backward.default: _upsample_backward(aten.upsample_nearest1d, False),
    aten.max_pool3d_with_indices_backward.default: _max_pool_backward(3),
    aten.adaptive_max_pool2d_backward.default: _max_pool_backward(2),
    aten.adaptive_max_pool3d_backward.default: _max_pool_backward(3),
    aten._cdist_backward.default: _cdist_backward,
}
