"""Parameters, buffers and constants of a module as entries of a program."""

from __future__ import annotations

import torch

from ingot.dtypes import DType
from ingot.ir.diagnostics import fail
from ingot.ir.graph import Program, State, TensorData
from ingot.ir.types import TensorType

DTYPES: dict[torch.dtype, DType] = {
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


def dtype_of(dtype: torch.dtype, what: str) -> DType:
    """The DType, or Error naming ``what`` has it."""
    if dtype not in DTYPES:
        supported = ", ".join(str(d).removeprefix("torch.") for d in DTYPES)
        fail(
            f"{what} has dtype {str(dtype).removeprefix('torch.')}, which Ingot does not have",
            hint=f"convert it to one of {supported}",
            code="unsupported",
        )
    return DTYPES[dtype]


class StateWriter:
    """Adds tensors to a program's state; equal tensors in memory are stored once."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._data: dict[tuple, TensorData] = {}

    def add(self, name: str, tensor: torch.Tensor, kind: int) -> str:
        """Adds an entry and gives its name, which is made unique."""
        dtype = dtype_of(tensor.dtype, f"the tensor {name!r} of the model")
        if tensor.layout != torch.strided or tensor.is_quantized:
            fail(
                f"the tensor {name!r} of the model is not an ordinary (strided) tensor",
                hint="convert it with .to_dense() or .dequantize()",
                code="unsupported",
            )
        unique, count = name, 0
        while unique in self.program.state:
            count += 1
            unique = f"{name}_{count}"
        data = self._stored(tensor.detach(), dtype)
        shape = tuple(tensor.shape)
        self.program.state[unique] = State(unique, TensorType(dtype, shape), data, kind)
        return unique

    def _stored(self, tensor: torch.Tensor, dtype: DType) -> TensorData:
        key = (tensor.device, tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype)
        if tensor.numel() == 0:
            return TensorData(dtype, tuple(tensor.shape), memoryview(b""))
        if key not in self._data:
            plain = tensor.resolve_conj().resolve_neg().cpu().contiguous()
            if plain.is_complex():
                plain = torch.view_as_real(plain)
            bytes_ = plain.as_strided([plain.numel()], [1]).view(torch.uint8).numpy().data
            self._data[key] = TensorData(dtype, tuple(tensor.shape), bytes_)
        return self._data[key]
