"""Whether both eyes say the same of a person: each eye's mask carried to the other, compared where both can see.

Masks are compared as windows show them, a few thousand samples each: that is enough to know whether a matte is wrong, and costs a
hundredth of the frame. It is done on the host, with NumPy's arrays: geometry and decisions, which leave nothing for a graphics card but
to be waited for. How far away the person is comes out of it: the shift at which the masks agree best.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vr180_ofx.arrays import BoolArray, FloatArray
from vr180_ofx.imaging.either import as_float
from vr180_ofx.imaging.filter import box_blur, gaussian_blur
from vr180_ofx.imaging.resize import resize
from vr180_ofx.imaging.sample import sample
from vr180_ofx.stereo.consistency import Consistency
from vr180_ofx.stereo.parameters import STEREO, AgreementParameters
from vr180_ofx.vr180.alignment import LEVEL, Alignment
from vr180_ofx.vr180.epipolar import angles, directions, upright
from vr180_ofx.vr180.layout import LEFT, RIGHT, other_eye
from vr180_ofx.vr180.projection import Projection
from vr180_ofx.vr180.window import Window

#: What can be wrong with an eye's picture of a person.
Damage = Literal["much darker", "much less detail"]


@dataclass(frozen=True, slots=True, repr=False)
class EyeView:
    """One person in one eye.

    mask: (n, n) 0..1. luma: (m, m) 0..1 the picture. window: what took both. score: 0..1, how sure the tracker is that they are there.
    occluders: masks, (n, n) 0..1, and windows of the people who stand before them in this eye.
    """

    mask: FloatArray
    luma: FloatArray
    window: Window
    score: float
    occluders: Sequence[tuple[FloatArray, Window]] = ()

    def __post_init__(self) -> None:
        for name, values in (("mask", self.mask), ("luma", self.luma)):
            if values.ndim != 2 or values.shape[0] != values.shape[1]:
                raise ValueError(f"{name} has the shape {values.shape}; a window is square, with one value for each pixel")

    def __repr__(self) -> str:
        return f"EyeView(mask={self.mask.shape}, luma={self.luma.shape}, score={self.score:g}, occluders={len(self.occluders)})"


@dataclass(frozen=True, slots=True)
class Agreement:
    """What both eyes say of one person.

    overlap: 0..1, soft intersection over union of each mask with the other carried to it, where both eyes see; None when what both can
    see is too little. shift: the interocular distance over the depth of somebody upright, see `epipolar.upright`. weaker: the eye whose
    matte is not to be trusted, when they do not agree. damage: (eye, what its picture lacks against the other one). corrected: the eye
    that was weaker, and agrees since it was corrected. how: reprocess (looked at again) or reshare (people told apart as in the other eye).
    """

    overlap: float | None
    shift: float
    weaker: str | None = None
    damage: tuple[tuple[str, Damage], ...] = ()
    corrected: str | None = None
    how: Literal["reprocess", "reshare"] = "reprocess"

    @property
    def agrees(self) -> bool:
        """Whether the eyes were compared, and agree."""
        return self.overlap is not None and self.weaker is None

    def damaged(self, view: str) -> bool:
        """Whether the eye's picture of the person is damaged."""
        return view in dict(self.damage)

    def describe(self) -> str:
        """The damage in words."""
        return ", ".join(f"{view} eye: {what}" for view, what in self.damage)


