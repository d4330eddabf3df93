"""Functions of the scriptable language that the compiler itself calls."""

from __future__ import annotations

import functools

import torch
from torch import Tensor
from torch.types import Number

from ingot.capture.script.language import NUMBER
from ingot.ir.types import BOOL, COMPLEX, FLOAT, INT


@functools.cache
def unlike_lower() -> str:
    """Characters whose casefold() is not their lower(); what that is of a sigma its place
    decides. Not of the program: the compiler asks for them."""
    return "\u03a3" + "".join(c for c in map(chr, range(0x20000)) if c.lower() != c.casefold())


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


def texts_of(values):  # type: ignore[no-untyped-def]
    return [str(value) for value in values]


def softmax_dim(rank: int) -> int:
    if rank == 0 or rank == 1 or rank == 3:
        return 0
    return 1


def is_floating_dtype(number: int) -> bool:
    return number == 5 or number == 6 or number == 7 or number == 15


def alike(a, b) -> bool:  # type: ignore[no-untyped-def]
    """Whether a list takes the two objects or tensors for one element."""
    if a is b:
        return True
    return bool(a == b)


def equal(a, b) -> bool:  # type: ignore[no-untyped-def]
    return bool(a == b)


def equal_lists(a, b, same) -> bool:  # type: ignore[no-untyped-def]
    if len(a) != len(b):
        return False
    for i in range(len(a)):
        if not same(a[i], b[i]):
            return False
    return True


def equal_dicts(a, b, same) -> bool:  # type: ignore[no-untyped-def]
    if len(a) != len(b):
        return False
    for key, value in a.items():
        if key not in b or not same(value, b[key]):
            return False
    return True


def contains_alike(values, item) -> bool:  # type: ignore[no-untyped-def]
    found = False
    for each in values:
        if alike(each, item):
            found = True
            break
    return found


def alike_or_none(a: Tensor | None, b: Tensor | None) -> bool:
    if a is None or b is None:
        return a is None and b is None
    return a is b or bool(a == b)


def list_parts(tensor, convert):  # type: ignore[no-untyped-def]
    result = []
    for part in tensor:
        result.append(convert(part))
    return result


def _int_of(element: Tensor) -> int:
    value: int = element.item()  # type: ignore[assignment]
    return value


def _float_of(element: Tensor) -> float:
    value: float = element.item()
    return value


def _bool_of(element: Tensor) -> bool:
    value: bool = element.item()  # type: ignore[assignment]
    return value


def _complex_of(element: Tensor) -> complex:
    if not element.is_complex():
        raise RuntimeError("the tensor is not one of complex numbers, as the annotation has it")
    return complex(element)


def _number_of(element):  # type: ignore[no-untyped-def]
    return element.item()


def numbers_of(tensor: Tensor) -> list[Number]:
    if tensor.dim() != 1:
        raise RuntimeError(
            "without an annotation tolist() gives the numbers of one dimension; annotate its "
            "result, for example values: list[list[float]] = x.tolist()"
        )
    return [part.item() for part in tensor]


def tensor_of_numbers(values):  # type: ignore[no-untyped-def]
    """What ``torch.tensor`` makes of numbers of several kinds."""
    kind = 0
    for value in values:
        if isinstance(value, complex):
            kind = max(kind, 3)
        elif isinstance(value, float):
            kind = max(kind, 2)
        elif not isinstance(value, bool):
            kind = max(kind, 1)
    if kind == 3:
        return torch.tensor([complex(value) for value in values])
    if kind == 2:
        return torch.tensor([float(value) for value in values])
    if kind == 1:
        return torch.tensor([int(value) for value in values])
    return torch.tensor([bool(value) for value in values])


def floor_divided(number: Number, x: Tensor) -> Tensor:
    """``number // x``; a float counts as PyTorch's default float among integers only."""
    if isinstance(number, bool):
        return torch.floor_divide(torch.tensor(number), x)
    if isinstance(number, int):
        return torch.floor_divide(torch.tensor(number), x)
    if not isinstance(number, float):
        raise RuntimeError("a complex number cannot be divided by //")
    if x.is_floating_point():
        return torch.floor_divide(torch.tensor(number, dtype=torch.float64), x)
    return torch.floor_divide(torch.tensor(number), x)


