"""The Blender add-on in Blender itself: from an empty scene to a composited frame."""

import numpy as np
import pytest

from tests.blender import BPY
from tests.host_bridges.blender_session import blender
from tests.host_bridges.halves import as_floats
from vr180_ofx import client as c
from vr180_ofx.media.open import open_clip
from vr180_ofx.node import NODE

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not BPY.exists(), reason="Blender is not installed; make setup-hosts")]


def encoded(linear):
    """sRGB, IEC 61966-2-1."""
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def test_the_panel_is_the_node(home):
    told = blender(
        home,
        """
rna = type(held).bl_rna.properties
print(json.dumps({
    "properties": {k: [rna[k].type, rna[k].name, rna[k].description, getattr(held, k),
                       getattr(rna[k], "hard_min", None), getattr(rna[k], "hard_max", None),
                       [i.identifier for i in rna[k].enum_items] if rna[k].type == "ENUM" else None, rna[k].is_animatable]
                   for k in rna.keys() if k not in ("rna_type", "name")},
    "operators": [k for k in dir(bpy.ops.vr180)]}))
""",
    )
    parameters, actions = NODE.of("blender")
    assert set(told["properties"]) == {p.name for p in parameters}
    assert {a.name for a in actions} <= set(told["operators"])
    kinds = {"bool": "BOOLEAN", "int": "INT", "float": "FLOAT", "choice": "ENUM"}
    for p in parameters:
        kind, label, text, value, low, high, choices, animatable = told["properties"][p.name]
        assert (kind, label, text, animatable) == (kinds.get(p.kind, "STRING"), p.label, p.help, p.animatable), p.name
        assert value == pytest.approx(p.default) if p.kind == "float" else value == p.default
        assert choices is None or tuple(choices) == p.choices
        if p.minimum is not None:
            assert low == pytest.approx(p.minimum) and high == pytest.approx(p.maximum)


def test_an_untouched_panel_wishes_for_nothing_else_than_other_hosts(home):
    """Blender holds numbers in single precision: 0.7 comes back as 0.699999988."""
    told = blender(
        home,
        """
held.clip = clip
told = {"held": held.confidence, "untouched": addon.NODE.settings(addon.values_of(scene)), "key": addon.link_of(scene).key[1]}
held.confidence, held.fov_degrees = 0.35, 190.5
told["touched"] = addon.NODE.settings(addon.values_of(scene))
print(json.dumps(told))
""",
    )
    assert told["held"] != 0.7 and told["untouched"] == {}
    assert told["key"] == c.Link(str(home.clip)).key[1]
    assert told["touched"] == {"detection": {"confidence_threshold": 0.35}, "input": {"fov_degrees": 190.5}}