def compare_eyes(left: EyeView, right: EyeView, projection: Projection, consistency: Consistency, shift: float | None = None) -> Agreement:
    """Compares both eyes. Where they do not agree, `Agreement.weaker` is the eye whose picture is damaged, else the one that is less sure;
    when both are as good, it is not the reference.

    projection: of the eyes' pictures. shift: what the plan knows of the distance, see `Agreement`; None: nothing.
    """
    parameters, alignment = consistency.parameters.agreement, consistency.alignment
    guess = shift if shift is not None else _tangent(left.window, alignment, LEFT) - _tangent(right.window, alignment, RIGHT)
    reach = parameters.search * 4 * np.tan(np.radians(left.window.fov_degrees) / 4)
    coarse, views = (
        {view: _Grid(seen, projection, view, alignment, samples) for view, seen in ((LEFT, left), (RIGHT, right))}
        for samples in (parameters.coarse_samples, parameters.samples)
    )
    shifts = guess + np.linspace(-reach, reach, parameters.steps)
    step = shifts[1] - shifts[0]
    best = int(np.argmax(_overlaps(coarse, shifts)[0]))
    # once more, finer, around the best
    finer = shifts[best] + np.array([-step / 2, 0, step / 2])
    found = _overlaps(views, finer)
    k = int(np.argmax(found[0]))
    overlap, visible = (float(v) for v in found[:, k])
    # masks that do not agree say less of the distance than the plan does
    trusted = overlap >= (consistency.threshold if shift is not None else parameters.telling_overlap)
    place = float(finer[k]) if trusted else float(guess)
    if visible < parameters.least_visible:
        return Agreement(None, place)
    damage = _damage(views, place, parameters)
    if overlap >= consistency.threshold:
        return Agreement(overlap, place, None, damage)
    return Agreement(overlap, place, _weaker(left, right, damage, consistency.reference, parameters.tied), damage)


def warp_mask(
    view: EyeView, window: Window, shift: float, alignment: Alignment = LEVEL, parameters: AgreementParameters = STEREO.agreement, *,
    to_right: bool,
) -> FloatArray:  # fmt: skip
    """One eye's mask as a window of the other eye shows it, (window.size, window.size), 0..1, for somebody upright and flat.

    shift: see `Agreement`. to_right: the mask is the left eye's.
    """
    n = parameters.samples * 2
    target = RIGHT if to_right else LEFT
    a = angles(alignment.to_level(window.directions(_ticks(window.size, n)), target))
    sign = 1 if to_right else -1
    moved = directions(np.arctan(np.tan(a[..., 0]) + upright(sign * shift, a[..., 1])), a[..., 1])
    places = view.window.points(alignment.to_eye(moved, other_eye(target)))
    small = _sampled(view.mask, places, view.window.size)
    return resize(small, (window.size, window.size), "linear")


class _Grid:
    """An eye's samples: level rays, mask there, and whether the eye sees it: within its picture, and nobody stands before it."""

    def __init__(self, seen: EyeView, projection: Projection, view: str, alignment: Alignment, samples: int) -> None:
        self.seen = seen
        self._view, self._alignment = view, alignment
        self._projection = projection
        self.rays = alignment.to_level(seen.window.directions(_ticks(seen.window.size, samples)), view)
        a = angles(self.rays)
        self._tangent, self._step = np.tan(a[..., 0]), upright(1.0, a[..., 1])
        self._around = np.sin(a[..., 1]), np.cos(a[..., 1])
        self.mask = self.mask_at(self.rays)
        self.free = self.sees(self.rays)

    def mask_at(self, rays: FloatArray) -> FloatArray:
        return _sampled(self.seen.mask, self.points(rays), self.seen.window.size)

    def points(self, rays: FloatArray) -> FloatArray:
        """Where the window shows level rays."""
        return self.seen.window.points(self._alignment.to_eye(rays, self._view))

    def sees(self, rays: FloatArray) -> BoolArray:
        """Whether they lie in the picture, and nobody stands before them."""
        own = self._alignment.to_eye(rays, self._view)
        out = _inside(self._projection.project(own), self._projection)
        for mask, window in self.seen.occluders:
            out &= _sampled(mask, window.points(own), window.size) <= 0.5
        return out

    def to(self, shifts: FloatArray | float) -> FloatArray:
        """The other eye's rays to what this one's samples show, at a shift, or (shifts, ...) at each of several."""
        moved = self._tangent + np.multiply.outer(shifts, self._step)
        # of any length: (tan lateral, sin elevation, cos elevation) is the direction over the cosine of the lateral angle
        rays = np.empty((*moved.shape, 3))
        rays[..., 0], (rays[..., 1], rays[..., 2]) = moved, self._around
        return rays


