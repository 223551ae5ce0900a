"""Where a person is led over time, and the steps that this takes.

The keys of a course are joined by a Catmull-Rom curve, smoothed over 0.4 s (nobody stops at once), and sampled 120 times a second.
Steps come from the way gone, not from time: the phase of the gait is the way divided by the length of a stride, turning on the spot
counted as the way of feet on a small circle, so that a planted foot stays where it is whatever the speed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from .base_mesh import Doubles
from .contract import Course

#: samples a second of all that is tabulated over time
RATE = 120
#: seconds before the first key, and after the last, that are tabulated
MARGIN = 3.0
#: seconds over which starts, stops and corners are rounded
ROUNDING = 0.4
#: seconds in which the second foot is set beside the first
CLOSING = 0.5
#: metres: feet turn about the body on a circle of this radius
FOOT_CIRCLE = 0.18


@dataclass(frozen=True, slots=True)
class Path:
    """A course, tabulated. times: (n,) seconds. places: (n, 2) x and z in metres. facings: (n,). way: (n,) metres gone by the feet.
    endless: it goes on beyond the table."""

    times: Doubles
    places: Doubles
    facings: Doubles
    way: Doubles
    endless: bool = False

    @classmethod
    def of(cls, course: Course, *, until: float, pace: float = 0.0) -> Self:
        """until: seconds, the latest that will be asked. pace: metres a second at which those go straight on whose course stands still."""
        keys = np.array(course.times)
        begin, end = min(keys[0], 0.0) - MARGIN, max(keys[-1], until) + MARGIN
        # the grid goes through t = 0 whatever the course is
        times = np.arange(np.floor(begin * RATE), np.ceil(end * RATE) + 1) / RATE
        states = np.column_stack([np.array(course.places), np.array(course.facings)])
        sampled = _catmull_rom(keys, states, times)
        endless = bool(pace and np.all(states == states[0]))
        if endless:
            sampled[:, 0] += np.sin(sampled[:, 2]) * pace * times
            sampled[:, 1] += np.cos(sampled[:, 2]) * pace * times
        else:
            window = np.hanning(int(ROUNDING * RATE) + 3)[1:-1]
            window /= window.sum()
            padded = np.pad(sampled, ((len(window) // 2, len(window) // 2), (0, 0)), mode="edge")
            sampled = np.stack([np.convolve(padded[:, k], window, mode="valid") for k in range(3)], axis=1)
        steps = np.diff(sampled, axis=0)
        way = np.concatenate([[0.0], np.cumsum(np.sqrt(steps[:, 0] ** 2 + steps[:, 1] ** 2 + (FOOT_CIRCLE * steps[:, 2]) ** 2))])
        return cls(times, sampled[:, :2], sampled[:, 2], way, endless)

    def at(self, times: Doubles) -> tuple[Doubles, Doubles, Doubles]:
        """Places (t, 2), facings (t,) and ways (t,) at times."""
        places = np.stack([np.interp(times, self.times, self.places[:, k]) for k in (0, 1)], axis=-1)
        return places, np.interp(times, self.times, self.facings), np.interp(times, self.times, self.way)

    def at_way(self, way: Doubles) -> tuple[Doubles, Doubles]:
        """Places (..., 2) and facings (...) where so much way was gone, clamped to the ends."""
        moving = np.concatenate([[True], np.diff(self.way) > 1e-9])
        ways = self.way[moving]
        places = np.stack([np.interp(way, ways, self.places[moving, k]) for k in (0, 1)], axis=-1)
        return places, np.interp(way, ways, self.facings[moving])

    def speed(self, times: Doubles) -> Doubles:
        """Metres a second of the feet's way, (t,), over the rounding time."""
        half = ROUNDING / 2
        return np.asarray((np.interp(times + half, self.times, self.way) - np.interp(times - half, self.times, self.way)) / ROUNDING)


def _catmull_rom(keys: Doubles, values: Doubles, times: Doubles) -> Doubles:
    """Through values (k, c) at keys (k,), constant before and after them -> (t, c)."""
    if len(keys) == 1:
        return np.repeat(values, len(times), axis=0)
    slopes = np.gradient(values, keys, axis=0)
    k = np.clip(np.searchsorted(keys, times, side="right") - 1, 0, len(keys) - 2)
    span = (keys[k + 1] - keys[k])[:, None]
    u = np.clip((times[:, None] - keys[k][:, None]) / span, 0.0, 1.0)
    out = (
        (2 * u**3 - 3 * u**2 + 1) * values[k]
        + (u**3 - 2 * u**2 + u) * span * slopes[k]
        + (3 * u**2 - 2 * u**3) * values[k + 1]
        + (u**3 - u**2) * span * slopes[k + 1]
    )
    return np.asarray(out)


