"""The commands of the benchmark: found by name, and plain words where a room or a package is missing."""

import pytest

from bench import __main__ as bench


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as stopped:
        bench.main(["--help"])
    assert stopped.value.code == 0
    said = capsys.readouterr().out
    assert all(name in said for name in bench.COMMANDS)


def test_a_missing_room_is_said(monkeypatch, capsys):
    monkeypatch.setitem(bench.COMMANDS, "generate", ("bench.nowhere.at_all", "nothing"))
    with pytest.raises(SystemExit) as stopped:
        bench.main(["generate"])
    assert stopped.value.code == 2
    assert "no module bench.nowhere.at_all" in capsys.readouterr().err


def test_a_missing_package_is_said(tmp_path, monkeypatch, capsys):
    (tmp_path / "needy.py").write_text("import a_package_that_nobody_has\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(bench.COMMANDS, "generate", ("needy", "nothing"))
    with pytest.raises(SystemExit) as stopped:
        bench.main(["generate"])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert "'a_package_that_nobody_has'" in said and "make setup-bench" in said


def test_a_command_gets_its_arguments_and_gives_the_status(tmp_path, monkeypatch):
    (tmp_path / "room.py").write_text(
        "def add_arguments(parser): parser.add_argument('--seed', type=int)\ndef run(arguments): return arguments.seed\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(bench.COMMANDS, "generate", ("room", "nothing"))
    assert bench.main(["generate", "--seed", "5"]) == 5
