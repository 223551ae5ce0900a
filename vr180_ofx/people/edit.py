"""Correcting a plan: move, add, remove, merge and split people. Functions of plans; what was given is never changed."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field, StrictBool, StrictInt

from vr180_ofx.errors import PlanError
from vr180_ofx.media.contract import Clip
from vr180_ofx.people.contract import Segmenter
from vr180_ofx.people.follow import follow_person
from vr180_ofx.people.parameters import FOLLOW
from vr180_ofx.people.plan import Plan
from vr180_ofx.people.plan_file import entry_to_data
from vr180_ofx.people.validation import Part, checked
from vr180_ofx.wording import short

#: A plan's document, which is edited as a person would do it by hand. What is new is validated after each edit, all of it at the end.
Document = dict[str, Any]

_BOX = "it is [left, top, right, bottom] in pixels of one eye"
_ID = "it is the id of a person"
_FRAME = "it is the number of a frame, from 0"
_NAME = "it becomes a layer: a letter first, then letters, digits and _"


@dataclass(frozen=True, slots=True)
class Scene:
    """What edits are made in. load_segmenter: gives the network that follows people, when somebody is to be followed."""

    clip: Clip
    load_segmenter: Callable[[], Segmenter] = field(repr=False)


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
    person: StrictInt = Field(description=_ID)
    view: str = Field(description="it is the name of an eye")
    frame: StrictInt = Field(description=_FRAME)
    box: list[float] = Field(description=_BOX)

    def apply(self, data: Document, scene: Scene) -> list[Document]:
        person = _person(data, self.person)
        rows = _rows(person, self.view, scene.clip)
        key = str(_frame(self.frame, scene.clip))
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
        n = _frame(self.frame, clip)
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
    person: StrictInt = Field(description=_ID)
    first: StrictInt | None = Field(None, description=_FRAME)
    last: StrictInt | None = Field(None, description=_FRAME)

    def apply(self, data: Document, scene: Scene) -> list[Document]:
        person = _person(data, self.person)
        if self.first is None and self.last is None:
            data["people"] = [p for p in data["people"] if p is not person]
            _replace_occluder(data, self.person, None)
            return []
        first = 0 if self.first is None else _frame(self.first, scene.clip, "first")
        last = len(scene.clip) - 1 if self.last is None else _frame(self.last, scene.clip, "last")
        if first > last:
            raise PlanError(f"first is {first}, after last, which is {last}")
        person["views"] = _where(person, lambda n: not first <= n <= last)
        return []


class Merge(Edit):
    """Two people who are one; where both have a box, that of ``into`` stays."""

    what: ClassVar[str] = "it needs a person, and into whom"
    person: StrictInt = Field(description=_ID)
    into: StrictInt = Field(description=_ID)

    def apply(self, data: Document, scene: Scene) -> list[Document]:
        gone, kept = _person(data, self.person), _person(data, self.into)
        if gone is kept:
            raise PlanError(f"person {self.person} cannot be merged into themselves")
        for view, rows in gone["views"].items():
            kept["views"][view] = {**rows, **kept["views"].get(view, {})}
        data["people"] = [p for p in data["people"] if p is not gone]
        _replace_occluder(data, self.person, self.into)
        return []


class Split(Edit):
    """One person who is two: from ``frame`` on they are somebody else."""

    what: ClassVar[str] = "it needs a person and a frame"
    person: StrictInt = Field(description=_ID)
    frame: StrictInt = Field(description=_FRAME)
    name: str | None = Field(None, description=_NAME)

    def apply(self, data: Document, scene: Scene) -> list[Document]:
        person, n = _person(data, self.person), _frame(self.frame, scene.clip)
        number = max(p["id"] for p in data["people"]) + 1
        earlier, later = _where(person, lambda k: k < n), _where(person, lambda k: k >= n)
        if not any(later.values()) or not any(earlier.values()):
            raise PlanError(f"person {self.person} is not there on both sides of frame {n}")
        person["views"] = earlier
        name = self.name or f"person{number:02d}"
        made = {"id": number, "name": name, "exclude": person["exclude"], "shot": person["shot"], "views": later}
        data["people"].append(made)
        return [made]


class Rename(Edit):
    """Another name for a person, and their layers."""

    what: ClassVar[str] = "it needs a person and a name"
    person: StrictInt = Field(description=_ID)
    name: str = Field(description=_NAME)

    def apply(self, data: Document, scene: Scene) -> list[Document]:
        person = _person(data, self.person)
        person["name"] = self.name
        return [{**person, "views": {}}]


class Exclude(Edit):
    """No mattes of a person, or mattes again."""

    what: ClassVar[str] = "it needs a person"
    person: StrictInt = Field(description=_ID)
    exclude: StrictBool = Field(True, description="allowed are true and false")

    def apply(self, data: Document, scene: Scene) -> list[Document]:
        _person(data, self.person)["exclude"] = self.exclude
        return []


_OPERATIONS: dict[str, type[Edit]] = {
    "move": Move, "add": Add, "remove": Remove, "merge": Merge, "split": Split, "rename": Rename, "exclude": Exclude,
}  # fmt: skip
OPERATIONS = tuple(_OPERATIONS)


def apply_edits(plan: Plan, edits: Iterable[Mapping[str, Any]], clip: Clip, *, load_segmenter: Callable[[], Segmenter]) -> Plan:
    """The plan after ``edits``, all or none of them.

    Each edit has an ``op`` and: move: person, view, frame, box. add: view, frame, box, name?, follow? (true: they are followed
    for so many ``seconds``, 30, before and after, and into the other eye). remove: person, and first and last for a part of
    their time. merge: person, into. split: person, frame, name?. rename: person, name. exclude: person, exclude?.

    Boxes are [left, top, right, bottom] in pixels of one eye. load_segmenter: gives the network that follows people; asked only
    when somebody is to be followed. Raises PlanError that says which edit and what is wrong with it.
    """
    scene = Scene(clip, load_segmenter)
    data: Document = json.loads(plan.to_json())
    for k, item in enumerate(edits):
        op = item.get("op") if isinstance(item, Mapping) else None
        if not isinstance(op, str) or op not in _OPERATIONS:
            raise PlanError(f"edits[{k}].op is {short(op)}; allowed are {', '.join(_OPERATIONS)}")
        edit = checked(_OPERATIONS[op], dict(item), f"edits[{k}] ({op}): ")
        try:
            new = edit.apply(data, scene)
            if new:
                _checked(data, new, clip, "the plan")
        except PlanError as error:
            raise PlanError(f"edits[{k}] ({op}): {error}") from None
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


def _person(data: Document, number: int) -> Document:
    for p in data["people"]:
        if p["id"] == number:
            found: Document = p
            return found
    raise PlanError(f"there is no person {short(number)}; there are {', '.join(str(p['id']) for p in data['people']) or 'none'}")


def _rows(person: Document, view: str, clip: Clip) -> Document:
    if view not in clip.views:
        raise PlanError(f"view is {short(view)}; this clip has {', '.join(clip.views)}")
    rows: Document = person["views"].setdefault(view, {})
    return rows


def _frame(n: int, clip: Clip, key: str = "frame") -> int:
    if not 0 <= n < len(clip):
        raise PlanError(f"{key} is {short(n)}; this clip has frames 0 to {len(clip) - 1}")
    return n


def _where(person: Document, wanted: Callable[[int], bool]) -> Document:
    """A person's views with the wanted frames alone."""
    return {view: {n: row for n, row in rows.items() if wanted(int(n))} for view, rows in person["views"].items()}


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
