"""``ingot.script``: a function or module, compiled from its source."""

from __future__ import annotations

import functools
import gc
import inspect
import linecache
import sys
import types
import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar, overload

import torch

from ingot.capture.script.classes import is_user_class, require_static
from ingot.capture.script.compiler import Compiler
from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.finish import finish
from ingot.capture.script.markers import marker_of
from ingot.capture.script.script_modules import plain_function, plain_module
from ingot.capture.script.state import Knowledge, Restart
from ingot.capture.script.values import ModuleItem
from ingot.capture.sources import import_path
from ingot.errors import Error
from ingot.ir.graph import Program
from ingot.ir.schema import Catalogue

if TYPE_CHECKING:
    from ingot.module import Module

_MAX_RESTARTS = 64
_MAX_STARRED = 3
"""How many tensors are tried for the ``*args`` of a module that names no inputs."""
_RECURSION_LIMIT = 20_000
"""Python's own frames for the nested calls and blocks of one compilation."""

T = TypeVar("T")

Call = Callable[["ScriptFunction", tuple[Any, ...], dict[str, Any]], Any]

capturing: ContextVar[Call | None] = ContextVar("capturing", default=None)
"""Set while something records a model's operations: it takes over calls of ScriptFunctions."""


class ScriptFunction:
    """A compiled function. It is called as the Python function is.

    Where gradients are wanted the Python function runs instead, so that training works.
    """

    def __init__(self, function: types.FunctionType, program: Program) -> None:
        self.python_function = function
        self.program = program
        self._module: Module | None = None
        functools.update_wrapper(self, function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        take_over = capturing.get()
        if take_over is not None:
            return take_over(self, args, kwargs)
        if torch.is_grad_enabled() and _wants_gradient((args, kwargs)):
            return self.python_function(*args, **kwargs)
        return self.module(*args, **kwargs)

    @property
    def module(self) -> Module:
        """The program as an ``ingot.Module`` with the one method ``forward``."""
        if self._module is None:
            from ingot.module import Module

            self._module = Module.from_program(self.program)
        return self._module

    @property
    def graph(self) -> str:
        """The program as text."""
        return self.module.graph

    @property
    def code(self) -> str:
        """The program as readable Python-like source."""
        return self.module.code

    def save(self, path: Any, **options: Any) -> None:
        """Writes the program to a file."""
        self.module.save(path, **options)

    def __repr__(self) -> str:
        return f"<ingot.ScriptFunction {self.__name__}>"  # type: ignore[attr-defined]


def _wants_gradient(value: Any) -> bool:
    if isinstance(value, torch.Tensor):
        return value.requires_grad
    if isinstance(value, dict):
        return any(map(_wants_gradient, value.values()))
    return isinstance(value, list | tuple) and any(map(_wants_gradient, value))


@overload
def script(target: torch.nn.Module) -> Any: ...
@overload
def script(target: type[T]) -> type[T]: ...  # type: ignore[overload-overlap]
@overload
def script(target: Callable[..., Any]) -> ScriptFunction: ...


def script(target: Any) -> Any:
    """Compiles a function or a module from its Python source; a class is returned as it is.

    A module gives an ``ingot.Module`` with ``forward`` and the methods marked with
    ``@ingot.export``; a function gives a ``ScriptFunction``, so this is also a decorator.
    Of a class it is only checked that programs can have objects of it: classes are compiled
    where they are used.
    Raises Error with every mistake found, each with its line.
    """
    if isinstance(target, torch.nn.Module):
        from ingot.module import Module

        return Module.from_program(compile_module(target))
    if isinstance(target, ScriptFunction):
        return target
    if isinstance(target, type) and not issubclass(target, torch.nn.Module):
        _check_class(target)
        return target
    if not isinstance(target, types.FunctionType) and hasattr(target, "__prepare_scriptable__"):
        target = target.__prepare_scriptable__()
    function = target
    if isinstance(target, torch.jit.ScriptFunction):
        with _reported():
            function = plain_function(target)
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        kind = "an async function" if inspect.iscoroutinefunction(function) else "a generator"
        raise Error(
            f"{function.__qualname__} is {kind}, which cannot be compiled",
            "unsupported",
            _first_line(function),
            "write a plain function that returns its results",
        )
    if not isinstance(function, types.FunctionType):
        raise Error(
            f"ingot.script takes a module or a Python function, not {type(target).__name__}",
            hint="pass an instance of the module, not its class"
            if isinstance(target, type)
            else "write a def",
        )
    return ScriptFunction(function, compile_function(function))


@contextmanager
def _reported() -> Iterator[None]:
    """A mistake that has no line."""
    try:
        yield
    except CompileError as error:
        raise Error(error.message, "unsupported", hint=error.hint) from None


def _first_line(function: Any) -> str:
    """Where the function begins, and the text of that line underlined."""
    code = function.__code__
    line = code.co_firstlineno
    while linecache.getline(code.co_filename, line).lstrip().startswith("@"):
        line += 1  # a decorator
    text = linecache.getline(code.co_filename, line).strip()
    place = f"{import_path(code.co_filename)}:{line}:1 in {function.__name__}"
    return f"{place}\n    {text}\n    {'^' * len(text)}"


def _check_class(cls: type) -> None:
    """Refuses a class whose objects no program can hold."""
    if not is_user_class(cls):
        return
    try:
        require_static(cls)
    except CompileError as error:
        raise Error(error.message, "unsupported", hint=error.hint) from None


def compile_function(function: types.FunctionType, ops: Catalogue | None = None) -> Program:
    """The program of a function; its one exported method is ``forward``."""

    def build(compiler: Compiler) -> None:
        compiler.entry("forward", function, None)

    with _collection_paused():
        return _compile(build, function.__name__, ops)


def compile_module(module: torch.nn.Module, ops: Catalogue | None = None) -> Program:
    """The program of a module: ``forward`` and every method marked for export."""
    if isinstance(module, torch.jit.ScriptModule):
        with _reported():
            module = plain_module(module)
    methods = exported_methods(module)

    def build(compiler: Compiler) -> None:
        compiler.state.add_module(module, "")
        compiler.exported = set(methods)
        for name, function in methods.items():
            static = isinstance(inspect.getattr_static(module, name, None), staticmethod)
            compiler.entry(name, function, None if static else ModuleItem(module, ""))

    with _collection_paused():
        return _compile(build, type(module).__name__, ops, lenient=True)


@contextmanager
def _collection_paused() -> Iterator[None]:
    """A compilation makes many objects that live on: Python's cyclic collector would go through
    the whole heap, torch's part included, again and again, and take a third of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def exported_methods(module: torch.nn.Module) -> dict[str, types.FunctionType]:
    """``forward``, if the module has one, and the marked methods, by name."""
    if "_parameters" not in vars(module):
        raise Error(
            f"{type(module).__name__} is no module yet: its __init__ does not call nn.Module's",
            "unsupported",
            _first_line(type(module).__init__),
            "write super().__init__() first in __init__",
        )
    found: dict[str, types.FunctionType] = {}
    names = ["forward", *sorted(set(dir(type(module))) - {"forward"})]
    for name in names:
        function = inspect.getattr_static(type(module), name, None)
        if name == "forward":
            function = getattr(module.forward, "__func__", module.forward)
            if function is torch.nn.Module.forward or "_forward_unimplemented" in str(function):
                continue
        elif not isinstance(function, types.FunctionType) or marker_of(function) != "export":
            continue
        if not isinstance(function, types.FunctionType):
            raise Error(
                f"{type(module).__name__}.{name} is no Python function and cannot be compiled",
                "unsupported",
            )
        found[name] = function
    if not found:
        raise Error(
            f"{type(module).__name__} has no forward to compile",
            hint="define forward, or mark methods with @ingot.export",
        )
    return found


def _compile(
    build: Callable[[Compiler], None],
    subject: str,
    ops: Catalogue | None,
    lenient: bool = False,
) -> Program:
    """The program. Raises Error with the mistakes of the source.

    ``lenient``: one with mistakes that Python would meet only on some ways through it is compiled
    nevertheless, and the program raises there. Inputs whose type nothing tells are None where a
    Tensor cannot be compiled.
    """
    guessed: list[tuple[str, str]] = []
    try:
        return _compile_once(build, subject, ops, (), guessed)
    except Error as error:
        reason = error
    stars: list[str] = []
    attempts = [*((starred, False) for starred in range(1, _MAX_STARRED + 1)), (1, True)]
    for starred, unions in attempts if lenient else ():
        if starred > 1 and not stars:
            continue
        try:
            program = _compile_once(build, subject, ops, (), guessed, True, starred, stars, unions)
        except Error:
            continue
        warning = (
            f"{subject} is compiled with the mistakes that follow: where Python would raise an "
            f"error, so does the program\n{reason}"
        )
        if stars:
            count = "one Tensor" if starred == 1 else f"{starred} Tensors"
            warning = f"the program of {subject} takes {count} for *{stars[0]}, no other number"
        warnings.warn(warning, stacklevel=4)
        return program
    if not guessed:
        raise reason
    always = dict.fromkeys(guessed)
    try:
        program, lenient = _compile_once(build, subject, ops, always, []), False
    except Error:
        if not lenient:
            raise reason from None
        try:
            program = _compile_once(build, subject, ops, always, [], True)
        except Error:
            raise reason from None
    for each in guessed if len(always) > 1 else ():
        fewer = {other: None for other in always if other != each}
        try:
            program, always = _compile_once(build, subject, ops, fewer, [], lenient), fewer
        except Error:
            continue
    names = ", ".join(f"{name} of {method}" for method, name in always)
    warnings.warn(
        f"in the program of {subject} the input {names} can only be None, its default: with a "
        f"Tensor, {reason}",
        stacklevel=4,
    )
    return program


def _compile_once(
    build: Callable[[Compiler], None],
    subject: str,
    ops: Catalogue | None,
    always_none: Collection[tuple[str, str]],
    guessed: list[tuple[str, str]],
    lenient: bool = False,
    starred: int = 1,
    stars: list[str] | None = None,
    unions: bool = False,
) -> Program:
    knowledge = Knowledge()
    depth = sys.getrecursionlimit()
    for _ in range(_MAX_RESTARTS):
        compiler = Compiler(knowledge, ops, always_none, lenient, starred, unions)
        try:
            sys.setrecursionlimit(max(depth, _RECURSION_LIMIT))
            build(compiler)
        except Restart:
            continue
        except RecursionError:
            raise Error(f"{subject} is nested too deeply to be compiled", "unsupported") from None
        except CompileError as error:
            raise Error(error.message, "unsupported", hint=error.hint) from None
        finally:
            sys.setrecursionlimit(depth)
            guessed[:] = compiler.guessed
            if stars is not None:
                stars[:] = compiler.stars
        compiler.diagnostics.raise_if_any(subject)
        compiler.close()
        return finish(compiler.program, compiler.ops)
    raise Error(f"the types of the attributes of {subject} cannot be found", "unsupported",
                hint="annotate the attributes in the class")  # fmt: skip
