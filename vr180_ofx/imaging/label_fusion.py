"""Labels of a picture from those of another one that looks nearly the same: patch-based label fusion."""

from __future__ import annotations

import cv2
import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.morphology import square
from vr180_ofx.imaging.parts import bounds

#: What comes into sight on the other side of what stands in front looks like what is so many times as far away; looked at so sparsely.
_FAR = 3
#: Weight of what has no label at all: that of a patch that differs by two and a half times what makes two things differ.
_NOBODY = 0.0019


def perceptual(rgb: FloatArray) -> FloatArray:
    """Colours as CIE L*a*b* (D65), in which equal distances look about equally far apart. rgb: (h, w, 3) sRGB 0..1, float32."""
    out: FloatArray = cv2.cvtColor(np.ascontiguousarray(rgb, np.float32), cv2.COLOR_RGB2Lab)
    return out


def fused_labels(
    now: FloatArray, before: FloatArray, labels: FloatArray, places: FloatArray, *, patches: tuple[int, ...], radius: int, differs: float
) -> FloatArray:  # fmt: skip
    """What the pixels of ``now`` are, by what looks like them in ``before``: (h, w, n) float32.

    Each pixel looks at all places up to ``radius`` pixels from where it is expected; each of them counts by how alike the patches around
    both are, and by how near it is (Coupé et al. 2011, "Patch-based segmentation using expert priors", eq. 3, with the search window
    moved along the optical flow). So what comes into sight takes the label of what it looks like, and flat areas that flow cannot follow
    keep theirs.

    now: (h, w, 3), before: (k, l, 3), as `perceptual` gives them. labels: (k, l, n) float32, 0..1, of ``before``. places: (h, w, 2)
    float32, pixel indices of ``before`` where ``now`` is expected to come from. patches: for each of the n labels the side of the patches
    that are compared for it, odd, pixels. differs: a difference of colours that makes two things differ.
    """
    around = _FAR * radius
    out: FloatArray = np.zeros((*now.shape[:2], len(patches)), np.float32)
    # only where a label lies within the search window can one be had; patches reach a little further
    there = cv2.dilate((labels.max(axis=-1) > 0).astype(np.uint8), square(around + 1))
    part = bounds(cv2.remap(there, places[..., 0], places[..., 1], cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE) > 0)
    if part.empty:
        return out
    part = part.grown(max(patches) // 2).clipped(now.shape[1], now.shape[0])
    now, places = np.ascontiguousarray(now[part.slices]), places[part.slices]
    # for each label a plane of its own: what lies together in memory is added up in half the time
    total, weight = (np.zeros((len(patches), *now.shape[:2]), np.float32) for _ in range(2))
    # a Gaussian of which the radius is one and a half deviations: what lies at the rim counts a third of what lies in the middle
    spread = 2 * (radius / 1.5) ** 2
    near = range(-radius, radius + 1)
    far = range(-around, around + 1, _FAR)
    offsets = {(dx, dy): None for steps in (near, far) for dy in steps for dx in steps}
    before, planes = np.ascontiguousarray(before, np.float32), [np.ascontiguousarray(plane) for plane in np.moveaxis(labels, -1, 0)]
    for dx, dy in offsets:
        x, y = places[..., 0] + dx, places[..., 1] + dy
        off = cv2.remap(before, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
        off -= now
        own = [cv2.remap(plane, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE) for plane in planes]
        squared = np.einsum("ijk,ijk->ij", off, off)
        for k, side in enumerate(patches):
            share = cv2.boxFilter(squared, -1, (side, side), borderType=cv2.BORDER_REFLECT_101)
            share *= np.float32(-1 / differs**2)
            share -= np.float32((dx * dx + dy * dy) / spread)
            np.exp(share, out=share)
            weight[k] += share
            share *= own[k]
            total[k] += share
    # what looks like nothing that was there before is nobody's: it came into sight, and may be anything
    out[part.slices] = np.moveaxis(total / (weight + np.float32(_NOBODY)), 0, -1)
    return out
