"""Nested Python values as flat leaves and a tree, for the inputs and outputs of a trace.

Containers keep their kind: tuple, list, dict, NamedTuple and dataclass-like classes, where a
transformers ``ModelOutput`` counts as a dataclass of its fields that are not None and a
key/value cache as one with the fields ``key_cache`` and ``value_cache``.
"""

from __future__ import annotations

import argparse
import dataclasses
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ingot.capture.arrays import as_tensor
from ingot.ir.diagnostics import fail
from ingot.ir.graph import Literal

LEAF, CONSTANT, TUPLE, LIST, DICT, RECORD = range(6)


@dataclass(frozen=True)
class Tree:
    """The shape of a nested value.

    ``keys`` are a dict's keys or a record's field names; ``name`` is a record's class name;
    ``value`` a constant's value. ``build`` makes the Python object of the children's values.
    """

    kind: int
    children: tuple[Tree, ...] = ()
    keys: tuple[Any, ...] = ()
    name: str = ""
    value: Literal = None
    build: Callable[[list[Any]], Any] | None = None

    def leaves(self) -> int:
        """How many leaves the tree has."""
        return 1 if self.kind == LEAF else sum(child.leaves() for child in self.children)

    def unflatten(self, leaves: Sequence[Any]) -> Any:
        """The Python value with these leaves."""
        value, rest = self._take(list(leaves))
        assert not rest, "more leaves than the tree has"
        return value

    def _take(self, leaves: list[Any]) -> tuple[Any, list[Any]]:
        if self.kind == LEAF:
            return leaves[0], leaves[1:]
        if self.kind == CONSTANT:
            return self.value, leaves
        values = []
        for child in self.children:
            value, leaves = child._take(leaves)
            values.append(value)
        assert self.build is not None
        return self.build(values), leaves

    def paths(self, prefix: str = "") -> list[str]:
        """For every leaf how Python reaches it from the root: ``"['mask'][0]"``."""
        if self.kind == LEAF:
            return [prefix]
        steps = {
            TUPLE: lambda i: f"[{i}]",
            LIST: lambda i: f"[{i}]",
            DICT: lambda i: f"[{self.keys[i]!r}]",
            RECORD: lambda i: f".{self.keys[i]}",
            CONSTANT: lambda i: "",
        }
        return [
            path
            for i, child in enumerate(self.children)
            for path in child.paths(prefix + steps[self.kind](i))
        ]


LEAF_TREE = Tree(LEAF)


def flatten(value: Any, where: str = "the output", constants: bool = True) -> tuple[list, Tree]:
    """The leaves of a nested value and its tree.

    Leaves are tensors and symbolic numbers; with ``constants`` plain Python values become
    part of the tree, without they are leaves too. Raises Error for an object of any other
    class, naming it and ``where`` it is.
    """
    leaves: list[Any] = []
    tree = _flatten(value, where, constants, leaves)
    return leaves, tree


def open_all(value: Any) -> tuple[list, tuple]:
    """Every tensor and plain value inside a result, and an outline to compare results by."""
    leaves, tree = flatten(value, constants=False)
    return leaves, _outline(tree)


def _outline(tree: Tree) -> tuple:
    return tree.kind, tuple(map(str, tree.keys)), tuple(map(_outline, tree.children))


def _flatten(value: Any, where: str, constants: bool, leaves: list[Any]) -> Tree:
    if not isinstance(value, list | tuple):
        value = as_tensor(value)
    if isinstance(value, torch.Tensor | torch.SymInt | torch.SymFloat | torch.SymBool):
        leaves.append(value)
        return LEAF_TREE
    if isinstance(value, torch.dtype | torch.device | torch.layout | torch.memory_format):
        fail(
            f"{where} is a {type(value).__name__}, which a program cannot take or return",
            hint="pass or return its name as a str",
        )
    if type(value).__module__ == "numpy":
        value = torch.as_tensor(value) if hasattr(value, "shape") else value.item()
        return _flatten(value, where, constants, leaves)
    if value is None or isinstance(value, bool | int | float | complex | str):
        if constants:
            return Tree(CONSTANT, value=value)
        leaves.append(value)
        return LEAF_TREE
    kind, keys, children, name, build = _open(value, where)
    trees = tuple(
        _flatten(child, f"{where}{_step(kind, keys, i)}", constants, leaves)
        for i, child in enumerate(children)
    )
    return Tree(kind, trees, keys, name, None, build)


