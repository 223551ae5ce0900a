"""Image sequences by OpenImageIO: EXR (multi-part, multi-view), DPX, TIFF, PNG, JPEG; one file per view or both eyes in one."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from vr180_ofx.arrays import Array
from vr180_ofx.errors import ClipChangedError, FrameError, FrameIndexError, MediaError
from vr180_ofx.media.colour import display_transform, with_colorspace
from vr180_ofx.media.contract import Clip, ColourTags, EyeImage, Geometry, Source, SourceFrame, StreamFacts
from vr180_ofx.media.files import file_identity, picture_limit
from vr180_ofx.media.geometry import decide_geometry
from vr180_ofx.media.images import ImageViews, read_views
from vr180_ofx.media.naming import facts_from_name, number_token
from vr180_ofx.media.on_device import on_device
from vr180_ofx.media.pattern import SequencePattern
from vr180_ofx.media.picture import RgbEye
from vr180_ofx.settings import Settings
from vr180_ofx.timecode import Timecode
from vr180_ofx.vr180.layout import LEFT, RIGHT, Layout

DEFAULT_RATE = Fraction(24)


@dataclass(frozen=True, slots=True)
class FirstImage:
    """What a sequence's first file says, and all others must be like.

    size: (width, height) of each file's picture. separate: whether each view has pictures of its own. timecode: its header's bits.
    """

    size: tuple[int, int]
    separate: bool
    tags: ColourTags
    codec: str
    notes: tuple[str, ...]
    timecode: int | None = None

    @staticmethod
    def of(path: Path, image: ImageViews, *, separate: bool) -> FirstImage:
        """Raises MediaError for views that are no pair of eyes."""
        if len(image.views) > 1 and not {LEFT, RIGHT} <= set(image.views):
            raise MediaError(f"{path} has the views {', '.join(sorted(image.views))}; a stereo picture has {LEFT} and {RIGHT}")
        height, width = next(iter(image.views.values())).shape[:2]
        return FirstImage((width, height), separate, image.tags, path.suffix[1:].lower(), image.notes, image.timecode)


class SequenceSource:
    """Frames of an image sequence, numbered from 0 whatever the files' numbers are."""

    def __init__(
        self, sequence: SequencePattern, geometry: Geometry, first: FirstImage, colorspace: str, fps: Fraction, *, limit: int,
        device: str | None = None,
    ) -> None:  # fmt: skip
        """first: what all frames must be like. limit: bytes that a picture may take, see `picture_limit`. device: see `on_device`."""
        self.path = sequence.pattern
        self.name = sequence.name
        self._sequence = sequence
        self._numbers = sorted(sequence.frames)
        self._geometry = geometry
        self._first = first
        self._limit = limit
        self._colorspace = colorspace
        self.fps = fps
        self._device = device
        self._identities = {n: [file_identity(p) for p in files.values()] for n, files in sequence.frames.items()}

    @staticmethod
    def open(sequence: SequencePattern, settings: Settings) -> Clip:
        """Reads the first frame's headers and decides how its pictures are laid out."""
        number = min(sequence.frames)
        files = sequence.frames[number]
        limit = picture_limit(settings)
        path = next(iter(files.values()))
        image = read_views(path, limit)
        first = FirstImage.of(path, image, separate=len(files) > 1 or len(image.views) > 1)
        width, height = first.size
        stem = sequence.pattern.stem
        facts = StreamFacts(projection=image.projection if image.projection in ("equirect180", "fisheye", "flat") else None)
        if first.separate:
            # each view is a picture of its own: the same decision as for two eyes side by side
            geometry = decide_geometry(2 * width, height, StreamFacts("sbs", facts.projection), facts_from_name(stem), _with_sbs(settings))
            reasons = (f"layout: each view has pictures of its own ({width}x{height})", *geometry.reasons[1:])
            geometry = Geometry(
                Layout("sbs", 2 * width, height, settings.input.swap_eyes),
                geometry.projection_name,
                geometry.fov_degrees,
                reasons,
                geometry.interocular_m,
                geometry.notes,
            )
        else:
            # the number of a frame is no tag
            words = stem if number_token(stem) else re.sub(r"\.[0-9]+$", "", stem)
            geometry = decide_geometry(width, height, facts, facts_from_name(words), settings)
        colorspace = settings.input.colorspace
        with_colorspace(ColourTags(), colorspace)
        fps = Fraction(settings.input.frame_rate).limit_denominator(1001) if settings.input.frame_rate else image.fps or DEFAULT_RATE
        return Clip(SequenceSource(sequence, geometry, first, colorspace, fps, limit=limit), geometry, settings)

    def __len__(self) -> int:
        return len(self._numbers)

    def read(self, n: int) -> SourceFrame:
        if not 0 <= n < len(self._numbers):
            raise FrameIndexError(n, len(self._numbers))
        number = self._numbers[n]
        files = self._sequence.frames[number]
        width, height = self._geometry.layout.eye_size
        pictures: dict[str, Array] = {}
        tags = ColourTags(matrix="rgb", full_range=True, transfer="srgb")
        for k, (view, path) in enumerate(files.items()):
            try:
                if file_identity(path) != self._identities[number][k]:
                    raise ClipChangedError(path)
                image = read_views(path, self._limit, self._first.size)
            except FileNotFoundError:
                raise FrameError(self.path, n, f"{path} is gone") from None
            except ClipChangedError:
                raise
            except MediaError as error:
                raise FrameError(self.path, n, str(error)) from None
            tags = image.tags
            pictures |= {view: next(iter(image.views.values()))} if view else image.views
        tags = with_colorspace(tags, self._colorspace)
        transform = display_transform(tags)
        eyes: dict[str, EyeImage] = {}
        for view in self._geometry.layout.views:
            if self._first.separate:
                source = view if not self._geometry.layout.swap_eyes else {LEFT: RIGHT, RIGHT: LEFT}[view]
                if source not in pictures:
                    raise FrameError(self.path, n, f"it has no view {source}; it has {', '.join(sorted(pictures))}")
                pixels, origin = pictures[source], (0, 0)
            else:
                pixels, origin = next(iter(pictures.values())), self._geometry.layout.origin(view)
            eyes[view] = RgbEye(pixels, origin, width, height, transform, tags)
        return on_device(SourceFrame(n, self.time_s(n), eyes), self._device)

    def check(self, n: int) -> None:
        number = self._numbers[n]
        for path, identity in zip(self._sequence.frames[number].values(), self._identities[number], strict=True):
            try:
                if file_identity(path) != identity:
                    raise ClipChangedError(path)
            except FileNotFoundError:
                raise FrameError(self.path, n, f"{path} is gone") from None

    def changed(self) -> bool:
        try:
            for n in range(len(self)):
                self.check(n)
        except MediaError:
            return True
        return False

    def time_s(self, n: int) -> float:
        return float(n / self.fps)

    def lost(self) -> int:
        return 0

    def notes(self) -> tuple[str, ...]:
        return self._first.notes

    @property
    def first_number(self) -> int:
        return self._numbers[0]

    @property
    def timecode(self) -> Timecode | None:
        if self._first.timecode is None:
            return None
        try:
            return Timecode.of_header(self._first.timecode, self.fps)
        except ValueError:
            # digits that no clock shows: the header was never filled in
            return None

    def fingerprint(self) -> str:
        digest = hashlib.sha256()
        for number in self._numbers:
            # as they were when the clip was opened, which is what `read` insists on
            for (view, path), (size, mtime) in zip(self._sequence.frames[number].items(), self._identities[number], strict=True):
                digest.update(f"{number}|{view}|{path.name}|{size}|{mtime}".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def files(self) -> list[Path]:
        return [path for files in self._sequence.frames.values() for path in files.values()]

    def describe(self) -> dict[str, Any]:
        return {
            "container": "image sequence",
            "codec": self._first.codec,
            "numbers": [self._numbers[0], self._numbers[-1]],
            "audio": [],
            "colour": with_colorspace(self._first.tags, self._colorspace).describe(),
            "variable_rate": False,
        }

    def reopen(self, threads: int, *, fast: bool = False, gpu: bool = False, device: str | None = None) -> Source:
        return SequenceSource(
            self._sequence, self._geometry, self._first, self._colorspace, self.fps, limit=self._limit, device=device
        )  # fmt: skip

    def close(self) -> None:
        pass


def _with_sbs(settings: Settings) -> Settings:
    return Settings.from_values(settings.model_dump(mode="json"), ["input.layout=sbs"])
