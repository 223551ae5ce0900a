"""Frames that a graphics card decodes. There is none here: what a card's decoder puts out is made by swscale and handed over by PyAV in
the same way (DLPack), from the CPU's memory; so planes, formats and falling back are tested, and NVDEC is not.
"""

import logging

import av
import numpy as np
import pytest

from tests.conftest import make_clip
from tests.media.pictures import write
from vr180_ofx.imaging.either import host, is_tensor
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media import hardware, video
from vr180_ofx.media.contract import SourceFrame
from vr180_ofx.media.hardware import CardFrame, CardFrames, UnreadableSurface
from vr180_ofx.media.on_device import on_device
from vr180_ofx.media.open import open_clip
from vr180_ofx.media.picture import YuvEye
from vr180_ofx.media.video import FrameConverter, VideoReader
from vr180_ofx.settings import Settings
from vr180_ofx.vr180.layout import Layout

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def bframe_clip(tmp_path_factory):
    path = make_clip(tmp_path_factory.mktemp("card") / "b.mp4", 36, options={"bf": "3"})
    with av.open(str(path)) as container:
        return path, [f.to_ndarray() for f in container.decode(video=0)]


needs_dlpack = pytest.mark.skipif(not hasattr(av.video.plane.VideoPlane, "__dlpack__"), reason="this PyAV hands over no planes")


@pytest.fixture(autouse=True)
def nothing_was_said(monkeypatch):
    monkeypatch.setattr(hardware, "_refused", set())
    monkeypatch.setattr(hardware, "_told", set())


