"""Modules: programs that run. ``load`` and ``save`` are the two ends of a file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Any, Literal

from ingot import _ingot
from ingot.errors import Error

if TYPE_CHECKING:
    import torch

    from ingot.ir.graph import Program

Precision = Literal["f32", "bf16"]


@dataclass(frozen=True)
class Port:
    """An input or output of a method; ``type`` is program text, such as ``f32[B, 10]``."""

    name: str
    type: str
    required: bool = True
    default: Any = None

    def __str__(self) -> str:
        text = f"{self.name}: {self.type}" if self.name else self.type
        return text if self.required else f"{text} = {self.default!r}"


class Text(str):
    """A string that an interactive session shows as it is, not quoted."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class Module(_ingot.NativeModule):
    """A program with its weights. Calling it runs ``forward``.

    Inputs may be torch tensors, NumPy arrays or anything with ``__dlpack__``, none of them
    copied; results are torch tensors if any input was one, NumPy arrays otherwise. Any number
    of threads may call one module; calls that update its state take turns. The GIL is free
    during a run. Every exported method is an attribute: ``m.forward(x)``, ``m.decode(x)``.
    Raises Error, and GuardError if the inputs break an assumption of the capture.
    """

    def __init__(
        self,
        source: _ingot.LoadedProgram,
        program: Program | None = None,
        precision: Precision = "f32",
    ) -> None:
        super().__init__(source, precision)
        self._source = source
        self._program = program

    @classmethod
    def from_program(
        cls, program: Program, extra_files: Mapping[str, bytes] | None = None
    ) -> Module:
        """A module that runs ``program``; its tensors are used in place."""
        from ingot.file.layout import tensor_names
        from ingot.file.writer import program_bytes

        tensors = {}
        for state, name in tensor_names(program).items():
            value: Any = program.state[state].value
            tensors[name] = (value.data, int(value.dtype), value.shape)
        code = program_bytes(program)
        return cls(_ingot.assemble(code, tensors, dict(extra_files or {})), program)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self.methods:
            raise AttributeError(
                f"the module has no attribute or method {name!r}; "
                f"its methods are: {', '.join(self.methods)}"
            )
        method = self._method(name)
        self.__dict__[name] = method  # so that the next call does not come here
        return method

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.methods]

    def method(self, name: str) -> _ingot.Method:
        """The method of that name, also where an attribute of Module has the same name."""
        return self._method(name)

    @property
    def methods(self) -> list[str]:
        """Names of the methods that may be called."""
        return self._methods()

    def inputs(self, method: str = "forward") -> list[Port]:
        """What a method takes."""
        return [
            Port(name, type, not has_default, default)
            for name, type, has_default, default in self._inputs(method)
        ]

    def output(self, method: str = "forward") -> Port:
        """What a method returns."""
        return Port("", self._output(method))

    @property
    def extra_files(self) -> dict[str, bytes]:
        """The user's files that were saved beside the program."""
        return self._extra_files()

    def state_dict(self, framework: Literal["numpy", "torch"] = "numpy") -> dict[str, Any]:
        """Parameters and buffers as they are now, in the order of the model's state_dict.

        NumPy arrays share the module's memory (read-only where no method updates it); torch
        tensors are copies of read-only memory, as PyTorch cannot protect it.
        """
        if framework not in ("numpy", "torch"):
            raise Error(f"framework must be 'numpy' or 'torch', got {framework!r}")
        if framework == "torch":
            import torch  # noqa: F401
        return self._state(framework == "torch")

    @property
    def program(self) -> Program:
        """The program as the compiler's data structures, with the initial state."""
        if self._program is None:
            from ingot.file.reader import read

            self._program, _ = read(self._source.file())
        return self._program

    @property
    def graph(self) -> Text:
        """``forward`` in SSA, in TorchScript's manner (docs/ir.md has the grammar).

        Of a module without ``forward``, its first method. ``ingot inspect --graph`` and
        ``ingot.ir.printer.print_program`` show state and the other methods too.
        """
        from ingot.ir.printer import print_graph

        methods = self.program.methods
        return Text(print_graph(methods.get("forward") or methods[self.methods[0]]))

    @property
    def code(self) -> Text:
        """The program as Python-like source, for reading."""
        from ingot.ir.code import print_code

        return Text(print_code(self.program))

    def eval(self) -> Module:
        """Returns the module: a program stays in the mode that the model was captured in."""
        return self

    def to_torch(self) -> torch.nn.Module:
        """The same program as an ``nn.Module`` of torch ops with trainable parameters."""
        from ingot.ir.interpret_torch import to_torch

        module: torch.nn.Module = to_torch(self._current_program())
        return module

    def save(
        self,
        path: str | os.PathLike[str] | IO[bytes],
        extra_files: Mapping[str, bytes | str] | None = None,
    ) -> None:
        """Writes one .ingot file with the state as it is now.

        A file at ``path`` is replaced whole or not at all. ``extra_files`` go beside the
        program and come back from ``load``; None keeps those the module has. Raises Error
        (io) if the system refuses.
        """
        from ingot.file import writer

        files = self.extra_files if extra_files is None else extra_files
        if isinstance(path, str | os.PathLike):
            writer.save(self._current_program(), path, files)
        else:
            path.write(writer.to_bytes(self._current_program(), files))

    def _current_program(self) -> Program:
        """The program with the present values of its mutable state."""
        from ingot.dtypes import DType
        from ingot.ir.graph import TensorData

        program = self.program
        if not any(entry.mutable for entry in program.state.values()):
            return program
        state = dict(program.state)
        tied: dict[int, TensorData] = {}
        for name, value in self._mutable_state().items():
            entry = state[name]
            if isinstance(value, tuple) and isinstance(value[-1], bytes):  # a tensor
                dtype, shape, data = value
                tensor = TensorData(DType(dtype), shape, memoryview(data))
                value = tensor
                if isinstance(entry.value, TensorData):
                    value = tied.setdefault(id(entry.value), tensor)
            state[name] = replace(entry, value=_literal(value))
        return replace(program, state=state)

    def __copy__(self) -> Module:
        return self._copy(fork=False)

    def __deepcopy__(self, memo: dict[int, Any]) -> Module:
        copy = self._copy(fork=True)
        memo[id(self)] = copy
        return copy

    def _copy(self, fork: bool) -> Module:
        copy = type(self).__new__(type(self))
        _ingot.NativeModule.__init__(copy, self, fork)
        copy._source, copy._program = self._source, self._program
        return copy

    def __reduce__(self) -> tuple[Any, ...]:
        from ingot.file import writer

        data = writer.to_bytes(self._current_program(), self.extra_files)
        return _load_bytes, (data, self.precision)

    def __repr__(self) -> str:
        lines = ["ingot.Module("]
        for name in self.methods:
            inputs = ", ".join(map(str, self.inputs(name)))
            lines.append(f"  {name}({inputs}) -> {self.output(name)}")
        state = self.state_dict().values()
        numbers = sum(value.size for value in state)
        lines.append(f"  {len(state)} tensors, {numbers:,} numbers")
        return "\n".join([*lines, ")"])


