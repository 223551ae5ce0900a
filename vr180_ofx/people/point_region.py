"""What somebody covers at a frame in which no network sees them, by points on them alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from vr180_ofx.arrays import BoolArray, FloatArray
from vr180_ofx.errors import PlanError
from vr180_ofx.imaging.filter import gaussian_blur
from vr180_ofx.imaging.label_fusion import perceptual
from vr180_ofx.imaging.morphology import dilate, disc
from vr180_ofx.imaging.outlines import outlines_of
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.imaging.stable import stable_part
from vr180_ofx.media.contract import EyeImage
from vr180_ofx.people.contract import Segmenter
from vr180_ofx.people.masks import union
from vr180_ofx.people.observe import Observer
from vr180_ofx.people.outline import BY_POINTS, outline_from
from vr180_ofx.people.parameters import CARRY, PLAN, POINT_REGION, CarryParameters, PlanParameters, PointRegionParameters
from vr180_ofx.people.person import Entry
from vr180_ofx.vr180.body import Body, bounds_in
from vr180_ofx.vr180.projection import Projection
from vr180_ofx.vr180.window import angles_from_direction

#: A place in pixels of one eye.
Point = tuple[float, float]


def entry_by_points(
    eye: EyeImage, projection: Projection, plus: Sequence[Point], minus: Sequence[Point], body: Body, *, known: Mapping[int, Body],
    segmenter: Segmenter, parameters: PlanParameters = PLAN, carrying: CarryParameters = CARRY, p: PointRegionParameters = POINT_REGION,
) -> Entry:  # fmt: skip
    """Somebody who is where ``plus`` is: each point has the part of the picture around it that ends at edges, see `imaging.stable`, no
    further away than a body reaches, and without what the network is sure is somebody else's. Where a point lies on what the
    network takes for somebody else, it is the point that is believed.

    eye: the whole picture. projection: of it; the points are its pixels. body: where they should be, and how large, see `expected`. known:
    number -> where others are. Raises PlanError where nothing says how far what belongs to a point goes.
    """
    body = _reaching(body, projection.unproject(np.array(plus, float)), plus)
    reach = body.reach_px(projection)
    if not math.isfinite(reach):
        raise PlanError("the body that the points belong to lies outside of what the lens sees")
    factor = max(1, round(reach / p.reach_px))
    eye, reach = eye.reduced(factor), reach / factor
    scale = np.array([eye.width / projection.width, eye.height / projection.height])
    ours, theirs = (np.array(points, float).reshape(-1, 2) * scale for points in (plus, minus))
    away = p.reach * reach
    rect = Rect.around(ours, math.ceil(away) + 1).clipped(eye.width, eye.height)
    ours, theirs = (points - np.array([rect.x0, rect.y0]) for points in (ours, theirs))
    colours = perceptual(gaussian_blur(eye.region(rect), 1.0))
    dot = p.dot * reach
    never = _around(theirs, rect, dot)
    observer = Observer(segmenter, projection, parameters.observe)
    touching = {i: b for i, b in known.items() if b.may_touch(body)}
    others = {i: observer.logits(eye, b, rect) > carrying.surely_in_front for i, b in touching.items()}
    covered = np.zeros((rect.height, rect.width), bool)
    for (x, y), shown in zip(ours, plus, strict=True):
        near = _around(np.array([[x, y]]), rect, away)
        at = int(min(y, rect.height - 1)), int(min(x, rect.width - 1))
        taken = union(mask for mask in others.values() if not mask[at])
        room = near if taken is None else near & ~taken
        own = stable_part(colours, (float(x), float(y)), room, never, dot)
        # at the end of what a body reaches no edge is found
        if own is None or (own & ~_around(np.array([[x, y]]), rect, away - 1.5)).any():
            why = "and a minus point is near; " if own is None and theirs.size else ""
            raise PlanError(
                f"the network sees nobody at {shown[0]:g},{shown[1]:g}, and the picture has no edge around it, so that nothing says how "
                f"far what is theirs goes; {why}leave that point out, or put it on a part that stands out from what is behind it"
            )
        covered |= own
    found = [
        (points + np.array([rect.x0, rect.y0])) / scale
        for points in outlines_of(covered, off=carrying.outline_px, least=carrying.least_piece * reach**2)
    ]
    box = bounds_in(projection.unproject(np.concatenate(found)), projection) if found else None
    if box is None:
        raise PlanError("what belongs to the points is too small to be a part of a body that is so near; put them on a larger part")
    beside = dilate(covered, disc(3))
    behind = tuple(sorted(i for i, mask in others.items() if (beside & mask).any()))
    return Entry(body, box, BY_POINTS, "edited", behind, outline=outline_from(found))


def expected(entries: Mapping[int, Entry], n: int) -> Body | None:
    """Where somebody is at a frame, and how large: on the way from the entry before to that after it; None without any."""
    before, after = max((k for k in entries if k <= n), default=None), min((k for k in entries if k >= n), default=None)
    if before is None or after is None:
        nearest = before if after is None else after
        return None if nearest is None else entries[nearest].body
    one, other = entries[before].body, entries[after].body
    share = (n - before) / max(after - before, 1)
    middle = (1 - share) * np.array(one.direction) + share * np.array(other.direction)
    longitude, latitude = angles_from_direction(middle / np.linalg.norm(middle))
    # sizes are compared by how many times they are as large
    reach = one.reach ** (1 - share) * other.reach**share
    return replace(one if share < 0.5 else other, longitude=longitude, latitude=latitude, reach=reach)


def _reaching(body: Body, directions: FloatArray, plus: Sequence[Point]) -> Body:
    """A body that has points within its reach: where it is, or moved no further than needed. Raises PlanError."""
    middle = directions.mean(axis=0)
    middle /= np.linalg.norm(middle)
    away = [math.acos(float(np.clip(middle @ d, -1, 1))) for d in directions]
    if max(away) > body.reach:
        shown = " and ".join(f"{x:g},{y:g}" for x, y in plus)
        raise PlanError(f"the points {shown} lie further apart than one body of the size they have beside this frame reaches")
    hips = np.array(body.direction)
    for share in np.linspace(0, 1, 21):
        at = (1 - share) * hips + share * middle
        at /= np.linalg.norm(at)
        if all(math.acos(float(np.clip(at @ d, -1, 1))) <= body.reach for d in directions):
            break
    longitude, latitude = angles_from_direction(at)
    return replace(body, longitude=longitude, latitude=latitude)


def _around(points: FloatArray, rect: Rect, away: float) -> BoolArray:
    """What lies so near to any of the points, pixels of ``rect``."""
    ys, xs = np.mgrid[: rect.height, : rect.width] + 0.5
    out = np.zeros((rect.height, rect.width), bool)
    for x, y in points:
        out |= np.hypot(xs - x, ys - y) <= away
    return out
