"""Truths written as mattes: what no method can be better than, and damages of known size that scores must see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.engine.frame import Frame, Layer, ViewMatte
from vr180_ofx.imaging.filter import gaussian_blur
from vr180_ofx.imaging.morphology import erode, square
from vr180_ofx.imaging.parts import bounds
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.output.exr import ExrClip, ExrWriter
from vr180_ofx.quality.truth import Truth, TruthFrame
from vr180_ofx.settings import OutputSettings
from vr180_ofx.vr180.layout import RIGHT

Layers = dict[str, FloatArray]


@dataclass(frozen=True, slots=True)
class Moment:
    """Where in a clip layers are. index, count: the frame, and how many there are. view: the eye."""

    index: int
    count: int
    view: str


#: What becomes of the layers of an eye of a frame; None: the frame is not written. amount: how much, in its own unit.
Damage = Callable[[Layers, Moment, float], Layers | None]


def untouched(layers: Layers, moment: Moment, amount: float) -> Layers:
    """As they are."""
    return layers


def shifted(layers: Layers, moment: Moment, amount: float) -> Layers:
    """To the right by ``amount`` pixels, in both eyes."""
    return {name: np.roll(a, round(amount), axis=1) for name, a in layers.items()}


def one_eye_shifted(layers: Layers, moment: Moment, amount: float) -> Layers:
    """The right eye alone."""
    return shifted(layers, moment, amount) if moment.view == RIGHT else layers


def blurred(layers: Layers, moment: Moment, amount: float) -> Layers:
    """By a Gaussian of ``amount`` pixels."""
    return {name: gaussian_blur(a, amount) for name, a in layers.items()}


def eroded(layers: Layers, moment: Moment, amount: float) -> Layers:
    """Thinner by ``amount`` pixels on all sides."""
    return {name: erode(a, square(round(amount))) for name, a in layers.items()}


def dropped(layers: Layers, moment: Moment, amount: float) -> Layers | None:
    """``amount`` of all frames, evenly, are not written."""
    return None if int((moment.index + 1) * amount) > int(moment.index * amount) else layers


def ghosts(layers: Layers, moment: Moment, amount: float) -> Layers:
    """A layer more in ``amount`` of all frames: an ellipse as large as somebody of a fifth of the view, where nobody is."""
    if int((moment.index + 1) * amount) == int(moment.index * amount):
        return layers
    height, width = next(iter(layers.values())).shape
    taken = bounds(np.max(list(layers.values()), axis=0) > 0)
    left, right = taken.x0, width - taken.x1
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    x = left / 2 if left > right else width - right / 2
    inside = np.square((xs - x) / (width / 24)) + np.square((ys - height / 2) / (height / 10)) < 1
    return layers | {"ghost": inside.astype(np.float32)}


def identities_swapped(layers: Layers, moment: Moment, amount: float) -> Layers:
    """The first two people have each other's names, and go back to their own: ``amount`` times in the clip."""
    names = [name for name in layers if name.startswith("person")][:2]
    turns = int(moment.index * (amount + 1) / max(1, moment.count))
    if len(names) < 2 or turns % 2 == 0:
        return layers
    a, b = names
    return layers | {a: layers[b], b: layers[a]}


def missed(layers: Layers, moment: Moment, amount: float) -> Layers:
    """The last person has no matte in ``amount`` of all frames."""
    name = max((n for n in layers if n.startswith("person")), default="")
    gone = int((moment.index + 1) * amount) > int(moment.index * amount)
    return {n: np.zeros_like(a) if n == name and gone else a for n, a in layers.items()}


@dataclass(frozen=True, slots=True)
class KnownDamage:
    """change: what is done. amounts: growing. seen: the measure that must grow worse with each of them."""

    change: Damage
    amounts: tuple[float, ...]
    seen: str


#: Name -> damage; the truth itself is the mode ``truth``.
DAMAGES: dict[str, KnownDamage] = {
    "shift": KnownDamage(shifted, (1, 2, 4), "mad"),
    "eye-shift": KnownDamage(one_eye_shifted, (1, 2, 4), "stereo_error"),
    "blur": KnownDamage(blurred, (1, 2, 4), "band_mad"),
    "erosion": KnownDamage(eroded, (1, 2, 3), "iou"),
    "dropped": KnownDamage(dropped, (0.25, 0.5), "dtssd"),
    "ghost": KnownDamage(ghosts, (0.25, 0.5, 1), "ghosts"),
    "swap": KnownDamage(identities_swapped, (1, 2, 3), "switches"),
    "missed": KnownDamage(missed, (0.25, 0.5, 1), "recall"),
}


def write_truth(scene: Path, folder: Path, change: Damage = untouched, amount: float = 0) -> int:
    """A scene's truth as EXR frames of half floats, as the program writes its mattes, in ``folder``; changed. Returns frames written."""
    truth, written = Truth(scene), 0
    count = len(truth)
    writer: ExrWriter | None = None
    numbers: dict[str, int] = {}
    folder.mkdir(parents=True, exist_ok=True)
    for index, frame in enumerate(truth.frames()):
        views = {view: change(_layers(frame, view), Moment(index, count, view), amount) for view in truth.layout.views}
        if writer is None:
            names = [f"person{k:02d}" for k in truth.files] + ["rest", "ghost"]
            numbers = {name: k + 1 for k, name in enumerate(names)}
            people = tuple((k, name) for name, k in numbers.items())
            clip = ExrClip(Fraction(24), None, truth.layout.views, people, "equirect180", None, layout=truth.layout)
            writer = ExrWriter(clip, OutputSettings())
        eyes = {view: _matte(layers, numbers, truth.layout.eye_size) for view, layers in views.items() if layers is not None}
        if len(eyes) == len(views):
            writer.write(folder / "truth", index + 1, Frame(index, eyes, {}), None)
            written += 1
    return written


def _layers(frame: TruthFrame, view: str) -> Layers:
    """A layer for each person, and ``rest`` for what belongs to everybody and to none of them."""
    people = {f"person{k:02d}": a for k, a in frame.people[view].items()}
    everybody = frame.union(view)
    rest = everybody - np.sum(list(people.values()), axis=0) if people else everybody
    return people | {"rest": np.clip(rest, 0, 1).astype(np.float32)}


def _matte(layers: Layers, numbers: dict[str, int], size: tuple[int, int]) -> ViewMatte:
    width, height = size
    rect = Rect.of_size(width, height)
    sure = np.ones((height, width), np.float16)
    # steps below those of 16 bits are rounding
    there = [(name, a) for name, a in layers.items() if float(a.max()) > 1 / 65535]
    return ViewMatte(width, height, tuple(Layer(numbers[name], name, rect, a.astype(np.float16), sure) for name, a in there))
