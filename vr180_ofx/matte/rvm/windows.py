"""RVM inside person windows: people in full detail and undistorted. Its memory is a value, as a tracker's.

It is a frame ahead of its caller: its alpha of a frame is averaged with those of the frames before and after (`temporal`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np

from vr180_ofx.arrays import Array, FloatArray
from vr180_ofx.imaging.either import as_float, beside, hosts, is_tensor, namespace
from vr180_ofx.imaging.flow import Luma, luma_of, optical_flow
from vr180_ofx.imaging.warp import warp_affine
from vr180_ofx.matte.parameters import CROPS, TEMPORAL, CropParameters, TemporalParameters
from vr180_ofx.matte.rvm.contract import STEP, RecurrentNetwork, State
from vr180_ofx.matte.rvm.crops import choose_crops
from vr180_ofx.matte.rvm.memory import restored, stored
from vr180_ofx.matte.scale import reference_scale
from vr180_ofx.matte.temporal import Neighbour, temporal_smooth
from vr180_ofx.media.contract import Sample
from vr180_ofx.parameters import identity_of
from vr180_ofx.trackers.contract import Crop, CropSource, Key, Mask, Memory, NetworkAlpha, WindowImage

#: In the memory: a crop, its luma, and the network's alphas of the frame before and of the one to come.
_CROP, _LUMA, _BEFORE, _COMING = "crop", "luma", "before", "coming"


@dataclass(frozen=True, slots=True)
class _Prefetched:
    """A picture that was taken one frame ahead, so that it need not be taken again."""

    source: CropSource
    crop: Crop
    sample: Sample

    def shows(self, source: CropSource, crop: Crop) -> bool:
        return self.source.eye is source.eye and (self.source.window, self.crop) == (source.window, crop)


@dataclass(frozen=True, slots=True)
class _Look:
    """What pictures show of one crop.

    sample, luma: this frame. past: the frame before, and the network's alpha of it. ahead, luma_ahead: the next frame. flows: those that
    are on their way, to `_BEFORE` and `_COMING`.
    """

    sample: Sample
    luma: Luma
    past: Neighbour | None
    ahead: Sample | None
    luma_ahead: Luma | None
    flows: dict[str, Future[FloatArray]] = field(default_factory=dict)

    def neighbours(self) -> Iterator[tuple[str, Luma]]:
        """The other frames' lumas, by their names."""
        if self.past is not None:
            yield _BEFORE, self.past.luma
        if self.luma_ahead is not None:
            yield _COMING, self.luma_ahead


