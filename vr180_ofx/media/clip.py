"""Opening a clip: which reader, which layout, which projection, and why."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from vr180_ofx.media.errors import MediaError
from vr180_ofx.media.naming import NameFacts, facts_from_name
from vr180_ofx.media.picture import FloatArray, SourceFrame
from vr180_ofx.settings import Settings
from vr180_ofx.vr180.epipolar import INTEROCULAR_M
from vr180_ofx.vr180.layout import Layout, LayoutName
from vr180_ofx.vr180.projection import Projection, make_projection
from vr180_ofx.vr180.window import Rect

log = logging.getLogger(__name__)
FINGERPRINT_BLOCK = 1 << 20
#: A stereo frame at least so many pixels wide per eye and square per eye is taken for VR180 when nothing says otherwise.
_SMALLEST_VR_EYE = 256


@dataclass(frozen=True, slots=True)
class Geometry:
    """How frames are divided and projected, and the reasons in words."""

    layout: Layout
    projection_name: str
    fov_degrees: float | None
    reasons: tuple[str, ...]
    interocular_m: float = INTEROCULAR_M

    def projection(self) -> Projection:
        width, height = self.layout.eye_size
        return make_projection(self.projection_name, width, height, self.fov_degrees)


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What a file's metadata says: layout, projection and field of view, None where it is silent."""

    layout: str | None = None
    projection: str | None = None
    fov_degrees: float | None = None
    swap: bool = False
    interocular_m: float | None = None


class Source(Protocol):
    """A reader of one kind of file. Frames are 0-based and in presentation order."""

    path: Path
    fps: Fraction

    def __len__(self) -> int: ...

    def read(self, n: int) -> SourceFrame: ...

    def check(self, n: int) -> None: ...

    def changed(self) -> bool: ...

    def time_s(self, n: int) -> float: ...

    def lost(self) -> int: ...

    def fingerprint(self) -> str: ...

    def describe(self) -> dict[str, Any]: ...

    def reopen(self, fast: bool, threads: int, gpu: bool = False) -> Source: ...

    def close(self) -> None: ...


@dataclass(slots=True)
class Clip:
    """A clip with exact random access.

    ``len(clip)`` is the number of frames, ``clip.fps`` the nominal rate, ``clip.views`` the eyes (left first).
    """

    source: Source
    geometry: Geometry
    settings: Settings
    _fingerprint: str | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.source)

    def __enter__(self) -> Clip:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def path(self) -> Path:
        return self.source.path

    @property
    def name(self) -> str:
        """What output files are called after."""
        stem = self.path.stem if not self.path.is_dir() else self.path.name
        return stem.split("%")[0].split("#")[0].rstrip("._- ") or "clip"

    @property
    def fps(self) -> Fraction:
        return self.source.fps

    @property
    def views(self) -> tuple[str, ...]:
        return self.geometry.layout.views

    @property
    def eye_size(self) -> tuple[int, int]:
        """(width, height) of one eye in pixels."""
        return self.geometry.layout.eye_size

    @property
    def projection(self) -> Projection:
        return self.geometry.projection()

    @property
    def interocular_m(self) -> float:
        """How far apart the cameras stood: what distances in metres are reckoned with."""
        return self.geometry.interocular_m

    def frame(self, n: int) -> SourceFrame:
        """Frame ``n`` as the stages see it: nothing is converted until it is asked for."""
        return self.source.read(n)

    def read(self, n: int) -> dict[str, FloatArray]:
        """Frame ``n`` as whole pictures: view name -> (height, width, 3) float32, display-referred sRGB 0..1."""
        frame = self.source.read(n)
        return {view: eye.region(Rect(0, 0, eye.width, eye.height)) for view, eye in frame.eyes.items()}

    def check(self, n: int) -> None:
        """Raises ClipChangedError when the files of frame ``n`` are no longer those that were opened."""
        self.source.check(n)

    def changed(self) -> bool:
        """Whether any of the files is no longer what was opened."""
        return self.source.changed()

    def time_s(self, n: int) -> float:
        """When frame ``n`` is shown, in seconds."""
        return self.source.time_s(n)

    @property
    def lost(self) -> int:
        """Frames at the end that the header promises and the file no longer holds."""
        return self.source.lost()

    @property
    def fingerprint(self) -> str:
        """A hash of what the clip holds and how it is read; equal for a copy of the file elsewhere."""
        if self._fingerprint is None:
            g = self.geometry
            how = (g.layout.name, g.layout.swap_eyes, g.projection_name, g.fov_degrees, self.settings.input.colorspace)
            text = f"{self.source.fingerprint()}|{how}"
            self._fingerprint = hashlib.sha256(text.encode()).hexdigest()[:24]
        return self._fingerprint

    def reopen(self, fast: bool = False, threads: int | None = None) -> Clip:
        """The same clip with a decoder of its own, for another thread. fast: good enough for analysis."""
        count = self.settings.hardware.threads if threads is None else threads
        gpu = self.settings.hardware.decoder == "gpu"
        return Clip(self.source.reopen(fast, count, gpu), self.geometry, self.settings, self._fingerprint)

    def describe(self) -> dict[str, Any]:
        """Facts for people and for JSON."""
        width, height = self.eye_size
        return {
            "path": str(self.path),
            "frames": len(self),
            "fps": float(self.fps),
            "duration_s": round(len(self) / float(self.fps), 3),
            "views": list(self.views),
            "eye_size": [width, height],
            "layout": self.geometry.layout.name,
            "projection": self.geometry.projection_name,
            "fov_degrees": self.geometry.fov_degrees,
            "decided": list(self.geometry.reasons),
            **self.source.describe(),
        }

    def close(self) -> None:
        self.source.close()


