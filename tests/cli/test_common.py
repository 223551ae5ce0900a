"""Settings from files and flags, in the order in which they win; and what is printed."""

import argparse
import io
import json
import sys

import pytest
from rich.table import Table

from vr180_ofx.cli.common import add_node_arguments, add_settings_arguments, console, print_json, settings_from, styled
from vr180_ofx.errors import SettingsError
from vr180_ofx.wording import printable


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


# what is printed ----------------------------------------------------------------------------------------------------

NAMES = ["[/x].mp4", "[bold]a[/bold].mp4", "a\\[b", "\x1b[31mred\x07.mp4", ":smile:", "[link=file:///etc]x", "\u202egpm.4pm"]


@pytest.mark.parametrize("name", NAMES)
def test_what_strangers_called_their_files_is_no_markup_and_no_command(name, capsys, monkeypatch):
    """In sentences, in styled words, in tables and their titles."""
    shown = printable(name)
    console.print(f"  {name}: said")
    console.print(styled(name, "bold"), f": {name}", sep="")
    table = Table(name, title=name)
    table.add_row(name)
    console.print(table)
    said = capsys.readouterr().err
    assert said.count(shown) == 6 and "\x1b" not in said and "\x07" not in said and "\u202e" not in said


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_json_is_json_whatever_standard_output_takes(encoding, monkeypatch):
    data = {"name": "名前 \udcff", "people": ["Zoë"]}
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", out)
    print_json(data)
    out.seek(0)
    assert json.loads(out.read()) == data
