"""``ingot verify``: a file against its eager PyTorch model."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ingot.cli import DIFFERENT
from ingot.cli.user_code import make_inputs as call_inputs_maker
from ingot.cli.user_code import make_model, raised
from ingot.cli.values import choose_sizes, leaves, make_inputs, read_inputs, symbols_of
from ingot.errors import Error
from ingot.module import Module, load

_TOLERANCES = {  # rtol, atol: the dtype's rounding over some thousand accumulated terms
    "float16": (1e-2, 1e-2),
    "bfloat16": (5e-2, 5e-2),
    "float32": (1e-4, 1e-5),
    "float64": (1e-9, 1e-10),
    "complex64": (1e-4, 1e-5),
    "complex128": (1e-9, 1e-10),
}


@dataclass(frozen=True)
class Request:
    """The options of the command."""

    file: Path
    maker: str
    inputs_maker: str | None
    input_texts: list[str]
    sizes: str
    own_weights: bool
    method: str
    rtol: float | None
    atol: float | None
    seed: int


@dataclass(frozen=True)
class Comparison:
    """One tensor or value of one result."""

    inputs: str
    output: str
    difference: str
    allowed: str
    equal: bool


def run(request: Request) -> None:
    """Prints a row for each compared output; exits with DIFFERENT if one does not agree."""
    module = load(request.file)
    target = module.method(request.method)
    model = make_model(request.maker)
    if not request.own_weights:
        _give_weights(model, module)
    eager = model
    if request.method != "forward":
        eager = getattr(model, request.method, None)
        if eager is None:
            raise Error(f"the eager model has no method {request.method!r}", "not_found")
    rows: list[Comparison] = []
    for name, args, kwargs in _cases(request, module):
        actual = target(*args, **kwargs)
        expected = _run_eager(request.maker, eager, args, kwargs)
        rows.extend(_compare(name, actual, expected, request))
    _show(rows)
    if not all(row.equal for row in rows):
        sys.exit(DIFFERENT)


def _give_weights(model: Any, module: Module) -> None:
    import torch

    if not isinstance(model, torch.nn.Module):
        return
    try:
        wrong = model.load_state_dict(module.state_dict("torch"), strict=False)
    except RuntimeError as error:
        raise Error(
            f"the file's weights do not fit the eager model: {error}",
            hint="is --module the model that was exported? --own-weights keeps its own",
        ) from error
    if wrong.missing_keys:
        raise Error(
            f"the file lacks weights of the eager model: {', '.join(wrong.missing_keys[:5])}",
            hint="is --module the model that was exported? --own-weights keeps its own",
        )


def _cases(request: Request, module: Module) -> Iterator[tuple[str, list[Any], dict[str, Any]]]:
    """Named sets of inputs: those given, else made up for each size."""
    if request.inputs_maker is not None:
        yield "given", list(call_inputs_maker(request.inputs_maker)), {}
        return
    if request.input_texts:
        yield "given", *read_inputs(request.input_texts, module.inputs(request.method))
        return
    method = module.program.methods[request.method]
    random = np.random.default_rng(request.seed)
    free = symbols_of(method)
    for size in _sizes(request.sizes) if free else [1]:
        sizes = choose_sizes(module.program, method, size)
        name = ", ".join(f"{k}={v}" for k, v in sizes.items()) or "fixed sizes"
        yield name, [], make_inputs(method, sizes, random)


def _sizes(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise Error(f"--sizes {text!r} is no list of numbers such as 1,2,7") from None


def _run_eager(name: str, eager: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    import torch

    try:
        with torch.no_grad():
            return eager(*map(_to_torch, args), **{k: _to_torch(v) for k, v in kwargs.items()})
    except Exception as error:
        raise raised(f"the eager model {name}", error) from error


def _to_torch(value: Any) -> Any:
    import torch

    if isinstance(value, np.ndarray):
        if value.dtype.name == "bfloat16":
            return torch.from_numpy(value.view(np.int16).copy()).view(torch.bfloat16)
        return torch.from_numpy(value.copy())
    if isinstance(value, torch.Tensor):
        return value.clone()
    if isinstance(value, list | tuple):
        return type(value)(map(_to_torch, value))
    if isinstance(value, dict):
        return {key: _to_torch(item) for key, item in value.items()}
    return value


def _to_numpy(value: Any) -> Any:
    import torch

    if isinstance(value, torch.Tensor):
        value = value.detach()
        return value.float().numpy() if value.dtype == torch.bfloat16 else value.numpy()
    return value


def _dtype_name(value: Any) -> str:
    dtype = getattr(value, "dtype", None)
    if dtype is None:
        return type(value).__name__
    return getattr(dtype, "name", str(dtype).removeprefix("torch."))


def _compare(name: str, actual: Any, expected: Any, request: Request) -> Iterator[Comparison]:
    # A named tuple stands for any class with fields, so places are compared by order alone.
    got, wanted = list(leaves(actual)), list(leaves(_as_plain(expected)))
    if len(got) != len(wanted):
        text = f"{len(got)} values, eager has {len(wanted)}"
        yield Comparison(name, "result", text, "", False)
        return
    for (place, a), (_, b) in zip(got, wanted, strict=True):
        yield _compare_one(name, f"result{place}", a, b, request)


def _as_plain(value: Any) -> Any:
    """Dataclasses and mappings as the tuples and dicts that a program returns for them."""
    if isinstance(value, dict):
        return {k: _as_plain(v) for k, v in value.items() if v is not None}
    fields = getattr(type(value), "__dataclass_fields__", None)
    if fields is not None:
        return [_as_plain(getattr(value, name)) for name in fields]
    if isinstance(value, list | tuple):
        return [_as_plain(v) for v in value]
    return value


def _compare_one(name: str, place: str, a: Any, b: Any, request: Request) -> Comparison:
    a_type, b_type = _dtype_name(a), _dtype_name(b)
    if a_type != b_type:
        return Comparison(name, place, f"{a_type}, eager has {b_type}", "", False)
    a, b = np.asarray(_to_numpy(a)), np.asarray(_to_numpy(b))
    if a.shape != b.shape:
        return Comparison(name, place, f"{list(a.shape)}, eager has {list(b.shape)}", "", False)
    if a.dtype.kind not in "fcV":
        equal = bool(np.array_equal(a, b))
        count = int(np.sum(a != b))
        return Comparison(name, place, f"{count} of {a.size} differ", "none", equal)
    wide = np.complex128 if a.dtype.kind == "c" else np.float64
    a, b = a.astype(wide), b.astype(wide)
    rtol, atol = _TOLERANCES.get(a_type, (0.0, 0.0))
    rtol = rtol if request.rtol is None else request.rtol
    atol = atol if request.atol is None else request.atol
    equal = bool(np.allclose(a, b, rtol, atol, equal_nan=True))
    both = np.isfinite(a) & np.isfinite(b)
    worst = float(np.max(np.abs(a - b), where=both, initial=0.0))
    text = f"{worst:.2e}" if np.array_equal(np.isfinite(a), np.isfinite(b)) else "NaN or inf"
    return Comparison(name, place, text, f"{atol:.0e} + {rtol:.0e}·|x|", equal)


def _show(rows: list[Comparison]) -> None:
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in ("inputs", "output", "largest difference", "allowed", ""):
        table.add_column(column)
    for row in rows:
        verdict = "[green]equal[/]" if row.equal else "[red]DIFFERENT[/]"
        table.add_row(
            *(escape(t) for t in (row.inputs, row.output, row.difference, row.allowed)), verdict
        )
    Console(soft_wrap=True).print(table)
