"""Videos for VR players and editors: what other readers find in them."""

import hashlib
import json
import shutil
import subprocess
from fractions import Fraction

import av
import numpy as np
import pytest

from tests.output.test_render import with_settings
from tests.stereo.scenes import DEMO
from vr180_ofx.cli.main import main
from vr180_ofx.engine.plans import find_plan
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.errors import SettingsError
from vr180_ofx.media.open import open_clip
from vr180_ofx.output.sound import later
from vr180_ofx.output.spherical import add_spherical
from vr180_ofx.output.video import target_projection, untagged
from vr180_ofx.quality import metrics
from vr180_ofx.render.render import render
from vr180_ofx.settings import Settings
from vr180_ofx.vr180.packing import reprojected, unpack
from vr180_ofx.vr180.projection import Equirectangular, Fisheye


def sound(path):
    """(codec, hash of the packets) of every audio stream."""
    with av.open(str(path)) as c:
        out = {s.index: (s.codec_context.name, hashlib.sha256()) for s in c.streams.audio}
        for p in c.demux(list(c.streams.audio)):
            if p.size:
                out[p.stream_index][1].update(bytes(p))
        return [(name, digest.hexdigest()) for name, digest in out.values()]


@pytest.fixture(scope="module")
def rich_clip(tmp_path_factory):
    """Six frames of the demo clip with two tracks of PCM, one of AAC, and a time code."""
    path = tmp_path_factory.mktemp("rich") / "rich_LR_180.mov"
    with av.open(str(DEMO / "walk3d.mp4")) as source, av.open(str(path), "w") as out:
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
def planned(rich_clip):
    with open_clip(rich_clip) as clip:
        yield clip, find_plan(clip, clip.settings)


def rendered(planned, folder, **output):
    clip, plan = planned
    with with_settings(clip, output=output) as some:
        report = render(some, plan, output=folder)
    (path,) = [p for p in folder.iterdir() if p.suffix in (".mp4", ".mov", ".webm")]
    return path, report


def frames_of(path, fmt="rgb24"):
    with av.open(str(path)) as c:
        return [f.to_ndarray(format=fmt) for f in c.decode(video=0)]


def test_prores_has_transparency_all_sound_and_the_time_code(planned, tmp_path):
    clip, plan = planned
    path, report = rendered(planned, tmp_path, format="prores4444")
    assert path.name == "rich_LR_180_foreground.mov" and sound(path) == sound(clip.path) and len(sound(path)) == 3
    with av.open(str(path)) as c:
        assert c.streams.video[0].codec_context.name == "prores" and c.streams.video[0].codec_context.pix_fmt.startswith("yuva444p1")
        assert {s.metadata.get("timecode") for s in c.streams} >= {"10:00:59;28"}
        assert [s.metadata.get("language") for s in c.streams.audio] == ["eng", "spa", "fra"]
    with FrameServer(clip, plan) as server:
        matte = server.request(3).result()
    got = frames_of(path, "rgba64le")[3].astype(np.float32) / 65535
    assert len(frames_of(path)) == 6 and np.abs(got[:, :256, 3] - matte.views["left"].alpha).max() < 0.01
    assert not [n for n in report.notes if "converted" in n or "cannot" in n]


def test_webm_converts_what_it_does_not_take(planned, tmp_path):
    path, report = rendered(planned, tmp_path, format="webm_alpha")
    assert [name for name, _ in sound(path)] == ["opus"] * 3 and sum("converted" in n for n in report.notes) == 3
    with av.open(str(path)) as c:
        assert c.streams.video[0].metadata["alpha_mode" if "alpha_mode" in c.streams.video[0].metadata else "ALPHA_MODE"] == "1"
    with open_clip(path) as again:
        assert again.geometry.layout.name == "sbs" and len(again) == 6
    # FFmpeg's own VP9 decoder passes over the alpha; libvpx reads it
    decoder = av.CodecContext.create("libvpx-vp9", "r")
    with av.open(str(path)) as c:
        packet = next(p for p in c.demux(video=0) if p.size)
        plain = decoder.decode(packet)[0]
    assert plain.format.name == "yuva420p" and 0.02 < plain.reformat(format="rgba").to_ndarray()[..., 3].mean() / 255 < 0.1


@pytest.mark.parametrize(
    ("container", "asked", "becomes"),
    [
        ("greenscreen", "pcm", "aac"), ("greenscreen", "opus", "opus"), ("greenscreen", "aac", "aac"),
        ("prores4444", "pcm", "pcm_s24le"), ("prores4444", "opus", "pcm_s24le"), ("prores4444", "aac", "aac"), ("webm_alpha", "pcm", "opus"),
    ],
)  # fmt: skip
def test_sound_is_converted_to_what_was_asked_for_or_to_what_the_container_takes(planned, tmp_path, container, asked, becomes):
    clip, plan = planned
    with with_settings(clip, output={"format": container}, audio={"audio_codec": asked}, input={"frames": "0-5"}) as some:
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


def test_packed_alpha_for_players(planned, tmp_path):
    clip, plan = planned
    path, _ = rendered(planned, tmp_path, format="vr_alpha", video_quality=8)
    assert path.name == "rich_FISHEYE190_alpha.mp4"
    with open_clip(path) as video:
        assert video.geometry.projection_name == "fisheye" and video.geometry.fov_degrees == 190 and video.geometry.layout.name == "sbs"
    with FrameServer(clip, plan) as server:
        matte = server.request(3).result()
    picture = frames_of(path)[3].astype(np.float32) / 255
    for k, view in enumerate(("left", "right")):
        eye = picture[:, k * 256 : (k + 1) * 256]
        expected = reprojected(matte.views[view].alpha[..., None], Equirectangular(256, 256), Fisheye(256, 256, 190))
        # 102 pixels for an eye, through chroma of half the resolution
        assert metrics.iou(unpack(eye), expected) > 0.8, view


