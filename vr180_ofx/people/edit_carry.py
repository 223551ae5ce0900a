"""Corrections of a plan: somebody is carried through the frames in which the network lost them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from pydantic import Field, StrictInt

from vr180_ofx.errors import PlanError
from vr180_ofx.media.contract import Clip
from vr180_ofx.people.carry import Fresh, carry_person
from vr180_ofx.people.carry_eyes import agreed
from vr180_ofx.people.carry_way import Known
from vr180_ofx.people.edit_contract import FRAME, ID, Document, Edit, Scene, checked_plan, person_of
from vr180_ofx.people.observe import Observer
from vr180_ofx.people.outline import is_carried
from vr180_ofx.people.parameters import PLAN
from vr180_ofx.people.person import Entry
from vr180_ofx.people.plan_rows import entry_to_data
from vr180_ofx.people.trajectory import Shot
from vr180_ofx.stereo.consistency import Consistency
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
        for key in [k for k, row in rows.items() if is_carried(row.get("source")) and part[0] <= int(k) <= part[1]]:
            # what stays as it is keeps its row, to the last digit
            if found.get(view, {}).get(int(key)) != own.views[view][int(key)]:
                del rows[key]
    made = {v: {k: e for k, e in entries.items() if e != own.views.get(v, {}).get(k)} for v, entries in found.items()}
    _put(person, made, clip)
    if len(clip.views) == 2:
        # what somebody pointed out in one eye is somewhere in the other, too
        frames = {v: [*made.get(v, {}), *(fresh or {}).get(v, {})] for v in clip.views}
        _put(person, _both_eyes(data, person, part, made=frames, scene=scene, others=others), clip)


def _both_eyes(
    data: Document, person: Document, part: Shot, *, made: Mapping[str, Sequence[int]], scene: Scene, others: Known
) -> dict[str, dict[int, Entry]]:  # fmt: skip
    """What is other once both eyes were compared. made: view -> frames that were carried anew."""
    clip, s = scene.clip, scene.clip.settings.stereo
    plan = checked_plan(data, [person], clip, "the plan")
    own = next(p for p in plan.people if p.id == person["id"])
    # a mode that compares no eyes says nothing of how they should be
    consistency = Consistency("reference_eye", s.validation_threshold, "transfer", s.reference, plan.alignment)
    observer = Observer(scene.load_segmenter(), clip.projection, PLAN.observe)
    return agreed(
        clip, own.views, part, made=made, observer=observer, known=others, consistency=consistency, shift_at=own.shift, absent=own.absent
    )


def _put(person: Document, made: Mapping[str, Mapping[int, Entry]], clip: Clip) -> None:
    for view, entries in made.items():
        rows = person["views"].setdefault(view, {})
        rows |= {str(k): entry_to_data(e, clip.projection) for k, e in entries.items()}
