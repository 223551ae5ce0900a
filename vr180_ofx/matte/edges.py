"""Soft edges made as exact as the picture is.

A network's edges are soft everywhere. Where a pixel's colour lies between the colours on both sides of an edge, it tells more
exactly how much of the pixel is whose; and the numbers in a file are not the light that a lens mixed.
"""

from __future__ import annotations

from typing import Any

from vr180_ofx.arrays import BoolArray, ByteArray, FloatArray
from vr180_ofx.imaging.either import as_float, is_tensor, namespace, on_planes
from vr180_ofx.imaging.filter import gaussian_blur
from vr180_ofx.imaging.planes import interleaved, within
from vr180_ofx.imaging.resize import resize
from vr180_ofx.matte.guided_filter import guided_filter
from vr180_ofx.matte.heights import OnBodies
from vr180_ofx.matte.parameters import MATTE, EdgeParameters
from vr180_ofx.matte.scale import reference_scale
from vr180_ofx.matte.uncertainty import uncertainty


def refine_edges(alpha: FloatArray, guide: FloatArray, heights: OnBodies, parameters: EdgeParameters = MATTE.edges) -> FloatArray:
    """An alpha with its edges where the picture has them, (h, w) float32 0..1.

    alpha: (h, w) 0..1. guide: (h, w, 3) the picture there, see `media.contract.Sample`. heights: of whom it is the alpha.
    """
    out, trust, brighter = edges_by_colour(alpha, guide, reference_scale(alpha), parameters)
    hair = heights.weights(parameters.hair) * heights.proximity(parameters.hair_near, parameters.hair_far)
    out += parameters.hair_by_network * hair * (alpha - out)
    out += parameters.hair_gain * hair * out * (1 - out)
    out = linear_light_alpha(snap_to_edges(out, guide, trust, parameters), brighter)
    out -= parameters.soles_loss * heights.weights(parameters.soles) * out * (1 - out)
    return out


def edges_by_colour(
    alpha: FloatArray, guide: FloatArray, scale: float, parameters: EdgeParameters = MATTE.edges
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Edges by where colours lie between the mean colours of what is surely in front and surely behind nearby.

    alpha: (h, w) 0..1; guide: (h, w, 3) the picture there. scale: see `scale.reference_scale`. Returns (h, w) float32 each: the
    alpha, 0..1; the trust, how far colours tell both sides of an edge apart, 0..1; and how much brighter the front is, see
    `linear_light_alpha`.
    """
    xp = namespace(alpha)
    sharp: FloatArray = xp.clip((alpha - 0.5) * parameters.contrast + 0.5, 0, 1)
    near = uncertainty(sharp, parameters.uncertain, parameters.margin_px)
    some = near.any(axis=(-2, -1), keepdims=True)
    if not is_tensor(near) and not some.any():
        return sharp, xp.zeros_like(sharp), xp.zeros_like(sharp)
    sigma = parameters.reach_px * scale / 2
    front, texture_front, has_front = _side(guide, within(sharp, parameters.certain, 2), sigma, parameters.least_coverage)
    back, texture_back, has_back = _side(guide, within(sharp, -1, 1 - parameters.certain), sigma, parameters.least_coverage)
    line = [f - b for f, b in zip(front, back, strict=True)]
    distance: Any = sum(v * v for v in line)
    # where along the line from one colour to the other: a slope for each channel of the picture, and a constant
    slopes = [v / xp.maximum(distance, 1e-6) for v in line]
    products: Any = sum(s * b for s, b in zip(slopes, back, strict=True))
    constant = -products
    # of a tensor that is certain everywhere nothing counts
    both = has_front & has_back & some
    doubt = parameters.texture_doubt * (texture_front + texture_back)
    separation = as_float(distance / (distance + doubt + parameters.least_contrast) * both)
    brighter = as_float(line[0] / xp.maximum(front[0] + back[0], parameters.dark) * both)
    size = (alpha.shape[-1], alpha.shape[-2])
    # (h, w, 4), or of several pictures (n, h, w, 4)
    fine = resize(interleaved([*slopes, constant]), size, "linear")
    place = fine[..., 3] + fine[..., 0] * guide[..., 0]
    for k in (1, 2):
        place += fine[..., k] * guide[..., k]
    xp.clip(place, 0, 1, out=place)
    trust = on_planes(resize, separation, size, "linear")
    place -= sharp
    place *= trust * near
    sharp += place
    return sharp, trust, on_planes(resize, brighter, size, "linear")


def linear_light_alpha(alpha: FloatArray, brighter: FloatArray) -> FloatArray:
    """An alpha that is right for the numbers in a file, (h, w) 0..1, as one that is right for light, which is what lenses mix.

    Half of a bright thing and half of a dark one look nearly as bright as the bright one: dark things seem too thin, bright ones
    too thick. Let light be the square of a number. Then b + alpha (f - b), of f in front and b behind, is the root of
    b^2 + light (f^2 - b^2) with light = alpha - alpha (1 - alpha) brighter. brighter: (h, w) (f - b) / (f + b).
    """
    out: FloatArray = alpha - brighter * alpha * (1 - alpha)
    return out


def snap_to_edges(alpha: FloatArray, guide: FloatArray, trust: FloatArray, parameters: EdgeParameters = MATTE.edges) -> FloatArray:
    """Edges that run beside the picture's drawn to them, as far as colours are to be trusted, (h, w) float32 0..1.

    Alpha as a linear function of colour within a few pixels. alpha: (h, w) 0..1; guide: (h, w, 3) the picture there. trust:
    (h, w) 0..1, as `edges_by_colour` returns it.
    """
    share = namespace(trust).clip(trust / parameters.snap_trust, parameters.snap_least, 1) * parameters.snap_share
    out: FloatArray = alpha + share * (guided_filter(guide, alpha, parameters.snap).value(guide) - alpha)
    return out


def _side(guide: FloatArray, certain: ByteArray, sigma: float, least_coverage: float) -> tuple[list[FloatArray], FloatArray, BoolArray]:
    """What lies on one side of edges, near each pixel; at half the resolution, because it is smooth.

    certain: (h, w), 255 where a pixel lies on that side. sigma: of what is near, pixels of the half resolution. Returns the mean
    of each channel, the variance of all of them together, and whether enough is certain there.
    """
    half = (max(1, guide.shape[-2] // 2), max(1, guide.shape[-3] // 2))
    xp = namespace(guide)
    weight = as_float(certain) * (1 / 255)
    channels = [guide[..., k] * weight for k in range(3)]
    squares: Any = sum(c * guide[..., k] for k, c in enumerate(channels))
    sums = gaussian_blur(resize(interleaved([*channels, squares]), half, "area"), sigma)
    coverage = on_planes(gaussian_blur, on_planes(resize, weight, half, "area"), sigma)
    share = 1 / xp.maximum(coverage, 1e-4)
    means = [sums[..., k] * share for k in range(3)]
    texture = xp.maximum(sums[..., 3] * share - sum(m * m for m in means), 0)
    return means, texture, coverage > least_coverage
