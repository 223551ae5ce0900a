"""Correcting a plan: move, add, remove, merge and split people. Functions of plans; what was given is never changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field, StrictBool, StrictInt

from vr180_ofx.errors import PlanError
from vr180_ofx.media.contract import Clip
from vr180_ofx.people.absence import Range, holds, marked, of_both, ranges_of
from vr180_ofx.people.contract import Segmenter
from vr180_ofx.people.edge_edits import Edges
from vr180_ofx.people.edit_add import Add
from vr180_ofx.people.edit_carry import Carry
from vr180_ofx.people.edit_contract import (
    BOX,
    FRAME,
    ID,
    NAME,
    Document,
    Edit,
    Progress,
    Scene,
    checked_plan,
    known_view,
    merged,
    person_of,
    rows_of,
)  # fmt: skip
from vr180_ofx.people.edit_points import PaintOp, PointOp, Unpaint, Unpoint, merge_corrections, split_corrections
from vr180_ofx.people.matte_edits import Matte, Unmatte, replace_person
from vr180_ofx.people.outline import is_carried
from vr180_ofx.people.parameters import PLAN
from vr180_ofx.people.person import HELD
from vr180_ofx.people.plan import Plan
from vr180_ofx.people.validation import checked
from vr180_ofx.wording import short


class Move(Edit):
    """A person's box in one frame."""

    what: ClassVar[str] = "it needs a person, a view, a frame and a box"
    person: StrictInt | str = Field(description=ID)
    view: str = Field(description="it is the name of an eye")
    frame: StrictInt = Field(description=FRAME)
    box: list[float] = Field(description=BOX)

    def apply(self, data: Document, scene: Scene) -> list[Document]:
        person = person_of(data, self.person)
        rows = rows_of(person, self.view, scene.clip)
        n = scene.check(self.frame)
        key = str(n)
        if holds(person.get("absent", {}).get(self.view, ()), n):
            raise PlanError(
                f"person {self.person} is marked as absent in frame {n + scene.first_number} of the {self.view} eye; take that back first"
            )
        kept = {k: v for k, v in rows.get(key, {}).items() if k == "behind"}
        rows[key] = {"box": self.box, "source": "edited", **kept}
        return [{**person, "views": {self.view: {key: rows[key]}}}]


class Remove(Edit):
    """A person, or a part of their time."""

    what: ClassVar[str] = "it needs a person"
    person: StrictInt | str = Field(description=ID)
    first: StrictInt | None = Field(None, description=FRAME)
    last: StrictInt | None = Field(None, description=FRAME)

    def apply(self, data: Document, scene: Scene) -> list[Document]:
        person = person_of(data, self.person)
        if self.first is None and self.last is None:
            data["people"] = [p for p in data["people"] if p is not person]
            _replace_occluder(data, person["id"], None)
            replace_person(data, person["id"], None)
            return []
        first, last = scene.range(self.first, self.last)
        person["views"] = _where(person, lambda n: not first <= n <= last)
        # or what is on both sides would be bridged
        person["absent"] = marked(person.get("absent", {}), scene.clip.views, first, last, absent=True)
        return [{**person, "views": {}}]


class Absent(Edit):
    """Somebody who is out of sight for a part of the time, in both eyes or one: no matte is made of them there. absent: false: they are
    there again, wherever they were found."""

    what: ClassVar[str] = "it needs a person, and first and last"
    person: StrictInt | str = Field(description=ID)
    first: StrictInt | None = Field(None, description=FRAME)
    last: StrictInt | None = Field(None, description=FRAME)
    view: str | None = Field(None, description="it is the name of an eye; without it, both")
    absent: StrictBool = Field(True, description="allowed are true and false")

    def apply(self, data: Document, scene: Scene) -> list[Document]:
        person = person_of(data, self.person)
        first, last = scene.range(self.first, self.last)
        if self.view is not None:
            known_view(self.view, scene.clip)
        views = scene.clip.views if self.view is None else (self.view,)
        person["absent"] = marked(person.get("absent", {}), views, first, last, absent=self.absent)
        return [{**person, "views": {}}]


