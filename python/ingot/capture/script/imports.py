"""import inside a function: the module is there while compiling."""

from __future__ import annotations

import ast
import importlib
from typing import TYPE_CHECKING

from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.values import PythonItem
from ingot.capture.script.wrapping import wrap

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame


def import_statement(frame: Frame, node: ast.Import | ast.ImportFrom) -> None:
    for alias in node.names:
        try:
            if isinstance(node, ast.Import):
                module = importlib.import_module(alias.name)
                if alias.asname is None:
                    root = importlib.import_module(alias.name.partition(".")[0])
                    frame.assign(root.__name__, PythonItem(root))
                else:
                    frame.assign(alias.asname, PythonItem(module))
                continue
            package = frame.scope.get("__package__") if node.level else None
            module = importlib.import_module("." * node.level + (node.module or ""), package)
            value = getattr(module, alias.name)
        except (ImportError, AttributeError) as error:
            raise CompileError(f"the import fails: {error}") from None
        frame.assign(alias.asname or alias.name, wrap(frame, value, alias.name))
