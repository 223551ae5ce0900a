"""What players read in files without help from their names."""

import pytest

from tests.output.conftest import rendered, sound
from vr180_ofx.errors import SettingsError
from vr180_ofx.media.open import open_clip
from vr180_ofx.output.spherical import add_spherical
from vr180_ofx.output.video import target_projection
from vr180_ofx.vr180.projection import Equirectangular, Fisheye


@pytest.mark.parametrize("layout", ["sbs", "tb"])
def test_spherical_metadata_is_written_and_read_back(rich, tmp_path, layout):
    """By FFmpeg's reader, without help from the file's name; the first frame and the sound still lie where the tables say."""
    clip, _ = rich
    path, _ = rendered(rich, tmp_path, format="video", eyes=layout)
    plain = tmp_path / "x.mp4"
    path.rename(plain)
    with open_clip(plain) as video:
        assert video.geometry.layout.name == layout and video.geometry.projection_name == "equirect180"
        assert all("metadata says so" in reason for reason in video.geometry.reasons[:2])
        assert len([video.read(n) for n in range(6)]) == 6
    assert len(sound(plain)) == 3


def test_what_a_file_is_not_is_not_written(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"not a video at all, but long enough to look into")
    out = tmp_path / "b.mp4"
    assert add_spherical(path, out, "sbs", Equirectangular(8, 8)) is False
    assert add_spherical(path, out, "mono", target_projection(Fisheye(8, 8, 190), "fisheye", None)) is False
    assert not out.exists() and path.read_bytes().startswith(b"not a video")


@pytest.mark.parametrize(("name", "fov"), [("fisheye", 360), ("same", 180), ("equirect180", 400)])
def test_fields_of_view_that_no_projection_shows_are_refused(name, fov):
    with pytest.raises(SettingsError, match="output.fov_degrees is"):
        target_projection(Fisheye(8, 8, 190), name, fov)
