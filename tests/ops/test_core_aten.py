"""PyTorch's Core ATen IR: every op of it is in the catalogue or is taken apart at capture."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from tests.ops.opinfo import CATALOGUE

import ingot


def _core() -> set[str]:
    found = set()
    for name in torch._C._dispatch_get_all_op_names():
        namespace, _, rest = name.partition("::")
        packet, _, overload = rest.partition(".")
        if namespace != "aten" or not hasattr(torch.ops.aten, packet):
            continue
        op = getattr(getattr(torch.ops.aten, packet), overload or "default")
        if torch.Tag.core in op.tags and not packet.endswith("_backward"):
            found.add(name)
    return found


def _fold(x: torch.Tensor) -> torch.Tensor:
    return torch.ops.aten.col2im(x, [4, 5], [2, 2], [1, 1], [0, 0], [1, 1])


def _into_out(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    torch.ops.aten.atan2.out(x, x + 1, out=out)
    return out


def _in_memory_order(x: torch.Tensor) -> torch.Tensor:
    return x.t() * 2 if torch.ops.aten.sym_is_contiguous(x, torch.contiguous_format) else x


TAKEN_APART: dict[str, tuple[Callable[[torch.Tensor], torch.Tensor], tuple[int, ...]]] = {
    "aten::col2im": (_fold, (2, 12, 12)),
    "aten::atan2.out": (_into_out, (3, 4)),
    "aten::sym_is_contiguous": (_in_memory_order, (3, 4)),
}
"""What the catalogue lacks, in a function of a tensor of these sizes."""


def test_the_catalogue_has_core_aten():
    core = _core()
    assert len(core) > 180
    assert core - CATALOGUE == set(TAKEN_APART)


@pytest.mark.parametrize("name", TAKEN_APART)
def test_others_are_taken_apart(name: str):
    function, sizes = TAKEN_APART[name]
    x = torch.randn(sizes)
    torch.testing.assert_close(ingot.trace(function, (x,))(x), function(x))
