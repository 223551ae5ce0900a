"""What the guide shows is so: its recipe is understood, its commands are, and its curves are those of the figures beside them."""

import importlib.util
import json
import re
import shlex
from pathlib import Path

import pytest

from vr180_ofx.cli.main import build_parser
from vr180_ofx.cli.train import ACTIONS, parser_of
from vr180_ofx.training.recipe import load
from vr180_ofx.training.registry import SOURCES

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "guide" / "training.md").read_text(encoding="utf-8")
LINES = [line.split("  #")[0].strip() for line in TEXT.splitlines() if line.startswith("vr180-ofx ")]


@pytest.mark.parametrize("line", LINES)
def test_commands_are_understood(line):
    arguments = build_parser().parse_args(shlex.split(line)[1:])
    if arguments.command == "train" and arguments.recipe in ACTIONS:
        parser_of(arguments.recipe).parse_args(arguments.words)


def test_the_recipe_that_is_shown_is_one(tmp_path):
    (shown,) = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.S | re.M)
    (tmp_path / "r.yaml").write_text(shown)
    made = load(tmp_path / "r.yaml")
    assert made.stages["high"].share("stills").batch == 4 and made.stages["low"].shape("stills").frames == 5


def test_every_kind_of_data_is_described():
    rows = re.findall(r"^\| `(\w+)` \|", TEXT.partition("## Data")[2], re.M)
    assert {*SOURCES} - {"student_windows"} <= set(rows)


def test_the_curves_are_those_of_the_figures():
    spec = importlib.util.spec_from_file_location("training_curves", ROOT / "docs" / "training_curves.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PICTURE.read_text(encoding="utf-8") == module.picture(json.loads(module.CURVES.read_text(encoding="utf-8")))
