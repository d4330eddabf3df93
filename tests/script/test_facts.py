"""What is known of a module's attribute is forgotten wherever it may have been assigned."""

from __future__ import annotations

import copy
from typing import Any, Optional

import pytest
import torch
from agreement import agree
from torch import nn

import ingot
from ingot.module import Module


class Base(nn.Module):
    x: Optional[int]
    n: int

    def __init__(self):
        super().__init__()
        self.x = None
        self.n = 0

    def set(self, v: int) -> int:
        self.x = v
        self.n = v
        return v

    def clear(self, k: int) -> bool:
        self.x = None
        self.n += 1
        if k > 1:
            raise ValueError("k")
        return True


class Tried(Base):
    def forward(self, k: int) -> tuple[Optional[int], int]:
        self.set(5)
        if self.x is not None:
            try:
                a = self.x
                self.clear(k)
                self.n += 10
            except ValueError:
                a = self.n
                if self.x is not None:
                    a += 100
            return self.x, a
        return None, 0


class Finally(Base):
    def forward(self, k: int) -> tuple[Optional[int], int]:
        self.x = 3
        seen = 0
        for _ in range(2):
            try:
                try:
                    if self.x is not None:
                        seen += self.x
                    self.clear(k)
                finally:
                    seen += 1000 * self.n
                    if self.x is None:
                        seen += 1
            except ValueError:
                seen += self.n
        return self.x, seen


class Recursive(Base):
    def down(self, n: int) -> int:
        if self.x is not None:
            if n > 0:
                self.down(n - 1)
                if self.x is None:
                    return -1
                return self.x
        self.x = None
        return 0

    def forward(self, k: int) -> tuple[Optional[int], int]:
        self.x = 4
        r = self.down(k)
        return self.x, r


class Guarded(Base):
    def forward(self, k: int) -> tuple[Optional[int], int]:
        self.set(2)
        m = self.n
        match k:
            case 1 if self.clear(1):
                m += self.n
            case 0 if not self.clear(0):
                m += 50
            case _:
                m += 7 * self.n
        return self.x, m + self.n


class Chained(Base):
    def forward(self, k: int) -> tuple[Optional[int], int]:
        self.n = 3
        a = 0 < k < self.n
        b = 0 <= k <= self.set(2) <= self.n
        return self.x, self.n + int(a) + 2 * int(b)


class Operands(Base):
    def forward(self, k: int) -> tuple[Optional[int], int]:
        self.set(2)
        r = self.n if k == 0 and self.clear(k) else self.n + 7
        s = [self.n for i in range(k) if self.set(i) >= 0]
        t = sorted([3, 1, 2], key=lambda v: self.set(-v))
        return self.x, r + sum(s) + self.n + t[0]


@pytest.mark.parametrize("cls", [Tried, Finally, Recursive, Guarded, Chained, Operands])
def test_facts(cls):
    program = ingot.script(cls())
    for k in (0, 1, 2, 3):
        for module in (copy.deepcopy(program), Module.from_program(program.program)):
            expected = outcome(cls(), k)
            actual = outcome(module, k)
            assert agree(expected, actual), (k, expected, actual)


def outcome(function: Any, k: int) -> Any:
    try:
        with torch.no_grad():
            return function(k)
    except Exception as error:
        return error
