"""What ``--help`` promises, and where errors send people."""

import argparse
import re
import shlex

import pytest

from tests.cli.conftest import cli
from vr180_ofx.cli.helping import commands_of, examples, flags, standing_for, where_to_look
from vr180_ofx.cli.main import COMMANDS, EXAMPLES, build_parser
from vr180_ofx.node import NODE
from vr180_ofx.settings import Settings, every_setting

PROGRAM = build_parser()
PARSERS = commands_of(PROGRAM)


def lines_of(parser):
    """The commands that a help's end shows."""
    end = parser.format_help().partition("\nexamples:\n")[2]
    return [line.split("  #")[0].strip() for line in end.splitlines() if line.strip().startswith("vr180-ofx ")]


@pytest.mark.parametrize("command", COMMANDS)
def test_examples_are_understood_as_they_stand(command):
    lines = lines_of(PARSERS[command])
    assert lines
    for line in lines:
        words = shlex.split(line)
        assert words[:2] == ["vr180-ofx", command]
        arguments = PROGRAM.parse_args(words[1:])
        # settings are checked when they are put together, not when they are read
        if getattr(arguments, "overrides", None) is not None:
            from vr180_ofx.cli.common import settings_from

            assert isinstance(settings_from(arguments), Settings)


def test_the_first_help_has_examples_of_the_first_steps():
    assert [shlex.split(line)[1] for _, line in EXAMPLES][:3] == ["inspect", "analyse", "render"]
    for _, line in EXAMPLES:
        assert line in PROGRAM.format_help() and PROGRAM.parse_args(shlex.split(line)[1:]).command


@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_a_terminal_and_says_what_is_rare_last(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    text = PARSERS[command].format_help()
    body = text.partition("\nexamples:\n")[0]
    assert max(map(len, body.splitlines())) <= 100
    assert text.startswith(f"usage: vr180-ofx {command} ") and "\n\n" in text.split("\n", 2)[1] + "\n\n"
    groups = re.findall(r"^(\S.*):$", body, re.M)
    assert groups[-1] == "about the command" and len(groups) == len(set(groups))
    order = ["options", "settings", "edges, after matting", "people", "files", "how mattes are made", "how the clip is read"]
    assert [g for g in groups if g in order] == [g for g in order if g in groups]


@pytest.mark.parametrize("command", COMMANDS)
def test_flags_name_settings_that_there_are(command):
    known = {f"{name}.{key}" for name, key, _ in every_setting()}
    assert {setting for setting, _ in standing_for(PARSERS[command])} <= known


def test_the_flags_of_settings():
    found = flags(PROGRAM)
    assert found["output.format"] == ["--format (render)"] and found["input.frames"][0].startswith("--frames (render, ")
    for p in NODE.parameters:
        assert p.setting is None or found[p.setting], p.name


def test_defaults_stand_in_the_help():
    text = " ".join(PARSERS["render"].format_help().split())
    assert "(default: zips) [output.compression]" in text and "(default: 8) [detection.max_people]" in text
    assert "(default: false) [input.swap_eyes]" in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--ovrwrite"], "--ovrwrite (did you mean --overwrite?)"),
        (["--premult"], "--premult (did you mean --rgb?)"),
        (["--hair", "3"], "--hair (did you mean --refiner?)"),
        (["--xyzzy"], "unrecognized arguments: --xyzzy\n"),
        (["--cores=2"], "(did you mean --set hardware.threads=?)"),
    ],
)
def test_a_flag_that_nobody_knows(capsys, words, said):
    status, _, err = cli(capsys, "render", "a.mp4", "-o", "out", *words)
    assert status == 2 and said in err and "Try 'vr180-ofx render --help'." in err


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("output.format is 'gif'", "See 'vr180-ofx settings output.format', and 'vr180-ofx render --help'."),
        ("did you mean 'output.rgb'?", "See 'vr180-ofx settings output.rgb', and"),
        ("no clip was named", "Try 'vr180-ofx render --help'."),
        ("output.format and input.layout", "Try 'vr180-ofx render --help'."),
        ("a.b is nothing", "Try 'vr180-ofx render --help'."),
        # where it says what to type
        ("out holds frames of another clip; add --overwrite to replace them", ""),
    ],
)
def test_errors_say_where_to_look(message, said):
    line = where_to_look(message, "render")
    assert line.startswith(said) and bool(line) == bool(said)


def test_without_a_command_there_is_help(capsys):
    status, _, err = cli(capsys)
    assert status == 2 and "usage: vr180-ofx" in err and all(command in err for command in COMMANDS)


def test_a_wrong_value_and_a_wrong_key(capsys, tmp_path):
    words = ["render", "a.mp4", "-o", str(tmp_path / "out"), "--set"]
    assert "See 'vr180-ofx settings output.compression'" in cli(capsys, *words, "output.compression=rar")[2]
    _, _, err = cli(capsys, *words, "matting.hair=1")
    assert "did you mean 'matting.refiner'" in err and "See 'vr180-ofx settings matting.refiner'" in err


def test_long_examples_stand_below_what_they_are_for():
    assert examples([("a", "b"), ("c", "dd")]) == "examples:\n  b   # a\n  dd  # c"
    assert examples([("a" * 80, "b" * 80)]) == f"examples:\n  # {'a' * 80}\n  {'b' * 80}" and examples(()) == ""
    assert not list(standing_for(argparse.ArgumentParser(add_help=False)))