class Merge(Edit):
    """Two people who are one; where both have a box, that of ``into`` stays."""

    what: ClassVar[str] = "it needs a person, and into whom"
    person: StrictInt | str = Field(description=ID)
    into: StrictInt | str = Field(description=ID)

    def apply(self, data: Document, scene: Scene) -> list[Document]:
        gone, kept = person_of(data, self.person), person_of(data, self.into)
        if gone is kept:
            raise PlanError(f"{kept['name']} cannot be merged into themselves")
        there = _there(checked_plan(data, [gone, kept], scene.clip, "the plan"), gone["id"], kept["id"])
        kept["absent"] = of_both(gone.get("absent", {}), kept.get("absent", {}), *there)
        seen = [{v: {k: r for k, r in rows.items() if r.get("source") != HELD} for v, rows in p["views"].items()} for p in (gone, kept)]
        kept["views"] = merged(*seen)
        kept["doubts"] = sorted([*gone.get("doubts", []), *kept.get("doubts", [])], key=lambda d: d["frame"])
        data["people"] = [p for p in data["people"] if p is not gone]
        merge_corrections(gone, kept)
        _replace_occluder(data, gone["id"], kept["id"])
        replace_person(data, gone["id"], kept["id"])
        return []


class Split(Edit):
    """One person who is two: from ``frame`` on they are somebody else."""

    what: ClassVar[str] = "it needs a person and a frame"
    person: StrictInt | str = Field(description=ID)
    frame: StrictInt = Field(description=FRAME)
    name: str | None = Field(None, description=NAME)

    def apply(self, data: Document, scene: Scene) -> list[Document]:
        person, n = person_of(data, self.person), scene.check(self.frame)
        number = max(p["id"] for p in data["people"]) + 1
        earlier, later = _where(person, lambda k: k < n), _where(person, lambda k: k >= n)
        if not any(later.values()) or not any(earlier.values()):
            raise PlanError(f"person {self.person} is not there on both sides of frame {n + scene.first_number}")
        person["views"] = earlier
        name = self.name or f"person{number:02d}"
        # a doubt is resolved by a split where nobody was seen between the two
        first = min((int(k) for rows in later.values() for k in rows), default=n)
        last = max((int(k) for rows in earlier.values() for k in rows), default=n)
        doubts = [d for d in person.pop("doubts", []) if not last < d["frame"] <= first]
        # all that is said of the one holds for the other, too, but for what is said of frames
        made = {**person, "id": number, "name": name, "views": later}
        split_corrections(person, made, n)
        # entries are sampled: those before and after hold to just here, where both were taken for present, so that no frame is nobody's
        made["absent"] = person["absent"] = person.get("absent", {})
        gap = PLAN.trajectory.gap_s * float(scene.clip.fps)
        for view in earlier.keys() & later.keys():
            if earlier[view] and later[view]:
                before, after = max(map(int, earlier[view])), min(map(int, later[view]))
                person["absent"] = marked(person["absent"], (view,), n, after, absent=True)
                made["absent"] = marked(made["absent"], (view,), before, n - 1, absent=True)
                if after - before <= gap:
                    earlier[view].setdefault(str(n - 1), {**earlier[view][str(before)], "source": HELD})
                    later[view].setdefault(str(n), {**later[view][str(after)], "source": HELD})
        person["doubts"], made["doubts"] = [d for d in doubts if d["frame"] < n], [d for d in doubts if d["frame"] >= n]
        data["people"].append(made)
        return [made, {**person, "views": {}}]


class Rename(Edit):
    """Another name for a person, and their layers."""

    what: ClassVar[str] = "it needs a person and a name"
    person: StrictInt | str = Field(description=ID)
    name: str = Field(description=NAME)

    def apply(self, data: Document, scene: Scene) -> list[Document]:
        person = person_of(data, self.person)
        person["name"] = self.name
        return [{**person, "views": {}}]


class Exclude(Edit):
    """No mattes of a person, or mattes again."""

    what: ClassVar[str] = "it needs a person"
    person: StrictInt | str = Field(description=ID)
    exclude: StrictBool = Field(True, description="allowed are true and false")

    def apply(self, data: Document, scene: Scene) -> list[Document]:
        person_of(data, self.person)["exclude"] = self.exclude
        return []


class Confirm(Edit):
    """Somebody who may be two people is one, and what was carried, or made of points, is theirs: the plan's doubts are settled."""

    what: ClassVar[str] = "it needs a person"
    person: StrictInt | str = Field(description=ID)

    def apply(self, data: Document, scene: Scene) -> list[Document]:
        person = person_of(data, self.person)
        person.pop("doubts", None)
        for rows in person["views"].values():
            for row in rows.values():
                if row.get("outline") and (is_carried(row.get("source")) or row.get("source") == "edited"):
                    row |= {"source": "edited", "score": 1.0}
        return []


