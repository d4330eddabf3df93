"""Builtin functions and math."""

from __future__ import annotations

import itertools
import math
import warnings
from dataclasses import dataclass

import torch
from agreement import Programs
from torch import Tensor

programs = Programs()
case = programs.case


@case(([1, 2, 3],))
def generators(xs: list[int]):
    return (
        any(x > 2 for x in xs),
        all(x > 0 for x in xs),
        sum(x * x for x in xs),
        max(x for x in xs),
        sorted(-x for x in xs),
        ",".join(str(x) for x in xs),
        min((x * 2 for x in xs), default=3),
    )


@case(([3, 1, 2], ["bb", "a"]))
def keys(xs: list[int], ss: list[str]):
    return (
        sorted(xs, key=lambda v: -v),
        sorted(ss, key=len, reverse=True),
        max(ss, key=len),
        min(xs, key=lambda v: abs(v - 2)),
    )


@case(([3, 1, 2],))
def map_and_filter(xs: list[int]):
    return (
        list(map(lambda v: v + 1, xs)),
        list(filter(lambda v: v > 1, xs)),
        [a + b for a, b in zip(xs, xs)],
    )


@case(([3, 1, 2],))
def map_of_classes(xs: list[int]):
    return list(map(str, xs)), [int(s) for s in map(str, xs)]


@case(([3],), ([],))
def defaults(xs: list[int]):
    return min(xs, default=0), max(xs, default=-1)


@case(([3.5, 1.25],))
def sums(xs: list[float]):
    return sum(xs), sum(xs, 1.0), sum([1, 2], 5)


@case((2.675, 1234))
def rounding(x: float, n: int):
    return round(x), round(x, 2), round(n, -2), round(x, 1)


@case((7, 3))
def division(a: int, b: int):
    return divmod(a, b), divmod(-a, b), pow(a, b), pow(a, b, 5), divmod(7.5, 2.0)


@case((2,))
def classes(n: int):
    return (
        isinstance(n, int),
        isinstance(n, (int, float)),
        issubclass(int, object),
        type(n) is int,
        type(n) == int,
        type(n) is float,
    )


@case(([1, 2, 3],))
def iterators(xs: list[int]):
    it = iter(xs)
    a = next(it)
    b = next(it)
    return a, b


@case((3,))
def complex_numbers(n: int):
    c = complex(1, n)
    return c.real, c.imag, abs(c), c * 2, c + 1j, c == complex(1, 3), c.conjugate()


@case((3,))
def output(n: int):
    warnings.warn("hey")
    print(n, "a", sep="-", end="!\n")
    return n


@case((0.5,))
def all_of_math(x: float):
    return (
        math.sin(x),
        round(math.gamma(x), 12),
        math.erf(x),
        round(math.lgamma(x), 12),
        math.hypot(x, 2.0),
        math.isclose(x, 0.5),
        math.gcd(12, 18),
        math.factorial(5),
        math.degrees(x),
        math.atan2(x, 1.0),
        math.trunc(x),
        math.fsum([x, x]),
        math.prod([x, 2.0]),
        math.log(x),
        math.log2(x),
        math.log10(x),
        math.log1p(x),
        math.log(x, 3),
        math.pow(x, 2),
        math.pow(2, 3),
        math.isnan(3),
        math.isfinite(2),
        math.floor(x),
        math.ceil(x),
        math.comb(5, 2),
        math.perm(5, 2),
        math.isqrt(17),
        math.pi,
        math.e,
        math.tau,
        math.inf,
        math.copysign(x, -1.0),
        math.fmod(x, 0.3),
        math.frexp(x),
        math.modf(x),
        math.ldexp(x, 2),
        math.expm1(x),
        math.remainder(x, 0.3),
        math.dist([x], [1.0]),
        math.cbrt(x),
        math.exp2(x),
        math.lcm(4, 6),
        math.fabs(-x),
        math.radians(x),
    )


