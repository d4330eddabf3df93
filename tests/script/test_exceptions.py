"""try, except, else, finally, raise: as Python, compiled, and from the file.

PYTEST_DONT_REWRITE: the messages of assert statements are compared.
"""

from __future__ import annotations

import pytest
import torch
from agreement import Programs
from torch import Tensor

import ingot
from ingot.ir.interpret_torch import to_torch
from ingot.ir.parser import parse
from ingot.module import Module

programs = Programs()
case = programs.case


class OwnError(ValueError):
    pass


class OtherError(Exception):
    pass


@case(("12",), ("x",))
def result_or_default(s: str) -> int:
    try:
        v = int(s)
    except ValueError:
        return -1
    return v


@case(("12",), ("x",))
def variables_of_the_body(s: str) -> tuple[int, str]:
    n = 0
    msg = ""
    try:
        n = 5
        n = int(s)
        n += 1
    except ValueError as e:
        msg = str(e)
    return n, msg


@case((0,), (1,), (2,), (3,), (9,))
def classes_of_exceptions(k: int) -> str:
    log = ""
    try:
        log += "a"
        if k == 0:
            raise ValueError("zero")
        if k == 1:
            raise OwnError("one")
        if k == 2:
            raise KeyError("two")
        if k == 3:
            raise OtherError("three")
        log += "b"
    except OwnError as e:
        log += "M" + str(e)
    except (KeyError, ValueError) as e:
        log += "V" + str(e)
    except Exception as e:
        log += "E" + str(e) + type(e).__name__
    else:
        log += "else"
    finally:
        log += "F"
    return log


@case((0,), (1,), (5,))
def in_a_loop(k: int) -> int:
    xs = [1, 2]
    total = 0
    for i in range(5):
        try:
            if i == k:
                continue
            total += xs[i]
            if total > 100:
                break
        except IndexError:
            total += 10
        finally:
            total += 1000
    return total


@case((0,), (1,))
def raise_from_a_handler(k: int) -> int:
    try:
        try:
            return 10 // k
        except ZeroDivisionError:
            raise ValueError("wrapped") from None
    except ValueError as e:
        return len(str(e))


@case((0,), (1,))
def final_then_handler(k: int) -> int:
    out = 0
    try:
        try:
            out = 1
            out = 10 // k
            out = 7
        except KeyError:
            out = 99
        finally:
            out += 100
    except ZeroDivisionError:
        out += 1000
    return out


@case((torch.ones(2, 3), torch.ones(2, 4)), (torch.ones(2, 3), torch.ones(3, 4)))
def failing_tensor_op(a: Tensor, b: Tensor) -> Tensor:
    try:
        return a @ b
    except RuntimeError:
        return a


@case(({"a": 1}, "a"), ({"a": 1}, "b"))
def missing_key(d: dict[str, int], k: str):
    try:
        return d[k]
    except KeyError as e:
        print("missing", e)
        return -1
    except:
        raise


@case((1,), (-1,))
def failed_assertion(n: int):
    try:
        assert n > 0, "neg"
    except AssertionError as e:
        return str(e)
    return "ok"


def may_fail(n: int) -> int:
    if n > 2:
        raise OwnError(f"big {n}")
    return n


@case((1,), (5,))
def from_a_function(n: int):
    res = []
    for i in range(n):
        try:
            res.append(may_fail(i))
        except ValueError as e:
            res.append(-len(str(e)))
    return res


@case((1,), (5,))
def until_it_works(n: int):
    while True:
        try:
            n = may_fail(n)
            break
        except OwnError:
            n -= 1
    return n


@case((1,), (5,))
def final_after_return(n: int):
    try:
        return may_fail(n)
    finally:
        print("done", n)


@case((1,), (5,))
def raise_again(n: int):
    try:
        x = may_fail(n)
    except OwnError as e:
        if isinstance(e, ValueError) and n > 100:
            return 1
        raise e
    return x


@case((torch.ones(3), 1), (torch.ones(3), 7))
def index_out_of_range(x: Tensor, i: int):
    try:
        return float(x[i])
    except IndexError:
        return -1.0


@case((1,), (0,))
def narrowed_in_the_body(n: int):
    x: int | None = None
    try:
        x = 3
        y = 1 // n
        return x + y
    except ZeroDivisionError:
        if x is None:
            return -1
        return x


@case((1,), (0,))
def otherwise(n: int):
    def g(k: int) -> int:
        return 5 // k

    try:
        a = g(n)
        b = a + 1
    except ArithmeticError:
        a, b = 0, 0
    else:
        a += b
    return a, b


