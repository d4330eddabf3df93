"""Union, Any, type comments, NewType, fork: what annotations say."""

from __future__ import annotations

import typing
from collections import abc
from typing import Any, Dict, List, NewType, Optional, Union

import torch
from agreement import Programs
from torch import Tensor

MyInt = NewType("MyInt", int)
Alias = List[int]


programs = Programs()
case = programs.case


@case((0.5,))
def annotate(x: float):
    a = torch.jit.annotate(List[int], [])
    b = typing.cast(float, x)
    a.append(2)
    return a, b


@case((torch.zeros(2, 3), {"a": 1}, [1], (1, 2), "a", 3))
def abstract_containers(
    x: Tensor, d: Dict[str, int], v: List[int], t: typing.Tuple[int, int], s: str, n: int
):
    sizes = isinstance(x.shape, abc.Iterable), isinstance(x.shape, abc.Mapping)
    mappings = isinstance(d, abc.Mapping), isinstance(d, typing.Mapping), isinstance(v, abc.Mapping)
    lists = isinstance(v, typing.Sequence), isinstance(v, abc.MutableSequence)
    tuples = isinstance(t, abc.Sequence), isinstance(t, abc.MutableSequence)
    others = isinstance(s, abc.Sequence), isinstance(n, abc.Iterable), isinstance(n, abc.Hashable)
    return sizes, mappings, lists, tuples, others, isinstance(x, abc.Iterable)


@case((3,), ("ab",))
def jit_isinstance(v: Union[int, str]):
    if torch.jit.isinstance(v, int):
        return 1
    return 2


@case((torch.ones(2),))
def fork(x: Tensor):
    def g(y: Tensor) -> Tensor:
        return y + 1

    fut = torch.jit.fork(g, x)
    torch._assert(x.dim() == 1, "no")
    return torch.jit.wait(fut)


@case((3,), ("ab",), (2.5,))
def union_chain(v: Union[int, str, float]) -> str:
    if isinstance(v, int):
        return "i" + str(v + 1)
    elif isinstance(v, str):
        return v + "s"
    return str(v * 2)


@case((3,), ("ab",))
def negated_isinstance(v: Union[int, str]) -> int:
    if not isinstance(v, int):
        return len(v)
    return v


@case((3,), ("ab",))
def asserted_isinstance(v: int | str) -> int:
    assert isinstance(v, int)
    return v + 1


@case((None,), (3,))
def optional_or(v: Optional[int]) -> int:
    if v is None or v > 5:
        return -1
    return v


@case((torch.ones(2), [None, torch.ones(2)]))
def list_of_optionals(x: Tensor, xs: List[Optional[Tensor]]):
    t = x
    for y in xs:
        if y is not None:
            t = t + y
    return t


def commented(x, n):
    # type: (Tensor, int) -> Tensor
    return x + n


@case((torch.ones(2), 3))
def type_comments(x, n):
    # type: (Tensor, int) -> Tensor
    a = []  # type: List[int]
    a.append(n)
    return commented(x, a[0])


@case((torch.ones(2), 3))
def comment_per_argument(
    x,  # type: Tensor
    n,  # type: int
):
    # type: (...) -> Tensor
    return x + n


@case((2, [1]))
def new_types(a: MyInt, b: Alias):
    return a + b[0]


@case((2,))
def any_input(a: Any):
    return isinstance(a, int)


@case((3.5,), (2,))
def union_and(x: Union[int, float]) -> float:
    if isinstance(x, float) and x > 3:
        return x
    if isinstance(x, int):
        return float(x) * 2
    return -1.0


@case(([1, 2],), ({"a": 1},), ("s",))
def union_of_containers(x: Union[List[int], Dict[str, int], str]) -> int:
    if isinstance(x, list):
        return sum(x)
    elif isinstance(x, dict):
        return len(x)
    else:
        return len(x) * 10


@case((torch.ones(2),), ([torch.ones(2), torch.ones(2)],))
def tensor_or_list(x: Union[Tensor, List[Tensor]]) -> Tensor:
    if isinstance(x, Tensor):
        return x
    return torch.stack(x)


@case(([1],), (["a"],))
def union_of_lists(x: Union[List[int], List[str]]) -> int:
    if torch.jit.isinstance(x, List[int]):
        return x[0]
    return 7


@case((torch.ones(2), [torch.ones(1)]))
def futures(x: Tensor, xs: List[Tensor]):
    futs: List[torch.jit.Future[Tensor]] = []

    def work(y: Tensor, k: int) -> Tensor:
        return y * k

    for i in range(3):
        futs.append(torch.jit.fork(work, x, i))
    out = []
    for f in futs:
        out.append(torch.jit.wait(f))
    return torch.stack(out), torch.jit.fork(work, x, k=4).wait()


