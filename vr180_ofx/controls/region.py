"""What belongs to points at the frame where they were set: where a matte grows, and where it shrinks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vr180_ofx.arrays import BoolArray, ByteArray, FloatArray
from vr180_ofx.imaging.filter import gaussian_blur
from vr180_ofx.imaging.flood import flooded
from vr180_ofx.imaging.morphology import dilate, disc
from vr180_ofx.imaging.parts import connected_parts
from vr180_ofx.imaging.planes import luma_of_rgb
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.imaging.resize import resize
from vr180_ofx.matte.contract import Refined
from vr180_ofx.matte.guided import GuidedRefiner
from vr180_ofx.media.contract import EyeImage


@dataclass(frozen=True, slots=True)
class RegionParameters:
    """How far points reach, and what of the matte is believed beside them.

    reach: of the body's reach (hips to the circle around it): so far from a point a matte may change. A forearm with its hand, or a head,
    is about half of it long (0.45 m of 0.95 m, `body.ADULT_REACH_M`), and no part that is missing as a whole is longer.
    shares: of that, one after the other: the first one at which the region ends at edges is taken.
    side: pixels of the longer side of the picture in which regions are found, that of the windows of matting networks.
    sure: alphas this near to 0 and 1 are the matte's word where no point contradicts it: beyond, it is soft and says nothing.
    dot: of the reach of a point: so much around it is surely what it says; a hand cannot aim better.
    edge: a region ends at edges, where colour changes at least so many times as much as inside of it; where it does not, nothing says how
    far it goes. grain: a change of colour, of 255, that is noise.
    bounded: percent of its border that need not be an edge: parts of a body touch others of their colour.
    rim: pixels of that picture around a region in which its edge is looked for at the plate's resolution.
    """

    reach: float = 0.5
    shares: tuple[float, ...] = (0.125, 0.25, 0.5, 1.0)
    side: int = 384
    sure: float = 0.05
    dot: float = 0.02
    edge: float = 2.0
    bounded: float = 25.0
    grain: float = 2.0
    rim: int = 2


REGION = RegionParameters()
#: Numbers of seeds.
_IS, _NOT = 1, 2


@dataclass(frozen=True, slots=True)
class Region:
    """What points change. rect: of the eye. grow: alpha is at least this there, shrink: at most one minus this; (rect.height, rect.width)
    0..1. small: what of it changes, in the smaller picture in which it was found. said: what could not be decided, in words. painted:
    whether somebody painted it: then soft values are as sure as others.
    """

    rect: Rect
    grow: FloatArray
    shrink: FloatArray
    small: BoolArray
    said: tuple[str, ...] = ()
    painted: bool = False

    @property
    def empty(self) -> bool:
        return not self.small.any()


def small_size(rect: Rect, p: RegionParameters = REGION) -> tuple[int, int]:
    """(width, height) of the picture in which the region of a rectangle is found and followed."""
    scale = min(1.0, p.side / max(rect.width, rect.height))
    return max(8, round(rect.width * scale)), max(8, round(rect.height * scale))


def rect_of(points: Sequence[tuple[float, float]], reach_px: float, width: int, height: int, p: RegionParameters = REGION) -> Rect:
    """What is looked at: the points' reach, and half as much around for what they are held against. reach_px: of the body."""
    return Rect.around(np.array(points, float), math.ceil(1.5 * p.reach * reach_px)).clipped(width, height)


