"""How far apart the eyes see a person: matched along the rows of epipolar windows, and made one smooth surface.

Two matchers look for the same thing in different ways: semi-global matching (Hirschmueller 2008, OpenCV's StereoSGBM), which is robust
and counts in sixteenths, and dense inverse search (Kroeger et al. 2016, OpenCV's DIS), which is fine and goes astray. Where they agree is
believed; in between the surface is interpolated. Both see the person alone: everything else is one grey.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.patch import Patch
from vr180_ofx.media.contract import EyeImage
from vr180_ofx.vr180.alignment import LEVEL, Alignment
from vr180_ofx.vr180.epipolar import EpipolarWindow, angles, range_m, upright
from vr180_ofx.vr180.layout import LEFT, RIGHT
from vr180_ofx.vr180.projection import Projection

#: Pixels around the person.
_MARGIN = 24
#: The shift between the windows is looked for in so many pixels, half of them to each side.
_SEARCH = 48
#: More rows or columns of a person do not make the surface better, only dearer.
_ROWS = 320
#: A matte's extent is looked up in so many samples on its shorter side.
_BOX_SAMPLES = 256
#: JoinedPair of the two matchers, in pixels.
_AGREE = 0.8
#: A person's shifts reach so many pixels beyond those that are known at once; with fewer known ones than this, nothing is known.
_BEYOND, _KNOWN = 4, 200
#: A surface departs from its plane by so much at most, in pixels: a person at arm's length is 20 cm deep.
_DEPTH_PX = 6.0
#: Blurs over which what is believed is spread, in pixels, and their weights: near by where there is something, far where there is not.
_SPREAD = ((4.0, 1.0), (12.0, 0.05), (36.0, 0.002))


@dataclass(frozen=True, slots=True)
class Disparity:
    """Where the left eye sees what the right eye sees.

    right, left: windows with the same rows. shift: (height, width) float32; the point of column i of the right window lies in column
    i + shift of the left one. sure: (height, width) where it was measured and not interpolated. mask: (height, width) the person, 0..1.
    """

    right: EpipolarWindow
    left: EpipolarWindow
    shift: FloatArray
    sure: npt.NDArray[np.bool_]
    mask: FloatArray

    @property
    def sureness(self) -> float:
        """The share of the person where it was measured."""
        inside = self.mask > 0.5
        return float(self.sure[inside].mean()) if inside.any() else 0.0

    def laterals_left(self) -> FloatArray:
        """(height, width) the lateral angle at which the left eye sees each pixel of the right window."""
        columns = np.arange(self.right.width) + 0.5 + self.shift
        out: FloatArray = self.left.lateral + (columns - self.left.width / 2) * self.left.scale
        return out

    def range_m(self, interocular_m: float) -> FloatArray:
        """(height, width) metres from the baseline. See `epipolar.range_m`."""
        return range_m(self.laterals_left(), self.right.laterals()[None, :], interocular_m)


def measure(
    left: EyeImage, right: EyeImage, in_left: Patch, in_right: Patch, projection: Projection, alignment: Alignment = LEVEL,
    exact: bool = True,
) -> Disparity | None:  # fmt: skip
    """The disparity of one person, from the eyes' pictures and mattes. None when one of the eyes does not show them, or only where the
    baseline ends, at which eyes see no depth.

    projection: of the pictures, which have one size. alignment: how the cameras are turned against each other. exact: see `match`.
    """
    ours = {view: alignment.projection(projection, view) for view in (LEFT, RIGHT)}
    box_left, box_right = _box(in_left, ours[LEFT]), _box(in_right, ours[RIGHT])
    if box_left is None or box_right is None:
        return None
    (l0, l1, l2, l3), (r0, r1, r2, r3) = box_left, box_right
    half = max(l2 - l0, r2 - r0) / 2
    # as fine as the picture in its middle, or as suffices
    scale = max(_pixel(projection), (max(l3, r3) - min(l1, r1)) / _ROWS, 2 * half / _ROWS)
    # both windows are as wide, and neither reaches beyond the pole
    half = min(half, math.pi / 2 - (_MARGIN + 2) * scale - max(abs(l0 + l2), abs(r0 + r2)) / 2)
    if half <= scale:
        return None
    level = EpipolarWindow.around(((l0 + l2) / 2 - half, min(l1, r1), (l0 + l2) / 2 + half, max(l3, r3)), scale, _MARGIN)
    window_left, window_right = level.moved((l0 + l2) / 2), level.moved((r0 + r2) / 2)
    seen = [_see(left, in_left, window_left, ours[LEFT]), _see(right, in_right, window_right, ours[RIGHT])]
    (luma_left, mask_left), (luma_right, mask_right) = seen
    shift, sure = match(luma_left, luma_right, mask_left, mask_right, exact)
    return Disparity(window_right, window_left, surface(shift, sure, mask_right), sure, mask_right)


def at_distance(patch: Patch, shift: float, from_left: bool, projection: Projection, alignment: Alignment = LEVEL) -> Disparity:
    """The disparity of somebody upright and flat, where there is nothing to match. The matte is one eye's.

    shift: see `epipolar.upright`. alignment: see `measure`.
    """
    own_projection = alignment.projection(projection, LEFT if from_left else RIGHT)
    l0, l1, l2, l3 = _box(patch, own_projection) or (0.0, 0.0, 1e-3, 1e-3)
    scale = max(_pixel(projection), (l3 - l1) / _ROWS, (l2 - l0) / _ROWS)
    sign = -1 if from_left else 1
    # the largest step is that at the elevation nearest to the horizon
    steps = [sign * float(v) for v in upright(shift, np.array([l1, min(max(0.0, l1), l3), l3]))]
    low, high = math.atan(math.tan(l0) + min(steps)), math.atan(math.tan(l2) + max(steps))
    own = EpipolarWindow.around((l0, l1, l2, l3), scale, _MARGIN)
    there = EpipolarWindow.around((low, l1, high, l3), scale, _MARGIN)
    left, right = (own, there) if from_left else (there, own)
    laterals = np.arctan(np.tan(right.laterals())[None, :] + upright(shift, right.elevations())[:, None])
    columns = (laterals - left.lateral) / scale + left.width / 2 - 0.5 - np.arange(right.width)
    return Disparity(right, left, columns.astype(np.float32), np.zeros(columns.shape, bool), np.zeros(columns.shape, np.float32))


def match(
    left: FloatArray, right: FloatArray, mask_left: FloatArray, mask_right: FloatArray, exact: bool = True
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:  # fmt: skip
    """left, right: (h, w) luma 0..1 of windows with the same rows; masks: (h, w) the person, 0..1. exact: at twice the size, where errors
    are a few percent smaller, and which takes twice the time.

    Returns the shift for the right's pixels, and where it can be believed.
    """
    grey = float(np.median(right[mask_right > 0.8])) if (mask_right > 0.8).any() else 0.5
    bare_left, bare_right = (_bytes(p * m + grey * (1 - m)) for p, m in ((left, mask_left), (right, mask_right)))
    fine = _inverse_search(bare_left, bare_right)
    inside = mask_right > 0.8
    everything = -_SEARCH // 2, _SEARCH // 2
    rough = _semi_global(bare_left, bare_right, *everything, enlarge=1)
    if exact:
        rough = _semi_global(bare_left, bare_right, *_range(rough, fine, inside, everything), enlarge=2)
    agree = np.abs(rough - fine) < _AGREE
    return np.where(agree, (rough + fine) / 2, rough).astype(np.float32), agree & inside


def surface(shift: FloatArray, sure: npt.NDArray[np.bool_], mask: FloatArray) -> FloatArray:
    """A smooth surface through what is believed: a plane, and what departs from it."""
    plane = _plane(shift, sure if sure.any() else mask > 0.5)
    weight = (sure * mask).astype(np.float32)
    rest = np.clip(shift - plane, -_DEPTH_PX, _DEPTH_PX) * weight
    total, weights = np.zeros_like(plane), np.full_like(plane, 1e-6)
    for sigma, share in _SPREAD:
        total += share * cv2.GaussianBlur(rest, (0, 0), sigma)
        weights += share * cv2.GaussianBlur(weight, (0, 0), sigma)
    out: FloatArray = plane + total / weights
    return out


def _plane(shift: FloatArray, where: npt.NDArray[np.bool_]) -> FloatArray:
    """The plane that most of it lies on: least squares, with ever less weight for what is far from it (Cauchy's)."""
    height, width = shift.shape
    ys, xs = np.mgrid[:height, :width].astype(np.float32)
    terms = np.stack([np.ones_like(xs), xs / width, ys / height], axis=-1)
    if int(where.sum()) < 16:
        return np.full((height, width), float(np.median(shift[where])) if where.any() else 0.0, np.float32)
    a, b = terms[where], shift[where]
    weight = np.ones(len(b), np.float32)
    fit = np.zeros(3, np.float32)
    for _ in range(10):
        fit = np.linalg.lstsq(a * weight[:, None], b * weight, rcond=None)[0]
        off = np.abs(b - a @ fit)
        weight = 1 / np.sqrt(1 + (off / max(float(np.median(off)), 0.05)) ** 2)
    out: FloatArray = (terms @ fit).astype(np.float32)
    return out


def _range(rough: FloatArray, fine: FloatArray, inside: npt.NDArray[np.bool_], everything: tuple[int, int]) -> tuple[int, int]:
    """(least, most) shift, in pixels, that a person can have: what both matchers find, and some more."""
    known = fine[inside & (np.abs(rough - fine) < 2 * _AGREE)]
    if len(known) < _KNOWN:
        return everything
    low, high = (float(v) for v in np.percentile(known, (0.5, 99.5)))
    return max(everything[0], math.floor(low) - _BEYOND), min(everything[1], math.ceil(high) + _BEYOND)


def _semi_global(
    left: npt.NDArray[np.uint8], right: npt.NDArray[np.uint8], least: int, most: int, enlarge: int
) -> FloatArray:  # fmt: skip
    """Shifts from ``least`` to ``most`` pixels; enlarged, sixteenths are finer. The matcher takes its left picture for the
    reference, so both are mirrored.
    """
    size = (left.shape[1] * enlarge, left.shape[0] * enlarge)
    count, block = -(-enlarge * (most - least) // 16) * 16, 5
    # the count is rounded up, by less than 16
    reach = enlarge * max(-least, most) + 16
    big = [
        cv2.copyMakeBorder(cv2.resize(p, size, interpolation=cv2.INTER_CUBIC), 0, 0, reach, reach, cv2.BORDER_REPLICATE)
        for p in (left, right)
    ]
    matcher = cv2.StereoSGBM.create(
        minDisparity=enlarge * least, numDisparities=count, blockSize=block, P1=8 * block**2, P2=32 * block**2, disp12MaxDiff=-1,
        uniquenessRatio=5, mode=cv2.STEREO_SGBM_MODE_SGBM,
    )  # fmt: skip
    found = cv2.flip(matcher.compute(cv2.flip(big[1], 1), cv2.flip(big[0], 1)), 1)[:, reach:-reach].astype(np.float32) / 16
    small: FloatArray = cv2.resize(found, (left.shape[1], left.shape[0]), interpolation=cv2.INTER_AREA) / enlarge
    return small


def _inverse_search(left: npt.NDArray[np.uint8], right: npt.NDArray[np.uint8]) -> FloatArray:
    """Its vertical part is left out: rows are rows in both pictures."""
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    flow.setFinestScale(0)
    out: FloatArray = flow.calc(right, left, None)[..., 0]
    return out


def _bytes(values: FloatArray) -> npt.NDArray[np.uint8]:
    return np.clip(np.rint(values * 255), 0, 255).astype(np.uint8)


def _pixel(projection: Projection) -> float:
    """Radians of a pixel in the middle of the picture."""
    middle = np.array([projection.width / 2, projection.height / 2])
    rays = projection.unproject(np.stack([middle, middle + np.array([1, 0])]))
    return math.acos(float(np.clip(rays[0] @ rays[1], -1, 1)))


def _box(patch: Patch, projection: Projection) -> tuple[float, float, float, float] | None:
    """(least lateral, least elevation, most lateral, most elevation) of a matte; None when it is empty."""
    # some hundreds of samples a side are enough
    step = max(1, min(patch.alpha.shape) // _BOX_SAMPLES)
    ys, xs = np.nonzero(patch.alpha[::step, ::step] > 0.5)
    if not len(xs):
        return None
    some = max(1, len(xs) // 5000)
    points = np.stack([xs[::some] * step + patch.rect.x0 + 0.5, ys[::some] * step + patch.rect.y0 + 0.5], axis=-1)
    a = angles(projection.unproject(points))
    low, high = np.nanmin(a, axis=0), np.nanmax(a, axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _see(eye: EyeImage, patch: Patch, window: EpipolarWindow, projection: Projection) -> tuple[FloatArray, FloatArray]:
    """(luma, matte) of a window."""
    grid = window.grid(projection).astype(np.float32)
    return eye.sample(grid).guide[..., 0], looked_up(patch.alpha, grid, patch.rect)


def looked_up(values: FloatArray, places: FloatArray, rect: Rect) -> FloatArray:
    """A patch's values, which lie in ``rect``, at continuous pixels of its eye; 0 outside of it and where a place is NaN."""
    p = places.astype(np.float32)
    p -= np.array([rect.x0 + 0.5, rect.y0 + 0.5], np.float32)
    p[np.isnan(p)] = -1e4
    out: FloatArray = cv2.remap(
        values.astype(np.float32, copy=False), p, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0
    )
    return out