_OPERATIONS: dict[str, type[Edit]] = {
    "move": Move, "add": Add, "remove": Remove, "absent": Absent, "merge": Merge, "split": Split, "rename": Rename, "exclude": Exclude,
    "confirm": Confirm, "carry": Carry, "point": PointOp, "unpoint": Unpoint, "paint": PaintOp, "unpaint": Unpaint, "matte": Matte,
    "unmatte": Unmatte, "edges": Edges,
}  # fmt: skip
OPERATIONS = tuple(_OPERATIONS)


def apply_edits(
    plan: Plan, edits: Iterable[Mapping[str, Any]], clip: Clip, *, load_segmenter: Callable[[], Segmenter], called: Sequence[str] = (),
    first_number: int = 0, progress: Progress | None = None,
) -> Plan:  # fmt: skip
    """The plan after ``edits``, all or none of them.

    Each edit has an ``op`` and: move: person, view, frame, box. add: view, frame, box or points (on them) and minus? (beside them), name?,
    into? (who is in the plan and missing there), follow? (true: they are followed for so many ``seconds``, 30, before and after, and into
    the other eye), carry? (true: through frames in which they are lost). carry: person, first?, last?: the same of somebody in the plan.
    remove: person, and first and last for a part of their time. absent: person, first?, last?, view?, absent?: no matte of them there.
    merge: person, into. split: person, frame, name?. rename: person, name. exclude: person, exclude?. confirm: person: they are one, and
    what was carried is theirs, whatever the plan doubts. point: person, view, frame, plus or minus. unpoint: person, view?, frame?.
    paint: person, view, frame, file: see `media.painted.read_painted`. unpaint: person, view?, frame?.
    matte: name?, kind?, and view, frame, points, or shapes, or image; person?, carry?, metres?, invert?, feather?, frames?, enabled?: see
    `mattes_file.InputMatte`. unmatte: name. edges: person? (by default everybody), values: {name: value, [[frame, value], ...] or None}.

    Boxes are [left, top, right, bottom], points [[x, y], ...], in pixels of one eye. load_segmenter: gives the network that follows people;
    asked only when somebody is to be found or followed. called: what each edit is called in messages, by default its place in the list.
    first_number: what they call frame 0. progress: told how far a long step is. Raises PlanError that says which edit and what is wrong
    with it.
    """
    scene = Scene(clip, load_segmenter, first_number, progress)
    data: Document = json.loads(plan.to_json())
    for k, item in enumerate(edits):
        op = item.get("op") if isinstance(item, Mapping) else None
        if not isinstance(op, str) or op not in _OPERATIONS:
            raise PlanError(f"edits[{k}].op is {short(op)}; allowed are {', '.join(_OPERATIONS)}")
        place = called[k] if k < len(called) else f"edits[{k}] ({op})"
        edit = checked(_OPERATIONS[op], dict(item), f"{place}: ")
        try:
            new = edit.apply(data, scene)
            if new:
                checked_plan(data, new, clip, "the plan")
        except PlanError as error:
            raise PlanError(f"{place}: {error}") from None
    # as it will be read again
    made = Plan.from_data(data, clip, "the corrected plan")
    return Plan.from_data(json.loads(made.to_json()), clip, "the corrected plan")


def changed_frames(old: Plan, new: Plan) -> list[int]:
    """The frames of which the two plans say different things: those that are made anew, and with a tracker that never forgets
    what follows them in their chunks."""
    return [n for n in range(new.frames) if old.facts(n) != new.facts(n) or old.control_facts(n) != new.control_facts(n)]


def _where(person: Document, wanted: Callable[[int], bool]) -> Document:
    """A person's views with the wanted frames alone."""
    return {view: {n: row for n, row in rows.items() if wanted(int(n))} for view, rows in person["views"].items()}


def _there(plan: Plan, *numbers: int) -> list[dict[str, list[Range]]]:
    """View -> the frames in which each of these people is."""
    people = {p.id: p for p in plan.people}
    return [{view: ranges_of(plan.track(people[k], view).bodies) for view in plan.views} for k in numbers]


def _replace_occluder(data: Document, gone: int, instead: int | None) -> None:
    """Nobody stands behind people who are not there any more."""
    for p in data["people"]:
        for rows in p["views"].values():
            for row in rows.values():
                if "behind" in row:
                    others = {instead if k == gone else k for k in row["behind"]}
                    row["behind"] = sorted(k for k in others if k is not None and k != p["id"])
