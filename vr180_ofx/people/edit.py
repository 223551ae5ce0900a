"""Correcting a plan: move, add, remove, merge and split people. Functions of plans; what was given is never changed."""

from __future__ import annotations

import difflib
import json
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field, StrictBool, StrictInt

from vr180_ofx.errors import PlanError
from vr180_ofx.media.contract import Clip
from vr180_ofx.people.absence import Range, holds, marked, of_both, ranges_of
from vr180_ofx.people.contract import Segmenter
from vr180_ofx.people.follow import follow_person
from vr180_ofx.people.parameters import FOLLOW, PLAN
from vr180_ofx.people.person import HELD
from vr180_ofx.people.plan import Plan
from vr180_ofx.people.plan_file import entry_to_data
from vr180_ofx.people.validation import Part, checked
from vr180_ofx.wording import short

#: A plan's document, which is edited as a person would do it by hand. What is new is validated after each edit, all of it at the end.
Document = dict[str, Any]

#: How many people a message lists.
_SHOWN = 20
_BOX = "it is [left, top, right, bottom] in pixels of one eye"
_ID = "it is the id or the name of a person"
_FRAME = "it is the number of a frame, from 0"
_NAME = "it becomes a layer: a letter first, then letters, digits and _"


@dataclass(frozen=True, slots=True)
class Scene:
    """What edits are made in.

    load_segmenter: gives the network that follows people, when somebody is to be followed. first_number: what messages call frame 0.
    """

    clip: Clip
    load_segmenter: Callable[[], Segmenter] = field(repr=False)
    first_number: int = 0

    def check(self, n: int, key: str = "frame") -> int:
        """A frame that the clip has, as it is. Raises PlanError."""
        if not 0 <= n < len(self.clip):
            number = short(n + self.first_number)
            raise PlanError(f"{key} is {number}; this clip has frames {self.first_number} to {len(self.clip) - 1 + self.first_number}")
        return n

    def range(self, first: int | None, last: int | None) -> tuple[int, int]:
        """A range of frames; None: from the clip's beginning, or to its end. Raises PlanError."""
        a = 0 if first is None else self.check(first, "first")
        b = len(self.clip) - 1 if last is None else self.check(last, "last")
        if a > b:
            raise PlanError(f"first is {a + self.first_number}, after last, which is {b + self.first_number}")
        return a, b


class Edit(Part):
    """One correction."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    op: str = Field(description="it is the name of an operation")

    @abstractmethod
    def apply(self, data: Document, scene: Scene) -> list[Document]:
        """Changes the document. Returns the people in whom something is new that has to be looked at. Raises PlanError."""


class Move(Edit):
    """A person's box in one frame."""

    what: ClassVar[str] = "it needs a person, a view, a frame and a box"
    person: StrictInt | str = Field(description=_ID)
    view: str = Field(description="it is the name of an eye")
    frame: StrictInt = Field(description=_FRAME)
    box: list[float] = Field(description=_BOX)

    def apply(self, data: Document, scene: Scene) -> list[Document]:
        person = _person(data, self.person)
        rows = _rows(person, self.view, scene.clip)
        n = scene.check(self.frame)
        key = str(n)
        if holds(person.get("absent", {}).get(self.view, ()), n):
            raise PlanError(
                f"person {self.person} is marked as absent in frame {n + scene.first_number} of the {self.view} eye; take that back first"
            )
        kept = {k: v for k, v in rows.get(key, {}).items() if k == "behind"}
        rows[key] = {"box": self.box, "source": "edited", **kept}
        return [{**person, "views": {self.view: {key: rows[key]}}}]


class Add(Edit):
    """Somebody who was not found, at one frame; follow: and from there to both sides, and into the other eye."""

    what: ClassVar[str] = "it needs a view, a frame and a box"
    view: str = Field(description="it is the name of an eye")
    frame: StrictInt = Field(description=_FRAME)
    box: list[float] = Field(description=_BOX)
    name: str | None = Field(None, description=_NAME)
    follow: StrictBool = Field(True, description="allowed are true and false")
    seconds: Annotated[float, Field(ge=0, le=86_400)] = Field(FOLLOW.seconds, description="it is how long to each side, in seconds")

    def apply(self, data: Document, scene: Scene) -> list[Document]:
        clip = scene.clip
        number = max((p["id"] for p in data["people"]), default=0) + 1
        n = scene.check(self.frame)
        shot, within = next((k, s) for k, s in enumerate(data["shots"]) if s[0] <= n <= s[1])
        person: Document = {"id": number, "name": self.name or f"person{number:02d}", "exclude": False, "shot": shot, "views": {}}
        _rows(person, self.view, clip)[str(n)] = {"box": self.box, "source": "edited"}
        data["people"].append(person)
        # what is wrong with the box or the name is said before anything is looked at
        made = _checked(data, [person], clip, "the new person")
        if self.follow:
            body = next(p for p in made.people if p.id == number).views[self.view][n].body
            reach = round(self.seconds * float(clip.fps))
            part = max(within[0], n - reach), min(within[1], n + reach)
            found = follow_person(clip, body, self.view, n, part, segmenter=scene.load_segmenter())
            rows = {v: {str(k): entry_to_data(e, clip.projection) for k, e in entries.items()} for v, entries in found.items()}
            person["views"] = _merged(rows, person["views"])
        return [person]


