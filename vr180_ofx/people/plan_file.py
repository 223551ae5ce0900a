"""The plan as a file: JSON that people read and edit, with one line per box. What is written here is read here, to the byte."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field, StrictBool, StrictInt

from vr180_ofx import documents
from vr180_ofx.errors import DocumentError, PlanError
from vr180_ofx.media.contract import Clip
from vr180_ofx.people import mattes_file
from vr180_ofx.people.absence import Range, joined
from vr180_ofx.people.corrections import corrections_of, corrections_to_data
from vr180_ofx.people.curves import Curves, edge_curves, to_data
from vr180_ofx.people.doubts import Doubt, DoubtRow
from vr180_ofx.people.mattes_file import InputMatte, input_mattes
from vr180_ofx.people.names import NAME_RULE, PersonName
from vr180_ofx.people.paint_file import paint_of, paint_to_data
from vr180_ofx.people.person import Entry, Person
from vr180_ofx.people.plan_rows import PersonId, Text, entry_of, entry_to_data
from vr180_ofx.people.trajectory import Shot
from vr180_ofx.people.validation import Part, checked
from vr180_ofx.vr180.epipolar import INTEROCULAR_M
from vr180_ofx.vr180.projection import Projection
from vr180_ofx.wording import short

FORMAT = "vr180-ofx plan"
VERSION = 1
_ABOUT = (
    "Edit freely: set exclude, change a name, move a box (then delete its hips and top), add frames or people. "
    "Boxes are [left, top, right, bottom] in pixels of one eye; frames count from 0, the clip's first "
    "one, whatever the number of its file, in notes with a #; between frames positions are interpolated."
)
#: How the left camera may be turned against the right one, and by how much, in degrees.
TURNS = ("pitch", "yaw", "roll")
_MOST_TURN_DEGREES = 10.0


@dataclass(frozen=True, kw_only=True)
class PlanDocument:
    """What the file of a plan says.

    clip: facts to recognise the clip by, and how its cameras stand to each other. shots: (first, last) frames, one after the
    other. notes: what the analysis has to say. settings_digest: of the settings that it was made with. edges: what is done to everybody's
    edges after matting, see `Person.edges`. mattes: garbage and holdout mattes, in the order in which they are applied.
    """

    clip: Mapping[str, Any]
    shots: Sequence[Shot]
    people: Sequence[Person]
    settings_digest: str = ""
    notes: Sequence[str] = ()
    edges: Curves = field(default_factory=dict)
    mattes: Sequence[InputMatte] = ()

    @property
    def analysed(self) -> Shot | None:
        """(first, last) of the frames in which people were looked for; None: all."""
        found = self.clip.get("analysed")
        return None if found is None else (int(found[0]), int(found[1]))

    def unknown(self, frames: Iterable[int]) -> list[int]:
        """Those of ``frames`` in which nobody was looked for: that nobody is there cannot be said of them."""
        known = self.analysed
        return [] if known is None else [n for n in frames if not known[0] <= n <= known[1]]

    @property
    def interocular_m(self) -> float:
        """What distances are reckoned with, metres."""
        return float(self.clip.get("interocular_m", INTEROCULAR_M))


# writing ---------------------------------------------------------------------------------------------------------


def to_json(plan: PlanDocument, projection: Projection) -> str:
    """The document. projection: of one eye; boxes, hips and tops are pixels of its picture."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "about": _ABOUT,
        "clip": plan.clip,
        "settings": plan.settings_digest,
        "shots": [list(s) for s in plan.shots],
        "notes": list(plan.notes),
        **({"edges": to_data(plan.edges)} if plan.edges else {}),
        **({"mattes": [mattes_file.to_data(m) for m in plan.mattes]} if plan.mattes else {}),
        "people": [_person_to_data(p, projection, plan.interocular_m) for p in plan.people],
    }
    text = json.dumps(document, indent=1, ensure_ascii=False)
    # a box per line reads better than a number per line
    text = re.sub(r"\[\s+([-\d.]+(?:,\s+[-\d.]+)*)\s+\]", lambda m: "[" + re.sub(r"\s+", " ", m.group(1)) + "]", text)
    return re.sub(r'\{\s+("box":[^{}]*?)\s+\}', lambda m: "{" + re.sub(r"\s+", " ", m.group(1)) + "}", text) + "\n"


def _person_to_data(person: Person, projection: Projection, interocular_m: float) -> dict[str, Any]:
    data: dict[str, Any] = {"id": person.id, "name": person.name, "exclude": person.exclude, "shot": person.shot}
    if person.shifts:
        data["distance_m"] = [[n, round(interocular_m / s, 4)] for n, s in sorted(person.shifts.items())]
    if person.edges:
        data["edges"] = to_data(person.edges)
    if person.points:
        data["points"] = corrections_to_data(person.points)
    if person.paint:
        data["paint"] = paint_to_data(person.paint)
    if person.absent:
        data["absent"] = {view: [list(r) for r in own] for view, own in person.absent.items()}
    if person.doubts:
        data["doubts"] = [{"frame": d.frame, "why": d.why} for d in person.doubts]
    views = {v: {str(n): entry_to_data(entries[n], projection) for n in sorted(entries)} for v, entries in person.views.items()}
    return data | {"views": views}


