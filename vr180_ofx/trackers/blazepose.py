"""The embedded tracker: the BlazePose segmenter, led by the landmarks that the plan recorded, with a short memory.

Each window is segmented three times: the whole body, and its upper and lower part larger. The network gives masks of
256 pixels whatever it is shown, so the parts bring detail that the whole does not have.

The memory holds the last frame's mask, and the one before that, as the last frame shows it. Carried along the motion of the picture, they
steady the new one, as far as what is carried looks like it, so that nothing drags. It forgets after two frames by construction.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from vr180_ofx.arrays import Array, FloatArray
from vr180_ofx.imaging.flow import COARSE, Luma, luma_of, motion_between
from vr180_ofx.imaging.inpaint import cover, erase
from vr180_ofx.trackers.blazepose_net import INPUT_SIZE, BlazePoseSegmenter
from vr180_ofx.trackers.contract import Key, Mask, Memory, WindowImage
from vr180_ofx.vr180.body import WINDOW_REACHES
from vr180_ofx.vr180.window import Window
from vr180_ofx.weights.store import file_sha256

WINDOW_SIZE = 416
MEMORY_FRAMES = 2
_CLIP = 8.0
#: (centre down from the hips, half side), both in the half side of the square the network was trained with (1.25 reaches).
_WHOLE = (0.0, 0.85)
_PARTS = ((-0.35, 0.65), (0.35, 0.65))
_TRAINED_REACHES = 1.25
_PART_WEIGHT = 0.5
#: A logit from which on somebody surely stands before others. The network likes to take two people for one, with less
#: conviction where the other one is: only the sure part is taken out of the picture, the rest goes to whose logit is higher.
_SURELY_BEFORE = 6.0
#: Around a mask that somebody points out, so much of the window is looked at, too.
_AROUND = 0.04


class BlazePoseTracker:
    """See `trackers.base.Tracker`. stabilise: how much the frame before counts, 0..0.95; the one before that, the square of it."""

    window_size = WINDOW_SIZE
    exact_after: int | None = MEMORY_FRAMES
    wants_prompts = False
    looks_ahead = 0

    def __init__(self, weights: Path, stabilise: float = 0.7, executor: Executor | None = None) -> None:
        self._segmenter = BlazePoseSegmenter(weights)
        self._stabilise = stabilise
        self._executor = executor
        self._identity = f"blazepose:{file_sha256(weights)[:16]}:{stabilise:g}"
        self._patches = [_Patch(dy, half) for dy, half in (_WHOLE, *_PARTS)]

    def identity(self) -> str:
        return self._identity

    def begin(self) -> Memory:
        return Memory()

    def step(self, memory: Memory, windows: Mapping[Key, WindowImage], batch: int = 0) -> tuple[Memory, dict[Key, Mask]]:
        run = self._executor.map if self._executor is not None and batch != 1 else map
        keys = list(windows)
        raw: dict[Key, tuple[FloatArray, float]] = {}
        # people whom others hide come after those who hide them
        for keys_now in _in_order(windows):
            holes = [self._before(k, windows, raw) for k in keys_now]
            found = run(self._segment, [windows[k] for k in keys_now], holes)
            raw |= dict(zip(keys_now, found, strict=True))
        greys = {k: luma_of(w.sample.guide) for k, w in windows.items()}
        steady = run(lambda k: self._steady(raw[k][0], greys[k], windows[k].window, _past(memory, k)), keys)
        masks, arrays = cast("dict[Key, Mask]", {}), cast("dict[str, Array]", {})
        for key, (logits, kept) in zip(keys, steady, strict=True):
            masks[key] = Mask(logits, raw[key][1])
            arrays |= {f"{_name(key)}.{k}": v for k, v in kept.items()}
        return Memory(arrays), masks

    def _before(self, key: Key, windows: Mapping[Key, WindowImage], raw: Mapping[Key, tuple[FloatArray, float]]) -> FloatArray | None:
        """The logits, in this window, of everybody who stands before this person; None when nobody does."""
        image = windows[key]
        total: FloatArray | None = None
        for other in image.occluders:
            front = (other, key[1])
            if front not in raw or front == key:
                continue
            matrix = _homography(image.window, windows[front].window)
            seen = cv2.warpPerspective(
                raw[front][0], matrix, (WINDOW_SIZE, WINDOW_SIZE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_CONSTANT, borderValue=-_CLIP,
            )  # fmt: skip
            total = seen if total is None else np.maximum(total, seen)
        return total

    def _segment(self, image: WindowImage, before: FloatArray | None = None) -> tuple[FloatArray, float]:
        """Raw logits on the window's grid, (size, size) float32, and the presence of the whole body."""
        picture = image.sample.rgb if before is None else erase(image.sample.rgb, before > _SURELY_BEFORE)
        elsewhere = _elsewhere(image)
        if elsewhere is not None:
            picture = cover(picture, elsewhere)
        total = np.zeros((WINDOW_SIZE, WINDOW_SIZE), np.float32)
        weight = np.full((WINDOW_SIZE, WINDOW_SIZE), 1e-3, np.float32)
        presence = 0.0
        for k, patch in enumerate(self._patches):
            pose = self._segmenter.segment(patch.cut(picture))
            if k == 0:
                presence = pose.presence
            share = _PART_WEIGHT if k else 1.0
            patch.add(np.clip(pose.logits, -_CLIP, _CLIP), share, total, weight)
        # what no square shows is not the person
        logits = np.where(weight > 2e-3, total / weight, -_CLIP).astype(np.float32)
        if elsewhere is not None:
            logits[elsewhere] = -_CLIP
        # where somebody stands before them, they are not to be seen
        return logits if before is None else np.where(before > _SURELY_BEFORE, np.minimum(logits, -before), logits), presence

    def _steady(
        self, logits: FloatArray, grey: Luma, window: Window, past: dict[str, Array] | None
    ) -> tuple[FloatArray, dict[str, Array]]:  # fmt: skip
        """The mask steadied by the frames before, and what is to be remembered: this frame, and the one before as this one shows it."""
        kept: dict[str, Array] = {"logits": logits.astype(np.float16), "grey": grey, "window": _window_numbers(window)}
        if self._stabilise <= 0 or past is None:
            return logits, kept
        matrix = _homography(window, _window_from(past["window"]))

        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP

        def warped(values: Array, border: int = cv2.BORDER_CONSTANT, outside: float = 0) -> FloatArray:
            size = (WINDOW_SIZE, WINDOW_SIZE)
            out: FloatArray = cv2.warpPerspective(values, matrix, size, flags=flags, borderMode=border, borderValue=outside)
            return out

        motion = motion_between(cast("Luma", warped(past["grey"], cv2.BORDER_REPLICATE)), grey, 1.0, finest=COARSE)
        moved = motion.warp(warped(past["logits"].astype(np.float32), outside=-_CLIP))
        kept |= {"before.logits": moved.astype(np.float16), "before.trust": motion.trust.astype(np.float16)}
        share = np.float32(self._stabilise) * motion.trust
        total, weight = logits + share * moved, 1 + share
        if "before.logits" in past:
            # two frames back: along both motions, as far as both can be trusted
            trust = motion.trust * np.clip(motion.warp(warped(past["before.trust"].astype(np.float32))), 0, 1)
            share = np.float32(self._stabilise**2) * trust
            total += share * motion.warp(warped(past["before.logits"].astype(np.float32), outside=-_CLIP))
            weight += share
        steady: FloatArray = total / weight
        return steady, kept


