"""The machine is watched, stages become a trace, and a render is foretold."""

import json
import tempfile
import threading
import time
from pathlib import Path

import pytest

from tests.stereo.scenes import DEMO
from vr180_ofx.cli.main import main
from vr180_ofx.resources import Cards, Gpu, Monitor, Snapshot
from vr180_ofx.telemetry import Stages


def test_a_monitor_sees_what_a_process_uses(tmp_path):
    with Monitor(tmp_path / "log.jsonl", period_s=0.05) as monitor:
        block = bytearray(200 << 20)
        end = time.perf_counter() + 0.5
        while time.perf_counter() < end:
            block[::4096] = b"x" * len(block[::4096])
    summary = monitor.summary()
    assert summary["looks"] >= 3 and summary["resident_gb_peak"] > 0.2 and summary["cpu_percent_peak"] > 20
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert len(lines) == len(monitor.history) == summary["looks"] and lines[0]["seconds"] < lines[-1]["seconds"]
    assert "CPU" in monitor.newest.describe() and "GB" in monitor.newest.describe()


def test_a_log_that_cannot_be_written_ends_nothing(tmp_path):
    with Monitor(tmp_path / "absent" / "log.jsonl", period_s=0.01) as monitor:
        time.sleep(0.05)
    assert monitor.history


def test_words_for_a_card():
    """Cards answer only where there are some; the words are for any."""
    gpu = Gpu("card", 87.0, 5 << 30, 16 << 30, 61.0, 212.5)
    words = Snapshot(1.0, 50.0, 1 << 30, 8 << 30, None, (gpu,)).describe()
    assert "GPU 87 %" in words and "5.0 GB" in words and "61 °C" in words and "212 W" in words
    assert isinstance(Cards().look(), tuple)


def test_a_trace_that_perfetto_reads():
    """The Trace Event Format: complete events with times in microseconds, threads with names, counters."""
    stages = Stages(trace=True)

    def work():
        with stages.measure("outer"), stages.measure("inner"):
            time.sleep(0.02)

    thread = threading.Thread(target=work, name="worker")
    thread.start()
    thread.join()
    trace = json.loads(json.dumps(stages.trace([Snapshot(0.5, 10.0, 1 << 20, 1, None).to_dict()])))
    events = {e["name"]: e for e in trace["traceEvents"]}
    outer, inner = events["outer"], events["inner"]
    assert outer["ph"] == "X" and outer["ts"] <= inner["ts"] and inner["ts"] + inner["dur"] <= outer["ts"] + outer["dur"] + 1
    assert inner["dur"] >= 20_000 and outer["tid"] == inner["tid"] == events["thread_name"]["tid"]
    assert events["thread_name"]["args"]["name"] == "worker" and events["memory MB"]["args"]["resident"] == 1.0
    assert Stages().trace()["traceEvents"] == []


def test_a_render_with_its_profile(tmp_path, capsys):
    trace, log = tmp_path / "trace.json", tmp_path / "log.jsonl"
    arguments = ["render", str(DEMO / "walk3d.mp4"), "-o", str(tmp_path / "out"), "--frames", "0-3", "--trace", str(trace)]
    assert main([*arguments, "--profile", "--resource-log", str(log)]) == 0
    said = capsys.readouterr().err
    assert "ms a call" in said and "track" in said and "of" in said and log.exists()
    names = {e["name"] for e in json.loads(trace.read_text())["traceEvents"]}
    assert {"track", "refine", "write", "decode", "CPU percent", "memory MB"} <= names


@pytest.mark.slow
def test_an_estimate_and_what_came_of_it(tmp_path, capsys):
    """Times are for the benchmark to judge; here: what does not depend on the machine's mood, and nothing is left behind."""
    before = set(Path(tempfile.gettempdir()).glob("vr180-ofx-estimate-*"))
    assert main(["estimate", str(DEMO / "walk3d.mp4"), "--measure", "12", "--price", "3.6", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert set(Path(tempfile.gettempdir()).glob("vr180-ofx-estimate-*")) == before
    assert data["frames"] == 24 and data["measured"]["frames"] == 12 and data["measured"]["people"] == 2
    assert data["cost"] == pytest.approx(data["total_s"] / 1000, rel=0.05, abs=1e-4)
    assert data["render_s"] > data["measured"]["render_s"] and data["memory_bytes"] > 100e6
    assert main(["render", str(DEMO / "walk3d.mp4"), "-o", str(tmp_path / "out"), "--json"]) == 0
    made = sum(p.stat().st_size for p in (tmp_path / "out").glob("*.exr"))
    assert data["output_bytes"] == pytest.approx(made, rel=0.25)
    # a plan that is kept costs nothing any more
    assert main(["estimate", str(DEMO / "walk3d.mp4"), "--measure", "8", "--json"]) == 0
    again = json.loads(capsys.readouterr().out.split("\n}\n", 1)[1])
    assert again["analysis_s"] == 0 and again["cost"] is None


def test_too_little_to_learn_from(capsys):
    assert main(["estimate", str(DEMO / "walk3d.mp4"), "--measure", "1"]) == 2
    assert "--measure" in capsys.readouterr().err