def clone_all(tensors: list[Tensor]) -> list[Tensor]:
    return [tensor.clone() for tensor in tensors]


def store_out(out: Tensor, result: Tensor) -> Tensor:
    if out.shape != result.shape:
        out.resize_(result.shape)
    return out.copy_(result)


def store_out_of_caller(out: Tensor, result: Tensor) -> Tensor:
    if out.shape != result.shape:
        raise RuntimeError("out= is an input of the program and has other sizes than the result")
    return out.copy_(result)


def ints_of(numbers):  # type: ignore[no-untyped-def]
    result: list[int] = []
    for number in numbers:
        result.append(number)
    return result


def whole_numbers_of(values):  # type: ignore[no-untyped-def]
    result: list[int] = []
    for value in values:
        if isinstance(value, Tensor) and (value.is_floating_point() or value.is_complex()):
            raise TypeError("only integer tensors of a single element can be converted to an index")
        result.append(int(value))
    return result


def tensors_of(values):  # type: ignore[no-untyped-def]
    result: list[Tensor] = []
    for value in values:
        if isinstance(value, Tensor):
            result.append(value)
        else:
            raise TypeError("expected Tensor as element of a list of tensors, but got a number")
    return result


def write_over(tensor: Tensor, value: Tensor) -> None:
    if tensor.shape != value.shape or tensor.dtype != value.dtype:
        raise RuntimeError("the data of a tensor is assigned with another shape or dtype")
    tensor.copy_(value)


def all_present(values):  # type: ignore[no-untyped-def]
    return [torch.jit._unwrap_optional(value) for value in values]  # type: ignore[attr-defined]


def floats_of(numbers):  # type: ignore[no-untyped-def]
    result: list[float] = []
    for number in numbers:
        result.append(float(number))
    return result


ELEMENTS = {
    INT: _int_of,
    FLOAT: _float_of,
    BOOL: _bool_of,
    COMPLEX: _complex_of,
    NUMBER: _number_of,
}
"""What makes an element of a tensor a number of the type; another one raises."""
# --- text --------------------------------------------------------------------------------


def set_text(elements: dict[int, None]) -> str:
    if len(elements) == 0:
        return "set()"
    text = ""
    for element in elements:
        text = text + ("{" if text == "" else ", ") + repr(element)
    return text + "}"


def dtype_name(number: int) -> str:
    names = [
        "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64",
        "complex32", "complex64", "complex128", "bool", "qint8", "quint8", "qint32", "bfloat16",
    ]  # fmt: skip
    return "torch." + names[number]


def value_of_dtype(number: int, dtypes: list[int], values):  # type: ignore[no-untyped-def]
    """The value at the dtype's place."""
    if number not in dtypes:
        raise TypeError("there are no such limits of this dtype")
    return values[dtypes.index(number)]


def tensor_type_name(number: int) -> str:
    names = [
        "Byte", "Char", "Short", "Int", "Long", "Half", "Float", "Double", "ComplexHalf",
        "ComplexFloat", "ComplexDouble", "Bool", "QInt8", "QUInt8", "QInt32", "BFloat16",
    ]  # fmt: skip
    return "torch." + names[number] + "Tensor"


def dtype_of_tensor_type(name: str) -> int:
    for number in range(16):
        if tensor_type_name(number) == name:
            return number
    raise ValueError("invalid type: '" + name + "'")


def device_named(name: str) -> int:
    if name != "cpu" and not name.startswith("cpu:"):
        raise RuntimeError("the program runs on the CPU and has no device " + name)
    return 0


def device_name(number: int) -> str:
    return "cpu"


def starts_with_any(text: str, prefixes: list[str], start: int, end: int) -> bool:
    for prefix in prefixes:
        if text.startswith(prefix, start, end):
            return True
    return False


