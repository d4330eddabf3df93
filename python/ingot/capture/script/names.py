"""Which names a piece of Python assigns and reads."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator


def assigned_names(statements: Iterable[ast.AST]) -> set[str]:
    """Names that the statements bind in their own scope: nested functions are not entered."""
    found: set[str] = set()
    for statement in statements:
        found.update(_assigned(statement))
    return found


def _assigned(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            yield name
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
            return
        case ast.Lambda():
            return
        case ast.Nonlocal(names=names):
            yield from names
        case ast.ExceptHandler(name=str(name)):
            yield name
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            for alias in aliases:
                yield (alias.asname or alias.name).partition(".")[0]
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            for inner in ast.walk(node):
                if isinstance(inner, ast.NamedExpr):
                    yield from _assigned(inner.target)
            return
    for child in ast.iter_child_nodes(node):
        yield from _assigned(child)


def nonlocal_names(node: ast.FunctionDef | ast.Lambda) -> list[str]:
    """Names of the functions around that a nested function assigns."""
    found: dict[str, None] = {}
    for inner in _own_nodes(node.body if isinstance(node.body, list) else [node.body]):
        if isinstance(inner, ast.Nonlocal):
            found.update(dict.fromkeys(inner.names))
    return list(found)


def shared_names(node: ast.FunctionDef) -> set[str]:
    """Names that functions nested in this one assign."""
    nested = [n for n in ast.walk(node) if isinstance(n, ast.FunctionDef) and n is not node]
    return {name for each in nested for name in nonlocal_names(each)}


def _own_nodes(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Every node below, those of nested functions excepted."""
    for node in nodes:
        yield node
        if not isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            yield from _own_nodes(ast.iter_child_nodes(node))


def free_names(node: ast.FunctionDef | ast.Lambda) -> set[str]:
    """Names that a nested function reads and does not bind itself."""
    arguments = node.args
    bound = {
        a.arg
        for a in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        + [a for a in (arguments.vararg, arguments.kwarg) if a is not None]
    }
    body = [node.body] if isinstance(node, ast.Lambda) else node.body
    bound |= assigned_names(body) - set(nonlocal_names(node))
    read = {
        n.id
        for statement in body
        for n in ast.walk(statement)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)
    }
    return read - bound
