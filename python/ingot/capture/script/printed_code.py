"""ScriptModules whose Python source is gone: traced ones, and those that torch.jit loaded.

PyTorch writes such a module's program as text in Python's syntax, in which operators are calls of
ops (``torch.add(x, 1)``) and types stand where Python has none (``annotate(List[int], [])``). The
text becomes classes and functions here, which the compiler takes as it takes the user's.
"""

from __future__ import annotations

import ast
import copy
import enum
import io
import linecache
import math
import pickle
import types
import typing
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from ingot.capture.script.annotations import read_annotation
from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.items import type_of
from ingot.capture.script.language import ANY, is_subtype, lower
from ingot.capture.script.markers import export
from ingot.capture.script.modules import changeable
from ingot.capture.script.operations import call_op
from ingot.capture.script.sources import mangle, register_source
from ingot.capture.script.values import NOTHING, Constant, Item, PythonItem
from ingot.ir.types import STR, Type

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame

_NAMELESS = ""
"""Where functions stand that belong to no module of Python."""


class PrintedCode:
    """The classes and functions of one saved ScriptModule, by their names."""

    def __init__(self, archive: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
            names = zipped.namelist()
            root = names[0].partition("/")[0]
            folder = f"{root}/code/"
            self._texts = {
                name[len(folder) : -len(".py")].replace("/", "."): zipped.read(name).decode()
                for name in names
                if name.startswith(folder) and name.endswith(".py")
            }
            self._constants = _read_constants(zipped, root)
        self._files: dict[str, dict[str, Any]] = {}

    def find(self, name: str) -> Any:
        """The class or function of that full name."""
        file, _, short = name.rpartition(".")
        try:
            return self._file(file)[short]
        except KeyError:
            raise CompileError(f"the saved module has no {name}") from None

    def has_file(self, name: str) -> bool:
        return any(each == name or each.startswith(f"{name}.") for each in self._texts)

    def _file(self, name: str) -> dict[str, Any]:
        if name not in self._files:
            scope = self._files[name] = {**_NAMES, "__name__": name}
            scope["__torch__"] = _Package(self, "__torch__")
            scope["CONSTANTS"] = self._constants
            if name != _NAMELESS and _NAMELESS in self._texts:
                scope.update(self._file(_NAMELESS))
            before = dict(scope)
            _run(self._texts[name], _free_path(f"TorchScript {name}"), scope)
            defined = {k: v for k, v in scope.items() if before.get(k) is not v}
            self._files[name] = defined
        return self._files[name]


class _Package:
    """``__torch__.torch.nn``: what leads to classes and functions."""

    def __init__(self, code: PrintedCode, name: str) -> None:
        self._code = code
        self._name = name

    def __getattr__(self, name: str) -> Any:
        full = f"{self._name}.{name}"
        if self._code.has_file(full) and not _is_defined(self._code, self._name, name):
            return _Package(self._code, full)
        try:
            return self._code.find(full)
        except CompileError as error:
            raise AttributeError(error.message) from None


def _is_defined(code: PrintedCode, file: str, name: str) -> bool:
    return file in code._texts and name in code._file(file)


class _Constants:
    """``CONSTANTS.c0``."""


def _read_constants(zipped: zipfile.ZipFile, root: str) -> _Constants:
    found = _Constants()
    name = f"{root}/constants.pkl"
    if name not in zipped.namelist():
        return found
    reader = _ConstantReader(io.BytesIO(zipped.read(name)), zipped, f"{root}/constants")
    for number, value in enumerate(reader.load()):
        setattr(found, f"c{number}", value)
    return found


class _ConstantReader(pickle.Unpickler):
    """Reads a list of tensors, and nothing else."""

    def __init__(self, file: io.BytesIO, zipped: zipfile.ZipFile, folder: str) -> None:
        super().__init__(file)
        self._zipped = zipped
        self._folder = folder

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch" and name.endswith("Storage"):
            return getattr(torch, name).dtype
        raise CompileError(f"a constant of the saved module is a {module}.{name}")

    def persistent_load(self, pid: Any) -> torch.Tensor:
        _, dtype, key, _, count = pid
        raw = bytearray(self._zipped.read(f"{self._folder}/{key}"))
        return torch.frombuffer(raw, dtype=dtype) if count else torch.empty(0, dtype=dtype)


def _rebuild(data: torch.Tensor, offset: int, size: Any, stride: Any, *rest: Any) -> torch.Tensor:
    return data.as_strided(size, stride, offset)


# --- from text to functions --------------------------------------------------------------------


def _free_path(name: str) -> str:
    """What stands for a file's name in errors: of each text another."""
    path, number = f"<{name}>", 1
    while path in linecache.cache:
        number += 1
        path = f"<{name}, {number}>"
    return path


def _run(text: str, path: str, scope: dict[str, Any]) -> None:
    """Defines what the text says; its functions can be compiled."""
    lines = text.splitlines(keepends=True)
    linecache.cache[path] = (len(text), None, lines, path)
    tree = _Rewritten().visit(ast.parse(text))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    by_line = {(node.lineno, node.name): node for node in functions}
    exec(compile(tree, path, "exec", _LATER, dont_inherit=True), scope)
    for value in [*scope.values()]:
        members = vars(value).values() if isinstance(value, type) else (value,)
        for each in members:
            if isinstance(each, types.FunctionType) and each.__code__.co_filename == path:
                register_source(each, by_line[each.__code__.co_firstlineno, each.__name__], path)
                if not each.__name__.startswith("__"):
                    export(each)


_PLACEHOLDER = "PlaceholderModule"
"""The class in which PyTorch saves a function, as its ``forward``."""
_FUNCTION = "function"

_LATER = __import__("__future__").annotations.compiler_flag


class _Rewritten(ast.NodeTransformer):
    """The tree with Python's own operators and forms where the compiler learns from them."""

    def visit_ClassDef(self, node: ast.ClassDef) -> list[ast.stmt]:
        self.generic_visit(node)
        node.body = [each for each in node.body if not _annotates_by_key(each)] or [ast.Pass()]
        ast.fix_missing_locations(node)
        for each in node.body:
            if isinstance(each, ast.FunctionDef):
                mangle(each, node.name)
        return [node, *_as_function(node)] if node.name == _PLACEHOLDER else [node]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        if node.args.args and node.args.args[0].arg == "self":
            node.args.args[0].annotation = None
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        match node:
            case ast.Call(
                ast.Attribute(ast.Name("torch"), ("__is__" | "__isnot__") as name), [a, b]
            ):
                operator = ast.Is() if name == "__is__" else ast.IsNot()
                return ast.copy_location(ast.Compare(a, [operator], [b]), node)
            case ast.Call(ast.Attribute(ast.Name("torch"), "__not__"), [a]):
                return ast.copy_location(ast.UnaryOp(ast.Not(), a), node)
            case ast.Call(ast.Attribute(cls, "__new__"), [_]):
                made = ast.Call(ast.Name("__new__", ast.Load()), [cls], [])
                return ast.fix_missing_locations(ast.copy_location(made, node))
            case ast.Call(ast.Name("isinstance"), [subject, ast.List(kinds)]):
                node.args = [subject, ast.Tuple(kinds, ast.Load())]
                return ast.fix_missing_locations(node)
        return node


def _as_function(cls: ast.ClassDef) -> list[ast.stmt]:
    """``forward`` without its module."""
    made = [copy.deepcopy(each) for each in cls.body if isinstance(each, ast.FunctionDef)][:1]
    for each in made:
        each.name = _FUNCTION
        del each.args.args[0]
    return list(made)


def _annotates_by_key(node: ast.stmt) -> bool:
    """Whether it is ``__annotations__["0"] = ...``, which says what a submodule is."""
    target = node.targets[0] if isinstance(node, ast.Assign) else None
    if isinstance(target, ast.Subscript):
        target = target.value
    return isinstance(target, ast.Name) and target.id == "__annotations__"


# --- what the text calls -----------------------------------------------------------------------


class _Op:
    """``torch.add``, ``ops.prim.min``: an op of the catalogue."""

    def __init__(self, name: str) -> None:
        self.name = name

    def compile(self, frame: Frame, *args: Item, **kwargs: Item) -> Item:
        if args and self.name in _CHANGING:
            args = (changeable(frame, args[0]), *args[1:])
        return call_op(frame, self.name, args, kwargs)


_CHANGING = frozenset(
    f"aten::{name}"
    for name in (
        "append", "clear", "Delete", "extend", "insert", "pop", "popitem", "remove", "reverse",
        "setdefault", "sort", "update", "_set_item",
    )
)  # fmt: skip
"""Ops that change a list or dict."""


class _Namespace:
    """The ops of one namespace; ``special`` are written here."""

    def __init__(self, name: str, special: dict[str, Any]) -> None:
        self._name = name
        self._special = special

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name not in _OPS_IN_LOWER_LINES:
            raise AttributeError(name)
        return self._special.get(name) or _Op(f"{self._name}::{name}")


_OPS_IN_LOWER_LINES = {
    "__contains__", "__getitem__", "__and__", "__or__", "__xor__", "__lshift__", "__rshift__",
    "__range_length", "__derive_index", "__round_to_zero_floordiv",
}  # fmt: skip


class _Ops:
    """``ops.aten.add``."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Namespace(name, _PRIMS if name == "prim" else {})


class _Form:
    """A function of the text that is no op, by what compiles it."""

    def __init__(self, function: Callable[..., Item]) -> None:
        self.function = function

    def compile(self, frame: Frame, *args: Item, **kwargs: Item) -> Item:
        return self.function(frame, *args, **kwargs)


def _read_type(frame: Frame, item: Item) -> Type:
    if isinstance(item, PythonItem):
        return read_annotation(item.object, frame)
    return read_annotation(item.value if isinstance(item, Constant) else None, frame)


def _uninitialized(frame: Frame, annotation: Item) -> Item:
    return frame.stand_in(_read_type(frame, annotation))


def _unchecked_cast(frame: Frame, annotation: Item, item: Item) -> Item:
    """A value that the text knows to be of a narrower type."""
    type = _read_type(frame, annotation)
    actual = type_of(item)
    if actual is None or type == ANY or is_subtype(actual, type):
        return item
    return frame.dynamic(frame.builder.cast(frame.value(item), lower(type)), type)


def _new(frame: Frame, cls: Item) -> Item:
    assert isinstance(cls, PythonItem)
    type = frame.compiler.classes.type_of(frame, cls.object)
    return frame.dynamic(frame.builder.create_object(lower(type)), type)  # type: ignore[arg-type]


def _raise(frame: Frame, message: Item, kind: Item = NOTHING) -> Item:
    """``"ValueError: text"``, as the text has what Python raised."""
    if isinstance(message, Constant) and ": " in str(message.value):
        name, _, text = message.value.partition(": ")
        if name.isidentifier():
            frame.builder.raise_exception(text, name)
            return NOTHING
    if type_of(message) != STR:
        raise CompileError(f"the message of an exception is {message.describe()}")
    frame.builder.raise_exception(frame.value(message), "RuntimeError")
    return NOTHING


def _same(frame: Frame, item: Item) -> Item:
    return item


_PRIMS: dict[str, Any] = {
    "RaiseException": _Form(_raise),
    "NumToTensor": _Form(lambda frame, item: call_op(frame, "aten::tensor", [item])),
    "data": _Form(_same),
    "type": _Form(lambda frame, device: Constant("cpu")),
    "unchecked_unwrap_optional": _Op("aten::_unwrap_optional"),
}
_TORCH: dict[str, Any] = {
    "device": torch.device,
    "detach": _Form(_same),
    "_unwrap_optional": torch.jit._script._unwrap_optional,
}
_NAMES: dict[str, Any] = {
    **{name: getattr(typing, name) for name in typing.__all__ if name[0].isupper()},
    "Module": nn.Module,
    "Interface": object,
    "ModuleInterface": nn.Module,
    "Enum": enum.Enum,
    "Tensor": torch.Tensor,
    "NoneType": type(None),
    "Device": torch.device,
    "number": torch.types.Number,
    "Future": torch.jit.Future,
    "inf": math.inf,
    "nan": math.nan,
    "annotate": torch.jit.annotate,
    "uninitialized": _Form(_uninitialized),
    "unchecked_cast": _Form(_unchecked_cast),
    "__new__": _Form(_new),
    "torch": _Namespace("aten", _TORCH),
    "ops": _Ops(),
}


def printed_function(function: Any) -> types.FunctionType:
    """A ``torch.jit.ScriptFunction`` as a Python function."""
    made = PrintedCode(function.save_to_buffer()).find(f"__torch__.{_FUNCTION}")
    assert isinstance(made, types.FunctionType)
    return made


# --- modules -----------------------------------------------------------------------------------


def printed_module(module: Any) -> nn.Module:
    """An ``nn.Module`` whose class is the text of the ScriptModule's program."""
    inner = vars(module).get("_actual_script_module", module)._c
    if inner._get_forward_hooks() or inner._get_forward_pre_hooks():
        raise CompileError("the hooks of a saved module cannot be compiled")
    return _twin(inner, PrintedCode(inner.save_to_buffer()))


def _twin(inner: Any, code: PrintedCode) -> nn.Module:
    """``inner`` is PyTorch's own object, which knows attributes by their types."""
    cls = code.find(inner._type().qualified_name())
    made: nn.Module = nn.Module.__new__(cls)
    nn.Module.__init__(made)
    parameters = dict(_items(torch._C.ParameterDict(inner)))
    buffers = dict(_items(torch._C.BufferDict(inner)))
    for name, value in parameters.items():
        made.register_parameter(name, nn.Parameter(value, requires_grad=value.requires_grad))
    for name, value in buffers.items():
        made.register_buffer(name, value)
    children = dict(_items(torch._C.ModuleDict(inner)))
    for name in _attribute_names(cls):
        if name not in parameters and name not in buffers and name not in children:
            setattr(made, name, inner.getattr(name))
    for name, child in children.items():
        made.add_module(name, _twin(child, code))
    return made


def _items(table: Any) -> list[tuple[str, Any]]:
    return list(table.items())


def _attribute_names(cls: type) -> list[str]:
    constants = {name for name in vars(cls) if not name.startswith("_")}
    return [name for name in cls.__annotations__ if name not in constants]