def ends_with_any(text: str, suffixes: list[str], start: int, end: int) -> bool:
    for suffix in suffixes:
        if text.endswith(suffix, start, end):
            return True
    return False


def from_the_left(text: str, place: int) -> int:
    """A place in the text that may be counted from its end, as one from its beginning."""
    return max(place + len(text), 0) if place < 0 else place


def remove_prefix(text: str, prefix: str) -> str:
    return text[len(prefix) :] if text.startswith(prefix) else text


def remove_suffix(text: str, suffix: str) -> str:
    if len(suffix) > 0 and text.endswith(suffix):
        return text[: len(text) - len(suffix)]
    return text


def split_from_right(text: str, most: int) -> list[str]:
    """``text.rsplit(None, most)``: at blanks, ``most`` times at the most."""
    found: list[str] = []
    rest = text.rstrip()
    while rest != "" and (most < 0 or len(found) < most):
        place = len(rest)
        while place > 0 and not rest[place - 1].isspace():
            place -= 1
        found.append(rest[place:])
        rest = rest[:place].rstrip()
    if rest != "":
        found.append(rest)
    found.reverse()
    return found


def casefold(text: str, unlike_lower: str) -> str:
    for character in text:
        if character in unlike_lower:
            raise NotImplementedError(f"casefold of {character!r} is not known to a program")
    return text.lower()


def is_ascii(text: str) -> bool:
    for character in text:
        if ord(character) > 127:
            return False
    return True


# --- sequences ---------------------------------------------------------------------------


def sorted_by(values, key, reverse):  # type: ignore[no-untyped-def]
    """Equal keys keep their order, backwards too."""
    places = [(key(value), -i if reverse else i) for i, value in enumerate(values)]
    places.sort(reverse=reverse)
    return [values[-place[1] if reverse else place[1]] for place in places]


def ordered(values, reverse: bool):  # type: ignore[no-untyped-def]
    """The elements in the order of their ``<``; equal ones stay as they are, backwards too."""
    result = values
    width = 1
    while width < len(values):
        merged = []
        for start in range(0, len(values), 2 * width):
            i, middle = start, min(start + width, len(values))
            j, stop = middle, min(start + 2 * width, len(values))
            while i < middle or j < stop:
                first = i < middle
                if i < middle and j < stop:
                    a, b = (result[i], result[j]) if reverse else (result[j], result[i])
                    first = not (a < b)
                if first:
                    merged.append(result[i])
                    i += 1
                else:
                    merged.append(result[j])
                    j += 1
        result = merged
        width *= 2
    return result


def least(values):  # type: ignore[no-untyped-def]
    if len(values) == 0:
        raise ValueError("min() arg is an empty sequence")
    best = values[0]
    for value in values[1:]:
        if value < best:
            best = value
    return best


def greatest(values):  # type: ignore[no-untyped-def]
    if len(values) == 0:
        raise ValueError("max() arg is an empty sequence")
    best = values[0]
    for value in values[1:]:
        if value > best:
            best = value
    return best


def least_by(values, key):  # type: ignore[no-untyped-def]
    if len(values) == 0:
        raise ValueError("min() arg is an empty sequence")
    best = values[0]
    best_key = key(best)
    for value in values[1:]:
        value_key = key(value)
        if value_key < best_key:
            best, best_key = value, value_key
    return best


def greatest_by(values, key):  # type: ignore[no-untyped-def]
    if len(values) == 0:
        raise ValueError("max() arg is an empty sequence")
    best = values[0]
    best_key = key(best)
    for value in values[1:]:
        value_key = key(value)
        if value_key > best_key:
            best, best_key = value, value_key
    return best


def reduced(function, values):  # type: ignore[no-untyped-def]
    listed = list(values)
    if len(listed) == 0:
        raise TypeError("reduce() of empty iterable with no initial value")
    result = listed[0]
    for each in listed[1:]:
        result = function(result, each)
    return result


def reduced_from(function, values, initial):  # type: ignore[no-untyped-def]
    result = initial
    for each in values:
        result = function(result, each)
    return result


