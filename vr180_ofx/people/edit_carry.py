"""Corrections of a plan: somebody is carried through the frames in which the network lost them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field, StrictInt

from vr180_ofx.errors import PlanError
from vr180_ofx.people.carry import Fresh, carry_person
from vr180_ofx.people.edit_contract import FRAME, ID, Document, Edit, Scene, checked_plan, person_of
from vr180_ofx.people.outline import CARRIED
from vr180_ofx.people.plan_rows import entry_to_data
from vr180_ofx.people.trajectory import Shot
from vr180_ofx.vr180.body import Body


class Carry(Edit):
    """Somebody in the plan, through frames in which they are lost behind others: as far as it can be told."""

    what: ClassVar[str] = "it needs a person"
    person: StrictInt | str = Field(description=ID)
    first: StrictInt | None = Field(None, description=FRAME)
    last: StrictInt | None = Field(None, description=FRAME)

    def apply(self, data: Document, scene: Scene) -> list[Document]:
        person = person_of(data, self.person)
        first, last = scene.range(self.first, self.last)
        shot = data["shots"][person.get("shot", 0)] if person.get("shot", 0) < len(data["shots"]) else None
        if shot is None or last < shot[0] or shot[1] < first:
            raise PlanError(f"{person['name']} is in another shot than those frames; people are of one shot")
        if not any(person["views"].values()):
            raise PlanError(f"{person['name']} is nowhere in the plan, so that there is nothing to carry; point them out first (add)")
        carried(data, person, (max(first, shot[0]), min(last, shot[1])), scene)
        return [person]


def carried(data: Document, person: Document, part: Shot, scene: Scene, *, fresh: Mapping[str, Fresh] | None = None) -> None:
    """``person``, who is among the people of ``data``, with what can be carried of them within ``part``, in the place of what was carried
    there before. fresh: see `carry.carry_person`.
    """
    clip, number = scene.clip, person["id"]
    plan = checked_plan(data, data["people"], clip, "the plan")
    own = next(p for p in plan.people if p.id == number)

    def others(k: int, view: str) -> Mapping[int, Body]:
        return {i: b for i, b in plan.bodies(k, view).items() if i != number}

    with scene.threads() as executor:
        found = carry_person(
            clip, own.views, part, segmenter=scene.load_segmenter(), known=others, absent=own.absent, fresh=fresh,
            progress=scene.progress_of("carrying"), executor=executor,
        )  # fmt: skip
    for view, rows in person["views"].items():
        for key in [k for k, row in rows.items() if row.get("source") == CARRIED and part[0] <= int(k) <= part[1]]:
            # what stays as it is keeps its row, to the last digit
            if found.get(view, {}).get(int(key)) != own.views[view][int(key)]:
                del rows[key]
    for view, entries in found.items():
        rows = person["views"].setdefault(view, {})
        rows |= {str(k): entry_to_data(e, clip.projection) for k, e in entries.items() if e != own.views.get(view, {}).get(k)}
