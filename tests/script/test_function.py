"""ScriptFunction: how it is called, and what it shows."""

import pytest
import torch
from torch import Tensor

import ingot
from ingot.capture.script import capturing


@ingot.script
def scaled(x: Tensor, factor: float = 2.0) -> Tensor:
    """Scales, but only what is positive."""
    if x.sum() > 0:
        return x * factor
    return x


def test_is_the_function_it_wraps():
    assert scaled.__name__ == "scaled" and "positive" in scaled.__doc__
    assert scaled.python_function(torch.ones(2)).tolist() == [2.0, 2.0]
    assert list(scaled.program.methods) == ["forward"]
    assert "prim::If" in scaled.graph and "if" in scaled.code


def test_runs_the_program():
    assert scaled(torch.ones(2)).tolist() == [2.0, 2.0]
    assert scaled(-torch.ones(2), factor=3.0).tolist() == [-1.0, -1.0]


def test_gradients_go_through_python():
    x = torch.ones(2, requires_grad=True)
    scaled(x, 4.0).sum().backward()
    assert x.grad.tolist() == [4.0, 4.0]
    with torch.no_grad():
        assert not scaled(x).requires_grad


def test_calls_can_be_taken_over():
    seen = []

    def take_over(function, args, kwargs):
        seen.append((function, len(args), sorted(kwargs)))
        return "taken"

    token = capturing.set(take_over)
    try:
        assert scaled(torch.ones(1), factor=1.0) == "taken"
    finally:
        capturing.reset(token)
    assert seen == [(scaled, 1, ["factor"])]


def caller(x: Tensor) -> Tensor:
    return scaled(x, 3.0) + scaled(x)


def test_script_functions_call_each_other():
    assert ingot.script(caller)(torch.ones(1)).tolist() == [5.0]


def test_saves(tmp_path):
    scaled.save(tmp_path / "f.ingot")
    assert ingot.load(tmp_path / "f.ingot")(torch.ones(2)).tolist() == [2.0, 2.0]


def test_script_of_a_script_is_itself():
    assert ingot.script(scaled) is scaled


def only_in_python(x: Tensor) -> Tensor:
    if not torch.jit.is_scripting():
        x = torch.tensor(x.detach().numpy())
    return x + 1


def test_is_scripting():
    assert ingot.script(only_in_python)(torch.ones(1)).tolist() == [2.0]


@ingot.unused
def left_out(x: Tensor) -> Tensor:
    return torch.tensor(x.numpy())


def calls_left_out(x: Tensor, flag: bool) -> Tensor:
    return left_out(x) if flag else x


def test_unused_raises_when_it_is_called():
    compiled = ingot.script(calls_left_out)
    assert compiled(torch.ones(1), False).tolist() == [1.0]
    with pytest.raises(ingot.Error, match="unused"):
        compiled(torch.ones(1), True)


def raises_deep_inside(values: list[int], k: int) -> int:
    return pick(values, k) + 1


def pick(values: list[int], k: int) -> int:
    return values[k]


def test_a_failing_run_shows_the_line_and_its_callers():
    with pytest.raises(ingot.Error) as caught:
        ingot.script(raises_deep_inside)([1, 2], 5)
    text = str(caught.value)
    assert "return values[k]" in text and "return pick(values, k) + 1" in text


def test_every_node_has_its_line():
    program = ingot.script(caller).program
    for node in program.methods["forward"].body.walk():
        assert node.source is not None and node.source.file == "test_function.py"
        assert node.source.line > 0 and node.source.text
