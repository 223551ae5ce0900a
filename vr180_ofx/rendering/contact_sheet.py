"""The contact sheet: who was found where, large enough to judge, with rulers in the plan's coordinates and the matte beside."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.engine.frame import Frame
from vr180_ofx.engine.models import Models
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.engine.store import open_store
from vr180_ofx.errors import FrameError, Vr180Error, WeightsError
from vr180_ofx.frame_ranges import Numbering
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.contract import Clip, SourceFrame
from vr180_ofx.media.numbering import numbering
from vr180_ofx.output.png import write_png
from vr180_ofx.people.outline import is_carried
from vr180_ofx.people.person import Person
from vr180_ofx.people.plan import Plan
from vr180_ofx.rendering.sheet_tiles import (
    EXCLUDED,
    Bytes,
    Mark,
    below,
    beside,
    colour_of,
    cropped,
    matte_lines,
    matte_picture,
    ruled,
    worded,
)
from vr180_ofx.settings import Settings

#: Pixels of the sheet that a person's part of a frame gets, whatever its shape.
_AREA = 84_000
#: The shapes of such parts, width to height: of somebody who stands, and of somebody who lies.
_SHAPES = 0.5, 1.8
#: How much is shown around a box, as a part of its height: hands and hair reach beyond it.
_ROOM = 0.2
#: The width of a whole eye on the sheet.
_EYE = 600
#: Rows of people's frames on a sheet: some 400 pixels each, so that it stays a picture that viewers open.
_ROWS = 48
#: Frames of the whole clip at the top.
_OVERVIEWS = 3
#: A draft for the sheet is made at the plate's resolution, a half or a quarter, so that an eye has about so many pixels.
_DRAFT_SIZE = 1024

#: Frame's index -> the mattes that the sheet shows beside it. May raise what a frame server's requests raise.
Mattes = Callable[[int], Frame]


@dataclass(frozen=True, slots=True)
class Shown:
    """A frame in which somebody is shown. why: which of their frames it is, in words."""

    index: int
    why: str


def contact_sheet(
    clip: Clip, plan: Plan, path: Path, settings: Settings | None = None, *, at: Sequence[int] = (), mattes: Mattes | None = None
) -> None:  # fmt: skip
    """Writes a PNG: frames of the whole clip, then each person, cropped from both eyes, with the matte beside.

    settings: of the frames' numbers, and of drafts. at: which frames (0-based); default: each person's first, middle and last, the one
    of which the plan is least sure, and those that its notes name. mattes: default: drafts by the embedded networks. Memory is that of
    one decoded frame and of the sheet, some 40 MB. Raises OSError.
    """
    settings = settings or clip.settings
    with contextlib.nullcontext((mattes, "")) if mattes else _drafts(clip, plan, settings) as (made, why_none):
        sheet = _Sheet(clip, plan, numbering(clip, settings), made)
        write_png(path, sheet.draw(at, why_none))


@contextlib.contextmanager
def _drafts(clip: Clip, plan: Plan, settings: Settings) -> Iterator[tuple[Mattes | None, str]]:
    """Drafts of frames with the people of a plan; None, and why, where the networks are not there."""
    if not plan.active:
        yield None, ""
        return
    size = max(clip.eye_size)
    scale = next((s for s in (1.0, 0.5) if size * s <= _DRAFT_SIZE * 1.5), 0.25)
    settings = settings.with_overrides([f"processing.scale_factor={min(scale, settings.processing.scale_factor)}"])
    try:
        server = FrameServer(clip, plan, settings, models=Models.of(settings).for_drafts(), prefetch=0, keep_frames=False)
    except WeightsError as error:
        yield None, str(error)
        return
    with server:
        yield lambda n: server.request(n, "draft").result(), ""


@contextlib.contextmanager
def rendered_mattes(clip: Clip, plan: Plan, settings: Settings, models: Models) -> Iterator[Mattes]:
    """What a render has made, as far as the cache still holds it, and drafts."""
    with FrameServer(clip, plan, settings, models=models, store=open_store(settings), prefetch=0) as server:
        yield lambda n: server.request(n, "final" if server.is_made(n) else "draft").result()


def chosen_frames(plan: Plan, person: Person, at: Sequence[int] = ()) -> list[Shown]:
    """Frames in which somebody is worth looking at, in order. at: only these, as far as the person is there."""
    tracks = [plan.track(person, v) for v in plan.views]
    there = sorted({n for t in tracks for n in t.bodies})
    if at:
        return [Shown(n, "") for n in sorted({*at}) if any(t.has(n) for t in tracks)]
    if not there:
        return []
    why: dict[int, list[str]] = {}

    def also(n: int, word: str) -> None:
        why.setdefault(n, []).append(word)

    also(there[0], "first")
    also(there[len(there) // 2], "middle")
    also(there[-1], "last")
    scores = {n: min(t.scores[n] for t in tracks if t.has(n)) for n in there}
    least = min(there, key=lambda n: scores[n])
    # to the two digits that the sheet shows
    if round(scores[least], 2) < round(max(scores.values()), 2):
        also(least, "least sure")
    known = {*there}
    for doubt in person.doubts:
        # the last frame of one and the first of the other, side by side to be compared
        for n, word in ((doubt.frame - 1, "before"), (doubt.frame, "somebody else?")):
            if n in known:
                also(n, word)
    # what the plan has to say of somebody in a frame, which its notes name by a mark: see `frame_ranges.mark`
    for note in plan.notes:
        if re.search(rf"\b{re.escape(person.name)}\b", note):
            for n in [int(k) for k in re.findall(r"#(\d{1,9})\b", note)][:3]:
                if n in known:
                    also(n, "see the note")
    return [Shown(n, ", ".join(words)) for n, words in sorted(why.items())]


class _Sheet:
    def __init__(self, clip: Clip, plan: Plan, numbers: Numbering, mattes: Mattes | None) -> None:
        self._clip, self._plan, self._mattes = clip, plan, mattes
        self._numbers = numbers
        self._width, self._height = clip.eye_size

    def draw(self, at: Sequence[int], why_none: str) -> Bytes:
        people = {p.id: chosen_frames(self._plan, p, at) for p in self._plan.people}
        fitting = max(1, _ROWS // max(1, len(people)))
        for number, shown in people.items():
            if len(shown) > fitting:
                # the first and the last stay
                people[number] = [shown[round(k * (len(shown) - 1) / max(1, fitting - 1))] for k in range(fitting)]
        last = len(self._clip) - 1
        overviews = sorted({*at})[:_OVERVIEWS] if at else sorted({0, last // 2, last})
        rows: dict[int, dict[int, Bytes]] = {}
        views: dict[int, Bytes] = {}
        # each frame is decoded once, for all who are shown in it
        for n in sorted({*overviews, *(s.index for shown in people.values() for s in shown)}):
            here = {p.id: s for p in self._plan.people for s in people[p.id] if s.index == n}
            source, frame, problem = self._made(n, wanted=bool(here))
            if n in overviews:
                views[n] = self._overview(n, source, problem)
            for number, s in here.items():
                rows.setdefault(number, {})[n] = self._row(number, s, source, frame, problem)
        width = max(part.shape[1] for part in (*views.values(), *(r for of in rows.values() for r in of.values())))
        parts = [self._head(width, why_none), *views.values()]
        for p in self._plan.people:
            parts.append(self._name(p, width))
            parts += self._packed([*rows.get(p.id, {}).values()], width)
        return below(parts)

    def _packed(self, rows: list[Bytes], width: int) -> list[Bytes]:
        """Frames of clips with one view are narrow: as many in a row as fit."""
        fitting = max(1, (width + 6) // (rows[0].shape[1] + 6)) if rows else 1
        return [beside(rows[k : k + fitting]) for k in range(0, len(rows), fitting)]

    def _made(self, n: int, *, wanted: bool) -> tuple[SourceFrame | None, Frame | None, str]:
        """(the picture, the mattes, what went wrong). wanted: whether mattes are."""
        try:
            source = self._clip.frame(n)
        except FrameError as error:
            return None, None, str(error)
        if not wanted or self._mattes is None:
            return source, None, ""
        try:
            return source, self._mattes(n), ""
        except Vr180Error as error:
            return source, None, str(error)

    # parts -----------------------------------------------------------------------------------------------------------

    def _head(self, width: int, why_none: str) -> Bytes:
        views = " and ".join(self._plan.views)
        lines = [
            f"{self._clip.path.name}: {len(self._clip)} frames at {float(self._clip.fps):.6g} fps, {views} {self._width}x{self._height}",
            "rulers: pixels of one eye from its upper left, as in the plan; boxes: the plan's; thin lines: where each matte is half there; "
            "beside: the person's matte in white, others dim",
        ]
        if why_none:
            lines.append(f"no mattes: {why_none}")
        notes = [n for n in self._plan.notes if not any(re.search(rf"\b{re.escape(p.name)}\b", n) for p in self._plan.people)]
        nobody = [] if self._plan.people else ["nobody was found"]
        return worded(
            [*((t, (1.0, 1.0, 1.0)) for t in [*lines, *nobody]), *((self._numbers.told(t), (1.0, 0.85, 0.25)) for t in notes)], width
        )

    def _name(self, person: Person, width: int) -> Bytes:
        where = []
        for view in self._plan.views:
            frames = sorted(self._plan.track(person, view).bodies)
            said = f"{self._numbers.number(frames[0])}-{self._numbers.number(frames[-1])} ({len(frames)} frames)" if frames else "never"
            where.append(f"{view} {said}")
        excluded = ", excluded: no matte is made" if person.exclude else ""
        colour = EXCLUDED if person.exclude else colour_of(person.id)
        notes = [n for n in self._plan.notes if re.search(rf"\b{re.escape(person.name)}\b", n)]
        title = f"{person.name} (id {person.id}{excluded}): {', '.join(where)}"
        doubts = [d.told_of(person.name, self._numbers.start) for d in person.doubts]
        return worded([(title, colour), *((self._numbers.told(n), (1.0, 0.85, 0.25)) for n in [*notes, *doubts])], width)

    def _marks(self, view: str, n: int, strong: int | None) -> list[Mark]:
        """Everybody's boxes. strong: whose is the thick one; None: everybody's, with names and windows."""
        marks = []
        for person in self._plan.people:
            track = self._plan.track(person, view)
            if not track.has(n):
                continue
            colour = EXCLUDED if person.exclude else colour_of(person.id)
            words = person.name + (" excluded" if person.exclude else "")
            if strong is None:
                marks.append(Mark(track.boxes[n], colour, words, outline=self._window(person, view, n)))
            else:
                marks.append(Mark(track.boxes[n], colour, "" if person.id == strong else words, strong=person.id == strong))
        return marks

    def _window(self, person: Person, view: str, n: int) -> FloatArray:
        """The outline of the window that follows somebody, (points, 2) pixels of the eye."""
        t = np.linspace(0, 64, 17)
        sides: Iterable[tuple[FloatArray, FloatArray]] = ((t, 0 * t), (0 * t + 64, t), (t[::-1], 0 * t + 64), (0 * t, t[::-1]))
        ring = np.concatenate([np.stack(pair, axis=-1) for pair in sides])
        points: FloatArray = self._clip.projection.project(self._plan.window(person, view, n, 64).directions(ring))
        return points[np.isfinite(points).all(axis=-1)]

    def _overview(self, n: int, source: SourceFrame | None, problem: str) -> Bytes:
        rect = Rect(0, 0, self._width, self._height)
        size = (_EYE, max(1, round(_EYE * self._height / self._width)))
        eyes = []
        for view in self._plan.views:
            picture = np.zeros((size[1], size[0], 3), np.float32) if source is None else cropped(source.eyes[view], rect, size)
            caption = f"frame {self._numbers.number(n)} {view}"
            eyes.append(ruled(picture, rect, self._marks(view, n, None), f"{caption}: {problem}" if problem else caption))
        return beside(eyes)

    def _row(self, number: int, shown: Shown, source: SourceFrame | None, frame: Frame | None, problem: str) -> Bytes:
        """One frame of one person: each eye, and its matte."""
        person = next(p for p in self._plan.people if p.id == number)
        colour = EXCLUDED if person.exclude else colour_of(number)
        parts = []
        for view in self._plan.views:
            rect, size = self._part(person, view, shown.index)
            track = self._plan.track(person, view)
            there = track.has(shown.index)
            entry = person.views.get(view, {}).get(shown.index)
            marks = self._marks(view, shown.index, number)
            said = f"{self._numbers.number(shown.index)} {view}" + (f", {shown.why}" if shown.why else "")
            said += f", score {track.scores[shown.index]:.2f}" if there else ", not in this eye"
            said += ", carried" if entry is not None and is_carried(entry.source) else ""
            empty = np.zeros((size[1], size[0], 3), np.float32)
            lines = [] if frame is None else matte_lines(frame.views[view], rect, size)
            picture = empty if source is None else cropped(source.eyes[view], rect, size)
            parts.append(ruled(picture, rect, marks, said, colour, lines=lines))
            made = not person.exclude and there
            kind = (problem or ("no matte" if frame is None else f"{frame.metadata['quality']} matte")) if made else "no matte"
            matte = empty if frame is None or not made else matte_picture(frame.views[view], number, rect, size)
            parts.append(ruled(matte, rect, [m for m in marks if m.strong], kind, (0.8, 0.8, 0.8)))
        return beside(parts)

    def _part(self, person: Person, view: str, n: int) -> tuple[Rect, tuple[int, int]]:
        """What is shown of an eye, and how large: of one shape for all of a person's frames, so that they compare."""
        boxes: Mapping[int, tuple[float, float, float, float]] = self._plan.track(person, view).boxes
        box = boxes.get(n)
        if box is None:
            # where they are in the other eye
            others = (self._plan.track(person, v).boxes.get(n) for v in self._plan.views)
            box = next(b for b in others if b is not None)
        shape = self._shape(person)
        wide, high = box[2] - box[0], box[3] - box[1]
        high = max(8.0, high + 2 * _ROOM * max(wide, high), (wide + 2 * _ROOM * max(wide, high)) / shape)
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        rect = Rect(round(x - high * shape / 2), round(y - high / 2), round(x + high * shape / 2), round(y + high / 2))
        width = max(1, round((_AREA * shape) ** 0.5))
        return rect, (width, max(1, round(width * rect.height / rect.width)))

    def _shape(self, person: Person) -> float:
        """Width to height of what is shown of somebody: of their boxes in the middle of all shapes, with the room around them."""
        shapes = [
            (b[2] - b[0] + 2 * _ROOM * (b[3] - b[1])) / (max(1e-6, b[3] - b[1]) * (1 + 2 * _ROOM))
            for v in self._plan.views
            for b in self._plan.track(person, v).boxes.values()
        ]
        return min(max(float(np.median(shapes)), _SHAPES[0]), _SHAPES[1])
