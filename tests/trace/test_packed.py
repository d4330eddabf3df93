"""Packed sequences inside a model."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import ingot


class Packed(nn.Module):
    def __init__(self, layer, sort=False, **padding):
        super().__init__()
        self.layer, self.sort, self.padding = layer, sort, padding

    def forward(self, x, lengths):
        first = self.layer.batch_first
        packed = pack_padded_sequence(x, lengths, first, enforce_sorted=not self.sort)
        output, state = self.layer(packed)
        return *pad_packed_sequence(output, first, **self.padding), state


def equal(found, expected):
    for one, two in zip(found, expected, strict=True):
        if isinstance(two, tuple):
            equal(one, two)
        else:
            assert one.shape == two.shape
            torch.testing.assert_close(one, two)


@pytest.mark.parametrize("layer", [nn.LSTM, nn.GRU, nn.RNN])
def test_lengths_are_free(layer):
    torch.manual_seed(0)
    model = Packed(layer(3, 5, num_layers=2, bidirectional=True, batch_first=True)).eval()
    module = ingot.trace(model, (torch.randn(4, 6, 3), torch.tensor([6, 4, 3, 2])))
    for lengths in ([6, 6, 1, 1], [4, 3, 2, 1], [5, 2], [1, 1, 1]):
        x = torch.randn(len(lengths), 6, 3)
        equal(module(x, torch.tensor(lengths)), model(x, torch.tensor(lengths)))


def test_lengths_in_any_order():
    model = Packed(nn.GRU(3, 5), sort=True).eval()
    module = ingot.trace(model, (torch.randn(6, 4, 3), torch.tensor([2, 6, 3, 4])))
    for lengths in ([6, 1, 5, 6], [1, 2, 3, 4]):
        x = torch.randn(6, 4, 3)
        equal(module(x, torch.tensor(lengths)), model(x, torch.tensor(lengths)))


def test_padding_of_another_value_and_length():
    model = Packed(nn.LSTM(3, 5, batch_first=True), padding_value=-1.0, total_length=9).eval()
    module = ingot.trace(model, (torch.randn(2, 6, 3), torch.tensor([5, 4])))
    x, lengths = torch.randn(2, 6, 3), torch.tensor([3, 1])
    equal(module(x, lengths), model(x, lengths))


def test_lengths_that_rise_are_refused():
    model = Packed(nn.LSTM(3, 5, batch_first=True)).eval()
    module = ingot.trace(model, (torch.randn(2, 6, 3), torch.tensor([5, 4])))
    with pytest.raises(ingot.GuardError, match="must be positive and fall"):
        module(torch.randn(2, 6, 3), torch.tensor([1, 4]))


def test_dropout_between_packed_layers():
    torch.manual_seed(0)
    model = Packed(nn.GRU(3, 4, num_layers=3, dropout=0.5, batch_first=True)).train()
    x, lengths = torch.randn(3, 5, 3), torch.tensor([5, 3, 2])
    module = ingot.trace(model, (x, lengths))
    ingot.manual_seed(3)
    torch.manual_seed(3)
    equal(module(x, lengths), model(x, lengths))
