"""PyTorch's own schemas as catalogue rows: an oracle that needs no native ops."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import torch

from ingot.errors import Error
from ingot.ir.schema import Catalogue


def rows() -> list[tuple]:
    """Every op of PyTorch, as ``ingot._ingot.catalogue()`` would list it."""
    found = []
    for schema in torch._C._jit_get_all_schemas():
        name = schema.name + (f".{schema.overload_name}" if schema.overload_name else "")
        arguments = [
            (
                a.name,
                _declared(a),
                a.has_default_value(),
                a.default_value if a.has_default_value() else None,
                a.kwarg_only,
                bool(a.alias_info and a.alias_info.is_write),
                _alias(a),
            )
            for a in schema.arguments
        ]
        if "..." in str(schema):
            arguments.append(("...", "Any", False, None, False, False, ""))
        found.append((name, arguments, [(r.name, _declared(r), _alias(r)) for r in schema.returns]))
    return found


@cache
def torch_catalogue() -> Catalogue:
    return Catalogue(rows(), _random())


def _random() -> Iterator[str]:
    """Names of the ops that PyTorch itself marks as random."""
    for name in torch._C._dispatch_get_all_op_names():
        op, _, overload = name.partition(".")
        if op.startswith("aten::"):
            packet = getattr(torch.ops.aten, op.removeprefix("aten::"), None)
            found = getattr(packet, overload or "default", None)
            if found is not None and torch.Tag.nondeterministic_seeded in found.tags:
                yield name


def _declared(argument: torch._C.Argument) -> str:
    text = argument.type.annotation_str
    optional = text.startswith("Optional[")
    if optional:
        text = text[9:-1]
    text = _notation(text)
    if argument.N is not None and text.endswith("[]"):
        text = f"{text[:-1]}{argument.N}]"
    return text + "?" * optional


def _notation(text: str) -> str:
    if text.startswith("List["):
        return _notation(text[5:-1]) + "[]"
    if text.startswith("Optional["):
        return _notation(text[9:-1]) + "?"
    if text.startswith("Dict["):
        return f"Dict({text[5:-1]})"
    if text.startswith("Tuple["):
        return f"({text[6:-1]})"
    return "Scalar" if text == "number" else text


def _alias(argument: torch._C.Argument) -> str:
    info = argument.alias_info
    if info is None:
        return ""
    return "|".join(sorted(info.before_set)).replace("alias::", "")


def call_op(name: str, arguments: list) -> tuple:
    """As ``ingot._ingot.call_op``, by PyTorch's kernels."""

    def given(value):
        if isinstance(value, list):
            return [given(v) for v in value]
        return torch.from_numpy(value) if hasattr(value, "__array__") else value

    def made(value):
        return value.numpy() if isinstance(value, torch.Tensor) else value

    base, _, overload = name.partition(".")
    schema = torch_catalogue().find(name)
    pairs = [*zip(schema.arguments, map(given, arguments), strict=False)]
    positional = [value for argument, value in pairs if not argument.keyword_only]
    named = {argument.name: value for argument, value in pairs if argument.keyword_only}
    try:
        result = torch._C._get_operation_overload(base, overload)[0](*positional, **named)
    except RuntimeError as error:
        raise Error(str(error)) from error
    results = result if isinstance(result, tuple) else (result,)
    return tuple(map(made, results))
