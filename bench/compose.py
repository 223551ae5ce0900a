"""From the renderer's films to light and truth of one eye in one frame."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.camera.projection import Eye
from bench.render.films import Film

Floats = NDArray[np.float32]


@dataclass
class Layers:
    """One eye, whole picture. people: coverage (n, h, w). held: (h, w). cover: of all that was rendered anew, people and other movers.
    light: their colour times coverage (h, w, 3). background: its light (h, w, 3), with shadows and reflections of what moves."""

    people: Floats
    held: Floats
    cover: Floats
    light: Floats
    background: Floats


@dataclass
class Geometry:
    """What a ray through a pixel's centre meets, without blur. index (h, w): person 1.., 0 nobody.
    point, after (h, w, 3): metres, now and a frame later. far (h, w): metres along the ray to the first thing, 0 for none."""

    index: NDArray[np.int32]
    point: Floats
    after: Floats
    far: Floats


def from_blender(points: Floats) -> Floats:
    """Blender's axes (z up) as ours (y up)."""
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1)


def foreground(light: Floats, alpha: Floats, cover: Floats) -> Floats:
    """Colour of what covers (h, w, 3): light over its own alpha, spread to where few samples missed it.

    The colour pass has fewer samples than the coverage pass, so thin hair may be in one and not in the other: pixels of small
    alpha take the mean of the colours nearby, weighted by alpha.
    """
    weight = alpha * alpha
    straight = np.where(alpha[..., None] > 1e-3, light / np.maximum(alpha, 1e-3)[..., None], 0)
    out = np.zeros_like(light)
    known = np.zeros_like(alpha)
    for sigma in (0.7, 1.5, 4.0, 16.0):
        total = cv2.GaussianBlur(weight, (0, 0), sigma)
        mean = cv2.GaussianBlur(straight * weight[..., None], (0, 0), sigma) / np.maximum(total, 1e-6)[..., None]
        share = (1 - known) * np.clip(total / 0.05, 0, 1)
        out += mean * share[..., None]
        known += share
    own = np.clip((alpha - 0.5) * 4, 0, 1)[..., None]
    colour = straight * own + out * (1 - own)
    return np.asarray(np.where(cover[..., None] > 0, np.maximum(colour, 0), 0), np.float32)


def shaded(plate: Floats, lit: Floats, unlit: Floats, region: tuple[int, int, int, int], *, fade: int = 0) -> Floats:
    """The background with the shadows and reflections of what moves.

    lit, unlit: the region of a smaller picture, rendered with the same random numbers with and without the movers (who are hidden from
    the camera in both): where they change nothing, both are equal to the bit. Less light is a factor, more light is added.
    region: x0, y0, x1, y1, pixels of the plate. fade: pixels over which the change dies away at those of its sides that are not the
    picture's: a room is a little darker everywhere when somebody is in it, and no side may be seen.
    """
    x0, y0, x1, y1 = region
    height, width = plate.shape[:2]
    factor = np.clip(lit / np.maximum(unlit, 1e-4), 0, 1)
    more = np.maximum(lit - unlit, 0)
    scale = (x1 - x0) / lit.shape[1]
    assert abs(scale - round(scale)) < 1e-6, "regions have whole pixels"
    target = (x1 - x0, y1 - y0)
    out = plate.copy()
    view = out[y0:y1, x0:x1]
    share = np.ones((y1 - y0, x1 - x0, 1), np.float32)
    if fade:
        rows = _ramp(y0, y1, height, fade)
        share = (rows[:, None] * _ramp(x0, x1, width, fade)[None])[..., None]
    view *= 1 - share * (1 - cv2.resize(factor, target, interpolation=cv2.INTER_LINEAR))
    view += share * cv2.resize(more, target, interpolation=cv2.INTER_LINEAR)
    assert out.shape == (height, width, 3)
    return out


def _ramp(low: int, high: int, size: int, fade: int) -> Floats:
    """0 to 1 to 0 along one side of a region, smoothly; 1 up to the picture's own rim."""
    place = np.arange(low, high) + 0.5
    first = np.clip((place - low) / fade, 0, 1) if low > 0 else np.ones_like(place)
    last = np.clip((high - place) / fade, 0, 1) if high < size else np.ones_like(place)
    both = first * last
    return np.asarray(both * both * (3 - 2 * both), np.float32)


def turned(picture: Floats, base: Eye, now: Eye) -> Floats:
    """A picture of one pose as the eye sees it from another that is turned (places farther than the turn's shift)."""
    if np.allclose(base.pose[:3, :3], now.pose[:3, :3]):
        return picture
    places, _ = base.places(now.rays() + base.pose[:3, 3])
    x, y = (places[..., k].astype(np.float32) - 0.5 for k in (0, 1))
    return np.asarray(cv2.remap(picture, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE).clip(0), np.float32)


def read_geometry(film: Film, eye: Eye, region: tuple[int, int, int, int], into: Geometry) -> None:
    """Puts one region's film into an eye's geometry."""
    x0, y0, x1, y1 = region
    index = np.rint(film.get("IndexOB.X")[..., 0]).astype(np.int32)
    point = from_blender(film.get("Position.X", "Position.Y", "Position.Z"))
    after = from_blender(film.get("after.R", "after.G", "after.B"))
    far = film.get("Depth.Z")[..., 0]
    into.index[y0:y1, x0:x1] = index
    into.point[y0:y1, x0:x1] = point
    into.after[y0:y1, x0:x1] = after
    into.far[y0:y1, x0:x1] = np.where(far > 1e5, 0, far)


def displacement(geometry: Geometry, into: Eye, points: Floats, other: Geometry | None) -> tuple[Floats, NDArray[np.uint8]]:
    """Where each person's pixel is in another eye or frame, less where it is now, (h, w, 2) pixels; and marks:
    0 nobody, 1 half-occluded, 2 seen.

    other: that eye's geometry, which says what hides there; without it a point is taken as seen where it falls into the picture.
    A point is seen if what is met there is no nearer than 2 % and 1 cm before it: half a pixel of a surface seen at a slant.
    """
    there, far = into.places(points.astype(np.float64))
    height, width = geometry.index.shape
    rows, columns = np.mgrid[0:height, 0:width] + 0.5
    shift = there - np.stack([columns, rows], axis=-1)
    person = geometry.index > 0
    x, y = np.floor(there[..., 0]).astype(int), np.floor(there[..., 1]).astype(int)
    inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    seen = person & inside
    if other is not None:
        met = other.far[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)]
        seen &= (met == 0) | (met > far * 0.98 - 0.01)
    marks = np.where(person, np.where(seen, 2, 1), 0).astype(np.uint8)
    return np.where(person[..., None], shift, 0).astype(np.float32), marks
