"""EXR files as other programs see them."""

import json
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import OpenEXR
import OpenImageIO as oiio
import pytest

from tests.blender import run_in_blender
from tests.output.conftest import CLIP, FRAME, H, W, write_exr
from vr180_ofx.engine.frame import Frame, ViewMatte
from vr180_ofx.errors import OutputError
from vr180_ofx.media.contract import ColourTags, EyeImage, SourceFrame
from vr180_ofx.media.numbering import numbering
from vr180_ofx.media.open import open_clip
from vr180_ofx.media.picture import RgbEye
from vr180_ofx.output.exr import ExrWriter, time_code
from vr180_ofx.output.measures import MEASURES
from vr180_ofx.quality.truth import read_views
from vr180_ofx.settings import OutputSettings
from vr180_ofx.timecode import Timecode
from vr180_ofx.vr180.layout import Layout


@pytest.mark.parametrize("compression", ["none", "zips", "zip", "piz", "dwaa", "dwab", "htj2k", "zstd"])
def test_parts_views_channels_and_values(tmp_path, compression):
    (path,) = write_exr(tmp_path, compression=compression)
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


def test_an_empty_frame_after_a_full_one_is_empty(tmp_path):
    writer = ExrWriter(CLIP, OutputSettings())
    writer.write(tmp_path / "shot", 1, FRAME, None)
    empty = Frame(1, {v: ViewMatte(W, H, ()) for v in ("left", "right")}, {})
    (path,) = writer.write(tmp_path / "shot", 2, empty, None)
    for channels in read_views(path).values():
        assert channels["A"].max() == 0 and channels["person01.A"].max() == 0 and channels["confidence.A"].min() == 1


def test_a_file_per_view_and_one_part_for_all(tmp_path):
    paths = write_exr(tmp_path, exr_layout="per_view_files")
    assert [p.name for p in paths] == ["shot_left.0042.exr", "shot_right.0042.exr"]
    assert np.array_equal(read_views(paths[1])["right"]["A"], FRAME.views["right"].alpha)
    (single,) = write_exr(tmp_path, exr_layout="single")
    with OpenEXR.File(str(single), separate_channels=True) as f:
        assert len(f.parts) == 1 and {"A", "right.A", "person01.A", "person01.right.A"} <= set(f.parts[0].channels)
    views = read_views(single)
    assert np.array_equal(views["right"]["person01.A"], FRAME.views["right"].person(1))


def test_what_nuke_and_resolve_need(tmp_path):
    (nuke,) = write_exr(tmp_path / "n", exr_preset="nuke")
    channels = read_views(nuke)["left"]
    assert {"R", "G", "B", "A", "person01.R", "person01.A", "confidence.G"} <= set(channels)
    resolve = write_exr(tmp_path / "r", exr_preset="resolve")
    assert len(resolve) == 2
    channels = read_views(resolve[0])["left"]
    assert np.array_equal(channels["R"], channels["A"]) and channels["R"].max() == 0.75


def test_colour_is_unmixed_and_premultiplied(tmp_path):
    person, ground = np.array([0.8, 0.4, 0.2]), np.array([0.1, 0.1, 0.6])
    pixels: dict[str, np.ndarray] = {}
    plates: dict[str, EyeImage] = {}
    for view in ("left", "right"):
        a = FRAME.views[view].alpha[..., None]
        pixels[view] = ((a * person + (1 - a) * ground) * 65535).astype(np.uint16)
        plates[view] = RgbEye(pixels[view], (0, 0), W, H)
    source = SourceFrame(41, 0, plates)
    out = {}
    for mode in ("foreground", "premultiplied"):
        (path,) = ExrWriter(CLIP, OutputSettings(rgb=mode, colorspace="as_source")).write(tmp_path / mode, 42, FRAME, source)
        out[mode] = read_views(path)["left"]
    a = FRAME.views["left"].alpha
    inside = a > 0
    rgb = np.stack([out["foreground"][c] for c in "RGB"], -1)
    # nearer to the person's own colour than the plate is
    plate = pixels["left"] / 65535
    assert np.abs(rgb - person)[inside].mean() < 0.6 * np.abs(plate - person)[inside].mean()
    assert np.abs(out["premultiplied"]["R"] - out["foreground"]["R"] * a).max() < 2e-3


LIGHT = ColourTags("rgb", True, "linear")


