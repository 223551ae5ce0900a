"""Looking into files that were written, and that were not."""

import json

import numpy as np
import OpenImageIO as oiio
import pytest

from tests.output.conftest import FRAME, write_exr
from vr180_ofx.output.inspect import check_exr, inspect_image


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
