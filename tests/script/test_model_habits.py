"""What ordinary model code does: types that change, numpy, old constructors, own gradients."""

from __future__ import annotations

import copy
import logging
import math
import warnings
from typing import Any, TypeVar

import numpy as np
import pytest
import torch
import torch.onnx.operators
from agreement import agree, check, outcome
from torch import Tensor, nn
from torch.autograd import Variable
from torch.nn import functional as F

import ingot

X = torch.linspace(-1, 1.5, 8).reshape(2, 4)


def same(module: nn.Module, *calls: tuple[Any, ...]) -> None:
    compiled = ingot.script(module)
    with torch.no_grad():
        for call in calls:
            expected, found = outcome(copy.deepcopy(module), *call), outcome(compiled, *call)
            assert agree(expected, found), f"{expected!r} became {found!r}\n{compiled.graph}"


class Changing(nn.Module):
    def forward(self, x, mask=None, pair: bool = False):
        if mask is None:
            mask = 1
        if pair:
            out = (x, x * mask)
        else:
            out = x * mask
        scale = x.shape[0] if x.shape[1] > 3 else x.sum()
        if isinstance(out, tuple):
            out = out[0] + out[1]
        return out * scale


def test_an_if_gives_a_variable_two_types():
    same(Changing(), (X,), (X, X), (X, None, True), (X, X, True), (X[:, :2], X[:, :2]))


def nested(x: Tensor, y: int) -> Tensor:
    if y > 2:
        if y > 4:
            s = (1, 2)
        else:
            s = 3
    else:
        s = [1.5]
    for _ in range(y):
        x = x + 1
    if y == 1:
        return x
    return x + s if isinstance(s, int) else x * s[0]


def test_ifs_inside_ifs_give_a_variable_three_types():
    check(nested, *((X, k) for k in range(7)))


def same_question(x: Tensor) -> Tensor:
    d = x.size(1)
    if d > 3:
        rest = x[:, 3:]
        x = x[:, :3]
    x = x * 2
    if d > 3:
        x = torch.cat([x, rest], 1)
    return x


def other_question(x: Tensor, n: int) -> Tensor:
    if n > 3:
        f = x
    if n > 1:
        x = x + f
    return x


def test_a_variable_is_given_and_read_under_conditions():
    check(same_question, (X,), (X[:, :2],))
    check(other_question, (X, 1), (X, 2), (X, 4))


def begins_with_none(x: Tensor) -> Tensor:
    h = None
    for i in range(3):
        if i == 0:
            first = x * 2
        first = first + i
        h = (x, first) if h is None else [h[0] + 1, h[1] * 2]
    return h[0] + h[1]


def test_a_loop_is_written_out_where_its_variables_change():
    check(begins_with_none, (X,))


class Scaled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, k):
        ctx.save_for_backward(x)
        ctx.k = k
        return x.round() * ctx.k

    @staticmethod
    def backward(ctx, g):
        return g, None


class Static(nn.Module):
    @staticmethod
    def forward(x, scale: float = 2.0):
        return x * scale


def test_a_static_forward():
    same(Static(), (X,), (X, 3.0))
    same(nn.Sequential(Static(), nn.ReLU()), (X,))


