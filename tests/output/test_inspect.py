"""Looking into files that were written, and that were not."""

import json

import numpy as np
import OpenEXR
import OpenImageIO as oiio
import pytest

from tests.output.conftest import CLIP, FRAME, H, W, write_exr
from vr180_ofx.cli.main import main
from vr180_ofx.media.contract import ColourTags, SourceFrame
from vr180_ofx.media.picture import RgbEye
from vr180_ofx.output.exr import ExrWriter
from vr180_ofx.output.inspect import check_exr, inspect_image
from vr180_ofx.settings import OutputSettings


def test_cut_off_and_foreign_files_are_not_trusted(tmp_path):
    (path,) = write_exr(tmp_path)
    assert check_exr(path, "abc") and not check_exr(path, "another render")
    data = path.read_bytes()
    for length in (len(data) - 1, len(data) * 9 // 10, len(data) // 2, 200, 4, 0):
        path.write_bytes(data[:length])
        assert not check_exr(path, "abc"), length
    path.write_bytes(b"a text file")
    assert not check_exr(path, "abc") and not check_exr(tmp_path / "no.exr", "abc")
    spec = oiio.ImageSpec(8, 8, 1, "half")
    foreign = oiio.ImageOutput.create(str(path))
    assert foreign is not None, oiio.geterror()
    foreign.open(str(path), spec)
    foreign.write_image(np.zeros((8, 8, 1), np.float32))
    foreign.close()
    assert not check_exr(path, "abc")


def test_inspect_tells_parts_ranges_and_metadata(tmp_path):
    (path,) = write_exr(tmp_path)
    facts = inspect_image(path)
    assert [p["view"] for p in facts["parts"]] == ["left", "right"]
    assert facts["parts"][0]["ranges"]["A"] == {"min": 0.0, "max": 0.75, "mean": pytest.approx(FRAME.views["left"].alpha.mean(), rel=1e-3)}
    assert facts["parts"][0]["metadata"]["vr180ofx:quality"] == "final"
    json.dumps(facts)


def test_inspect_says_the_colour_space(tmp_path, capsys):
    (path,) = write_exr(tmp_path)
    assert [p["colour_space"] for p in inspect_image(path)["parts"]] == ["data (none; all channels are data)"] * 2
    pixels = np.full((H, W, 3), 30000, np.uint16)
    plate = SourceFrame(41, 0, dict.fromkeys(("left", "right"), RgbEye(pixels, (0, 0), W, H, None, ColourTags("rgb", True, "bt709"))))
    (path,) = ExrWriter(CLIP, OutputSettings(rgb="premultiplied")).write(tmp_path / "colour", 1, FRAME, plate)
    assert main(["inspect", str(path.parent)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert (
        "colour space: lin_rec709_scene (Linear Rec.709 (sRGB), from matrix rgb, full range, transfer bt709, primaries bt709; decoded"
        in said
    )
    assert "colour space: data (none; all channels are data)" in said
    light = tmp_path / "light.exr"
    channels = {c: np.ones((H, W), np.float16) for c in "RGB"}
    header = {"compression": OpenEXR.ZIPS_COMPRESSION, "type": OpenEXR.scanlineimage}
    for attributes, words in (
        ({}, "not said"),
        ({"chromaticities": (0.7, 0.3, 0.2, 0.8, 0.1, 0.05, 0.31, 0.33)}, "light with the chromaticities 0.7, 0.3, 0.2, 0.8, 0.1, 0.05, 0.31, 0.33"),
        ({"colorInteropID": "lin_ap1_scene"}, "lin_ap1_scene"),
    ):  # fmt: skip
        OpenEXR.File(header | attributes, dict(channels)).write(str(light))
        assert inspect_image(light)["parts"][0]["colour_space"] == words
