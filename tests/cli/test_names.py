"""Names and words of files are said as they are: brackets are no markup, colons no pictures, and bytes need not be UTF-8."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from tests.conftest import make_clip
from tests.media.pictures import write


def program(*arguments):
    """(status, standard output, standard error) of the command line in a process of its own, as bytes."""
    ran = subprocess.run([sys.executable, "-m", "vr180_ofx", *arguments], capture_output=True, timeout=100)
    assert b"Traceback" not in ran.stderr and b"should not happen" not in ran.stderr, ran.stderr
    return ran.returncode, ran.stdout, ran.stderr


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return make_clip(tmp_path_factory.mktemp("clip") / "a.mp4", 2, size=(512, 256))


def test_brackets_and_colons_in_names(tmp_path, clip):
    """``[/x]`` in a path ended in a MarkupError, ``:smile:`` became a picture, and ``[bold]`` was swallowed."""
    folder = tmp_path / "[bold]y["
    folder.mkdir()
    odd = folder / "x] :smile: [red].mp4"
    shutil.copy(clip, odd)
    status, _, said = program("inspect", str(odd))
    assert status == 0 and str(odd).encode() in said
    status, _, said = program("render", str(odd), "-o", str(tmp_path / "out[ :smile: [" / "x]"))
    assert status == 0 and b"x] :smile: [red].mp4: 2 frames" in said and f"{tmp_path}/out[ :smile: [/x]/x] :smile: [red]".encode() in said
    status, _, said = program("inspect", str(tmp_path / "[" / "x].mp4"))
    assert status == 3 and b"[/x].mp4 does not exist" in said


def test_brackets_in_metadata(tmp_path):
    import OpenImageIO as oiio

    path = tmp_path / "a.png"
    spec = oiio.ImageSpec(8, 8, 3, "uint8")
    spec.attribute("ImageDescription", "[/x] [bold] :smile:")
    out = oiio.ImageOutput.create(str(path))
    assert out is not None and out.open(str(path), spec) and out.write_image(np.zeros((8, 8, 3), np.uint8))
    out.close()
    status, _, said = program("inspect", str(path))
    assert status == 0 and b"ImageDescription: [/x] [bold] :smile:" in said


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take names in UTF-8 alone")
def test_names_that_are_not_utf8(tmp_path, clip):
    odd = os.fsencode(tmp_path) + b"/cl\xffip.mp4"
    shutil.copy(clip, odd)
    status, printed, _ = program("inspect", odd, "--json")
    facts = json.loads(printed)
    assert status == 0 and os.fsencode(facts["path"]) == odd and facts["frames"] == 2
    status, printed, _ = program("render", odd, "-o", tmp_path / "out", "--json")
    assert status == 0 and json.loads(printed)["written"] == 2
    assert (tmp_path / "out" / "cl_ip.0001.exr").is_file()
    status, _, said = program("analyse", odd, "-o", tmp_path / "p.json")
    assert status == 0 and (tmp_path / "p.json").is_file()
    picture = os.fsdecode(os.fsencode(tmp_path) + b"/\xfe.0001.png")
    write(tmp_path / "p.png", np.zeros((64, 64, 3), np.uint8))
    os.rename(tmp_path / "p.png", picture)
    status, printed, _ = program("inspect", picture, "--json")
    assert status == 0 and json.loads(printed)["path"] == picture
    status, _, said = program("inspect", os.fsencode(tmp_path) + b"/no\xff.mp4")
    assert status == 3 and b"does not exist" in said
    # libraries that write files take UTF-8 alone
    status, _, said = program("render", clip, "-o", os.fsencode(tmp_path) + b"/out\xff")
    assert status == 2 and b"is not UTF-8" in said


def test_a_terminal_that_is_not_utf8(tmp_path, clip):
    other = tmp_path / "Клип.mp4"
    shutil.copy(clip, other)
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    ran = subprocess.run([sys.executable, "-m", "vr180_ofx", "inspect", str(other), "--json"], capture_output=True, env=environment)
    assert ran.returncode == 0 and json.loads(ran.stdout)["path"] == str(other)


@pytest.mark.parametrize("frames", ["", " ", "3-1", "-1", "0-1e12", "0x1", "1_0", "٣", "0-", "'", '"', "1;2"])
def test_odd_ranges_are_an_error(tmp_path, clip, frames, capsys):
    """Of an empty one the whole clip was rendered."""
    from tests.cli.conftest import cli

    status, _, said = cli(capsys, "render", str(clip), "-o", str(tmp_path / "out"), f"--frames={frames}")
    assert status == 2 and "input.frames" in said and not (tmp_path / "out").exists()
