"""Objects of the user's classes: they behave as in Python, in the program and from its file."""

import copy
import dataclasses
import functools
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar, Generic, NamedTuple, Optional, Protocol, TypeVar

import pytest
import torch
from agreement import agree, check
from torch import Tensor, nn

import ingot


class Point:
    scale = 2
    origin: ClassVar[str] = "zero"

    def __init__(self, x: float, y: float):
        self.x = x
        self.y = y

    @property
    def length(self) -> float:
        return (self.x * self.x + self.y * self.y) ** 0.5

    @length.setter
    def length(self, value: float):
        factor = value / self.length
        self.x *= factor
        self.y *= factor

    @staticmethod
    def zero():
        return Point(0.0, 0.0)

    @classmethod
    def diagonal(cls, at: float):
        return cls(at, at)

    def moved(self, dx: float, dy: float = 1.0):
        return Point(self.x + dx * self.scale, self.y + dy)

    def __add__(self, other):
        if isinstance(other, Point):
            return Point(self.x + other.x, self.y + other.y)
        return Point(self.x + other, self.y + other)

    def __radd__(self, other):
        return self + other

    def __neg__(self):
        return Point(-self.x, -self.y)

    def __eq__(self, other):
        return isinstance(other, Point) and self.x == other.x and self.y == other.y

    def __lt__(self, other):
        return self.length < other.length

    def __getitem__(self, i: int) -> float:
        return self.x if i == 0 else self.y

    def __setitem__(self, i: int, value: float):
        if i == 0:
            self.x = value
        else:
            self.y = value

    def __len__(self):
        return 2

    def __contains__(self, value: float):
        return value == self.x or value == self.y

    def __call__(self, factor: float, *, shift: float = 0.0):
        return Point(self.x * factor + shift, self.y * factor + shift)

    def __bool__(self):
        return self.x != 0.0

    def __str__(self):
        return f"({self.x}, {self.y})"


def test_attributes_methods_and_properties():
    def f(x: float, y: float) -> tuple[float, float, float, int, str]:
        p = Point(x, y).moved(1.0)
        q = Point.diagonal(x)
        p.length = 10.0
        p.y += q.x + Point.zero().y
        return p.x, p.y, p.length, Point.scale, Point.origin

    check(f, (3.0, 4.0), (1.0, -2.0), (-3.0, -1.0))


def test_special_methods():
    def f(x: float, y: float):
        p = Point(x, y)
        q = p + Point(1.0, 2.0) + 3.0
        q = 1.5 + q
        q[0] = q[1] * 2
        r = -q(2.0, shift=1.0)
        a = p == Point(x, y), p != q, p < q, q > p, x in p, 99.0 in p
        return r[0], r[1], len(p), a, str(r), f"{p}!", bool(p), not p, 1 if p else 2

    check(f, (3.0, 4.0), (0.0, -2.0))


def test_references_are_shared():
    def change(p: Point, by: float):
        p.x += by
        return p

    def f(x: float):
        p = Point(x, 0.0)
        q = p
        r = change(q, 2.0)
        s = copy.copy(p)
        s.x = 100.0
        others = [p, q, s]
        others[1].y = 7.0
        return p.x, q.y, r is p, s is p, s is not q, p.y, s.x

    check(f, (1.0,))


class Node:
    def __init__(self, value: int, next: Optional["Node"] = None):
        self.value = value
        self.next = next


def test_linked_list():
    def f(n: int) -> list[int]:
        head: Node | None = None
        for i in range(n):
            head = Node(i, head)
        previous: Node | None = None
        while head is not None:
            following = head.next
            head.next = previous
            previous = head
            head = following
        found: list[int] = []
        while previous is not None:
            found.append(previous.value)
            previous = previous.next
        return found

    check(f, (0,), (1,), (5,))


class Tree:
    def __init__(self, key: int):
        self.key = key
        self.left: Tree | None = None
        self.right: Tree | None = None


def insert(tree: Tree | None, key: int) -> Tree:
    if tree is None:
        return Tree(key)
    if key < tree.key:
        tree.left = insert(tree.left, key)
    else:
        tree.right = insert(tree.right, key)
    return tree


