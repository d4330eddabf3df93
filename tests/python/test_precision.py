"""Loading with a precision."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from tests.python.programs import linear_program

import ingot
from ingot import _ingot

WEIGHT = np.random.default_rng(0).standard_normal((20, 33)).astype(np.float32)
BIAS = np.random.default_rng(1).standard_normal(20).astype(np.float32)
X = np.random.default_rng(2).standard_normal((7, 33)).astype(np.float32)
CPU = Path("/proc/cpuinfo")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "linear.ingot"
    ingot.Module.from_program(linear_program(WEIGHT, BIAS)).save(path)
    return path


@pytest.fixture
def machine_without_bf16():
    _ingot.set_simd_level(0)
    yield
    _ingot.set_simd_level(len(_ingot.simd_levels()) - 1)


def test_f32_is_the_default(file):
    plain, named = ingot.load(file), ingot.load(file.read_bytes(), precision="f32")
    for module in (plain, named, copy.deepcopy(plain), pickle.loads(pickle.dumps(plain))):
        assert module.precision == "f32"
        np.testing.assert_allclose(module(X), X @ WEIGHT.T + BIAS, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(plain(X), named(X))


def test_bf16_is_refused_where_the_machine_lacks_it(file, machine_without_bf16):
    for source in (file, file.read_bytes()):
        with pytest.raises(ingot.Error, match="bf16 needs a processor with AVX-512 BF16") as info:
            ingot.load(source, precision="bf16")
        assert info.value.code == "unsupported"
        assert "load with precision f32" in str(info.value)


def test_other_names_are_refused(file):
    with pytest.raises(ingot.Error, match="no precision 'f16'; there are f32 and bf16"):
        ingot.load(file, precision="f16")


@pytest.mark.skipif(
    not CPU.exists() or "avx512_bf16" not in CPU.read_text(),
    reason="the processor has no AVX-512 BF16; tests/cpp computes the same without it",
)
def test_operands_in_bf16_are_rounded(file):
    module = ingot.load(file, precision="bf16")
    x, weight = (a.astype(ml_dtypes.bfloat16).astype(np.float32) for a in (X, WEIGHT))
    for same in (module, copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert same.precision == "bf16"
        np.testing.assert_allclose(same(X), x @ weight.T + BIAS, rtol=1e-5, atol=1e-5)
