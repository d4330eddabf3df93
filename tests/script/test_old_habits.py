"""What code for old versions of PyTorch writes: factors between tensors, ranges as indices,
NumPy's functions of sizes, objects of functions with their own gradient."""

from __future__ import annotations

import copy
import warnings

import numpy as np
import pytest
import torch
from agreement import agree, check, outcome
from torch import Tensor, nn

import ingot

X = torch.linspace(-1, 1.5, 4).reshape(2, 2)
E = torch.tensor([[1.0, 2.0], [0.5, -1.0]])


def sums(x: Tensor, e: Tensor) -> tuple[Tensor, ...]:
    y = x.clone()
    y.add_(0.5, e)
    return (torch.add(x, 2, e), x.sub(2, e), torch.add(x, e, alpha=2), torch.addcmul(x, 0.5, e, e),
            x.addcdiv(2, e, e), y)  # fmt: skip


def products(x: Tensor, e: Tensor) -> tuple[Tensor, ...]:
    b = x.expand(2, 2, 2)
    return (torch.addmm(0.5, x, 2, e, e), torch.addmm(0.5, x, e, e), x.addmm(0.5, 2, e, e),
            x.addmm(0.5, e, x), x.addmm(e, e), torch.addr(3, x, 2, e[0], e[1]),
            torch.baddbmm(0.5, b, 2, b, b))  # fmt: skip


def of_sparse_or_dense(x: Tensor, e: Tensor) -> tuple[Tensor, ...]:
    return torch.spmm(x, e), torch.sparse.mm(x, e), torch.dsmm(x, e)


def by_ranges(x: Tensor, e: Tensor) -> tuple[Tensor, ...]:
    y = x.clone()
    y[range(x.size(0)), [1, 0]] = 5.0
    return x[range(x.size(0)), [1, 0]], x[range(1, 2)], y, x[(x[:, 0] > 0).long().tolist()]


def sizes(x: Tensor, e: Tensor) -> tuple[Tensor, Tensor]:
    count = np.prod(x.size()[1:])
    several = np.sum((x.size(0), 3)) + np.max(x.shape) - np.min(list(x.shape))
    return x.view(x.size(0), int(np.prod(x.shape[1:]))), x.view(-1, count) * several


def typed_and_copied(x: Tensor, e: Tensor) -> tuple[Tensor, ...]:
    y = copy.deepcopy(x)
    y += 1
    return x.type("torch.LongTensor"), x.type("torch.DoubleTensor"), y, x


def sizes_that_are_tensors(x: Tensor, e: Tensor) -> tuple[Tensor, ...]:
    n = e.size(0) * torch.ones((), dtype=torch.long)
    both = [n + 1 for _ in range(2)]
    wider = nn.functional.interpolate(x[None], size=x.shape[-1] * n)
    return torch.zeros(both), wider, x.reshape([-1, n]), x[None, None].expand([n, 1, -1, -1])


@pytest.mark.parametrize(
    "function",
    [sums, products, of_sparse_or_dense, by_ranges, sizes, typed_and_copied,
     sizes_that_are_tensors],
)  # fmt: skip
def test_functions_as_old_code_calls_them(function):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(function, (X, E), (E, X))


def test_a_size_that_is_a_float_is_refused():
    def half(x: Tensor):
        return torch.zeros([n for n in x[:, 0]])

    with pytest.raises(ingot.Error, match="only integer tensors"):
        ingot.script(half)(X)


def test_a_deep_copy_of_tensors_that_may_be_one_is_refused():
    def function(x: Tensor) -> Tensor:
        return copy.deepcopy([x, x])[0]

    with pytest.raises(ingot.Error, match="deepcopy of"):
        ingot.script(function)