class Remove(Edit):
    """A person, or a part of their time."""

    what: ClassVar[str] = "it needs a person"
    person: StrictInt | str = Field(description=_ID)
    first: StrictInt | None = Field(None, description=_FRAME)
    last: StrictInt | None = Field(None, description=_FRAME)

    def apply(self, data: Document, scene: Scene) -> list[Document]:
        person = _person(data, self.person)
        if self.first is None and self.last is None:
            data["people"] = [p for p in data["people"] if p is not person]
            _replace_occluder(data, person["id"], None)
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
    person: StrictInt | str = Field(description=_ID)
    first: StrictInt | None = Field(None, description=_FRAME)
    last: StrictInt | None = Field(None, description=_FRAME)
    view: str | None = Field(None, description="it is the name of an eye; without it, both")
    absent: StrictBool = Field(True, description="allowed are true and false")

    def apply(self, data: Document, scene: Scene) -> list[Document]:
        person = _person(data, self.person)
        first, last = scene.range(self.first, self.last)
        if self.view is not None:
            _known_view(self.view, scene.clip)
        views = scene.clip.views if self.view is None else (self.view,)
        person["absent"] = marked(person.get("absent", {}), views, first, last, absent=self.absent)
        return [{**person, "views": {}}]


class Merge(Edit):
    """Two people who are one; where both have a box, that of ``into`` stays."""

    what: ClassVar[str] = "it needs a person, and into whom"
    person: StrictInt | str = Field(description=_ID)
    into: StrictInt | str = Field(description=_ID)

    def apply(self, data: Document, scene: Scene) -> list[Document]:
        gone, kept = _person(data, self.person), _person(data, self.into)
        if gone is kept:
            raise PlanError(f"{kept['name']} cannot be merged into themselves")
        there = _there(_checked(data, [gone, kept], scene.clip, "the plan"), gone["id"], kept["id"])
        kept["absent"] = of_both(gone.get("absent", {}), kept.get("absent", {}), *there)
        seen = [{v: {k: r for k, r in rows.items() if r.get("source") != HELD} for v, rows in p["views"].items()} for p in (gone, kept)]
        kept["views"] = _merged(*seen)
        kept["doubts"] = sorted([*gone.get("doubts", []), *kept.get("doubts", [])], key=lambda d: d["frame"])
        data["people"] = [p for p in data["people"] if p is not gone]
        _replace_occluder(data, gone["id"], kept["id"])
        return []


class Split(Edit):
    """One person who is two: from ``frame`` on they are somebody else."""

    what: ClassVar[str] = "it needs a person and a frame"
    person: StrictInt | str = Field(description=_ID)
    frame: StrictInt = Field(description=_FRAME)
    name: str | None = Field(None, description=_NAME)

    def apply(self, data: Document, scene: Scene) -> list[Document]:
        person, n = _person(data, self.person), scene.check(self.frame)
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
    person: StrictInt | str = Field(description=_ID)
    name: str = Field(description=_NAME)

    def apply(self, data: Document, scene: Scene) -> list[Document]:
        person = _person(data, self.person)
        person["name"] = self.name
        return [{**person, "views": {}}]


class Exclude(Edit):
    """No mattes of a person, or mattes again."""

    what: ClassVar[str] = "it needs a person"
    person: StrictInt | str = Field(description=_ID)
    exclude: StrictBool = Field(True, description="allowed are true and false")

    def apply(self, data: Document, scene: Scene) -> list[Document]:
        _person(data, self.person)["exclude"] = self.exclude
        return []


class Confirm(Edit):
    """Somebody who may be two people is one: the plan's doubts about them are settled."""

    what: ClassVar[str] = "it needs a person"
    person: StrictInt | str = Field(description=_ID)

    def apply(self, data: Document, scene: Scene) -> list[Document]:
        _person(data, self.person).pop("doubts", None)
        return []


_OPERATIONS: dict[str, type[Edit]] = {
    "move": Move, "add": Add, "remove": Remove, "absent": Absent, "merge": Merge, "split": Split, "rename": Rename, "exclude": Exclude,
    "confirm": Confirm,
}  # fmt: skip
OPERATIONS = tuple(_OPERATIONS)


