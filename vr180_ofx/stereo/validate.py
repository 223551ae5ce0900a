"""Whether both eyes say the same of a person: each eye's mask carried to the other, compared where both can see.

Masks are compared as windows show them, a few thousand samples each: that is enough to know whether a matte is wrong, and costs a
hundredth of the frame. How far away the person is comes out of it: the shift at which the masks agree best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vr180_ofx.arrays import FloatArray
from vr180_ofx.vr180.alignment import LEVEL, Alignment
from vr180_ofx.vr180.epipolar import angles, directions, upright
from vr180_ofx.vr180.layout import LEFT, RIGHT, other_eye
from vr180_ofx.vr180.projection import Projection
from vr180_ofx.vr180.window import Window

#: Samples on a side of a window: for what is said in the end, and to find the shift.
_SAMPLES, _COARSE_SAMPLES = 56, 28
#: The shift is looked for so far to each side of where the plan has the bodies, in shares of the window's width, in so many steps.
_REACH = 0.03
_STEPS = 7
#: Less of the person to be seen by both eyes than this, and nothing can be said.
_LEAST_VISIBLE = 0.25
#: Masks that agree less than this say nothing of the distance.
_TELLING = 0.5
#: An eye with less than this share of the other's detail, or brightness, where the person is, is the worse one.
_MUCH_LESS = 0.5
#: Eyes that are about as sure as each other.
_ABOUT = 0.05


@dataclass(frozen=True, slots=True)
class Seen:
    """One person in one eye.

    soft: (n, n) 0..1 the mask. luma: (n, n) 0..1 the picture. window: what took both. score: 0..1, how sure the tracker is that they are
    there. before: masks and windows of the people who stand before them in this eye.
    """

    soft: FloatArray
    luma: FloatArray
    window: Window
    score: float
    before: Sequence[tuple[FloatArray, Window]] = ()


@dataclass(frozen=True, slots=True)
class Agreement:
    """What both eyes say of one person.

    agreement: 0..1, soft intersection over union of each mask with the other carried to it, where both eyes see; None when what both
    can see is too little. shift: the interocular distance over the depth of somebody upright, see `epipolar.upright`. weaker: the eye
    whose matte is not to be trusted, when they do not agree. damage: eye -> what its picture lacks against the other one. mended: the
    eye that was weaker, and agrees since it was mended. how: reprocess (looked at again) or reshare (people told
    apart as in the other eye).
    """

    agreement: float | None
    shift: float
    weaker: str | None = None
    damage: tuple[tuple[str, str], ...] = ()
    mended: str | None = None
    how: str = "reprocess"

    def describe(self) -> str:
        """The damage in words."""
        return ", ".join(f"{view} eye: {what}" for view, what in self.damage)


def validate(
    left: Seen, right: Seen, projection: Projection, threshold: float, master: str = LEFT, shift: float | None = None,
    alignment: Alignment = LEVEL,
) -> Agreement:  # fmt: skip
    """Compares both eyes. Below ``threshold`` the verdict names the weaker eye; when both are as good, it is not the ``master``.

    projection: of the eyes' pictures. shift: what the plan knows of the distance, see `Agreement`. alignment: how the cameras are turned
    against each other.
    """
    guess = shift if shift is not None else _tan(left.window, alignment, LEFT) - _tan(right.window, alignment, RIGHT)
    reach = _REACH * 2 * np.tan(np.radians(left.window.fov_degrees) / 2)
    coarse, views = (
        {view: _Grid(seen, projection, view, alignment, samples) for view, seen in ((LEFT, left), (RIGHT, right))}
        for samples in (_COARSE_SAMPLES, _SAMPLES)
    )
    shifts = guess + np.linspace(-reach, reach, _STEPS)
    step = shifts[1] - shifts[0]
    best = int(np.argmax(_agreements(coarse, shifts)[0]))
    # once more, finer, around the best
    finer = shifts[best] + np.array([-step / 2, 0, step / 2])
    found = _agreements(views, finer)
    k = int(np.argmax(found[0]))
    agreement, visible = (float(v) for v in found[:, k])
    # masks that do not agree say less of the distance than the plan does
    trusted = agreement >= (threshold if shift is not None else _TELLING)
    place = float(finer[k]) if trusted else float(guess)
    if visible < _LEAST_VISIBLE:
        return Agreement(None, place)
    damage = _damage(views, place)
    if agreement >= threshold:
        return Agreement(agreement, place, None, damage)
    return Agreement(agreement, place, _weaker(left, right, damage, master), damage)


def carried(seen: Seen, window: Window, shift: float, to_right: bool, alignment: Alignment = LEVEL) -> FloatArray:
    """One eye's mask as a window of the other eye shows it, (window.size, window.size), 0..1, for somebody upright and flat.

    shift: see `Agreement`.
    """
    n = _SAMPLES * 2
    view = RIGHT if to_right else LEFT
    a = angles(alignment.to_level(window.directions(_ticks(window.size, n)), view))
    sign = 1 if to_right else -1
    moved = directions(np.arctan(np.tan(a[..., 0]) + upright(sign * shift, a[..., 1])), a[..., 1])
    places = seen.window.points(alignment.to_eye(moved, other_eye(view)))
    small = _look(seen.soft, places, seen.window.size)
    out: FloatArray = cv2.resize(small, (window.size, window.size), interpolation=cv2.INTER_LINEAR)
    return out


class _Grid:
    """A view's samples: level rays, mask there, and whether the eye sees it: within its picture, and nobody stands before it."""

    def __init__(self, seen: Seen, projection: Projection, view: str, alignment: Alignment, samples: int) -> None:
        self.seen = seen
        self._view, self._alignment = view, alignment
        self._projection = projection
        self.rays = alignment.to_level(seen.window.directions(_ticks(seen.window.size, samples)), view)
        a = angles(self.rays)
        self._tangent, self._step = np.tan(a[..., 0]), upright(1.0, a[..., 1])
        self._around = np.sin(a[..., 1]), np.cos(a[..., 1])
        self.soft = self.look(self.rays)
        self.free = self.sees(self.rays)

    def look(self, rays: FloatArray) -> FloatArray:
        return _look(self.seen.soft, self.points(rays), self.seen.window.size)

    def points(self, rays: FloatArray) -> FloatArray:
        """Where the window shows level rays."""
        return self.seen.window.points(self._alignment.to_eye(rays, self._view))

    def sees(self, rays: FloatArray) -> npt.NDArray[np.bool_]:
        """Whether they lie in the picture, and nobody stands before them."""
        own = self._alignment.to_eye(rays, self._view)
        out = _inside(self._projection.project(own), self._projection)
        for soft, window in self.seen.before:
            out &= _look(soft, window.points(own), window.size) <= 0.5
        return out

    def to(self, shifts: FloatArray | float) -> FloatArray:
        """The other eye's rays to what this one's samples show, at a shift, or (shifts, ...) at each of several."""
        moved = self._tangent + np.multiply.outer(shifts, self._step)
        # of any length: (tan lateral, sin elevation, cos elevation) is the direction over the cosine of the lateral angle
        rays = np.empty((*moved.shape, 3))
        rays[..., 0], (rays[..., 1], rays[..., 2]) = moved, self._around
        return rays