# reading ---------------------------------------------------------------------------------------------------------


class _Document(Part):
    clip: dict[str, Any] = Field({}, description="it is an object of facts about the clip")
    settings: Text = Field("", description="it is a short text that the program wrote")
    shots: list[tuple[int, int]] | None = Field(None, description="it is a list of [first, last]")
    notes: list[Text] = Field([], max_length=1000, description="it is a list of texts, at most 1000 of at most 10,000 characters")
    edges: Any = Field(None, description="it is an object with keys of the section edges")
    mattes: list[Any] = Field([], description="it is a list of garbage and holdout mattes")
    people: list[Any] = Field([], description="it is a list of people")


class _Clip(Part):
    analysed: tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]] | None = Field(
        None, description="it is [first, last] of the frames in which people were looked for; without it, all of them"
    )
    interocular_m: Annotated[float, Field(strict=True, gt=0, lt=10)] = Field(
        INTEROCULAR_M, description="it is the distance of the eyes in metres"
    )
    alignment_degrees: dict[
        Literal["pitch", "yaw", "roll"], Annotated[float, Field(strict=True, gt=-_MOST_TURN_DEGREES, lt=_MOST_TURN_DEGREES)]
    ] = Field(
        {},
        description=f"it has {', '.join(TURNS)}, from {-_MOST_TURN_DEGREES:g} to {_MOST_TURN_DEGREES:g} degrees: how the left "
        "camera is turned up, to the right and clockwise against the right one",
    )


class _Person(Part):
    model_config = ConfigDict(frozen=True, extra="forbid")
    what: ClassVar[str] = "a person is an object with id, name and views"

    id: PersonId = Field(description="it is a number from 1 to 9999")
    name: PersonName | None = Field(None, description=NAME_RULE)
    exclude: StrictBool = Field(False, description="allowed are true and false")
    shot: Annotated[int, Field(ge=0, le=1_000_000_000)] = Field(0, description="it is the number of a shot, from 0")
    distance_m: list[tuple[int, Annotated[float, Field(ge=0.05, lt=10_000)]]] | None = Field(
        None, description="it is a list of [frame, metres], with metres from 0.05 on"
    )
    edges: Any = Field(None, description="it is an object with keys of the section edges")
    points: Any = Field(None, description="it is an object of views, each an object of frames, each with plus and minus")
    paint: Any = Field(None, description="it is an object of views, each an object of frames, each the name of a picture")
    absent: dict[str, Annotated[list[tuple[StrictInt, StrictInt]], Field(max_length=10_000)]] | None = Field(
        None, description="it is an object of views, each a list of [first, last] frames in which the person is out of sight"
    )
    doubts: list[Any] | None = Field(None, max_length=1000, description="it is a list of doubts, at most 1000")
    views: dict[str, dict[str, Any]] | None = Field(None, description="it is an object of views, each an object of frames, each with a box")


def read(path: str | Path) -> Any:
    """The JSON of a plan's file, for `parse`. Raises PlanError when there is none, or when it is not JSON."""
    try:
        return documents.from_json(documents.text_of(Path(path), documents.PLAN_BYTES))
    except DocumentError as error:
        raise PlanError(f"the plan {path} {error}") from None


def parse(data: Any, clip: Clip, source: str = "plan", folder: Path | None = None) -> PlanDocument:
    """What a document says of ``clip``. source: what it is called in messages. folder: where files that it names lie, unless their names
    are absolute; None: they have to be.

    Raises PlanError with the place of what is wrong, its value and what is allowed, and no other error whatever ``data`` is.
    """
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise PlanError(f"{source} is not a plan of this program (its 'format' should be {FORMAT!r})")
    if data.get("version") != VERSION:
        raise PlanError(f"{source} has version {short(data.get('version'))}; this program reads version {VERSION}")
    document = checked(_Document, data, f"{source}: ")
    made_for = document.clip
    if made_for.get("frames", len(clip)) != len(clip) or made_for.get("eye_size", list(clip.eye_size)) != list(clip.eye_size):
        raise PlanError(
            f"{source} was made for a clip of {short(made_for.get('frames'))} frames with eyes of {short(made_for.get('eye_size'))}; "
            f"{clip.path} has {len(clip)} frames with eyes of {list(clip.eye_size)}"
        )
    shots = _shots(document.shots, len(clip), source)
    facts = checked(_Clip, made_for, f"{source}: clip.")
    if not _plain(made_for, 16):
        raise PlanError(f"{source}: clip is {short(made_for)}; it holds texts, finite numbers, lists and objects, at most 16 in each other")
    people: list[Person] = []
    ids: set[int] = set()
    names: set[str] = set()
    for k, item in enumerate(document.people):
        person = _person(item, clip, f"{source}: people[{k}]", facts.interocular_m, folder)
        if person.id in ids:
            raise PlanError(f"{source}: people[{k}].id is {person.id}, which another person has; ids are unique")
        if person.name in names:
            raise PlanError(f"{source}: two people are called {person.name!r}; names become layers and must differ")
        ids.add(person.id)
        names.add(person.name)
        people.append(person)
    edges = edge_curves(document.edges, len(clip), f"{source}: edges") if document.edges is not None else {}
    return PlanDocument(
        clip=made_for, shots=shots, people=tuple(people), settings_digest=document.settings, notes=tuple(document.notes), edges=edges,
        mattes=input_mattes(document.mattes, clip, people, source, folder),
    )  # fmt: skip