def open_clip(path: str | Path, settings: Settings | None = None) -> Clip:
    """Opens a video file, an image sequence (``plate.%04d.exr``, ``plate.####.exr``, a folder) or one image.

    Raises MediaError with a message for people when it cannot be read.
    """
    from vr180_ofx.media.sequence import SequenceSource, find_sequence
    from vr180_ofx.media.video_source import VideoSource

    settings = settings or Settings()
    path = Path(path)
    sequence = find_sequence(path)
    if sequence is not None:
        return SequenceSource.open(sequence, settings)
    return VideoSource.open(path, settings)


def decide_geometry(width: int, height: int, facts: StreamFacts, name: NameFacts, settings: Settings) -> Geometry:
    """Layout and projection: settings first, then metadata, then the file's name, then the shape of the frame."""
    asked = settings.input
    reasons = []
    swap = asked.swap_eyes
    aspect = width / height
    if asked.layout != "auto":
        layout = asked.layout
        reasons.append(f"layout {layout}: as set")
    elif facts.layout:
        layout, swap = facts.layout, swap != facts.swap  # type: ignore[assignment]
        reasons.append(f"layout {layout}: the file's stereo metadata says so")
    elif name.layout:
        layout, swap = name.layout, swap != name.swap  # type: ignore[assignment]
        reasons.append(f"layout {layout}: the file name says so ({', '.join(name.tags)})")
    elif (asked.projection != "flat") and width // 2 >= _SMALLEST_VR_EYE and abs(aspect - 2) < 0.02:
        layout = "sbs"
        reasons.append(f"layout sbs: {width}x{height} is two square eyes side by side")
    elif (asked.projection != "flat") and height // 2 >= _SMALLEST_VR_EYE and abs(aspect - 0.5) < 0.005:
        layout = "tb"
        reasons.append(f"layout tb: {width}x{height} is two square eyes one above the other")
    else:
        layout = "mono"
        reasons.append(f"layout mono: {width}x{height} is not the shape of two square eyes")
    frame_layout = Layout(_layout_name(layout), width, height, swap)
    eye_width, eye_height = frame_layout.eye_size
    fov = asked.fov_degrees
    if asked.projection != "auto":
        projection = asked.projection
        fov = fov or (name.fov_degrees if name.projection == projection else None) or facts.fov_degrees
        reasons.append(f"projection {projection}: as set")
    elif facts.projection:
        projection, fov = facts.projection, fov or facts.fov_degrees  # type: ignore[assignment]
        reasons.append(f"projection {projection}: the file's spherical metadata says so")
    elif name.projection:
        projection, fov = name.projection, fov or name.fov_degrees  # type: ignore[assignment]
        reasons.append(f"projection {projection}: the file name says so ({', '.join(name.tags)})")
    elif abs(eye_width / eye_height - 1) < 0.02 and layout != "mono":
        projection = "equirect180"
        reasons.append(f"projection equirect180: each eye is square ({eye_width}x{eye_height})")
    else:
        projection = "flat"
        reasons.append(f"projection flat: one eye is {eye_width}x{eye_height}")
    if projection == "flat" and fov is not None and fov >= 170:
        raise MediaError(f"input.fov_degrees is {fov:g}; a flat picture has less than 170")
    interocular = asked.interocular_m or facts.interocular_m or INTEROCULAR_M
    return Geometry(frame_layout, projection, fov, tuple(reasons), interocular)


def _layout_name(text: str) -> LayoutName:
    if text in ("sbs", "tb", "mono"):
        return text  # type: ignore[return-value]
    raise ValueError(f"layout is {text!r}; allowed are sbs, tb, mono")


def file_fingerprint(path: Path) -> str:
    """A hash of a file's size and of its beginning, middle and end: enough to tell one recording from another."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        size = stream.seek(0, 2)
        digest.update(str(size).encode())
        for start in sorted({0, max(0, size // 2 - FINGERPRINT_BLOCK // 2), max(0, size - FINGERPRINT_BLOCK)}):
            stream.seek(start)
            digest.update(stream.read(FINGERPRINT_BLOCK))
    return digest.hexdigest()


def array_digest(*arrays: np.ndarray[Any, Any]) -> str:
    """A short hash of arrays' contents."""
    digest = hashlib.sha256()
    for a in arrays:
        digest.update(np.ascontiguousarray(a).tobytes())
    return digest.hexdigest()[:16]


__all__ = ["Clip", "Geometry", "Source", "StreamFacts", "decide_geometry", "facts_from_name", "file_fingerprint", "open_clip"]
