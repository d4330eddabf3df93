"""PyTorch's own stacks of layers, and a language model's cache (tests/models has families)."""

from __future__ import annotations

import pytest
import torch
from tests.trace.vision import torchvision
from torch import nn

import ingot

torchvision()  # transformers imports it, and it only loads where its ops are declared
transformers = pytest.importorskip("transformers", reason="transformers is not installed")


def compare(model, example, *others, kwargs=None):
    model = model.eval()
    module = ingot.trace(model, example, kwargs)
    for inputs in (example, *others):
        with torch.no_grad():
            expected = model(*inputs)
        found = module(*inputs)
        for a, b in zip(leaves(found), leaves(expected), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=2e-5)
    return module


def compare_draws(model, example, *others):
    """Of a model that draws random numbers, at the sizes of the example and at others."""
    module = ingot.trace(model, (torch.randn(example),))
    for sizes in (example, *others):
        x = torch.randn(sizes)
        torch.manual_seed(2)
        expected = model(x)
        ingot.manual_seed(2)
        torch.testing.assert_close(module(x), expected, rtol=1e-4, atol=1e-5)


def leaves(value):
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [leaf for v in value for leaf in leaves(v)]


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("norm_first", [True, False])
def test_transformer_encoder(batch_first, norm_first):
    layer = nn.TransformerEncoderLayer(
        16, 2, 32, batch_first=batch_first, norm_first=norm_first, activation="gelu"
    )
    model = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    shapes = [(1, 1, 16), (3, 7, 16), (17, 2, 16)]
    compare(model, (torch.randn(1, 5, 16),), *((torch.randn(s),) for s in shapes))


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
@pytest.mark.parametrize("batch_first", [True, False])
def test_recurrent_layers(kind, batch_first):
    model = kind(8, 16, 2, batch_first=batch_first, bidirectional=True)
    shapes = [(1, 1, 8), (3, 7, 8), (17, 2, 8)]
    compare(model, (torch.randn(1, 5, 8),), *((torch.randn(s),) for s in shapes))


class Tagger(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.layer = kind(8, 6, batch_first=True)
        self.head = nn.Linear(6, 3)

    def forward(self, x):
        y, _ = self.layer(x)
        rows = y.contiguous().view(-1, y.shape[2])
        steps = y.transpose(0, 1).view(-1, 6)
        return self.head(nn.functional.dropout(rows, 0.5, self.training)), steps


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_layout_of_recurrent_outputs(kind, training):
    model = Tagger(kind).train(training)
    compare_draws(model, (2, 5, 8), (1, 3, 8), (4, 1, 8))


def test_dropout_after_a_recurrent_layer():
    """It draws in the order of PyTorch's memory."""
    layer = nn.LSTM(4, 6, batch_first=True)

    def model(x):
        return nn.functional.dropout(layer(x)[0], 0.5, True)

    compare_draws(model, (2, 5, 4), (3, 4, 4))


@pytest.mark.parametrize("masked", [False, True])
def test_layout_of_attention(masked):
    def model(x):
        heads = x.view(x.shape[0], -1, 2, 4).transpose(1, 2)
        mask = torch.ones(x.shape[1], x.shape[1]).tril().bool() if masked else None
        y = nn.functional.scaled_dot_product_attention(heads, heads, heads, mask)
        dropped = nn.functional.dropout(y, 0.5, True)
        return y.transpose(1, 2).view(x.shape), y.contiguous().view(x.shape[0], -1, 4), dropped

    compare_draws(model, (2, 5, 8), (1, 3, 8), (4, 1, 8))


class NormOverSteps(nn.BatchNorm1d):
    def forward(self, x):
        return super().forward(x.transpose(1, 2)).transpose(1, 2).contiguous().view(-1, 4)


def test_views_where_the_exporter_takes_a_wrong_layout():
    model = NormOverSteps(4)
    compare(model, (torch.randn(2, 5, 4),), (torch.randn(3, 7, 4),), (torch.randn(1, 1, 4),))


def test_an_lstm_with_its_state():
    model = nn.LSTM(8, 16)

    def inputs(length, batch):
        state = (torch.randn(1, batch, 16), torch.randn(1, batch, 16))
        return torch.randn(length, batch, 8), state

    compare(model, inputs(5, 1), inputs(1, 3), inputs(9, 2))


class WithMask(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, ids, mask=None):
        return self.model(input_ids=ids, attention_mask=mask)


def ids(batch, length):
    return torch.randint(0, 50, (batch, length))


def mask(batch, length):
    found = torch.ones(batch, length, dtype=torch.int64)
    found[0, length // 2 + 1 :] = 0
    return found


def test_gpt2_gives_its_cache():
    config = transformers.GPT2Config(vocab_size=50, n_embd=16, n_layer=2, n_head=2, n_positions=32)
    model = transformers.GPT2LMHeadModel(config).eval()
    module = ingot.trace(WithMask(model).eval(), (ids(1, 7), mask(1, 7)))
    result = module(ids(2, 5), mask(2, 5))
    assert result.logits.shape == (2, 5, 50)
    assert [k.shape for k in result.past_key_values.key_cache] == [(2, 2, 5, 8)] * 2
