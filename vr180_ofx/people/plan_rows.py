"""The rows of a plan's file: where somebody is at a frame of an eye, as people read and edit it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import AfterValidator, Field, StrictInt

from vr180_ofx.arrays import FloatArray
from vr180_ofx.errors import PlanError
from vr180_ofx.media.contract import Clip
from vr180_ofx.people.outline import OUTLINE_IS, Outline, OutlineRows, outline_of, outline_to_data
from vr180_ofx.people.person import Entry
from vr180_ofx.people.validation import Part, checked
from vr180_ofx.vr180.body import Body, Box, body_from_box, body_from_directions
from vr180_ofx.vr180.projection import Projection

#: No picture is so large; sums of larger numbers would not be numbers.
_Edge = Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]
#: Landmarks may lie far outside: those of a flat picture near 90° from its axis.
_Landmark = Annotated[float, Field(allow_inf_nan=False)]
_Point = tuple[_Landmark, _Landmark]


def _encodable(text: str) -> str:
    """Half of a surrogate pair is in no file. Raises ValueError."""
    text.encode()
    return text


#: A remark, in a few sentences.
Text = Annotated[str, AfterValidator(_encodable), Field(max_length=10_000)]
PersonId = Annotated[StrictInt, Field(ge=1, le=9999)]


class _Row(Part):
    what: ClassVar[str] = "it needs a box: [left, top, right, bottom] in pixels of one eye"

    box: tuple[_Edge, _Edge, _Edge, _Edge] = Field(
        description="it is [left, top, right, bottom] with left < right and top < bottom, in pixels of one eye"
    )
    hips: _Point | None = Field(None, description="it is [x, y] in pixels of one eye")
    top: _Point | None = Field(None, description="it is [x, y] in pixels of one eye")
    score: Annotated[float, Field(strict=True, ge=0, le=1)] = Field(1.0, description="it lies between 0 and 1")
    source: Text = Field("edited", description="it is a text: found, tracked, edited, held, carried, carried_across or other_eye")
    behind: list[PersonId] = Field([], max_length=9999, description="it is a list of the ids of people who stand before this one")
    outline: OutlineRows | None = Field(None, description=OUTLINE_IS)


def entry_to_data(entry: Entry, projection: Projection) -> dict[str, Any]:
    """The row of one frame: box, hips and top in pixels."""
    row: dict[str, Any] = {"box": _rounded(entry.box)}
    points = landmarks(entry.body, projection)
    if points is not None:
        row |= {"hips": _rounded(points[0]), "top": _rounded(points[1])}
    if entry.occluders:
        row["behind"] = list(entry.occluders)
    row |= {"score": round(entry.score, 3), "source": entry.source}
    return row | {"outline": outline_to_data(entry.outline)} if entry.outline else row


def landmarks(body: Body, projection: Projection) -> tuple[FloatArray, FloatArray] | None:
    """Where the hips and the top of a body lie in the picture, (2,) pixels each; None where the projection does not show one of them."""
    hips, top = projection.project(np.array(body.direction)), projection.project(body.top())
    return (hips, top) if np.isfinite(hips).all() and np.isfinite(top).all() else None


def _rounded(values: Iterable[float]) -> list[float]:
    return [round(float(v), 2) for v in values]


def entry_of(item: Any, clip: Clip, where: str) -> Entry:
    """What a row says. where: what it is called in messages. Raises PlanError."""
    row = checked(_Row, item, f"{where}.")
    box = row.box
    width, height = clip.eye_size
    if not (box[0] < box[2] and box[1] < box[3]):
        raise PlanError(f"{where}.box is {list(box)}; {_Row.model_fields['box'].description}")
    if box[2] <= 0 or box[3] <= 0 or box[0] >= width or box[1] >= height:
        raise PlanError(f"{where}.box is {list(box)}, outside the eye's picture of {width}x{height}")
    body, source = _body(row, clip.projection), row.source
    outline: Outline = outline_of(row.outline or (), f"{where}.outline")
    if body is None:
        try:
            # what lay in the box before is elsewhere now
            body, source, outline = body_from_box(box, clip.projection), "edited", ()
        except ValueError as error:
            raise PlanError(f"{where}: {error}") from None
    return Entry(body, box, row.score, source, tuple(row.behind), outline=outline)


def _body(row: _Row, projection: Projection) -> Body | None:
    """What the landmarks say; None where the box has to say it: they are missing, the box was moved away from them, or they lie
    outside of what the projection shows.
    """
    if row.hips is None or row.top is None:
        return None
    # of who is half hidden, the hips may be far from what is to be seen
    if not (_bounds(row.outline, row.box) if row.outline else _near(row.hips, row.box)):
        return None
    try:
        hips, top = projection.unproject(np.array([row.hips, row.top], float))
        body = body_from_directions(hips, top)
    except ValueError:
        return None
    return body if math.isfinite(body.longitude + body.reach) else None


def _bounds(outline: OutlineRows, box: Box) -> bool:
    """Whether a box is about that of an outline: it was not moved."""
    xs, ys = ([v for row in outline for v in row[k::2]] for k in (0, 1))
    return all(abs(a - b) <= 2 for a, b in zip(box, (min(xs), min(ys), max(xs), max(ys)), strict=True))


def _near(hips: _Point, box: Box) -> bool:
    grow_x, grow_y = (box[2] - box[0]) * 0.5, (box[3] - box[1]) * 0.5
    return box[0] - grow_x <= hips[0] <= box[2] + grow_x and box[1] - grow_y <= hips[1] <= box[3] + grow_y
