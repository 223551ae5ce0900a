"""The sample scripts run as their first lines say."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.blender import BPY
from tests.host_bridges import resolve_stand_in as resolve_host
from tests.host_bridges.halves import as_floats
from tests.host_bridges.nuke_session import started
from vr180_ofx import client as c
from vr180_ofx.install import install

SAMPLES = Path(__file__).resolve().parents[2] / "sample_scripts"


def run(name, *words, **env):
    done = subprocess.run(
        [sys.executable, str(SAMPLES / name), *map(str, words)], capture_output=True, text=True, env={**os.environ, **env}
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_every_sample_is_listed():
    listed = (SAMPLES / "README.md").read_text()
    assert all(f"`{p.name}`" in listed for p in SAMPLES.iterdir() if p.name not in ("README.md", "__pycache__"))


def test_one_frame_as_png(standing, tmp_path):
    said = run("frames.py", standing.clip, 3, tmp_path / "m.png", "--view", "left")
    grey = cv2.imread(str(tmp_path / "m.png"), cv2.IMREAD_UNCHANGED)
    assert "512x512, final, blazepose" in said and grey is not None and grey.dtype == np.uint16
    assert np.abs(grey / 65535 - as_floats(standing.link.frame(3, view="left"))).max() < 1e-3


def test_ranges_for_a_farm_cover_the_clip(standing, tmp_path):
    lines = run("farm_chunks.py", standing.clip, tmp_path / "out", "--machines", 3, "--plan", tmp_path / "plan.json").splitlines()
    ranges = [line.split("--frames ")[1].split("-") for line in lines]
    frames = [n for a, b in ranges for n in range(int(a), int(b) + 1)]
    assert frames == list(range(1, 11)) and len(lines) == 3 and (tmp_path / "plan.json").exists()


def test_a_nuke_script_on_a_farm(standing, tmp_path, monkeypatch):
    install("nuke", tmp_path / "dotnuke")
    script = tmp_path / "shot.nk"
    script.write_text((SAMPLES / "nuke_vr180_matte.nk").read_text().replace("plate.mp4", str(standing.clip)))
    with started(tmp_path / "dotnuke" / "vr180_ofx", False) as nuke:
        monkeypatch.setattr(sys, "argv", ["nuke_farm.py", str(script), "2-3"])
        exec(compile((SAMPLES / "nuke_farm.py").read_text(), "nuke_farm.py", "exec"), {"__name__": "__main__"})
        node = nuke.toNode("VR180Matte1")
        assert node.input(0) is nuke.toNode("Plate") and nuke.toNode("Write1").input(0) is node
        combine = node.node("Combine")
        assert combine.input(0).name() == "Source" and combine.input(1).name() == "Invert"
        for frame in (2, 3):
            assert Path(node.node("Matte").knob("file").value() % frame).exists()


def test_resolves_console(standing, tmp_path, capsys):
    install("resolve", tmp_path / "Fusion")
    clip = resolve_host.MediaPoolItem(standing.clip)
    resolve = resolve_host.Resolve(resolve_host.Project(resolve_host.Timeline(), resolve_host.MediaPool([clip])))
    text = (SAMPLES / "resolve_selected_clip.py").read_text()
    place = 'os.path.expanduser("~/.local/share/DaVinciResolve/Fusion/Modules/vr180_ofx")'
    assert place in text
    text = text.replace(place, repr(str(tmp_path / "Fusion" / "Modules" / "vr180_ofx")))
    before, path = set(sys.modules), list(sys.path)
    try:
        exec(compile(text, "resolve_selected_clip.py", "exec"), {"resolve": resolve, "__name__": "__main__"})
    finally:
        sys.path[:] = path
        for name in set(sys.modules) - before:
            if name in ("vr180_resolve", "vr180_client", "run_resolve"):
                del sys.modules[name]
    assert "the matte is in place" in capsys.readouterr().out and len(resolve.storage.mattes) == 1
    shutil.rmtree(standing.folder / "clip_vr180_matte")


@pytest.mark.slow
@pytest.mark.skipif(not BPY.exists(), reason="Blender is not installed; make setup-hosts")
def test_blender_from_an_empty_scene(home):
    extensions = home.folder / "extensions"
    install("blender", extensions / "user_default")
    env = {**os.environ, "BLENDER_USER_EXTENSIONS": str(extensions), "BLENDER_USER_RESOURCES": str(home.folder / "blender")}
    words = [str(BPY), str(SAMPLES / "blender_composite.py"), "--", str(home.clip), str(home.folder / "out"), "4"]
    done = subprocess.run(words, capture_output=True, text=True, env=env)
    picture = cv2.imread(str(home.folder / "out" / "composite.0004.png"))
    assert picture is not None and picture.shape == (512, 1024, 3), done.stdout[-2000:] + done.stderr[-2000:]
    # the colour behind, and people before it
    behind = (np.abs(picture.astype(int) - picture[5, 5]).max(axis=-1) < 3).mean()
    assert 0.7 < behind < 0.995


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("melt") is None or shutil.which("cmake") is None, reason="MLT's melt, or CMake, is not installed")
def test_openfx_in_melt(home, tmp_path):
    import av

    install("ofx", tmp_path / "OFX")
    env = {**os.environ, "OFX_PLUGIN_PATH": str(tmp_path / "OFX")}
    known = subprocess.run(["melt", "-query", "filters"], capture_output=True, text=True, env=env)
    if "vr180ofx.VR180Matte" not in known.stdout + known.stderr:
        pytest.skip("this MLT has no openfx module; 7.34 and later have it")
    done = subprocess.run(
        ["sh", str(SAMPLES / "openfx_mlt.sh"), str(home.clip), str(tmp_path / "out.mov")], capture_output=True, text=True, env=env
    )
    with av.open(str(tmp_path / "out.mov")) as container:
        frames = list(container.decode(video=0))
    assert len(frames) == 10 and frames[0].format.name.startswith("yuva444p"), done.stderr[-1000:]
    alpha = np.frombuffer(bytes(frames[2].planes[3]), "<u2").reshape(512, -1)[:, :1024] / (2 ** frames[0].format.components[3].bits - 1)
    link = c.Link(str(home.clip))
    assert np.abs(alpha - as_floats(link.frame(2, view="both"))).mean() < 2e-3 and alpha.max() > 0.99