def _agreements(views: dict[str, _Grid], shifts: FloatArray) -> FloatArray:
    """(2, shifts): agreement, and the visible share, at each."""
    common = union = there = np.zeros(len(shifts))
    for view, grid in views.items():
        other = views[other_eye(view)]
        rays = grid.to(shifts if view == RIGHT else -shifts)
        theirs = other.look(rays)
        free = grid.free & other.sees(rays)
        most = np.maximum(grid.soft, theirs)
        common = common + np.where(free, np.minimum(grid.soft, theirs), 0).sum(axis=(1, 2), dtype=np.float64)
        union = union + np.where(free, most, 0).sum(axis=(1, 2), dtype=np.float64)
        there = there + most.sum(axis=(1, 2), dtype=np.float64)
    return np.stack([np.where(union > 1, common / np.maximum(union, 1), 0), np.where(there > 1, union / np.maximum(there, 1), 0)])


def _damage(views: dict[str, _Grid], shift: float) -> tuple[tuple[str, str], ...]:
    """Which eye's picture of the person lacks detail or light."""
    right, left = views[RIGHT], views[LEFT]
    rays = right.to(shift)
    where = np.maximum(right.soft, left.look(rays)) > 0.5
    if not where.any():
        return ()
    figures = {}
    for view, grid, at in ((LEFT, left, rays), (RIGHT, right, right.rays)):
        luma = grid.seen.luma
        detail = np.abs(luma - cv2.GaussianBlur(luma, (0, 0), 1.5))
        places, size = grid.points(at), grid.seen.window.size
        figures[view] = float(_look(cv2.blur(detail, (7, 7)), places, size)[where].mean()), float(_look(luma, places, size)[where].mean())
    out = []
    for view, other in ((LEFT, RIGHT), (RIGHT, LEFT)):
        (detail_here, light_here), (detail_there, light_there) = figures[view], figures[other]
        if light_here < _MUCH_LESS * light_there:
            out.append((view, "much darker"))
        elif detail_here < _MUCH_LESS * detail_there:
            out.append((view, "much less detail"))
    return tuple(out)


def _weaker(left: Seen, right: Seen, damage: tuple[tuple[str, str], ...], master: str) -> str:
    if len(damage) == 1:
        return damage[0][0]
    sure = {view: _sureness(seen) for view, seen in ((LEFT, left), (RIGHT, right))}
    if abs(sure[LEFT] - sure[RIGHT]) < _ABOUT:
        return other_eye(master)
    return min(sure, key=lambda v: sure[v])


def _sureness(seen: Seen) -> float:
    """How sure an eye is of what it calls the person: 0 when it sees nobody."""
    total = float(seen.soft.sum())
    return seen.score * float((seen.soft * np.abs(2 * seen.soft - 1)).sum()) / total if total > 1 else 0.0


def _tan(window: Window, alignment: Alignment, view: str) -> float:
    """Differences of these are shifts."""
    lateral, elevation = angles(alignment.to_level(np.array(window.direction), view))
    return float(np.tan(lateral) / upright(1.0, elevation))


def _ticks(size: int, n: int) -> FloatArray:
    ticks = (np.arange(n) + 0.5) * (size / n)
    return np.stack(np.meshgrid(ticks, ticks), axis=-1)


def _look(values: FloatArray, places: FloatArray, size: int) -> FloatArray:
    scale = values.shape[0] / size
    p = (places * scale - 0.5).astype(np.float32)
    p[np.isnan(p)] = -1e4
    # several grids are looked up as one
    flat = p.reshape(-1, *p.shape[-2:])
    values = values.astype(np.float32, copy=False)
    found = cv2.remap(values, flat, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(found.reshape(p.shape[:-1]))


def _inside(places: FloatArray, projection: Projection) -> npt.NDArray[np.bool_]:
    x, y = places[..., 0], places[..., 1]
    with np.errstate(invalid="ignore"):
        out: npt.NDArray[np.bool_] = (x >= 0) & (y >= 0) & (x <= projection.width) & (y <= projection.height)
    return out
