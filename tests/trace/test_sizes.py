"""Free sizes, fixed sizes and conditions on sizes."""

from __future__ import annotations

import math

import pytest
import torch
import torch.onnx.operators
from torch import nn
from torch.nn import functional as F

import ingot
import ingot.capture.trace
from ingot.capture.decompositions import OWN
from ingot.capture.shapes import read_shapes


def check(module, function, *inputs):
    torch.testing.assert_close(module(*inputs), function(*inputs), equal_nan=True)


class SimpleModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(10, 20)
        self.fc2 = nn.Linear(20, 5)

    def forward(self, x):
        return self.fc2(torch.relu(self.fc1(x)))


def test_a_batch_of_one_leaves_the_batch_free():
    model = SimpleModel()
    module = ingot.trace(model, torch.randn(1, 10))
    assert [p.type for p in module.inputs()] == ["f32[s0, 10]"]
    for batch in (0, 1, 2, 8, 1000):
        check(module, model, torch.randn(batch, 10))


def test_a_size_that_the_model_fixes_names_input_dimension_and_line():
    module = ingot.trace(SimpleModel(), torch.randn(1, 10))
    with pytest.raises(ingot.GuardError, match="'x' must have size 10 in dimension 1") as caught:
        module(torch.randn(2, 11))
    assert "test_sizes.py" in caught.value.location
    assert "self.fc1(x)" in caught.value.location