def apply_edits(
    plan: Plan, edits: Iterable[Mapping[str, Any]], clip: Clip, *, load_segmenter: Callable[[], Segmenter], called: Sequence[str] = (),
    first_number: int = 0,
) -> Plan:  # fmt: skip
    """The plan after ``edits``, all or none of them.

    Each edit has an ``op`` and: move: person, view, frame, box. add: view, frame, box, name?, follow? (true: they are followed
    for so many ``seconds``, 30, before and after, and into the other eye). remove: person, and first and last for a part of
    their time. absent: person, first?, last?, view?, absent?: no matte of them there. merge: person, into. split: person, frame, name?.
    rename: person, name. exclude: person, exclude?. confirm: person: they are one, whatever the plan doubts.

    Boxes are [left, top, right, bottom] in pixels of one eye. load_segmenter: gives the network that follows people; asked only
    when somebody is to be followed. called: what each edit is called in messages, by default its place in the list. first_number: what
    they call frame 0. Raises PlanError that says which edit and what is wrong with it.
    """
    scene = Scene(clip, load_segmenter, first_number)
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
                _checked(data, new, clip, "the plan")
        except PlanError as error:
            raise PlanError(f"{place}: {error}") from None
    # as it will be read again
    made = Plan.from_data(data, clip, "the corrected plan")
    return Plan.from_data(json.loads(made.to_json()), clip, "the corrected plan")


def _checked(data: Document, people: list[Document], clip: Clip, source: str) -> Plan:
    """A plan of ``people`` and, without what they do, of all others: in a plan of an hour the whole takes ten seconds. Raises PlanError."""
    new = {p["id"]: p for p in people}
    facts = {k: v for k, v in data.items() if k != "people"}
    return Plan.from_data({**facts, "people": [new.get(p["id"]) or {**p, "views": {}} for p in data["people"]]}, clip, source)


def changed_frames(old: Plan, new: Plan) -> list[int]:
    """The frames of which the two plans say different things: those that are made anew, and with a tracker that never forgets
    what follows them in their chunks."""
    return [n for n in range(new.frames) if old.facts(n) != new.facts(n) or old.control_facts(n) != new.control_facts(n)]


def _person(data: Document, who: int | str) -> Document:
    """Somebody by number or name; capitals do not matter where only one is called so. Raises PlanError that says who there is."""
    people: list[Document] = data["people"]
    for key, wanted in (("id", who), ("name", who)):
        for p in people:
            if p[key] == wanted:
                return p
    alike = [p for p in people if isinstance(who, str) and p["name"].casefold() == who.casefold()]
    if len(alike) == 1:
        return alike[0]
    names = {p["name"].casefold(): p["name"] for p in people}
    near = [names[n] for n in difflib.get_close_matches(str(who).casefold(), names, 3)]
    meant = f" (did you mean {' or '.join(near)}?)" if near else ""
    there = ", ".join(f"{p['id']} ({p['name']})" for p in people[:_SHOWN]) or "nobody"
    more = f" and {len(people) - _SHOWN} more" if len(people) > _SHOWN else ""
    raise PlanError(f"there is no person {short(who)}{meant}; the plan has {there}{more}")


def _rows(person: Document, view: str, clip: Clip) -> Document:
    _known_view(view, clip)
    rows: Document = person["views"].setdefault(view, {})
    return rows


def _known_view(view: str, clip: Clip) -> None:
    if view not in clip.views:
        raise PlanError(f"view is {short(view)}; this clip has {', '.join(clip.views)}")


def _where(person: Document, wanted: Callable[[int], bool]) -> Document:
    """A person's views with the wanted frames alone."""
    return {view: {n: row for n, row in rows.items() if wanted(int(n))} for view, rows in person["views"].items()}


def _there(plan: Plan, *numbers: int) -> list[dict[str, list[Range]]]:
    """View -> the frames in which each of these people is."""
    people = {p.id: p for p in plan.people}
    return [{view: ranges_of(plan.track(people[k], view).bodies) for view in plan.views} for k in numbers]


def _merged(found: Document, own: Document) -> Document:
    return {view: {**found.get(view, {}), **own.get(view, {})} for view in {**found, **own}}


def _replace_occluder(data: Document, gone: int, instead: int | None) -> None:
    """Nobody stands behind people who are not there any more."""
    for p in data["people"]:
        for rows in p["views"].values():
            for row in rows.values():
                if "behind" in row:
                    others = {instead if k == gone else k for k in row["behind"]}
                    row["behind"] = sorted(k for k in others if k is not None and k != p["id"])
