"""The machine is watched: this process by itself, cards by what their driver says."""

import gc
import json
import mmap
from types import SimpleNamespace

import psutil
import pynvml
import pytest

from vr180_ofx.engine.limits import give_back
from vr180_ofx.resources import Cards, Gpu, Monitor, Snapshot

HELD = 200 << 20


def looked(monitor, times):
    """Works, and holds memory, until the monitor has looked so many times more."""
    # the system's own pages: of what was allocated and freed, something is kept
    with mmap.mmap(-1, HELD) as block:

        def touch():
            for place in range(0, HELD, mmap.PAGESIZE):
                block[place] = 1

        # all of it is there before the first look that counts
        touch()
        seen = len(monitor.history)
        while len(monitor.history) < seen + times:
            touch()


def test_a_monitor_sees_what_a_process_uses(tmp_path):
    # what is freed already is given back now, not while the monitor looks
    gc.collect()
    give_back()
    before = psutil.Process().memory_info().rss
    with Monitor(tmp_path / "log.jsonl", period_s=0.02) as monitor:
        looked(monitor, 3)
    summary = monitor.summary()
    assert summary["looks"] == len(monitor.history) >= 4
    assert summary["resident_gb_peak"] * 2**30 >= before + 0.9 * HELD and summary["cpu_percent_peak"] > 0
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert lines == [json.loads(json.dumps(s.to_dict())) for s in monitor.history]
    assert [line["seconds"] for line in lines] == sorted({line["seconds"] for line in lines})
    assert summary["cpu_percent_mean"] == pytest.approx(sum(line["cpu"] for line in lines) / len(lines), abs=1e-2)


def test_a_log_that_cannot_be_written_ends_nothing(tmp_path):
    with Monitor(tmp_path / "absent" / "log.jsonl", period_s=0.01) as monitor:
        looked(monitor, 2)
    assert len(monitor.history) >= 3 and not (tmp_path / "absent").exists()


def test_a_long_history_is_thinned_out_and_counted_in_full(monkeypatch):
    monitor = Monitor()
    monkeypatch.setattr(monitor, "look", lambda: Snapshot(0, 10.0, 1 << 30, 1, None))
    for _ in range(10_000):
        monitor._take()
    assert 4096 <= len(monitor.history) <= 8192 and monitor.summary()["looks"] == 10_000
    assert monitor.summary()["resident_gb_mean"] == 1 and monitor.newest == monitor.history[-1]


def test_words_for_a_card():
    gpu = Gpu("card", 87.0, 5 << 30, 16 << 30, 61.0, 212.5)
    words = Snapshot(1.0, 50.0, 1 << 30, 8 << 30, None, (gpu,)).describe()
    assert "GPU 87 %" in words and "5.0 GB" in words and "61 °C" in words and "212 W" in words


@pytest.fixture
def driver(monkeypatch):
    """NVIDIA's library as it answers on a machine with three cards: one that says everything, one without sensors, and one that fell off
    the bus.
    """

    def refuse(*_):
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)

    def of(answers):
        def ask(handle, *_):
            return answers[handle] if handle in answers else refuse()

        return ask

    answers = {
        "nvmlInit": lambda: None,
        "nvmlDeviceGetCount": lambda: 3,
        "nvmlDeviceGetHandleByIndex": lambda k: k,
        "nvmlDeviceGetMemoryInfo": of({0: SimpleNamespace(used=5 << 30, total=16 << 30), 1: SimpleNamespace(used=1, total=2)}),
        "nvmlDeviceGetName": of({0: b"Card A", 1: "Card B"}),
        "nvmlDeviceGetUtilizationRates": of({0: SimpleNamespace(gpu=87), 1: SimpleNamespace(gpu=0)}),
        "nvmlDeviceGetTemperature": of({0: 61}),
        "nvmlDeviceGetPowerUsage": of({0: 212_500}),
    }
    for name, answer in answers.items():
        monkeypatch.setattr(pynvml, name, answer)
    return refuse


def test_cards_are_what_the_driver_says(driver):
    assert Cards().look() == (Gpu("Card A", 87.0, 5 << 30, 16 << 30, 61.0, 212.5), Gpu("Card B", 0.0, 1, 2, None, None))


def test_figures_of_cards_are_in_the_summary(driver):
    monitor = Monitor()
    monitor._take()
    summary = monitor.summary()
    assert summary["gpu0_percent_peak"] == 87 and summary["gpu0_memory_gb_mean"] == 5 and summary["gpu0_watts_peak"] == 212.5
    assert summary["gpu1_percent_peak"] == 0 and "gpu1_watts_peak" not in summary and "gpu2_percent_peak" not in summary


def test_without_a_driver_there_is_no_card(driver, monkeypatch):
    monkeypatch.setattr(pynvml, "nvmlInit", driver)
    assert Cards().look() == ()