def region_of(
    eye: EyeImage, alpha: FloatArray, rect: Rect, plus: Sequence[tuple[float, float]], minus: Sequence[tuple[float, float]], *,
    reach_px: float, p: RegionParameters = REGION,
) -> Region:  # fmt: skip
    """What belongs to ``plus``, and to ``minus``, points in the eye's pixels.

    The picture is flooded from the points, from what the matte is sure of, and over small steps of colour first: around a plus point what
    the matte leaves out is nobody's yet, around a minus point what it has.

    alpha: the matte in ``rect``, see `rect_of`. reach_px: of the body.
    """
    size = small_size(rect, p)
    plate = eye.region(rect)
    picture = resize(plate, size, "area") if size != (rect.width, rect.height) else plate
    colours = np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8)
    before = resize(alpha, size, "area") if size != (rect.width, rect.height) else alpha
    scale = size[0] / rect.width
    reach, dot = p.reach * reach_px * scale, max(1.5, p.reach * p.dot * reach_px * scale)
    near_plus, near_minus = (_distance(points, rect, scale, size) for points in (plus, minus))
    steps = _steps(colours)
    said: list[str] = []
    grown, shrunk = np.zeros(before.shape, bool), np.zeros(before.shape, bool)
    for sign, points, out in (("+", plus, grown), ("-", minus, shrunk)):
        for point in points:
            away = _distance([point], rect, scale, size)
            # as near as the picture's edges allow: what a point says holds no further than it must
            for share in p.shares:
                seeds = np.zeros(before.shape, np.int32)
                seeds[(before < p.sure) & ((away > share * reach) | (sign == "-"))] = _NOT
                seeds[(before > 1 - p.sure) & ((away > share * reach) | (sign == "+"))] = _IS
                seeds[near_minus <= dot] = _NOT
                seeds[(near_plus <= dot) & (near_plus <= near_minus)] = _IS
                own = flooded(colours, seeds) == (_IS if sign == "+" else _NOT)
                part = _part(own, point, rect, scale) & (away <= share * reach) & ((before < 0.5) if sign == "+" else (before > 0.5))
                if not part.any():
                    said.append(f"at {sign}{point[0]:.0f},{point[1]:.0f} the matte says so already")
                    break
                if _has_edge(part, own, steps, p):
                    out |= part
                    break
            else:
                said.append(f"no edge around {sign}{point[0]:.0f},{point[1]:.0f}: what belongs to it cannot be told; more points help")
    target = np.where(grown, np.float32(1), np.where(shrunk, np.float32(0), before))
    fine = _fine(plate, picture, target, rect, p) if (grown | shrunk).any() else np.zeros(alpha.shape, np.float32)
    zones = [zone_of(part, rect, p) for part in (grown, shrunk)]
    return Region(rect, zones[0] * fine, zones[1] * (1 - fine) * (zones[1] > 0), grown | shrunk, tuple(said))


def _distance(points: Sequence[tuple[float, float]], rect: Rect, scale: float, size: tuple[int, int]) -> FloatArray:
    """How far each pixel is from the nearest point, (h, w)."""
    xs, ys = np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5)
    out = np.full(xs.shape, np.inf)
    for x, y in points:
        out = np.minimum(out, np.hypot(xs - (x - rect.x0) * scale, ys - (y - rect.y0) * scale))
    return out


def _part(mask: BoolArray, point: tuple[float, float], rect: Rect, scale: float) -> BoolArray:
    """The connected part of a mask that a point is in."""
    x, y = (int(min(max((v - first) * scale, 0), n - 1)) for v, first, n in zip(point, (rect.x0, rect.y0), mask.shape[::-1], strict=True))
    parts = connected_parts(mask)
    number = parts.labels[y, x]
    inside: BoolArray = parts.labels == number if number >= 0 else np.zeros(mask.shape, bool)
    return inside


def _steps(colours: ByteArray) -> FloatArray:
    """How much the colour changes at each pixel, of 255: the largest difference within a cross, of any channel."""
    cross = disc(1)
    steps: FloatArray = (dilate(colours, cross).astype(np.float32) + dilate(255 - colours, cross) - 255).max(axis=-1)
    return steps


def _has_edge(part: BoolArray, own: BoolArray, steps: FloatArray, p: RegionParameters) -> bool:
    """Whether a part ends at edges of the picture, where it does not end at what is its own anyway."""
    around = dilate(part, disc(1)) & ~part & ~own
    if not around.any():
        return True
    inside = float(np.median(steps[part]))
    return float(np.percentile(steps[dilate(around, disc(1))], p.bounded)) >= p.edge * max(inside, p.grain)


def zone_of(part: BoolArray, rect: Rect, p: RegionParameters) -> FloatArray:
    """Where alpha may change for a part of the small picture, at the plate's resolution, fading out around it."""
    if not part.any():
        return np.zeros((rect.height, rect.width), np.float32)
    wide = gaussian_blur(dilate(part, disc(p.rim)).astype(np.float32), p.rim / 2)
    return np.clip(resize(wide, (rect.width, rect.height), "linear"), 0, 1)


def _fine(plate: FloatArray, picture: FloatArray, target: FloatArray, rect: Rect, p: RegionParameters) -> FloatArray:
    """The corrected matte with the plate's edges: the guided filter's coefficients, found in the small picture."""
    refined = GuidedRefiner().refine(_guide(picture), target)
    coefficients = resize(refined.coefficients, (rect.width, rect.height), "linear")
    return Refined(coefficients, refined.gain).value(_guide(plate))


def _guide(rgb: FloatArray) -> FloatArray:
    """Luma and colour differences of sRGB, (h, w, 3), as `media.contract.Sample` has them (BT.709)."""
    luma = luma_of_rgb(rgb)
    return np.stack([luma, (rgb[..., 2] - luma) / np.float32(1.8556), (rgb[..., 0] - luma) / np.float32(1.5748)], axis=-1).astype(
        np.float32
    )
