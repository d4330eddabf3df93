"""``ingot run``: one call of a file on inputs from the disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ingot import _ingot
from ingot.cli.values import leaves, read_inputs, write_array
from ingot.errors import Error
from ingot.module import Precision, load


def run(
    file: Path,
    input: Sequence[str],
    output: Sequence[Path],
    method: str,
    threads: int | None,
    precision: Precision,
) -> None:
    """Runs ``method`` and writes the tensors of its result, or describes them."""
    if threads is not None:
        _ingot.set_num_threads(threads)
    module = load(file, precision=precision)
    target = module.method(method)
    args, kwargs = read_inputs(input, module.inputs(method))
    result = list(leaves(target(*args, **kwargs)))
    tensors = [value for _, value in result if isinstance(value, np.ndarray)]
    if output and len(output) != len(tensors):
        raise Error(
            f"the result has {len(tensors)} tensors, but {len(output)} --output files were named"
        )
    for path, tensor in zip(output, tensors, strict=False):
        write_array(path, tensor)
    for place, value in result:
        if not output or not isinstance(value, np.ndarray):
            print(f"result{place}: {_describe(value)}")


def _describe(value: Any) -> str:
    if not isinstance(value, np.ndarray):
        return repr(value)
    text = np.array2string(value, threshold=20, edgeitems=3, precision=6)
    return f"{value.dtype.name}{list(value.shape)}\n{text}"
