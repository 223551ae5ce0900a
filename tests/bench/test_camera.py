"""Rays and pixels, light and signal, files without loss."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from bench.camera import develop
from bench.camera.files import Clip, TruthFile, read_clip, read_truth
from bench.camera.projection import Eye, Kind
from bench.scenes.contract import Sensor
from vr180_ofx.vr180.projection import make_projection

SENSOR = Sensor((0.0, 0.0), (1.0, 1.0), 1e6, 0.0, "bt709", 8, "h264", 20.0)


@pytest.mark.parametrize("kind", ["equirect", "fisheye"])
def test_rays_are_those_of_the_program(kind: Kind) -> None:
    eye = Eye(kind, 32, 180.0, np.eye(4))
    theirs = make_projection("equirect180" if kind == "equirect" else "fisheye", 32, 32, None if kind == "equirect" else 180.0)
    x, y = np.meshgrid(np.arange(32) + 0.5, np.arange(32) + 0.5)
    # the program has z forward
    ours = eye.rays() * [1, 1, -1]
    inside = eye.angles() < 89
    np.testing.assert_allclose(ours[inside], theirs.unproject(np.stack([x, y], -1).astype(np.float32))[inside], atol=1e-5)


@pytest.mark.parametrize("kind", ["equirect", "fisheye", "flat"])
def test_places_undo_rays_for_a_turned_eye(kind: Kind) -> None:
    angle = 0.3
    pose = np.eye(4)
    pose[:3, :3] = [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    pose[:3, 3] = 0.1, 1.5, -0.2
    eye = Eye(kind, 16, 70.0 if kind == "flat" else 180.0, pose)
    inside = eye.angles() < 89
    places, far = eye.places(eye.rays() * 3.0 + pose[:3, 3])
    x, y = np.meshgrid(np.arange(16) + 0.5, np.arange(16) + 0.5)
    np.testing.assert_allclose(places[inside], np.stack([x, y], -1)[inside], atol=1e-9)
    np.testing.assert_allclose(far, 3.0)


@pytest.mark.parametrize("transfer", ["bt709", "hlg"])
def test_light_undoes_signal(transfer: str) -> None:
    light = np.random.default_rng(0).uniform(0, 1, (50, 3)).astype(np.float32)
    np.testing.assert_allclose(develop.light_of(develop.signal(light, transfer), transfer), light, atol=2e-4)
    grey = np.array([[0.0] * 3, [1.0] * 3], np.float32)
    # white of a camera is the top of BT.709's signal, and 75 % of HLG's (BT.2408)
    np.testing.assert_allclose(develop.signal(grey, transfer)[:, 0], [0, 1 if transfer == "bt709" else 0.75], atol=2e-3)


def test_codes_of_light_lose_less_than_a_camera_sees() -> None:
    light = np.geomspace(1e-4, develop.COLOUR_PEAK, 500, dtype=np.float32)
    np.testing.assert_allclose(develop.decoded(develop.coded(light)), light, rtol=0.01)


def test_noise_is_what_photons_make() -> None:
    sensor = Sensor((0.0, 0.0), (1.0, 1.0), 1000.0, 5.0, "bt709", 8, "h264", 20.0)
    counted = develop.exposed(np.full((400, 400, 1), 0.25, np.float32), sensor, np.random.default_rng(1))
    assert counted.mean() == pytest.approx(0.25, rel=0.01)
    assert counted.std() == pytest.approx(np.sqrt(250 + 25) / 1000, rel=0.02)


def test_softness_grows_to_the_rim_and_keeps_light() -> None:
    eye = Eye("equirect", 64, 180.0, np.eye(4))
    picture = np.zeros((64, 64, 1), np.float32)
    picture[32, 32], picture[32, 58] = 1, 1
    soft = develop.softened(picture, eye.angles(), 2.0)
    assert soft[32, 32, 0] > 0.9 > 0.5 > soft[32, 58, 0] > 0
    assert soft[:, 45:].sum() == pytest.approx(1, rel=0.25)


def test_a_dark_stage_stays_dark_and_a_sun_is_clipped() -> None:
    stage = np.full((100, 100, 3), 0.001, np.float32)
    stage[40:60, 40:60] = 0.5
    assert develop.exposure_for(stage) == pytest.approx(180, rel=0.3) or develop.exposure_for(stage) < 180
    day = np.full((100, 100, 3), 0.5, np.float32)
    day[:2] = 5000
    assert 0.2 < develop.exposure_for(day) < 0.5


@pytest.mark.parametrize("colour", [False, True])
def test_truth_files_lose_nothing(tmp_path: Path, *, colour: bool) -> None:
    rng = np.random.default_rng(2)
    frames = [rng.integers(0, 65536, (10, 34, 3) if colour else (10, 34)).astype(np.uint16) for _ in range(2)]
    with TruthFile(tmp_path / "x.mkv", 24, colour=colour) as file:
        for frame in frames:
            file.write(frame)
    found = list(read_truth(tmp_path / "x.mkv"))
    np.testing.assert_array_equal(found, frames)
    assert file.digest.hexdigest() == hashlib.sha256(b"".join(f.tobytes() for f in found)).hexdigest()


@pytest.mark.parametrize(("codec", "bits", "transfer"), [("h264", 8, "bt709"), ("hevc", 10, "hlg")])
def test_clips_say_what_they_are(tmp_path: Path, codec: str, bits: int, transfer: str) -> None:
    import av

    sensor = Sensor((0.0, 0.0), (1.0, 1.0), 1e6, 0.0, transfer, bits, codec, 500.0)  # type: ignore[arg-type]
    signal = np.linspace(0.1, 0.7, 128, dtype=np.float32)[None, :, None] * np.array([1, 0.8, 0.6], np.float32)
    picture = np.broadcast_to(signal, (64, 128, 3))
    with Clip(tmp_path / "clip.mp4", sensor, fps=24, width=128, height=64) as clip:
        for _ in range(2):
            clip.write(picture)
    found = list(read_clip(tmp_path / "clip.mp4", bt2020=transfer == "hlg"))
    assert len(found) == 2
    np.testing.assert_allclose(found[0], picture, atol=0.04)
    assert abs((found[0] - picture).mean()) < 0.004
    with av.open(str(tmp_path / "clip.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert context.name == codec
        assert context.pix_fmt == ("yuv420p10le" if bits == 10 else "yuv420p")
        assert context.color_trc == (18 if transfer == "hlg" else 1)