def _plain(value: Any, depth: int) -> bool:
    """Whether JSON can hold ``value``: facts that nothing depends on are kept as they are."""
    if isinstance(value, str):
        return not any("\ud800" <= c <= "\udfff" for c in value)
    if isinstance(value, list):
        return depth > 0 and all(_plain(v, depth - 1) for v in value)
    if isinstance(value, dict):
        return depth > 0 and all(isinstance(k, str) and _plain(k, 0) and _plain(v, depth - 1) for k, v in value.items())
    if isinstance(value, int):
        return value.bit_length() < 1000
    return value is None or (isinstance(value, float) and math.isfinite(value))


def _shots(shots: Sequence[Shot] | None, frames: int, source: str) -> tuple[Shot, ...]:
    if shots is None:
        return ((0, frames - 1),)
    expected = 0
    for first, last in shots:
        if first != expected or last < first:
            raise PlanError(f"{source}: the shot {short([first, last])} should begin at frame {short(expected)}; shots follow one another")
        expected = last + 1
    if expected != frames:
        raise PlanError(f"{source}: the last shot ends at frame {short(expected - 1)}; the clip ends at {frames - 1}")
    return tuple(shots)


def _person(item: Any, clip: Clip, where: str, interocular_m: float, folder: Path | None) -> Person:
    data = checked(_Person, item, f"{where}.")
    views: dict[str, dict[int, Entry]] = {}
    for view, rows in (data.views or {}).items():
        if view not in clip.views:
            raise PlanError(f"{where}.views has {short(view)}; this clip has {', '.join(clip.views)}")
        entries: dict[int, Entry] = {}
        for key, row in rows.items():
            if not re.fullmatch(r"[0-9]{1,9}", key) or int(key) >= len(clip):
                raise PlanError(f"{where}.views.{view} has {short(key)}; frames are numbers from 0 to {len(clip) - 1}")
            place = f"{where}.views.{view}.{key}"
            if int(key) in entries:
                raise PlanError(f"{place}: frame {int(key)} is there twice")
            entries[int(key)] = entry_of(row, clip, place)
        views[view] = entries
    shifts: dict[int, float] = {}
    for n, metres in data.distance_m or ():
        if not 0 <= n < len(clip):
            raise PlanError(
                f"{where}.distance_m has {short([n, metres])}; it is a list of [frame, metres], with frames from 0 to {len(clip) - 1}"
            )
        shifts[n] = interocular_m / metres
    name = data.name if data.name is not None else f"person{data.id:02d}"
    edges = edge_curves(data.edges, len(clip), f"{where}.edges") if data.edges is not None else {}
    points = corrections_of(data.points or {}, views=clip.views, frames=len(clip), size=clip.eye_size, where=f"{where}.points")
    paint = paint_of(data.paint or {}, views=clip.views, frames=len(clip), where=f"{where}.paint", folder=folder)
    absent = {view: _absent(ranges, view, clip, where) for view, ranges in (data.absent or {}).items()}
    return Person(
        data.id, name, views, exclude=data.exclude, shot=data.shot, shifts=shifts, edges=edges,
        absent={v: r for v, r in absent.items() if r}, points=points, paint=paint,
        doubts=_doubts(data.doubts or (), len(clip), where),
    )  # fmt: skip


def _doubts(rows: Sequence[Any], frames: int, where: str) -> tuple[Doubt, ...]:
    found = []
    for k, item in enumerate(rows):
        row = checked(DoubtRow, item, f"{where}.doubts[{k}].")
        if row.frame >= frames:
            raise PlanError(f"{where}.doubts[{k}].frame is {row.frame}; frames are numbers from 0 to {frames - 1}")
        found.append(Doubt(row.frame, row.why))
    return tuple(found)


def _absent(ranges: Sequence[Range], view: str, clip: Clip, where: str) -> tuple[Range, ...]:
    if view not in clip.views:
        raise PlanError(f"{where}.absent has {short(view)}; this clip has {', '.join(clip.views)}")
    for first, last in ranges:
        if not 0 <= first <= last < len(clip):
            raise PlanError(
                f"{where}.absent.{view} has {short([first, last])}; it is [first, last], with frames from 0 to {len(clip) - 1} in order"
            )
    return tuple(joined(ranges))
