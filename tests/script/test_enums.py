"""Enum classes: members known while compiling and members known when the program runs."""

import enum

import pytest
import torch
from agreement import check
from torch import Tensor

import ingot


class Color(enum.Enum):
    RED = 1
    GREEN = 2
    BLUE = 4

    @property
    def bright(self) -> bool:
        return self.value > 1

    def mixed(self, other: "Color") -> int:
        return self.value + other.value


class Mode(enum.Enum):
    SUM = "sum"
    MEAN = "mean"


class Level(enum.IntEnum):
    LOW = 10
    HIGH = 20


class Odd(enum.Enum):
    A = (1, 2)
    B = "text"


def pick(flag: bool) -> Color:
    return Color.RED if flag else Color.BLUE


def test_members():
    def f(flag: bool):
        color = pick(flag)
        names = [c.name for c in Color]
        if color == Color.RED:
            names.append("is red")
        return (
            color.value, color.name, color is Color.BLUE, color != Color.RED, names, str(color),
            color.bright, color.mixed(Color.GREEN), len(Color), color in Color,
            f"{Color.RED} {color}", Color.GREEN.value, color in (Color.RED, Color.GREEN),
        )  # fmt: skip

    check(f, (True,), (False,))


def test_lookups():
    def f(n: int, name: str):
        return Color(n).name, Color[name].value

    check(f, (1, "RED"), (4, "BLUE"), (3, "RED"), (2, "PINK"))


def test_dict_keys_and_lists():
    def f(flag: bool):
        counts: dict[Color, int] = {Color.RED: 1, Color.GREEN: 2}
        chosen: list[Color] = [pick(flag), Color.GREEN]
        for each in chosen:
            counts[each] = counts.get(each, 0) + 10
        total = 0
        for key, value in counts.items():
            if key is not Color.GREEN:
                total += value * key.value
        return total, counts[Color.GREEN], Color.BLUE in counts

    check(f, (True,), (False,))


def test_int_enum_is_a_number():
    def f(flag: bool, x: Tensor):
        level = Level.LOW if flag else Level.HIGH
        return level + 1, level < 15, level > Level.LOW, x * level, x[: level - 9], level == 10

    check(f, (True, torch.arange(30)), (False, torch.arange(30)))


def test_strings_and_optional():
    def f(x: Tensor, mean: bool, none: bool):
        mode: Mode | None = None
        if not none:
            mode = Mode.MEAN if mean else Mode.SUM
        if mode is None:
            return x, "none"
        if mode == Mode.MEAN:
            return x.mean(), mode.value
        return x.sum(), mode.name

    x = torch.randn(3)
    check(f, (x, True, False), (x, False, False), (x, True, True))


def test_arguments_and_results():
    def f(color: Color, mode: Mode = Mode.SUM):
        return color, mode, [color], color.name

    scripted = ingot.script(f)
    assert scripted(Color.GREEN) == (2, "sum", [2], "GREEN")
    assert scripted(4, Mode.MEAN) == (4, "mean", [4], "BLUE")
    with pytest.raises(ingot.Error, match="color is not a valid Color"):
        scripted(3)


def test_members_of_other_kinds():
    def f(odd: Odd) -> bool:
        return odd is Odd.A

    scripted = ingot.script(f)
    assert scripted(Odd.A) is True
    assert scripted(Odd.B) is False


class Machine(torch.nn.Module):
    def __init__(self, mode: Mode):
        super().__init__()
        self.mode = mode
        self.state = Color.RED

    def forward(self, x: Tensor):
        if self.state == Color.RED:
            self.state = Color.GREEN
        else:
            self.state = Color.BLUE
        return x.sum() if self.mode is Mode.SUM else x.mean(), self.state.value


def test_attributes_of_modules():
    eager, compiled = Machine(Mode.MEAN), ingot.script(Machine(Mode.MEAN))
    x = torch.randn(4)
    for _ in range(3):
        expected, actual = eager(x), compiled(x)
        torch.testing.assert_close(expected[0], actual[0])
        assert expected[1] == actual[1]


def test_unknown_member():
    def f():
        return Color.PINK

    with pytest.raises(ingot.Error, match="no attribute PINK"):
        ingot.script(f)
