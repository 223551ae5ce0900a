"""A world whose people are painted: one colour each, so that a detector and a segmenter can be written down in a few lines.

Everything about it is known: who is where, in both eyes, who stands before whom. So what is made of observations can be held against
the truth, without a network.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vr180_ofx.media.picture import RgbEye
from vr180_ofx.people.contract import Candidate
from vr180_ofx.vr180.body import Body, body_from_directions
from vr180_ofx.vr180.projection import Equirectangular

SIDE = 256
EYE = Equirectangular(SIDE, SIDE)
VIEWS = ("left", "right")
#: The least share of a picture that a detector or segmenter takes for somebody.
LEAST = 0.008


@dataclass(frozen=True)
class Painted:
    """An upright ellipse on the sphere, radians. colour: 0..4. disparity: how much further left the right eye sees it.

    Whoever comes later in a list stands before those who come earlier.
    """

    colour: int
    longitude: float
    latitude: float = -0.1
    height: float = 0.35
    width: float = 0.12
    disparity: float = 0.03

    def body(self, view="left"):
        return Body(self.at(view), self.latitude, self.height * 1.05)

    def at(self, view):
        return self.longitude - (self.disparity if view == "right" else 0.0)

    def moved(self, longitude):
        return Painted(self.colour, self.longitude + longitude, self.latitude, self.height, self.width, self.disparity)


def eye(people, view="left"):
    """The picture of one eye."""
    xs, ys = np.meshgrid(np.arange(SIDE) + 0.5, np.arange(SIDE) + 0.5)
    longitude, latitude = (xs / SIDE - 0.5) * np.pi, (0.5 - ys / SIDE) * np.pi
    picture = np.stack([0.3 + 0.1 * np.sin(9 * longitude), 0.5 + 0.2 * np.sin(7 * latitude + 5 * longitude), np.full_like(xs, 0.6)], -1)
    for p in people:
        across, up = longitude - p.at(view), latitude - p.latitude
        inside = (across / p.width) ** 2 + (up / p.height) ** 2 < 1
        stripes = 0.1 + 0.08 * np.sin(60 * across) * np.sin(50 * up)
        picture[inside] = np.stack([np.full_like(xs, 1.0), np.full_like(xs, 0.2 * p.colour), stripes], -1)[inside]
    return RgbEye(np.round(picture * 255).astype(np.uint8), (0, 0), SIDE, SIDE)


def eyes(people, views=VIEWS):
    return {view: eye(people, view) for view in views}


def colours(image):
    """The colour of each pixel, -1 where there is nobody."""
    code = np.round(image[..., 1] / 0.2)
    somebody = (image[..., 0] > 0.9) & (image[..., 2] < 0.3) & (np.abs(image[..., 1] - 0.2 * code) < 0.04)
    return np.where(somebody, code, -1).astype(int)


def landmarks(mask):
    """Hips in the middle of a mask's rows and columns, the top a little above its highest row."""
    ys, xs = np.nonzero(mask)
    half = (ys.max() + 1 - ys.min()) / 2
    hips = np.array([(xs.min() + xs.max() + 1) / 2, (ys.min() + ys.max() + 1) / 2])
    return hips, hips - (0, half * 1.05)


@dataclass(frozen=True)
class Seen:
    logits: np.ndarray
    presence: float
    hips: np.ndarray
    top: np.ndarray


class Segmenter:
    """Sees whoever has most of the middle third of the square."""

    size = 96

    def segment(self, image):
        found = colours(image)
        third = self.size // 3
        middle = found[third:-third, third:-third]
        counts = np.bincount(middle[middle >= 0], minlength=1)
        mask = found == counts.argmax() if counts.any() else np.zeros(found.shape, bool)
        if mask.mean() < LEAST:
            return Seen(np.full(mask.shape, -9.0, np.float32), 0.0, np.zeros(2), np.zeros(2))
        return Seen(np.where(mask, 9.0, -9.0).astype(np.float32), 0.95, *landmarks(mask))


class Opinion:
    """Sees everybody but those of some colours, in another picture of another size than the segmenter."""

    size = 64

    def __init__(self, blind=()):
        self.blind = blind

    def people(self, image):
        found = colours(image)
        return (np.isin(found, [c for c in range(5) if c not in self.blind])).astype(np.float32)


class Detector:
    """Finds everybody whose colour a window shows and who does not reach its border. blind: colours that it does not see."""

    size = 96

    def __init__(self, score=0.9, blind=()):
        self.score, self.blind = score, blind

    def find(self, image, window, threshold):
        found = colours(image)
        border = np.concatenate([found[0], found[-1], found[:, 0], found[:, -1]])
        out = []
        for colour in range(5):
            mask = found == colour
            if colour in self.blind or mask.mean() < LEAST or (border == colour).any() or self.score < threshold:
                continue
            hips, top = window.directions(np.stack(landmarks(mask)))
            out.append(Candidate(body_from_directions(hips, top), self.score))
        return out
