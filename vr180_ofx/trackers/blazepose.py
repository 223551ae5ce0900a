"""The embedded tracker: the BlazePose segmenter, led by the landmarks that the plan recorded, with a short memory.

Each window is segmented three times: the whole body, and its upper and lower part larger. The network gives masks of
256 pixels whatever it is shown, so the parts bring detail that the whole does not have.

The network runs on the CPU: of pictures on a graphics card the small window comes down, and its mask goes up beside it.

The memory holds the last frame's mask, and the one before that, as the last frame shows it. Warped along the motion of the picture, they
steady the new one, as far as what is warped looks like it, so that nothing drags. It forgets after two frames by construction.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np

from vr180_ofx.arrays import Array, BoolArray, FloatArray
from vr180_ofx.imaging.either import beside, host, hosts
from vr180_ofx.imaging.filter import gaussian_blur
from vr180_ofx.imaging.flow import COARSE, TRUST, Luma, TrustParameters, luma_of, motion_between
from vr180_ofx.imaging.inpaint import ERASE, EraseParameters, cover, erase
from vr180_ofx.imaging.morphology import dilate, disc
from vr180_ofx.imaging.sample import sample
from vr180_ofx.imaging.warp import inverse_affine, warp_affine
from vr180_ofx.parameters import identity_of
from vr180_ofx.trackers.blazepose_net import INPUT_SIZE, BlazePoseSegmenter
from vr180_ofx.trackers.contract import Key, Mask, Memory, WindowImage
from vr180_ofx.vr180.body import WINDOW_REACHES
from vr180_ofx.vr180.window import Window, between
from vr180_ofx.weights.store import file_sha256

WINDOW_SIZE = 416
MEMORY_FRAMES = 2
_WINDOW = (WINDOW_SIZE, WINDOW_SIZE)
#: A weight that makes the sum of the squares' weights more than 0 everywhere; where there is no more, no square shows anything.
_LEAST_WEIGHT = 1e-3


@dataclass(frozen=True, slots=True)
class SquareParameters:
    """A square of a window that the segmenter is shown. Units: the half side of the square that it was trained with.

    down: from the hips to the square's middle. half_side: of the square. weight: of its mask beside those of other squares.
    """

    down: float
    half_side: float
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class BlazePoseParameters:
    """How the segmenter is shown a person, and what is believed of what it says. Figures: docs/decisions/0010, 0011 and 0046."""

    #: Hips to the side of the squares that the network was trained with, in reaches of the body (MediaPipe's pose landmarks).
    trained_reaches: float = 1.25
    #: The whole body first, which says whether somebody is there; its parts are seen larger. IoU 0.918 -> 0.952 on a rendered clip.
    squares: tuple[SquareParameters, ...] = (
        SquareParameters(0.0, 0.85),
        SquareParameters(-0.35, 0.65, 0.5),
        SquareParameters(0.35, 0.65, 0.5),
    )
    #: Pixels of a square's mask at its border that count nothing, and the Gaussian's standard deviation by which the rest fades in:
    #: masks are not to be trusted at the border of what the network saw.
    rim_px: int = 6
    rim_fade_px: float = 6.0
    #: Pictures that shrink by more than this factor are blurred first, by a Gaussian of so many of its pixels for each factor of one:
    #: bilinear interpolation alone would alias.
    most_shrink: float = 1.25
    blur_px: float = 0.35
    #: Logits beyond this say no more than it.
    logit_limit: float = 8.0
    #: A logit from which on somebody surely stands before others. The network likes to take two people for one, with less conviction
    #: where the other one is: only the sure part is taken out of the picture, the rest goes to whose logit is higher. duo_2k: IoU 0.920
    #: -> 0.924, everybody found in 88 -> 96 % of the frames.
    surely_in_front: float = 6.0
    #: Around a mask that somebody points out, so much is looked at, too, in shares of the window's side.
    prompt_margin: float = 0.04
    #: Standard deviation, pixels of the window, by which the border of what the plan says is soft: that of a pixel of the pictures
    #: in which it was found (`people.parameters.CarryParameters.reach_px`), of which this window has 2.2.
    covered_blur_px: float = 2.2
    #: The finest level of the flow between frames: at a quarter of the size it takes 2 ms and MAD on duo_2k is 2.07e-3, at half of it
    #: 8 ms and 2.05e-3.
    flow_finest: int = COARSE
    trust: TrustParameters = field(default=TRUST)
    erase: EraseParameters = field(default=ERASE)


PARAMETERS = BlazePoseParameters()


class BlazePoseTracker:
    """See `trackers.contract.Tracker`. stabilise: how much the frame before counts, 0..0.95; the one before that, the square of it.

    executor: windows of one frame are segmented at once.
    """

    window_size = WINDOW_SIZE
    exact_after: int | None = MEMORY_FRAMES
    wants_prompts = False
    looks_ahead = 0

    def __init__(
        self, weights: Path, stabilise: float = 0.7, executor: Executor | None = None, parameters: BlazePoseParameters = PARAMETERS
    ) -> None:
        self._segmenter = BlazePoseSegmenter(weights)
        self._stabilise = stabilise
        self._executor = executor
        self._parameters = parameters
        self._identity = f"blazepose:{file_sha256(weights)[:16]}:{stabilise:g}:{identity_of(parameters)}"
        self._squares = [_Square(square, parameters) for square in parameters.squares]

    def identity(self) -> str:
        return self._identity

    def begin(self) -> Memory:
        return Memory()

    def step(self, memory: Memory, windows: Mapping[Key, WindowImage], batch: int = 0) -> tuple[Memory, dict[Key, Mask]]:
        run = self._executor.map if self._executor is not None and batch != 1 else map
        keys = list(windows)
        raw: dict[Key, tuple[FloatArray, float]] = {}
        # people whom others hide come after those who hide them
        for keys_now in _front_to_back(windows):
            occluders = [self._occluders(k, windows, raw) for k in keys_now]
            found = run(self._segment, [windows[k] for k in keys_now], occluders)
            raw |= dict(zip(keys_now, found, strict=True))
        lumas = dict(zip(windows, hosts(*(luma_of(w.sample.guide) for w in windows.values())), strict=True))
        smooth = run(lambda k: self._temporal_smooth(raw[k][0], lumas[k], windows[k].window, _past(memory, k)), keys)
        masks, arrays = cast("dict[Key, Mask]", {}), cast("dict[str, Array]", {})
        for key, (logits, kept) in zip(keys, smooth, strict=True):
            masks[key] = Mask(beside(logits, windows[key].sample.rgb), raw[key][1])
            arrays |= {f"{_name(key)}.{k}": v for k, v in kept.items()}
        return Memory(arrays), masks

    def _occluders(self, key: Key, windows: Mapping[Key, WindowImage], raw: Mapping[Key, tuple[FloatArray, float]]) -> FloatArray | None:
        """The logits, in this window, of everybody who stands before this person; None when nobody does."""
        image = windows[key]
        total: FloatArray | None = None
        for other in image.occluders:
            front = (other, key[1])
            if front not in raw or front == key:
                continue
            seen = sample(raw[front][0], between(image.window, windows[front].window), border=-self._parameters.logit_limit)
            total = seen if total is None else np.maximum(total, seen)
        return total

    def _segment(self, image: WindowImage, occluders: FloatArray | None = None) -> tuple[FloatArray, float]:
        """Raw logits on the window's grid, (size, size) float32, and the presence of the whole body."""
        if image.covered is not None:
            return self._as_planned(image, image.covered)
        most, sure = self._parameters.logit_limit, self._parameters.surely_in_front
        shown = host(image.sample.rgb)
        picture = shown if occluders is None else erase(shown, occluders > sure, self._parameters.erase)
        elsewhere = self._elsewhere(image)
        if elsewhere is not None:
            picture = cover(picture, elsewhere, self._parameters.erase)
        total = np.zeros(_WINDOW, np.float32)
        weight = np.full(_WINDOW, _LEAST_WEIGHT, np.float32)
        presence = 0.0
        for k, square in enumerate(self._squares):
            pose = self._segmenter.segment(square.cut(picture))
            if k == 0:
                presence = pose.presence
            square.add_to(total, weight, np.clip(pose.logits, -most, most))
        # what no square shows is not the person
        logits = np.where(weight > 2 * _LEAST_WEIGHT, total / weight, -most).astype(np.float32)
        if elsewhere is not None:
            logits[elsewhere] = -most
        # where somebody stands before them, they are not to be seen
        return logits if occluders is None else np.where(occluders > sure, np.minimum(logits, -occluders), logits), presence

    def _as_planned(self, image: WindowImage, covered: FloatArray) -> tuple[FloatArray, float]:
        """Where the network does not see somebody of whom the plan says what they cover: who stands before them is left out of that
        already. The less sure the plan is, the more others count who claim the same place.
        """
        soft = gaussian_blur(covered, self._parameters.covered_blur_px)
        return np.float32(self._parameters.logit_limit * image.sure) * (2 * soft - 1), image.sure

    def _elsewhere(self, image: WindowImage) -> BoolArray | None:
        """What lies away from a mask that points the person out; None without one."""
        if image.prompt is None or image.prompt.mask is None:
            return None
        mask = image.prompt.mask > 0
        return ~dilate(mask, disc(max(1, round(self._parameters.prompt_margin * mask.shape[0]))))

    def _temporal_smooth(
        self, logits: FloatArray, luma: Luma, window: Window, past: dict[str, Array] | None
    ) -> tuple[FloatArray, dict[str, Array]]:  # fmt: skip
        """The mask averaged with those of the frames before, and what is to be remembered: this frame, and the one before as this one
        shows it.
        """
        kept: dict[str, Array] = {"logits": logits.astype(np.float16), "grey": luma, "window": _window_numbers(window)}
        if self._stabilise <= 0 or past is None:
            return logits, kept
        places, nobody = between(window, _window_from(past["window"])), -self._parameters.logit_limit

        def warped(name: str, border: float) -> FloatArray:
            return sample(past[name].astype(np.float32), places, border=border)

        theirs = sample(cast("Luma", past["grey"]), places, border="edge")
        motion = motion_between(theirs, luma, 1.0, finest=self._parameters.flow_finest, trust=self._parameters.trust)
        before = motion.warp(warped("logits", nobody))
        kept |= {"before.logits": before.astype(np.float16), "before.trust": motion.trust.astype(np.float16)}
        share = np.float32(self._stabilise) * motion.trust
        total, weight = logits + share * before, 1 + share
        if "before.logits" in past:
            # two frames back: along both motions, as far as both can be trusted
            trust = motion.trust * motion.warp_alpha(warped("before.trust", 0))
            share = np.float32(self._stabilise**2) * trust
            total += share * motion.warp(warped("before.logits", nobody))
            weight += share
        smooth: FloatArray = total / weight
        return smooth, kept


