"""What a matting network sees of people."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr180_ofx.matte.parameters import CROPS
from vr180_ofx.matte.rvm.contract import STEP
from vr180_ofx.matte.rvm.crops import choose_crops
from vr180_ofx.media.contract import Sample
from vr180_ofx.trackers.contract import Crop, Mask, WindowImage
from vr180_ofx.vr180.window import Window

SIDE, SIZE = 96, 64
WINDOW = Window((0, 0, 1), 80, 0, SIDE)
LEFT = "left"


def shown(*boxes, windows=None, view=LEFT):
    """(windows, masks) of people 1, 2, ... whose masks fill boxes (x0, y0, x1, y1) of their windows."""
    sample = Sample(np.zeros((SIDE, SIDE, 3), np.float32), np.zeros((SIDE, SIDE, 3), np.float32))
    images, masks = {}, {}
    for person, (x0, y0, x1, y1) in enumerate(boxes, start=1):
        logits = np.full((SIDE, SIDE), -6, np.float32)
        logits[y0:y1, x0:x1] = 6
        images[person, view] = WindowImage(sample, windows[person - 1] if windows else WINDOW)
        masks[person, view] = Mask(logits, 1.0)
    return images, masks


def chosen(*boxes, before=None, parameters=CROPS, **more):
    windows, masks = shown(*boxes, **more)
    return choose_crops(windows, masks, before or {}, SIZE, parameters)


def test_a_crop_has_the_shape_of_who_is_in_it_and_the_networks_pixels():
    crop = chosen((40, 30, 56, 70))[1, LEFT]
    assert crop.members == (1,) and crop.width < crop.height and crop.width * crop.height == pytest.approx(SIZE**2, rel=0.3)
    lying = chosen((20, 40, 80, 56))[1, LEFT]
    assert lying.width > lying.height


@given(
    st.tuples(st.integers(0, 80), st.integers(0, 80), st.integers(4, 96), st.integers(4, 96)),
    st.sampled_from([64, 128, 384]),
)
def test_everybody_fits_into_whole_steps_of_the_network(numbers, size):
    x0, y0, width, height = numbers
    box = (x0, y0, min(SIDE, x0 + width), min(SIDE, y0 + height))
    windows, masks = shown(box)
    (crop,) = choose_crops(windows, masks, {}, size).values()
    assert crop.width % STEP == crop.height % STEP == 0 and min(crop.width, crop.height) >= 4 * STEP
    left, top, right, bottom = crop.box
    assert left <= box[0] and top <= box[1] and right >= box[2] and bottom >= box[3]


def test_it_stays_until_somebody_leaves_it_or_it_is_much_too_large():
    first = chosen((40, 30, 56, 70))
    assert chosen((42, 31, 58, 71), before=first) == first
    # the arms go out, and come back
    wide = chosen((10, 30, 90, 70), before=first)
    assert wide != first and wide[1, LEFT].width > wide[1, LEFT].height
    assert chosen((40, 30, 56, 70), before=wide) == first
    # somebody else's crop is not theirs
    assert chosen((42, 31, 58, 71), before={(1, LEFT): replace(first[1, LEFT], members=(1, 2))}) != first


def test_who_is_close_by_is_seen_together_and_who_is_far_is_not():
    assert {c.members for c in chosen((40, 30, 56, 70), (50, 30, 66, 70)).values()} == {(1, 2)}
    assert sorted(c.members for c in chosen((10, 30, 18, 50), (80, 30, 88, 50)).values()) == [(1,), (2,)]
    # the larger one's window is looked through
    assert list(chosen((50, 30, 58, 50), (40, 30, 56, 70))) == [(2, LEFT)]


def test_who_was_seen_together_stays_together_for_longer():
    near = (40, 30, 56, 70), (58, 30, 74, 70)
    apart = (20, 30, 36, 70), (65, 30, 81, 70)
    together = chosen(*near)
    assert [c.members for c in together.values()] == [(1, 2)]
    assert len(chosen(*apart)) == 2 and len(chosen(*apart, before=together)) == 1
    # as far as the parameters say
    assert len(chosen(*apart, before=together, parameters=replace(CROPS, still_together=1.0))) == 2


def test_who_has_no_mask_is_in_no_crop():
    assert {m for c in chosen((10, 30, 18, 50), (0, 0, 0, 0), (40, 40, 42, 60)).values() for m in c.members} == {1}


def test_eyes_and_windows_that_look_elsewhere_are_apart():
    box = (40, 30, 56, 70)
    images, masks = shown(box, view="left")
    others = shown(box, view="right")
    crops = choose_crops(images | others[0], masks | others[1], {}, SIZE)
    assert crops.keys() == {(1, "left"), (1, "right")}
    # in the pixels of the first one's window the second one stands elsewhere, or behind the camera
    turned = [WINDOW, Window((1.0, 0, 0.2), 80, 0, SIDE)]
    assert len(chosen(box, box, windows=turned)) == 2
    assert len(chosen(box, box, windows=[WINDOW, Window((0, 0, -1), 80, 0, SIDE)])) == 2
    assert len(chosen(box, box, windows=[WINDOW, WINDOW])) == 1


def test_a_crop_is_written_and_read_again():
    crop = chosen((40, 30, 56, 70), (50, 30, 66, 70))[1, LEFT]
    assert Crop.from_array(crop.to_array()) == crop
