"""A frame to be written as EXR, and a clip with all kinds of sound to be written as video."""

import hashlib
from fractions import Fraction

import av
import numpy as np
import OpenEXR
import pytest

from tests.conftest import DEMO, with_settings
from vr180_ofx.engine.frame import Frame, Layer, ViewMatte
from vr180_ofx.engine.plans import find_plan
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.open import open_clip
from vr180_ofx.output.exr import ExrClip, ExrWriter
from vr180_ofx.rendering.render import render
from vr180_ofx.settings import OutputSettings

W, H = 96, 64


def matte(shift=0):
    a = np.zeros((20, 30), np.float16)
    a[4:16, 4:26] = 0.75
    b = np.full((10, 12), 0.5, np.float16)
    half = np.full((20, 30), 0.5, np.float16)
    return ViewMatte(
        W,
        H,
        (Layer(1, "person01", Rect(10 + shift, 8, 40 + shift, 28), a, half), Layer(2, "Ada", Rect(60, 30, 72, 40), b, np.ones_like(b))),
    )


FRAME = Frame(41, {"left": matte(), "right": matte(3)}, {"quality": "final", "identity": "abc", "degradations": "none"})
CLIP = ExrClip(Fraction(30000, 1001), None, ("left", "right"), ((1, "person01"), (2, "Ada"), (3, "Bob")), "equirect180", None)


def write_exr(tmp_path, **settings):
    """Frame 41 of a shot. settings: of the section output."""
    writer = ExrWriter(CLIP, OutputSettings(**settings))
    return writer.write(tmp_path / "shot", 42, FRAME, None)


def by_the_library(path, target):
    """What the library makes of the pixels in ``path``. Returns the channels of each part."""
    with OpenEXR.File(str(path), separate_channels=True) as f:
        parts, found = [], []
        for p in f.parts:
            channels = {name: c.pixels for name, c in p.channels.items()}
            header = {k: v for k, v in p.header.items() if k not in ("channels", "dataWindow", "displayWindow", "name", "chunkCount")}
            name = p.header.get("name")
            parts.append(OpenEXR.Part(header, dict(channels), name) if name else OpenEXR.Part(header, dict(channels)))
            found.append((p.header.get("view") or "left", channels))
        OpenEXR.File(parts).write(str(target))
    return found


def sound(path):
    """(codec, hash of the packets) of every audio stream."""
    with av.open(str(path)) as c:
        out = {s.index: (s.codec_context.name, hashlib.sha256()) for s in c.streams.audio}
        for p in c.demux():
            if p.size and p.stream_index in out:
                out[p.stream_index][1].update(bytes(p))
        return [(name, digest.hexdigest()) for name, digest in out.values()]


@pytest.fixture(scope="module")
def rich_clip(tmp_path_factory):
    """Six frames of the demo clip with two tracks of PCM, one of AAC, and a time code."""
    path = tmp_path_factory.mktemp("rich") / "rich_LR_180.mov"
    with av.open(str(DEMO)) as source, av.open(str(path), "w") as out:
        pictures = [f.reformat(512, 256, "rgb24").to_ndarray() for f, _ in zip(source.decode(video=0), range(6), strict=False)]
        video = out.add_stream("libx264", rate=30, options={"crf": "10"})
        video.width, video.height, video.pix_fmt = 512, 256, "yuv420p"
        video.metadata["timecode"] = "10:00:59;28"
        tracks = [(out.add_stream("pcm_s24le", rate=48000), "s32"), (out.add_stream("pcm_s16le", rate=48000), "s16")]
        tracks.append((out.add_stream("aac", rate=48000), "fltp"))
        for k, (track, _) in enumerate(tracks):
            track.layout, track.metadata["language"] = "stereo", ("eng", "spa", "fra")[k]
        for n, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = n, Fraction(1, 30)
            out.mux(video.encode(frame))
        for k, (track, kind) in enumerate(tracks):
            for at in range(0, 9600 - 1023, 1024):
                wave = np.sin((np.arange(1024) + at) * (0.03 + 0.01 * k)) * 0.3
                values = {"s32": (wave * 2**31).astype(np.int32), "s16": (wave * 2**15).astype(np.int16), "fltp": wave.astype(np.float32)}[
                    kind
                ]
                data = np.stack([values] * 2) if kind == "fltp" else np.repeat(values, 2)[None]
                chunk = av.AudioFrame.from_ndarray(data, format=kind, layout="stereo")
                chunk.sample_rate, chunk.pts = 48000, at
                out.mux(track.encode(chunk))
            out.mux(track.encode(None))
        out.mux(video.encode(None))
    return path


@pytest.fixture(scope="module")
def rich(rich_clip):
    with open_clip(rich_clip) as clip:
        yield clip, find_plan(clip, clip.settings)


def rendered(planned, folder, **output):
    """(path, report) of a video. planned: clip and plan."""
    clip, plan = planned
    with with_settings(clip, output=output) as some:
        report = render(some, plan, output=folder)
    (path,) = [p for p in folder.iterdir() if p.suffix in (".mp4", ".mov", ".webm")]
    return path, report


def frames_of(path, fmt="rgb24"):
    """What is seen in a video, (h, w, channels) each."""
    with av.open(str(path)) as c:
        return [f.to_ndarray(format=fmt) for f in c.decode(video=0)]