def _overlaps(views: Mapping[str, _Grid], shifts: FloatArray) -> FloatArray:
    """(2, shifts): overlap, and the visible share, at each."""
    common = union = there = np.zeros(len(shifts))
    for view, grid in views.items():
        other = views[other_eye(view)]
        rays = grid.to(shifts if view == RIGHT else -shifts)
        theirs = other.mask_at(rays)
        free = grid.free & other.sees(rays)
        most = np.maximum(grid.mask, theirs)
        common = common + np.where(free, np.minimum(grid.mask, theirs), 0).sum(axis=(1, 2), dtype=np.float64)
        union = union + np.where(free, most, 0).sum(axis=(1, 2), dtype=np.float64)
        there = there + most.sum(axis=(1, 2), dtype=np.float64)
    return np.stack([np.where(union > 1, common / np.maximum(union, 1), 0), np.where(there > 1, union / np.maximum(there, 1), 0)])


def _damage(views: Mapping[str, _Grid], shift: float, parameters: AgreementParameters) -> tuple[tuple[str, Damage], ...]:
    """Which eye's picture of the person lacks detail or light."""
    right, left = views[RIGHT], views[LEFT]
    rays = right.to(shift)
    where = np.maximum(right.mask, left.mask_at(rays)) > 0.5
    if not where.any():
        return ()
    box = (parameters.detail_box_px, parameters.detail_box_px)
    figures = {}
    for view, grid, at in ((LEFT, left, rays), (RIGHT, right, right.rays)):
        luma = grid.seen.luma
        detail = np.abs(luma - gaussian_blur(luma, parameters.detail_sigma_px))
        places, size = grid.points(at), grid.seen.window.size
        figures[view] = tuple(float(_sampled(v, places, size)[where].mean()) for v in (box_blur(detail, box), luma))
    out: list[tuple[str, Damage]] = []
    for view, other in ((LEFT, RIGHT), (RIGHT, LEFT)):
        (detail_here, light_here), (detail_there, light_there) = figures[view], figures[other]
        if light_here < parameters.damage_ratio * light_there:
            out.append((view, "much darker"))
        elif detail_here < parameters.damage_ratio * detail_there:
            out.append((view, "much less detail"))
    return tuple(out)


def _weaker(left: EyeView, right: EyeView, damage: tuple[tuple[str, Damage], ...], reference: str, tied: float) -> str:
    if len(damage) == 1:
        return damage[0][0]
    sure = {view: _sureness(seen) for view, seen in ((LEFT, left), (RIGHT, right))}
    if abs(sure[LEFT] - sure[RIGHT]) < tied:
        return other_eye(reference)
    return min(sure, key=lambda v: sure[v])


def _sureness(seen: EyeView) -> float:
    """How sure an eye is of what it calls the person, 0..1: 0 when it sees nobody."""
    total = float(seen.mask.sum())
    return seen.score * float((seen.mask * np.abs(2 * seen.mask - 1)).sum()) / total if total > 1 else 0.0


def _tangent(window: Window, alignment: Alignment, view: str) -> float:
    """Differences of these are shifts."""
    lateral, elevation = angles(alignment.to_level(np.array(window.direction), view))
    return float(np.tan(lateral) / upright(1.0, elevation))


def _ticks(size: int, n: int) -> FloatArray:
    """(n, n, 2) evenly spaced continuous pixels of a window of ``size`` pixels."""
    ticks = (np.arange(n) + 0.5) * (size / n)
    return np.stack(np.meshgrid(ticks, ticks), axis=-1)


def _sampled(values: FloatArray, places: FloatArray, size: int) -> FloatArray:
    """values: (n, n) what lies in a window of ``size`` pixels. places: (..., h, w, 2) continuous pixels of the window. 0 outside."""
    scale = values.shape[0] / size
    return sample(as_float(values), places if scale == 1 else places * scale)


def _inside(places: FloatArray, projection: Projection) -> BoolArray:
    x, y = places[..., 0], places[..., 1]
    with np.errstate(invalid="ignore"):
        out: BoolArray = (x >= 0) & (y >= 0) & (x <= projection.width) & (y <= projection.height)
    return out