@case(([1, 2],), ({"a": 1},), ((1, "b"),), ([torch.ones(2)],), (3,), ("x",), (None,))
def any_container(x: Any):
    if torch.jit.isinstance(x, List[int]):
        return "ints"
    if torch.jit.isinstance(x, Dict[str, int]):
        return "dict"
    if torch.jit.isinstance(x, typing.Tuple[int, str]):
        return "tuple"
    return "int" if isinstance(x, int) else "other"


@case((torch.ones(1),), (torch.ones(2),))
def any_result(x: Tensor) -> Any:
    for n in range(3):
        if n == 1 and x.shape[0] == 2:
            return n
    return x * 2 if x.shape[0] == 1 else "two"


@case((1,))
def annotated_comprehensions(n: int):
    xs: List[Optional[int]] = [None for _ in range(n)]
    xs.append(n)
    d: Dict[str, Union[int, str]] = {str(i): i for i in range(n)}
    d["b"] = "c"
    return xs, d, [n, "a", 2.5, None]


def always_raises() -> Tensor:
    raise ValueError("never")


@case((torch.ones(1), True), (torch.ones(1), False))
def result_that_never_comes(x: Tensor, stop: bool):
    if stop:
        x = x + always_raises()
    return x


class Plus:
    def one(self, x: Tensor) -> Tensor:
        return x + 1


class Twice:
    def one(self, x: Tensor) -> Tensor:
        return x * 2


@torch.jit.interface
class One:
    def one(self, x: Tensor) -> Tensor:  # type: ignore[empty-body]
        pass


@case((torch.ones(1),))
def interface(x: Tensor):
    parts = torch.jit.annotate(List[One], [Plus(), Twice()])
    for part in parts:
        x = part.one(x) * 2
    return x


@case((True,), (False,))
def expected_conditionals(flag: bool):
    x: Union[int, str] = 1 if flag else "a"
    y: List[Optional[int]] = [None] if flag else []
    y.append(3)
    return x, y


def delayed(x: Tensor) -> typing.Tuple[Tensor, List[Tensor]]:
    x.add_(1)
    return x * 100, [x * i for i in range(3)]


class Held:
    def __init__(self, x: Tensor):
        self.x = x

    def twice(self) -> Tensor:
        return self.x * 2


def waits(aw: "torch.jit._Await[Held]") -> Tensor:
    return torch.jit._awaitable_wait(aw).twice()


@case((torch.ones(2), True), (torch.ones(2), False))
def awaits(x: Tensor, early: bool):
    aw = torch.jit._awaitable(delayed, x)
    torch.jit._awaitable(delayed, x)
    before = x * 1
    if early:
        before = before + torch.jit._awaitable_wait(aw)[0]
    between = x * 1
    last, parts = torch.jit._awaitable_wait(aw)
    held = torch.jit._awaitable(Held, x)
    return before, between, last, parts, waits(held), held.x


@case(([torch.ones(2), torch.zeros(3)],), (torch.ones(2, 3),))
def union_as_sequence(x: Union[List[Tensor], Tensor]):
    total = torch.zeros(1)
    for row in x:
        total = total + row.sum()
    return total, x[0], len(x), [row * 2 for row in x]


@case(([1, 2],), ((3, 4),))
def union_of_list_and_tuple(x: Union[List[int], "tuple[int, int]"]):
    return sum([v for v in x]), x[-1] + x[0]


@case((2,), (torch.tensor(3.0),), (2.5,))
def union_as_number(x: Union[int, float, Tensor]):
    return x * 2 + 1, float(x), int(x), x > 2, 10 / x, 1 if x else 0


@case((2,), ("ab",))
def union_as_operand(x: Union[int, str]):
    return x * 2, str(x), f"{x}", x == 2


@case((torch.ones(2), True), (torch.zeros(2), True), (torch.ones(2), False))
def tensor_or_bool(x: Tensor, q: bool):
    either, both = (x > 0).all() or q, q and (x > 0).all()
    text = "both" if either and both else "one" if both else "none"
    return either, both, text, not both, bool(either)


@case()
def none_among_anything():
    values: list[Any] = [1, "a", None]
    values.append(None)
    named: dict[str, Any] = {"a": None, "b": 2}
    count = 0
    for value in values:
        count += 1 if value is None else 10
    return count, named["a"] is None, named.get("c") is None


def scaled(x, *, by=2):
    # type: (float, int) -> float
    return x * by


@case((1.5, 3))
def comment_with_keywords(x: float, n: int):
    return scaled(x), scaled(x, by=n)


@programs.parametrize
def test_program(function):
    programs.check(function)
