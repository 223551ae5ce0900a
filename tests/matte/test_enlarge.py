"""Mattes at more than the resolution that they were made at."""

import cv2
import numpy as np
import pytest

from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.enlarge import enlarged
from vr180_ofx.matte.patch import Patch
from vr180_ofx.media.picture import RgbEye

SIZE, FACTOR = 256, 4


@pytest.fixture(scope="module")
def scene():
    """(small picture, large picture, alpha of the large one): a bright disc with a strand finer than the small picture holds."""
    alpha = np.zeros((SIZE, SIZE), np.float32)
    cv2.circle(alpha, (SIZE // 2, SIZE // 2), SIZE // 4, 1, -1, cv2.LINE_AA)
    cv2.line(alpha, (SIZE // 2, SIZE // 2), (SIZE // 2 + 100, SIZE // 2 + 30), 1, 2, cv2.LINE_AA)
    large = RgbEye(np.repeat((0.2 + 0.5 * alpha)[..., None], 3, axis=-1), (0, 0), SIZE, SIZE)
    return large.reduced(FACTOR), large, alpha


def error(scene, made):
    out = np.zeros((SIZE, SIZE), np.float32)
    out[made.rect.slices] = made.alpha
    return float(np.abs(out - scene[2]).mean())


@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_edges_follow_the_large_picture_when_that_is_asked_for(scene, kind):
    small, large, alpha = scene
    whole = cv2.resize(alpha, (SIZE // FACTOR, SIZE // FACTOR), interpolation=cv2.INTER_AREA)
    rect = Rect(14, 14, 58, 50)
    patch = Patch(rect, whole[rect.slices].astype(kind), np.full((rect.height, rect.width), 0.5, kind))
    (aware,), (cubic,) = (enlarged([patch], small, large, FACTOR, edge_aware=aware) for aware in (True, False))
    assert error(scene, aware) < 0.25 * error(scene, cubic)
    # two small pixels around it have a say, and beyond the patch nobody was looked for
    assert aware.rect == Rect(48, 48, 240, 208) and aware.alpha.shape == aware.confidence.shape == (160, 192)
    assert np.allclose(aware.confidence[20:-20, 20:-20], 0.5) and np.allclose(aware.confidence[:4, :4], 1)
    assert np.array_equal(aware.confidence, cubic.confidence)


def test_people_who_overlap_add_up_to_no_more_than_one(scene):
    small, large, _ = scene
    rects = Rect(10, 10, 40, 40), Rect(30, 20, 60, 50)
    patches = [Patch(r, np.full((r.height, r.width), 0.7, np.float32), np.ones((r.height, r.width), np.float32)) for r in rects]
    total = np.zeros((SIZE, SIZE), np.float32)
    for made in enlarged(patches, small, large, FACTOR, edge_aware=False):
        total[made.rect.slices] += made.alpha
    assert total.max() <= 1 + 1e-6 and total[100:140, 130:150].min() > 0.999 and abs(total[60, 60] - 0.7) < 1e-3
