"""How numbers and lines of tables are written."""

from __future__ import annotations


def cells(values: list[str]) -> str:
    return f"| {' | '.join(values)} |"


def head(first: str, *others: str) -> list[str]:
    """The first two lines of a table whose other columns are numbers."""
    return [cells([first, *others]), cells(["---", *["---:"] * len(others)])]


def folded(title: str, lines: list[str]) -> list[str]:
    """Lines that show when the title is clicked."""
    return [f"<details><summary>{title}</summary>", "", *lines, "", "</details>"]


def number(value: float | None) -> str:
    """Three digits."""
    if value is None:
        return "–"
    return f"{value:.0f}" if value >= 100 else f"{value:#.3g}".rstrip(".")


def times(ratio: float | None) -> str:
    return "–" if ratio is None else f"{ratio:.2f}×"


def percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")
