"""How good mattes are where there is no truth to hold them against: what a compositor would complain of, in figures.

All of them are 0 for a flawless matte and grow with the fault; each was shown to rank mattes that were damaged on purpose below the truth
(tests/quality/test_blind.py). They compare renders of one clip with each other; between clips they say less.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vr180_ofx.arrays import ByteArray, FloatArray
from vr180_ofx.imaging.filter import gaussian_blur, slopes
from vr180_ofx.imaging.flow import optical_flow
from vr180_ofx.imaging.morphology import dilate, erode, square
from vr180_ofx.imaging.parts import bounds, connected_parts
from vr180_ofx.imaging.planes import absolute_difference, grey
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.imaging.resize import resize
from vr180_ofx.imaging.sample import sample
from vr180_ofx.matte.patch import Patch, spread
from vr180_ofx.media.contract import EyeImage
from vr180_ofx.output.jumps import BOTH, EVERYBODY, JUMPS, Row, jumps
from vr180_ofx.stereo.correspondence import counterpart
from vr180_ofx.stereo.disparity import measure
from vr180_ofx.stereo.pair import StereoPair, sampled
from vr180_ofx.stereo.parameters import STEREO
from vr180_ofx.vr180.layout import LEFT, RIGHT
from vr180_ofx.vr180.projection import Projection

#: Names, what they mean, and above which value a frame is worth a look. See the user guide for how the limits were found.
METRICS: dict[str, tuple[str, float]] = {
    "jaggedness": ("stairs along the edge: how much its direction changes from one pixel to the next", 0.2),
    "softness": ("width of the soft edge, in pixels of an eye 1024 wide", 6.0),
    "flicker": ("change of the edge that no motion in the picture explains", 0.22),
    "stereo": ("difference between the eyes near the person, each point held against itself", 0.085),
    "holes": ("holes in the people of an eye and small pieces apart from them, share of their area", 0.04),
    "jump": ("sudden change of the area, factor against the frames around, less 1", JUMPS.limit),
}
#: A piece apart from this large a share of the largest one is somebody else, or a leg.
_PIECE = 0.1
#: Flow and plates are looked at in so many pixels on the longer side of the person.
_FLOW_SIDE = 360


@dataclass(slots=True)
class Judgement:
    """rows: all that was measured. limits: metric -> the value above which a frame is worth a look."""

    rows: list[Row]
    limits: dict[str, float]

    def warnings(self) -> list[dict[str, Any]]:
        """What lies above its limit: metric, person, view, frames, and the worst of it; the worst first."""
        out = []
        groups: dict[tuple[str, str, str], list[Row]] = {}
        for row in self.rows:
            for name, value in row.values.items():
                if value > self.limits[name]:
                    groups.setdefault((name, row.person, row.view), []).append(row)
        for (name, person, view), rows in groups.items():
            worst = max(rows, key=lambda r: r.values[name])
            out.append(
                {
                    "metric": name, "person": person, "view": view, "frames": sorted(r.frame for r in rows), "worst": worst.frame,
                    "value": round(worst.values[name], 4), "limit": self.limits[name],
                }
            )  # fmt: skip
        return sorted(out, key=lambda w: -w["value"] / w["limit"])

    def summary(self) -> dict[str, dict[str, float]]:
        """metric -> mean and worst over everybody."""
        out = {}
        for name in METRICS:
            values = [r.values[name] for r in self.rows if name in r.values]
            if values:
                out[name] = {"mean": float(np.mean(values)), "worst": float(np.max(values))}
        return out

    def to_dict(self) -> dict[str, Any]:
        rows = [
            {"frame": r.frame, "view": r.view, "person": r.person, "area": r.area, **{k: round(v, 5) for k, v in r.values.items()}}
            for r in self.rows
        ]
        summary = {k: {n: round(x, 5) for n, x in v.items()} for k, v in self.summary().items()}
        return {"limits": self.limits, "summary": summary, "warnings": self.warnings(), "rows": rows}


class Judge:
    """Takes frames in order. limits: metric -> value, for those that are not to be the default."""

    def __init__(self, projection: Projection, limits: dict[str, float] | None = None) -> None:
        self._projection = projection
        self.limits = {k: v for k, (_, v) in METRICS.items()} | (limits or {})
        self._rows: list[Row] = []
        self._before: dict[str, tuple[int, EyeImage, dict[str, Patch]]] = {}

    def add(self, n: int, mattes: dict[str, dict[str, FloatArray]], plates: dict[str, EyeImage] | None) -> None:
        """Frame ``n``, from whatever it is counted.

        mattes: view -> person -> alpha (h, w). plates: view -> the eye's picture; None: what needs it is left out.
        """
        patches = {view: {name: p for name, alpha in own.items() if (p := trimmed(alpha)) is not None} for view, own in mattes.items()}
        least = (JUMPS.least_side * self._projection.width) ** 2
        rows = {}
        for view, own in patches.items():
            for name, patch in own.items():
                area = float(patch.alpha.sum())
                row = rows[view, name] = Row(n, view, name, area)
                if area >= least:
                    row.values |= edge_values(patch.alpha, self._projection.width)
                    before = self._before.get(view)
                    if plates is not None and before is not None and before[0] == n - 1 and name in before[2]:
                        row.values["flicker"] = flicker(patch, before[2][name], plates[view], before[1])
            # somebody behind somebody is in pieces, rightly: so everybody together
            everybody = trimmed(np.max(list(mattes[view].values()), axis=0)) if mattes[view] else None
            if everybody is not None and (area := float(everybody.alpha.sum())) >= least:
                rows[view, EVERYBODY] = Row(n, view, EVERYBODY, area, {"holes": holes(everybody.alpha)})
        if plates is not None and len(patches) == 2:
            for name in patches[LEFT].keys() & patches[RIGHT].keys():
                if rows[LEFT, name].area < least or rows[RIGHT, name].area < least:
                    continue
                value = stereo(plates[LEFT], plates[RIGHT], patches[LEFT][name], patches[RIGHT][name], self._projection)
                if value is not None:
                    self._rows.append(Row(n, BOTH, name, rows[RIGHT, name].area, {"stereo": value}))
        self._rows += rows.values()
        if plates is not None:
            self._before = {view: (n, plates[view], own) for view, own in patches.items()}

    def finish(self) -> Judgement:
        """After the last frame."""
        for row, value in jumps(self._rows, self._projection.width):
            row.values["jump"] = value
        return Judgement(sorted(self._rows, key=lambda r: (r.frame, r.view, r.person)), self.limits)


def trimmed(alpha: FloatArray) -> Patch | None:
    """The part of a matte where somebody is; None when nobody is."""
    seen = bounds(alpha > 0.02)
    if seen.empty:
        return None
    rect = seen.grown(8).clipped(alpha.shape[1], alpha.shape[0])
    part = np.ascontiguousarray(alpha[rect.slices], np.float32)
    return Patch(rect, part, np.ones_like(part))


def edge_values(alpha: FloatArray, eye_width: int) -> dict[str, float]:
    """softness and jaggedness of the outline. alpha: (h, w) of one person."""
    scale = max(1.0, eye_width / 1024)
    length = float(np.hypot(*slopes(alpha, scale=1 / 8)).sum())
    if length < 8:
        return {}
    # along its normal an edge rises by 1 in all, so this is its length; and the soft area over it is its width
    softness = float((4 * alpha * (1 - alpha)).sum()) / length / scale
    fine, coarse = _normals(alpha, 0.8 * scale), _normals(alpha, 3.0 * scale)
    strength = np.hypot(*fine) * np.hypot(*coarse)
    turned = np.hypot(*fine) * np.hypot(*coarse) - (fine[0] * coarse[0] + fine[1] * coarse[1])
    return {"softness": softness, "jaggedness": float(turned.sum() / max(float(strength.sum()), 1e-9)) * 4}


def _normals(alpha: FloatArray, sigma: float) -> tuple[FloatArray, FloatArray]:
    return slopes(gaussian_blur(alpha, sigma))


def holes(alpha: FloatArray) -> float:
    """Holes, and pieces that are small and lie apart, as a share of the area."""
    inside = alpha > 0.5
    area = int(np.count_nonzero(inside))
    if area == 0:
        return 0.0
    areas = connected_parts(inside).areas
    apart = int(areas[areas < _PIECE * areas.max()].sum())
    gaps = connected_parts(np.pad(~inside, 1, constant_values=True), 4)
    outside = gaps.labels[0, 0]
    enclosed = int(gaps.areas.sum() - gaps.areas[outside])
    return (apart + enclosed) / area


def flicker(now: Patch, before: Patch, plate: EyeImage, plate_before: EyeImage) -> float:
    """Mean change near the outline between two frames, once the picture's motion is taken out (dense inverse search)."""
    rect = now.rect.union(before.rect)
    factor = max(1, round(max(rect.width, rect.height) / _FLOW_SIDE))
    pictures = [_luma(eye, rect, factor) for eye in (plate, plate_before)]
    size = pictures[0].shape[1], pictures[0].shape[0]
    a, b = (resize(spread(p, rect)[0], size, "area") for p in (now, before))
    places = optical_flow(pictures[0], pictures[1], thorough=True)
    places[..., 0] += np.arange(size[0], dtype=np.float32)
    places[..., 1] += np.arange(size[1], dtype=np.float32)[:, None]
    warped = sample(b, places, centre=0)
    # where the pictures differ after all, something was uncovered, and nobody knows
    known = absolute_difference(sample(pictures[1], places, border="edge", centre=0), pictures[0]) < 24
    near = dilate(np.maximum(a, b) > 0.5, square(3)) & ~erode(a > 0.5, square(3))
    # holes that come and go lie inside
    near |= np.abs(a - warped) > 0.5
    where = near & known
    return float(np.abs(a - warped)[where].mean()) if where.any() else 0.0


def stereo(left: EyeImage, right: EyeImage, in_left: Patch, in_right: Patch, projection: Projection) -> float | None:
    """Mean difference near the outline between the left matte, warped to the right eye by measured disparity, and the right one.

    None when the disparity cannot be measured.
    """
    pair = StereoPair(left, right, projection)
    found = measure(pair, in_left, in_right)
    if found is None or found.sureness < STEREO.surface.least_sure:
        return None
    rect = in_right.rect.grown(8).clipped(projection.width, projection.height)
    warped = sampled(in_left.alpha, in_left.rect, counterpart(pair, rect, found, to_left=True))
    mine = spread(in_right, rect)[0]
    kernel = square(max(3, round(5 * projection.width / 1024)))
    near = dilate(np.maximum(mine, warped) > 0.5, kernel) & ~erode(np.minimum(mine, warped) > 0.5, kernel)
    return float(np.abs(mine - warped)[near].mean()) if near.any() else None


def _luma(eye: EyeImage, rect: Rect, factor: int) -> ByteArray:
    return np.ascontiguousarray(np.clip(grey(eye.region(rect, factor)) * 255, 0, 255).astype(np.uint8))
