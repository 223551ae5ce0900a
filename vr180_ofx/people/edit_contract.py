"""What a correction of a plan is, and what all of them need: people by name, rows of a document, frames that the clip has."""

from __future__ import annotations

import contextlib
import difflib
from abc import abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from vr180_ofx.errors import PlanError
from vr180_ofx.media.contract import Clip
from vr180_ofx.people.contract import Segmenter
from vr180_ofx.people.plan import Plan
from vr180_ofx.people.validation import Part
from vr180_ofx.wording import short

#: A plan's document, which is edited as a person would do it by hand. What is new is validated after each edit, all of it at the end.
Document = dict[str, Any]

#: Called with what is done ("following", "carrying"), frames done, and frames in all.
Progress = Callable[[str, int, int], None]

#: How many people a message lists.
_SHOWN = 20
BOX = "it is [left, top, right, bottom] in pixels of one eye"
ID = "it is the id or the name of a person"
FRAME = "it is the number of a frame, from 0"
POINTS = "a list of [x, y] in pixels of one eye"
#: More are no longer pointed out by hand.
MOST_POINTS = 200
#: [[x, y], ...] in pixels of one eye.
Points = list[tuple[Annotated[float, Field(allow_inf_nan=False)], Annotated[float, Field(allow_inf_nan=False)]]]
NAME = "it becomes a layer: a letter first, then letters, digits and _"


@dataclass(frozen=True, slots=True)
class Scene:
    """What edits are made in.

    load_segmenter: gives the network that follows people, when somebody is to be followed. first_number: what messages call frame 0.
    progress: told how far a long step is.
    """

    clip: Clip
    load_segmenter: Callable[[], Segmenter] = field(repr=False)
    first_number: int = 0
    progress: Progress | None = field(default=None, repr=False)

    def progress_of(self, what: str) -> Callable[[int, int], None] | None:
        """Called with (frames done, frames in all) of a step."""
        progress = self.progress
        return None if progress is None else lambda done, total: progress(what, done, total)

    @contextlib.contextmanager
    def threads(self) -> Iterator[Executor]:
        """What looks are taken in at once."""
        with ThreadPoolExecutor(self.clip.settings.hardware.threads or 2, "edit") as pool:
            yield pool

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


def person_of(data: Document, who: int | str) -> Document:
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


def rows_of(person: Document, view: str, clip: Clip) -> Document:
    known_view(view, clip)
    rows: Document = person["views"].setdefault(view, {})
    return rows


def known_view(view: str, clip: Clip) -> None:
    if view not in clip.views:
        raise PlanError(f"view is {short(view)}; this clip has {', '.join(clip.views)}")


def checked_plan(data: Document, people: list[Document], clip: Clip, source: str) -> Plan:
    """A plan of ``people`` and, without what they do, of all others: in a plan of an hour the whole takes ten seconds. Raises PlanError."""
    new = {p["id"]: p for p in people}
    facts = {k: v for k, v in data.items() if k != "people"}
    return Plan.from_data({**facts, "people": [new.get(p["id"]) or {**p, "views": {}} for p in data["people"]]}, clip, source)


def merged(found: Document, own: Document) -> Document:
    """View -> rows; where both have one, that of ``own``."""
    return {view: {**found.get(view, {}), **own.get(view, {})} for view in {**found, **own}}