class RvmWindows:
    """See `contract.MattingNetwork`."""

    looks_ahead = 1
    exact_after: int | None = None

    def __init__(
        self, network: RecurrentNetwork, size: int, threads: int = 1, *, crops: CropParameters = CROPS,
        temporal: TemporalParameters = TEMPORAL,
    ) -> None:  # fmt: skip
        """size: the network sees pictures of size x size pixels, in the shape that fits.
        threads: on a CPU, pictures at once; beside a graphics card, flows.

        Raises ValueError when ``size`` is no multiple of 16, or below 64.
        """
        if size < 64 or size % STEP:
            raise ValueError(f"size is {size}; it must be a multiple of {STEP}, at least 64")
        self.network = network
        self.size = size
        self._crop_parameters, self._temporal = crops, temporal
        #: Not part of what is remembered: without it the same pictures are taken once more.
        self._prefetched: dict[Key, _Prefetched] = {}
        self._threads = max(1, threads)
        self._pool = network.pool(self._threads)
        #: Where flow is found of pictures that are tensors.
        self._flows: ThreadPoolExecutor | None = None

    def identity(self) -> str:
        return f"{self.network.identity()}:{self.size}:{identity_of(self._crop_parameters, self._temporal)}"

    def begin(self) -> Memory:
        return Memory()

    def step(
        self, memory: Memory, windows: Mapping[Key, WindowImage], masks: Mapping[Key, Mask], batch: int = 0
    ) -> tuple[Memory, dict[Key, NetworkAlpha]]:  # fmt: skip
        """One frame. Who is not to be seen has no `NetworkAlpha`, and what was remembered of them is gone."""
        before = {_key(name): Crop.from_array(a) for name, a in memory.arrays.items() if name.endswith(f".{_CROP}")}
        crops = choose_crops(windows, masks, before, self.size, self._crop_parameters)
        prefetched, self._prefetched = self._prefetched, {}

        def look(key: Key) -> _Look:
            source, crop, following = windows[key].source, crops[key], windows[key].following()
            known = prefetched.get(key)
            sample = known.sample if known is not None and known.shows(source, crop) else source.sample(crop)
            past = self._past(memory, key, before.get(key), crop, sample.rgb)
            if following is None:
                return _Look(sample, luma_of(sample.guide), past, None, None)
            ahead = self._prefetched[key] = _Prefetched(following, crop, following.sample(crop))
            return _Look(sample, luma_of(sample.guide), past, ahead.sample, luma_of(ahead.sample.guide))

        on_device = any(is_tensor(windows[key].sample.rgb) for key in crops)
        looks = self._with_flows({key: look(key) for key in crops}) if on_device else {}

        def see(part: list[Key]) -> tuple[dict[Key, NetworkAlpha], dict[str, Array]]:
            alphas, arrays = cast("dict[Key, NetworkAlpha]", {}), cast("dict[str, Array]", {})
            shown = [looks[k] if on_device else look(k) for k in part]
            now = self._now(memory, part, [s.sample for s in shown], [before.get(k) == crops[k] for k in part])
            later = self._later({k: (s.ahead, state) for k, s, (_, state) in zip(part, shown, now, strict=True)})
            for key, seen, (alpha, state) in zip(part, shown, now, strict=True):
                crop, coming = crops[key], later.get(key)
                smooth = temporal_smooth(alpha, seen.luma, self._neighbours(seen, coming), reference_scale(alpha), self._temporal)
                together = NetworkAlpha(smooth, seen.sample.guide, windows[key].window, crop)
                alphas |= {(member, key[1]): together for member in crop.members}
                arrays |= _remembered(key, crop, alpha=alpha, luma=seen.luma, state=state, coming=coming)
            return alphas, arrays

        alphas: dict[Key, NetworkAlpha] = {}
        arrays: dict[str, Array] = {}
        parts = list(_batches(crops, 1 if self._pool is not None else batch))
        for some_alphas, some_arrays in self._pool.map(see, parts) if self._pool is not None else map(see, parts):
            alphas |= some_alphas
            arrays |= some_arrays
        return Memory(arrays), alphas

    def close(self) -> None:
        """Ends its threads. It is not stepped afterwards."""
        for pool in (self._pool, self._flows):
            if pool is not None:
                pool.shutdown()

    def _with_flows(self, looks: dict[Key, _Look]) -> dict[Key, _Look]:
        """With flow to the frames before and after on its way, on threads of the host, while the network is asked.

        All that flow is found in comes down at once.
        """
        pairs = [(key, name, look.luma, there) for key, look in looks.items() for name, there in look.neighbours()]
        if not pairs:
            return looks
        if self._flows is None:
            self._flows = ThreadPoolExecutor(self._threads, "flow")
        down = hosts(*(luma for *_, here, there in pairs for luma in (here, there)))
        for (key, name, *_), here, there in zip(pairs, down[::2], down[1::2], strict=True):
            looks[key].flows[name] = self._flows.submit(optical_flow, here, there)
        return looks

    def _neighbours(self, look: _Look, coming: tuple[FloatArray, State] | None) -> list[Neighbour]:
        """What other frames show, as far as there are some."""
        found = [] if look.past is None else [(_BEFORE, look.past)]
        if coming is not None and look.luma_ahead is not None:
            found.append((_COMING, Neighbour(coming[0], look.luma_ahead, self._temporal.after)))
        return [replace(n, flow=look.flows[name].result()) if name in look.flows else n for name, n in found]

    def _now(self, memory: Memory, part: list[Key], samples: list[Sample], stayed: list[bool]) -> list[tuple[FloatArray, State]]:
        """(alpha, state) of this frame: what was computed one frame ahead, else by the network now.

        stayed: whether the crop is that of the frame before.
        """
        known = [memory.arrays.get(f"{_name(k)}.{_COMING}") if same else None for k, same in zip(part, stayed, strict=True)]
        states = [restored(memory, _name(k)) if same else None for k, same in zip(part, stayed, strict=True)]
        missing = [i for i, alpha in enumerate(known) if alpha is None]
        out: dict[int, tuple[FloatArray, State]] = {}
        for i, (alpha, state) in enumerate(zip(known, states, strict=True)):
            if alpha is not None and state is not None:
                out[i] = as_float(beside(alpha, samples[i].rgb)), state
        if missing:
            stack = namespace(samples[0].rgb).stack
            pictures = stack([samples[i].rgb for i in missing])
            fresh = [j for j, i in enumerate(missing) if states[i] is None]
            given = [states[i] for i in missing]
            if fresh:
                # whom it never saw it sees twice
                unseen = stack([samples[missing[j]].rgb for j in fresh])
                for j, state in zip(fresh, self.network.step(unseen, [None] * len(fresh))[1], strict=True):
                    given[j] = state
            for i, alpha, state in zip(missing, *self.network.step(pictures, given), strict=True):
                out[i] = alpha, state
        return [out[i] for i in range(len(part))]

    def _later(self, frames: Mapping[Key, tuple[Sample | None, State]]) -> dict[Key, tuple[FloatArray, State]]:
        """The network's alphas of the next frame, and the states after it, of those who are in one.

        frames: key -> what the crop shows in the next frame, if there is one, and the state before it.
        """
        there = {key: sample for key, (sample, _) in frames.items() if sample is not None}
        if not there:
            return {}
        pictures = namespace(next(iter(there.values())).rgb).stack([s.rgb for s in there.values()])
        alphas, states = self.network.step(pictures, [frames[key][1] for key in there])
        return {key: (alpha, state) for key, alpha, state in zip(there, alphas, states, strict=True)}

    def _past(self, memory: Memory, key: Key, old: Crop | None, crop: Crop, like: object) -> Neighbour | None:
        """The network's alpha of the frame before, in this crop. like: of whose kind it is wanted."""
        if old is None:
            return None
        alpha: FloatArray = as_float(beside(memory.arrays[f"{_name(key)}.{_BEFORE}"], like))
        luma = cast("Luma", beside(memory.arrays[f"{_name(key)}.{_LUMA}"], like))
        if old != crop:
            # from pixels of this crop to those of the old one; that the window moved meanwhile is the flow's to find
            scale = old.scale / crop.scale
            matrix = np.array(
                [[scale, 0, (crop.x - old.x) * old.scale + (scale - 1) / 2], [0, scale, (crop.y - old.y) * old.scale + (scale - 1) / 2]]
            )
            size = (crop.width, crop.height)
            alpha, luma = warp_affine(alpha, matrix, size), warp_affine(luma, matrix, size)
        return Neighbour(alpha, luma, self._temporal.before)