def _past(memory: Memory, key: Key) -> dict[str, Array] | None:
    """What is remembered of somebody."""
    name = f"{_name(key)}."
    found = {k.removeprefix(name): v for k, v in memory.arrays.items() if k.startswith(name)}
    return found or None


def _front_to_back(windows: Mapping[Key, WindowImage]) -> list[list[Key]]:
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


class _Square:
    """A square part of a window for the segmenter, and the way back."""

    def __init__(self, square: SquareParameters, parameters: BlazePoseParameters) -> None:
        unit = parameters.trained_reaches / WINDOW_REACHES * WINDOW_SIZE / 2
        half = square.half_side * unit
        centre = np.array([WINDOW_SIZE / 2, WINDOW_SIZE / 2 + square.down * unit])
        step = 2 * half / INPUT_SIZE
        # from the square's pixel indices to the window's
        self._matrix = np.array([[step, 0, centre[0] - half + step / 2 - 0.5], [0, step, centre[1] - half + step / 2 - 0.5]])
        self._inverse = inverse_affine(self._matrix)
        self._blur = parameters.blur_px * step if step > parameters.most_shrink else 0.0
        self._share = square.weight
        border = np.zeros((INPUT_SIZE, INPUT_SIZE), np.float32)
        rim = parameters.rim_px
        border[rim:-rim, rim:-rim] = 1
        self._weight = gaussian_blur(border, parameters.rim_fade_px)
        self._weight_back = self._back(self._weight)

    def cut(self, rgb: FloatArray) -> FloatArray:
        """The part of a window's picture, (256, 256, 3)."""
        source = gaussian_blur(rgb, self._blur) if self._blur else rgb
        return warp_affine(source, self._matrix, (INPUT_SIZE, INPUT_SIZE))

    def add_to(self, total: FloatArray, weight: FloatArray, logits: FloatArray) -> None:
        """Adds weighted logits, and weights, to sums on the window's grid, in place. logits: (256, 256)."""
        total += self._share * self._back(logits * self._weight)
        weight += self._share * self._weight_back

    def _back(self, values: FloatArray) -> FloatArray:
        return warp_affine(values, self._inverse, _WINDOW)


def _name(key: Key) -> str:
    return f"{key[0]}.{key[1]}"


def _window_numbers(w: Window) -> Array:
    return np.array([*w.direction, w.fov_degrees, w.roll_degrees, w.size], np.float64)


def _window_from(numbers: Array) -> Window:
    x, y, z, fov, roll, size = (float(v) for v in numbers)
    return Window((x, y, z), fov, roll, int(size))