@case((-7, 2))
def python_semantics(a: int, b: int):
    return (
        a // b,
        a % b,
        -7.5 // 2,
        -7.5 % 2,
        a / b,
        True + True,
        1 < 2 < 3,
        a**b,
        int(-2.7),
        round(0.5),
        round(1.5),
        not a,
        a and b,
        a or b,
        0 or 5,
        "" or "x",
        a ^ b,
        a << 2,
        a >> 1,
        ~a,
    )


@case(([1, 2, 3, 4],))
def iterator_in_a_loop(xs: list[int]):
    it = iter(xs)
    out = []
    for a in it:
        b = next(it, -1)
        out.append(a * 10 + b)
    return out, next((x for x in xs if x > 2), None), next(iter(xs))


@case((7,))
def number_methods(n: int):
    return (
        n.bit_length(),
        (2.0).is_integer(),
        float(n).is_integer(),
        n.real,
        n.imag,
        complex(n, 1).conjugate(),
        -n // 2,
        -n % 3,
        divmod(-n, 2),
        n / 2,
        n // -2,
        (-n) >> 1,
        n & 3,
        ~n,
        2**n,
        2**-1,
        2.0**n,
        abs(-n),
        +n,
    )


@case(([3, 1], [(1, "a"), (0, "b")]))
def orders(xs: list[int], ps: list[tuple[int, str]]):
    ps.sort()
    a = sorted(ps, key=lambda p: p[1], reverse=True)
    return (
        ps,
        a,
        min(ps),
        max(ps),
        sorted(xs)[0],
        min(xs, key=lambda v: -v),
        sorted({"b": 1, "a": 2}),
        sorted({"b": 1, "a": 2}.items(), key=lambda kv: kv[1]),
    )


@case(([1.5, 2.5],))
def ranges(xs: list[float]):
    return (
        3 in range(5),
        6 in range(0, 10, 2),
        list(range(5, 0, -2)),
        len(range(3, 10, 4)),
        sum(range(4)),
        max(range(3)),
        [*range(3)],
        round(xs[0]),
        round(xs[1]),
        list(zip(xs, xs)),
        list(enumerate(xs)),
        dict(enumerate(xs)),
        list(map(float, [1, 2])),
        tuple(range(2)),
        any([]),
        all([]),
    )


@dataclass(frozen=True)
class Pair:
    a: int
    b: float


@case((1, 2.5, True), (-1, -0.1, False), (2**63 - 1, math.inf, True), (-(2**63), 5e-324, False))
def hashes(n: int, x: float, b: bool):
    return hash(n), hash(x), hash((n, (x, b), ())), hash(Pair(n, x)), hash(complex(x, 2.0))


@case(("a", "a"), ("a", "b"))
def hashes_of_text(a: str, b: str):
    return hash(a) == hash(b), hash((a, 1)) == hash((b, 1)), hash(None) == hash(None)


@case(([1],))
def no_hash(xs: list[int]):
    return hash((1, xs))


@case((torch.tensor(2.0), torch.tensor(-3)), (torch.tensor(2), torch.tensor(-2)))
def numbers_of_unknown_kind(x: Tensor, y: Tensor):
    a, b = x.item(), y.item()
    return a**b, bool(a), int(b), a + [1, 2.5][0], -a


@case((1,), (-1,))
def checks(n: int):
    torch._check(cond=n > -5, message="never called")
    torch._check(n > 0, lambda: f"{n} is small")
    return n


@case((torch.ones(2),))
def legacy_constructors(x: Tensor):
    return torch.LongTensor([3, 4]) * x, list(torch.FloatTensor(2, 3).shape), torch.Tensor([1, 2])


class Money:
    def __init__(self, cents: int):
        self.cents = cents

    def __lt__(self, other: "Money") -> bool:
        return self.cents // 10 < other.cents // 10

    def __int__(self) -> int:
        return self.cents // 100

    def __float__(self) -> float:
        return self.cents / 100


@case(([31, 12, 35, 19, 11, 30],), ([],), ([5],))
def order_of_objects(cents: list[int]):
    wallet = [Money(c) for c in cents]
    ordered = sorted(wallet)
    wallet.sort(reverse=True)
    tensors = sorted([torch.tensor(c) for c in cents])
    return [m.cents for m in ordered], [m.cents for m in wallet], [int(t) for t in tensors]


