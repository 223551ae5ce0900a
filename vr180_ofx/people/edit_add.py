"""Corrections of a plan: somebody who was not found is pointed out, by a box or by points on them."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field, StrictBool, StrictInt

from vr180_ofx.errors import PlanError
from vr180_ofx.people.absence import Range, holds
from vr180_ofx.people.analyse import reduction
from vr180_ofx.people.edit_carry import carried
from vr180_ofx.people.edit_contract import (
    BOX,
    FRAME,
    ID,
    MOST_POINTS,
    NAME,
    POINTS,
    Document,
    Edit,
    Points,
    Scene,
    checked_plan,
    merged,
    person_of,
)
from vr180_ofx.people.follow import follow_person
from vr180_ofx.people.outline import is_carried
from vr180_ofx.people.parameters import FOLLOW, PLAN
from vr180_ofx.people.person import Entry
from vr180_ofx.people.plan import Plan
from vr180_ofx.people.plan_rows import entry_to_data
from vr180_ofx.people.point_out import search_at_points
from vr180_ofx.people.point_region import entry_by_points, expected
from vr180_ofx.vr180.body import Body


class Add(Edit):
    """Somebody who was not found, at one frame, by a box or by points on them; follow: and from there to both sides, and into the other
    eye; carry: where they are lost, too, as far as it can be told, see `carry.carry_person`. into: they are somebody in the plan, who is
    missing there; what the plan knows of them stays.
    """

    what: ClassVar[str] = "it needs a view, a frame, and a box or points"
    view: str = Field(description="it is the name of an eye")
    frame: StrictInt = Field(description=FRAME)
    box: list[float] | None = Field(None, description=BOX)
    points: Points = Field([], max_length=MOST_POINTS, description=f"it is {POINTS}, on the person")
    minus: Points = Field([], max_length=MOST_POINTS, description=f"it is {POINTS}, beside the person")
    name: str | None = Field(None, description=NAME)
    into: StrictInt | str | None = Field(None, description=ID)
    follow: StrictBool = Field(True, description="allowed are true and false")
    carry: StrictBool = Field(True, description="allowed are true and false")
    seconds: Annotated[float, Field(ge=0, le=86_400)] = Field(FOLLOW.seconds, description="it is how long to each side, in seconds")

    def apply(self, data: Document, scene: Scene) -> list[Document]:
        clip = scene.clip
        if (self.box is None) == (not self.points):
            raise PlanError("somebody is added by a box or by points: one of the two")
        if self.minus and not self.points:
            raise PlanError("minus says who is not meant, beside points on who is; a box needs none")
        n = scene.check(self.frame)
        shot, within = next((k, s) for k, s in enumerate(data["shots"]) if s[0] <= n <= s[1])
        known = checked_plan(data, data["people"], clip, "the plan")
        if self.into is None:
            number = max((p["id"] for p in data["people"]), default=0) + 1
            person: Document = {"id": number, "name": self.name or f"person{number:02d}", "exclude": False, "shot": shot, "views": {}}
            data["people"].append(person)
        else:
            person = self._missing(data, n, shot, known, scene)
            number = person["id"]
        # what was there before, a person has corrected
        corrected = "outline" in (person["views"].get(self.view, {}).pop(str(n), None) or {})
        before = person["views"]
        row = {"box": self.box, "source": "edited"} if self.box else self._row(known, n, scene)
        person["views"] = {self.view: {str(n): row}}
        # what is wrong with the box or the name is said before anybody is followed
        made = checked_plan(data, [person], clip, "the new person")
        looks: Document = {}
        if self.follow:
            body = next(p for p in made.people if p.id == number).views[self.view][n].body
            reach = round(self.seconds * float(clip.fps))
            part = max(within[0], n - reach), min(within[1], n + reach)
            # whom the network does not see where they are, it does not find beside that
            if "outline" not in row:
                looks = self._followed(body, number, _missing_around(before.get(self.view, {}), n, part), known, scene)
        carried_before = {v: {k: r for k, r in rows.items() if is_carried(r.get("source"))} for v, rows in before.items()}
        found_before = {v: {k: r for k, r in rows.items() if not is_carried(r.get("source"))} for v, rows in before.items()}
        # somebody who is seen is not carried there
        person["views"] = merged(carried_before, merged(merged(looks, {self.view: {str(n): row}}), found_before))
        if self.follow and self.carry:
            views = {v: set(looks.get(v, ())) | ({str(n)} if v == self.view else set()) for v in person["views"]}
            new = {v: {int(k): False for k in keys if k not in found_before.get(v, ())} for v, keys in views.items()}
            new[self.view][n] = corrected
            carried(data, person, part, scene, fresh=new)
        return [person]

    def _followed(self, body: Body, number: int, part: Range, plan: Plan, scene: Scene) -> Document:
        """View -> the rows of frames in which they are seen; not that of this frame."""
        clip = scene.clip

        def others(k: int, view: str) -> Mapping[int, Body]:
            return {i: b for i, b in plan.bodies(k, view).items() if i != number}

        with scene.threads() as executor:
            found = follow_person(
                clip, body, self.view, self.frame, part, segmenter=scene.load_segmenter(), known=others,
                progress=scene.progress_of("following"), executor=executor,
            )  # fmt: skip
        return {v: {str(k): entry_to_data(e, clip.projection) for k, e in entries.items()} for v, entries in found.items()}

    def _missing(self, data: Document, n: int, shot: int, plan: Plan, scene: Scene) -> Document:
        """Who they are in the plan, where they are not in this frame."""
        person = person_of(data, self.into or 0)
        where = f"in frame {n + scene.first_number} of the {self.view} eye"
        if self.name is not None:
            raise PlanError(f"name says what somebody new is called; {person['name']} has one (rename)")
        if person.get("shot", 0) != shot:
            raise PlanError(f"{person['name']} is in another shot than frame {n + scene.first_number}; people are of one shot")
        if holds(person.get("absent", {}).get(self.view, ()), n):
            raise PlanError(f"{person['name']} is marked as absent {where}; take that back first")
        # what was carried there, or made of points, is put right by points
        made = bool(self.points) and "outline" in person["views"].get(self.view, {}).get(str(n), {})
        if person["id"] in plan.bodies(n, self.view) and not made:
            raise PlanError(f"{person['name']} is in the plan {where} already; to put the box right there: move")
        return person

    def _row(self, plan: Plan, n: int, scene: Scene) -> Document:
        """Whoever is at the points."""
        clip, names = scene.clip, {p.id: p.name for p in plan.people}
        for x, y in (*self.points, *self.minus):
            if not (0 <= x < clip.eye_size[0] and 0 <= y < clip.eye_size[1]):
                raise PlanError(f"the point {x:g},{y:g} lies outside of the eye's picture of {clip.eye_size[0]}x{clip.eye_size[1]}")
        with contextlib.closing(clip.reopen(fast=True)) as reader:
            eye = reader.frame(n).eyes[self.view]
        own = next((p for p in plan.people if self.into in (p.id, p.name)), None)
        known = {i: b for i, b in plan.bodies(n, self.view).items() if own is None or i != own.id}
        segmenter, points = scene.load_segmenter(), (self.points, self.minus)
        small = eye.reduced(reduction(clip, PLAN))
        found = search_at_points(small, clip.projection, *points, known=known, segmenter=segmenter, names=names)
        if isinstance(found, str):
            body = None if own is None else expected({k: e for k, e in own.views.get(self.view, {}).items() if k != n}, n)
            if body is None:
                raise PlanError(found)
            made = entry_by_points(eye, clip.projection, *points, body, known=known, segmenter=segmenter)
            return entry_to_data(made, clip.projection)
        seen = found.observation
        return entry_to_data(Entry(seen.body, seen.box, float(seen.presence), "edited", found.occluders), clip.projection)


def _missing_around(rows: Document, n: int, part: Range) -> Range:
    """The frames around ``n`` in which nobody was found, with the next one on each side in which somebody was. rows: of an eye."""
    found = [int(k) for k, row in rows.items() if not is_carried(row.get("source"))]
    return max((k for k in (*found, part[0]) if k < n), default=n), min((k for k in (*found, part[1]) if k > n), default=n)
