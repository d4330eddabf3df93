"""Values other than tensors, both ways."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest
from tests.python.programs import identity

from ingot.errors import Error
from ingot.ir.types import (
    BOOL,
    COMPLEX,
    FLOAT,
    INT,
    NONE,
    STR,
    TENSOR,
    DictType,
    ListType,
    NamedTupleType,
    OptionalType,
    TupleType,
    UnionType,
)


@pytest.mark.parametrize(
    ("type", "value"),
    [
        (NONE, None),
        (BOOL, True),
        (INT, 0),
        (INT, -(2**63)),
        (INT, 2**63 - 1),
        (FLOAT, 1.5),
        (FLOAT, float("inf")),
        (COMPLEX, 1 - 2j),
        (STR, ""),
        (STR, "naïve ☃ \0 text"),
        (ListType(INT), []),
        (ListType(INT), [1, 2, 3]),
        (ListType(ListType(STR)), [["a"], []]),
        (TupleType(()), ()),
        (TupleType((INT, STR, NONE)), (1, "a", None)),
        (DictType(STR, INT), {}),
        (DictType(STR, INT), {"b": 1, "a": 2}),
        (DictType(INT, ListType(FLOAT)), {1: [0.5], -1: []}),
        (OptionalType(INT), None),
        (OptionalType(INT), 3),
        (UnionType((INT, STR)), "a"),
    ],
    ids=str,
)
def test_values_come_back_as_they_are(type, value):
    result = identity(type)(value)
    assert result == value
    assert result.__class__ is value.__class__
    if isinstance(value, dict):
        assert list(result) == list(value), "insertion order"


def test_conversions_that_python_makes_too():
    result = identity(FLOAT)(2)
    assert result == 2.0 and isinstance(result, float)
    assert identity(ListType(FLOAT))((1, 2)) == [1.0, 2.0]
    assert identity(DictType(STR, INT))(OrderedDict(a=1)) == {"a": 1}


class Pair(NamedTuple):
    left: int
    right: str


@dataclass
class Config:
    left: int
    right: str


PAIR = NamedTupleType("Pair", ("left", "right"), (INT, STR))


@pytest.mark.parametrize(
    "value", [Pair(1, "a"), namedtuple("Pair", "left right")(1, "a"), Config(1, "a")]
)
def test_named_tuples_keep_their_fields(value):
    result = identity(PAIR)(value)
    assert result == (1, "a")
    assert result.left == 1 and result.right == "a"
    assert result._fields == ("left", "right")
    assert type(result).__name__ in ("Pair", "Config")
    assert pickle.loads(pickle.dumps(result)) == result
    assert copy.deepcopy(result) == result


def test_a_container_of_tensors():
    arrays = {"a": [np.ones(2), np.zeros((0, 3))], "b": []}
    result = identity(DictType(STR, ListType(TENSOR)))(arrays)
    assert list(result) == ["a", "b"]
    assert np.shares_memory(result["a"][0], arrays["a"][0])
    assert result["a"][1].shape == (0, 3)


def recursive() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("type", "value", "sentence"),
    [
        (INT, 2**63, "64 bits"),
        (INT, "a", "must be int"),
        (INT, 1.0, "must be int"),
        (INT, None, "must be int"),
        (BOOL, 1, "must be bool"),
        (STR, b"a", "type bytes"),
        (STR, 1, "must be str"),
        (TENSOR, [1, 2], "must be Tensor, got list"),
        (TENSOR, None, "must be Tensor, got None"),
        (TENSOR, 1.0, "must be Tensor, got float"),
        (ListType(INT), [1, "a"], r"\[1\].* must be int"),
        (ListType(INT), np.ones(3), "must be"),
        (TupleType((INT, INT)), (1,), "tuple of 2"),
        (TupleType((INT, INT)), [1, 2], "got list"),
        (DictType(STR, INT), {1: 1}, "must be str"),
        (DictType(STR, INT), {(1,): 1}, "must be str, got tuple"),
        (ListType(INT), {1, 2}, "type set"),
        (ListType(INT), recursive(), "contains itself"),
        (STR, "\ud800", "no valid text"),
        (INT, object(), "type object"),
    ],
)
def test_what_does_not_fit_is_a_sentence(type, value, sentence):
    with pytest.raises(Error, match=sentence) as caught:
        identity(type)(value)
    assert caught.value.code == "invalid_argument"
    assert "input 'x" in caught.value.message
