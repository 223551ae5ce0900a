"""The OpenFX plug-in in MLT's melt, a host that heeds no status: 7.34 and later with its openfx module, where it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
import pytest

from tests.host_bridges import ofx_session
from tests.host_bridges.halves import as_floats

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("melt") is None, reason="MLT's melt is not installed"),
    pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not installed"),
]
FILTER = "openfx.vr180ofx.VR180Matte"
FRAMES = 10
STEP = 1 / 65535


class Melted(NamedTuple):
    """alphas: one (h, w) for each frame, 0..1; errors: the lines of the log in which the plug-in tells an error."""

    alphas: list[np.ndarray[Any, Any]]
    errors: list[str]


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that OFX_PLUGIN_PATH names."""
    folder = tmp_path_factory.mktemp("ofx")
    ofx_session.build(folder)
    known = subprocess.run(
        ["melt", "-query", "filters"], capture_output=True, text=True, env={**os.environ, "OFX_PLUGIN_PATH": str(folder)}
    )
    if FILTER not in known.stdout + known.stderr:
        pytest.skip("this MLT has no openfx module; 7.34 and later have it")
    return folder


@pytest.fixture(scope="module")
def eye_clip(standing: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The left eye alone, as an editor would have it on a timeline."""
    path = tmp_path_factory.mktemp("eye") / "left.mp4"
    with av.open(str(standing.clip)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 512, 512, "yuv420p"
        for frame in source.decode(video=0):
            left = np.ascontiguousarray(frame.to_ndarray(format="rgb24")[:, :512], np.uint8)
            target.mux(stream.encode(av.VideoFrame.from_ndarray(left, format="rgb24")))
        target.mux(stream.encode(None))
    return path


@pytest.fixture
def melt(plugin: Path, tmp_path: Path) -> Iterator[Any]:
    def run(
        *producer: object, size: tuple[int, int] = (1024, 512), aspect: int = 1, consumer: tuple[str, ...] = ("real_time=-1",),
        env: dict[str, str] | None = None, **settings: object,
    ) -> Melted:  # fmt: skip
        profile, out = tmp_path / "profile", tmp_path / "out.nut"
        profile.write_text(
            f"description=test\nframe_rate_num=24\nframe_rate_den=1\nwidth={size[0]}\nheight={size[1]}\nprogressive=1\n"
            f"sample_aspect_num={aspect}\nsample_aspect_den=1\ndisplay_aspect_num={size[0] * aspect}\ndisplay_aspect_den={size[1]}\n"
            "colorspace=709\n"
        )
        words = [f"{name}={value}" for name, value in settings.items()]
        raw = ["f=nut", "vcodec=rawvideo", "pix_fmt=rgba64le", "mlt_image_format=rgba64", "an=1", "terminate_on_pause=1", *consumer]
        done = subprocess.run(
            ["melt", "-profile", str(profile), *map(str, producer), "-filter", FILTER, *words, "-consumer", f"avformat:{out}", *raw],
            capture_output=True, text=True, timeout=300, env={**os.environ, "OFX_PLUGIN_PATH": str(plugin), **(env or {})},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        with av.open(str(out)) as container:
            pictures = [np.frombuffer(bytes(f.planes[0]), "<u2").reshape(f.height, -1, 4)[:, : f.width] for f in container.decode(video=0)]
        lines = (done.stderr + done.stdout).replace("\r", "\n").splitlines()
        return Melted([p[..., 3] / 65535 for p in pictures], [line for line in lines if "type=OfxMessageError" in line])

    yield run


def served(standing: Any, n: int, view: str) -> np.ndarray[Any, Any]:
    alpha: np.ndarray[Any, Any] = as_floats(standing.link.frame(n, view=view))
    return alpha


def refused(melted: Melted, what: str) -> None:
    """An error for each frame, and nothing in the picture that passes for a matte."""
    assert len(melted.alphas) == FRAMES and len(melted.errors) >= FRAMES
    assert all(what in line for line in melted.errors), melted.errors[:3]
    for alpha in melted.alphas:
        assert set(np.round(alpha.ravel(), 2)) == {0.25, 0.75}


def test_frames_are_the_servers_without_a_setting(standing, melt):
    melted = melt(standing.clip, clip=standing.clip)
    assert len(melted.alphas) == FRAMES and not melted.errors
    for n, alpha in enumerate(melted.alphas):
        assert np.abs(alpha - served(standing, n, "both")).max() <= STEP, n


def test_a_part_of_the_clip_and_several_frames_at_once(standing, melt):
    melted = melt(standing.clip, "in=3", clip=standing.clip, first_frame=-3, consumer=("real_time=-4",))
    assert len(melted.alphas) == FRAMES - 3
    for n, alpha in enumerate(melted.alphas):
        assert np.abs(alpha - served(standing, n + 3, "both")).max() <= STEP, n


def test_a_preview_at_half_the_size(standing, melt):
    melted = melt(standing.clip, clip=standing.clip, consumer=("real_time=-1", "scale=0.5"))
    for n, alpha in enumerate(melted.alphas):
        assert np.abs(alpha - served(standing, n, "both").reshape(256, 2, 512, 2).mean(axis=(1, 3))).max() <= STEP, n


@pytest.mark.parametrize("eye", ["left", "right"])
def test_a_plate_of_one_eye_that_is_named(standing, eye_clip, melt, eye):
    melted = melt(eye_clip, size=(512, 512), clip=standing.clip, view=eye)
    for n, alpha in enumerate(melted.alphas):
        assert np.abs(alpha - served(standing, n, eye)).max() <= STEP, n


def test_a_plate_of_one_eye_that_is_not_named_is_refused(standing, eye_clip, melt):
    refused(melt(eye_clip, size=(512, 512), clip=standing.clip), "set Eye")


def test_bars_beside_the_picture_are_refused(standing, melt):
    # a timeline of 16:9: MLT puts bars around the plate before any filter sees it
    refused(melt(standing.clip, size=(1024, 576), clip=standing.clip), "1024x576")


def test_wide_pixels_are_right_or_refused(standing, melt):
    melted = melt(standing.clip, size=(512, 512), aspect=2, clip=standing.clip)
    if melted.errors:
        refused(melted, "set Eye")
        return
    for n, alpha in enumerate(melted.alphas):
        assert np.abs(alpha - served(standing, n, "both").reshape(512, 512, 2).mean(axis=2)).max() <= STEP, n


def test_what_fails_is_told_for_every_frame(standing, melt, tmp_path):
    dead = tmp_path / "dead.mp4"
    dead.write_bytes(b"no video" * 99)
    refused(melt(standing.clip, clip=tmp_path / "nowhere.mp4"), "nowhere.mp4")
    refused(melt(standing.clip, clip=dead), "dead.mp4")
    refused(melt(standing.clip), "Clip is empty")
    nobody = {"VR180_OFX_CACHE": str(tmp_path / "nobody")}
    refused(melt(standing.clip, clip=standing.clip, start_server=0, env=nobody), "no frame server is running")
