"""with over the user's classes, and exception classes with methods of their own."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from agreement import Programs

import ingot

programs = Programs()
case = programs.case


class Swallow:
    def __init__(self, log: list[str]):
        self.log = log

    def __enter__(self):
        self.log.append("in")
        return self

    def __exit__(self, kind: Any, error: Any, traceback: Any):
        if kind is None:
            self.log.append("out")
            return False
        assert error and traceback is not None
        self.log.append(kind.__name__ + str(error))
        return issubclass(kind, ValueError)


class Recorder:
    def __init__(self, log: list[str]):
        self.log = log

    def __enter__(self) -> None:
        self.log.append("a")

    def __exit__(self, *args) -> None:
        self.log.append("z")


@case((0,), (1,), (2,))
def exits_when_the_body_raises(k: int) -> tuple[list[str], int]:
    log: list[str] = []
    n = 0
    try:
        with Recorder(log):
            with Swallow(log) as s, Recorder(s.log):
                n = 1
                if k == 1:
                    raise ValueError("v")
                n = 2
                if k == 2:
                    raise KeyError("w")
                n = 3
            n += 10
    except KeyError as e:
        log.append(repr(e))
        if type(e) == KeyError:
            log.append("same")
        if type(e) is LookupError:
            log.append("no")
    return log, n


@case((0,), (1,), (2,))
def exits_on_every_way_out(k: int) -> tuple[list[str], int]:
    log: list[str] = []
    for i in range(4):
        with Recorder(log):
            if i == 2:
                if k == 1:
                    continue
                if k == 2:
                    return log, i
            log.append(str(i))
    return log, 9


@case(("1",), ("x",))
def suppressed(s: str) -> int:
    n = 0
    with contextlib.suppress(ValueError, KeyError):
        n = 3
        n = int(s)
    return n


@case((0,), (1,))
def not_suppressed(k: int) -> int:
    with contextlib.suppress(KeyError):
        return 1 // k
    return 3


class Coded(ValueError):
    def __init__(self, what: str, code: int = 3):
        super().__init__(f"{what} has code {code}")
        self.code = code


class Quiet(Exception):
    def __init__(self, a: int, b: int):
        self.a = a
        self.b = b


class Written(Exception):
    def __init__(self, a: int):
        self.a = a

    def __str__(self) -> str:
        return f"<{self.a}>"


class Always(RuntimeError):
    def __str__(self) -> str:
        return "always"


class Derived(Coded):
    def __init__(self, n: int):
        super().__init__("derived", code=n)


@case((0,), (1,), (2,), (3,), (4,), (5,), (6,), (7,))
def own_classes(k: int) -> str:
    try:
        if k == 0:
            raise Coded("a")
        if k == 1:
            raise Coded("b", code=5)
        if k == 2:
            raise Quiet(1, 2)
        if k == 3:
            raise Written(k)
        if k == 4:
            raise Always("x")
        if k == 5:
            raise Derived(9)
        if k == 6:
            made = Coded("z")
            if made.code == 3:
                raise made
    except Coded as e:
        return "coded " + str(e)
    except Exception as e:
        return str(e) + type(e).__name__
    return "-"


@case((0,), (1,), (2,), (3,))
def what_is_asked_of_exceptions(k: int) -> tuple[str, str]:
    try:
        if k == 0:
            raise Coded("a")
        if k == 1:
            raise ValueError("b'c")
        if k == 2:
            raise KeyError("k")
        if k == 3:
            raise KeyError(7)
    except KeyError as e:
        return repr(e), "k"
    except Exception as e:
        return repr(e), e.args[0]
    return "", ""


def kind_of(e: Any) -> str:
    return "value" if isinstance(e, ValueError) else "other"


@case(())
def exceptions_as_arguments() -> list[str]:
    return [kind_of(ValueError("a")), kind_of(KeyError("a"))]


@programs.parametrize
def test_program(function):
    programs.check(function)


def repr_of_two_arguments(k: int) -> str:
    try:
        raise ValueError(1, k)
    except ValueError as e:
        return repr(e)


def test_repr_that_is_not_known_raises():
    with pytest.raises(ingot.Error, match="of this exception is not known in a program"):
        ingot.script(repr_of_two_arguments)(1)


def attribute_of_caught(k: int) -> int:
    try:
        raise Coded("e")
    except Coded as e:
        return e.cod + e.code


def wrong_arguments(k: int) -> int:
    raise KeyError("e", code=3)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (attribute_of_caught, "the class Coded has no attribute cod"),
        (wrong_arguments, "KeyError takes no keyword arguments"),
    ],
)
def test_mistakes(function, message):
    with pytest.raises(ingot.Error, match=message):
        ingot.script(function)