def walk(tree: Tree | None, into: list[int]) -> None:
    if tree is not None:
        walk(tree.left, into)
        into.append(tree.key)
        walk(tree.right, into)


def test_recursive_tree():
    def f(keys: list[int]) -> list[int]:
        root: Tree | None = None
        for key in keys:
            root = insert(root, key)
        found: list[int] = []
        walk(root, found)
        return found

    check(f, ([3, 1, 2, 5, 4],), ([],))


class Counter:
    total = 0

    def __init__(self):
        self.items = []
        self.last = None
        self.by_name = {}

    def add(self, name: str, x: Tensor):
        self.items.append(x)
        self.total += 1
        self.last = x
        self.by_name[name] = self.total


def test_attribute_types_are_inferred():
    def f(x: Tensor):
        c = Counter()
        first = c.last is None
        for i in range(3):
            c.add(f"n{i}", x * i)
        last = c.last
        if last is not None:
            x = x + last
        return first, c.total, torch.stack(c.items), x, c.by_name, Counter().total

    check(f, (torch.randn(3),))


class Shape(ABC):
    def __init__(self, name: str):
        self.name = name

    @abstractmethod
    def area(self) -> float: ...

    def describe(self) -> str:
        return f"{self.name} {self.area()}"


class Square(Shape):
    def __init__(self, side: float):
        super().__init__("square")
        self.side = side

    def area(self) -> float:
        return self.side * self.side


class Box(Shape):
    def __init__(self, a: float, b: float):
        super().__init__("box")
        self.a = a
        self.b = b

    def area(self) -> float:
        return self.a * self.b

    def describe(self) -> str:
        return "a " + super().describe()


def total_area(shapes: list[Shape]) -> float:
    total = 0.0
    for each in shapes:
        total += each.area()
    return total


def test_inheritance_and_dispatch():
    def f(x: float, flag: bool):
        shapes: list[Shape] = [Square(x), Box(x, 2.0)]
        one = Square(1.0) if flag else Box(2.0, 3.0)
        shapes.append(one)
        squares = 0
        for each in shapes:
            if isinstance(each, Square):
                squares += 1
                each.side += 1.0
        return total_area(shapes), one.describe(), squares, isinstance(one, Shape), one.name

    check(f, (3.0, True), (2.5, False))


T = TypeVar("T")


class HasArea(Protocol):
    def area(self) -> float: ...


class Stack(Generic[T]):
    def __init__(self):
        self.items: list[float] = []

    def push(self, x: float) -> "Stack":
        self.items.append(x)
        return self

    def __iter__(self):
        return iter(self.items)


def test_protocol_and_generic():
    def measure(a: HasArea) -> float:
        return a.area()

    def f(x: float):
        stack = Stack[float]() if False else Stack()
        stack.push(x).push(measure(Square(x)))
        return [each * 2 for each in stack], sum(stack.items)

    check(f, (3.0,))


@dataclass
class Config:
    width: int
    rate: float = 0.5
    tags: list[str] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=lambda: {"a": 1}, compare=False)
    double: int = field(init=False, default=0)
    kind: ClassVar[str] = "config"

    def __post_init__(self):
        self.double = self.width * 2

    def wider(self) -> "Config":
        return Config(self.width + 1, rate=self.rate)


@dataclass(frozen=True, order=True)
class Version:
    major: int
    minor: int = 0
    name: str = field(default="x", compare=False)


@dataclass
class Child(Config):
    extra: Tensor | None = None


def test_dataclasses():
    def f(n: int, x: Tensor):
        a = Config(n)
        b = Config(n, 0.25, ["t"])
        a.tags.append("new")
        a.sizes["b"] = n
        v, w = Version(1, n), Version(1, 3, name="other")
        child = Child(n, extra=x)
        extra = child.extra
        if extra is not None:
            x = extra + child.double
        replaced = dataclasses.replace(v, minor=9)
        return (
            a.tags, b.tags, a.sizes, b.double, a.wider().width, a == Config(n), a == a, a.kind,
            v == w, v < w, v >= w, replaced.minor, str(v), repr(b), x, Config(n) == b,
        )  # fmt: skip

    check(f, (3, torch.randn(2)), (5, torch.zeros(2)))


