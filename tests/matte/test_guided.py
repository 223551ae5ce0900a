"""The refiner of the default."""

from __future__ import annotations

from dataclasses import replace

from tests.matte.shapes import error_in_disc_scene
from vr180_ofx.matte.guided import GuidedRefiner
from vr180_ofx.matte.parameters import GUIDED
from vr180_ofx.matte.plain import NoRefiner


def test_refining_beats_the_mask_it_came_from():
    assert error_in_disc_scene(GuidedRefiner()) < 0.5 * error_in_disc_scene(NoRefiner())


def test_it_is_known_by_what_it_was_tuned_to():
    assert GuidedRefiner().identity() == GuidedRefiner(replace(GUIDED)).identity()
    assert GuidedRefiner(replace(GUIDED, gain=1.6)).identity() != GuidedRefiner().identity()
