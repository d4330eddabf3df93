"""Type comments (PEP 484) become annotations: ``# type: (int, str) -> bool``."""

from __future__ import annotations

import ast


def annotate_from_comments(node: ast.FunctionDef) -> None:
    """Gives parameters, result and assigned variables the annotations that comments hold.

    What is annotated already stays as it is, and comments that are no types stay comments.
    """
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    named = [*positional, *arguments.kwonlyargs]
    for each in named:
        _annotate(each, each.type_comment)
    annotated = node.returns is not None or any(a.annotation is not None for a in positional)
    if node.type_comment is not None and not annotated:
        _signature(node, named, node.type_comment)
    _Assignments().visit(node)


def _signature(node: ast.FunctionDef, parameters: list[ast.arg], comment: str) -> None:
    try:
        signature = ast.parse(comment, mode="func_type")
    except SyntaxError:
        return
    assert isinstance(signature, ast.FunctionType)
    node.returns = _placed(signature.returns, node)
    if len(signature.argtypes) == 1 and _is_ellipsis(signature.argtypes[0]):
        return
    own = len(parameters) - len(signature.argtypes)  # a method's comment leaves self out
    if own in (0, 1):
        for parameter, type in zip(parameters[own:], signature.argtypes, strict=True):
            parameter.annotation = _placed(type, parameter)


def signature_mistake(node: ast.FunctionDef | ast.Lambda, is_method: bool) -> str:
    """What is wrong with a comment that does not have a type for each argument; else nothing."""
    arguments = node.args
    stars = arguments.vararg is not None or arguments.kwarg is not None
    if isinstance(node, ast.Lambda) or node.type_comment is None or stars:
        return ""
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs][is_method:]
    try:
        signature = ast.parse(node.type_comment, mode="func_type")
    except SyntaxError:
        return ""
    assert isinstance(signature, ast.FunctionType)
    types = signature.argtypes
    if len(types) == len(named) or (len(types) == 1 and _is_ellipsis(types[0])):
        return ""
    if is_method and len(types) == len(named) + 1:
        return ""
    return f"the type comment has {len(types)} types for {len(named)} arguments"


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
