"""Settings, explained."""

import json

import pytest

from tests.cli.conftest import cli
from vr180_ofx.cli.edit_parsers import operation_parsers
from vr180_ofx.cli.main import COMMANDS
from vr180_ofx.cli.settings import _WORDS_OF
from vr180_ofx.settings import every_setting, sections


def test_one_setting_in_full(capsys):
    status, said, _ = cli(capsys, "settings", "output.compression")
    assert status == 0 and "Compression of the EXR files." in said and "value     zips, the default" in said
    assert "allowed   none, zips, zip, piz" in said and "--compression (render, analyse, estimate, matte)" in said
    assert "Compression (Nuke, Resolve, OpenFX, Blender)" in said and "makes its frames anew" in said


def test_a_key_without_its_section_shows_all_that_are_called_so(capsys):
    status, said, _ = cli(capsys, "settings", "projection")
    assert status == 0 and "input.projection\n" in said and "output.projection\n" in said


def test_a_section_and_all_of_them(capsys):
    status, said, _ = cli(capsys, "settings", "audio")
    assert status == 0 and "preserve_audio" in said and "audio_codec" in said and "max_people" not in said
    status, said, _ = cli(capsys, "settings")
    assert status == 0 and all(key in said for _, key, _ in every_setting()) and all(name in said for name in sections())


def test_in_other_words(capsys):
    status, said, _ = cli(capsys, "settings", "out", "of", "memory")
    assert status == 0 and said.startswith("processing.max_memory_gb\n") and "perhaps also:" in said


def test_what_counts_where_something_is_set(capsys, tmp_path):
    config = tmp_path / "c.yaml"
    config.write_text("output:\n  compression: piz\n")
    words = ["settings", "compression", "--config", str(config)]
    assert "value     piz  (default: zips)" in cli(capsys, *words)[1]
    assert "value     dwaa  (default: zips)" in cli(capsys, *words, "--set", "output.compression=dwaa")[1]
    assert cli(capsys, *words, "--set", "output.compression=rar")[0] == 2


def test_as_json(capsys):
    status, said, _ = cli(capsys, "settings", "max_people", "--json")
    (row,) = json.loads(said)
    assert status == 0 and row["key"] == "detection.max_people" and row["value"] == row["default"] == 8
    assert row["allowed"] == "whole number from 1 to 99" and row["pixels"] == "plan" and row["over_http"] is True
    assert row["flags"] == ["--max-people (render, analyse, estimate)"] and row["knobs"] == ["Most people (Nuke, Resolve, OpenFX, Blender)"]
    status, said, _ = cli(capsys, "settings", "--json")
    assert len(json.loads(said)) == len(every_setting())
    status, said, _ = cli(capsys, "settings", "xyzzy", "--json")
    assert status == 2 and said == ""


@pytest.mark.parametrize("words", [["xyzzy"], ["the", "of"], ["\x1b[31m"]])
def test_what_means_nothing_is_said(capsys, words):
    status, said, err = cli(capsys, "settings", *words)
    assert status == 2 and not said and "no setting is meant by" in err and "vr180-ofx settings --help" in err and "\x1b" not in err


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("exclude somebody", "vr180-ofx edit PLAN exclude"),
        ("two people are one", "vr180-ofx edit PLAN merge"),
        ("one person is two", "vr180-ofx edit PLAN split"),
        ("somebody is missing", "vr180-ofx edit PLAN add"),
        ("stop the server", "vr180-ofx serve --stop"),
        ("how long will it take", "vr180-ofx estimate"),
        ("download models", "vr180-ofx weights"),
        ("who is in it", "vr180-ofx analyse"),
        ("ground truth", "vr180-ofx evaluate"),
        ("trace", "vr180-ofx render --trace"),
    ],
)
def test_what_is_no_setting_may_be_a_command(capsys, words, command):
    status, said, _ = cli(capsys, "settings", *words.split())
    assert status == 0 and said.startswith(f"commands and flags:\n  {command}  ")


def test_commands_stand_below_settings_that_are_meant_more(capsys):
    _, said, _ = cli(capsys, "settings", "cores")
    assert said.startswith("hardware.threads\n")
    _, said, _ = cli(capsys, "settings", "server", "token")
    assert (
        said.startswith("service.token_file\n") and "commands and flags:\n" in said and "\n  vr180-ofx render --token-file" not in said[:30]
    )


def test_every_command_and_operation_has_words():
    parsers = {*COMMANDS} - {"settings"} | {f"edit PLAN {name}" for name in operation_parsers()} | {"edit PLAN undo"}
    # what an operation does is in its name
    assert set(_WORDS_OF) <= parsers and {*COMMANDS} - {"settings"} <= set(_WORDS_OF)
