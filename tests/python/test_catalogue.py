"""The catalogue and single op calls."""

from __future__ import annotations

import numpy as np
import pytest

from ingot import _ingot
from ingot.errors import Error


def test_rows_are_complete():
    rows = {name: (arguments, returns) for name, arguments, returns in _ingot.catalogue()}
    arguments, returns = rows["aten::add.Tensor"]
    assert arguments == [
        ("self", "Tensor", False, None, False, False, ""),
        ("other", "Tensor", False, None, False, False, ""),
        ("alpha", "Scalar", True, 1, True, False, ""),
    ]
    assert returns == [("", "Tensor", "")]
    (first, *_), (result,) = rows["aten::add_.Tensor"]
    assert first[5:] == (True, "a") and result[2] == "a"


def test_calls_fill_in_defaults():
    (y,) = _ingot.call_op("aten::add.Tensor", [np.ones(2), np.ones(2)])
    np.testing.assert_array_equal(y, [2, 2])
    assert _ingot.call_op("aten::add.int", [2, 3]) == (5,)


def test_variadic_ops_take_any_number():
    assert _ingot.call_op("aten::format", ["{} and {}", 1, "b"]) == ("1 and b",)


def test_infer_gives_dtypes_and_sizes_without_running():
    assert _ingot.infer("aten::add.Tensor", [np.ones((2, 1), np.float32), np.ones(3)]) == [
        (7, (2, 3))
    ]


@pytest.mark.parametrize("function", [_ingot.call_op, _ingot.infer])
@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ([np.ones(2)], "other"),
        ([np.ones(2)] * 4, "takes 3 arguments, but 4"),
        ([np.ones(2), "a"], "aten::add.Tensor"),
    ],
)
def test_wrong_arguments_are_sentences(function, args, sentence):
    with pytest.raises(Error, match=sentence):
        function("aten::add.Tensor", args)
