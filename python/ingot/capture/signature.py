"""The inputs of a trace: parameters by name, each a tree of flat leaves."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ingot.capture.structure import LEAF_TREE, Tree, flatten
from ingot.ir.diagnostics import fail
from ingot.ir.graph import NO_DEFAULT


@dataclass(frozen=True)
class Parameter:
    """One argument of the traced call: where it goes and which leaves it has."""

    name: str
    tree: Tree
    first: int
    keyword: bool
    default: object = NO_DEFAULT


class Signature:
    """The call ``model(*args, **kwargs)`` with its leaves taken out.

    ``leaves`` are tensors, numbers, bools, strings and None in the order of the parameters;
    ``paths`` says for each how a user writes it: ``batch['mask'][0]``.
    """

    def __init__(
        self, model: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> None:
        self.parameters: list[Parameter] = []
        self.leaves: list[Any] = []
        self.paths: list[str] = []
        known = _parameters(model)
        names = _positional_names(known, len(args))
        for i, value in enumerate(args):
            self._add(names[i], value, False, known)
        for name, value in kwargs.items():
            if name in names[: len(args)]:
                fail(f"{name!r} is given in example_inputs and in example_kwargs")
            self._add(name, value, True, known)

    def _add(
        self, name: str, value: Any, keyword: bool, known: Mapping[str, inspect.Parameter]
    ) -> None:
        if any(name == p.name for p in self.parameters):
            name = f"{name}_{len(self.parameters)}"
        first = len(self.leaves)
        leaves, tree = flatten(_tensors(value), f"the input {name}", constants=False)
        self.leaves += leaves
        self.paths += tree.paths(name)
        default: object = NO_DEFAULT
        if tree is LEAF_TREE and name in known:
            given = known[name].default
            plain = given is None or isinstance(given, bool | int | float | str)
            if plain and type(given) is type(leaves[0]):
                default = given
        self.parameters.append(Parameter(name, tree, first, keyword, default))

    def rebuild(self, leaves: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
        """The call's arguments with these leaves."""
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        for parameter in self.parameters:
            own = leaves[parameter.first : parameter.first + parameter.tree.leaves()]
            value = parameter.tree.unflatten(own)
            if parameter.keyword:
                kwargs[parameter.name] = value
            else:
                args.append(value)
        return args, kwargs


def _parameters(model: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    function = model.forward if isinstance(model, nn.Module) else model
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):  # builtins
        return {}


def _positional_names(known: Mapping[str, inspect.Parameter], count: int) -> list[str]:
    names: list[str] = []
    for name, parameter in known.items():
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            names.append(name)
        elif parameter.kind == parameter.VAR_POSITIONAL:
            names += [f"{name}_{i}" for i in range(count - len(names))]
    return [*names, *(f"input_{i}" for i in range(len(names), count))]


def _tensors(value: Any) -> Any:
    """The value with numpy arrays as tensors and parameters as plain tensors."""
    if type(value).__module__ == "numpy" and hasattr(value, "__array__"):
        return torch.as_tensor(value)
    if isinstance(value, torch.Tensor):
        if value.layout != torch.strided or value.is_nested or value.is_quantized:
            fail(
                "an example input is a sparse, nested or quantized tensor",
                hint="ingot.trace takes ordinary (strided) tensors",
                code="unsupported",
            )
        return value.detach().resolve_conj().resolve_neg()
    if type(value) in (list, tuple):
        return type(value)(map(_tensors, value))
    if type(value) is dict:
        return {k: _tensors(v) for k, v in value.items()}
    return value
