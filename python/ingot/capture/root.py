"""The module that torch.export traces: the user's model behind a flat signature."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from ingot.capture.kept import KeptWhole
from ingot.capture.script_in_trace import calls_kept_whole
from ingot.capture.structure import Tree, flatten, open_all
from ingot.capture.transforms import (
    followed_gradients,
    in_plain_ops,
    noticing,
    without_gradients,
)
from ingot.ir.diagnostics import fail


class Seen:
    """The structure of a module's latest output, and whether it ever asked for gradients or
    for rewrites (transforms.Asked); torch.export undoes plain attributes."""

    tree: Tree
    gradients = False
    rewrites = False


class Root(nn.Module):
    """Calls the model with the arguments that flat leaves stand for, and flattens its output.

    ``rebuild`` turns leaves into (args, kwargs). After a call, ``seen.tree`` is the
    structure of the output. Modules that a function uses are registered under their variable
    names, so that parameters keep ``state_dict`` names behind ``prefix``.
    """

    def __init__(
        self, model: Callable[..., Any], rebuild: Callable[[list[Any]], tuple[list, dict]]
    ) -> None:
        super().__init__()
        self.__dict__["rebuild"] = rebuild
        self.__dict__["seen"] = Seen()
        self.__dict__["callee"] = model
        self.__dict__["parameters_written"] = []
        self.prefix = "model."
        if isinstance(model, nn.Module):
            self.model = model
            self.training = model.training
        else:
            reached = modules_of(model)
            if list(reached) == ["self"]:
                self.model = reached["self"]
            else:
                self.model = nn.Module()
                for name, module in reached.items():
                    self.model.add_module(name, module)

    def eager(self, leaves: list[Any]) -> tuple[list[Any], tuple]:
        """What the model itself gives: the leaves of its output and their outline."""
        args, kwargs = self.__dict__["rebuild"](list(leaves))
        wanted = self.differentiates()
        with noticing() as asked, without_gradients(leaves):
            try:
                with torch.set_grad_enabled(wanted):
                    found, outline = open_all(self.__dict__["callee"](*args, **kwargs))
            finally:
                self.__dict__["seen"].gradients |= asked.gradients
                self.__dict__["seen"].rewrites |= asked.rewrites
        return [_detached(leaf) for leaf in found], outline

    def differentiates(self) -> bool:
        """Whether the model asks for gradients, as far as it has run."""
        return bool(self.__dict__["seen"].gradients)

    def written(self) -> list[nn.Parameter]:
        """The parameters that the model writes into."""
        found: list[nn.Parameter] = self.__dict__["parameters_written"]
        return found

    def forward(self, *leaves: Any) -> tuple[Any, ...]:
        if self.differentiates():
            return tuple(in_plain_ops(self._with_gradients)(*leaves))
        if self.__dict__["seen"].rewrites:
            return tuple(in_plain_ops(self._flat)(*leaves))
        with KeptWhole(), calls_kept_whole():
            return tuple(self._flat(*leaves))

    def _flat(self, *leaves: Any) -> list[Any]:
        args, kwargs = self.__dict__["rebuild"](list(leaves))
        flat, tree = flatten(self.__dict__["callee"](*args, **kwargs))
        self.__dict__["seen"].tree = tree
        return flat

    def _with_gradients(self, *leaves: Any) -> list[Any]:
        with followed_gradients():
            return self._flat(*leaves)

    def named_state(self) -> list[tuple[str, torch.Tensor]]:
        """Parameters and buffers in the order of the model's ``state_dict``."""
        both = {**dict(self.named_parameters(remove_duplicate=False)),
                **dict(self.named_buffers(remove_duplicate=False))}  # fmt: skip
        listed = self.state_dict(keep_vars=True)
        return [*((n, both[n]) for n in listed if n in both),
                *((n, t) for n, t in both.items() if n not in listed)]  # fmt: skip


def _detached(leaf: Any) -> Any:
    if isinstance(leaf, torch.Tensor) and leaf.layout != torch.strided:
        fail(
            "the model returns a sparse tensor",
            hint="return x.to_dense()",
            code="unsupported",
        )
    return leaf.detach() if isinstance(leaf, torch.Tensor) and leaf.requires_grad else leaf


def modules_of(function: Callable[..., Any]) -> dict[str, nn.Module]:
    """The modules that a function reaches: its bound self, partial arguments, closure and
    globals, by variable name."""
    found: dict[str, nn.Module] = {}

    def add(name: str, value: Any) -> None:
        if isinstance(value, nn.Module) and not any(value is known for known in found.values()):
            found[name.replace(".", "_")] = value

    while isinstance(function, functools.partial):
        for i, value in enumerate(function.args):
            add(f"arg{i}", value)
        for name, value in function.keywords.items():
            add(name, value)
        function = function.func
    add("self", getattr(function, "__self__", None))
    function = getattr(function, "__func__", function)
    code = getattr(function, "__code__", None)
    if code is not None:
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            try:
                add(name, cell.cell_contents)
            except ValueError:  # a cell that is not filled yet
                continue
        for name in code.co_names:
            add(name, function.__globals__.get(name))
    elif not isinstance(function, type) and not hasattr(function, "__self__"):
        for name, value in getattr(function, "__dict__", {}).items():
            add(name, value)
    return found
