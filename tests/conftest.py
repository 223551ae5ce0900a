"""Clips are made here, never downloaded. The cache is the test's own; the weights are those of the set-up."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from vr180_ofx.media.contract import Clip
from vr180_ofx.media.open import open_clip
from vr180_ofx.settings import Settings
from vr180_ofx.storage import weights_folder

hypothesis_settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
hypothesis_settings.load_profile("default")

_WEIGHTS = weights_folder()
SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session", autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    saved = {k: os.environ.get(k) for k in ("VR180_OFX_CACHE", "VR180_OFX_WEIGHTS", "VR180_OFX_PLANS")}
    os.environ["VR180_OFX_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    os.environ["VR180_OFX_WEIGHTS"] = str(_WEIGHTS)
    os.environ.pop("VR180_OFX_PLANS", None)
    yield
    for key, value in saved.items():
        if value is None:
            os.environ.pop(key, None)
        else:
            os.environ[key] = value


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests that are marked ``cuda`` are skipped where there is no such card."""
    if item.get_closest_marker("cuda") and not pytest.importorskip("torch", reason="PyTorch is not installed").cuda.is_available():
        pytest.skip("this machine has no CUDA device")


#: Modules that take longest: they begin first, so that nobody waits for one of them at the end while other cores have nothing to do.
_LONGEST = [
    "test_ofx_faults.py", "test_render.py", "test_controlled.py", "test_server.py", "test_faults.py", "test_evaluate.py", "test_sam2.py",
    "test_client.py", "test_schema.py", "test_ofx.py",
]  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest modules first; the order within a module stays."""
    order = {name: n for n, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: order.get(item.path.name, len(order)))


def shared_clip(name: str) -> Path:
    """A clip of the development set; the test is skipped where it is absent."""
    path = SHARED / "clips" / name
    if not path.exists():
        pytest.skip(f"{name} belongs to the development clips, which are not here")
    return path


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 400 kB."""
    if os.geteuid() != 0:
        pytest.skip("a small file system can only be mounted by root")
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "none", str(disk)], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


BITS = 8
CELL = 16


def numbered_picture(n: int, width: int = 192, height: int = 96) -> np.ndarray[Any, Any]:
    """A picture that carries its number as a row of black and white cells, and something that moves."""
    picture = np.full((height, width, 3), 90, np.uint8)
    for bit in range(BITS):
        picture[:32, bit * CELL : (bit + 1) * CELL] = 235 if n >> bit & 1 else 16
    x = 8 + (n * 5) % (width - 40)
    picture[48:80, x : x + 24] = (200, 60, 40)
    return picture


def picture_number(picture: np.ndarray[Any, Any]) -> int:
    """Reads it back. picture: (h, w, 3), 0..1 or 0..255."""
    scale = 255.0 if picture.max() > 1.5 else 1.0
    grey = picture.mean(axis=-1) / scale
    return sum(int(grey[8:24, b * CELL + 4 : (b + 1) * CELL - 4].mean() > 0.5) << b for b in range(BITS))


def make_clip(
    path: Path, frames: int = 40, codec: str = "libx264", rate: int = 24, options: dict[str, str] | None = None,
    pts: list[int] | None = None, pix_fmt: str = "yuv420p", size: tuple[int, int] = (192, 96), audio: bool = False,
    gop: int = 12, container_format: str | None = None, pictures: Any = None, container_options: dict[str, str] | None = None,
) -> Path:  # fmt: skip
    """Encodes numbered pictures. pts: times in 1/1000 s instead of a constant rate."""
    with av.open(str(path), "w", format=container_format, options=container_options or {}) as container:
        stream: Any = container.add_stream(codec, rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = pix_fmt
        stream.gop_size = gop
        if options:
            stream.options = options
        if pts is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        sound: Any = None
        if audio:
            sound = container.add_stream("aac", rate=48000)
            sound.layout = "stereo"
        for n in range(frames):
            picture = numbered_picture(n, *size) if pictures is None else pictures(n)
            frame = VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pix_fmt)
            if pts is not None:
                frame.pts, frame.time_base = pts[n], Fraction(1, 1000)
            else:
                frame.pts, frame.time_base = n, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            seconds = frames / rate
            for k in range(int(seconds * 48000 / 1024)):
                wave = np.sin(2 * np.pi * 440 * (np.arange(1024) + k * 1024) / 48000).astype(np.float32) * 0.3
                chunk = av.AudioFrame.from_ndarray(np.stack([wave, wave]), format="fltp", layout="stereo")
                chunk.sample_rate, chunk.pts = 48000, k * 1024
                container.mux(sound.encode(chunk))
            container.mux(sound.encode(None))
    return path


def with_settings(clip: Clip, **sections: Any) -> Clip:
    """The same clip, opened with other settings."""
    return open_clip(clip.path, Settings(**sections))


DEMO = Path(__file__).resolve().parents[1] / "vr180_ofx" / "demo" / "walk3d.mp4"


@pytest.fixture(scope="session")
def people_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first ten frames of the demo clip at a quarter of its pixels, with sound: real people, quickly read."""
    path = tmp_path_factory.mktemp("clips") / "people.mp4"
    with av.open(str(DEMO)) as source:
        pictures = [
            f.reformat(width=1024, height=512, format="rgb24").to_ndarray() for f, _ in zip(source.decode(video=0), range(10), strict=False)
        ]
    return make_clip(path, 10, options={"crf": "12"}, size=(1024, 512), audio=True, gop=5, pictures=lambda n: pictures[n])
