"""Type comments (PEP 484) become annotations: ``# type: (int, str) -> bool``."""

from __future__ import annotations

import ast


def annotate_from_comments(node: ast.FunctionDef) -> None:
    """Gives parameters, result and assigned variables the annotations that comments hold.

    What is annotated already stays as it is, and comments that are no types stay comments.
    """
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    for each in [*positional, *arguments.kwonlyargs]:
        _annotate(each, each.type_comment)
    annotated = node.returns is not None or any(a.annotation is not None for a in positional)
    if node.type_comment is not None and not annotated:
        _signature(node, positional, node.type_comment)
    _Assignments().visit(node)


def _signature(node: ast.FunctionDef, positional: list[ast.arg], comment: str) -> None:
    try:
        signature = ast.parse(comment, mode="func_type")
    except SyntaxError:
        return
    assert isinstance(signature, ast.FunctionType)
    node.returns = _placed(signature.returns, node)
    if len(signature.argtypes) == 1 and _is_ellipsis(signature.argtypes[0]):
        return
    own = len(positional) - len(signature.argtypes)  # a method's comment leaves self out
    if own in (0, 1):
        for parameter, type in zip(positional[own:], signature.argtypes, strict=True):
            parameter.annotation = _placed(type, parameter)


def _is_ellipsis(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is Ellipsis


def _annotate(parameter: ast.arg, comment: str | None) -> None:
    if comment is not None and parameter.annotation is None:
        parameter.annotation = _read(comment, parameter)


def _read(comment: str, place: ast.AST) -> ast.expr | None:
    try:
        return _placed(ast.parse(comment, mode="eval").body, place)
    except SyntaxError:
        return None


def _placed(type: ast.expr, place: ast.AST) -> ast.expr:
    for each in ast.walk(type):
        ast.copy_location(each, place)
    return type


class _Assignments(ast.NodeTransformer):
    """``x = []  # type: List[int]`` becomes ``x: List[int] = []``."""

    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        if node.type_comment is None or len(node.targets) != 1:
            return node
        (target,) = node.targets
        if not isinstance(target, ast.Name | ast.Attribute):
            return node
        annotation = _read(node.type_comment, target)
        if annotation is None:
            return node
        simple = int(isinstance(target, ast.Name))
        made = ast.AnnAssign(target, annotation, node.value, simple)
        return ast.copy_location(made, node)
