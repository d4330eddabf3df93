"""``ingot verify``: a file against its eager PyTorch model."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ingot.cli import DIFFERENT
from ingot.cli.compare import Comparison, compare
from ingot.cli.user_code import make_inputs as call_inputs_maker
from ingot.cli.user_code import make_model, raised
from ingot.cli.values import choose_sizes, make_inputs, read_inputs, symbols_of
from ingot.errors import Error
from ingot.module import Module, load


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
    for name, args, kwargs in _cases(request, module, _keyword_only(eager)):
        actual = target(*args, **kwargs)
        expected = _run_eager(request.maker, eager, args, kwargs)
        rows.extend(compare(name, actual, expected, request.rtol, request.atol))
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


def _keyword_only(eager: Any) -> set[str]:
    """Parameters that the eager model takes by name alone; others may have other names."""
    try:
        parameters = inspect.signature(getattr(eager, "forward", eager)).parameters.values()
    except (TypeError, ValueError):
        return set()
    return {p.name for p in parameters if p.kind == p.KEYWORD_ONLY}


def _cases(
    request: Request, module: Module, keyword_only: set[str]
) -> Iterator[tuple[str, list[Any], dict[str, Any]]]:
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
        inputs = make_inputs(method, sizes, random)
        args = []
        for input in method.inputs:
            if input.name not in inputs or input.name in keyword_only:
                break
            args.append(inputs.pop(input.name))
        yield name, args, inputs


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
