"""Newton's method until convergence: roots of a polynomial, and a nonlinear system."""

import torch
from torch import Tensor


def evaluate(coefficients: list[float], x: float) -> tuple[float, float]:
    """Horner's scheme: the value and the derivative."""
    value, slope = 0.0, 0.0
    for c in coefficients:
        slope = slope * x + value
        value = value * x + c
    return value, slope


def polynomial_root(
    coefficients: list[float], x: float, tolerance: float, limit: int
) -> tuple[float, int, bool]:
    for step in range(limit):
        value, slope = evaluate(coefficients, x)
        if abs(value) <= tolerance:
            return x, step, True
        if slope == 0:
            x += 1.0
            continue
        x -= value / slope
    return x, limit, False


def solve_system(start: Tensor, tolerance: float = 1e-9) -> tuple[Tensor, int]:
    """x² + y² = 4 and x·y = 1."""
    point = start.double().clone()
    steps = 0
    while steps < 50:
        x, y = point[0], point[1]
        residual = torch.stack([x**2 + y**2 - 4, x * y - 1])
        if residual.norm() < tolerance:
            break
        jacobian = torch.stack([torch.stack([2 * x, 2 * y]), torch.stack([y, x])])
        determinant = jacobian[0, 0] * jacobian[1, 1] - jacobian[0, 1] * jacobian[1, 0]
        assert determinant.abs().item() > 1e-12, f"singular at step {steps}"
        inverse = torch.stack(
            [
                torch.stack([jacobian[1, 1], -jacobian[0, 1]]),
                torch.stack([-jacobian[1, 0], jacobian[0, 0]]),
            ]
        )
        point -= inverse @ residual / determinant
        steps += 1
    return point, steps


def newton(
    coefficients: list[float], x: float, start: Tensor
) -> tuple[tuple[float, int, bool], tuple[Tensor, int]]:
    return polynomial_root(coefficients, x, 1e-12, 60), solve_system(start)


def target():
    return newton


CALLS = [
    ("forward", ([1.0, 0.0, -2.0], 1.0, torch.tensor([2.0, 0.1]))),
    ("forward", ([1.0, 0.0, 1.0], 0.5, torch.tensor([0.3, 1.5]))),
    ("forward", ([], 0.0, torch.tensor([3.0, -1.0]))),
    ("forward", ([3.0], 0.0, torch.tensor([1.0, 2.0]))),
    ("forward", ([1.0, 0.0, -2.0], 1.0, torch.tensor([1.0, 1.0]))),
]