@pytest.mark.parametrize(
    ("function", "example", "others"),
    [
        (lambda x: x.view(x.shape[0], -1), (2, 3, 4), [(1, 3, 4), (5, 1, 2), (3, 7, 1)]),
        (lambda x: x[:, : x.shape[1] // 2], (1, 4), [(3, 5), (2, 1), (17, 0)]),
        (lambda x: x * x.shape[0] + x.shape[1], (1, 4), [(3, 5), (0, 1)]),
        (lambda x: x[: round(x.shape[0] * 0.3)], (4,), [(0,), (5,), (17,)]),
        (lambda x: x[: math.ceil(x.shape[0] * 0.3)], (4,), [(0,), (1,), (17,)]),
        (lambda x: torch.cat([x, x]).reshape(2, -1), (4,), [(1,), (3,), (17,)]),
        (lambda x: x.repeat(2, x.shape[0]), (3, 2), [(1, 1), (2, 3)]),
        (lambda x: torch.arange(x.shape[0]) + x.sum(1), (3, 2), [(1, 1), (17, 3)]),
        (lambda x: x @ x.transpose(-1, -2), (1, 3, 2), [(2, 1, 1), (3, 4, 5)]),
    ],
)
def test_functions_of_sizes_generalise(function, example, others):
    module = ingot.trace(function, torch.randn(example))
    for shape in others:
        check(module, function, torch.randn(shape))


def test_formulas_of_sizes_do_not_grow_with_depth(monkeypatch):
    longest = 0

    def measured(captured):
        nonlocal longest
        for node in captured.exported.graph.nodes:
            for size in getattr(node.meta.get("val"), "shape", ()):
                if isinstance(size, torch.SymInt):
                    longest = max(longest, len(str(size.node.expr)))
        return read_shapes(captured)

    monkeypatch.setattr(ingot.capture.trace, "read_shapes", measured)
    layers = [nn.Conv2d(1, 1, 3, 2, 1) for _ in range(3)]
    layers += [nn.Conv2d(1, 1, 2, 1, 1), nn.MaxPool2d(2, 2), nn.Upsample(scale_factor=3)] * 3
    model = nn.Sequential(*layers).eval()
    module = ingot.trace(model, torch.randn(1, 1, 40, 50))
    assert 0 < longest < 40
    for sizes in ((2, 1, 40, 50), (1, 1, 33, 97), (3, 1, 64, 41)):
        check(module, model, torch.randn(sizes))


def test_conditions_on_named_sizes_are_on_the_inputs():
    def function(x):
        for _ in range(3):
            x = F.avg_pool2d(x, 2, ceil_mode=True)
        return x.reshape(x.shape[0], -1, x.shape[2] // 2, 2, x.shape[3]) if x.shape[3] > 4 else x

    module = ingot.trace(function, torch.randn(1, 2, 30, 50))
    for sizes in ((2, 2, 32, 41), (1, 3, 13, 100)):
        check(module, function, torch.randn(sizes))
    with pytest.raises(ingot.GuardError, match="at least 33 in dimension 3"):
        module(torch.randn(2, 2, 32, 30))
    with pytest.raises(ingot.GuardError, match=r"x\.shape\[2\]"):
        module(torch.randn(2, 2, 8, 50))


def test_a_python_loop_over_a_dimension_fixes_it():
    module = ingot.trace(lambda x: sum(x[:, i] for i in range(x.shape[1])), torch.ones(1, 4))
    assert module(torch.ones(3, 4)).tolist() == [4.0] * 3
    with pytest.raises(ingot.GuardError, match="size 4 in dimension 1") as caught:
        module(torch.ones(3, 5))
    assert "range(x.shape[1])" in caught.value.location


def test_divisibility_is_a_guard():
    module = ingot.trace(lambda x: x.view(x.shape[0], 2, -1), torch.randn(1, 4))
    assert module(torch.randn(3, 6)).shape == (3, 2, 3)
    with pytest.raises(ingot.GuardError, match="% "):
        module(torch.randn(3, 5))


def test_a_branch_on_a_size_is_a_range():
    module = ingot.trace(lambda x: x * 2 if x.shape[0] > 3 else x * 3, torch.ones(1, 2))
    assert module(torch.ones(3, 2)).sum() == 18
    with pytest.raises(ingot.GuardError, match="dimension 0"):
        module(torch.ones(4, 2))


def test_a_branch_on_two_sizes_is_a_guard():
    def function(x, y):
        return x * 2 if x.shape[0] > y.shape[1] else x * 3

    module = ingot.trace(function, (torch.ones(1, 4), torch.ones(3, 3)))
    check(module, function, torch.ones(2, 5), torch.ones(1, 2))
    with pytest.raises(ingot.GuardError, match=r"x.shape\[0\] <= y.shape\[1\]"):
        module(torch.ones(3, 5), torch.ones(1, 2))


def test_sizes_that_must_be_equal():
    module = ingot.trace(lambda x, y: x + y, (torch.ones(3, 4), torch.ones(3, 4)))
    assert module(torch.ones(1, 2), torch.ones(1, 2)).shape == (1, 2)
    with pytest.raises(ingot.GuardError):
        module(torch.ones(2, 4), torch.ones(3, 4))


def test_broadcasting_of_the_example_is_kept():
    module = ingot.trace(lambda x, y: x + y, (torch.ones(1, 4), torch.ones(5, 4)))
    assert module(torch.ones(1, 3), torch.ones(7, 3)).shape == (7, 3)
    with pytest.raises(ingot.GuardError, match="size 1 in dimension 0"):
        module(torch.ones(7, 3), torch.ones(7, 3))


def test_a_branch_for_one_is_not_taken_for_others():
    def function(x):
        return x.squeeze(0) + 1 if x.shape[0] == 1 else x * 2

    one = ingot.trace(function, torch.ones(1, 4))
    many = ingot.trace(function, torch.ones(3, 4))
    check(one, function, torch.ones(1, 7))
    check(many, function, torch.ones(2, 7))
    for module, batch in ((one, 2), (many, 1)):
        with pytest.raises(ingot.GuardError):
            module(torch.ones(batch, 7))


TAKING_SIZES = {
    "linspace": lambda x: torch.linspace(0, x.shape[0] - 1, x.shape[0]),
    "linspace of a part": lambda x: torch.linspace(1 / x.shape[0], 1, steps=x.shape[1]),
    "linspace in f64": lambda x: torch.linspace(-1, 1, x.shape[0], dtype=torch.float64),
    "logspace": lambda x: torch.logspace(0, 1, x.shape[0], base=2.0),
    "max_pool1d": lambda x: F.max_pool1d(x, 2),
    "max_pool1d, overlapping": lambda x: F.max_pool1d(x[None], 3, 2, 1, ceil_mode=True),
    "max_pool1d with places": lambda x: F.max_pool1d(x[None], 2, return_indices=True),
    "one_hot": lambda x: F.one_hot(x.argmax(1), x.shape[1]),
    "affine_grid": lambda x: F.affine_grid(
        torch.arange(6.0).view(1, 2, 3), (1, 1, *x.shape), align_corners=False
    ),
    "affine_grid, corners": lambda x: F.affine_grid(
        torch.arange(12.0).view(1, 3, 4), (1, 1, 1, *x.shape), align_corners=True
    ),
    "kron": lambda x: torch.kron(x, x[0]),
    "cov": lambda x: torch.cov(x),
    "corrcoef": lambda x: torch.corrcoef(x),
    "fftfreq": lambda x: torch.fft.fftfreq(x.shape[0], 0.5),
    "rfftfreq": lambda x: torch.fft.rfftfreq(x.shape[1]),
    "fill_diagonal_": lambda x: x.clone().fill_diagonal_(2.0),
    "windows": lambda x: x[:, :2] * torch.kaiser_window(2) + torch.hamming_window(2),
}


@pytest.mark.parametrize("function", TAKING_SIZES.values(), ids=TAKING_SIZES)
def test_functions_that_take_sizes_for_numbers(function):
    torch.manual_seed(0)
    module = ingot.trace(function, (torch.randn(6, 4),))
    for sizes in ((8, 6), (9, 5), (5, 9)):
        x = torch.randn(sizes)
        torch.testing.assert_close(module(x), function(x))


@pytest.mark.parametrize("parts", ["a number", "half"])
def test_the_number_of_parts_of_a_split_is_guarded(parts):
    def function(x):
        return x.split(2 if parts == "a number" else x.shape[0] // 2)[1]

    module = ingot.trace(function, (torch.randn(4, 3),))
    x = torch.randn(4, 5)
    assert torch.equal(module(x), function(x))
    with pytest.raises(ingot.GuardError, match="aten::split was traced"):
        module(torch.randn(7, 3))


def test_a_generator_that_is_none_leaves_sizes_free():
    def draw(x):
        drawn = torch.rand(x.shape, generator=None), torch.randint(0, 5, x.shape, generator=None)
        return *drawn, torch.randperm(x.shape[0], generator=None)

    module = ingot.trace(draw, (torch.zeros(4, 2),))
    x = torch.zeros(3, 5)
    torch.manual_seed(1)
    expected = draw(x)
    ingot.manual_seed(1)
    for found, want in zip(module(x), expected, strict=True):
        assert torch.equal(found, want)


def test_squeeze_answers_as_eager_at_one():
    for example in (1, 4):
        module = ingot.trace(lambda x: x.squeeze(0) * 2, torch.ones(example, 3))
        assert module(torch.ones(1, 3)).shape == (3,)
        assert module(torch.ones(2, 3)).shape == (2, 3)


@pytest.mark.parametrize(
    "function", [lambda x: x * len(str(x.shape[0])), lambda x: x * isinstance(x.shape[0], int)]
)
def test_python_that_sees_a_symbol_instead_of_a_size_fixes_sizes(function):
    module = ingot.trace(function, torch.ones(4))
    check(module, function, torch.ones(4))
    with pytest.raises(ingot.GuardError):
        module(torch.ones(11))


def test_dynamic_false_fixes_every_size():
    module = ingot.trace(lambda x: x * 2, torch.ones(2, 3), dynamic=False)
    assert module(torch.ones(2, 3)).shape == (2, 3)
    with pytest.raises(ingot.GuardError):
        module(torch.ones(1, 3))


@pytest.mark.parametrize("dynamic", [{"x": [0]}, ([-2],)])
def test_dynamic_names_the_free_dimensions(dynamic):
    module = ingot.trace(lambda x: x * 2, torch.ones(2, 3), dynamic=dynamic)
    assert module(torch.ones(5, 3)).shape == (5, 3)
    with pytest.raises(ingot.GuardError, match="dimension 1"):
        module(torch.ones(2, 4))


@pytest.mark.parametrize("dynamic", [{"y": True}, {"x": [2]}])
def test_dynamic_is_checked(dynamic):
    with pytest.raises(ingot.Error, match="dynamic"):
        ingot.trace(lambda x: x * 2, torch.ones(2, 3), dynamic=dynamic)


def test_splits_need_their_number_of_parts():
    module = ingot.trace(lambda x: x.chunk(2)[1], torch.ones(4, 2))
    assert module(torch.ones(5, 2)).shape == (2, 2)
    with pytest.raises(ingot.Error):
        module(torch.ones(1, 2))


def test_a_branch_that_all_small_sizes_take_stays_a_guard():
    def function(x):
        windows = x.shape[0] // 4
        return x * 2 if windows + (4 - windows % 4) % 4 <= 4 else x * 3

    module = ingot.trace(function, torch.randn(8))
    for size in (4, 8, 16, 19):
        check(module, function, torch.randn(size))
    with pytest.raises(ingot.GuardError, match=r"must satisfy .*x.shape\[0\]"):
        module(torch.randn(20))


def test_questions_about_memory_layout_do_not_bound_sizes():
    def function(x):
        height = x.shape[1] // 4
        return x[:, : height + (2 - height % 2) % 2].contiguous().view(x.shape[0], -1) + 1

    module = ingot.trace(function, torch.randn(3, 4))
    for shape in ((3, 4), (1, 7), (3, 13), (5, 20)):
        check(module, function, torch.randn(shape))


class Spectral(nn.Module):
    """A layer of a Fourier neural operator: as many frequencies as kept, at any size."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 3, 4, 3, dtype=torch.complex64))

    def forward(self, x):
        spectrum = torch.fft.rfft2(x)
        kept = torch.einsum("bihw,iohw->bohw", spectrum[..., :4, :3], self.weight)
        wide = spectrum.new_zeros(spectrum.shape)
        wide[..., :4, :3] = kept
        return torch.fft.irfft2(wide, s=(x.shape[-2], x.shape[-1]))


def test_sizes_of_fourier_transforms_are_free():
    model = Spectral()
    module = ingot.trace(model, torch.randn(2, 3, 8, 6))
    for sizes in ((1, 3, 8, 6), (4, 3, 9, 7), (2, 3, 16, 5)):
        check(module, model, torch.randn(sizes))
    line = ingot.trace(lambda x: torch.fft.irfft(torch.fft.rfft(x), n=x.shape[-1]), torch.randn(9))
    for size in (8, 9, 11):
        x = torch.randn(size)
        torch.testing.assert_close(line(x), x)


def test_offsets_that_the_check_makes_do_not_descend():
    model = nn.EmbeddingBag(10, 4, mode="mean")
    example = torch.randint(0, 10, (7,)), torch.tensor([0, 3, 5])
    module = ingot.trace(model, example)
    for offsets in ([0, 8], [0, 0, 2, 9]):
        check(module, model, torch.randint(0, 10, (9,)), torch.tensor(offsets))


def test_sizes_of_folded_blocks_are_free():
    def smoothed(x):
        columns = F.unfold(x, (3, 2), padding=1, stride=2)
        return F.fold(columns, x.shape[-2:], (3, 2), padding=1, stride=2)

    module = ingot.trace(smoothed, torch.randn(1, 2, 6, 7))
    for sizes in ((1, 2, 6, 7), (3, 4, 5, 9)):
        check(module, smoothed, torch.randn(sizes))
    flat = ingot.trace(smoothed, torch.randn(2, 6, 7))
    check(flat, smoothed, torch.randn(2, 9, 8))


def test_sizes_that_the_steps_of_an_op_take_for_granted_are_checked(monkeypatch):
    def flipped(x):
        return x.flip(1) if x.shape[0] > 3 else x

    monkeypatch.setitem(OWN, torch.ops.aten.fliplr.default, flipped)
    module = ingot.trace(torch.fliplr, torch.randn(5, 3), check=False)
    check(module, torch.fliplr, torch.randn(4, 2))
    with pytest.raises(ingot.GuardError, match=r"aten::fliplr was traced for sizes with"):
        module(torch.randn(2, 3))


class Padded(nn.Module):
    def forward(self, x):
        parts = x.shape[1] / 4
        if parts.is_integer():
            return x
        return F.pad(x, (0, math.ceil(parts) * 4 - x.shape[1]))


def test_a_quotient_of_sizes_that_must_be_whole_or_not():
    model = Padded()
    for example, right, wrong in ((8, (4, 12), 5), (6, (3, 5, 9), 8)):
        module = ingot.trace(model, torch.randn(2, example))
        for size in right:
            check(module, model, torch.randn(2, size))
        with pytest.raises(ingot.GuardError, match=r"x\.shape\[1\] / 4"):
            module(torch.randn(2, wrong))


class Cropped(nn.Module):
    def forward(self, x):
        start = (x.shape[1] - 4) // 2
        return torch.relu(x[:, start : start + 4]), torch.onnx.operators.shape_as_tensor(x)


def test_a_slice_whose_bounds_have_the_sign_that_the_example_gives_them():
    model = Cropped()
    for example, right, wrong in ((9, (4, 5, 12), 3), (3, (1, 2, 3), 7)):
        module = ingot.trace(model, torch.randn(2, example))
        for size in right:
            check(module, model, torch.randn(2, size))
        with pytest.raises(ingot.GuardError, match="'x' must have a size of at"):
            module(torch.randn(2, wrong))
