"""Blocks that ISA-L deflates, read by the library."""

import numpy as np
import OpenEXR
import OpenImageIO as oiio
import pytest

from tests.output.conftest import W, by_the_library
from vr180_ofx.output.exr_rows import RowPart, RowWriter, _chunks


@pytest.mark.parametrize("compression", ["zips", "zip"])
def test_what_does_not_become_smaller_is_stored_as_it_is(tmp_path, compression):
    # everything that bits can be, what is no number too
    bits, others = np.random.default_rng(7).integers(0, 1 << 16, (2, 40, W), np.uint16).view(np.float16)
    path, lines = tmp_path / "noise.exr", 1 if compression == "zips" else 16
    for channels, stored in (({"R": bits, "G": np.zeros_like(bits)}, False), ({"R": bits, "G": others}, True)):
        header = {"compression": getattr(OpenEXR, f"{compression.upper()}_COMPRESSION"), "type": OpenEXR.scanlineimage}
        RowWriter(header["compression"]).write(path, [RowPart("", header, W, 40, 0, channels, dict.fromkeys(channels, 0.0))])
        ((_, found),) = by_the_library(path, tmp_path / "whole.exr")
        assert all(np.array_equal(found[name].view(np.uint16), values.view(np.uint16)) for name, values in channels.items())
        file = oiio.ImageInput.open(str(path))
        assert file is not None, oiio.geterror()
        assert np.array_equal(np.asarray(file.read_image("half")).view(np.uint16), np.stack([*channels.values()], -1).view(np.uint16))
        assert all((len(block) == 2 * 2 * W * min(lines, 40 - y)) == stored for y, block in _chunks(path.read_bytes())[0])
