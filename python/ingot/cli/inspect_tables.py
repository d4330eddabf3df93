"""The tables of ``ingot inspect``."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

_UNITS = ("kB", "MB", "GB", "TB")
_MANY = 24
"""Rows of a table beyond which only the largest are shown."""


def show(report: dict[str, Any]) -> None:
    """Prints what ``describe`` found."""
    console = Console(highlight=False, soft_wrap=True)
    console.print(
        f"[bold]{escape(report['file'])}[/]: {size_text(report['bytes'])}, "
        f"{report['parameters']:,} parameters in {size_text(report['weight_bytes'])}"
    )
    facts = [f"{k.removeprefix('ingot.')} {v}" for k, v in report["metadata"].items()]
    console.print(escape(", ".join(f for f in facts if not f.startswith("digest"))), style="dim")
    for method in report["methods"]:
        _show_method(console, method)
    _show_state(console, report["state"])
    ops = "  ".join(f"{escape(op)} [dim]×{count}[/]" for op, count in report["ops"].items())
    console.print(f"\n[bold]ops[/]  {ops or 'none'}")
    if report["extra_files"]:
        files = ", ".join(f"{n} ({size_text(s)})" for n, s in report["extra_files"].items())
        console.print(f"\n[bold]extra files[/]  {escape(files)}")


def size_text(count: int) -> str:
    """``"1.5 MB"``; powers of 1000, as file managers show them."""
    if count < 1000:
        return f"{count} bytes"
    power = 1
    while count / 1000**power >= 999.5 and power < len(_UNITS):
        power += 1
    return f"{count / 1000**power:.3g} {_UNITS[power - 1]}"


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column)
    return table


def _show_method(console: Console, method: dict[str, Any]) -> None:
    signature = ", ".join(i["name"] for i in method["inputs"])
    console.print(
        f"\n[bold]{escape(method['name'])}[/]({escape(signature)}) -> {escape(method['output'])}"
    )
    if method["inputs"]:
        table = _table("input", "type", "default")
        for row in method["inputs"]:
            default = "" if row["required"] else repr(row["default"])
            table.add_row(escape(row["name"]), escape(row["type"]), escape(default))
        console.print(table)
    dimensions = _table("dimension", "sizes", "because of")
    seen: set[str] = set()
    for row in method["inputs"]:
        for number, dim in enumerate(row.get("dimensions", [])):
            if "symbol" in dim and dim["symbol"] in seen:
                continue
            seen.add(dim.get("symbol", ""))
            if "size" in dim and "source" not in dim:
                continue  # the type above says it
            place = f"{row['name']}.shape[{number}]"
            if "symbol" in dim:
                place = f"{dim['symbol']} = {place}"
            dimensions.add_row(escape(place), _range(dim), escape(_place(dim)))
    if dimensions.row_count:
        console.print(dimensions)
    if method["guards"]:
        table = _table("guard", "because of")
        for guard in method["guards"]:
            table.add_row(escape(guard["message"]), escape(_place(guard)))
        console.print(table)


def _range(dim: dict[str, Any]) -> str:
    if "size" in dim:
        return f"only {dim['size']}"
    if dim["max"] is None:
        return "any" if dim["min"] == 0 else f"{dim['min']} and more"
    return f"{dim['min']} to {dim['max']}"


def _place(row: dict[str, Any]) -> str:
    source = row.get("source")
    return f"{source['file']}:{source['line']}: {source['text']}" if source else ""


def _show_state(console: Console, state: list[dict[str, Any]]) -> None:
    if not state:
        return
    table = _table("state", "kind", "type", "size")
    shown = state
    if len(state) > _MANY:
        shown = sorted(state, key=lambda row: -row.get("bytes", 0))[:_MANY]
    for row in shown:
        kind = row["kind"] + (", updated" if row["updated"] else "")
        size = size_text(row["bytes"]) if "bytes" in row else ""
        table.add_row(escape(row["name"]), kind, escape(row["type"]), size)
    console.print()
    console.print(table)
    if len(shown) < len(state):
        console.print(f"and {len(state) - len(shown)} smaller ones (--json lists all)", style="dim")
