"""Recurrent networks against PyTorch."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from tests.ops.oracle import FLOATS, check, run
from torch.nn.utils.rnn import pack_padded_sequence

import ingot

GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}


def network(
    kind: str,
    layers: int = 1,
    bias: bool = True,
    bidirectional: bool = False,
    projected: int = 0,
    dtype: torch.dtype = torch.float32,
) -> tuple[list, int, int]:
    """Parameters, the width of the state and the number of states."""
    hidden, size = 6, 5
    directions = 2 if bidirectional else 1
    params = []
    for layer in range(layers):
        for _ in range(directions):
            width = size if layer == 0 else (projected or hidden) * directions
            params.append(torch.randn(GATES[kind] * hidden, width, dtype=dtype))
            params.append(torch.randn(GATES[kind] * hidden, projected or hidden, dtype=dtype))
            if bias:
                params += [torch.randn(GATES[kind] * hidden, dtype=dtype) for _ in range(2)]
            if projected:
                params.append(torch.randn(projected, hidden, dtype=dtype))
    params = [p * 0.4 for p in params]
    return params, projected or hidden, layers * directions


def states(kind: str, count: int, batch: int, width: int, dtype: torch.dtype = torch.float32,
           ) -> torch.Tensor | list[torch.Tensor]:  # fmt: skip
    h = torch.randn(count, batch, width, dtype=dtype)
    return [h, torch.randn(count, batch, 6, dtype=dtype)] if kind == "lstm" else h


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_padded_sequences(kind: str, layers: int, bidirectional: bool, bias: bool) -> None:
    params, width, count = network(kind, layers, bias, bidirectional)
    for length, batch, batch_first in product([1, 3, 17], [1, 3, 9], [False, True]):
        x = torch.randn(*((batch, length) if batch_first else (length, batch)), 5)
        hx = states(kind, count, batch, width)
        check(f"aten::{kind}.input", x, hx, params, bias, layers, 0.0, False, bidirectional,
              batch_first)  # fmt: skip


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_packed_sequences(kind: str, bidirectional: bool) -> None:
    params, width, count = network(kind, 2, True, bidirectional)
    packed = pack_padded_sequence(torch.randn(7, 4, 5), torch.tensor([7, 5, 5, 1]))
    check(f"aten::{kind}.data", packed.data, packed.batch_sizes, states(kind, count, 4, width),
          params, True, 2, 0.0, False, bidirectional)  # fmt: skip


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_projection(layers: int, bidirectional: bool) -> None:
    params, width, count = network("lstm", layers, True, bidirectional, projected=3)
    hx = states("lstm", count, 2, width)
    check("aten::lstm.input", torch.randn(4, 2, 5), hx, params, True, layers, 0.0, False,
          bidirectional, False)  # fmt: skip


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("dtype", FLOATS)
def test_dtypes(kind: str, dtype: torch.dtype) -> None:
    params, width, count = network(kind, dtype=dtype)
    hx = states(kind, count, 3, width, dtype)
    check(f"aten::{kind}.input", torch.randn(4, 3, 5, dtype=dtype), hx, params, True, 1, 0.0,
          False, False, False)  # fmt: skip


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("batch", [0, 1, 3, 17])
def test_cells(kind: str, batch: int) -> None:
    params, _, _ = network(kind)
    h = torch.randn(batch, 6)
    hx = [h, torch.randn(batch, 6)] if kind == "lstm" else h
    x = torch.randn(batch, 5)
    check(f"aten::{kind}_cell", x, hx, *params)
    check(f"aten::{kind}_cell", x, hx, *params[:2])


def test_wide_network_in_several_blocks() -> None:
    module = torch.nn.LSTM(70, 200, num_layers=2)
    hx = [torch.randn(2, 5, 200), torch.randn(2, 5, 200)]
    params = [p.detach() for p in module.parameters()]
    check("aten::lstm.input", torch.randn(30, 5, 70), hx, params, True, 2, 0.0, False, False, False)


def test_values_that_do_not_fit() -> None:
    params, width, count = network("gru")
    x, hx = torch.ones(4, 2, 5), torch.ones(count, 2, width)
    rest = (True, 1, 0.0, False, False, False)
    with pytest.raises(ingot.Error, match="expected hidden state of size"):
        run("aten::gru.input", x, torch.ones(count, 3, width), params, *rest)
    with pytest.raises(ingot.Error, match="expected 4 parameters"):
        run("aten::gru.input", x, hx, params[:3], *rest)
    with pytest.raises(ingot.Error, match="expected weight_ih of size"):
        run("aten::gru.input", torch.ones(4, 2, 7), hx, params, *rest)
    with pytest.raises(ingot.Error, match="are empty"):
        run("aten::gru.input", x[:0], hx, params, *rest)
    with pytest.raises(ingot.Error, match="dropout"):
        twice, _, _ = network("gru", 2)
        run("aten::gru.input", x, torch.ones(2, 2, 6), twice, True, 2, 0.5, True, False, False)
    with pytest.raises(ingot.Error, match="never rise"):
        run("aten::gru.data", torch.ones(4, 5), torch.tensor([2, 1, 3]), hx, params, True, 1, 0.0,
            False, False)  # fmt: skip
    with pytest.raises(ingot.Error, match="two states"):
        run("aten::lstm.input", x, [hx], params, *rest)
