"""Videos for VR players and editors: what other readers find in them."""

import json
import shutil
import subprocess

import av
import numpy as np
import pytest

from tests.conftest import make_clip, with_settings
from tests.output.conftest import frames_of, rendered, sound
from vr180_ofx.engine.plans import analyse
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.errors import SettingsError
from vr180_ofx.media.open import open_clip
from vr180_ofx.output.video import untagged
from vr180_ofx.quality import metrics
from vr180_ofx.rendering.render import render
from vr180_ofx.settings import Settings
from vr180_ofx.vr180.packing import reprojected, unpack
from vr180_ofx.vr180.projection import Equirectangular, Fisheye


@pytest.fixture(scope="module")
def planned(people_clip):
    with open_clip(people_clip) as clip:
        yield clip, analyse(clip)


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_video_keeps_frames_timing_and_sound(planned, tmp_path, codec):
    clip, plan = planned
    with with_settings(clip, output={"format": "greenscreen", "video_codec": codec}) as some:
        report = render(some, plan, output=tmp_path)
    path = tmp_path / "people_greenscreen.mp4"
    assert any("10 frames" in n for n in report.notes) and any("sound copied" in n for n in report.notes)
    packets = {}
    for p in (clip.path, path):
        with av.open(str(p)) as c:
            packets[p] = [(round(float(k.pts * k.time_base), 4), bytes(k)) for k in c.demux(audio=0) if k.size and k.pts is not None]
    assert packets[path] == packets[clip.path], "the sound is not the same to the last bit"
    with open_clip(path) as video:
        assert len(video) == 10 and video.fps == clip.fps
        green = video.read(5)["left"][5, 5]
        assert green[1] > 0.9 and green[0] < 0.1
        assert [video.time_s(n) for n in range(10)] == pytest.approx([clip.time_s(n) for n in range(10)], abs=1e-3)


def test_variable_timing_survives_a_video(tmp_path, planned):
    times = [0, 40, 90, 120, 260, 300, 390]
    path = make_clip(tmp_path / "vfr.mkv", 7, pts=times, size=(512, 256))
    with open_clip(path, Settings(output={"format": "video"})) as clip:
        render(clip, analyse(clip), output=tmp_path / "out")
    with open_clip(tmp_path / "out" / "vfr_alpha.mp4") as video:
        assert [round(1000 * (video.time_s(n) - video.time_s(0))) for n in range(7)] == times


def test_prores_has_transparency_all_sound_and_the_time_code(rich, tmp_path):
    clip, plan = rich
    path, report = rendered(rich, tmp_path, format="prores4444")
    assert path.name == "rich_LR_180_foreground.mov" and sound(path) == sound(clip.path) and len(sound(path)) == 3
    with av.open(str(path)) as c:
        context = c.streams.video[0].codec_context
        assert context.name == "prores" and (context.pix_fmt or "").startswith("yuva444p1")
        assert {s.metadata.get("timecode") for s in c.streams} >= {"10:00:59;28"}
        assert [s.metadata.get("language") for s in c.streams.audio] == ["eng", "spa", "fra"]
    with FrameServer(clip, plan) as server:
        matte = server.request(3).result()
    got = frames_of(path, "rgba64le")[3].astype(np.float32) / 65535
    assert len(frames_of(path)) == 6 and np.abs(got[:, :256, 3] - matte.views["left"].alpha).max() < 0.01
    assert not [n for n in report.notes if "converted" in n or "cannot" in n]


def test_webm_converts_what_it_does_not_take(rich, tmp_path):
    path, report = rendered(rich, tmp_path, format="webm_alpha")
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


def test_packed_alpha_for_players(rich, tmp_path):
    clip, plan = rich
    path, _ = rendered(rich, tmp_path, format="vr_alpha", video_quality=8)
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


def test_ten_bits_top_bottom_fisheye(rich, tmp_path):
    clip, _ = rich
    path, _ = rendered(
        rich, tmp_path, format="greenscreen", video_codec="hevc", video_bits=10, eyes="tb", projection="fisheye", fov_degrees=200
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


def test_eyes_apart(rich, tmp_path):
    clip, plan = rich
    with with_settings(clip, output={"format": "greenscreen", "eyes": "separate"}) as some:
        render(some, plan, output=tmp_path)
    for view in ("left", "right"):
        with open_clip(tmp_path / f"rich_LR_180_greenscreen_{view}.mp4", Settings(input={"layout": "mono"})) as video:
            assert video.eye_size == (256, 256)


def test_names_lose_what_is_no_longer_true():
    assert untagged("walk_LR_180") == "walk" and untagged("a_b.FISHEYE190_take2") == "a_b.take2" and untagged("plain") == "plain"


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ({"format": "vr_alpha", "eyes": "tb"}, "side by side fisheye"),
        ({"format": "video", "fov_degrees": 190}, "output.projection is same"),
    ],
)
def test_what_does_not_go_together_is_said_before_anything_is_made(rich, tmp_path, output, words):
    clip, plan = rich
    with with_settings(clip, output=output) as some, pytest.raises(SettingsError, match=words):
        render(some, plan, output=tmp_path)
    assert not list(tmp_path.glob("*.mp4"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["greenscreen", "video", "prores4444", "webm_alpha", "vr_alpha"])
def test_another_program_reads_them(rich, tmp_path, kind):
    """ffprobe counts frames and says the times; the sound is the source's where it was copied."""
    if shutil.which("ffprobe") is None:
        pytest.skip("ffprobe is not installed")
    clip, _ = rich
    path, _ = rendered(rich, tmp_path, format=kind)
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


def test_a_video_of_other_frames_or_other_sound_is_made_again(planned, tmp_path):
    """It is one file for all frames: what is in it belongs to what it is known by."""
    clip, plan = planned

    def made(**sections):
        with with_settings(clip, output={"format": "video"}, **sections) as some:
            report = render(some, plan, output=tmp_path)
        with open_clip(tmp_path / "people_alpha.mp4") as video:
            return report.written, report.kept, len(video), len(sound(tmp_path / "people_alpha.mp4"))

    assert made(input={"frames": "1-3"}) == (3, 0, 3, 1)
    assert made(input={"frames": "1-3"}) == (0, 3, 3, 1)
    assert made(input={"frames": "1-5"}) == (5, 0, 5, 1)
    assert made(input={"frames": "1-5"}, audio={"preserve_audio": False}) == (5, 0, 5, 0)
