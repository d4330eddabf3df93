"""Sequences of several lengths through recurrent layers."""

from __future__ import annotations

import pytest
import torch
from agreement import agree, outcome
from torch import Tensor, nn
from torch.nn.utils.rnn import (
    PackedSequence,
    pack_padded_sequence,
    pack_sequence,
    pad_packed_sequence,
)

import ingot


class Recurrent(nn.Module):
    def __init__(self, kind: type[nn.RNNBase], bidirectional: bool) -> None:
        super().__init__()
        self.layers = kind(2, 3, 2, batch_first=True, bidirectional=bidirectional)

    def forward(self, x: Tensor, lengths: Tensor):
        packed = pack_padded_sequence(x, lengths, batch_first=True)
        out, last = self.layers(packed)
        padded, found = pad_packed_sequence(out, batch_first=True)
        return padded, found, last


class Unsorted(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.LSTM(2, 3)

    def forward(self, x: Tensor, lengths: Tensor):
        out, last = self.layers(pack_padded_sequence(x, lengths, enforce_sorted=False))
        padded, found = pad_packed_sequence(out, padding_value=-1.0, total_length=7)
        listed = pack_sequence([torch.ones(3, 2), torch.zeros(1, 2)])
        return padded, found, last, out.batch_sizes, listed.data


class TakesPacked(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.GRU(2, 3)

    def forward(self, packed: PackedSequence) -> tuple[PackedSequence, Tensor]:
        return self.layers(packed)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_sorted(kind, bidirectional) -> None:
    model = Recurrent(kind, bidirectional).eval()
    program = ingot.script(model)
    for lengths in ([4, 2], [1], [3, 3, 3], [2, 4], [2, 0], [9, 1]):
        given = torch.randn(len(lengths), 4, 2), torch.tensor(lengths)
        with torch.no_grad():
            expected = outcome(model, *given)
        if isinstance(expected, Exception):
            assert isinstance(outcome(program, *given), ingot.Error), lengths
        else:
            assert agree(expected, program(*given)), lengths


def test_in_any_order() -> None:
    model = Unsorted().eval()
    given = torch.randn(4, 3, 2), torch.tensor([1, 4, 2])
    with torch.no_grad():
        assert agree(model(*given), ingot.script(model)(*given))


def test_as_inputs() -> None:
    model = TakesPacked().eval()
    packed = pack_padded_sequence(torch.randn(4, 2, 2), torch.tensor([4, 2]))
    with torch.no_grad():
        assert agree(tuple(model(packed)), ingot.script(model)(packed))
