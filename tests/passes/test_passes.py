"""Text in, text expected: each .ir file names its passes and holds a program before and after."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "ir"))
from torch_catalogue import call_op, torch_catalogue

from ingot.errors import Error
from ingot.ir.parser import parse
from ingot.ir.printer import print_program
from ingot.ir.verifier import verify
from ingot.passes.manager import PIPELINE, optimize, run

FILES = sorted(Path(__file__).parent.glob("*.ir"))
PASSES = {each.__name__: each for each in PIPELINE}


def normal(text: str) -> str:
    return print_program(parse(text), stacks=True)


def cases(path: Path) -> tuple[list, str, str]:
    head, _, rest = path.read_text().partition("\n")
    before, _, after = rest.partition("# becomes\n")
    names = head.removeprefix("# passes: ").split(", ")
    return [PASSES[name] for name in names], before, after


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_pass(path):
    passes, before, after = cases(path)
    program = parse(before)
    verify(program, torch_catalogue())
    reports = run(passes, program, None, True, torch_catalogue(), call_op)
    assert print_program(program, stacks=True) == normal(after)
    assert [r.name for r in reports] == [p.__name__ for p in passes]
    changed = sum(r.changes for r in reports)
    assert (changed > 0) == (normal(before) != normal(after))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_pass_can_stop_anywhere(path):
    """After any number of changes the program is valid, and the count is exact."""
    passes, before, _ = cases(path)
    total = sum(
        r.changes for r in run(passes, parse(before), None, True, torch_catalogue(), call_op)
    )
    for limit in range(total + 1):
        program = parse(before)
        reports = run(passes, program, limit, True, torch_catalogue(), call_op)
        assert sum(r.changes for r in reports) == limit


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_whole_pipeline_reaches_the_same_again(path):
    _, before, _ = cases(path)
    program = parse(before)
    optimize(program, verify_each=True, ops=torch_catalogue(), call_op=call_op)
    once = print_program(program, stacks=True)
    optimize(program, ops=torch_catalogue(), call_op=call_op)
    assert print_program(program, stacks=True) == once


def test_disabling_by_name():
    text = "graph(%x : Tensor):\n  %y : Tensor = aten::sin(%x)\n  return (%x)\n"
    program = parse(text)
    reports = optimize(program, disable=["dead_code"], ops=torch_catalogue(), call_op=call_op)
    assert "dead_code" not in [r.name for r in reports]
    assert "aten::sin" in print_program(program)
    with pytest.raises(Error, match="there is no pass 'magic'"):
        optimize(program, disable=["magic"], ops=torch_catalogue(), call_op=call_op)


def test_a_wrong_pass_is_named():
    def breaks(program, context):
        program.methods["forward"].body.outputs = []

    program = parse("graph(%x : Tensor):\n  return (%x)\n")
    with pytest.raises(Error, match="after breaks: invalid program"):
        run([breaks], program, None, True, torch_catalogue(), call_op)
