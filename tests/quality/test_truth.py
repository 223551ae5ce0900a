"""Renders are found by the numbers of their files."""

from dataclasses import replace

import pytest

from tests.output.conftest import CLIP, FRAME, write_exr
from vr180_ofx.errors import MediaError
from vr180_ofx.output.exr import ExrWriter
from vr180_ofx.quality.truth import find_prediction
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
