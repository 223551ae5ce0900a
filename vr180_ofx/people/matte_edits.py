"""Corrections of a plan's mattes, as somebody would make them in its file by hand."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field, StrictBool, StrictInt

from vr180_ofx.errors import PlanError
from vr180_ofx.people.edit_contract import FRAME, ID, Document, Edit, Points, Scene, known_view, person_of
from vr180_ofx.people.mattes_file import MOST_POINTS
from vr180_ofx.people.plan import Plan
from vr180_ofx.wording import short


class Matte(Edit):
    """A garbage or holdout matte that is new, or that of this name changed: only what is said of it. frame, view and points: one keyframe,
    beside those that there are."""

    what: ClassVar[str] = "it needs a kind, and points at a frame of a view, shapes or an image"
    name: str | None = Field(None, description="it is a letter first, then letters, digits and _")
    kind: str | None = Field(None, description="allowed are garbage, holdout and hand_over")
    person: StrictInt | str | None = Field(None, description=ID)
    view: str | None = Field(None, description="it is the name of the eye that the points are of")
    frame: StrictInt | None = Field(None, description=FRAME)
    points: Points | None = Field(None, max_length=MOST_POINTS, description="it is a list of points [x, y] in pixels of one eye")
    shapes: dict[str, Any] | None = Field(None, description="it is an object of views, each a shape as in a plan's file")
    image: dict[str, Any] | None = Field(None, description="it is an object with path, and perhaps channel, view and first")
    carry: StrictBool | None = Field(None, description="allowed are true and false")
    metres: float | None = Field(None, description="it is how far away that is which lies under the matte, in metres")
    invert: StrictBool | None = Field(None, description="allowed are true and false")
    feather: float | None = Field(None, description="it is a number of pixels")
    frames: list[tuple[int, int]] | None = Field(None, description="it is a list of [first, last] frames")
    enabled: StrictBool | None = Field(None, description="allowed are true and false")

    def apply(self, data: Document, scene: Scene) -> list[Document]:
        facts = self.model_dump(exclude={"op", "view", "frame", "points"})
        if self.person is not None:
            facts["person"] = person_of(data, self.person)["id"]
        key = None
        if self.points is not None:
            if self.view is None or self.frame is None:
                raise PlanError("points have a view and a frame")
            known_view(self.view, scene.clip)
            key = self.view, scene.check(self.frame), self.points
        entry = set_matte(data, facts, key)
        # what is wrong with it is said of this edit; the others are looked at once, at the end
        people = [{**p, "views": {}} for p in data["people"]]
        Plan.from_data({**data, "people": people, "mattes": [entry]}, scene.clip, "the plan")
        return []


class Unmatte(Edit):
    """A matte that is no more."""

    what: ClassVar[str] = "it needs a name"
    name: str = Field(description="it is the name of a matte")

    def apply(self, data: Document, scene: Scene) -> list[Document]:
        remove_matte(data, self.name)
        return []


def set_matte(data: Document, facts: Mapping[str, Any], key: tuple[str, int, Sequence[Sequence[float]]] | None) -> Document:
    """Adds a matte to the document, or changes the one of that name. Returns it.

    facts: what is said of it, by the keys of the file, name among them; others stay as they are. key: (view, frame, points), a keyframe
    that comes to those that there are, or in the place of the one at that frame.
    """
    mattes: list[Document] = data.setdefault("mattes", [])
    name = facts.get("name")
    entry = _named(mattes, name)
    if entry is None:
        kind = facts.get("kind") or "garbage"
        entry = {"name": name or _free(mattes, kind), "kind": kind}
        mattes.append(entry)
    entry |= {k: v for k, v in facts.items() if v is not None and k != "name"}
    if facts.get("image") is not None:
        entry.pop("shapes", None)
    if facts.get("shapes") is not None:
        entry.pop("image", None)
    if key is not None:
        view, frame, points = key
        entry.pop("image", None)
        shapes = entry.setdefault("shapes", {})
        rows = dict(_keys(shapes.get(view, []))) | {frame: [list(p) for p in points]}
        shapes[view] = [[n, rows[n]] for n in sorted(rows)]
    return entry


def remove_matte(data: Document, name: str) -> None:
    """Raises PlanError that says which there are."""
    mattes: list[Document] = data.get("mattes", [])
    entry = _named(mattes, name)
    if entry is None:
        names = [m["name"] for m in mattes]
        near = difflib.get_close_matches(name, names, 1)
        meant = f" (did you mean {near[0]}?)" if near else ""
        raise PlanError(f"there is no matte {short(name)}{meant}; the plan has {', '.join(names[:20]) or 'none'}")
    mattes.remove(entry)


def replace_person(data: Document, gone: int, instead: int | None) -> None:
    """Mattes of somebody who is no more are somebody else's; or gone with them."""
    mattes: list[Document] = data.get("mattes", [])
    for entry in list(mattes):
        if entry.get("person") == gone:
            if instead is None:
                mattes.remove(entry)
            else:
                entry["person"] = instead


def _named(mattes: list[Document], name: Any) -> Document | None:
    return next((m for m in mattes if isinstance(name, str) and m["name"].casefold() == name.casefold()), None)


def _free(mattes: list[Document], kind: str) -> str:
    taken = {m["name"].casefold() for m in mattes}
    return next(name for k in range(1, len(mattes) + 2) if (name := f"{kind}{k:02d}") not in taken)


def _keys(shape: list[Any]) -> list[tuple[int, list[Any]]]:
    """The keyframes of a shape; one that does not move has its only one at frame 0."""
    if shape and all(isinstance(row, list) and len(row) == 2 and isinstance(row[1], list) for row in shape):
        return [(n, points) for n, points in shape]
    return [(0, shape)] if shape else []
