"""Python functions as syntax trees that know where each of their nodes stands."""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
import types
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ingot.capture.script.names import assigned_names, shared_names
from ingot.capture.script.type_comments import annotate_from_comments
from ingot.capture.sources import import_path
from ingot.ir.graph import Source


class NoSource(Exception):
    """The text of a function cannot be found."""


@dataclass(frozen=True, eq=False)
class FunctionSource:
    """The syntax tree of one function.

    ``node`` has its own line numbers: add ``line_offset`` for those of the file.
    """

    node: ast.FunctionDef | ast.Lambda
    name: str
    file: str
    path: str
    line_offset: int

    @cached_property
    def assigned(self) -> frozenset[str]:
        """The names that the function assigns."""
        body = [] if isinstance(self.node, ast.Lambda) else self.node.body
        return frozenset(assigned_names(body))

    @cached_property
    def shared(self) -> frozenset[str]:
        """Names that functions nested in this one assign."""
        return frozenset(() if isinstance(self.node, ast.Lambda) else shared_names(self.node))

    @cached_property
    def _places(self) -> dict[ast.AST, Source]:
        return {}

    def line(self, node: ast.AST) -> int:
        """The line of ``node`` in the file, from 1."""
        return getattr(node, "lineno", 1) + self.line_offset

    def text(self, node: ast.AST) -> str:
        """The first line of ``node`` as the user wrote it, without indentation."""
        return linecache.getline(self.path, self.line(node)).strip()

    def at(self, node: ast.AST) -> Source:
        """Where ``node`` stands, for the program."""
        place = self._places.get(node)
        if place is None:
            column = getattr(node, "col_offset", 0) + 1
            place = Source(self.file, self.line(node), column, self.name, self.text(node))
            self._places[node] = place
        return place

    def excerpt(self, node: ast.AST) -> str:
        """The first line of ``node`` with the span of ``node`` underlined."""
        line = linecache.getline(self.path, self.line(node)).rstrip()
        raw = line.encode()
        start = min(getattr(node, "col_offset", 0), len(raw))
        one_line = getattr(node, "end_lineno", None) == getattr(node, "lineno", None)
        end = min(getattr(node, "end_col_offset", len(raw)) if one_line else len(raw), len(raw))
        begin = len(raw[:start].decode(errors="replace"))
        width = max(1, len(raw[start:end].decode(errors="replace")))
        shown = line.lstrip()
        return f"    {shown}\n    {' ' * max(0, begin - (len(line) - len(shown)))}{'^' * width}"


_cache: dict[int, tuple[types.CodeType, FunctionSource]] = {}
"""By identity: equal code objects may stand in different files."""


def source_of(function: types.FunctionType) -> FunctionSource:
    """The syntax tree of a Python function, parsed once. Raises NoSource."""
    code = function.__code__
    found = _cache.get(id(code))
    if found is None:
        found = _cache[id(code)] = (code, _parse(function))
    return found[1]


def register_source(function: types.FunctionType, node: ast.FunctionDef, path: str) -> None:
    """The syntax tree of a function that was made from text, whose lines ``linecache`` has."""
    code = function.__code__
    _cache[id(code)] = (code, FunctionSource(node, function.__name__, path, path, 0))


def _parse(function: types.FunctionType) -> FunctionSource:
    code = function.__code__
    name = function.__name__
    try:
        lines, first = inspect.getsourcelines(code)
    except (OSError, TypeError, IndentationError, SyntaxError) as error:
        raise NoSource(str(error)) from None
    path = code.co_filename
    file = import_path(path)
    if name == "<lambda>":
        return FunctionSource(_find_lambda(path, code), "lambda", file, path, 0)
    indented = lines[0][:1] in (" ", "\t")
    tree = _parse_text("if 1:\n" + "".join(lines) if indented else "".join(lines))
    body = tree.body[0].body if indented else tree.body  # type: ignore[attr-defined]
    node = next((n for n in body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)), None)
    if not isinstance(node, ast.FunctionDef):
        raise NoSource(f"{name} is not a plain function")
    annotate_from_comments(node)
    owner = function.__qualname__.rpartition(".")[0].rpartition(".")[2]
    if owner and owner != "<locals>":
        mangle(node, owner)
    return FunctionSource(node, name, file, path, first - (2 if indented else 1))


def mangle(function: ast.FunctionDef, owner: str) -> None:
    """Gives private names, ``__x``, the form that they have inside the class ``owner``."""

    def mangled(name: str) -> str:
        private = name.startswith("__") and not name.endswith("__")
        return f"_{owner.lstrip('_')}{name}" if private else name

    for node in ast.walk(function):
        match node:
            case ast.Attribute(attr=name):
                node.attr = mangled(name)
            case ast.Name(id=name):
                node.id = mangled(name)
            case ast.arg(arg=name):
                node.arg = mangled(name)
            case ast.keyword(arg=str(name)):
                node.arg = mangled(name)


def _parse_text(text: str) -> ast.Module:
    """The tree with its type comments, if all of them stand where such comments may."""
    try:
        return ast.parse(text, type_comments=True)
    except SyntaxError:
        pass
    try:
        return ast.parse(text)
    except SyntaxError as error:
        raise NoSource(str(error)) from None


def _find_lambda(path: str, code: types.CodeType) -> ast.Lambda:
    """The lambda that ``code`` was compiled from: several may stand on one line."""
    tree = _parse_file(path)
    positions: Iterable[Any] = getattr(code, "co_positions", tuple)()  # Python 3.11 has them
    spans = [p for p in positions if p[0] is not None and p[2] is not None]
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Lambda) and node.lineno == code.co_firstlineno:
            names = [a.arg for a in [*node.args.posonlyargs, *node.args.args]]
            inside = all(
                (node.lineno, node.col_offset) <= (line, column)
                and (end_line, end_column) <= (node.end_lineno, node.end_col_offset)
                for line, end_line, column, end_column in spans
                if (line, column) != (code.co_firstlineno, 0)
            )
            if inside and names == list(code.co_varnames[: code.co_argcount]):
                found.append(node)
    if not found:
        raise NoSource("the text of the lambda was not found")
    return min(found, key=_extent)


def _extent(node: ast.expr) -> tuple[int, int]:
    """How many lines the text of a parsed expression spans, then how many columns."""
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return node.end_lineno - node.lineno, node.end_col_offset - node.col_offset


@functools.lru_cache(maxsize=16)
def _parse_file(path: str) -> ast.Module:
    text = "".join(linecache.getlines(path))
    if not text:
        raise NoSource(f"{path} cannot be read")
    return ast.parse(text)
