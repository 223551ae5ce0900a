"""The contact sheet shows who was found where."""

import numpy as np
import OpenImageIO as oiio

from vr180_ofx.engine.plans import analyse
from vr180_ofx.media.open import open_clip
from vr180_ofx.people.plan import Plan
from vr180_ofx.rendering.contact_sheet import PALETTE, contact_sheet


def read(path):
    source = oiio.ImageInput.open(str(path))
    assert source is not None
    return source.read_image("float")


def close_to(picture, colour):
    return (np.abs(picture - colour).max(axis=-1) < 0.02).sum()


def test_everybody_has_a_box_in_their_colour(people_clip, tmp_path):
    with open_clip(people_clip) as clip:
        plan = analyse(clip)
        contact_sheet(clip, plan, tmp_path / "who.png", cells=4)
        contact_sheet(clip, Plan.of_nobody(clip), tmp_path / "nobody.png", cells=4)
    who, nobody = read(tmp_path / "who.png"), read(tmp_path / "nobody.png")
    # two rows of two frames, both eyes of each, 420 pixels an eye
    assert who.shape == nobody.shape == (840, 1680, 3)
    assert len(plan.people) == 2
    for colour in PALETTE[:2]:
        assert close_to(who, colour) > 1000 > 10 * close_to(nobody, colour)