class OwnGradient(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scaled = Scaled.apply

    def forward(self, x):
        x.requires_grad = False
        return self.scaled(x, 2) + Scaled.apply(x, 3)


def test_functions_with_their_own_gradient():
    same(OwnGradient(), (X,))


T = TypeVar("T")


class Numpy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.mean = np.array([1.0, 2.0, 3.0, 4.0], dtype=np.float32)
        self.root = np.sqrt(3)

    def forward(self, x: T, *others, **options) -> T:
        order = torch.from_numpy(np.array([[1, 0], [2, 3]], dtype=np.float32))
        for k in range(order.shape[0]):
            order[k] = order[k] + k
        eye = torch.tensor(np.eye(4).flatten()[:4] * 2, dtype=torch.float32)
        width = int(np.sqrt(x.shape[1]))
        return order, x + eye * self.root + torch.from_numpy(self.mean) + width * np.pi, others


def sorts_an_array(x: Tensor) -> Tensor:
    a = np.array([3.0, 1.0])
    a.sort()
    return x * a[0]


def changed_list(x: Tensor) -> Tensor:
    numbers = [1.0, 2.0]
    numbers.append(x.size(0) * 1.0)
    return x * torch.from_numpy(np.array(numbers)).sum()


def test_numpy_of_what_is_known():
    same(Numpy(), (X,), (X,))
    with pytest.raises(ingot.Error, match="read-only"):
        ingot.script(sorts_an_array)
    with pytest.raises(ingot.Error, match=r"known while compiling, not a List\[float\]"):
        ingot.script(changed_list)


def old_ways(x: Tensor) -> tuple[Tensor, ...]:
    v = Variable(torch.FloatTensor([1, 2, 3, 4]), requires_grad=False)
    if torch.cuda.is_available():
        v = v.cuda()
    m = (torch.eye(3) + 0.1).fill_diagonal_(4.0)
    return v + x, torch.LongTensor([1]), x.new(2, 3).zero_(), x.new([1, 2]), torch.inverse(m)


def checked(x: Tensor) -> Tensor:
    torch._assert_async((x < 2).all(), "too large")
    return torch.zeros(2, dtype=torch.promote_types(x.dtype, torch.float32)) + x.size(0)


def functions(x: Tensor) -> tuple[Tensor, ...]:
    theta = torch.tensor([[[1.0, 0.2, 0.1], [0.0, 1.3, 0.0]]])
    grid = F.affine_grid(theta, [1, 1, 3, 4], align_corners=False)
    corners = F.affine_grid(theta, torch.Size((1, 1, 3, 4)), align_corners=True)
    infinite = torch.diag(torch.tensor(math.inf).repeat(3))
    crossed = torch.cross(x[:, :3].t(), x[:, 1:].t())
    far = F.pairwise_distance(x, x + 1, p=math.inf)
    return grid, corners, infinite, crossed, far, torch.hann_window(4), torch.fft.rfftfreq(4)


def test_old_constructors_and_functions():
    check(old_ways, (X,))
    check(checked, (X,), (X.double(),), (X.long(),), (X + 3,))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.cross without dim
        check(functions, (X,))


class Resized(nn.Module):
    def forward(self, x, factor: int):
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        x = F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=True)
        return nn.ReLU(inplace=True)(x) + nn.Softmax(dim=1)(x) + nn.L1Loss()(x, x + 1)


def test_whole_factors_and_modules_made_where_they_are_used():
    same(Resized(), (torch.randn(2, 3, 4, 5), 2))


