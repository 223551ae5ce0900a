"""Painted mattes over HTTP: in the next answer, and no way to files outside of the roots."""

import json

import cv2
import numpy as np

from tests.service.conftest import raw
from tests.service.edits import alpha, edits


def test_what_is_painted_is_in_the_next_answer(live, clip):
    value = np.random.default_rng(1).integers(0, 256, (512, 512), np.uint8)
    picture = np.dstack([value, value, value, np.where(np.arange(512)[:, None] < 200, 255, 0).repeat(512, 1).astype(np.uint8)])
    file = live.root / "mine.png"
    assert cv2.imwrite(str(file), picture)
    before = alpha(live, clip, 1, "left")
    asked = {"person": 1, "view": "left", "frame": 1}
    # of two people the layer of all is theirs together
    status, said = edits(live, clip, {"op": "exclude", "person": 2}, {"op": "paint", **asked, "file": str(file)})
    assert status == 200, said
    made = alpha(live, clip, 1, "left")
    assert np.abs(made[:200] - value[:200] / 255).max() < 2 / 255 and np.abs(made[200:] - before[200:]).max() <= 1
    # another picture in the same file is another answer
    assert cv2.imwrite(str(file), 255 - value)
    assert np.abs(alpha(live, clip, 1, "left") - (255.0 - value) / 255).max() < 2 / 255
    # gone: an error of its frame alone
    file.unlink()
    status, _, data = raw(live, "GET", f"/v1/clips/{clip.id}/frames/1?view=left&format=f16")
    assert status == 422 and "does not exist" in json.loads(data)["detail"]
    status, _ = edits(live, clip, {"op": "unpaint", **asked}, {"op": "exclude", "person": 2, "exclude": False})
    assert status == 200 and np.array_equal(alpha(live, clip, 1, "left"), before)


def test_files_lie_under_the_roots(live, clip):
    bad = live.root / "bad.png"
    assert cv2.imwrite(str(bad), np.zeros((9, 9), np.uint8))
    for file, wanted, words in (
        ("/etc/passwd", 403, "outside of what is allowed"),
        ("mask.png", 422, "must be absolute"),
        (str(live.root / "no such.png"), 422, "does not exist"),
        (str(bad), 422, "is 9x9; a painted matte is as large as one eye"),
    ):
        status, said = edits(live, clip, {"op": "paint", "person": 1, "view": "left", "frame": 1, "file": file})
        assert status == wanted and words in said["detail"], (file, status, said)
    assert all("paint" not in p for p in json.loads(raw(live, "GET", f"/v1/clips/{clip.id}/people")[2])["people"])
