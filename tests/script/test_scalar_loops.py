"""Generated loops over numbers: results, overflow and the failing line are Python's.

Python's ints have no limit, so the oracle runs the same source with every int checked against
64 bits as soon as it is computed.
"""

from __future__ import annotations

import ast
import re
import types
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from agreement import agree, outcome
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import ingot
from ingot.capture.script import finish

INTS, FLOATS, BOOLS = ["a", "b", "c"], ["x", "y"], ["p", "q"]
EDGES = ["d", "e"]
"""Large ints; as literals the compiler would compute with them without a limit, as Python does."""


def checked(value: Any) -> Any:
    if type(value) is int and not -(2**63) <= value < 2**63:
        raise OverflowError(value)
    return value


class Check(ast.NodeTransformer):
    """Wraps what computes in ``checked``."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if not isinstance(node, ast.BinOp | ast.UnaryOp | ast.Call):
            return node
        call = ast.Call(ast.Name("checked", ast.Load()), [node], [])
        return ast.copy_location(call, node)


def oracle(source: str, path: Path) -> Callable[..., Any]:
    tree = ast.fix_missing_locations(Check().visit(ast.parse(source)))
    namespace: dict[str, Any] = {"checked": checked}
    exec(compile(tree, str(path), "exec"), namespace)
    return namespace["generated"]


@st.composite
def number(draw: st.DrawFn, kind: str, loops: tuple[str, ...], depth: int = 2) -> str:
    """Source of an expression of one kind."""
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        names = {"int": [*INTS, *EDGES, *loops], "float": FLOATS, "bool": BOOLS}[kind]
        constants = {
            "int": list(map(str, range(-4, 9))),
            "float": ["0.5", "-1.25", "3.0", "0.0", "1e5"],
            "bool": ["True", "False"],
        }[kind]
        return draw(st.sampled_from([*names, *names, *constants]))

    def sub(inner: str) -> str:
        return draw(number(inner, loops, depth - 1))

    def one(*choices: str) -> str:
        return draw(st.sampled_from(choices))

    match kind:
        case "int":
            return one(
                f"({sub('int')} {one('+', '-', '*', '//', '%', '&', '|', '^')} {sub('int')})",
                f"({sub('int')} {one('<<', '>>')} {one('1', '3', '62', 'b')})",
                f"{one('min', 'max')}({sub('int')}, {sub('int')})",
                f"(-{sub('int')})",
                f"abs({sub('int')})",
                f"int({sub('float')})",
                f"v[{sub('int')} % 4]",
            )
        case "float":
            return one(
                f"({sub('float')} {one('+', '-', '*', '/', '//', '%')} {sub('float')})",
                f"({sub('int')} {one('/', '+', '*')} {sub('float')})",
                f"({sub('int')} / {sub('int')})",
                f"float({sub('int')})",
                f"u[{sub('int')} % 3]",
            )
        case _:
            return one(
                f"({sub('int')} {one('<', '<=', '>', '>=', '==', '!=')} {sub('int')})",
                f"({sub('float')} {one('<', '<=', '>', '>=', '==', '!=')} {sub('int')})",
                f"(not {sub('bool')})",
                f"({sub('bool')} {one('and', 'or', '==', '!=')} {sub('bool')})",
            )


@st.composite
def lines(draw: st.DrawFn, depth: int, loops: tuple[str, ...] = ()) -> list[str]:
    """Statements; loops end."""
    result: list[str] = []

    def value(kind: str) -> str:
        return draw(number(kind, loops))

    def nested(head: str, *inner: str) -> None:
        result.append(head)
        result.extend("    " + line for line in inner)

    for _ in range(draw(st.integers(1, 4))):
        match draw(st.integers(0, 11 if depth else 5)):
            case 0 | 1:
                kind, names = draw(
                    st.sampled_from([("int", INTS), ("float", FLOATS), ("bool", BOOLS)])
                )
                result.append(f"{draw(st.sampled_from(names))} = {value(kind)}")
            case 2:
                result.append(f"a, b, c = {', '.join(draw(st.permutations(INTS)))}")
            case 3:
                result.append(f"x, y = y, {value('float')}")
            case 4:
                result.append(f"v[{value('int')} % 4] = {value('int')}")
            case 5 if loops:
                nested(f"if {value('bool')}:", draw(st.sampled_from(["break", "continue"])))
            case 5:
                result.append(f"u.append({value('float')})")
            case 6 | 7:
                nested(f"if {value('bool')}:", *draw(lines(depth - 1, loops)))
                if draw(st.booleans()):
                    nested("else:", *draw(lines(depth - 1, loops)))
            case 8 | 9 | 10:
                name = f"i{len(loops)}"
                span = draw(st.sampled_from(["3", "5", "a % 4", "2, 6", "4, -3, -3"]))
                nested(f"for {name} in range({span}):", *draw(lines(depth - 1, (*loops, name))))
            case _:
                name = f"n{len(loops)}"
                result.append(f"{name} = 0")
                more = draw(st.sampled_from(["", f" and {value('bool')}"]))
                nested(
                    f"while {name} < 4{more}:",
                    f"{name} += 1",
                    *draw(lines(depth - 1, (*loops, name))),
                )
    return result


@st.composite
def programs(draw: st.DrawFn) -> str:
    body = [
        "v = [a, b, 5, -2]",
        "u = [x, 0.25, -8.0]",
        "c = 3",
        "y = -0.5",
        "q = False",
        *draw(lines(3)),
        "return a, b, c, x, y, p, q, v, u",
    ]
    head = "def generated(a: int, b: int, x: float, p: bool, d: int, e: int):"
    return "\n".join([head, *("    " + line for line in body), ""])


INPUTS = [
    (3, -2, 0.75, True, 2**62, 2**63 - 1),
    (0, 7, -2.5, False, 3037000500, -(2**63)),
    (-5, 2**62, 1e308, True, 1, -1),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the programs are written. Code whose result nobody reads is kept: it may raise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finish, "optimize", partial(finish.optimize, disable=["dead_code"]))
        yield tmp_path_factory.mktemp("loops")


def raised_line(error: BaseException) -> int:
    at = error.__traceback__
    assert at is not None
    found = 0
    while at is not None:
        if at.tb_frame.f_code.co_name == "generated":
            found = at.tb_lineno
        at = at.tb_next
    return found


@settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(source=programs())
def test_loops_over_numbers(source: str, folder: Path) -> None:
    path = folder / f"program{len(list(folder.iterdir()))}.py"
    path.write_text(source)
    module = types.ModuleType(path.stem)
    module.__file__ = str(path)
    exec(compile(source, str(path), "exec"), module.__dict__)
    try:
        compiled = ingot.script(module.generated)
    except ingot.Error as error:
        assert "64 bits" in error.message, source
        return  # a constant does not fit
    python = oracle(source, path)
    for inputs in INPUTS:
        expected, actual = outcome(python, *inputs), outcome(compiled, *inputs)
        assert agree(expected, actual), f"{source}\n{expected!r}\n{actual!r}\n{compiled.graph}"
        if isinstance(actual, ingot.Error):
            line = re.search(r"program\d+\.py:(\d+)", actual.location)
            assert line is not None, actual
            assert int(line[1]) == raised_line(expected), f"{source}\n{expected!r}\n{actual}"
