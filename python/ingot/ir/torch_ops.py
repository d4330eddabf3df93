"""The ops of programs as Python functions over torch tensors and Python values.

Tensor, number and string ops are PyTorch's own, by the same name. Ops whose schemas have type
variables, and those that write into lists and dicts, are Python's: PyTorch's would work on
copies of the containers.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import torch

from ingot.dtypes import DType
from ingot.ir.diagnostics import fail
from ingot.ir.schema import Schema
from ingot.ir.types import DictType, ListType

TORCH_DTYPES = {
    DType.u8: torch.uint8,
    DType.i8: torch.int8,
    DType.i16: torch.int16,
    DType.i32: torch.int32,
    DType.i64: torch.int64,
    DType.f16: torch.float16,
    DType.f32: torch.float32,
    DType.f64: torch.float64,
    DType.c64: torch.complex64,
    DType.c128: torch.complex128,
    DType.bool: torch.bool,
    DType.bf16: torch.bfloat16,
}


def _returning_first(change: Callable[..., Any]) -> Callable[..., Any]:
    """A change of a container that gives the container back."""

    def changed(container: Any, *args: Any) -> Any:
        change(container, *args)
        return container

    return changed


def _pop(container: Any, *args: Any) -> Any:
    return container.pop(*args)


def _tensor(data: Any, dtype: int | None = None, device: Any = None, grad: bool = False) -> Any:
    kind = None if dtype is None else TORCH_DTYPES[DType(dtype)]
    return torch.tensor(data, dtype=kind, device=device, requires_grad=grad)


def _slice(items: list[Any], start: int | None, end: int | None, step: int) -> list[Any]:
    return items[start:end:step]


def _unwrap_optional(value: Any) -> Any:
    if value is None:
        fail("a value that must not be None is None", code="runtime")
    return value


def _list_extend(items: list[Any], more: list[Any]) -> list[Any]:
    items.extend(more)
    return items


def _list_repeat(items: list[Any], count: int) -> list[Any]:
    items *= count
    return items


def _sort(items: list[Any], reverse: bool = False) -> None:
    items.sort(reverse=reverse)


def _set_slice(
    items: list[Any], start: int | None, end: int | None, step: int, values: list[Any]
) -> None:
    items[start:end:step] = values


def _delete_slice(items: list[Any], start: int | None, end: int | None, step: int) -> None:
    del items[start:end:step]


CONTAINER_OPS: dict[str, Callable[..., Any]] = {
    "aten::Delete": operator.delitem,
    "aten::__contains__": operator.contains,
    "aten::__getitem__": operator.getitem,
    "aten::__is__": operator.is_,
    "aten::__isnot__": operator.is_not,
    "aten::_set_item": _returning_first(operator.setitem),
    "aten::_unwrap_optional": _unwrap_optional,
    "aten::add": operator.add,
    "aten::add_": _list_extend,
    "aten::append": _returning_first(list.append),
    "aten::as_tensor": _tensor,
    "aten::clear": lambda container: container.clear(),
    "aten::copy": lambda container: container.copy(),
    "aten::dict": dict,
    "aten::extend": list.extend,
    "aten::format": str.format,
    "aten::get": dict.get,
    "aten::insert": list.insert,
    "aten::items": lambda container: list(container.items()),
    "aten::keys": lambda container: list(container),
    "aten::len": len,
    "aten::list": list,
    "aten::mul": operator.mul,
    "aten::mul_": _list_repeat,
    "aten::percentFormat": lambda text, *values: text % values,
    "aten::pop": _pop,
    "aten::popitem": dict.popitem,
    "aten::remove": list.remove,
    "aten::reverse": list.reverse,
    "aten::select": operator.getitem,
    "aten::setdefault": dict.setdefault,
    "aten::slice": _slice,
    "aten::sort": _sort,
    "aten::sorted": sorted,
    "aten::str": str,
    "aten::tensor": _tensor,
    "aten::update": dict.update,
    "aten::values": lambda container: list(container.values()),
    "aten::count": list.count,
    "aten::index": list.index,
    "prim::Print": print,
    "prim::repr": repr,
    "prim::delete_slice": _delete_slice,
    "prim::set_slice": _set_slice,
}

OWN_OPS: dict[str, Callable[..., Any]] = {
    "prim::Write": lambda text: print(text, end=""),
    "prim::cbrt": lambda x: math.copysign(abs(x) ** (1 / 3), x),
    "prim::conj": complex.conjugate,
    "prim::equal": operator.eq,
    "prim::exp2": lambda x: 2.0**x,
    "prim::hypot": math.hypot,
    "prim::imag": lambda c: c.imag,
    "prim::int_base": int,
    "prim::less": operator.lt,
    "prim::log2": math.log2,
    "prim::real": lambda c: c.real,
    "prim::round_digits": round,
}
"""Ops that PyTorch lacks."""


def _new_generator(device: Any, seed: int | None) -> torch.Tensor:
    generator = torch.Generator()
    return (generator if seed is None else generator.manual_seed(seed)).get_state()


_GENERATOR_OPS: dict[str, Callable[..., Any]] = {
    "aten::Generator": _new_generator,
    "aten::initial_seed": torch.Generator.initial_seed,
    "aten::manual_seed.generator": torch.Generator.manual_seed,
    "aten::seed": torch.Generator.seed,
}


def _on_states(schema: Schema, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function on generators as programs have them: tensors of their states."""
    places = [i for i, a in enumerate(schema.arguments) if a.declared.startswith("Generator")]

    def on_states(*args: Any) -> Any:
        states = {i: args[i] for i in places if args[i] is not None}
        given = {i: torch.Generator().set_state(state) for i, state in states.items()}
        result = function(*(given.get(i, each) for i, each in enumerate(args)))
        for i, state in states.items():
            state.copy_(given[i].get_state())
        return states[0] if isinstance(result, torch.Generator) else result

    return on_states if places else function


def find(schema: Schema) -> Callable[..., Any]:
    """The function for an op; it takes the arguments in schema order.

    Raises Error (unsupported) if PyTorch has no op of the name.
    """
    if schema.base in OWN_OPS:
        return OWN_OPS[schema.base]
    if (
        schema.variadic
        or schema.is_generic
        or any(a.mutated and isinstance(a.type, ListType | DictType) for a in schema.arguments)
    ):
        if schema.base in CONTAINER_OPS:
            return CONTAINER_OPS[schema.base]
        fail(f"{schema.name} cannot run in PyTorch", code="unsupported")
    if schema.name in _GENERATOR_OPS:
        return _on_states(schema, _GENERATOR_OPS[schema.name])
    space, _, name = schema.base.partition("::")
    overload = schema.name.partition(".")[2] or "default"
    try:
        function = getattr(getattr(getattr(torch.ops, space), name), overload)
    except AttributeError:
        fail(f"this PyTorch has no op {schema.name}", code="unsupported")
    first_named = next(
        (i for i, a in enumerate(schema.arguments) if a.keyword_only), len(schema.arguments)
    )
    if first_named == len(schema.arguments):
        return function  # type: ignore[no-any-return]
    names = [a.name for a in schema.arguments[first_named:]]

    def with_names(*args: Any) -> Any:
        return function(*args[:first_named], **dict(zip(names, args[first_named:], strict=True)))

    return _on_states(schema, with_names)
