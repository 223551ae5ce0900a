"""RVM inside person windows: people in full detail and undistorted. Its memory is a value, as a tracker's.

A person's window has room for a whole body with its arms stretched out; the network sees the part of it that is needed, by the tracker's
mask, and people who stand together are seen together. What it sees stays in place as long as everybody fits, so that it can remember.

It is a frame ahead of who asks: what it says of a frame is steadied by what it says of those before and after (`matte.temporal`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Protocol, cast

import cv2
import numpy as np

from vr180_ofx.arrays import Array, FloatArray
from vr180_ofx.imaging.flow import Luma, luma_of
from vr180_ofx.matte.fusion import reference_scale
from vr180_ofx.matte.rvm.memory import STEP, State, restored, stored
from vr180_ofx.matte.temporal import Neighbour, steadied
from vr180_ofx.media.contract import Sample
from vr180_ofx.trackers.contract import Crop, CropSource, Key, Mask, Memory, NetworkAlpha, WindowImage

#: Room around a mask, in shares of its longer side; less than the least, and the network looks anew.
_ROOM, _LEAST_ROOM = 0.18, 0.06
#: Much more than is wanted, and it looks anew, too.
_TOO_LARGE = 2.2
#: People are seen together when that costs so much more than each of them alone; those who were together already, so much.
_TOGETHER, _STILL_TOGETHER = 1.1, 1.5
#: A camera sees so far beyond its window, in shares of its side.
_BEYOND = 0.5
#: How much what it says of the frames before and after counts beside what it says of one: what is remembered lags.
_SAY_BEFORE, _SAY_AFTER = 1.5, 1.75
#: In the memory: the network's alpha of the frame before, and of the one to come.
_BEFORE, _COMING = "before", "coming"

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class _Wish:
    """What should be seen: people by the window of one of them, and boxes in it with much and with little room."""

    anchor: Key
    members: tuple[int, ...]
    box: Box
    inner: Box
    alone: float


@dataclass(frozen=True, slots=True)
class _Taken:
    """A picture that was taken ahead, so that it need not be taken again."""

    sight: CropSource
    look: Crop
    sample: Sample

    def shows(self, sight: CropSource, look: Crop) -> bool:
        return self.sight.eye is sight.eye and (self.sight.window, self.look) == (sight.window, look)


class Network(Protocol):
    """`model.Rvm`, or `compiled.CompiledRvm`."""

    def identity(self) -> str: ...

    def pool(self, pictures: int) -> Executor | None: ...

    def step(self, pictures: FloatArray, states: Sequence[State | None]) -> tuple[FloatArray, list[State]]: ...


class RvmWindows:
    """size: the network sees pictures of size² pixels, in the shape that fits."""

    looks_ahead = 1

    def __init__(self, network: Network, size: int, threads: int = 1) -> None:
        """threads: on a CPU, pictures that are worked on at once."""
        if size < 64 or size % STEP:
            raise ValueError(f"size is {size}; it must be a multiple of {STEP}, at least 64")
        self.network = network
        self.size = size
        self._taken: dict[Key, _Taken] = {}
        self._pool = network.pool(max(1, threads))

    def identity(self) -> str:
        return f"{self.network.identity()}:{self.size}"

    def begin(self) -> Memory:
        return Memory()

    def step(
        self, memory: Memory, windows: Mapping[Key, WindowImage], masks: Mapping[Key, Mask], batch: int = 0
    ) -> tuple[Memory, dict[Key, NetworkAlpha]]:  # fmt: skip
        """One frame. Who is not to be seen has no `NetworkAlpha`, and what was remembered of them is gone."""
        before = {_key(name): Crop.from_array(a) for name, a in memory.arrays.items() if name.endswith(".look")}
        looks = {wish.anchor: self._look(wish, before.get(wish.anchor), windows) for wish in self._wishes(windows, masks, before)}
        sights = {key: windows[key].source for key in looks}
        following = {key: windows[key].following() for key in looks}
        taken, self._taken = self._taken, {}
        softs: dict[Key, NetworkAlpha] = {}
        arrays: dict[str, Array] = {}

        def see(part: list[Key]) -> tuple[dict[Key, NetworkAlpha], dict[str, Array]]:
            softs, arrays = cast("dict[Key, NetworkAlpha]", {}), cast("dict[str, Array]", {})
            samples = [taken[k].sample if k in taken and taken[k].shows(sights[k], looks[k]) else sights[k].sample(looks[k]) for k in part]
            pasts = [_past(memory, k, before.get(k), looks[k]) for k in part]
            now = self._now(memory, part, samples, [before.get(k) == looks[k] for k in part])
            later = self._later({k: (following[k], looks[k], said[1]) for k, said in zip(part, now, strict=True)})
            for key, sample, past, (alpha, state) in zip(part, samples, pasts, now, strict=True):
                look, luma, coming = looks[key], luma_of(sample.guide), later.get(key)
                neighbours = [n for n in (past, coming[0] if coming is not None else None) if n is not None]
                soft = NetworkAlpha(steadied(alpha, luma, neighbours, reference_scale(alpha)), sample.guide, windows[key].window, look)
                softs |= {(member, key[1]): soft for member in look.members}
                arrays |= _remembered(key, look, alpha, luma, state, coming)
            return softs, arrays

        parts = list(_batches(looks, 1 if self._pool is not None else batch))
        for some_softs, some_arrays in self._pool.map(see, parts) if self._pool is not None else map(see, parts):
            softs |= some_softs
            arrays |= some_arrays
        return Memory(arrays), softs

    def _now(self, memory: Memory, part: list[Key], samples: list[Sample], stayed: list[bool]) -> list[tuple[FloatArray, State]]:
        """(alpha, state) of this frame: what was said ahead of it, else what the network says."""
        known = [memory.arrays.get(f"{_name(k)}.{_COMING}") if same else None for k, same in zip(part, stayed, strict=True)]
        states = [restored(memory, _name(k)) if same else None for k, same in zip(part, stayed, strict=True)]
        asked = [i for i, alpha in enumerate(known) if alpha is None]
        said: dict[int, tuple[FloatArray, State]] = {}
        for i, (alpha, state) in enumerate(zip(known, states, strict=True)):
            if alpha is not None and state is not None:
                said[i] = alpha.astype(np.float32), state
        if asked:
            pictures = np.stack([samples[i].rgb for i in asked])
            fresh = [j for j, i in enumerate(asked) if states[i] is None]
            given = [states[i] for i in asked]
            if fresh:
                # whom it never saw it sees twice
                for j, state in zip(fresh, self.network.step(pictures[fresh], [None] * len(fresh))[1], strict=True):
                    given[j] = state
            for i, alpha, state in zip(asked, *self.network.step(pictures, given), strict=True):
                said[i] = alpha, state
        return [said[i] for i in range(len(part))]

    def _later(self, asked: Mapping[Key, tuple[CropSource | None, Crop, State]]) -> dict[Key, tuple[Neighbour, State]]:
        """What it says of the next frame, and the state after it, where there is one."""
        taken = {key: _Taken(sight, look, sight.sample(look)) for key, (sight, look, _) in asked.items() if sight is not None}
        if not taken:
            return {}
        self._taken |= taken
        samples = [t.sample for t in taken.values()]
        alphas, states = self.network.step(np.stack([s.rgb for s in samples]), [asked[key][2] for key in taken])
        said = zip(taken, alphas, samples, states, strict=True)
        return {key: (Neighbour(alpha, luma_of(sample.guide), _SAY_AFTER), state) for key, alpha, sample, state in said}

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    def _wishes(self, windows: Mapping[Key, WindowImage], masks: Mapping[Key, Mask], before: Mapping[Key, Crop]) -> Iterator[_Wish]:
        for view in dict.fromkeys(k[1] for k in windows):
            bounds = {k[0]: _bounds(masks[k].logits) for k in windows if k[1] == view}
            boxes = {p: box for p, box in bounds.items() if box is not None}
            # in degrees, across windows of different cameras
            sizes = {p: _area(b) * (windows[p, view].window.fov_degrees / windows[p, view].window.size) ** 2 for p, b in boxes.items()}
            rest = sorted(boxes, key=lambda p: (-sizes[p], p))
            while rest:
                anchor = (rest.pop(0), view)
                wish = _alone(anchor, boxes[anchor[0]])
                old = before.get(anchor)
                for other in list(rest):
                    seen = _seen_from(windows[other, view], boxes[other], windows[anchor])
                    if seen is None:
                        continue
                    single = _alone((other, view), seen)
                    both = _Wish(
                        anchor, (*wish.members, other), _around(wish.box, single.box), _around(wish.inner, single.inner),
                        wish.alone + single.alone,
                    )  # fmt: skip
                    most = _STILL_TOGETHER if old is not None and other in old.members else _TOGETHER
                    if _area(both.box) < most * both.alone:
                        wish = both
                        rest.remove(other)
                yield wish

    def _look(self, wish: _Wish, old: Crop | None, windows: Mapping[Key, WindowImage]) -> Crop:
        side = windows[wish.anchor].window.size
        low, high = -_BEYOND * side, (1 + _BEYOND) * side
        inner = tuple(float(np.clip(v, low, high)) for v in wish.inner)
        if old is not None and set(old.members) == set(wish.members):
            x0, y0, x1, y1 = old.box
            fits = x0 <= inner[0] and y0 <= inner[1] and x1 >= inner[2] and y1 >= inner[3]
            if fits and _area(old.box) < _TOO_LARGE * _area(wish.box):
                return old
        x0, y0, x1, y1 = (float(np.clip(v, low, high)) for v in wish.box)
        # so many pixels in all, square ones, and whole steps of the network
        aspect = (y1 - y0) / (x1 - x0)
        height, width = (max(4 * STEP, STEP * round(self.size * f / STEP)) for f in (aspect**0.5, aspect**-0.5))
        scale = min(height / (y1 - y0), width / (x1 - x0))
        middle = (x0 + x1) / 2, (y0 + y1) / 2
        return Crop(wish.members, middle[0] - width / scale / 2, middle[1] - height / scale / 2, scale, width, height)


def _remembered(
    key: Key, look: Crop, alpha: FloatArray, luma: Luma, state: State, coming: tuple[Neighbour, State] | None
) -> dict[str, Array]:  # fmt: skip
    """What is kept of one look: the state after the newest frame that it saw, what it said of that, and this frame for the next one."""
    name = _name(key)
    arrays: dict[str, Array] = {f"{name}.look": look.to_array(), f"{name}.{_BEFORE}": alpha.astype(np.float16), f"{name}.luma": luma}
    if coming is None:
        return arrays | stored(name, state)
    return arrays | stored(name, coming[1]) | {f"{name}.{_COMING}": coming[0].alpha.astype(np.float16)}


def _past(memory: Memory, key: Key, old: Crop | None, look: Crop) -> Neighbour | None:
    """What was said of the frame before, in this look."""
    if old is None:
        return None
    alpha, luma = memory.arrays[f"{_name(key)}.{_BEFORE}"].astype(np.float32), memory.arrays[f"{_name(key)}.luma"]
    if old != look:
        # from pixels of this look to those of the old one; that the window moved meanwhile is the flow's to find
        scale = old.scale / look.scale
        matrix = np.array(
            [[scale, 0, (look.x - old.x) * old.scale + (scale - 1) / 2], [0, scale, (look.y - old.y) * old.scale + (scale - 1) / 2]]
        )
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        alpha, luma = (
            cv2.warpAffine(values, matrix, (look.width, look.height), flags=flags, borderMode=cv2.BORDER_CONSTANT)
            for values in (alpha, luma)
        )
    return Neighbour(alpha, cast("Luma", luma), _SAY_BEFORE)


def _name(key: Key) -> str:
    return f"{key[0]}.{key[1]}"


def _key(name: str) -> Key:
    person, view, _ = name.split(".")
    return int(person), view


def _batches(looks: Mapping[Key, Crop], most: int) -> Iterator[list[Key]]:
    """Looks of one shape, at most so many."""
    shapes: dict[tuple[int, int], list[Key]] = {}
    for key, look in looks.items():
        shapes.setdefault((look.width, look.height), []).append(key)
    for keys in shapes.values():
        for begin in range(0, len(keys), most or len(keys)):
            yield keys[begin : begin + (most or len(keys))]


def _bounds(logits: FloatArray) -> Box | None:
    x, y, w, h = cv2.boundingRect((logits > 0).astype(np.uint8))
    return (float(x), float(y), float(x + w), float(y + h)) if min(w, h) > 2 else None


def _alone(key: Key, box: Box) -> _Wish:
    wanted = _grown(box, _ROOM)
    return _Wish(key, (key[0],), wanted, _grown(box, _LEAST_ROOM), _area(wanted))


def _grown(box: Box, share: float) -> Box:
    room = share * max(box[2] - box[0], box[3] - box[1])
    return box[0] - room, box[1] - room, box[2] + room, box[3] + room


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _around(a: Box, b: Box) -> Box:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def _seen_from(image: WindowImage, box: Box, other: WindowImage) -> Box | None:
    """A box of one window in another's pixels; None when it is behind that camera, or far beside it."""
    x, y = np.meshgrid(np.linspace(box[0], box[2], 5), np.linspace(box[1], box[3], 5))
    p = other.window.points(image.window.directions(np.stack([x, y], axis=-1))).reshape(-1, 2)
    reach = _BEYOND * other.window.size
    if not np.isfinite(p).all() or p.min() < -reach or p.max() > other.window.size + reach:
        return None
    low, high = p.min(axis=0), p.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])
