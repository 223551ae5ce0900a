"""EXR files as other programs see them."""

import json
import subprocess
import sys
import zlib
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import OpenEXR
import OpenImageIO as oiio
import pytest

from vr180_ofx.engine.frame import Frame, Layer, ViewMatte
from vr180_ofx.errors import SettingsError
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.contract import SourceFrame
from vr180_ofx.media.picture import RgbEye
from vr180_ofx.output.exr import ExrClip, ExrWriter, time_code
from vr180_ofx.output.exr_rows import RowPart, RowWriter, _chunks, _headers
from vr180_ofx.output.inspect import check_exr, inspect_image
from vr180_ofx.quality.truth import find_prediction, read_views
from vr180_ofx.settings import OutputSettings
from vr180_ofx.vr180.layout import Layout

W, H = 96, 64


def matte(shift=0):
    a = np.zeros((20, 30), np.float16)
    a[4:16, 4:26] = 0.75
    b = np.full((10, 12), 0.5, np.float16)
    half = np.full((20, 30), 0.5, np.float16)
    return ViewMatte(
        W,
        H,
        (Layer(1, "person01", Rect(10 + shift, 8, 40 + shift, 28), a, half), Layer(2, "Ada", Rect(60, 30, 72, 40), b, np.ones_like(b))),
    )


FRAME = Frame(41, {"left": matte(), "right": matte(3)}, {"quality": "final", "identity": "abc", "degradations": "none"})
CLIP = ExrClip(Fraction(30000, 1001), 1, ("left", "right"), ((1, "person01"), (2, "Ada"), (3, "Bob")), "equirect180", None)


def write(tmp_path, **settings):
    writer = ExrWriter(CLIP, OutputSettings(**settings))
    return writer.write(tmp_path / "shot", 42, FRAME, None)


@pytest.mark.parametrize("compression", ["none", "zips", "zip", "piz", "dwaa", "dwab", "htj2k", "zstd"])
def test_parts_views_channels_and_values(tmp_path, compression):
    (path,) = write(tmp_path, compression=compression)
    assert path.name == "shot.0042.exr"
    with OpenEXR.File(str(path), separate_channels=True) as f:
        assert [p.header["view"] for p in f.parts] == ["left", "right"] == [p.header["name"] for p in f.parts]
        for part, view in zip(f.parts, ("left", "right"), strict=True):
            assert set(part.channels) == {"A", "confidence.A", "person01.A", "Ada.A", "Bob.A"}
            assert all(c.pixels.dtype == np.float16 for c in part.channels.values())
            tolerance = 0.01 if compression.startswith("dwa") else 0
            assert np.abs(part.channels["A"].pixels - FRAME.views[view].alpha).max() <= tolerance
            assert np.abs(part.channels["confidence.A"].pixels - FRAME.views[view].confidence).max() <= tolerance
            assert np.abs(part.channels["person01.A"].pixels - FRAME.views[view].person(1)).max() <= tolerance
            assert part.channels["Bob.A"].pixels.max() == 0
        h = f.parts[0].header
        assert h["framesPerSecond"] == Fraction(30000, 1001) and h["multiView"] == ["left", "right"]
        assert h["vr180ofx:quality"] == "final" and h["projection"] == "equirect180" and h["type"] == OpenEXR.scanlineimage


def of_noise(height):
    """Frames with people who reach the upper and the lower border, with one who does not, and with nobody."""
    rng = np.random.default_rng(height)

    def noisy(y0):
        a = rng.random((9, 30)).astype(np.float16)
        return ViewMatte(W, height, (Layer(1, "person01", Rect(10, y0, 40, y0 + 9), a, a),))

    nobody = ViewMatte(W, height, ())
    return [
        Frame(0, {"left": noisy(0), "right": noisy(height - 9)}, {}),
        Frame(1, {"left": noisy(7), "right": nobody}, {}),
        Frame(2, {"left": nobody, "right": nobody}, {}),
    ]


def by_the_library(path, target):
    """What the library makes of the pixels in ``path``. Returns the channels of each part."""
    with OpenEXR.File(str(path), separate_channels=True) as f:
        parts, found = [], []
        for p in f.parts:
            channels = {name: c.pixels for name, c in p.channels.items()}
            header = {k: v for k, v in p.header.items() if k not in ("channels", "dataWindow", "displayWindow", "name", "chunkCount")}
            name = p.header.get("name")
            parts.append(OpenEXR.Part(header, dict(channels), name) if name else OpenEXR.Part(header, dict(channels)))
            found.append((p.header.get("view") or "left", channels))
        OpenEXR.File(parts).write(str(target))
    return found


