"""Sound and time codes of videos."""

from typing import Any

import av
import numpy as np
import pytest

from tests.conftest import with_settings
from tests.output.conftest import sound
from vr180_ofx.media.open import open_clip
from vr180_ofx.people.plan import Plan
from vr180_ofx.rendering.render import render
from vr180_ofx.settings import Settings


@pytest.mark.parametrize(
    ("container", "asked", "becomes"),
    [
        ("greenscreen", "pcm", "aac"), ("greenscreen", "opus", "opus"), ("greenscreen", "aac", "aac"),
        ("prores4444", "pcm", "pcm_s24le"), ("prores4444", "opus", "pcm_s24le"), ("prores4444", "aac", "aac"), ("webm_alpha", "pcm", "opus"),
    ],
)  # fmt: skip
def test_sound_is_converted_to_what_was_asked_for_or_to_what_the_container_takes(rich, tmp_path, container, asked, becomes):
    clip, plan = rich
    with with_settings(clip, output={"format": container}, audio={"audio_codec": asked}, input={"frames": "1-6"}) as some:
        report = render(some, plan, output=tmp_path)
    (path,) = [p for p in tmp_path.iterdir() if p.suffix in (".mp4", ".mov", ".webm")]
    assert [name for name, _ in sound(path)] == [becomes] * 3
    said = [n for n in report.notes if f"to {becomes}" in n]
    assert len(said) == 3 and all(("takes no" in n) == (asked != becomes and (asked, becomes) != ("pcm", "pcm_s24le")) for n in said)
    with av.open(str(path)) as c:
        first = np.concatenate([f.to_ndarray().astype(np.float64).ravel() for f in c.decode(audio=0)])
    full = {"aac": 1.0, "opus": 1.0, "pcm_s24le": 2**31}[becomes]
    # a sine of 0.3
    assert 0.18 < np.sqrt(np.mean((first / full)[4000:-4000] ** 2)) < 0.23


RATE, LONG = 48_000, 9600


def tones(channels):
    """(samples, channels) int16: a tone of its own for each channel, 0.2 s."""
    at = np.arange(LONG)[:, None] / RATE
    return (np.sin(2 * np.pi * at * (300 + 200 * np.arange(channels))) * 8000).astype(np.int16)


def heard(path):
    """The pitch of each channel of the first track, Hz."""
    with av.open(str(path)) as c:
        # interleaved: PyAV reads no planes beyond the eighth
        packed = av.AudioResampler("s16")
        frames = [part for f in c.decode(audio=0) for part in packed.resample(f)]
    samples = np.concatenate([f.to_ndarray().reshape(-1, f.layout.nb_channels) for f in frames])
    middle = samples[2400:7200].astype(np.float64) * np.hanning(4800)[:, None]
    return np.abs(np.fft.rfft(middle, axis=0)).argmax(axis=0) * RATE / 4800


def clip_with(path, layout, channels, codec="pcm_s16le", rate=RATE, options=None):
    """Six small frames, and a tone in each channel. layout: as the container is told it."""
    with av.open(str(path), "w") as out:
        # what these containers take as it is
        video: Any = out.add_stream({".mxf": "mpeg2video", ".avi": "mpeg4"}.get(path.suffix, "libx264"), rate=30)
        video.width, video.height, video.pix_fmt = 256, 128, "yuv420p"
        sound: Any = out.add_stream(codec, rate=rate, options=options or {})
        sound.codec_context.layout = layout
        for n in range(6):
            out.mux(video.encode(av.VideoFrame.from_ndarray(np.full((128, 256, 3), 40 * n, np.uint8), format="rgb24")))
        out.mux(video.encode(None))
        samples = tones(channels)
        for at in range(0, LONG, 1600):
            chunk = av.AudioFrame.from_ndarray(samples[at : at + 1600].reshape(1, -1), format="s16", layout=layout)
            chunk.sample_rate, chunk.pts = rate, at
            out.mux(sound.encode(chunk))
        out.mux(sound.encode(None))
    return path


def video_of(path, folder, **sections):
    """(its path, report) of a video of a clip with nobody in it."""
    settings = Settings(**{"output": {"format": "greenscreen"}, "input": {"layout": "mono", "projection": "flat"}, **sections})
    with open_clip(path, settings) as clip:
        report = render(clip, Plan.of_nobody(clip), output=folder)
    (made,) = [p for p in folder.iterdir() if p.suffix in (".mp4", ".mov", ".webm")]
    with open_clip(made) as video:
        assert len(video) == 6
    return made, report


