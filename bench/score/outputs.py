"""What a method wrote for a scene: EXR frames of this program, or images of any other one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.errors import MediaError
from vr180_ofx.imaging.encode import read_image
from vr180_ofx.media.files import check_file
from vr180_ofx.quality.truth import Mattes, find_prediction, first_by_numbers
from vr180_ofx.vr180.layout import Layout

_IMAGES = (".png", ".tif", ".tiff", ".exr", ".jpg", ".jpeg")
#: As matting benchmarks call a folder of alphas.
_ALPHAS = "pha"


@dataclass(frozen=True, slots=True)
class Images:
    """Numbered images of mattes; see `vr180_ofx.quality.truth.Mattes`.

    layers: name ('' for everybody) -> view -> number -> file; a view called '' holds whole frames, laid out like the clip.
    """

    layout: Layout
    layers: dict[str, dict[str, dict[int, Path]]]

    @property
    def files(self) -> dict[int, list[Path]]:
        """Number -> the files of its frame."""
        out: dict[int, list[Path]] = {}
        for views in self.layers.values():
            for files in views.values():
                for number, path in files.items():
                    out.setdefault(number, []).append(path)
        return dict(sorted(out.items()))

    @property
    def eye(self) -> str | None:
        """The only eye that there is."""
        there = {view for views in self.layers.values() for view in views}
        return there.pop() if len(there) == 1 and "" not in there else None

    def read(self, number: int) -> dict[str, dict[str, FloatArray]]:
        """view -> layer -> alpha (h, w), 0..1. Everybody is the sum of the layers where no file says it."""
        out: dict[str, dict[str, FloatArray]] = {view: {} for view in self.layout.views if self.eye in (None, view)}
        for name, views in self.layers.items():
            for view, files in views.items():
                if number not in files:
                    continue
                alpha = _alpha(files[number])
                for v, part in {view: alpha}.items() if view else self._in_eyes(alpha, files[number]).items():
                    out[v][name] = part
        for layers in out.values():
            if "" not in layers and layers:
                layers[""] = np.clip(np.sum(list(layers.values()), axis=0), 0, 1).astype(np.float32)
        return out

    def first_number(self, count: int, of: str) -> tuple[int, str]:
        """See `Mattes`."""
        return first_by_numbers(list(self.files), count, of)

    def _in_eyes(self, picture: FloatArray, path: Path) -> dict[str, FloatArray]:
        height, width = picture.shape
        if (width, height) != (self.layout.width, self.layout.height):
            raise MediaError(
                f"{path} is {width}x{height}, and the clip {self.layout.width}x{self.layout.height}; whole frames are laid out like the "
                "clip, single eyes lie in folders called left and right"
            )
        w, h = self.layout.eye_size
        places = {view: self.layout.origin(view) for view in self.layout.views}
        return {view: picture[y : y + h, x : x + w] for view, (x, y) in places.items()}


@dataclass(frozen=True, slots=True)
class Whole:
    """A method's mattes of every frame of a scene: those that it did not write are empty, so that nothing is gained by leaving one out.

    See `Mattes`. count: frames of the scene. first: the number of its first one.
    """

    written: Mattes
    layout: Layout
    count: int
    first: int
    name: str = ""

    def __str__(self) -> str:
        return self.name or "nothing"

    @property
    def files(self) -> dict[int, list[Path]]:
        """All numbers of the scene."""
        return {n: self.written.files.get(n, []) for n in range(self.first, self.first + self.count)}

    @property
    def missing(self) -> list[int]:
        """Places in the clip, from 0, of frames that were not written."""
        return [n - self.first for n, files in self.files.items() if not files]

    @property
    def eye(self) -> str | None:
        """None: an eye that was not written counts as empty."""
        return None

    def read(self, number: int) -> dict[str, dict[str, FloatArray]]:
        """See `Mattes`."""
        read = self.written.read(number) if number in self.written.files else {}
        width, height = self.layout.eye_size
        return {v: read.get(v) or {"": np.zeros((height, width), np.float32)} for v in self.layout.views}

    def first_number(self, count: int, of: str) -> tuple[int, str]:
        """See `Mattes`."""
        return self.first, "as was found before"


class Nothing:
    """No file at all; see `Mattes`."""

    files: dict[int, list[Path]] = {}  # noqa: RUF012
    eye: str | None = None

    def read(self, number: int) -> dict[str, dict[str, FloatArray]]:
        """No view."""
        return {}

    def first_number(self, count: int, of: str) -> tuple[int, str]:
        """See `Mattes`."""
        return 0, "as nothing was written"


def open_output(folder: Path, layout: Layout, count: int) -> Whole:
    """A method's mattes of one scene of ``count`` frames.

    folder: holds EXR frames as this program writes them; or images of whole frames, laid out like the clip; or folders ``left`` and
    ``right`` with images of an eye each; and, if the method tells people apart, a folder of any other name for each of them, with the
    same inside. Images are grey, or have their alpha in the fourth channel; 8 or 16 bits, or floats. Raises MediaError.
    """
    if not folder.is_dir():
        raise MediaError(f"{folder} is not a folder; a method's mattes of a scene lie in a folder with the scene's name")
    if any(folder.glob("*.exr")) and not _numbered(folder / _ALPHAS):
        written: Mattes = find_prediction(folder)
    else:
        inside = sorted(p for p in folder.iterdir() if p.is_dir() and p.name not in (*layout.views, _ALPHAS))
        layers = {"": _layer(folder, layout), **{p.name: _layer(p, layout) for p in inside}}
        written = Images(layout, {name: views for name, views in layers.items() if views})
        if not written.files:
            raise MediaError(f"{folder} holds no mattes: EXR frames, images, or folders left and right with images are looked for")
    first, _ = written.first_number(count, f"the scene {folder.name}")
    return Whole(written, layout, count, first, str(folder))


def nothing(layout: Layout, count: int) -> Whole:
    """What a method has to show that wrote nothing."""
    return Whole(Nothing(), layout, count, 0)


def _layer(folder: Path, layout: Layout) -> dict[str, dict[int, Path]]:
    eyes = {view: _numbered(folder / view) for view in layout.views if (folder / view).is_dir()}
    if any(eyes.values()):
        return {view: files for view, files in eyes.items() if files}
    whole = _numbered(folder / _ALPHAS) or _numbered(folder)
    return {"": whole} if whole else {}


def _numbered(folder: Path) -> dict[int, Path]:
    """Number -> image; the last number of a name counts."""
    out: dict[int, Path] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        match = re.search(r"(\d+)\D*$", path.stem)
        if match is None or path.suffix.lower() not in _IMAGES or path.name.startswith("."):
            continue
        number = int(match.group(1))
        if number in out:
            raise MediaError(f"{out[number]} and {path.name} both are frame {number}; a folder holds one image of each frame")
        out[number] = path
    return out


def _alpha(path: Path) -> FloatArray:
    """(h, w) 0..1: an image's transparency where it has one; else grey, of which all channels are the same."""
    check_file(path)
    pixels = read_image(path)
    scale = 1 / float(np.iinfo(str(pixels.dtype)).max) if np.issubdtype(pixels.dtype, np.integer) else 1.0
    values = pixels if pixels.ndim == 2 else pixels[..., 3] if pixels.shape[2] == 4 else pixels[..., 0]
    alpha: FloatArray = np.ascontiguousarray(values, np.float32) * np.float32(scale)
    if not np.isfinite(alpha).all() or float(alpha.min()) < -0.01 or float(alpha.max()) > 1.01:
        raise MediaError(f"{path} holds alphas from {np.nanmin(alpha):.3g} to {np.nanmax(alpha):.3g}, or none; they are from 0 to 1")
    return alpha
