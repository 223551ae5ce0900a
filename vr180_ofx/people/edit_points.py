"""Corrections by points: what is somebody's, and what is not, at a frame of an eye."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from pydantic import Field, StrictInt

from vr180_ofx.errors import PlanError
from vr180_ofx.people.corrections import points_at
from vr180_ofx.people.edit_contract import FRAME, ID, MOST_POINTS, POINTS, Document, Edit, Points, Scene, known_view, person_of
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


class Unpoint(Edit):
    """Takes points away: all of somebody, those of an eye, or those of a frame."""

    what: ClassVar[str] = "it needs a person"
    person: StrictInt | str = Field(description=ID)
    view: str | None = Field(None, description="it is the name of an eye; without it, both")
    frame: StrictInt | None = Field(None, description=FRAME)

    def apply(self, data: Document, scene: Scene) -> list[Document]:
        person = person_of(data, self.person)
        if self.view is not None:
            known_view(self.view, scene.clip)
        if self.frame is not None:
            scene.check(self.frame)

        def goes(view: str, n: str) -> bool:
            return self.view in (None, view) and self.frame in (None, int(n))

        before = person.pop("points", {})
        kept = {v: {n: row for n, row in rows.items() if not goes(v, n)} for v, rows in before.items()}
        if sum(map(len, kept.values())) == sum(map(len, before.values())):
            where = "" if self.frame is None else f" in frame {self.frame + scene.first_number}"
            raise PlanError(f"{person['name']} has no points{where}{'' if self.view is None else f' in the {self.view} eye'}")
        kept = {v: rows for v, rows in kept.items() if rows}
        if kept:
            person["points"] = kept
        return [{**person, "views": {}}]
