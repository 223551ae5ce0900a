"""Corrections by points and painted mattes: what is theirs at a frame, carried along the picture's motion until it no longer fits."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.controls.carry import Carrier, carried_by
from vr180_ofx.controls.chain import CARRY, CarryParameters, Chain, Kept, Origin
from vr180_ofx.controls.contract import Around, EyeMattes, Mattes
from vr180_ofx.controls.coverage import Coverage
from vr180_ofx.controls.files import stamp
from vr180_ofx.controls.paint import painted_at, regions_of
from vr180_ofx.controls.region import Region, rect_of, region_of, small_size
from vr180_ofx.errors import FrameError
from vr180_ofx.imaging.planes import luma_of_rgb
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.imaging.resize import resize
from vr180_ofx.matte.composite import fit_union
from vr180_ofx.matte.patch import Patch, spread
from vr180_ofx.media.contract import EyeImage
from vr180_ofx.parameters import identity_of
from vr180_ofx.people.corrections import NO_POINTS, PointsAt
from vr180_ofx.people.person import Person
from vr180_ofx.people.plan import Plan
from vr180_ofx.vr180.layout import other_eye


@dataclass(frozen=True, slots=True)
class _Key:
    """What a person said of somebody at a frame of an eye: points, or the file of a painted matte."""

    person: int
    view: str
    frame: int
    points: PointsAt = NO_POINTS
    paint: str | None = None

    @property
    def name(self) -> str:
        return f"{self.person} {self.view} {self.frame}"

    @property
    def kind(self) -> str:
        """Under which name the frame's metadata speaks of it."""
        return "points" if self.paint is None else "paint"


