"""Functions of the scriptable language that the compiler itself calls."""

from __future__ import annotations

from torch import Tensor

from ingot.capture.script.language import NUMBER
from ingot.ir.types import BOOL, FLOAT, INT


def repeat_string(text: str, count: int) -> str:
    result = ""
    for _ in range(count):
        result = result + text
    return result


def product(numbers: list[int]) -> int:
    result = 1
    for number in numbers:
        result = result * number
    return result


def sum_tensors(tensors: list[Tensor]) -> Tensor:
    if len(tensors) == 0:
        raise ValueError("the sum of an empty list of tensors is the number 0, not a tensor")
    total = tensors[0]
    for tensor in tensors[1:]:
        total = total + tensor
    return total


def collect(iterable):  # type: ignore[no-untyped-def]
    result = []
    for each in iterable:
        result.append(each)
    return result


def softmax_dim(rank: int) -> int:
    if rank == 0 or rank == 1 or rank == 3:
        return 0
    return 1


def is_floating_dtype(number: int) -> bool:
    return number == 5 or number == 6 or number == 7 or number == 15


def contains_object(objects, wanted) -> bool:  # type: ignore[no-untyped-def]
    found = False
    for each in objects:
        if each is wanted or each == wanted:
            found = True
            break
    return found


def list_parts(tensor, convert):  # type: ignore[no-untyped-def]
    result = []
    for part in tensor:
        result.append(convert(part))
    return result


def _int_of(element: Tensor) -> int:
    value: int = element.item()
    return value


def _float_of(element: Tensor) -> float:
    value: float = element.item()
    return value


def _bool_of(element: Tensor) -> bool:
    value: bool = element.item()
    return value


def _number_of(element):  # type: ignore[no-untyped-def]
    return element.item()


def ints_of(numbers):  # type: ignore[no-untyped-def]
    result: list[int] = []
    for number in numbers:
        result.append(number)
    return result


ELEMENTS = {INT: _int_of, FLOAT: _float_of, BOOL: _bool_of, NUMBER: _number_of}
"""What makes an element of a tensor a number of the type; another one raises."""