@case((250,))
def conversions_of_objects(cents: int):
    return int(Money(cents)), float(Money(cents))


@case((torch.rand(6, 2),))
def list_indices(x: Tensor):
    return x[[[0, 1], [2, 3]], [[0, 1], [1, 0]]], x[[0.1, 1.9]]


@case((2.5, 1), (0.5, 2))
def lists_of_several_kinds(x: float, n: int):
    xs = [n, x, True]
    found = sorted(xs), max(xs), sum(xs), n in xs, 2.5 in xs, xs == [n, x, 1], str(xs)
    made = (
        torch.tensor(xs).tolist(),
        torch.tensor([n, x]).tolist(),
        torch.tensor([n, True]).dtype == torch.int64,
    )
    return made, abs(xs[0]), complex(xs[1]), found


@case(
    (torch.ones(1, 1, 4, 4), 2),
)
def floats_where_ints_are_among_them(x: Tensor, n: int):
    return torch.nn.functional.interpolate(x, scale_factor=[n, 1.5])


@case(([0, 1, 2, 3, 4, 5], torch.arange(12).view(3, 4)))
def slices_as_values(xs: list[int], x: Tensor):
    part = slice(1, 4, 2)
    return xs[part], xs[slice(2)], x[slice(None, 2), ..., slice(1, None)], "abcdef"[part]


class Count:
    def __init__(self, n: int):
        self.n = n

    def __iter__(self):
        return self

    def __next__(self) -> int:
        if self.n == 0:
            raise StopIteration
        self.n -= 1
        return self.n


@case((2,), (0,))
def own_iterators(n: int):
    it = Count(n)
    return next(it, -1), next(it, -1), next(it, -2), [x * 2 for x in Count(n)]


@case((torch.ones(2),))
def tensor_types(x: Tensor):
    with torch.jit._IgnoreContextManager(x="inp:Tensor"):
        y = x.type(torch.LongTensor)
    return y, x.is_vulkan, dict([]) == {}


@case(
    ([1, 2], "ab", torch.arange(6).view(2, 3)),
)
def special_methods_called_by_name(xs: list[int], text: str, x: Tensor):
    xs.__setitem__(0, 5)
    first = xs.__getitem__(0), xs.__len__(), xs.__contains__(2), text.__add__("c"), text.__len__()
    return first, x.__getitem__((0, 2)), x.__neg__(), x.__add__(1), x.__eq__(3), x.__len__()


@case((2, [3, 5, 7]))
def itertools_of_what_is_known(n: int, xs: list[int]):
    total = 0
    for (i, j), k in zip(itertools.product(range(3), repeat=2), itertools.chain(range(5), [n] * 4)):
        total += i * 10 + j + k
    return (
        total,
        [a + b for a, b in itertools.product("ab", "cd")],
        list(itertools.chain([1, n], (3,))),
        [v for v in itertools.chain.from_iterable(((1, 2), (n,)))],
        [i * j for i, j in itertools.combinations(range(4), 2)],
        [a - b * c for a, b, c in itertools.permutations((1, 2, 3))],
        list(itertools.islice((1, 2, 3, 4), 1, None, 2)),
        [a * b for a, b in itertools.zip_longest((1, 2), (n,), fillvalue=5)],
        [b - a for a, b in itertools.pairwise((1, n))],
    )


@case((2, [3, 5, 7], torch.ones(2, 3)), (0, [4], torch.ones(1, 1)))
def itertools_of_what_a_run_tells(n: int, xs: list[int], x: Tensor):
    scaled = [row * i for i, row in itertools.product(range(n), x)]
    return (
        scaled,
        [i * j + k for i, j, k in itertools.product(range(n), xs, [1, 2])],
        list(itertools.chain([1, 2], xs, range(n))),
        list(itertools.chain.from_iterable([xs, [4]])),
        [a - b for a, b in itertools.combinations(xs, 2)],
        list(itertools.islice(xs, 2)),
        list(itertools.islice(xs, 1, None)),
        list(itertools.accumulate(xs)),
        [b - a for a, b in itertools.pairwise(xs)],
    )


@programs.parametrize
def test_program(function):
    programs.check(function)
