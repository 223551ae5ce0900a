"""Somebody whom one eye follows is there for the other eye too: both look at one world from 64 millimetres apart."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from vr180_ofx.people.person import Entry
from vr180_ofx.vr180.body import Box, bounds_in, outline
from vr180_ofx.vr180.projection import Projection
from vr180_ofx.vr180.window import angles_from_direction, direction_from_angles

#: Where such entries come from, as the plan says it.
SOURCE = "other_eye"


def completed(
    entries: Mapping[str, Mapping[int, Entry]], views: tuple[str, ...], projection: Projection, gap: float
) -> dict[str, dict[int, Entry]]:  # fmt: skip
    """A person's entries, view -> frame -> entry, with those that only one of two eyes has added to the other.

    Such entries say where the person must be there: as far to the side as in the frames in which both eyes saw them. Somebody
    whom the eyes never saw together stays in one eye, since nothing says how far away they are. gap: frames that are
    bridged within one eye; what lies between two entries that near needs no help.
    """
    own = {view: dict(entries.get(view, {})) for view in views}
    both = sorted(own[views[0]].keys() & own[views[-1]].keys())
    if len(views) != 2 or not both:
        return own
    apart = [math.remainder(own[views[0]][n].body.longitude - own[views[1]][n].body.longitude, math.tau) for n in both]
    full = {view: dict(e) for view, e in own.items()}
    for view, other, sign in ((views[0], views[1], 1.0), (views[1], views[0], -1.0)):
        known = sorted(own[view])
        for n in own[other]:
            if n in own[view] or _bridged(known, n, gap):
                continue
            entry = _moved(own[other][n], sign * float(np.interp(n, both, apart)), projection)
            if entry is not None:
                full[view][n] = entry
    return full


def _bridged(known: list[int], n: int, gap: float) -> bool:
    k = bisect_left(known, n)
    return 0 < k < len(known) and known[k] - known[k - 1] <= gap


def _moved(entry: Entry, longitude: float, projection: Projection) -> Entry | None:
    """An entry further to the right by an angle in radians; None where that is outside the picture."""
    body = entry.body.shifted(longitude)
    hips, top = projection.project(np.array([body.direction, body.top()]))
    inside = bool(((hips >= 0) & (hips <= (projection.width, projection.height))).all())
    if not inside or not np.isfinite(top).all():
        return None
    box = _moved_box(entry.box, longitude, projection)
    return None if box is None else replace(entry, body=body, box=box, source=SOURCE)


def _moved_box(box: Box, longitude: float, projection: Projection) -> Box | None:
    directions = projection.unproject(outline(box))
    angles = map(angles_from_direction, directions[np.isfinite(directions).all(axis=1)])
    turned = [direction_from_angles(lon + longitude, lat) for lon, lat in angles]
    return bounds_in(np.array(turned), projection) if turned else None
