"""What a render says of itself."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from vr180_ofx.engine.frame import Frame
from vr180_ofx.errors import InputMatteError
from vr180_ofx.frame_ranges import Numbering
from vr180_ofx.output.jumps import JUMPS, Row, jumps
from vr180_ofx.wording import counted


@dataclass(slots=True)
class RenderReport:
    """What a render did.

    Lists of frames are indices, counted from 0; in texts frames have the numbers of their files.

    written, kept: frames made now, and found whole from an earlier run. missing: indices of frames that cannot be decoded.
    refused: those of them that a garbage or holdout matte is to blame for, which could not be had.
    lost: frames beyond the last one that the file's header promises and a truncated file no longer holds.
    stages: seconds, calls and milliseconds per call of each stage. agreement: person -> mean and least agreement of the eyes, of the frames
    made now. corrected: "person01 right: transfer" -> the frames in which that was done.
    warnings: what somebody should look at; notes hold them, too.
    """

    folder: str
    pattern: str
    frames: int = 0
    written: int = 0
    kept: int = 0
    missing: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    lost: int = 0
    people: list[str] = field(default_factory=list)
    seconds: float = 0.0
    fps: float = 0.0
    notes: list[str] = field(default_factory=list)
    stages: dict[str, dict[str, float]] = field(default_factory=dict)
    degradations: list[str] = field(default_factory=list)
    agreement: dict[str, dict[str, float]] = field(default_factory=dict)
    corrected: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    resources: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class Findings:
    """What the frames of a render say of how far their eyes agreed, and how large people were in them."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._width = 0
        self._agreement: dict[str, list[float]] = {}
        self._frames: dict[str, dict[str, list[int]]] = {"corrected": {}, "damage": {}, "carried_flat": {}}
        self._refused: dict[str, tuple[str, list[int]]] = {}

    def refuse(self, error: InputMatteError) -> None:
        """Remembers a frame that was not made for want of a matte."""
        self._refused.setdefault(error.matte, (error.reason, []))[1].append(error.index)

    def add(self, frame: Frame) -> None:
        """Remembers what is to be told of a frame; its pixels are let go."""
        for view, matte in frame.views.items():
            self._width = matte.width
            self._rows += [Row(frame.index, view, x.name, float(x.alpha.sum(dtype=np.float32))) for x in matte.layers]
        for name, value in frame.metadata.get("agreement", {}).items():
            self._agreement.setdefault(name, []).append(value)
        for kind, found in self._frames.items():
            for name, what in frame.metadata.get(kind, {}).items():
                found.setdefault(what if kind == "damage" else f"{name}, {what}", []).append(frame.index)

    def tell(self, report: RenderReport, numbers: Numbering) -> None:
        """Puts agreement, corrections and warnings into the report. numbers: what frames are called."""
        report.agreement = {
            name: {"mean": round(sum(v) / len(v), 4), "least": round(min(v), 4)} for name, v in sorted(self._agreement.items())
        }
        report.corrected = {what: numbers.text(frames) for what, frames in self._frames["corrected"].items()}
        report.warnings += [f"the eyes did not agree; corrected: {what}, in frames {frames}" for what, frames in report.corrected.items()]
        for what, frames in self._frames["damage"].items():
            report.warnings.append(f"{what} than the other one where people are, in frames {numbers.text(sorted(set(frames)))}")
        for name, (reason, frames) in self._refused.items():
            report.refused = sorted({*report.refused, *frames})
            report.warnings.append(f"{counted(len(frames), 'frame')} not made, {numbers.text(frames)}: the matte {name}: {reason}")
        for what, frames in self._frames["carried_flat"].items():
            report.warnings.append(f"mattes were carried without a measured surface, {what}, in frames {numbers.text(frames)}: look there")
        sudden: dict[tuple[str, str], list[int]] = {}
        for row, value in jumps(self._rows, self._width):
            if value > JUMPS.limit:
                sudden.setdefault((row.person, row.view), []).append(row.frame)
        for (person, view), frames in sudden.items():
            report.warnings.append(f"{person} changes size suddenly in the {view} eye, in frames {numbers.text(sorted(frames))}")
        report.notes += report.warnings
