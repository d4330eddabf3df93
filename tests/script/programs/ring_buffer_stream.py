"""A streaming convolution over a ring buffer: chunks of any length in, hops out."""

import torch
from torch import Tensor, nn

import ingot


class Stream(nn.Module):
    def __init__(self, window: int = 8, hop: int = 3, bands: int = 4):
        super().__init__()
        self.window, self.hop = window, hop
        self.filters = nn.Parameter(torch.randn(bands, window))
        self.register_buffer("ring", torch.zeros(window))
        self.head = 0
        self.pending = 0
        self.total = 0

    def push(self, chunk: Tensor) -> None:
        """Writes at most a window of samples, in up to two pieces."""
        first = min(len(chunk), self.window - self.head)
        self.ring[self.head : self.head + first] = chunk[:first]
        rest = chunk[first:]
        if rest.numel():
            self.ring[: rest.numel()] = rest
        self.head = (self.head + len(chunk)) % self.window

    def latest(self) -> Tensor:
        return torch.cat((self.ring[self.head :], self.ring[: self.head]))

    def forward(self, samples: Tensor) -> Tensor:
        frames: list[Tensor] = []
        position = 0
        while position < samples.size(0):
            take = min(self.hop - self.pending, samples.size(0) - position)
            self.push(samples[position : position + take])
            position += take
            self.pending += take
            self.total += take
            if self.pending == self.hop:
                self.pending = 0
                if self.total >= self.window:
                    frames.append(torch.relu(self.filters @ self.latest()))
        if len(frames) > 0:
            return torch.stack(frames)
        return torch.empty(0, self.filters.shape[0])

    @ingot.export
    def flush(self) -> Tensor:
        out = self.latest()
        self.ring.fill_(0)
        self.head = self.pending = self.total = 0
        return out


def target():
    torch.manual_seed(6)
    return Stream()


CALLS = [
    ("forward", (torch.arange(5.0),)),
    ("forward", (torch.arange(0.0),)),
    ("forward", (torch.arange(20.0) - 7,)),
    ("forward", (torch.ones(1),)),
    ("flush", ()),
    ("forward", (torch.linspace(-1, 1, 9),)),
    ("flush", ()),
]
