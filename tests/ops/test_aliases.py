"""Second names and in-place forms of ops, on the samples of the op that they stand for."""

from __future__ import annotations

from itertools import islice

import pytest
import torch
from tests.ops import table
from tests.ops.opinfo import CATALOGUE, lists_where_due, numbers_where_due, resolve
from tests.ops.oracle import _plain, compare, positional, torch_results
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.opinfo.core import OpInfo
from torch.utils._pytree import tree_map

from ingot import _ingot

DTYPES = [torch.float32, torch.bool, torch.int64]
SAMPLES = 12


def _packet(name: str) -> str:
    return name.partition("::")[2].partition(".")[0]


def _bases() -> dict[str, OpInfo]:
    """The OpInfo of every packet, of its aliases and of their in-place forms."""
    known: dict[str, OpInfo] = {}
    for info in op_db:
        names = [info.aten_name or info.name, info.name, *(alias.name for alias in info.aliases)]
        for name in names:
            packet = name.replace("special.", "special_").replace("linalg.", "linalg_")
            packet = packet.split(".")[-1]
            for form in (packet, f"{packet}_"):
                known.setdefault(form, info)
    return known


BASES = _bases()
WALKED = {_packet(op) for row in table.stored().values() for op in row["ops"]}
"""What the samples of the walk become."""
ELSEWHERE = {
    "__getitem__", "angle", "item", "polar", "frexp",  # of numbers: test_scalar
    "arange", "empty_permuted", "empty_strided", "eye", "linspace", "logspace", "ones",
    "scalar_tensor", "to", "tril_indices", "triu_indices", "zeros",  # test_factory
    "float_power_",  # its samples do not fit in place
    "imag", "view_as_real",  # only of complex numbers: test_complex
    "ctc_loss",  # test_ctc_loss
    "fractional_max_pool2d", "fractional_max_pool3d",  # test_pool
    "linalg_eig", "linalg_pinv",  # test_linalg
    "max_pool1d", "tensor_split",  # its samples become another op
}  # fmt: skip
RANDOM = {_packet(name) for name in _ingot.random_ops()}  # test_random
ATEN = {name for name in CATALOGUE if name.startswith("aten::")}
PACKETS = sorted({_packet(name) for name in ATEN} & set(BASES) - WALKED - ELSEWHERE - RANDOM)


def _copies(values: list) -> list:
    return tree_map(lambda v: v.clone() if isinstance(v, torch.Tensor) else v, values)


@pytest.mark.parametrize("packet", PACKETS)
def test_second_names_answer_as_pytorch(packet: str):
    info, seen = BASES[packet], 0
    for dtype in DTYPES:
        if not info.supports_dtype(dtype, "cpu"):
            continue
        for sample in islice(info.sample_inputs_func(info, "cpu", dtype, False), SAMPLES):
            args, kwargs = (sample.input, *sample.args), dict(sample.kwargs)
            kwargs.pop("device", None)
            try:
                name, args = resolve(packet, args, kwargs)
            except RuntimeError:  # an overload that PyTorch has not under this name
                continue
            args, kwargs = lists_where_due(name, numbers_where_due(name, args), kwargs)
            if name not in CATALOGUE:
                continue
            values = positional(name, args, kwargs)
            try:
                expected = torch_results(name, _copies(values))
            except RuntimeError:  # a result that does not fit in place
                continue
            got = _ingot.call_op(name, tree_map(_plain, _copies(values)))
            if isinstance(expected[0], torch.Tensor):
                compare(name, values, got, expected)
            else:
                assert got == expected
            seen += 1
    assert seen, f"{info.name} has no sample for {packet}"
