import pytest

from vr180_ofx.media.contract import StreamFacts
from vr180_ofx.media.geometry import decide_geometry
from vr180_ofx.media.naming import facts_from_name
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
    import struct

    from tests.conftest import make_clip
    from vr180_ofx.media.open import open_clip

    path = make_clip(tmp_path / "plain.mp4", 4, size=(512, 256))
    data = path.read_bytes()

    def box(kind, body):
        return struct.pack(">I4s", 8 + len(body), kind) + body

    quarter = 0x40000000
    proj = box(b"proj", box(b"prhd", struct.pack(">Iiii", 0, 0, 0, 0)) + box(b"equi", struct.pack(">IIIII", 0, 0, 0, quarter, quarter)))
    extra = box(b"st3d", struct.pack(">IB", 0, 2)) + box(b"sv3d", box(b"svhd", struct.pack(">I", 0) + b"t\0") + proj)
    # the sample entry and every box around it grow
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"):
        at = data.rindex(kind) - 4
        size = struct.unpack_from(">I", data, at)[0]
        data = data[:at] + struct.pack(">I", size + len(extra)) + data[at + 4 :]
        end = at + size
    path.write_bytes(data[:end] + extra + data[end:])
    with open_clip(path) as clip:
        assert clip.geometry.layout.name == "sbs" and clip.geometry.projection_name == "equirect180"
        assert all("metadata" in r for r in clip.geometry.reasons)
