"""Painted mattes of somebody, at frames of an eye: which files a plan names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vr180_ofx.errors import PlanError
from vr180_ofx.people.by_frame import by_frame
from vr180_ofx.wording import short

#: View -> frame -> the picture's file, absolute. See `media.painted.read_painted` for what it says.
Paint = Mapping[str, Mapping[int, str]]

#: Names of files are no longer on any system that is known.
_MOST_LETTERS = 4096


def paint_of(data: Any, *, views: Sequence[str], frames: int, where: str, folder: Path | None) -> Paint:
    """What a plan's file says. where: what it is called in messages. folder: where names of files begin that are not absolute; None: they
    have to be. No file is looked at. Raises PlanError.
    """

    def read(file: Any, place: str) -> str:
        return painted_file(file, place, folder)

    return by_frame(data, read, views=views, frames=frames, where=where, what="the name of a picture")


def painted_file(file: Any, place: str, folder: Path | None) -> str:
    """The absolute name of a picture. Raises PlanError."""
    if not isinstance(file, str) or not 0 < len(file) <= _MOST_LETTERS or "\0" in file or any("\ud800" <= c <= "\udfff" for c in file):
        raise PlanError(f"{place} is {short(file)}; it is the name of a picture")
    path = Path(file)
    if not path.is_absolute():
        if folder is None:
            raise PlanError(f"{place} is {short(file)}; here it must be absolute, from the root of the disk")
        path = folder.absolute() / path
    return str(path)


def paint_to_data(paint: Paint) -> dict[str, Any]:
    """As a plan's file has it."""
    return {view: {str(n): rows[n] for n in sorted(rows)} for view, rows in paint.items() if rows}
