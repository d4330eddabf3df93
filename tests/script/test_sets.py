"""Sets."""

from __future__ import annotations

from agreement import Programs

programs = Programs()
case = programs.case


@case((5,), (2,))
def methods(n: int) -> int:
    s = {1, 2, 3}
    s.add(n)
    s.discard(1)
    return len(s)


@case(([1, 2, 2, 3],))
def operators(xs: list[int]) -> bool:
    s = set(xs)
    t = {x * 2 for x in xs}
    return 2 in s and 4 in t and len(s | t) == 4 and len(s & t) == 1


@case(([1, 2, 2, 3],))
def result(xs: list[int]):
    return set(xs)


@case((["b", "a"],))
def in_order(xs: list[str]):
    s: set[str] = set()
    for x in xs:
        s.add(x)
    s.update(["z", "q"])
    if "q" in s:
        s.remove("q")
    out = []
    for v in sorted(s):
        out.append(v)
    return out


@programs.parametrize
def test_program(function):
    programs.check(function)
