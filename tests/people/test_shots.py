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
        found += finder.push(n, p if isinstance(p, tuple) else (p,))
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


@pytest.mark.parametrize("eye", [0, 1])
def test_what_happens_to_one_eye_is_no_cut(eye):
    """A lens is covered for a while, or a sensor drops out; the shot goes on in the other eye."""
    pictures = [[scene(1, n), scene(1, n + 1)] for n in range(40)]
    for pair in pictures[12:24]:
        pair[eye] = pair[eye] // 16
    assert cuts([tuple(pair) for pair in pictures]) == []
    after = [(scene(2, n), scene(2, n + 1)) for n in range(20)]
    assert cuts([tuple(pair) for pair in pictures] + after) == [40]
