"""The exception types."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from tests.python.programs import identity

import ingot
from ingot import _ingot
from ingot.dtypes import DType
from ingot.ir.types import TensorType


def test_parts_and_text():
    error = ingot.Error("it broke", "runtime", "  model.py:3 in forward: y = f(x)", "mend it")
    assert (error.message, error.code) == ("it broke", "runtime")
    assert str(error) == "it broke\n  model.py:3 in forward: y = f(x)\nhint: mend it"
    assert str(ingot.Error("it broke")) == "it broke"
    assert ingot.Error("it broke").code == "invalid_argument"


def test_a_guard_error_is_an_error():
    error = ingot.GuardError("no")
    assert isinstance(error, ingot.Error) and error.code == "guard"


@pytest.mark.parametrize("cls", [ingot.Error, ingot.GuardError])
def test_pickling(cls):
    error = cls("a", "runtime", "b", "c")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is cls
    assert (copy.message, copy.code, copy.location, copy.hint) == ("a", "runtime", "b", "c")


def test_the_native_module_raises_the_same_classes():
    assert _ingot.Error is ingot.Error and _ingot.GuardError is ingot.GuardError
    with pytest.raises(ingot.Error, match="no op named aten::nope") as caught:
        _ingot.call_op("aten::nope", [])
    assert caught.value.code == "not_found"
    with pytest.raises(ingot.GuardError, match="must have dtype f32"):
        identity(TensorType(DType.f32))(np.zeros(2))


def test_ops_name_themselves_and_their_inputs():
    with pytest.raises(ingot.Error, match="aten::add.Tensor") as caught:
        _ingot.call_op("aten::add.Tensor", [np.ones(2), np.ones(3), 1])
    assert "f64[2]" in str(caught.value) and "f64[3]" in str(caught.value)
