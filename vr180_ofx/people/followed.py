"""How far somebody who was pointed out was followed, for whoever pointed them out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from vr180_ofx.frame_ranges import ranges_text
from vr180_ofx.people.doubts import told_of_points
from vr180_ofx.people.outline import Outline
from vr180_ofx.people.parameters import FOLLOW
from vr180_ofx.people.plan import Plan
from vr180_ofx.people.trajectory import shot_of


def told_where_missing(
    old: Plan, new: Plan, edits: Iterable[Mapping[str, Any]], *, fps: float, first_number: int, plan_name: str
) -> list[str]:
    """A line for everybody whom ``edits`` had followed and who was not found in all frames that were looked at: in which ones they were,
    and what to do where they are to be seen in others. old, new: the plan before and after the edits. first_number: what is called frame 0.
    """
    said = []
    for edit in edits:
        if edit.get("op") != "add" or not edit.get("follow", True):
            continue
        view, n = edit["view"], edit["frame"]
        before = {p.id for p in old.people if n in p.views.get(view, {})}
        added = [p for p in new.people if p.id not in before and n in p.views.get(view, {}) and p.views[view][n].source == "edited"]
        if not added:
            continue  # a later edit took them out again
        person = next((p for p in added if edit.get("into", edit.get("name")) in (p.id, p.name)), added[-1])
        reach = round(edit.get("seconds", FOLLOW.seconds) * fps)
        shot = shot_of(new.shots, n)
        asked = range(max(shot[0], n - reach), min(shot[1], n + reach) + 1)
        there = new.track(person, view).bodies
        missing = [k for k in asked if k not in there]
        if missing:
            found, left = (ranges_text(k + first_number for k in frames) for frames in ([k for k in asked if k in there], missing))
            said.append(
                f"{person.name} was followed in frames {found} of the {view} eye, and not found in {left}; where they are to be seen "
                f"there, point them out once more: vr180-ofx edit {plan_name} add --point x,y@FRAME:{view} --into {person.name}"
            )
    return said


def told_where_carried(old: Plan, new: Plan, *, first_number: int, plan_name: str) -> list[str]:
    """A line for everybody in each eye who was carried through frames that ``old`` says nothing of, or is there by points alone. For the
    arguments see above.
    """
    known = {(p.id, view): {n: p.views[view][n].outline for n in old.carried(p, view)} for p in old.people for view in old.views}
    views = {p.id: p.views for p in old.people}

    def earlier(number: int, view: str, n: int) -> Outline:
        entry = views.get(number, {}).get(view, {}).get(n)
        return entry.outline if entry else ()

    said = []
    for p in new.people:
        for view in new.views:
            frames = new.carried(p, view)
            if any(known.get((p.id, view), {}).get(n) != p.views[view][n].outline for n in frames):
                said.append(new.told_of_carried(p, view, first_number, plan_name))
            alone = [n for n in new.by_points(p, view) if earlier(p.id, view, n) != p.views[view][n].outline]
            if alone:
                said.append(told_of_points(p.name, view, [n + first_number for n in alone], plan_name))
    return said