@pytest.mark.parametrize("compression", ["zips", "zip", "piz"])
@pytest.mark.parametrize("layout", ["multipart", "single", "per_view_files"])
@pytest.mark.parametrize("height", [64, 75, 20])
def test_files_of_bands_hold_whole_pictures(tmp_path, compression, layout, height):
    """Of piz byte for byte what the library makes. What we deflate ourselves is in the library's own blocks, one after the other."""
    writer = ExrWriter(CLIP, OutputSettings(compression=compression, exr_layout=layout))
    for frame in of_noise(height):
        for path in writer.write(tmp_path / "shot", frame.index, frame, None):
            whole = tmp_path / "whole.exr"
            for view, channels in by_the_library(path, whole):
                assert all(c.shape == (height, W) for c in channels.values())
                assert np.array_equal(channels["A"], frame.views[view].alpha)
                assert np.array_equal(channels["confidence.A"], frame.views[view].confidence)
                assert np.array_equal(channels["person01.A"], frame.views[view].person(1))
                assert not channels["Bob.A"].any()
            ours, theirs = path.read_bytes(), whole.read_bytes()
            if compression == "piz":
                assert ours == theirs
                continue
            (headers, end), (_, their_end) = _headers(ours), _headers(theirs)
            assert ours[:end] == theirs[:their_end]
            assert [[y for y, _ in part] for part in _chunks(ours)] == [[y for y, _ in part] for part in _chunks(theirs)]
            assert len(ours) == end + sum(8 + 8 + 4 * (len(headers) > 1) + len(block) for part in _chunks(ours) for _, block in part)
            for part, their_part in zip(_chunks(ours), _chunks(theirs), strict=True):
                for (_, block), (_, their_block) in zip(part, their_part, strict=True):
                    assert zlib.decompress(block) == zlib.decompress(their_block)


@pytest.mark.parametrize("compression", ["zips", "zip"])
def test_what_does_not_become_smaller_is_stored_as_it_is(tmp_path, compression):
    # everything that bits can be, what is no number too
    bits, others = np.random.default_rng(7).integers(0, 1 << 16, (2, 40, W), np.uint16).view(np.float16)
    path, lines = tmp_path / "noise.exr", 1 if compression == "zips" else 16
    for channels, stored in (({"R": bits, "G": np.zeros_like(bits)}, False), ({"R": bits, "G": others}, True)):
        header = {"compression": getattr(OpenEXR, f"{compression.upper()}_COMPRESSION"), "type": OpenEXR.scanlineimage}
        RowWriter(header["compression"]).write(path, [RowPart("", header, W, 40, 0, channels, dict.fromkeys(channels, 0.0))])
        ((_, found),) = by_the_library(path, tmp_path / "whole.exr")
        assert all(np.array_equal(found[name].view(np.uint16), values.view(np.uint16)) for name, values in channels.items())
        assert np.array_equal(
            oiio.ImageInput.open(str(path)).read_image("half").view(np.uint16), np.stack([*channels.values()], -1).view(np.uint16)
        )
        assert all((len(block) == 2 * 2 * W * min(lines, 40 - y)) == stored for y, block in _chunks(path.read_bytes())[0])


def test_an_empty_frame_after_a_full_one_is_empty(tmp_path):
    writer = ExrWriter(CLIP, OutputSettings())
    writer.write(tmp_path / "shot", 1, FRAME, None)
    empty = Frame(1, {v: ViewMatte(W, H, ()) for v in ("left", "right")}, {})
    (path,) = writer.write(tmp_path / "shot", 2, empty, None)
    for channels in read_views(path).values():
        assert channels["A"].max() == 0 and channels["person01.A"].max() == 0 and channels["confidence.A"].min() == 1


def test_a_file_per_view_and_one_part_for_all(tmp_path):
    paths = write(tmp_path, exr_layout="per_view_files")
    assert [p.name for p in paths] == ["shot_left.0042.exr", "shot_right.0042.exr"]
    assert np.array_equal(read_views(paths[1])["right"]["A"], FRAME.views["right"].alpha)
    (single,) = write(tmp_path, exr_layout="single")
    with OpenEXR.File(str(single), separate_channels=True) as f:
        assert len(f.parts) == 1 and {"A", "right.A", "person01.A", "person01.right.A"} <= set(f.parts[0].channels)
    views = read_views(single)
    assert np.array_equal(views["right"]["person01.A"], FRAME.views["right"].person(1))


