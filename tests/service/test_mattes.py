"""Garbage mattes over HTTP: in the next answer, for both eyes, and no way to files outside of the roots."""

import json

import numpy as np

from tests.service.conftest import raw
from tests.service.edits import alpha, edits


def test_a_matte_is_in_the_next_answer_in_both_eyes(live, clip, reference):
    rect = reference[1].views["left"].layers[0].rect
    points = [[rect.x0, rect.y0], [rect.x1, rect.y0], [rect.x1, rect.y1], [rect.x0, rect.y1]]
    before = alpha(live, clip, 1, "right")
    status, said = edits(live, clip, {"op": "matte", "name": "lamp", "view": "left", "frame": 0, "points": points, "frames": [[1, 2]]})
    assert status == 200 and said["frames"] == "1-2"
    assert alpha(live, clip, 1, "left")[rect.slices].max() == 0
    assert alpha(live, clip, 1, "right").sum() < 0.7 * before.sum()
    status, said = edits(live, clip, {"op": "unmatte", "name": "lamp"})
    assert status == 200 and np.array_equal(alpha(live, clip, 1, "right"), before)


def test_files_of_mattes_lie_under_the_roots(live, clip):
    for path, wanted, words in (
        ("/etc/passwd", 403, "outside of what is allowed"),
        ("/etc/mask.%04d.png", 403, "outside of what is allowed"),
        ("mask.png", 422, "must be absolute"),
        ("\\\\host\\share\\m.png", 422, "must be absolute"),
        (str(live.root / "no such.png"), 422, "does not exist"),
    ):
        status, said = edits(live, clip, {"op": "matte", "image": {"path": path}})
        assert status == wanted and words in said["detail"], (path, status, said)
    assert json.loads(raw(live, "GET", f"/v1/clips/{clip.id}/people")[2]).get("mattes") is None


def test_what_is_wrong_with_a_matte_is_said(live, clip):
    for asked, words in (
        ({"points": [[0, 0], [5, 0]], "view": "left", "frame": 0}, "points"),
        ({"points": [[0, 0], [5, 5], [9, 9]], "view": "left", "frame": 0}, "one line"),
        ({"points": [[0, 0], [5, 0], [9, 9]], "view": "left", "frame": 99}, "frame is 99"),
        ({"kind": "holdout", "shapes": {"left": [[0, 0], [5, 0], [9, 9]]}}, "says whose it is"),
        ({"shapes": {"left": [[0, 0], [5, 0], "x"]}}, "point 'x'"),
        ({"name": "nothing yet"}, "name"),
        ({}, "neither shapes nor an image"),
    ):
        status, said = edits(live, clip, {"op": "matte", **asked})
        assert status == 422 and words in json.dumps(said), (asked, status, said)
