"""Folders of pictures with their alphas, as data sets of matting are laid out.

videomatte: fgr/CLIP/00000.jpg with pha/CLIP/00000.jpg (VideoMatte240K), or fgr/CLIP.mp4 with pha/CLIP.mp4. images: pictures, or
foregrounds, beside alphas of the same names (AIM, PPM, P3M, Distinctions, RefMatte). stills: the benchmark's own (`bench stills`).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vr180_ofx.arrays import Array
from vr180_ofx.errors import MediaError, SettingsError
from vr180_ofx.training.contract import Shape
from vr180_ofx.training.data.reading import VIDEOS, Video, grey, image, images_in, rgb
from vr180_ofx.training.data.windows import Layers, WindowOptions, WindowSource, options_of

#: What folders are called in the data sets that are known, the first that is there counts.
_PICTURES = ("picture", "merged", "original_image", "original", "image", "images", "img", "com", "im", "blurred_image")
_ALPHAS = ("alpha", "alphas", "pha", "mask", "masks", "matte", "gt")
_FOREGROUNDS = ("foreground", "fgr", "fg")
#: What data sets append to a picture's name for its alpha.
_ENDINGS = re.compile(r"[-_](alpha|mask|matte|pha|gt|fgr|fg)$", re.IGNORECASE)


@dataclass(slots=True)
class FolderItem:
    """Frames as files. See `windows.Item`. alphas and the others: as many; empty where there are none."""

    name: str
    alphas: list[Path]
    pictures: list[Path] = field(default_factory=list)
    foregrounds: list[Path] = field(default_factory=list)
    soft: bool = True

    @property
    def count(self) -> int:
        return len(self.alphas)

    def read(self, numbers: Sequence[int], least: int) -> Layers:
        alphas = [grey(image(self.alphas[n], least)) for n in numbers]
        pictures = [rgb(image(self.pictures[n], least)) for n in numbers] if self.pictures else None
        foregrounds = [rgb(image(self.foregrounds[n], least)) for n in numbers] if self.foregrounds else None
        for n, alpha, *others in zip(numbers, alphas, *(o for o in (pictures, foregrounds) if o), strict=True):
            same_size(self.alphas[n], alpha, others)
        return Layers(pictures, alphas, foregrounds)


@dataclass(slots=True)
class VideoItem:
    """A foreground and its alpha as videos. See `windows.Item`."""

    name: str
    foreground: Path
    alpha: Path
    soft: bool = True
    _opened: tuple[Video, Video] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def videos(self) -> tuple[Video, Video]:
        with self._lock:
            if self._opened is None:
                self._opened = Video(self.foreground), Video(self.alpha)
                a, b = (len(v) for v in self._opened)
                if a != b:
                    raise MediaError(f"{self.foreground} has {a} frames and {self.alpha} {b}; they must be alike")
            return self._opened

    @property
    def count(self) -> int:
        return len(self.videos[0])

    def read(self, numbers: Sequence[int], least: int) -> Layers:
        foreground, alpha = self.videos
        colours = [rgb(f) for f in foreground.frames(numbers, least)]
        alphas = [grey(a) for a in alpha.frames(numbers, least)]
        same_size(self.alpha, alphas[0], colours[:1])
        return Layers(None, alphas, colours)


def same_size(path: Path, alpha: Array, others: Sequence[Array]) -> None:
    """Raises MediaError where pictures are of another size than their alpha."""
    for other in others:
        if other.shape[:2] != alpha.shape:
            h, w = alpha.shape
            raise MediaError(
                f"{path} is {w}x{h}, and what belongs to it {other.shape[1]}x{other.shape[0]}; 'vr180-ofx train look' finds all such files"
            )


def videomatte(path: Path, options: Mapping[str, Any], shape: Shape) -> WindowSource:
    """See `contract.SourceMaker`."""
    how = options_of(WindowOptions, options, "videomatte")
    if not how.backgrounds:
        raise SettingsError("data (videomatte): clips are people before green screens; name backgrounds, a folder of pictures or videos")
    return WindowSource(clips_of(path), how, shape, str(path))


def clips_of(path: Path) -> list[FolderItem | VideoItem]:
    """The clips of a folder with fgr and pha. Raises MediaError."""
    alphas, foregrounds = _one_of(path, _ALPHAS), _one_of(path, _FOREGROUNDS)
    if alphas is None or foregrounds is None:
        raise MediaError(f"{path} has no folders fgr and pha, which hold clips as folders of frames, or as videos")
    items: list[FolderItem | VideoItem] = []
    for clip in sorted(d for d in alphas.iterdir() if d.is_dir()):
        of_alpha, of_colour = _by_stem(clip), _by_stem(foregrounds / clip.name)
        both = sorted(set(of_alpha) & set(of_colour))
        if both:
            items.append(FolderItem(clip.name, [of_alpha[n] for n in both], foregrounds=[of_colour[n] for n in both]))
    videos = {f.stem: f for f in sorted(foregrounds.iterdir()) if f.suffix.lower() in VIDEOS}
    items += [VideoItem(f.stem, videos[f.stem], f) for f in sorted(alphas.iterdir()) if f.suffix.lower() in VIDEOS and f.stem in videos]
    if not items:
        raise MediaError(f"{path} has no clip that is in both {foregrounds.name} and {alphas.name}")
    return items


def images(path: Path, options: Mapping[str, Any], shape: Shape) -> WindowSource:
    """See `contract.SourceMaker`."""
    return WindowSource(pictures_of(path), options_of(WindowOptions, options, "images"), shape, str(path))


def pictures_of(path: Path) -> list[FolderItem]:
    """The pictures of a folder that have alphas. Raises MediaError."""
    alphas = _one_of(path, _ALPHAS)
    pictures, foregrounds = _one_of(path, _PICTURES), _one_of(path, _FOREGROUNDS)
    if alphas is None or (pictures is None and foregrounds is None):
        raise MediaError(
            f"{path} has no folder of alphas ({', '.join(_ALPHAS)}) beside one of pictures ({', '.join(_PICTURES)}) or foregrounds "
            f"({', '.join(_FOREGROUNDS)})"
        )
    of_picture, of_colour = (_by_stem(f) if f is not None else {} for f in (pictures, foregrounds))
    items = []
    for name, alpha in _by_stem(alphas).items():
        picture, colour = of_picture.get(name), of_colour.get(name)
        if picture is not None or colour is not None:
            items.append(FolderItem(name, [alpha], [picture] if picture else [], [colour] if colour else []))
    if not items:
        raise MediaError(f"{alphas} has no alpha whose name is that of a picture")
    # one without would make batches that do not fit together
    for attribute in ("pictures", "foregrounds"):
        if not all(getattr(i, attribute) for i in items):
            for i in items:
                setattr(i, attribute, [])
    if not any(i.pictures or i.foregrounds for i in items):
        raise MediaError(f"{path}: some alphas have only a picture and others only a foreground; put them into folders of their own")
    return items


def _one_of(path: Path, names: Sequence[str]) -> Path | None:
    if not path.is_dir():
        raise MediaError(f"{path} is no folder")
    return next((path / n for n in names if (path / n).is_dir()), None)


def _by_stem(folder: Path) -> dict[str, Path]:
    return {_ENDINGS.sub("", f.stem): f for f in images_in(folder)} if folder.is_dir() else {}
