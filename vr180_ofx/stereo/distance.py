"""How far away somebody is, from one look at both eyes: the person's picture in one eye is searched for along the rows of the other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from vr180_ofx.arrays import BoolArray, FloatArray
from vr180_ofx.imaging.either import host
from vr180_ofx.imaging.matching import template_likeness
from vr180_ofx.imaging.sample import sample
from vr180_ofx.media.contract import EyeImage
from vr180_ofx.stereo.parameters import DISTANCE, DistanceParameters
from vr180_ofx.vr180.alignment import Alignment
from vr180_ofx.vr180.epipolar import EpipolarWindow, angles, upright
from vr180_ofx.vr180.projection import Projection


@dataclass(frozen=True, slots=True)
class Match:
    """shift: the interocular distance over the depth, see `epipolar.upright`.

    likeness: -1..1, the correlation of both pictures. direction: unit vector to where the right eye sees them.
    """

    shift: float
    likeness: float
    direction: tuple[float, float, float]


def whole_shift(
    left: EyeImage, right: EyeImage, in_left: FloatArray, mask: BoolArray, projection: Projection, *,
    parameters: DistanceParameters = DISTANCE,
) -> Match | None:  # fmt: skip
    """How far apart the eyes see a person as a whole. None when there is nothing to search for.

    left, right: pictures of one size, whose ``projection`` this is. mask: (h, w) what the person covers in the right eye, of any
    resolution. in_left: (3,) unit vector to about where the left eye has their middle.
    """
    height, width = mask.shape
    ys, xs = np.nonzero(mask)
    if len(xs) < parameters.least_mask:
        return None
    factor = projection.width / width
    points = np.stack([(xs + 0.5) * factor, (ys + 0.5) * factor], axis=-1)
    a = angles(projection.unproject(points))
    outer = parameters.outer_percent
    (l0, l1), (l2, l3) = np.nanpercentile(a, outer, axis=0), np.nanpercentile(a, 100 - outer, axis=0)
    if not np.isfinite([l0, l1, l2, l3]).all() or l3 - l1 < 1e-3 or l2 - l0 < 1e-3:
        return None
    scale = max((l3 - l1) / parameters.rows, (l2 - l0) / parameters.rows)
    reach = max(parameters.least_search_px, math.ceil(parameters.search * (l3 - l1) / scale))
    middle = float(np.median(a[:, 0]))
    expected = float(angles(np.asarray(in_left))[0]) - middle
    try:
        template = EpipolarWindow.around((float(l0), float(l1), float(l2), float(l3)), scale)
        middle_of_strip, rows = template.lateral + expected, template.height + 2 * parameters.level_px
        strip = EpipolarWindow(middle_of_strip, template.elevation, scale, template.width + 2 * reach, rows)
    except ValueError:
        return None
    grid = template.grid(projection).astype(np.float32)
    inside = sample(mask.astype(np.float32), grid, pixel=(factor, factor)) > 0.5
    if np.count_nonzero(inside) < parameters.least_pixels:
        return None
    what = host(right.sample(grid).guide[..., 0])
    where = host(left.sample(strip.grid(projection).astype(np.float32)).guide[..., 0])
    picture, template_picture = (np.ascontiguousarray(v, np.float32) for v in (where, what))
    found = template_likeness(picture, template_picture, inside.astype(np.float32))
    found = np.nan_to_num(found, nan=-1, posinf=-1, neginf=-1)
    row, column = (int(v) for v in np.unravel_index(int(np.argmax(found)), found.shape))
    dx = column + _peak(found[row], column) - reach
    lateral = math.atan(math.tan(middle)) + expected + dx * scale
    if abs(lateral) >= math.pi / 2 or abs(middle) >= math.pi / 2:
        return None
    x, y, z = (float(v) for v in projection.unproject(np.median(points, axis=0)))
    shift = (math.tan(lateral) - math.tan(middle)) / float(upright(1.0, np.array(template.elevation)))
    return Match(shift, float(found[row, column]), (x, y, z))


def _peak(values: FloatArray, k: int) -> float:
    """Where a parabola through a maximum and its neighbours has its top."""
    if not 0 < k < len(values) - 1:
        return 0.0
    before, here, after = (float(v) for v in values[k - 1 : k + 2])
    bend = before - 2 * here + after
    return float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5)) if bend < 0 else 0.0


def smooth_shifts(matches: Mapping[int, Match], every: int, parameters: DistanceParameters = DISTANCE) -> dict[int, float]:
    """Frame -> shift, one for each stretch of ``every`` frames, from what looked alike; outliers left out.

    matches: frame -> what was found in it.
    """
    stretches: dict[int, list[tuple[int, float]]] = {}
    for n, match in matches.items():
        if match.likeness >= parameters.least_likeness:
            stretches.setdefault(n // every, []).append((n, match.shift))
    points = [(round(float(np.median([n for n, _ in b]))), float(np.median([s for _, s in b]))) for _, b in sorted(stretches.items())]
    shifts = np.array([s for _, s in points])
    kept = {}
    for k, (n, shift) in enumerate(points):
        near = float(np.median(shifts[max(0, k - parameters.neighbours) : k + parameters.neighbours + 1]))
        if shift > 0 and abs(shift - near) <= parameters.outlier * max(abs(near), parameters.outlier_floor):
            kept[n] = shift
    return kept


def levelled(match: Match, alignment: Alignment) -> Match:
    """What parallel cameras would have measured."""
    if alignment.level:
        return match
    lateral, elevation = (float(v) for v in angles(np.array(match.direction)))
    step = float(upright(1.0, np.array(elevation)))
    lateral = math.atan(math.tan(lateral) + match.shift * step)
    # to first order: turns of a degree move what is measured by a fiftieth of it
    turned = alignment.yaw * math.cos(elevation) + alignment.roll * math.sin(elevation)
    return replace(match, shift=match.shift - turned / math.cos(lateral) ** 2 / step)