class Box2(NamedTuple):
    low: Tensor
    high: Tensor
    label: int = -1

    @property
    def size(self) -> Tensor:
        return self.high - self.low

    def grown(self, by: float) -> "Box2":
        return self._replace(low=self.low - by, high=self.high + by)


def largest(boxes: list[Box2]) -> Tensor:
    best = torch.zeros(())
    for box in boxes:
        best = torch.maximum(best, box.size.max())
    return best


def test_named_tuple_methods():
    def f(x: Tensor):
        box = Box2(x, x + 1)
        grown = box.grown(2.0)
        return largest([box, grown]), grown.label, grown.size, Box2(x, x, 3)

    check(f, (torch.randn(3),))


@functools.total_ordering
class Version2:
    def __init__(self, n: int):
        self.n = n

    def __eq__(self, other):
        return self.n == other.n

    def __lt__(self, other):
        return self.n < other.n


def test_total_ordering():
    def f(a: int, b: int):
        x, y = Version2(a), Version2(b)
        return x < y, x <= y, x > y, x >= y, x == y, x != y, x in [y], y in [x, y]

    check(f, (1, 2), (2, 2), (3, 2))


class Recorder:
    def __init__(self, log: list[str], name: str):
        self.log = log
        self.name = name

    def __enter__(self):
        self.log.append("enter " + self.name)
        return self

    def __exit__(self, kind, value, trace):
        self.log.append("exit " + self.name)


def test_context_managers():
    def inner(log: list[str], n: int) -> int:
        with Recorder(log, "a") as a, Recorder(log, "b"):
            log.append(a.name)
            if n > 2:
                return n
            log.append("inside")
        for i in range(n):
            with Recorder(log, str(i)):
                if i == 1:
                    break
        return -1

    def f(n: int):
        log: list[str] = []
        return inner(log, n), log

    check(f, (0,), (1,), (2,), (3,))


class Scaler:
    def __init__(self, factor, shift: Tensor):
        self.factor = factor
        self.shift = shift
        self.activation = torch.relu

    def apply(self, x):
        return self.activation(x * self.factor + self.shift)


class Holder(nn.Module):
    def __init__(self):
        super().__init__()
        self.scaler = Scaler(2.0, torch.ones(3))
        self.config = Config(4, tags=["q"])
        self.calls = Counter()

    def forward(self, x):
        x = self.scaler.apply(x) * self.config.width
        self.calls.total += 1
        return x, self.calls.total, self.config.tags[0]


def test_objects_of_modules(tmp_path):
    module = Holder()
    compiled = ingot.script(copy.deepcopy(module))
    compiled.save(tmp_path / "holder.ingot")
    loaded = ingot.load(tmp_path / "holder.ingot")
    for _ in range(3):
        x = torch.randn(2, 3)
        expected = module(x)
        assert agree(expected, compiled(x))
        assert agree(expected, loaded(x))


def test_results_and_arguments(tmp_path):
    def f(p: Point, config: Config, n: int):
        q = Point(p.x + n, p.y)
        config.tags.append("z")
        return [q, q], config, {"p": p}

    scripted = ingot.script(f)
    given = Config(3)
    (first, second), config, mapping = scripted(Point(1.0, 2.0), given, 5)
    assert first is second
    assert (first.x, first.y, first.class_name) == (6.0, 2.0, "Point")
    assert (config.width, config.tags, config.double) == (3, ["z"], 6)
    assert given.tags == []  # the program has a copy
    assert repr(mapping["p"]) == "Point(x=1.0, y=2.0)"
    scripted.save(tmp_path / "f.ingot")
    again = ingot.load(tmp_path / "f.ingot")(first, config, 1)
    assert again[0][0].x == 7.0
    with pytest.raises(ingot.Error, match="attribute 'x' of a Point must be float"):
        scripted(Point("a", 2.0), given, 5)
    with pytest.raises(AttributeError, match="no attribute 'z'"):
        first.z


