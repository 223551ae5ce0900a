"""The evaluation must give perfect marks to the truth, and see what is wrong with what is wrong."""

import json
from fractions import Fraction

import numpy as np
import pytest

from tests.conftest import DEMO
from vr180_ofx.engine.frame import Frame, Layer, ViewMatte
from vr180_ofx.errors import MediaError
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.output.exr import ExrClip, ExrWriter
from vr180_ofx.quality.evaluate import evaluate
from vr180_ofx.quality.truth import Truth
from vr180_ofx.settings import OutputSettings

TRUTH = DEMO.parent / "truth"


def write(folder, change, frames=2, first=1):
    """first: the number of the first frame's file."""
    writer = None
    for n, frame in zip(range(frames), Truth(TRUTH).frames(), strict=False):
        views = {}
        for view, people in frame.people.items():
            layers = change(view, {f"person{k:02d}": a for k, a in people.items()})
            h, w = next(iter(people.values())).shape
            views[view] = ViewMatte(
                w,
                h,
                tuple(
                    Layer(k + 1, name, Rect(0, 0, w, h), a.astype(np.float16), np.ones((h, w), np.float16))
                    for k, (name, a) in enumerate(layers.items())
                ),
            )
            names = tuple((k + 1, name) for k, name in enumerate(layers))
        writer = writer or ExrWriter(ExrClip(Fraction(24), None, ("left", "right"), names, "equirect180", None), OutputSettings())
        writer.write(folder / "t", n + first, Frame(n, views, {}), None)
    return evaluate(folder, TRUTH).to_dict()


@pytest.fixture(scope="module")
def perfect(tmp_path_factory):
    return write(tmp_path_factory.mktemp("p"), lambda view, people: people)


def test_the_truth_gets_perfect_marks(perfect):
    o = perfect["overall"]
    assert o["iou"] == 1 and o["mad"] < 1e-4 and o["band_mad"] < 1e-3 and o["dtssd"] < 0.1 and o["everybody_found"] == 1
    assert o["stereo_error"] == pytest.approx(o["stereo_error_of_the_truth"], abs=1e-3) and o["stereo_error"] < 0.03
    assert perfect["people"]["truth 1"]["layers"] == "person01" and perfect["ghosts"] == [] and perfect["frames"] == 2
    json.dumps(perfect)


def test_a_missing_person_is_missed(tmp_path):
    d = write(tmp_path, lambda view, people: {"person01": people["person01"]}, 1)
    assert d["people"]["truth 2"]["left.found"] == 0 and d["overall"]["everybody_found"] == 0 and d["overall"]["iou"] < 0.8


def test_a_ghost_is_named(tmp_path):
    def ghost(view, people):
        extra = np.zeros_like(people["person01"])
        extra[100:200, 800:900] = 1
        return {**people, "phantom": extra}

    assert write(tmp_path, ghost, 1)["ghosts"] == [{"layer": "phantom", "share_on_people": 0.0}]


def test_one_eye_off_raises_the_stereo_error(tmp_path, perfect):
    def off(view, people):
        return people if view == "left" else {k: np.roll(a, 6, axis=1) for k, a in people.items()}

    d = write(tmp_path, off, 1)
    assert d["overall"]["stereo_error"] > 3 * perfect["overall"]["stereo_error"]
    assert d["eyes"]["right"]["iou"] < 0.95 < d["eyes"]["left"]["iou"]


def test_files_are_held_against_the_frames_that_they_show(tmp_path, perfect):
    """Numbered from 1001, some left out: the same marks, whatever the number; and a gap is no step in time."""
    d = write(tmp_path, lambda view, people: people, 3, first=1001)
    assert d["start_frame"] == 1001 and d["overall"]["iou"] == 1 and d["per_frame"][0]["frame"] == 1001 and d["unmatched"] == []
    (tmp_path / "t.1002.exr").unlink()
    d = evaluate(tmp_path, TRUTH).to_dict()
    assert d["start_frame"] == 1001 and d["overall"]["iou"] == 1 and d["frames"] == 2 and "dtssd" not in d["overall"]
    wrong = evaluate(tmp_path, TRUTH, 1003).to_dict()
    assert wrong["overall"]["iou"] < 1 and wrong["unmatched"] == [1001]
    with pytest.raises(MediaError, match="numbered 1001 to 1003, and the truth's 24 frames begin at number 5000, as --start-frame says"):
        evaluate(tmp_path, TRUTH, 5000)


def test_errors_say_what_is_missing(tmp_path):
    with pytest.raises(MediaError, match="holds no truth"):
        evaluate(tmp_path, tmp_path)
    with pytest.raises(MediaError, match="no EXR frames"):
        evaluate(tmp_path, TRUTH)
