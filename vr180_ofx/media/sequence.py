"""Image sequences by OpenImageIO: EXR (multi-part, multi-view), DPX, TIFF, PNG, JPEG; one file per view or both eyes in one."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio

from vr180_ofx.arrays import Array, shapes_repr
from vr180_ofx.errors import ClipChangedError, FrameError, FrameIndexError, MediaError
from vr180_ofx.frame_ranges import ranges_text
from vr180_ofx.media.colour import ColourTags, display_transform, with_colorspace
from vr180_ofx.media.contract import Clip, EyeImage, Geometry, Source, SourceFrame, StreamFacts
from vr180_ofx.media.geometry import decide_geometry
from vr180_ofx.media.index import file_identity
from vr180_ofx.media.naming import IMAGE_ENDINGS, facts_from_name
from vr180_ofx.media.picture import RgbEye
from vr180_ofx.settings import Settings
from vr180_ofx.vr180.layout import LEFT, RIGHT, Layout

DEFAULT_RATE = Fraction(24)


@dataclass(frozen=True, slots=True)
class SequencePattern:
    """Files of a sequence. frames: number -> view ('' when one file holds all) -> path."""

    pattern: Path
    frames: dict[int, dict[str, Path]]


def find_sequence(path: Path) -> SequencePattern | None:
    """Understands ``name.%04d.exr``, ``name.####.exr``, ``%V``/``%v`` for the view, a folder, and a single image.

    None when ``path`` is not about images. Raises MediaError when nothing fits, or frames are missing.
    """
    text = path.name
    if path.is_dir():
        return _from_folder(path)
    if re.search(r"%0?\d*d|#+|%[vV]", str(path)):
        return _from_pattern(path)
    if path.suffix.lower() in IMAGE_ENDINGS:
        if not path.exists():
            raise MediaError(f"{path} does not exist")
        number = re.search(r"(\d+)\.[^.]+$", text)
        return SequencePattern(path, {int(number.group(1)) if number else 0: {"": path}})
    return None


def _from_folder(folder: Path) -> SequencePattern:
    """The one sequence in a folder; several are an error that names them."""
    groups: dict[str, list[Path]] = {}
    for f in sorted(folder.iterdir()):
        if f.suffix.lower() in IMAGE_ENDINGS and not f.name.startswith("."):
            groups.setdefault(re.sub(r"(\d+)(\.[^.]+)$", lambda m: f"%0{len(m.group(1))}d{m.group(2)}", f.name), []).append(f)
    patterns = sorted({re.sub(r"(^|[._-])(left|right)([._-]|$)", r"\1%V\3", g) for g in groups})
    if not patterns:
        raise MediaError(f"{folder} holds no images; name a video, or a folder or pattern of images such as plate.%04d.exr")
    if len(patterns) > 1:
        raise MediaError(f"{folder} holds several sequences: {', '.join(patterns[:6])}; name one of them")
    return _from_pattern(folder / patterns[0])


def _from_pattern(path: Path) -> SequencePattern:
    folder = path.parent
    if re.search(r"%[vV]", str(folder)):
        return _collect(path, [(v, Path(str(folder).replace("%V", v).replace("%v", v[0]))) for v in (LEFT, RIGHT)])
    views = [(LEFT, folder), (RIGHT, folder)] if re.search(r"%[vV]", path.name) else [("", folder)]
    return _collect(path, views)


def _collect(path: Path, folders: list[tuple[str, Path]]) -> SequencePattern:
    frames: dict[int, dict[str, Path]] = {}
    for view, folder in folders:
        name = path.name.replace("%V", view).replace("%v", view[:1])
        regex, width = _regex(name)
        if not folder.is_dir():
            raise MediaError(f"{folder} does not exist")
        for f in folder.iterdir():
            match = regex.fullmatch(f.name)
            if match is None:
                continue
            digits = match.group(1) if match.groups() else "0"
            if len(digits) < width or (len(digits) > width and digits[0] == "0"):
                continue
            frames.setdefault(int(digits), {})[view] = f
    if not frames:
        raise MediaError(f"no file fits {path}")
    wanted = {view for view, _ in folders}
    for number, files in sorted(frames.items()):
        if set(files) != wanted:
            lacking = ", ".join(sorted(wanted - set(files)))
            raise MediaError(f"frame {number} of {path} has no file for the view {lacking}")
    numbers = sorted(frames)
    missing = sorted(set(range(numbers[0], numbers[-1] + 1)) - set(numbers))
    if missing:
        raise MediaError(f"{path} has gaps: frames {ranges_text(missing)} are missing between {numbers[0]} and {numbers[-1]}")
    return SequencePattern(path, {n: frames[n] for n in numbers})


def _regex(name: str) -> tuple[re.Pattern[str], int]:
    match = re.search(r"%0?(\d*)d|(#+)", name)
    if match is None:
        return re.compile(re.escape(name)), 0
    width = int(match.group(1) or 1) if match.group(2) is None else len(match.group(2))
    return re.compile(re.escape(name[: match.start()]) + r"(\d+)" + re.escape(name[match.end() :])), width


class SequenceSource:
    """Frames of an image sequence, numbered from 0 whatever the files' numbers are."""

    def __init__(self, sequence: SequencePattern, geometry: Geometry, colorspace: str, fps: Fraction, *, separate: bool) -> None:
        """separate: whether each view has pictures of its own."""
        self.path = sequence.pattern
        self._sequence = sequence
        self._numbers = sorted(sequence.frames)
        self._geometry = geometry
        self._separate = separate
        self._colorspace = colorspace
        self.fps = fps
        self._identities = {n: [file_identity(p) for p in files.values()] for n, files in sequence.frames.items()}

    @staticmethod
    def open(sequence: SequencePattern, settings: Settings) -> Clip:
        """Reads the first frame's headers and decides how its pictures are laid out."""
        number = min(sequence.frames)
        files = sequence.frames[number]
        first = read_views(next(iter(files.values())))
        separate = len(files) > 1 or len(first.views) > 1
        height, width = next(iter(first.views.values())).shape[:2]
        stem = sequence.pattern.stem if not sequence.pattern.is_dir() else sequence.pattern.name
        facts = StreamFacts(projection=first.projection if first.projection in ("equirect180", "fisheye", "flat") else None)
        if separate:
            # each view is a picture of its own: the same decision as for two eyes side by side
            geometry = decide_geometry(2 * width, height, StreamFacts("sbs", facts.projection), facts_from_name(stem), _with_sbs(settings))
            reasons = (f"layout: each view has pictures of its own ({width}x{height})", *geometry.reasons[1:])
            geometry = Geometry(
                Layout("sbs", 2 * width, height, settings.input.swap_eyes), geometry.projection_name, geometry.fov_degrees, reasons
            )
        else:
            geometry = decide_geometry(width, height, facts, facts_from_name(re.sub(r"[%#.]0?\d*d?#*$", "", stem)), settings)
        with_colorspace(ColourTags(), settings.input.colorspace)
        fps = Fraction(settings.input.frame_rate).limit_denominator(1001) if settings.input.frame_rate else first.fps or DEFAULT_RATE
        return Clip(SequenceSource(sequence, geometry, settings.input.colorspace, fps, separate=separate), geometry, settings)

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
                image = read_views(path)
            except FileNotFoundError:
                raise FrameError(self.path, n, f"{path} is gone") from None
            except ClipChangedError:
                raise
            except MediaError as error:
                raise FrameError(self.path, n, str(error)) from None
            tags = image.tags
            if view:
                pictures[view] = next(iter(image.views.values()))
            else:
                pictures = image.views
        tags = with_colorspace(tags, self._colorspace)
        transform = display_transform(tags)
        eyes: dict[str, EyeImage] = {}
        for view in self._geometry.layout.views:
            if self._separate:
                source = view if not self._geometry.layout.swap_eyes else {LEFT: RIGHT, RIGHT: LEFT}[view]
                pixels, origin = pictures[source], (0, 0)
            else:
                pixels, origin = next(iter(pictures.values())), self._geometry.layout.origin(view)
            if pixels.shape[0] < origin[1] + height or pixels.shape[1] < origin[0] + width:
                raise FrameError(self.path, n, f"it is {pixels.shape[1]}x{pixels.shape[0]}, smaller than the first frame")
            eyes[view] = RgbEye(pixels, origin, width, height, transform)
        return SourceFrame(n, self.time_s(n), eyes)

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

    @property
    def first_number(self) -> int:
        return self._numbers[0]

    def fingerprint(self) -> str:
        digest = hashlib.sha256()
        for number in self._numbers:
            # as they were when the clip was opened, which is what `read` insists on
            for (view, path), (size, mtime) in zip(self._sequence.frames[number].items(), self._identities[number], strict=True):
                digest.update(f"{number}|{view}|{path.name}|{size}|{mtime}".encode())
        return digest.hexdigest()

    def files(self) -> list[Path]:
        return [path for files in self._sequence.frames.values() for path in files.values()]

    def describe(self) -> dict[str, Any]:
        path = next(iter(self._sequence.frames[self._numbers[0]].values()))
        image = read_views(path)
        tags = with_colorspace(image.tags, self._colorspace)
        return {
            "container": "image sequence",
            "codec": path.suffix[1:].lower(),
            "numbers": [self._numbers[0], self._numbers[-1]],
            "audio": [],
            "colour": tags.describe(),
            "variable_rate": False,
        }

    def reopen(self, threads: int, *, fast: bool = False, gpu: bool = False) -> Source:
        return SequenceSource(self._sequence, self._geometry, self._colorspace, self.fps, separate=self._separate)

    def close(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class ImageViews:
    """An image file: view -> (h, w, 3) pixels in the file's own type, and what its header says.

    fps: frames a second, None where the header is silent; so of ``projection``.
    """

    views: dict[str, Array]
    tags: ColourTags
    fps: Fraction | None
    projection: str | None

    def __repr__(self) -> str:
        return shapes_repr(self)


def read_views(path: Path) -> ImageViews:
    """Reads the colour of every view of an image, by parts (``view`` attribute) or by channel names (``right.R``)."""
    try:
        size = path.stat().st_size
    except PermissionError:
        raise MediaError(f"{path} cannot be read: permission denied") from None
    if size == 0:
        raise MediaError(f"{path} is empty (0 bytes)")
    source = oiio.ImageInput.open(str(path))
    if source is None:
        raise MediaError(f"{path} is not an image that can be read: {(oiio.geterror().strip() or 'unknown format').splitlines()[-1]}")
    try:
        views: dict[str, Array] = {}
        first = source.spec()
        names = list(first.getattribute("multiView") or [])
        part = 0
        while source.seek_subimage(part, 0):
            spec = source.spec()
            own = spec.getattribute("view")
            for view, picks in _colour_channels(list(spec.channelnames), names if own is None else [], own).items():
                if view in views:
                    continue
                low, high = min(picks), max(picks) + 1
                kind = str(spec.format)
                kind = kind if kind in ("uint8", "uint16", "half", "float") else "float"
                pixels = source.read_image(part, 0, low, high, kind)
                if pixels is None:
                    raise MediaError(f"{path} is damaged: {source.geterror().strip()}")
                pixels = np.asarray(pixels).reshape(spec.height, spec.width, high - low)[..., [p - low for p in picks]]
                views[view] = np.ascontiguousarray(_placed(pixels, spec))
            part += 1
        if not views:
            raise MediaError(f"{path} has no colour channels; it has {', '.join(first.channelnames)}")
        rate = first.getattribute("FramesPerSecond")
        fps = Fraction(*rate) if isinstance(rate, tuple) and len(rate) == 2 and rate[1] else None
        transfer = "linear" if path.suffix.lower() in (".exr", ".hdr") else "srgb"
        tags = ColourTags("rgb", True, transfer, "bt709", None, () if transfer == "linear" else ("transfer",))
        projection = first.getattribute("projection")
        return ImageViews(views, tags, fps, projection if isinstance(projection, str) else None)
    finally:
        source.close()


def _placed(pixels: Array, spec: Any) -> Array:
    """A data window smaller than the display window is put into place."""
    full_w, full_h = spec.full_width or spec.width, spec.full_height or spec.height
    dx, dy = spec.x - spec.full_x, spec.y - spec.full_y
    if (full_w, full_h, dx, dy) == (spec.width, spec.height, 0, 0):
        return pixels
    whole = np.zeros((full_h, full_w, pixels.shape[2]), pixels.dtype)
    x0, y0 = max(dx, 0), max(dy, 0)
    x1, y1 = min(dx + spec.width, full_w), min(dy + spec.height, full_h)
    if x1 > x0 and y1 > y0:
        whole[y0:y1, x0:x1] = pixels[y0 - dy : y1 - dy, x0 - dx : x1 - dx]
    return whole


def _colour_channels(channels: list[str], views: list[str], own: str | None) -> dict[str, list[int]]:
    """view -> positions of its R, G and B (or one grey channel thrice)."""
    out: dict[str, list[int]] = {}
    for k, view in enumerate(views or [own or LEFT]):
        prefixes = [f"{view}."] + ([""] if k == 0 else [])
        for prefix in prefixes:
            place = {c.lower(): i for i, c in enumerate(channels)}
            rgb = [place.get(f"{prefix}{c}".lower()) for c in "RGB"]
            if all(p is not None for p in rgb):
                out[view] = [int(p) for p in rgb if p is not None]
                break
            for grey in ("Y", "I", "A", "L", "channel0"):
                position = place.get(f"{prefix}{grey}".lower())
                if position is not None:
                    out[view] = [position] * 3
                    break
            if view in out:
                break
    return out


def _with_sbs(settings: Settings) -> Settings:
    return Settings.from_values(settings.model_dump(mode="json"), ["input.layout=sbs"])