def _remembered(
    key: Key, crop: Crop, *, alpha: FloatArray, luma: Luma, state: State, coming: tuple[FloatArray, State] | None
) -> dict[str, Array]:  # fmt: skip
    """What is kept of one crop: the state after the newest frame that was seen, its alpha, and this frame for the next one."""
    name, xp = _name(key), namespace(alpha)
    arrays = {f"{name}.{_CROP}": crop.to_array(), f"{name}.{_BEFORE}": xp.astype(alpha, xp.float16), f"{name}.{_LUMA}": luma}
    if coming is None:
        return arrays | stored(name, state)
    return arrays | stored(name, coming[1]) | {f"{name}.{_COMING}": xp.astype(coming[0], xp.float16)}


def _name(key: Key) -> str:
    return f"{key[0]}.{key[1]}"


def _key(name: str) -> Key:
    person, view, _ = name.split(".")
    return int(person), view


def _batches(crops: Mapping[Key, Crop], most: int) -> Iterator[list[Key]]:
    """Crops of one shape, at most so many."""
    shapes: dict[tuple[int, int], list[Key]] = {}
    for key, crop in crops.items():
        shapes.setdefault((crop.width, crop.height), []).append(key)
    for keys in shapes.values():
        for begin in range(0, len(keys), most or len(keys)):
            yield keys[begin : begin + (most or len(keys))]
