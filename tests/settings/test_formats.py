"""One table of formats: whoever needs to know them reads it."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest

from vr180_ofx.cli.main import build_parser
from vr180_ofx.output.formats import writer_class
from vr180_ofx.settings import OutputSettings
from vr180_ofx.settings.formats import FORMATS, MATTE_OUTPUTS, matte_format


def test_settings_allow_what_the_table_has():
    field = OutputSettings.model_fields["format"]
    assert get_args(field.annotation) == tuple(FORMATS) and field.description is not None
    assert all(f"{f.name}: {f.description}." in field.description for f in FORMATS.values())


@pytest.mark.parametrize("name", FORMATS)
def test_each_has_a_writer(name):
    kind: Any = writer_class(name)
    assert {"paths", "present", "write", "finish", "abort"} <= set(dir(kind))
    assert kind.resumable == (FORMATS[name].kind != "video")
    assert FORMATS[name].suffix.startswith(".") == (FORMATS[name].kind == "video")


def test_help_names_all_of_them(capsys):
    with pytest.raises(SystemExit):
        build_parser().parse_args(["render", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert all(f"{name}: " in said for name in FORMATS)


def test_the_guide_names_all_of_them():
    guide = (Path(__file__).resolve().parents[2] / "docs" / "guide" / "outputs.md").read_text(encoding="utf-8")
    table = guide.split("\n\n")[1]
    assert re.findall(r"^\| `(\w+)` \|", table, re.M) and set(re.findall(r"^\| `(\w+)` \|", table, re.M)) == set(FORMATS)


@pytest.mark.parametrize("output", MATTE_OUTPUTS)
@pytest.mark.parametrize("images", [False, True])
def test_every_output_of_matte_is_a_format(output, images):
    found = matte_format(output, images=images)
    assert found.name in FORMATS and found.kind == ("exr" if output == "exr" else "images" if images else "video")


def test_a_composite_is_people_over_a_colour():
    assert matte_format("composite", images=True).name == "greenscreen_png"
    assert matte_format("composite", images=False).name == "greenscreen"
