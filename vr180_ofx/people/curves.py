"""Values that change over time: one, or several at frames. Between them numbers go in straight lines, and what is no number stays."""

from __future__ import annotations

import bisect
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import ValidationError

from vr180_ofx.errors import PlanError
from vr180_ofx.settings.edges import EdgesSettings
from vr180_ofx.wording import short

#: A number, a switch, or one of several words.
EdgeValue = float | bool | str


@dataclass(frozen=True, slots=True)
class Curve:
    """keys: (frame, value) in the order of frames, at least one; before the first and after the last the value stays."""

    keys: tuple[tuple[int, EdgeValue], ...]

    def __post_init__(self) -> None:
        frames = [n for n, _ in self.keys]
        if not frames or frames != sorted(set(frames)):
            raise ValueError(f"keys are at the frames {frames}; there is at least one, and each comes after the one before")

    def at(self, n: int) -> EdgeValue:
        """The value at frame ``n``."""
        frames, values = zip(*self.keys, strict=True)
        if any(isinstance(v, (bool, str)) for v in values):
            value: EdgeValue = values[max(0, bisect.bisect_right(frames, n) - 1)]
            return value
        return float(np.interp(n, frames, values))


#: Name of a value -> how it goes.
Curves = Mapping[str, Curve]


def to_data(curves: Curves) -> dict[str, Any]:
    """As a plan's file has it: a value, or a list of [frame, value]."""
    return {name: c.keys[0][1] if len(c.keys) == 1 else [list(key) for key in c.keys] for name, c in curves.items()}


def edge_curves(data: Any, frames: int, where: str) -> Curves:
    """What a plan's file says of edges. frames: of the clip. where: what it is called in messages. Raises PlanError."""
    if not isinstance(data, dict):
        raise PlanError(f"{where} is {short(data)}; it is an object with keys of the section edges")
    curves = {}
    for name, value in data.items():
        place = f"{where}.{name}"
        if name not in EdgesSettings.model_fields:
            raise PlanError(f"{where} has the key {short(name)}; allowed are {', '.join(EdgesSettings.model_fields)}")
        keys = value if isinstance(value, list) else [[0, value]]
        rows = []
        for key in keys:
            if not isinstance(key, list) or len(key) != 2 or type(key[0]) is not int or not 0 <= key[0] < frames:
                raise PlanError(f"{place} has {short(key)}; it is a value, or a list of [frame, value] with frames from 0 to {frames - 1}")
            rows.append((key[0], _allowed(name, key[1], place)))
        try:
            curves[name] = Curve(tuple(rows))
        except ValueError as error:
            raise PlanError(f"{place}: {error}") from None
    return curves


def _allowed(name: str, value: Any, place: str) -> EdgeValue:
    """A value that the setting allows, too."""
    field = EdgesSettings.model_fields[name]
    kind = kind_of(name)
    words: dict[type, str] = {float: "a number", bool: "true or false"}
    try:
        if type(value) is not kind and not (kind is float and type(value) is int):
            raise TypeError
        made: EdgeValue = getattr(EdgesSettings(**{name: value}), name)
        return made
    except (TypeError, ValidationError):
        said = words.get(kind) or " or ".join(typing.get_args(field.annotation))
        raise PlanError(f"{place} is {short(value)}; it is {said} as settings have it: {field.description}") from None


def kind_of(name: str) -> type:
    """What a value of an edge control is: float, bool or str."""
    annotation = EdgesSettings.model_fields[name].annotation
    return annotation if isinstance(annotation, type) else str
