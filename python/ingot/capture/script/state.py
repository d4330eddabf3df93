"""The values that a program keeps: parameters, buffers, constants and attributes of modules."""

from __future__ import annotations

from typing import Any

import torch

from ingot.capture.script.diagnostics import CompileError, Unwind
from ingot.capture.script.script_modules import plain_module
from ingot.dtypes import DType
from ingot.ir.graph import (
    ATTRIBUTE,
    BUFFER,
    CONSTANT,
    PARAMETER,
    Program,
    State,
    TensorData,
)
from ingot.ir.types import TensorType, Type


class Restart(Unwind):
    """The compilation learned what it should have known before: it begins again."""


class Knowledge:
    """What is learned about modules while compiling and kept when it begins again.

    ``attributes`` are those that compiled code assigns or changes, with their types.
    ``beginnings`` are the first values of those that no file can hold as they are, such as
    lists of tensors: exported methods begin by making them, once.
    ``late`` are those that modules do not have before compiled code assigns them.
    ``fields`` are the attributes of the user's classes.
    ``results`` are those of functions that call themselves, by the compilation's key, and
    ``tried`` how many types each of them was given.
    ``varied`` are parameters of functions that call themselves with ever new numbers.
    """

    def __init__(self) -> None:
        self.attributes: dict[tuple[str, str], Type] = {}
        self.fields: dict[type, dict[str, Any]] = {}
        """By class and attribute: a ``classes.Field``."""
        self.probing: set[type] = set()
        self.read_exceptions: dict[type, None] = {}
        """Exception classes of which handlers read more than the text."""
        self.beginnings: dict[tuple[str, str], Any] = {}
        self.late: set[tuple[str, str]] = set()
        self.results: dict[tuple, Type] = {}
        self.tried: dict[tuple, int] = {}
        self.varied: dict[tuple[int, str], object] = {}
        """By the function's ``id`` and the parameter's name: the function, kept alive."""

    def learn(self, path: str, name: str, type: Type, unread: bool = False) -> None:
        """Raises Restart if this changes what was compiled so far. ``unread``: nothing compiled
        has read the attribute."""
        known = self.attributes.get((path, name))
        if known != type:
            self.attributes[path, name] = type
            if known is not None or not unread or (path, name) in self.beginnings:
                raise Restart


class StateTable:
    """Fills ``program.state``; modules outside the root get paths of their own."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.paths: dict[int, str] = {}
        self._data: dict[tuple, TensorData] = {}
        self._constants: dict[int, str] = {}
        self._generators: dict[int, torch.Tensor] = {}
        self._plain: dict[int, torch.nn.Module] = {}
        self._kept_alive: list[object] = []

    def add_module(self, module: torch.nn.Module, prefix: str) -> None:
        """Adds every parameter and buffer of ``module`` and remembers where modules are."""
        self._kept_alive.append(module)
        for path, inner in module.named_modules(remove_duplicate=False):
            full = ".".join(filter(None, (prefix, path)))
            self.paths.setdefault(id(inner), full)
            for kind, tensors in ((PARAMETER, inner._parameters), (BUFFER, inner._buffers)):
                for name, tensor in tensors.items():
                    if tensor is not None:
                        self.add_tensor(".".join(filter(None, (full, name))), tensor, kind)

    def plain_of(self, module: torch.nn.Module) -> torch.nn.Module:
        """The module that a ScriptModule was made from, at its place."""
        if id(module) not in self._plain:
            self._plain[id(module)] = plain = plain_module(module)
            self._kept_alive += [module, plain]
            path = self.paths.get(id(module))
            if path is not None:
                for name, inner in plain.named_modules(remove_duplicate=False):
                    self.paths.setdefault(id(inner), ".".join(filter(None, (path, name))))
        return self._plain[id(module)]

    def path_of(self, object: Any, name: str) -> str:
        """Where an object's state goes: under the first name that it was met with."""
        if id(object) not in self.paths:
            self._kept_alive.append(object)
            taken, number, path = set(self.paths.values()), 0, name
            while path in taken:
                number += 1
                path = f"{name}_{number}"
            self.paths[id(object)] = path
        return self.paths[id(object)]

    def add_tensor(self, name: str, tensor: torch.Tensor, kind: int) -> None:
        """Adds one tensor; two names of the same memory share their data."""
        if name in self.program.state:
            return
        if torch.nn.parameter.is_lazy(tensor):
            raise CompileError(
                f"{name} has no values yet", "run the model once before compiling it"
            )
        data = self._tensor_data(tensor)
        type = TensorType(data.dtype, data.shape)
        self.program.state[name] = State(name, type, data, kind)

    def add_constant(self, tensor: torch.Tensor, name: str) -> str:
        """The entry of a tensor that code refers to by a global or closure name."""
        known = self._constants.get(id(tensor))
        if known is None:
            known, number = name, 0
            while known in self.program.state:
                number += 1
                known = f"{name}_{number}"
            self.add_tensor(known, tensor, CONSTANT)
            self._constants[id(tensor)] = known
            self._kept_alive.append(tensor)
        return known

    def add_generator(self, generator: torch.Generator, name: str) -> str:
        """The entry of a generator's state."""
        state = self._generators.get(id(generator))
        if state is None:
            state = self._generators[id(generator)] = generator.get_state()
            self._kept_alive.append(generator)
        return self.add_constant(state, name)

    def add_attribute(self, name: str, value: Any, type: Type) -> None:
        """Adds a value that methods of the module may replace."""
        if name in self.program.state:
            return
        if isinstance(value, torch.Tensor):
            value = self._tensor_data(value)
        self.program.state[name] = State(name, type, value, ATTRIBUTE, mutable=True)

    def _tensor_data(self, tensor: torch.Tensor) -> TensorData:
        tensor = tensor.detach()
        if tensor.layout is not torch.strided or tensor.is_quantized:
            raise CompileError(f"a {tensor.layout} tensor cannot be kept in a program")
        key: tuple = (tensor.data_ptr(), tensor.dtype, tuple(tensor.shape), tensor.stride())
        if tensor.numel() == 0:
            key = (id(tensor), *key)
        if key not in self._data:
            self._data[key] = tensor_data(tensor)
            self._kept_alive.append(tensor)
        return self._data[key]


def tensor_data(tensor: torch.Tensor) -> TensorData:
    """Row-major bytes of a tensor, without copying where it is that already."""
    plain = tensor.detach().resolve_conj().resolve_neg().cpu().contiguous()
    raw = (
        plain.as_strided([plain.numel()], [1]).view(torch.uint8)
        if plain.numel()
        else torch.empty(0).view(torch.uint8)
    )
    return TensorData(dtype_of(tensor.dtype), tuple(tensor.shape), raw.numpy().data)


_DTYPES: dict[torch.dtype, DType] = {
    torch.uint8: DType.u8,
    torch.int8: DType.i8,
    torch.int16: DType.i16,
    torch.int32: DType.i32,
    torch.int64: DType.i64,
    torch.float16: DType.f16,
    torch.float32: DType.f32,
    torch.float64: DType.f64,
    torch.complex64: DType.c64,
    torch.complex128: DType.c128,
    torch.bool: DType.bool,
    torch.bfloat16: DType.bf16,
}


def dtype_of(dtype: torch.dtype) -> DType:
    """The element type's number. Raises CompileError for one that Ingot lacks."""
    found = _DTYPES.get(dtype)
    if found is None:
        raise CompileError(f"{dtype} is not supported", "convert to one of the plain dtypes")
    return found
