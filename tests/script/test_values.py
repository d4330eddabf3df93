"""Numbers, strings, lists, dicts, tuples, None: Python's answers."""

import math
from typing import NamedTuple

import pytest
import torch
from agreement import check


def arithmetic(a: int, b: int) -> tuple[int, int, int, float, int]:
    return a + b * 2 - 1, a // b, a % b, a / b, -a


def mixed(a: float, b: int) -> float:
    return a**b + b / 3 + b // 2 - (-b) % 5 + (a if b > 2 else 1.0) + a % 0.7 + a // 0.7


def bools(a: bool, b: bool, n: int) -> tuple[int, bool, bool, int, bool]:
    return a + b + n, a and b, a ^ b, int(a) * 3, a == n


def powers(a: int, b: int) -> int:
    return a**b


def bits(a: int, b: int) -> tuple[int, int, int, int, int, int]:
    return a & b, a | b, a ^ b, a << 3, a >> 1, ~a


def conversions(a: float, n: int, s: str) -> tuple[int, float, bool, str, int, int]:
    return int(a), float(n), bool(n), str(n) + s, int("12") + int(s), round(a)


def extremes(a: int, b: int, values: list[int]) -> tuple[int, int, int, int, int]:
    return min(a, b, 3), max(a, b), min(values), sum(values), abs(a)


def maths(x: float) -> tuple[float, float, int, int, bool]:
    return math.sqrt(x), math.exp(-x), math.floor(x), math.ceil(x), math.isnan(x)


def strings(s: str, n: int) -> tuple[str, list[str], bool, str, int, str]:
    out = f"{s}-{n}!" + s * n + s.upper()
    return out, s.split(","), "b" in s, s[::-1] + s[1:3], len(s), f"{s} is {n}"


def lists(values: list[int], n: int) -> tuple[list[int], list[int], int, bool, list[int]]:
    out = [v * n for v in values if v != 2]
    out.append(7)
    out += [1, 2]
    out.extend(values)
    out.insert(0, -1)
    last = out.pop()
    out[1] = 50
    out[-1] += 3
    return out, out[1:-1], last, n in out, sorted(values, reverse=True)


def nested_list(n: int) -> list[list[int]]:
    rows = []
    for i in range(n):
        row = []
        for j in range(i):
            row.append(i * j)
        rows.append(row)
    return rows


def dicts(d: dict[str, int], key: str) -> tuple[int, list[str], dict[str, int], int]:
    total = 0
    for k, v in d.items():
        if k != key and v > 1:
            total += v
    if key in d:
        total += d[key] * 100
    made = {k: v + 1 for k, v in d.items()}
    made["new"] = d.get("a", 5)
    return total, list(d.keys()), made, len(d)


def tuples(a: int, b: float) -> tuple[float, int, tuple[float, int]]:
    t = (a, b, (b, a))
    x, _, (y, z) = t
    first, *rest = [x, z, a]
    return y, first + rest[-1] + t[0], t[2]


class Point(NamedTuple):
    x: int
    y: float = 0.5


def named(a: int) -> Point:
    p = Point(a)
    q = Point(y=2.0, x=p.x + 1)
    return q if a > 1 else p


def optional(x: int | None, y: list[int] | None = None) -> int:
    if y is not None and len(y) > 1:
        return y[1]
    if x is not None and x > 3:
        return x
    return x or 7


def union_syntax(x: "int | None", y: list[int] | None) -> "int | None":
    if x is None:
        return None if y is None else y[0]
    assert x != 5
    return x + 1


def default_arguments(x: int, y: int = 2, *, z: float = 1.5) -> float:
    return x * y + z


def static_tuple_index(n: int) -> int:
    total = 0
    for i in range(3):
        total += (10, 20, 30)[i] * n
    return total


def factorial(n: int) -> int:
    if n <= 1:
        return 1
    return n * factorial(n - 1)


def recursion(n: int) -> int:
    return factorial(n) + factorial(4)


def variadic(first, *rest, scale=1, **named):
    total = first
    for each in rest:
        total = total + each
    return total * scale + len(named)


def calls_variadic(a: int) -> int:
    args = (a, 2)
    return variadic(1, *args, scale=3, x=1)


def closures(n: int, flag: bool) -> int:
    double = lambda t: t * 2 + n

    def inner(z, k=3):
        return double(z) - k

    return inner(n) if flag else inner(n, k=1)


def optional_tuple(x: tuple[int, str] | None) -> str:
    if x is None:
        return "none"
    n, s = x
    return s * n


def test_numbers():
    pairs = [(7, 2), (-7, 2), (7, -2), (0, 5), (3, 0), (2**40, 3)]
    check(arithmetic, *pairs)
    check(mixed, (2.5, 3), (2.5, 1), (-1.5, 4), (0.3, 0))
    check(bools, (True, False, 1), (True, True, 0), (False, False, 0))
    check(powers, (2, 10), (3, 0), (-2, 3), (0, 0))
    check(bits, (12, 10), (-5, 3), (0, 0))
    check(extremes, (4, -2, [3, 1]), (0, 0, [5]), (1, 1, []))


def test_overflow_is_an_error():
    import ingot

    with pytest.raises(ingot.Error):
        ingot.script(powers)(10, 30)


def test_conversions():
    check(conversions, (2.5, 3, "4"), (-2.7, 0, "-1"), (3.5, 1, "x"))
    check(maths, (2.0,), (0.25,), (1e10,))


def test_strings():
    check(strings, ("abc", 3), ("a,b", 0), ("", 2), ("héllo", 1))


def test_containers():
    check(lists, ([1, 2, 3], 2), ([5], 7), ([], 0))
    check(nested_list, (0,), (4,))
    check(dicts, ({"a": 1, "b": 2, "c": 3}, "c"), ({}, "x"))
    check(tuples, (1, 2.5))
    check(named, (1,), (2,))
    check(static_tuple_index, (2,))


def test_optional():
    check(optional, (None,), (5,), (0,), (2, [1, 9]), (2, [1]))
    check(union_syntax, (None, None), (None, [3]), (4, None), (5, None))
    check(optional_tuple, (None,), ((2, "ab"),))


def test_functions():
    check(default_arguments, (1,), (1, 5))
    check(recursion, (1,), (6,))
    check(calls_variadic, (5,))
    check(closures, (2, True), (2, False))


def test_named_tuple_comes_back_with_its_fields():
    import ingot

    result = ingot.script(named)(3)
    assert result.x == 4 and result.y == 2.0


def dtype_and_device(x: torch.Tensor, half: bool) -> tuple[torch.Tensor, bool, bool]:
    dtype = torch.float16 if half else x.dtype
    y = torch.zeros(2, 3, dtype=dtype, device=x.device)
    return y.to(x.device), y.dtype == torch.float16, x.is_cuda


def test_dtypes_are_a_type_of_their_own():
    check(dtype_and_device, (torch.ones(2), True), (torch.ones(2, dtype=torch.int64), False))