def test_cyclic_results():
    def f(n: int):
        node = Node(n)
        node.next = node
        return node

    node = ingot.script(f)(3)
    assert node.next is node
    assert repr(node) == "Node(value=3, next=...)"


@ingot.script
class Marked:
    def __init__(self, x: int):
        self.x = x


def test_script_as_class_decorator():
    def f(n: int) -> int:
        return Marked(n).x

    assert Marked(3).x == 3
    check(f, (4,))


@dataclass(order=True)
class Reading:
    place: float
    value: Optional[Tensor] = None


def test_comparisons_of_optional_tensors():
    def f(place: float, value: Optional[Tensor]):
        a, b = Reading(place, value), Reading(1.0, torch.tensor(1))
        return a == b, bool(a < b), bool(a >= b), Reading(2.0) == Reading(place), a != a

    check(f, (1.0, torch.tensor(1)), (2.0, torch.tensor(1)), (1.0, torch.tensor(2)), (1.0, None))


class Link:
    def __init__(self, value: int):
        self.value = value
        self.next: Optional[Link] = None
        self.weight: Optional[int] = None

    def drop(self) -> int:
        self.weight = None
        return 1


def test_attributes_of_objects_are_narrowed():
    def f(n: int):
        a, b = Link(1), Link(2)
        a.next = b
        b.weight = n
        found = [a.next.value]
        if b.weight is not None and b.weight > 1:
            found.append(b.weight + 1)
        assert a.next is not None
        found.append(a.next.value)
        if a.next.weight:
            found.append(7)
        for i in range(3):
            if b.weight is not None:
                found.append(b.weight)
                b.weight = None
            else:
                b.weight = i
        return found

    check(f, (3,), (0,))


def test_what_may_assign_ends_what_is_known_of_an_attribute():
    def by_a_method(n: int):
        a = Link(1)
        a.weight = n
        if a.weight is not None:
            a.drop()
            return a.weight is None
        return False

    def by_another_name(n: int):
        a = Link(1)
        b = a
        a.weight = n
        if a.weight is not None:
            b.weight = None
            return a.weight is None
        return False

    def in_a_loop(n: int):
        a = Link(1)
        a.weight = n
        total = 0
        if a.weight is not None:
            for i in range(3):
                total += -100 if a.weight is None else a.weight
                a.weight = None if i == 0 else 7
        return total

    def in_a_handler(n: int):
        a = Link(1)
        a.weight = n
        if a.weight is not None:
            try:
                n += a.drop()
                raise ValueError("x")
            except ValueError:
                return a.weight is None
        return False

    for function in (by_a_method, by_another_name, in_a_loop, in_a_handler):
        check(function, (3,))

    def unchecked(n: int):
        a = Link(1)
        a.weight = n
        if a.weight is not None:
            a.drop()
            return a.weight + 1
        return 0

    with pytest.raises(ingot.Error, match="Optional"):
        ingot.script(unchecked)


class NotABool:
    def __bool__(self):
        return (1, 2)


class Unset:
    def __init__(self, flag: bool):
        if flag:
            self.value = 1


def test_unset_attribute():
    def f(flag: bool) -> int:
        return Unset(flag).value

    check(f, (True,), (False,))
    with pytest.raises(ingot.Error, match="'value' of a Unset has not been set"):
        ingot.script(f)(False)


class Meta(type):
    pass


class WithMeta(metaclass=Meta):
    pass


class Dynamic:
    def __getattr__(self, name):
        return name


class Conflict:
    def __init__(self):
        self.x = 1

    def change(self):
        self.x = "text"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (lambda x: Point(1.0, 2.0).lenght, "no attribute lenght"),
        (lambda x: WithMeta(), "metaclass Meta"),
        (lambda x: Dynamic().y, "defines __getattr__"),
        (lambda x: Conflict().change(), "attribute x of Conflict is int and is given"),
        (lambda x: Shape("a"), "Shape is abstract"),
        (lambda x: Config(1, wdth=2), "no field 'wdth'"),
        (lambda x: Point(1.0), "lacks the argument 'y'"),
        (lambda x: 1 if NotABool() else 2, "__bool__ of a NotABool gives the tuple"),
    ],
)
def test_errors(body, message):
    with pytest.raises(ingot.Error, match=message) as caught:
        ingot.script(body)
    assert "test_classes.py" in str(caught.value)