class Sign(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.sign()


class Growing(nn.Module):
    """Each layer gets all results so far, one by one."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Joined(2 * k + 2) for k in range(3))

    def forward(self, x):
        found = [Sign().apply(x)]
        for layer in self.layers:
            found.append(layer(*found))
        return torch.cat(found, 1)


class Joined(nn.Module):
    def __init__(self, features: int) -> None:
        super().__init__()
        self.layer = nn.Linear(features, 2)

    def forward(self, *parts):
        return self.layer(torch.cat(parts, 1))


@pytest.mark.filterwarnings("ignore:.*should not be instantiated")
def test_a_list_that_grows_is_spread_over_arguments():
    model = Growing()
    compiled = ingot.script(model)
    with torch.no_grad():
        for x in (X, E, X[:1]):
            expected, found = outcome(model, x), outcome(compiled, x)
            assert agree(expected, found), f"{expected!r} became {found!r}"


class Grown(nn.Module):
    """The list grows in a branch, where nobody can count."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = Joined(4)

    def forward(self, x):
        found = [x, x]
        if x.sum() > 0:
            found.append(x)
        return self.layer(*found)


def test_a_list_of_a_length_that_is_not_known_is_refused():
    with pytest.raises(ingot.Error, match="known only at run time"):
        ingot.script(Grown())


def of_lists(x: Tensor, e: Tensor) -> tuple[Tensor, bool, int]:
    parts = tuple([each + 1 for each in (x, e)])
    count = int(np.prod(np.array(x.size()[1:]))) * 2
    return x + parts[0] + torch.from_numpy(np.array(x.shape)), isinstance(parts, tuple), count


def test_a_tuple_of_a_list_and_an_array_of_sizes():
    check(of_lists, (X, E), (X[:1], E[:1]))


class Remembering(nn.Module):
    """Attributes that the module has only once forward has run."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.ModuleList([Kept(), Kept()])

    def twice(self):
        return self.rows * 2

    def forward(self, x):
        self.rows = x.size(0)
        for layer in self.inner:
            x = layer(x)
        self.parts = {"first": x[0]}
        return x + self.inner[1].weights + self.parts["first"], self.twice()


class Kept(nn.Module):
    def forward(self, x):
        if x.sum() > 0:
            self.weights = x.softmax(1)
        return x * self.weights


def test_attributes_that_forward_makes():
    model, compiled = Remembering(), ingot.script(Remembering())
    with pytest.raises(ingot.Error, match="it is None"):  # in Python an AttributeError
        compiled(-X.abs())
    for x in (E, -X.abs(), X.abs()):
        expected, found = outcome(model, x), outcome(compiled, x)
        assert agree(expected, found), f"{expected!r} became {found!r}"


class Asking(nn.Module):
    def __init__(self, question: str) -> None:
        super().__init__()
        self.question = question

    def forward(self, x):
        if self.question == "hasattr":
            x = x if hasattr(self, "last") else x * 2
        elif self.question == "getattr":
            x = x + getattr(self, "last", 0)
        elif self.question == "try":
            try:
                x = x + self.last
            except AttributeError:
                x = x * 3
        self.last = x
        if self.question == "afterwards":
            x = x if hasattr(self, "last") else x * 2
        return x


@pytest.mark.parametrize("question", ["hasattr", "getattr", "try", "afterwards"])
def test_whether_forward_has_run_is_no_question_for_a_program(question):
    with pytest.raises(ingot.Error, match=r"set self\.last"):
        ingot.script(Asking(question))


def normalized(v: Tensor) -> Tensor:
    return v / (v.norm() + 1e-12)


class Wrapped(nn.Module):
    """Divides the weight of a layer by its largest singular value, found turn by turn."""

    def __init__(self, layer: nn.Module, turns: int) -> None:
        super().__init__()
        self.layer, self.turns = layer, turns
        weight = layer.weight
        del layer._parameters["weight"]
        layer.register_parameter("weight_bar", nn.Parameter(weight.data))
        u, v = torch.ones(weight.size(0)), torch.ones(weight[0].numel())
        layer.register_parameter("weight_u", nn.Parameter(u, requires_grad=False))
        layer.register_parameter("weight_v", nn.Parameter(v, requires_grad=False))

    def forward(self, *args):
        u, v = getattr(self.layer, "weight_u"), getattr(self.layer, "weight_" + "v")
        w = self.layer.weight_bar
        for _ in range(self.turns):
            v.data = normalized(torch.mv(torch.t(w.view(len(w), -1).data), u.data))
            u.data = normalized(torch.mv(w.view(len(w), -1).data, v.data))
        setattr(self.layer, "weight", w / u.dot(w.view(len(w), -1).mv(v)).expand_as(w))
        return self.layer.forward(*args)


@pytest.mark.parametrize("turns", [1, 3])
def test_data_of_parameters_is_replaced(turns):
    torch.manual_seed(2)
    model = nn.Sequential(
        Wrapped(nn.Conv2d(2, 3, 3), turns), nn.Flatten(), Wrapped(nn.Linear(12, 2), 2)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compiled = ingot.script(copy.deepcopy(model))
    with torch.no_grad():
        for k in range(3):
            x = torch.randn(2, 2, 4, 4) + k
            assert agree(outcome(model, x), outcome(compiled, x))


class Replacing(nn.Module):
    def __init__(self, case: str) -> None:
        super().__init__()
        self.case = case
        self.register_buffer("u", torch.ones(2))
        self.register_buffer("w", torch.zeros(2))

    def double(self, x):
        self.u.data = x[0] * 2

    def forward(self, x):
        if self.case == "old":
            old = self.u.data
            self.u.data = self.u + x[0]
            return old, self.u
        if self.case == "view":
            views = [self.u.view(2, 1)]
            self.u.data = x[0] * 2
            return views[0], self.u
        if self.case == "held":
            y = x[0] * 2
            self.u.data = y
            return y.add_(1), self.u
        if self.case == "shared":
            self.u.data = self.w.data
            return self.w.add_(1), self.u
        if self.case == "caller":
            old = self.u.data
            self.double(x)
            return old, self.u
        x.data = x * 2
        return x


@pytest.mark.parametrize("case", ["old", "view", "held", "shared", "caller", "input"])
def test_data_that_something_else_may_share_is_not_replaced(case):
    with pytest.raises(ingot.Error, match="the attribute data of a Tensor cannot be assigned"):
        ingot.script(Replacing(case))


def test_data_of_another_shape_is_not_assigned():
    class Reshaped(Replacing):
        def forward(self, x):
            self.u.data = x * 2
            return self.u

    with pytest.raises(ingot.Error, match="another shape or dtype"):
        ingot.script(Reshaped(""))(X)


def types_by_name(x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    hot = torch.zeros(2, 3).type(labels.type())
    return hot.scatter_(1, labels[:, None], 1), x.type(hot.double().type())


def ranges_of_numpy(x: Tensor, labels: Tensor) -> Tensor:
    total = x[0] * 0
    for i in np.arange(x.size(0)):
        for j in np.arange(1, x.size(1)):
            total = total + x[i] * j
    return total


@pytest.mark.parametrize("function", [types_by_name, ranges_of_numpy])
def test_names_of_types_and_ranges_of_numpy(function):
    check(function, (X, torch.tensor([2, 0])))


def by_items(x: Tensor, i: Tensor) -> tuple[Tensor, ...]:
    n = i.item()
    y = x.clone()
    y[n] = 5.0
    y[0, n] += 1
    best = [x.max(1)[1][k].item() for k in range(2)]
    return x[0, n], x[n], x[:, :n], x[n:], y, x[..., best[n]]


def test_numbers_of_tensors_as_indices():
    check(by_items, (X, torch.tensor(1)), (X, torch.tensor(0)))
    with pytest.raises(ingot.Error, match="the value is no int: it is 1.0"):
        ingot.script(by_items)(X, torch.tensor(1.0))
