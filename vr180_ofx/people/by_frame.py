"""What a plan's file says of somebody by eye and frame: the walk through it, with the place of what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from vr180_ofx.errors import PlanError
from vr180_ofx.wording import short

T = TypeVar("T")
#: Letters of a frame that is none, beyond which it is not repeated as a place.
_LONGEST = 20


def by_frame(
    data: Any, read: Callable[[Any, str], T], *, views: Sequence[str], frames: int, where: str, what: str
) -> dict[str, dict[int, T]]:  # fmt: skip
    """View -> frame -> what ``read`` makes of what stands there, of which it gets the place, too. where: what the whole is called in
    messages. what: what a frame has, as the end of a sentence. Raises PlanError.
    """
    if not isinstance(data, dict):
        raise PlanError(f"{where} is {short(data)}; it is an object of views, each an object of frames, each {what}")
    made: dict[str, dict[int, T]] = {}
    for view, rows in data.items():
        if view not in views:
            raise PlanError(f"{where} has {short(view)}; this clip has {', '.join(views)}")
        if not isinstance(rows, dict):
            raise PlanError(f"{where}.{view} is {short(rows)}; it is an object of frames, each {what}")
        for key, row in rows.items():
            place = f"{where}.{view}.{key}" if len(str(key)) < _LONGEST else f"{where}.{view}"
            if not re.fullmatch(r"[0-9]{1,9}", str(key)) or int(key) >= frames:
                raise PlanError(f"{where}.{view} has {short(key)}; frames are numbers from 0 to {frames - 1}")
            if int(key) in made.get(view, {}):
                raise PlanError(f"{place}: frame {int(key)} is there twice")
            made.setdefault(view, {})[int(key)] = read(row, place)
    return made
