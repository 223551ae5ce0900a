"""Former names keep loading, wherever settings come from, and the log says the new ones once."""

import logging

import pytest

from vr180_ofx.errors import SettingsError
from vr180_ofx.settings import Settings, former, sections

NOW = Settings(stereo={"consistency_mode": "reference_eye", "reference": "right", "validation_threshold": 0.7})


@pytest.fixture(autouse=True)
def _nothing_said_yet(monkeypatch):
    monkeypatch.setattr(former, "_said", set())


def test_in_files(tmp_path):
    (tmp_path / "a.yaml").write_text("stereo:\n  consistency_mode: master_slave\n  master: right\n  validation_threshold: 0.7\n")
    (tmp_path / "flat.toml").write_text('consistency_mode = "master_slave"\nmaster = "right"\nvalidation_threshold = 0.7\n')
    assert Settings.load(tmp_path / "a.yaml") == NOW and Settings.load(tmp_path / "flat.toml") == NOW


def test_in_overrides_which_win_over_either_name():
    words = ["stereo.consistency_mode=master_slave", "stereo.master=right", "stereo.validation_threshold=0.7"]
    assert Settings.from_values({"stereo": {"reference": "left"}}, words) == NOW
    assert Settings.from_values({"stereo": {"master": "left"}}, words) == NOW
    assert Settings(stereo={"reference": "left"}).with_overrides(words) == NOW


def test_in_python():
    assert Settings(stereo={"consistency_mode": "master_slave", "master": "right", "validation_threshold": 0.7}) == NOW


def test_results_have_the_new_names():
    assert set(Settings(stereo={"master": "left"}).model_dump()["stereo"]) == set(sections()["stereo"].model_fields)


def test_the_log_says_the_new_name_once(caplog):
    caplog.set_level(logging.WARNING)
    for _ in range(3):
        Settings(stereo={"consistency_mode": "master_slave", "master": "left"})
    assert [r.getMessage() for r in caplog.records] == [
        "stereo.consistency_mode is 'master_slave', which is called 'reference_eye' since 0.2.0; the old name works until 0.4.0",
        "stereo.master is called stereo.reference since 0.2.0; the old name works until 0.4.0",
    ]


def test_both_names_at_once_are_a_mistake():
    with pytest.raises(SettingsError, match=r"stereo\.master is the former name of stereo\.reference, and both are given"):
        Settings(stereo={"master": "left", "reference": "right"})


def test_every_former_name_leads_to_a_setting():
    for section, keys in former.KEYS.items():
        for old, new in keys.items():
            assert old not in sections()[section].model_fields and new.now in sections()[section].model_fields
    for (section, key), values in former.VALUES.items():
        for old, new in values.items():
            assert getattr(getattr(Settings(**{section: {key: old}}), section), key) == new.now


def test_a_files_ranges_are_told_of_once(tmp_path, caplog, monkeypatch):
    """They counted from 0 in version 0.2.0."""
    monkeypatch.setattr(former, "_said", set())
    path = tmp_path / "c.yaml"
    for text, times in (("3-47", 1), ("3-47", 0), ("all", 0), ("index:3-47", 0)):
        caplog.clear()
        path.write_text(f"input:\n  frames: {text}\n")
        assert Settings.load(path).input.frames == text
        assert len(caplog.messages) == times and all("index:3-47 counts from 0 as before" in m for m in caplog.messages)
