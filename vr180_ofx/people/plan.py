"""The plan: who is where in a clip. A value that is never changed; its file is a document that a person can read and edit."""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from vr180_ofx.errors import PlanError
from vr180_ofx.frame_ranges import Numbering
from vr180_ofx.media.contract import Clip
from vr180_ofx.people import plan_file
from vr180_ofx.people.corrections import POINTS_REACH, corrections_to_data
from vr180_ofx.people.curves import EdgeValue
from vr180_ofx.people.doubts import told_of_carried, told_of_points
from vr180_ofx.people.outline import ACROSS, digest, is_carried
from vr180_ofx.people.paint_file import paint_to_data
from vr180_ofx.people.parameters import PLAN, TrajectoryParameters
from vr180_ofx.people.person import Person
from vr180_ofx.people.plan_file import TURNS, PlanDocument
from vr180_ofx.people.trajectory import Shot, Track, make_track, shot_of
from vr180_ofx.storage import write_atomic
from vr180_ofx.vr180.alignment import Alignment
from vr180_ofx.vr180.body import Body
from vr180_ofx.vr180.projection import Projection
from vr180_ofx.vr180.window import Window


@dataclass(frozen=True, kw_only=True, repr=False)
class Plan(PlanDocument):
    """Who is where. Made by `people.analyse`, or read from a file that somebody edited. To change one, use `dataclasses.replace`.

    projection: of one eye. fps: frames per second. views: the eyes, left first. frames: of the clip. trajectory: how what was
    sampled becomes a way through every frame. For the other fields see `plan_file.PlanDocument`.
    """

    projection: Projection
    fps: float
    views: tuple[str, ...]
    frames: int
    trajectory: TrajectoryParameters = PLAN.trajectory

    def __repr__(self) -> str:
        people = ", ".join(p.name for p in self.people) or "nobody"
        return f"Plan({self.frames} frames, {len(self.shots)} shots, {'+'.join(self.views)}: {people})"

    # files -------------------------------------------------------------------------------------------------------

    @classmethod
    def load(cls, path: str | Path, clip: Clip) -> Plan:
        """Reads a plan for ``clip``. Raises PlanError with the place of whatever is wrong."""
        return cls.from_data(plan_file.read(path), clip, str(path), Path(path).parent)

    @classmethod
    def from_data(cls, data: Any, clip: Clip, source: str = "plan", folder: Path | None = None) -> Plan:
        """The plan that a document describes. source: what it is called in messages. folder: where files that it names lie, unless their
        names are absolute; None: they have to be. Raises PlanError, and nothing else.
        """
        document = plan_file.parse(data, clip, source, folder)
        return cls(
            clip=document.clip, shots=document.shots, people=document.people, settings_digest=document.settings_digest,
            notes=document.notes, edges=document.edges, mattes=document.mattes, projection=clip.projection, fps=float(clip.fps),
            views=clip.views, frames=len(clip),
        )  # fmt: skip

    @classmethod
    def of_nobody(cls, clip: Clip) -> Plan:
        """For what needs no people: one shot, and nobody in it."""
        return cls(
            clip={}, shots=((0, len(clip) - 1),), people=(), projection=clip.projection, fps=float(clip.fps), views=clip.views,
            frames=len(clip),
        )  # fmt: skip

    def of_everybody(self) -> Plan:
        """For what tells nobody from anybody: nobody in it, one shot, and of the mattes those that need no person. Raises PlanError for a
        matte that takes something from one person alone, and for corrections of one.
        """
        for m in self.mattes:
            if m.kind == "garbage" and m.person is not None and m.enabled:
                raise PlanError(
                    f"the matte {m.name} is of person {m.person} alone, and this tracker tells nobody from anybody; leave the person out, "
                    "or choose another tracker (matting.tracker)"
                )
        for p in self.active:
            if p.points or p.paint:
                raise PlanError(
                    f"{p.name} has {'points' if p.points else 'painted mattes'}, and this tracker tells nobody from anybody; take them "
                    f"away ({'unpoint' if p.points else 'unpaint'}), or choose another tracker (matting.tracker)"
                )
        # whose it is does not matter to all of them together, nor does what one hands to the other
        mattes = tuple(replace(m, person=None) for m in self.mattes if m.kind != "hand_over")
        return replace(self, people=(), shots=((0, self.frames - 1),), mattes=mattes)

    def to_json(self) -> str:
        """The document, one line per box. Boxes are pixels of one eye's picture: [left, top, right, bottom]."""
        return plan_file.to_json(self, self.projection)

    def save(self, path: str | Path) -> None:
        """Writes the document, whole or not at all."""
        write_atomic(Path(path), self.to_json().encode())

    def refuse_unknown(self, frames: Iterable[int], numbers: Numbering) -> None:
        """Raises PlanError for frames in which nobody was looked for: empty mattes would look like frames without people. numbers: what
        frames are called there.
        """
        unknown, known = self.unknown(frames), self.analysed
        if unknown and known is not None:
            first, last = map(numbers.number, known)
            raise PlanError(
                f"the plan is of frames {first} to {last} alone, {'' if numbers.start else 'counted from 0, '}and nobody was looked for in "
                f"{numbers.text(unknown)}; analyse these frames, or the whole clip, or remove `analysed` from the plan where nobody is "
                "missing"
            )

    def digest(self) -> str:
        """A hash of everything that decides what the mattes look like."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        body = json.loads(self.to_json())
        # what was not there in former versions changes nothing where it is absent
        more: list[Any] = [body[k] for k in ("edges", "mattes") if k in body]
        if self.mattes:
            # mattes are carried by them
            more += [self.alignment.identity(), self.interocular_m]
        # who is in doubt is told to people, and decides nothing
        people = [{k: v for k, v in p.items() if k != "doubts"} for p in body["people"]]
        text = json.dumps([body["shots"], people, *more], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    # what it says ------------------------------------------------------------------------------------------------

    @property
    def alignment(self) -> Alignment:
        """How the left camera is turned against the right one."""
        turned = self.clip.get("alignment_degrees", {})
        return Alignment(**{k: math.radians(float(turned.get(k, 0.0))) for k in TURNS})

    def distance_m(self, person: Person, n: int) -> float | None:
        """How far somebody is from the line through both eyes, along the ground, in metres; None when nobody measured it."""
        shift = person.shift(n)
        return self.interocular_m / shift if shift else None

    def doubts(self, first_number: int, plan: str | None = None, *, frames: Collection[int] | None = None) -> list[str]:
        """What is not sure of those whose mattes are made, in words. frames: of what is carried, or made of points, only what is in these;
        None: all. For the other arguments see `doubts.Doubt.told_of`.
        """
        said = [d.told_of(p.name, first_number, plan) for p in self.active for d in p.doubts]
        eyes = [(p, view) for p in self.active for view in self.views]
        said += [text for p, view in eyes if (text := self.told_of_carried(p, view, first_number, plan, frames=frames))]
        alone = ((p, view, [n for n in self.by_points(p, view) if frames is None or n in frames]) for p, view in eyes)
        return said + [told_of_points(p.name, view, [n + first_number for n in own], plan) for p, view, own in alone if own]

    def told_of_carried(
        self, person: Person, view: str, first_number: int, plan: str | None, *, frames: Collection[int] | None = None
    ) -> str:  # fmt: skip
        """That somebody was carried, and in which frames; nothing where they were not. For the arguments see above."""
        rows, own = person.views.get(view, {}), [n for n in self.carried(person, view) if frames is None or n in frames]
        across = [n + first_number for n in own if rows[n].source == ACROSS]
        return told_of_carried(person.name, view, {n + first_number: rows[n].score for n in own}, plan, across=across) if own else ""

    def carried(self, person: Person, view: str) -> list[int]:
        """The frames in which no network sees somebody, and what they cover was carried along the picture's motion."""
        return [n for n in self.track(person, view).outlines if is_carried(person.views[view][n].source)]

    def by_points(self, person: Person, view: str) -> list[int]:
        """The frames in which what somebody covers was made of a person's points alone, and nobody confirmed it."""
        outlines = self.track(person, view).outlines
        return [n for n in outlines if person.views[view][n].source == "edited" and person.views[view][n].score < 1]

    @property
    def active(self) -> list[Person]:
        """The people whose mattes are made: all that are not excluded."""
        return [p for p in self.people if not p.exclude]

    def shot_of(self, n: int) -> Shot:
        """(first, last) frame of the shot that holds frame ``n``."""
        return shot_of(self.shots, n)

    def present(self, n: int, view: str) -> list[Person]:
        """The people in this eye at this frame, excluded ones not among them."""
        return [p for p in self.active if self.track(p, view).has(n)]

    def bodies(self, n: int, view: str) -> dict[int, Body]:
        """Number -> where they are in this eye at this frame, of everybody, excluded ones too."""
        return {p.id: self.track(p, view).bodies[n] for p in self.people if self.track(p, view).has(n)}

    def track(self, person: Person, view: str) -> Track:
        """The person's smoothed way through one eye."""
        return self._tracks[person.id, view]

    @cached_property
    def _tracks(self) -> dict[tuple[int, str], Track]:
        return {
            (p.id, view): make_track(p.views.get(view, {}), self.shots, self.fps, self.trajectory, absent=p.absent.get(view, ()))
            for p in self.people
            for view in self.views
        }

    def window(self, person: Person, view: str, n: int, size: int) -> Window:
        """The camera, ``size`` pixels on a side, that follows the person in this eye."""
        return self.track(person, view).bodies[n].window(size)

    def edges_at(self, n: int, person: int | None) -> dict[str, EdgeValue]:
        """What the plan says of edges at frame ``n``, by the names of `settings.edges.EdgesSettings`. person: None is everybody."""
        own = next((p.edges for p in self.people if p.id == person), {}) if person is not None else self.edges
        return {name: curve.at(n) for name, curve in own.items()}

    def facts(self, n: int) -> bytes:
        """All that the plan says of frame ``n`` and that mattes depend on before their controls: not names, nor what is excluded."""
        parts = []
        for view in self.views:
            for p in self.present(n, view):
                t = self.track(p, view)
                b, occluders = t.bodies[n], t.occluders.get(n, ())
                numbers = (b.longitude, b.latitude, b.reach, b.roll, *t.boxes[n], t.scores[n], p.shift(n) or 0.0)
                parts += [view.encode(), struct.pack(f"<i10d?{len(occluders)}i", p.id, *numbers, n in t.anchors, *occluders)]
                if n in t.outlines:
                    parts.append(digest(t.outlines[n]))
        return b"|".join(parts)

    def prompt_facts(self, n: int, painted: Callable[[str], str] | None = None) -> bytes:
        """`facts`, and the points and painted mattes of frame ``n``, for trackers that are shown them: where there are none, the same.

        painted: what names what a painted matte's file holds; None: they are shown none.
        """
        said = []
        for view in self.views:
            for p in self.present(n, view):
                if n in p.points.get(view, {}):
                    said.append(f"|points {p.id}{view}{p.points[view][n]}")
                if painted is not None and n in p.paint.get(view, {}):
                    said.append(f"|paint {p.id}{view}{painted(p.paint[view][n])}")
        return self.facts(n) + "".join(said).encode()

    def control_facts(self, n: int) -> str:
        """All that the plan says of what is done to frame ``n`` after matting."""
        people = {p.id: self.edges_at(n, p.id) for p in self.people if p.edges}
        mattes = [facts for m in self.mattes if (facts := m.facts(n)) is not None]
        points = [[p.id, corrections_to_data(p.points)] for p in self.people if p.points and self._reached(p, n)]
        more: list[Any] = [points] if points else []
        paint = [[p.id, paint_to_data(p.paint)] for p in self.people if p.paint and self._reached(p, n)]
        if paint:
            more.append({"paint": paint})
        return json.dumps([self.edges_at(n, None), people, mattes, *more], sort_keys=True)

    @property
    def files(self) -> frozenset[str]:
        """The pictures, or patterns of them, that are named for mattes."""
        return self.painted.union(m.image.path for m in self.mattes if m.image is not None)

    @property
    def painted(self) -> frozenset[str]:
        """Those that somebody painted."""
        return frozenset(file for p in self.people for rows in p.paint.values() for file in rows.values())

    def _reached(self, person: Person, n: int) -> bool:
        """Whether corrections by points, or what is painted, may come as far as frame ``n``."""
        first, last = self.shot_of(n)
        frames = {k for said in (person.points, person.paint) for rows in said.values() for k in rows}
        return any(first <= k <= last and abs(k - n) <= POINTS_REACH for k in frames)