@pytest.mark.parametrize(
    ("name", "channels", "codec", "lies"),
    [
        ("a.mkv", 1, "aac", "mono"), ("a.mkv", 2, "aac", "stereo"), ("a.avi", 2, "aac", "stereo"), ("a.mxf", 2, "aac", "stereo"),
        ("a.mov", 2, "aac", "stereo"), ("a.mkv", 3, "aac", "3.0"), ("a.mkv", 4, "aac", "quad"), ("a.mkv", 6, "aac", "5.1"),
        ("a.mov", 16, "aac", "hexadecagonal"), ("a.mkv", 9, "opus", None),
    ],
)  # fmt: skip
def test_sound_that_does_not_say_where_its_channels_lie(tmp_path, name, channels, codec, lies):
    """PCM in Matroska, AVI and MXF never does, nor does MOV without ``chan``: the video has all channels, each in its place."""
    path = clip_with(tmp_path / name, f"{channels} channels", channels)
    made, report = video_of(path, tmp_path / "out")
    assert [found for found, _ in sound(made)] == [codec] and report.warnings == []
    pitches = heard(made)
    # FFmpeg's AAC has one tone for the bass of 5.1, which is cut off
    expected = [300.0 + 200 * k for k in range(channels)]
    assert len(pitches) == channels and np.abs(np.delete(pitches - expected, 3 if channels == 6 else [])).max() <= 10
    assert any("converted from pcm_s16le" in n and (lies is None or f"taken for {lies}" in n) for n in report.notes)


@pytest.mark.parametrize(("kind", "codec"), [("prores4444", "pcm_s16le"), ("webm_alpha", "opus")])
def test_sixteen_channels_without_a_layout_in_other_containers(tmp_path, kind, codec):
    made, report = video_of(clip_with(tmp_path / "a.mov", "16 channels", 16), tmp_path / "out", output={"format": kind})
    assert [found for found, _ in sound(made)] == [codec] and len(heard(made)) == 16 and report.warnings == []


@pytest.mark.parametrize(("asked", "lies"), [("aac", "quad"), ("opus", "ambisonic 1")])
def test_ambisonics_keep_their_channels(tmp_path, asked, lies):
    """Four channels of a VR recording: where there are no ambisonics, they are still four."""
    path = clip_with(tmp_path / "a.mkv", "ambisonic 1", 4, codec="libopus", options={"mapping_family": "2"})
    made, report = video_of(path, tmp_path / "out", audio={"audio_codec": asked})
    with av.open(str(made)) as c:
        assert c.streams.audio[0].codec_context.layout.name == lies
    assert len(heard(made)) == 4 and report.warnings == []


def test_sound_that_nothing_takes_is_left_out_with_a_warning(tmp_path):
    """A rate that no encoder of the container has is converted; more channels than Opus counts are not, and the video is there."""
    made, report = video_of(clip_with(tmp_path / "a.mov", "300 channels", 300), tmp_path / "out")
    assert sound(made) == [] and any("300 channels" in w and "left out" in w for w in report.warnings)
    assert set(report.warnings) <= set(report.notes)


def test_a_rate_that_no_encoder_has_is_converted(tmp_path):
    made, report = video_of(clip_with(tmp_path / "a.mov", "stereo", 2, rate=192_000), tmp_path / "out")
    with av.open(str(made)) as c:
        assert c.streams.audio[0].rate == 48_000
    assert report.warnings == []


def test_damaged_sound_takes_no_picture_with_it(tmp_path):
    """A track of which packets in the middle are noise: what can be decoded is there, and the rest is said."""
    path = tmp_path / "a.mkv"
    clip_with(path, "stereo", 2, codec="flac")
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as c:
        places = [p.pos for p in c.demux(audio=0) if p.size and p.pos is not None]
    rng = np.random.default_rng(5)
    for place in places[1:3]:
        data[place + 20 : place + 400] = rng.bytes(380)
    path.write_bytes(data)
    made, report = video_of(path, tmp_path / "out", audio={"audio_codec": "aac"})
    assert [found for found, _ in sound(made)] == ["aac"]
    assert any("damaged" in w for w in report.warnings), report
