"""A clip as a document describes it: enough for whatever needs no pixels; whoever asks for pixels has it opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from vr180_ofx.media.contract import Clip, Geometry, Source
from vr180_ofx.media.forwarding import ForwardingSource
from vr180_ofx.settings import Settings
from vr180_ofx.timecode import Timecode
from vr180_ofx.vr180.epipolar import INTEROCULAR_M
from vr180_ofx.vr180.layout import Layout, LayoutName


@dataclass(slots=True)
class DescribedSource(ForwardingSource):
    """A `media.contract.Source` of which no file was opened. open_source: gives the real one; raises MediaError where there is none."""

    path: Path
    name: str
    fps: Fraction
    frames: int
    open_source: Callable[[], Source] = field(repr=False)
    first_number: int = 1
    timecode: Timecode | None = None
    _real: Source | None = field(default=None, repr=False)

    @property
    def real(self) -> Source:
        """The source with pixels, opened when it is first asked for."""
        if self._real is None:
            self._real = self.open_source()
        return self._real

    def __len__(self) -> int:
        return self.frames

    def close(self) -> None:
        if self._real is not None:
            self._real.close()


def described_clip(facts: dict[str, Any], path: Path, settings: Settings, open_source: Callable[[], Source]) -> Clip:
    """The clip that the facts of a plan describe: ``frames``, ``fps``, ``eye_size``, ``layout``, ``projection``, ``fov_degrees``,
    ``interocular_m``, ``first_number``, ``timecode``. path: what it is called in
    messages. Raises ValueError when the facts describe none: in plans that somebody wrote by hand, or of version 0.2.0 and before where
    the lens is not a plain one.
    """
    try:
        frames, fps = int(facts["frames"]), Fraction(float(facts["fps"])).limit_denominator(100_000)
        width, height = (int(v) for v in facts["eye_size"])
        layout, projection, fov = facts["layout"], facts["projection"], facts.get("fov_degrees")
        if layout not in ("sbs", "tb", "mono") or frames < 1 or fps <= 0 or ("fov_degrees" not in facts and projection != "equirect180"):
            raise ValueError("they are not whole")
        geometry = Geometry(
            _frame_layout(layout, width, height), projection, None if fov is None else float(fov), (),
            float(facts.get("interocular_m", INTEROCULAR_M)),
        )  # fmt: skip
        geometry.projection()
        code = facts.get("timecode")
        timecode = Timecode.of(code, fps) if isinstance(code, str) else None
        first_number = int(facts.get("first_number", 1))
    except (KeyError, TypeError, OverflowError, ZeroDivisionError) as error:
        raise ValueError(str(error)) from None
    source = DescribedSource(path, path.name, fps, frames, open_source, first_number, timecode)
    return Clip(source, geometry, settings)


def _frame_layout(name: LayoutName, width: int, height: int) -> Layout:
    """Of frames whose eyes have this size; which eye lies where decides nothing without pixels."""
    return Layout(name, width * 2 if name == "sbs" else width, height * 2 if name == "tb" else height)