def test_what_nuke_and_resolve_need(tmp_path):
    (nuke,) = write(tmp_path / "n", exr_preset="nuke")
    channels = read_views(nuke)["left"]
    assert {"R", "G", "B", "A", "person01.R", "person01.A", "confidence.G"} <= set(channels)
    resolve = write(tmp_path / "r", exr_preset="resolve")
    assert len(resolve) == 2
    channels = read_views(resolve[0])["left"]
    assert np.array_equal(channels["R"], channels["A"]) and channels["R"].max() == 0.75


def test_colour_is_unmixed_and_premultiplied(tmp_path):
    person, ground = np.array([0.8, 0.4, 0.2]), np.array([0.1, 0.1, 0.6])
    plates = {}
    for view in ("left", "right"):
        a = FRAME.views[view].alpha[..., None]
        plates[view] = RgbEye(((a * person + (1 - a) * ground) * 65535).astype(np.uint16), (0, 0), W, H)
    source = SourceFrame(41, 0, plates)
    out = {}
    for mode in ("foreground", "premultiplied"):
        (path,) = ExrWriter(CLIP, OutputSettings(rgb=mode)).write(tmp_path / mode, 42, FRAME, source)
        out[mode] = read_views(path)["left"]
    a = FRAME.views["left"].alpha
    inside = a > 0
    rgb = np.stack([out["foreground"][c] for c in "RGB"], -1)
    # nearer to the person's own colour than the plate is
    plate = plates["left"].pixels / 65535
    assert np.abs(rgb - person)[inside].mean() < 0.6 * np.abs(plate - person)[inside].mean()
    assert np.abs(out["premultiplied"]["R"] - out["foreground"]["R"] * a).max() < 2e-3


def test_a_plate_in_scene_linear_light_stays_it(tmp_path):
    """Values beyond 1, a pixel that is no number, a sun: people keep theirs, and nothing spreads."""
    person, ground = np.array([3.0, 0.5, 0.25]), np.array([0.02, 6.0, 0.1])
    a = FRAME.views["left"].alpha[..., None]
    light = (a * person + (1 - a) * ground).astype(np.float32)
    inside = np.argwhere(FRAME.views["left"].alpha > 0)
    light[tuple(inside[0])], light[tuple(inside[-1])] = np.nan, 1e6
    source = SourceFrame(41, 0, dict.fromkeys(("left", "right"), RgbEye(light, (0, 0), W, H)))
    for method in ("blur_fusion", "multilevel"):
        (path,) = ExrWriter(CLIP, OutputSettings(rgb="foreground", foreground_method=method)).write(tmp_path / method, 42, FRAME, source)
        rgb = np.stack([read_views(path)["left"][c] for c in "RGB"], -1)
        assert np.isfinite(rgb).all()
        sure = FRAME.views["left"].alpha > 0.7
        off, before = (np.nanmedian(np.abs(x - person)[sure], axis=0) for x in (rgb, light))
        assert (off < 0.4 * before + 0.01).all(), (method, off, before)
    settings = OutputSettings(rgb="foreground", despill="green")
    (path,) = ExrWriter(CLIP, settings).write(tmp_path / "despilled", 42, FRAME, source)
    out = read_views(path)["left"]
    assert (out["G"] <= (out["R"] + out["B"]) / 2 + 2e-2 + 1e-2 * out["R"]).all()


def test_oiiotool_opens_it(tmp_path):
    (path,) = write(tmp_path)
    tool = Path(sys.executable).with_name("oiiotool")
    said = subprocess.run([str(tool), "--info", "-v", "-a", str(path)], capture_output=True, text=True, check=True).stdout
    assert said.count('view: "left"') == 1 and said.count('view: "right"') == 1 and "person01.A" in said and "half" in said
    assert "29.97" in said


