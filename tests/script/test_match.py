"""match statements."""

from __future__ import annotations

from typing import NamedTuple, Optional, Union

from agreement import Programs

programs = Programs()
case = programs.case


@case((1,), (2,), (9,))
def values(n: int) -> str:
    match n:
        case 1:
            return "one"
        case 2 | 3:
            return "few"
        case x if x > 8:
            return "many"
        case _:
            return "?"


@case(((1, 2),), ((0, 5),))
def pairs(p: tuple[int, int]) -> int:
    match p:
        case (0, y):
            return y
        case (x, y):
            return x * 10 + y
    return -1


@case(([1, 2, 3],), ([],), ([4],))
def lists(p: list[int]) -> int:
    match p:
        case []:
            return 0
        case [x]:
            return x
        case [x, *rest]:
            return x + len(rest)
    return -1


@case((1,))
def classes(p: Union[int, str]) -> int:
    match p:
        case int():
            return 1
        case str() as s:
            return len(s)
    return -1


@case((2,), (5,))
def tuple_of_expressions(n: int):
    match n, n % 2:
        case 2, 0:
            return "two"
        case _, 1:
            return "odd"
    return "?"


@case(("go north",), ("quit",), ("drop a b",), ("zzz",))
def commands(s: str):
    match s.split():
        case ["quit"]:
            return "q"
        case ["go", d]:
            return "g" + d
        case ["drop", *things]:
            return "d" + ",".join(things)
        case _:
            return "none"


@case(({"k": 1},), ({"z": 3},))
def mappings(d: dict[str, int]):
    match d:
        case {"k": v}:
            return v
        case {"z": v} if v > 2:
            return v * 10
        case _:
            return 0


@case((None,), (3,))
def none_or_int(v: Optional[int]):
    match v:
        case None:
            return 0
        case int(x):
            return x


class Point(NamedTuple):
    x: int
    y: int


@case((1,), (0,))
def named_tuple(a: int):
    p = Point(a, 2)
    match p:
        case Point(x=0, y=q):
            return q
        case Point(x, y):
            return x * 100 + y


@case(([7],), ([7, 1],), ("s",), (4,), ({"k": 9},), ([],))
def sequence_or_something_else(v: Union[int, str, list[int], dict[str, int]]):
    match v:
        case [a]:
            return a
        case [a, *rest]:
            return a + len(rest)
        case {"k": k}:
            return k
        case str():
            return -1
    return -2


@case((None, 1), ([5], 2), ([5, 6], 3))
def optional_sequence(v: Optional[list[int]], n: int):
    match (v, n):
        case ([x], y):
            return x + y
        case (None, y):
            return y
    return 0


@programs.parametrize
def test_program(function):
    programs.check(function)
