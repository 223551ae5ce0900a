"""Stages become sums and a trace; what this process holds."""

import json
import threading
from types import SimpleNamespace

import psutil
import pytest

from vr180_ofx import telemetry
from vr180_ofx.resources import Snapshot
from vr180_ofx.telemetry import Stages, resident_bytes


@pytest.fixture
def clock(monkeypatch):
    """Gives the times that stages see, one after the other."""
    times: list[float] = []
    monkeypatch.setattr(telemetry, "time", SimpleNamespace(perf_counter=lambda: times.pop(0)))
    return times


def test_a_trace_that_perfetto_reads(clock):
    """The Trace Event Format: complete events with times in microseconds, threads with names, counters."""
    clock += [10.0, 10.5, 11.0, 11.25, 12.0]
    stages = Stages(trace=True)

    def work():
        with stages.measure("outer"), stages.measure("inner"):
            pass

    thread = threading.Thread(target=work, name="worker")
    thread.start()
    thread.join()
    trace = json.loads(json.dumps(stages.trace([Snapshot(0.5, 10.0, 1 << 20, 1, None).to_dict()])))
    events = {e["name"]: e for e in trace["traceEvents"]}
    outer, inner = events["outer"], events["inner"]
    assert (outer["ph"], outer["ts"], outer["dur"]) == ("X", 0.5e6, 1.5e6) and (inner["ts"], inner["dur"]) == (1e6, 0.25e6)
    assert outer["tid"] == inner["tid"] == events["thread_name"]["tid"] and events["thread_name"]["args"]["name"] == "worker"
    assert events["memory MB"]["args"]["resident"] == 1.0 and events["CPU percent"]["ts"] == 0.5e6


def test_sums_are_of_all_calls_the_dearest_first(clock):
    clock += [0.0, 0.0, 1.0, 1.0, 5.0, 5.0, 8.0]
    stages = Stages()
    for name in ("read", "make", "read"):
        with stages.measure(name):
            pass
    assert stages.summary() == {
        "make": {"seconds": 4.0, "calls": 1, "ms_per_call": 4000.0},
        "read": {"seconds": 4.0, "calls": 2, "ms_per_call": 2000.0},
    } and list(stages.summary()) == ["read", "make"]  # fmt: skip
    assert stages.trace()["traceEvents"] == []


def test_what_fails_is_counted_too():
    stages = Stages()
    with pytest.raises(KeyError), stages.measure("broken"):
        raise KeyError
    assert stages.calls == {"broken": 1}


def test_nothing_is_counted_that_nobody_wants():
    stages = Stages(enabled=False, trace=True)
    with stages.measure("work"):
        pass
    assert stages.summary() == {} and stages.trace()["traceEvents"] == []


def test_resident_memory_is_what_the_system_says():
    assert resident_bytes() == pytest.approx(psutil.Process().memory_info().rss, rel=0.05)
