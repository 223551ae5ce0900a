"""Whose folder it is, and what the operating system's words become."""

import errno
import json

import pytest

from vr180_ofx.errors import OutputError, ResourceError
from vr180_ofx.rendering.folder import explained, output_folder
from vr180_ofx.rendering.manifest import MANIFEST
from vr180_ofx.settings import Settings


def test_the_folder_is_made_and_can_be_written(tmp_path):
    with output_folder(tmp_path / "a" / "b", Settings()) as made:
        assert made.path == tmp_path / "a" / "b" and made.path.is_dir() and not list(made.path.iterdir())
    with output_folder(None, Settings(output={"path": str(made.path)})) as again:
        assert again.path == made.path
    with pytest.raises(OutputError, match="no output folder was named"):
        output_folder(None, Settings())


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (OSError(errno.ENOSPC, "no space"), ResourceError, "is full"),
        (OSError(errno.EFBIG, "too large"), ResourceError, "is full"),
        (OSError(errno.EROFS, "read-only"), OutputError, "cannot be written: read-only"),
        (RuntimeError("OpenEXR: No space left on device."), ResourceError, "is full"),
        (MemoryError(), ResourceError, "out of memory"),
        (RuntimeError("a bug"), RuntimeError, "^a bug$"),
    ],
)
def test_words_for_people(tmp_path, error, kind, words):
    with pytest.raises(kind, match=words), explained(tmp_path):
        raise error


def test_a_damaged_manifest_is_made_again(people_clip, tmp_path, caplog):
    from vr180_ofx import analyse, open_clip, render

    (tmp_path / MANIFEST).write_text("{ no json")
    with open_clip(people_clip, Settings(input={"frames": "0"})) as clip:
        render(clip, analyse(clip), output=tmp_path)
    held = json.loads((tmp_path / MANIFEST).read_text())
    assert "damaged" in caplog.text and list(held["renders"]) == ["people:exr"]