class Optional_(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.condition = None

    def forward(self, x, size=None, g=None, m=None):
        if size is None:
            a = b = int(math.sqrt(x.numel()))
        else:
            a, b = size.height, size.width
        if g is not None:
            x = x + self.condition(g)
        return x + a + b if m is None else x + a - b + m


def test_an_input_is_none_where_a_tensor_cannot_be_compiled():
    with pytest.warns(UserWarning, match="size of forward, g of forward can only be None"):
        compiled = ingot.script(Optional_())
    for call in ((X,), (X, None, None, X)):
        assert agree(Optional_()(*call), compiled(*call))
    with pytest.raises(ingot.Error, match="input 'size' must be None"):
        compiled(X, X)


def broken(x: Tensor):
    return x.no_such_method()


class CompiledTwice(nn.Module):
    """The loop is first compiled as one, then written out."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.ReLU(), nn.Linear(4, 4)])

    def forward(self, x):
        for i in range(2):
            y = broken(x)
            z = x
            if i == 1:
                z = [x]
            x = self.layers[i](z[0] + y)
        return x


def test_a_mistake_in_a_function_compiled_twice_stays():
    with pytest.raises(ingot.Error, match="no_such_method"):
        ingot.script(CompiledTwice())


class KeptObjects(nn.Module):
    def __init__(self):
        super().__init__()
        self.order = np.array([2, 0, 3, 1])
        self.chosen = np.array([True, False, True, False])
        self.numbers = range(1, 4)
        self.part = slice(1, None)

    def forward(self, x):
        for i in self.numbers:
            x = x * i
        return x[:, self.order], x[..., self.chosen], x[:, self.part], list(self.numbers)[-1]


def test_arrays_ranges_and_slices_that_a_module_keeps():
    same(KeptObjects(), (X,))


class Zipped(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))

    def forward(self, x):
        found = [layer(row) for layer, row in zip(self.layers, x)]
        for i, (row, layer) in enumerate(zip(x, self.layers)):
            if row.sum() > 50:
                return found, i
            found.append(layer(row) * i)
        return found, -1


def test_the_shorter_of_a_tensor_and_a_list_of_modules_ends_a_zip():
    same(Zipped(), (X,), (X[:0],), (X[:1],), (torch.cat([X, X]),), (X + torch.tensor([[0], [60]]),))


def test_many_modules_that_assign_their_weights():
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore", FutureWarning)
        layers = [torch.nn.utils.weight_norm(nn.Linear(4, 4)) for _ in range(80)]
    same(nn.Sequential(*layers), (X,))


class ChoosesFunctions(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 4), nn.Tanh()])

    def forward(self, x, way: int, place: Tensor):
        if way == 0:
            act = torch.relu
        elif way == 1:
            act = self.layers[0]
        else:
            act = lambda t: t * way  # noqa: E731
        for _ in range(way + 1):
            x = act(x)
        return self.layers[place](x), str.upper("a"), str(act) != ""


def test_a_function_that_a_branch_chooses():
    same(ChoosesFunctions(), *((X, way, torch.tensor(way % 2)) for way in range(4)))


def first_function(x, act):
    for _ in range(x.size(0)):
        x = act(x)
        act = torch.cos
    return act(x)


class ChangesFunctions(nn.Module):
    def forward(self, x):
        return first_function(x, torch.relu)


def test_a_loop_that_changes_which_function_a_variable_is():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        same(ChangesFunctions(), (X,), (X[:0],), (X[:1],))

    def swaps(x: Tensor, count: int) -> Tensor:
        acts = (torch.relu, torch.cos)
        while count > 0:
            x = acts[0](x)
            acts = (acts[1], acts[0])
            count -= 1
        return acts[0](x)

    with pytest.raises(ingot.Error, match="acts is the tuple .* before the loop"):
        ingot.script(swaps)


class KeywordDicts(nn.Module):
    def options(self, x, **options):
        same_dict = options
        options["a"] = 1
        options.setdefault("c", x)
        same_dict.update(d=2)
        del options["d"]
        low, size = options.pop("low", 0), len(options)
        return x * options.get("b", 3) + low, "d" in same_dict, size, options["a"]

    def forward(self, x):
        return self.options(x, b=2, low=1), self.options(x)


class TriesKeywords(nn.Module):
    def options(self, x, **options):
        try:
            options["a"] = x * 2
            options["a"] = x.view(3, 3)
        except RuntimeError:
            return options["a"]
        return x

    def forward(self, x):
        return self.options(x)


def test_keyword_arguments_that_are_changed():
    same(KeywordDicts(), (X,))
    with pytest.raises(ingot.Error, match="known while compiling and cannot be changed"):
        ingot.script(TriesKeywords())


class NumbersOfNumpy(nn.Module):
    def forward(self, x):
        size = x.shape[1]
        count = 5 * np.ceil(np.log(size)).astype("int").item()
        part = np.sqrt(size).astype(np.int64)
        known = np.ceil(np.log(7)).astype(int)
        return x[:, :part] * count, np.sqrt(size).item(), known.item(), float(np.sqrt(size))


def test_methods_of_numbers_of_numpy():
    same(NumbersOfNumpy(), (X,), (X[:, :2],))


class Talks(nn.Module):
    def forward(self, x):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            y = x * 2
        LOGGER.debug("twice %s", x.shape)

        @torch.no_grad()
        def half(t):
            return t / 2

        return half(y)


LOGGER = logging.getLogger(__name__)


def test_warnings_and_logs_and_decorators_without_effect():
    same(Talks(), (X,))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = nn.ModuleList()
        for _ in range(3):
            level = nn.Module()
            level.block = nn.ModuleList([nn.Linear(4, 4), nn.Tanh()])
            self.up.append(level)
        self.last = (1, 2)

    def forward(self, x, k: int):
        self.last = x.shape
        for i in reversed(range(3)):
            for j in range(2):
                x = self.up[i].block[j](x)
        with torch.cuda.device_of(x):
            first, *others = x
        return self.up[k].block[k % 2](x), self.last, first, others


def test_modules_of_modules_by_numbers():
    same(Decoder(), *((X, k) for k in range(3)))


def sizes_as_tensors(x: Tensor):
    shape = torch.onnx.operators.shape_as_tensor(x)
    wanted = torch.cat([shape[1:], torch.tensor([-1])])
    return torch.onnx.operators.reshape_from_tensor_shape(x, wanted) * shape[0]


def test_sizes_as_tensors():
    check(sizes_as_tensors, (X,), (X[:1],))


def names_of_types(x: Tensor):
    rows = [x, x * 2]
    padded = rows[0].new(2, 3, *rows[0].size()[1:]).fill_(0)
    numbers = torch.from_numpy(np.asarray(range(3)))
    return x.type(), (x > 0).type(), x.long().type(), x.type() == rows[1].type(), padded, numbers


def test_names_of_tensor_types_and_new_tensors_of_spread_sizes():
    check(names_of_types, (X,), (X.double(),))


class Hourglass(nn.Module):
    """Levels by number, the innermost with one more part."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.depth = depth
        self.levels = nn.ModuleList(
            nn.ModuleList(nn.Conv2d(2, 2, 3, padding=1) for _ in range(3 + (k == 0)))
            for k in range(depth)
        )
        for k, level in enumerate(self.levels, 1):
            for j, conv in enumerate(level):
                self.add_module(f"part{j}_{k}", conv)

    def inner(self, n, x):
        low = self.levels[n - 1][0](F.max_pool2d(x, 2, stride=2))
        low = self.inner(n - 1, low) if n > 1 else self.levels[n - 1][3](low)
        return self.levels[n - 1][1](x) + F.interpolate(self.levels[n - 1][2](low), scale_factor=2)

    def by_name(self, level, x):
        low = self._modules["part0_" + str(level)](F.avg_pool2d(x, 2))
        if level > 1:
            low = self.by_name(level - 1, low)
        else:
            low = self._modules["part3_" + str(level)](low)
        return x + F.interpolate(low, scale_factor=2)

    def forward(self, x):
        return self.inner(self.depth, x), self.by_name(self.depth, x)


class InParts(nn.Module):
    """Calls itself for parts of what is large."""

    def parts(self, x):
        return torch.cat([self(part)[0] for part in x.split(2)]), len(x)

    def forward(self, x):
        if x.numel() > 8:
            return self.parts(x)
        return x.tanh(), len(x)


def test_functions_that_call_themselves():
    torch.manual_seed(3)
    same(Hourglass(3), (torch.randn(1, 2, 16, 16),))
    same(InParts(), (X,), (torch.randn(7, 4),))


def factorial(n: int):
    return n * factorial(n - 1) if n > 1 else 1


def is_even(n: int):
    if n == 0:
        return True
    return is_odd(n - 1)


def is_odd(n: int):
    return False if n == 0 else is_even(n - 1)


def perhaps(x: Tensor, n: int):
    if n == 0:
        return None
    if n == 1:
        return x
    return perhaps(x, n - 1)


def fill(numbers: list[int], n: int):
    if n > 0:
        numbers.append(n)
        fill(numbers, n - 1)


def many_calls(x: Tensor, n: int):
    def deep(x, n, up=True):
        if n == 0:
            return x
        return deep(x + 1 if up else x, n - 1)

    def halves(x, low, high):
        if high - low == 1:
            return x[low]
        middle = (low + high) // 2
        return halves(x, low, middle) + halves(x, middle, high)

    numbers = [0]
    fill(numbers, n)
    chosen = perhaps(x, n)
    return deep(x, 40), halves(x.flatten(), 0, 8), numbers, x if chosen is None else chosen


def test_results_of_functions_that_call_themselves():
    check(factorial, (5,), (0,))
    check(is_even, (3,), (4,))
    check(many_calls, (X, 3))


class Mixed(nn.Module):
    """Which choices are mixed depends on how many states there are."""

    def __init__(self) -> None:
        super().__init__()
        self.choices = nn.ModuleList(nn.ModuleList([nn.Linear(4, 4), nn.Tanh()]) for _ in range(5))
        self.weights = torch.rand(5, 2)

    def forward(self, x):
        states, first = [x, x * 2], 0
        for _ in range(2):
            made = sum(
                sum(w * f(h) for w, f in zip(self.weights[first + j], self.choices[first + j]))
                for j, h in enumerate(states)
            )
            first += len(states)
            states.append(made)
        return torch.cat(states[-2:], 1)


def test_the_modules_of_a_list_that_a_run_chooses():
    same(Mixed(), (X,))