@case((3,), (0,))
def break_from_a_handler(n: int):
    for i in range(3):
        try:
            if 6 // n > i:
                return i
        except ZeroDivisionError:
            break
    else:
        return 50
    return -5


@case((3,), (0,))
def made_before_raised(n: int):
    e1 = ValueError("boom")
    try:
        if n == 0:
            raise e1
    except Exception as ex:
        return repr(ex), ex.args[0]
    return "", ""


@case((3,), (0,))
def final_before_the_handler(n: int):
    try:
        try:
            1 // n
        finally:
            n += 1
    except ZeroDivisionError:
        return n * 100
    return n


@case((0,), (1,), (2,))
def final_on_every_way(n: int):
    i = 0
    while i < 10:
        i += 1
        try:
            if n == 0:
                return i
            if n == 1 and i > 3:
                break
            if n == 2:
                continue
        finally:
            i += 1
    return i * 100


class FieldError(Exception):
    limit = 3

    def __init__(self, code: int, where: str) -> None:
        super().__init__(f"code {code}")
        self.code = code
        self.where = where

    def longer(self) -> str:
        return self.where + str(self.code + self.limit)


class ListError(FieldError):
    def __init__(self, code: int) -> None:
        super().__init__(code, "list")
        self.codes = [code, code + 1]


def raise_one(n: int) -> int:
    if n == 1:
        raise FieldError(n, "here")
    if n == 2:
        raise ListError(7)
    if n == 3:
        raise ValueError("plain")
    return n


@case((0,), (1,), (2,), (3,))
def fields_of_own_exceptions(n: int):
    try:
        return raise_one(n), "fine"
    except FieldError as e:
        return e.code + e.limit, e.where + str(e) + e.longer()
    except ValueError as e:
        return -1, str(e)


@case((0,), (1,), (2,))
def fields_where_the_class_is_asked_for(n: int):
    try:
        raise_one(n)
    except Exception as e:
        if isinstance(e, ListError):
            return e.codes
        if isinstance(e, FieldError):
            return [e.code]
    return []


@case((1,), (2,))
def fields_are_those_of_the_exception_that_was_caught(n: int):
    log: list[str] = []
    try:
        try:
            raise_one(n)
        except FieldError as e:
            e.code += 100
            raise
        finally:
            try:
                raise FieldError(99, "finally")
            except FieldError as f:
                log.append(f.where)
    except FieldError as e:
        try:
            raise ListError(50)
        except ListError as g:
            log.append(str(g.code))
        return log, e.code, e.where
    return log, 0, ""


@case(([1, 2],))
def uncaught_index(xs: list[int]):
    return xs[5]


@case((-3,))
def uncaught_assertion(n: int):
    assert n > 0, f"bad {n}"
    return n


@case(*((k,) for k in range(9)))
def words_of_failures(k: int):
    values, empty, text = [1, 2], [1][1:], "ab"
    try:
        if k == 0:
            return str(values[k + 2])
        if k == 1:
            values[-k - 3] = 5
        if k == 2:
            values.pop(k)
        if k == 3:
            empty.pop()
        if k == 4:
            del values[k]
        if k == 5:
            values.remove(k)
        if k == 6:
            return str(values.index(k))
        if k == 7:
            return text[k]
        return str(min(empty))
    except (IndexError, ValueError) as e:
        return str(e)


@programs.parametrize
def test_program(function):
    programs.check(function)


def outer(n: int) -> int:
    try:
        return may_fail(n)
    except KeyError:
        return 0


def test_what_is_not_caught_keeps_its_class_and_its_lines():
    with pytest.raises(ingot.Error) as raised:
        ingot.script(outer)(7)
    error = raised.value
    assert (error.kind, error.code, error.message) == ("OwnError", "runtime", "OwnError: big 7")
    lines = error.location.splitlines()
    assert "in may_fail: raise OwnError" in lines[0]
    assert "in outer: return may_fail(n)" in lines[1]
    assert len(lines) == 2


def test_a_broken_guard_is_no_exception_of_the_program():
    program = parse(
        """
method forward(%x : bool):
  %r : int = prim::Try()
    block0():
      %one : int = prim::Constant[value=1]()
      prim::Guard[message="x must hold"](%x)
      -> (%one)
    block1(%kind : str, %text : str, %sentence : str, %location : str):
      %two : int = prim::Constant[value=2]()
      -> (%two)
  return (%r)
"""
    )
    module = Module.from_program(program)
    assert module(True) == 1
    with pytest.raises(ingot.GuardError, match="x must hold"):
        module(False)


def test_exceptions_in_torch():
    module = to_torch(ingot.script(classes_of_exceptions).program)
    for k in (0, 1, 2, 3, 9):
        assert module(k) == classes_of_exceptions(k)
