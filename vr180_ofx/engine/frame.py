"""What the engine delivers: the mattes of one frame, stored only where there are people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from vr180_ofx.arrays import FloatArray, HalfArray, shapes_repr
from vr180_ofx.imaging.half import add_half, half, least_half
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.patch import spread
from vr180_ofx.vr180.layout import Layout


@dataclass(frozen=True, slots=True)
class Layer:
    """One person in one eye.

    person: their number in the plan. rect: of the eye's pixels. alpha, confidence: (rect.height, rect.width) half, 0..1; outside
    ``rect`` the alpha is 0. The alphas of all layers of an eye add up to at most 1.
    """

    person: int
    name: str
    rect: Rect
    alpha: HalfArray
    confidence: HalfArray

    def __post_init__(self) -> None:
        shape = (self.rect.height, self.rect.width)
        for name, values in (("alpha", self.alpha), ("confidence", self.confidence)):
            if values.shape != shape or values.dtype != np.float16:
                raise ValueError(f"{name} is {values.dtype} {values.shape}; of this rectangle it is float16 {shape}")

    def __repr__(self) -> str:
        return shapes_repr(self)

    @property
    def nbytes(self) -> int:
        """Of memory."""
        return self.alpha.nbytes + self.confidence.nbytes


@dataclass(frozen=True, slots=True)
class ViewMatte:
    """All people in one eye. Full-size arrays are made when they are asked for.

    width, height: pixels of the eye, of which every layer holds some or none.
    """

    width: int
    height: int
    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        for layer in self.layers:
            if layer.rect != layer.rect.clipped(self.width, self.height):
                raise ValueError(f"{layer.name} lies in {layer.rect}, which is not within the eye's {self.width}x{self.height} pixels")

    def __repr__(self) -> str:
        return f"ViewMatte({self.width}x{self.height}, {', '.join(layer.name for layer in self.layers) or 'nobody'})"

    @property
    def alpha(self) -> FloatArray:
        """Everybody, (height, width) float32, 0..1 linear coverage."""
        out = np.zeros((self.height, self.width), np.float32)
        for layer in self.layers:
            out[layer.rect.slices] += layer.alpha
        return np.clip(out, 0, 1, out=out)

    @property
    def confidence(self) -> FloatArray:
        """How far each pixel's alpha can be trusted, (height, width) float32, 0..1; 1 where nobody was looked for."""
        out = np.ones((self.height, self.width), np.float32)
        for layer in self.layers:
            part = out[layer.rect.slices]
            np.minimum(part, layer.confidence, out=part)
        return out

    def alpha_half(self, y0: int = 0, y1: int | None = None) -> HalfArray:
        """Everybody as files and hosts get it, (rows, width) half. y0, y1: the first row and one after the last, which hold all people;
        by default all rows.
        """
        out = np.zeros(self._shape(y0, y1), np.float16)
        for layer in self.layers:
            add_half(out[layer.rect.shifted(0, -y0).slices], layer.alpha)
        return out

    def confidence_half(self, y0: int = 0, y1: int | None = None) -> HalfArray:
        """As `confidence`, half; rows as of `alpha_half`."""
        out = np.ones(self._shape(y0, y1), np.float16)
        for layer in self.layers:
            least_half(out[layer.rect.shifted(0, -y0).slices], layer.confidence)
        return out

    def _shape(self, y0: int, y1: int | None) -> tuple[int, int]:
        return (self.height if y1 is None else y1) - y0, self.width

    @property
    def people(self) -> dict[int, FloatArray]:
        """Person's number -> their own visible alpha, (height, width) float32."""
        return {layer.person: self.person(layer.person) for layer in self.layers}

    def person(self, number: int) -> FloatArray:
        """One person's alpha, (height, width) float32; zeros when they are not in this eye."""
        out = np.zeros((self.height, self.width), np.float32)
        for layer in self.layers:
            if layer.person == number:
                out[layer.rect.slices] = layer.alpha
        return out

    @property
    def bounds(self) -> Rect:
        """The smallest rectangle that holds everybody."""
        out = Rect(0, 0, 0, 0)
        for layer in self.layers:
            out = out.union(layer.rect)
        return out

    @property
    def nbytes(self) -> int:
        """Of memory."""
        return sum(layer.nbytes for layer in self.layers)


@dataclass(frozen=True, slots=True)
class Frame:
    """The mattes of one frame.

    index: 0-based position in presentation order. views: by the name of the eye. metadata: what it was made with (see
    `engine.metadata`); goes into file headers.
    """

    index: int
    views: dict[str, ViewMatte]
    metadata: dict[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.index < 0:
            raise ValueError(f"index is {self.index}; frames are counted from 0")

    @property
    def nbytes(self) -> int:
        """Of memory."""
        return sum(v.nbytes for v in self.views.values())

    def same(self, other: Frame) -> bool:
        """Whether every alpha and confidence is equal to the last bit."""
        if self.views.keys() != other.views.keys():
            return False
        for name, a in self.views.items():
            b = other.views[name]
            if len(a.layers) != len(b.layers):
                return False
            for x, y in zip(a.layers, b.layers, strict=True):
                if (x.person, x.rect) != (y.person, y.rect):
                    return False
                if not (np.array_equal(x.alpha, y.alpha) and np.array_equal(x.confidence, y.confidence)):
                    return False
        return True


def cross_fade(a: Frame, b: Frame, share: float) -> tuple[Frame, float]:
    """Two frames of the same pictures as one; ``b`` weighs ``share``, 0..1.

    Returns the mixture, with the metadata of ``a``, and the mean absolute difference of the alphas in the rectangles of people.
    """
    views = {}
    difference, count = 0.0, 0
    for name, va in a.views.items():
        vb = b.views[name]
        layers = []
        numbers = sorted({layer.person for layer in (*va.layers, *vb.layers)})
        for number in numbers:
            la = next((x for x in va.layers if x.person == number), None)
            lb = next((x for x in vb.layers if x.person == number), None)
            rect = Rect(0, 0, 0, 0)
            for layer in (la, lb):
                rect = rect.union(layer.rect) if layer is not None else rect
            alphas, confidences = zip(*(spread(layer, rect, around=1) for layer in (la, lb)), strict=True)
            difference += float(np.abs(alphas[0] - alphas[1]).sum())
            count += rect.width * rect.height
            alpha = (1 - share) * alphas[0] + share * alphas[1]
            confidence = np.minimum(confidences[0], confidences[1])
            some = la or lb
            assert some is not None
            layers.append(Layer(number, some.name, rect, half(alpha), half(confidence)))
        views[name] = ViewMatte(va.width, va.height, tuple(layers))
    return Frame(a.index, views, a.metadata), difference / max(1, count)


def place_of(matte: ViewMatte, view: str, layout: Layout) -> tuple[int, int]:
    """Where an eye's first pixel lies in a picture with all eyes: at half the scale, at half the place."""
    x, y = layout.origin(view)
    scale = matte.width / layout.eye_size[0]
    return round(x * scale), round(y * scale)


def joined(frame: Frame, views: Sequence[str], layout: Layout) -> Frame:
    """The same as one picture with all eyes, as they lie in the clip."""
    eye = frame.views[views[0]]
    scale = eye.width / layout.eye_size[0]
    layers = []
    for view in views:
        x, y = place_of(frame.views[view], view, layout)
        layers += [replace(layer, rect=layer.rect.shifted(x, y)) for layer in frame.views[view].layers]
    width, height = max(eye.width, round(layout.width * scale)), max(eye.height, round(layout.height * scale))
    return Frame(frame.index, {"main": ViewMatte(width, height, tuple(layers))}, frame.metadata)
