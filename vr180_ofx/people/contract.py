"""What people are found with: detectors and segmenters. Adding one is one module, one line in `engine.models`, one test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from vr180_ofx.arrays import FloatArray
from vr180_ofx.vr180.body import Body
from vr180_ofx.vr180.window import Window


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may be there, as one window saw them. score: 0..1."""

    body: Body
    score: float


class Detector(Protocol):
    """Finds people in the picture of one window.

    size: the side of the square pictures it takes, in pixels.
    """

    @property
    def size(self) -> int: ...

    def find(self, image: FloatArray, window: Window, threshold: float) -> list[Candidate]:
        """image: (size, size, 3) sRGB 0..1. Returns people with a score of at least ``threshold``."""
        ...


class Segmentation(Protocol):
    """What a segmenter says of one square picture.

    logits: (size, size), above 0 inside the person. presence: 0..1, how sure it is that somebody is there.
    hips, top: (2,) pixels of the square: the middle of the hips, and the point above them on the circle around the body.
    """

    @property
    def logits(self) -> FloatArray: ...

    @property
    def presence(self) -> float: ...

    @property
    def hips(self) -> FloatArray: ...

    @property
    def top(self) -> FloatArray: ...


class Segmenter(Protocol):
    """Says what one person covers in a square that shows them upright, and where they are in it.

    size: the side of the square, in pixels. Called from several threads at once.
    """

    @property
    def size(self) -> int: ...

    def segment(self, image: FloatArray) -> Segmentation:
        """image: (size, size, 3) sRGB 0..1."""
        ...


class SemanticSegmenter(Protocol):
    """Says of each pixel of a square whether it shows somebody, whoever that is: a second opinion on what a segmenter says of one person.

    size: the side of the square, in pixels. Called from several threads at once.
    """

    @property
    def size(self) -> int: ...

    def people(self, image: FloatArray) -> FloatArray:
        """image: (size, size, 3) sRGB 0..1. Returns (size, size), how likely each pixel shows somebody, 0..1."""
        ...
