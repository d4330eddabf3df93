"""Lists, dicts and tuples."""

from __future__ import annotations

import collections
from collections import OrderedDict

from agreement import Programs

programs = Programs()
case = programs.case


@case(
    (3,),
)
def deletion(n: int):
    a = [1, 2, 3, 4]
    del a[0]
    del a[-1]
    d = {"a": 1, "b": 2}
    del d["a"]
    x = 4
    del x
    return a, d


@case(([1, 2, 3, 4],))
def star_targets(xs: list[int]):
    a, *b = xs
    *c, d = xs
    return a, b, c, d


@case(([1, 2],))
def star_lists(xs: list[int]):
    return [*xs, 5, *xs]


@case(({"a": 1},))
def merged_dicts(d: dict[str, int]):
    return {**d, "z": 3}


@case((1, 2))
def chained_assignment(a: int, b: int):
    x = y = a + b
    a, b = b, a
    return x, y, a, b


@case(([[1, 2], [3]],))
def nested_comprehensions(xs: list[list[int]]):
    return [y * 2 for x in xs for y in x if y != 2], {y: len(x) for x in xs for y in x}


@case((3,))
def tuples(n: int):
    t = (1, n, "x")
    u = t + (2.5,)
    return t[1], u[-1], len(u), (1, 2) < (1, 3), n in (1, 2, 3), (1,) * 3, t == (1, 3, "x")


@case(({1: 2.0}, {(1, 2): 3}, {True: 1}))
def keys_of_all_types(a: dict[int, float], b: dict[tuple[int, int], int], c: dict[bool, int]):
    a[5] = 1.0
    b[(3, 4)] = 4
    t = 0
    for k in b:
        t += k[0]
    for k2, v in a.items():
        t += k2
    return a, b, t, (1, 2) in b, c[True]


@case(())
def dict_methods():
    d = {"a": 1, "b": 2}
    x = d.get("a")
    y = d.get("zz", 7)
    p = d.pop("a")
    q = d.pop("none", 9)
    s = d.setdefault("c", 3)
    k, v = d.popitem()
    d.update({"e": 5})
    d.update(f=6)
    e = d.copy()
    d.clear()
    return x, y, p, q, s, k, v, e, len(d), list(e.keys()), list(e.values()), list(e.items())


@case(())
def ordered_dict():
    d: OrderedDict[str, int] = collections.OrderedDict()
    d["b"] = 1
    d["a"] = 2
    return list(d.keys())


@case((["a", "b", "a"],))
def counts(xs: list[str]):
    d = collections.defaultdict(int)
    for x in xs:
        d[x] += 1
    return d["a"], d["b"], len(d)


@case((["a", "b", "a"],))
def groups(xs: list[str]):
    d: collections.defaultdict[str, list[int]] = collections.defaultdict(list)
    for i, x in enumerate(xs):
        d[x].append(i)
    return d["a"], d["b"]


@case(([3, 1, 2],))
def list_methods(xs: list[int]):
    xs.sort(key=lambda v: -v)
    xs.insert(1, 9)
    xs.extend([4, 5])
    i = xs.index(9)
    c = xs.count(4)
    xs.remove(9)
    p = xs.pop(0)
    xs.reverse()
    ys = xs.copy()
    xs.sort(reverse=True)
    return xs, ys, i, c, p


@case(([1, 2, 3, 4, 5, 6],))
def slices(xs: list[int]):
    ys = xs[::2]
    zs = xs[::-1]
    xs[1:3] = [9, 9, 9]
    del xs[0:1]
    xs[::2] = [0] * len(xs[::2])
    return xs, ys, zs


@case(([1, 2], [1, 3]))
def list_operators(a: list[int], b: list[int]):
    return a < b, a <= b, a == b, a != b, a + b, a * 2, 2 * b, [a, b], [1.5] < [2.5], a > b


def change(xs: list[int], d: dict[str, int]) -> None:
    xs.append(1)
    d["k"] = 5


@case(([],))
def aliases(xs: list[int]):
    d: dict[str, int] = {}
    ys = xs
    change(ys, d)
    zs = [ys, ys]
    zs[0].append(3)
    return xs, d, zs


@case((2,), (0,))
def walrus(n: int):
    if (m := n * 2) > 2:
        return m
    xs = [y for x in range(3) if (y := x + n) > 1]
    return len(xs)


@case(())
def dicts_from_pairs():
    a: dict[str, list[int]] = {}
    a.setdefault("x", []).append(3)
    b = dict(a)
    c = dict([("q", 1)])
    e = dict(zip(["a", "b"], [1, 2]))
    return b, c, e


@case(({"a": 1},))
def lookups(d: dict[str, int]):
    x: int | None = d.get("zz")
    if x is None:
        x = 5
    return x, d.get("a", 2), d.get("q", None), "a" in d.keys(), 1 in d.values()


@case(([1, 2, 3],))
def list_changes(xs: list[int]):
    ys = [0] * 3
    ys[0], ys[1] = ys[1], ys[0]
    ys += xs
    ys *= 2
    zs = list(range(5))
    zs[1:4:2] = [9, 9]
    del zs[::2]
    ws = [[0] * 2 for _ in range(2)]
    ws[0][1] = 5
    ws[1][0] += 2
    a = xs
    a.append(4)
    return (
        ys,
        zs,
        ws,
        xs,
        xs == [1, 2, 3, 4],
        xs != ys,
        [1] in [[1], [2]],
        (1, 2) in [(1, 2)],
        xs.index(3),
        xs[-1],
        xs[1:],
        xs[:-1],
        xs[::-1],
        len(xs),
        xs.count(1),
        not xs,
        bool(xs),
        tuple(xs),
        3 in xs,
    )


@case((3,))
def comprehensions(n: int):
    xs = [i for i in range(n) for j in range(i) if j % 2 == 0]
    d = {i: i * i for i in range(n) if i != 1}
    s = {i % 2 for i in range(n)}
    m = [[i * j for j in range(2)] for i in range(2)]
    g = sum(i for i in range(n))
    e = [(i, c) for i, c in enumerate("ab")]
    return (
        xs,
        d,
        s,
        m,
        g,
        e,
        {k: v for k, v in zip("ab", [1, 2])},
        [a if a > 1 else -a for a in range(n)],
    )


@case(([1, 2, 1, 3],))
def index_between_bounds(xs: list[int]):
    return xs.index(1, 1), xs.index(3, -2), xs.index(1, 0, 2), xs.index(2, 0, 100)


@case(([1, 2, 1, 3],))
def index_outside_bounds(xs: list[int]):
    return xs.index(1, 3)


@case((["a", "b"],))
def dicts_from_keys(keys: list[str]):
    return dict.fromkeys(keys, 0), dict.fromkeys(["q"]), dict.fromkeys("ab", 1.5)


@case((1,))
def dicts_of_nones_are_no_sets(n: int):
    filled: dict[int, None] = {}
    filled[n] = None
    later = {}
    later.setdefault("x", None)
    return {n: None}, {k: None for k in range(n)}, filled, later, {n}, str({n: None})


@programs.parametrize
def test_program(function):
    programs.check(function)
