"""A constant-velocity Kalman filter with gating; the track is the module's state."""

import torch
from torch import Tensor, nn

import ingot


class KalmanFilter(nn.Module):
    def __init__(self, step: float = 0.1):
        super().__init__()
        self.register_buffer("motion", torch.tensor([[1.0, step], [0.0, 1.0]]))
        self.register_buffer("observe", torch.tensor([[1.0, 0.0]]))
        self.register_buffer("noise", torch.eye(2) * 0.01)
        self.register_buffer("x", torch.zeros(2, 1))
        self.register_buffer("p", torch.eye(2))
        self.rejected: int = 0
        self.last: float | None = None

    def forward(self, z: float | None, r: float = 0.25) -> tuple[Tensor, float]:
        self.x = self.motion @ self.x
        self.p = self.motion @ self.p @ self.motion.T + self.noise
        if z is None:
            return self.x.flatten(), float("nan")
        s = (self.observe @ self.p @ self.observe.T)[0, 0] + r
        innovation = z - (self.observe @ self.x)[0, 0]
        distance = float(innovation**2 / s)
        if distance > 9.0 and self.last is not None:
            self.rejected += 1
            return self.x.flatten(), distance
        gain = self.p @ self.observe.T / s
        self.x = self.x + gain * innovation
        self.p = (torch.eye(2) - gain @ self.observe) @ self.p
        self.last = z
        return self.x.flatten(), distance

    @ingot.export
    def status(self) -> tuple[int, float | None, Tensor]:
        return self.rejected, self.last, self.p.diag()


def target():
    return KalmanFilter()


CALLS = [
    ("status", ()),
    ("forward", (0.4,)),
    ("forward", (0.5, 0.1)),
    ("forward", (None,)),
    ("forward", (100.0,)),
    ("status", ()),
    ("forward", (0.7,)),
    ("status", ()),
]