def _step(kind: int, keys: tuple[Any, ...], i: int) -> str:
    if kind == RECORD:
        return f".{keys[i]}"
    return f"[{keys[i]!r}]" if kind == DICT else f"[{i}]"


Opened = tuple[int, tuple[Any, ...], list[Any], str, Callable[[list[Any]], Any]]


def _open(value: Any, where: str) -> Opened:
    cls = type(value)
    if isinstance(value, torch.Size):
        return TUPLE, (), list(value), "", tuple
    if isinstance(value, tuple):
        if hasattr(value, "_fields"):
            return RECORD, tuple(value._fields), list(value), cls.__name__, lambda v: cls(*v)
        if cls.__module__ == "torch.return_types":
            fields = tuple(cls.__match_args__)
            return RECORD, fields, list(value), cls.__name__.rpartition(".")[2], cls
        return TUPLE, (), list(value), "", tuple
    if isinstance(value, list):
        return LIST, (), list(value), "", list
    if _is_cache(value):
        return _open_cache(value)
    if isinstance(value, types.SimpleNamespace | argparse.Namespace):
        names = [str(name) for name in vars(value)]
        return (
            RECORD,
            tuple(names),
            list(vars(value).values()),
            cls.__name__,
            lambda v: cls(**dict(zip(names, v, strict=True))),
        )
    if dataclasses.is_dataclass(value):
        names = [f.name for f in dataclasses.fields(value) if f.init]
        if isinstance(value, Mapping):  # a ModelOutput: absent fields are None
            names = [n for n in names if n in value]
        fields = tuple(names)
        children = [getattr(value, n) for n in fields]
        return (
            RECORD,
            fields,
            children,
            cls.__name__,
            lambda v: cls(**dict(zip(fields, v, strict=True))),
        )
    if isinstance(value, Mapping):
        keys = tuple(value)
        for key in keys:
            if isinstance(key, bool) or not isinstance(key, int | float | str):
                fail(f"{where} has the key {key!r}; keys of a program's dicts are str or numbers")
        if len({type(key) for key in keys}) > 1:
            fail(f"{where} has keys of several types; a program's dict has one type of key")
        make = cls if cls.__module__ in ("builtins", "collections") else dict
        if make.__name__ == "defaultdict":
            make = dict
        return DICT, keys, [value[k] for k in keys], "", lambda v: make(zip(keys, v, strict=True))
    fail(
        f"{where} is a {cls.__module__}.{cls.__qualname__}, which a program cannot take or return",
        hint="use tensors, numbers, bools, strings, None, and tuples, lists, dicts, NamedTuples "
        "or dataclasses of these; wrap the model in a function that unpacks the object",
        code="unsupported",
    )


def _is_cache(value: Any) -> bool:
    layers = getattr(value, "layers", None)
    return (
        isinstance(layers, list)
        and hasattr(value, "update")
        and all(hasattr(layer, "keys") and hasattr(layer, "values") for layer in layers)
    )


def _open_cache(value: Any) -> Opened:
    """A transformers key/value cache as lists of tensors, one of each per layer."""
    cls = type(value)
    layers = [layer for layer in value.layers if torch.is_tensor(layer.keys)]

    def build(children: list[Any]) -> Any:
        cache = cls()
        for i, (key, val) in enumerate(zip(*children, strict=True)):
            cache.update(key, val, i)
        return cache

    children = [[layer.keys for layer in layers], [layer.values for layer in layers]]
    return RECORD, ("key_cache", "value_cache"), children, cls.__name__, build
