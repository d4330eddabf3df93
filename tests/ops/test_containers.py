"""Lists, dicts and strings against Python itself."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ops.test_scalar import call, check, same

import ingot

LISTS: list[list[Any]] = [[], [1], [3, 1, 2, 1], [1.5, -0.5, 2.0], ["b", "", "aé"], [True, False]]
KINDS = {int: "int", float: "float", str: "str", bool: "bool"}


def kind(values: list[Any]) -> str:
    return KINDS[type(values[0])] if values else "int"


@pytest.mark.parametrize("values", LISTS, ids=str)
def test_lists(values: list[Any]) -> None:
    for i in range(-6, 6):
        check_index("aten::__getitem__.t", lambda v, i: v[i], values, i)
        assert same(call("aten::mul.left_t", values, i), values * i)
    for start, end, step in itertools.product(
        [None, -9, -2, 0, 1, 9], [None, -9, -1, 2, 9], [1, 2, -1, -3]
    ):
        assert same(call("aten::slice.t", values, start, end, step), values[start:end:step])
    k = kind(values)
    for element in [*values, {"int": 99, "float": 0.25, "str": "z", "bool": True}[k]]:
        assert call(f"aten::count.{k}", values, element) == values.count(element)
        check(f"aten::index.list_{k}", lambda v, e: v.index(e), values, element)
        if k != "bool":
            assert call(f"aten::__contains__.{k}_list", values, element) is (element in values)
    assert call("aten::len.t", values) == len(values)
    assert same(call("aten::add.t", values, values), values + values)
    assert same(call(f"aten::sorted.{k}", values), sorted(values))
    assert call(f"aten::eq.{k}_list", values, copy.copy(values)) is True
    assert call(f"aten::ne.{k}_list", values, [*values, *values, *values[:1]]) is bool(values)
    if k != "str":
        check(f"prim::min.self_{k}", min, values)
        check(f"prim::max.self_{k}", max, values)
        check(f"aten::sum.{k}", lambda v: sum(v, 0.0) if k == "float" else sum(v), values)
        check(f"aten::all.{k}", all, values)
    check(f"aten::any.{k}", any, values)


def check_index(name: str, function: Callable, *args: Any) -> None:
    try:
        want = function(*args)
    except (IndexError, KeyError):
        with pytest.raises(ingot.Error, match="IndexError|KeyError"):
            call(name, *args)
        return
    assert same(call(name, *args), want)


@pytest.mark.parametrize("step", [0])
def test_a_slice_needs_a_step(step: int) -> None:
    with pytest.raises(ingot.Error, match="slice step cannot be zero"):
        call("aten::slice.t", [1], None, None, step)


def test_results_of_in_place_list_ops() -> None:
    assert call("aten::append.t", [1, 2], 3) == [1, 2, 3]
    assert call("aten::_set_item.t", [1, 2], -1, 5) == [1, 5]
    assert call("aten::add_.t", [1], [2]) == [1, 2]
    assert call("aten::mul_.t", [1, 2], 2) == [1, 2, 1, 2]
    assert call("aten::pop.t", [1, 2, 3], 0) == 1
    for name, args in [
        ("aten::pop.t", ([], -1)), ("aten::_set_item.t", ([1], 1, 2)), ("aten::Delete.t", ([1],
        -2)),
        ("aten::pop.t", ([1], 2**63 - 1)), ("aten::__getitem__.t", ([1], -(2**63))),
    ]:  # fmt: skip
        with pytest.raises(ingot.Error, match="IndexError"):
            call(name, *args)
    with pytest.raises(ingot.Error, match="ValueError: list.remove"):
        call("aten::remove.int", [1], 2)
    with pytest.raises(ingot.Error, match="MemoryError"):
        call("aten::mul.left_t", [1, 2], 2**62)


@given(st.integers(-20, 20), st.integers(-20, 20), st.integers(-20, 20).filter(bool))
def test_ranges(lo: int, hi: int, step: int) -> None:
    numbers = range(lo, hi, step)
    assert call("aten::__range_length", lo, hi, step) == len(numbers)
    assert [call("aten::__derive_index", i, lo, step) for i in range(len(numbers))] == list(numbers)


def test_range_extremes() -> None:
    assert call("aten::__range_length", 0, 2**63 - 1, 1) == 2**63 - 1
    assert call("aten::__range_length", 2**63 - 1, -(2**63), -(2**63)) == 2
    with pytest.raises(ingot.Error, match="OverflowError"):
        call("aten::__range_length", -(2**63), 2**63 - 1, 1)
    with pytest.raises(ingot.Error, match="must not be zero"):
        call("aten::__range_length", 0, 1, 0)


DICTS: list[tuple[str, dict]] = [
    ("str", {"b": 1, "a": 2, "é": 3}), ("int", {3: "x", -1: "y"}), ("float", {0.5: [1], -0.0: [2]}),
    ("bool", {True: 1}), ("str", {}),
]  # fmt: skip


@pytest.mark.parametrize(("k", "values"), DICTS, ids=str)
def test_dicts(k: str, values: dict) -> None:
    absent = {"str": "zz", "int": 77, "float": 9.5, "bool": False}[k]
    for key in [*values, absent]:
        check_index(f"aten::__getitem__.Dict_{k}", lambda d, key: d[key], values, key)
        check_index(f"aten::pop.Dict_{k}", lambda d, key: dict(d).pop(key), values, key)
        assert same(call(f"aten::get.{k}", values, key), values.get(key))
        assert same(call(f"aten::get.default_{k}", values, key, 5), values.get(key, 5))
        assert same(call(f"aten::setdefault.{k}", values, key, 5), dict(values).setdefault(key, 5))
        assert call(f"aten::__contains__.{k}", values, key) is (key in values)
    assert call(f"aten::len.Dict_{k}", values) == len(values)
    assert same(call(f"aten::keys.{k}", values), list(values))
    assert same(call(f"aten::values.{k}", values), list(values.values()))
    assert same(call(f"aten::items.{k}", values), list(values.items()))
    assert list(call(f"aten::copy.Dict_{k}", values).items()) == list(values.items())
    assert list(call(f"aten::dict.{k}", list(values.items())).items()) == list(values.items())
    with pytest.raises(ingot.Error, match="KeyError"):
        call(f"aten::Delete.Dict_{k}", values, absent)


TEXTS = [
    "", "a", "Hello, World", "  \t x y\n", "aaa", "ab,cd,,e", "straße", "ΑΣΑΣ", "日本語 text",
    "𝔘nicode😀",
    "İstanbul", "ǆ", "a\r\nb\x0bc\u2028d", "x1_y", "1a", "²", "Ⅷ", "٣", "hello World's-End",
    "don\u0301t",
]  # fmt: skip
PLAIN = [
    "upper", "lower", "swapcase", "capitalize", "title", "isalpha", "isalnum", "isdecimal",
    "isdigit",
    "isnumeric", "isspace", "isprintable", "islower", "isupper", "istitle", "isidentifier",
]  # fmt: skip


@pytest.mark.parametrize("name", PLAIN)
def test_string_methods_on_every_code_point(name: str) -> None:
    for text in TEXTS:
        assert same(call(f"aten::{name}", text), getattr(text, name)()), text
    step = 1 if name.startswith("is") else 7
    for point in itertools.chain(range(0x3000), range(0x3000, 0x110000, 101 * step)):
        c = chr(point)
        if not 0xD800 <= point < 0xE000:
            assert same(call(f"aten::{name}", c), getattr(c, name)()), hex(point)


@pytest.mark.parametrize("text", TEXTS)
def test_positions_in_strings(text: str) -> None:
    assert call("aten::len.str", text) == len(text)
    assert call("aten::list", text) == list(text)
    for i in range(-4, 14):
        check_index("aten::__getitem__.str", lambda s, i: s[i], text, i)
    for start, end, step in itertools.product([None, -3, 0, 1, 9], [None, -1, 2, 99], [1, 2, -1]):
        assert call("aten::slice.str", text, start, end, step) == text[start:end:step]
    for part in ["", "a", "l", "本", "aa", "😀", ",", "zz"]:
        for name in ("find", "rfind", "count", "index", "rindex", "startswith", "endswith"):
            op = "aten::index.str" if name == "index" else f"aten::{name}"
            check(op, lambda s, p, n=name: getattr(s, n)(p), text, part)
            for start, end in [(1, 3), (-3, 99), (5, 2), (2, -2), (99, 100)]:
                check(op, lambda s, p, a, b, n=name: getattr(s, n)(p, a, b), text, part, start, end)
        for times in (-1, 0, 1, 2):
            assert call("aten::replace", text, part, "<>", times) == text.replace(part, "<>", times)
        for times in (-1, 0, 1, 5):
            check("aten::split.str", lambda s, p, n: s.split(p, n), text, part, times)
            check("aten::rsplit", lambda s, p, n: s.rsplit(p, n), text, part, times)
            assert call("aten::split.str", text, None, times) == text.split(None, times)
        check("aten::partition", lambda s, p: s.partition(p), text, part)
        check("aten::rpartition", lambda s, p: s.rpartition(p), text, part)
    for keep in (False, True):
        assert call("aten::splitlines", text, keep) == text.splitlines(keep)
    for name in ("strip", "lstrip", "rstrip"):
        assert call(f"aten::{name}", text) == getattr(text, name)()
        for chars in (" x", "aA", "語", "\U0001f600"):
            assert call(f"aten::{name}", text, chars) == getattr(text, name)(chars)
    for width in (-1, 0, 3, 12, 13, 30):
        for name in ("ljust", "rjust", "center"):
            assert call(f"aten::{name}", text, width, "é") == getattr(text, name)(width, "é")
        assert call("aten::zfill", text, width) == text.zfill(width)
    for tab in (0, 1, 8):
        assert call("aten::expandtabs", text, tab) == text.expandtabs(tab)
    assert call("aten::add.str", text, "é") == text + "é"
    assert call("aten::join", text, ["a", "b", ""]) == text.join(["a", "b", ""])
    check("aten::ord", ord, text)
    assert call("aten::str", [text]) == str([text])


@given(st.text(), st.text())
def test_any_two_strings(a: str, b: str) -> None:
    assert call("aten::lt.str", a, b) is (a < b)
    assert call("aten::eq.str", a, b) is (a == b)
    assert call("aten::str", [a]) == str([a])
    assert call("aten::find", a + b, b) == (a + b).find(b)
    assert call("aten::split.str", a, None) == a.split()
    assert call("aten::strip", a) == a.strip()


VALUES: list[Any] = [
    0, -5, 12345678, 2**63 - 1, True, 1.0, -0.0, 0.1, 1e16, 1e22, 1e-5, 123456.789, float("inf"),
    float("nan"), "text", "日本", "", None, [1, 2.5, "x'y"], {"k": [1]}, (1,), (1, "a"),
    1 + 2j, -0.5j,
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_str(value: Any) -> None:
    assert call("aten::str", value) == str(value)


@given(st.floats())
def test_str_of_floats(x: float) -> None:
    assert call("aten::str", x) == str(x)
    for spec in (
        "{:.3f}",
        "{:e}",
        "{:g}",
        "{:.10g}",
        "{:.4}",
        "{:%}",
        "{:+.1e}",
        "{:012.3f}",
        "{:,.2f}",
    ):
        assert call("aten::format", spec, x) == spec.format(x), spec


FORMATS = [
    "{}", "{!r}", "{!s:>5}", "{0}", "[{:5}]", "[{:<9}]", "[{:>9}]", "[{:^9}]", "[{:*^9}]",
    "{:d}", "{:x}",
    "{:#X}", "{:#b}", "{:o}", "{:+}", "{: }", "{:,}", "{:_}", "{:08}", "{:+08.2f}", "{:.3}",
    "{:.0f}",
    "{:.2e}", "{:.2%}", "{:s}", "{:c}", "{:é>7}", "{:=+9}", "{:010,}", "{:z.1f}", "{:#.3g}",
    "{:_x}", "{:<08}", "{:*<08}", "{:*08}",
    "{{}}{}", "{:q}", "{", "}", "{:5.2.2}", "{1}", "{}{}", "{:{}}",
]  # fmt: skip


@pytest.mark.parametrize("spec", FORMATS)
def test_format(spec: str) -> None:
    for value in VALUES:
        if isinstance(value, complex | list | dict | tuple) and spec not in ("{}", "{0}", "{!r}"):
            continue
        try:
            want = spec.format(value)
        except (ValueError, TypeError, IndexError, OverflowError):
            with pytest.raises(ingot.Error):
                call("aten::format", spec, value)
            continue
        assert call("aten::format", spec, value) == want, (spec, value)
    assert call("aten::format", "{:{}}|{}", 1.5, 7, "x") == "{:{}}|{}".format(1.5, 7, "x")


PERCENTS = [
    "%s", "%r", "%d", "%i", "%5d|", "%-5d|", "%05d", "%+d", "% d", "%x", "%#x", "%#o", "%X",
    "%f", "%.2f",
    "%8.3f|", "%-8.3f|", "%08.3f", "%e", "%g", "%G", "%.3g", "%c", "%10s|", "%-10s|", "%.2s|",
    "%%%s", "%.3d",
    "%+.3d", "%8.3d|", "%q", "%", "%s%s", "no", "%05s", "%#.3x",
]  # fmt: skip


@pytest.mark.parametrize("spec", PERCENTS)
def test_percent_format(spec: str) -> None:
    for value in [v for v in VALUES if not isinstance(v, tuple | dict | list | complex)]:
        try:
            want = spec % (value,)
        except (ValueError, TypeError, OverflowError):
            want = None
        if want is None or (
            value == 1e22 and spec[-1] != "s" and {"d", "i"} & set(spec)
        ):  # integers have 64 bits
            with pytest.raises(ingot.Error):
                call("aten::percentFormat", spec, value)
            continue
        assert call("aten::percentFormat", spec, value) == want, (spec, value)
    assert call("aten::percentFormat", "%d-%s", (1, "a")) == "1-a"
    assert call("aten::percentFormat", "%*d|%.*f", 5, 3, 2, 1.0) == "    3|1.00"


def test_chr_is_the_inverse_of_ord() -> None:
    for point in [0, 65, 0x7F, 0x80, 0x7FF, 0x800, 0xFFFF, 0x10000, 0x10FFFF]:
        assert call("aten::ord", call("aten::chr", point)) == point
    with pytest.raises(ingot.Error, match="chr"):
        call("aten::chr", 0x110000)