def test_a_plate_in_scene_linear_light_stays_it(tmp_path):
    """Values beyond 1, a pixel that is no number, a sun: people keep theirs, and nothing spreads."""
    person, ground = np.array([3.0, 0.5, 0.25]), np.array([0.02, 6.0, 0.1])
    a = FRAME.views["left"].alpha[..., None]
    light = (a * person + (1 - a) * ground).astype(np.float32)
    inside = np.argwhere(FRAME.views["left"].alpha > 0)
    light[tuple(inside[0])], light[tuple(inside[-1])] = np.nan, 1e6
    source = SourceFrame(41, 0, dict.fromkeys(("left", "right"), RgbEye(light, (0, 0), W, H, None, LIGHT)))
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
    (path,) = write_exr(tmp_path)
    tool = Path(sys.executable).with_name("oiiotool")
    said = subprocess.run([str(tool), "--info", "-v", "-a", str(path)], capture_output=True, text=True, check=True).stdout
    assert said.count('view: "left"') == 1 and said.count('view: "right"') == 1 and "person01.A" in said and "half" in said
    assert "29.97" in said


def test_time_code_counts_seconds():
    text = str(time_code(Timecode(25 * 3661 + 7, 25)))
    assert text.startswith("(1, 1, 1, 7")


@pytest.mark.parametrize(
    ("text", "fps"),
    [("01:02:03:04", Fraction(25)), ("10:00:59;29", Fraction(30000, 1001)), ("23:59:59:59", Fraction(60)), ("00:01:00;04", Fraction(60000, 1001)),
     ("09:08:07:47", Fraction(48))],
)  # fmt: skip
def test_a_clip_goes_on_with_its_timecode_in_files(tmp_path, text, fps):
    """OpenImageIO reads what the header holds, and so do we when the files are a clip."""
    first = Timecode.of(text, fps)
    clip = replace(CLIP, fps=fps, timecode=first)
    writer = ExrWriter(clip, OutputSettings())
    for n in range(2):
        writer.write(tmp_path / "a", 1001 + n, replace(FRAME, index=n), None)
    source = oiio.ImageInput.open(str(tmp_path / "a.1002.exr"))
    assert source is not None, oiio.geterror()
    bits = source.spec().getattribute("smpte:TimeCode")[0]
    source.close()
    assert Timecode.of_header(bits, fps) == first + 1
    with open_clip(tmp_path / "a.%04d.exr") as again:
        assert (again.timecode, again.fps, numbering(again).timecode_of(1)) == (first, fps, first + 1)
        assert numbering(again).index_of(str(first + 1)) == 1 and again.describe()["timecode"] == text


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
    (path,) = write_exr(tmp_path)
    done = run_in_blender(SCRIPT, str(path))
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
    # and colour, each eye's from its own place
    pixels = {v: np.random.default_rng(k).integers(0, 65536, (H, W, 3)).astype(np.uint16) for k, v in enumerate(("left", "right"))}
    source = SourceFrame(41, 0, {v: RgbEye(p, (0, 0), W, H) for v, p in pixels.items()})
    for layout, stacked in ((Layout("sbs", 2 * W, H, swap_eyes=True), np.hstack), (Layout("tb", W, 2 * H), np.vstack)):
        order = ("right", "left") if layout.swap_eyes else ("left", "right")
        apart = ExrWriter(CLIP, OutputSettings(rgb="premultiplied", exr_layout="per_view_files")).write(
            tmp_path / "apart", 1, FRAME, source
        )
        eyes = {v: read_views(path)[v] for v, path in zip(("left", "right"), apart, strict=True)}
        whole = ExrWriter(replace(clip, layout=layout), OutputSettings(rgb="premultiplied", exr_layout="whole"))
        (path,) = whole.write(tmp_path / layout.name, 1, FRAME, source)
        ((_, found),) = read_views(path).items()
        for c in "RGBA":
            assert np.array_equal(found[c], stacked([eyes[v][c] for v in order])) and found[c].any()


def test_the_layers_of_blender_are_passes(tmp_path):
    """One part, views in the channels' names, four channels a layer: what Blender's compositor shows as sockets."""
    (path,) = write_exr(tmp_path, exr_preset="blender")
    with OpenEXR.File(str(path), separate_channels=True) as f:
        names = set(f.channels())
        assert len(f.parts) == 1
    assert {"R", "A", "right.A", "person01.R", "person01.A", "person01.right.A", "confidence.right.A"} <= names


@pytest.mark.parametrize(
    "name",
    [*(m.name for m in MEASURES), "A", "r", "Z", "left", "right", "Main", "everybody", "rgba", "Combined", "a.b", "a.A", "", "1st", "Bob"],
)
def test_no_layer_takes_the_place_of_another(name):
    """However a name came into a plan, and in whatever file; the last one is the name of somebody else, too."""
    clip = replace(CLIP, people=((1, "Bob"), (2, name)), layout=Layout("sbs", 2 * W, H))
    for layout in ("multipart", "single", "per_view_files", "whole"):
        for preset in ("generic", "nuke", "resolve", "blender"):
            with pytest.raises(OutputError, match="cannot be a layer|two layers would be called"):
                ExrWriter(clip, OutputSettings(exr_layout=layout, exr_preset=preset))
            ExrWriter(clip, OutputSettings(exr_layout=layout, exr_preset=preset, people=False))
