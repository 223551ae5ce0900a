import cv2
import numpy as np
import pytest

from vr180_ofx.people.shots import CutFinder


def scene(seed, n, size=(96, 192)):
    rng = np.random.default_rng(seed)
    base = cv2.resize(rng.random((6, 12, 3)).astype(np.float32), size[::-1], interpolation=cv2.INTER_CUBIC)
    return (np.clip(np.roll(base, n * 2, axis=1), 0, 1) * 255).astype(np.uint8)


def cuts(pictures):
    finder, found = CutFinder(24), []
    for n, p in enumerate(pictures):
        found += finder.push(n, p)
    found += finder.flush()
    assert [n for n, _ in found] == list(range(len(pictures)))
    return [n for n, cut in found if cut]


def test_a_cut_is_found_at_its_frame():
    assert cuts([scene(1, n) for n in range(20)] + [scene(2, n) for n in range(20)] + [scene(3, n) for n in range(9)]) == [20, 40]


def test_motion_is_no_cut():
    assert cuts([scene(1, n) for n in range(60)]) == []


@pytest.mark.parametrize("length", [1, 2])
def test_a_flash_is_no_cut(length):
    pictures = [scene(1, n) for n in range(40)]
    for k in range(length):
        pictures[15 + k] = np.full_like(pictures[0], 250)
    assert cuts(pictures) == []