def mapped(function, values):  # type: ignore[no-untyped-def]
    return [function(value) for value in values]


def mapped_pairs(function, values, others):  # type: ignore[no-untyped-def]
    return [function(value, other) for value, other in zip(values, others)]


def filtered(function, values):  # type: ignore[no-untyped-def]
    return [value for value in values if function(value)]


def filtered_true(values):  # type: ignore[no-untyped-def]
    return [value for value in values if value]


def total_of(values, start):  # type: ignore[no-untyped-def]
    total = start
    for value in values:
        total = total + value
    return total


def any_true(values):  # type: ignore[no-untyped-def]
    for value in values:
        if value:
            return True
    return False


def all_true(values):  # type: ignore[no-untyped-def]
    for value in values:
        if not value:
            return False
    return True


def has_equal(values, item):  # type: ignore[no-untyped-def]
    for value in values:
        if value == item:
            return True
    return False


def index_between(values, item, same, start: int, stop: int = 2**63 - 1):  # type: ignore[no-untyped-def]
    """``values.index(item, start, stop)``."""
    length = len(values)
    first = max(start + length, 0) if start < 0 else start
    last = stop + length if stop < 0 else min(stop, length)
    for i in range(first, last):
        if same(values[i], item):
            return i
    raise ValueError("the item is not in the list")


def count_of(values, item, same):  # type: ignore[no-untyped-def]
    """``values.count(item)``."""
    found = 0
    for value in values:
        if same(value, item):
            found += 1
    return found


def remove_first(values, item, same):  # type: ignore[no-untyped-def]
    """``values.remove(item)``."""
    for i in range(len(values)):
        if same(values[i], item):
            values.pop(i)
            return
    raise ValueError("list.remove(x): x not in list")


def dict_of_keys(keys, value):  # type: ignore[no-untyped-def]
    """``dict.fromkeys(keys, value)``."""
    made = {}
    for key in keys:
        made[key] = value
    return made


def is_in_range(item: int, start: int, stop: int, step: int) -> bool:
    if step > 0:
        return start <= item < stop and (item - start) % step == 0
    return stop < item <= start and (start - item) % -step == 0


def next_or(iterator, default):  # type: ignore[no-untyped-def]
    try:
        value = next(iterator)
    except StopIteration:
        return default
    return value


def first_of(values):  # type: ignore[no-untyped-def]
    if len(values) == 0:
        raise StopIteration
    return values[0]


def dict_of_pairs(pairs):  # type: ignore[no-untyped-def]
    made = {}
    for key, value in pairs:
        made[key] = value
    return made


# --- sets: dicts whose values are None ---------------------------------------------------


def set_of(values):  # type: ignore[no-untyped-def]
    made = set()
    for value in values:
        made.add(value)
    return made


def set_update(a, b):  # type: ignore[no-untyped-def]
    for element in b:
        a[element] = None


def set_union(a, b):  # type: ignore[no-untyped-def]
    made = a.copy()
    for element in b:
        made[element] = None
    return made


def set_intersection(a, b):  # type: ignore[no-untyped-def]
    made = a.copy()
    for element in a:
        if element not in b:
            del made[element]
    return made


def set_difference(a, b):  # type: ignore[no-untyped-def]
    made = a.copy()
    for element in a:
        if element in b:
            del made[element]
    return made


def set_symmetric_difference(a, b):  # type: ignore[no-untyped-def]
    made = a.copy()
    for element in b:
        if element in a:
            del made[element]
        else:
            made[element] = None
    return made


def set_replace(a, b):  # type: ignore[no-untyped-def]
    a.clear()
    a.update(b)


def set_discard(a, element):  # type: ignore[no-untyped-def]
    if element in a:
        del a[element]


def set_pop(a):  # type: ignore[no-untyped-def]
    if len(a) == 0:
        raise KeyError("pop from an empty set")
    element = list(a)[0]
    del a[element]
    return element


