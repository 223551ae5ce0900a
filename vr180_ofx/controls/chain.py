"""What is carried from a frame to those beside it, link by link along the motion, and kept so that the next frame costs one link more.

A link depends on what is carried and on the links before it alone: the same bits come out whoever asks first, and for which frame.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from vr180_ofx.arrays import BoolArray, FloatArray
from vr180_ofx.controls.region import REGION, Region, RegionParameters
from vr180_ofx.imaging.filter import gaussian_blur
from vr180_ofx.imaging.flow import TRUST, TrustParameters, optical_flow, pixel_indices
from vr180_ofx.imaging.resize import resize
from vr180_ofx.imaging.sample import sample
from vr180_ofx.people.corrections import POINTS_REACH


@dataclass(frozen=True, slots=True)
class CarryParameters:
    """How far a correction goes in time.

    frames: to either side at most. least_fit: the share of a region that must still look like it did,
    and move alike both ways; below it, it ends.
    consistent: of the squared motions, and consistent_px2 of squared pixels: how far there and back may miss (Sundaram, Brox, Keutzer 2010,
    eq. 5). region: see `region.RegionParameters`. trust: how much colour may have changed.
    """

    frames: int = POINTS_REACH
    least_fit: float = 0.5
    consistent: float = 0.01
    consistent_px2: float = 0.5
    region: RegionParameters = REGION
    trust: TrustParameters = TRUST


CARRY = CarryParameters()


@dataclass(frozen=True, slots=True)
class Origin:
    """What is carried. whole: what is said at its frame, None: nothing. changes: what of it goes further. said: about it, in words."""

    whole: Region | None
    changes: Region | None
    said: tuple[str, ...] = ()

    @property
    def nbytes(self) -> int:
        """Of memory."""
        regions = [r for r in {id(r): r for r in (self.whole, self.changes)}.values() if r is not None]
        return sum(a.nbytes for r in regions for a in (r.grow, r.shrink, r.small))


@dataclass(frozen=True, slots=True)
class Link:
    """A frame on the way. small: what it shows, (h, w, 3) of 255. places: where the first frame has what it shows, (h, w, 2). alive: 0..1,
    how far the way there and back ended where it began all along. ended: it no longer fits.
    """

    small: FloatArray
    places: FloatArray
    alive: FloatArray
    ended: bool = False

    @property
    def nbytes(self) -> int:
        """Of memory."""
        return self.small.nbytes + self.places.nbytes + self.alive.nbytes


class Kept(Protocol):
    """Remembers origins and links for a while, for several threads at once."""

    def get(self, key: str) -> Origin | Link | None: ...

    def put(self, key: str, value: Origin | Link, nbytes: int) -> None: ...


class Chain:
    """The way from an origin to the frames beside it.

    name: of all that the origin depends on: equal names mean equal origins. frame: the origin's. region: what of it goes further. small:
    what a frame shows of the region, see `Link`. kept: where links are remembered; None: nowhere.
    """

    def __init__(
        self, name: str, frame: int, region: Region, *, small: Callable[[int], FloatArray], kept: Kept | None,
        parameters: CarryParameters = CARRY,
    ) -> None:  # fmt: skip
        self._name = name
        self._frame = frame
        self._region = region
        self._small = small
        self._kept = kept
        self._parameters = parameters
        self._changes = region.small.astype(np.float32)

    def to(self, n: int) -> Region | int:
        """What arrives at frame ``n``; or after how many frames it ended on the way. Raises FrameError."""
        step = 1 if n > self._frame else -1
        first = self._known(self._frame) or self._remembered(self._frame, self._begin())
        at, link = n, first
        # from as near as is known
        while at != self._frame:
            known = self._known(at)
            if known is not None:
                link = known
                break
            at -= step
        while at != n and not link.ended:
            at += step
            link = self._remembered(at, self._next(first, link, self._small(at)))
        return abs(at - self._frame) if link.ended else self._region_at(first, link)

    def _begin(self) -> Link:
        height, width = self._changes.shape
        return Link(self._small(self._frame), pixel_indices(width, height), np.ones((height, width), np.float32))

    def _known(self, n: int) -> Link | None:
        found = None if self._kept is None else self._kept.get(f"{self._name}|{n}")
        return found if isinstance(found, Link) else None

    def _remembered(self, n: int, link: Link) -> Link:
        if self._kept is not None:
            self._kept.put(f"{self._name}|{n}", link, link.nbytes)
        return link

    def _next(self, first: Link, before: Link, now: FloatArray) -> Link:
        back, good = self._motion(now, before.small)
        places = sample(before.places, back, border="edge", centre=0)
        link = Link(now, places, sample(before.alive, back, centre=0) * good)
        fits, there = self._fits(first, link)
        ended = float((there * fits).sum()) < self._parameters.least_fit * float(self._changes.sum())
        return Link(now, places, link.alive, ended)

    def _fits(self, first: Link, link: Link) -> tuple[FloatArray, FloatArray]:
        """(how far it still looks and moves like it did, 0..1; where what changes is now), (h, w) each."""
        then = sample(first.small, link.places, border="edge", centre=0)
        return link.alive * self._alike(link.small, then), sample(self._changes, link.places, centre=0)

    def _region_at(self, first: Link, link: Link) -> Region:
        region, (height, width) = self._region, self._changes.shape
        fits, there = self._fits(first, link)
        rect = region.rect
        # to the plate's pixels: places are indices of the small picture
        factor = np.array([rect.width / width, rect.height / height], np.float32)
        full = resize((link.places + 0.5) * factor, (rect.width, rect.height), "linear")
        weight = np.clip(resize(fits, (rect.width, rect.height), "linear"), 0, 1)
        grow, shrink = (sample(v, full) * weight for v in (region.grow, region.shrink))
        moved: BoolArray = there > 0.5
        return Region(rect, grow, shrink, moved, painted=region.painted)

    def _motion(self, now: FloatArray, before: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Where the frame before has what this one shows, and 1 where the way there and back ends where it began."""
        p = self._parameters
        here, there = ((picture[..., 0] + 0.5).astype(np.uint8) for picture in (now, before))
        to, fro = optical_flow(here, there), optical_flow(there, here)
        back = pixel_indices(here.shape[1], here.shape[0]) + to
        again = sample(fro, back, border="edge", centre=0)
        miss = np.square(to + again).sum(axis=-1)
        allowed = p.consistent * (np.square(to).sum(axis=-1) + np.square(again).sum(axis=-1)) + p.consistent_px2
        return back, (miss <= allowed).astype(np.float32)

    def _alike(self, now: FloatArray, then: FloatArray) -> FloatArray:
        """How far two pictures look the same, 0..1."""
        t = self._parameters.trust
        differs = gaussian_blur(np.abs(now - then).max(axis=-1), t.blur * max(now.shape[:2]) / self._parameters.region.side)
        alike: FloatArray = np.exp(-np.square(np.maximum(differs - np.float32(t.grain), 0) / np.float32(t.fades)))
        return alike
