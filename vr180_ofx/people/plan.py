"""The plan: who is where in a clip. A document that a person can read and edit."""

from __future__ import annotations

import hashlib
import json
import math
import re
import struct
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.errors import PlanError
from vr180_ofx.storage import write_atomic
from vr180_ofx.vr180.alignment import Alignment
from vr180_ofx.vr180.body import Body, Box, body_from_box, body_from_directions
from vr180_ofx.vr180.epipolar import INTEROCULAR_M
from vr180_ofx.vr180.projection import Projection
from vr180_ofx.vr180.window import Window

FORMAT = "vr180-ofx plan"
VERSION = 1
_TURNS = ("pitch", "yaw", "roll")
#: How long somebody may be out of sight and still be taken for present in between, in seconds.
GAP_S = 0.75
#: Windows follow people as if by a camera operator: a Gaussian of this width, in seconds, without delay.
SMOOTHING_S = 0.12


@dataclass(frozen=True, slots=True)
class Entry:
    """A person in one eye at one frame.

    box: (x0, y0, x1, y1) in the eye's pixels. score: 0..1, how sure the networks were. source: found, tracked, edited, or
    other_eye where that eye alone saw them.
    behind: the numbers of the people who stand before this one and hide a part of them.
    """

    body: Body
    box: Box
    score: float
    source: str = "tracked"
    behind: tuple[int, ...] = ()


@dataclass(slots=True)
class Person:
    """Somebody with one number and one name in the whole clip and in both eyes.

    views: view name -> frame -> entry. Between entries positions are interpolated; where two entries are further apart
    than ``GAP_S``, the person is out of sight between them.
    """

    id: int
    name: str
    views: dict[str, dict[int, Entry]]
    exclude: bool = False
    shot: int = 0
    #: Frame -> how far apart the eyes see them: the interocular distance over their depth along the ground, see `epipolar.upright`.
    shifts: dict[int, float] = field(default_factory=dict)

    def shift(self, n: int) -> float | None:
        """Interpolated; None when it was never measured."""
        if not self.shifts:
            return None
        frames = sorted(self.shifts)
        return float(np.interp(n, frames, [self.shifts[k] for k in frames]))


@dataclass(slots=True)
class Track:
    """A person's way through one eye, at every frame: what the windows are made from."""

    first: int
    bodies: dict[int, Body]
    boxes: dict[int, Box]
    scores: dict[int, float]
    behind: dict[int, tuple[int, ...]]
    #: Frames where the person comes into sight, or where somebody corrected the plan: to be believed over what a tracker remembers.
    anchors: frozenset[int]

    def has(self, n: int) -> bool:
        return n in self.bodies


