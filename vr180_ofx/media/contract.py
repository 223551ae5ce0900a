"""What a clip is: its source, how its frames are divided and projected, and what stages see of an eye."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

from vr180_ofx.arrays import Array, FloatArray, shapes_repr
from vr180_ofx.imaging.either import host
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.settings import Settings
from vr180_ofx.timecode import Timecode
from vr180_ofx.vr180.epipolar import INTEROCULAR_M
from vr180_ofx.vr180.layout import Layout
from vr180_ofx.vr180.projection import Projection, make_projection
from vr180_ofx.wording import as_utf8

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Geometry:
    """How frames are divided and projected, the reasons in words, and what somebody should know about it."""

    layout: Layout
    projection_name: str
    fov_degrees: float | None
    reasons: tuple[str, ...]
    interocular_m: float = INTEROCULAR_M
    notes: tuple[str, ...] = ()

    def projection(self) -> Projection:
        width, height = self.layout.eye_size
        return make_projection(self.projection_name, width, height, self.fov_degrees)


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What a file's metadata says: layout, projection and field of view, None where it is silent. notes: what is wrong with it."""

    layout: str | None = None
    projection: str | None = None
    fov_degrees: float | None = None
    swap: bool = False
    interocular_m: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """A window's pixels.

    rgb: (h, w, 3) sRGB 0..1 float32, for networks. guide: (h, w, 3) luma 0..1 and two colour differences -0.5..0.5 in the
    file's own encoding, which is what it costs nothing to have at full resolution.
    """

    rgb: FloatArray
    guide: FloatArray

    def __post_init__(self) -> None:
        if self.rgb.ndim != 3 or self.rgb.shape[2] != 3 or self.guide.shape != self.rgb.shape:
            raise ValueError(f"rgb of shape {self.rgb.shape} and guide of {self.guide.shape}; both are (h, w, 3) of one window")

    def __repr__(self) -> str:
        return shapes_repr(self)


@dataclass(frozen=True, slots=True)
class Guide:
    """Luma at full resolution, colour differences at the resolution they are stored in.

    luma: (h, w) float32, 0..1. chroma: (h', w', 2) float32, -0.5..0.5.
    matrix: (2, 3), from pixel indices of ``luma`` to pixel indices of ``chroma``; all 0 where there is no colour.
    """

    luma: FloatArray
    chroma: FloatArray
    matrix: FloatArray

    def __post_init__(self) -> None:
        if self.luma.ndim != 2 or self.chroma.ndim != 3 or self.chroma.shape[2] != 2 or self.matrix.shape != (2, 3):
            shapes = self.luma.shape, self.chroma.shape, self.matrix.shape
            raise ValueError(f"luma, chroma and matrix have the shapes {shapes}; they are (h, w), (h', w', 2) and (2, 3)")

    def __repr__(self) -> str:
        return shapes_repr(self)


@dataclass(frozen=True, slots=True)
class ColourTags:
    """What a clip says of its colour, or what was assumed. Names as in the tables of `media.colour`.

    colorspace: an OpenColorIO colour space name that overrides transfer and primaries, or None. interop_id, chromaticities: what the
    attributes ``colorInteropID`` and ``chromaticities`` (x and y of red, green, blue and white) of EXR files say; empty where they are
    silent.
    """

    matrix: str = "bt709"
    full_range: bool = False
    transfer: str = "bt709"
    primaries: str = "bt709"
    colorspace: str | None = None
    assumed: tuple[str, ...] = ()
    interop_id: str = ""
    chromaticities: tuple[float, ...] = ()

    def describe(self) -> str:
        parts = [
            f"matrix {self.matrix}",
            f"{'full' if self.full_range else 'limited'} range",
            f"transfer {self.transfer}",
            f"primaries {self.primaries}",
        ]
        if self.colorspace:
            parts = [*parts[:2], f"colour space {self.colorspace}"]
        if self.interop_id:
            parts.append(f"colorInteropID {self.interop_id}")
        return ", ".join(parts) + (f" (assumed: {', '.join(self.assumed)})" if self.assumed else "")


class EyeImage(Protocol):
    """What the stages see of one eye of one frame."""

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...

    @property
    def tags(self) -> ColourTags:
        """What is known of the encoding of `native`."""
        ...

    @property
    def like(self) -> Array:
        """Some of its pixels: NumPy's, or a tensor on a device. What is made of them is of this kind, see `imaging.either`."""
        ...

    def moved(self, move: Callable[[Array], Any]) -> EyeImage:
        """The same picture, with what ``move`` gives for each of its arrays."""
        ...

    def sample(self, grid: FloatArray, rough: FloatArray | None = None) -> Sample:
        """grid: (h, w, 2) continuous pixels, NaN outside. Minifying is anti-aliased; outside the picture is black.

        rough: some of the places, NumPy's, (r, r, 2), in even steps from corner to corner of the grid; with it nothing waits for a
        graphics card, see `vr180.window.Window.rough_grid`.
        """
        ...

    def region(self, rect: Rect, shrink: int = 1) -> FloatArray:
        """The pixels of ``rect`` as (h, w, 3) sRGB 0..1 float32; ``shrink`` averages blocks of so many pixels."""
        ...

    def reduced(self, factor: int) -> EyeImage:
        """The whole eye, averaged in blocks of ``factor`` pixels, as an image of its own that holds no other memory."""
        ...

    def native(self, rect: Rect) -> FloatArray:
        """The pixels of ``rect`` as RGB in the file's own encoding, (h, w, 3) float32: for outputs that carry colour."""
        ...

    def guide(self, rect: Rect) -> Guide:
        """What edges are refined by at full resolution, in the same units as ``Sample.guide``."""
        ...


