"""Strings: methods, format, %, f-strings, str and repr."""

from __future__ import annotations

import torch
from agreement import Programs
from torch import Tensor

programs = Programs()
case = programs.case


@case((65, "A"))
def characters(n: int, s: str):
    return (
        ord(s),
        chr(n),
        hex(n),
        bin(n),
        oct(n),
        int("ff", 16),
        int(s + "B", 16),
        int("0b11", 0),
        float("inf"),
        float("-inf"),
        bool(""),
        bool(s),
        bool(0.0),
    )


@case(("12",))
def conversions(s: str):
    return (
        int(s),
        float(s),
        str(3.0),
        str(True),
        str(None),
        str([1, 2]),
        str((1, "a")),
        str({"a": 1.5}),
        repr(s),
    )


@case(("Hello World",))
def methods(s: str):
    return (
        s.lower(),
        s.split(),
        s.replace("l", "L"),
        s.find("o"),
        s.rfind("o"),
        s.count("l"),
        s.startswith("He"),
        s.endswith(("x", "ld")),
        s.partition(" "),
        s.strip("H"),
        s.center(20, "*"),
        s.zfill(15),
        s.title(),
        s.swapcase(),
        s[::-1],
        s[1:4],
        "-".join(["a", "b"]),
        s.isalpha(),
        s.split("o", 1),
        s.rsplit(" ", 1),
        s.splitlines(),
        s.casefold(),
        s.removeprefix("He"),
        s.removesuffix("ld"),
        s.index("W"),
        s.ljust(13),
        s.lstrip("H"),
        s.expandtabs(),
    )


@case((5, 2.5, "x"))
def percent(n: int, f: float, s: str):
    return (
        "%d %5.2f %s %r %x %%" % (n, f, s, s, n),
        "%s" % n,
        "%05d|%-5s|%+d" % (n, s, n),
        "%e" % f,
        "%s and %s" % ([1], (2,)),
        "%(a)d" % {"a": n},
    )


@case((5, 2.5, "x"))
def format_method(n: int, f: float, s: str):
    return (
        "{} {}".format(n, f),
        "{0} {1} {0}".format(s, n),
        "{a:>5}|{b:.3f}".format(a=s, b=f),
        "{:08.3f} {!r}".format(f, s),
        "{:,}".format(n * 100000),
        "{{}}".format(),
    )


@case((5, 2.5, "x"))
def f_strings(n: int, f: float, s: str):
    w = 8
    return (
        f"{n:>5}",
        f"{f:.2f}",
        f"{s!r}",
        f"{n=}",
        f"{f:{w}.1f}|",
        f"{n:#x}",
        f"{s:*^7}",
        f"{n + 1:03d} {f:e} {f:g}",
        f"{[n]} {(n, s)}",
    )


@case((torch.arange(6).reshape(2, 3).float(),))
def tensors(x: Tensor):
    return str(x), f"{x.shape}", str(x.dtype)


@case((["a", "b"],))
def building(xs: list[str]):
    out = ""
    for i, x in enumerate(xs, 1):
        out += f"{i}{x}"
    for i, (a, b) in enumerate(zip(xs, reversed(xs))):
        out += a + b + str(i)
    for c in reversed(range(3)):
        out += str(c)
    for c in "xy":
        out += c
    return out


@case((3,))
def floats(n: int):
    return (
        str(1e16),
        str(1e-5),
        str(0.1 + 0.2),
        str(1.0),
        str(float(n) / 7),
        str(float("nan")),
        str(-0.0),
        str(complex(1, 2)),
    )


@case(("a b c",))
def more_methods(s: str):
    a, b, c = s.split()
    w = s.split(" ", maxsplit=1)
    return (
        a + c,
        w,
        " ".join(sorted(s.split(), reverse=True)),
        s.title().replace(" ", ""),
        "x".join(c for c in s),
        [ord(ch) for ch in s],
        s * 2,
        2 * s,
        s > "a",
        "b" in s,
        s.find("zz"),
        sorted(s),
        max(s),
        list(reversed(s)),
        s.isidentifier(),
        "é".upper(),
    )


@case((torch.tensor([1.0, 2.0]), 2))
def numbers_in_tensors(x: Tensor, n: int):
    a, b = x
    c = x[0].item()
    return (
        f"{c:.1f} {x[1]:.2f}",
        float(a),
        int(b),
        [v.item() for v in x],
        x.tolist(),
        "%d" % x[1],
        bool(x[0] > 0),
        x.shape[0] == n,
        list(x.shape),
        x.size(),
        len(x),
        x.dim(),
    )


@case(("a b  c ", 1), (" a b ", 0), ("", 3), ("x y z", -1))
def splits_from_the_right(text: str, most: int):
    return text.rsplit(None, most), text.split(None, most)


@case((255, 2.5, "s"))
def formats_one(i: int, f: float, s: str):
    return format(i, "x"), format(f, ".3f"), format(s, ">4"), format(i), format(1234567, ",")


@case(("aXbX", 2, -1), ("aXbX", 0, -1), ("aXbX", -3, -1), ("X", 0, -1), ("", 0, -1), ("aX", 1, -5))
def ends_that_count_from_the_end(text: str, start: int, end: int):
    places = [text.find("X", start, end), text.rfind("X", start, end), text.find("X", None, -1)]
    edges = text.startswith("X", start, end), text.endswith("X", start, end)
    among = text.startswith(("a", "X"), start), text.endswith(("b", "X"), start, end)
    return places, text.count("X", start, end), edges, among


@case(("ABC",), ("É",))
def folds_case(text: str):
    return text.casefold()


@programs.parametrize
def test_program(function):
    programs.check(function)