def test_from_an_empty_scene_to_a_composited_frame(home):
    """The composite's alpha is the engine's, in both eyes, and its colour the clip's."""
    told = blender(
        home,
        """
told = {"nothing": pressed(bpy.ops.vr180.analyse)}
held.clip = clip
told["analyse"] = pressed(bpy.ops.vr180.analyse)
told["people"] = held.people_list
told["early"] = pressed(bpy.ops.vr180.composite)
held.folder = out
told["absent"] = pressed(bpy.ops.vr180.composite)
held.frames = "2-6"
told["render"] = pressed(bpy.ops.vr180.render)
told["composite"] = pressed(bpy.ops.vr180.composite)
told["scene"] = [scene.render.resolution_x, scene.render.resolution_y, scene.render.fps, scene.frame_start, scene.frame_end, scene.render.use_multiview]
told["again"] = pressed(bpy.ops.vr180.composite)
told["nodes"] = sorted(n.label for n in scene.node_tree.nodes if n.label)
scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
scene.collection.objects.link(scene.camera)
scene.render.engine = "BLENDER_WORKBENCH"
scene.view_settings.view_transform = "Raw"
s = scene.render.image_settings
s.file_format, s.color_mode, s.color_depth, s.exr_codec = "OPEN_EXR", "RGBA", "32", "ZIP"
s.views_format = "INDIVIDUAL"
for frame in (3, 5):
    scene.frame_set(frame)
    scene.render.filepath = out + f"/composite.{frame}.exr"
    bpy.ops.render.render(write_still=True)
print(json.dumps(told))
""",
    )
    assert told["nothing"][0] == "error" and "Clip is empty" in told["nothing"][1]
    assert told["analyse"] == [["FINISHED"], "Analyse: done"] and told["people"].startswith("1 person01")
    assert "Folder is empty" in told["early"][1] and "there is no clip.####.exr" in told["absent"][1]
    assert told["render"] == [["FINISHED"], "5 frames written, 0 were there"]
    assert told["composite"][0] == ["FINISHED"] and told["scene"] == [512, 512, 24, 1, 10, True]
    assert told["nodes"] == sorted(f"VR180 {n}" for n in ("alpha", "clip", "eye", "left", "matte", "right"))
    import OpenEXR

    link = c.Link(str(home.clip))
    with open_clip(home.clip) as clip:
        pictures = {frame: clip.read(frame - 1) for frame in (3, 5)}
    for frame in (3, 5):
        for view, suffix in (("left", "_L"), ("right", "_R")):
            with OpenEXR.File(str(home.folder / "out" / f"composite.{frame}{suffix}.exr")) as file:
                rgba = file.channels()["RGBA"].pixels
            expected = as_floats(link.frame(frame - 1, view=view))
            assert np.abs(rgba[..., 3] - expected).max() < 1e-3, (frame, view)
            assert expected.max() == 1 and 0.01 < expected.mean() < 0.9
            # the colour is that of this eye, and not of the other
            shown = encoded(rgba[..., :3])
            own, other = (np.abs(shown - pictures[frame][v]).mean() for v in (view, "right" if view == "left" else "left"))
            assert own < 0.01 < other, (frame, view, own, other)


def test_corrections_and_the_cache(home):
    told = blender(
        home,
        """
held.clip = clip
told = {"analyse": pressed(bpy.ops.vr180.analyse)}
scene.frame_set(4)
held.person = 1
told["edit"] = pressed(bpy.ops.vr180.edit_people, view="left", box=(100, 100, 300, 400), name="anna")
told["people"] = held.people_list
scene.frame_set(99)
told["outside"] = pressed(bpy.ops.vr180.edit_people, view="left", box=(100, 100, 300, 400))
told["forget"] = pressed(bpy.ops.vr180.forget_corrections)
told["after"] = held.people_list
told["clear"] = pressed(bpy.ops.vr180.clear_cache)
told["reconnect"] = pressed(bpy.ops.vr180.reconnect)
scene.frame_set(4)
addon.refresh_live(scene)
end = time.time() + 60
while time.time() < end and (bpy.data.images.get("VR180 Matte") is None or "final" not in held.status):
    addon.read_mailbox()
    time.sleep(0.05)
image = bpy.data.images["VR180 Matte"]
told["live"] = [list(image.size), max(image.pixels), held.status]
held.clip = clip + ".absent"
told["absent"] = pressed(bpy.ops.vr180.analyse)
print(json.dumps(told))
""",
    )
    assert told["edit"][0] == ["FINISHED"] and "made anew: frames" in told["edit"][1] and told["people"].startswith("1 anna")
    assert told["outside"][0] == "error" and "outside the clip" in told["outside"][1]
    assert told["after"].startswith("1 person01") and told["clear"][0] == told["reconnect"][0] == ["FINISHED"]
    assert told["live"][:2] == [[1024, 512], 1.0] and told["live"][2] == "clip frame 3: final"
    assert told["absent"][0] == "error" and "does not exist" in told["absent"][1]


def test_a_server_that_dies_is_said_and_the_render_goes_on(home):
    script = """
import threading
def killer():
    while not (os.path.isdir(out) and sum(f.endswith(".exr") and f[0] != "." for f in os.listdir(out)) >= 2):
        time.sleep(0.005)
    note = json.load(open(os.path.join(os.environ["VR180_OFX_CACHE"], "service", "server.json")))
    os.kill(note["pid"], 9)
held.clip, held.folder = clip, out
pressed(bpy.ops.vr180.analyse)
thread = threading.Thread(target=killer)
thread.start()
told = {"first": pressed(bpy.ops.vr180.render)}
thread.join()
there = {f: os.stat(os.path.join(out, f)).st_mtime_ns for f in os.listdir(out) if f.endswith(".exr") and f[0] != "."}
told["second"] = pressed(bpy.ops.vr180.render)
told["there"], told["kept"] = len(there), all(os.stat(os.path.join(out, f)).st_mtime_ns == t for f, t in there.items())
told["all"] = sum(f.endswith(".exr") and f[0] != "." for f in os.listdir(out))
print(json.dumps(told))
"""
    told = blender(home, script)
    assert told["first"][0] == "error" and "what was written is whole. Render again to go on" in told["first"][1]
    assert told["second"][0] == ["FINISHED"] and told["all"] == 10 and told["kept"] and told["there"] >= 2


