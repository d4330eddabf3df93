"""PyTorch's OpInfo samples of functions that are compositions, called from compiled code."""

from __future__ import annotations

import linecache
from typing import Any

import pytest
import torch
from tests.ops import walk

import ingot
from ingot.capture.script.decompositions import DECOMPOSITIONS

SAMPLES = 3
"""Of each function."""

AMBIGUOUS = {"linalg.eigh", "linalg.svd", "svd", "linalg.eigvals"}
"""Eigenvectors have any sign and eigenvalues any order: what they are made of is compared."""

NAMES = {name.partition("::")[2] for name in DECOMPOSITIONS} - {"istft"}


class Unwritable(Exception):
    """A sample whose arguments have no text."""


def text(value: Any, tensors: list[torch.Tensor]) -> str:
    """The argument as Python text; tensors become parameters."""
    match value:
        case torch.Tensor():
            tensors.append(value)
            return f"t{len(tensors) - 1}"
        case list():
            return "[" + ", ".join(text(each, tensors) for each in value) + "]"
        case tuple() if type(value) in (tuple, torch.Size):
            return "(" + "".join(text(each, tensors) + ", " for each in value) + ")"
        case float() if value != value or abs(value) == float("inf"):
            return f"float('{value}')"
        case bool() | int() | float() | str() | complex() | None:
            return repr(value)
        case torch.dtype():
            return str(value)
    raise Unwritable(type(value).__name__)


def function_of(info: Any, sample: Any, number: int) -> tuple[Any, list[torch.Tensor]]:
    """The sample as a function that is written out: ``return torch.name(t0, ...)``."""
    tensors: list[torch.Tensor] = []
    first = text(sample.input, tensors)
    rest = [text(each, tensors) for each in sample.args]
    rest += [f"{key}={text(each, tensors)}" for key, each in sample.kwargs.items()]
    if hasattr(torch.Tensor, info.name) and not hasattr(torch, info.name):
        call = f"{first}.{info.name}({', '.join(rest)})"
    else:
        call = f"torch.{info.name}({', '.join([first, *rest])})"
    parameters = ", ".join(f"t{i}: torch.Tensor" for i in range(len(tensors)))
    source = f"def f({parameters}):\n    return {call}\n"
    file = f"<sample {number} of {walk.title(info)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    scope: dict[str, Any] = {"torch": torch, "__name__": "samples"}
    exec(compile(source, file, "exec"), scope)
    return scope["f"], tensors


def plain_name(info: Any) -> str:
    return info.name.replace("nn.functional.", "").replace(".", "_")


@pytest.mark.parametrize(
    "info", [i for i in walk.infos() if plain_name(i) in NAMES], ids=walk.title
)
def test_samples(info: Any) -> None:
    tried = 0
    for number, sample in enumerate(walk.samples(info, torch.float32, SAMPLES)):
        try:
            function, tensors = function_of(info, sample, number)
        except Unwritable:
            continue
        with torch.no_grad():
            expected = walk.plain(function(*(t.clone() for t in tensors)))
        module = ingot.script(function).module
        found = walk.plain(module(*(t.clone() for t in tensors)))
        if info.name in AMBIGUOUS:
            assert [t.shape for t in found] == [t.shape for t in expected]
            found = [t.abs().sum() for t in found]
            expected = [t.abs().sum() for t in expected]

        def exact(function: Any = function, tensors: Any = tensors) -> list[Any]:
            return walk.plain(function(*(walk.wide(t) for t in tensors)))

        assert not walk.near(found, expected, exact)
        tried += 1
    assert tried, f"no sample of {walk.title(info)} can be written as text"


def there_and_back(x: torch.Tensor, window: torch.Tensor, length: int) -> torch.Tensor:
    spectrum = torch.stft(x, 16, hop_length=4, window=window, return_complex=True)
    return torch.istft(spectrum, 16, hop_length=4, window=window, length=length)


def test_short_time_transform_and_its_inverse():
    window = torch.hann_window(16)
    for shape in ((40,), (3, 52)):
        x = torch.randn(shape)
        expected = there_and_back(x, window, shape[-1])
        found = ingot.script(there_and_back).module(x, window, shape[-1])
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("probabilities", [False, True])
def test_cross_entropy(reduction, smoothing, weighted, probabilities):
    torch.manual_seed(0)
    x = torch.randn(3, 5, 2)
    target = torch.rand(3, 5, 2) if probabilities else torch.tensor([[0, 2], [4, 2], [1, 3]])
    loss = torch.nn.CrossEntropyLoss(
        weight=torch.rand(5) + 0.1 if weighted else None,
        ignore_index=-100 if probabilities else 2,
        reduction=reduction,
        label_smoothing=smoothing,
    )
    found = torch.from_numpy(ingot.script(loss)(x.numpy(), target.numpy()))
    torch.testing.assert_close(found, loss(x, target), rtol=1e-4, atol=1e-5)


def attention(q, k, v, mask: torch.Tensor | None, p: float, causal: bool):
    attend = torch.nn.functional.scaled_dot_product_attention
    return attend(q, k, v, mask, p, causal), attend(
        q, k[:, :2], v[:, :2], dropout_p=p, scale=0.2, enable_gqa=True
    )


@pytest.mark.parametrize("p", [0.0, 0.3])
@pytest.mark.parametrize("masked", ["none", "causal", "bool", "float"])
def test_attention_that_drops(p: float, masked: str) -> None:
    q, k, v = torch.randn(2, 4, 5, 8), torch.randn(2, 4, 7, 8), torch.randn(2, 4, 7, 8)
    mask = torch.rand(5, 7)
    given = {"bool": mask > 0.4, "float": mask}.get(masked)
    case = (q, k, v, given, p, masked == "causal")
    torch.manual_seed(3)
    expected = attention(*case)
    module = ingot.script(attention).module
    ingot.manual_seed(3)
    for one, other in zip(module(*case), expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


WINDOWS = {
    "hann": lambda n, f64: torch.hann_window(n, dtype=torch.float64 if f64 else torch.float32),
    "hamming": lambda n, f64: torch.hamming_window(n, False),
    "hamming of numbers": lambda n, f64: torch.hamming_window(n, True, 0.6, beta=0.4),
    "blackman": lambda n, f64: torch.blackman_window(n, periodic=f64),
    "bartlett": lambda n, f64: torch.bartlett_window(n, f64),
    "kaiser": lambda n, f64: torch.kaiser_window(n, f64, 8.0),
    "fftfreq": lambda n, f64: torch.fft.fftfreq(n + 1, 0.5),
    "rfftfreq": lambda n, f64: torch.fft.rfftfreq(n + 1, d=2.0, dtype=torch.float64),
    "vander": lambda n, f64: torch.vander(torch.arange(4.0), n, increasing=f64),
}


@pytest.mark.parametrize("function", WINDOWS.values(), ids=WINDOWS)
@pytest.mark.parametrize("f64", [False, True])
def test_windows_whose_length_the_program_computes(function: Any, f64: bool) -> None:
    namespace = {"function": function, "torch": torch}
    source = "def of_length(x: torch.Tensor):\n    return function(x.size(0), %s)\n" % f64
    linecache.cache["<window>"] = (len(source), None, source.splitlines(True), "<window>")
    exec(compile(source, "<window>", "exec"), namespace)
    module = ingot.script(namespace["of_length"]).module
    for length in (0, 1, 2, 7, 16):
        found = module(torch.zeros(length))
        torch.testing.assert_close(found, function(length, f64), rtol=1e-5, atol=1e-6)
