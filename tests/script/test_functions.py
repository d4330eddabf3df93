"""Nested functions, closures, arguments, globals."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable

import torch
from agreement import Programs
from torch.nn.common_types import _size_2_t

import ingot

CONST_A = 4
CONST_D = {"a": [1, 2]}
CONST_S = {1, 2, 3}
CONST_L = ("a", 1)

programs = Programs()
case = programs.case


@case((3,))
def nested(n: int):
    def add(x: int) -> int:
        return x + n

    return add(4) + add(2)


@case((3,))
def nonlocal_total(n: int):
    c = 0

    def inc(k: int) -> None:
        nonlocal c
        c += k

    inc(n)
    inc(2)
    return c


@case((3,))
def lambdas(n: int):
    f = lambda x, y=2: x * y + n
    return f(3), f(3, 4)


def total_of(*args: int, **kwargs: int):
    t = 0
    for a in args:
        t += a
    for k, v in kwargs.items():
        t += v
    return t


@case((3,))
def any_arguments(n: int):
    return total_of(n, 2, 3, z=4)


@case((3,), (11,))
def loop_else(n: int):
    for i in range(10):
        if i == n:
            break
    else:
        return -1
    while n > 0:
        n -= 1
    else:
        n = 100
    return n


def apply(f: Callable[[int], int], n: int) -> int:
    return f(n)


@case((2,))
def callable_argument(n: int):
    return apply(lambda v: v + 1, n)


@case((4,))
def recursion(n: int) -> int:
    if n <= 1:
        return 1
    return n * recursion(n - 1)


@case((4,))
def imports(n: int):
    import math as m
    from math import sqrt

    return m.floor(sqrt(n))


@case(
    (3,),
)
def nonlocal_in_a_loop(n: int):
    c = 0

    def inc(k: int) -> None:
        nonlocal c
        c += k

    for i in range(n):
        inc(i)
    return c


@case(
    (3,),
)
def late_binding(n: int):
    k = 1

    def g():
        return k

    k = n
    return g()


@case(
    (3,),
)
def nested_recursion(n: int):
    def fact(m: int) -> int:
        return 1 if m <= 1 else m * fact(m - 1)

    return fact(n)


@case((3,), (-1,))
def nonlocal_in_expressions(n: int):
    best = -1

    def upd(v: int) -> bool:
        nonlocal best
        if v > best:
            best = v
            return True
        return False

    r = [upd(x) for x in [n, 1, 5]]
    t = upd(9) if n > 0 else False
    return best, r, t


@case(
    (3,),
)
def functions_as_arguments(n: int):
    def apply(f, v: int):
        return f(v)

    z = 10
    h = lambda q: q + z
    z = 20
    return apply(h, n)


@case(())
def global_constants():
    global CONST_A
    return CONST_A, CONST_D["a"], CONST_S, 3 in CONST_S, len(CONST_L)


@case((5,))
def loops(n: int):
    total = 0
    while True:
        n -= 1
        if n == 3:
            continue
        if n < 0:
            break
        for j in range(n):
            if j == 2:
                break
            total += j
        else:
            total += 100
    return total


def weighed(**weights):
    return weights["a"] + weights.get("b", 5)


def passes_on(**weights):
    return weighed(**{**weights, "b": 2})


@case((1,))
def keywords_merged(n: int):
    return weighed(a=n), passes_on(a=n), passes_on(a=n, b=9)


@case((3,))
def made_by_comprehensions(n: int):
    last = [lambda: i for i in range(3)]  # noqa: B023
    pairs = [(lambda x: x + i, i) for i in range(3)]  # noqa: B023
    kept = [lambda i=i: i for i in range(3)]
    at_once = [sorted([3, 1], key=lambda v: v * (i - 1)) for i in range(3)]  # noqa: B023
    lazy = [f() for f in (lambda: i for i in range(3))]  # noqa: B023
    same = [f for f in last]  # noqa: C416
    return [f() for f in same], [f(n) + i for f, i in pairs], [f() for f in kept], at_once, lazy


@case((3,))
def called_among_other_variables(n: int):
    k = 5

    def add(x: int) -> int:
        return x + k

    times = [lambda x: x * k for k in range(1, 3)]  # noqa: B023
    nested = [[add(j) for k in range(2)] for j in range(n)]
    generated = sum(add(k) for k in [10, 20])
    mapped = {k: add(1) for k in range(2)}
    k = 7
    return nested, generated, mapped, [t(n) for t in times], add(1), [add(k) for k in range(n)]


@case((torch.arange(3.0), 5), (torch.ones(3), -2))
def operators_as_functions(x: torch.Tensor, n: int):
    numbers = [2, n, 4]
    return (
        functools.reduce(operator.mul, numbers),
        operator.add(x, n),
        operator.matmul(x, x),
        operator.neg(x),
        operator.floordiv(n, 3),
        operator.lt(n, 0),
        operator.is_not(n, None),
        operator.getitem(numbers, 1),
        operator.contains(numbers, 5),
        operator.not_(n > 0),
    )


@case((3,), (3, (5, "z")))
def tuple_default(n: int, pair: tuple[int, str] = (1, "a"), sizes: tuple[int, ...] = (2, 3)):
    return n + pair[0], pair[1] * n, len(sizes)


@case(([1, 2],))
def one_number_for_all(size: _size_2_t):
    return size[0] * 10 + size[1]


@case((3,))
def partials_made_in_the_program(n: int):
    def add(a: int, b: int, c: int = 0) -> int:
        return a * 100 + b * 10 + c + n

    first = functools.partial(add, 1)
    last = functools.partial(first, c=4)
    return first(2), first(2, c=3), last(5), [f(1) for f in (first, last)], list[int]()


@programs.parametrize
def test_program(function):
    programs.check(function)


def test_one_number_for_all():
    assert ingot.script(one_number_for_all)(4) == 44
