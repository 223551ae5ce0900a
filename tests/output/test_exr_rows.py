"""Files that are put together from bands of rows hold whole pictures."""

import zlib

import numpy as np
import pytest

from tests.output.conftest import CLIP, W, by_the_library
from vr180_ofx.engine.frame import Frame, Layer, ViewMatte
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.output.exr import ExrWriter
from vr180_ofx.output.exr_rows import _chunks, _headers
from vr180_ofx.settings import OutputSettings


def of_noise(height):
    """Frames with people who reach the upper and the lower border, with one who does not, and with nobody."""
    rng = np.random.default_rng(height)

    def noisy(y0):
        a = rng.random((9, 30)).astype(np.float16)
        return ViewMatte(W, height, (Layer(1, "person01", Rect(10, y0, 40, y0 + 9), a, a),))

    nobody = ViewMatte(W, height, ())
    return [
        Frame(0, {"left": noisy(0), "right": noisy(height - 9)}, {}),
        Frame(1, {"left": noisy(7), "right": nobody}, {}),
        Frame(2, {"left": nobody, "right": nobody}, {}),
    ]


@pytest.mark.parametrize("compression", ["zips", "zip", "piz"])
@pytest.mark.parametrize("layout", ["multipart", "single", "per_view_files"])
@pytest.mark.parametrize("height", [64, 75, 20])
def test_files_of_bands_hold_whole_pictures(tmp_path, compression, layout, height):
    """Of piz byte for byte what the library makes. What we deflate ourselves is in the library's own blocks, one after the other."""
    writer = ExrWriter(CLIP, OutputSettings(compression=compression, exr_layout=layout))
    for frame in of_noise(height):
        for path in writer.write(tmp_path / "shot", frame.index, frame, None):
            whole = tmp_path / "whole.exr"
            for view, channels in by_the_library(path, whole):
                assert all(c.shape == (height, W) for c in channels.values())
                assert np.array_equal(channels["A"], frame.views[view].alpha)
                assert np.array_equal(channels["confidence.A"], frame.views[view].confidence)
                assert np.array_equal(channels["person01.A"], frame.views[view].person(1))
                assert not channels["Bob.A"].any()
            ours, theirs = path.read_bytes(), whole.read_bytes()
            if compression == "piz":
                assert ours == theirs
                continue
            (headers, end), (_, their_end) = _headers(ours), _headers(theirs)
            assert ours[:end] == theirs[:their_end]
            assert [[y for y, _ in part] for part in _chunks(ours)] == [[y for y, _ in part] for part in _chunks(theirs)]
            assert len(ours) == end + sum(8 + 8 + 4 * (len(headers) > 1) + len(block) for part in _chunks(ours) for _, block in part)
            for part, their_part in zip(_chunks(ours), _chunks(theirs), strict=True):
                for (_, block), (_, their_block) in zip(part, their_part, strict=True):
                    assert zlib.decompress(block) == zlib.decompress(their_block)
