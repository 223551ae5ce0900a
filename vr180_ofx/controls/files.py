"""Input mattes that are pictures: which file a frame has, what it holds, and what names what it holds."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.errors import InputMatteError, MediaError
from vr180_ofx.imaging.resize import resize
from vr180_ofx.media.files import file_identity
from vr180_ofx.media.layers import read_layer
from vr180_ofx.media.naming import number_token
from vr180_ofx.media.pattern import file_of, has_views, numbers_of
from vr180_ofx.people.mattes_file import ImageInput, InputMatte
from vr180_ofx.vr180.layout import Layout


def files_of(image: ImageInput, n: int, layout: Layout, frames: int, name: str) -> dict[str, Path]:
    """View -> the file of frame ``n``; '' where one file holds all views, or says itself which it is of. frames: of the clip. name: of the
    matte. Raises InputMatteError when it cannot be told which number frame ``n`` has.
    """
    path = Path(image.path)
    own = has_views(path)
    views = [image.view] if own and image.view is not None else list(layout.views) if own else [""]
    first = 0
    if number_token(path.name) is not None and not path.exists():
        first = image.first if image.first is not None else _lowest(image, n, views[0], frames, name)
    return {view: file_of(path, first + n, view) for view in views}


def _lowest(image: ImageInput, n: int, view: str, frames: int, name: str) -> int:
    """The number of the first file, where there is no doubt that it is that of the first frame. Raises InputMatteError."""
    path = Path(image.path)
    try:
        changed = path.parent.stat().st_mtime_ns if not has_views(path) else 0
        numbers = _numbers(str(path), view, changed) if changed else tuple(numbers_of(path, view))
    except OSError as error:
        raise InputMatteError(name, n, f"{path} cannot be looked for: {error.strerror}") from None
    if not numbers:
        raise InputMatteError(name, n, f"no file fits {path}")
    if len(numbers) != frames or numbers[-1] - numbers[0] + 1 != frames:
        raise InputMatteError(
            name, n,
            f"{path} has {len(numbers)} files, numbered {numbers[0]} to {numbers[-1]}, and the clip {frames} frames: say with 'first' "
            "which number the file of the clip's first frame has, whether or not it is there",
        )  # fmt: skip
    return numbers[0]


@lru_cache(16)
def _numbers(path: str, view: str, changed: int) -> tuple[int, ...]:
    """changed: when the folder was: names do not come and go without it."""
    return tuple(numbers_of(Path(path), view))


def identity(image: ImageInput, n: int, layout: Layout, frames: int) -> str:
    """What the files of frame ``n`` hold, as size and time of each: another text when one of them is another one."""
    try:
        files = files_of(image, n, layout, frames, "")
    except InputMatteError:
        return "unknown"
    return "|".join(f"{view}:{path}:{stamp(path)}" for view, path in files.items())


def stamp(path: Path) -> str:
    """Size and time of a file, or that there is none."""
    try:
        return "{}:{}".format(*file_identity(path))
    except OSError:
        return "missing"


def read_matte(matte: InputMatte, image: ImageInput, n: int, layout: Layout, frames: int) -> Mapping[str, FloatArray]:
    """View -> (eye height, eye width) float32, 0..1, of frame ``n``. frames: of the clip. Raises InputMatteError."""
    out: dict[str, FloatArray] = {}
    try:
        for view, path in files_of(image, n, layout, frames, matte.name).items():
            before = file_identity(path)
            found = read_layer(path, image.channel)
            if file_identity(path) != before:
                raise InputMatteError(matte.name, n, f"{path} changed while it was read; ask again when it is whole")
            for own, values in found.views.items():
                whose = view or own
                if not whose:
                    out |= _divided(values, image.view, layout, path)
                elif whose in layout.views:
                    out[whose] = _of_eye(values, layout, path)
    except InputMatteError:
        raise
    except FileNotFoundError as error:
        raise InputMatteError(matte.name, n, f"{error.filename} does not exist") from None
    except (MediaError, OSError) as error:
        raise InputMatteError(matte.name, n, str(error)) from None
    if not out:
        raise InputMatteError(matte.name, n, f"{image.path} has none of the clip's views, which are {', '.join(layout.views)}")
    return out


def _divided(values: FloatArray, view: str | None, layout: Layout, path: Path) -> dict[str, FloatArray]:
    """A picture that does not say which eye it is of: as large as the clip's, it holds all of them."""
    height, width = values.shape
    if len(layout.views) > 1 and view is None and (width, height) == (layout.width, layout.height):
        eye_width, eye_height = layout.eye_size
        origins = {v: layout.origin(v) for v in layout.views}
        return {v: np.ascontiguousarray(values[y : y + eye_height, x : x + eye_width]) for v, (x, y) in origins.items()}
    return {view or layout.views[0]: _of_eye(values, layout, path)}


def _of_eye(values: FloatArray, layout: Layout, path: Path) -> FloatArray:
    """Raises MediaError for a picture that is none of an eye."""
    height, width = values.shape
    eye = layout.eye_size
    if (width, height) == eye:
        return values
    # at half or twice the size, of the same shape
    if width * eye[1] != height * eye[0]:
        both = f", or all eyes as they lie in the clip, {layout.width}x{layout.height}" if len(layout.views) > 1 else ""
        raise MediaError(f"{path} is {width}x{height}; a matte has the shape of one eye's picture, {eye[0]}x{eye[1]}{both}")
    return resize(values, eye, "area" if width > eye[0] else "linear")