class PointCorrections:
    """See `contract.Control`. alone: for a draft, which is made of one frame alone: corrections of other frames are left out. kept: where
    what is carried is remembered on its way, of this clip alone; None: nowhere.
    """

    def __init__(self, plan: Plan, *, alone: bool = False, kept: Kept | None = None, parameters: CarryParameters = CARRY) -> None:
        self._plan = plan
        self._kept = kept
        self._parameters = parameters
        self._reach = 0 if alone else parameters.frames
        self._keys = [
            _Key(p.id, view, n, rows[n]) for p in plan.active for view, rows in sorted(p.points.items()) for n in sorted(rows)
        ]  # fmt: skip
        # what is painted is said of every pixel: it is stronger than points of its frame
        self._keys += [
            _Key(p.id, view, n, paint=rows[n]) for p in plan.active for view, rows in sorted(p.paint.items()) for n in sorted(rows)
        ]  # fmt: skip

    def _near(self, n: int) -> list[_Key]:
        """What may reach a frame, the nearest last: what was said of it is stronger than what is carried."""
        first, last = self._plan.shot_of(n)
        found = [k for k in self._keys if abs(k.frame - n) <= self._reach and first <= k.frame <= last]
        return sorted(found, key=lambda k: (-abs(k.frame - n), k.frame))

    def identity(self, n: int) -> str:
        near = self._near(n)
        if not near:
            return ""
        plan = self._plan
        facts = [(k, self._body_px(k, plan.projection.width), "" if k.paint is None else stamp(Path(k.paint))) for k in near]
        return f"points|{facts}|{identity_of(self._parameters)}|{carried_by(plan, n)}"

    def neighbours(self, n: int) -> tuple[int, ...]:
        return tuple(sorted({k.frame for k in self._near(n)} - {n}))

    def apply(self, n: int, mattes: Mattes, around: Around) -> Mattes:
        out = {view: EyeMattes(eye.width, eye.height, dict(eye.people)) for view, eye in mattes.items()}
        pictures = _Pictures(around, {view: (eye.width, eye.height) for view, eye in mattes.items()})
        carrier: Carrier | None = None
        for key in self._near(n):
            found = self._at(key, n, pictures, around)
            if found is None:
                continue
            here, changes = found
            out[key.view] = _corrected(out[key.view], key.person, here)
            there = other_eye(key.view)
            if len(out) < 2 or there not in out or changes is None:
                continue
            person = self._person(key)
            own = (person.points if key.paint is None else person.paint).get(there, {})
            if key.frame in own:
                continue
            carrier = carrier or Carrier.of(n, self._plan, pictures.eyes(n), mattes)
            across = self._across(key, changes, carrier, out[there], around)
            if across is not None:
                out[there] = _corrected(out[there], key.person, across)
        for eye in out.values():
            fit_union(list(eye.people.values()))
        return out

    # at the frame of the points ----------------------------------------------------------------------------------

    def _person(self, key: _Key) -> Person:
        return next(p for p in self._plan.people if p.id == key.person)

    def _body_px(self, key: _Key, width: int) -> float | None:
        """The reach of the body in pixels of an eye so wide; None where the person is not."""
        body = self._plan.bodies(key.frame, key.view).get(key.person)
        if body is None:
            return None
        px = body.reach_px(self._plan.projection)
        if not math.isfinite(px):
            box = self._plan.track(self._person(key), key.view).boxes[key.frame]
            px = (box[3] - box[1]) / 2
        return px * width / self._plan.projection.width

    def _origin(self, key: _Key, pictures: _Pictures, around: Around) -> tuple[str, Origin] | None:
        """(its name, what belongs to the points, or is painted, at its frame); None: nothing, which is said."""
        eye = around.mattes(key.frame)[key.view]
        reach = self._body_px(key, eye.width)
        if reach is None:
            around.say(key.kind, key.name, "the person is not there, in the plan")
            return None
        name = self._name(key, eye, reach)
        known = None if self._kept is None else self._kept.get(name)
        found = known if isinstance(known, Origin) else self._found(key, eye, reach, pictures)
        for text in found.said:
            around.say(key.kind, key.name, text)
        # a picture that was replaced while it was read is no longer what the name says
        if known is None and self._kept is not None and name == self._name(key, eye, reach):
            self._kept.put(name, found, found.nbytes)
        return None if found.whole is None else (name, found)

    def _name(self, key: _Key, eye: EyeMattes, reach: float) -> str:
        """Of all that an origin depends on, beside the clip's pictures."""
        own = eye.people.get(key.person)
        matte = "" if own is None else f"{own.rect}{hashlib.blake2b(np.ascontiguousarray(own.alpha).data, digest_size=16).hexdigest()}"
        facts = f"{key}|{'' if key.paint is None else stamp(Path(key.paint))}|{reach!r}|{eye.width}x{eye.height}|{matte}"
        return f"{facts}|{identity_of(self._parameters)}"

    def _found(self, key: _Key, eye: EyeMattes, reach: float, pictures: _Pictures) -> Origin:
        region = self._parameters.region
        whole: Region | None
        changes: Region | None
        said: tuple[str, ...] = ()
        if key.paint is not None:
            size = eye.width, eye.height
            name = f"painted for {self._person(key).name} ({key.view} eye)"
            painted = painted_at(key.paint, key.frame, name, (self._plan.projection.width, self._plan.projection.height), size)
            alpha, _ = spread(eye.people.get(key.person), Rect.of_size(*size))
            made = regions_of(painted, alpha, reach, region)
            whole, changes = made.whole, made.changes
        else:
            scale = eye.width / self._plan.projection.width
            plus, minus = ([(x * scale, y * scale) for x, y in own] for own in (key.points.plus, key.points.minus))
            rect = rect_of([*plus, *minus], reach, eye.width, eye.height, region)
            alpha, _ = spread(eye.people.get(key.person), rect)
            found = region_of(pictures.eye(key.frame, key.view), alpha, rect, plus, minus, reach_px=reach, p=region)
            whole = changes = None if found.empty else found
            said = found.said
        return Origin(whole, changes, said)

    # in frames beside it -----------------------------------------------------------------------------------------

    def _at(self, key: _Key, n: int, pictures: _Pictures, around: Around) -> tuple[Region, Region | None] | None:
        """What belongs to the points at frame ``n``, and what of it is for the other eye; None where it does not reach. Raises
        InputMatteError where what is painted for this frame cannot be had.
        """
        try:
            named = self._origin(key, pictures, around)
            if named is None:
                return None
            name, origin = named
            if key.frame == n:
                around.say(key.kind, key.name, "here")
                assert origin.whole is not None
                return origin.whole, origin.changes
            if origin.changes is None:
                return None
            rect = origin.changes.rect
            size = small_size(rect, self._parameters.region)
            moved = Chain(
                name, key.frame, origin.changes, small=lambda k: pictures.small(k, key.view, rect, size), kept=self._kept,
                parameters=self._parameters,
            ).to(n)  # fmt: skip
        except FrameError as error:
            if key.paint is not None and key.frame == n:
                raise
            around.say(key.kind, key.name, f"not carried to here: {error}")
            return None
        if isinstance(moved, int):
            around.say(key.kind, key.name, f"ends {moved} frames from there, where it no longer fits")
            return None
        around.say(key.kind, key.name, f"carried over {abs(n - key.frame)} frames")
        return moved, moved

    # in the other eye --------------------------------------------------------------------------------------------

    def _across(self, key: _Key, found: Region, carrier: Carrier, eye: EyeMattes, around: Around) -> Region | None:
        """The same in the other eye; None where nothing says where it is there."""
        there = other_eye(key.view)
        name = f"{key.name} in {there}"
        again = "set points" if key.paint is None else "paint"
        rects = Rect(0, 0, 0, 0)
        made: list[Callable[[Rect], FloatArray] | None] = []
        for values in (found.grow, found.shrink):
            drawn = Coverage(found.rect, values)
            if drawn.empty:
                made.append(None)
                continue
            moved = carrier.surely(drawn, key.view, key.person)
            if moved is None:
                around.say(key.kind, name, f"not there: the {there} eye shows nothing that is surely it; {again} there, too")
                return None
            cover, surface = moved
            rects = rects.union(carrier.extent(drawn, key.view, surface).clipped(eye.width, eye.height))
            made.append(cover)
        if rects.empty:
            return None
        grow, shrink = (np.zeros((rects.height, rects.width), np.float32) if cover is None else cover(rects) for cover in made)
        around.say(key.kind, name, "by disparity")
        return Region(rects, grow, shrink, (grow + shrink) > 0.5, painted=found.painted)