def test_edges_are_as_their_keys_are_at_the_frame(home):
    """Live, and in a render: what Blender makes of its keys at each frame, in single precision."""
    told = blender(
        home,
        """
import numpy as np
held.clip, held.folder = clip, out
told = {}
for frame, size in ((3, -2.0), (6, 1.0)):
    held.edge_size = size
    held.keyframe_insert("edge_size", frame=frame)
held.edge_keep_motion_blur = False
held.keyframe_insert("edge_keep_motion_blur", frame=1)
held.edge_keep_motion_blur = True
held.keyframe_insert("edge_keep_motion_blur", frame=8)
told["sizes"] = []
for frame in range(1, 11):
    scene.frame_set(frame)
    told["sizes"].append([held.edge_size, held.edge_keep_motion_blur])
told["render"] = pressed(bpy.ops.vr180.render)
scene.frame_set(5)
addon.refresh_live(scene)
end = time.monotonic() + 60
while "final" not in held.status and time.monotonic() < end:
    addon.read_mailbox()
    time.sleep(0.05)
told["live"] = held.status
image = bpy.data.images[addon.LIVE_IMAGE]
pixels = np.empty(len(image.pixels), np.float32)
image.pixels.foreach_get(pixels)
np.save(out + "/live.npy", pixels.reshape(image.size[1], image.size[0], 4)[::-1, :, 0])
action = scene.animation_data.action
curve = next(c for c in action.fcurves if c.data_path == "vr180_matte.edge_size")
curve.extrapolation = "LINEAR"
told["linear"] = pressed(bpy.ops.vr180.render)
curve.extrapolation = "CONSTANT"
driver = held.driver_add("edge_feather")
driver.driver.expression = "frame"
told["driver"] = pressed(bpy.ops.vr180.render)
print(json.dumps(told))
""",
    )
    import OpenEXR

    sizes = [size for size, _ in told["sizes"]]
    assert sizes[0] == sizes[2] == -2.0 and sizes[5] == sizes[9] == 1.0 and -2 < sizes[3] < sizes[4] < 1
    assert [keeps for _, keeps in told["sizes"]] == [False] * 7 + [True] * 3
    assert told["render"] == [["FINISHED"], "10 frames written, 0 were there"]
    assert told["linear"][0] == "error" and "beyond its keys" in told["linear"][1]
    assert told["driver"][0] == "error" and "has a driver" in told["driver"][1]
    link = c.Link(str(home.clip))
    live = np.load(home.folder / "out" / "live.npy")
    assert told["live"] == "clip frame 4: final"
    assert np.abs(live - as_floats(link.frame(4, view="both", edges={"size": sizes[4]}))).max() < 2e-3
    for n in (0, 3, 4, 7):
        wanted = as_floats(link.frame(n, view="left", edges={"size": sizes[n], "keep_motion_blur": n >= 7}))
        with OpenEXR.File(str(home.folder / "out" / f"clip.{n + 1:04d}.exr")) as file:
            part = file.parts[0]
            left = next(ch for name, ch in part.channels.items() if name in ("A", "RGBA"))
            x0, y0 = part.header["dataWindow"][0]
            alpha = left.pixels[..., 3] if left.pixels.ndim == 3 else left.pixels
        part_of = wanted[y0 : y0 + alpha.shape[0], x0 : x0 + alpha.shape[1]]
        # Blender's numbers have single precision: half a thousandth of a pixel of size is no bit of a half, but nearly
        assert np.abs(alpha.astype(np.float32) - part_of).max() < 2e-3, n
