"""Renders are found by the numbers of their files."""

from tests.output.conftest import write_exr
from vr180_ofx.quality.truth import find_prediction


def test_frames_are_found_by_number(tmp_path):
    write_exr(tmp_path)
    (tmp_path / ".shot.0043.part.exr").write_bytes(b"unfinished")
    found = find_prediction(tmp_path)
    assert list(found.files) == [42]
    assert set(found.read(42)["left"]) == {"", "person01", "Ada", "Bob"}
