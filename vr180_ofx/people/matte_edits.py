"""Corrections of a plan's mattes, as somebody would make them in its file by hand."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from vr180_ofx.errors import PlanError
from vr180_ofx.wording import short

#: A plan's document, or a matte in it.
Document = dict[str, Any]


def set_matte(data: Document, facts: Mapping[str, Any], key: tuple[str, int, Sequence[Sequence[float]]] | None) -> None:
    """Adds a matte to the document, or changes the one of that name.

    facts: what is said of it, by the keys of the file, name among them; others stay as they are. key: (view, frame, points), a keyframe
    that comes to those that there are, or in the place of the one at that frame. Raises PlanError when it is new and says no kind.
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
