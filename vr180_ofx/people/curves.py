"""Values that change over time: a number, or numbers at frames, with straight lines between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import ValidationError

from vr180_ofx.errors import PlanError
from vr180_ofx.settings.edges import EdgesSettings
from vr180_ofx.wording import short


@dataclass(frozen=True, slots=True)
class Curve:
    """keys: (frame, value) in the order of frames, at least one; before the first and after the last the value stays."""

    keys: tuple[tuple[int, float], ...]

    def __post_init__(self) -> None:
        frames = [n for n, _ in self.keys]
        if not frames or frames != sorted(set(frames)):
            raise ValueError(f"keys are at the frames {frames}; there is at least one, and each comes after the one before")

    def at(self, n: int) -> float:
        """The value at frame ``n``."""
        return float(np.interp(n, [k for k, _ in self.keys], [v for _, v in self.keys]))


#: Name of a value -> how it goes.
Curves = Mapping[str, Curve]


def to_data(curves: Curves) -> dict[str, Any]:
    """As a plan's file has it: a number, or a list of [frame, number]."""
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
                raise PlanError(
                    f"{place} has {short(key)}; it is a number, or a list of [frame, number] with frames from 0 to {frames - 1}"
                )
            rows.append((key[0], _allowed(name, key[1], place)))
        try:
            curves[name] = Curve(tuple(rows))
        except ValueError as error:
            raise PlanError(f"{place}: {error}") from None
    return curves


def _allowed(name: str, value: Any, place: str) -> float:
    """A number that the setting allows, too."""
    field = EdgesSettings.model_fields[name]
    try:
        if type(value) not in (int, float):
            raise TypeError
        return float(getattr(EdgesSettings(**{name: value}), name))
    except (TypeError, ValidationError):
        raise PlanError(f"{place} is {short(value)}; it is a number as settings have it: {field.description}") from None
