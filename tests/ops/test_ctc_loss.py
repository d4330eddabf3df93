"""Connectionist temporal classification against PyTorch."""

from __future__ import annotations

import pytest
import torch
from tests.ops.oracle import check, run

import ingot

TARGETS = torch.tensor([[1, 2, 2, 3], [4, 4, 1, 0], [3, 1, 2, 2]])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("reduction", [0, 1, 2])
@pytest.mark.parametrize("zero_infinity", [False, True])
def test_losses(dtype: torch.dtype, reduction: int, zero_infinity: bool) -> None:
    random = torch.Generator().manual_seed(0)
    scores = torch.randn(9, 3, 6, generator=random, dtype=dtype).log_softmax(-1)
    # The last target needs more frames than it has.
    given, wanted = [9, 7, 3], [4, 3, 4]
    joined = torch.cat([row[:n] for row, n in zip(TARGETS, wanted, strict=True)])
    for targets in (TARGETS, TARGETS.int(), joined):
        for blank in (0, 5):
            rest = (blank, reduction, zero_infinity)
            check("aten::ctc_loss.IntList", scores, targets, given, wanted, *rest, infer=False)
            lengths = (torch.tensor(given), torch.tensor(wanted))
            check("aten::ctc_loss.Tensor", scores, targets, *lengths, *rest, infer=False)
    one = (scores[:, 0], TARGETS[0], [9], [4], 0, reduction, zero_infinity)
    check("aten::ctc_loss.IntList", *one, infer=False)
    empty = (scores, TARGETS, given, [0, 2, 0], 0, reduction, zero_infinity)
    check("aten::ctc_loss.IntList", *empty, infer=False)


@pytest.mark.parametrize(
    ("frames", "labels", "blank"), [([10, 9, 9], [4, 4, 4], 0), ([9, 9], [4, 4, 4], 0),
                                    ([9, 9, 9], [5, 4, 4], 0), ([9, 9, 9], [4, 4, 4], 6)]
)  # fmt: skip
def test_refused(frames: list[int], labels: list[int], blank: int) -> None:
    with pytest.raises(ingot.Error):
        run("aten::ctc_loss.IntList", torch.zeros(9, 3, 6), TARGETS, frames, labels, blank)
