"""How fast variants are: what is measured, and that it is that."""

from __future__ import annotations

import json
import time

import pytest

pytest.importorskip("torchvision", reason="the extra training is not installed")

from tests.cli.conftest import cli
from vr180_ofx.errors import SettingsError
from vr180_ofx.training import speed
from vr180_ofx.training.speed import Case, check, measure


def test_a_row_is_the_median_of_steps(monkeypatch):
    monkeypatch.setattr(speed, "_SECONDS", 0.0)
    begin = time.perf_counter()
    small, large = (measure(Case("mobilenetv3", side, side)) for side in (64, 320))
    took = 1000 * (time.perf_counter() - begin)
    assert small.steps == large.steps == 5
    assert 0 < 5 * small.latency_ms < took and small.latency_ms <= small.slowest_ms < took
    assert small.fps == pytest.approx(1000 / small.latency_ms)
    # 25 times the pixels; memory is that of a process, and this one has held a lot before
    assert large.latency_ms > 2 * small.latency_ms
    # of the paper's network, with both heads
    assert 3.6e6 < small.parameters < 3.8e6


def test_the_command_measures_in_a_process_of_its_own(capsys):
    words = ["train", "speed", "--variants", "mobileone_rvm", "--sizes", "64x96", "--json"]
    status, said, _ = cli(capsys, *words)
    (row,) = json.loads(said)
    assert status == 0 and (row["variant"], row["width"], row["height"], row["dtype"]) == ("mobileone_rvm", 64, 96, "float32")
    assert row["fps"] > 0 and row["memory_mb"] > 5 and row["error"] == ""
    # made for use
    assert row["parameters"] < 2e6


@pytest.mark.slow
def test_memory_grows_with_the_picture_and_what_failed_is_a_row():
    small, large = speed.measure_all([Case("mobileone_rvm", 64, 64), Case("mobileone_rvm", 512, 512)])
    # 64 times the pixels
    assert 0 < small.memory_mb + 50 < large.memory_mb
    made = list(speed.measure_all([Case("mobilenetv3", 64, 64, device="cuda:7")]))
    assert made[0].error and made[0].fps == 0


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (Case("vgg", 64, 64), "the variant is 'vgg'; allowed are mobilenetv3"),
        (Case("mobilenetv3", 64, 64, "int8"), "the dtype is 'int8'"),
        (Case("mobilenetv3", 64, 90), "the size is 90x64"),
        (Case("mobilenetv3", 64, 64, downsample=0), "downsample is 0"),
        (Case("mobilenetv3", 64, 64, "float16", runtime="openvino"), "OpenVINO is measured on the CPU"),
    ],
)
def test_what_cannot_be_measured(case, said):
    with pytest.raises(SettingsError, match=said):
        check(case)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--sizes", "64"], "it is WIDTHxHEIGHT"),
        (["--variants", "vgg"], "the variant is 'vgg'"),
        (["--variants", ","], "nothing was named"),
        (["--device", "abacus"], "which is not here"),
        (["--threads", "0"], "it is at least 1"),
    ],
)
def test_words_that_mean_nothing(capsys, words, said):
    status, _, err = cli(capsys, "train", "speed", *words)
    assert status == 2 and said in " ".join(err.split())


@pytest.mark.slow
def test_compiled_as_the_program_runs_it(monkeypatch, tmp_path):
    monkeypatch.setattr(speed, "_SECONDS", 0.0)
    monkeypatch.setenv("VR180_OFX_CACHE", str(tmp_path))
    row = measure(Case("mobileone_rvm", 64, 64, runtime="openvino"))
    assert row.latency_ms > 0
    # what the program keeps is left alone
    assert not list(tmp_path.iterdir())
