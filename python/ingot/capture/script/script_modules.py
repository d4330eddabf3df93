"""``torch.jit.ScriptModule``s: the classes they were made from are compiled with what they hold.

A ScriptModule keeps the class of the module that it was made from, parameters, buffers,
submodules, attributes and constants. What was traced or loaded, and methods that were replaced in
the instance, have no source any more: ``printed_code`` reads what PyTorch kept of their programs.
"""

from __future__ import annotations

import inspect
import re
import types
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.jit._script import RecursiveScriptModule
from torch.jit._trace import TopLevelTracedModule, TracedModule

from ingot.capture.script.diagnostics import CompileError

_LINE = re.compile(r"# (\S.*):(\d+):(\d+)$", re.MULTILINE)
_twins: dict[type, type[Any]] = {}


def plain_module(module: nn.Module) -> nn.Module:
    """The ``nn.Module`` that a ScriptModule stands for. Raises CompileError if there is none."""
    found = _from_source(module)
    if found is not None:
        return found
    from ingot.capture.script.printed_code import printed_module

    with _readable(type(module).__name__):
        return printed_module(module)


def plain_function(function: Any) -> types.FunctionType:
    """The Python function that a ScriptFunction stands for. Raises CompileError if there is none.
    What a trace recorded is not what its function says."""
    source = getattr(function, "_torchdynamo_inline", None)
    if isinstance(source, types.FunctionType) and not _is_trace(function.graph):
        return source
    from ingot.capture.script.printed_code import printed_function

    with _readable(function.name):
        return printed_function(function)


@contextmanager
def _readable(name: str) -> Iterator[None]:
    """Raises CompileError if what PyTorch kept of a program cannot be read."""
    try:
        yield
    except (RuntimeError, KeyError, SyntaxError, zipfile.BadZipFile) as error:
        reason = str(error).strip().partition("\n")[0]
        raise CompileError(
            f"the Python source of {name} is gone, and its program cannot be read: {reason}",
            "give what it was made from",
        ) from None


def _from_source(module: nn.Module) -> nn.Module | None:
    """It, compiled from the Python source that its class has; None if that is gone."""
    inner: Any = vars(module).get("_actual_script_module", module)
    concrete = vars(inner).get("_concrete_type")
    if concrete is None or isinstance(module, TopLevelTracedModule | TracedModule):
        return None
    if not isinstance(concrete.py_class, type):  # it was loaded
        return None
    cls = _twin(concrete.py_class)
    forward = inspect.getattr_static(cls, "forward", None)
    if inner._c._has_method("forward") and not _is_source_of(forward, inner):
        return None
    if any(getattr(cls, name, None) is None for name in inner._c._method_names()):
        return None  # a text defined it
    made: nn.Module = nn.Module.__new__(cls)
    nn.Module.__init__(made)
    for name in concrete.get_attributes():
        if name in inner._parameters:
            made.register_parameter(name, inner._parameters[name])
        elif name in inner._buffers:
            made.register_buffer(name, inner._buffers[name])
        else:
            setattr(made, name, getattr(inner, name))
    kept = {n: v for n, v in vars(module).items() if not n.startswith("_") and n != "forward"}
    for name, value in {**kept, **concrete.get_constants()}.items():
        setattr(made, name, value)
    for name, _ in concrete.get_modules():
        child = getattr(inner, name)
        made.add_module(name, plain_module(child) if _is_scripted(child) else child)
    return made


def _is_scripted(module: nn.Module) -> bool:
    return isinstance(module, torch.jit.ScriptModule)


def _twin(cls: type[Any]) -> type[Any]:
    """The class without what made its instances ScriptModules."""
    if not issubclass(cls, torch.jit.ScriptModule):
        return cls
    if cls in (torch.jit.ScriptModule, RecursiveScriptModule):
        return nn.Module
    if cls not in _twins:
        left_out = ("__init__", "__dict__", "__weakref__", "_methods", "_constants_set")
        body = {name: value for name, value in vars(cls).items() if name not in left_out}
        body |= {name: stub.original_method for name, stub in vars(cls)["_methods"].items()}
        _twins[cls] = types.new_class(
            cls.__name__,
            tuple(dict.fromkeys(map(_twin, cls.__bases__))),
            exec_body=lambda namespace: namespace.update(body),
        )
    return _twins[cls]


def _is_source_of(function: Any, module: Any) -> bool:
    """Whether a ScriptModule's forward was compiled from the function, as its lines tell."""
    graph = module._c._get_method("forward").graph
    found = _LINE.findall(str(graph))
    if not isinstance(function, types.FunctionType):
        return False
    try:
        lines, first = inspect.getsourcelines(function)
        file = inspect.getsourcefile(function) or ""
    except (OSError, TypeError):
        return False
    inside = range(first, first + len(lines))
    return not _is_trace(graph) and (
        not found or any(file.endswith(f) and int(line) in inside for f, line, _ in found)
    )


def _is_trace(graph: Any) -> bool:
    """A trace knows no columns."""
    return any(column == "0" for _, _, column in _LINE.findall(str(graph)))
