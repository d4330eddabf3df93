"""PyTorch's OpInfo samples as calls of catalogue ops."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from tests.ops.oracle import overload, samples

from ingot import _ingot

CATALOGUE = {name for name, _, _ in _ingot.catalogue()}


def overload_of(packet: str, args: tuple, kwargs: dict[str, Any]) -> str:
    """The catalogue name of the aten overload that takes these arguments."""
    variant = torch._C._jit_resolve_packet(f"aten::{packet}", *args, **kwargs)
    return f"aten::{packet}" if variant == "default" else f"aten::{packet}.{variant}"


def calls(
    function: str, packet: str, dtype: torch.dtype, variant: str = ""
) -> Iterator[tuple[str, tuple, dict[str, Any]]]:
    """(op, args, kwargs) for each sample of an OpInfo whose overload the catalogue has."""
    for sample in samples(function, dtype, variant):
        args, kwargs = (sample.input, *sample.args), dict(sample.kwargs)
        name, args = resolve(packet, args, kwargs)
        assert name in CATALOGUE, f"{name} is not in the catalogue"
        yield name, *lists_where_due(name, numbers_where_due(name, args), kwargs)


def resolve(packet: str, args: tuple, kwargs: dict[str, Any]) -> tuple[str, tuple]:
    """The overload and the arguments as its schema has them, numbers as lists where needed."""
    first, *rest = args
    wrapped = (first, *([v] if isinstance(v, int) else v for v in rest))
    for attempt in (args, wrapped, (first, list(rest))):
        try:
            return overload_of(packet, attempt, kwargs), attempt
        except RuntimeError as error:
            refused = error
    raise refused


def numbers_where_due(name: str, args: tuple) -> tuple:
    """Tensors as numbers or lists where the schema has those: PyTorch converts them on a call."""
    arguments = overload(name)._schema.arguments
    return tuple(
        value.tolist() if isinstance(value, torch.Tensor) and "Tensor" not in str(a.type) else value
        for value, a in zip(args, arguments, strict=False)
    )


def lists_where_due(name: str, args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
    """Numbers as lists where the schema has an int[1] or int[2], as PyTorch converts them."""
    arguments = overload(name)._schema.arguments
    takes = {a.name: a.N or 1 for a in arguments if "List[int]" in str(a.type)}

    def due(parameter: str, value: Any) -> Any:
        return (
            [value] * takes[parameter] if parameter in takes and isinstance(value, int) else value
        )

    return (
        tuple(due(a.name, v) for a, v in zip(arguments, args, strict=False)),
        {k: due(k, v) for k, v in kwargs.items()},
    )