def decoded(plain, bits, size=(128, 64)):
    """A frame in planes of its own, any code values."""
    rng = np.random.default_rng(bits)
    width, height = size
    frame = av.VideoFrame(width, height, plain)
    for plane in frame.planes:
        codes = rng.integers(0, 1 << bits, (plane.height, plane.line_size // (1 if bits == 8 else 2)))
        plane.update(codes.astype(np.uint8 if bits == 8 else np.uint16).tobytes())
    return frame


FORMATS = [("nv12", "yuv420p", 8), ("p010le", "yuv420p10le", 10), ("p016le", "yuv420p12le", 12), ("p016le", "yuv420p16le", 16)]


@needs_dlpack
@pytest.mark.parametrize(("card", "plain", "bits"), FORMATS)
def test_planes_are_those_that_the_processor_would_have_decoded(card, plain, bits):
    frame = decoded(plain, bits)
    converter = FrameConverter(Layout("sbs", 128, 64))
    taken = CardFrames("cpu").taken(frame.reformat(format=card), bits)
    assert isinstance(taken, CardFrame) and taken.format.name == plain
    assert (taken.width, taken.height, taken.is_corrupt) == (128, 64, False)
    expected = on_device(SourceFrame(0, 0.0, converter.eyes(frame)), "cpu").eyes
    for view, eye in converter.eyes(taken).items():
        for name in ("y", "u", "v"):
            plane = getattr(eye, name)
            assert is_tensor(plane) and plane.is_contiguous() and torch.equal(plane, getattr(expected[view], name))
        rect = Rect(3, 2, 61, 40)
        assert torch.equal(eye.region(rect), expected[view].region(rect))
        other = expected[view]
        assert isinstance(eye, YuvEye) and isinstance(other, YuvEye)
        assert (eye.tags, eye.bits, eye.subsampling, eye.chroma_x) == (
            other.tags, other.bits, other.subsampling, other.chroma_x
        )  # fmt: skip


@needs_dlpack
@pytest.mark.parametrize(("card", "bits"), [("nv12", 10), ("p010le", 8)])
def test_samples_of_another_size_than_the_stream_says_are_refused(card, bits):
    with pytest.raises(UnreadableSurface, match=f"samples of {bits} bits came as uint"):
        CardFrames("cpu").taken(av.VideoFrame(64, 32, card), bits)


@needs_dlpack
def test_the_decoder_gets_its_surfaces_back():
    """What is taken is a copy: the decoder writes the next frame where this one lay."""
    frame = decoded("yuv420p10le", 10).reformat(format="p010le")
    frames = CardFrames("cpu")
    taken = frames.taken(frame, 10)
    before = [host(p).copy() for p in taken.planes]
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    frames.close()
    assert all(np.array_equal(host(p), b) and b.any() for p, b in zip(taken.planes, before, strict=True))


@needs_dlpack
@pytest.mark.parametrize(("format_", "size"), [("yuv420p", (128, 64)), ("nv12", (127, 64)), ("nv12", (128, 63)), ("nv24", (128, 64))])
def test_frames_whose_planes_cannot_be_had_are_refused(format_, size):
    frame = av.VideoFrame(size[0], size[1], format_)
    with pytest.raises(UnreadableSurface):
        CardFrames("cpu").taken(frame, 8)


def test_without_a_card_the_processor_decodes_and_that_is_said_once(bframe_clip, caplog):
    path, reference = bframe_clip
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            reader = VideoReader(path, gpu=True, card="cuda:0")
            for n in (5, 6, 2):
                frame = reader.read(n)
                assert isinstance(frame, av.VideoFrame) and np.array_equal(frame.to_ndarray(), reference[n])
            reader.close()
    said = [r.message for r in caplog.records]
    assert len(said) == 1 and said[0].startswith("hardware.decoder: cuda cannot be used here"), said


def test_what_the_card_does_not_take_the_processor_decodes(bframe_clip, caplog, monkeypatch):
    """FFmpeg opens the file for a card, and its decoder gives frames of the CPU."""
    path, reference = bframe_clip
    monkeypatch.setattr(video, "open_accelerated", lambda name, device: av.open(name))
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            reader = VideoReader(path, gpu=True, card="cuda:0")
            frame = reader.read(7)
            assert isinstance(frame, av.VideoFrame) and np.array_equal(frame.to_ndarray(), reference[7])
            reader.close()
    assert [r.message.count(path.name) for r in caplog.records] == [1]


def test_a_card_that_stops_half_way_is_done_without(bframe_clip, caplog):
    path, reference = bframe_clip
    reader = VideoReader(path, gpu=True, card="cuda:0")
    assert reader.read(3) is not None
    # from here on as on a card, whose decoder gives a frame that is not its own
    reader._taking, reader._gpu = CardFrames("cpu"), True
    with caplog.at_level(logging.WARNING):
        for n in (4, 5, 30, 2):
            frame = reader.read(n)
            assert isinstance(frame, av.VideoFrame) and np.array_equal(frame.to_ndarray(), reference[n])
    said = [r.message for r in caplog.records if path.name in r.message]
    assert len(said) == 1 and "does not decode" in said[0] and "the CPU does" in said[0]
    reader.close()


def test_frames_are_tensors_where_a_device_is_named(bframe_clip):
    path, _ = bframe_clip
    for decoder in ("auto", "gpu", "cpu"):
        with open_clip(path, Settings(hardware={"decoder": decoder})) as clip, clip.reopen(device="cpu") as again:
            there, here = again.frame(9).eyes["left"], clip.frame(9).eyes["left"]
            assert is_tensor(there.like) and not is_tensor(here.like)
            whole = Rect(0, 0, here.width, here.height)
            assert np.abs(host(there.region(whole)) - here.region(whole)).max() < 1e-5
            # whoever reads pictures as such gets NumPy's arrays
            assert np.array_equal(again.read(9)["left"], host(there.region(whole)))


def test_sequences_are_sent_in_their_own_type(tmp_path):
    rng = np.random.default_rng(2)
    for kind, expected in (("half", torch.float16), ("float", torch.float32), ("uint16", torch.uint16), ("uint8", torch.uint8)):
        folder = tmp_path / kind
        folder.mkdir()
        suffix = "exr" if kind in ("half", "float") else "tif"
        picture = rng.random((32, 64, 3)).astype(np.float32)
        write(folder / f"plate.0001.{suffix}", picture, kind)
        with open_clip(folder) as clip, clip.reopen(device="cpu") as again:
            there, here = again.frame(0).eyes["left"], clip.frame(0).eyes["left"]
            assert there.like.dtype == expected
            assert np.abs(host(there.native(Rect(2, 1, 30, 31))) - here.native(Rect(2, 1, 30, 31))).max() < 1e-6