@dataclass
class Plan:
    """Who is where. Made by `people.analyse`, or read from a file that somebody edited.

    clip: facts to recognise the clip by. shots: (first, last) frames. notes: what the analysis has to say.
    """

    clip: dict[str, Any]
    shots: list[tuple[int, int]]
    people: list[Person]
    projection: Projection
    fps: float
    views: tuple[str, ...]
    frames: int
    settings_digest: str = ""
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of_nobody(cls, clip: Any) -> Plan:
        """For what needs no people: one shot, and nobody in it."""
        data = {"format": FORMAT, "version": VERSION, "clip": {}, "shots": [[0, len(clip) - 1]], "people": []}
        return cls.from_data(data, clip)

    @property
    def interocular_m(self) -> float:
        """What distances are reckoned with."""
        return float(self.clip.get("interocular_m", INTEROCULAR_M))

    @property
    def alignment(self) -> Alignment:
        """How the left camera is turned against the right one."""
        turned = self.clip.get("alignment_degrees", {})
        return Alignment(**{k: math.radians(float(turned.get(k, 0.0))) for k in _TURNS})

    def distance_m(self, person: Person, n: int) -> float | None:
        """How far somebody is from the line through both eyes, along the ground."""
        shift = person.shift(n)
        return self.interocular_m / shift if shift else None

    @property
    def active(self) -> list[Person]:
        """The people whose mattes are made: all that are not excluded."""
        return [p for p in self.people if not p.exclude]

    def shot_of(self, n: int) -> tuple[int, int]:
        """(first, last) frame of the shot that holds frame ``n``."""
        starts = [s for s, _ in self.shots]
        return self.shots[max(0, bisect_right(starts, n) - 1)]

    def present(self, n: int, view: str) -> list[Person]:
        """The people in this eye at this frame, excluded ones not among them."""
        return [p for p in self.active if self.track(p, view).has(n)]

    def track(self, person: Person, view: str) -> Track:
        """The person's smoothed way through one eye."""
        return self._tracks[person.id, view]

    @cached_property
    def _tracks(self) -> dict[tuple[int, str], Track]:
        return {(p.id, view): self._make_track(p.views.get(view, {})) for p in self.people for view in self.views}

    def facts(self, n: int) -> bytes:
        """All that the plan says of frame ``n`` and that mattes depend on: not names, nor what is excluded."""
        parts = []
        for view in self.views:
            for p in self.present(n, view):
                t = self.track(p, view)
                b, behind = t.bodies[n], t.behind.get(n, ())
                numbers = (b.longitude, b.latitude, b.reach, b.roll, *t.boxes[n], t.scores[n], p.shift(n) or 0.0)
                parts += [view.encode(), struct.pack(f"<i10d?{len(behind)}i", p.id, *numbers, n in t.anchors, *behind)]
        return b"|".join(parts)

    def window(self, person: Person, view: str, n: int, size: int) -> Window:
        """The camera that follows the person in this eye."""
        return self.track(person, view).bodies[n].window(size)

    def _make_track(self, entries: dict[int, Entry]) -> Track:
        bodies: dict[int, Body] = {}
        boxes: dict[int, Box] = {}
        scores: dict[int, float] = {}
        behind: dict[int, tuple[int, ...]] = {}
        anchors = {n for n, e in entries.items() if e.source == "edited"}
        for run in self._runs(sorted(entries)):
            first, last = self._held(run, entries)
            anchors.add(first)
            numbers = np.arange(first, last + 1)
            known = np.array(run)
            values = np.array([_numbers(entries[n]) for n in run])
            values[:, [0, 3]] = np.unwrap(values[:, [0, 3]], axis=0)
            dense = np.stack([np.interp(numbers, known, column) for column in values.T], axis=1)
            smooth = dense.copy()
            smooth[:, :4] = _gaussian(dense[:, :4], SMOOTHING_S * self.fps)
            # the entry before or the one after, whichever is nearer: searched for, because runs of long clips have many entries
            after = np.searchsorted(known, numbers).clip(1 if len(run) > 1 else 0, len(run) - 1)
            before = np.maximum(after - 1, 0)
            nearest = known[np.where(np.abs(known[before] - numbers) <= np.abs(known[after] - numbers), before, after)]
            for n, row, at in zip(numbers.tolist(), smooth, nearest.tolist(), strict=True):
                bodies[n] = Body(math.remainder(row[0], math.tau), float(row[1]), float(np.exp(row[2])), math.remainder(row[3], math.tau))
                boxes[n] = (float(row[4]), float(row[5]), float(row[6]), float(row[7]))
                scores[n] = float(row[8])
                if entries[at].behind:
                    behind[n] = entries[at].behind
        return Track(min(bodies, default=0), bodies, boxes, scores, behind, frozenset(anchors))

    def _runs(self, frames: list[int]) -> list[list[int]]:
        """Frames with entries, split where the person is out of sight or a shot ends."""
        runs: list[list[int]] = []
        for n in frames:
            if runs and n - runs[-1][-1] <= max(1.0, GAP_S * self.fps) and self.shot_of(n) == self.shot_of(runs[-1][-1]):
                runs[-1].append(n)
            else:
                runs.append([n])
        return runs

    def _held(self, run: list[int], entries: dict[int, Entry]) -> tuple[int, int]:
        """Entries are sampled: near the shot's ends, the first and last one hold up to the end."""
        first_of_shot, last_of_shot = self.shot_of(run[0])
        hold = max((b - a for a, b in pairwise(run)), default=max(1, round(self.fps / 12)))
        first = first_of_shot if run[0] - first_of_shot <= hold else run[0]
        last = last_of_shot if last_of_shot - run[-1] <= hold else run[-1]
        return first, last

    def digest(self) -> str:
        """A hash of everything that decides what the mattes look like."""
        body = json.loads(self.to_json())
        text = json.dumps([body["shots"], body["people"]], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    # reading and writing -----------------------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Writes the plan as JSON with one line per box, whole or not at all."""
        write_atomic(Path(path), self.to_json().encode())

    def to_json(self) -> str:
        """The document. Boxes are pixels of one eye's picture: [left, top, right, bottom]."""
        people = []
        for p in self.people:
            views = {}
            for view, entries in p.views.items():
                rows = {}
                for n in sorted(entries):
                    e = entries[n]
                    hips = self.projection.project(np.array(e.body.direction))
                    top = self.projection.project(e.body.top())
                    row: dict[str, Any] = {"box": _rounded(e.box)}
                    if np.isfinite(hips).all() and np.isfinite(top).all():
                        row |= {"hips": _rounded(hips), "top": _rounded(top)}
                    if e.behind:
                        row["behind"] = list(e.behind)
                    rows[str(n)] = row | {"score": round(e.score, 3), "source": e.source}
                views[view] = rows
            person: dict[str, Any] = {"id": p.id, "name": p.name, "exclude": p.exclude, "shot": p.shot}
            if p.shifts:
                person["distance_m"] = [[n, round(self.interocular_m / s, 4)] for n, s in sorted(p.shifts.items())]
            people.append(person | {"views": views})
        document = {
            "format": FORMAT,
            "version": VERSION,
            "about": "Edit freely: set exclude, change a name, move a box (then delete its hips and top), add frames or people. "
            "Boxes are [left, top, right, bottom] in pixels of one eye; frames count from 0; between frames positions are interpolated.",
            "clip": self.clip,
            "settings": self.settings_digest,
            "shots": [list(s) for s in self.shots],
            "notes": self.notes,
            "people": people,
        }
        text = json.dumps(document, indent=1, ensure_ascii=False)
        # a box per line reads better than a number per line
        text = re.sub(r"\[\s+([-\d.]+(?:,\s+[-\d.]+)*)\s+\]", lambda m: "[" + re.sub(r"\s+", " ", m.group(1)) + "]", text)
        return re.sub(r'\{\s+("box":[^{}]*?)\s+\}', lambda m: "{" + re.sub(r"\s+", " ", m.group(1)) + "}", text) + "\n"

    @classmethod
    def load(cls, path: str | Path, clip: Any) -> Plan:
        """Reads a plan for ``clip`` (a `media.Clip`). Raises PlanError with the place of whatever is wrong."""
        path = Path(path)
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise PlanError(f"the plan {path} does not exist") from None
        except OSError as error:
            raise PlanError(f"the plan {path} cannot be read: {error.strerror}") from None
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise PlanError(f"the plan {path} is not JSON: {error}") from None
        return cls.from_data(data, clip, str(path))

    @classmethod
    def from_data(cls, data: Any, clip: Any, source: str = "plan") -> Plan:
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise PlanError(f"{source} is not a plan of this program (its 'format' should be {FORMAT!r})")
        if data.get("version") != VERSION:
            raise PlanError(f"{source} has version {data.get('version')!r}; this program reads version {VERSION}")
        made_for = data.get("clip", {})
        if made_for.get("frames", len(clip)) != len(clip) or made_for.get("eye_size", list(clip.eye_size)) != list(clip.eye_size):
            raise PlanError(
                f"{source} was made for a clip of {made_for.get('frames')} frames with eyes of {made_for.get('eye_size')}; "
                f"{clip.path} has {len(clip)} frames with eyes of {list(clip.eye_size)}"
            )
        shots = _shots(data.get("shots"), len(clip), source)
        people, used = [], set()
        interocular = made_for.get("interocular_m", INTEROCULAR_M)
        if not isinstance(interocular, (int, float)) or not 0 < interocular < 10:
            raise PlanError(f"{source}: clip.interocular_m is {interocular!r}; it is the distance of the eyes in metres")
        turned = made_for.get("alignment_degrees", {})
        wrong = not isinstance(turned, dict) or set(turned) - set(_TURNS)
        if wrong or not all(isinstance(d, (int, float)) and -10 < d < 10 for d in turned.values()):
            raise PlanError(
                f"{source}: clip.alignment_degrees is {turned!r}; it has {', '.join(_TURNS)}, from -10 to 10 degrees: how the left "
                "camera is turned up, to the right and clockwise against the right one"
            )
        for k, item in enumerate(data.get("people", [])):
            person = _person(item, clip, f"{source}: people[{k}]", float(interocular))
            if person.id in used:
                raise PlanError(f"{source}: people[{k}].id is {person.id}, which another person has; ids are unique")
            used.add(person.id)
            people.append(person)
        names = [p.name for p in people]
        for name in names:
            if names.count(name) > 1:
                raise PlanError(f"{source}: two people are called {name!r}; names become layers and must differ")
        return cls(
            clip=made_for, shots=shots, people=people, projection=clip.projection, fps=float(clip.fps),
            views=clip.views, frames=len(clip), settings_digest=str(data.get("settings", "")),
            notes=[str(n) for n in data.get("notes", [])],
        )  # fmt: skip


def _shots(value: Any, frames: int, source: str) -> list[tuple[int, int]]:
    if value is None:
        return [(0, frames - 1)]
    try:
        shots = [(int(a), int(b)) for a, b in value]
    except (TypeError, ValueError):
        raise PlanError(f"{source}: shots is {value!r}; it is a list of [first, last]") from None
    expected = 0
    for first, last in shots:
        if first != expected or last < first:
            raise PlanError(f"{source}: the shot [{first}, {last}] should begin at frame {expected}; shots follow one another")
        expected = last + 1
    if expected != frames:
        raise PlanError(f"{source}: the last shot ends at frame {expected - 1}; the clip ends at {frames - 1}")
    return shots


def valid_name(name: str) -> bool:
    """Layer names begin with a letter and hold letters, digits and underscores: what every host accepts."""
    return bool(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,62}", name))


def _person(item: Any, clip: Any, where: str, interocular_m: float) -> Person:
    if not isinstance(item, dict):
        raise PlanError(f"{where} is {item!r}; a person is an object with id, name and views")
    unknown = set(item) - {"id", "name", "exclude", "shot", "distance_m", "views"}
    if unknown:
        raise PlanError(f"{where} has the key {sorted(unknown)[0]!r}; allowed are id, name, exclude, shot, distance_m, views")
    number = item.get("id")
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= 9999:
        raise PlanError(f"{where}.id is {number!r}; it is a number from 1 to 9999")
    name = item.get("name", f"person{number:02d}")
    if not isinstance(name, str) or not valid_name(name):
        raise PlanError(f"{where}.name is {name!r}; it becomes a layer: a letter first, then letters, digits and _")
    exclude = item.get("exclude", False)
    if not isinstance(exclude, bool):
        raise PlanError(f"{where}.exclude is {exclude!r}; allowed are true and false")
    views: dict[str, dict[int, Entry]] = {}
    for view, rows in (item.get("views") or {}).items():
        if view not in clip.views:
            raise PlanError(f"{where}.views has {view!r}; this clip has {', '.join(clip.views)}")
        entries: dict[int, Entry] = {}
        for key, row in rows.items():
            place = f"{where}.views.{view}.{key}"
            if not str(key).isdigit() or int(key) >= len(clip):
                raise PlanError(f"{place}: frames are numbers from 0 to {len(clip) - 1}")
            entries[int(key)] = _entry(row, clip, place)
        views[view] = entries
    shifts: dict[int, float] = {}
    for row in item.get("distance_m") or ():
        try:
            n, metres = row
            n, metres = int(n), float(metres)
        except (TypeError, ValueError):
            n, metres = -1, 0.0
        if not 0 <= n < len(clip) or not 0.05 <= metres < 10_000:
            raise PlanError(f"{where}.distance_m has {row!r}; it is a list of [frame, metres], with frames from 0 to {len(clip) - 1}")
        shifts[n] = interocular_m / metres
    return Person(number, name, views, exclude, int(item.get("shot", 0)), shifts)


def _entry(row: Any, clip: Any, where: str) -> Entry:
    width, height = clip.eye_size
    if not isinstance(row, dict) or "box" not in row:
        raise PlanError(f"{where} is {row!r}; it needs a box: [left, top, right, bottom] in pixels of one eye")
    try:
        box = tuple(float(v) for v in row["box"])
    except (TypeError, ValueError):
        box = ()
    if len(box) != 4 or not (box[0] < box[2] and box[1] < box[3]) or not all(math.isfinite(v) for v in box):
        raise PlanError(f"{where}.box is {row['box']!r}; it is [left, top, right, bottom] with left < right and top < bottom")
    if box[2] <= 0 or box[3] <= 0 or box[0] >= width or box[1] >= height:
        raise PlanError(f"{where}.box is {row['box']!r}, outside the eye's picture of {width}x{height}")
    projection = clip.projection
    body = None
    if "hips" in row and "top" in row:
        try:
            hips, top = projection.unproject(np.array([row["hips"], row["top"]], float))
            body = body_from_directions(hips, top)
        except (ValueError, TypeError):
            body = None
        # a box that was moved away from its own landmarks wins over them
        hx, hy = (float(v) for v in row["hips"])
        grow_x, grow_y = (box[2] - box[0]) * 0.5, (box[3] - box[1]) * 0.5
        if not (box[0] - grow_x <= hx <= box[2] + grow_x and box[1] - grow_y <= hy <= box[3] + grow_y):
            body = None
        if body is not None and not math.isfinite(body.longitude + body.reach):
            body = None
    source = str(row.get("source", "edited"))
    if body is None:
        try:
            body = body_from_box(box, projection)
        except ValueError as error:
            raise PlanError(f"{where}: {error}") from None
        source = "edited"
    score = row.get("score", 1.0)
    if not isinstance(score, (int, float)) or not 0 <= score <= 1:
        raise PlanError(f"{where}.score is {score!r}; it lies between 0 and 1")
    behind = row.get("behind", [])
    if not isinstance(behind, list) or not all(isinstance(k, int) and not isinstance(k, bool) for k in behind):
        raise PlanError(f"{where}.behind is {behind!r}; it is a list of the ids of people who stand before this one")
    return Entry(body, box, float(score), source, tuple(behind))


def _numbers(e: Entry) -> list[float]:
    b = e.body
    return [b.longitude, b.latitude, math.log(b.reach), b.roll, *e.box, e.score]


def _gaussian(values: FloatArray, sigma: float) -> FloatArray:
    """Smooths along the first axis; the ends are mirrored about themselves, so that steady motion stays unchanged."""
    radius = min(math.ceil(3 * sigma), max(0, values.shape[0] - 1))
    if radius < 1 or sigma <= 0:
        return values
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    before = 2 * values[:1] - values[1 : radius + 1][::-1]
    after = 2 * values[-1:] - values[-radius - 1 : -1][::-1]
    padded = np.concatenate([before, values, after])
    return np.stack([np.convolve(padded[:, k], kernel, "valid") for k in range(values.shape[1])], axis=1)


def _rounded(values: Iterable[float]) -> list[float]:
    return [round(float(v), 2) for v in values]
