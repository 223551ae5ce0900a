"""Settings from files and flags, in the order in which they win."""

import argparse

import pytest

from vr180_ofx.cli.common import add_node_arguments, add_settings_arguments, settings_from
from vr180_ofx.errors import SettingsError


def asked(*words, extra=None):
    parser = argparse.ArgumentParser()
    add_settings_arguments(parser)
    add_node_arguments(parser)
    return settings_from(parser.parse_args(words), extra)


def test_the_later_one_wins(tmp_path):
    config = tmp_path / "c.yaml"
    config.write_text("detection:\n  max_people: 2\n  every: 4\nstereo:\n  master: right\n")
    file = asked("--config", str(config))
    assert (file.detection.max_people, file.detection.every, file.stereo.reference) == (2, 4, "right")
    assert asked("--config", str(config), "--set", "detection.max_people=3").detection.max_people == 3
    words = ("--config", str(config), "--set", "detection.max_people=3", "--max-people", "4")
    assert asked(*words).detection.max_people == 4 and asked(*words, extra=["detection.max_people=5"]).detection.max_people == 5


def test_parameters_of_the_node_are_flags():
    s = asked("--no-swap-eyes", "--overwrite", "--scale", "0.5", "--fov-degrees", "200")
    assert (s.input.swap_eyes, s.output.overwrite, s.processing.scale_factor, s.input.fov_degrees) == (False, True, 0.5, 200)


def test_frames_are_text():
    assert asked("--frames", "7").input.frames == "7"
    with pytest.raises(SettingsError, match="first frame comes after its last"):
        asked("--frames", "7-3")
