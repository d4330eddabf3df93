"""What a capture knows of sizes."""

from __future__ import annotations

import sympy
import torch

from ingot.capture.shapes import Condition, Range, Shapes


def test_contradictory_ranges_accept_no_input():
    size, other = sympy.symbols("size other", integer=True, positive=True)
    shapes = Shapes(
        sizes={(0, 0): size, (1, 0): other},
        symbols={size: (0, 0), other: (1, 0)},
        ranges={size: Range(513, 512), other: Range(0, None)},
        conditions=[Condition(sympy.Le(size * other, 1 << 20), None, False)],
    )
    shapes.settle()
    assert not shapes.accepts([torch.zeros(512), torch.zeros(3)])
    assert not shapes.accepts([torch.zeros(513), torch.zeros(3)])
