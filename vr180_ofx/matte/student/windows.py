"""The student in person windows: each person's own alpha, from what the tracker says of them and of the others.

It remembers nothing: any frame is the same whichever was made before it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.either import namespace
from vr180_ofx.imaging.lattice import smooth_map
from vr180_ofx.imaging.logistic import sigmoid
from vr180_ofx.imaging.parts import all_bounds
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.imaging.sample import sample
from vr180_ofx.matte.contract import Refiner
from vr180_ofx.matte.parameters import CROPS, CropParameters
from vr180_ofx.matte.student.contract import STRIDE, StudentNetwork
from vr180_ofx.media.contract import Sample
from vr180_ofx.parameters import identity_of
from vr180_ofx.trackers.contract import Crop, Key, Mask, Memory, NetworkAlpha, WindowImage

#: A logit where a window shows nothing.
_NOBODY = -8.0


class StudentWindows:
    """See `matte.contract.MattingNetwork`. Everybody is seen alone, so that whose an alpha is needs no deciding."""

    looks_ahead = 0
    exact_after: int | None = 0

    def __init__(
        self, network: StudentNetwork, refiner: Refiner, size: int, threads: int = 1, *, crops: CropParameters = CROPS
    ) -> None:  # fmt: skip
        """refiner: makes the filtered guide, which is one of the network's inputs: the one that it was trained with. size: the network
        sees windows of about size x size pixels, in the shape that fits. threads: windows at once, on CPUs.

        Raises ValueError when ``size`` is no multiple of 32, or below 64.
        """
        if size < 2 * STRIDE or size % STRIDE:
            raise ValueError(f"size is {size}; it must be a multiple of {STRIDE}, at least {2 * STRIDE}")
        self.network, self.size = network, size
        self._refiner, self._crops = refiner, crops
        self._pool = ThreadPoolExecutor(threads, "student") if threads > 1 else None

    def identity(self) -> str:
        return f"{self.network.identity()}:{self._refiner.identity()}:{self.size}:{identity_of(self._crops)}"

    def begin(self) -> Memory:
        return Memory()

    def step(
        self, memory: Memory, windows: Mapping[Key, WindowImage], masks: Mapping[Key, Mask], batch: int = 0
    ) -> tuple[Memory, dict[Key, NetworkAlpha]]:  # fmt: skip
        """One frame. Whom the tracker does not see has no `NetworkAlpha`."""
        bounds = dict(zip(windows, all_bounds([masks[k].logits > 0 for k in windows]), strict=True))
        crops = {
            k: crop_of(k[0], r, self.size, self._crops) for k, r in bounds.items() if min(r.width, r.height) > self._crops.least_side_px
        }

        def see(key: Key) -> NetworkAlpha:
            crop, image = crops[key], windows[key]
            shown = image.source.sample(crop)
            mask = sigmoid(self._seen(key, key, crop, windows, masks))
            others = [self._seen(k, key, crop, windows, masks) for k in masks if k[1] == key[1] and k != key]
            alpha = self.network.look(self._planes(shown, mask, others)[None])[0]
            return NetworkAlpha(alpha, shown.guide, image.window, crop)

        run: Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]] = map if self._pool is None else self._pool.map
        return Memory(), dict(zip(crops, run(see, crops), strict=True))

    def close(self) -> None:
        """Ends its threads. It is not stepped afterwards."""
        if self._pool is not None:
            self._pool.shutdown()

    def _planes(self, shown: Sample, mask: FloatArray, others: list[FloatArray]) -> FloatArray:
        """(h, w, 6), see `StudentNetwork.look`."""
        xp = namespace(mask)
        filtered = self._refiner.refine(shown.guide, mask).value(shown.guide)
        theirs = xp.zeros_like(mask)
        for logits in others:
            theirs = xp.maximum(theirs, sigmoid(logits))
        planes: FloatArray = xp.concatenate([shown.rgb, xp.stack([mask, filtered, theirs], axis=-1)], axis=-1)
        return planes

    def _seen(self, whose: Key, where: Key, crop: Crop, windows: Mapping[Key, WindowImage], masks: Mapping[Key, Mask]) -> FloatArray:
        """Somebody's mask in a crop of a window, (h, w) logits."""
        own, there = windows[where].window, windows[whose].window
        logits = masks[whose].logits

        def places(pixels: FloatArray) -> FloatArray:
            inside = crop.to_window(pixels)
            return inside if whose == where else there.points(own.directions(inside))

        return sample(logits, smooth_map(places, Rect.of_size(crop.width, crop.height), like=logits), border=_NOBODY)


def crop_of(person: int, mask: Rect, size: int, parameters: CropParameters = CROPS) -> Crop:
    """The rectangle of a window that shows somebody with room around, about size x size pixels of the network in the shape that fits.

    mask: what the tracker's mask covers, in the window's pixels. Places and scales are steps, so that a crop stays where it is while a
    mask's border trembles; nothing is remembered for that.
    """
    room = parameters.room * max(mask.width, mask.height)
    width, height = mask.width + 2 * room, mask.height + 2 * room
    aspect = height / width
    high, wide = (max(2, round(size * f / STRIDE)) * STRIDE for f in (aspect**0.5, aspect**-0.5))
    # sides in steps of a twelfth of an octave: the smaller scale shows everything
    scale = 2 ** (math.floor(12 * math.log2(min(high / height, wide / width))) / 12)
    step = max(1.0, 8 / scale)
    x, y = (step * round((low + high_) / 2 / step) for low, high_ in ((mask.x0, mask.x1), (mask.y0, mask.y1)))
    return Crop((person,), x - wide / scale / 2, y - high / scale / 2, scale, wide, high)
