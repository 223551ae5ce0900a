"""Files of Cryptomatte: one part each, because Nuke's and Fusion's tools read the first part's attributes and its channels alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import OpenEXR

from vr180_ofx.engine.frame import Frame
from vr180_ofx.output.cryptomatte import attributes, person_ids, ranked
from vr180_ofx.output.exr_rows import RowPart, RowWriter, band
from vr180_ofx.output.exr_zip import RowArray
from vr180_ofx.storage import atomic_path

#: Whatever the other files have: an id that changes by a bit is nobody's, so nothing lossy; and every reader of Cryptomatte knows it.
_COMPRESSION = OpenEXR.ZIPS_COMPRESSION


class CryptomatteFiles:
    """Writes a file for each view of a frame. Safe to call from several threads.

    views, people: the names of all. levels: even.
    dropped: index of a frame -> (pixels in which more people meet than there are levels, the most that is missing of one), where any.
    """

    def __init__(self, views: Sequence[str], people: Iterable[str], levels: int) -> None:
        self._views = views
        self._levels = levels
        self._ids = person_ids(people)
        self._rows = RowWriter(_COMPRESSION)
        self.dropped: dict[int, tuple[int, float]] = {}

    def paths(self, stem: Path, number: int) -> list[Path]:
        """The files of frame ``number``."""
        names = [f"_{view}" for view in self._views] if len(self._views) > 1 else [""]
        return [stem.with_name(f"{stem.name}_crypto{name}.{number:04d}.exr") for name in names]

    def write(self, stem: Path, number: int, frame: Frame, headers: dict[str, dict[str, Any]]) -> list[Path]:
        """Writes a frame. headers: of each view, as its other file has it."""
        targets = self.paths(stem, number)
        missing: list[tuple[int, float]] = []
        for target, view in zip(targets, frame.views, strict=True):
            part, dropped, lost = self._part(view, frame, headers[view])
            if dropped:
                missing.append((dropped, lost))
            with atomic_path(target, steady=True) as path:
                self._rows.write(path, [part])
        if missing:
            self.dropped[frame.index] = sum(n for n, _ in missing), max(lost for _, lost in missing)
        return targets

    def _part(self, view: str, frame: Frame, header: dict[str, Any]) -> tuple[RowPart, int, float]:
        matte = frame.views[view]
        bounds = matte.bounds
        y0, y1 = band(bounds.y0, bounds.y1, matte.height, _COMPRESSION)
        ranks = ranked(matte, self._ids, self._levels, y0, y1)
        # a main image: without one, Fusion opens nothing, and Nuke's viewer black
        channels: dict[str, RowArray] = dict.fromkeys("RGBA", matte.alpha_half(y0, y1)) | ranks.channels()
        own = {k: v for k, v in header.items() if k != "multiView"} | {"compression": _COMPRESSION} | attributes(self._ids)
        return RowPart("", own, matte.width, matte.height, y0, channels, dict.fromkeys(channels, 0.0)), ranks.dropped, ranks.lost