def test_cut_off_and_foreign_files_are_not_trusted(tmp_path):
    (path,) = write(tmp_path)
    assert check_exr(path, "abc") and not check_exr(path, "another render")
    data = path.read_bytes()
    for length in (len(data) - 1, len(data) * 9 // 10, len(data) // 2, 200, 4, 0):
        path.write_bytes(data[:length])
        assert not check_exr(path, "abc"), length
    path.write_bytes(b"a text file")
    assert not check_exr(path, "abc") and not check_exr(tmp_path / "no.exr", "abc")
    spec = oiio.ImageSpec(8, 8, 1, "half")
    foreign = oiio.ImageOutput.create(str(path))
    foreign.open(str(path), spec)
    foreign.write_image(np.zeros((8, 8, 1), np.float32))
    foreign.close()
    assert not check_exr(path, "abc")


def test_inspect_tells_parts_ranges_and_metadata(tmp_path):
    (path,) = write(tmp_path)
    facts = inspect_image(path)
    assert [p["view"] for p in facts["parts"]] == ["left", "right"]
    assert facts["parts"][0]["ranges"]["A"] == {"min": 0.0, "max": 0.75, "mean": pytest.approx(FRAME.views["left"].alpha.mean(), rel=1e-3)}
    assert facts["parts"][0]["metadata"]["vr180ofx:quality"] == "final"
    json.dumps(facts)


def test_frames_are_found_by_number(tmp_path):
    write(tmp_path)
    (tmp_path / ".shot.0043.part.exr").write_bytes(b"unfinished")
    found = find_prediction(tmp_path)
    assert list(found.files) == [42]
    assert set(found.read(42)["left"]) == {"", "person01", "Ada", "Bob"}


def test_time_code_counts_seconds():
    text = str(time_code(25 * 3661 + 7, Fraction(25)))
    assert text.startswith("(1, 1, 1, 7")


BPY = Path(__file__).resolve().parents[2] / ".venv-bpy" / "bin" / "python"
SCRIPT = """
import bpy, json, sys
image = bpy.data.images.load(sys.argv[1])
image.use_multiview = True
scene = bpy.context.scene
scene.render.use_multiview = True
scene.render.views_format = 'MULTIVIEW'
scene.use_nodes = True
tree = scene.node_tree
tree.nodes.clear()
node = tree.nodes.new('CompositorNodeImage')
node.image = image
print('RESULT ' + json.dumps({'size': list(image.size), 'type': image.type, 'multiview': image.is_multiview, 'sockets': [o.name for o in node.outputs], 'views': [v.identifier for v in node.bl_rna.properties['view'].enum_items] if 'view' in node.bl_rna.properties else []}))
"""


@pytest.mark.slow
def test_blender_opens_it(tmp_path):
    if not BPY.exists():
        pytest.skip("Blender as a module is not installed; run: make setup-hosts")
    (path,) = write(tmp_path)
    done = subprocess.run([str(BPY), "-c", SCRIPT, str(path)], capture_output=True, text=True, timeout=240)
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    assert lines, done.stderr[-2000:]
    facts = json.loads(lines[0].removeprefix("RESULT "))
    assert facts["type"] == "MULTILAYER" and facts["multiview"], facts
    assert {"left", "right"} <= set(facts["sockets"]), facts


def test_both_eyes_in_one_picture(tmp_path):
    """As they lie in the clip: for hosts that see a side by side clip as one picture."""
    clip = replace(CLIP, layout=Layout("sbs", 2 * W, H))
    writer = ExrWriter(clip, OutputSettings(exr_layout="whole", exr_preset="resolve"))
    (path,) = writer.write(tmp_path / "shot", 1, FRAME, None)
    with OpenEXR.File(str(path), separate_channels=True) as f:
        channels = {k: c.pixels for k, c in f.channels().items()}
        assert len(f.parts) == 1 and f.parts[0].header.get("view") in (None, "main")
    expected = np.hstack([FRAME.views[v].alpha for v in ("left", "right")])
    assert np.array_equal(channels["A"], expected) and np.array_equal(channels["R"], expected) and expected.any()
    swapped = ExrWriter(replace(clip, layout=Layout("tb", W, 2 * H, swap_eyes=True)), OutputSettings(exr_layout="whole"))
    (path,) = swapped.write(tmp_path / "other", 1, FRAME, None)
    with OpenEXR.File(str(path), separate_channels=True) as f:
        assert np.array_equal(f.channels()["A"].pixels, np.vstack([FRAME.views[v].alpha for v in ("right", "left")]))
    with pytest.raises(SettingsError, match="holds no colour"):
        ExrWriter(clip, OutputSettings(exr_layout="whole", rgb="foreground"))


def test_the_layers_of_blender_are_passes(tmp_path):
    """One part, views in the channels' names, four channels a layer: what Blender's compositor shows as sockets."""
    (path,) = write(tmp_path, exr_preset="blender")
    with OpenEXR.File(str(path), separate_channels=True) as f:
        names = set(f.channels())
        assert len(f.parts) == 1
    assert {"R", "A", "right.A", "person01.R", "person01.A", "person01.right.A", "confidence.right.A"} <= names
