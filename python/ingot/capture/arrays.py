"""NumPy inside a model: while a capture runs, its tensors become arrays of ``torch._numpy``,
PyTorch's own account of NumPy, whose functions are tensor operations that the graph keeps."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy
import torch
import torch._numpy
from torch._subclasses.fake_tensor import FakeTensor

from ingot.ir.diagnostics import fail

account: Any = torch._numpy
_MODULES = {numpy: account, numpy.linalg: account.linalg, numpy.fft: account.fft}


def is_array(value: Any) -> bool:
    """Whether a value is an array of the capture, or a list or tuple with one."""
    if isinstance(value, list | tuple):
        return any(map(is_array, value))
    return isinstance(value, account.ndarray)


def as_tensor(value: Any) -> Any:
    """The tensor of an array of the capture, also in lists; anything else as it is."""
    if isinstance(value, list | tuple) and is_array(value):
        return [as_tensor(element) for element in value]
    return value.tensor if isinstance(value, account.ndarray) else value


def counterpart(module: Any, name: str) -> Callable[..., Any]:
    """The function of PyTorch's that stands for one of NumPy's."""
    found = getattr(_MODULES[module], name, None)
    if found is None:
        fail(
            f"the model calls {module.__name__}.{name} on values of tensors, which a trace cannot "
            "follow",
            hint="use the function of torch that does the same",
            code="unsupported",
        )
    return _with_dtypes(found)


def _with_dtypes(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*map(_own_dtype, args), **{k: _own_dtype(v) for k, v in kwargs.items()})

    return call


def _own_dtype(value: Any) -> Any:
    if isinstance(value, type) and issubclass(value, numpy.generic):
        return numpy.dtype(value).name
    if isinstance(value, numpy.dtype):
        return value.name
    return account.asarray(torch.from_numpy(value)) if isinstance(value, numpy.ndarray) else value


_OPERATORS = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow")


def _reflected(name: str) -> Callable[..., Any]:
    """``other * array``, which is a tensor where ``other`` is one."""
    plain = getattr(account.ndarray, f"__r{name}__")
    operation = getattr(operator, name)

    def call(array: Any, other: Any) -> Any:
        if isinstance(other, torch.Tensor):
            return operation(other, array.tensor)
        return plain(array, other)

    return call


def patches() -> list[tuple[Any, str, Callable[..., Any]]]:
    """What to replace in PyTorch while it exports: owner, attribute and hook."""
    to_numpy = torch.Tensor.numpy
    from_numpy = torch.from_numpy
    astype = account.ndarray.astype

    def numpy_of(tensor: torch.Tensor, *, force: bool = False) -> Any:
        if not isinstance(tensor, FakeTensor):
            return to_numpy(tensor, force=force)
        return account.ndarray(tensor.detach())

    def tensor_of(array: Any) -> torch.Tensor:
        tensor: torch.Tensor = as_tensor(array) if is_array(array) else from_numpy(array)
        return tensor

    def converted(array: Any, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        return astype(array, _own_dtype(dtype), *args, **kwargs)

    return [
        *((account.ndarray, f"__r{name}__", _reflected(name)) for name in _OPERATORS),
        (torch.Tensor, "numpy", numpy_of),
        (torch, "from_numpy", tensor_of),
        (account.ndarray, "astype", converted),
    ]