def load(
    path: str | os.PathLike[str] | bytes | IO[bytes],
    extra_files: dict[str, Any] | None = None,
    precision: Precision = "f32",
) -> Module:
    """Reads an .ingot file: a path, its bytes, or an open binary file.

    A file at a path is memory-mapped, so weights are read when they are used and shared
    between processes. As in ``torch.jit.load``, each key of ``extra_files`` gets the bytes
    that were saved under that name; an empty dict gets all.

    With ``precision="bf16"`` products and convolutions with constant weights round their
    operands to bf16 where that is faster, and sum in f32; it needs a processor with AVX-512
    BF16. Raises Error: io, corrupt_file, version, unsupported, not_found.
    """
    if isinstance(path, str | os.PathLike):
        module = Module(_ingot.read_file(os.fsencode(path)), precision=precision)
    else:
        module = _load_bytes(path if isinstance(path, bytes) else path.read(), precision)
    if extra_files is not None:
        saved = module.extra_files
        for name in extra_files or saved:
            if name not in saved:
                raise Error(
                    f"the file has no extra file {name!r}; it has: {', '.join(saved) or 'none'}",
                    "not_found",
                )
            extra_files[name] = saved[name]
    return module


def save(
    module: Module,
    path: str | os.PathLike[str] | IO[bytes],
    extra_files: Mapping[str, bytes | str] | None = None,
) -> None:
    """Writes the module to one file; the same as ``module.save(path, extra_files)``."""
    module.save(path, extra_files)


def _load_bytes(data: bytes, precision: Precision) -> Module:
    return Module(_ingot.read_bytes(data), precision=precision)


def _literal(value: Any) -> Any:
    """Containers as programs keep them: tuples."""
    if isinstance(value, dict):
        return tuple((key, _literal(each)) for key, each in value.items())
    return tuple(map(_literal, value)) if isinstance(value, list | tuple) else value
