"""What a graphics card gives, and a trial of the way that pictures take on it."""

from __future__ import annotations

import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.engine.lanes import lane
from vr180_ofx.engine.models import REFINERS
from vr180_ofx.imaging.either import beside, hosts
from vr180_ofx.imaging.half import half
from vr180_ofx.matte.paste import paste
from vr180_ofx.matte.refine import refine
from vr180_ofx.media.contract import Clip, SourceFrame
from vr180_ofx.media.open import open_clip
from vr180_ofx.settings import Settings
from vr180_ofx.vr180.layout import LEFT
from vr180_ofx.vr180.window import Window

#: Alphas may differ by so much in the mean from those that the CPU makes: half a step of 8 bits. OpenCV rounds 8-bit pictures between their
#: pixels, which makes up to half a step of colour, and a third of this; a broken kernel is far above.
MOST_DIFFERENCE = 0.5 / 255


@dataclass(frozen=True, slots=True)
class Card:
    """A CUDA device, as PyTorch and its driver describe it. capability: of computing, (9, 0) of an H100. driver: empty when nobody says."""

    name: str
    memory_gib: float
    free_gib: float
    capability: tuple[int, int]
    bfloat16: bool
    driver: str

    def describe(self) -> str:
        parts = [
            f"{self.name}, {self.memory_gib:.0f} GiB ({self.free_gib:.0f} free)",
            f"compute capability {self.capability[0]}.{self.capability[1]}",
            "bfloat16" if self.bfloat16 else "no bfloat16: networks compute in float16",
        ]
        return ", ".join(parts + ([f"driver {self.driver}"] if self.driver else []))


def card(device: str) -> Card:
    """device: a CUDA device with its number."""
    import torch

    free, total = torch.cuda.mem_get_info(device)
    return Card(
        torch.cuda.get_device_name(device), total / 2**30, free / 2**30, torch.cuda.get_device_capability(device),
        torch.cuda.is_bf16_supported(), _driver(),
    )  # fmt: skip


def _driver() -> str:
    program = shutil.which("nvidia-smi")
    if program is None:
        return ""
    try:
        asked = subprocess.run(
            [program, "--query-gpu=driver_version", "--format=csv,noheader"], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return asked.stdout.partition("\n")[0].strip()


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a trial. difference: of alphas from the CPU's, in the mean, 0..1. decoded: frames came from the card's own decoder.
    ms: milliseconds of a frame after the first one, without networks.
    """

    difference: float
    decoded: bool
    ms: float

    @property
    def ok(self) -> bool:
        # not so when it is NaN, too
        return self.difference <= MOST_DIFFERENCE

    def describe(self) -> str:
        how = "decoded by the card" if self.decoded else "decoded by the CPU, sent to the card"
        if self.ok:
            return f"right: {how}, a matte refined and pasted there in {self.ms:.0f} ms a frame"
        return (
            f"WRONG: {how}, mattes differ from the CPU's by {self.difference:.2g} in the mean. Update the driver and PyTorch; until then "
            "use hardware.device=cpu"
        )


def trial(path: Path, device: str) -> Trial:
    """A frame of a clip decoded, seen through a window, an ellipse refined in it, and its matte brought down: on a device, and by NumPy.

    Raises what PyTorch, the driver and FFmpeg raise.
    """
    with open_clip(path, Settings()) as clip:
        wanted = _matte(clip, clip.frame(0))
        reader = clip.reopen(device=device)
        own = lane(device)
        try:
            with own.work():
                frame = reader.frame(0)
                found = _matte(clip, frame)
                begin = time.perf_counter()
                _matte(clip, frame)
                ms = 1000 * (time.perf_counter() - begin)
                own.finish()
            # image sequences have no decoder on a card
            decoded = bool(getattr(reader.source, "on_card", False))
        finally:
            reader.close()
    return Trial(float(np.abs(found - wanted).mean()), decoded, ms)


def _matte(clip: Clip, frame: SourceFrame) -> FloatArray:
    """The alpha of an upright ellipse in the middle of the left eye, or the only one, with the picture's edges, on the host."""
    eye = frame.eyes.get(LEFT) or next(iter(frame.eyes.values()))
    projection = clip.projection.resized(eye.width, eye.height)
    window = Window((0.0, 0.0, 1.0), 60.0, size=256)
    sample = eye.sample(window.grid(projection, like=eye.like))
    y, x = np.mgrid[:256, :256].astype(np.float32) + np.float32(0.5)
    inside = 1 - np.hypot((x - 128) / 50, (y - 128) / 90)
    mask: Any = beside(np.clip(inside * 8 + 0.5, 0, 1).astype(np.float32), sample.guide)
    patch = paste(refine(REFINERS["guided"](), sample.guide, mask), mask, window, eye, projection)
    assert patch is not None
    (alpha,) = hosts(half(patch.alpha))
    return np.asarray(alpha, np.float32)