def test_ten_bits_top_bottom_fisheye(planned, tmp_path):
    clip, _ = planned
    path, _ = rendered(
        planned, tmp_path, format="greenscreen", video_codec="hevc", video_bits=10, eyes="tb", projection="fisheye", fov_degrees=200
    )
    assert path.name == "rich_greenscreen_TB_MKX200.mp4"
    with av.open(str(path)) as c:
        context = c.streams.video[0].codec_context
        assert (context.pix_fmt, context.width, context.height) == ("yuv420p10le", 256, 512)
    with open_clip(path) as video:
        assert video.geometry.layout.name == "tb" and video.geometry.projection_name == "fisheye" and video.geometry.fov_degrees == 200
        assert len(video) == len(clip)
        corner = video.read(2)["right"][3, 3]
        assert corner[1] > 0.9 and corner[0] < 0.1


@pytest.mark.parametrize("layout", ["sbs", "tb"])
def test_spherical_metadata_is_written_and_read_back(planned, tmp_path, layout):
    """By FFmpeg's reader, without help from the file's name; the first frame and the sound still lie where the tables say."""
    clip, _ = planned
    path, _ = rendered(planned, tmp_path, format="video", eyes=layout)
    plain = tmp_path / "x.mp4"
    path.rename(plain)
    with open_clip(plain) as video:
        assert video.geometry.layout.name == layout and video.geometry.projection_name == "equirect180"
        assert all("metadata says so" in reason for reason in video.geometry.reasons[:2])
        assert len([video.read(n) for n in range(6)]) == 6
    assert len(sound(plain)) == 3


def test_eyes_apart(planned, tmp_path):
    clip, plan = planned
    with with_settings(clip, output={"format": "greenscreen", "eyes": "separate"}) as some:
        render(some, plan, output=tmp_path)
    for view in ("left", "right"):
        with open_clip(tmp_path / f"rich_LR_180_greenscreen_{view}.mp4", Settings(input={"layout": "mono"})) as video:
            assert video.eye_size == (256, 256)


def test_what_a_file_is_not_is_not_written(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"not a video at all, but long enough to look into")
    assert add_spherical(path, "sbs", Equirectangular(8, 8)) is False and path.read_bytes().startswith(b"not a video")
    assert add_spherical(path, "mono", target_projection(Fisheye(8, 8, 190), "fisheye", None)) is False


def test_time_codes_go_on():
    assert later("10:00:59;28", 2, Fraction(30000, 1001)) == "10:01:00;02"
    assert later("10:09:59;29", 1, Fraction(30000, 1001)) == "10:10:00;00"
    assert later("01:00:00;00", 17982, Fraction(30000, 1001)) == "01:10:00;00"
    assert later("23:59:59:23", 1, Fraction(24)) == "00:00:00:00" and later("00:00:00:00", 24 * 61, Fraction(24)) == "00:01:01:00"
    assert later("00:00:59;58", 2, Fraction(60000, 1001)) == "00:01:00;04"
    assert later("nonsense", 1, Fraction(24)) is None


def test_names_lose_what_is_no_longer_true():
    assert untagged("walk_LR_180") == "walk" and untagged("a_b.FISHEYE190_take2") == "a_b.take2" and untagged("plain") == "plain"


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ({"format": "vr_alpha", "eyes": "tb"}, "side by side fisheye"),
        ({"format": "video", "fov_degrees": 190}, "output.projection is same"),
    ],
)
def test_what_does_not_go_together_is_said_before_anything_is_made(planned, tmp_path, output, words):
    clip, plan = planned
    with with_settings(clip, output=output) as some, pytest.raises(SettingsError, match=words):
        render(some, plan, output=tmp_path)
    assert not list(tmp_path.glob("*.mp4"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["greenscreen", "video", "prores4444", "webm_alpha", "vr_alpha"])
def test_another_program_reads_them(planned, tmp_path, kind):
    """ffprobe counts frames and says the times; the sound is the source's where it was copied."""
    if shutil.which("ffprobe") is None:
        pytest.skip("ffprobe is not installed")
    clip, _ = planned
    path, _ = rendered(planned, tmp_path, format=kind)
    command = [
        "ffprobe",
        "-v",
        "error",
        "-select_streams",
        "v:0",
        "-show_frames",
        "-show_entries",
        "frame=pts_time",
        "-of",
        "json",
        str(path),
    ]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["frames"]
    assert [float(f["pts_time"]) for f in found] == pytest.approx([clip.time_s(n) - clip.time_s(0) for n in range(6)], abs=2e-3)
    streams = [
        subprocess.run(["ffmpeg", "-v", "error", "-i", str(p), "-map", "0:a", "-c", "copy", "-f", "streamhash", "-"], check=True, capture_output=True).stdout
        for p in (clip.path, path)
    ]  # fmt: skip
    if kind == "prores4444":
        assert streams[0] == streams[1]


def test_help_names_the_formats(capsys):
    with pytest.raises(SystemExit):
        main(["render", "--help"])
    assert all(kind in capsys.readouterr().out for kind in ("prores4444",))
