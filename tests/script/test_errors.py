"""Mistakes: every one of a function at once, with its line, its types and what to write."""

import pytest
import torch
from torch import Tensor, nn

import ingot


def error_of(target) -> str:
    with pytest.raises(ingot.Error) as caught:
        ingot.script(target)
    text = str(caught.value)
    assert "Traceback" not in text and "compiler failed" not in text
    return text


def five_mistakes(x: Tensor, n: int):
    if n > 3:
        y = x
    a = x.flor()
    b = undefined + 1  # noqa: F821
    c = "a" + n
    d = torch.nosuch(x)
    return y + a + b + c + d


def test_all_mistakes_of_a_function_at_once():
    text = error_of(five_mistakes)
    assert "five_mistakes has 5 mistakes" in text
    assert "a Tensor has no attribute flor; did you mean floor?" in text
    assert '    c = "a" + n\n        ^^^^^^^\n' in text
    assert "the name undefined is not defined" in text
    assert "y is given a value in one branch of line 19 only" in text
    assert "test_errors.py:22:9 in five_mistakes" in text


def of_optional(x: Tensor | None):
    return x + 1


def test_optional():
    text = error_of(of_optional)
    assert "an Optional[Tensor] + the int 1" in text
    assert "hint: check the Optional value with `is not None` first" in text


def loop_changes_type(n: int):
    x = 1
    for _ in range(n):
        x = torch.ones(2)
    return x


def test_a_loop_that_changes_a_type():
    assert "x is int before the loop" in error_of(loop_changes_type)


def two_results(x: Tensor, n: int):
    if n:
        return x
    return n


def test_results_of_two_types():
    assert "the result is Tensor in one branch" in error_of(two_results)


def helper(x, k):
    return x.relu(k, k)


def calls_helper(x: Tensor):
    return helper(x, 3)


def test_a_mistake_in_a_callee_shows_the_call():
    text = error_of(calls_helper)
    assert "return x.relu(k, k)" in text
    assert "called from test_errors.py" in text and "return helper(x, 3)" in text


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(2, 2)])

    def forward(self, x: Tensor):
        self.new = None
        y = self.layers[0](x)
        return self.nothing(y)


def test_modules():
    text = error_of(Model())
    assert "has no attribute new before forward runs" in text
    assert "set self.new in __init__" in text
    assert "has no attribute nothing" in text


def context(x: Tensor):
    with open("file"):
        return x


def generator(n: int):
    yield n


async def asynchronous(n: int):
    return n


def unknown_annotation(x: list):
    return x


def wrong_annotation(n: int) -> int:
    z: int = 3.5
    return n + z


def recursive(n: int):
    return recursive(n - 1)


def empty_list(n: int) -> int:
    total = 0
    for each in []:
        total += each
    return total


@ingot.ignore
def python_only(x):
    return x


def calls_python_only(x: Tensor):
    return python_only(x)


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (context, "with open('file') cannot be compiled"),
        (generator, "generator is a generator"),
        (asynchronous, "asynchronous is an async function"),
        (unknown_annotation, "list without element types"),
        (wrong_annotation, "z is declared as int but is given the float 3.5"),
        (recursive, "its result type must be annotated"),
        (calls_python_only, "marked to be left out of the program"),
        (len, "ingot.script takes a module or a Python function"),
        (nn.Linear, "pass an instance of the module, not its class"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_unsupported(function, sentence):
    assert sentence in error_of(function)


def test_without_source():
    scope: dict = {}
    exec("def typed_in(x):\n    return x", scope)
    text = error_of(scope["typed_in"])
    assert "the source of the function typed_in is not available" in text
    assert "define it in a file" in text


class NoModuleYet(nn.Module):
    def __init__(self):
        self.size = 2


def yields(n: int):
    yield n


def test_the_line_is_shown_where_nothing_was_compiled():
    assert "    def yields(n: int):\n    ^^^" in error_of(yields)
    text = error_of(NoModuleYet())
    assert "test_errors.py" in text
    assert "write super().__init__() first" in text


def test_lists_of_lists_want_an_annotation():
    def listed(x: Tensor):
        return x.tolist()

    compiled = ingot.script(listed)
    assert compiled(torch.tensor([1, 2])) == [1, 2]
    with pytest.raises(ingot.Error, match=r"annotate its result, for example values"):
        compiled(torch.ones(2, 2))
