"""Complex numbers, powers, and what is hashed, named or folded along the way."""

from __future__ import annotations

import cmath
import enum
import functools

import pytest
import torch
from agreement import Programs
from torch import Tensor

import ingot

programs = Programs()
case = programs.case


@case((1 + 1j, 2 + 0j), (2j, -3 + 0j), (0j, 1j), (0j, 2 + 0j), (1j, 0.5 + 0j), (0j, -1 + 0j))
def complex_power(a: complex, b: complex):
    return a**b


@case((torch.tensor(3), torch.tensor(1.5), torch.tensor(2j)))
def complex_of_tensors(a: Tensor, b: Tensor, c: Tensor):
    return complex(a), complex(b), complex(c), complex("3-4j")


@case((torch.tensor([[1j, 2 + 1j]]),), (torch.zeros(0, 2, dtype=torch.cfloat),))
def complex_lists(x: Tensor):
    rows: list[list[complex]] = x.tolist()
    return rows, [sum([z.real for z in row]) for row in rows]


@case(((1, (2, "a"), [3]),))
def length_of_a_tuple(t: tuple[int, tuple[int, str], list[int]]):
    return len(t), len(t[1]), t[-1]


@case((0j,))
def log_of_zero(z: complex):
    return cmath.log(z)


@case((2, -2), (-2, -1), (0, -2), (3, 4), (0, 0))
def int_power(a: int, b: int):
    return a**b


@case((2, -2), (3, 4))
def int_powers_among_results(a: int, b: int):
    return a**b, a, (a * b) ** b


@case((3, torch.tensor(2)), (3, torch.tensor(0.5)))
def power_of_item(a: int, x: Tensor):
    return x.item() ** a, a ** x.item()


@case((torch.tensor([2.0, 3.0]), 2, 0.5))
def number_before_tensor(x: Tensor, a: int, b: float):
    whole = x.to(torch.int64)
    return (
        torch.pow(a, x),
        torch.pow(2, exponent=x),
        torch.float_power(b, x),
        torch.remainder(7, x),
        torch.bitwise_and(3, whole),
        torch.bitwise_left_shift(1, whole),
    )


class Plain(enum.Enum):
    A = 1
    B = "x"


class Counted(enum.IntEnum):
    A = 1


@case((1,))
def hashes_of_members(n: int):
    return (
        hash(Plain.A) == hash(Plain.B),
        hash(Plain.A) == hash(Plain.A),
        hash(Counted.A) == hash(n),
    )


class Length:
    def __init__(self, x: float) -> None:
        self.x = x

    def __abs__(self) -> float:
        return abs(self.x)

    def __round__(self, digits: int = 0) -> float:
        return round(self.x, digits)


@case((-2.567,))
def own_abs_and_round(x: float):
    item = torch.tensor(x).item()
    return abs(Length(x)), round(Length(x), 1), round(item)


@functools.lru_cache(None)
def doubled(n: int) -> int:
    return n * 2


@case(([1, 2, 3],), ([4],), ([],))
def reduced(xs: list[int]):
    text = functools.reduce(lambda a, b: a + str(b), xs, "")
    known = functools.reduce(max, (1, 7, 2))
    return text, known, doubled(known), functools.reduce(lambda a, b: a * 10 + b, xs)


@case((5,), (1,))
def elements_of_ranges(n: int):
    return range(1, 9, 2)[-1], range(n)[0], range(0, n * n, 3)[2]


@case(("cpu", torch.ones(2)), ("cpu:0", torch.ones(2)))
def device_by_name(name: str, x: Tensor):
    return x.to(name), x.to(name, torch.double), torch.device(name).type


@case((torch.ones(2),))
def named_contexts(x: Tensor):
    with torch.profiler.record_function("a") as record, torch.no_grad() as nothing:  # noqa: F841
        return x + 1


@case(({1 + 2j: 5.0, 2j: 6.0}, 2j), ({1 + 0j: 1.0}, 3j))
def complex_keys(d: dict[complex, float], key: complex):
    made = {1j: "a", key: "b"}
    return made[1j], key in d, len({key, 2j}), list(d), d.get(key, -1.0), d[key]


@case((7, torch.ones(3)))
def seeded(seed: int, x: Tensor):
    torch.manual_seed(seed)
    return torch.bernoulli(x / 2), torch.rand(2), torch.normal(0.0, 1.0, (2,)), torch.randperm(4)


@case((1j,), (0j,))
def conditions_of_complex_numbers(z: complex):
    near = cmath.isclose(z, z + 1e-12), cmath.isclose(z, 1j), cmath.isclose(z, 2, abs_tol=3.0)
    return bool(z), not z, 1 if z else 2, near


@case((5,))
def ints_that_pass_64_bits_on_their_way(n: int):
    return 2**63 - 1, -(2**63), n < (1 << 63) - 1, n == 2**64 - 2**64 + 5


@case((5,))
def parts_of_ints(n: int):
    return n.numerator, n.denominator, n.real, n.imag, True.numerator


@programs.parametrize
def test_agrees_with_python(function) -> None:
    programs.check(function)


def test_numbers_for_other_numbers() -> None:
    def plus(n: int, x: float, z: complex, many: list[complex]):
        return n + 1, x * 2, z + 1j, many

    program = ingot.script(plus)
    expected = (4, 5.0, 2 + 1j, [1 + 0j, 2.5 + 0j, 1j])
    assert program(torch.tensor(3), torch.tensor(2.5), 2, [1, torch.tensor(2.5), 1j]) == expected
    for wrong in (torch.tensor(3.5), torch.tensor([3])):
        with pytest.raises(ingot.Error, match="'n' must be int"):
            program(wrong, 1.0, 1j, [])


def test_cmath() -> None:
    def everything(z: complex):
        return [
            *[cmath.exp(z), cmath.log(z), cmath.log(z, 2), cmath.log10(z), cmath.sqrt(z)],
            *[cmath.sin(z), cmath.cos(z), cmath.tan(z), cmath.asin(z), cmath.acos(z)],
            *[cmath.atan(z), cmath.sinh(z), cmath.cosh(z), cmath.tanh(z), cmath.asinh(z)],
            *[cmath.acosh(z), cmath.atanh(z), cmath.rect(z.real, z.imag)],
        ]

    def parts(z: complex):
        checks = [cmath.isnan(z), cmath.isinf(z), cmath.isfinite(z)]
        return [cmath.phase(z), *cmath.polar(z)], checks

    for z in (1.3 - 0.7j, -0.5 + 2j):
        assert ingot.script(everything)(z) == pytest.approx(everything(z))
    for z in (1.3 - 0.7j, complex(float("inf"), 1.0)):
        assert ingot.script(parts)(z) == parts(z)
    checks = ingot.script(parts)(complex(float("nan"), 0.0))[1]
    assert checks == [True, False, False]


def test_devices_that_a_program_lacks() -> None:
    def moved(x: Tensor, name: str):
        return x.to(name)

    with pytest.raises(ingot.Error, match="has no device cuda"):
        ingot.script(moved)(torch.ones(1), "cuda")


def test_functions_that_torch_wraps_later():
    import torch._dynamo  # wraps torch.manual_seed

    assert ingot.script(seeded)(3, torch.ones(2))[2].shape == (2,)
