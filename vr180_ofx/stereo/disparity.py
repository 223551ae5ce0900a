"""How far apart the eyes see a person: matched along the rows of epipolar windows (`matching`), or as the person's distance says."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vr180_ofx.arrays import BoolArray, FloatArray
from vr180_ofx.imaging.either import hosts, is_tensor
from vr180_ofx.matte.patch import Patch
from vr180_ofx.media.contract import EyeImage
from vr180_ofx.stereo.matching import match, surface
from vr180_ofx.stereo.pair import StereoPair, sampled
from vr180_ofx.stereo.parameters import STEREO, DisparityParameters
from vr180_ofx.vr180.epipolar import EpipolarWindow, angles, range_m, upright
from vr180_ofx.vr180.layout import LEFT, RIGHT
from vr180_ofx.vr180.projection import Projection


@dataclass(frozen=True, slots=True, repr=False)
class Disparity:
    """Where the left eye sees what the right eye sees.

    right, left: windows with the same rows. shift: (height, width) float32; the point of column i of the right window lies in column
    i + shift of the left one. sure: (height, width) where it was measured and not interpolated. mask: (height, width) the person, 0..1.
    """

    right: EpipolarWindow
    left: EpipolarWindow
    shift: FloatArray
    sure: BoolArray
    mask: FloatArray

    def __post_init__(self) -> None:
        shape = (self.right.height, self.right.width)
        if not self.shift.shape == self.sure.shape == self.mask.shape == shape or self.left.height != self.right.height:
            raise ValueError(
                f"the windows have {self.right.height} and {self.left.height} rows, the right one {self.right.width} columns; shift, sure "
                f"and mask have the shapes {self.shift.shape}, {self.sure.shape} and {self.mask.shape}, and must have the right window's"
            )

    def __repr__(self) -> str:
        return f"Disparity({self.right.width}x{self.right.height}, sureness={self.sureness:.2f})"

    @property
    def sureness(self) -> float:
        """The share of the person where it was measured, 0..1."""
        inside = self.mask > 0.5
        return float(self.sure[inside].mean()) if inside.any() else 0.0

    def laterals_left(self) -> FloatArray:
        """(height, width) the lateral angle at which the left eye sees each pixel of the right window, radians."""
        columns = np.arange(self.right.width) + 0.5 + self.shift
        out: FloatArray = self.left.lateral + (columns - self.left.width / 2) * self.left.scale
        return out

    def range_m(self, interocular_m: float) -> FloatArray:
        """(height, width) metres from the baseline. See `epipolar.range_m`."""
        return range_m(self.laterals_left(), self.right.laterals()[None, :], interocular_m)


def measure(
    pair: StereoPair, in_left: Patch, in_right: Patch, parameters: DisparityParameters = STEREO.disparity, *, exact: bool = True
) -> Disparity | None:  # fmt: skip
    """The disparity of one person, from the eyes' pictures and mattes. None when one of the eyes does not show them, or only where the
    baseline ends, at which eyes see no depth.

    exact: see `matching.match`.
    """
    ours = {view: pair.level(view) for view in (LEFT, RIGHT)}
    box_left, box_right = _boxes((in_left, ours[LEFT]), (in_right, ours[RIGHT]), parameters=parameters)
    if box_left is None or box_right is None:
        return None
    (l0, l1, l2, l3), (r0, r1, r2, r3) = box_left, box_right
    half = max(l2 - l0, r2 - r0) / 2
    # as fine as the picture in its middle, or as suffices
    scale = max(_pixel(pair.projection), (max(l3, r3) - min(l1, r1)) / parameters.rows, 2 * half / parameters.rows)
    # both windows are as wide, and neither reaches beyond the pole
    half = min(half, math.pi / 2 - (parameters.margin_px + 2) * scale - max(abs(l0 + l2), abs(r0 + r2)) / 2)
    if half <= scale:
        return None
    box = ((l0 + l2) / 2 - half, min(l1, r1), (l0 + l2) / 2 + half, max(l3, r3))
    level = EpipolarWindow.around(box, scale, parameters.margin_px)
    window_left, window_right = level.moved((l0 + l2) / 2), level.moved((r0 + r2) / 2)
    left, right = _see(pair.left, in_left, window_left, ours[LEFT]), _see(pair.right, in_right, window_right, ours[RIGHT])
    # matchers are the host's
    luma_left, mask_left, luma_right, mask_right = hosts(*left, *right)
    shift, sure = match(luma_left, luma_right, mask_left, mask_right, parameters, exact=exact)
    return Disparity(window_right, window_left, surface(shift, sure, mask_right, parameters), sure, mask_right)


def at_distance(
    pair: StereoPair, patch: Patch, shift: float, parameters: DisparityParameters = STEREO.disparity, *, from_left: bool
) -> Disparity:  # fmt: skip
    """The disparity of somebody upright and flat, where there is nothing to match.

    patch: the person's matte in the left eye, or, without ``from_left``, in the right one. shift: see `epipolar.upright`.
    """
    (box,) = _boxes((patch, pair.level(LEFT if from_left else RIGHT)), parameters=parameters)
    l0, l1, l2, l3 = box or (0.0, 0.0, 1e-3, 1e-3)
    scale = max(_pixel(pair.projection), (l3 - l1) / parameters.rows, (l2 - l0) / parameters.rows)
    sign = -1 if from_left else 1
    # the largest step is that at the elevation nearest to the horizon
    steps = [sign * float(v) for v in upright(shift, np.array([l1, min(max(0.0, l1), l3), l3]))]
    low, high = math.atan(math.tan(l0) + min(steps)), math.atan(math.tan(l2) + max(steps))
    own = EpipolarWindow.around((l0, l1, l2, l3), scale, parameters.margin_px)
    there = EpipolarWindow.around((low, l1, high, l3), scale, parameters.margin_px)
    left, right = (own, there) if from_left else (there, own)
    laterals = np.arctan(np.tan(right.laterals())[None, :] + upright(shift, right.elevations())[:, None])
    columns = (laterals - left.lateral) / scale + left.width / 2 - 0.5 - np.arange(right.width)
    return Disparity(right, left, columns.astype(np.float32), np.zeros(columns.shape, bool), np.zeros(columns.shape, np.float32))


def _pixel(projection: Projection) -> float:
    """Radians of a pixel in the middle of the picture."""
    middle = np.array([projection.width / 2, projection.height / 2])
    rays = projection.unproject(np.stack([middle, middle + np.array([1, 0])]))
    return math.acos(float(np.clip(rays[0] @ rays[1], -1, 1)))


def _boxes(*mattes: tuple[Patch, Projection], parameters: DisparityParameters) -> list[tuple[float, float, float, float] | None]:
    """(least lateral, least elevation, most lateral, most elevation) of each matte, radians; None when it is empty."""
    # some hundreds of samples a side are enough
    steps = [max(1, min(patch.alpha.shape) // parameters.box_samples) for patch, _ in mattes]
    inside = hosts(*(patch.alpha[::step, ::step] > 0.5 for (patch, _), step in zip(mattes, steps, strict=True)))
    return [_box(*of, *matte, parameters) for of, matte in zip(zip(inside, steps, strict=True), mattes, strict=True)]


def _box(
    inside: BoolArray, step: int, patch: Patch, projection: Projection, parameters: DisparityParameters
) -> tuple[float, float, float, float] | None:  # fmt: skip
    ys, xs = np.nonzero(inside)
    if not len(xs):
        return None
    some = max(1, len(xs) // parameters.box_points)
    points = np.stack([xs[::some] * step + patch.rect.x0 + 0.5, ys[::some] * step + patch.rect.y0 + 0.5], axis=-1)
    a = angles(projection.unproject(points))
    low, high = np.nanmin(a, axis=0), np.nanmax(a, axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _see(eye: EyeImage, patch: Patch, window: EpipolarWindow, projection: Projection) -> tuple[FloatArray, FloatArray]:
    """(luma, matte) of a window, (h, w) each."""
    if is_tensor(eye.like) and is_tensor(patch.alpha):
        there = window.grid(projection, like=eye.like)
        return eye.sample(there, window.rough_grid(projection)).guide[..., 0], sampled(patch.alpha, patch.rect, there)
    grid = window.grid(projection).astype(np.float32)
    return eye.sample(grid).guide[..., 0], sampled(patch.alpha, patch.rect, grid)
