"""Layers of frames as bytes."""

import cv2
import numpy as np
import OpenImageIO as oiio

from vr180_ofx.output.inspect import opened


def test_every_layer_and_format(live, clip, reference, tmp_path):
    view = reference[4].views["left"]
    single = clip.frame(4, "left", "A", format="f32")
    assert np.array_equal(np.frombuffer(single.data, "<f4").reshape(512, 512), view.alpha_half().astype(np.float32))
    person = clip.frame(4, "left", "person02", format="f16")
    assert np.array_equal(np.frombuffer(person.data, "<f2").reshape(512, 512), view.person(2).astype(np.float16))
    confidence = clip.frame(4, "left", "confidence.A")
    assert np.array_equal(np.frombuffer(confidence.data, "<f2").reshape(512, 512), view.confidence.astype(np.float16))
    png = cv2.imdecode(np.frombuffer(clip.frame(4, "left", format="png").data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert png is not None and png.dtype == np.uint16 and np.abs(png / 65535 - view.alpha).max() < 1e-3
    (tmp_path / "a.exr").write_bytes(clip.frame(4, "left", format="exr").data)
    with opened(tmp_path / "a.exr") as image:
        names = image.spec().channelnames
        pixels = image.read_image(0, 0, 0, len(names), oiio.FLOAT)
        # mattes alone: nothing for colour management to touch
        assert image.spec().getattribute("colorInteropID") == "data"
    assert set(names) == {"A", "confidence.A", "person01.A", "person02.A"}
    assert np.array_equal(pixels[..., names.index("A")], view.alpha_half().astype(np.float32))
    assert live.server._json("GET", f"/v1/clips/{clip.id}/layers") == ["A", "confidence.A", "person01.A", "person02.A"]