def test_frozen_and_suggestion():
    def f(n: int):
        v = Version(n)
        v.major = 3
        return v.minor

    def g():
        return Point(1.0, 2.0).lenght

    with pytest.raises(ingot.Error, match="Version is frozen"):
        ingot.script(f)
    with pytest.raises(ingot.Error, match="did you mean length"):
        ingot.script(g)


class Private:
    __step = 3

    def __init__(self, n: int) -> None:
        self.__n = n

    def __stepped(self) -> int:
        return self.__n + self.__step

    def get(self) -> int:
        return self.__stepped()


class PrivateToo(Private):
    def __init__(self, n: int) -> None:
        super().__init__(n)
        self.__n = -n

    def own(self) -> int:
        return self.__n


def test_private_names_belong_to_their_class():
    def f(n: int):
        made = PrivateToo(n)
        return made.get(), made.own(), Private(1).get()

    check(f, (5,), (0,))


class Pile:
    def __init__(self) -> None:
        self.items: list[int] = []

    def __iter__(self):
        return iter(self.items)


def test_in_goes_over_what_has_no_contains():
    def inside(n: int):
        pile = Pile()
        pile.items.append(3)
        return n in pile, n not in pile

    check(inside, (3,), (4,))


class Weight:
    def __init__(self, grams: int) -> None:
        self.grams = grams

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Weight) and self.grams == other.grams

    def __hash__(self) -> int:
        return self.grams


@dataclass
class Pack:
    weight: Weight
    tags: list[str]


def test_containers_compare_their_objects_as_the_class_says():
    def equal(n: int):
        some = [Weight(n), Weight(1), Weight(1)]
        pairs = [(Weight(n), 1), (Weight(1), 2)]
        packs = Pack(Weight(n), ["x"]) == Pack(Weight(2), ["x"])
        return (
            some == [Weight(2), Weight(1), Weight(1)],
            some != [Weight(2)],
            {"a": Weight(n)} == {"a": Weight(2)},
            pairs == [(Weight(2), 1), (Weight(1), 2)],
            packs,
            [[Weight(n)]] == [[Weight(2)]],
        )

    check(equal, (2,), (3,))

    def search(n: int):
        some = [Weight(n), Weight(1), Weight(1)]
        pairs = [(Weight(n), 1), (Weight(1), 2)]
        found = some.count(Weight(1)), some.index(Weight(1)), Weight(n) in some
        some.remove(Weight(1))
        assert (Weight(1), 2) in pairs and (Weight(1), 3) not in pairs
        return found, len(some), pairs.count((Weight(1), 2)), pairs.index((Weight(1), 2))

    check(search, (2,), (1,))


def test_lists_search_tensors_by_what_they_hold():
    def search(a: Tensor, b: Tensor):
        some = [a, b, a + 0]
        found = some.index(b), some.count(a), some.index(b + 0), a in some
        some.remove(b + 0)
        return found, some

    check(search, (torch.tensor(1), torch.tensor(2)))

    def ambiguous(a: Tensor, b: Tensor):
        return [a, b].index(b)

    assert ingot.script(lambda a, b: [a, b].index(a))(torch.ones(2), torch.zeros(2)) == 0
    with pytest.raises(ingot.Error, match="ambiguous"):
        ingot.script(ambiguous)(torch.ones(2), torch.zeros(2))

    def numbers(n: int):
        return [1, 2, 2].count(2.0), [1, n].index(2.0), [True, False].index(0), [1.0, 2.5].count(1)

    check(numbers, (2,), (3,))

    def equal(a: Tensor, b: Tensor):
        some, table = [a, b], {"a": a}
        return some == [a, b], some != [b, a], [a + 0] == [a], table == {"a": a}

    check(equal, (torch.tensor(1), torch.tensor(2)), (torch.tensor(2), torch.tensor(2)))
