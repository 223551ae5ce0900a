"""Edits of a plan, as tests make them."""

from vr180_ofx.engine.models import Models
from vr180_ofx.people.edit import apply_edits
from vr180_ofx.settings import Settings


def edited(plan, edits, clip):
    return apply_edits(plan, edits, clip, load_segmenter=Models.of(Settings()).load_segmenter)


def middle(plan, person=1, view="left", n=3):
    box = plan.people[person - 1].views[view][n - n % 2].box
    return [round((box[0] + box[2]) / 2, 1), round((box[1] + box[3]) / 2, 1)]
