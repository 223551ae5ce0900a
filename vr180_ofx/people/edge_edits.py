"""Corrections of what a plan says of edges: everybody's, or a person's."""

from __future__ import annotations

import difflib
from typing import Any, ClassVar

from pydantic import Field, StrictInt

from vr180_ofx.errors import PlanError
from vr180_ofx.people.curves import edge_curves, to_data
from vr180_ofx.people.edit_contract import ID, Document, Edit, Scene, person_of
from vr180_ofx.settings.edges import EdgesSettings
from vr180_ofx.wording import short


class Edges(Edit):
    """What is done to edges after matting, of a person or of everybody: only what is said of it changes."""

    what: ClassVar[str] = "it needs values, and perhaps a person"
    person: StrictInt | str | None = Field(None, description=f"{ID}; without it, everybody")
    values: dict[str, Any] = Field(
        min_length=1,
        description="it is an object with keys of the section edges: a value, a list of [frame, value], or null, which takes it back",
    )

    def apply(self, data: Document, scene: Scene) -> list[Document]:
        holder = data if self.person is None else person_of(data, self.person)
        said: Document = dict(holder.get("edges", {}))
        for name, value in self.values.items():
            if name not in EdgesSettings.model_fields:
                near = difflib.get_close_matches(name, EdgesSettings.model_fields, 1)
                meant = f" (did you mean {near[0]}?)" if near else ""
                raise PlanError(f"there is no edge control {short(name)}{meant}; there are {', '.join(EdgesSettings.model_fields)}")
            if value is None:
                said.pop(name, None)
            elif isinstance(value, list):
                said[name] = _with_keys(said.get(name), value, scene)
            else:
                said[name] = value
        # what is wrong with a value is said of this edit, by its name
        said = to_data(edge_curves(said, len(scene.clip), "edges"))
        if said:
            holder["edges"] = said
        else:
            holder.pop("edges", None)
        return []


def _with_keys(before: Any, keys: list[Any], scene: Scene) -> list[Any]:
    """Keyframes beside those that there are; one value for all frames counts as that of the first."""
    there = before if isinstance(before, list) else [] if before is None else [[0, before]]
    rows = dict(there)
    for key in keys:
        if not isinstance(key, list) or len(key) != 2 or type(key[0]) is not int:
            raise PlanError(f"a keyframe is {short(key)}; it is [frame, value]")
        rows[scene.check(key[0])] = key[1]
    return [[n, rows[n]] for n in sorted(rows)]
