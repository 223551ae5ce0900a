"""The recipes of the guide: what they type is understood as it stands. What they print is put there by running them: docs/recipes.py"""

import importlib.util
import re
import shlex
from pathlib import Path
from types import ModuleType

import pytest

from vr180_ofx.cli.common import settings_from
from vr180_ofx.cli.edit_words import parse_words
from vr180_ofx.cli.main import COMMANDS, build_parser
from vr180_ofx.frame_ranges import frame_ranges

ROOT = Path(__file__).resolve().parents[1]


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("recipes", ROOT / "docs" / "recipes.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


recipes = _load()
TEXT = recipes.PAGE.read_text(encoding="utf-8")
LINES = [line for line in recipes.commands(TEXT) if line.startswith("vr180-ofx ")]
PROGRAM = build_parser()


def words_of(line):
    # what shells take for themselves
    return shlex.split(re.split(r" # exit|\s&$| 2>&1| \| ", line)[0])[1:]


@pytest.mark.parametrize("line", LINES)
def test_commands_are_understood_as_they_stand(line):
    arguments = PROGRAM.parse_args(words_of(line))
    if getattr(arguments, "overrides", None) is not None:
        settings = settings_from(arguments)
        frame_ranges(settings.input.frames)
    if arguments.command == "edit":
        words = [w for w in arguments.words if w]
        assert words in ([], ["undo"]) or parse_words(words, 1, ("left", "right"))


def test_there_are_the_ten_commonest_jobs_and_more():
    assert len(re.findall("^## ", TEXT, re.M)) >= 10 and len(LINES) >= 15
    assert {words_of(line)[0] for line in LINES} >= {"inspect", "analyse", "edit", "render", "settings", "serve", "status", "estimate"}
    assert {words_of(line)[0] for line in LINES} <= set(COMMANDS)


def test_each_block_shows_what_was_said():
    for block in re.findall(r"^```console\n(.*?)^```$", TEXT, re.S | re.M):
        assert re.search(r"^[^$ ].*|^  \S", block, re.M), block
        assert "Traceback" not in block and "should not happen" not in block and "/tmp/" not in block and "/root/" not in block


def test_a_transcript_is_cut_and_says_so(tmp_path):
    session = recipes.Session(tmp_path, tmp_path / "caches", {"PATH": "/usr/bin:/bin"})
    out = session.block("$ seq 1 30\nold\n$ echo '  a'; echo '  a'; echo b\n$ seq 1 30; exit 3 # exit 3\n$ printf 'x%.0s' $(seq 200)\n")
    parts = re.split(r"^\$ .*\n", out, flags=re.M)[1:]
    assert parts[0] == "".join(f"{n}\n" for n in range(1, recipes.MOST)) + "...\n" and "old" not in out
    assert parts[1] == "  a\n  ...\nb\n" and parts[2].startswith("...\n") and parts[2].endswith("30\n")
    assert max(map(len, parts[3].splitlines())) == recipes.WIDEST and parts[3].endswith(" ...\n")
    with pytest.raises(RuntimeError, match="ended with 1"):
        session.block("$ false\n")