def _past(memory: Memory, key: Key) -> dict[str, Array] | None:
    """What is remembered of somebody."""
    name = f"{_name(key)}."
    found = {k.removeprefix(name): v for k, v in memory.arrays.items() if k.startswith(name)}
    return found or None


def _elsewhere(image: WindowImage) -> npt.NDArray[np.bool_] | None:
    """What lies away from a mask that points the person out; None without one."""
    if image.prompt is None or image.prompt.mask is None:
        return None
    mask = image.prompt.mask.astype(np.uint8)
    around = max(1, round(_AROUND * mask.shape[0]))
    near = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * around + 1, 2 * around + 1)))
    return np.asarray(near == 0)


def _in_order(windows: Mapping[Key, WindowImage]) -> list[list[Key]]:
    """Groups that can be segmented at once: whoever stands before others comes in an earlier group."""
    rest, groups, done = list(windows), [], set()
    while rest:
        ready = [k for k in rest if all((i, k[1]) in done or (i, k[1]) not in windows for i in windows[k].occluders)]
        # a circle in an edited plan: nobody is in front, so all are
        ready = ready or rest
        groups.append(ready)
        done |= set(ready)
        rest = [k for k in rest if k not in done]
    return groups


class _Patch:
    """A square part of a window for the segmenter, and the way back."""

    def __init__(self, down: float, half: float) -> None:
        scale = _TRAINED_REACHES / WINDOW_REACHES * WINDOW_SIZE / 2
        self._half = half * scale
        centre = np.array([WINDOW_SIZE / 2, WINDOW_SIZE / 2 + down * scale])
        step = 2 * self._half / INPUT_SIZE
        # from patch pixel indices to window pixel indices
        self._matrix = np.array([[step, 0, centre[0] - self._half + step / 2 - 0.5], [0, step, centre[1] - self._half + step / 2 - 0.5]])
        self._step = step
        border = np.zeros((INPUT_SIZE, INPUT_SIZE), np.float32)
        border[6:-6, 6:-6] = 1
        # masks are not to be trusted at the border of what the network saw
        self._weight = cv2.GaussianBlur(border, (0, 0), 6)
        self._weight_back = self._back(self._weight)

    def cut(self, rgb: FloatArray) -> FloatArray:
        source = rgb
        if self._step > 1.25:
            source = cv2.GaussianBlur(rgb, (0, 0), 0.35 * self._step)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        out: FloatArray = cv2.warpAffine(source, self._matrix, (INPUT_SIZE, INPUT_SIZE), flags=flags, borderMode=cv2.BORDER_CONSTANT)
        return out

    def add(self, logits: FloatArray, share: float, total: FloatArray, weight: FloatArray) -> None:
        """Adds weighted logits and weights on the window's grid."""
        total += share * self._back(logits * self._weight)
        weight += share * self._weight_back

    def _back(self, values: FloatArray) -> FloatArray:
        out: FloatArray = cv2.warpAffine(
            values, self._matrix, (WINDOW_SIZE, WINDOW_SIZE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0
        )
        return out


def _name(key: Key) -> str:
    return f"{key[0]}.{key[1]}"


def _window_numbers(w: Window) -> Array:
    return np.array([*w.direction, w.fov_degrees, w.roll_degrees, w.size], np.float64)


def _window_from(numbers: Array) -> Window:
    x, y, z, fov, roll, size = (float(v) for v in numbers)
    return Window((x, y, z), fov, roll, int(size))


def _homography(new: Window, old: Window) -> FloatArray:
    """From pixel indices of the new window to those of the old one: two cameras in one place differ by a homography."""

    def camera(w: Window) -> FloatArray:
        # from pixel indices to (unnormalised) world directions
        half, focal = w.size / 2, w.focal_pixels
        local = np.array([[1 / focal, 0, (0.5 - half) / focal], [0, -1 / focal, (half - 0.5) / focal], [0, 0, 1.0]])
        matrix: FloatArray = w._axes.T @ local
        return matrix

    matrix: FloatArray = np.linalg.inv(camera(old)) @ camera(new)
    return matrix / matrix[2, 2] if math.isfinite(matrix[2, 2]) else matrix
