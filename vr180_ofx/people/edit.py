"""Correcting a plan: move, add, remove, merge and split people. Functions of plans; what was given is never changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from vr180_ofx.errors import FrameError, PlanError
from vr180_ofx.media.contract import Clip
from vr180_ofx.people.follow import Follower
from vr180_ofx.people.plan import Plan
from vr180_ofx.people.tracklet import Tracklet, steady
from vr180_ofx.trackers.blazepose_net import BlazePoseSegmenter
from vr180_ofx.vr180.body import Body, Box
from vr180_ofx.weights.store import require

#: The frames of a person who was added by hand are looked at in pictures of about so many pixels.
_SIDE = 1024
#: So many looks in a row without anybody, and they are gone.
_PATIENCE = 3
#: How long somebody who was added is followed unless an edit says otherwise: it is done while somebody waits.
_FOLLOW_S = 30.0

Document = dict[str, Any]


def apply_edits(plan: Plan, edits: Iterable[Mapping[str, Any]], clip: Clip) -> Plan:
    """The plan after ``edits``, all or none of them.

    Each edit has an ``op`` and: move: person, view, frame, box. add: view, frame, box, name?, follow? (true: they are followed
    for so many ``seconds``, 30, before and after, and into the other eye). remove: person, and first and last for a part of
    their time. merge: person, into. split: person, frame. rename: person, name. exclude: person, exclude.

    Boxes are [left, top, right, bottom] in pixels of one eye. Raises PlanError that says which edit and what is wrong with it.
    """
    data: Document = json.loads(plan.to_json())
    for k, edit in enumerate(edits):
        op = edit.get("op")
        if op not in _OPERATIONS:
            raise PlanError(f"edits[{k}].op is {op!r}; allowed are {', '.join(_OPERATIONS)}")
        try:
            _OPERATIONS[op](data, edit, clip)
        except PlanError as error:
            raise PlanError(f"edits[{k}] ({op}): {error}") from None
        except KeyError as error:
            raise PlanError(f"edits[{k}] ({op}) has no {error}") from None
        data = json.loads(Plan.from_data(data, clip, f"edits[{k}]").to_json())
    return Plan.from_data(data, clip, "the corrected plan")


def changed_frames(old: Plan, new: Plan) -> list[int]:
    """The frames of which the two plans say different things: those that are made anew, and with a tracker that never forgets
    what follows them in their chunks."""
    return [n for n in range(new.frames) if old.facts(n) != new.facts(n)]


def _person(data: Document, edit: Mapping[str, Any], key: str = "person") -> Document:
    number = edit[key]
    for p in data["people"]:
        if p["id"] == number:
            found: Document = p
            return found
    raise PlanError(f"there is no person {number!r}; there are {', '.join(str(p['id']) for p in data['people']) or 'none'}")


def _entries(person: Document, edit: Mapping[str, Any], clip: Clip) -> Document:
    view = edit["view"]
    if view not in clip.views:
        raise PlanError(f"view is {view!r}; this clip has {', '.join(clip.views)}")
    rows: Document = person["views"].setdefault(view, {})
    return rows


def _frame(edit: Mapping[str, Any], clip: Clip, key: str = "frame") -> int:
    n = edit[key]
    if not isinstance(n, int) or isinstance(n, bool) or not 0 <= n < len(clip):
        raise PlanError(f"{key} is {n!r}; this clip has frames 0 to {len(clip) - 1}")
    return n


def _move(data: Document, edit: Mapping[str, Any], clip: Clip) -> None:
    rows = _entries(_person(data, edit), edit, clip)
    kept = rows.get(str(_frame(edit, clip)), {})
    rows[str(edit["frame"])] = {"box": list(edit["box"]), "source": "edited", **({"behind": kept["behind"]} if "behind" in kept else {})}


def _add(data: Document, edit: Mapping[str, Any], clip: Clip) -> None:
    number = max((p["id"] for p in data["people"]), default=0) + 1
    n, view = _frame(edit, clip), edit["view"]
    shot = next(k for k, (first, last) in enumerate(data["shots"]) if first <= n <= last)
    person: Document = {"id": number, "name": edit.get("name") or f"person{number:02d}", "exclude": False, "shot": shot, "views": {}}
    _entries(person, edit, clip)[str(n)] = {"box": list(edit["box"]), "source": "edited"}
    data["people"].append(person)
    # what is wrong with the box or the name is said before anything is looked at
    made = Plan.from_data(data, clip, "the new person")
    if edit.get("follow", True):
        body = next(p for p in made.people if p.id == number).views[view][n].body
        reach = round(float(edit.get("seconds", _FOLLOW_S)) * float(clip.fps))
        first, last = max(data["shots"][shot][0], n - reach), min(data["shots"][shot][1], n + reach)
        person["views"] = _merged(follow_person(clip, body, view, n, first, last), person["views"])


def _merged(found: Document, own: Document) -> Document:
    return {view: {**found.get(view, {}), **own.get(view, {})} for view in {**found, **own}}


def _remove(data: Document, edit: Mapping[str, Any], clip: Clip) -> None:
    person = _person(data, edit)
    if "first" not in edit and "last" not in edit:
        data["people"].remove(person)
        _forget_behind(data, {person["id"]: None})
        return
    first = _frame(edit, clip, "first") if "first" in edit else 0
    last = _frame(edit, clip, "last") if "last" in edit else len(clip) - 1
    if first > last:
        raise PlanError(f"first is {first}, after last, which is {last}")
    for view, rows in person["views"].items():
        person["views"][view] = {n: row for n, row in rows.items() if not first <= int(n) <= last}


def _merge(data: Document, edit: Mapping[str, Any], clip: Clip) -> None:
    gone, kept = _person(data, edit), _person(data, edit, "into")
    if gone is kept:
        raise PlanError(f"person {gone['id']} cannot be merged into themselves")
    for view, rows in gone["views"].items():
        kept["views"][view] = {**rows, **kept["views"].get(view, {})}
    data["people"].remove(gone)
    _forget_behind(data, {gone["id"]: kept["id"]})


def _split(data: Document, edit: Mapping[str, Any], clip: Clip) -> None:
    person, n = _person(data, edit), _frame(edit, clip)
    number = max(p["id"] for p in data["people"]) + 1
    later = {view: {k: row for k, row in rows.items() if int(k) >= n} for view, rows in person["views"].items()}
    earlier = {view: {k: row for k, row in rows.items() if int(k) < n} for view, rows in person["views"].items()}
    if not any(later.values()) or not any(earlier.values()):
        raise PlanError(f"person {person['id']} is not there on both sides of frame {n}")
    person["views"] = earlier
    name = edit.get("name") or f"person{number:02d}"
    data["people"].append({"id": number, "name": name, "exclude": person["exclude"], "shot": person["shot"], "views": later})


def _rename(data: Document, edit: Mapping[str, Any], clip: Clip) -> None:
    _person(data, edit)["name"] = edit["name"]


def _exclude(data: Document, edit: Mapping[str, Any], clip: Clip) -> None:
    _person(data, edit)["exclude"] = edit.get("exclude", True)


def _forget_behind(data: Document, replaced: Mapping[int, int | None]) -> None:
    """Nobody stands behind people who are not there any more."""
    for p in data["people"]:
        for rows in p["views"].values():
            for row in rows.values():
                if "behind" in row:
                    others = [replaced.get(k, k) for k in row["behind"]]
                    row["behind"] = sorted({k for k in others if k is not None and k != p["id"]})


_OPERATIONS: dict[str, Callable[[Document, Mapping[str, Any], Clip], None]] = {
    "move": _move, "add": _add, "remove": _remove, "merge": _merge, "split": _split, "rename": _rename, "exclude": _exclude,
}  # fmt: skip
OPERATIONS = tuple(_OPERATIONS)


def follow_person(clip: Clip, body: Body, view: str, n: int, first: int, last: int) -> Document:
    """Where somebody who was pointed out at frame ``n`` is before and after, in both eyes: rows of a plan, view -> frame -> row.

    The embedded segmenter follows them to the ends of the shot (first..last), or until they are gone.
    """
    follower = Follower(BlazePoseSegmenter(require("blazepose_segmenter")), clip.projection)
    stride = max(1, round(float(clip.fps) / 12))
    factor = max(1, round(max(clip.eye_size) / _SIDE))
    rows: Document = {v: {} for v in clip.views}
    reader = clip.reopen(fast=True)
    try:
        for step in (stride, -stride):
            bodies, missed = {view: body}, 0
            for k in range(n, last + 1 if step > 0 else first - 1, step):
                try:
                    frame = reader.frame(k)
                except FrameError:
                    continue
                found = False
                for v in (view, *(o for o in clip.views if o != view)):
                    at = bodies.get(v) or _guess(bodies, v)
                    if at is None:
                        continue
                    sighting = follower.look(frame.eyes[v].reduced(factor), at, rounds=2 if k == n else 1)
                    if sighting is None or not (k == n or v not in bodies or steady(at, sighting)):
                        continue
                    bodies[v], found = sighting.body, True
                    if not (k == n and v == view):
                        rows[v][str(k)] = _row(clip, sighting.body, sighting.box, sighting.presence)
                missed = 0 if found else missed + 1
                if missed >= _PATIENCE:
                    break
    finally:
        reader.close()
    return {v: r for v, r in rows.items() if r}


def _guess(bodies: Mapping[str, Body], view: str) -> Body | None:
    """Where the other eye should see somebody, by their size."""
    if not bodies:
        return None
    body = next(iter(bodies.values()))
    return Tracklet(0, 0, dict(bodies), {}).in_other_eye(body, view == "right")


def _row(clip: Clip, body: Body, box: Box, presence: float) -> Document:
    hips, top = clip.projection.project(np.array(body.direction)), clip.projection.project(body.top())
    row: Document = {"box": [float(v) for v in box]}
    if np.isfinite(hips).all() and np.isfinite(top).all():
        row |= {"hips": [float(v) for v in hips], "top": [float(v) for v in top]}
    return row | {"score": round(float(presence), 3), "source": "tracked"}
