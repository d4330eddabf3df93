"""A sample of the walk through PyTorch's OpInfo database, and the table that docs/ops.md shows."""

from __future__ import annotations

import random
import re
from functools import cache
from pathlib import Path

import pytest
from tests.ops import table, test_aliases, walk

from ingot import _ingot

OUTCOMES = table.stored()
UNITS = [
    (op, dtype)
    for op, row in sorted(OUTCOMES.items())
    for dtype, entry in sorted(row["dtypes"].items())
    if entry["status"] != "failed"
]
CHOSEN = sorted(random.Random(1).sample(UNITS, 240))
"""Some two per second; ``make test-ops-all`` walks all."""
INFOS = {walk.title(info): info for info in walk.infos()}


@pytest.mark.parametrize(("op", "dtype"), CHOSEN, ids=map("-".join, CHOSEN))
def test_ops_answer_as_pytorch(op: str, dtype: str):
    unit = walk.walk(INFOS[op], walk.DTYPES[dtype], 1)
    assert unit.status != "failed", unit.reason


def test_the_page_is_what_the_walk_found():
    assert table.PAGE.read_text() == table.render(OUTCOMES), "run make ops-table"


def test_every_op_that_pytorch_has_samples_of_is_in_the_table():
    supported = {
        name
        for name, info in INFOS.items()
        if any(info.supports_dtype(dtype, "cpu") for dtype in walk.DTYPES.values())
    }
    assert supported == set(OUTCOMES)


@cache
def _texts() -> str:
    here = Path(__file__).resolve().parents[1]
    return "\n".join(path.read_text() for path in here.rglob("*.py") if path != Path(__file__))


def test_every_op_of_the_catalogue_is_reached_by_a_test():
    tested = test_aliases.WALKED | set(test_aliases.PACKETS)
    words = set(re.findall(r"[\w]+", _texts()))
    untested = []
    for name, _, _ in _ingot.catalogue():
        if name.startswith("prim::"):
            continue
        packet = name.partition("::")[2].partition(".")[0]
        if packet not in tested and not {packet, packet.strip("_")} & words:
            untested.append(name)
    assert not untested, " ".join(untested)
