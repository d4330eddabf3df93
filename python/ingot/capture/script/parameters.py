"""Putting the arguments of a call into the parameters of a Python function."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ingot.capture.script.diagnostics import Absent, CompileError
from ingot.capture.script.sources import FunctionSource
from ingot.capture.script.values import DictItem, Item, TupleItem


def parameters_of(arguments: ast.arguments) -> Iterator[tuple[str, ast.arg]]:
    """Every parameter except ``*args`` and ``**kwargs``, in order."""
    for each in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
        yield each.arg, each


def _mismatch(message: str) -> Absent:
    return Absent(message, kind="TypeError")


def bind_arguments(
    source: FunctionSource,
    args: list[Item],
    kwargs: dict[str, Item],
    defaults: dict[str, Item],
) -> dict[str, Item]:
    """Every parameter's item, by Python's rules. Raises CompileError as Python would."""
    arguments = source.node.args
    positional = [a.arg for a in [*arguments.posonlyargs, *arguments.args]]
    only_positional = {a.arg for a in arguments.posonlyargs}
    bound: dict[str, Item] = dict(zip(positional, args, strict=False))
    rest = args[len(positional) :]
    if rest and arguments.vararg is None:
        raise _mismatch(
            f"{source.name} takes {len(positional)} positional arguments, not {len(args)}"
        )
    extra: dict[str, Item] = {}
    keywords = {a.arg for a in arguments.kwonlyargs} | set(positional) - only_positional
    for name, item in kwargs.items():
        if name in bound and name in keywords:
            raise CompileError(f"{source.name} is given the argument {name!r} twice")
        if name in keywords:
            bound[name] = item
        elif arguments.kwarg is not None:
            extra[name] = item
        else:
            raise _mismatch(f"{source.name} has no argument {name!r}")
    ordered: dict[str, Item] = {}
    missing = []
    for name, _ in parameters_of(arguments):
        if name in bound:
            ordered[name] = bound[name]
        elif name in defaults:
            ordered[name] = defaults[name]
        else:
            missing.append(repr(name))
    if missing:
        raise _mismatch(f"the call of {source.name} lacks the argument {', '.join(missing)}")
    if arguments.vararg is not None:
        ordered[arguments.vararg.arg] = TupleItem(tuple(rest))
    if arguments.kwarg is not None:
        ordered[arguments.kwarg.arg] = DictItem(extra)
    return ordered
