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
        case ast.Global(names=names) | ast.Nonlocal(names=names):
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


def free_names(node: ast.FunctionDef | ast.Lambda) -> set[str]:
    """Names that a nested function reads and does not bind itself."""
    arguments = node.args
    bound = {
        a.arg
        for a in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        + [a for a in (arguments.vararg, arguments.kwarg) if a is not None]
    }
    body = [node.body] if isinstance(node, ast.Lambda) else node.body
    bound |= assigned_names(body)
    read = {
        n.id
        for statement in body
        for n in ast.walk(statement)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)
    }
    return read - bound