@dataclass(frozen=True, slots=True)
class Foot:
    """One foot at t times. place: (t, 3) metres, of the ball's point on the ground (in the air: above it). yaw, pitch: (t,) radians;
    pitch above 0 lifts the heel, about the ball; below 0 lifts the toes, about the heel. planted: (t,) whether it carries."""

    place: Doubles
    yaw: Doubles
    pitch: Doubles
    planted: Doubles


def smooth(u: Doubles) -> Doubles:
    """0 to 1 with level ends (3u^2 - 2u^3)."""
    u = np.clip(u, 0.0, 1.0)
    return np.asarray(u * u * (3 - 2 * u))


def whole_stride(path: Path, stride: float) -> float:
    """The stride, metres, next to the wished one with which both ends of the way fall into a time when both feet are down: a whole number
    of half strides, never a foot left in the air."""
    total = float(path.way[-1])
    if path.endless or total <= 1e-6:
        return stride
    return total / (max(1, round(2 * total / stride)) / 2)


def steps(path: Path, times: Doubles, *, side: float, spread: float, stride: float, duty: float, lift: float, toe_out: float) -> Foot:
    """Footfalls of one leg.

    side: +1 left, -1 right. spread: metres of a foot from the midline. stride: metres from a footfall to the same foot's next.
    duty: share of the cycle that a foot is down (walking about 0.62, running 0.35). lift: metres of the ball in mid-swing.
    toe_out: radians.
    """
    stride = whole_stride(path, stride)
    total = path.way[-1]
    _, _, way = path.at(times)
    both_down = (duty - 0.5) / 2 if duty > 0.5 else 0.0
    phase = way / stride + both_down + (0.0 if side > 0 else 0.5)
    cycle = np.floor(phase)
    within = phase - cycle
    swing = np.clip((within - duty) / (1 - duty), 0.0, 1.0)
    offset = both_down + (0.0 if side > 0 else 0.5)

    def planted_at(number: Doubles) -> tuple[Doubles, Doubles]:
        middle = np.clip((number + duty / 2 - offset) * stride, 0.0, total)
        place, facing = path.at_way(middle)
        across = np.stack([np.cos(facing), -np.sin(facing)], axis=-1)
        return place + side * spread * across, facing

    (here, facing_here), (there, facing_there) = planted_at(cycle), planted_at(cycle + 1)
    u = smooth(swing)
    place = here + (there - here) * u[:, None]
    height = lift * np.sin(np.pi * np.clip(swing, 0, 1)) ** 2
    # how far the step goes decides how much the foot rolls: no rolling on the spot
    reach = np.clip(np.linalg.norm(there - here, axis=-1) / max(stride, 1e-6), 0.0, 1.0)
    push = smooth((within - 0.55 * duty) / (0.45 * duty)) * (swing <= 0) + (1 - smooth(swing / 0.55)) * (swing > 0)
    strike = (1 - smooth(within / (0.2 * duty))) * (swing <= 0) + smooth((swing - 0.55) / 0.45) * (swing > 0)
    pitch = reach * (0.85 * push - 0.3 * strike)
    yaw = facing_here + (facing_there - facing_here) * u
    if not path.endless:
        # at rest the feet stand side by side: the one behind comes up after the last step, or leaves before the first
        moving = np.flatnonzero((path.way > 1e-6) & (path.way < total - 1e-6))
        begin, end = path.times[moving[[0, -1]]] if len(moving) else (path.times[-1], path.times[-1])
        for passed, rest in (((times - end) / CLOSING, path.times[-1]), ((begin - times) / CLOSING, path.times[0])):
            closing = smooth(passed)
            spot, facing, _ = path.at(np.full(len(times), rest))
            goal = spot + side * spread * np.stack([np.cos(facing), -np.sin(facing)], axis=-1)
            height = height + lift * np.sin(np.pi * closing) ** 2 * (np.linalg.norm(goal - place, axis=1) > 0.03)
            place = place + (goal - place) * closing[:, None]
            yaw, pitch = yaw + (facing - yaw) * closing, pitch * (1 - closing)
            swing = swing * (closing < 1)
    return Foot(np.column_stack([place[:, 0], height, place[:, 1]]), yaw + side * toe_out, pitch, (swing <= 0).astype(np.float64))
