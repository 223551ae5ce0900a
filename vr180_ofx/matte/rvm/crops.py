"""What a matting network sees of people: which part of whose window, and who is seen together.

A person's window has room for a whole body with its arms stretched out; the network sees the part of it that is needed, by the
tracker's mask, and people who stand together are seen together. A crop stays in place as long as everybody fits, so that the
network can remember.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from vr180_ofx.imaging.parts import all_bounds
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.parameters import CROPS, CropParameters
from vr180_ofx.matte.rvm.contract import STEP
from vr180_ofx.trackers.contract import Crop, Key, Mask, WindowImage

#: (left, top, right, bottom) in a window's pixels.
Box = tuple[float, float, float, float]


def choose_crops(
    windows: Mapping[Key, WindowImage], masks: Mapping[Key, Mask], before: Mapping[Key, Crop], size: int, parameters: CropParameters = CROPS
) -> dict[Key, Crop]:
    """The crops of one frame; the key is whose window they are of, and `Crop.members` are the people in it.

    windows, masks: of everybody. before: the crops of the frame before, by the same keys. size: crops have about size x size
    pixels, in the shape that fits. Who has no mask is in no crop.
    """
    groups = _groups(windows, masks, before, parameters)
    return {g.anchor: _crop(g, before.get(g.anchor), windows[g.anchor].window.size, size, parameters) for g in groups}


@dataclass(frozen=True, slots=True)
class _Group:
    """People to be seen together.

    anchor: whose window. members: their numbers. wanted, least: boxes around all of them in that window, with much and with little
    room. area_apart: of what each of them alone would want, added up.
    """

    anchor: Key
    members: tuple[int, ...]
    wanted: Box
    least: Box
    area_apart: float


def _groups(
    windows: Mapping[Key, WindowImage], masks: Mapping[Key, Mask], before: Mapping[Key, Crop], parameters: CropParameters
) -> Iterator[_Group]:  # fmt: skip
    """Who is seen with whom: the largest first, and with them whoever is near enough."""
    found = dict(zip(windows, all_bounds([masks[k].logits > 0 for k in windows]), strict=True))
    for view in dict.fromkeys(k[1] for k in windows):
        boxes = {k[0]: _box(r) for k, r in found.items() if k[1] == view and min(r.width, r.height) > parameters.least_side_px}
        # in degrees, across windows of different cameras
        sizes = {p: _area(b) * (windows[p, view].window.fov_degrees / windows[p, view].window.size) ** 2 for p, b in boxes.items()}
        rest = sorted(boxes, key=lambda p: (-sizes[p], p))
        while rest:
            anchor = (rest.pop(0), view)
            group = _alone(anchor, boxes[anchor[0]], parameters)
            old = before.get(anchor)
            for other in list(rest):
                seen = _seen_from(windows[other, view], boxes[other], windows[anchor], parameters.beyond)
                if seen is None:
                    continue
                both = _united(group, _alone((other, view), seen, parameters))
                together = old is not None and other in old.members
                if _area(both.wanted) < (parameters.still_together if together else parameters.together) * both.area_apart:
                    group = both
                    rest.remove(other)
            yield group


def _crop(group: _Group, old: Crop | None, side: int, size: int, parameters: CropParameters) -> Crop:
    """What is seen of a group: as in the frame before, if they fit. side: of the window."""
    low, high = -parameters.beyond * side, (1 + parameters.beyond) * side
    least = tuple(float(np.clip(v, low, high)) for v in group.least)
    if old is not None and set(old.members) == set(group.members):
        x0, y0, x1, y1 = old.box
        fits = x0 <= least[0] and y0 <= least[1] and x1 >= least[2] and y1 >= least[3]
        if fits and _area(old.box) < parameters.too_large * _area(group.wanted):
            return old
    x0, y0, x1, y1 = (float(np.clip(v, low, high)) for v in group.wanted)
    # so many pixels in all, square ones, and whole steps of the network
    aspect = (y1 - y0) / (x1 - x0)
    height, width = (max(parameters.least_steps * STEP, STEP * round(size * f / STEP)) for f in (aspect**0.5, aspect**-0.5))
    scale = min(height / (y1 - y0), width / (x1 - x0))
    middle = (x0 + x1) / 2, (y0 + y1) / 2
    return Crop(group.members, middle[0] - width / scale / 2, middle[1] - height / scale / 2, scale, width, height)


def _alone(key: Key, box: Box, parameters: CropParameters) -> _Group:
    wanted = _grown(box, parameters.room)
    return _Group(key, (key[0],), wanted, _grown(box, parameters.least_room), _area(wanted))


def _united(group: _Group, other: _Group) -> _Group:
    """Both in the window of the first."""
    wanted, least = _around(group.wanted, other.wanted), _around(group.least, other.least)
    return _Group(group.anchor, (*group.members, *other.members), wanted, least, group.area_apart + other.area_apart)


def _box(r: Rect) -> Box:
    return float(r.x0), float(r.y0), float(r.x1), float(r.y1)


def _grown(box: Box, share: float) -> Box:
    room = share * max(box[2] - box[0], box[3] - box[1])
    return box[0] - room, box[1] - room, box[2] + room, box[3] + room


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _around(a: Box, b: Box) -> Box:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def _seen_from(image: WindowImage, box: Box, other: WindowImage, beyond: float) -> Box | None:
    """A box of one window in another's pixels; None when it is behind that camera, or far beside it."""
    x, y = np.meshgrid(np.linspace(box[0], box[2], 5), np.linspace(box[1], box[3], 5))
    p = other.window.points(image.window.directions(np.stack([x, y], axis=-1))).reshape(-1, 2)
    reach = beyond * other.window.size
    if not np.isfinite(p).all() or p.min() < -reach or p.max() > other.window.size + reach:
        return None
    low, high = p.min(axis=0), p.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])
