"""A voice-activity state machine: several exported methods over mutable state."""

import torch
from torch import Tensor, nn

import ingot


class VoiceActivity(nn.Module):
    state: str
    events: list[tuple[str, int]]

    def __init__(self, on: float = 0.6, off: float = 0.3, hold: int = 2):
        super().__init__()
        self.on, self.off, self.hold = on, off, hold
        self.state = "idle"
        self.quiet = 0
        self.clock = 0
        self.events = []
        self.counts = {"idle": 0, "active": 0, "hang": 0}
        self.register_buffer("level", torch.zeros(1))

    def change(self, state: str):
        if state != self.state:
            self.events.append((self.state + "->" + state, self.clock))
            self.state = state

    def forward(self, frame: Tensor) -> str:
        energy = frame.pow(2).mean().sqrt()
        self.level.mul_(0.5).add_(0.5 * energy)
        level = self.level.item()
        if self.state == "idle":
            if level > self.on:
                self.change("active")
        elif self.state == "active":
            if level < self.off:
                self.quiet = 1
                self.change("hang")
        else:
            self.quiet = 0 if level > self.on else self.quiet + 1
            if self.quiet == 0:
                self.change("active")
            elif self.quiet > self.hold:
                self.change("idle")
        self.counts[self.state] += 1
        self.clock += 1
        return self.state

    @ingot.export
    def reset(self) -> None:
        self.state = "idle"
        self.quiet = self.clock = 0
        self.events.clear()
        for key in self.counts.keys():
            self.counts[key] = 0
        self.level.zero_()

    @ingot.export
    def history(self) -> tuple[list[tuple[str, int]], dict[str, int]]:
        return self.events, self.counts

    @ingot.export
    def summary(self, unit: str = "frames") -> str:
        busy = self.counts["active"] + self.counts["hang"]
        share = busy / self.clock if self.clock > 0 else 0.0
        return f"{self.state}: {busy} of {self.clock} {unit} ({int(1000 * share)} in 1000)"


def target():
    return VoiceActivity()


def _frames(*levels: float) -> list[tuple[str, tuple[Tensor]]]:
    return [("forward", (torch.full((4,), level),)) for level in levels]


CALLS = [
    ("summary", ()),
    ("history", ()),
    *_frames(0.1, 2.0, 2.0, 0.0, 0.0, 0.0, 0.0, 3.0),
    ("summary", ("blocks",)),
    ("history", ()),
    *_frames(0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    ("history", ()),
    ("reset", ()),
    ("history", ()),
    *_frames(5.0),
    ("summary", ()),
]