class _Pictures:
    """What frames show, in the size of their mattes. sizes: view -> (width, height)."""

    def __init__(self, around: Around, sizes: Mapping[str, tuple[int, int]]) -> None:
        self._around = around
        self._sizes = sizes
        self._known: dict[tuple[int, str], EyeImage] = {}

    def eye(self, n: int, view: str) -> EyeImage:
        if (n, view) not in self._known:
            # the last few: a correction looks at one frame after the other
            if len(self._known) > 4:
                self._known.pop(next(iter(self._known)))
            eye = self._around.picture(n).eyes[view]
            factor = round(eye.width / self._sizes[view][0])
            self._known[n, view] = eye if factor == 1 else eye.reduced(factor)
        return self._known[n, view]

    def eyes(self, n: int) -> dict[str, EyeImage]:
        return {view: self.eye(n, view) for view in self._sizes}

    def small(self, n: int, view: str, rect: Rect, size: tuple[int, int]) -> FloatArray:
        """Luma and colours of a rectangle, (h, w, 3) of 255."""
        picture = self.eye(n, view).region(rect)
        small = resize(picture, size, "area") if size != (rect.width, rect.height) else picture
        luma = luma_of_rgb(small)
        return np.stack([luma, small[..., 0] - luma, small[..., 2] - luma], axis=-1).astype(np.float32) * np.float32(255)


def _corrected(eye: EyeMattes, person: int, region: Region) -> EyeMattes:
    """Everybody, with what a region says of one person: what is theirs is nobody else's."""
    people = dict(eye.people)
    own = people.get(person)
    rect = region.rect if own is None or own.rect.empty else own.rect.union(region.rect)
    alpha, confidence = spread(own, rect, around=1)
    grow, shrink = (Coverage(region.rect, v).within(rect) for v in (region.grow, region.shrink))
    made = np.minimum(np.maximum(alpha, grow), 1 - shrink)
    sure = grow + shrink if region.painted else np.maximum(grow, shrink)
    people[person] = Patch(rect, made.astype(np.float32), np.maximum(confidence, sure).astype(np.float32))
    others = [k for k, patch in eye.people.items() if k != person and not patch.rect.intersection(region.rect).empty]
    for other in others:
        patch = eye.people[other]
        theirs = Coverage(region.rect, region.grow).within(patch.rect)
        if region.painted and len(others) > 1:
            # all of them together get what is left: what is painted stays as it is
            total = sum(spread(eye.people[k], patch.rect)[0] for k in others)
            left = patch.alpha * np.minimum(1, (1 - theirs) / np.maximum(total, np.float32(1e-6)))
        else:
            left = np.minimum(patch.alpha, 1 - theirs)
        people[other] = Patch(patch.rect, left.astype(np.float32), patch.confidence)
    return EyeMattes(eye.width, eye.height, people)
