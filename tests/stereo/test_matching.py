"""Two pictures with the same rows, matched: shifts that are known, and pictures with nothing to match."""

import cv2
import numpy as np
import pytest

from vr180_ofx.stereo.matching import match, surface

HEIGHT, WIDTH = 160, 140


def person():
    """(h, w) 0..1."""
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.ellipse(mask, (70, 80), (35, 60), 0, 0, 360, 1, -1, cv2.LINE_AA)
    return mask


def seen(shift):
    """The left and the right picture, and their masks: what the right one has in column i lies in column i + shift of the left one."""
    noise = np.random.default_rng(3).random((HEIGHT, WIDTH)).astype(np.float32)
    right = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 1, cv2.NORM_MINMAX)
    xs, ys = np.meshgrid(np.arange(WIDTH, dtype=np.float32), np.arange(HEIGHT, dtype=np.float32))
    left, there = (cv2.remap(v, xs - np.float32(shift), ys, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT) for v in (right, person()))
    return left, right, np.clip(there, 0, 1), person()


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("shift", [-12.0, 0.0, 3.4, 17.25])
def test_a_shift_is_found_within_an_eighth_of_a_pixel(shift, exact):
    left, right, in_left, in_right = seen(shift)
    found, sure = match(left, right, in_left, in_right, exact=exact)
    assert sure[in_right > 0.8].mean() > 0.7 and not sure[in_right < 0.5].any()
    assert abs(np.median(found[sure]) - shift) < 0.125
    smooth = surface(found, sure, in_right)
    assert np.abs(smooth - shift)[in_right > 0.8].max() < (0.2 if exact else 0.4)


def test_a_surface_follows_what_departs_from_the_plane_and_goes_on_where_nothing_is_known():
    mask = person()
    ys, xs = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    truth = 5 + 0.05 * xs - 0.02 * ys + 2 * np.exp(-((xs - 70) ** 2 + (ys - 60) ** 2) / 400)
    noise = np.random.default_rng(0)
    sure = (mask > 0.8) & (noise.random(mask.shape) < 0.6) & ~((ys > 90) & (ys < 110))
    wrong = noise.random(mask.shape) < 0.03
    given = np.where(sure & ~wrong, truth, noise.uniform(-20, 20, mask.shape)).astype(np.float32)
    made = surface(given, sure & ~wrong, mask)
    assert np.abs(made - truth)[(mask > 0.8) & (ys < 85)].mean() < 0.15
    # in the gap that nobody measured, by what is around it
    assert np.abs(made - truth)[(mask > 0.8) & (ys > 90) & (ys < 110)].max() < 0.6


def test_without_texture_there_is_a_surface_without_holes():
    flat, mask = np.full((80, 60), 0.5, np.float32), np.zeros((80, 60), np.float32)
    mask[20:60, 15:45] = 1
    there = np.roll(mask, 3, axis=1)
    shift, sure = match(flat, flat, mask, there)
    assert np.isfinite(surface(shift, sure, there)).all()
    # nothing is believed, and nobody is there: level, at nothing
    assert not surface(shift, np.zeros_like(sure), np.zeros_like(mask)).any()
