"""How far away something is that nobody knows anything about: its picture in one eye is held against the other's at every distance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.either import host
from vr180_ofx.matte.patch import Patch
from vr180_ofx.stereo.pair import StereoPair, sampled
from vr180_ofx.stereo.parameters import SWEEP, SweepParameters
from vr180_ofx.vr180.epipolar import EpipolarWindow, angles, directions, upright
from vr180_ofx.vr180.layout import LEFT, other_eye


@dataclass(frozen=True, slots=True)
class Swept:
    """shift: see `epipolar.upright`. likeness: -1..1, the correlation of both pictures there. lead: by how much it is more like than
    at any other distance, from what is around its own peak on.
    """

    shift: float
    likeness: float
    lead: float


def sweep(
    pair: StereoPair, patch: Patch, view: str, interocular_m: float, parameters: SweepParameters = SWEEP
) -> Swept | None:  # fmt: skip
    """The distance at which what is under ``patch`` in the eye ``view`` looks most like what the other eye sees (a plane sweep, Collins
    1996, over planes that stand upright around the cameras). None when the patch is too small, or has no contrast.
    """
    here, there = pair.level(view), pair.level(other_eye(view))
    window = _window(pair, patch, view, parameters)
    if window is None:
        return None
    grid = window.grid(here).astype(np.float32)
    mask = host(sampled(patch.alpha, patch.rect, grid) > parameters.inside)
    if np.count_nonzero(mask) < parameters.least_pixels:
        return None
    eyes = {LEFT: pair.left}
    own, other = (pair.left, pair.right) if view in eyes else (pair.right, pair.left)
    what = host(own.sample(grid).guide[..., 0])[mask]
    elevations = np.broadcast_to(window.elevations()[:, None], mask.shape)[mask]
    tangents = np.broadcast_to(np.tan(window.laterals())[None, :], mask.shape)[mask]
    sign = -1 if view == LEFT else 1
    shifts = _shifts(window.scale, interocular_m, parameters)
    likeness = []
    for shift in shifts:
        lateral = np.arctan(tangents + sign * upright(float(shift), elevations))
        places = there.project(directions(lateral, elevations)).astype(np.float32)
        likeness.append(_correlation(what, host(other.sample(places[None]).guide[0, :, 0])))
    values = np.array(likeness)
    if not np.isfinite(values).any():
        return None
    best = int(np.nanargmax(values))
    far = np.abs(np.arange(len(values)) - best) > parameters.peak_steps
    rest = float(np.nanmax(values[far])) if far.any() and np.isfinite(values[far]).any() else -1.0
    return Swept(float(shifts[best]), float(values[best]), float(values[best]) - rest)


def _shifts(scale: float, interocular_m: float, parameters: SweepParameters) -> FloatArray:
    """From infinity to the nearest distance, a pixel of the window apart, or as many as are looked at at most."""
    most = interocular_m / parameters.nearest_m
    count = min(parameters.most_steps, max(2, int(np.ceil(most / scale)) + 1))
    return np.linspace(0, most, count)


def _window(pair: StereoPair, patch: Patch, view: str, parameters: SweepParameters) -> EpipolarWindow | None:
    ys, xs = np.nonzero(host(patch.alpha > parameters.inside))
    if len(xs) < parameters.least_pixels:
        return None
    a = angles(pair.level(view).unproject(np.stack([xs + patch.rect.x0 + 0.5, ys + patch.rect.y0 + 0.5], axis=-1)))
    (l0, l1), (l2, l3) = np.nanmin(a, axis=0), np.nanmax(a, axis=0)
    scale = max((l2 - l0) / parameters.side, (l3 - l1) / parameters.side, np.pi / pair.projection.width)
    try:
        return EpipolarWindow.around((float(l0), float(l1), float(l2), float(l3)), float(scale))
    except ValueError:
        return None


def _correlation(a: FloatArray, b: FloatArray) -> float:
    x, y = a - a.mean(), b - b.mean()
    size = float(np.sqrt((x * x).sum() * (y * y).sum()))
    return float((x * y).sum()) / size if size > 1e-6 * len(a) else float("nan")
