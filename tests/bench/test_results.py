"""What the benchmark computes from its measurements."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks import page, results
from benchmarks.goals import goals
from benchmarks.measure import Timed, difference, interleaved
from benchmarks.peers import NAMES, Runner, Unsupported
from benchmarks.prepare import why
from benchmarks.results import Results, Row, geometric_mean


def timed(ms, off=0.0):
    return {"median_ms": ms, "min_ms": ms / 2, "samples": 9, "cores": 1.0} | {
        "difference": off,
        "scale": 2.0,
    }


def row(**times):
    found = {name: timed(value) for name, value in times.items()}
    return Row(found, dict.fromkeys(NAMES, "1.0"), "abc", "2026-01-01", 3, 0.5)


def test_ratios_are_to_the_fastest_peer():
    found = row(ingot=2.0, eager=8.0, onnxruntime=3.0)
    assert found.best() == ("onnxruntime", 3.0)
    assert found.ratio() == 1.5
    assert found.ratio("eager") == 4.0
    assert found.ratio("ncnn") is None


def test_a_wrong_answer_has_no_time():
    found = row(ingot=2.0, eager=8.0, ncnn=1.0)
    found.peers["ncnn"]["difference"] = 0.01
    assert found.time("ncnn") is None and "differs from eager by 0.01" in found.reason("ncnn")
    found.peers["ncnn"]["difference"] = float("nan")
    assert found.time("ncnn") is None
    assert found.best() == ("eager", 8.0)


def test_geometric_mean():
    assert geometric_mean([2.0, None, 8.0]) == pytest.approx(4.0)
    assert geometric_mean([None]) is None


@pytest.fixture
def stored(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "STORE", tmp_path / "results.json")
    found = Results({"processor": "P"})
    found.store("resnet18", 1, row(ingot=20.0, eager=46.0, onnxruntime=34.0))
    found.store("resnet18", 2, row(ingot=10.0, eager=26.0, onnxruntime=9.0))
    found.rows["resnet18"][1].peers["ncnn"] = {"reason": "has | no batch"}
    found.qualities["nodes"] = [{"what": "load", "goal": 1.0, "measured": 0.5, "unit": "ms"}]
    found.save()
    return found


def test_results_come_back_on_the_same_machine_only(stored):
    assert Results.load({"processor": "P"}).rows == stored.rows
    assert Results.load({"processor": "Q"}).rows == {}


def test_a_row_of_fewer_peers_replaces_none_of_more(stored):
    before = stored.rows["resnet18"][1]
    stored.store("resnet18", 1, row(ingot=1.0, eager=2.0))
    assert stored.rows["resnet18"][1] is before
    stored.store("resnet18", 1, row(ingot=1.0, eager=2.0, ncnn=3.0, openvino=4.0))
    assert stored.rows["resnet18"][1].time("ingot") == 1.0


def test_goals_are_judged(stored):
    verdicts = {goal.text: goal.kept for goal in goals(stored)}
    assert verdicts["as fast as the best peer on every model, one thread"]
    assert not verdicts["as fast as the best peer on every model, two threads"]
    assert verdicts["two threads ≥ 1.9× one, convolutional and transformer models"]
    assert verdicts["load ≤ 1 ms"]


def test_the_page_shows_every_dash_with_its_reason(stored):
    text = "\n".join(page.sections(stored))
    assert "| resnet18 | 20.0 | 46.0 | – | – | **34.0** | – | – | – | 1.70× |" in text
    assert "* ncnn: resnet18: has \\| no batch" in text
    assert "* OpenVINO: resnet18: not measured" in text


def test_a_page_of_nothing():
    assert "Nothing is measured yet" in "\n".join(page.sections(Results({})))


def test_outputs_are_compared_whole():
    a = [np.array([[1.0, -4.0]], np.float32)]
    assert difference([np.array([1.5, -4.0])], a) == (0.5, 4.0)
    assert np.isnan(difference([np.array([np.nan, -4.0])], a)[0])
    with pytest.raises(Unsupported, match="2 outputs, eager gives 1"):
        difference(a + a, a)
    with pytest.raises(Unsupported, match="shape"):
        difference([np.zeros(3)], a)


def test_every_runtime_has_as_many_turns():
    calls = {"a": 0, "b": 0}

    def runner(name):
        def call():
            calls[name] += 1

        return Timed(Runner(call, lambda _: []), estimate=0.1)

    runners = [runner("a"), runner("b")]
    interleaved(runners, 0, 1)
    assert calls == {"a": 5, "b": 5}
    assert all(len(item.samples) == 5 for item in runners)


@pytest.mark.parametrize(
    ("status", "stderr", "reason"),
    [
        (-11, "", "the process dies of SIGSEGV"),
        (1, "noise\na.b.OpError: no op\n  at line 3\n", "a.b.OpError: no op"),
        (1, "benchmarks.peers.Unsupported: has no batch", "has no batch"),
        (1, "first\nlast\n\n", "last"),
        (1, "", "no message"),
    ],
)
def test_reasons_are_one_line(status, stderr, reason):
    assert why(status, stderr) == reason
