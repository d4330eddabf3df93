"""Ops that are written with others, in the scriptable language, by the name of the op.

They are used where the catalogue has no op of that name. Formulas are those of PyTorch's
documentation of each function.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

from ingot.capture.script.decompositions import DECOMPOSITIONS


def rsub(self, other, alpha=1):
    return torch.add(torch.neg(self) if alpha == 1 else torch.neg(self) * alpha, other)


def scalar_tensor(s, dtype=None):
    return torch.full([], s, dtype=torch.float32 if dtype is None else dtype)


def positive(self):
    return self


def adjoint(self):
    return self.transpose(-2, -1).conj()


def matrix_h(self):
    return self.transpose(0, 1).conj()


def matrix_transpose(self):
    return self.transpose(-2, -1)


def broadcast_tensors(tensors):
    shape = tensors[0].shape
    for each in tensors[1:]:
        shape = torch.add(torch.zeros(shape), torch.zeros(each.shape)).shape
    return [each.expand(shape) for each in tensors]


def meshgrid(tensors, indexing="ij"):
    rank = len(tensors)
    order = list(tensors)
    if indexing == "xy" and rank >= 2:
        order = [tensors[1], tensors[0], *tensors[2:]]
    sizes = [each.numel() for each in order]
    grids = []
    for i in range(rank):
        view = [1 for _ in range(rank)]
        view[i] = sizes[i]
        grids.append(order[i].reshape(view).expand(sizes))
    if indexing == "xy" and rank >= 2:
        first = grids[0]
        grids[0] = grids[1]
        grids[1] = first
    return grids


def atleast_1d(self):
    return self.reshape([1]) if self.dim() == 0 else self


def atleast_2d(self):
    if self.dim() == 0:
        return self.reshape([1, 1])
    return self.unsqueeze(0) if self.dim() == 1 else self


def atleast_3d(self):
    if self.dim() == 0:
        return self.reshape([1, 1, 1])
    if self.dim() == 1:
        return self.unsqueeze(0).unsqueeze(-1)
    return self.unsqueeze(-1) if self.dim() == 2 else self


def hstack(tensors):
    parts = [torch.atleast_1d(each) for each in tensors]
    return torch.cat(parts, 0 if parts[0].dim() == 1 else 1)


def vstack(tensors):
    return torch.cat([torch.atleast_2d(each) for each in tensors], 0)


def dstack(tensors):
    return torch.cat([torch.atleast_3d(each) for each in tensors], 2)


def column_stack(tensors):
    parts = [each.reshape([each.numel(), 1]) if each.dim() <= 1 else each for each in tensors]
    return torch.cat(parts, 1)


def fliplr(self):
    return torch.flip(self, [1])


def flipud(self):
    return torch.flip(self, [0])


def rot90(self, k=1, dims=(0, 1)):
    turns = k % 4
    if turns == 1:
        return torch.flip(self, [dims[1]]).transpose(dims[0], dims[1])
    if turns == 2:
        return torch.flip(self, [dims[0], dims[1]])
    if turns == 3:
        return torch.flip(self, [dims[0]]).transpose(dims[0], dims[1])
    return self.clone()


def outer(self, vec2):
    return self.unsqueeze(1) * vec2.unsqueeze(0)


def inner(self, other):
    if self.dim() == 0 or other.dim() == 0:
        return self * other
    if self.dim() == 1 and other.dim() == 1:
        return (self * other).sum()
    product = torch.matmul(
        self.reshape([-1, self.size(-1)]), other.reshape([-1, other.size(-1)]).t()
    )
    return product.reshape(self.shape[:-1] + other.shape[:-1])


def vdot(self, other):
    return torch.dot(self, other)


def channel_shuffle(self, groups):
    channels = self.size(1) // groups
    split = self.reshape([self.size(0), groups, channels, -1])
    return split.transpose(1, 2).reshape(self.shape)


def cosine_similarity(x1, x2, dim=1, eps=1e-8):
    first = torch.clamp((x1 * x1).sum(dim), min=eps * eps)
    second = torch.clamp((x2 * x2).sum(dim), min=eps * eps)
    return (x1 * x2).sum(dim) / torch.sqrt(first) / torch.sqrt(second)


def pairwise_distance(x1, x2, p=2.0, eps=1e-6, keepdim=False):
    return torch.linalg.vector_norm(x1 - x2 + eps, p, [-1], keepdim)


def linalg_cross(self, other, dim=-1):
    if self.size(dim) != 3 or other.size(dim) != 3:
        raise RuntimeError(f"linalg.cross: inputs dimension {dim} must have length 3")
    return torch.roll(self, -1, dim) * torch.roll(other, -2, dim) - torch.roll(
        self, -2, dim
    ) * torch.roll(other, -1, dim)


def cross(self, other, dim=None):
    if dim is not None:
        return linalg_cross(self, other, dim)
    for place in range(self.dim()):
        if self.size(place) == 3:
            return linalg_cross(self, other, place)
    raise RuntimeError("no dimension of size 3 in input")


def diag_embed(self, offset=0, dim1=-2, dim2=-1):
    size = self.size(-1) + abs(offset)
    columns = torch.arange(size)
    mask = columns.unsqueeze(0) == columns.unsqueeze(1) + offset
    padded = torch.nn.functional.pad(self, [max(offset, 0), max(-offset, 0)])
    whole = torch.where(mask, padded.unsqueeze(-2), torch.zeros([], dtype=self.dtype))
    if dim1 == -2 and dim2 == -1:
        return whole
    return torch.movedim(whole, [-2, -1], [dim1, dim2])


def diag(self, diagonal=0):
    if self.dim() == 1:
        return torch.diag_embed(self, diagonal)
    return torch.diagonal(self, diagonal).clone()


def diagflat(self, offset=0):
    return torch.diag_embed(self.reshape([-1]), offset)


def isin(elements, test_elements, assume_unique=False, invert=False):
    found = (elements.unsqueeze(-1) == test_elements.reshape([-1])).any(-1)
    return torch.logical_not(found) if invert else found


def cdist(x1, x2, p=2.0, compute_mode=None):
    difference = torch.abs(x1.unsqueeze(-2) - x2.unsqueeze(-3))
    if p == 0.0:
        return (difference != 0).to(x1.dtype).sum(-1)
    if p == 1.0:
        return difference.sum(-1)
    if p == 2.0:
        return torch.sqrt((difference * difference).sum(-1))
    return torch.linalg.vector_norm(difference, p, [-1])


def _reduced(loss, reduction):
    if reduction == 0:
        return loss
    return loss.mean() if reduction == 1 else loss.sum()


def mse_loss(self, target, reduction=1):
    return _reduced((self - target) * (self - target), reduction)


def l1_loss(self, target, reduction=1):
    return _reduced(torch.abs(self - target), reduction)


def smooth_l1_loss(self, target, reduction=1, beta=1.0):
    distance = torch.abs(self - target)
    if beta == 0.0:
        return _reduced(distance, reduction)
    squared = 0.5 * distance * distance / beta
    return _reduced(torch.where(distance < beta, squared, distance - 0.5 * beta), reduction)


def huber_loss(self, target, reduction=1, delta=1.0):
    distance = torch.abs(self - target)
    near = 0.5 * distance * distance
    return _reduced(
        torch.where(distance <= delta, near, delta * (distance - 0.5 * delta)), reduction
    )


def binary_cross_entropy(self, target, weight=None, reduction=1):
    positive_part = target * torch.clamp(torch.log(self), min=-100.0)
    negative_part = (1 - target) * torch.clamp(torch.log(1 - self), min=-100.0)
    loss = -(positive_part + negative_part)
    return _reduced(loss if weight is None else loss * weight, reduction)


def binary_cross_entropy_with_logits(self, target, weight=None, pos_weight=None, reduction=1):
    negative = torch.clamp(-self, min=0.0)
    tail = torch.log1p(torch.exp(-torch.abs(self))) + negative
    if pos_weight is None:
        loss = (1 - target) * self + tail
    else:
        loss = (1 - target) * self + ((pos_weight - 1) * target + 1) * tail
    return _reduced(loss if weight is None else loss * weight, reduction)


def kl_div(self, target, reduction=1, log_target=False):
    if log_target:
        return _reduced(torch.exp(target) * (target - self), reduction)
    return _reduced(torch.special.xlogy(target, target) - target * self, reduction)


def nll_loss_nd(self, target, weight=None, reduction=1, ignore_index=-100):
    channel = 0 if self.dim() == 1 else 1
    kept = target != ignore_index
    safe = torch.where(kept, target, torch.zeros_like(target))
    loss = -torch.gather(self, channel, safe.unsqueeze(channel)).squeeze(channel)
    if weight is None:
        weights = kept.to(self.dtype)
    else:
        weights = torch.where(kept, weight[safe], torch.zeros_like(loss))
    loss = loss * weights
    if reduction == 0:
        return loss
    return loss.sum() / weights.sum() if reduction == 1 else loss.sum()


def cross_entropy_loss(
    self, target, weight=None, reduction=1, ignore_index=-100, label_smoothing=0.0
):
    channel = 0 if self.dim() == 1 else 1
    logs = torch.log_softmax(self, channel)
    if target.is_floating_point():
        scaled = target
        if label_smoothing > 0.0:
            scaled = target * (1 - label_smoothing) + label_smoothing / self.size(channel)
        if weight is not None:
            scaled = scaled * _along(weight, self.dim(), channel)
        loss = -(logs * scaled).sum(channel)
        if reduction == 1:
            return loss.sum() / (loss.numel())
        return _reduced(loss, reduction)
    plain = torch.nn.functional.nll_loss(
        logs,
        target,
        weight,
        ignore_index=ignore_index,
        reduction="none" if reduction == 0 else "mean" if reduction == 1 else "sum",
    )
    if label_smoothing <= 0.0:
        return plain
    kept = target != ignore_index
    safe = torch.where(kept, target, torch.zeros_like(target))
    if weight is None:
        smooth = -logs.sum(channel)
        weights = kept.to(self.dtype)
    else:
        smooth = -(logs * _along(weight, self.dim(), channel)).sum(channel)
        weights = torch.where(kept, weight[safe], torch.zeros_like(smooth))
    smooth = torch.where(kept, smooth, torch.zeros_like(smooth))
    if reduction == 1:
        smooth = smooth.sum() / weights.sum()
    elif reduction == 2:
        smooth = smooth.sum()
    return plain * (1 - label_smoothing) + smooth * (label_smoothing / self.size(channel))


def _along(weight, rank: int, channel: int):
    """One weight for each class, shaped to go with a tensor of that rank."""
    shape = [1 for _ in range(rank)]
    shape[channel] = -1
    return weight.view(shape)


def margin_ranking_loss(input1, input2, target, margin=0.0, reduction=1):
    return _reduced(torch.clamp(-target * (input1 - input2) + margin, min=0), reduction)


def triplet_margin_loss(
    anchor, positive, negative, margin=1.0, p=2.0, eps=1e-6, swap=False, reduction=1
):
    near = torch.pairwise_distance(anchor, positive, p, eps)
    far = torch.pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = torch.minimum(far, torch.pairwise_distance(positive, negative, p, eps))
    return _reduced(torch.clamp(margin + near - far, min=0), reduction)


def cosine_embedding_loss(input1, input2, target, margin=0.0, reduction=1):
    dim = 1 if target.dim() > 0 else 0
    product = (input1 * input2).sum(dim)
    first = (input1 * input1).sum(dim) + 1e-12
    second = (input2 * input2).sum(dim) + 1e-12
    cosine = product / torch.sqrt(first * second)
    zeros = torch.zeros_like(cosine)
    alike = torch.where(target == 1, 1 - cosine, zeros)
    apart = torch.where(target == -1, torch.clamp(cosine - margin, min=0), zeros)
    return _reduced(alike + apart, reduction)


def hinge_embedding_loss(self, target, margin=1.0, reduction=1):
    zeros = torch.zeros_like(self)
    apart = torch.where(target != 1, torch.clamp(margin - self, min=0), zeros)
    alike = torch.where(target != -1, self, zeros)
    return _reduced(apart + alike, reduction)


def poisson_nll_loss(input, target, log_input, full, eps, reduction):
    if log_input:
        loss = torch.exp(input) - target * input
    else:
        loss = input - target * torch.log(input + eps)
    if full:
        stirling = target * torch.log(target) - target + 0.5 * torch.log(2 * math.pi * target)
        loss = loss + torch.where(target <= 1, torch.zeros_like(stirling), stirling)
    return _reduced(loss, reduction)


def soft_margin_loss(self, target, reduction=1):
    return _reduced(torch.log1p(torch.exp(-target * self)), reduction)


def bilinear(input1, input2, weight, bias=None):
    first = torch.matmul(input1.unsqueeze(-2).unsqueeze(-2), weight).squeeze(-2)
    result = torch.matmul(first, input2.unsqueeze(-1)).squeeze(-1)
    return result if bias is None else result + bias


def rrelu(self, lower=0.125, upper=1.0 / 3.0, training=False):
    if training:
        raise NotImplementedError("rrelu draws random numbers in training, programs do not")
    return torch.nn.functional.leaky_relu(self, (lower + upper) / 2)


def weight_norm(v, g, dim=0):
    if dim == -1:
        return v * (g / torch.sqrt((v * v).sum()))
    dims = [d for d in range(v.dim()) if d != dim]
    return v * (g / torch.sqrt((v * v).sum(dims, True)))


def pad_sequence(sequences, batch_first=False, padding_value=0.0, padding_side="right"):
    longest = 0
    for each in sequences:
        longest = max(longest, each.size(0))
    padded = []
    for each in sequences:
        shape = [longest - each.size(0), *each.shape[1:]]
        filler = torch.full(shape, padding_value, dtype=each.dtype)
        padded.append(torch.cat([each, filler] if padding_side == "right" else [filler, each]))
    return torch.stack(padded, 0 if batch_first else 1)


def pack_padded_sequence(input, lengths, batch_first=False):
    steps = input.transpose(0, 1) if batch_first else input
    if lengths.dim() != 1 or lengths.numel() != steps.shape[1]:
        raise RuntimeError("Expected `len(lengths)` to be equal to batch_size")
    if not bool((lengths[:-1] >= lengths[1:]).all()):
        raise RuntimeError("`lengths` must fall, unless enforce_sorted=False is passed")
    if int(lengths[-1]) <= 0:
        raise RuntimeError("Length of all samples has to be greater than 0")
    longest = int(lengths[0])
    if longest > steps.shape[0]:
        raise RuntimeError("Expected no length above that of the padded sequences")
    mask = torch.arange(longest).unsqueeze(1) < lengths.unsqueeze(0)
    rows = steps[:longest].flatten(0, 1)
    return rows[mask.flatten()], mask.sum(1)


def pad_packed_sequence(data, batch_sizes, batch_first, padding_value, total_length):
    longest, batch = batch_sizes.numel(), int(batch_sizes[0])
    total = max(total_length, longest)
    mask = torch.arange(batch).unsqueeze(0) < batch_sizes.unsqueeze(1)
    lengths = mask.sum(0)
    padded = torch.full([total * batch, *data.shape[1:]], padding_value, dtype=data.dtype)
    padded[mask.flatten().nonzero().squeeze(1)] = data
    padded = padded.unflatten(0, [total, batch])
    return padded.transpose(0, 1) if batch_first else padded, lengths


def reshape_from_tensor(self, shape):
    sizes: list[int] = shape.tolist()
    return self.reshape(sizes)


COMPOSITIONS: dict[str, Callable[..., Any]] = {
    **DECOMPOSITIONS,
    "aten::_pack_padded_sequence": pack_padded_sequence,
    "aten::_pad_packed_sequence": pad_packed_sequence,
    "aten::_reshape_from_tensor": reshape_from_tensor,
    "aten::_weight_norm": weight_norm,
    "aten::adjoint": adjoint,
    "aten::atleast_1d": atleast_1d,
    "aten::atleast_2d": atleast_2d,
    "aten::atleast_3d": atleast_3d,
    "aten::bilinear": bilinear,
    "aten::binary_cross_entropy": binary_cross_entropy,
    "aten::binary_cross_entropy_with_logits": binary_cross_entropy_with_logits,
    "aten::broadcast_tensors": broadcast_tensors,
    "aten::cdist": cdist,
    "aten::channel_shuffle": channel_shuffle,
    "aten::column_stack": column_stack,
    "aten::cosine_similarity": cosine_similarity,
    "aten::cosine_embedding_loss": cosine_embedding_loss,
    "aten::cross": cross,
    "aten::cross_entropy_loss": cross_entropy_loss,
    "aten::diag": diag,
    "aten::diag_embed": diag_embed,
    "aten::diagflat": diagflat,
    "aten::dstack": dstack,
    "aten::fliplr": fliplr,
    "aten::flipud": flipud,
    "aten::ger": outer,
    "aten::hinge_embedding_loss": hinge_embedding_loss,
    "aten::hstack": hstack,
    "aten::huber_loss": huber_loss,
    "aten::inner": inner,
    "aten::isin": isin,
    "aten::kl_div": kl_div,
    "aten::l1_loss": l1_loss,
    "aten::linalg_cross": linalg_cross,
    "aten::mH": adjoint,
    "aten::mT": matrix_transpose,
    "aten::matrix_H": matrix_h,
    "aten::meshgrid": meshgrid,
    "aten::margin_ranking_loss": margin_ranking_loss,
    "aten::mse_loss": mse_loss,
    "aten::nll_loss_nd": nll_loss_nd,
    "aten::outer": outer,
    "aten::pad_sequence": pad_sequence,
    "aten::pairwise_distance": pairwise_distance,
    "aten::poisson_nll_loss": poisson_nll_loss,
    "aten::positive": positive,
    "aten::rot90": rot90,
    "aten::row_stack": vstack,
    "aten::rrelu": rrelu,
    "aten::rsub": rsub,
    "aten::scalar_tensor": scalar_tensor,
    "aten::smooth_l1_loss": smooth_l1_loss,
    "aten::soft_margin_loss": soft_margin_loss,
    "aten::triplet_margin_loss": triplet_margin_loss,
    "aten::vdot": vdot,
    "aten::vstack": vstack,
}
