"""What is wrong with a user's source, collected so that one run reports all of it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ingot.capture.script.sources import FunctionSource
from ingot.errors import Error


@dataclass(frozen=True)
class Diagnostic:
    """One mistake: where, what is wrong, and what to write instead."""

    file: str
    line: int
    column: int
    function: str
    message: str
    hint: str
    excerpt: str
    calls: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """The user's line, underlined, and the calls that led to it."""
        text = f"{self.file}:{self.line}:{self.column} in {self.function}\n{self.excerpt}"
        return text + "".join(f"\n  called from {call}" for call in self.calls)

    def __str__(self) -> str:
        text = f"{self.message}\n  {self.place}"
        return f"{text}\n  hint: {self.hint}" if self.hint else text


class CompileError(Exception):
    """A construct cannot be compiled. Caught by the statement it stands in."""

    def __init__(self, message: str, hint: str = "", node: ast.AST | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.node = node


class Absent(CompileError):
    """A variable or attribute without a value here: where a run comes here, Python raises
    ``kind``, with ``sentence``."""

    def __init__(
        self, message: str, hint: str = "", kind: str = "UnboundLocalError", sentence: str = ""
    ) -> None:
        super().__init__(message, hint)
        self.kind = kind
        self.sentence = sentence or message


class Conflict(CompileError):
    """An expression has another type in each of two cases."""


class Unwind(Exception):
    """Leaves what is being compiled on purpose, to begin it again: statements let it pass."""


class Retry(Unwind):
    """What is being compiled must be compiled in another way: the If or loop of ``marker``."""

    def __init__(self, marker: object) -> None:
        super().__init__()
        self.marker = marker


class Poisoned(Exception):
    """An operand is the result of a construct that has already been reported."""


class Diagnostics:
    """Mistakes in the order they were found, each once."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, int, int, str], Diagnostic] = {}
        self._collectors: list[dict[Diagnostic, None]] = []

    def __len__(self) -> int:
        return len(self._found)

    def mark(self) -> int:
        """A place to return to with ``rewind``."""
        return len(self._found)

    def rewind(self, mark: int) -> None:
        """Forgets what was found since ``mark``."""
        for key in list(self._found)[mark:]:
            del self._found[key]

    @contextmanager
    def collect(self) -> Iterator[dict[Diagnostic, None]]:
        """What is found inside the with statement, also what was found before."""
        found: dict[Diagnostic, None] = {}
        self._collectors.append(found)
        try:
            yield found
        finally:
            self._collectors.pop()

    def repeat(self, mistakes: Iterable[Diagnostic]) -> None:
        """Mistakes of a function compiled earlier, which ``rewind`` may have forgotten."""
        for each in list(mistakes):
            self._add(each)

    def report(
        self,
        source: FunctionSource,
        node: ast.AST,
        message: str,
        hint: str = "",
        calls: tuple[str, ...] = (),
    ) -> None:
        place = source.at(node)
        found = Diagnostic(
            place.file,
            place.line,
            place.column,
            source.name,
            message,
            hint,
            source.excerpt(node),
            calls,
        )
        self._add(found)

    def _add(self, found: Diagnostic) -> None:
        self._found.setdefault((found.file, found.line, found.column, found.message), found)
        for each in self._collectors:
            each[found] = None

    def raise_if_any(self, subject: str) -> None:
        """Raises one Error with everything found."""
        found = list(self._found.values())
        if not found:
            return
        if len(found) == 1:
            only = found[0]
            raise Error(only.message, "unsupported", only.place, only.hint) from None
        text = "\n".join(map(str, found))
        raise Error(f"{subject} has {len(found)} mistakes:\n{text}", "unsupported") from None
