"""What modules may do: hooks, chosen submodules, state in containers, decorators, contexts."""

from __future__ import annotations

import copy
from functools import wraps
from typing import Any

import pytest
import torch
from agreement import agree, outcome
from torch import Tensor, nn

import ingot


def same(module: nn.Module, *calls: tuple[Any, ...]) -> None:
    """Compares with eager, call after call, so that state is compared as well."""
    eager = copy.deepcopy(module)
    compiled = ingot.script(module)
    with torch.no_grad():
        for call in calls:
            expected, found = outcome(eager, *call), outcome(compiled, *call)
            assert agree(expected, found), f"{expected!r} became {found!r}\n{compiled.graph}"


X = torch.linspace(-1, 1, 8).reshape(2, 4)


class ChosenByNumber(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4)])

    def forward(self, x: Tensor, n: int) -> Tensor:
        return self.layers[n](x)


def test_a_module_of_a_list_is_chosen_at_run_time():
    same(ChosenByNumber(), (X, 0), (X, 2), (X, -2), (X, 3), (X, -4))


class ChosenByKey(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleDict({"a": nn.Linear(4, 4), "b": nn.Tanh()})

    def forward(self, x: Tensor, key: str) -> Tensor:
        return self.layers[key].forward(x)


def test_a_module_of_a_dict_is_chosen_at_run_time():
    same(ChosenByKey(), (X, "a"), (X, "b"), (X, "c"))


@torch.jit.interface
class AnyLayer(nn.Module):
    def forward(self, inp: Any) -> Any:
        pass


class ChosenAsInterface(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleDict({"a": nn.Linear(4, 4), "b": nn.Tanh()})

    def forward(self, x: Tensor, key: str) -> Any:
        layer: AnyLayer = self.layers[key]
        return layer.forward(x)


def test_a_chosen_module_is_annotated_with_an_interface():
    same(ChosenAsInterface(), (X, "a"), (X, "b"))


class Scaled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.kept = 2.0

    @property
    def scale(self):
        return self.kept * 2

    @scale.setter
    def scale(self, value: float):
        self.kept = max(value, 0.5)

    @property
    def fixed(self):
        return 1

    def forward(self, x: Tensor, scale: float) -> Tensor:
        self.scale = scale
        return x * self.scale + self.kept


class SetsWithoutSetter(Scaled):
    def forward(self, x: Tensor) -> Tensor:
        self.fixed = 2
        return x


def test_setters_of_properties_run():
    same(Scaled(), (X, 3.0), (X, -1.0))
    with pytest.raises(ingot.Error, match="the property fixed of SetsWithoutSetter"):
        ingot.script(SetsWithoutSetter())


class Everything(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.pairs = [(1, 2.5), (3, 4.5)]
        self.nothing: list[int] = []
        self.names: dict[str, int] = {}
        self.parts = [torch.ones(2), torch.zeros(1)]

    def forward(self, x: Tensor):
        return self.pairs, self.nothing, self.names, self.parts, x


def test_what_a_module_keeps_can_be_returned_together():
    same(Everything(), (X,))


class Kept(nn.Module):
    cache: Tensor | None

    def __init__(self) -> None:
        super().__init__()
        self.parts = [torch.zeros(2, 4), torch.ones(2, 4)]
        self.seen = []
        self.named = {"a": torch.ones(1)}
        self.counts = {"calls": 1}
        self.cache = None

    def forward(self, x: Tensor):
        self.parts = [part + x for part in self.parts]
        self.seen.append(x.sum())
        self.named["b"] = x
        self.counts["calls"] += 1
        if self.cache is None:
            self.cache = x
        else:
            self.cache = self.cache + x
        return self.parts, self.seen, self.named, self.counts, self.cache


def test_lists_and_dicts_of_tensors_are_state(tmp_path):
    same(Kept(), (X,), (X * 2,), (X * 3,))


class Grid(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.grid = None

    def make(self, x: Tensor) -> None:
        self.grid = torch.arange(x.size(0)).float().unsqueeze(1)

    def forward(self, x: Tensor) -> Tensor:
        if self.grid is None or self.grid.size(0) != x.size(0):
            self.make(x)
        assert self.grid is not None
        return x + self.grid


def test_an_attribute_is_narrowed_until_something_assigns_it():
    same(Grid(), (X,), (X,), (torch.cat([X, X]),))


def double(module: nn.Module, args: Any, result: Tensor) -> Tensor:
    return result * 2


def shifted(module: nn.Module, args: Any) -> Any:
    return (args[0] + 1,)


def watch(module: nn.Module, args: Any, result: Tensor) -> None:
    return None


def sometimes_before(module, args: tuple[Tensor]) -> tuple[Tensor] | None:
    return None if args[0].sum() > 3 else (args[0] + 1,)


def sometimes_after(module, args: tuple[Tensor], result: Tensor) -> Tensor | None:
    return None if result.sum() > 5 else result * 2


def test_hooks_that_sometimes_give_none():
    module = nn.Sequential(nn.Identity())
    module[0].register_forward_pre_hook(sometimes_before)
    module[0].register_forward_hook(sometimes_after)
    program = ingot.script(module)
    for x in (torch.zeros(2), torch.ones(2) * 2, torch.ones(2) * 9):
        assert agree(module(x), program(x))


def test_hooks_run_in_order():
    module = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
    module[0].register_forward_hook(double)
    module[0].register_forward_hook(watch)
    module[0].register_forward_pre_hook(shifted)
    module.register_forward_hook(double)
    same(module, (X,))


def doubled(function):
    @wraps(function)
    def call(*args, **kwargs):
        return function(*args, **kwargs) * 2

    return call


class Decorated(nn.Module):
    @doubled
    def inner(self, x: Tensor, by: float = 3.0) -> Tensor:
        return x * by

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast("cuda", enabled=False), torch.set_grad_enabled(False):
            return self.inner(x) + self.inner(x, by=2.0)


def test_decorated_methods_and_contexts():
    same(Decorated(), (X,))


class LowPrecision(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return x @ x.t()


def test_a_context_that_changes_results_is_refused():
    with pytest.raises(ingot.Error, match="autocast"):
        ingot.script(LowPrecision())


class Inspecting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer0, self.layer1 = nn.Linear(4, 4), nn.Linear(4, 4)
        self.tail = nn.Sequential(nn.ReLU(), nn.Linear(4, 4), nn.Tanh())
        self.scales = nn.ParameterDict({"u": nn.Parameter(torch.ones(4))})

    def forward(self, x: Tensor):
        for i in range(2):
            x = getattr(self, f"layer{i}")(x)
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                x = x + parameter
        for child in self.tail.children():
            x = child(x)
        for key, scale in self.scales.items():
            x = x * scale + len(key)
        count = len(list(self.parameters()))
        return self.tail[1:](x), count, self.__class__.__name__


def test_modules_look_at_themselves():
    same(Inspecting(), (X,))


@pytest.mark.parametrize(
    "make",
    [nn.utils.parametrizations.weight_norm, nn.utils.parametrizations.orthogonal],
)
def test_parametrized_layers(make):
    same(nn.Sequential(make(nn.Linear(4, 4)), nn.ReLU()), (X,))


def test_spectral_norm():
    same(nn.Sequential(nn.utils.spectral_norm(nn.Linear(4, 4))).eval(), (X,))


class Commented(nn.Module):
    def forward(self, x, sizes, scale=None):
        # type: (Tensor, List[int], Optional[float]) -> Tensor
        found = []  # type: List[int]
        for size in sizes:
            found.append(size)
        if scale is not None:
            x = x * scale
        return x * len(found)


Commented.forward.__globals__["List"] = list


def test_type_comments():
    same(Commented(), (X, [1, 2]), (X, [3], 2.0))


class Listing(nn.Module):
    def forward(self, x: Tensor):
        rows: list[list[int]] = x.reshape(2, -1).tolist()
        total = 0
        for n in x.tolist():
            for k in range(n):
                total += k
        return rows, total, torch.arange(10).split(x.tolist())


def test_tensors_become_lists():
    same(Listing(), (torch.tensor([1, 2, 3, 4]),), (torch.tensor([4, 0, 0, 6]),))


class Level:
    def __init__(self, number: int) -> None:
        self.number = number


class SetUpAtFirst(nn.Module):
    """The attributes of the later parts of a condition are read in those parts only."""

    scale: float | None
    level: Level | None
    seen: Tensor | None

    def __init__(self) -> None:
        super().__init__()
        self.scale = None
        self.level = None
        self.seen = None

    def forward(self, x: Tensor) -> Tensor:
        if self.scale is None or self.level is None or self.seen is None:
            self.scale, self.level = float(x.sum()) + 1, Level(x.size(0))
            self.seen = x
        x = x * self.scale + self.level.number + self.seen
        if self.scale is not None and self.level is not None and self.level.number > 2:
            self.level = None
            return x
        return -x


def test_attributes_first_read_in_a_later_part_of_a_condition():
    same(SetUpAtFirst(), (X,), (2 * X,))
    same(SetUpAtFirst(), (torch.ones(3, 2),), (torch.ones(3, 2) * 4,), (torch.ones(3, 2),))


@pytest.mark.parametrize("x", [-1.5, 0.0, 2.25])
def test_max_of_a_tensor_and_a_number(x):
    class Clipped(nn.Module):
        def forward(self, x: Tensor, limit: int) -> Tensor:
            low, high = max(x, 0), min(limit, x + 1)
            return torch.zeros(4)[int(low) : int(high)] + min(x, 0.1) * 1.0

    same(Clipped(), (torch.tensor(x), 2))


class Shelf(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.parts = nn.ModuleList([nn.ReLU(), nn.Tanh()])

    def __len__(self) -> int:
        return 5

    def __getitem__(self, k: int) -> int:
        return k * 3

    def __contains__(self, name: str) -> bool:
        return name == "yes"

    def __iter__(self):
        return iter(self.parts)


class UsesShelf(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.shelf = Shelf()

    def forward(self, x: Tensor, name: str):
        for part in self.shelf:
            x = part(x)
        return x, len(self.shelf), self.shelf[4], name in self.shelf, "yes" in self.shelf


def test_modules_with_special_methods():
    same(UsesShelf(), (X, "yes"), (X, "no"))
