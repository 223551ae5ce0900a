"""A session per host, from nothing to the matte of a real scene whose truth is known, in the host's own terms."""

import json
import os
import shutil
import subprocess
from itertools import islice

import numpy as np
import pytest

from benchmarks.support.ofx_host import OK, Host
from tests.blender import BPY
from tests.conftest import shared_clip
from tests.host_bridges import blender_session, nuke_session, ofx_session, resolve_session
from tests.host_bridges.conftest import a_home
from vr180_ofx import client as c
from vr180_ofx.quality.truth import Truth

pytestmark = pytest.mark.slow
FRAME = 12


@pytest.fixture(scope="module")
def duo(tmp_path_factory):
    """The scene, with a server of its own that the first host starts."""
    clip = shared_clip("vr180/duo_2k/clip.mp4")
    with a_home(tmp_path_factory.mktemp("duo"), clip) as made:
        frame = next(islice(Truth(clip.parent).frames(), FRAME, None))
        made.truth = {v: frame.union(v) > 0.5 for v in ("left", "right")}
        yield made


def overlap(alpha, truth):
    mask = np.asarray(alpha, np.float32) > 0.5
    return (mask & truth).sum() / (mask | truth).sum()


def good(eyes, truth):
    """Both eyes show the people: the overlap with the truth that the engine is known to reach in this scene, less a little."""
    found = {view: overlap(eyes[view], truth[view]) for view in ("left", "right")}
    assert min(found.values()) > 0.85, found


def halved(whole):
    return {"left": whole[:, : whole.shape[1] // 2], "right": whole[:, whole.shape[1] // 2 :]}


def test_a_session_in_nuke(duo, tmp_path):
    from vr180_ofx.install import install

    install("nuke", tmp_path / "dotnuke")
    with nuke_session.started(tmp_path / "dotnuke" / "vr180_ofx", True) as nuke:
        nuke._views = ["left", "right"]
        nuke_session.read(nuke, duo.clip, last=len(c.Link(str(duo.clip)).wait()))
        node = nuke.bridge.create()
        nuke.go_to(FRAME + 1)
        nuke.pump(lambda: nuke_session.status(node) == f"frame {FRAME + 1}: final", timeout=200)
        # side by side, as they are in the plate
        good(halved(nuke_session.exr(node.node("Matte").knob("file").value() % (FRAME + 1))["main"]), duo.truth)


def test_a_session_in_resolve(duo, tmp_path):
    from vr180_ofx.install import install

    install("resolve", tmp_path / "Fusion")

    def user(window):
        window.items["folder"].Text = str(tmp_path / "mattes")
        window.items["frames"].Text = f"{FRAME + 1}"
        resolve_session.click(window, "render")
        yield from resolve_session.until(window, lambda text: "Resolve" in text or "in place" in text)

    resolve, fusion, bmd = resolve_session.in_resolve(duo.clip, user, selected=True, item=False)
    with resolve_session.script(tmp_path / "Fusion", "Utility", resolve=resolve, fusion=fusion, bmd=bmd):
        pass
    ((_, (path,), _),) = resolve.storage.mattes
    good(halved(resolve_session.alpha(path)), duo.truth)


@pytest.mark.skipif(shutil.which("cmake") is None or shutil.which("cc") is None, reason="cmake and a C compiler are not installed")
def test_a_session_in_openfx(duo, tmp_path):
    host = Host(ofx_session.build(tmp_path))
    assert host.load() == OK
    effect = host.create(frames=(1, len(c.find_or_start().open(str(duo.clip)))))
    host.set(effect, clip=str(duo.clip))
    status, out = host.render(effect, FRAME + 1, np.zeros((1024, 2048, 4), np.float32))
    assert status == OK, effect.persistent
    good(halved(out[..., 3]), duo.truth)
    host.destroy(effect)
    host.unload()


@pytest.mark.skipif(not BPY.exists(), reason="Blender is not installed; make setup-hosts")
def test_blender_composite(duo):
    import OpenEXR

    blender_session.blender(
        duo,
        f"""
held.clip, held.folder, held.frames = clip, out, "{FRAME + 1}"
told = [pressed(bpy.ops.vr180.render), pressed(bpy.ops.vr180.composite)]
scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
scene.collection.objects.link(scene.camera)
scene.render.engine = "BLENDER_WORKBENCH"
s = scene.render.image_settings
s.file_format, s.color_mode, s.color_depth = "OPEN_EXR", "RGBA", "32"
s.views_format = "INDIVIDUAL"
scene.frame_set({FRAME + 1})
scene.render.filepath = out + "/composite.exr"
bpy.ops.render.render(write_still=True)
print(json.dumps({{"told": told}}))
""",
    )
    eyes = {}
    for view, suffix in (("left", "_L"), ("right", "_R")):
        with OpenEXR.File(str(duo.folder / "out" / f"composite{suffix}.exr")) as file:
            eyes[view] = file.channels()["RGBA"].pixels[..., 3]
    good(eyes, duo.truth)


@pytest.mark.skipif(shutil.which("melt") is None, reason="MLT's melt is not installed")
def test_openfx_in_mlt(home, tmp_path):
    """In somebody else's host: the alpha of every frame is the engine's, as far as 8 bits go. MLT counts frames from 0."""
    import cv2

    bundle = ofx_session.build(tmp_path / "build")
    env = {**os.environ, "OFX_PLUGIN_PATH": str(bundle.parent)}
    known = subprocess.run(["melt", "-query", "filters"], capture_output=True, text=True, env=env)
    if "vr180ofx.VR180Matte" not in known.stdout + known.stderr:
        pytest.skip("this MLT has no openfx module; 7.34 and later have it")
    server = c.find_or_start()
    clip = server.open(str(home.clip)).wait()
    words = [
        "melt", str(home.clip), "out=3", "-filter", "openfx.vr180ofx.VR180Matte", f"clip={home.clip}", "first_frame=0",
        f"address={server.address}", f"token_file={json.loads(c.announce_path().read_text())['token_file']}", "start_server=0",
        "-consumer", f"avformat:{tmp_path}/o%04d.png", "vcodec=png", "pix_fmt=rgba", "mlt_image_format=rgba", "real_time=-1",
        "terminate_on_pause=1",
    ]  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True, env=env, timeout=200)
    files = sorted(tmp_path.glob("o*.png"))
    assert len(files) == 4, done.stderr[-2000:]
    for n, file in enumerate(files):
        written, picture = cv2.imread(str(file), cv2.IMREAD_UNCHANGED), clip.frame(n, "both")
        assert written is not None and picture is not None
        alpha = written[..., 3] / 255
        expected = np.frombuffer(picture.data, "<f2").reshape(picture.height, picture.width).astype(np.float32)
        assert np.abs(alpha - expected).max() < 0.003 and expected.max() == 1, n
