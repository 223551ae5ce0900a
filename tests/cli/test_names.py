"""Names and words of files are said as they are: brackets are no markup, colons no pictures, and bytes of files in a folder need not be UTF-8."""

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
    status, said, _ = program("inspect", str(odd))
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
    status, said, _ = program("inspect", str(path))
    assert status == 0 and b"ImageDescription: [/x] [bold] :smile:" in said


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take names in UTF-8 alone")
def test_a_folder_of_names_that_are_not_utf8(tmp_path):
    for n in range(2):
        write(tmp_path / "p.png", np.zeros((256, 512, 3), np.uint8))
        os.rename(tmp_path / "p.png", os.fsencode(tmp_path) + b"/cl\xff.%04d.png" % n)
    status, printed, _ = program("inspect", str(tmp_path), "--json")
    assert status == 0 and json.loads(printed)["sequences"][0]["frames"] == 2
    status, said, _ = program("inspect", str(tmp_path))
    assert status == 0 and b"cl\\udcff.#.png: 2 frames" in said
    status, printed, _ = program("render", str(tmp_path), "-o", str(tmp_path / "out"), "--json")
    assert status == 0 and json.loads(printed)["written"] == 2
    assert (tmp_path / "out" / "cl.0001.exr").is_file()


@pytest.mark.parametrize("frames", ["", " ", "3-1", "-1", "0-1e12", "0x1", "1_0", "٣", "0-", "'", '"', "1;2"])
def test_odd_ranges_are_an_error(tmp_path, clip, frames, capsys):
    """Of an empty one the whole clip was rendered."""
    from tests.cli.conftest import cli

    status, _, said = cli(capsys, "render", str(clip), "-o", str(tmp_path / "out"), f"--frames={frames}")
    assert status == 2 and "input.frames" in said and not (tmp_path / "out").exists()
