"""Threads, the GIL and processes."""

from __future__ import annotations

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tests.python.programs import counter, linear_program, tensor_state

import ingot
from ingot.dtypes import DType
from ingot.ir.builder import Builder
from ingot.ir.graph import BUFFER, Program
from ingot.ir.types import TensorType


def test_threads_share_one_module():
    rng = np.random.default_rng(0)
    weight = rng.standard_normal((16, 8)).astype(np.float32)
    bias = rng.standard_normal(16).astype(np.float32)
    m = ingot.Module.from_program(linear_program(weight, bias))

    def work(seed: int) -> float:
        random = np.random.default_rng(seed)
        worst = 0.0
        for _ in range(100):
            x = random.standard_normal((int(random.integers(0, 20)), 8)).astype(np.float32)
            worst = max(worst, float(np.abs(m(x) - (x @ weight.T + bias)).max(initial=0)))
        return worst

    with ThreadPoolExecutor(8) as pool:
        assert max(pool.map(work, range(8))) < 1e-4


def test_calls_that_update_state_take_turns():
    m = counter()
    one = np.ones(2, np.float32)

    def work(_: int) -> None:
        for _ in range(200):
            m(one)
            m.state_dict()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert m.state_dict()["total"].tolist() == [1600, 1600]


def test_the_gil_is_free_during_a_run():
    # One call, while another thread counts: with the GIL held the counter could not move
    # between the call's begin and end.
    x = np.ones((256, 512), np.float32)
    m = ingot.Module.from_program(
        linear_program(np.ones((2048, 512), np.float32), np.ones(2048, np.float32))
    )
    stop = threading.Event()
    ticks = [0]

    def count() -> None:
        while not stop.is_set():
            ticks[0] += 1

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    thread = threading.Thread(target=count)
    thread.start()
    try:
        moved = 0
        deadline = time.monotonic() + 30
        while moved < 5 and time.monotonic() < deadline:
            before = ticks[0]
            m(x)
            moved += ticks[0] - before > 10
        assert moved == 5
    finally:
        stop.set()
        thread.join()
        sys.setswitchinterval(interval)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_process_can_run_what_its_parent_loaded():
    weight = np.ones((64, 64), np.float32)
    m = ingot.Module.from_program(linear_program(weight, weight[0]))
    x = np.ones((64, 64), np.float32)
    m(x)
    child = os.fork()
    if child == 0:
        os._exit(0 if m(x)[0, 0] == 65 else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def test_state_does_not_alias_the_input_it_was_set_from():
    program = Program()
    program.state["last"] = tensor_state("last", np.zeros(3, np.float32), BUFFER, mutable=True)
    b = Builder.method(program, "forward", [("x", TensorType(DType.f32, (3,)))])
    b.set_state("last", b.inputs[0])
    b.returns(1)
    m = ingot.Module.from_program(program)
    x = np.ones(3, np.float32)
    before = sys.getrefcount(x)
    m(x)
    assert sys.getrefcount(x) == before
    x[:] = 5
    assert m.state_dict()["last"].tolist() == [1, 1, 1]