def is_subset(a, b):  # type: ignore[no-untyped-def]
    for element in a:
        if element not in b:
            return False
    return True


def is_disjoint(a, b):  # type: ignore[no-untyped-def]
    for element in a:
        if element in b:
            return False
    return True


# --- numbers -----------------------------------------------------------------------------


def round_int(number: int, digits: int) -> int:
    """To a multiple of a power of ten, ties to the even one."""
    if digits >= 0:
        return number
    unit: int = 10 ** (-digits)
    quotient = number // unit
    twice = 2 * (number - quotient * unit)
    if twice > unit or (twice == unit and quotient % 2 == 1):
        quotient = quotient + 1
    return quotient * unit


def power_modulo(base: int, exponent: int, modulus: int) -> int:
    if modulus == 0:
        raise ValueError("pow() 3rd argument cannot be 0")
    if exponent < 0:
        raise ValueError("pow() 2nd argument cannot be negative when 3rd argument specified")
    result = 1 % modulus
    base = base % modulus
    while exponent > 0:
        if exponent % 2 == 1:
            result = result * base % modulus
        base = base * base % modulus if exponent > 1 else base
        exponent = exponent // 2
    return result


def power_of_numbers(a: Number, b: Number) -> Number:
    if isinstance(a, complex) or isinstance(b, complex):
        return complex(a) ** complex(b)  # type: ignore[return-value]
    if isinstance(a, float) or isinstance(b, float):
        return float(a) ** float(b)  # type: ignore[no-any-return]
    if int(b) < 0:
        return float(a) ** float(b)  # type: ignore[no-any-return]
    return int(a) ** int(b)  # type: ignore[no-any-return]


def is_whole(x: float) -> bool:
    return abs(x) != float("inf") and x == x and x % 1.0 == 0.0


def bit_length(n: int) -> int:
    n = abs(n)
    bits = 0
    while n > 0:
        n = n >> 1
        bits = bits + 1
    return bits


def is_close(a: float, b: float, rel_tol: float, abs_tol: float) -> bool:
    if a == b:
        return True
    if abs(a) == float("inf") or abs(b) == float("inf"):
        return False
    return abs(a - b) <= max(rel_tol * max(abs(a), abs(b)), abs_tol)


def product_of(values, start):  # type: ignore[no-untyped-def]
    result = start
    for value in values:
        result = result * value
    return result


def exact_sum(values: list[float]) -> float:
    """Shewchuk's partial sums, as ``math.fsum``."""
    partials: list[float] = []
    for value in values:
        x = value
        kept: list[float] = []
        for y in partials:
            if abs(x) < abs(y):
                x, y = y, x
            high = x + y
            low = y - (high - x)
            if low != 0.0:
                kept.append(low)
            x = high
        kept.append(x)
        partials = kept
    total = 0.0
    for partial in partials:
        total = total + partial
    return total


def combinations(n: int, k: int) -> int:
    if n < 0 or k < 0:
        raise ValueError("n and k must be non-negative integers")
    if k > n:
        return 0
    result = 1
    for i in range(min(k, n - k)):
        result = result * (n - i) // (i + 1)
    return result


def permutations(n: int, k: int) -> int:
    if n < 0 or k < 0:
        raise ValueError("n and k must be non-negative integers")
    result = 1
    for i in range(k):
        result = result * (n - i)
    return result


def integer_root(n: int) -> int:
    if n < 0:
        raise ValueError("isqrt() argument must be nonnegative")
    root = int(float(n) ** 0.5)
    while root * root > n:
        root = root - 1
    while (root + 1) * (root + 1) <= n:
        root = root + 1
    return root


def least_common_multiple(a: int, b: int) -> int:
    from math import gcd

    if a == 0 or b == 0:
        return 0
    return abs(a // gcd(a, b) * b)


def distance(p: list[float], q: list[float]) -> float:
    if len(p) != len(q):
        raise ValueError("both points must have the same number of dimensions")
    total = 0.0
    for a, b in zip(p, q):
        total = total + (a - b) * (a - b)
    return float(total**0.5)
