"""Layers made at less than full resolution."""

import numpy as np
import pytest

from vr180_ofx.engine.enlarge import enlarged
from vr180_ofx.engine.frame import Layer, ViewMatte
from vr180_ofx.imaging.half import half
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.patch import Patch
from vr180_ofx.media.picture import RgbEye


@pytest.mark.parametrize("edge_aware", [True, False])
def test_layers_that_touch_the_border_and_each_other_fit_and_add_up_to_one(edge_aware):
    # 203 is no multiple of 4: the last block is incomplete
    pixels = np.random.default_rng(0).random((203, 203, 3)).astype(np.float32)
    eye = RgbEye(pixels, (0, 0), 203, 203)
    small = eye.reduced(4)
    assert (small.width, small.height) == (51, 51)
    rects = [Rect(0, 0, 30, 51), Rect(25, 10, 51, 51), Rect(20, 40, 40, 51)]
    patches = {
        k: Patch(r, half(np.full((r.height, r.width), 0.5, np.float32)), half(np.ones((r.height, r.width), np.float32)))
        for k, r in enumerate(rects)
    }
    made = enlarged(patches, small, eye, 4, edge_aware=edge_aware)
    view = ViewMatte(203, 203, tuple(Layer(k, f"p{k}", p.rect, p.alpha, p.confidence) for k, p in made.items()))
    assert (view.width, view.height) == (203, 203)
    assert view.alpha.shape == (203, 203) and all(x.alpha.shape == (x.rect.height, x.rect.width) for x in view.layers)
    total = np.sum([view.person(k) for k in range(3)], axis=0)
    assert total.max() <= 1.001 and total[170:200, 120:150].min() > 0.99
    assert view.person(0)[:, :100].min() > 0.3 and view.person(0)[:, 140:].max() == 0
