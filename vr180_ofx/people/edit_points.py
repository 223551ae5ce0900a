"""Corrections by points and painted mattes: what is somebody's, and what is not, at a frame of an eye."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, StrictInt

from vr180_ofx.errors import PlanError
from vr180_ofx.people.corrections import points_at
from vr180_ofx.people.edit_contract import FRAME, ID, MOST_POINTS, POINTS, Document, Edit, Points, Scene, known_view, person_of
from vr180_ofx.people.paint_file import painted_file
from vr180_ofx.people.plan import Plan
from vr180_ofx.vr180.body import WINDOW_REACHES


class PointOp(Edit):
    """Points on somebody, plus, and where they are not, minus, at a frame; those that are there already stay."""

    what: ClassVar[str] = "it needs a person, a view, a frame, and plus or minus"
    person: StrictInt | str = Field(description=ID)
    view: str = Field(description="it is the name of an eye")
    frame: StrictInt = Field(description=FRAME)
    plus: Points = Field([], max_length=MOST_POINTS, description=f"it is {POINTS}")
    minus: Points = Field([], max_length=MOST_POINTS, description=f"it is {POINTS}")

    def apply(self, data: Document, scene: Scene) -> list[Document]:
        person, clip = person_of(data, self.person), scene.clip
        known_view(self.view, clip)
        n = scene.check(self.frame)
        number = n + scene.first_number
        points_at(self.plus, self.minus, clip.eye_size, f"frame {number}")
        plan = Plan.from_data({**data, "people": [person]}, clip, "the plan")
        body = plan.bodies(n, self.view).get(person["id"])
        if body is None:
            raise PlanError(
                f"{person['name']} is not there in frame {number} of the {self.view} eye, so that no point can belong to them; give them a "
                "box there first (move)"
            )
        # as far as their window shows: what lies beyond was never looked at
        for x, y in self.plus:
            away = math.acos(float(np.clip(clip.projection.unproject(np.array([x, y])) @ np.array(body.direction), -1, 1)))
            if not away <= WINDOW_REACHES * math.sqrt(2) * body.reach:
                raise PlanError(
                    f"the point {x:g},{y:g} lies far from {person['name']}, who is in the box "
                    f"{[round(v) for v in plan.track(plan.people[0], self.view).boxes[n]]} in frame {number}; whoever is there is somebody "
                    "else (add), or the box is wrong (move)"
                )
        rows = person.setdefault("points", {}).setdefault(self.view, {})
        before = rows.get(str(n), {})
        row = {k: [*before.get(k, []), *(list(p) for p in new)] for k, new in (("plus", self.plus), ("minus", self.minus))}
        rows[str(n)] = {k: v for k, v in row.items() if v}
        return [{**person, "views": {}}]


class _TakeAway(Edit):
    """Without what somebody has under ``key``."""

    what: ClassVar[str] = "it needs a person"
    key: ClassVar[Literal["points", "paint"]]
    person: StrictInt | str = Field(description=ID)
    view: str | None = Field(None, description="it is the name of an eye; without it, both")
    frame: StrictInt | None = Field(None, description=FRAME)

    def apply(self, data: Document, scene: Scene) -> list[Document]:
        return _taken_away(person_of(data, self.person), self.key, self.view, self.frame, scene)


class Unpoint(_TakeAway):
    """Takes points away: all of somebody, those of an eye, or those of a frame."""

    key: ClassVar = "points"


class PaintOp(Edit):
    """The picture of a painted matte of somebody at a frame of an eye, in the place of the one that is there."""

    what: ClassVar[str] = "it needs a person, a view, a frame and the file of a picture"
    person: StrictInt | str = Field(description=ID)
    view: str = Field(description="it is the name of an eye")
    frame: StrictInt = Field(description=FRAME)
    file: str = Field(description="it is the absolute name of a picture")

    def apply(self, data: Document, scene: Scene) -> list[Document]:
        person, clip = person_of(data, self.person), scene.clip
        known_view(self.view, clip)
        n = scene.check(self.frame)
        file = painted_file(self.file, "file", None)
        plan = Plan.from_data({**data, "people": [person]}, clip, "the plan")
        if plan.bodies(n, self.view).get(person["id"]) is None:
            raise PlanError(
                f"{person['name']} is not there in frame {n + scene.first_number} of the {self.view} eye, so that nothing painted can be "
                "theirs; give them a box there first (move)"
            )
        person.setdefault("paint", {}).setdefault(self.view, {})[str(n)] = file
        return [{**person, "views": {}}]


class Unpaint(_TakeAway):
    """Takes painted mattes away: all of somebody, those of an eye, or that of a frame. Files stay."""

    key: ClassVar = "paint"


def _taken_away(person: Document, key: str, view: str | None, frame: int | None, scene: Scene) -> list[Document]:
    """Without what somebody has under ``key`` in an eye, or both, at a frame, or all. Raises PlanError where there is nothing."""
    if view is not None:
        known_view(view, scene.clip)
    if frame is not None:
        scene.check(frame)

    def goes(v: str, n: str) -> bool:
        return view in (None, v) and frame in (None, int(n))

    before = person.pop(key, {})
    kept = {v: {n: row for n, row in rows.items() if not goes(v, n)} for v, rows in before.items()}
    if sum(map(len, kept.values())) == sum(map(len, before.values())):
        where = "" if frame is None else f" in frame {frame + scene.first_number}"
        words = {"points": "points", "paint": "painted matte"}[key]
        raise PlanError(f"{person['name']} has no {words}{where}{'' if view is None else f' in the {view} eye'}")
    kept = {v: rows for v, rows in kept.items() if rows}
    if kept:
        person[key] = kept
    return [{**person, "views": {}}]


def split_corrections(earlier: Document, later: Document, n: int) -> None:
    """Of two who were one, each has what was said of their own frames: those before ``n``, and from there on."""
    for key in ("points", "paint"):
        said = earlier.pop(key, None)
        later.pop(key, None)
        for person, after in ((earlier, False), (later, True)):
            rows = {v: {k: row for k, row in of.items() if (int(k) >= n) is after} for v, of in (said or {}).items()}
            if any(rows.values()):
                person[key] = {v: of for v, of in rows.items() if of}


def merge_corrections(gone: Document, kept: Document) -> None:
    """What was said of somebody who is no more holds for who they are; where something was said of both, that of ``kept`` stays."""
    for key in ("points", "paint"):
        for view, rows in gone.get(key, {}).items():
            own = kept.setdefault(key, {})
            own[view] = {**rows, **own.get(view, {})}
