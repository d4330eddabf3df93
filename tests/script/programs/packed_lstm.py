"""An LSTM cell driven step by step over sequences of different lengths, both directions."""

import torch
from torch import Tensor, nn


class PackedLstm(nn.Module):
    def __init__(self, inputs: int = 5, hidden: int = 7):
        super().__init__()
        self.forth = nn.LSTMCell(inputs, hidden)
        self.back = nn.LSTMCell(inputs, hidden)
        self.hidden = hidden

    def direction(self, x: Tensor, lengths: Tensor, reverse: bool) -> tuple[Tensor, Tensor]:
        steps, batch, _ = x.shape
        h = x.new_zeros(batch, self.hidden)
        c = torch.zeros_like(h)
        outputs: list[Tensor] = []
        order = range(steps - 1, -1, -1) if reverse else range(steps)
        for t in order:
            if reverse:
                new_h, new_c = self.back(x[t], (h, c))
            else:
                new_h, new_c = self.forth(x[t], (h, c))
            alive = (t < lengths).unsqueeze(1)
            h = torch.where(alive, new_h, h)
            c = torch.where(alive, new_c, c)
            outputs.append(h * alive)
        if reverse:
            outputs.reverse()
        if len(outputs) == 0:
            return x.new_zeros(0, batch, self.hidden), h
        return torch.stack(outputs), h

    def forward(self, sequences: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        lengths = torch.tensor([len(s) for s in sequences])
        x = nn.utils.rnn.pad_sequence(sequences)
        lengths, order = lengths.sort(descending=True, stable=True)
        x = x[:, order]
        y1, h1 = self.direction(x, lengths, False)
        y2, h2 = self.direction(x, lengths, True)
        back = torch.empty_like(order)
        back[order] = torch.arange(len(order))
        y = torch.cat([y1, y2], -1)
        h = torch.cat([h1, h2], -1)
        return y[:, back], h[back], lengths


def target():
    torch.manual_seed(1)
    return PackedLstm().eval()


CALLS = [
    (
        "forward",
        ([torch.ones(4, 5), torch.full((2, 5), -0.5), torch.arange(30.0).view(6, 5) / 10],),
    ),
    ("forward", ([torch.ones(1, 5)],)),
    ("forward", ([torch.ones(0, 5), torch.ones(3, 5)],)),
    ("forward", ([torch.ones(0, 5)],)),
]
