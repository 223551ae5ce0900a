"""Renders are found by the numbers of their files."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.bench.scenes import FRAMES, SIDE, video, write_scene
from tests.output.conftest import CLIP, FRAME, write_exr
from vr180_ofx.errors import MediaError
from vr180_ofx.output.exr import ExrWriter
from vr180_ofx.quality.truth import Truth, find_prediction
from vr180_ofx.settings import OutputSettings


def test_frames_are_found_by_number(tmp_path):
    write_exr(tmp_path)
    (tmp_path / ".shot.0043.part.exr").write_bytes(b"unfinished")
    found = find_prediction(tmp_path)
    assert list(found.files) == [42]
    assert set(found.read(42)["left"]) == {"", "person01", "Ada", "Bob"}


def renumbered(folder, numbers, indices):
    """Files of one frame, which say in their headers where in the clip they lie; None: as other programs write them."""
    writer = ExrWriter(CLIP, OutputSettings())
    for number, index in zip(numbers, indices, strict=True):
        path = writer.write(folder / "shot", number, replace(FRAME, index=index or 0), None)[0]
        if index is None:
            whole = path.read_bytes()
            # the same length, so that the file stays whole
            path.write_bytes(whole.replace(b"vr180ofx:index\0", b"somebody:else_\0"))
    return find_prediction(folder)


def test_the_first_frame_is_the_one_that_the_headers_say(tmp_path):
    """Files of a part of a clip, numbered from anywhere; a copy under other numbers too."""
    assert renumbered(tmp_path / "a", [1010, 1012], [9, 11]).first_number(24, "the truth")[0] == 1001
    assert renumbered(tmp_path / "b", [5, 6], [9, 10]).first_number(24, "the truth")[0] == -4
    with pytest.raises(MediaError, match="frame 1010 says that it is number 9 of its clip, counted from 0, and frame 1012 number 3"):
        renumbered(tmp_path / "c", [1010, 1012], [9, 3]).first_number(24, "the truth")


@pytest.mark.parametrize(
    ("numbers", "count", "first"),
    [([7, 8, 9], 3, 7), ([1, 2], 3, 1), ([0, 2], 3, 0), ([2, 3], 3, 1), ([3, 4], 3, None), ([1001, 1002], 3, None)],
)
def test_without_headers_numbers_tell_or_nothing_is_guessed(tmp_path, numbers, count, first):
    found = renumbered(tmp_path / "a", numbers, [None] * len(numbers))
    if first is not None:
        assert found.first_number(count, "the truth")[0] == first
    else:
        with pytest.raises(MediaError, match=f"numbered {numbers[0]} to {numbers[-1]}, and the truth has 3 frames.*--start-frame N"):
            found.first_number(count, "the truth")


def test_truths_of_16_bits_are_read_to_the_last_one(tmp_path):
    """Of each person, of everybody, and of what they hold; 8 bits as ever."""
    steps = np.arange(2 * SIDE, dtype=np.uint16)[None] * 255 + np.zeros((SIDE, 1), np.uint16)
    for name in ("gt_person1", "gt_everybody", "gt_held"):
        video(tmp_path / f"{name}.mkv", [steps, steps[:, ::-1]], "gray16le")
    (frame, after) = Truth(tmp_path).frames()
    expected = (steps / np.float32(65535))[:, SIDE:]
    assert frame.held is not None
    for alpha in (frame.people["right"][1], frame.union("right"), frame.held["right"]):
        np.testing.assert_array_equal(alpha, expected.astype(np.float32))
    np.testing.assert_array_equal(after.union("left"), expected.astype(np.float32)[:, ::-1])
    video(tmp_path / "gt_person1.mkv", [(steps // 256).astype(np.uint8)], "gray")
    assert next(Truth(tmp_path).frames()).people["right"][1].max() == np.float32(254 / 255)


def test_a_truth_may_say_that_nobody_is_there(tmp_path):
    write_scene(tmp_path / "empty", 0)
    truth = Truth(tmp_path / "empty")
    assert len(truth) == FRAMES and truth.files == {} and truth.interocular_m == 0.064
    frame = next(truth.frames())
    assert frame.people == {"left": {}, "right": {}} and frame.union("left").max() == 0 and frame.union("left").shape == (SIDE, SIDE)


def test_a_truth_of_a_fisheye_says_its_field_of_view(tmp_path):
    scene = json.loads((write_scene(tmp_path / "one", 1) / "scene.json").read_text())
    (tmp_path / "one" / "scene.json").write_text(json.dumps(scene | {"projection": "equidistant fisheye", "fov_degrees": 200}))
    ray = Truth(tmp_path / "one").projection.unproject(np.array([SIDE, SIDE / 2]))
    assert np.degrees(np.arctan2(ray[0], ray[2])) == pytest.approx(100)


def test_disparities_say_where_the_other_eye_sees_it(tmp_path):
    """As the depth does where both know; not where the other eye sees nothing of it."""
    folder = write_scene(tmp_path / "two")
    by_depth = Truth(folder)
    frame = next(by_depth.frames())
    both = by_depth.counterpart(frame)
    assert both is not None
    places, near = both
    here = np.mgrid[0:SIDE, 0:SIDE][::-1].transpose(1, 2, 0) + 0.5
    codes = np.zeros((SIDE, 2 * SIDE, 3), np.uint16)
    body = frame.union("right") > 0
    moves = np.round((places - here + 512) * 64)
    codes[:, SIDE:][body] = np.concatenate([moves, np.full((SIDE, SIDE, 1), 65535)], axis=-1)[body]
    codes[60:70, SIDE:][body[60:70], 2] = 32768
    video(folder / "disparity.mkv", [codes] * FRAMES, "gbrp16le")
    truth = Truth(folder)
    both = truth.counterpart(next(truth.frames()))
    assert both is not None
    found, seen = both
    assert seen[body].sum() > 0.6 * body.sum() and not seen[60:70][body[60:70]].any() and not seen[~near].any()
    assert np.abs(found - places)[seen & body].max() < 1 / 64
