import pytest

from tests.conftest import make_clip
from tests.media.pictures import spherical
from vr180_ofx.media.contract import StreamFacts
from vr180_ofx.media.geometry import decide_geometry
from vr180_ofx.media.naming import facts_from_name
from vr180_ofx.media.open import open_clip
from vr180_ofx.settings import Settings


@pytest.mark.parametrize(
    ("name", "size", "layout", "projection", "fov", "swap"),
    [
        ("clip", (6144, 3072), "sbs", "equirect180", None, False),
        ("clip", (1024, 2048), "tb", "equirect180", None, False),
        ("clip", (1280, 720), "mono", "flat", None, False),
        ("shot_LR_180", (5760, 2880), "sbs", "equirect180", None, False),
        ("shot_180x180_3dh", (4096, 2048), "sbs", "equirect180", None, False),
        ("shot_TB_180", (2048, 4096), "tb", "equirect180", None, False),
        ("shot_FISHEYE190", (5800, 2900), "sbs", "fisheye", 190, False),
        ("shot_MKX220", (5800, 2900), "sbs", "fisheye", 220, False),
        ("shot_RF52", (8192, 4096), "sbs", "fisheye", 190, False),
        ("shot_F180_TB", (2000, 4000), "tb", "fisheye", 180, False),
        ("shot_SBS", (3840, 1080), "sbs", "flat", None, False),
        ("shot_RL_180", (4096, 2048), "sbs", "equirect180", None, True),
        ("shot_MONO_360", (4096, 2048), "mono", "equirect180", 360, False),
        ("take 180 degrees of fun", (1920, 1080), "mono", "equirect180", None, False),
    ],
)
def test_names_and_shapes(name, size, layout, projection, fov, swap):
    width, height = size
    g = decide_geometry(width, height, StreamFacts(), facts_from_name(name), Settings())
    assert (g.layout.name, g.projection_name, g.fov_degrees, g.layout.swap_eyes) == (layout, projection, fov, swap)
    assert len(g.reasons) == 2 and all(":" in r for r in g.reasons)


def test_metadata_beats_the_name_and_settings_beat_both():
    facts = StreamFacts("tb", "equirect180", None, True)
    g = decide_geometry(2000, 4000, facts, facts_from_name("x_LR_FISHEYE190"), Settings())
    assert (g.layout.name, g.projection_name, g.layout.swap_eyes) == ("tb", "equirect180", True)
    g = decide_geometry(
        2000, 4000, facts, facts_from_name("x"), Settings(input={"layout": "mono", "projection": "flat", "fov_degrees": 60})
    )
    assert (g.layout.name, g.projection_name, g.fov_degrees) == ("mono", "flat", 60)


def test_spherical_metadata_of_a_real_file(tmp_path):
    """Boxes as Google's spherical video V2 has them, written into an MP4, reach us through FFmpeg."""
    with open_clip(spherical(make_clip(tmp_path / "plain.mp4", 4, size=(512, 256)), 1 << 30, 1 << 30)) as clip:
        assert clip.geometry.layout.name == "sbs" and clip.geometry.projection_name == "equirect180"
        assert all("metadata" in r for r in clip.geometry.reasons) and clip.notes == ()


def test_spherical_bounds_that_leave_nothing_are_not_followed(tmp_path):
    """Of a box whose bounds nearly meet the field of view was 0.0000002 degrees."""
    half = 1 << 31
    with open_clip(spherical(make_clip(tmp_path / "plain.mp4", 4, size=(512, 256)), half - 1, half - 2)) as clip:
        assert clip.geometry.projection_name == "equirect180" and clip.geometry.fov_degrees is None
        assert "degrees; it is not followed" in clip.notes[0] and clip.read(1)["left"].shape == (256, 256, 3)