@dataclass(frozen=True, slots=True)
class SourceFrame:
    """A decoded frame: its number, when it is shown, and its eyes.

    index: position in presentation order, 0-based. time_s: presentation time in seconds.
    """

    index: int
    time_s: float
    eyes: dict[str, EyeImage]


class Source(Protocol):
    """A reader of one kind of file. Frames are 0-based and in presentation order."""

    path: Path
    name: str
    fps: Fraction

    def __len__(self) -> int:
        """The number of frames."""
        ...

    def read(self, n: int) -> SourceFrame:
        """Raises FrameError when this frame cannot be decoded, IndexError when there is no such frame."""
        ...

    def check(self, n: int) -> None:
        """Raises ClipChangedError when the files of frame ``n`` are no longer those that were opened."""
        ...

    def changed(self) -> bool:
        """Whether any of the files is no longer what was opened."""
        ...

    def time_s(self, n: int) -> float:
        """When frame ``n`` is shown, in seconds."""
        ...

    def lost(self) -> int:
        """Frames at the end that the header promises and the file no longer holds."""
        ...

    def notes(self) -> tuple[str, ...]:
        """What somebody should know who uses what is made of this source: what is not as its pictures seem, or could not be read."""
        ...

    @property
    def first_number(self) -> int:
        """See `Clip.first_number`."""
        ...

    @property
    def timecode(self) -> Timecode | None:
        """See `Clip.timecode`."""
        ...

    def fingerprint(self) -> str:
        """A hash of what the files hold; equal for a copy elsewhere."""
        ...

    def files(self) -> list[Path]:
        """The files that frames are read from."""
        ...

    def describe(self) -> dict[str, Any]:
        """Facts for people and for JSON."""
        ...

    def reopen(self, threads: int, *, fast: bool = False, gpu: bool = False, device: str | None = None) -> Source:
        """The same source with a decoder of its own. threads: of the decoder, 0 for one per core.

        fast: good enough for analysis. gpu: decode with the graphics card where it can. device: where pictures are put, as PyTorch names
        it; None: they are NumPy's arrays.
        """
        ...

    def close(self) -> None:
        """Lets the decoder go."""
        ...


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
        """What output files are called after; valid UTF-8 whatever the file is called."""
        return as_utf8(self.source.name).rstrip("._- ") or "clip"

    @property
    def fps(self) -> Fraction:
        return self.source.fps

    @property
    def first_number(self) -> int:
        """The number that hosts give to the first frame: an image sequence's first file has it in its name, videos count from 1."""
        return self.source.first_number

    @property
    def timecode(self) -> Timecode | None:
        """The first frame's timecode, as the file's header or its timecode track has it; None where there is none."""
        return self.source.timecode

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
        return {view: host(eye.region(Rect(0, 0, eye.width, eye.height))) for view, eye in frame.eyes.items()}

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
    def notes(self) -> tuple[str, ...]:
        """What somebody should know who uses what is made of this clip."""
        return (*self.geometry.notes, *self.source.notes())

    @property
    def fingerprint(self) -> str:
        """A hash of what the clip holds and how it is read; equal for a copy of the file elsewhere."""
        if self._fingerprint is None:
            g = self.geometry
            how = (g.layout.name, g.layout.swap_eyes, g.projection_name, g.fov_degrees, self.settings.input.colorspace)
            text = f"{self.source.fingerprint()}|{how}"
            self._fingerprint = hashlib.sha256(text.encode()).hexdigest()[:24]
        return self._fingerprint

    def reopen(self, threads: int | None = None, *, fast: bool = False, device: str | None = None) -> Clip:
        """The same clip with a decoder of its own, for another thread.

        threads: of the decoder, by default what the settings say. fast: good enough for analysis. device: where frames are put, as PyTorch
        names it, see `weights.device.Machine.pictures`; None: they are NumPy's arrays.
        """
        count = self.settings.hardware.threads if threads is None else threads
        gpu = self.settings.hardware.decodes_on_gpu(device)
        return Clip(self.source.reopen(count, fast=fast, gpu=gpu, device=device), self.geometry, self.settings, self._fingerprint)

    def describe(self) -> dict[str, Any]:
        """Facts for people and for JSON."""
        width, height = self.eye_size
        return {
            "path": str(self.path),
            "frames": len(self),
            "fps": float(self.fps),
            "timecode": None if self.timecode is None else str(self.timecode),
            "duration_s": round(len(self) / float(self.fps), 3),
            "views": list(self.views),
            "eye_size": [width, height],
            "layout": self.geometry.layout.name,
            "projection": self.geometry.projection_name,
            "fov_degrees": self.geometry.fov_degrees,
            "decided": list(self.geometry.reasons),
            "warnings": list(self.notes),
            "lost_frames": self.lost,
            **self.source.describe(),
        }

    def close(self) -> None:
        self.source.close()
